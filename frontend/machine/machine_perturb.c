/* See machine_perturb.h. */
#include "machine_perturb.h"
#include "machine_parts.h"
#include "mc146818.h"

#include <string.h>

/* How late a timer's event may come. An interrupt waits for the instruction that runs and for the
 * bus: well below the shortest period that guests program. A disk's heads are anywhere. */
#define INTERRUPT_LATE_NS 20000
#define DISK_LATE_NS 1000000

/* Numbers for other purposes than a timer's. */
enum { PURPOSE_CLOCK_PHASE = 1, PURPOSE_TURN };

/* By the beginning of their names. What looks at the machine from outside is not here. */
static const struct {
    const char *name;
    int64_t late_ns;
} bounds[] = {
    {"pit", INTERRUPT_LATE_NS},
    {"rtc", INTERRUPT_LATE_NS},
    {"local-apic", INTERRUPT_LATE_NS},
    {"hpet", INTERRUPT_LATE_NS},
    {"acpi", INTERRUPT_LATE_NS},
    {"serial", INTERRUPT_LATE_NS},
    {"parallel", INTERRUPT_LATE_NS},
    {"apic bus", INTERRUPT_LATE_NS},
    {"keyboard", INTERRUPT_LATE_NS},
    {"mouse", INTERRUPT_LATE_NS},
    {"vmmouse", INTERRUPT_LATE_NS},
    {"usb", INTERRUPT_LATE_NS},
    {"sb16", INTERRUPT_LATE_NS},
    {"ac97", INTERRUPT_LATE_NS},
    {"es1370", INTERRUPT_LATE_NS},
    {"network", INTERRUPT_LATE_NS},
    {"ne2000", INTERRUPT_LATE_NS},
    {"rtl8139", INTERRUPT_LATE_NS},
    {"pcnet", INTERRUPT_LATE_NS},
    {"e1000", INTERRUPT_LATE_NS},
    {"virtio-net", INTERRUPT_LATE_NS},
    {"ide", DISK_LATE_NS},
    {"ata", DISK_LATE_NS},
    {"fdc", DISK_LATE_NS},
    {"ahci", DISK_LATE_NS},
    {"nvme", DISK_LATE_NS},
    {"virtio-blk", DISK_LATE_NS},
    {"lsi", DISK_LATE_NS},
    {"scsi", DISK_LATE_NS},
};

static int64_t find_bound(const char *name) {
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
        if (strncmp(name, bounds[i].name, strlen(bounds[i].name)) == 0)
            return bounds[i].late_ns;
    return 0;
}

static void runs_part(void *opaque) {
    Machine *machine = opaque;
    machine->parted_count = machine_count_instructions(machine);
}

void machine_perturb_init(Machine *machine) {
    VirtualClock *clock = &machine->clock;
    if (!machine->config.perturbation.wanted)
        return;
    clock->perturbation = machine->config.perturbation;
    clock->parts = runs_part;
    clock->parts_opaque = machine;
    for (size_t i = 0; i < clock->timer_count; i++)
        clock->timers[i]->late_ns = find_bound(clock->timers[i]->name);
    if (clock->perturbation.seed != 0)
        mc146818_set_phase(machine->board.rtc,
                           (int64_t)(clock_perturb(clock->perturbation.seed, PURPOSE_CLOCK_PHASE) %
                                     NS_PER_SECOND));
    clock_rebuild(clock);
}

uint32_t machine_perturb_turn(const Machine *machine, uint32_t usual) {
    const ClockPerturbation *perturbation = &machine->clock.perturbation;
    int64_t now_ns = clock_now_ns(&machine->clock);
    uint64_t seed = now_ns < perturbation->then_ns ? perturbation->seed : perturbation->then_seed;
    if (!perturbation->wanted || seed == 0)
        return usual;
    uint64_t purpose = machine_count_instructions(machine) * 8 + PURPOSE_TURN;
    return usual / 10 + (uint32_t)(clock_perturb(seed, purpose) % (2 * usual));
}

/* The speed governor: how fast the processor of an old system is to be, for programs that time
 * themselves by loops. */
#include "machine_parts.h"

/* What 'slower' and 'faster' go through, in instructions a second: from the first PC to a Pentium
 * III. */
static const uint64_t speed_steps[] = {
    300000,    600000,    1000000,   1500000,   2000000,   3000000,   4500000,   6000000,
    9000000,   12000000,  16000000,  20000000,  25000000,  33000000,  50000000,  66000000,
    100000000, 133000000, 200000000, 300000000, 450000000, 600000000, 800000000, 1000000000,
};
#define SPEED_STEPS (sizeof(speed_steps) / sizeof(speed_steps[0]))

uint64_t machine_speed(Machine *machine) {
    return __atomic_load_n(&machine->published_speed, __ATOMIC_RELAXED);
}

/* 'per_second' 0: as fast as the host can. */
static void hold_speed(Machine *machine, uint64_t per_second) {
    InstructionPace pace = {per_second != 0 ? NS_PER_SECOND : 0, per_second};
    machine_time_set_pace(&machine->time, pace);
    if (per_second != 0)
        machine->speed_before_turbo = per_second;
    __atomic_store_n(&machine->published_speed, per_second, __ATOMIC_RELAXED);
}

void machine_speed_init(Machine *machine) {
    const InstructionPace *pace = &machine->time.pace;
    uint64_t per_second =
        pace->ns == 0
            ? 0
            : (uint64_t)((unsigned __int128)pace->instructions * NS_PER_SECOND / pace->ns);
    machine->speed_before_turbo = machine->published_speed = per_second;
}

typedef struct SpeedChange {
    Machine *machine;
    MachineSpeed wanted;
    uint64_t per_second;
} SpeedChange;

static uint64_t next_slower(uint64_t now) {
    size_t step = 0;
    while (step + 1 < SPEED_STEPS && speed_steps[step + 1] < now)
        step++;
    return speed_steps[step];
}

/* Beyond the last there is only full speed. */
static uint64_t next_faster(uint64_t now) {
    for (size_t step = 0; step < SPEED_STEPS; step++) {
        if (speed_steps[step] > now)
            return speed_steps[step];
    }
    return 0;
}

static void change_speed(void *opaque) {
    SpeedChange *change = opaque;
    Machine *machine = change->machine;
    uint64_t held = machine_speed(machine);
    /* At full speed the steps begin where the guest ran of late. */
    uint64_t now = held != 0 ? held : (uint64_t)(1e9 / machine->time.ns_per_instruction);
    switch (change->wanted) {
    case MACHINE_SPEED_SLOWER:
        hold_speed(machine, next_slower(now));
        break;
    case MACHINE_SPEED_FASTER:
        if (held != 0)
            hold_speed(machine, next_faster(now));
        break;
    case MACHINE_SPEED_TURBO:
        hold_speed(machine, held != 0 ? 0 : machine->speed_before_turbo);
        break;
    case MACHINE_SPEED_GIVEN:
        hold_speed(machine, change->per_second);
        break;
    }
}

bool machine_change_speed(Machine *machine, MachineSpeed wanted, uint64_t per_second,
                          Error *error) {
    SpeedChange change = {machine, wanted, per_second};
    if (machine->config.icount)
        return error_set(error, "the speed cannot be changed: with -icount time follows the "
                                "instructions by one measure");
    machine_call(machine, change_speed, &change);
    return true;
}

void machine_throttle(Machine *machine, unsigned percent) {
    __atomic_store_n(&machine->throttle_percent, percent, __ATOMIC_RELAXED);
}

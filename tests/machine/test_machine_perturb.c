/* Which timers a perturbed machine moves: all by which a guest is told something, and none that
 * looks at it from outside. */
#include "machine_parts.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

/* Frames and sound go on at their pace; the rest is no guest's. */
static const char *const unmoved[] = {"vga window", "cirrus linear", "audio",     "observer",
                                      "typing",     "wait",          "key-player"};

static bool is_unmoved(const char *name) {
    for (size_t i = 0; i < sizeof(unmoved) / sizeof(unmoved[0]); i++)
        if (strcmp(unmoved[i], name) == 0)
            return true;
    return false;
}

static Machine *make(bool wanted) {
    static const char *const cards[] = {"e1000", "ne2k_pci", "rtl8139", "pcnet", "virtio-net-pci"};
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 8 << 20;
    config.icount = true;
    config.perturbation = (ClockPerturbation){7, 7, TIMER_NEVER, wanted};
    config.has_usb = config.has_ahci = config.has_scsi = config.has_serial[0] =
        config.has_parallel[0] = true;
    config.sound[SOUND_SB16] = (SoundConfig){
        .present = true, .port = 0x220, .irq = 5, .dma = 1, .dma16 = 5, .version = 0x405};
    config.sound[SOUND_AC97].present = config.sound[SOUND_ES1370].present = true;
    for (unsigned i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        config.network_card[i] = (NetworkCardConfig){.model = cards[i], .boot_index = -1};
        config.network_card[i].address[5] = (uint8_t)i;
    }
    config.ide[2] = (DriveConfig){.present = true, .is_cd = true, .boot_index = -1};
    config.pci_disk[0] =
        (PciDiskConfig){.kind = PCI_DISK_SCSI,
                        .port = 1,
                        .drive = {.present = true, .is_cd = true, .boot_index = -1}};
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

START_TEST(every_timer_of_a_device_moves) {
    Machine *machine = make(true);
    ck_assert_uint_gt(machine->clock.timer_count, 20);
    for (size_t i = 0; i < machine->clock.timer_count; i++) {
        const Timer *timer = machine->clock.timers[i];
        ck_assert_msg((timer->late_ns == 0) == is_unmoved(timer->name), "the timer '%s'",
                      timer->name);
        ck_assert_int_le(timer->late_ns, 1000000);
    }
    machine_destroy(machine);
}
END_TEST

START_TEST(none_moves_unless_asked_for) {
    Machine *machine = make(false);
    for (size_t i = 0; i < machine->clock.timer_count; i++)
        ck_assert_int_eq(machine->clock.timers[i]->late_ns, 0);
    machine_destroy(machine);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("machine_perturb");
    tcase_add_test(tests, every_timer_of_a_device_moves);
    tcase_add_test(tests, none_moves_unless_asked_for);
    Suite *suite = suite_create("machine_perturb");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#define _GNU_SOURCE
/* A whole machine: it boots the BIOS, runs exactly as often as told, is saved, restored and
 * repeated. */
#include "machine.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>
#include <unistd.h>

#define MILLION 1000000u

static MachineConfig config;

static void set_up(void) {
    machine_config_init(&config);
    config.ram_bytes = 16 << 20;
    config.icount = true;
    config.icount_shift = 3;
    config.translator.backend = BACKEND_PORTABLE;
    config.ide[2] = (DriveConfig){.present = true, .is_cd = true, .boot_index = -1};
    config.has_serial[0] = true;
    config.has_parallel[0] = true;
}

static Machine *make(void) {
    Error error = {.set = false};
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

START_TEST(bios_reaches_its_banner) {
    Machine *machine = make();
    ByteBuffer text = {.data = NULL};
    for (int i = 0; i < 100; i++) {
        machine_run_instructions(machine, MILLION);
        text.size = 0;
        if (board_get_text(&machine->board, &text) &&
            memmem(text.data, text.size, "SeaBIOS", 7) != NULL)
            break;
    }
    ck_assert_msg(memmem(text.data, text.size, "SeaBIOS", 7) != NULL, "the screen shows '%.*s'",
                  (int)text.size, text.data);
    byte_buffer_free(&text);
    machine_destroy(machine);
}
END_TEST

static const uint64_t step_sizes[] = {1, 2, 7, 100, 12345, 50000, 50001, 333333};

START_TEST(runs_exactly_as_many_instructions_as_told) {
    Machine *machine = make();
    uint64_t total = 0;
    for (size_t i = 0; i < sizeof(step_sizes) / sizeof(step_sizes[0]); i++) {
        ck_assert_uint_eq(machine_run_instructions(machine, step_sizes[i]), step_sizes[i]);
        total += step_sizes[i];
        ck_assert_uint_eq(machine->cpu->state.instruction_count, total);
    }
    machine_destroy(machine);
}
END_TEST

/* How the run is cut into slices is invisible. */
START_TEST(slices_do_not_change_the_state) {
    Machine *whole = make();
    Machine *sliced = make();
    machine_run_instructions(whole, 3 * MILLION);
    for (uint64_t left = 3 * MILLION, part = 1; left > 0; part = part * 7 % 9973 + 1) {
        uint64_t now = part < left ? part : left;
        ck_assert_uint_eq(machine_run_instructions(sliced, now), now);
        left -= now;
    }
    ck_assert_uint_eq(machine_state_hash(whole), machine_state_hash(sliced));
    machine_destroy(whole);
    machine_destroy(sliced);
}
END_TEST

START_TEST(incremental_hash_equals_the_full_one) {
    Machine *machine = make();
    for (int i = 0; i < 6; i++) {
        machine_run_instructions(machine, MILLION);
        ck_assert_uint_eq(machine_state_hash(machine), machine_state_hash_full(machine));
    }
    machine_destroy(machine);
}
END_TEST

static void find_difference(Machine *a, Machine *b) {
    char text[256];
    if (field_table_diff(&cpu_fields, &a->cpu->state, &b->cpu->state, text, sizeof(text)))
        ck_abort_msg("processor: %s", text);
    for (int i = 0; i < a->devices.count; i++) {
        const DeviceEntry *entry = &a->devices.entries[i];
        if (field_table_diff(entry->device_class->fields, entry->state, b->devices.entries[i].state,
                             text, sizeof(text)))
            ck_abort_msg("%s: %s", entry->id, text);
    }
}

/* Saved in the middle of the BIOS's work and restored into another machine, both end alike. */
START_TEST(saved_and_restored_runs_on_alike) {
    Machine *machine = make();
    Machine *other = make();
    ByteBuffer saved = {.data = NULL};
    Error error = {.set = false};
    machine_run_instructions(machine, (uint64_t)(_i + 1) * 3 * MILLION);
    machine_save(machine, &saved);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    machine_run_instructions(other, 2 * MILLION); /* what was there before must not matter */
    ck_assert_msg(machine_load(other, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(reader.position, reader.size);
    find_difference(machine, other);
    ck_assert_uint_eq(machine_state_hash(machine), machine_state_hash(other));
    machine_run_instructions(machine, 3 * MILLION);
    machine_run_instructions(other, 3 * MILLION);
    find_difference(machine, other);
    ck_assert_uint_eq(machine_state_hash(machine), machine_state_hash(other));
    byte_buffer_free(&saved);
    machine_destroy(machine);
    machine_destroy(other);
}
END_TEST

/* Nothing that comes can wake it, though the 8254 goes on: the run ends all the same. */
START_TEST(a_processor_halted_for_ever_ends_the_run) {
    Machine *machine = make();
    machine_run_instructions(machine, 3 * MILLION);
    machine->cpu->state.halted = 1;
    cpu_set_eflags(machine->cpu, cpu_get_eflags(machine->cpu) & ~(uint32_t)FLAG_IF);
    ck_assert_int_ne(clock_next_due_ns(&machine->clock), TIMER_NEVER);
    ck_assert_uint_eq(machine_run_instructions(machine, MILLION), 0);
    machine_destroy(machine);
}
END_TEST

/* Within system management mode SMRAM lies over the display's memory, as the processor's state
 * says.
 */
START_TEST(saved_within_system_management_mode) {
    Machine *machine = make();
    Machine *other = make();
    ByteBuffer saved = {.data = NULL};
    Error error = {.set = false};
    for (unsigned i = 0; i < MILLION && !machine->cpu->state.smm; i++)
        machine_run_instructions(machine, 20);
    ck_assert_msg(machine->cpu->state.smm, "the BIOS never entered system management mode");
    machine_save(machine, &saved);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    machine_run_instructions(machine, MILLION);
    ck_assert_uint_eq(machine->cpu->state.smbase, 0xA0000);
    ck_assert_msg(machine_load(other, &reader, &error), "%s", error.message);
    machine_run_instructions(other, MILLION);
    find_difference(machine, other);
    ck_assert_uint_eq(machine_state_hash(machine), machine_state_hash(other));
    byte_buffer_free(&saved);
    machine_destroy(machine);
    machine_destroy(other);
}
END_TEST

/* Whatever the length that is left of a snapshot: an error, and the machine is as it was. */
START_TEST(cut_snapshots_are_refused_and_change_nothing) {
    Machine *machine = make();
    ByteBuffer saved = {.data = NULL};
    machine_run_instructions(machine, MILLION);
    machine_save(machine, &saved);
    machine_run_instructions(machine, MILLION);
    uint64_t before = machine_state_hash(machine);
    for (size_t size = 0; size < saved.size; size += saved.size / 40 + 1) {
        Error error = {.set = false};
        ByteReader reader = {.data = saved.data, .size = size};
        ck_assert(!machine_load(machine, &reader, &error));
        ck_assert_str_ne(error.message, "");
        ck_assert_uint_eq(machine_state_hash(machine), before);
    }
    byte_buffer_free(&saved);
    machine_destroy(machine);
}
END_TEST

START_TEST(every_state_is_covered_by_its_fields) {
    config.has_serial[1] = config.has_serial[2] = config.has_serial[3] = true;
    config.has_debug_exit = true;
    config.floppy[1].present = true;
    Machine *machine = make();
    ck_assert_int_eq(field_table_find_gap(&cpu_fields), -1);
    for (int i = 0; i < machine->devices.count; i++) {
        const DeviceEntry *entry = &machine->devices.entries[i];
        ck_assert_msg(field_table_find_gap(entry->device_class->fields) == -1, "%s", entry->id);
    }
    machine_destroy(machine);
}
END_TEST

START_TEST(wrong_configurations_are_errors) {
    Error error = {.set = false};
    config.bios = "/nowhere/bios.bin";
    ck_assert_ptr_null(machine_create(&config, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere/bios.bin"));
    error.set = false;
    config.bios = "no-such-bios.bin";
    ck_assert_ptr_null(machine_create(&config, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "no-such-bios.bin' not found"));
    error.set = false;
    config.bios = NULL;
    config.floppy[0].file = "/nowhere/floppy.img";
    ck_assert_ptr_null(machine_create(&config, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere/floppy.img"));
    error.set = false;
    config.floppy[0].file = NULL;
    config.cpu_model = "abacus";
    ck_assert_ptr_null(machine_create(&config, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "abacus"));
}
END_TEST

static void note_call(void *opaque) {
    *(bool *)opaque = true;
}

/* On its own thread, with the host's clock: stop, calls while stopped, continue, reset. */
START_TEST(run_control_on_its_thread) {
    config.icount = false;
    config.start_paused = true;
    Machine *machine = make();
    Error error = {.set = false};
    bool called = false;
    ck_assert(machine_start(machine, &error));
    ck_assert_int_eq(machine_run_state(machine), RUN_STATE_PRELAUNCH);
    machine_call(machine, note_call, &called);
    ck_assert(called);
    ck_assert_uint_eq(machine_instruction_count(machine), 0);
    ck_assert(machine_continue(machine, &error));
    while (machine_instruction_count(machine) < MILLION)
        usleep(1000);
    ck_assert(machine_stop(machine, &error));
    ck_assert_int_eq(machine_run_state(machine), RUN_STATE_PAUSED);
    uint64_t count = machine_instruction_count(machine);
    usleep(20000);
    ck_assert_uint_eq(machine_instruction_count(machine), count);
    machine_reset(machine);
    ck_assert_uint_eq(machine->cpu->state.eip, 0xFFF0);
    ck_assert(machine_continue(machine, &error));
    machine_destroy(machine);
}
END_TEST

static void pull_reset(void *opaque) {
    machine_reset_pin(opaque, 0, 1);
}
static void switch_off(void *opaque) {
    machine_power_off(opaque);
}
static void leave(void *opaque) {
    machine_debug_exit(opaque, 0x11 << 1 | 1);
}

static const struct {
    void (*ask)(void *opaque);
    bool no_reboot, no_shutdown;
    bool ends;
    int status;
    RunState state;
} endings[] = {
    {switch_off, false, false, true, 0, RUN_STATE_SHUTDOWN},
    {switch_off, false, true, false, 0, RUN_STATE_SHUTDOWN},
    {pull_reset, false, false, false, 0, RUN_STATE_RUNNING},
    {pull_reset, true, false, true, 0, RUN_STATE_SHUTDOWN},
    {pull_reset, true, true, false, 0, RUN_STATE_SHUTDOWN},
    {leave, false, true, true, 0x23, RUN_STATE_SHUTDOWN},
};

START_TEST(ways_to_end) {
    config.no_reboot = endings[_i].no_reboot;
    config.no_shutdown = endings[_i].no_shutdown;
    Machine *machine = make();
    int status = 0;
    machine_run_instructions(machine, 1000);
    endings[_i].ask(machine);
    machine_run_instructions(machine, 1000);
    ck_assert_int_eq(machine_has_ended(machine, &status), endings[_i].ends);
    ck_assert_int_eq(status, endings[_i].status);
    ck_assert_int_eq(machine_run_state(machine), endings[_i].state);
    machine_destroy(machine);
}
END_TEST

int main(void) {
    if (access("/usr/share/seabios/bios-256k.bin", R_OK) != 0 &&
        access("/usr/share/qemu/bios-256k.bin", R_OK) != 0)
        return 77; /* no firmware here: package seabios */
    Suite *suite = suite_create("machine");
    TCase *tests = tcase_create("machine");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, bios_reaches_its_banner);
    tcase_add_test(tests, runs_exactly_as_many_instructions_as_told);
    tcase_add_test(tests, slices_do_not_change_the_state);
    tcase_add_test(tests, incremental_hash_equals_the_full_one);
    tcase_add_loop_test(tests, saved_and_restored_runs_on_alike, 0, 4);
    tcase_add_test(tests, a_processor_halted_for_ever_ends_the_run);
    tcase_add_test(tests, saved_within_system_management_mode);
    tcase_add_test(tests, cut_snapshots_are_refused_and_change_nothing);
    tcase_add_test(tests, every_state_is_covered_by_its_fields);
    tcase_add_test(tests, wrong_configurations_are_errors);
    tcase_add_test(tests, run_control_on_its_thread);
    tcase_add_loop_test(tests, ways_to_end, 0, (int)(sizeof(endings) / sizeof(endings[0])));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

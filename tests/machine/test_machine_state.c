/* The state of a machine beside its memory: what is on its way goes with it, and bytes that cannot
 * be a state change nothing. */
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "machine_state.h"
#include "suite_run.h"
#include "uart16550.h"
#include <check.h>
#include <string.h>

#define MILLION 1000000u

static MachineConfig config;
static Machine *machine, *other;

static Machine *make(void) {
    Error error = {.set = false};
    Machine *made = machine_create(&config, &error);
    ck_assert_msg(made != NULL, "%s", error.message);
    return made;
}

static void set_up(void) {
    machine_config_init(&config);
    config.ram_bytes = 4 << 20;
    config.icount = true;
    config.translator.backend = BACKEND_PORTABLE;
    config.has_serial[0] = true;
    machine = make();
    other = make();
    machine_run_instructions(machine, MILLION);
}

static void tear_down(void) {
    machine_destroy(machine);
    machine_destroy(other);
}

/* From 'machine' to 'other'. */
static void carry_over(void) {
    ByteBuffer saved = {.data = NULL};
    Error error = {.set = false};
    machine_state_save(machine, &saved);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    ck_assert_msg(machine_state_load(other, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(reader.position, reader.size);
    byte_buffer_free(&saved);
}

static void expect_equal_devices(void) {
    ck_assert_uint_eq(device_list_hash(&machine->devices), device_list_hash(&other->devices));
    ck_assert_uint_eq(field_table_hash(&cpu_fields, &machine->cpu->state),
                      field_table_hash(&cpu_fields, &other->cpu->state));
}

/* The feed's ring begins somewhere in its middle. */
START_TEST(bytes_on_their_way_to_a_serial_port_go_with_it) {
    SerialFeed *feed = &machine->serial_feed[0];
    uint8_t bytes[SERIAL_FEED_BYTES - 10];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    serial_feed_add(feed, bytes, 1);
    feed->first = SERIAL_FEED_BYTES - 5;
    feed->bytes[feed->first] = bytes[0];
    serial_feed_add(feed, bytes + 1, sizeof(bytes) - 1);
    serial_feed_add(&other->serial_feed[0], (const uint8_t *)"other", 5);
    carry_over();
    const SerialFeed *carried = &other->serial_feed[0];
    ck_assert_uint_eq(carried->count, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        ck_assert_uint_eq(carried->bytes[(carried->first + i) % SERIAL_FEED_BYTES], bytes[i]);
}
END_TEST

START_TEST(requests_of_the_guest_go_with_it) {
    machine->reset_requested = true;
    machine->wake_requested = true;
    machine->debug_exit_status = 77;
    other->shutdown_requested = true;
    carry_over();
    ck_assert(other->reset_requested);
    ck_assert(other->wake_requested);
    ck_assert(!other->shutdown_requested);
    ck_assert_int_eq(other->debug_exit_status, 77);
    machine_run_instructions(machine, 1000);
    ck_assert_uint_eq(machine_run_instructions(other, 1000), 1000);
}
END_TEST

START_TEST(keys_that_wait_go_with_it) {
    int keys[] = {KEYBOARD_KEY_A, KEYBOARD_KEY_B};
    machine_press_keys(machine, keys, 2, 100);
    machine_run_instructions(machine, 1000);
    carry_over();
    ck_assert_uint_gt(other->key_player.state.count, 0);
    expect_equal_devices();
}
END_TEST

START_TEST(breakpoints_on_data_are_watched_again) {
    machine->cpu->state.dr[7] = 0x000F0001; /* DR0: reads and writes of four bytes */
    machine->cpu->state.dr[0] = 0x12345;
    carry_over();
    ck_assert(tlb_is_watched(&other->cpu->tlb, 0x12));
}
END_TEST

START_TEST(a_guest_that_had_ended_goes_on_where_it_was_saved) {
    carry_over();
    machine_power_off(other);
    machine_run_instructions(other, 10);
    int status;
    ck_assert(machine_has_ended(other, &status));
    ck_assert_int_eq(machine_run_state(other), RUN_STATE_SHUTDOWN);
    carry_over();
    ck_assert(!machine_has_ended(other, &status));
    ck_assert_int_eq(machine_run_state(other), RUN_STATE_RUNNING);
    ck_assert_uint_eq(machine_run_instructions(other, 1000), 1000);
}
END_TEST

START_TEST(saved_after_its_end_it_has_ended) {
    machine_debug_exit(machine, 33);
    machine_run_instructions(machine, 10);
    machine_run_instructions(other, 10);
    carry_over();
    int status;
    ck_assert(machine_has_ended(other, &status));
    ck_assert_int_eq(status, 33);
    ck_assert_uint_eq(machine_run_instructions(other, 10), 0);
}
END_TEST

START_TEST(a_stopped_machine_stays_stopped) {
    ck_assert(machine_set_run_state(other, RUN_STATE_RUNNING));
    ck_assert(machine_set_run_state(other, RUN_STATE_PAUSED));
    carry_over();
    ck_assert_int_eq(machine_run_state(other), RUN_STATE_PAUSED);
}
END_TEST

/* States that no processor can be in. */
static void damage_cpu(CpuState *state, int what) {
    switch (what) {
    case 0:
        state->gpr[REG_EBX] |= 1ull << 40;
        break;
    case 1:
        state->direction = 4096;
        break;
    case 2:
        state->cpl = 7;
        break;
    case 3:
        state->segment[SEG_DS].kind = 3;
        break;
    case 4:
        state->fpu.mxcsr = 1u << 20;
        break;
    case 5:
        state->gpr[9] = 1;
        break;
    default:
        state->flags_image = 0xFFFF;
        break;
    }
}

START_TEST(a_processor_that_cannot_be_changes_nothing) {
    Error error = {.set = false};
    ByteBuffer saved = {.data = NULL};
    damage_cpu(&machine->cpu->state, _i);
    machine_state_save(machine, &saved);
    uint64_t before = machine_state_hash_full(other);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    ck_assert(!machine_state_load(other, &reader, &error));
    ck_assert_msg(strstr(error.message, "damaged") != NULL, "%s", error.message);
    ck_assert_uint_eq(before, machine_state_hash_full(other));
    byte_buffer_free(&saved);
}
END_TEST

START_TEST(a_cut_state_changes_nothing) {
    ByteBuffer saved = {.data = NULL};
    machine_state_save(machine, &saved);
    uint64_t before = machine_state_hash_full(other);
    for (size_t size = 0; size < saved.size; size += 1 + saved.size / 300) {
        Error error = {.set = false};
        ByteReader reader = {.data = saved.data, .size = size};
        ck_assert(!machine_state_load(other, &reader, &error));
        ck_assert(error.set);
    }
    ck_assert_uint_eq(before, machine_state_hash_full(other));
    byte_buffer_free(&saved);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine state");
    TCase *tests = tcase_create("machine state");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, bytes_on_their_way_to_a_serial_port_go_with_it);
    tcase_add_test(tests, requests_of_the_guest_go_with_it);
    tcase_add_test(tests, keys_that_wait_go_with_it);
    tcase_add_test(tests, breakpoints_on_data_are_watched_again);
    tcase_add_test(tests, a_guest_that_had_ended_goes_on_where_it_was_saved);
    tcase_add_test(tests, saved_after_its_end_it_has_ended);
    tcase_add_test(tests, a_stopped_machine_stays_stopped);
    tcase_add_loop_test(tests, a_processor_that_cannot_be_changes_nothing, 0, 7);
    tcase_add_test(tests, a_cut_state_changes_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

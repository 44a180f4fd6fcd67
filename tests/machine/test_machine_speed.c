/* The speed governor: guest and host time go on together at the rate that was asked for. */
#include "machine.h"
#include "machine_parts.h"
#include "machine_state.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>

#define MS 1000000LL

/* CLI; JMP $; or HLT in a loop that the 8254's ticks wake. */
static const uint8_t busy_code[] = {0xFA, 0xEB, 0xFE};
static const uint8_t idle_code[] = {0xFB, 0xF4, 0xEB, 0xFD};

static Machine *make(const char *cpu_model, bool icount, const uint8_t *code, size_t size) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 4 << 20;
    config.cpu_model = cpu_model;
    config.icount = icount;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    CpuState *state = &machine->cpu->state;
    physical_write_bytes(machine->memory, 0x7C00, code, size);
    state->segment[SEG_CS].selector = 0;
    state->segment[SEG_CS].base = 0;
    state->eip = 0x7C00;
    cpu_state_restored(machine->cpu);
    return machine;
}

/* Instructions a second of the host's time, over a stretch of 'milliseconds'. */
static double measure(Machine *machine, int milliseconds) {
    uint64_t count = machine->cpu->state.instruction_count;
    int64_t start_ns = host_clock_ns(), passed_ns;
    do {
        machine_run_instructions(machine, 20000);
        passed_ns = host_clock_ns() - start_ns;
    } while (passed_ns < milliseconds * MS);
    return (double)(machine->cpu->state.instruction_count - count) * 1e9 / (double)passed_ns;
}

/* A busy host may keep the thread from running for longer than is caught up with: not always. */
enum { ATTEMPTS = 50 };

static void expect_rate(Machine *machine, double rate) {
    double measured = 0;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        measured = measure(machine, 400);
        if (measured > rate * 0.98 && measured < rate * 1.02)
            return;
    }
    ck_abort_msg("%.0f instructions a second instead of %.0f", measured, rate);
}

static const struct {
    const char *cpu_model;
    double rate;
} rates[] = {{"486,mips=25", 25e6}, {"486,mips=4.77", 4.77e6}, {"pentium,mips=100", 100e6}};

START_TEST(the_rate_is_held) {
    Machine *machine = make(rates[_i].cpu_model, false, busy_code, sizeof(busy_code));
    expect_rate(machine, rates[_i].rate);
    machine_destroy(machine);
}
END_TEST

START_TEST(guest_time_follows_the_instructions) {
    Machine *machine = make("486,mips=3", true, busy_code, sizeof(busy_code));
    for (int i = 0; i < 20; i++) {
        machine_run_instructions(machine, 12345);
        uint64_t count = machine->cpu->state.instruction_count;
        ck_assert_int_eq(machine_time_now_ns(&machine->time), (int64_t)(count * 1000 / 3));
    }
    machine_destroy(machine);
}
END_TEST

/* The clock interrupts while nothing runs, at the times that the host's clock shows. */
START_TEST(an_idle_guest_keeps_the_hosts_time) {
    Machine *machine = make("486,mips=25", false, idle_code, sizeof(idle_code));
    int64_t least_ns = INT64_MAX;
    machine_set_run_state(machine, RUN_STATE_RUNNING);
    for (int attempt = 0; attempt < ATTEMPTS && least_ns >= 20 * MS; attempt++) {
        int64_t guest_ns = machine_time_now_ns(&machine->time), host_ns = host_clock_ns();
        while (host_clock_ns() - host_ns < 300 * MS)
            machine_run_slice(machine, 1000, true);
        int64_t apart_ns =
            (machine_time_now_ns(&machine->time) - guest_ns) - (host_clock_ns() - host_ns);
        if (llabs(apart_ns) < least_ns)
            least_ns = llabs(apart_ns);
    }
    ck_assert_int_lt(least_ns, 20 * MS);
    machine_destroy(machine);
}
END_TEST

START_TEST(the_speed_is_changed_while_it_runs) {
    Machine *machine = make("486,mips=25", false, busy_code, sizeof(busy_code));
    Error error = {.set = false};
    ck_assert(machine_start(machine, &error));
    ck_assert_uint_eq(machine_speed(machine), 25000000);
    ck_assert(machine_change_speed(machine, MACHINE_SPEED_SLOWER, 0, &error));
    ck_assert_uint_eq(machine_speed(machine), 20000000);
    ck_assert(machine_change_speed(machine, MACHINE_SPEED_FASTER, 0, &error));
    ck_assert(machine_change_speed(machine, MACHINE_SPEED_FASTER, 0, &error));
    ck_assert_uint_eq(machine_speed(machine), 33000000);
    ck_assert(machine_change_speed(machine, MACHINE_SPEED_TURBO, 0, &error));
    ck_assert_uint_eq(machine_speed(machine), 0);
    ck_assert(machine_change_speed(machine, MACHINE_SPEED_TURBO, 0, &error));
    ck_assert_uint_eq(machine_speed(machine), 33000000);
    ck_assert(machine_change_speed(machine, MACHINE_SPEED_GIVEN, 10000000, &error));
    ck_assert_uint_eq(machine_speed(machine), 10000000);
    machine_destroy(machine);
}
END_TEST

/* Virtual time never goes backwards, nor jumps, when its source changes. */
START_TEST(time_goes_on_when_the_speed_changes) {
    static const uint64_t speeds[] = {0, 50000000, 0, 1000000, 200000000};
    Machine *machine = make("486,mips=25", false, busy_code, sizeof(busy_code));
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        machine_run_instructions(machine, 10000);
        int64_t before_ns = machine_time_now_ns(&machine->time);
        InstructionPace pace = {speeds[i] ? NS_PER_SECOND : 0, speeds[i]};
        machine_time_set_pace(&machine->time, pace);
        int64_t after_ns = machine_time_now_ns(&machine->time);
        ck_assert_int_ge(after_ns, before_ns);
        ck_assert_int_le(after_ns - before_ns, 2 * MACHINE_TIME_STALL_NS);
    }
    machine_destroy(machine);
}
END_TEST

START_TEST(a_repeatable_run_keeps_its_measure) {
    Machine *machine = make("486", true, busy_code, sizeof(busy_code));
    Error error = {.set = false};
    ck_assert(!machine_change_speed(machine, MACHINE_SPEED_SLOWER, 0, &error));
    ck_assert(error.set);
    machine_destroy(machine);
}
END_TEST

static void load(Machine *machine, const ByteBuffer *state) {
    ByteReader reader = {.data = state->data, .size = state->size};
    Error error = {.set = false};
    ck_assert_msg(machine_state_load(machine, &reader, &error), "%s", error.message);
}

/* Saved at one speed and loaded at another, time goes on from where it was. */
START_TEST(a_saved_time_fits_every_speed) {
    Machine *held = make("486,mips=25", false, busy_code, sizeof(busy_code));
    Machine *full = make("486", false, busy_code, sizeof(busy_code));
    ByteBuffer state = {.data = NULL};
    machine_run_instructions(held, 1000000);
    int64_t saved_ns = machine_time_now_ns(&held->time);
    ck_assert_int_eq(saved_ns, 40 * MS);
    machine_state_save(held, &state);
    load(full, &state);
    ck_assert_int_eq(machine_time_now_ns(&full->time), saved_ns);
    machine_run_instructions(full, 5000);
    state.size = 0;
    machine_state_save(full, &state);
    saved_ns = machine_time_now_ns(&full->time);
    load(held, &state);
    ck_assert_int_lt(machine_time_now_ns(&held->time) - saved_ns, MACHINE_TIME_STALL_NS);
    byte_buffer_free(&state);
    machine_destroy(held);
    machine_destroy(full);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine_speed");
    TCase *tests = tcase_create("speed");
    tcase_set_timeout(tests, 60);
    if (!suite_is_emulated())
        tcase_add_loop_test(tests, the_rate_is_held, 0, sizeof(rates) / sizeof(rates[0]));
    tcase_add_test(tests, guest_time_follows_the_instructions);
    tcase_add_test(tests, an_idle_guest_keeps_the_hosts_time);
    tcase_add_test(tests, the_speed_is_changed_while_it_runs);
    tcase_add_test(tests, time_goes_on_when_the_speed_changes);
    tcase_add_test(tests, a_repeatable_run_keeps_its_measure);
    tcase_add_test(tests, a_saved_time_fits_every_speed);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

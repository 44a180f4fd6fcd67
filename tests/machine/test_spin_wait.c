/* Guests that wait by PAUSE let the host's processor go, and others do not. */
#include "machine_parts.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { CODE = 0x7C00, DELAY = 100 * 1000000 /* cycles: 0.1 s at 1 GHz */, PAUSES_A_LOOK = 32 };

/* rdtsc; lea ebx,[eax+DELAY]; again: pause or nop; mov cx,times; loop $; rdtsc; sub eax,ebx; js
 * again; cli; hlt */
static const uint8_t program[] = {0x0F, 0x31, 0x66, 0x67, 0x8D, 0x98, 0x00, 0xE1, 0xF5,
                                  0x05, 0xF3, 0x90, 0xB9, 0x01, 0x00, 0xE2, 0xFE, 0x0F,
                                  0x31, 0x66, 0x29, 0xD8, 0x78, 0xF2, 0xFA, 0xF4};
enum { PAUSE_AT = 10, TIMES_AT = 13 };

static Machine *make_machine(bool icount) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 1 << 20;
    config.icount = icount;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    machine_set_run_state(machine, RUN_STATE_RUNNING);
    return machine;
}

/* How often the thread slept until the program halted. */
static uint64_t run(bool icount, bool pauses, uint8_t times) {
    Machine *machine = make_machine(icount);
    CpuState *state = &machine->cpu->state;
    uint8_t code[sizeof(program)];
    memcpy(code, program, sizeof(code));
    code[TIMES_AT] = times;
    if (!pauses)
        code[PAUSE_AT] = 0x90;
    physical_write_bytes(machine->memory, CODE, code, sizeof(code));
    for (unsigned i = 0; i < SEG_COUNT; i++)
        state->segment[i].selector = state->segment[i].base = 0;
    state->eip = CODE;
    cpu_state_restored(machine->cpu);
    for (int round = 0; round < 100000 && !state->halted; round++)
        machine_run_slice(machine, 10000, false);
    ck_assert(state->halted);
    uint64_t sleeps = machine->spin_wait.sleeps;
    machine_destroy(machine);
    return sleeps;
}

START_TEST(waits_by_pause_sleep) {
    ck_assert_uint_ge(run(false, true, 1), 5);
}
END_TEST

START_TEST(other_loops_do_not) {
    ck_assert_uint_eq(run(false, false, 1), 0);  /* without PAUSE */
    ck_assert_uint_eq(run(false, true, 200), 0); /* much is done between two */
    ck_assert_uint_eq(run(true, true, 1), 0);    /* time is the count of instructions */
}
END_TEST

/* So many PAUSEs more, and a look. */
static int64_t look(SpinWait *spin, Cpu *cpu, uint32_t pauses, int64_t now_ns) {
    cpu->pauses = pauses;
    cpu->paused_at += 10;
    return spin_wait_look(spin, now_ns);
}

START_TEST(sleeps_are_half_of_the_wait) {
    Machine *machine = make_machine(false);
    Cpu *cpu = machine->cpu;
    SpinWait spin;
    spin_wait_watch(&spin, cpu);
    ck_assert_uint_eq(cpu->pauses_looked_at, PAUSES_A_LOOK);
    ck_assert_int_eq(look(&spin, cpu, 32, 1000000), 0);
    ck_assert_int_eq(look(&spin, cpu, 64, 1030000), 0); /* not worth it yet */
    ck_assert_int_eq(look(&spin, cpu, 96, 1400000), 200000);
    ck_assert_int_eq(spin_wait_look(&spin, 9000000), 0); /* no PAUSE since: another reason */
    ck_assert_int_eq(look(&spin, cpu, 128, 901000000), 10000000);
    ck_assert_int_eq(look(&spin, cpu, 32, 902000000), 0); /* a new wait */
    ck_assert_int_eq(look(&spin, cpu, 64, 902400000), 200000);
    machine_destroy(machine);
}
END_TEST

START_TEST(loops_that_count_are_not_kept) {
    Machine *machine = make_machine(false);
    Cpu *cpu = machine->cpu;
    SpinWait spin;
    spin_wait_watch(&spin, cpu);
    int64_t slept_ns = 0;
    for (uint32_t i = 1; i < 1000; i++) { /* in a register */
        cpu->state.gpr[REG_ECX]--;
        ck_assert_int_eq(look(&spin, cpu, 32 * i, i * 1000000), 0);
    }
    for (uint32_t i = 1; i < 1000; i++) { /* in memory */
        slept_ns += look(&spin, cpu, 32 * i, i * 1000000 + slept_ns);
    }
    ck_assert_int_gt(slept_ns, 0);
    ck_assert_int_le(slept_ns, SPIN_SLEPT_NS_MAX + 10000000);
    slept_ns = 0;
    for (uint32_t i = 1; i < 1000; i++) { /* until a clock that is read says so */
        cpu->outside_accesses++;
        cpu->state.gpr[REG_EAX] += 12345;
        slept_ns += look(&spin, cpu, 32 * i, i * 1000000 + slept_ns);
    }
    ck_assert_int_gt(slept_ns, 2 * SPIN_SLEPT_NS_MAX);
    machine_destroy(machine);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spin wait");
    TCase *tests = tcase_create("spin wait");
    tcase_add_test(tests, waits_by_pause_sleep);
    tcase_add_test(tests, other_loops_do_not);
    tcase_add_test(tests, sleeps_are_half_of_the_wait);
    tcase_add_test(tests, loops_that_count_are_not_kept);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

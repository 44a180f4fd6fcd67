/* Several processors in turns: the BIOS starts them all, runs repeat in every backend, and a saved
 * machine goes on with the same turn. */
#include "machine.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "suite_run.h"
#include <check.h>

#define MILLION 1000000u

static const TranslatorBackend backends[] = {BACKEND_PORTABLE, BACKEND_JIT};
#if defined(__x86_64__)
#define BACKENDS 2
#else
#define BACKENDS 1
#endif

static Machine *make(TranslatorBackend backend, unsigned processors) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 16 << 20;
    config.icount = true;
    config.icount_shift = 3;
    config.processors = processors;
    config.translator.backend = backend;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

/* How many have left their wait for a STARTUP message. */
static unsigned count_started(const Machine *machine) {
    unsigned started = 0;
    for (unsigned i = 0; i < machine->processor_count; i++)
        started += machine->processor[i].cpu->state.instruction_count > 0;
    return started;
}

START_TEST(the_bios_starts_all_of_them) {
    Machine *machine = make(backends[_i], MACHINE_PROCESSORS);
    machine_run_instructions(machine, MILLION / 10);
    ck_assert_uint_eq(count_started(machine), 1);
    for (int i = 0; i < 60 && count_started(machine) < MACHINE_PROCESSORS; i++)
        machine_run_instructions(machine, MILLION);
    ck_assert_uint_eq(count_started(machine), MACHINE_PROCESSORS);
    machine_reset(machine);
    for (unsigned i = 1; i < machine->processor_count; i++)
        ck_assert_uint_eq(machine->processor[i].cpu->state.waits_for_startup, 1);
    ck_assert_ptr_eq(machine->cpu, machine->processor[0].cpu);
    machine_destroy(machine);
}
END_TEST

/* However the run is cut into pieces, turns come at the same instructions. */
START_TEST(turns_do_not_depend_on_the_callers_steps) {
    static const uint64_t steps[] = {1, 77, 4999, 5000, 5001, 123456, 999};
    Machine *whole = make(backends[_i], 3), *pieces = make(backends[_i], 3);
    const uint64_t end = 30 * MILLION;
    machine_run_instructions(whole, end);
    for (uint64_t done = 0, i = 0; done < end; i++) {
        uint64_t step = steps[i % (sizeof(steps) / sizeof(steps[0]))];
        done += machine_run_instructions(pieces, step < end - done ? step : end - done);
    }
    ck_assert_uint_eq(count_started(whole), 3);
    ck_assert_uint_eq(machine_state_hash(whole), machine_state_hash(pieces));
    machine_destroy(whole);
    machine_destroy(pieces);
}
END_TEST

#if defined(__x86_64__)
START_TEST(backends_agree) {
    Machine *portable = make(BACKEND_PORTABLE, 4), *jit = make(BACKEND_JIT, 4);
    for (int i = 0; i < 30; i++) {
        machine_run_instructions(portable, MILLION);
        machine_run_instructions(jit, MILLION);
        ck_assert_uint_eq(machine_state_hash(portable), machine_state_hash(jit));
    }
    ck_assert_uint_eq(count_started(jit), 4);
    machine_destroy(portable);
    machine_destroy(jit);
}
END_TEST
#endif

/* Saved in the middle of a turn, while processors start. */
START_TEST(a_saved_machine_goes_on_in_the_same_turn) {
    Machine *first = make(backends[_i], 4), *second = make(backends[_i], 4);
    ByteBuffer state = {.data = NULL};
    Error error = {.set = false};
    for (int point = 0; point < 8; point++) {
        machine_run_instructions(first, 2 * MILLION + 777);
        state.size = 0;
        machine_save(first, &state);
        ByteReader reader = {.data = state.data, .size = state.size};
        ck_assert_msg(machine_load(second, &reader, &error), "%s", error.message);
        ck_assert_uint_eq(machine_state_hash(first), machine_state_hash(second));
        machine_run_instructions(first, MILLION);
        machine_run_instructions(second, MILLION);
        ck_assert_uint_eq(machine_state_hash(first), machine_state_hash(second));
    }
    ck_assert_uint_eq(count_started(second), 4);
    byte_buffer_free(&state);
    machine_destroy(first);
    machine_destroy(second);
}
END_TEST

/* The first processor stores into code that the second one has translated: in its next turn that
 * counts in another byte. */
START_TEST(code_changed_by_another_is_new_for_all) {
    static const uint8_t changes[] = {
        0xFA,                         /* cli */
        0x80, 0x36, 0x01, 0x80, 0x03, /* again: xor byte [8001h], 3: 1 and 2 in turns */
        0xB9, 0xE8, 0x03,             /* mov cx, 1000 */
        0xE2, 0xFE,                   /* loop $ */
        0xEB, 0xF4,                   /* jmp again */
    };
    static const uint8_t changed[] = {
        0xB0, 0x01,             /* again: mov al, 1, or 2 */
        0x98,                   /* cbw */
        0x89, 0xC3,             /* mov bx, ax */
        0xFE, 0x87, 0x00, 0x90, /* inc byte [bx+9000h] */
        0xEB, 0xF5,             /* jmp again */
    };
    Machine *machine = make(backends[_i], 2);
    physical_write_bytes(machine->memory, 0x7C00, changes, sizeof(changes));
    physical_write_bytes(machine->memory, 0x8000, changed, sizeof(changed));
    for (unsigned i = 0; i < 2; i++) {
        CpuState *state = &machine->processor[i].cpu->state;
        state->halted = state->waits_for_startup = 0;
        state->segment[SEG_CS].selector = 0;
        state->segment[SEG_CS].base = 0;
        state->eip = i == 0 ? 0x7C00 : 0x8000;
        cpu_state_restored(machine->processor[i].cpu);
    }
    bool seen[3] = {false};
    for (int turn = 0; turn < 200; turn++) {
        uint64_t value = physical_read(machine->memory, 0x8001, 1);
        uint64_t counted = physical_read(machine->memory, 0x9000 + (uint32_t)value, 1);
        uint64_t other = physical_read(machine->memory, 0x9003 - (uint32_t)value, 1);
        machine_run_instructions(machine, 5000); /* the second one's turn */
        ck_assert_ptr_eq(machine->cpu, machine->processor[1].cpu);
        ck_assert_uint_ne(physical_read(machine->memory, 0x9000 + (uint32_t)value, 1), counted);
        ck_assert_uint_eq(physical_read(machine->memory, 0x9003 - (uint32_t)value, 1), other);
        seen[value] = true;
        machine_run_instructions(machine, 5000);
    }
    ck_assert(seen[1] && seen[2]);
    machine_destroy(machine);
}
END_TEST

START_TEST(a_486_is_alone) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.cpu_model = "486";
    config.processors = 2;
    ck_assert_ptr_null(machine_create(&config, &error));
    ck_assert(error.set);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("processors");
    TCase *tests = tcase_create("turns");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, the_bios_starts_all_of_them, 0, BACKENDS);
    tcase_add_loop_test(tests, turns_do_not_depend_on_the_callers_steps, 0, BACKENDS);
#if defined(__x86_64__)
    tcase_add_test(tests, backends_agree);
#endif
    tcase_add_loop_test(tests, a_saved_machine_goes_on_in_the_same_turn, 0, BACKENDS);
    tcase_add_loop_test(tests, code_changed_by_another_is_new_for_all, 0, BACKENDS);
    tcase_add_test(tests, a_486_is_alone);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

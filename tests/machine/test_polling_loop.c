/* Programs that only poll the keyboard are told from programs that do anything else: with both
 * backends. */
#include "machine_parts.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { CODE = 0x7C00, HANDLER = 0x600, STEPS = 20000 };

typedef struct Program {
    const char *name;
    uint8_t code[24];
    uint8_t size;
    bool only_polls;
} Program;

// clang-format off
static const Program programs[] = {
    {"INT 16h, function 01h", {0xB4, 0x01, 0xCD, 0x16, 0xEB, 0xFA}, 6, true},     /* mov ah,1; int 16h; jmp $-4 */
    {"INT 16h, function 11h", {0xB4, 0x11, 0xCD, 0x16, 0xEB, 0xFA}, 6, true},
    {"INT 28h", {0xCD, 0x28, 0xEB, 0xFC}, 4, true},
    {"INT 2Fh, function 1680h", {0xB8, 0x80, 0x16, 0xCD, 0x2F, 0xEB, 0xF9}, 7, true},
    {"INT 16h and INT 28h in turns", {0xB4, 0x01, 0xCD, 0x16, 0xB4, 0x02, 0xCD, 0x28, 0xEB, 0xF6}, 10, true},
    {"writes what was there", {0xB4, 0x01, 0xCD, 0x16, 0xC6, 0x06, 0x00, 0x05, 0x07, 0xEB, 0xF5}, 11, true}, /* mov byte [500h],7 */
    {"another function", {0xB4, 0x02, 0xCD, 0x16, 0xEB, 0xFA}, 6, false},
    {"another interrupt", {0xB4, 0x01, 0xCD, 0x15, 0xEB, 0xFA}, 6, false},
    {"counts in a register", {0xB4, 0x01, 0xCD, 0x16, 0x43, 0xEB, 0xF9}, 7, false},                          /* inc bx */
    {"counts in memory", {0xB4, 0x01, 0xCD, 0x16, 0xFE, 0x06, 0x00, 0x05, 0xEB, 0xF6}, 10, false},           /* inc byte [500h] */
    {"looks at a port", {0xB4, 0x01, 0xCD, 0x16, 0xBA, 0xDA, 0x03, 0xEC, 0x30, 0xC0, 0xEB, 0xF4}, 12, false}, /* mov dx,3DAh; in al,dx; xor al,al */
    {"looks at a clock", {0xB4, 0x01, 0xCD, 0x16, 0x0F, 0x31, 0x66, 0x31, 0xC0, 0x66, 0x31, 0xD2, 0xEB, 0xF2}, 14, false}, /* rdtsc, forgotten */
};
// clang-format on

enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

static const TranslatorBackend backends[] = {BACKEND_PORTABLE, BACKEND_JIT};

static Machine *make_machine(TranslatorBackend backend) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 1 << 20;
    config.icount = true;
    config.icount_shift = 3;
    config.translator.backend =
        backend == BACKEND_JIT ? translator_default_backend() : BACKEND_PORTABLE;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    machine_set_run_state(machine, RUN_STATE_RUNNING);
    return machine;
}

/* In real-address mode, interrupts off; every vector leads to an IRET. */
static void start(Machine *machine, const Program *program) {
    static const uint8_t iret = 0xCF;
    CpuState *state = &machine->cpu->state;
    for (unsigned vector = 0; vector < 256; vector++)
        physical_write(machine->memory, vector * 4, 4, HANDLER);
    physical_write_bytes(machine->memory, HANDLER, &iret, 1);
    physical_write_bytes(machine->memory, CODE, program->code, program->size);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        state->segment[i].selector = 0;
        state->segment[i].base = 0;
    }
    state->eip = CODE;
    state->gpr[REG_ESP] = CODE;
    cpu_state_restored(machine->cpu);
}

static bool proves(Machine *machine, const Program *program) {
    PollingLoop *loop = &machine->polling_loop;
    start(machine, program);
    polling_loop_watch(loop, machine->cpu, &machine->ram_hash);
    machine_run_instructions(machine, STEPS);
    bool proven = polling_loop_take_proof(loop);
    ck_assert(!polling_loop_take_proof(loop));
    polling_loop_unwatch(loop);
    return proven;
}

START_TEST(programs_that_only_poll_are_found) {
    const Program *program = &programs[_i % PROGRAMS];
    Machine *machine = make_machine(backends[_i / PROGRAMS]);
    ck_assert_msg(proves(machine, program) == program->only_polls, "%s: %s", program->name,
                  program->only_polls ? "not recognised" : "taken for one that only polls");
    machine_destroy(machine);
}
END_TEST

/* One that computes between its polls is soon left alone: looking costs it little. */
START_TEST(busy_programs_are_left_alone) {
    Machine *machine = make_machine(backends[1]);
    PollingLoop *loop = &machine->polling_loop;
    start(machine, &programs[8]);
    polling_loop_watch(loop, machine->cpu, &machine->ram_hash);
    machine_run_instructions(machine, 5000000);
    ck_assert_uint_ge(loop->pause, 1024);
    machine_destroy(machine);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("polling loop");
    TCase *tests = tcase_create("polling loop");
    tcase_add_loop_test(tests, programs_that_only_poll_are_found, 0, 2 * PROGRAMS);
    tcase_add_test(tests, busy_programs_are_left_alone);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Random code with random tables and registers, at every privilege and in every mode: both backends
 * stay up, never run without counting, and end in the same state.
 *
 * REPRISE_LONG=1 runs many more seeds; REPRISE_SEED=N runs one, and tells where its backends part.
 */
#define _GNU_SOURCE
#include "hostile_guest_fixture.h"
#include "machine.h"
#include "machine_snapshot.h"
#include "suite_run.h"
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SHORT_SEEDS = 4,
    LONG_SEEDS = 400,
    STEPS = 10,
    STEP_INSTRUCTIONS = 1000,
    HANG_SECONDS = 600,
    SHORT_MODELS = 2,
    LONG_MODELS = 4,
};

typedef struct Pair {
    Machine *machine[2]; /* portable, translated */
    ByteBuffer fresh[2]; /* both as after reset */
} Pair;

static HostileSetting running_setting;
static uint64_t running_seed;

/* A case that does not end is a failure, and must tell which it was. */
static void report_hang(int signal_number) {
    (void)signal_number;
    char text[128];
    int length = snprintf(text, sizeof(text), "hangs: %s, seed %llu\n",
                          hostile_setting_names[running_setting], (unsigned long long)running_seed);
    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(3);
    abort();
}

static void pair_make(Pair *pair, const char *cpu_model) {
    Error error = {.set = false};
    for (int i = 0; i < 2; i++) {
        MachineConfig config;
        machine_config_init(&config);
        config.ram_bytes = HOSTILE_RAM_BYTES;
        config.icount = true;
        config.icount_shift = 3;
        config.cpu_model = cpu_model;
        config.no_reboot = true;
        config.translator.backend = i == 0 ? BACKEND_PORTABLE : translator_default_backend();
        config.translator.exact_end = true;
        pair->machine[i] = machine_create(&config, &error);
        ck_assert_msg(pair->machine[i] != NULL, "%s", error.message);
        pair->fresh[i] = (ByteBuffer){.data = NULL};
        machine_save(pair->machine[i], &pair->fresh[i]);
    }
}

static void pair_destroy(Pair *pair) {
    for (int i = 0; i < 2; i++) {
        machine_destroy(pair->machine[i]);
        byte_buffer_free(&pair->fresh[i]);
    }
}

static void pair_start(Pair *pair, HostileSetting setting, uint64_t seed) {
    Error error = {.set = false};
    running_setting = setting;
    running_seed = seed;
    for (int i = 0; i < 2; i++) {
        Machine *machine = pair->machine[i];
        ByteReader reader = {.data = pair->fresh[i].data, .size = pair->fresh[i].size};
        ck_assert_msg(machine_load(machine, &reader, &error), "%s", error.message);
        machine->run_state = RUN_STATE_RUNNING;
        machine->reset_requested = machine->shutdown_requested = machine->ended = false;
        hostile_guest_make(machine, setting, seed);
    }
    alarm(HANG_SECONDS);
}

/* False when the guest stopped for good. */
static bool pair_run(Pair *pair, uint64_t instructions) {
    bool more = true;
    for (int i = 0; i < 2; i++)
        more &= machine_run_instructions(pair->machine[i], instructions) == instructions;
    return more;
}

static bool pair_differs(Pair *pair, bool memory, char *text, size_t size) {
    if (field_table_diff(&cpu_fields, &pair->machine[0]->cpu->state, &pair->machine[1]->cpu->state,
                         text, size))
        return true;
    if (!memory || machine_state_hash(pair->machine[0]) == machine_state_hash(pair->machine[1]))
        return false;
    snprintf(text, size, "RAM or a device");
    return true;
}

/* One instruction at a time, until they part. */
static void report_where(Pair *pair, HostileSetting setting, uint64_t seed) {
    char text[256];
    pair_start(pair, setting, seed);
    for (unsigned i = 0; i < STEPS * STEP_INSTRUCTIONS; i++) {
        CpuState before = pair->machine[0]->cpu->state;
        if (!pair_run(pair, 1))
            break;
        if (!pair_differs(pair, true, text, sizeof(text)))
            continue;
        fprintf(stderr, "part after instruction %u at %04X:%08X: %s; code", i,
                before.segment[SEG_CS].selector, before.eip, text);
        for (uint32_t byte = 0; byte < 15; byte++) {
            uint32_t physical, linear = before.segment[SEG_CS].base + before.eip + byte;
            if (tlb_probe(&pair->machine[0]->cpu->tlb, linear, &physical))
                fprintf(stderr, " %02X",
                        (unsigned)physical_read(pair->machine[0]->memory, physical, 1));
        }
        fprintf(stderr, "\n");
        return;
    }
    fprintf(stderr, "the backends agree when stepped\n");
}

/* Returns how many instructions completed. */
static uint64_t run_seed(Pair *pair, HostileSetting setting, uint64_t seed) {
    char text[256];
    pair_start(pair, setting, seed);
    uint64_t count = pair->machine[0]->cpu->state.instruction_count;
    bool more = true;
    for (unsigned step = 0; step < STEPS && more; step++) {
        more = pair_run(pair, STEP_INSTRUCTIONS);
        if (pair_differs(pair, !more || step == STEPS - 1, text, sizeof(text))) {
            if (getenv("REPRISE_SEED") != NULL)
                report_where(pair, setting, seed);
            ck_abort_msg("%s, seed %llu: the backends differ in step %u: %s",
                         hostile_setting_names[setting], (unsigned long long)seed, step, text);
        }
    }
    Error error = {.set = false};
    ck_assert_msg(seed % 50 != 0 || tlb_check_invariants(&pair->machine[1]->cpu->tlb, &error),
                  "%s, seed %llu: %s", hostile_setting_names[setting], (unsigned long long)seed,
                  error.message);
    return pair->machine[0]->cpu->state.instruction_count - count;
}

static const char *const models[LONG_MODELS] = {"pentium4", "max", "486", "pentium"};

static bool is_long(void) {
    const char *value = getenv("REPRISE_LONG");
    return value != NULL && *value == '1';
}

START_TEST(random_guests_do_no_harm) {
    const char *only = getenv("REPRISE_SEED");
    uint64_t first = only != NULL ? strtoull(only, NULL, 0) : 1;
    uint64_t seeds = only != NULL ? 1 : is_long() ? LONG_SEEDS : SHORT_SEEDS;
    HostileSetting setting = (HostileSetting)(_i % HOSTILE_SETTINGS);
    Pair pair;
    signal(SIGALRM, report_hang);
    pair_make(&pair, models[_i / HOSTILE_SETTINGS]);
    uint64_t instructions = 0;
    for (uint64_t i = 0; i < seeds; i++)
        instructions += run_seed(&pair, setting, first + i);
    alarm(0);
    /* A guest that dies at once proves nothing. */
    ck_assert_uint_ge(instructions, only != NULL ? 0 : seeds * STEP_INSTRUCTIONS);
    pair_destroy(&pair);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hostile guest");
    TCase *tests = tcase_create("random");
    tcase_set_timeout(tests, 3600);
    tcase_add_loop_test(tests, random_guests_do_no_harm, 0,
                        HOSTILE_SETTINGS * (is_long() ? LONG_MODELS : SHORT_MODELS));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

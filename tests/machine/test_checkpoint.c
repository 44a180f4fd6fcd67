/* Checkpoints of whole machines: what follows a restore is what followed the checkpoint, for a
 * machine that boots, for guests of random code that overwrites itself, over trees of checkpoints,
 * in both backends. Full saves are the oracle. */
#include "checkpoint.h"
#include "hostile_guest_fixture.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

#define MILLION 1000000u

static const TranslatorBackend backends[] = {BACKEND_PORTABLE, BACKEND_JIT};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

static Machine *make(TranslatorBackend backend, uint64_t ram_bytes) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = ram_bytes;
    config.icount = true;
    config.icount_shift = 3;
    config.translator.backend =
        backend == BACKEND_JIT ? translator_default_backend() : BACKEND_PORTABLE;
    config.translator.exact_end = true;
    config.ide[2] = (DriveConfig){.present = true, .is_cd = true, .boot_index = -1};
    config.has_serial[0] = true;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    machine_set_run_state(machine, RUN_STATE_RUNNING);
    return machine;
}

static Checkpoint *take(Machine *machine) {
    Error error = {.set = false};
    Checkpoint *checkpoint = machine_checkpoint(machine, &error);
    ck_assert_msg(checkpoint != NULL, "%s", error.message);
    return checkpoint;
}

static void restore(Machine *machine, Checkpoint *checkpoint) {
    Error error = {.set = false};
    ck_assert_msg(machine_restore(machine, checkpoint, &error), "%s", error.message);
}

/* All that a machine is, and that its tables agree with each other. */
static ByteBuffer save_all(Machine *machine) {
    Error error = {.set = false};
    ByteBuffer saved = {.data = NULL};
    machine_save(machine, &saved);
    ck_assert_msg(tlb_check_invariants(&machine->cpu->tlb, &error), "%s", error.message);
    ck_assert_uint_eq(machine_state_hash(machine), machine_state_hash_full(machine));
    return saved;
}

static void expect_same(Machine *machine, const ByteBuffer *expected, const char *when) {
    ByteBuffer present = save_all(machine);
    ck_assert_msg(present.size == expected->size &&
                      memcmp(present.data, expected->data, present.size) == 0,
                  "%s: the machine is not what it was", when);
    byte_buffer_free(&present);
}

START_TEST(loops_end_alike) {
    enum { LOOPS = 200, STEP = 20000 };
    Machine *machine = make(backends[_i], 16 << 20);
    machine_run_instructions(machine, 3 * MILLION);
    Checkpoint *checkpoint = take(machine);
    uint64_t before = machine_state_hash(machine);
    machine_run_instructions(machine, STEP);
    uint64_t after = machine_state_hash(machine);
    ck_assert_uint_ne(before, after);
    for (int i = 0; i < LOOPS; i++) {
        restore(machine, checkpoint);
        if (i % 50 == 0)
            ck_assert_uint_eq(machine_state_hash(machine), before);
        machine_run_instructions(machine, STEP);
        ck_assert_uint_eq(machine_state_hash(machine), after);
    }
    ck_assert_uint_eq(machine_state_hash_full(machine), after);
    checkpoint_free(checkpoint);
    machine_destroy(machine);
}
END_TEST

/* Random code that changes itself and its tables: the second pass meets translations of the first
 * that were made from other bytes. */
START_TEST(code_that_changes_is_followed) {
    enum { SEEDS = 2, STEPS = 6, STEP = 1000 };
    Machine *machine = make(backends[_i % BACKENDS], HOSTILE_RAM_BYTES);
    HostileSetting setting = (HostileSetting)(_i / BACKENDS);
    Checkpoint *fresh = take(machine);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        ByteBuffer states[STEPS + 1];
        Checkpoint *checkpoints[STEPS + 1];
        restore(machine, fresh);
        hostile_guest_make(machine, setting, seed);
        for (int i = 0; i <= STEPS; i++) {
            states[i] = save_all(machine);
            checkpoints[i] = take(machine);
            machine_run_instructions(machine, STEP);
        }
        for (int i = 0; i < 10; i++) {
            int at = (i * 7 + (int)seed) % STEPS;
            restore(machine, checkpoints[at]);
            expect_same(machine, &states[at], "after the restore");
            machine_run_instructions(machine, STEP);
            expect_same(machine, &states[at + 1], "a step after the restore");
        }
        for (int i = 0; i <= STEPS; i++) {
            checkpoint_free(checkpoints[i * 5 % (STEPS + 1)]);
            byte_buffer_free(&states[i]);
        }
    }
    checkpoint_free(fresh);
    machine_destroy(machine);
}
END_TEST

/* Between two of them nothing is watched, and pages that are written then belong to neither. */
START_TEST(the_only_checkpoint_comes_and_goes) {
    enum { ROUNDS = 12, STEP = 700 };
    Machine *machine = make(backends[_i % BACKENDS], HOSTILE_RAM_BYTES);
    hostile_guest_make(machine, (HostileSetting)(_i / BACKENDS), 3);
    Checkpoint *only = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        checkpoint_free(only);
        if (round % 3 != 0)
            machine_run_instructions(machine, STEP / 2);
        only = take(machine);
        ByteBuffer before = save_all(machine);
        machine_run_instructions(machine, STEP);
        ByteBuffer after = save_all(machine);
        for (int again = 0; again < 2; again++) {
            restore(machine, only);
            expect_same(machine, &before, "after the restore");
            machine_run_instructions(machine, STEP);
            expect_same(machine, &after, "a step after the restore");
        }
        byte_buffer_free(&before);
        byte_buffer_free(&after);
    }
    checkpoint_free(only);
    machine_destroy(machine);
}
END_TEST

typedef struct Node {
    Checkpoint *checkpoint;
    ByteBuffer state;
} Node;

static uint32_t random_below(uint64_t *seed, uint32_t bound) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % bound;
}

/* Jumps to and fro in a tree of checkpoints that come and go. */
START_TEST(trees_of_checkpoints) {
    enum { NODES = 6, ROUNDS = 60 };
    uint64_t seed = 7;
    Machine *machine = make(backends[_i], 8 << 20);
    Node nodes[NODES] = {{.checkpoint = NULL}};
    machine_run_instructions(machine, MILLION);
    for (int round = 0; round < ROUNDS; round++) {
        Node *node = &nodes[random_below(&seed, NODES)];
        machine_run_instructions(machine, random_below(&seed, 60000));
        if (node->checkpoint == NULL) {
            node->state = save_all(machine);
            node->checkpoint = take(machine);
        } else if (random_below(&seed, 4) == 0) {
            checkpoint_free(node->checkpoint);
            byte_buffer_free(&node->state);
            *node = (Node){.checkpoint = NULL};
        } else {
            restore(machine, node->checkpoint);
            expect_same(machine, &node->state, "a node of the tree");
        }
    }
    machine_destroy(machine); /* before its checkpoints */
    for (int i = 0; i < NODES; i++) {
        checkpoint_free(nodes[i].checkpoint);
        byte_buffer_free(&nodes[i].state);
    }
}
END_TEST

/* The first store into a page saves it in the middle of translated code, while the guest's vector
 * registers stand in the host's. */
START_TEST(vector_registers_live_on) {
    static const uint8_t code[] = {
        0x0F, 0x10, 0x06, 0x00, 0x05, /* movups xmm0, [500h] */
        0xBB, 0x00, 0x10,             /* mov bx, 1000h */
        0xB9, 0x06, 0x00,             /* mov cx, 6 */
        0x0F, 0x58, 0xC0,             /* again: addps xmm0, xmm0 */
        0x88, 0x07,                   /* mov [bx], al */
        0x81, 0xC3, 0x00, 0x10,       /* add bx, 1000h */
        0xE2, 0xF5,                   /* loop again */
        0x0F, 0x11, 0x06, 0x10, 0x05, /* movups [510h], xmm0 */
        0xEB, 0xFE,                   /* jmp $ */
    };
    const uint32_t one = 0x3F800000, sixty_four = 0x42800000;
    Machine *machine = make(backends[_i], 8 << 20);
    CpuState *state = &machine->cpu->state;
    physical_write_bytes(machine->memory, 0x7C00, code, sizeof code);
    for (uint32_t i = 0; i < 4; i++)
        physical_write(machine->memory, 0x500 + 4 * i, 4, one);
    state->cr4 |= 1 << 9; /* OSFXSR */
    state->segment[SEG_CS].selector = 0;
    state->segment[SEG_CS].base = 0;
    state->eip = 0x7C00;
    cpu_state_restored(machine->cpu);
    Checkpoint *checkpoint = take(machine);
    for (int round = 0; round < 3; round++) {
        machine_run_instructions(machine, 3 + 6 * 4 + 20);
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_uint_eq(physical_read(machine->memory, 0x510 + 4 * i, 4), sixty_four);
        restore(machine, checkpoint);
        ck_assert_uint_eq(physical_read(machine->memory, 0x510, 4), 0);
    }
    checkpoint_free(checkpoint);
    machine_destroy(machine);
}
END_TEST

/* A full load in between is one more change to undo. */
START_TEST(a_load_is_undone) {
    Machine *machine = make(backends[_i], 8 << 20);
    machine_run_instructions(machine, MILLION);
    ByteBuffer early = save_all(machine);
    machine_run_instructions(machine, MILLION);
    ByteBuffer late = save_all(machine);
    Checkpoint *checkpoint = take(machine);
    ByteReader reader = {.data = early.data, .size = early.size};
    ck_assert(machine_load(machine, &reader, NULL));
    expect_same(machine, &early, "after the load");
    restore(machine, checkpoint);
    expect_same(machine, &late, "after the restore");
    machine_destroy(machine);
    checkpoint_free(checkpoint);
    byte_buffer_free(&early);
    byte_buffer_free(&late);
}
END_TEST

START_TEST(a_machine_that_ended_comes_back) {
    Machine *machine = make(backends[_i], 8 << 20);
    int status;
    machine_run_instructions(machine, MILLION);
    Checkpoint *checkpoint = take(machine);
    machine_debug_exit(machine, 3);
    machine_run_instructions(machine, 1000);
    ck_assert(machine_has_ended(machine, &status));
    ck_assert_int_eq(machine_run_state(machine), RUN_STATE_SHUTDOWN);
    Checkpoint *ended = take(machine);
    restore(machine, checkpoint);
    ck_assert(!machine_has_ended(machine, &status));
    ck_assert_uint_eq(machine_run_instructions(machine, 1000), 1000);
    restore(machine, ended);
    ck_assert(machine_has_ended(machine, &status));
    ck_assert_int_eq(status, 3);
    ck_assert_uint_eq(machine_run_instructions(machine, 1000), 0);
    checkpoint_free(checkpoint);
    checkpoint_free(ended);
    machine_destroy(machine);
}
END_TEST

START_TEST(of_another_machine_is_refused) {
    Error error = {.set = false};
    Machine *machine = make(BACKEND_PORTABLE, 8 << 20), *other = make(BACKEND_PORTABLE, 8 << 20);
    Checkpoint *checkpoint = take(machine);
    ck_assert(!machine_restore(other, checkpoint, &error));
    ck_assert(error.set);
    machine_destroy(machine);
    ck_assert(!machine_restore(other, checkpoint, &error));
    checkpoint_free(checkpoint);
    checkpoint_free(NULL);
    machine_destroy(other);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("checkpoint");
    TCase *tests = tcase_create("checkpoint");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, loops_end_alike, 0, BACKENDS);
    tcase_add_loop_test(tests, code_that_changes_is_followed, 0, HOSTILE_SETTINGS * BACKENDS);
    tcase_add_loop_test(tests, the_only_checkpoint_comes_and_goes, 0, HOSTILE_SETTINGS * BACKENDS);
    tcase_add_loop_test(tests, trees_of_checkpoints, 0, BACKENDS);
    tcase_add_loop_test(tests, vector_registers_live_on, 0, BACKENDS);
    tcase_add_loop_test(tests, a_load_is_undone, 0, BACKENDS);
    tcase_add_loop_test(tests, a_machine_that_ended_comes_back, 0, BACKENDS);
    tcase_add_test(tests, of_another_machine_is_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Clones share their base's memory and go their own ways: each ends where a machine that was saved
 * and loaded ends, in threads, in another process, with clones of clones. */
#define _GNU_SOURCE
#include "checkpoint.h"
#include "machine_clone.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MILLION 1000000u
#define STEP 300000u

static const TranslatorBackend backends[] = {BACKEND_PORTABLE, BACKEND_JIT};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

static MachineConfig describe(int backend) {
    MachineConfig config;
    machine_config_init(&config);
    config.ram_bytes = 16 << 20;
    config.icount = true;
    config.icount_shift = 3;
    config.translator.backend =
        backends[backend] == BACKEND_JIT ? translator_default_backend() : BACKEND_PORTABLE;
    config.ide[2] = (DriveConfig){.present = true, .is_cd = true, .boot_index = -1};
    config.has_serial[0] = true;
    return config;
}

static Machine *make(const MachineConfig *config) {
    Error error = {.set = false};
    Machine *machine = machine_create(config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

static CloneBase *make_base(Machine *machine) {
    Error error = {.set = false};
    CloneBase *base = clone_base_create(machine, &error);
    ck_assert_msg(base != NULL, "%s", error.message);
    return base;
}

static Machine *make_clone(CloneBase *base, const MachineConfig *config) {
    Error error = {.set = false};
    Machine *machine = machine_create_clone(base, config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

static uint64_t run_on(Machine *machine) {
    machine_run_instructions(machine, STEP);
    uint64_t hash = machine_state_hash(machine);
    ck_assert_uint_eq(hash, machine_state_hash_full(machine));
    return hash;
}

START_TEST(clones_go_on_as_their_base) {
    MachineConfig config = describe(_i);
    Machine *machine = make(&config);
    machine_run_instructions(machine, 3 * MILLION);
    CloneBase *base = make_base(machine);
    uint64_t before = machine_state_hash(machine);
    Machine *first = make_clone(base, &config), *second = make_clone(base, &config);
    ck_assert_uint_eq(machine_state_hash(first), before);
    uint64_t after = run_on(first);
    ck_assert_uint_ne(after, before);
    ck_assert_uint_eq(machine_state_hash_full(second), before); /* sees nothing of it */
    ck_assert_uint_eq(machine_state_hash_full(machine), before);
    ck_assert_uint_eq(run_on(machine), after);
    machine_destroy(machine);
    ck_assert_uint_eq(run_on(second), after);
    Machine *third = make_clone(base, &config); /* the base is what it was */
    clone_base_release(base);
    ck_assert_uint_eq(machine_state_hash_full(third), before);
    ck_assert_uint_eq(run_on(third), after);
    machine_destroy(first);
    machine_destroy(second);
    machine_destroy(third);
}
END_TEST

/* Bases follow one another, of the machine and of a clone; checkpoints live on both sides. */
START_TEST(bases_of_bases) {
    MachineConfig config = describe(_i);
    Machine *machine = make(&config);
    machine_run_instructions(machine, 2 * MILLION);
    Checkpoint *early = machine_checkpoint(machine, NULL);
    uint64_t early_hash = machine_state_hash(machine);
    CloneBase *first = make_base(machine);
    uint64_t first_end = run_on(machine);
    CloneBase *second = make_base(machine);
    Machine *younger = make_clone(second, &config);
    ck_assert_uint_eq(machine_state_hash_full(younger), first_end);
    uint64_t second_end = run_on(younger);
    CloneBase *third = make_base(younger);
    ck_assert(machine_restore(machine, early, NULL));
    ck_assert_uint_eq(machine_state_hash_full(machine), early_hash);
    Machine *older = make_clone(first, &config), *youngest = make_clone(third, &config);
    ck_assert_uint_eq(run_on(older), first_end);
    ck_assert_uint_eq(machine_state_hash_full(youngest), second_end);
    Checkpoint *inside = machine_checkpoint(older, NULL);
    ck_assert_uint_eq(run_on(older), second_end);
    ck_assert(machine_restore(older, inside, NULL));
    ck_assert_uint_eq(machine_state_hash_full(older), first_end);
    ck_assert_uint_eq(run_on(machine), first_end);
    checkpoint_free(early);
    checkpoint_free(inside);
    clone_base_release(first);
    clone_base_release(second);
    clone_base_release(third);
    machine_destroy(machine);
    machine_destroy(older);
    machine_destroy(younger);
    machine_destroy(youngest);
}
END_TEST

typedef struct Runner {
    pthread_t thread;
    CloneBase *base;
    MachineConfig config;
    uint64_t hash;
} Runner;

static void *run_clone(void *opaque) {
    Runner *runner = opaque;
    Machine *machine = machine_create_clone(runner->base, &runner->config, NULL);
    if (machine != NULL) {
        Checkpoint *checkpoint = machine_checkpoint(machine, NULL);
        for (int i = 0; i < 3; i++) {
            machine_restore(machine, checkpoint, NULL);
            machine_run_instructions(machine, STEP);
        }
        runner->hash = machine_state_hash(machine);
        checkpoint_free(checkpoint);
    }
    machine_destroy(machine);
    clone_base_release(runner->base);
    return NULL;
}

START_TEST(threads_run_clones) {
    enum { THREADS = 6 };
    Runner runners[THREADS];
    MachineConfig config = describe(_i);
    Machine *machine = make(&config);
    machine_run_instructions(machine, 2 * MILLION);
    CloneBase *base = make_base(machine);
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (Runner){.base = clone_base_hold(base), .config = config};
        ck_assert_int_eq(pthread_create(&runners[i].thread, NULL, run_clone, &runners[i]), 0);
    }
    clone_base_release(base);
    uint64_t expected = run_on(machine);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(runners[i].thread, NULL);
        ck_assert_uint_eq(runners[i].hash, expected);
    }
    machine_destroy(machine);
}
END_TEST

START_TEST(another_machine_is_refused) {
    Error error = {.set = false};
    MachineConfig config = describe(0), other = describe(0);
    Machine *machine = make(&config);
    CloneBase *base = make_base(machine);
    other.ram_bytes = 32 << 20;
    ck_assert_ptr_null(machine_create_clone(base, &other, &error));
    ck_assert(error.set);
    other = describe(0);
    other.has_serial[1] = true;
    ck_assert_ptr_null(machine_create_clone(base, &other, NULL));
    clone_base_release(base);
    clone_base_release(NULL);
    machine_destroy(machine);
}
END_TEST

/* ---- Another process ---- */

extern char **environ;

/* What the child does: arguments are the backend and the descriptors; the hash is printed. */
static int run_imported(char **arguments) {
    Error error = {.set = false};
    CloneFiles files = {.count = 0};
    MachineConfig config = describe(atoi(arguments[0]));
    for (arguments++; *arguments != NULL; arguments++)
        files.file[files.count++] = atoi(*arguments);
    Machine *machine = machine_import_clone(&files, &config, &error);
    if (machine == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    uint64_t before = machine_state_hash(machine);
    machine_run_instructions(machine, STEP);
    printf("%llx %llx", (unsigned long long)before,
           (unsigned long long)machine_state_hash(machine));
    machine_destroy(machine);
    return 0;
}

static void spawn_child(int backend, const CloneFiles *files, char *output, size_t size) {
    char numbers[CLONE_FILES_MAXIMUM + 1][12], *arguments[CLONE_FILES_MAXIMUM + 4];
    unsigned count = 0;
    arguments[count++] = "test_clone";
    snprintf(numbers[CLONE_FILES_MAXIMUM], sizeof numbers[0], "%d", backend);
    arguments[count++] = "--imported";
    arguments[count++] = numbers[CLONE_FILES_MAXIMUM];
    for (unsigned i = 0; i < files->count; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", files->file[i]);
        arguments[count++] = numbers[i];
    }
    arguments[count] = NULL;
    int ends[2], status;
    pid_t child;
    posix_spawn_file_actions_t actions;
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ck_assert_int_eq(posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ssize_t length = read(ends[0], output, size - 1);
    output[length > 0 ? length : 0] = 0;
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_fresh_process_goes_on) {
    Error error = {.set = false};
    char output[64], expected[64];
    CloneFiles files;
    MachineConfig config = describe(_i);
    Machine *machine = make(&config);
    machine_run_instructions(machine, 3 * MILLION);
    ck_assert_msg(machine_export_clone(machine, &files, &error), "%s", error.message);
    uint64_t before = machine_state_hash(machine);
    snprintf(expected, sizeof expected, "%llx %llx", (unsigned long long)before,
             (unsigned long long)run_on(machine));
    for (int i = 0; i < 2; i++) { /* of either backend, and none disturbs the other */
        spawn_child(i, &files, output, sizeof output);
        ck_assert_str_eq(output, expected);
    }
    clone_files_close(&files);
    machine_destroy(machine);
}
END_TEST

int main(int count, char **arguments) {
    if (count > 3 && strcmp(arguments[1], "--imported") == 0)
        return run_imported(arguments + 2);
    Suite *suite = suite_create("clone");
    TCase *tests = tcase_create("clone");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, clones_go_on_as_their_base, 0, BACKENDS);
    tcase_add_loop_test(tests, bases_of_bases, 0, BACKENDS);
    tcase_add_loop_test(tests, threads_run_clones, 0, BACKENDS);
    tcase_add_test(tests, another_machine_is_refused);
    if (!suite_is_emulated())
        tcase_add_loop_test(tests, a_fresh_process_goes_on, 0, BACKENDS);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

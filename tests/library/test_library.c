/* The library through its header alone, with the demo disk. */
#include "reprise.h"
#include "suite_run.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY "Arrow keys"
#define PATIENCE 6000 /* times 20 ms, on a busy host */

static void add(RepriseMachine *machine, const char *const *words, size_t count) {
    RepriseError error;
    ck_assert_msg(reprise_add_options(machine, words, count, &error), "%s", error.message);
}

static RepriseMachine *make_demo(const char *accelerator) {
    RepriseError error;
    RepriseMachine *machine = reprise_create();
    const char *const words[] = {"-icount", "shift=3", "-snapshot", "-accel", accelerator, DEMO};
    add(machine, words, sizeof(words) / sizeof(words[0]));
    ck_assert(reprise_set_option(machine, "m", "16", &error));
    ck_assert_msg(reprise_build(machine, &error), "%s", error.message);
    return machine;
}

/* A run with input, looked at as often as one may; its hashes. */
enum { HASHES = 6 };
typedef struct Run {
    const char *accelerator;
    uint64_t hash[HASHES];
} Run;

static void *make_run(void *opaque) {
    Run *run = opaque;
    RepriseMachine *machine = make_demo(run->accelerator);
    if (reprise_run_until_text(machine, 60 * REPRISE_SECOND, READY) != REPRISE_MET)
        abort();
    for (int i = 0; i < HASHES; i++) {
        RepriseScreen screen;
        if (!reprise_type(machine, i % 2 == 0 ? "g" : "t", NULL) ||
            reprise_run_instructions(machine, 1000000) != REPRISE_MET ||
            !reprise_read_screen(machine, &screen))
            abort();
        run->hash[i] = reprise_state_hash(machine);
    }
    reprise_destroy(machine);
    return NULL;
}

START_TEST(threads_do_not_notice_each_other) {
    Run alone = {.accelerator = "jit"};
    make_run(&alone);
    for (int i = 1; i < HASHES; i++)
        ck_assert_uint_ne(alone.hash[i], alone.hash[i - 1]);
    Run together[3] = {{.accelerator = "jit"}, {.accelerator = "jit"}, {.accelerator = "interp"}};
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, make_run, &together[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        ck_assert_mem_eq(together[i].hash, alone.hash, sizeof(alone.hash));
    }
}
END_TEST

START_TEST(errors_are_values) {
    ck_assert_uint_eq(reprise_api_version(), REPRISE_API_VERSION);
    RepriseError error;
    RepriseMachine *machine = reprise_create();
    ck_assert(!reprise_set_option(machine, "nonsense", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "nonsense"));
    ck_assert(!reprise_set_option(machine, "m", NULL, &error));
    ck_assert(!reprise_set_option(machine, "m", "many", NULL));
    ck_assert(reprise_set_option(machine, "serial", "stdio", &error));
    ck_assert_str_eq(error.message, "");
    ck_assert(!reprise_build(machine, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "-serial"));
    reprise_destroy(machine);

    machine = reprise_create();
    ck_assert(reprise_set_option(machine, "fda", "/nonexistent", &error));
    ck_assert(!reprise_build(machine, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent"));
    reprise_destroy(machine);

    machine = make_demo("jit");
    ck_assert(!reprise_set_option(machine, "m", "8", &error));
    ck_assert(!reprise_build(machine, &error));
    ck_assert(!reprise_press_keys(machine, "ctrl-nonsense", 10, &error));
    ck_assert(!reprise_send_key(machine, "nonsense", true));
    ck_assert(!reprise_type(machine, "\x01", &error));
    ck_assert(!reprise_load_snapshot(machine, "nonsense", &error));
    ck_assert(!reprise_place_pointer(machine, 40000, 0));
    reprise_destroy(machine);
    reprise_destroy(NULL);
}
END_TEST

static void count_bytes(void *opaque, const uint8_t *bytes, size_t size) {
    (void)bytes;
    *(size_t *)opaque += size;
}

START_TEST(memory_registers_and_ports) {
    uint8_t bytes[16], back[16];
    size_t size, sent = 0;
    RepriseMachine *machine = make_demo("jit");
    reprise_set_output(machine, REPRISE_SERIAL_0, count_bytes, &sent);
    ck_assert_int_eq(reprise_run_until_text(machine, 60 * REPRISE_SECOND, READY), REPRISE_MET);
    ck_assert_uint_gt(sent, 0);
    ck_assert_int_gt(reprise_guest_time_ns(machine), 0);
    ck_assert_uint_gt(reprise_instruction_count(machine), 1000);

    ck_assert(reprise_write_memory(machine, REPRISE_PHYSICAL, 0x900FFC, "0123456789", 10));
    ck_assert(reprise_read_memory(machine, REPRISE_PHYSICAL, 0x900FFC, bytes, 10));
    ck_assert_mem_eq(bytes, "0123456789", 10);
    ck_assert(
        !reprise_read_memory(machine, REPRISE_LINEAR, 0xDEAD0000, bytes, 1)); /* pages are on */
    ck_assert(!reprise_write_memory(machine, REPRISE_LINEAR, 0xDEAD0000, bytes, 1));
    ck_assert(!reprise_read_memory(machine, REPRISE_PHYSICAL, 0xFFFFFFFF, bytes, 2));

    ck_assert(reprise_read_register(machine, 0, "cr0", bytes, &size));
    ck_assert_uint_eq(size, 4);
    ck_assert_uint_eq(bytes[0] & 1, 1); /* protected mode */
    memcpy(bytes, "\x78\x56\x34\x12", 4);
    ck_assert(reprise_write_register(machine, 0, "edi", bytes));
    ck_assert(reprise_read_register(machine, 0, "edi", back, &size));
    ck_assert_mem_eq(bytes, back, 4);
    ck_assert(!reprise_read_register(machine, 0, "rax", bytes, NULL));
    ck_assert(!reprise_read_register(machine, 1, "eax", bytes, NULL));
    ck_assert(!reprise_read_register(machine, 0, "", bytes, NULL));

    char *text = reprise_command(machine, "info registers");
    ck_assert_ptr_nonnull(strstr(text, "EDI=12345678"));
    reprise_free(text);
    reprise_destroy(machine);
}
END_TEST

START_TEST(states_come_back) {
    RepriseError error;
    RepriseMachine *machine = make_demo("jit");
    ck_assert_int_eq(reprise_run_until_text(machine, 60 * REPRISE_SECOND, READY), REPRISE_MET);
    uint64_t before = reprise_state_hash(machine);
    RepriseCheckpoint *checkpoint = reprise_checkpoint(machine, &error);
    RepriseMachine *clone = reprise_clone(machine, &error);
    ck_assert_msg(checkpoint != NULL && clone != NULL, "%s", error.message);
    ck_assert(!reprise_restore(clone, checkpoint, &error));

    reprise_run_instructions(machine, 500000);
    uint64_t after = reprise_state_hash(machine);
    ck_assert_uint_ne(before, after);
    ck_assert(reprise_restore(machine, checkpoint, &error));
    ck_assert_uint_eq(reprise_state_hash(machine), before);
    reprise_free_checkpoint(checkpoint);
    reprise_destroy(machine);

    ck_assert_uint_eq(reprise_state_hash(clone), before);
    reprise_run_instructions(clone, 500000);
    ck_assert_uint_eq(reprise_state_hash(clone), after);
    reprise_destroy(clone);
}
END_TEST

START_TEST(snapshots_are_kept_in_a_file) {
    RepriseError error;
    char path[] = "/tmp/reprise-library-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    uint64_t hash = 0;
    for (int i = 0; i < 2; i++) {
        RepriseMachine *machine = reprise_create();
        const char *const words[] = {"-icount",    "shift=3", "-m",   "16", "-snapshot",
                                     "-snapshots", path,      "-fda", DEMO};
        add(machine, words, sizeof(words) / sizeof(words[0]));
        if (i == 1)
            ck_assert(reprise_set_option(machine, "loadvm", "here", &error));
        ck_assert_msg(reprise_build(machine, &error), "%s", error.message);
        if (i == 0) {
            reprise_run_time(machine, REPRISE_SECOND);
            ck_assert_msg(reprise_save_snapshot(machine, "here", &error), "%s", error.message);
            hash = reprise_state_hash(machine);
        }
        ck_assert_uint_eq(reprise_state_hash(machine), hash);
        reprise_destroy(machine);
    }
    unlink(path);
}
END_TEST

static bool never(void *opaque) {
    (void)opaque;
    return false;
}

static void *interrupt(void *machine) {
    usleep(50000);
    reprise_interrupt(machine);
    return NULL;
}

START_TEST(runs_end_for_a_reason) {
    pthread_t thread;
    int status = -1;
    RepriseMachine *machine = make_demo("jit");
    ck_assert_int_eq(reprise_run_until(machine, REPRISE_SECOND, 0, never, NULL), REPRISE_TIMED_OUT);
    pthread_create(&thread, NULL, interrupt, machine);
    ck_assert_int_eq(reprise_run_until(machine, REPRISE_FOR_EVER, 0, never, NULL),
                     REPRISE_INTERRUPTED);
    pthread_join(thread, NULL);
    ck_assert(!reprise_has_ended(machine, &status));
    ck_assert(reprise_press_keys(machine, "p", 20, NULL));
    ck_assert_int_eq(reprise_run_until(machine, 60 * REPRISE_SECOND, 0, never, NULL),
                     REPRISE_ENDED);
    ck_assert(reprise_has_ended(machine, &status));
    ck_assert_int_eq(status, 0);
    reprise_destroy(machine);
}
END_TEST

static void count_call(void *opaque) {
    __atomic_add_fetch((int *)opaque, 1, __ATOMIC_RELAXED);
}

/* The keys of a shortcut for pasting are still down when the text begins. The guest shows what the
 * BIOS reads from the keyboard: of a letter under Ctrl-Alt that is no letter. */
START_TEST(held_keys_do_not_change_what_is_typed) {
    static const uint8_t typewriter[] = {0xFB, 0xB4, 0x00, 0xCD, 0x16, 0xB4,
                                         0x0E, 0xCD, 0x10, 0xEB, 0xF6};
    uint8_t sector[512] = {[510] = 0x55, [511] = 0xAA};
    char path[] = "/tmp/reprise-library-XXXXXX";
    int file = mkstemp(path);
    memcpy(sector, typewriter, sizeof(typewriter));
    ck_assert(file >= 0 && write(file, sector, sizeof(sector)) == sizeof(sector));
    close(file);
    const char *const words[] = {"-icount", "shift=3", "-m", "16", "-fda", path, "-boot", "a"};
    RepriseError error;
    RepriseMachine *machine = reprise_create();
    add(machine, words, sizeof(words) / sizeof(words[0]));
    ck_assert_msg(reprise_build(machine, &error), "%s", error.message);
    ck_assert_int_eq(reprise_run_until_text(machine, 60 * REPRISE_SECOND, "Booting from Floppy..."),
                     REPRISE_MET);
    ck_assert_int_eq(reprise_run_time(machine, REPRISE_SECOND), REPRISE_TIMED_OUT);
    ck_assert(reprise_send_key(machine, "ctrl", true) && reprise_send_key(machine, "alt", true));
    ck_assert_int_eq(reprise_run_time(machine, REPRISE_SECOND / 10), REPRISE_TIMED_OUT);
    ck_assert(reprise_type(machine, "typed", NULL));
    ck_assert_int_eq(reprise_run_until_text(machine, 10 * REPRISE_SECOND, "typed"), REPRISE_MET);
    reprise_destroy(machine);
    unlink(path);
}
END_TEST

/* A thread of its own, and everything from outside while it runs. */
START_TEST(machine_runs_in_its_own_thread) {
    RepriseError error;
    RepriseMachine *machine = make_demo("jit");
    int told = 0, status;
    reprise_set_notify(machine, count_call, &told);
    ck_assert_msg(reprise_start(machine, &error), "%s", error.message);
    char *text = NULL;
    for (int i = 0; i < PATIENCE && (text == NULL || strstr(text, READY) == NULL); i++) {
        reprise_free(text);
        usleep(20000);
        text = reprise_read_text(machine);
    }
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, READY));
    reprise_free(text);
    ck_assert(reprise_pause(machine, &error));
    uint64_t count = reprise_instruction_count(machine);
    usleep(20000);
    ck_assert_uint_eq(reprise_instruction_count(machine), count);
    ck_assert(reprise_continue(machine, &error));
    ck_assert(reprise_move_mouse(machine, 5, 5, 0) && reprise_press_buttons(machine, 1));
    ck_assert_uint_eq(reprise_send_serial(machine, 0, "x", 1), 1);
    ck_assert_uint_eq(reprise_send_serial(machine, 4, "x", 1), 0);
    ck_assert(reprise_type(machine, "gtp", &error));
    for (int i = 0; i < PATIENCE && !reprise_has_ended(machine, &status); i++)
        usleep(20000);
    ck_assert(reprise_has_ended(machine, NULL));
    ck_assert_int_gt(__atomic_load_n(&told, __ATOMIC_RELAXED), 0);
    reprise_destroy(machine);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("library");
    TCase *tests = tcase_create("library");
    tcase_set_timeout(tests, 120);
    if (access("/usr/share/seabios/bios-256k.bin", R_OK) != 0 &&
        access("/usr/share/seabios/bios.bin", R_OK) != 0) {
        printf("skipped: SeaBIOS is not installed (Debian: seabios)\n");
        return 77;
    }
    tcase_add_test(tests, threads_do_not_notice_each_other);
    tcase_add_test(tests, errors_are_values);
    tcase_add_test(tests, memory_registers_and_ports);
    tcase_add_test(tests, states_come_back);
    tcase_add_test(tests, snapshots_are_kept_in_a_file);
    tcase_add_test(tests, runs_end_for_a_reason);
    tcase_add_test(tests, held_keys_do_not_change_what_is_typed);
    tcase_add_test(tests, machine_runs_in_its_own_thread);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

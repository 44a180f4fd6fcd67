/* Snapshots of machines in a file, together with everything else that keeps states: checkpoints,
 * clones, machines that ended. */
#define _GNU_SOURCE
#include "checkpoint.h"
#include "machine_clone.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "mc146818.h"
#include "snapshot_file.h"
#include "snapshot_of_machine.h"
#include "snapshot_picture.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MILLION 1000000u

static char folder[] = "/tmp/snapshot-machine-XXXXXX";
static char path[sizeof(folder) + 16];
static MachineConfig config;
static Machine *machine;

static Machine *make(void) {
    Error error = {.set = false};
    Machine *made = machine_create(&config, &error);
    ck_assert_msg(made != NULL, "%s", error.message);
    return made;
}

static void set_up(void) {
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    machine_config_init(&config);
    config.ram_bytes = 4 << 20;
    config.icount = true;
    config.translator.backend = BACKEND_PORTABLE;
    config.has_serial[0] = true;
    config.snapshots_path = path;
    machine = make();
    machine_run_instructions(machine, 2 * MILLION);
}

static void tear_down(void) {
    machine_destroy(machine);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void save(Machine *from, const char *name) {
    Error error = {.set = false};
    ck_assert_msg(machine_save_snapshot(from, name, &error), "%s", error.message);
}

static void load(Machine *to, const char *name) {
    Error error = {.set = false};
    ck_assert_msg(machine_load_snapshot(to, name, &error), "%s", error.message);
}

/* Both run on and are one. */
static void expect_equal_future(Machine *one, Machine *other) {
    ck_assert_uint_eq(machine_state_hash(one), machine_state_hash(other));
    ck_assert_uint_eq(machine_state_hash_full(one), machine_state_hash_full(other));
    machine_run_instructions(one, MILLION);
    machine_run_instructions(other, MILLION);
    ck_assert_uint_eq(machine_state_hash(one), machine_state_hash(other));
}

START_TEST(a_fresh_machine_goes_on) {
    save(machine, "a");
    Machine *other = make();
    load(other, "a");
    expect_equal_future(machine, other);
    machine_destroy(other);
}
END_TEST

/* What was in memory before, and what code was translated, must not matter. */
START_TEST(a_used_machine_goes_on) {
    Error error = {.set = false};
    save(machine, "a");
    Machine *other = make();
    machine_run_instructions(other, 5 * MILLION);
    memset(physical_map_ram(other->memory) + (1 << 20), 0x55, 2 << 20);
    physical_map_touch(other->memory, 1 << 20, 2 << 20);
    load(other, "a");
    ck_assert_msg(tlb_check_invariants(&other->cpu->tlb, &error), "%s", error.message);
    expect_equal_future(machine, other);
    machine_destroy(other);
}
END_TEST

/* Each pixel stands for as many as fit. */
START_TEST(a_picture_is_the_mean_of_the_screen) {
    DisplaySurface surface = {.pixels = NULL};
    SnapshotPicture *picture = calloc(1, sizeof(*picture));
    display_surface_resize(&surface, 640, 480);
    surface.aspect_width = 4;
    surface.aspect_height = 3;
    for (uint32_t y = 0; y < 480; y++)
        for (uint32_t x = 0; x < 640; x++)
            display_surface_line(&surface, y)[x] = x < 320 ? 0xFF0000 : x % 2 ? 0x0000FE : 0;
    snapshot_picture_make(picture, &surface);
    ck_assert_uint_eq(picture->width, 160);
    ck_assert_uint_eq(picture->height, 120);
    ck_assert_uint_eq(picture->pixels[0], 0xFF0000);
    ck_assert_uint_eq(picture->pixels[79], 0xFF0000);
    ck_assert_uint_eq(picture->pixels[80], 0x00007F);
    surface.aspect_width = 100;
    surface.aspect_height = 1;
    snapshot_picture_make(picture, &surface);
    ck_assert_uint_eq(picture->width, 160);
    ck_assert_uint_eq(picture->height, 1);
    display_surface_resize(&surface, 1, 1); /* smaller than the picture */
    surface.aspect_width = 1;
    surface.aspect_height = 3;
    display_surface_line(&surface, 0)[0] = 0x123456;
    snapshot_picture_make(picture, &surface);
    ck_assert_uint_eq(picture->width, 40);
    ck_assert_uint_eq(picture->pixels[119 * 40 + 39], 0x123456);
    display_surface_free(&surface);
    free(picture);
}
END_TEST

START_TEST(pictures_are_kept_with_their_snapshots) {
    SnapshotPicture *picture = calloc(1, sizeof(*picture));
    ck_assert(!machine_get_snapshot_picture(machine, "a", picture)); /* there is no file */
    save(machine, "a");
    ck_assert(machine_get_snapshot_picture(machine, "a", picture));
    ck_assert_uint_eq(picture->width, SNAPSHOT_PICTURE_WIDTH);
    ck_assert(!machine_get_snapshot_picture(machine, "b", picture));
    /* what a stranger wrote is looked at first */
    static const uint8_t bad[][6] = {
        {0}, {1, 0, 1, 0}, {0xFF, 0xFF, 0xFF, 0xFF, 1, 2}, {0, 0, 5, 0}};
    static const uint8_t good[7] = {1, 0, 1, 0, 0x12, 0x34, 0x56};
    Error error = {.set = false};
    for (unsigned i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        bool is_good = i == sizeof(bad) / sizeof(bad[0]);
        SnapshotFile *file = snapshot_file_open(path, SNAPSHOT_WRITE, &error);
        ck_assert_ptr_nonnull(file);
        uint64_t id = snapshot_file_find(file, "a")->id;
        ck_assert(snapshot_file_put_stream(file, id, "picture", is_good ? good : bad[i],
                                           is_good  ? 7
                                           : i == 0 ? 3
                                                    : 6,
                                           NULL, &error));
        ck_assert(snapshot_file_commit(file, &error));
        snapshot_file_close(file);
        ck_assert_int_eq(machine_get_snapshot_picture(machine, "a", picture), is_good);
    }
    ck_assert_uint_eq(picture->pixels[0], 0x123456);
    load(machine, "a");
    free(picture);
}
END_TEST

START_TEST(checkpoints_stay_good_when_a_snapshot_is_loaded) {
    Error error = {.set = false};
    save(machine, "a");
    machine_run_instructions(machine, MILLION);
    uint64_t at_checkpoint = machine_state_hash(machine);
    Checkpoint *checkpoint = machine_checkpoint(machine, &error);
    ck_assert_ptr_nonnull(checkpoint);
    machine_run_instructions(machine, MILLION);
    load(machine, "a");
    Machine *other = make();
    load(other, "a");
    ck_assert_uint_eq(machine_state_hash(machine), machine_state_hash(other));
    ck_assert_msg(machine_restore(machine, checkpoint, &error), "%s", error.message);
    ck_assert_uint_eq(machine_state_hash(machine), at_checkpoint);
    checkpoint_free(checkpoint);
    machine_destroy(other);
}
END_TEST

START_TEST(clones_save_and_load) {
    Error error = {.set = false};
    CloneBase *base = clone_base_create(machine, &error);
    ck_assert_msg(base != NULL, "%s", error.message);
    Machine *clone = machine_create_clone(base, &config, &error);
    ck_assert_msg(clone != NULL, "%s", error.message);
    machine_run_instructions(clone, MILLION);
    save(clone, "of a clone");
    Machine *other = make();
    load(other, "of a clone");
    expect_equal_future(clone, other);
    load(clone, "of a clone");
    load(other, "of a clone");
    expect_equal_future(clone, other);
    machine_destroy(other);
    machine_destroy(clone);
    clone_base_release(base);
}
END_TEST

static uint64_t parent_of(const char *name) {
    Error error = {.set = false};
    SnapshotFile *file = snapshot_file_open(path, SNAPSHOT_READ, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    const SnapshotInfo *info = snapshot_file_find(file, name);
    const SnapshotInfo *parent = snapshot_file_find_id(file, info->parent);
    uint64_t letter = parent != NULL ? (uint64_t)parent->name[0] : 0;
    snapshot_file_close(file);
    return letter;
}

START_TEST(a_snapshot_knows_whose_future_it_is) {
    Error error = {.set = false};
    save(machine, "a");
    Checkpoint *checkpoint = machine_checkpoint(machine, &error);
    save(machine, "b");
    save(machine, "c");
    load(machine, "b");
    save(machine, "d");
    ck_assert(machine_restore(machine, checkpoint, &error));
    save(machine, "e");
    ck_assert_uint_eq(parent_of("a"), 0);
    ck_assert_uint_eq(parent_of("c"), 'b');
    ck_assert_uint_eq(parent_of("d"), 'b');
    ck_assert_uint_eq(parent_of("e"), 'a'); /* the checkpoint was taken right behind it */
    checkpoint_free(checkpoint);
}
END_TEST

START_TEST(a_guest_that_powered_off_comes_back) {
    int status;
    save(machine, "a");
    machine_power_off(machine);
    machine_run_instructions(machine, 10);
    ck_assert(machine_has_ended(machine, &status));
    load(machine, "a");
    ck_assert(!machine_has_ended(machine, &status));
    ck_assert_uint_eq(machine_run_instructions(machine, 1000), 1000);
}
END_TEST

/* A damaged page of memory is found before anything is changed. */
/* With -rtc clock=host the clock chip shows that time has passed since; else it shows what it did.
 */
START_TEST(the_clock_chip_catches_up) {
    int64_t saved_at = mc146818_time(machine->board.rtc);
    time_t begin = time(NULL);
    save(machine, "a");
    struct timespec wait = {.tv_sec = 2, .tv_nsec = 100000000};
    nanosleep(&wait, NULL);
    load(machine, "a");
    ck_assert_int_eq(mc146818_time(machine->board.rtc), saved_at);
    config.rtc_runs_on = config.rtc_catches_up = true;
    Machine *other = make();
    load(other, "a");
    int64_t passed = mc146818_time(other->board.rtc) - saved_at;
    ck_assert_int_ge(passed, 1);
    ck_assert_int_le(passed, time(NULL) - begin + 1);
    machine_destroy(other);
}
END_TEST

START_TEST(a_damaged_snapshot_changes_nothing) {
    save(machine, "a");
    machine_run_instructions(machine, MILLION);
    uint64_t before = machine_state_hash_full(machine);
    unsigned refused = 0;
    for (off_t at = 9000; refused < 20; at += 2311) {
        Error error = {.set = false};
        uint8_t byte;
        int file = open(path, O_RDWR);
        ck_assert_int_eq(pread(file, &byte, 1, at), 1);
        byte ^= 0x10;
        ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
        if (!machine_load_snapshot(machine, "a", &error)) {
            ck_assert_uint_eq(machine_state_hash_full(machine), before);
            refused++;
        } else {
            machine_run_instructions(machine, MILLION);
            before = machine_state_hash_full(machine);
        }
        byte ^= 0x10;
        ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
        close(file);
    }
    load(machine, "a");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("snapshots of machines");
    TCase *tests = tcase_create("snapshots of machines");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_fresh_machine_goes_on);
    tcase_add_test(tests, a_used_machine_goes_on);
    tcase_add_test(tests, checkpoints_stay_good_when_a_snapshot_is_loaded);
    tcase_add_test(tests, a_picture_is_the_mean_of_the_screen);
    tcase_add_test(tests, pictures_are_kept_with_their_snapshots);
    tcase_add_test(tests, clones_save_and_load);
    tcase_add_test(tests, a_snapshot_knows_whose_future_it_is);
    tcase_add_test(tests, a_guest_that_powered_off_comes_back);
    tcase_add_test(tests, the_clock_chip_catches_up);
    tcase_add_test(tests, a_damaged_snapshot_changes_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

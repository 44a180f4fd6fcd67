/* Disks as bytes: what was saved comes back in the same machine and in a new one, and nothing
 * changes where an image is not the one that it was or the bytes are damaged. */
#define _GNU_SOURCE
#include "disk_fixture.h"
#include "disk_state.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATES 6

static const char *const drives[] = {"ide0-hd0", "floppy0", "floppy1", "ide0-hd0"};

typedef struct Saved {
    ByteBuffer bytes;
    uint64_t hash;
} Saved;

static Machine *make_machine(void) {
    MachineConfig config;
    disk_fixture_config(&config, true);
    return disk_fixture_machine(&config);
}

static void save(Machine *machine, Saved *saved) {
    Error error = {0};
    saved->bytes.size = 0;
    ck_assert_msg(disk_state_save(machine, &saved->bytes, NULL, &error), "%s", error.message);
    saved->hash = disk_fixture_hash_all(machine);
}

static bool load(Machine *machine, const Saved *saved, Error *error) {
    ByteReader reader = {.data = saved->bytes.data, .size = saved->bytes.size};
    return disk_state_load(machine, &reader, NULL, error);
}

static void expect_load(Machine *machine, const Saved *saved) {
    Error error = {0};
    ck_assert_msg(load(machine, saved, &error), "%s", error.message);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), saved->hash);
}

static void expect_refusal(Machine *machine, const Saved *saved, const char *words) {
    Error error = {0};
    uint64_t hash = disk_fixture_hash_all(machine);
    ck_assert(!load(machine, saved, &error));
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' lacks '%s'", error.message, words);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
}

static void change_something(Machine *machine, uint64_t *seed) {
    switch (disk_fixture_random(seed) % 8) {
    case 0:
        disk_fixture_eject(machine, "floppy1");
        break;
    case 1:
        ck_assert(disk_fixture_change(machine, "floppy1", "b.img"));
        break;
    case 2:
        ck_assert(disk_fixture_change(machine, "ide1-cd0",
                                      disk_fixture_random(seed) % 2 ? "cd.img" : "cd2.img"));
        break;
    default:
        disk_fixture_write(machine, drives[disk_fixture_random(seed) % 4], seed);
    }
}

START_TEST(states_come_back_in_any_order) {
    uint64_t seed = 0xD15C0000u + (uint64_t)_i;
    Machine *machine = make_machine();
    Saved saved[STATES] = {{.hash = 0}};
    for (int i = 0; i < 200; i++) {
        Saved *one = &saved[disk_fixture_random(&seed) % STATES];
        unsigned what = (unsigned)(disk_fixture_random(&seed) % 10);
        if (what == 0)
            save(machine, one);
        else if (what == 1 && one->bytes.size != 0)
            expect_load(machine, one);
        else
            change_something(machine, &seed);
    }
    Machine *other = make_machine();
    for (int i = 0; i < STATES; i++)
        if (saved[i].bytes.size != 0)
            expect_load(other, &saved[i]);
    machine_destroy(machine);
    machine_destroy(other);
    for (int i = 0; i < STATES; i++)
        byte_buffer_free(&saved[i].bytes);
}
END_TEST

/* A container that keeps equal units once and knows them by number. */
typedef struct Container {
    uint8_t units[64][DISK_STATE_UNIT_BYTES];
    unsigned count, references;
} Container;

static bool put(void *opaque, const uint8_t *unit, uint64_t *reference, Error *error) {
    Container *container = opaque;
    for (*reference = 0; *reference < container->count; ++*reference)
        if (memcmp(container->units[*reference], unit, DISK_STATE_UNIT_BYTES) == 0)
            return true;
    if (container->count == 64)
        return error_set(error, "the container is full");
    memcpy(container->units[container->count++], unit, DISK_STATE_UNIT_BYTES);
    return true;
}

static bool get(void *opaque, uint64_t reference, uint8_t *unit, Error *error) {
    Container *container = opaque;
    if (reference >= container->count)
        return error_set(error, "there is no such unit");
    memcpy(unit, container->units[reference], DISK_STATE_UNIT_BYTES);
    return true;
}

static bool count_reference(void *opaque, uint64_t reference) {
    Container *container = opaque;
    container->references++;
    return reference < container->count;
}

START_TEST(a_container_keeps_the_contents) {
    Machine *machine = make_machine();
    Container *container = calloc(1, sizeof(*container));
    DiskUnitSink sink = {.put = put, .opaque = container};
    DiskUnitSource source = {.get = get, .opaque = container};
    uint8_t data[40960];
    memset(data, 0x77, sizeof(data));
    ck_assert(
        block_write(disk_fixture_medium(machine, "ide0-hd0"), 4096, data, sizeof(data), NULL));
    ck_assert(block_write(disk_fixture_medium(machine, "floppy0"), 512, data, 512, NULL));
    uint64_t hash = disk_fixture_hash_all(machine);
    ByteBuffer bytes = {.data = NULL};
    ck_assert(disk_state_save(machine, &bytes, &sink, NULL));
    ck_assert_uint_eq(container->count, 2); /* the disk's ten are equal */
    ByteReader reader = {.data = bytes.data, .size = bytes.size};
    ck_assert(disk_state_each_reference(&reader, count_reference, container));
    ck_assert_uint_eq(container->references, 11);
    Machine *other = make_machine();
    reader = (ByteReader){.data = bytes.data, .size = bytes.size};
    ck_assert(disk_state_load(other, &reader, &source, NULL));
    ck_assert_uint_eq(disk_fixture_hash_all(other), hash);
    container->count = 1;
    reader = (ByteReader){.data = bytes.data, .size = bytes.size};
    ck_assert(!disk_state_load(machine, &reader, &source, NULL));
    byte_buffer_free(&bytes);
    free(container);
    machine_destroy(machine);
    machine_destroy(other);
}
END_TEST

START_TEST(other_images_are_refused) {
    uint64_t seed = 0xBAD;
    Machine *machine = make_machine();
    Saved saved = {.hash = 0};
    disk_fixture_make_image("c.img", FLOPPY_BYTES, 9);
    ck_assert(disk_fixture_change(machine, "floppy1", "c.img"));
    for (int i = 0; i < 10; i++)
        disk_fixture_write(machine, drives[i % 4], &seed);
    save(machine, &saved);
    disk_fixture_eject(machine, "floppy1");
    expect_load(machine, &saved);
    disk_fixture_eject(machine, "floppy1");
    disk_fixture_write(machine, "ide0-hd0", &seed);
    const char *path = disk_fixture_path("c.img");
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    expect_refusal(machine, &saved, "c.img: was changed");
    ck_assert_int_eq(truncate(path, 100000), 0);
    expect_refusal(machine, &saved, "100000");
    unlink(path);
    expect_refusal(machine, &saved, "No such file");
    expect_refusal(machine, &saved, "floppy1");
    MachineConfig config;
    disk_fixture_config(&config, true);
    config.floppy[1].present = false;
    Machine *other = disk_fixture_machine(&config);
    expect_refusal(other, &saved, "floppy1");
    machine_destroy(other);
    disk_fixture_config(&config, false);
    machine_destroy(machine);
    other = disk_fixture_machine(&config);
    expect_refusal(other, &saved, "snapshot=on");
    machine_destroy(other);
    byte_buffer_free(&saved.bytes);
}
END_TEST

/* The image that is in the drive is taken where the saved path leads nowhere. */
START_TEST(moved_images_are_found_in_their_drive) {
    uint64_t seed = 0xA11CE;
    Machine *machine = make_machine();
    Saved saved = {.hash = 0};
    disk_fixture_write(machine, "floppy0", &seed);
    save(machine, &saved);
    machine_destroy(machine);
    char folder[256], moved[300];
    snprintf(folder, sizeof(folder), "%s.d", disk_fixture_path("disk.img"));
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    snprintf(moved, sizeof(moved), "%s/a.img", folder);
    ck_assert_int_eq(rename(disk_fixture_path("a.img"), moved), 0);
    MachineConfig config;
    disk_fixture_config(&config, true); /* makes another a.img, which is not meant */
    config.floppy[0].file = moved;
    machine = disk_fixture_machine(&config);
    expect_load(machine, &saved);
    ck_assert_str_eq(block_path(disk_fixture_medium(machine, "floppy0")), moved);
    machine_destroy(machine);
    unlink(moved);
    rmdir(folder);
    byte_buffer_free(&saved.bytes);
}
END_TEST

START_TEST(damaged_bytes_change_nothing) {
    uint64_t seed = 0xDA3A6E;
    Machine *machine = make_machine();
    Saved saved = {.hash = 0};
    disk_fixture_write(machine, "floppy0", &seed);
    disk_fixture_write(machine, "ide0-hd0", &seed);
    save(machine, &saved);
    disk_fixture_write(machine, "floppy0", &seed);
    uint64_t hash = disk_fixture_hash_all(machine);
    ByteBuffer whole = saved.bytes;
    for (int i = 0; i < 150; i++) {
        saved.bytes.size = disk_fixture_random(&seed) % whole.size;
        ck_assert(!load(machine, &saved, NULL));
        ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    }
    saved.bytes.size = whole.size;
    for (int i = 0; i < 600; i++) {
        size_t at = (size_t)(disk_fixture_random(&seed) % (i % 3 ? 400 : whole.size));
        uint8_t right = whole.data[at];
        whole.data[at] = (uint8_t)disk_fixture_random(&seed);
        if (!load(machine, &saved, NULL))
            ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
        whole.data[at] = right;
        hash = disk_fixture_hash_all(machine);
    }
    expect_load(machine, &saved);
    machine_destroy(machine);
    byte_buffer_free(&whole);
}
END_TEST

int main(void) {
    disk_fixture_start();
    Suite *suite = suite_create("disk state");
    TCase *tests = tcase_create("disk state");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, states_come_back_in_any_order, 0, 4);
    tcase_add_test(tests, a_container_keeps_the_contents);
    tcase_add_test(tests, other_images_are_refused);
    tcase_add_test(tests, damaged_bytes_change_nothing);
    tcase_add_test(tests, moved_images_are_found_in_their_drive);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    disk_fixture_clear();
    return status;
}

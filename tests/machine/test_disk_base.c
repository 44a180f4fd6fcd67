/* Disks of clones: all start with what the base held, and none sees what another writes. */
#include "disk_base.h"
#include "disk_fixture.h"
#include "piix3_ide.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

#define CLONES 4

static const char *const drives[] = {"ide0-hd0", "floppy0", "floppy1"};

static Machine *make_clone(MachineConfig config, const DiskBase *base) {
    config.disks = base;
    return disk_fixture_machine(&config);
}

static void write_all(Machine *machine, uint64_t *seed, int times) {
    for (int i = 0; i < times; i++)
        disk_fixture_write(machine, drives[i % 3], seed);
}

START_TEST(clones_share_and_are_apart) {
    MachineConfig config;
    uint64_t seed = 0x5EED0001u;
    disk_fixture_config(&config, true);
    Machine *parent = disk_fixture_machine(&config);
    ck_assert(disk_fixture_change(parent, "floppy1", "b.img"));
    ck_assert(disk_fixture_change(parent, "ide1-cd0", "cd2.img"));
    Machine *clones[CLONES];
    DiskBase *bases[16];
    uint64_t hashes[16];
    /* More generations than an overlay has layers. */
    for (int i = 0; i < 16; i++) {
        write_all(parent, &seed, 6);
        hashes[i] = disk_fixture_hash_all(parent);
        bases[i] = disk_base_create(parent, NULL);
        ck_assert_ptr_nonnull(bases[i]);
    }
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < CLONES; j++) {
            clones[j] = make_clone(config, bases[i]);
            ck_assert_uint_eq(disk_fixture_hash_all(clones[j]), hashes[i]);
            write_all(clones[j], &seed, 3);
        }
        uint64_t before = disk_fixture_hash_all(clones[1]);
        ck_assert_uint_ne(before, hashes[i]);
        write_all(clones[0], &seed, 9);
        write_all(parent, &seed, 9);
        ck_assert_uint_eq(disk_fixture_hash_all(clones[1]), before);
        for (int j = 0; j < CLONES; j++)
            machine_destroy(clones[j]);
    }
    machine_destroy(parent);
    Machine *late = make_clone(config, bases[3]);
    for (int i = 0; i < 16; i++)
        disk_base_free(bases[i]);
    ck_assert_uint_eq(disk_fixture_hash_all(late), hashes[3]);
    machine_destroy(late);
}
END_TEST

/* A partition table that the guest wrote meanwhile does not change the disk that it knows. */
START_TEST(clones_keep_the_geometry) {
    MachineConfig config;
    disk_fixture_config(&config, true);
    Machine *parent = disk_fixture_machine(&config);
    IdeGeometry geometry = ide_channel_geometry(piix3_ide_channel(parent->board.ide, 0), 0);
    uint8_t record[512] = {0};
    record[0x1BE + 4] = 6;
    record[0x1BE + 5] = 3;  /* head 3 of 4 */
    record[0x1BE + 6] = 17; /* sector 17 */
    record[0x1BE + 8] = 17;
    record[0x1BE + 12] = 100;
    record[510] = 0x55;
    record[511] = 0xAA;
    ck_assert(block_write(disk_fixture_medium(parent, "ide0-hd0"), 0, record, 512, NULL));
    DiskBase *base = disk_base_create(parent, NULL);
    Machine *clone = make_clone(config, base);
    IdeGeometry found = ide_channel_geometry(piix3_ide_channel(clone->board.ide, 0), 0);
    ck_assert_mem_eq(&found, &geometry, sizeof(geometry));
    disk_base_free(base);
    machine_destroy(clone);
    machine_destroy(parent);
}
END_TEST

START_TEST(images_written_straight_are_refused) {
    MachineConfig config;
    disk_fixture_config(&config, false);
    Machine *machine = disk_fixture_machine(&config);
    Error error = {0};
    ck_assert_ptr_null(disk_base_create(machine, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "snapshot=on"));
    ck_assert_ptr_nonnull(strstr(error.message, "a.img"));
    machine_destroy(machine);
}
END_TEST

int main(void) {
    disk_fixture_start();
    Suite *suite = suite_create("disk base");
    TCase *tests = tcase_create("disk base");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, clones_share_and_are_apart);
    tcase_add_test(tests, clones_keep_the_geometry);
    tcase_add_test(tests, images_written_straight_are_refused);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    disk_fixture_clear();
    return status;
}

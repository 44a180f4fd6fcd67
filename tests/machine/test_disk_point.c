/* Disks in checkpoints: contents and media come back, in any order, whatever the guest wrote and
 * whoever changed the media since. */
#include "disk_fixture.h"
#include "disk_point.h"
#include "i82077.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

#define POINTS 8

typedef struct Known {
    DiskPoint *point;
    uint64_t hash;
    BlockNode *media[BOARD_DRIVES];
} Known;

static Machine *make_machine(bool snapshot) {
    MachineConfig config;
    disk_fixture_config(&config, snapshot);
    return disk_fixture_machine(&config);
}

static void change_something(Machine *machine, uint64_t *seed) {
    static const char *const floppies[] = {"floppy0", "floppy1"};
    const char *floppy = floppies[disk_fixture_random(seed) % 2];
    switch (disk_fixture_random(seed) % 12) {
    case 0:
        disk_fixture_eject(machine, floppy);
        break;
    case 1: /* refused where the image is in the other drive and written straight */
        (void)disk_fixture_change(machine, floppy,
                                  disk_fixture_random(seed) % 2 ? "a.img" : "b.img");
        break;
    case 2:
        ck_assert(disk_fixture_change(machine, "ide1-cd0",
                                      disk_fixture_random(seed) % 2 ? "cd.img" : "cd2.img"));
        break;
    case 3:
        disk_fixture_eject(machine, "ide1-cd0");
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        disk_fixture_write(machine, floppy, seed);
        break;
    default:
        disk_fixture_write(machine, "ide0-hd0", seed);
    }
}

static void take(Machine *machine, Known *known) {
    known->point = disk_point_take(machine, NULL);
    known->hash = disk_fixture_hash_all(machine);
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        known->media[i] = machine->board.drive[i].medium;
}

static void give_back(Machine *machine, const Known *known) {
    Error error = {0};
    ck_assert_msg(disk_point_return(machine, known->point, &error), "%s", error.message);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), known->hash);
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        ck_assert_ptr_eq(machine->board.drive[i].medium, known->media[i]);
}

static void compare_with_what_was_known(bool snapshot, uint64_t seed) {
    Machine *machine = make_machine(snapshot);
    Known known[POINTS] = {{0}};
    for (int i = 0; i < 400; i++) {
        Known *one = &known[disk_fixture_random(&seed) % POINTS];
        unsigned what = (unsigned)(disk_fixture_random(&seed) % 16);
        if (what == 0 && one->point == NULL) {
            take(machine, one);
        } else if (what == 1 && one->point != NULL) {
            give_back(machine, one);
        } else if (what == 2) {
            disk_point_free(one->point);
            one->point = NULL;
        } else {
            change_something(machine, &seed);
        }
    }
    for (int i = 0; i < POINTS; i++)
        if (known[i].point != NULL)
            give_back(machine, &known[i]);
    for (int i = 0; i < POINTS / 2; i++)
        disk_point_free(known[i].point);
    machine_destroy(machine);
    for (int i = POINTS / 2; i < POINTS; i++)
        disk_point_free(known[i].point);
}

START_TEST(overlays_and_media_come_back) {
    compare_with_what_was_known(true, 0xABCDEF01u + (uint64_t)_i);
}
END_TEST

START_TEST(image_files_and_media_come_back) {
    compare_with_what_was_known(false, 0x10FEDCBAu + (uint64_t)_i);
}
END_TEST

/* An image that is written straight is locked while a checkpoint knows it; who puts it in again
 * gets the same medium. */
START_TEST(kept_image_can_be_put_in_again) {
    Machine *machine = make_machine(false);
    BlockNode *medium = disk_fixture_medium(machine, "floppy0");
    DiskPoint *point = disk_point_take(machine, NULL);
    disk_fixture_eject(machine, "floppy0");
    ck_assert(disk_fixture_change(machine, "floppy1", "a.img"));
    ck_assert_ptr_eq(disk_fixture_medium(machine, "floppy1"), medium);
    ck_assert(!disk_fixture_change(machine, "floppy0", "a.img")); /* it is in the other drive */
    disk_point_free(point);
    disk_fixture_eject(machine, "floppy1");
    ck_assert(disk_fixture_change(machine, "floppy0", "a.img"));
    machine_destroy(machine);
}
END_TEST

/* The guest learns nothing of a return but what its State says. */
START_TEST(devices_see_no_change) {
    Machine *machine = make_machine(true);
    DiskPoint *point = disk_point_take(machine, NULL);
    ck_assert(disk_fixture_change(machine, "ide1-cd0", "cd2.img"));
    disk_fixture_eject(machine, "floppy0");
    uint64_t hash = device_list_hash(&machine->devices);
    ck_assert(disk_point_return(machine, point, NULL));
    ck_assert_uint_eq(device_list_hash(&machine->devices), hash);
    ck_assert_ptr_eq(i82077_media(machine->board.floppy, 0),
                     disk_fixture_medium(machine, "floppy0"));
    ck_assert_ptr_nonnull(disk_fixture_medium(machine, "floppy0"));
    disk_point_free(point);
    machine_destroy(machine);
}
END_TEST

int main(void) {
    disk_fixture_start();
    Suite *suite = suite_create("disk points");
    TCase *tests = tcase_create("disk points");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, overlays_and_media_come_back, 0, 4);
    tcase_add_loop_test(tests, image_files_and_media_come_back, 0, 4);
    tcase_add_test(tests, kept_image_can_be_put_in_again);
    tcase_add_test(tests, devices_see_no_change);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    disk_fixture_clear();
    return status;
}

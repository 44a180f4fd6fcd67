/* An image is known again by name, size and time, also where another system wrote these down. */
#include "disk_identity.h"
#include "suite_run.h"
#include <check.h>

#define CHANGED_NS 1700000000123456789

static const DiskIdentity here = {
    .path = "/images/dos.img", .format = "raw", .bytes = 1474560, .changed_ns = CHANGED_NS};

START_TEST(folder_does_not_matter) {
    DiskIdentity moved = {.path = "/elsewhere/dos.img", .bytes = 1474560, .changed_ns = CHANGED_NS};
    DiskIdentity renamed = {.path = "/images/a\\dos.img", .bytes = 1474560};
    renamed.changed_ns = CHANGED_NS;
    ck_assert(disk_identity_equal(&here, &moved));
    ck_assert(!disk_identity_equal(&here, &renamed));
}
END_TEST

START_TEST(windows_writes_its_own_paths_and_times) {
    DiskIdentity windows = {.path = "Z:\\images\\dos.img", .format = "raw", .bytes = 1474560};
    windows.changed_ns = CHANGED_NS - CHANGED_NS % 100;
    ck_assert(disk_identity_equal(&here, &windows));
    ck_assert(disk_identity_equal(&windows, &here));
    ck_assert(disk_identity_check(&windows, &here, NULL));
}
END_TEST

START_TEST(another_image_is_noticed) {
    DiskIdentity written = here, longer = here;
    Error error = {.set = false};
    written.changed_ns += 100;
    longer.bytes++;
    ck_assert(!disk_identity_equal(&here, &written));
    ck_assert(!disk_identity_check(&here, &written, &error));
    error = (Error){.set = false};
    ck_assert(!disk_identity_equal(&here, &longer));
    ck_assert(!disk_identity_check(&here, &longer, &error));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("disk identity");
    TCase *tests = tcase_create("disk identity");
    tcase_add_test(tests, folder_does_not_matter);
    tcase_add_test(tests, windows_writes_its_own_paths_and_times);
    tcase_add_test(tests, another_image_is_noticed);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

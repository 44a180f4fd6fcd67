/* The incremental hash of RAM equals the full one, whoever stores. */
#include "ram_hash.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

#define RAM_BYTES (4u << 20)

static PhysicalMap *map;
static RamHash hash;

static void set_up(void) {
    map = physical_map_create(RAM_BYTES, NULL);
    ck_assert_ptr_nonnull(map);
    ck_assert(ram_hash_init(&hash, map, NULL));
}

static void tear_down(void) {
    ram_hash_destroy(&hash);
    physical_map_destroy(map);
}

START_TEST(follows_stores) {
    uint64_t before = ram_hash_update(&hash);
    ck_assert_uint_eq(before, ram_hash_compute(map));
    physical_write(map, 0x1234, 4, 0xDEADBEEF);
    uint8_t block[3 * PAGE_SIZE];
    memset(block, 0x5A, sizeof(block));
    physical_write_bytes(map, 0x200FF0, block, sizeof(block));
    uint64_t after = ram_hash_update(&hash);
    ck_assert_uint_ne(after, before);
    ck_assert_uint_eq(after, ram_hash_compute(map));
}
END_TEST

START_TEST(returns_when_content_does) {
    uint64_t before = ram_hash_update(&hash);
    physical_write(map, 0x5000, 1, 1);
    ck_assert_uint_ne(ram_hash_update(&hash), before);
    physical_write(map, 0x5000, 1, 0);
    ck_assert_uint_eq(ram_hash_update(&hash), before);
}
END_TEST

START_TEST(pages_are_told_apart) {
    physical_write(map, 0x5000, 1, 1);
    uint64_t one = ram_hash_update(&hash);
    physical_write(map, 0x5000, 1, 0);
    physical_write(map, 0x6000, 1, 1);
    ck_assert_uint_ne(ram_hash_update(&hash), one);
}
END_TEST

START_TEST(covers_all_regions) {
    PhysicalMap *other = physical_map_create(RAM_BYTES, NULL);
    const GuestRegion *region = physical_map_add_region(other, "frame", 0x4000, NULL);
    ck_assert_ptr_nonnull(region);
    physical_map_add_memory(other, 0xE0000000, 0x4000, region->host, region->flags, true);
    RamHash both;
    ck_assert(ram_hash_init(&both, other, NULL));
    uint64_t before = ram_hash_update(&both);
    physical_write(other, 0xE0003000, 4, 0x12345678);
    ck_assert_uint_ne(ram_hash_update(&both), before);
    ck_assert_uint_eq(ram_hash_update(&both), ram_hash_compute(other));
    physical_write(other, 0xE0003000, 4, 0);
    ck_assert_uint_eq(ram_hash_update(&both), before);
    ram_hash_destroy(&both);
    physical_map_destroy(other);
}
END_TEST

START_TEST(only_dirty_pages_are_hashed_again) {
    ram_hash_update(&hash);
    uint64_t before = ram_hash_update(&hash);
    physical_map_ram(map)[0x7000] = 1; /* behind the flags */
    ck_assert_uint_eq(ram_hash_update(&hash), before);
    ram_hash_forget(&hash);
    ck_assert_uint_eq(ram_hash_update(&hash), ram_hash_compute(map));
    ck_assert_uint_ne(ram_hash_update(&hash), before);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ram_hash");
    TCase *tests = tcase_create("ram_hash");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, follows_stores);
    tcase_add_test(tests, returns_when_content_does);
    tcase_add_test(tests, pages_are_told_apart);
    tcase_add_test(tests, covers_all_regions);
    tcase_add_test(tests, only_dirty_pages_are_hashed_again);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Versions of guest memory against full copies of it, at random. */
#include "page_history.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

enum { RAM_PAGES = 40, FRAME_PAGES = 6, PAGES = RAM_PAGES + FRAME_PAGES, VERSIONS = 12 };
#define FRAME_BASE 0xE0000000u

static PhysicalMap *map;
static PageHistory *history;
static uint64_t seed;

static uint32_t random_below(uint32_t bound) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

static void set_up(void) {
    map = physical_map_create(RAM_PAGES * PAGE_SIZE, NULL);
    const GuestRegion *frame = physical_map_add_region(map, "frame", FRAME_PAGES * PAGE_SIZE, NULL);
    physical_map_add_memory(map, FRAME_BASE, FRAME_PAGES * PAGE_SIZE, frame->host, frame->flags,
                            true);
    history = page_history_create(map, NULL);
    ck_assert_ptr_nonnull(history);
}

static void tear_down(void) {
    page_history_destroy(history);
    physical_map_destroy(map);
}

static uint32_t address_of(uint32_t page) {
    return page < RAM_PAGES ? page * PAGE_SIZE : FRAME_BASE + (page - RAM_PAGES) * PAGE_SIZE;
}

/* A whole memory, by one word a page: the tests write no others. */
typedef struct Copy {
    PageVersion *version;
    uint32_t word[PAGES];
} Copy;

static void read_memory(uint32_t *word) {
    for (uint32_t page = 0; page < PAGES; page++)
        word[page] = (uint32_t)physical_read(map, address_of(page), 4);
}

static void expect_memory(const uint32_t *word, int round) {
    for (uint32_t page = 0; page < PAGES; page++)
        if (physical_read(map, address_of(page), 4) != word[page])
            ck_abort_msg("round %d: page %u holds %llX, not %X", round, page,
                         (unsigned long long)physical_read(map, address_of(page), 4), word[page]);
}

static void write_some(void) {
    uint32_t stores = random_below(12);
    for (uint32_t i = 0; i < stores; i++)
        physical_write(map, address_of(random_below(PAGES)), 4, random_below(1000));
}

static void walk(uint32_t versions, int rounds) {
    Copy copies[VERSIONS] = {{.version = NULL}};
    for (int round = 0; round < rounds; round++) {
        Copy *copy = &copies[random_below(versions)];
        write_some();
        if (copy->version == NULL) {
            copy->version = page_history_take(history);
            read_memory(copy->word);
        } else if (random_below(3) == 0) {
            uint32_t word[PAGES];
            read_memory(word);
            page_history_forget(history, copy->version);
            copy->version = NULL;
            expect_memory(word, round);
        } else {
            page_history_return(history, copy->version);
            expect_memory(copy->word, round);
        }
    }
    for (int i = 0; i < VERSIONS; i++)
        if (copies[i].version != NULL)
            page_history_forget(history, copies[i].version);
    ck_assert_uint_eq(page_history_kept(history), 0);
}
START_TEST(random_walks_over_versions) {
    walk(VERSIONS, 20000);
}
END_TEST

/* Whenever the only one goes, nothing is watched until the next. */
START_TEST(random_walks_over_few_versions) {
    for (uint32_t versions = 1; versions <= 3; versions++)
        walk(versions, 5000);
}
END_TEST

START_TEST(coming_back_again_costs_what_changed) {
    PageVersion *version = page_history_take(history);
    for (uint32_t i = 0; i < 10; i++)
        physical_write(map, i * PAGE_SIZE, 4, 1);
    ck_assert_uint_eq(page_history_changed(history), 10);
    page_history_return(history, version);
    ck_assert_uint_eq(page_history_changed(history), 0);
    physical_write(map, 3 * PAGE_SIZE, 4, 1);
    physical_write(map, 3 * PAGE_SIZE + 8, 4, 1);
    ck_assert_uint_eq(page_history_changed(history), 1);
    ck_assert_uint_eq(page_history_kept(history), 10);
    page_history_return(history, version);
    ck_assert_uint_eq(physical_read(map, 3 * PAGE_SIZE, 4), 0);
}
END_TEST

static char told[256];

static void on_code_changes(void *opaque, uint32_t address, uint32_t size) {
    (void)opaque;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%X+%X ", address, size);
}

/* Only the bytes that differ count as changed: a loop over a checkpoint keeps its translations. */
START_TEST(code_is_told_by_what_differs) {
    const PhysicalMapHooks hooks = {.code_changes = on_code_changes};
    PageVersion *version = page_history_take(history);
    physical_write(map, 5 * PAGE_SIZE + 0x82, 4, 1);
    physical_write(map, 6 * PAGE_SIZE + 0x82, 4, 1);
    physical_write(map, FRAME_BASE + PAGE_SIZE, 4, 1);
    physical_map_ram_flags(map)[5] |= PAGE_CODE;
    *physical_map_page(map, (FRAME_BASE >> PAGE_BITS) + 1).flags |= PAGE_CODE;
    physical_map_add_hooks(map, &hooks);
    told[0] = 0;
    page_history_return(history, version);
    ck_assert_str_eq(told, "5080+40 E0001000+1000 ");
    told[0] = 0;
    page_history_return(history, version);
    ck_assert_str_eq(told, "");
}
END_TEST

int main(void) {
    seed = 1;
    TCase *tests = tcase_create("page_history");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, random_walks_over_versions);
    tcase_add_test(tests, random_walks_over_few_versions);
    tcase_add_test(tests, coming_back_again_costs_what_changed);
    tcase_add_test(tests, code_is_told_by_what_differs);
    Suite *suite = suite_create("page_history");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

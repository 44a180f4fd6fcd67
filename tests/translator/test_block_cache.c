/* The block cache alone: which blocks die when bytes change, against a model, and pages with very
 * many blocks. */
#include "block_cache.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum {
    RAM_BYTES = 1 << 20,
    FIRST_PAGE = 16,
    PAGES = 3,
    BLOCKS = 600,
    ROUNDS = 400,
    CROWD = 60000,
};

static PhysicalMap *map;
static BlockCache *cache;

static void no_unlink(void *opaque, BlockLink *link) {
    (void)opaque;
    (void)link;
}

static void create_cache(void) {
    Error error;
    map = physical_map_create(RAM_BYTES, &error);
    ck_assert_ptr_nonnull(map);
    cache = block_cache_create(map, &(BlockCacheHooks){.unlink = no_unlink}, &error);
    ck_assert_ptr_nonnull(cache);
}

static void destroy_cache(void) {
    block_cache_destroy(cache);
    physical_map_destroy(map);
}

/* What a block was made of; lives: as far as the model knows. */
typedef struct ModelBlock {
    BlockKey key;
    uint32_t size;
    bool lives;
} ModelBlock;

static uint32_t random_below(uint32_t limit) {
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

/* EIP is a number of its own for each, so that none has the key of another. A block that would run
 * over its page's end ends on some page, this one too. */
static ModelBlock add_block(uint32_t physical, uint32_t size, uint32_t number, uint32_t second) {
    ModelBlock model = {.key = {.physical = physical, .eip = number, .context = 1}, .size = size};
    if ((physical & PAGE_OFFSET_MASK) + size > PAGE_SIZE)
        model.key.second_page = second + 1;
    model.lives = block_cache_add(cache, &model.key, size, 0, NULL) != NULL;
    return model;
}

static ModelBlock add_random_block(uint32_t number) {
    uint32_t offset =
        random_below(8) == 0 ? PAGE_SIZE - 1 - random_below(14) : random_below(PAGE_SIZE - 64);
    uint32_t physical = (FIRST_PAGE + random_below(PAGES)) << PAGE_BITS | offset;
    uint32_t size = offset > PAGE_SIZE - 15 ? 1 + random_below(15) : 1 + random_below(64);
    return add_block(physical, size, number, FIRST_PAGE + random_below(PAGES));
}

static bool meets(const ModelBlock *model, uint32_t physical, uint32_t size) {
    for (uint32_t i = 0; i < model->size; i++) {
        uint32_t offset = (model->key.physical & PAGE_OFFSET_MASK) + i;
        uint32_t byte = offset < PAGE_SIZE
                            ? model->key.physical + i
                            : ((model->key.second_page - 1) << PAGE_BITS | (offset - PAGE_SIZE));
        if (byte - physical < size)
            return true;
    }
    return false;
}

static bool page_has_flag(uint32_t page) {
    return (*physical_map_page(map, page).flags & PAGE_CODE) != 0;
}

static bool page_has_blocks(const ModelBlock *model, uint32_t page) {
    for (unsigned i = 0; i < BLOCKS; i++)
        if (model[i].lives && meets(&model[i], page << PAGE_BITS, PAGE_SIZE))
            return true;
    return false;
}

START_TEST(stores_kill_the_blocks_they_meet) {
    static ModelBlock model[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++)
        model[i] = add_random_block(i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t physical = (FIRST_PAGE << PAGE_BITS) + random_below((PAGES << PAGE_BITS) - 8);
        uint32_t size = 1 + random_below(8), to_end = PAGE_SIZE - (physical & PAGE_OFFSET_MASK);
        if (size > to_end)
            size = to_end;
        bool expected = false;
        for (unsigned i = 0; i < BLOCKS; i++)
            expected |= model[i].lives && meets(&model[i], physical, size);
        ck_assert(!expected || block_cache_holds_code(cache, physical, size));
        ck_assert_int_eq(block_cache_invalidate(cache, physical, size), expected);
        for (unsigned i = 0; i < BLOCKS; i++) {
            model[i].lives = model[i].lives && !meets(&model[i], physical, size);
            ck_assert_int_eq(block_cache_find(cache, &model[i].key) != NULL, model[i].lives);
        }
        for (uint32_t page = FIRST_PAGE; page < FIRST_PAGE + PAGES; page++)
            ck_assert_int_eq(page_has_flag(page), page_has_blocks(model, page));
        ck_assert(!block_cache_holds_code(cache, physical, size));
        block_cache_free_dead(cache);
    }
}
END_TEST

/* As a guest makes them that runs the same code by ever other segments and then overwrites it: in
 * no time that grows with their square. */
START_TEST(a_crowded_page_takes_stores) {
    const uint32_t page = FIRST_PAGE << PAGE_BITS;
    for (uint32_t i = 0; i < CROWD; i++) {
        add_block(page + 2 * (i % 1024), 2, 3 * i, 0);
        add_block(page + PAGE_SIZE - 1, 2, 3 * i + 1, FIRST_PAGE + 1 + i % 2);
        add_block(page - 1, 2, 3 * i + 2, FIRST_PAGE);
    }
    add_block(page + 2 * PAGE_SIZE + 16, 4, UINT32_MAX, 0);
    ck_assert_uint_eq(block_cache_block_count(cache), 3 * CROWD + 1);
    for (uint32_t offset = 0; offset < PAGE_SIZE; offset += 2)
        block_cache_invalidate(cache, page + offset, 2);
    ck_assert_uint_eq(block_cache_block_count(cache), 1);
    ck_assert(!page_has_flag(FIRST_PAGE - 1));
    ck_assert(!page_has_flag(FIRST_PAGE));
    ck_assert(!page_has_flag(FIRST_PAGE + 1));
    ck_assert(page_has_flag(FIRST_PAGE + 2));
    ck_assert(!block_cache_invalidate(cache, page + 2 * PAGE_SIZE, 16));
    ck_assert(!block_cache_holds_code(cache, page + 2 * PAGE_SIZE, 16));
    ck_assert(block_cache_holds_code(cache, page + 2 * PAGE_SIZE + 16, 1));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("block_cache");
    TCase *tests = tcase_create("block_cache");
    tcase_add_checked_fixture(tests, create_cache, destroy_cache);
    tcase_add_test(tests, stores_kill_the_blocks_they_meet);
    tcase_add_test(tests, a_crowded_page_takes_stores);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Points of a node against a plain model: whatever is written, returned to and freed in whatever
 * order, every point that is left is what the node held when it was taken. */
#include "block_history.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_BYTES 333333u
#define LARGEST_BYTES 500000u
#define POINTS 12

static char path[] = "/tmp/reprise-history-XXXXXX";

typedef struct Contents {
    uint8_t bytes[LARGEST_BYTES]; /* zeros after the length */
    uint64_t length;
} Contents;

typedef struct Model {
    Contents present;
    Contents at[POINTS];
    BlockPoint *points[POINTS];
} Model;

static uint64_t random_number(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static BlockNode *open_image(size_t size, bool snapshot) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++)
        fputc((int)(i * 13 >> 3 & 0xFF), file);
    fclose(file);
    Error error = {0};
    BlockNode *node =
        block_open(&(BlockOptions){.path = path, .format = "raw", .snapshot = snapshot}, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

static void read_contents(BlockNode *node, Contents *contents) {
    contents->length = block_length(node);
    ck_assert_uint_le(contents->length, LARGEST_BYTES);
    ck_assert(block_read(node, 0, contents->bytes, LARGEST_BYTES, NULL));
}

static void expect_contents(BlockNode *node, const Contents *expected) {
    static Contents found;
    read_contents(node, &found);
    ck_assert_uint_eq(found.length, expected->length);
    ck_assert(memcmp(found.bytes, expected->bytes, LARGEST_BYTES) == 0);
}

static void write_somewhere(BlockNode *node, Model *model, uint64_t *seed) {
    static uint8_t data[30000];
    bool grows = random_number(seed) % 8 == 0;
    size_t size = 1 + random_number(seed) % (random_number(seed) % 4 == 0 ? sizeof(data) : 600);
    uint64_t offset = random_number(seed) % ((grows ? LARGEST_BYTES : IMAGE_BYTES) - size);
    memset(data, (int)random_number(seed), size);
    ck_assert(block_write(node, offset, data, size, NULL));
    memcpy(model->present.bytes + offset, data, size);
    if (offset + size > model->present.length)
        model->present.length = offset + size;
}

static void do_something(BlockNode *node, Model *model, uint64_t *seed) {
    unsigned index = (unsigned)(random_number(seed) % POINTS);
    BlockPoint **point = &model->points[index];
    switch (random_number(seed) % 6) {
    case 0:
        if (*point == NULL) {
            *point = block_point_take(node);
            model->at[index] = model->present;
        }
        break;
    case 1:
        if (*point != NULL) {
            ck_assert(block_point_return(*point, NULL));
            model->present = model->at[index];
            expect_contents(node, &model->present);
        }
        break;
    case 2:
        if (random_number(seed) % 2) {
            block_point_free(*point);
            *point = NULL;
        }
        break;
    default:
        write_somewhere(node, model, seed);
    }
}

static void compare_with_model(bool snapshot, uint64_t seed) {
    BlockNode *node = open_image(IMAGE_BYTES, snapshot);
    Model *model = calloc(1, sizeof(*model));
    read_contents(node, &model->present);
    for (int i = 0; i < 1500; i++)
        do_something(node, model, &seed);
    expect_contents(node, &model->present);
    block_close(node); /* the points hold it open */
    for (unsigned i = 0; i < POINTS; i++) {
        if (model->points[i] == NULL)
            continue;
        ck_assert_ptr_eq(block_point_node(model->points[i]), node);
        ck_assert(block_point_return(model->points[i], NULL));
        expect_contents(node, &model->at[i]);
    }
    for (unsigned i = 0; i < POINTS; i++)
        block_point_free(model->points[i]);
    free(model);
}

START_TEST(overlays_agree_with_a_model) {
    compare_with_model(true, 0x1234567u + (uint64_t)_i * 7919);
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, IMAGE_BYTES);
}
END_TEST

START_TEST(image_files_agree_with_a_model) {
    compare_with_model(false, 0x89ABCDu + (uint64_t)_i * 7919);
}
END_TEST

/* More than the store has in memory, and back through two points. */
START_TEST(much_that_was_written_goes_to_a_file) {
    enum { SIZE = 24 << 20, STEP = 1 << 16 };
    BlockNode *node = open_image(SIZE, true);
    uint8_t *data = malloc(STEP), *back = malloc(STEP);
    BlockPoint *points[3];
    for (int round = 0; round < 3; round++) {
        points[round] = block_point_take(node);
        memset(data, 0x11 * (round + 1), STEP);
        for (uint64_t at = 0; at < SIZE; at += STEP)
            ck_assert(block_write(node, at, data, STEP, NULL));
    }
    static const int order[] = {1, 2, 0, 2, 1};
    for (int i = 0; i < 5; i++) {
        ck_assert(block_point_return(points[order[i]], NULL));
        for (uint64_t at = 0; at < SIZE; at += STEP) {
            for (int j = 0; j < STEP; j++)
                data[j] = order[i] == 0 ? (uint8_t)((at + (uint64_t)j) * 13 >> 3)
                                        : (uint8_t)(0x11 * order[i]);
            ck_assert(block_read(node, at, back, STEP, NULL));
            ck_assert(memcmp(data, back, STEP) == 0);
        }
    }
    block_point_free(points[1]);
    block_point_free(points[0]);
    block_point_free(points[2]);
    block_close(node);
    free(data);
    free(back);
}
END_TEST

/* A file that somebody cut meanwhile cannot be read: the return fails, and what it had already put
 * back is undone. */
START_TEST(failing_return_changes_nothing) {
    enum { SIZE = 64 * 4096 };
    BlockNode *node = open_image(SIZE, false);
    BlockPoint *point = block_point_take(node);
    uint8_t unit[4096], back[4096];
    for (int i = 0; i < 64; i++) {
        memset(unit, i, sizeof(unit));
        ck_assert(block_write(node, (uint64_t)i * 4096, unit, sizeof(unit), NULL));
    }
    ck_assert_int_eq(truncate(path, 63 * 4096), 0);
    Error error = {0};
    ck_assert(!block_point_return(point, &error));
    ck_assert_msg(strstr(error.message, "cut short") != NULL, "%s", error.message);
    for (int i = 0; i < 63; i++) {
        memset(unit, i, sizeof(unit));
        ck_assert(block_read(node, (uint64_t)i * 4096, back, sizeof(back), NULL));
        ck_assert_mem_eq(unit, back, sizeof(unit));
    }
    ck_assert_int_eq(truncate(path, SIZE), 0);
    ck_assert(block_point_return(point, NULL));
    ck_assert(block_read(node, 4096, back, sizeof(back), NULL));
    ck_assert_uint_eq(back[8], (uint8_t)((4096 + 8) * 13 >> 3));
    block_point_free(point);
    block_close(node);
}
END_TEST

int main(void) {
    int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    Suite *suite = suite_create("block history");
    TCase *tests = tcase_create("block history");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, overlays_agree_with_a_model, 0, 4);
    tcase_add_loop_test(tests, image_files_agree_with_a_model, 0, 4);
    tcase_add_test(tests, much_that_was_written_goes_to_a_file);
    tcase_add_test(tests, failing_return_changes_nothing);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    unlink(path);
    return status;
}

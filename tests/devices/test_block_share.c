/* Overlays that share layers: twins of one sealed node, made, written and closed by several threads
 * at once, each see the common past and their own writes. */
#include "block.h"
#include "suite_run.h"
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_BYTES 1000000u
#define THREADS 4
#define TWINS 6 /* of each thread, one after the other */

static char path[] = "/tmp/reprise-share-XXXXXX";
static BlockNode *sealed;
static uint8_t past[IMAGE_BYTES];

static uint64_t random_number(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Writes to the node and to the model of it. */
static bool write_somewhere(BlockNode *node, uint8_t *model, uint64_t *seed) {
    uint8_t data[3000];
    size_t size = 1 + random_number(seed) % sizeof(data);
    uint64_t offset = random_number(seed) % (IMAGE_BYTES - size);
    memset(data, (int)random_number(seed), size);
    memcpy(model + offset, data, size);
    return block_write(node, offset, data, size, NULL);
}

static bool holds(BlockNode *node, const uint8_t *model) {
    uint8_t *found = malloc(IMAGE_BYTES);
    bool good = block_length(node) == IMAGE_BYTES &&
                block_read(node, 0, found, IMAGE_BYTES, NULL) &&
                memcmp(found, model, IMAGE_BYTES) == 0;
    free(found);
    return good;
}

/* A twin's life; and one of a twin of the twin. */
static bool use_twin(uint64_t *seed) {
    uint8_t *model = malloc(IMAGE_BYTES), *inner_model = malloc(IMAGE_BYTES);
    memcpy(model, past, IMAGE_BYTES);
    BlockNode *twin = block_share(sealed, NULL);
    bool good = twin != NULL;
    for (int i = 0; i < 20 && good; i++)
        good = write_somewhere(twin, model, seed);
    BlockNode *inner = good ? block_share(twin, NULL) : NULL;
    memcpy(inner_model, model, IMAGE_BYTES);
    good = good && inner != NULL;
    for (int i = 0; i < 20 && good; i++)
        good = write_somewhere(twin, model, seed) && write_somewhere(inner, inner_model, seed);
    good = good && holds(twin, model) && holds(inner, inner_model);
    block_close(twin);
    good = good && holds(inner, inner_model);
    block_close(inner);
    free(model);
    free(inner_model);
    return good;
}

static void *use_twins(void *opaque) {
    uint64_t seed = (uint64_t)(uintptr_t)opaque * 0x9E3779B97F4A7C15ull + 1;
    for (int i = 0; i < TWINS; i++)
        if (!use_twin(&seed))
            return (void *)1;
    return NULL;
}

START_TEST(threads_share_one_past) {
    uint64_t seed = 0x5AA5;
    Error error = {0};
    ck_assert_int_eq(truncate(path, IMAGE_BYTES), 0);
    BlockNode *node =
        block_open(&(BlockOptions){.path = path, .format = "raw", .snapshot = true}, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    for (int i = 0; i < 30; i++)
        ck_assert(write_somewhere(node, past, &seed));
    sealed = block_share(node, &error);
    ck_assert_msg(sealed != NULL, "%s", error.message);
    block_close(node); /* the first one may go */
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_twins, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert(holds(sealed, past));
    block_close(sealed);
}
END_TEST

START_TEST(image_that_is_written_straight_is_not_shared) {
    Error error = {0};
    ck_assert_int_eq(truncate(path, IMAGE_BYTES), 0);
    BlockNode *node = block_open(&(BlockOptions){.path = path, .format = "raw"}, &error);
    ck_assert_ptr_null(block_share(node, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "snapshot=on"));
    block_close(node);
    node = block_open(&(BlockOptions){.path = path, .format = "raw", .read_only = true}, NULL);
    BlockNode *same = block_share(node, NULL);
    ck_assert_ptr_eq(same, node);
    block_close(node);
    uint8_t byte;
    ck_assert(block_read(same, 0, &byte, 1, NULL));
    block_close(same);
}
END_TEST

int main(void) {
    int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    Suite *suite = suite_create("block share");
    TCase *tests = tcase_create("block share");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, threads_share_one_past);
    tcase_add_test(tests, image_that_is_written_straight_is_not_shared);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    unlink(path);
    return status;
}

/* Samples add up, the hottest come first, and a crowd of cold ones does not push them out. */
#include "hot_blocks.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

START_TEST(hottest_come_first) {
    static HotBlocks blocks;
    ByteBuffer text = {0};
    memset(&blocks, 0, sizeof(blocks));
    for (unsigned i = 0; i < 5000; i++) {
        hot_blocks_add(&blocks, 0, 0x1000, 300);
        hot_blocks_add(&blocks, 0x10000, 0x20, 600);
        hot_blocks_add(&blocks, 0, 0x100000 + 4 * i, 100);
    }
    ck_assert_uint_eq(blocks.ns, 5000000);
    hot_blocks_print(&blocks, &text);
    const char *first = strstr((const char *)text.data, " 60.0 %  00010020  00010000:00000020\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first, " 30.0 %  00001000  00000000:00001000\n"));
    byte_buffer_free(&text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hot blocks");
    TCase *tests = tcase_create("hot blocks");
    tcase_add_test(tests, hottest_come_first);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* A folder as a disk: mtools play the guest, and what they did is compared with the folder. */
#include "block_image.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static int shell(const char *format, ...) {
    char command[4096];
    va_list arguments;
    int used = snprintf(command, sizeof(command), "cd %s && { ", root);
    va_start(arguments, format);
    used += vsnprintf(command + used, sizeof(command) - (size_t)used, format, arguments);
    va_end(arguments);
    snprintf(command + used, sizeof(command) - (size_t)used, "; }");
    return system(command);
}

static void run(const char *command) {
    ck_assert_msg(shell("%s", command) == 0, "%s", command);
}

static void set_up(void) {
    strcpy(root, "/tmp/reprise-folder-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    run("mkdir -p f/sub/inner outside; echo one > f/one.txt; echo two > 'f/sub/a longer "
        "name.text'; "
        "head -c 70000 /dev/urandom > f/sub/inner/big.bin; cp f/sub/inner/big.bin outside/big; "
        "ln -s ../outside f/link; ln -s ../../outside/big f/sub/alias; chmod 640 f/one.txt");
}

static void tear_down(void) {
    shell("rm -rf %s", root);
}

static BlockNode *open_folder(const char *words, Error *error) {
    char path[128];
    snprintf(path, sizeof(path), "fat:%s%s/f", words, root);
    return block_open(&(BlockOptions){.path = path}, error);
}

static BlockNode *open_good(const char *words) {
    Error error = {0};
    BlockNode *node = open_folder(words, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

static uint8_t *read_all(BlockNode *node) {
    uint8_t *data = malloc(block_length(node));
    ck_assert(data != NULL && block_read(node, 0, data, block_length(node), NULL));
    return data;
}

/* What the command does to 'disk' (a floppy's image), the guest does to the node. */
static void play(BlockNode *node, const char *command) {
    char path[128];
    uint8_t *before = read_all(node), *after = malloc(block_length(node));
    snprintf(path, sizeof(path), "%s/disk", root);
    FILE *file = fopen(path, "wb");
    ck_assert(file != NULL && fwrite(before, block_length(node), 1, file) == 1);
    fclose(file);
    run(command);
    file = fopen(path, "rb");
    ck_assert(file != NULL && fread(after, block_length(node), 1, file) == 1);
    fclose(file);
    for (uint64_t at = 0; at < block_length(node); at += 512)
        if (memcmp(before + at, after + at, 512) != 0)
            ck_assert(block_write(node, at, after + at, 512, NULL));
    free(before);
    free(after);
}

static bool has_mtools(void) {
    return system("command -v mcopy >/dev/null 2>&1") == 0;
}

START_TEST(changes_come_back) {
    if (!has_mtools())
        return;
    BlockNode *node = open_good("rw:floppy:");
    ck_assert(block_writes_image(node));
    play(node,
         "echo new > n; export MTOOLS_SKIP_CHECK=1; mcopy -i disk n ::'sub/A New Long Name.x' && "
         "mcopy -o -i disk n ::one.txt && mren -i disk ::sub/inner ::'renamed folder' && "
         "mmd -i disk ::made && mcopy -i disk outside/big ::made/big && "
         "mdel -i disk ::'sub/a longer name.text'");
    block_close(node);
    run("cmp n 'f/sub/A New Long Name.x'; cmp n f/one.txt && test ! -e 'f/sub/a longer name.text'");
    run("cmp outside/big f/made/big && test -L f/link && test -L f/sub/alias");
    run("test \"$(stat -c %a f/one.txt)\" = 640");
    run("test -z \"$(find . -name '.reprise*')\" && test \"$(ls outside)\" = big");
    run("test -e 'f/sub/renamed folder/big.bin' || test -e 'f/renamed folder/big.bin'");
}
END_TEST

/* The guest goes on after a flush has changed the files that its clusters came from. */
START_TEST(flushes_change_files_that_are_still_read) {
    if (!has_mtools())
        return;
    BlockNode *node = open_good("rw:floppy:");
    play(node, "mcopy -i disk ::sub/inner/big.bin old; mdel -i disk ::sub/inner/big.bin && "
               "head -c 3000 /dev/zero > z && mcopy -i disk z ::sub/inner/big.bin");
    ck_assert(block_flush(node, NULL));
    run("cmp z f/sub/inner/big.bin");
    play(node, "mcopy -i disk ::sub/inner/big.bin - | cmp - z && mcopy -i disk ::one.txt - | cmp - "
               "f/one.txt && "
               "mcopy -i disk old ::sub/old.bin && mdel -i disk ::one.txt");
    block_close(node);
    run("cmp outside/big f/sub/old.bin && cmp z f/sub/inner/big.bin && test ! -e f/one.txt");
}
END_TEST

START_TEST(swapped_names) {
    if (!has_mtools())
        return;
    BlockNode *node = open_good("rw:floppy:");
    play(node, "echo 222 > n; mcopy -i disk n ::two.txt");
    ck_assert(block_flush(node, NULL));
    block_close(node);
    run("cmp n f/two.txt");
    node = open_good("rw:floppy:");
    play(node, "mren -i disk ::one.txt ::x.txt && mren -i disk ::two.txt ::one.txt && "
               "mren -i disk ::x.txt ::two.txt");
    block_close(node);
    run("cmp n f/one.txt && test \"$(cat f/two.txt)\" = one && test -z \"$(find . -name "
        "'.reprise*')\"");
}
END_TEST

START_TEST(the_hosts_changes_win) {
    if (!has_mtools())
        return;
    BlockNode *node = open_good("rw:floppy:");
    run("echo changed by the host > f/one.txt; echo hidden > f/later.txt");
    play(node, "echo guest > n; mcopy -o -i disk n ::one.txt && mcopy -i disk n ::later.txt && "
               "mcopy -i disk n ::fine.txt");
    block_close(node);
    run("test \"$(cat f/one.txt)\" = 'changed by the host' && test \"$(cat f/later.txt)\" = hidden "
        "&& "
        "cmp n f/fine.txt");
}
END_TEST

/* Without rw: nothing comes back, and nobody else may write where somebody does. */
START_TEST(forgotten_writes_and_locks) {
    Error error = {0};
    BlockNode *node = open_good("floppy:");
    ck_assert(block_is_overlay(node) && !block_writes_image(node));
    uint8_t zeros[512] = {0}, back[512];
    ck_assert(block_write(node, 512, zeros, 512, NULL) && block_read(node, 512, back, 512, NULL));
    ck_assert_mem_eq(zeros, back, 512);
    ck_assert_ptr_null(open_folder("rw:", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "in use"));
    block_close(node);
    run("test \"$(cat f/one.txt)\" = one");
    error = (Error){0};
    ck_assert_ptr_null(open_folder("floppy:32:", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "FAT12"));
}
END_TEST

/* A directory made by hand: names that lead out of the folder, and a chain that is shared. */
START_TEST(hostile_directories) {
    static const char *const names[] = {"..\\/OUT", "../OUT  ", "LINK    ", "A/B     ",
                                        "\x2E\x2E      "};
    BlockNode *node = open_good("rw:floppy:");
    uint64_t first = (1 + 2 * 9) * 512ull;
    uint8_t root_slots[14 * 512], *slot = root_slots;
    ck_assert(block_read(node, first, root_slots, sizeof(root_slots), NULL));
    while (slot[0] != 0)
        slot += 32;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, slot += 32) {
        memset(slot, ' ', 11);
        memcpy(slot, names[i], 8);
        slot[11] = 0x20;
    }
    ck_assert(block_write(node, first, root_slots, sizeof(root_slots), NULL));
    block_close(node);
    run("test \"$(ls outside)\" = big && test ! -e OUT && test -L f/link && cmp outside/big "
        "f/sub/inner/big.bin");
}
END_TEST

/* Anything in tables and directories: what comes of it stays in the folder, and contents of files
 * of which no cluster chain is left are never made up. */
START_TEST(hostile_volumes) {
    unsigned seed = (unsigned)_i + 1;
    BlockNode *node = open_good("rw:floppy:");
    for (int i = 0; i < 1 + _i % 20; i++) {
        uint8_t bytes[4];
        uint64_t at = 512 + (uint64_t)rand_r(&seed) % (_i % 2 != 0 ? 40 * 512 : 600);
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)rand_r(&seed);
        ck_assert(block_write(node, at, bytes, (size_t)_i % 4 + 1, NULL));
        if (i % 5 == 0)
            ck_assert(block_flush(node, NULL));
    }
    block_close(node);
    run("test \"$(ls; ls outside)\" = \"$(printf 'f\\noutside\\nbig')\" && test $(stat -c %s "
        "outside/big) = 70000");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("block_folder");
    TCase *tests = tcase_create("block_folder");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, changes_come_back);
    tcase_add_test(tests, flushes_change_files_that_are_still_read);
    tcase_add_test(tests, swapped_names);
    tcase_add_test(tests, the_hosts_changes_win);
    tcase_add_test(tests, forgotten_writes_and_locks);
    tcase_add_test(tests, hostile_directories);
    tcase_add_loop_test(tests, hostile_volumes, 0, 100);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

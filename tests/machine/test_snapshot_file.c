/* The container of snapshots: what goes in comes out, nothing is stored twice, and files that are
 * cut, damaged, foreign or in use are told so. */
#define _GNU_SOURCE
#include "little_endian.h"
#include "snapshot_chunk.h"
#include "snapshot_file.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE SNAPSHOT_PAGE_BYTES
#define PAGES 100

static char folder[] = "/tmp/snapshot-file-XXXXXX";
static char path[sizeof(folder) + 16];
static uint8_t memory[PAGES * PAGE];

static void fill_page(uint8_t *page, uint32_t seed, bool dense) {
    for (uint32_t i = 0; i < PAGE; i++) {
        seed = seed * 1664525 + 1013904223;
        page[i] = dense || i % 512 < 16 ? (uint8_t)(seed >> 24) : 0;
    }
}

/* Some pages of zeros, some that shrink, some that do not, some twice. */
static void fill_memory(uint8_t *to, uint32_t seed) {
    for (uint32_t page = 0; page < PAGES; page++) {
        if (page % 5 == 0)
            memset(to + page * PAGE, 0, PAGE);
        else
            fill_page(to + page * PAGE, page % 7 == 0 ? 7 : seed + page, page % 2 == 0);
    }
}

static void set_up(void) {
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    fill_memory(memory, 1000);
}

static void tear_down(void) {
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left behind */
}

static SnapshotFile *open_file(SnapshotMode mode) {
    Error error = {.set = false};
    SnapshotFile *file = snapshot_file_open(path, mode, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    return file;
}

static void expect_refusal(SnapshotMode mode, const char *words) {
    Error error = {.set = false};
    SnapshotFile *file = snapshot_file_open(path, mode, &error);
    ck_assert_msg(file == NULL, "opened where '%s' was expected", words);
    ck_assert_msg(strstr(error.message, words) != NULL && strchr(error.message, '\n') == NULL &&
                      strncmp(error.message, path, strlen(path)) == 0,
                  "'%s'", error.message);
}

static uint64_t add(SnapshotFile *file, const char *name, uint64_t parent, const void *data,
                    uint64_t size) {
    Error error = {.set = false};
    SnapshotInfo info = {.parent = parent,
                         .name = (char *)name,
                         .fingerprint = "memory: 1 MB\n",
                         .media = "floppy0: a.img\n",
                         .date_seconds = 1234567890,
                         .clock_ns = 42,
                         .instructions = 77};
    uint64_t id = snapshot_file_add(file, &info, &error);
    ck_assert_msg(id != 0, "%s", error.message);
    ck_assert_msg(snapshot_file_put_stream(file, id, "ram", data, size, NULL, &error), "%s",
                  error.message);
    return id;
}

static void commit(SnapshotFile *file) {
    Error error = {.set = false};
    ck_assert_msg(snapshot_file_commit(file, &error), "%s", error.message);
}

static void expect_content(SnapshotFile *file, const char *name, const void *data, uint64_t size) {
    Error error = {.set = false};
    const SnapshotInfo *info = snapshot_file_find(file, name);
    ck_assert_msg(info != NULL, "there is no %s", name);
    SnapshotImage *image = snapshot_file_read(file, info->id, &error);
    ck_assert_msg(image != NULL, "%s", error.message);
    uint64_t copied;
    uint8_t *copy = snapshot_image_copy(image, "ram", &copied);
    ck_assert_uint_eq(copied, size);
    ck_assert_int_eq(memcmp(copy, data, size), 0);
    free(copy);
    snapshot_image_free(image);
}

static off_t file_size(void) {
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_size;
}

static uint8_t *read_whole(size_t *size) {
    FILE *stream = fopen(path, "rb");
    *size = (size_t)file_size();
    uint8_t *bytes = malloc(*size + 1);
    ck_assert_uint_eq(fread(bytes, 1, *size, stream), *size);
    fclose(stream);
    return bytes;
}

static void write_whole(const uint8_t *bytes, size_t size) {
    FILE *stream = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    fclose(stream);
}

START_TEST(what_goes_in_comes_out) {
    static const uint64_t sizes[] = {0, 1, PAGE - 1, PAGE, PAGE + 1, 16 * PAGE, sizeof(memory) - 5};
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[] = {(char)('a' + i), 0};
        add(file, name, 0, memory, sizes[i]);
    }
    commit(file);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    ck_assert_uint_eq(snapshot_file_count(file), 7);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[] = {(char)('a' + i), 0};
        expect_content(file, name, memory, sizes[i]);
    }
    const SnapshotInfo *info = snapshot_file_info(file, 0);
    ck_assert_str_eq(info->name, "a");
    ck_assert_str_eq(info->fingerprint, "memory: 1 MB\n");
    ck_assert_str_eq(info->media, "floppy0: a.img\n");
    ck_assert_int_eq(info->date_seconds, 1234567890);
    ck_assert_int_eq(info->clock_ns, 42);
    ck_assert_uint_eq(info->instructions, 77);
    snapshot_file_close(file);
}
END_TEST

START_TEST(pages_said_to_be_zeros_are_not_read) {
    uint8_t present[PAGES];
    Error error = {.set = false};
    memset(present, 1, sizeof(present));
    present[1] = 0;
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    SnapshotInfo info = {.name = (char *)"a"};
    uint64_t id = snapshot_file_add(file, &info, &error);
    ck_assert(snapshot_file_put_stream(file, id, "ram", memory, sizeof(memory), present, &error));
    commit(file);
    memset(memory + PAGE, 0, PAGE);
    expect_content(file, "a", memory, sizeof(memory));
    snapshot_file_close(file);
}
END_TEST

START_TEST(equal_pages_are_stored_once) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, sizeof(memory));
    commit(file);
    off_t first = file_size();
    ck_assert_int_lt(first, 60 * PAGE); /* half of the pages shrink, a fifth are zeros */
    add(file, "b", 1, memory, sizeof(memory));
    commit(file);
    ck_assert_int_lt(file_size() - first, 2 * PAGE);
    snapshot_file_close(file);
    /* And so after opening it again, with one page changed. */
    file = open_file(SNAPSHOT_WRITE);
    off_t second = file_size();
    fill_page(memory + 11 * PAGE, 99, true);
    add(file, "c", 2, memory, sizeof(memory));
    commit(file);
    ck_assert_int_lt(file_size() - second, 3 * PAGE);
    expect_content(file, "c", memory, sizeof(memory));
    fill_memory(memory, 1000);
    expect_content(file, "a", memory, sizeof(memory));
    expect_content(file, "b", memory, sizeof(memory));
    snapshot_file_close(file);
}
END_TEST

START_TEST(texts_have_no_control_characters) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    Error error = {.set = false};
    SnapshotInfo info = {.name = (char *)"a\x1B[2J"};
    ck_assert_uint_eq(snapshot_file_add(file, &info, &error), 0);
    ck_assert(strstr(error.message, "control characters") != NULL);
    info.name = (char *)"a b\xC3\xA4";
    info.media = (char *)"floppy0: \x1B[2J\t.img\n";
    ck_assert_uint_eq(snapshot_file_add(file, &info, &error), 1);
    commit(file);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    ck_assert_str_eq(snapshot_file_info(file, 0)->media, "floppy0: ?[2J?.img\n");
    snapshot_file_close(file);
}
END_TEST

START_TEST(snapshots_are_a_tree) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    uint64_t a = add(file, "a", 0, memory, PAGE), b = add(file, "b", a, memory, 2 * PAGE);
    uint64_t c = add(file, "c", b, memory, 3 * PAGE), d = add(file, "d", b, memory, 4 * PAGE);
    commit(file);
    Error error = {.set = false};
    ck_assert(snapshot_file_remove(file, b, &error));
    commit(file);
    ck_assert_ptr_null(snapshot_file_find(file, "b"));
    ck_assert_uint_eq(snapshot_file_find_id(file, c)->parent, a);
    ck_assert_uint_eq(snapshot_file_find_id(file, d)->parent, a);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    ck_assert_uint_eq(snapshot_file_count(file), 3);
    expect_content(file, "c", memory, 3 * PAGE);
    expect_content(file, "a", memory, PAGE);
    snapshot_file_close(file);
}
END_TEST

START_TEST(the_same_name_replaces) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    uint64_t a = add(file, "a", 0, memory, PAGE), b = add(file, "b", a, memory, 2 * PAGE);
    commit(file);
    uint64_t again = add(file, "b", b, memory, 3 * PAGE); /* in its own future */
    commit(file);
    ck_assert_uint_eq(snapshot_file_count(file), 2);
    ck_assert_uint_ne(again, b);
    ck_assert_uint_eq(snapshot_file_find(file, "b")->parent, a);
    expect_content(file, "b", memory, 3 * PAGE);
    snapshot_file_close(file);
}
END_TEST

START_TEST(a_stream_is_replaced) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    Error error = {.set = false};
    uint64_t a = add(file, "a", 0, memory, sizeof(memory));
    commit(file);
    ck_assert(snapshot_file_put_stream(file, a, "ram", memory + PAGE, 5 * PAGE, NULL, &error));
    ck_assert(snapshot_file_put_stream(file, a, "disks", memory, 10, NULL, &error));
    commit(file);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    expect_content(file, "a", memory + PAGE, 5 * PAGE);
    SnapshotImage *image = snapshot_file_read(file, a, &error);
    ck_assert_int_ge(snapshot_image_find(image, "disks"), 0);
    ck_assert_int_lt(snapshot_image_find(image, "discs"), 0);
    ck_assert_uint_eq(snapshot_image_size(image, "disks"), 10);
    snapshot_image_free(image);
    snapshot_file_close(file);
}
END_TEST

START_TEST(what_is_not_committed_is_forgotten) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    uint64_t a = add(file, "a", 0, memory, PAGE);
    commit(file);
    off_t size = file_size();
    Error error = {.set = false};
    add(file, "b", a, memory, sizeof(memory));
    ck_assert(snapshot_file_remove(file, a, &error));
    snapshot_file_revert(file);
    ck_assert_int_eq(file_size(), size);
    ck_assert_uint_eq(snapshot_file_count(file), 1);
    expect_content(file, "a", memory, PAGE);
    add(file, "b", a, memory, sizeof(memory));
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    ck_assert_uint_eq(snapshot_file_count(file), 1);
    snapshot_file_close(file);
}
END_TEST

START_TEST(a_file_that_was_never_committed_to_is_not_left) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, sizeof(memory));
    snapshot_file_close(file);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* Snapshots that share nothing: removing most of them lets the file shrink. */
START_TEST(removing_gives_room_back) {
    enum { COUNT = 20, LARGE = 4 << 20 };
    uint8_t *large = malloc(LARGE);
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    Error error = {.set = false};
    for (uint32_t i = 0; i < COUNT; i++) {
        char name[] = {(char)('a' + i), 0};
        for (uint32_t page = 0; page < LARGE / PAGE; page++)
            fill_page(large + page * PAGE, i * 100000 + page, true);
        add(file, name, 0, large, LARGE);
    }
    SnapshotRecord record = {.kind = 5, .size = 9, .key = 123};
    commit(file);
    ck_assert(snapshot_file_append_record(file, &record, "a record!", &error));
    for (uint32_t i = 1; i <= COUNT; i++)
        if (i != 7)
            ck_assert(snapshot_file_remove(file, i, &error));
    commit(file);
    ck_assert_int_gt(file_size(), COUNT * LARGE);
    snapshot_file_compact(file);
    ck_assert_int_lt(file_size(), 2 * LARGE);
    for (uint32_t page = 0; page < LARGE / PAGE; page++)
        fill_page(large + page * PAGE, 6 * 100000 + page, true);
    expect_content(file, "g", large, LARGE);
    add(file, "new", 7, memory, sizeof(memory));
    commit(file);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_WRITE);
    expect_content(file, "g", large, LARGE);
    expect_content(file, "new", memory, sizeof(memory));
    char data[10] = "";
    ck_assert_uint_eq(snapshot_file_record_count(file), 1);
    ck_assert(snapshot_file_read_record(file, 0, data, &error));
    ck_assert_str_eq(data, "a record!");
    snapshot_file_close(file);
    free(large);
}
END_TEST

START_TEST(freed_chunks_are_used_again) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    Error error = {.set = false};
    for (uint32_t i = 0; i < 50; i++) {
        fill_memory(memory, i * 1000);
        uint64_t id = add(file, i % 2 == 0 ? "even" : "odd", 0, memory, sizeof(memory));
        commit(file);
        expect_content(file, i % 2 == 0 ? "even" : "odd", memory, sizeof(memory));
        if (i % 5 == 4)
            ck_assert(snapshot_file_remove(file, id, &error));
    }
    commit(file);
    fill_memory(memory, 48000);
    expect_content(file, "even", memory, sizeof(memory));
    snapshot_file_close(file);
}
END_TEST

/* ---- Records ---- */

static void append(SnapshotFile *file, uint32_t kind, uint64_t owner, uint64_t key, uint8_t fill) {
    uint8_t data[1000];
    Error error = {.set = false};
    memset(data, fill, sizeof(data));
    SnapshotRecord record = {.kind = kind, .size = sizeof(data), .owner = owner, .key = key};
    ck_assert_msg(snapshot_file_append_record(file, &record, data, &error), "%s", error.message);
}

static void expect_record(SnapshotFile *file, size_t index, uint64_t key, uint8_t fill) {
    uint8_t data[1000];
    Error error = {.set = false};
    const SnapshotRecord *record = snapshot_file_record(file, index);
    ck_assert_uint_eq(record->key, key);
    ck_assert_uint_eq(record->size, sizeof(data));
    ck_assert_msg(snapshot_file_read_record(file, index, data, &error), "%s", error.message);
    for (size_t i = 0; i < sizeof(data); i++)
        ck_assert_uint_eq(data[i], fill);
}

START_TEST(records_are_there_without_a_commit) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    uint64_t a = add(file, "a", 0, memory, PAGE), b = add(file, "b", a, memory, PAGE);
    commit(file);
    append(file, 1, a, 10, 0x11);
    append(file, 2, b, 20, 0x22);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_WRITE);
    ck_assert_uint_eq(snapshot_file_record_count(file), 2);
    append(file, 1, b, 30, 0x33);
    snapshot_file_remove_records(file, 2, b);
    commit(file);
    append(file, 1, a, 40, 0x44);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_WRITE);
    ck_assert_uint_eq(snapshot_file_record_count(file), 3);
    expect_record(file, 0, 10, 0x11);
    expect_record(file, 1, 30, 0x33);
    expect_record(file, 2, 40, 0x44);
    Error error = {.set = false};
    ck_assert(snapshot_file_remove(file, a, &error));
    commit(file);
    ck_assert_uint_eq(snapshot_file_record_count(file), 1);
    expect_record(file, 0, 30, 0x33);
    snapshot_file_close(file);
}
END_TEST

START_TEST(a_record_cut_by_a_kill_is_not_there) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    append(file, 1, 0, 10, 0x11);
    off_t first = file_size();
    append(file, 1, 0, 20, 0x22);
    snapshot_file_close(file);
    for (off_t size = file_size() - 1; size > first; size -= 97) {
        ck_assert_int_eq(truncate(path, size), 0);
        file = open_file(SNAPSHOT_READ);
        ck_assert_uint_eq(snapshot_file_record_count(file), 1);
        expect_record(file, 0, 10, 0x11);
        snapshot_file_close(file);
    }
    file = open_file(SNAPSHOT_WRITE);
    append(file, 1, 0, 30, 0x33);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    ck_assert_uint_eq(snapshot_file_record_count(file), 2);
    expect_record(file, 1, 30, 0x33);
    snapshot_file_close(file);
}
END_TEST

/* What a guest has in its memory must never be taken for a record. */
START_TEST(no_page_is_taken_for_a_record) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    append(file, 1, 0, 10, 0x11);
    off_t first = file_size();
    SnapshotRecord record = {.kind = 7, .size = 1000, .key = 66};
    Error error = {.set = false};
    fill_page(memory, 66, true);
    ck_assert(snapshot_file_append_record(file, &record, memory, &error));
    snapshot_file_close(file);
    size_t size;
    uint8_t *bytes = read_whole(&size);
    uint8_t *forged = bytes + ((size_t)first + 15) / 16 * 16;
    for (uint32_t page = 0; page < PAGES; page++) {
        fill_page(memory + page * PAGE, page, true);
        for (uint32_t at = 16; at + 1200 < PAGE; at += 1216)
            memcpy(memory + page * PAGE + at, forged, 1048);
    }
    free(bytes);
    ck_assert_int_eq(truncate(path, first), 0);
    pid_t child = fork();
    if (child == 0) {
        file = open_file(SNAPSHOT_WRITE);
        add(file, "a", 0, memory, sizeof(memory));
        _exit(0); /* as if killed before the commit */
    }
    waitpid(child, NULL, 0);
    ck_assert_int_gt(file_size(), first + 90 * PAGE);
    file = open_file(SNAPSHOT_WRITE);
    for (uint32_t key = 0; key < 30; key++)
        append(file, 1, 0, key, (uint8_t)key);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    ck_assert_uint_eq(snapshot_file_record_count(file), 31);
    snapshot_file_close(file);
}
END_TEST

/* ---- What is no good ---- */

START_TEST(a_missing_file_is_told) {
    expect_refusal(SNAPSHOT_READ, "No such file");
    expect_refusal(SNAPSHOT_WRITE, "No such file");
}
END_TEST

START_TEST(a_foreign_file_is_not_touched) {
    static const char text[] = "This is a letter to my grandmother, who has no snapshots.\n";
    write_whole((const uint8_t *)text, sizeof(text));
    expect_refusal(SNAPSHOT_READ, "this is no file of snapshots");
    expect_refusal(SNAPSHOT_CREATE, "this is no file of snapshots");
    size_t size;
    uint8_t *bytes = read_whole(&size);
    ck_assert_uint_eq(size, sizeof(text));
    ck_assert_int_eq(memcmp(bytes, text, size), 0);
    free(bytes);
}
END_TEST

START_TEST(a_folder_is_no_file_of_snapshots) {
    ck_assert_int_eq(mkdir(path, 0777), 0);
    expect_refusal(SNAPSHOT_READ, "this is no file of snapshots");
    rmdir(path);
}
END_TEST

START_TEST(a_newer_version_is_told) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, PAGE);
    commit(file);
    snapshot_file_close(file);
    size_t size;
    uint8_t *bytes = read_whole(&size);
    store_le32(bytes + 4096 + 8, 2);
    store_le32(bytes + 4096 + 508, chunk_checksum(0, bytes + 4096, 508));
    write_whole(bytes, size);
    free(bytes);
    expect_refusal(SNAPSHOT_WRITE, "newer version of this program (format 2, known is 1)");
}
END_TEST

START_TEST(a_file_in_use_is_told) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, PAGE);
    commit(file);
    expect_refusal(SNAPSHOT_WRITE, "another machine has the file open");
    expect_refusal(SNAPSHOT_READ, "another machine has the file open");
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    SnapshotFile *other = open_file(SNAPSHOT_READ);
    expect_refusal(SNAPSHOT_WRITE, "another machine has the file open");
    snapshot_file_close(file);
    snapshot_file_close(other);
}
END_TEST

/* With the first superblock gone the second one stands; with both nothing does. */
START_TEST(one_superblock_is_enough) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, PAGE);
    commit(file);
    add(file, "b", 1, memory, 2 * PAGE);
    commit(file); /* sequence 2, in the first */
    snapshot_file_close(file);
    size_t size;
    uint8_t *bytes = read_whole(&size);
    bytes[20] ^= 1;
    write_whole(bytes, size);
    file = open_file(SNAPSHOT_READ);
    ck_assert_uint_eq(snapshot_file_count(file), 1);
    expect_content(file, "a", memory, PAGE);
    snapshot_file_close(file);
    bytes[4096 + 20] ^= 1;
    write_whole(bytes, size);
    expect_refusal(SNAPSHOT_CREATE, "damaged at its head");
    free(bytes);
}
END_TEST

static bool loads(const char *name) {
    Error error = {.set = false};
    SnapshotFile *file = snapshot_file_open(path, SNAPSHOT_READ, &error);
    bool good = file != NULL, is_older = false; /* the newer superblock is damaged */
    if (good) {
        const SnapshotInfo *info = snapshot_file_find(file, name);
        is_older = info == NULL;
        SnapshotImage *image = info != NULL ? snapshot_file_read(file, info->id, &error) : NULL;
        good = image != NULL;
        uint64_t size;
        uint8_t *copy = good ? snapshot_image_copy(image, "ram", &size) : NULL;
        if (good)
            ck_assert(size == sizeof(memory) && memcmp(copy, memory, size) == 0);
        free(copy);
        snapshot_image_free(image);
    }
    ck_assert(good || is_older || (error.set && strchr(error.message, '\n') == NULL));
    snapshot_file_close(file);
    return good;
}

START_TEST(a_cut_file_is_refused) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, sizeof(memory));
    commit(file);
    snapshot_file_close(file);
    ck_assert(loads("a"));
    for (off_t size = file_size() - 1; size >= 0; size -= 1 + size / 100) {
        ck_assert_int_eq(truncate(path, size), 0);
        ck_assert_msg(!loads("a"), "cut to %d bytes it loads", (int)size);
    }
}
END_TEST

/* Every byte that counts is under a checksum. */
START_TEST(a_damaged_file_is_refused) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, sizeof(memory));
    commit(file);
    snapshot_file_close(file);
    size_t size;
    uint8_t *bytes = read_whole(&size);
    unsigned harmless = 0, tried = 0;
    for (size_t at = 0; at < size; at += 61) {
        int descriptor = open(path, O_WRONLY);
        uint8_t damaged = bytes[at] ^ (uint8_t)(1u << at % 8);
        ck_assert_int_eq(pwrite(descriptor, &damaged, 1, (off_t)at), 1);
        harmless += loads("a");
        ck_assert_int_eq(pwrite(descriptor, &bytes[at], 1, (off_t)at), 1);
        close(descriptor);
        tried++;
    }
    free(bytes);
    /* The first superblock is not the newer one, what fills up the 4 KB after each means nothing,
     * and chunks are aligned. */
    ck_assert_msg(harmless * 61 < 8192 + 15 * PAGES, "%u of %u", harmless, tried);
    ck_assert(loads("a"));
}
END_TEST

/* The disk is full at any moment: the older snapshot stands, and saving works later on. */
START_TEST(a_full_disk_leaves_the_older_state) {
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    add(file, "a", 0, memory, sizeof(memory));
    commit(file);
    uint8_t *other = malloc(sizeof(memory));
    fill_memory(other, 50000);
    signal(SIGXFSZ, SIG_IGN);
    off_t first = file_size();
    for (off_t limit = first + 10; limit < first + 60 * PAGE; limit += 9 * PAGE + 17) {
        struct rlimit old, small;
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = old;
        small.rlim_cur = (rlim_t)limit;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        Error error = {.set = false};
        SnapshotInfo info = {.name = (char *)"b"};
        uint64_t id = snapshot_file_add(file, &info, &error);
        bool good = snapshot_file_put_stream(file, id, "ram", other, sizeof(memory), NULL, &error);
        if (good)
            good = snapshot_file_commit(file, &error);
        else
            snapshot_file_revert(file);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        ck_assert_int_eq(snapshot_file_count(file), 1 + good);
        ck_assert(good || strstr(error.message, "cannot write") != NULL);
        expect_content(file, "a", memory, sizeof(memory));
        if (good)
            break;
        ck_assert_int_eq(file_size(), first);
    }
    add(file, "c", 0, other, sizeof(memory));
    commit(file);
    snapshot_file_close(file);
    file = open_file(SNAPSHOT_READ);
    expect_content(file, "a", memory, sizeof(memory));
    expect_content(file, "c", other, sizeof(memory));
    snapshot_file_close(file);
    free(other);
}
END_TEST

/* ---- Kills ---- */

enum { KILLED_BYTES = 1 << 20, KEPT = 3 };

static void fill_large(uint8_t *to, uint32_t seed) {
    for (uint32_t page = 0; page < KILLED_BYTES / PAGE; page++)
        fill_page(to + page * PAGE, seed * 1000 + page, page % 3 != 0);
}

/* Saves one after the other, removes old ones, compacts, and tells by a byte that one is saved. */
static void save_for_ever(uint32_t number, int told) {
    uint8_t *large = malloc(KILLED_BYTES);
    SnapshotFile *file = open_file(SNAPSHOT_CREATE);
    Error error = {.set = false};
    for (;; number++) {
        char name[16];
        snprintf(name, sizeof(name), "%u", number);
        fill_large(large, number);
        while (snapshot_file_count(file) > KEPT)
            if (!snapshot_file_remove(file, snapshot_file_info(file, 0)->id, &error))
                _exit(1);
        add(file, name, 0, large, KILLED_BYTES);
        commit(file);
        if (write(told, &number, sizeof(number)) != sizeof(number))
            _exit(1);
        snapshot_file_compact(file);
    }
}

/* All that are there are whole, and the last one that was told of is. Returns the last number. */
static uint32_t check_after_kill(uint32_t told) {
    uint8_t *large = malloc(KILLED_BYTES);
    SnapshotFile *file = open_file(SNAPSHOT_WRITE);
    uint32_t last = 0;
    for (size_t i = 0; i < snapshot_file_count(file); i++) {
        last = (uint32_t)atoi(snapshot_file_info(file, i)->name);
        fill_large(large, last);
        expect_content(file, snapshot_file_info(file, i)->name, large, KILLED_BYTES);
    }
    ck_assert_uint_ge(last, told);
    snapshot_file_close(file);
    free(large);
    return last;
}

START_TEST(a_kill_at_any_moment_leaves_what_was_saved) {
    unsigned kills = getenv("REPRISE_LONG") != NULL ? 1000 : 30;
    uint32_t told = 0, random = 12345;
    for (unsigned i = 0; i < kills; i++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            save_for_ever(told + 1, ends[1]);
        close(ends[1]);
        uint32_t number;
        /* However slow the host is: every other child gets to save something. */
        if (i % 2 == 1 && read(ends[0], &number, sizeof(number)) == sizeof(number))
            told = number;
        random = random * 1664525 + 1013904223;
        usleep(2000 + (random >> 8) % 40000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &number, sizeof(number)) == sizeof(number))
            told = number;
        close(ends[0]);
        struct stat status;
        if (stat(path, &status) == 0 && status.st_size > 0)
            told = check_after_kill(told);
    }
    ck_assert_uint_ge(told, kills / 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("snapshot file");
    TCase *tests = tcase_create("snapshot file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_goes_in_comes_out);
    tcase_add_test(tests, pages_said_to_be_zeros_are_not_read);
    tcase_add_test(tests, equal_pages_are_stored_once);
    tcase_add_test(tests, texts_have_no_control_characters);
    tcase_add_test(tests, snapshots_are_a_tree);
    tcase_add_test(tests, the_same_name_replaces);
    tcase_add_test(tests, a_stream_is_replaced);
    tcase_add_test(tests, what_is_not_committed_is_forgotten);
    tcase_add_test(tests, a_file_that_was_never_committed_to_is_not_left);
    tcase_add_test(tests, removing_gives_room_back);
    tcase_add_test(tests, freed_chunks_are_used_again);
    tcase_add_test(tests, records_are_there_without_a_commit);
    tcase_add_test(tests, a_record_cut_by_a_kill_is_not_there);
    tcase_add_test(tests, no_page_is_taken_for_a_record);
    tcase_add_test(tests, a_missing_file_is_told);
    tcase_add_test(tests, a_foreign_file_is_not_touched);
    tcase_add_test(tests, a_folder_is_no_file_of_snapshots);
    tcase_add_test(tests, a_newer_version_is_told);
    tcase_add_test(tests, a_file_in_use_is_told);
    tcase_add_test(tests, one_superblock_is_enough);
    tcase_add_test(tests, a_cut_file_is_refused);
    tcase_add_test(tests, a_damaged_file_is_refused);
    tcase_add_test(tests, a_full_disk_leaves_the_older_state);
    suite_add_tcase(suite, tests);
    TCase *kills = tcase_create("kills");
    tcase_add_checked_fixture(kills, set_up, tear_down);
    tcase_set_timeout(kills, 1800);
    tcase_add_test(kills, a_kill_at_any_moment_leaves_what_was_saved);
    suite_add_tcase(suite, kills);
    return suite_run(suite);
}

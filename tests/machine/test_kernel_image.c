#define _GNU_SOURCE
/* Kernels read from files: where their pieces go, and what is refused, damaged files of all kinds
 * among them. That kernels start is shown by tests/guests/test_kernel.py. */
#include "kernel_image.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MB (1u << 20)

static char kernel_path[] = "/tmp/reprise-kernel-XXXXXX";
static char initrd_path[] = "/tmp/reprise-initrd-XXXXXX";
static KernelImage image;
static Error error;

static void make_path(char *path) {
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
}

static void setup(void) {
    make_path(kernel_path);
    make_path(initrd_path);
    image = (KernelImage){.entry = 0};
    error = (Error){.set = false};
}

static void teardown(void) {
    kernel_image_free(&image);
    unlink(kernel_path);
    unlink(initrd_path);
}

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

static bool load(const char *initrd, const char *command_line, uint64_t ram_bytes) {
    KernelRequest request = {kernel_path, initrd, command_line, ram_bytes};
    return kernel_image_load(&image, &request, &error);
}

static void check_refused(const char *part) {
    ck_assert_msg(strstr(error.message, part) != NULL, "no '%s' in '%s'", part, error.message);
    ck_assert_ptr_null(strchr(error.message, '\n'));
    ck_assert_ptr_null(image.kernel.bytes.data);
    ck_assert_ptr_null(image.setup.bytes.data);
}

/* --- Linux --------------------------------------------------------------------------------------
 */

enum { SETUP_SECTORS = 3, SETUP_BYTES = (SETUP_SECTORS + 1) * 512, SYSTEM_BYTES = 8192 };
static uint8_t linux_file[SETUP_BYTES + SYSTEM_BYTES];

/* A bzImage of protocol 2.12 that unpacks to 16 to 24 MB. */
static void make_linux(void) {
    memset(linux_file, 0x90, sizeof linux_file);
    memset(linux_file, 0, SETUP_BYTES);
    linux_file[0x1F1] = SETUP_SECTORS;
    store_le32(linux_file + 0x1F4, SYSTEM_BYTES / 16);
    store_le16(linux_file + 0x1FE, 0xAA55);
    memcpy(linux_file + 0x202, "HdrS", 4);
    store_le16(linux_file + 0x206, 0x20C);
    linux_file[0x211] = 1;
    store_le32(linux_file + 0x22C, 0x7FFFFFFF);
    store_le32(linux_file + 0x238, 300);
    store_le64(linux_file + 0x258, 16 * MB);
    store_le32(linux_file + 0x260, 8 * MB);
}

static void write_linux(size_t size) {
    write_file(kernel_path, linux_file, size);
}

START_TEST(linux_pieces_have_their_places) {
    make_linux();
    write_linux(sizeof linux_file);
    write_file(initrd_path, "initial", 7);
    ck_assert_msg(load(initrd_path, "a b", 64 * MB), "%s", error.message);
    ck_assert_uint_eq(image.kernel.address, MB);
    ck_assert_uint_eq(image.kernel.bytes.size, SYSTEM_BYTES);
    ck_assert_uint_eq(image.setup.bytes.size, SETUP_BYTES);
    ck_assert_uint_eq(image.entry, 0);
    ck_assert_str_eq((const char *)image.command_line.bytes.data, "a b");
    const uint8_t *header = image.setup.bytes.data;
    ck_assert_uint_eq(load_le32(header + 0x228), image.command_line.address);
    ck_assert_uint_eq(load_le32(header + 0x218), image.initrd.address);
    ck_assert_uint_eq(load_le32(header + 0x21C), 7);
    ck_assert_uint_eq(image.initrd.address % 4096, 0);
    ck_assert_uint_ge(image.initrd.address, 24 * MB);
    ck_assert_uint_le(image.initrd.address + 7, 64 * MB - KERNEL_FIRMWARE_BYTES);
}
END_TEST

START_TEST(initrd_keeps_below_the_kernels_limit) {
    make_linux();
    store_le32(linux_file + 0x22C, 32 * MB - 1);
    write_linux(sizeof linux_file);
    write_file(initrd_path, linux_file, sizeof linux_file);
    ck_assert_msg(load(initrd_path, "", 3072ull * MB), "%s", error.message);
    ck_assert_uint_le(image.initrd.address + sizeof linux_file, 32 * MB);
    ck_assert_uint_gt(image.initrd.address, 31 * MB);
}
END_TEST

static const struct {
    const char *command_line;
    unsigned mode;
} video_modes[] = {
    {"", 0},
    {"vga=ask", 0xFFFD},
    {"vga=ext quiet", 0xFFFE},
    {"quiet vga=normal", 0xFFFF},
    {"vga=791", 791},
    {"a vga=0x318 b", 0x318},
    {"vga=1 vga=2", 2},
    {"vga=70000", 0},
    {"vga=12x", 0},
    {"vga=", 0},
    {"novga=5", 0},
    {"vga=asked", 0},
};

START_TEST(video_mode_is_taken_from_the_command_line) {
    make_linux();
    write_linux(sizeof linux_file);
    ck_assert_msg(load(NULL, video_modes[_i].command_line, 64 * MB), "%s", error.message);
    ck_assert_uint_eq(load_le16(image.setup.bytes.data + 0x1FA), video_modes[_i].mode);
}
END_TEST

START_TEST(cut_off_linux_is_refused) {
    static const size_t sizes[] = {SETUP_BYTES + SYSTEM_BYTES - 16, SETUP_BYTES + 1, SETUP_BYTES,
                                   SETUP_BYTES - 1, 0x300};
    make_linux();
    write_linux(sizes[_i]);
    ck_assert(!load(NULL, "", 64 * MB));
    check_refused("cut off");
}
END_TEST

START_TEST(last_paragraph_may_be_partial) {
    make_linux();
    write_linux(SETUP_BYTES + SYSTEM_BYTES - 15);
    ck_assert_msg(load(NULL, "", 64 * MB), "%s", error.message);
}
END_TEST

START_TEST(linux_that_does_not_fit_is_refused) {
    make_linux();
    write_linux(sizeof linux_file);
    ck_assert(!load(NULL, "", 24 * MB));
    check_refused("at least 25 MB");
    error.set = false;
    ck_assert_msg(load(NULL, "", 25 * MB), "%s", error.message);
    kernel_image_free(&image);
    image = (KernelImage){.entry = 0};
    write_file(initrd_path, "initial", 7);
    ck_assert(!load(initrd_path, "", 25 * MB));
    check_refused("does not fit beside the kernel");
}
END_TEST

START_TEST(long_command_line_is_refused) {
    char line[302];
    memset(line, 'x', sizeof line);
    line[300] = '\0';
    make_linux();
    write_linux(sizeof linux_file);
    ck_assert_msg(load(NULL, line, 64 * MB), "%s", error.message);
    kernel_image_free(&image);
    image = (KernelImage){.entry = 0};
    line[300] = 'x';
    line[301] = '\0';
    ck_assert(!load(NULL, line, 64 * MB));
    check_refused("at most 300");
}
END_TEST

START_TEST(missing_and_foreign_files_are_refused) {
    make_linux();
    write_file(kernel_path, "#!/bin/sh\n", 10);
    ck_assert(!load(NULL, "", 64 * MB));
    check_refused("is no kernel");
    error.set = false;
    write_file(kernel_path, "", 0);
    ck_assert(!load(NULL, "", 64 * MB));
    check_refused("is empty");
    error.set = false;
    write_linux(sizeof linux_file);
    ck_assert(!load("/nowhere/initrd", "", 64 * MB));
    check_refused("initrd '/nowhere/initrd' cannot be opened");
    error.set = false;
    ck_assert(!load("/", "", 64 * MB));
    check_refused("is a folder");
    error.set = false;
    unlink(kernel_path);
    ck_assert(!load(NULL, "", 64 * MB));
    check_refused("cannot be opened");
    make_path(kernel_path);
}
END_TEST

/* --- Multiboot ----------------------------------------------------------------------------------
 */

enum { ELF_BYTES = 8192, ELF_DATA_OFFSET = 4096, MULTIBOOT_AT = 128 };
static uint8_t elf_file[ELF_BYTES];

static void put_segment(unsigned index, uint32_t offset, uint32_t address, uint32_t file_bytes,
                        uint32_t memory_bytes) {
    uint8_t *segment = elf_file + 52 + 32 * index;
    store_le32(segment, 1);
    store_le32(segment + 4, offset);
    store_le32(segment + 8, address + 0xC0000000);
    store_le32(segment + 12, address);
    store_le32(segment + 16, file_bytes);
    store_le32(segment + 20, memory_bytes);
}

/* Two segments at 1 MB and 2 MB, entered by a virtual address. */
static void make_elf(void) {
    memset(elf_file, 0xAA, sizeof elf_file);
    memset(elf_file, 0, 256);
    memcpy(elf_file,
           "\x7F"
           "ELF\1\1\1",
           7);
    store_le16(elf_file + 18, 3);
    store_le32(elf_file + 24, 0xC0200010);
    store_le32(elf_file + 28, 52);
    store_le16(elf_file + 42, 32);
    store_le16(elf_file + 44, 2);
    put_segment(0, 0, MB, 4096, 4096);
    put_segment(1, ELF_DATA_OFFSET, 2 * MB, 4096, 65536);
    store_le32(elf_file + MULTIBOOT_AT, 0x1BADB002);
    store_le32(elf_file + MULTIBOOT_AT + 4, 3);
    store_le32(elf_file + MULTIBOOT_AT + 8, 0u - 0x1BADB002 - 3);
}

START_TEST(elf_segments_are_laid_out) {
    make_elf();
    write_file(kernel_path, elf_file, sizeof elf_file);
    write_file(initrd_path, "module", 6);
    char modules[200];
    snprintf(modules, sizeof modules, "%s one,%s", initrd_path, initrd_path);
    ck_assert_msg(load(modules, "", 64 * MB), "%s", error.message);
    ck_assert_uint_eq(image.kernel.address, MB);
    ck_assert_uint_eq(image.kernel.bytes.size, MB + 65536);
    ck_assert_uint_eq(image.entry, 2 * MB + 0x10);
    ck_assert_uint_eq(image.kernel.bytes.data[MB], 0xAA);
    ck_assert_uint_eq(image.kernel.bytes.data[MB + 4096], 0);
    ck_assert_uint_eq(image.kernel.bytes.data[5000], 0);
    ck_assert_uint_eq(image.initrd.address, 2 * MB + 65536);
    ck_assert_uint_eq(image.initrd.bytes.size, 4096 + 6);
    ck_assert_uint_eq(load_le32(image.setup.bytes.data + 20), 2);
}
END_TEST

/* A third segment, in the BIOS's page before 1 MB: the ELF headers alone may be left out. */
static const struct {
    uint32_t more;
    bool good;
} header_segments[] = {{0, true}, {1, false}};

START_TEST(elf_headers_may_lie_in_rom) {
    enum { TABLE = 512, HEADERS_END = TABLE + 3 * 32 };
    uint32_t bytes = HEADERS_END + header_segments[_i].more;
    make_elf();
    memcpy(elf_file + TABLE, elf_file + 52, 64);
    put_segment(0, 0, MB - 4096, bytes, bytes);
    memcpy(elf_file + TABLE + 64, elf_file + 52, 32);
    store_le32(elf_file + 28, TABLE);
    store_le16(elf_file + 44, 3);
    write_file(kernel_path, elf_file, sizeof elf_file);
    bool good = load(NULL, "", 64 * MB);
    ck_assert_msg(good == header_segments[_i].good, "%s", error.message);
    if (good)
        ck_assert_uint_eq(image.kernel.address, MB);
    else
        check_refused("has no room");
}
END_TEST

/* A symbol table and .bss; the table is what no segment holds. */
static void add_sections(void) {
    enum { TABLE = 1024, SYMBOLS = 2048 };
    store_le32(elf_file + 32, TABLE);
    store_le16(elf_file + 46, 40);
    store_le16(elf_file + 48, 3);
    store_le16(elf_file + 50, 2);
    memset(elf_file + TABLE, 0, 120);
    store_le32(elf_file + TABLE + 40 + 4, 8); /* .bss */
    store_le32(elf_file + TABLE + 40 + 20, 65536);
    store_le32(elf_file + TABLE + 80 + 4, 2);
    store_le32(elf_file + TABLE + 80 + 16, SYMBOLS);
    store_le32(elf_file + TABLE + 80 + 20, 100);
    memset(elf_file + SYMBOLS, 0x5A, 100);
}

START_TEST(elf_sections_are_handed_over) {
    make_elf();
    add_sections();
    write_file(kernel_path, elf_file, sizeof elf_file);
    write_file(initrd_path, "module", 6);
    ck_assert_msg(load(initrd_path, "", 64 * MB), "%s", error.message);
    const uint8_t *info = image.setup.bytes.data, *rest = image.initrd.bytes.data;
    ck_assert_uint_eq(load_le32(info) & 0x20, 0x20);
    ck_assert_uint_eq(load_le32(info + 28), 3);
    ck_assert_uint_eq(load_le32(info + 32), 40);
    ck_assert_uint_eq(load_le32(info + 36), image.initrd.address);
    ck_assert_uint_eq(load_le32(info + 40), 2);
    ck_assert_uint_eq(load_le32(rest + 40 + 12), 0);
    uint32_t symbols = load_le32(rest + 80 + 12) - image.initrd.address;
    ck_assert_uint_eq(symbols % 16, 0);
    ck_assert_uint_eq(rest[symbols], 0x5A);
    ck_assert_uint_eq(rest[symbols + 99], 0x5A);
    ck_assert_uint_eq(image.initrd.bytes.size, 4096 + 6); /* the module is behind */
}
END_TEST

static const struct {
    unsigned offset;
    uint32_t value;
} bad_sections[] = {{1024 + 80 + 16, 0xFFFFFFF0}, /* outside the file */
                    {1024 + 80 + 20, 0xFFFFFFFF},
                    {32, 0xFFFFFFF0},
                    {46, 39 | 3 << 16}};

START_TEST(bad_sections_are_left_out) {
    make_elf();
    add_sections();
    store_le32(elf_file + bad_sections[_i].offset, bad_sections[_i].value);
    write_file(kernel_path, elf_file, sizeof elf_file);
    ck_assert_msg(load(NULL, "", 64 * MB), "%s", error.message);
    ck_assert_uint_eq(load_le32(image.setup.bytes.data) & 0x20, 0);
    ck_assert_uint_eq(image.initrd.bytes.size, 0);
}
END_TEST

static const struct {
    unsigned offset;
    uint32_t value;
    const char *reason;
} bad_elfs[] = {
    {4, 0x010102, "i386"},                 /* 64 bits */
    {18, 62, "i386"},                      /* x86-64 */
    {0, 0, "no ELF file"},                 /* and no addresses in the Multiboot header */
    {28, 0xFFFFFFF0, "cut off"},           /* headers outside the file */
    {52 + 4, 0xFFFFF000, "cut off"},       /* a segment outside the file */
    {52 + 16, 0xFFFFFFFF, "cut off"},      /* larger than the file */
    {52 + 20, 0xFFFFFFFF, "has no room"},  /* larger than memory */
    {52 + 12, 0, "has no room"},           /* over the interrupt vectors */
    {52 + 12, 0xA0000, "has no room"},     /* over the video memory */
    {52 + 12, 0x9E000, "has no room"},     /* from RAM into video memory */
    {52 + 12, 0xFFFFF000, "has no room"},  /* over the BIOS */
    {44, 0, "no segment"},                 /* none (and the fields after it) */
    {MULTIBOOT_AT, 0, "is no kernel"},     /* no header */
    {MULTIBOOT_AT + 8, 0, "is no kernel"}, /* wrong checksum */
};

START_TEST(bad_elf_is_refused) {
    make_elf();
    store_le32(elf_file + bad_elfs[_i].offset, bad_elfs[_i].value);
    write_file(kernel_path, elf_file, sizeof elf_file);
    ck_assert(!load(NULL, "", 64 * MB));
    check_refused(bad_elfs[_i].reason);
}
END_TEST

START_TEST(unknown_multiboot_features_are_refused) {
    make_elf();
    store_le32(elf_file + MULTIBOOT_AT + 4, 0x83);
    store_le32(elf_file + MULTIBOOT_AT + 8, 0u - 0x1BADB002 - 0x83);
    write_file(kernel_path, elf_file, sizeof elf_file);
    ck_assert(!load(NULL, "", 64 * MB));
    check_refused("not known");
}
END_TEST

/* header address, load, load end, bss end, entry; the header is at offset 128 */
static const struct {
    uint32_t fields[5];
    const char *reason; /* NULL: good */
} addressed[] = {
    {{MB + MULTIBOOT_AT, MB, 0, 0, MB}, NULL},
    {{MB + MULTIBOOT_AT, MB, MB + ELF_BYTES, 2 * MB, MB}, NULL},
    {{MB + MULTIBOOT_AT, MB + MULTIBOOT_AT, 0, 0, MB}, NULL},
    {{MB + MULTIBOOT_AT, MB + MULTIBOOT_AT + 1, 0, 0, MB}, "contradict"},
    {{MB + MULTIBOOT_AT + 1, MB, 0, 0, MB}, "contradict"},
    {{MB + MULTIBOOT_AT, MB, MB - 1, 0, MB}, "contradict"},
    {{MB + MULTIBOOT_AT, MB, MB + ELF_BYTES + 1, 0, MB}, "cut off"},
    {{MB + MULTIBOOT_AT, MB, 0, 0xFFFFFFFF, MB}, "has no room"},
    {{MULTIBOOT_AT, 0, 0, 0, 16}, "has no room"},
    {{MB + MULTIBOOT_AT, MB, 0, 0, 0}, "no entry"},
};

START_TEST(addresses_in_the_header_count) {
    uint32_t flags = 0x10003;
    make_elf();
    store_le32(elf_file + MULTIBOOT_AT + 4, flags);
    store_le32(elf_file + MULTIBOOT_AT + 8, 0u - 0x1BADB002 - flags);
    for (unsigned i = 0; i < 5; i++)
        store_le32(elf_file + MULTIBOOT_AT + 12 + 4 * i, addressed[_i].fields[i]);
    write_file(kernel_path, elf_file, sizeof elf_file);
    bool good = load(NULL, "", 64 * MB);
    ck_assert_msg(good == (addressed[_i].reason == NULL), "%s", error.message);
    if (!good)
        check_refused(addressed[_i].reason);
    else
        ck_assert_uint_eq(image.entry, addressed[_i].fields[4]);
}
END_TEST

START_TEST(modules_that_do_not_fit_are_refused) {
    char modules[64 * 40 + 100] = "";
    make_elf();
    write_file(kernel_path, elf_file, sizeof elf_file);
    write_file(initrd_path, "module", 6);
    truncate(initrd_path, 30 * MB);
    sprintf(modules, "%s,%s,%s", initrd_path, initrd_path, initrd_path);
    ck_assert(!load(modules, "", 64 * MB));
    check_refused("does not fit");
    error.set = false;
    truncate(initrd_path, 6);
    *modules = '\0';
    for (int i = 0; i < 65; i++)
        sprintf(modules + strlen(modules), "%s,", initrd_path);
    ck_assert(!load(modules, "", 64 * MB));
    check_refused("no more than 64 modules");
}
END_TEST

/* Whatever the header says: refused, or pieces that lie in RAM. */
static void check_pieces(uint64_t ram_bytes) {
    const KernelPiece *pieces[] = {&image.kernel, &image.initrd, &image.command_line, &image.setup};
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_le(pieces[i]->address + (uint64_t)pieces[i]->bytes.size, ram_bytes);
}

START_TEST(damaged_headers_do_no_harm) {
    uint32_t random = 12345;
    write_file(initrd_path, "initial", 7);
    for (int round = 0; round < 600; round++) {
        bool is_linux = round % 2 == 0;
        uint8_t *file = is_linux ? linux_file : elf_file;
        is_linux ? make_linux() : make_elf();
        for (int change = 0; change < 3; change++) {
            random = random * 1664525 + 1013904223;
            unsigned at = (random >> 8) % (is_linux ? 0xA0 : MULTIBOOT_AT - 4);
            random = random * 1664525 + 1013904223;
            file[at + (is_linux ? 0x1F0 : 4)] = (uint8_t)(random >> 16);
        }
        write_file(kernel_path, file, is_linux ? sizeof linux_file : sizeof elf_file);
        if (load(initrd_path, "words", 48 * MB))
            check_pieces(48 * MB);
        else
            ck_assert_ptr_null(image.kernel.bytes.data);
        kernel_image_free(&image);
        image = (KernelImage){.entry = 0};
        error.set = false;
    }
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *make_suite(void) {
    Suite *suite = suite_create("kernel_image");
    TCase *cases = tcase_create("kernel_image");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, linux_pieces_have_their_places);
    tcase_add_test(cases, initrd_keeps_below_the_kernels_limit);
    tcase_add_loop_test(cases, video_mode_is_taken_from_the_command_line, 0, COUNT(video_modes));
    tcase_add_loop_test(cases, cut_off_linux_is_refused, 0, 5);
    tcase_add_test(cases, last_paragraph_may_be_partial);
    tcase_add_test(cases, linux_that_does_not_fit_is_refused);
    tcase_add_test(cases, long_command_line_is_refused);
    tcase_add_test(cases, missing_and_foreign_files_are_refused);
    tcase_add_test(cases, elf_segments_are_laid_out);
    tcase_add_loop_test(cases, elf_headers_may_lie_in_rom, 0,
                        sizeof(header_segments) / sizeof(header_segments[0]));
    tcase_add_test(cases, elf_sections_are_handed_over);
    tcase_add_loop_test(cases, bad_sections_are_left_out, 0,
                        sizeof(bad_sections) / sizeof(bad_sections[0]));
    tcase_add_loop_test(cases, bad_elf_is_refused, 0, COUNT(bad_elfs));
    tcase_add_test(cases, unknown_multiboot_features_are_refused);
    tcase_add_loop_test(cases, addresses_in_the_header_count, 0, COUNT(addressed));
    tcase_add_test(cases, modules_that_do_not_fit_are_refused);
    tcase_add_test(cases, damaged_headers_do_no_harm);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void) {
    return suite_run(make_suite());
}

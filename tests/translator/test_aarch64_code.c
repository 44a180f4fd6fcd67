/* The AArch64 emitters on any host: the guest code of each golden listing (test_golden.c) is
 * translated for that host without being run. It is what tests/translator/golden_aarch64 has
 * (REPRISE_UPDATE_GOLDEN=1 writes what it is now), and takes about as many instructions as it does
 * on x86-64, without what the emitters for x86-64 alone do: x87 and SSE by one instruction, strings
 * in line, and checks that operands share. */
#include "disassemble.h"
#include "guest_fixture.h"
#include "suite_run.h"
#include "translator_internal.h"
#include "x87.h"
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TABLES = 0x8000, CODE = 0x10000 };

/* One listing's code and mode: test_golden.c. */
typedef struct Example {
    uint8_t code[256];
    size_t size;
    bool real;
} Example;

static bool read_example(const char *name, Example *example) {
    char path[512], line[1024];
    snprintf(path, sizeof(path), "%s/%s", GOLDEN_FOLDER, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    memset(example, 0, sizeof(*example));
    while (fgets(line, sizeof(line), file) != NULL && strncmp(line, "---", 3) != 0) {
        unsigned byte;
        int length;
        example->real |= strncmp(line, "mode real", 9) == 0;
        if (strncmp(line, "code", 4) == 0)
            for (const char *hex = line + 4; sscanf(hex, " %2x%n", &byte, &length) == 1;
                 hex += length)
                example->code[example->size++] = (uint8_t)byte;
    }
    fclose(file);
    return example->size != 0;
}

static Block *translate(Guest *guest, const Example *example, const char *host, bool inline_fpu) {
    guest_create(guest, &(TranslatorOptions){.backend = BACKEND_JIT,
                                             .foreign_host = host,
                                             .no_shared_checks = true,
                                             .no_inline_fpu = !inline_fpu,
                                             .no_inline_strings = true});
    guest->cpu->state.cr4 |= CR4_OSFXSR;
    x87_reset(&guest->cpu->state.fpu, true);
    memcpy(guest->ram + CODE, example->code, example->size);
    if (example->real)
        guest_enter_real_mode(guest, CODE >> 4, 0);
    else
        guest_enter_flat_mode(guest, TABLES, CODE, true);
    uint32_t physical;
    ck_assert(translator_fetch_address(guest->translator, &physical));
    BlockKey key = {.physical = physical,
                    .eip = guest->cpu->state.eip,
                    .context = translator_context(guest->translator)};
    return translator_get_block(guest->translator, &key);
}

/* Instructions of the part that is run unless something special happens. */
static unsigned count_for_x86_64(const Example *example) {
    Guest guest;
    ByteBuffer text = {0};
    Block *block = translate(&guest, example, "x86-64", false);
    ck_assert_ptr_nonnull(block);
    unsigned count = disassemble(block->host_code, block->hot_bytes, 0, 64, &text);
    byte_buffer_free(&text);
    guest_destroy(&guest);
    return count;
}

static unsigned count_for_aarch64(const Example *example) {
    Guest guest;
    Block *block = translate(&guest, example, "aarch64", false);
    ck_assert_ptr_nonnull(block);
    unsigned count = block->hot_bytes / 4;
    guest_destroy(&guest);
    return count;
}

/* Calls go to the trampolines, whose places follow from where functions are in this process. */
static void hide_call_targets(char *text) {
    for (char *call = text; (call = strstr(call, "  bl       #")) != NULL; call++) {
        char *end = strchr(call, '\n');
        memset(call + 11, '.', (size_t)(end - call - 11));
    }
}

static void read_listing(const char *path, ByteBuffer *text) {
    char line[256];
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing: REPRISE_UPDATE_GOLDEN=1 writes it", path);
    while (fgets(line, sizeof line, file) != NULL)
        byte_buffer_print(text, "%s", line);
    fclose(file);
}

static void check_listing(const char *name, const Example *example) {
    Guest guest;
    ByteBuffer now = {0}, golden = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", AARCH64_FOLDER, name);
    /* x87 code has addresses of functions in it. */
    bool inline_fpu = strstr(name, "x87") == NULL && strstr(name, "floating") == NULL &&
                      strstr(name, "mmx_end") == NULL;
    Block *block = translate(&guest, example, "aarch64", inline_fpu);
    ck_assert_ptr_nonnull(block);
    translator_print_blocks(guest.translator, block->key.eip, &now);
    hide_call_targets((char *)now.data);
    guest_destroy(&guest);
    if (getenv("REPRISE_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs((const char *)now.data, file);
        fclose(file);
    } else {
        read_listing(path, &golden);
        if (strcmp((const char *)now.data, (const char *)golden.data) != 0)
            ck_abort_msg("%s: the translation is not the golden one any more "
                         "(REPRISE_UPDATE_GOLDEN=1 renews it); now:\n%s",
                         name, (const char *)now.data);
    }
    byte_buffer_free(&now);
    byte_buffer_free(&golden);
}

START_TEST(listings_are_as_they_were) {
    DIR *folder = opendir(GOLDEN_FOLDER);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        Example example;
        if (strstr(entry->d_name, ".txt") != NULL && read_example(entry->d_name, &example))
            check_listing(entry->d_name, &example);
    }
    closedir(folder);
}
END_TEST

START_TEST(as_many_instructions_as_on_x86_64) {
    DIR *folder = opendir(GOLDEN_FOLDER);
    ck_assert_ptr_nonnull(folder);
    double logarithms = 0;
    unsigned examples = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        Example example;
        if (strstr(entry->d_name, ".txt") == NULL || !read_example(entry->d_name, &example))
            continue;
        unsigned ours = count_for_aarch64(&example), theirs = count_for_x86_64(&example);
        if (getenv("REPRISE_REPORT") != NULL)
            printf("%-40s %3u %3u %.2f\n", entry->d_name, ours, theirs, (double)ours / theirs);
        logarithms += log((double)ours / theirs);
        examples++;
    }
    closedir(folder);
    ck_assert_uint_ge(examples, 150);
    printf("AArch64 takes %.2f times the instructions of x86-64, geometric mean of %u\n",
           exp(logarithms / examples), examples);
    ck_assert_double_le(exp(logarithms / examples), 1.5);
}
END_TEST

int main(void) {
    ByteBuffer text = {0};
    const uint8_t nop = 0x90;
    unsigned count = disassemble(&nop, 1, 0, 64, &text);
    byte_buffer_free(&text);
    if (count != 1) {
        printf("skipped: built without Capstone\n");
        return 77;
    }
    Suite *suite = suite_create("aarch64");
    TCase *tests = tcase_create("code");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, as_many_instructions_as_on_x86_64);
    tcase_add_test(tests, listings_are_as_they_were);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

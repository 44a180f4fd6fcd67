/* Golden listings: guest code in, host code and its instruction counts out. A listing that changes
 * is looked at by somebody; then REPRISE_UPDATE_GOLDEN=1 writes the new ones.
 *
 * A file of tests/translator/golden: a line 'mode flat' or 'mode real', a line 'loop' if the code
 * is a hot loop, a line 'code' with the bytes in hexadecimal, a line of dashes, the listing. The
 * code stands at 10000h (flat, paging on) or 1000:0000, EBX, ESI and EDI point to memory, ECX is
 * large; 2000 instructions are run. The listing is of the first block. */
#include "guest_fixture.h"
#include "suite_run.h"
#include "x87.h"
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE = 0x10000, DATA = 0x20000, TABLES = 0x100000 };

typedef struct Golden {
    char path[512];
    char head[4096]; /* up to and with the line of dashes */
    char listing[65536];
    bool real, loop;
    uint8_t code[512];
    size_t code_size;
} Golden;

static void read_code(Golden *golden, const char *hex) {
    unsigned byte;
    int length;
    while (sscanf(hex, " %2x%n", &byte, &length) == 1) {
        golden->code[golden->code_size++] = (uint8_t)byte;
        hex += length;
    }
}

static void read_golden(Golden *golden) {
    FILE *file = fopen(golden->path, "r");
    ck_assert_ptr_nonnull(file);
    char line[1024];
    bool in_listing = false;
    while (fgets(line, sizeof(line), file) != NULL) {
        strcat(in_listing ? golden->listing : golden->head, line);
        if (in_listing)
            continue;
        if (strncmp(line, "mode real", 9) == 0)
            golden->real = true;
        if (strncmp(line, "loop", 4) == 0)
            golden->loop = true;
        if (strncmp(line, "code", 4) == 0)
            read_code(golden, line + 4);
        in_listing = strncmp(line, "---", 3) == 0;
    }
    fclose(file);
}

static void run_guest(Guest *guest, const Golden *golden) {
    guest_create(guest, &(TranslatorOptions){.backend = BACKEND_JIT});
    CpuState *state = &guest->cpu->state;
    memcpy(guest->ram + CODE, golden->code, golden->code_size);
    if (golden->real)
        guest_enter_real_mode(guest, CODE >> 4, 0);
    else
        guest_enter_flat_mode(guest, TABLES, CODE, true);
    if (golden->real)
        guest_return_from_interrupts(guest);
    state->cr4 |= CR4_OSFXSR;
    x87_reset(&state->fpu, true);
    state->gpr[REG_ESI] = golden->real ? 0x2000 : DATA;
    state->gpr[REG_EDI] = golden->real ? 0x4000 : DATA + 0x4000;
    state->gpr[REG_ECX] = 0x7FFF;
    state->gpr[REG_EBX] = golden->real ? 0x3000 : DATA;
    state->gpr[REG_ESP] = golden->real ? 0x8000 : DATA + 0x8000;
    guest_run(guest, 2000);
}

/* Of a hot loop the translation that is entered from its own end must neither call nor store a
 * guest register. */
static void check_hot_loop(const char *name, const char *listing) {
    const char *hot = strstr(listing, "recomputable from registers");
    if (hot == NULL)
        hot = listing;
    const char *end = strstr(hot, "guest instructions");
    const char *host = strstr(hot, "host:");
    for (const char *line = host; line != NULL && line < end; line = strchr(line + 1, '\n')) {
        ck_assert_msg(strncmp(line + 11, "call", 4) != 0, "%s: a call in a hot loop", name);
        const char *store = strstr(line, "ptr [r14");
        const char *next = strchr(line + 1, '\n');
        bool stores = store != NULL && store < next && strchr(store, ']') < next &&
                      strstr(store, "], ") == strchr(store, ']') &&
                      strncmp(line + 11, "mov", 3) == 0;
        ck_assert_msg(!stores, "%s: a store into the CPU's state in a hot loop:%.60s", name, line);
    }
}

static void write_golden(const Golden *golden, const char *listing) {
    FILE *file = fopen(golden->path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(golden->head, file);
    fputs(listing, file);
    fclose(file);
}

static void check_golden(Golden *golden, const char *name) {
    Guest guest;
    ByteBuffer text = {0};
    read_golden(golden);
    ck_assert_uint_gt(golden->code_size, 0);
    run_guest(&guest, golden);
    translator_print_blocks(guest.translator, golden->real ? 0 : CODE, &text);
    ck_assert_uint_gt(text.size, 0);
    const char *listing = (const char *)text.data;
    if (golden->loop)
        check_hot_loop(name, listing);
    if (getenv("REPRISE_UPDATE_GOLDEN") != NULL)
        write_golden(golden, listing);
    else if (strcmp(listing, golden->listing) != 0)
        ck_abort_msg("%s: the translation is not the golden one any more (REPRISE_UPDATE_GOLDEN=1 "
                     "renews it); now:\n%s",
                     name, listing);
    byte_buffer_free(&text);
    guest_destroy(&guest);
}

START_TEST(test_golden_listings) {
    DIR *folder = opendir(GOLDEN_FOLDER);
    ck_assert_ptr_nonnull(folder);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strstr(entry->d_name, ".txt") == NULL)
            continue;
        static Golden golden;
        memset(&golden, 0, sizeof(golden));
        snprintf(golden.path, sizeof(golden.path), "%s/%s", GOLDEN_FOLDER, entry->d_name);
        check_golden(&golden, entry->d_name);
        count++;
    }
    closedir(folder);
    ck_assert_uint_ge(count, 150);
}
END_TEST

int main(void) {
    if (translator_default_backend() != BACKEND_JIT) {
        printf("skipped: there is no translator for this host\n");
        return 77;
    }
#if !defined(__x86_64__)
    printf("skipped: the listings are of an x86-64 host\n");
    return 77;
#else
    if (!__builtin_cpu_supports("bmi2")) {
        printf("skipped: the listings are of a host with BMI2\n");
        return 77;
    }
#endif
    Suite *suite = suite_create("golden");
    TCase *tests = tcase_create("listings");
    tcase_add_test(tests, test_golden_listings);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

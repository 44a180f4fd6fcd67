/* The flat profile: instructions by function, most first. */
#include "guest_coverage_internal.h"

#include "allocate.h"
#include <stdlib.h>
#include <string.h>

/* Code without a name is told by the page that it lies on. */
#define PAGE_MASK 0xFFFu

typedef struct ProfileRow {
    const char *name; /* NULL: none is known */
    uint32_t address;
    uint64_t samples;
} ProfileRow;

static const GuestSymbol *find_symbol(const GuestCoverage *coverage, uint32_t address) {
    for (unsigned i = 0; i < coverage->file_count; i++) {
        const GuestSymbols *symbols = &coverage->file[i].symbols;
        const GuestSymbol *symbol = guest_symbols_find(symbols, address);
        if (symbol != NULL && guest_symbols_has_code(symbols, address))
            return symbol;
    }
    return NULL;
}

static int compare_places(const void *a, const void *b) {
    const ProfileRow *first = a, *second = b;
    return first->address < second->address ? -1 : first->address > second->address;
}

static int compare_samples(const void *a, const void *b) {
    const ProfileRow *first = a, *second = b;
    if (first->samples != second->samples)
        return first->samples < second->samples ? 1 : -1;
    return compare_places(a, b);
}

/* Makes one row of those of a function; returns how many there are. */
static size_t merge_rows(ProfileRow *rows, size_t count) {
    size_t merged = 0;
    qsort(rows, count, sizeof(*rows), compare_places);
    for (size_t i = 0; i < count; i++) {
        if (merged > 0 && rows[merged - 1].address == rows[i].address)
            rows[merged - 1].samples += rows[i].samples;
        else
            rows[merged++] = rows[i];
    }
    qsort(rows, merged, sizeof(*rows), compare_samples);
    return merged;
}

static void write_rows(const ProfileRow *rows, size_t count, uint64_t samples, FILE *output) {
    fprintf(output,
            "%llu samples, one in %u instructions\n\n  share   instructions   address   function\n",
            (unsigned long long)samples, CODE_PROFILE_INTERVAL);
    for (size_t i = 0; i < count; i++)
        fprintf(output, "%6.2f %% %14llu   %08X  %s\n",
                100.0 * (double)rows[i].samples / (double)samples,
                (unsigned long long)rows[i].samples * CODE_PROFILE_INTERVAL, rows[i].address,
                rows[i].name == NULL ? "(page without symbols)" : rows[i].name);
}

void guest_coverage_write_profile(const GuestCoverage *coverage, FILE *output) {
    size_t count;
    uint64_t samples = 0;
    CodeSample *list = code_profile_list(coverage->profile, &count);
    ProfileRow *rows = allocate_zeroed((count + 1) * sizeof(*rows));
    for (size_t i = 0; i < count; i++) {
        const GuestSymbol *symbol = find_symbol(coverage, list[i].linear);
        rows[i] =
            (ProfileRow){symbol == NULL ? NULL : symbol->name,
                         symbol == NULL ? list[i].linear & ~PAGE_MASK : (uint32_t)symbol->address,
                         list[i].count};
        samples += list[i].count;
    }
    write_rows(rows, merge_rows(rows, count), samples, output);
    free(rows);
    free(list);
}

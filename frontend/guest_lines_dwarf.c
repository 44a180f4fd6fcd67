/* Source lines by libdw, which is loaded when a file is first asked for. */
#include "allocate.h"
#include "guest_lines.h"
#include "host_file.h"
#include "host_library.h"

#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
#define DWARF_FUNCTIONS(X) \
    X(begin) X(end) X(nextcu) X(offdie) X(getsrclines) X(onesrcline) X(lineaddr) X(lineno) \
    X(linesrc) X(lineendsequence)
// clang-format on

typedef struct DwarfLibrary {
#define X(name) __typeof__(dwarf_##name) *name;
    DWARF_FUNCTIONS(X)
#undef X
} DwarfLibrary;

static bool load_library(DwarfLibrary *dwarf, Error *error) {
    static const char *const names[] = {
#define X(name) "dwarf_" #name,
        DWARF_FUNCTIONS(X)
#undef X
    };
    return host_library_load(REPRISE_DWARF_LIBRARY, names, sizeof(names) / sizeof(names[0]), dwarf,
                             error);
}

/* The number of a source file's name. */
static unsigned find_file(GuestLines *lines, const char *name) {
    for (size_t i = lines->file_count; i > 0; i--) /* most often the last one's */
        if (strcmp(lines->file[i - 1], name) == 0)
            return (unsigned)(i - 1);
    lines->file = allocate_grow(lines->file, &lines->file_capacity, lines->file_count + 1,
                                sizeof(*lines->file));
    lines->file[lines->file_count] = strdup(name);
    if (lines->file[lines->file_count] == NULL)
        abort();
    return (unsigned)lines->file_count++;
}

/* A row's code goes on to the next row; rows of line 0 are nobody's. */
static void add_row(GuestLines *lines, const DwarfLibrary *dwarf, Dwarf_Line *row, Dwarf_Addr end) {
    Dwarf_Addr address;
    int number;
    const char *source = dwarf->linesrc(row, NULL, NULL);
    if (source == NULL || dwarf->lineaddr(row, &address) != 0 || dwarf->lineno(row, &number) != 0 ||
        number <= 0 || end <= address)
        return;
    lines->lines =
        allocate_grow(lines->lines, &lines->capacity, lines->count + 1, sizeof(*lines->lines));
    lines->lines[lines->count++] =
        (GuestLine){address, end - address, find_file(lines, source), (unsigned)number};
}

static void read_unit(GuestLines *lines, const DwarfLibrary *dwarf, Dwarf_Die *unit) {
    Dwarf_Lines *table;
    size_t rows;
    if (dwarf->getsrclines(unit, &table, &rows) != 0)
        return;
    for (size_t i = 0; i + 1 < rows; i++) {
        Dwarf_Line *row = dwarf->onesrcline(table, i);
        Dwarf_Addr end;
        bool ends = true;
        if (dwarf->lineendsequence(row, &ends) != 0 || ends ||
            dwarf->lineaddr(dwarf->onesrcline(table, i + 1), &end) != 0)
            continue;
        add_row(lines, dwarf, row, end);
    }
}

static void read_units(GuestLines *lines, const DwarfLibrary *dwarf, Dwarf *file) {
    Dwarf_Off unit = 0, next;
    size_t header_bytes;
    while (dwarf->nextcu(file, unit, &next, &header_bytes, NULL, NULL, NULL) == 0) {
        Dwarf_Die die;
        if (dwarf->offdie(file, unit + header_bytes, &die) != NULL)
            read_unit(lines, dwarf, &die);
        unit = next;
    }
}

static int compare_lines(const void *a, const void *b) {
    const GuestLine *first = a, *second = b;
    return first->address < second->address ? -1 : first->address > second->address;
}

bool guest_lines_read(GuestLines *lines, const char *path, bool *has_reader, Error *error) {
    DwarfLibrary dwarf;
    *lines = (GuestLines){.lines = NULL};
    *has_reader = true;
    if (!load_library(&dwarf, error))
        return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    Dwarf *file = dwarf.begin(descriptor, DWARF_C_READ);
    if (file != NULL) {
        read_units(lines, &dwarf, file);
        dwarf.end(file);
    }
    close(descriptor);
    if (lines->count > 0)
        qsort(lines->lines, lines->count, sizeof(*lines->lines), compare_lines);
    return true;
}

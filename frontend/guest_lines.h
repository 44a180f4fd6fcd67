/* Which line of which source file a guest's code was made from: DWARF's line tables in an ELF
 * file, read by libdw. */
#ifndef REPRISE_GUEST_LINES_H
#define REPRISE_GUEST_LINES_H

#include "error.h"
#include <stddef.h>
#include <stdint.h>

/* The code of one row of a line table. */
typedef struct GuestLine {
    uint64_t address, size;
    unsigned file; /* one of GuestLines.file */
    unsigned line;
} GuestLine;

typedef struct GuestLines {
    GuestLine *lines; /* by address */
    size_t count, capacity;
    char **file;
    size_t file_count, file_capacity;
} GuestLines;

/* A file without line tables is no error: there are no lines then. 'has_reader' is false where this
 * build has no libdw, so nobody knows whether there are lines. */
bool guest_lines_read(GuestLines *lines, const char *path, bool *has_reader, Error *error);
void guest_lines_free(GuestLines *lines);
/* NULL if none is known. */
const GuestLine *guest_lines_find(const GuestLines *lines, uint64_t address);

#endif

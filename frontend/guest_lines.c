/* See guest_lines.h. */
#include "guest_lines.h"
#include "allocate.h"

#include <stdlib.h>

void guest_lines_free(GuestLines *lines) {
    for (size_t i = 0; i < lines->file_count; i++)
        free(lines->file[i]);
    free(lines->file);
    free(lines->lines);
    *lines = (GuestLines){.lines = NULL};
}

const GuestLine *guest_lines_find(const GuestLines *lines, uint64_t address) {
    size_t first = 0, after = lines->count;
    while (first < after) {
        size_t middle = first + (after - first) / 2;
        if (lines->lines[middle].address <= address)
            first = middle + 1;
        else
            after = middle;
    }
    if (first == 0)
        return NULL;
    const GuestLine *line = &lines->lines[first - 1];
    return address - line->address < line->size ? line : NULL;
}

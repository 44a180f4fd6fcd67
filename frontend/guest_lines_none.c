/* Source lines where the build has no libdw. */
#include "guest_lines.h"

bool guest_lines_read(GuestLines *lines, const char *path, bool *has_reader, Error *error) {
    (void)path;
    (void)error;
    *lines = (GuestLines){.lines = NULL};
    *has_reader = false;
    return true;
}

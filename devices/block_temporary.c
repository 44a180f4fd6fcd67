#include "block_temporary.h"
#include "host_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int block_temporary_open(const char *purpose, Error *error) {
    const char *folder = getenv("TMPDIR");
    if (folder != NULL && folder[0] == '\0')
        folder = NULL;
    int file = host_file_open_temporary(folder);
    if (file < 0)
        error_set(error, "no temporary file for %s in %s: %s (TMPDIR names another folder)",
                  purpose, folder != NULL ? folder : "the usual folder", strerror(errno));
    return file;
}

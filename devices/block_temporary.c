#define _GNU_SOURCE /* O_TMPFILE */
#include "block_temporary.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int block_temporary_open(const char *purpose, Error *error) {
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0')
        folder = "/var/tmp"; /* not /tmp, which is often in memory and small */
    int file = -1;
#ifdef O_TMPFILE
    file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
    if (file < 0) {
        char name[1024];
        snprintf(name, sizeof(name), "%s/reprise-XXXXXX", folder);
        file = mkstemp(name);
        if (file >= 0)
            unlink(name);
    }
    if (file < 0)
        error_set(error, "no temporary file for %s in %s: %s (TMPDIR names another folder)",
                  purpose, folder, strerror(errno));
    return file;
}

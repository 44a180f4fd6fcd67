/* Files of the host that are no images, given to the guest on a floppy: copies of them in a folder
 * of our own, which is shown as a disk (block_folder.h). */
#ifndef REPRISE_DROPPED_FILES_H
#define REPRISE_DROPPED_FILES_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

/* An all-zero one is empty. */
typedef struct DroppedFiles {
    char folder[64]; /* "": none was made yet */
    uint64_t bytes;
} DroppedFiles;

/* Looks a file like a disk image, by its name or by what is in it? */
bool dropped_files_is_image(const char *path);

/* Adds a copy of the file, in place of one of its name; where the floppy would be too small for all
 * of them, those before go. */
bool dropped_files_add(DroppedFiles *files, const char *path, Error *error);
/* Removes the folder. */
void dropped_files_free(DroppedFiles *files);

#endif

/* The images that a user may want: those used last, and those that lie in folders. */
#ifndef REPRISE_IMAGE_SHELF_H
#define REPRISE_IMAGE_SHELF_H

#include "image_guess.h"
#include <stdbool.h>
#include <stddef.h>

#define IMAGE_SHELF_MOST 200

typedef struct ShelfImage {
    char *path; /* absolute */
    ImageKind kind;
    bool recent;
} ShelfImage;

typedef struct ImageShelf {
    ShelfImage images[IMAGE_SHELF_MOST];
    size_t count;
} ImageShelf;

/* An all-zero shelf is empty. */
void image_shelf_free(ImageShelf *shelf);

/* Adds the images used last, newest first, those that are still there. */
void image_shelf_add_recent(ImageShelf *shelf);
/* Adds the images of a folder, by name: files that are named as images are. */
void image_shelf_add_folder(ImageShelf *shelf, const char *folder);

/* Does the name end as those of images do? */
bool image_shelf_is_named(const char *name);

/* Notes that an image was used, at the head of the list of recent ones
 * ($XDG_STATE_HOME/reprise/recent). Where that cannot be written nothing happens: it is a
 * convenience. */
void image_shelf_note_used(const char *path);

#endif

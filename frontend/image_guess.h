/* What kind of drive an image belongs into, by its size and content. */
#ifndef REPRISE_IMAGE_GUESS_H
#define REPRISE_IMAGE_GUESS_H

#include "error.h"
#include "settings.h"

/* The last is no image, but a file that describes a machine (machine_file.h): never guessed. */
typedef enum ImageKind {
    IMAGE_FLOPPY,
    IMAGE_DISK,
    IMAGE_CD,
    IMAGE_KERNEL,
    IMAGE_MACHINE
} ImageKind;

/* Looks at the file; an error if it cannot be read or holds nothing. */
bool image_guess(const char *path, ImageKind *kind, Error *error);

/* A bare path on the command line: puts the image into the drive that it looks made for, or
 * starts the Linux kernel. */
bool image_guess_plug_in(Settings *settings, const char *path, Error *error);

#endif

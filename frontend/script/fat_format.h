/* Makes images with an empty FAT volume. */
#ifndef REPRISE_FAT_FORMAT_H
#define REPRISE_FAT_FORMAT_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct FatFormat {
    uint64_t bytes;    /* of the image; a floppy if it is as large as one */
    unsigned bits;     /* 12, 16 or 32; 0: what DOS would choose for this size */
    bool whole;        /* the volume takes all of a disk that is no floppy, without partitions */
    const char *label; /* at most 11 characters; NULL: none */
} FatFormat;

/* Creates the image, or makes a new one of it, unless somebody uses it. */
bool fat_format_create(const char *path, const FatFormat *format, Error *error);

#endif

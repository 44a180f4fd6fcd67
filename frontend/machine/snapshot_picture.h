/* A small picture of the screen that is kept with each snapshot, for people who look for one. */
#ifndef REPRISE_SNAPSHOT_PICTURE_H
#define REPRISE_SNAPSHOT_PICTURE_H

#include "machine.h"
#include "snapshot_file.h"

enum { SNAPSHOT_PICTURE_WIDTH = 160, SNAPSHOT_PICTURE_HEIGHT = 120 }; /* at most */

typedef struct SnapshotPicture {
    uint32_t width, height;
    uint32_t pixels[SNAPSHOT_PICTURE_WIDTH * SNAPSHOT_PICTURE_HEIGHT]; /* 00RRGGBBh */
} SnapshotPicture;

/* Adds the picture of what the screen shows to a snapshot; nothing where there is no screen. */
bool snapshot_put_picture(SnapshotFile *file, uint64_t id, Machine *machine, Error *error);

/* On the machine's thread. False: there is no such snapshot, or it has no picture. */
bool machine_get_snapshot_picture(Machine *machine, const char *name, SnapshotPicture *picture);

/* The picture of a surface, each pixel the mean of those that it stands for. */
void snapshot_picture_make(SnapshotPicture *picture, const DisplaySurface *surface);

#endif

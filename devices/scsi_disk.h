/* A SCSI disk of 512-byte blocks (SPC-3, SBC-3). scsi_disk.c runs its commands, scsi_disk_blocks.c
 * those that read and write, scsi_disk_modes.c has its mode pages. */
#ifndef REPRISE_SCSI_DISK_H
#define REPRISE_SCSI_DISK_H

#include "block.h"
#include "device_context.h"
#include "ide.h"
#include "scsi_target.h"

typedef struct ScsiDisk ScsiDisk;

typedef struct ScsiDiskOptions {
    const char *id;        /* in the device list */
    BlockNode *medium;     /* stays the caller's */
    const char *product;   /* up to 16 characters; NULL: a default */
    const char *serial;    /* NULL: none */
    const char *device_id; /* NULL: 'serial', else 'id' */
    IdeGeometry geometry;  /* that it tells of; 0 cylinders: guessed */
} ScsiDiskOptions;

ScsiDisk *scsi_disk_create(const DeviceContext *context, const ScsiDiskOptions *options);
void scsi_disk_destroy(ScsiDisk *disk);

/* Stays the disk's. */
ScsiTarget *scsi_disk_target(ScsiDisk *disk);

/* Puts the medium in, as the State that is restored from elsewhere knows it. */
void scsi_disk_restore_medium(ScsiDisk *disk, BlockNode *medium);
IdeGeometry scsi_disk_geometry(const ScsiDisk *disk);
void scsi_disk_restore_geometry(ScsiDisk *disk, IdeGeometry geometry);

#endif

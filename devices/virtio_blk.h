/* A virtio disk (Virtual I/O Device specification 1.1, chapter 5.2) on the PCI bus. */
#ifndef REPRISE_VIRTIO_BLK_H
#define REPRISE_VIRTIO_BLK_H

#include "block.h"
#include "device_context.h"
#include "ide.h"
#include "pci.h"

typedef struct VirtioBlk VirtioBlk;

typedef struct VirtioBlkOptions {
    const char *id;       /* in the device list */
    unsigned slot;        /* on the PCI bus */
    BlockNode *medium;    /* stays the caller's */
    const char *serial;   /* up to 20 characters; NULL: none */
    IdeGeometry geometry; /* that it tells of; 0 cylinders: guessed */
} VirtioBlkOptions;

VirtioBlk *virtio_blk_create(const DeviceContext *context, PciBus *bus,
                             const VirtioBlkOptions *options, Error *error);
void virtio_blk_destroy(VirtioBlk *disk);

/* Puts the medium in, as the State that is restored from elsewhere knows it. */
void virtio_blk_restore_medium(VirtioBlk *disk, BlockNode *medium);
IdeGeometry virtio_blk_geometry(const VirtioBlk *disk);
void virtio_blk_restore_geometry(VirtioBlk *disk, IdeGeometry geometry);

#endif

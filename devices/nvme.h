/* An NVMe controller with one namespace (NVM Express base specification 1.4). */
#ifndef REPRISE_NVME_H
#define REPRISE_NVME_H

#include "block.h"
#include "device_context.h"
#include "pci.h"

typedef struct Nvme Nvme;

typedef struct NvmeOptions {
    const char *id;     /* in the device list */
    unsigned slot;      /* on the PCI bus */
    BlockNode *medium;  /* stays the caller's */
    const char *serial; /* up to 20 characters; NULL: a default */
} NvmeOptions;

Nvme *nvme_create(const DeviceContext *context, PciBus *bus, const NvmeOptions *options,
                  Error *error);
void nvme_destroy(Nvme *nvme);

/* Puts the medium in, as the State that is restored from elsewhere knows it. */
void nvme_restore_medium(Nvme *nvme, BlockNode *medium);

#endif

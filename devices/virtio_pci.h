/* A virtio device on the PCI bus (Virtual I/O Device specification 1.1, chapter 4.1), in both forms
 * at once: with the registers of devices before 1.0 behind BAR 0, and with those of 1.0 behind BAR
 * 4. What kind of device it is, it is told; requests are the business of that kind. */
#ifndef REPRISE_VIRTIO_PCI_H
#define REPRISE_VIRTIO_PCI_H

#include "device_context.h"
#include "pci.h"
#include "virtio_queue.h"

#define VIRTIO_PCI_QUEUES_MAX 4
#define VIRTIO_CONFIG_BYTES_MAX 256

typedef struct VirtioPci VirtioPci;

typedef struct VirtioPciOptions {
    const char *name;    /* of the chip */
    const char *id;      /* in the device list */
    unsigned slot;       /* on the PCI bus */
    uint16_t kind;       /* virtio's number of it: 2 is a disk */
    uint16_t pci_device; /* PCI device number of the transitional device */
    uint32_t class_code;
    uint64_t features;    /* that it offers, beside those of queues and transport */
    unsigned queue_count; /* up to VIRTIO_PCI_QUEUES_MAX */
    unsigned config_size; /* of its own registers, up to VIRTIO_CONFIG_BYTES_MAX */

    void *opaque;                                       /* handed to the callbacks below */
    void (*config_read)(void *opaque, uint8_t *config); /* config_size bytes, zeroed before */
    void (*config_write)(void *opaque, unsigned offset, const uint8_t *data, unsigned size);
    /* There may be something in the queue. Called from a timer, never from an access of the
     * guest's; the device may take chains until the queue is empty, and returns how many ns it is
     * busy with what it did. It returns before the queue is empty to let the processor go on. */
    int64_t (*work)(void *opaque, unsigned queue);
    void (*reset)(void *opaque); /* by the driver or the board */
} VirtioPciOptions;

VirtioPci *virtio_pci_create(const DeviceContext *context, PciBus *bus,
                             const VirtioPciOptions *options, Error *error);
void virtio_pci_destroy(VirtioPci *device);

/* What driver and device agreed on. */
bool virtio_pci_has_feature(const VirtioPci *device, unsigned bit);

/* For work(): false if there is nothing to take. */
bool virtio_pci_take(VirtioPci *device, unsigned queue, VirtioChain *chain);
void virtio_pci_give_back(VirtioPci *device, unsigned queue, const VirtioChain *chain,
                          uint32_t written);
/* The driver did what no driver may. */
void virtio_pci_break(VirtioPci *device);

#endif

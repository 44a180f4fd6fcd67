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
    /* Bits of queues that come in streams: after work there, what else comes is done so much later,
     * many chains at once. */
    unsigned stream_queues;
    int64_t stream_ns;
    unsigned config_size; /* of its own registers, up to VIRTIO_CONFIG_BYTES_MAX */
    const uint8_t *rom;   /* to boot by, or NULL */
    uint32_t rom_size;

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
/* Nothing is to be done in this queue until the driver says so again. */
void virtio_pci_rest(VirtioPci *device, unsigned queue);

/* For a device that takes chains when something comes from outside: between begin and end, as in
 * work(), after which the driver is told. */
void virtio_pci_begin(VirtioPci *device);
void virtio_pci_end(VirtioPci *device, unsigned queue);
/* The driver has got as far as to hand over chains. */
bool virtio_pci_is_ready(const VirtioPci *device, unsigned queue);
/* There is a chain to take; if not, the driver is asked to say when there is. */
bool virtio_pci_has_chain(VirtioPci *device, unsigned queue);
/* The last 'count' chains that were taken were not. */
void virtio_pci_put_back(VirtioPci *device, unsigned queue, unsigned count);

/* What the device's own registers show is different now. */
void virtio_pci_config_changed(VirtioPci *device);

#endif

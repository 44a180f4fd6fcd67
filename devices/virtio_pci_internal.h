/* What the two files of virtio's PCI transport share. */
#ifndef REPRISE_VIRTIO_PCI_INTERNAL_H
#define REPRISE_VIRTIO_PCI_INTERNAL_H

#include "virtio_pci.h"

enum {
    BAR_LEGACY = 0,
    BAR_MESSAGES = 1,
    BAR_MODERN = 4,
    LEGACY_BYTES = 128,
    MESSAGE_BYTES = 0x1000,
    MESSAGES_PENDING = 0x800, /* behind the table */
    MODERN_BYTES = 0x4000,
    /* Parts of the latter. */
    PART_BYTES = 0x1000,
    PART_COMMON = 0,
    PART_ISR = 1,
    PART_DEVICE = 2,
    PART_NOTIFY = 3,
    NOTIFY_STRIDE = 4,
};

enum {
    STATUS_DRIVER_OK = 0x04,
    STATUS_FEATURES_OK = 0x08,
    STATUS_NEEDS_RESET = 0x40,
};

enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

/* Feature bits of the transport. */
#define FEATURE_ANY_LAYOUT (1ull << 27)
#define FEATURE_INDIRECT (1ull << VIRTIO_RING_INDIRECT_BIT)
#define FEATURE_EVENT (1ull << VIRTIO_RING_EVENT_BIT)
#define FEATURE_VERSION_1 (1ull << 32)
#define FEATURES_OF_TRANSPORT (FEATURE_ANY_LAYOUT | FEATURE_INDIRECT | FEATURE_EVENT)

typedef struct VirtioPciState {
    VirtioQueueState queues[VIRTIO_PCI_QUEUES_MAX];
    int64_t due_ns;           /* when queues are looked into */
    uint64_t driver_features; /* as the driver wants them */
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    uint16_t config_vector;
    uint8_t status, isr;
    uint8_t noticed; /* a bit for each queue that has to be looked into */
    uint8_t padding[1];
} VirtioPciState;

struct VirtioPci {
    VirtioPciState state;
    VirtioPciOptions options;
    DeviceContext context;
    PciDevice *pci;
    Timer timer;
    bool working; /* its own registers are deaf to its own DMA */
};

/* virtio_pci.c */
uint64_t virtio_pci_features(const VirtioPci *device);
void virtio_pci_write_status(VirtioPci *device, uint8_t status);
uint8_t virtio_pci_read_isr(VirtioPci *device);
/* Which vector of MSI-X that is; VIRTIO_NO_VECTOR where there is none. */
uint16_t virtio_pci_vector(const VirtioPci *device, uint32_t value);
/* The driver says that there is something in a queue. */
void virtio_pci_notify(VirtioPci *device, unsigned queue);
/* The queue that the driver selected; NULL if there is none. */
VirtioQueueState *virtio_pci_selected_queue(VirtioPci *device);
/* Also a part of the bytes of 'config'. */
uint32_t virtio_pci_read_config(VirtioPci *device, uint32_t offset, unsigned size);
void virtio_pci_write_config(VirtioPci *device, uint32_t offset, unsigned size, uint32_t value);

/* virtio_pci_registers.c */
uint32_t virtio_pci_legacy_read(void *device, uint32_t offset, unsigned size);
void virtio_pci_legacy_write(void *device, uint32_t offset, unsigned size, uint32_t value);
uint32_t virtio_pci_modern_read(void *device, uint32_t offset, unsigned size);
void virtio_pci_modern_write(void *device, uint32_t offset, unsigned size, uint32_t value);

#endif

/* Split virtqueues (Virtual I/O Device specification 1.1, chapter 2.6): rings in guest memory by
 * which a driver hands over chains of buffers and gets them back. */
#ifndef REPRISE_VIRTIO_QUEUE_H
#define REPRISE_VIRTIO_QUEUE_H

#include "dma_list.h"
#include "field.h"

#define VIRTIO_QUEUE_SIZE_MAX 256
#define VIRTIO_NO_VECTOR 0xFFFF

/* Feature bits that say how queues work. */
enum { VIRTIO_RING_INDIRECT_BIT = 28, VIRTIO_RING_EVENT_BIT = 29 };

typedef struct VirtioQueueState {
    uint64_t descriptors, available, used; /* physical addresses of the three parts */
    uint16_t size;
    uint16_t next_available; /* of the ring of available chains, what is taken next */
    uint16_t used_index;     /* of the ring of used ones, what is filled next */
    uint16_t told_used;      /* what it was when the driver was interrupted last */
    uint16_t vector;         /* of MSI-X */
    uint8_t enabled;
    uint8_t padding[5];
} VirtioQueueState;

extern const FieldTable virtio_queue_fields;

/* A chain of buffers: first those that the device reads, then those that it writes. */
typedef struct VirtioChain {
    uint16_t head;
    DmaList readable, writable;
} VirtioChain;

typedef enum VirtioTake {
    VIRTIO_QUEUE_EMPTY,
    VIRTIO_QUEUE_TAKEN,
    VIRTIO_QUEUE_BROKEN, /* what the driver wrote cannot be: it has to reset the device */
} VirtioTake;

void virtio_queue_reset(VirtioQueueState *queue);
/* Bounds what a damaged save may hold. */
void virtio_queue_restored(VirtioQueueState *queue);

/* The three parts one behind the other from 'address', as devices before 1.0 have them. */
void virtio_queue_set_legacy_address(VirtioQueueState *queue, uint64_t address);
/* All of its parts lie where they can be. */
bool virtio_queue_is_possible(const VirtioQueueState *queue);

/* Takes the next chain. 'features' are those that were agreed on. */
VirtioTake virtio_queue_take(VirtioQueueState *queue, PhysicalMap *memory, uint64_t features,
                             VirtioChain *chain);
/* Whether there is one. */
bool virtio_queue_has_chain(const VirtioQueueState *queue, PhysicalMap *memory);
/* Gives a chain back, of which 'written' bytes were written. */
void virtio_queue_give_back(VirtioQueueState *queue, PhysicalMap *memory, uint16_t head,
                            uint32_t written);
/* Whether the driver wants to hear of what was given back since it was told last. */
bool virtio_queue_wants_interrupt(VirtioQueueState *queue, PhysicalMap *memory, uint64_t features);
/* All was taken: the driver shall notify the device of the next chain. */
void virtio_queue_ask_for_notice(const VirtioQueueState *queue, PhysicalMap *memory,
                                 uint64_t features);

#endif

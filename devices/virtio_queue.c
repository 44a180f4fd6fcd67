#include "virtio_queue.h"
#include "little_endian.h"

/* Descriptors. */
enum { DESCRIPTOR_BYTES = 16 };
enum { FLAG_NEXT = 1, FLAG_WRITE = 2, FLAG_INDIRECT = 4 };

/* The ring of available chains: flags, index, heads, and which used one to be told of. */
enum { AVAILABLE_FLAGS = 0, AVAILABLE_INDEX = 2, AVAILABLE_RING = 4, AVAILABLE_ENTRY = 2 };
#define AVAILABLE_NO_INTERRUPT 1

/* The ring of used chains: flags, index, heads with lengths, and what to notify the device of. */
enum { USED_INDEX = 2, USED_RING = 4, USED_ENTRY = 8 };

#define LEGACY_ALIGNMENT 4096u

static const Field field_rows[] = {
    FIELD(VirtioQueueState, U64, descriptors),
    FIELD(VirtioQueueState, U64, available),
    FIELD(VirtioQueueState, U64, used),
    FIELD(VirtioQueueState, U16, size),
    FIELD(VirtioQueueState, U16, next_available),
    FIELD(VirtioQueueState, U16, used_index),
    FIELD(VirtioQueueState, U16, told_used),
    FIELD(VirtioQueueState, U16, vector),
    FIELD(VirtioQueueState, U8, enabled),
    FIELD_PADDING(VirtioQueueState, padding),
    FIELD_END,
};

const FieldTable virtio_queue_fields = {"virtio-queue", 1, sizeof(VirtioQueueState), field_rows};

typedef struct Descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
} Descriptor;

/* Where descriptors are read from: the queue's own table or an indirect one. */
typedef struct Table {
    uint64_t address;
    uint32_t entries;
} Table;

void virtio_queue_reset(VirtioQueueState *queue) {
    *queue = (VirtioQueueState){.size = VIRTIO_QUEUE_SIZE_MAX, .vector = VIRTIO_NO_VECTOR};
}

void virtio_queue_restored(VirtioQueueState *queue) {
    bool good = queue->size != 0 && queue->size <= VIRTIO_QUEUE_SIZE_MAX &&
                (queue->size & (queue->size - 1)) == 0;
    if (!good || (queue->enabled && !virtio_queue_is_possible(queue)))
        virtio_queue_reset(queue);
}

void virtio_queue_set_legacy_address(VirtioQueueState *queue, uint64_t address) {
    uint64_t end_of_available = address + queue->size * (DESCRIPTOR_BYTES + AVAILABLE_ENTRY) +
                                AVAILABLE_RING + AVAILABLE_ENTRY;
    queue->descriptors = address;
    queue->available = address + queue->size * DESCRIPTOR_BYTES;
    queue->used = (end_of_available + LEGACY_ALIGNMENT - 1) & ~(uint64_t)(LEGACY_ALIGNMENT - 1);
}

bool virtio_queue_is_possible(const VirtioQueueState *queue) {
    uint64_t size = queue->size;
    return dma_range_is_addressable(queue->descriptors, size * DESCRIPTOR_BYTES) &&
           dma_range_is_addressable(queue->available,
                                    AVAILABLE_RING + (size + 1) * AVAILABLE_ENTRY) &&
           dma_range_is_addressable(queue->used, USED_RING + size * USED_ENTRY + 2);
}

static uint16_t read_word(PhysicalMap *memory, uint64_t address) {
    return (uint16_t)physical_read(memory, (uint32_t)address, 2);
}

static Descriptor read_descriptor(PhysicalMap *memory, const Table *table, uint32_t index) {
    uint8_t bytes[DESCRIPTOR_BYTES];
    physical_read_bytes(memory, (uint32_t)(table->address + index * DESCRIPTOR_BYTES), bytes,
                        sizeof(bytes));
    return (Descriptor){load_le64(bytes), load_le32(bytes + 8), load_le16(bytes + 12),
                        load_le16(bytes + 14)};
}

/* A buffer of its own kind, and nothing to read behind the first to write. */
static bool add_buffer(VirtioChain *chain, const Descriptor *descriptor) {
    bool writes = (descriptor->flags & FLAG_WRITE) != 0;
    if (descriptor->size == 0 || (!writes && chain->writable.count > 0))
        return false;
    return dma_list_add(writes ? &chain->writable : &chain->readable, descriptor->address,
                        descriptor->size);
}

static bool enter_indirect(const Descriptor *descriptor, Table *table) {
    if ((descriptor->flags & (FLAG_NEXT | FLAG_WRITE)) != 0 || descriptor->size == 0 ||
        descriptor->size % DESCRIPTOR_BYTES != 0 ||
        !dma_range_is_addressable(descriptor->address, descriptor->size))
        return false;
    *table = (Table){descriptor->address, descriptor->size / DESCRIPTOR_BYTES};
    return true;
}

/* Follows the chain; one that has more links than the table entries goes in a circle. */
static bool read_chain(VirtioChain *chain, PhysicalMap *memory, Table table, bool may_be_indirect) {
    uint32_t index = chain->head, links = 0;
    dma_list_clear(&chain->readable);
    dma_list_clear(&chain->writable);
    for (;;) {
        if (index >= table.entries || links++ >= table.entries || links > DMA_PIECES_MAX)
            return false;
        Descriptor descriptor = read_descriptor(memory, &table, index);
        if (descriptor.flags & FLAG_INDIRECT) {
            if (!may_be_indirect || !enter_indirect(&descriptor, &table))
                return false;
            may_be_indirect = false;
            index = links = 0;
            continue;
        }
        if (!add_buffer(chain, &descriptor))
            return false;
        if (!(descriptor.flags & FLAG_NEXT))
            return true;
        index = descriptor.next;
    }
}

VirtioTake virtio_queue_take(VirtioQueueState *queue, PhysicalMap *memory, uint64_t features,
                             VirtioChain *chain) {
    uint16_t index = read_word(memory, queue->available + AVAILABLE_INDEX);
    uint16_t waiting = (uint16_t)(index - queue->next_available);
    if (waiting == 0)
        return VIRTIO_QUEUE_EMPTY;
    if (waiting > queue->size)
        return VIRTIO_QUEUE_BROKEN;
    uint32_t place = queue->next_available % queue->size;
    chain->head = read_word(memory, queue->available + AVAILABLE_RING + place * AVAILABLE_ENTRY);
    Table table = {queue->descriptors, queue->size};
    if (!read_chain(chain, memory, table, features >> VIRTIO_RING_INDIRECT_BIT & 1))
        return VIRTIO_QUEUE_BROKEN;
    queue->next_available++;
    return VIRTIO_QUEUE_TAKEN;
}

bool virtio_queue_has_chain(const VirtioQueueState *queue, PhysicalMap *memory) {
    return read_word(memory, queue->available + AVAILABLE_INDEX) != queue->next_available;
}

void virtio_queue_give_back(VirtioQueueState *queue, PhysicalMap *memory, uint16_t head,
                            uint32_t written) {
    uint8_t entry[USED_ENTRY];
    uint32_t place = queue->used_index % queue->size;
    store_le32(entry, head);
    store_le32(entry + 4, written);
    physical_write_bytes(memory, (uint32_t)(queue->used + USED_RING + place * USED_ENTRY), entry,
                         sizeof(entry));
    queue->used_index++;
    physical_write(memory, (uint32_t)(queue->used + USED_INDEX), 2, queue->used_index);
}

bool virtio_queue_wants_interrupt(VirtioQueueState *queue, PhysicalMap *memory, uint64_t features) {
    uint16_t before = queue->told_used, now = queue->used_index;
    queue->told_used = now;
    if (before == now)
        return false;
    if (!(features >> VIRTIO_RING_EVENT_BIT & 1))
        return !(read_word(memory, queue->available + AVAILABLE_FLAGS) & AVAILABLE_NO_INTERRUPT);
    uint64_t place = queue->available + AVAILABLE_RING + queue->size * AVAILABLE_ENTRY;
    uint16_t event = read_word(memory, place);
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void virtio_queue_ask_for_notice(const VirtioQueueState *queue, PhysicalMap *memory,
                                 uint64_t features) {
    if (features >> VIRTIO_RING_EVENT_BIT & 1)
        physical_write(memory, (uint32_t)(queue->used + USED_RING + queue->size * USED_ENTRY), 2,
                       queue->next_available);
}

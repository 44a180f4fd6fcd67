#include "dma_list.h"
#include <string.h>

#define BOUNCE_BYTES (64u << 10)

typedef void MovePart(PhysicalMap *memory, uint32_t address, uint8_t *data, size_t size);

void dma_list_clear(DmaList *list) {
    list->count = list->current = 0;
    list->offset = 0;
    list->left = 0;
}

bool dma_range_is_addressable(uint64_t address, uint64_t size) {
    return address <= UINT32_MAX && size <= UINT32_MAX && address + size <= 1ull << 32;
}

bool dma_list_add(DmaList *list, uint64_t address, uint64_t size) {
    if (list->count == DMA_PIECES_MAX || !dma_range_is_addressable(address, size) ||
        size > DMA_BYTES_MAX || list->left + size > DMA_BYTES_MAX)
        return false;
    DmaPiece *last = list->count > 0 ? &list->pieces[list->count - 1] : NULL;
    if (last != NULL && (uint64_t)last->address + last->size == address)
        last->size += (uint32_t)size;
    else
        list->pieces[list->count++] = (DmaPiece){(uint32_t)address, (uint32_t)size};
    list->left += size;
    return true;
}

/* What is left of the current piece, at most 'size'; 0 at the end of the list. */
static size_t next_part(DmaList *list, uint64_t size, uint32_t *address) {
    while (list->current < list->count && list->offset == list->pieces[list->current].size) {
        list->current++;
        list->offset = 0;
    }
    if (list->current >= list->count)
        return 0;
    const DmaPiece *piece = &list->pieces[list->current];
    size_t part = piece->size - list->offset;
    *address = piece->address + list->offset;
    return size < part ? (size_t)size : part;
}

static void advance(DmaList *list, size_t part) {
    list->offset += (uint32_t)part;
    list->left -= part;
}

void dma_list_skip(DmaList *list, uint64_t size) {
    uint32_t address;
    for (size_t part; size > 0 && (part = next_part(list, size, &address)) > 0; size -= part)
        advance(list, part);
}

static void move(DmaList *list, PhysicalMap *memory, uint8_t *data, size_t size, MovePart *mover) {
    uint32_t address;
    for (size_t part; size > 0 && (part = next_part(list, size, &address)) > 0; size -= part) {
        mover(memory, address, data, part);
        advance(list, part);
        data += part;
    }
}

static void read_part(PhysicalMap *memory, uint32_t address, uint8_t *data, size_t size) {
    physical_read_bytes(memory, address, data, size);
}

static void write_part(PhysicalMap *memory, uint32_t address, uint8_t *data, size_t size) {
    physical_write_bytes(memory, address, data, size);
}

void dma_list_read(DmaList *list, PhysicalMap *memory, void *data, size_t size) {
    if (size > list->left)
        memset(data, 0, size);
    move(list, memory, data, size, read_part);
}

void dma_list_write(DmaList *list, PhysicalMap *memory, const void *data, size_t size) {
    move(list, memory, (uint8_t *)data, size, write_part);
}

static uint64_t at_most_left(const DmaList *list, uint64_t size) {
    return size < list->left ? size : list->left;
}

bool dma_list_read_disk(DmaList *list, PhysicalMap *memory, BlockNode *disk, uint64_t offset,
                        uint64_t size, Error *error) {
    uint8_t bounce[BOUNCE_BYTES];
    size = at_most_left(list, size);
    while (size > 0) {
        size_t part = size < sizeof(bounce) ? (size_t)size : sizeof(bounce);
        if (!block_read(disk, offset, bounce, part, error))
            return false;
        dma_list_write(list, memory, bounce, part);
        offset += part;
        size -= part;
    }
    return true;
}

bool dma_list_write_disk(DmaList *list, PhysicalMap *memory, BlockNode *disk, uint64_t offset,
                         uint64_t size, Error *error) {
    uint8_t bounce[BOUNCE_BYTES];
    size = at_most_left(list, size);
    while (size > 0) {
        size_t part = size < sizeof(bounce) ? (size_t)size : sizeof(bounce);
        dma_list_read(list, memory, bounce, part);
        if (!block_write(disk, offset, bounce, part, error))
            return false;
        offset += part;
        size -= part;
    }
    return true;
}

bool dma_clear_disk(BlockNode *disk, uint64_t offset, uint64_t size, bool discard, Error *error) {
    uint64_t length = block_length(disk);
    if (offset >= length)
        return true;
    if (size > length - offset)
        size = length - offset;
    return discard ? block_discard(disk, offset, size, error)
                   : block_write_zeros(disk, offset, size, error);
}

/* Pieces of guest memory that a controller on the PCI bus moves data between and a disk: scatter
 * lists, as descriptors, region tables and page lists give them.
 *
 * All of it is hostile: addresses that no memory has are refused here, what a list may hold is
 * bounded, and a piece that lies over a device is that device's affair, as on a real bus. */
#ifndef REPRISE_DMA_LIST_H
#define REPRISE_DMA_LIST_H

#include "block.h"
#include "physical_map.h"

#define DMA_PIECES_MAX 1024
/* More than any driver asks for at once; a request beyond it is an error, as it would keep the
 * machine from doing anything else. */
#define DMA_BYTES_MAX (64u << 20)

typedef struct DmaPiece {
    uint32_t address, size;
} DmaPiece;

/* Pieces in order, and how far they were used. */
typedef struct DmaList {
    DmaPiece pieces[DMA_PIECES_MAX];
    unsigned count;
    unsigned current; /* the piece that 'offset' is in */
    uint32_t offset;
    uint64_t left; /* bytes from there to the end */
} DmaList;

void dma_list_clear(DmaList *list);

/* Whether all of the range lies where a 32-bit bus can reach it. */
bool dma_range_is_addressable(uint64_t address, uint64_t size);

/* False: the range cannot be reached, or there are too many pieces or bytes. */
bool dma_list_add(DmaList *list, uint64_t address, uint64_t size);

/* Go on through the list by 'size' bytes, at most what is left. */
void dma_list_skip(DmaList *list, uint64_t size);
void dma_list_read(DmaList *list, PhysicalMap *memory, void *data, size_t size);
void dma_list_write(DmaList *list, PhysicalMap *memory, const void *data, size_t size);

/* The same, with the other end on a disk. False if the disk fails. */
bool dma_list_read_disk(DmaList *list, PhysicalMap *memory, BlockNode *disk, uint64_t offset,
                        uint64_t size, Error *error);
bool dma_list_write_disk(DmaList *list, PhysicalMap *memory, BlockNode *disk, uint64_t offset,
                         uint64_t size, Error *error);

/* Zeros, or 'discard' and with it any content; an image may end within its last sector. */
bool dma_clear_disk(BlockNode *disk, uint64_t offset, uint64_t size, bool discard, Error *error);

/* Model times, as far below those of real drives as the bus is quicker than they are, but never
 * none: drivers expect to be able to prepare for the interrupt after they have given the command.
 */
#define DMA_ACCESS_NS 10000
/* How long so many bytes take: 4 GB/s. */
static inline int64_t dma_transfer_ns(uint64_t bytes) {
    return (int64_t)(bytes / 4);
}

/* What a controller does in one go, before the processor goes on. */
#define DMA_BURST_REQUESTS 32
#define DMA_BURST_BYTES (1u << 20)

#endif

/* The floppy controller's DMA request on a channel of the PC's DMA controller. */
#include "i82077.h"

#define FLOPPY_DMA_CHANNEL 2

static size_t transfer(void *opaque, uint8_t *buffer, size_t size, bool to_memory,
                       bool *terminal_count) {
    return i8237_transfer(opaque, FLOPPY_DMA_CHANNEL, buffer, size,
                          to_memory ? DMA_TO_MEMORY : DMA_FROM_MEMORY, terminal_count);
}

I82077Dma i82077_dma_channel(I8237 *dma) {
    return (I82077Dma){transfer, dma};
}

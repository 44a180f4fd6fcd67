/* The two 8237A DMA controllers of a PC with their page registers: channels 0 to 3 move bytes, 5 to
 * 7 words. (Intel 8237A data sheet 231466; 82371SB data sheet 2.5.) A device asks for its channel
 * to be run; the channel's own registers bound what it can reach. Memory-to-memory transfers are
 * not there. */
#ifndef REPRISE_I8237_H
#define REPRISE_I8237_H

#include "device_context.h"
#include <stddef.h>

enum { DMA_CHANNELS = 8, DMA_CASCADE_CHANNEL = 4 };

typedef enum DmaDirection {
    DMA_TO_MEMORY,   /* the data sheet's 'write' */
    DMA_FROM_MEMORY, /* 'read' */
} DmaDirection;

typedef struct I8237 I8237;

/* Claims ports 00h-0Fh, 80h-8Fh and C0h-DFh. */
I8237 *i8237_create(const DeviceContext *context, Error *error);
void i8237_destroy(I8237 *dma);

/* A device whose channel moves as time passes: 'sync' is called before the guest reads or writes
 * any register of the controllers, and brings it up to the present. For at most four devices. */
void i8237_watch(I8237 *dma, void (*sync)(void *opaque), void *opaque);

/* Who else hears each byte that is written to port 80h: no channel has that page register, and a
 * POST card listens there. */
void i8237_watch_port_80(I8237 *dma, void (*written)(void *opaque, uint8_t value), void *opaque);

/* Runs 'channel' for a device that has (DMA_TO_MEMORY) or wants (DMA_FROM_MEMORY) up to 'size'
 * bytes. Returns how many moved: fewer when the terminal count is reached, none while the channel
 * is masked or its controller disabled. Sets
 * '*terminal_count' (which may be NULL) to whether the count ran out. Under a verify transfer, or
 * one programmed for the other direction, bytes count but memory is not touched; a device that
 * wants data then gets zeros. Channels 5 to 7 move whole words only. */
size_t i8237_transfer(I8237 *dma, unsigned channel, void *buffer, size_t size,
                      DmaDirection direction, bool *terminal_count);

/* Whether the channel would move anything now. */
bool i8237_is_ready(const I8237 *dma, unsigned channel);

/* The device's DREQ pin, for the status register: 'line' is the channel. */
void i8237_set_request(void *dma, int line, int level);

#endif

/* Bytes on their way to a serial port: they wait here until the UART can take them. */
#ifndef REPRISE_SERIAL_FEED_H
#define REPRISE_SERIAL_FEED_H

#include "uart16550.h"
#include <stddef.h>
#include <stdint.h>

#define SERIAL_FEED_BYTES 65536

typedef struct SerialFeed {
    Uart16550 *uart; /* NULL: there is no such port, and what comes is dropped */
    uint8_t *bytes;  /* a ring, made at the first byte */
    uint32_t first, count;
} SerialFeed;

void serial_feed_free(SerialFeed *feed);
/* What does not fit is dropped. */
void serial_feed_add(SerialFeed *feed, const uint8_t *bytes, size_t count);
/* As many as the chip takes, at most 'most'; returns how many. */
uint32_t serial_feed_deliver(SerialFeed *feed, uint32_t most);

#endif

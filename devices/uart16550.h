/* The 16550A serial port, with its FIFOs. (National Semiconductor PC16550D data sheet.)
 *
 * What the other end sends comes in at the programmed speed, and waits while the guest has no room
 * for it: a paste is never lost to an overrun. What the guest sends goes out at once. */
#ifndef REPRISE_UART16550_H
#define REPRISE_UART16550_H

#include "device_context.h"
#include <stddef.h>

typedef struct Uart16550 Uart16550;

typedef struct Uart16550Options {
    const char *id; /* "serial0"; must stay */
    uint16_t port;  /* 3F8h, 2F8h, 3E8h, 2E8h */
    Wire irq;
    /* Takes each character that the guest has sent; NULL: nobody listens. */
    void (*write)(void *opaque, uint8_t byte);
    void *opaque;
} Uart16550Options;

Uart16550 *uart16550_create(const DeviceContext *context, const Uart16550Options *options,
                            Error *error);
void uart16550_destroy(Uart16550 *uart);

/* How many more characters uart16550_receive() takes now. */
size_t uart16550_room(const Uart16550 *uart);
/* Characters from the other end; returns how many were taken. */
size_t uart16550_receive(Uart16550 *uart, const void *data, size_t size);

/* Lines of the other end, as in the modem status register. They are all on at first, but for the
 * ring indicator. */
enum {
    UART_CLEAR_TO_SEND = 0x10,
    UART_DATA_SET_READY = 0x20,
    UART_RING_INDICATOR = 0x40,
    UART_CARRIER_DETECT = 0x80,
};
void uart16550_set_modem_lines(Uart16550 *uart, uint8_t lines);

#endif

/* A parallel port of the PC/AT with a printer that is always ready. (IBM PC/AT Technical Reference,
 * 'Serial/Parallel Adapter'.) */
#ifndef REPRISE_PARALLEL_H
#define REPRISE_PARALLEL_H

#include "device_context.h"

typedef struct ParallelPort ParallelPort;

typedef struct ParallelOptions {
    const char *id; /* "parallel0"; must stay */
    uint16_t port;  /* 378h, 278h, 3BCh */
    Wire irq;
    /* Takes each byte that the guest strobes out; NULL: no printer is plugged in. */
    void (*write)(void *opaque, uint8_t byte);
    void *opaque;
} ParallelOptions;

ParallelPort *parallel_create(const DeviceContext *context, const ParallelOptions *options,
                              Error *error);
void parallel_destroy(ParallelPort *port);

#endif

/* A port through which a test program ends the machine with an exit status, as QEMU's
 * isa-debug-exit. */
#ifndef REPRISE_ISA_DEBUG_EXIT_H
#define REPRISE_ISA_DEBUG_EXIT_H

#include "device_context.h"

typedef struct IsaDebugExit IsaDebugExit;

/* Claims 'size' ports from 'port' (QEMU's defaults: 501h, 2). A write of 'value' calls 'leave' with
 * (value << 1) | 1. */
IsaDebugExit *isa_debug_exit_create(const DeviceContext *context, uint16_t port, unsigned size,
                                    void (*leave)(void *opaque, int status), void *opaque,
                                    Error *error);
void isa_debug_exit_destroy(IsaDebugExit *device);

#endif

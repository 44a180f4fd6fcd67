#include "isa_debug_exit.h"
#include "allocate.h"
#include <stdlib.h>

struct IsaDebugExit {
    void (*leave)(void *opaque, int status);
    void *opaque;
};

/* Reads as 0, so that a program can tell the port from an empty one. */
static uint32_t debug_exit_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque, (void)offset, (void)size;
    return 0;
}

static void debug_exit_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    IsaDebugExit *device = opaque;
    (void)offset, (void)size;
    device->leave(device->opaque, (int)(value << 1 | 1));
}

IsaDebugExit *isa_debug_exit_create(const DeviceContext *context, uint16_t port, unsigned size,
                                    void (*leave)(void *opaque, int status), void *opaque,
                                    Error *error) {
    IsaDebugExit *device = allocate_zeroed(sizeof *device);
    const PortRange range = {
        "isa-debug-exit", port,   size, PORT_8 | PORT_16 | PORT_32, debug_exit_read,
        debug_exit_write, device,
    };
    if (!port_map_add(context->ports, &range, error)) {
        free(device);
        return NULL;
    }
    device->leave = leave;
    device->opaque = opaque;
    return device;
}

void isa_debug_exit_destroy(IsaDebugExit *device) {
    free(device);
}

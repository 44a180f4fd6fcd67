/* Port F0h, the coprocessor error register. */
#include "fpu_error_port.h"
#include "allocate.h"
#include <stdlib.h>

struct FpuErrorPort {
    Wire ignne;
};

static void fpu_error_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    const FpuErrorPort *port = opaque;
    (void)size, (void)value;
    if (offset == 0)
        wire_set(&port->ignne, 1);
}

FpuErrorPort *fpu_error_port_create(const DeviceContext *context, const Wire *ignne, Error *error) {
    FpuErrorPort *port = allocate_zeroed(sizeof *port);
    const PortRange range = {"FPU error", 0xF0, 2, PORT_8, NULL, fpu_error_write, port};
    if (!port_map_add(context->ports, &range, error)) {
        free(port);
        return NULL;
    }
    port->ignne = *ignne;
    return port;
}

void fpu_error_port_destroy(FpuErrorPort *port) {
    free(port);
}

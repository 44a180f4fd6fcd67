#include "port92.h"
#include "allocate.h"
#include <stdlib.h>

enum {
    FAST_RESET = 0x01,
    FAST_A20 = 0x02,
};

typedef struct Port92State {
    uint8_t value; /* as written; bit 1 is read from the gate itself */
} Port92State;

static const Field port92_state_fields[] = {
    FIELD(Port92State, U8, value),
    FIELD_END,
};

static const FieldTable port92_fields = {"port92", 1, sizeof(Port92State), port92_state_fields};

struct Port92 {
    Port92State state;
    PhysicalMap *memory;
    Wire a20, reset;
};

static uint32_t port92_read(void *opaque, uint32_t offset, unsigned size) {
    const Port92 *port = opaque;
    (void)offset, (void)size;
    uint8_t value = port->state.value & (uint8_t)~FAST_A20;
    return physical_map_a20(port->memory) ? value | FAST_A20 : value;
}

/* The reset comes with the rising edge of bit 0. */
static void port92_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Port92 *port = opaque;
    (void)offset, (void)size;
    bool rises = (value & FAST_RESET) && !(port->state.value & FAST_RESET);
    port->state.value = (uint8_t)value;
    wire_set(&port->a20, (value & FAST_A20) != 0);
    if (rises)
        wire_pulse(&port->reset);
}

static void port92_reset(void *opaque) {
    Port92 *port = opaque;
    port->state.value = 0;
}

static const DeviceClass port92_class = {"port92", &port92_fields, port92_reset, NULL};

Port92 *port92_create(const DeviceContext *context, const Wire *a20, const Wire *reset,
                      Error *error) {
    Port92 *port = allocate_zeroed(sizeof *port);
    const PortRange range = {"port92", 0x92, 1, PORT_8, port92_read, port92_write, port};
    if (!port_map_add(context->ports, &range, error)) {
        free(port);
        return NULL;
    }
    port->memory = context->memory;
    port->a20 = *a20;
    port->reset = *reset;
    device_list_add(context->devices, &port92_class, "port92", port, &port->state);
    return port;
}

void port92_destroy(Port92 *port) {
    free(port);
}

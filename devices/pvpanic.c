#include "pvpanic.h"
#include "allocate.h"
#include <stdlib.h>

struct Pvpanic {
    uint8_t events;
    void (*panicked)(void *opaque);
    void *opaque;
};

static uint32_t pvpanic_read(void *opaque, uint32_t offset, unsigned size) {
    const Pvpanic *device = opaque;
    (void)offset, (void)size;
    return device->events;
}

/* An event that was not announced means nothing. */
static void pvpanic_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Pvpanic *device = opaque;
    (void)offset, (void)size;
    if (value & device->events & PVPANIC_PANICKED)
        device->panicked(device->opaque);
}

Pvpanic *pvpanic_create(const DeviceContext *context, uint16_t port, uint8_t events,
                        void (*panicked)(void *opaque), void *opaque, Error *error) {
    Pvpanic *device = allocate_zeroed(sizeof *device);
    const PortRange range = {"pvpanic", port, 1, PORT_8, pvpanic_read, pvpanic_write, device};
    if (!port_map_add(context->ports, &range, error)) {
        free(device);
        return NULL;
    }
    device->events = events;
    device->panicked = panicked;
    device->opaque = opaque;
    return device;
}

void pvpanic_destroy(Pvpanic *device) {
    free(device);
}

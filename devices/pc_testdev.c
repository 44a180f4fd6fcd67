#include "pc_testdev.h"
#include "allocate.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

enum {
    PORT_REGISTER = 0xE0,
    PORT_FLUSH = 0xE4,
    PORT_REGISTER_BY_BYTES = 0xE8, /* the second of four is the debug console's, too */
    PORT_DEBUG_CONSOLE = 0xE9,
    PORT_LINES = 0x2000,
    MEMORY_BYTES = 0x10000,
};
#define MEMORY_BASE 0xFF000000u

typedef struct PcTestdevState {
    uint8_t data[4]; /* of the register */
    uint8_t memory[MEMORY_BYTES];
} PcTestdevState;

static const Field pc_testdev_state_fields[] = {
    FIELD_BYTES_OF(PcTestdevState, data),
    FIELD_BYTES_OF(PcTestdevState, memory),
    FIELD_END,
};

static const FieldTable pc_testdev_fields = {"pc-testdev", 1, sizeof(PcTestdevState),
                                             pc_testdev_state_fields};

struct PcTestdev {
    PcTestdevState state;
    PhysicalMap *memory;
    Wire lines[PC_TESTDEV_LINES];
};

/* The register and the memory keep bytes: 'opaque' is the first of them. */
static uint32_t bytes_read(void *opaque, uint32_t offset, unsigned size) {
    return (uint32_t)load_le((const uint8_t *)opaque + offset, size);
}

static void bytes_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    store_le((uint8_t *)opaque + offset, size, value);
}

static uint32_t zero_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque, (void)offset, (void)size;
    return 0;
}

static void lines_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    PcTestdev *device = opaque;
    (void)size;
    wire_set(&device->lines[offset], value != 0);
}

static bool add_ports(PcTestdev *device, PortMap *ports, Error *error) {
    uint8_t *data = device->state.data;
    // clang-format off
    const PortRange ranges[] = {
        {"pc-testdev", PORT_REGISTER, 4, PORT_8 | PORT_16 | PORT_32, bytes_read, bytes_write, data},
        /* A host that maps the guest's memory lazily drops the page; here nothing is kept. */
        {"pc-testdev flush", PORT_FLUSH, 4, PORT_32, zero_read, NULL, device},
        {"pc-testdev bytes", PORT_REGISTER_BY_BYTES, 1, PORT_8, bytes_read, bytes_write, data},
        {"pc-testdev bytes", PORT_REGISTER_BY_BYTES + 2, 2, PORT_8, bytes_read, bytes_write, data + 2},
        {"pc-testdev lines", PORT_LINES, PC_TESTDEV_LINES, PORT_8, zero_read, lines_write, device},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (!port_map_add(ports, &ranges[i], error))
            return false;
    const PortRange second = {.name = "pc-testdev bytes",
                              .first = PORT_DEBUG_CONSOLE,
                              .count = 1,
                              .widths = PORT_8,
                              .read = bytes_read,
                              .write = bytes_write,
                              .opaque = data + 1};
    return port_map_find(ports, PORT_DEBUG_CONSOLE) != NULL || port_map_add(ports, &second, error);
}

static void pc_testdev_reset(void *opaque) {
    PcTestdev *device = opaque;
    memset(&device->state, 0, sizeof(device->state));
    for (unsigned i = 0; i < PC_TESTDEV_LINES; i++)
        wire_set(&device->lines[i], 0);
}

static const DeviceClass pc_testdev_class = {"pc-testdev", &pc_testdev_fields, pc_testdev_reset,
                                             NULL};

PcTestdev *pc_testdev_create(const DeviceContext *context, const Wire lines[PC_TESTDEV_LINES],
                             Error *error) {
    PcTestdev *device = allocate_zeroed(sizeof *device);
    const MmioRange range = {.name = "pc-testdev",
                             .base = MEMORY_BASE,
                             .size = MEMORY_BYTES,
                             .read = bytes_read,
                             .write = bytes_write,
                             .opaque = device->state.memory,
                             .timeless = true};
    memcpy(device->lines, lines, sizeof(device->lines));
    if (!add_ports(device, context->ports, error) ||
        !physical_map_add_mmio(context->memory, &range, error)) {
        free(device);
        return NULL;
    }
    device->memory = context->memory;
    device_list_add(context->devices, &pc_testdev_class, "pc-testdev", device, &device->state);
    return device;
}

void pc_testdev_destroy(PcTestdev *device) {
    if (device == NULL)
        return;
    physical_map_remove_mmio(device->memory, MEMORY_BASE, device->state.memory);
    free(device);
}

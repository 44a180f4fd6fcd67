#include "pci_testdev.h"
#include "allocate.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR_ID = 0x1B36, /* these four as QEMU's docs/specs/pci-ids has them */
    DEVICE_ID = 0x0005,
    SUBSYSTEM_VENDOR_ID = 0x1AF4,
    SUBSYSTEM_ID = 0x1100,
    CLASS_OTHERS = 0xFF0000,
    BAR_MEMORY = 0,
    BAR_PORTS = 1,
    KINDS = 2, /* of base addresses */
    TESTS = 3, /* of each */
    NO_TEST = UINT32_MAX,
};

/* The header at each base address, and what the tests write to: behind its first half. */
enum {
    HEADER_TEST = 0,
    HEADER_WIDTH = 1,
    HEADER_OFFSET = 4,
    HEADER_DATA = 8,
    HEADER_COUNT = 12,
    HEADER_NAME = 16,
    HEADER_BYTES = 40,
    MEMORY_BYTES = 4096,
    PORTS = 256,
    MEMORY_TARGETS = 2048,
    PORT_TARGETS = 128,
    DATA_WANTED = 0xFA,
    DATA_UNWANTED = 0xCE,
};

typedef struct PciTestdevState {
    uint32_t test; /* that runs: kind * TESTS + number, or NO_TEST */
    uint32_t counts[KINDS * TESTS];
} PciTestdevState;

static const Field pci_testdev_state_fields[] = {
    FIELD(PciTestdevState, U32, test),
    FIELD_ARRAY(PciTestdevState, U32, counts),
    FIELD_END,
};

static const FieldTable pci_testdev_fields = {"pci-testdev", 1, sizeof(PciTestdevState),
                                              pci_testdev_state_fields};

struct PciTestdev {
    PciTestdevState state;
    DeviceContext context;
};

/* The second test of each kind takes any value. */
static bool wants_value(uint32_t test) {
    return test % TESTS != 1;
}

static uint32_t target_of(uint32_t test) {
    return (test < TESTS ? MEMORY_TARGETS : PORT_TARGETS) + test;
}

static uint8_t header_byte(const PciTestdevState *state, uint32_t at) {
    static const char *const names[KINDS * TESTS] = {
        "mmio-no-eventfd",   "mmio-wildcard-eventfd",   "mmio-datamatch-eventfd",
        "portio-no-eventfd", "portio-wildcard-eventfd", "portio-datamatch-eventfd"};
    uint8_t header[HEADER_BYTES + 1] = {[HEADER_TEST] = (uint8_t)state->test, [HEADER_WIDTH] = 1};
    const char *name = names[state->test];
    store_le32(header + HEADER_OFFSET, target_of(state->test));
    store_le32(header + HEADER_DATA, wants_value(state->test) ? DATA_WANTED : DATA_UNWANTED);
    store_le32(header + HEADER_COUNT, state->counts[state->test]);
    memcpy(header + HEADER_NAME, name, strlen(name));
    return at < HEADER_NAME + strlen(name) ? header[at] : 0;
}

static uint32_t byte_read(void *opaque, uint32_t offset, unsigned size) {
    const PciTestdev *device = opaque;
    uint32_t value = 0;
    if (device->state.test == NO_TEST)
        return 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)header_byte(&device->state, offset + i) << 8 * i;
    return value;
}

static void byte_write(PciTestdev *device, unsigned kind, uint32_t offset, uint8_t value) {
    PciTestdevState *state = &device->state;
    if (offset == HEADER_TEST) {
        state->test = value < TESTS ? kind * TESTS + value : NO_TEST;
        if (state->test != NO_TEST)
            state->counts[state->test] = 0;
    } else if (state->test != NO_TEST && offset == target_of(state->test) &&
               (!wants_value(state->test) || value == DATA_WANTED)) {
        state->counts[state->test]++;
    }
}

static void memory_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        byte_write(opaque, BAR_MEMORY, offset + i, (uint8_t)(value >> 8 * i));
}

static void ports_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        byte_write(opaque, BAR_PORTS, offset + i, (uint8_t)(value >> 8 * i));
}

static void pci_testdev_reset(void *opaque) {
    PciTestdev *device = opaque;
    device->state = (PciTestdevState){.test = NO_TEST};
}

/* A snapshot's number may be anything. */
static void pci_testdev_restored(void *opaque) {
    PciTestdev *device = opaque;
    if (device->state.test >= KINDS * TESTS)
        device->state.test = NO_TEST;
}

static const DeviceClass pci_testdev_class = {"pci-testdev", &pci_testdev_fields, pci_testdev_reset,
                                              pci_testdev_restored};

PciTestdev *pci_testdev_create(const DeviceContext *context, PciBus *bus, unsigned slot,
                               Error *error) {
    PciTestdev *device = allocate_zeroed(sizeof *device);
    const PciDeviceInfo info = {
        .name = "pci-testdev",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_OTHERS,
        .subsystem_vendor_id = SUBSYSTEM_VENDOR_ID,
        .subsystem_id = SUBSYSTEM_ID,
        .bars = {[BAR_MEMORY] = {.type = PCI_BAR_MEMORY, MEMORY_BYTES, byte_read, memory_write},
                 [BAR_PORTS] = {.type = PCI_BAR_IO, PORTS, byte_read, ports_write, PORT_8}},
        .opaque = device,
    };
    device->context = *context;
    device->state.test = NO_TEST;
    if (pci_device_add(bus, slot, 0, &info, error) == NULL) {
        free(device);
        return NULL;
    }
    device_list_add(context->devices, &pci_testdev_class, "pci-testdev", device, &device->state);
    return device;
}

void pci_testdev_destroy(PciTestdev *device) {
    free(device);
}

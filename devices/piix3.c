#include "piix3.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum {
    REGISTER_PIRQ_ROUTE = 0x60, /* four of them */
    ROUTE_DISABLED = 0x80,
    ROUTE_LINE = 0x0F,
    RESET_CPU = 0x04,    /* a rising edge resets */
    RESET_SYSTEM = 0x02, /* how: both ways are one here */
};

/* Only these lines may be routed to: the others are the board's own (data sheet 2.2.9). */
#define ROUTABLE_LINES 0xDEF8u

typedef struct Piix3State {
    uint16_t driven; /* request lines that are high because of a PIRQ */
    uint8_t pirq_levels[PCI_PIRQS];
    uint8_t reset_control;
    uint8_t padding;
} Piix3State;

static const Field piix3_state_fields[] = {
    FIELD(Piix3State, U16, driven),
    FIELD_ARRAY(Piix3State, U8, pirq_levels),
    FIELD(Piix3State, U8, reset_control),
    FIELD_PADDING(Piix3State, padding),
    FIELD_END,
};

static const FieldTable piix3_fields = {"PIIX3", 1, sizeof(Piix3State), piix3_state_fields};

struct Piix3 {
    Piix3State state;
    PciDevice *device;
    Wire irqs[16];
    Wire reset;
};

/* Several PIRQs may share a line. */
static void bridge_route(Piix3 *bridge) {
    const uint8_t *routes = pci_device_config(bridge->device) + REGISTER_PIRQ_ROUTE;
    uint16_t wanted = 0;
    for (int pirq = 0; pirq < PCI_PIRQS; pirq++)
        if (bridge->state.pirq_levels[pirq] && !(routes[pirq] & ROUTE_DISABLED))
            wanted |= (uint16_t)(1u << (routes[pirq] & ROUTE_LINE));
    wanted &= ROUTABLE_LINES;
    uint16_t changed = wanted ^ bridge->state.driven;
    bridge->state.driven = wanted;
    for (int line = 0; line < 16; line++)
        if (changed >> line & 1)
            wire_set(&bridge->irqs[line], wanted >> line & 1);
}

static void bridge_set_pirq(void *opaque, int pirq, int level) {
    Piix3 *bridge = opaque;
    bridge->state.pirq_levels[pirq] = level != 0;
    bridge_route(bridge);
}

static void bridge_config_written(void *opaque, unsigned offset, unsigned size) {
    if (offset < REGISTER_PIRQ_ROUTE + PCI_PIRQS && offset + size > REGISTER_PIRQ_ROUTE)
        bridge_route(opaque);
}

static uint8_t reset_control_read(void *opaque) {
    const Piix3 *bridge = opaque;
    return bridge->state.reset_control;
}

static void reset_control_write(void *opaque, uint8_t value) {
    Piix3 *bridge = opaque;
    bool rises = (value & RESET_CPU) && !(bridge->state.reset_control & RESET_CPU);
    bridge->state.reset_control = value & (RESET_CPU | RESET_SYSTEM);
    if (rises)
        wire_pulse(&bridge->reset);
}

static void piix3_reset(void *opaque) {
    Piix3 *bridge = opaque;
    bridge->state.reset_control = 0;
}

static const DeviceClass piix3_class = {"PIIX3", &piix3_fields, piix3_reset, NULL};

/* Of the registers for ISA timing and the like only the bits are kept. */
static const PciRegister registers[] = {
    {PCI_COMMAND, 2, 0x0007, 0x0108, 0},
    {PCI_STATUS, 2, 0x0200, 0, 0x7800},
    {0x4C, 1, 0x4D, 0xFF, 0},
    {0x4E, 2, 0x0003, 0xFFFF, 0},
    {REGISTER_PIRQ_ROUTE, 4, 0x80808080, 0x8F8F8F8F, 0},
    {0x69, 1, 0x02, 0xFF, 0},
    {0x6A, 2, 0x0000, 0xFFFF, 0},
    {0x70, 1, 0x80, 0xFF, 0},
    {0x76, 2, 0x0C0C, 0xFFFF, 0},
    {0x78, 1, 0x02, 0xFF, 0},
    {0x82, 1, 0x00, 0xFF, 0},
    {0xA0, 4, 0x00000008, 0xFFFFFFFF, 0},
    {0xA4, 4, 0x00000000, 0xFFFFFFFF, 0},
    {0xA8, 4, 0x0000000F, 0xFFFFFFFF, 0},
    {0},
};

Piix3 *piix3_create(const DeviceContext *context, PciBus *bus, const Wire irqs[16],
                    const Wire *reset, Error *error) {
    Piix3 *bridge = allocate_zeroed(sizeof *bridge);
    const PciDeviceInfo info = {
        .name = "PIIX3",
        .vendor_id = 0x8086,
        .device_id = 0x7000,
        .class_code = 0x060100,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .registers = registers,
        .opaque = bridge,
        .config_written = bridge_config_written,
    };
    bridge->device = pci_device_add(bus, 1, 0, &info, error);
    if (bridge->device == NULL) {
        free(bridge);
        return NULL;
    }
    memcpy(bridge->irqs, irqs, sizeof bridge->irqs);
    bridge->reset = *reset;
    Wire pirqs[PCI_PIRQS];
    for (int pirq = 0; pirq < PCI_PIRQS; pirq++)
        pirqs[pirq] = (Wire){bridge_set_pirq, bridge, pirq};
    pci_bus_set_pirq_wires(bus, pirqs);
    pci_bus_set_reset_control(bus, reset_control_read, reset_control_write, bridge);
    device_list_add(context->devices, &piix3_class, "piix3", bridge, &bridge->state);
    return bridge;
}

void piix3_destroy(Piix3 *bridge) {
    free(bridge);
}

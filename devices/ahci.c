#include "ahci.h"
#include "ahci_internal.h"
#include "allocate.h"
#include <stdlib.h>

enum { VENDOR_ID = 0x8086, DEVICE_ID = 0x2922, CLASS_AHCI = 0x010601, REVISION = 2 };
enum { BAR_REGISTERS = 5, REGISTER_BYTES = 4096, MESSAGE_CAPABILITY = 0x80 };

/* Global registers and those of ports (3.1, 3.3). */
enum {
    HBA_CAPABILITIES = 0x00,
    HBA_CONTROL = 0x04,
    HBA_INTERRUPT_STATUS = 0x08,
    HBA_PORTS = 0x0C,
    HBA_VERSION = 0x10,
    PORTS_FIRST = 0x100,
    PORT_BYTES = 0x80,
};
enum {
    PORT_COMMAND_LIST = 0x00,
    PORT_RECEIVED = 0x08,
    PORT_INTERRUPT_STATUS = 0x10,
    PORT_INTERRUPT_ENABLE = 0x14,
    PORT_COMMAND = 0x18,
    PORT_TASK_FILE = 0x20,
    PORT_SIGNATURE = 0x24,
    PORT_LINK_STATUS = 0x28,
    PORT_LINK_CONTROL = 0x2C,
    PORT_LINK_ERROR = 0x30,
    PORT_ACTIVE = 0x34,
    PORT_ISSUE = 0x38,
};

/* Native queues, AHCI only, 3 Gb/s, as many slots and ports as there are. */
#define CAPABILITIES (1u << 30 | 1u << 18 | 2u << 20 | (AHCI_SLOTS - 1) << 8 | (AHCI_PORTS - 1))
#define VERSION 0x00010000u

enum { CONTROL_RESET = 1, CONTROL_INTERRUPTS = 2 };
#define CONTROL_AHCI 0x80000000u

#define LINK_UP 0x123u /* a device is there, 3 Gb/s, active */

static const Field port_field_rows[] = {
    FIELD(AhciPortState, U64, due_ns),
    FIELD(AhciPortState, U32, command_list),
    FIELD(AhciPortState, U32, received),
    FIELD(AhciPortState, U32, interrupt_status),
    FIELD(AhciPortState, U32, interrupt_enable),
    FIELD(AhciPortState, U32, command),
    FIELD(AhciPortState, U32, link_control),
    FIELD(AhciPortState, U32, link_error),
    FIELD(AhciPortState, U32, active),
    FIELD(AhciPortState, U32, issued),
    FIELD(AhciPortState, U32, transferred),
    FIELD(AhciPortState, U8, slot),
    FIELD(AhciPortState, U8, next_slot),
    FIELD(AhciPortState, U8, status),
    FIELD(AhciPortState, U8, error),
    FIELD(AhciPortState, U8, queue_failed),
    FIELD(AhciPortState, U8, reset_pending),
    FIELD(AhciPortState, U8, stopped),
    FIELD_PADDING(AhciPortState, padding),
    FIELD_END,
};

static const FieldTable port_fields = {"ahci-port", 1, sizeof(AhciPortState), port_field_rows};

static const Field field_rows[] = {
    FIELD_STRUCTS(AhciState, ports, &port_fields),
    FIELD(AhciState, U32, global_control),
    FIELD(AhciState, U32, interrupt_status),
    FIELD_END,
};

static const FieldTable fields = {"ahci", 1, sizeof(AhciState), field_rows};

static bool is_asserted(const Ahci *ahci) {
    return (ahci->state.global_control & CONTROL_INTERRUPTS) && ahci->state.interrupt_status != 0;
}

/* A port's bit stays as long as it has something to tell. A message tells that there is something
 * now, or something left (10.6.2). */
static void update_interrupt(Ahci *ahci, bool is_known) {
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        if (ahci->state.ports[i].interrupt_status & ahci->state.ports[i].interrupt_enable)
            ahci->state.interrupt_status |= 1u << i;
    pci_device_set_pin(ahci->pci, 0, is_asserted(ahci));
    if (is_asserted(ahci) && !is_known)
        pci_device_send_message(ahci->pci, 0);
}

void ahci_update_interrupt(Ahci *ahci) {
    update_interrupt(ahci, is_asserted(ahci));
}

void ahci_raise(AhciPort *port, uint32_t interrupt) {
    port->state->interrupt_status |= interrupt;
    ahci_update_interrupt(port->ahci);
}

static void reset(void *opaque) {
    Ahci *ahci = opaque;
    ahci->state.global_control = CONTROL_AHCI;
    ahci->state.interrupt_status = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        ahci_port_reset(&ahci->ports[i]);
    ahci_update_interrupt(ahci);
}

static uint32_t read_port(const AhciPort *port, uint32_t offset) {
    const AhciPortState *state = port->state;
    switch (offset) {
    case PORT_COMMAND_LIST:
        return state->command_list;
    case PORT_RECEIVED:
        return state->received;
    case PORT_INTERRUPT_STATUS:
        return state->interrupt_status;
    case PORT_INTERRUPT_ENABLE:
        return state->interrupt_enable;
    case PORT_COMMAND:
        return state->command;
    case PORT_TASK_FILE:
        return ahci_port_task_file(port);
    case PORT_SIGNATURE:
        return ahci_port_signature(port);
    case PORT_LINK_STATUS:
        return port->channel != NULL ? LINK_UP : 0;
    case PORT_LINK_CONTROL:
        return state->link_control;
    case PORT_LINK_ERROR:
        return state->link_error;
    case PORT_ACTIVE:
        return state->active;
    case PORT_ISSUE:
        return state->issued;
    }
    return 0;
}

static void write_port(AhciPort *port, uint32_t offset, uint32_t value) {
    AhciPortState *state = port->state;
    switch (offset) {
    case PORT_COMMAND_LIST:
        state->command_list = value & ~0x3FFu;
        break;
    case PORT_RECEIVED:
        state->received = value & ~0xFFu;
        break;
    case PORT_INTERRUPT_STATUS:
        state->interrupt_status &= ~value;
        break;
    case PORT_INTERRUPT_ENABLE:
        state->interrupt_enable = value & INTERRUPTS_ALL;
        ahci_update_interrupt(port->ahci);
        break;
    case PORT_COMMAND:
        ahci_port_write_command(port, value);
        break;
    case PORT_LINK_CONTROL:
        ahci_port_write_link_control(port, value);
        break;
    case PORT_LINK_ERROR:
        state->link_error &= ~value;
        break;
    case PORT_ACTIVE:
        if (state->command & PORT_START)
            state->active |= value;
        break;
    case PORT_ISSUE:
        if (state->command & PORT_START)
            state->issued |= value;
        ahci_port_wake(port, DMA_ACCESS_NS);
        break;
    }
}

static uint32_t read_global(const Ahci *ahci, uint32_t offset) {
    switch (offset) {
    case HBA_CAPABILITIES:
        return CAPABILITIES;
    case HBA_CONTROL:
        return ahci->state.global_control;
    case HBA_INTERRUPT_STATUS:
        return ahci->state.interrupt_status;
    case HBA_PORTS:
        return (1u << AHCI_PORTS) - 1;
    case HBA_VERSION:
        return VERSION;
    }
    return 0;
}

static void write_global(Ahci *ahci, uint32_t offset, uint32_t value) {
    if (offset == HBA_CONTROL && (value & CONTROL_RESET)) {
        reset(ahci);
    } else if (offset == HBA_CONTROL) {
        bool was_asserted = is_asserted(ahci);
        ahci->state.global_control = CONTROL_AHCI | (value & CONTROL_INTERRUPTS);
        update_interrupt(ahci, was_asserted);
    } else if (offset == HBA_INTERRUPT_STATUS) {
        ahci->state.interrupt_status &= ~value;
        update_interrupt(ahci, false);
    }
}

/* All registers are doublewords; narrower reads take their part of one. */
static uint32_t read_register(void *opaque, uint32_t offset, unsigned size) {
    Ahci *ahci = opaque;
    uint32_t word = offset & ~3u, value = 0;
    unsigned port = (word - PORTS_FIRST) / PORT_BYTES;
    if (ahci->working)
        value = UINT32_MAX;
    else if (word < PORTS_FIRST)
        value = read_global(ahci, word);
    else if (port < AHCI_PORTS)
        value = read_port(&ahci->ports[port], (word - PORTS_FIRST) % PORT_BYTES);
    value >>= 8 * (offset % 4);
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

static void write_register(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Ahci *ahci = opaque;
    unsigned port = (offset - PORTS_FIRST) / PORT_BYTES;
    if (ahci->working)
        return;
    if (size != 4)
        TRACE(ahci->context.trace, TRACE_GUEST_ERRORS, "ahci: %u bytes written at %X\n", size,
              offset);
    else if (offset < PORTS_FIRST)
        write_global(ahci, offset, value);
    else if (port < AHCI_PORTS)
        write_port(&ahci->ports[port], (offset - PORTS_FIRST) % PORT_BYTES, value);
}

/* It may master the bus now. */
static void config_space_written(void *opaque, unsigned offset, unsigned size) {
    Ahci *ahci = opaque;
    if (offset == 0 && size == PCI_CONFIG_SIZE)
        return;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_wake(&ahci->ports[i], DMA_ACCESS_NS);
        if (ahci->ports[i].channel != NULL && pci_device_is_master(ahci->pci))
            ide_channel_bus_master_started(ahci->ports[i].channel);
    }
}

static void restored(void *opaque) {
    Ahci *ahci = opaque;
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        ahci_port_restored(&ahci->ports[i]);
}

static const DeviceClass device_class = {"ahci", &fields, reset, restored};

Ahci *ahci_create(const DeviceContext *context, PciBus *bus, const AhciOptions *options,
                  Error *error) {
    Ahci *ahci = allocate_zeroed(sizeof(*ahci));
    const PciDeviceInfo info = {
        .name = "ich9-ahci",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_AHCI,
        .revision = REVISION,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .messages = {.msi_at = MESSAGE_CAPABILITY},
        .bars = {[BAR_REGISTERS] =
                     {.type = PCI_BAR_MEMORY, REGISTER_BYTES, read_register, write_register}},
        .opaque = ahci,
        .config_written = config_space_written,
    };
    ahci->context = *context;
    ahci->pci = pci_device_add(bus, options->slot, 0, &info, error);
    bool good = ahci->pci != NULL;
    for (unsigned i = 0; good && i < AHCI_PORTS; i++)
        good = ahci_port_init(ahci, i, context, &options->drives[i], error);
    if (!good) {
        ahci_destroy(ahci);
        return NULL;
    }
    device_list_add(context->devices, &device_class, "ahci", ahci, &ahci->state);
    reset(ahci);
    return ahci;
}

void ahci_destroy(Ahci *ahci) {
    if (ahci == NULL)
        return;
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        if (ahci->ports[i].channel != NULL)
            ide_channel_destroy(ahci->ports[i].channel);
    free(ahci);
}

IdeChannel *ahci_channel(Ahci *ahci, unsigned port) {
    return port < AHCI_PORTS ? ahci->ports[port].channel : NULL;
}

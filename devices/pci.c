#include "pci.h"
#include "allocate.h"
#include "pci_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 32,
    FUNCTIONS = 8,
    ROM_BAR = PCI_BARS,
    DECODERS = PCI_BARS + 1,
    MAX_DEVICES = 32,
};

/* Memory BARs must end below the I/O APIC, the local APICs and the firmware. */
#define MEMORY_BAR_LIMIT 0xFEC00000u
#define HEADER_MULTIFUNCTION 0x80
#define ADDRESS_ENABLE 0x80000000u

typedef struct PciDeviceState {
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t interrupt_level;
} PciDeviceState;

static const Field pci_device_state_fields[] = {
    FIELD_BYTES_OF(PciDeviceState, config),
    FIELD(PciDeviceState, U8, interrupt_level),
    FIELD_END,
};

static const FieldTable pci_device_fields = {
    "pci-device",
    1,
    sizeof(PciDeviceState),
    pci_device_state_fields,
};

/* What a decoder does at present; derived from the configuration space. */
typedef struct Decoder {
    bool mapped;
    bool has_range; /* the bus maps its registers; not so where the place is taken */
    uint32_t base;
} Decoder;

struct PciDevice {
    PciDeviceState state;
    PciBus *bus;
    PciDeviceInfo info;
    char id[24];
    unsigned slot, function;
    uint8_t reset_config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE];
    uint8_t clear_by_one[PCI_CONFIG_SIZE];
    Decoder decoders[DECODERS];
    uint8_t *rom;      /* page-aligned copy */
    uint32_t rom_size; /* of the copy: a power of two */
    PciMessages *messages;
};

typedef struct PciBusState {
    uint32_t address; /* CONFIG_ADDRESS */
} PciBusState;

static const Field pci_bus_state_fields[] = {
    FIELD(PciBusState, U32, address),
    FIELD_END,
};

static const FieldTable pci_bus_fields = {
    "pci-bus",
    1,
    sizeof(PciBusState),
    pci_bus_state_fields,
};

struct PciBus {
    PciBusState state;
    DeviceContext context;
    PciDevice *devices[MAX_DEVICES];
    int device_count;
    Wire pirq[PCI_PIRQS];
    ApicBus message_bus;
    uint8_t (*reset_control_read)(void *opaque);
    void (*reset_control_write)(void *opaque, uint8_t value);
    void *reset_control_opaque;
};

static uint32_t get_le(const uint8_t *bytes, unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

static void put_le(uint8_t *bytes, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* --- decoders ----------------------------------------------------------------------------------
 */

static uint32_t decoder_size(const PciDevice *device, unsigned bar) {
    if (bar == ROM_BAR)
        return device->rom_size;
    return device->info.bars[bar].type == PCI_BAR_NONE ? 0 : device->info.bars[bar].size;
}

static unsigned decoder_register(unsigned bar) {
    return bar == ROM_BAR ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS + 4 * bar;
}

/* Where the configuration space says that the decoder answers. Places where a BAR would cover RAM
 * or what the chipset decodes itself count as nowhere; software passes through them while it sizes
 * BARs with decoding on. */
static Decoder decoder_wanted(const PciDevice *device, unsigned bar) {
    const uint8_t *config = device->state.config;
    const Decoder nowhere = {.mapped = false};
    uint32_t size = decoder_size(device, bar);
    uint32_t value = get_le(config + decoder_register(bar), 4);
    uint16_t command = (uint16_t)get_le(config + PCI_COMMAND, 2);
    if (size == 0)
        return nowhere;
    uint32_t base = value & ~(size - 1);
    if (bar != ROM_BAR && device->info.bars[bar].type == PCI_BAR_IO) {
        if (!(command & PCI_COMMAND_IO) || base == 0 || base > 0x10000 - size)
            return nowhere;
        return (Decoder){.mapped = true, .base = base};
    }
    if (!(command & PCI_COMMAND_MEMORY) || (bar == ROM_BAR && !(value & 1)))
        return nowhere;
    uint64_t ram_end = physical_map_ram_bytes(device->bus->context.memory);
    if (base < ram_end || base < 0x100000 || size > MEMORY_BAR_LIMIT ||
        base > MEMORY_BAR_LIMIT - size)
        return nowhere;
    return (Decoder){.mapped = true, .base = base};
}

static bool has_registers(const PciDevice *device, unsigned bar) {
    return bar != ROM_BAR &&
           (device->info.bars[bar].read != NULL || device->info.bars[bar].write != NULL);
}

static bool map_registers(PciDevice *device, unsigned bar, uint32_t base) {
    const PciDeviceInfo *info = &device->info;
    const DeviceContext *context = &device->bus->context;
    const PciBar *registers = &info->bars[bar];
    if (registers->type == PCI_BAR_IO) {
        uint8_t widths = registers->widths != 0 ? registers->widths : PORT_8 | PORT_16 | PORT_32;
        const PortRange range = {info->name,      (uint16_t)base,   registers->size, widths,
                                 registers->read, registers->write, info->opaque};
        return port_map_add(context->ports, &range, NULL);
    }
    const MmioRange range = {.name = info->name,
                             .base = base,
                             .size = registers->size,
                             .read = registers->read,
                             .write = registers->write,
                             .opaque = info->opaque};
    return physical_map_add_mmio(context->memory, &range, NULL);
}

static void unmap_registers(PciDevice *device, unsigned bar, uint32_t base) {
    const DeviceContext *context = &device->bus->context;
    if (device->info.bars[bar].type == PCI_BAR_IO)
        port_map_remove(context->ports, (uint16_t)base, device->info.opaque);
    else
        physical_map_remove_mmio(context->memory, base, device->info.opaque);
}

static void decoder_unmap(PciDevice *device, unsigned bar) {
    Decoder *decoder = &device->decoders[bar];
    if (bar == ROM_BAR)
        physical_map_remove(device->bus->context.memory, decoder->base, device->rom_size);
    else if (decoder->has_range)
        unmap_registers(device, bar, decoder->base);
    else if (!has_registers(device, bar) && device->info.unmap != NULL)
        device->info.unmap(device->info.opaque, bar, decoder->base);
    *decoder = (Decoder){.mapped = false};
}

static void decoder_map(PciDevice *device, unsigned bar, uint32_t base) {
    bool has_range = false;
    if (bar == ROM_BAR)
        physical_map_add_memory(device->bus->context.memory, base, device->rom_size, device->rom,
                                NULL, false);
    else if (has_registers(device, bar))
        has_range = map_registers(device, bar, base);
    else if (device->info.map != NULL)
        device->info.map(device->info.opaque, bar, base);
    device->decoders[bar] = (Decoder){true, has_range, base};
}

/* Takes away what is to lie elsewhere, or nowhere. */
static void device_unmap_moved(PciDevice *device) {
    for (unsigned bar = 0; bar < DECODERS; bar++) {
        const Decoder *present = &device->decoders[bar];
        Decoder wanted = decoder_wanted(device, bar);
        if (present->mapped && (!wanted.mapped || wanted.base != present->base))
            decoder_unmap(device, bar);
    }
}

/* All that moved are taken away before the first is laid down again: they may have changed places.
 */
static void device_update_decoders(PciDevice *device) {
    device_unmap_moved(device);
    for (unsigned bar = 0; bar < DECODERS; bar++) {
        Decoder wanted = decoder_wanted(device, bar);
        if (wanted.mapped && !device->decoders[bar].mapped)
            decoder_map(device, bar, wanted.base);
    }
}

bool pci_device_bar_base(const PciDevice *device, unsigned bar, uint32_t *base) {
    if (bar >= DECODERS || !device->decoders[bar].mapped)
        return false;
    *base = device->decoders[bar].base;
    return true;
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static unsigned device_pirq(const PciDevice *device) {
    return (device->slot + PCI_PIRQS - 1 + device->info.interrupt_pin - 1u) % PCI_PIRQS;
}

static bool pin_is_asserted(const PciDevice *device) {
    return device->info.interrupt_pin != 0 && device->state.interrupt_level &&
           !(get_le(device->state.config + PCI_COMMAND, 2) & PCI_COMMAND_PIN_OFF) &&
           !pci_device_has_messages_on(device);
}

static void drive_pirq(const PciBus *bus, unsigned pirq) {
    int any = 0;
    for (int i = 0; i < bus->device_count; i++)
        if (device_pirq(bus->devices[i]) == pirq)
            any |= pin_is_asserted(bus->devices[i]);
    wire_set(&bus->pirq[pirq], any);
}

/* The status register tells of the interrupt even where the pin does not (specification 3.0,
 * 6.2.3). */
void pci_device_set_pin(void *opaque, int line, int level) {
    enum { STATUS_INTERRUPT = 1 << 3 };
    PciDevice *device = opaque;
    (void)line;
    if (device->info.interrupt_pin == 0 || device->state.interrupt_level == (level != 0))
        return;
    device->state.interrupt_level = level != 0;
    uint8_t *status = &device->state.config[PCI_STATUS];
    *status = level ? *status | STATUS_INTERRUPT : *status & (uint8_t)~STATUS_INTERRUPT;
    drive_pirq(device->bus, device_pirq(device));
}

void pci_bus_set_pirq_wires(PciBus *bus, const Wire wires[PCI_PIRQS]) {
    memcpy(bus->pirq, wires, sizeof bus->pirq);
}

void pci_bus_set_message_bus(PciBus *bus, const ApicBus *messages) {
    bus->message_bus = *messages;
}

/* --- configuration space -----------------------------------------------------------------------
 */

uint8_t *pci_device_config(PciDevice *device) {
    return device->state.config;
}

uint32_t pci_device_get(const PciDevice *device, unsigned offset, unsigned size) {
    return get_le(device->state.config + offset, size);
}

void pci_device_put(PciDevice *device, unsigned offset, unsigned size, uint32_t value) {
    put_le(device->state.config + offset, size, value);
}

void pci_device_set_writable(PciDevice *device, unsigned offset, uint8_t mask) {
    device->writable[offset] = mask;
}

bool pci_device_is_master(const PciDevice *device) {
    return (device->state.config[PCI_COMMAND] & PCI_COMMAND_MASTER) != 0;
}

PciMessages *pci_device_messages(const PciDevice *device) {
    return device->messages;
}

const ApicBus *pci_device_message_bus(const PciDevice *device) {
    return &device->bus->message_bus;
}

unsigned pci_device_message_vectors(const PciDevice *device) {
    return device->info.messages.msi_at != 0 ? 1 : device->info.messages.vectors;
}

bool pci_device_has_messages_on(const PciDevice *device) {
    return device->messages != NULL && pci_messages_are_on(device->messages);
}

const PciDeviceInfo *pci_device_info(const PciDevice *device) {
    return &device->info;
}

uint32_t pci_device_config_read(PciDevice *device, unsigned offset, unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = device->state.config[offset + i];
        if (device->info.config_read != NULL)
            byte = device->info.config_read(device->info.opaque, offset + i, byte);
        value |= (uint32_t)byte << (8 * i);
    }
    return value;
}

void pci_device_config_write(PciDevice *device, unsigned offset, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++) {
        unsigned at = offset + i;
        uint8_t byte = (uint8_t)(value >> (8 * i));
        uint8_t mask = device->writable[at];
        uint8_t kept = device->state.config[at] & (uint8_t)~mask;
        kept &= (uint8_t) ~(byte & device->clear_by_one[at]);
        device->state.config[at] = kept | (byte & mask);
    }
    device_update_decoders(device);
    if (device->state.interrupt_level)
        drive_pirq(device->bus, device_pirq(device));
    if (device->messages != NULL)
        pci_messages_config_written(device->messages);
    if (device->info.config_written != NULL)
        device->info.config_written(device->info.opaque, offset, size);
}

static void device_derive(PciDevice *device) {
    device_update_decoders(device);
    if (device->info.config_written != NULL)
        device->info.config_written(device->info.opaque, 0, PCI_CONFIG_SIZE);
}

static void pci_device_reset(void *opaque) {
    PciDevice *device = opaque;
    memcpy(device->state.config, device->reset_config, PCI_CONFIG_SIZE);
    pci_device_set_pin(device, 0, 0);
    device_derive(device);
}

static void pci_device_restored(void *opaque) {
    device_derive(opaque);
}

static const DeviceClass pci_device_class = {
    "pci-device",
    &pci_device_fields,
    pci_device_reset,
    pci_device_restored,
};

/* --- building a configuration space ------------------------------------------------------------
 */

static void device_add_register(PciDevice *device, const PciRegister *reg) {
    put_le(device->reset_config + reg->offset, reg->size, reg->reset);
    put_le(device->writable + reg->offset, reg->size, reg->writable);
    put_le(device->clear_by_one + reg->offset, reg->size, reg->clear_by_one);
}

static void device_add_bars(PciDevice *device) {
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        const PciBar *description = &device->info.bars[bar];
        /* Type bits of a BAR, specification 6.2.5.1: bit 0 I/O space, bit 3 prefetchable memory. */
        static const uint8_t type_bits[] = {
            [PCI_BAR_NONE] = 0,
            [PCI_BAR_IO] = 1,
            [PCI_BAR_MEMORY] = 0,
            [PCI_BAR_MEMORY_PREFETCHABLE] = 8,
        };
        if (description->type == PCI_BAR_NONE)
            continue;
        PciRegister reg = {
            .offset = (uint8_t)decoder_register(bar),
            .size = 4,
            .reset = type_bits[description->type],
            .writable = ~(description->size - 1),
        };
        device_add_register(device, &reg);
    }
    if (device->rom_size != 0) {
        PciRegister reg = {PCI_ROM_ADDRESS, 4, 0, ~(device->rom_size - 1) | 1, 0};
        device_add_register(device, &reg);
    }
}

/* The first of its capabilities. */
static void device_add_messages(PciDevice *device) {
    PciRegister registers[PCI_MESSAGE_REGISTERS];
    uint8_t *next = &device->reset_config[PCI_CAPABILITIES];
    uint8_t at = pci_messages_describe(&device->info.messages, *next, registers);
    if (at == 0)
        return;
    *next = at;
    device->reset_config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    for (const PciRegister *reg = registers; reg->size != 0; reg++)
        device_add_register(device, reg);
}

static void device_build_config(PciDevice *device) {
    const PciDeviceInfo *info = &device->info;
    uint32_t pin_off = info->interrupt_pin != 0 ? PCI_COMMAND_PIN_OFF : 0;
    const PciRegister header[] = {
        {PCI_VENDOR_ID, 2, info->vendor_id, 0, 0},
        {PCI_DEVICE_ID, 2, info->device_id, 0, 0},
        {PCI_COMMAND, 2, 0,
         PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | 0x140 | pin_off, 0},
        {PCI_STATUS, 2, 0, 0, 0xF900},
        {PCI_REVISION_ID, 1, info->revision, 0, 0},
        {PCI_CLASS_CODE, 1, info->class_code & 0xFF, 0, 0},
        {PCI_CLASS_CODE + 1, 2, info->class_code >> 8, 0, 0},
        {PCI_CACHE_LINE_SIZE, 1, 0, 0xFF, 0},
        {PCI_LATENCY_TIMER, 1, 0, 0xFF, 0},
        {PCI_SUBSYSTEM_VENDOR_ID, 2, info->subsystem_vendor_id, 0, 0},
        {PCI_SUBSYSTEM_ID, 2, info->subsystem_id, 0, 0},
        {PCI_INTERRUPT_LINE, 1, 0, info->interrupt_pin != 0 ? 0xFF : 0, 0},
        {PCI_INTERRUPT_PIN, 1, info->interrupt_pin, 0, 0},
    };
    for (size_t i = 0; i < sizeof header / sizeof header[0]; i++)
        device_add_register(device, &header[i]);
    device_add_bars(device);
    for (const PciRegister *reg = info->registers; reg != NULL && reg->size != 0; reg++)
        device_add_register(device, reg);
    device_add_messages(device);
    memcpy(device->state.config, device->reset_config, PCI_CONFIG_SIZE);
}

static bool device_copy_rom(PciDevice *device, Error *error) {
    if (device->info.rom == NULL)
        return true;
    uint32_t size = PAGE_SIZE;
    if (device->info.rom_size > (16u << 20))
        return error_set(error, "the ROM of %s is larger than 16 MB", device->info.name);
    while (size < device->info.rom_size)
        size *= 2;
    device->rom = allocate_aligned(PAGE_SIZE, size);
    memset(device->rom, 0xFF, size);
    memcpy(device->rom, device->info.rom, device->info.rom_size);
    device->rom_size = size;
    device->info.rom = device->rom;
    return true;
}

/* PCI Firmware Specification 3.0, 5.1: the place of the data structure with the numbers stands at
 * 18h, and all bytes of the image sum up to 0. */
void pci_device_adopt_rom(PciDevice *device) {
    enum { POINTER = 0x18, NUMBERS = 4, STRUCTURE = 0x18, CHECKSUM = 6 };
    uint8_t *rom = device->rom, before = 0, after = 0;
    if (rom == NULL || device->rom_size < PAGE_SIZE || rom[0] != 0x55 || rom[1] != 0xAA)
        return;
    uint32_t at = get_le(rom + POINTER, 2);
    if (at > device->rom_size - STRUCTURE || memcmp(rom + at, "PCIR", 4) != 0)
        return;
    for (unsigned i = 0; i < 4; i++)
        before = (uint8_t)(before + rom[at + NUMBERS + i]);
    put_le(rom + at + NUMBERS, 2, device->info.vendor_id);
    put_le(rom + at + NUMBERS + 2, 2, device->info.device_id);
    for (unsigned i = 0; i < 4; i++)
        after = (uint8_t)(after + rom[at + NUMBERS + i]);
    rom[CHECKSUM] = (uint8_t)(rom[CHECKSUM] + before - after);
}

/* Software looks for functions 1 to 7 only where function 0 announces them. */
static void bus_mark_multifunction(PciBus *bus, unsigned slot) {
    PciDevice *first = pci_bus_device(bus, slot, 0);
    if (first == NULL)
        return;
    for (unsigned function = 1; function < FUNCTIONS; function++)
        if (pci_bus_device(bus, slot, function) != NULL) {
            first->reset_config[PCI_HEADER_TYPE] |= HEADER_MULTIFUNCTION;
            first->state.config[PCI_HEADER_TYPE] |= HEADER_MULTIFUNCTION;
        }
}

PciDevice *pci_device_add(PciBus *bus, unsigned slot, unsigned function, const PciDeviceInfo *info,
                          Error *error) {
    if (slot >= SLOTS || function >= FUNCTIONS) {
        error_set(error, "%s: there is no PCI slot %u.%u", info->name, slot, function);
        return NULL;
    }
    const PciDevice *present = pci_bus_device(bus, slot, function);
    if (present != NULL || bus->device_count == MAX_DEVICES) {
        error_set(error, "%s: PCI slot %u.%u is taken by %s", info->name, slot, function,
                  present != NULL ? present->info.name : "too many devices");
        return NULL;
    }
    PciDevice *device = allocate_zeroed(sizeof *device);
    device->bus = bus;
    device->info = *info;
    device->slot = slot;
    device->function = function;
    snprintf(device->id, sizeof device->id, "pci-%02x.%u", slot, function);
    if (!device_copy_rom(device, error)) {
        free(device);
        return NULL;
    }
    device_build_config(device);
    bus->devices[bus->device_count++] = device;
    bus_mark_multifunction(bus, slot);
    device_list_add(bus->context.devices, &pci_device_class, device->id, device, &device->state);
    device->messages = pci_messages_create(device, &info->messages, device->id, &bus->context);
    return device;
}

/* --- the bus -----------------------------------------------------------------------------------
 */

PciDevice *pci_bus_device(const PciBus *bus, unsigned slot, unsigned function) {
    for (int i = 0; bus != NULL && i < bus->device_count; i++)
        if (bus->devices[i]->slot == slot && bus->devices[i]->function == function)
            return bus->devices[i];
    return NULL;
}

void pci_bus_set_reset_control(PciBus *bus, uint8_t (*read)(void *opaque),
                               void (*write)(void *opaque, uint8_t value), void *opaque) {
    bus->reset_control_read = read;
    bus->reset_control_write = write;
    bus->reset_control_opaque = opaque;
}

/* Only doubleword accesses reach CONFIG_ADDRESS (specification 3.7.4.1); others go to what lies
 * beneath: CF9h. */
static uint32_t address_read(void *opaque, uint32_t offset, unsigned size) {
    PciBus *bus = opaque;
    if (size == 4)
        return bus->state.address;
    if (offset == 1 && size == 1 && bus->reset_control_read != NULL)
        return bus->reset_control_read(bus->reset_control_opaque);
    return UINT32_MAX >> (32 - 8 * size);
}

static void address_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    PciBus *bus = opaque;
    if (size == 4)
        bus->state.address = value & 0x80FFFFFCu;
    else if (offset == 1 && size == 1 && bus->reset_control_write != NULL)
        bus->reset_control_write(bus->reset_control_opaque, (uint8_t)value);
}

static PciDevice *bus_selected(const PciBus *bus) {
    uint32_t address = bus->state.address;
    if (!(address & ADDRESS_ENABLE) || ((address >> 16) & 0xFF) != 0)
        return NULL;
    return pci_bus_device(bus, (address >> 11) & 0x1F, (address >> 8) & 7);
}

static uint32_t data_read(void *opaque, uint32_t offset, unsigned size) {
    PciBus *bus = opaque;
    PciDevice *device = bus_selected(bus);
    if (device == NULL)
        return UINT32_MAX >> (32 - 8 * size);
    return pci_device_config_read(device, (bus->state.address & 0xFC) + offset, size);
}

static void data_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    PciBus *bus = opaque;
    PciDevice *device = bus_selected(bus);
    if (device != NULL)
        pci_device_config_write(device, (bus->state.address & 0xFC) + offset, size, value);
}

static void pci_bus_reset(void *opaque) {
    PciBus *bus = opaque;
    bus->state.address = 0;
}

/* The bus is restored before its devices, whose states are there already: what any of them has to
 * give up is free when the others take it. What stays where it is stays mapped: translations from
 * there and the TLB are kept. */
static void pci_bus_restored(void *opaque) {
    PciBus *bus = opaque;
    for (int i = 0; i < bus->device_count; i++)
        device_unmap_moved(bus->devices[i]);
}

static const DeviceClass pci_bus_class = {
    "pci-bus",
    &pci_bus_fields,
    pci_bus_reset,
    pci_bus_restored,
};

PciBus *pci_bus_create(const DeviceContext *context, Error *error) {
    PciBus *bus = allocate_zeroed(sizeof *bus);
    bus->context = *context;
    const uint8_t all_widths = PORT_8 | PORT_16 | PORT_32;
    const PortRange address = {"pci-config-address", 0xCF8,         4,  all_widths,
                               address_read,         address_write, bus};
    const PortRange data = {"pci-config-data", 0xCFC, 4, all_widths, data_read, data_write, bus};
    if (!port_map_add(context->ports, &address, error) ||
        !port_map_add(context->ports, &data, error)) {
        free(bus);
        return NULL;
    }
    device_list_add(context->devices, &pci_bus_class, "pci", bus, &bus->state);
    return bus;
}

void pci_bus_destroy(PciBus *bus) {
    if (bus == NULL)
        return;
    for (int i = 0; i < bus->device_count; i++) {
        PciDevice *device = bus->devices[i];
        for (unsigned bar = 0; bar < PCI_BARS; bar++)
            if (device->decoders[bar].has_range)
                unmap_registers(device, bar, device->decoders[bar].base);
        pci_messages_destroy(device->messages);
        allocate_free_aligned(device->rom);
        free(device);
    }
    free(bus);
}

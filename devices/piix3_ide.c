#include "piix3_ide.h"
#include "allocate.h"
#include "little_endian.h"
#include <stdlib.h>

/* Offsets of a channel's bus master registers. */
enum { REGISTER_COMMAND = 0, REGISTER_STATUS = 2, REGISTER_TABLE = 4, REGISTERS = 8 };

enum { COMMAND_START = 0x01, COMMAND_TO_MEMORY = 0x08 };

enum {
    STATUS_ACTIVE = 0x01,
    STATUS_ERROR = 0x02,
    STATUS_INTERRUPT = 0x04,
    STATUS_CAPABLE = 0x60, /* software's note that drives can do DMA */
};

#define ENTRY_BYTES 8
#define ENTRY_LAST 0x80000000u
#define ENTRIES_MAXIMUM 8192 /* a table lies within 64 KB */
#define BUS_MASTER_BAR 4

typedef struct BusMasterState {
    uint32_t table;      /* physical address of the region descriptors */
    uint32_t next_entry; /* where the next one is read */
    uint32_t region;     /* what is left of the present region */
    uint32_t region_bytes;
    uint32_t entries_read; /* since the start */
    uint8_t command, status;
    uint8_t region_is_last;
    uint8_t padding[1];
} BusMasterState;

typedef struct Piix3IdeState {
    BusMasterState masters[PIIX3_IDE_CHANNELS];
} Piix3IdeState;

typedef struct BusMaster {
    Piix3Ide *ide;
    BusMasterState *state;
    IdeChannel *channel;
} BusMaster;

struct Piix3Ide {
    Piix3IdeState state;
    BusMaster masters[PIIX3_IDE_CHANNELS];
    PciDevice *pci;
    PortMap *ports;
    PhysicalMap *memory;
};

static const Field master_field_rows[] = {
    FIELD(BusMasterState, U32, table),        FIELD(BusMasterState, U32, next_entry),
    FIELD(BusMasterState, U32, region),       FIELD(BusMasterState, U32, region_bytes),
    FIELD(BusMasterState, U32, entries_read), FIELD(BusMasterState, U8, command),
    FIELD(BusMasterState, U8, status),        FIELD(BusMasterState, U8, region_is_last),
    FIELD_PADDING(BusMasterState, padding),   FIELD_END,
};

static const FieldTable master_fields = {"ide-bus-master", 1, sizeof(BusMasterState),
                                         master_field_rows};

static const Field field_rows[] = {
    FIELD_STRUCTS(Piix3IdeState, masters, &master_fields),
    FIELD_END,
};

static const FieldTable fields = {"piix3-ide", 1, sizeof(Piix3IdeState), field_rows};

static const PciRegister registers[] = {
    {PCI_STATUS, 2, 0x0280, 0, 0xF900}, /* fast back-to-back, medium DEVSEL# */
    {0x40, 2, 0, 0xFFFF, 0},            /* timings of the channels; all speeds are the same here */
    {0x42, 2, 0, 0xFFFF, 0},
    {0x44, 1, 0, 0xFF, 0},
    {0, 0, 0, 0, 0},
};

/* Reads the next region descriptor. False at the end of the table, or of patience with it. */
static bool next_region(BusMaster *master) {
    BusMasterState *state = master->state;
    uint8_t entry[ENTRY_BYTES];
    if (state->region_is_last)
        return false;
    if (state->entries_read >= ENTRIES_MAXIMUM) {
        state->status |= STATUS_ERROR;
        return false;
    }
    physical_read_bytes(master->ide->memory, state->next_entry, entry, sizeof(entry));
    state->next_entry += ENTRY_BYTES;
    state->entries_read++;
    uint32_t control = load_le32(entry + 4);
    state->region = load_le32(entry) & ~1u;
    state->region_bytes = control & 0xFFFE;
    if (state->region_bytes == 0)
        state->region_bytes = 0x10000;
    state->region_is_last = (control & ENTRY_LAST) != 0;
    return true;
}

static void move_part(BusMaster *master, uint8_t *data, size_t size, bool to_memory) {
    BusMasterState *state = master->state;
    if (to_memory)
        physical_write_bytes(master->ide->memory, state->region, data, size);
    else
        physical_read_bytes(master->ide->memory, state->region, data, size);
    state->region += (uint32_t)size;
    state->region_bytes -= (uint32_t)size;
}

static size_t transfer(void *opaque, uint8_t *data, size_t size, bool to_memory) {
    BusMaster *master = opaque;
    BusMasterState *state = master->state;
    size_t moved = 0;
    if (!(state->status & STATUS_ACTIVE) || !pci_device_is_master(master->ide->pci))
        return 0;
    while (moved < size) {
        if (state->region_bytes == 0 && !next_region(master))
            break;
        size_t part = size - moved < state->region_bytes ? size - moved : state->region_bytes;
        move_part(master, data + moved, part, to_memory);
        moved += part;
    }
    bool exhausted = state->region_bytes == 0 && state->region_is_last;
    if (exhausted || moved < size)
        state->status &= (uint8_t)~STATUS_ACTIVE;
    return moved;
}

static void interrupted(void *opaque) {
    BusMaster *master = opaque;
    master->state->status |= STATUS_INTERRUPT;
}

static void write_command(BusMaster *master, uint8_t value) {
    BusMasterState *state = master->state;
    bool starts = (value & COMMAND_START) && !(state->command & COMMAND_START);
    state->command = value & (COMMAND_START | COMMAND_TO_MEMORY);
    if (!(value & COMMAND_START))
        state->status &= (uint8_t)~STATUS_ACTIVE;
    if (!starts)
        return;
    state->next_entry = state->table;
    state->region_bytes = 0;
    state->region_is_last = 0;
    state->entries_read = 0;
    state->status |= STATUS_ACTIVE;
    ide_channel_bus_master_started(master->channel);
}

static uint8_t read_byte(const BusMaster *master, uint32_t offset) {
    const BusMasterState *state = master->state;
    if (offset == REGISTER_COMMAND)
        return state->command;
    if (offset == REGISTER_STATUS)
        return state->status;
    if (offset >= REGISTER_TABLE)
        return (uint8_t)(state->table >> 8 * (offset - REGISTER_TABLE));
    return 0;
}

static void write_byte(BusMaster *master, uint32_t offset, uint8_t value) {
    BusMasterState *state = master->state;
    if (offset == REGISTER_COMMAND) {
        write_command(master, value);
    } else if (offset == REGISTER_STATUS) {
        uint8_t cleared = value & (STATUS_ERROR | STATUS_INTERRUPT);
        uint8_t kept = state->status & (uint8_t)~cleared & (uint8_t)~STATUS_CAPABLE;
        state->status = kept | (value & STATUS_CAPABLE);
    } else if (offset >= REGISTER_TABLE) {
        unsigned shift = 8 * (offset - REGISTER_TABLE);
        state->table = (state->table & ~(0xFFu << shift)) | (uint32_t)value << shift;
        state->table &= ~3u;
    }
}

static uint32_t read_port(void *opaque, uint32_t offset, unsigned size) {
    Piix3Ide *ide = opaque;
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        uint32_t at = offset + i;
        value |= (uint32_t)read_byte(&ide->masters[at / REGISTERS], at % REGISTERS) << 8 * i;
    }
    return value;
}

static void write_port(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Piix3Ide *ide = opaque;
    for (unsigned i = 0; i < size; i++) {
        uint32_t at = offset + i;
        write_byte(&ide->masters[at / REGISTERS], at % REGISTERS, (uint8_t)(value >> 8 * i));
    }
}

static void map_registers(void *opaque, unsigned bar, uint32_t base) {
    Piix3Ide *ide = opaque;
    PortRange range = {.name = "piix3-ide",
                       .first = (uint16_t)base,
                       .count = PIIX3_IDE_CHANNELS * REGISTERS,
                       .widths = PORT_8 | PORT_16 | PORT_32,
                       .read = read_port,
                       .write = write_port,
                       .opaque = ide};
    if (bar == BUS_MASTER_BAR)
        port_map_add(ide->ports, &range, NULL);
}

static void unmap_registers(void *opaque, unsigned bar, uint32_t base) {
    Piix3Ide *ide = opaque;
    if (bar == BUS_MASTER_BAR)
        port_map_remove(ide->ports, (uint16_t)base, ide);
}

static void reset(void *device) {
    Piix3Ide *ide = device;
    ide->state = (Piix3IdeState){0};
}

static const DeviceClass device_class = {"piix3-ide", &fields, reset, NULL};

static bool add_pci_function(Piix3Ide *ide, PciBus *bus, const Piix3IdeOptions *options,
                             Error *error) {
    PciDeviceInfo info = {
        .name = "piix3-ide",
        .vendor_id = 0x8086,
        .device_id = 0x7010,
        .class_code = 0x010180, /* IDE at the fixed ports, with bus master */
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .bars[BUS_MASTER_BAR] = {.type = PCI_BAR_IO, PIIX3_IDE_CHANNELS * REGISTERS},
        .registers = registers,
        .opaque = ide,
        .map = map_registers,
        .unmap = unmap_registers,
    };
    ide->pci = pci_device_add(bus, options->slot, options->function, &info, error);
    return ide->pci != NULL;
}

static bool add_channel(Piix3Ide *ide, unsigned number, const DeviceContext *context,
                        const Piix3IdeOptions *options, Error *error) {
    static const struct {
        const char *id;
        uint16_t command_port, control_port;
    } places[PIIX3_IDE_CHANNELS] = {{"ide0", 0x1F0, 0x3F6}, {"ide1", 0x170, 0x376}};
    BusMaster *master = &ide->masters[number];
    master->ide = ide;
    master->state = &ide->state.masters[number];
    IdeChannelOptions channel = {
        .id = places[number].id,
        .number = number,
        .command_port = places[number].command_port,
        .control_port = places[number].control_port,
        .irq = options->irqs[number],
        .bus_master = {.transfer = transfer, .interrupted = interrupted, .opaque = master},
    };
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++)
        channel.drives[i] = options->drives[number * IDE_CHANNEL_DRIVES + i];
    master->channel = ide_channel_create(context, &channel, error);
    return master->channel != NULL;
}

Piix3Ide *piix3_ide_create(const DeviceContext *context, PciBus *bus,
                           const Piix3IdeOptions *options, Error *error) {
    Piix3Ide *ide = allocate_zeroed(sizeof(*ide));
    ide->ports = context->ports;
    ide->memory = context->memory;
    if (!add_pci_function(ide, bus, options, error) ||
        !add_channel(ide, 0, context, options, error) ||
        !add_channel(ide, 1, context, options, error)) {
        piix3_ide_destroy(ide);
        return NULL;
    }
    device_list_add(context->devices, &device_class, "piix3-ide", ide, &ide->state);
    return ide;
}

void piix3_ide_destroy(Piix3Ide *ide) {
    if (ide == NULL)
        return;
    for (unsigned i = 0; i < PIIX3_IDE_CHANNELS; i++)
        if (ide->masters[i].channel != NULL)
            ide_channel_destroy(ide->masters[i].channel);
    free(ide);
}

IdeChannel *piix3_ide_channel(Piix3Ide *ide, unsigned channel) {
    return channel < PIIX3_IDE_CHANNELS ? ide->masters[channel].channel : NULL;
}

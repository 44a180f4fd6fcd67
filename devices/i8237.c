#include "i8237.h"
#include "allocate.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WATCHERS = 4 };
enum { CONTROLLERS = 2, CHANNELS_EACH = 4, PAGE_REGISTERS = 16 };

/* Registers above the channels' addresses and counts (data sheet figure 6). */
enum {
    REGISTER_STATUS_COMMAND = 8,
    REGISTER_REQUEST = 9,
    REGISTER_MASK_ONE = 10,
    REGISTER_MODE = 11,
    REGISTER_CLEAR_FLIP_FLOP = 12,
    REGISTER_TEMPORARY_MASTER_CLEAR = 13,
    REGISTER_CLEAR_MASK = 14,
    REGISTER_MASK_ALL = 15,
};

enum {
    COMMAND_DISABLE = 0x04,
    MODE_TYPE = 0x0C,
    MODE_VERIFY = 0x00,
    MODE_WRITE = 0x04, /* to memory */
    MODE_READ = 0x08,  /* from memory */
    MODE_AUTO_INITIALIZE = 0x10,
    MODE_DECREMENT = 0x20,
    MODE_SERVICE = 0xC0,
    MODE_CASCADE = 0xC0,
};

typedef struct DmaChannel {
    uint16_t base_address, base_count;
    uint16_t address, count; /* current; the count is one less than the transfers to come */
    uint8_t mode;
    uint8_t padding;
} DmaChannel;

static const Field dma_channel_state_fields[] = {
    FIELD(DmaChannel, U16, base_address),
    FIELD(DmaChannel, U16, base_count),
    FIELD(DmaChannel, U16, address),
    FIELD(DmaChannel, U16, count),
    FIELD(DmaChannel, U8, mode),
    FIELD_PADDING(DmaChannel, padding),
    FIELD_END,
};

static const FieldTable dma_channel_fields = {
    "i8237-channel",
    1,
    sizeof(DmaChannel),
    dma_channel_state_fields,
};

typedef struct DmaController {
    DmaChannel channels[CHANNELS_EACH];
    uint8_t command;
    uint8_t mask;           /* a bit a channel */
    uint8_t terminal_count; /* reached since the status was read */
    uint8_t request;        /* DREQ pins */
    uint8_t software_request;
    uint8_t flip_flop; /* the high byte comes next */
} DmaController;

static const Field dma_controller_state_fields[] = {
    FIELD_STRUCTS(DmaController, channels, &dma_channel_fields),
    FIELD(DmaController, U8, command),
    FIELD(DmaController, U8, mask),
    FIELD(DmaController, U8, terminal_count),
    FIELD(DmaController, U8, request),
    FIELD(DmaController, U8, software_request),
    FIELD(DmaController, U8, flip_flop),
    FIELD_END,
};

static const FieldTable dma_controller_fields = {
    "i8237-controller",
    1,
    sizeof(DmaController),
    dma_controller_state_fields,
};

typedef struct I8237State {
    DmaController controllers[CONTROLLERS];
    uint8_t pages[PAGE_REGISTERS]; /* ports 80h to 8Fh; those of no channel just keep their byte */
} I8237State;

static const Field i8237_state_fields[] = {
    FIELD_STRUCTS(I8237State, controllers, &dma_controller_fields),
    FIELD_BYTES_OF(I8237State, pages),
    FIELD_END,
};

static const FieldTable i8237_fields = {"i8237", 1, sizeof(I8237State), i8237_state_fields};

struct I8237 {
    I8237State state;
    PhysicalMap *memory;
    void (*port_80_written)(void *opaque, uint8_t value); /* may be NULL */
    void *port_80_opaque;
    struct {
        void (*sync)(void *opaque);
        void *opaque;
    } watchers[WATCHERS];
    unsigned watcher_count;
};

/* Which page register belongs to a channel, as offset from port 80h. */
static const uint8_t channel_page[DMA_CHANNELS] = {7, 3, 1, 2, 15, 11, 9, 10};

/* --- transfers ---------------------------------------------------------------------------------
 */

static unsigned channel_unit(unsigned channel) {
    return channel >= DMA_CASCADE_CHANNEL ? 2 : 1;
}

/* The physical address of a transfer. Word channels count words, and take bits 16 and up from the
 * page register without its bit 0 (82371SB 2.5.1). */
static uint32_t channel_address(const I8237 *dma, unsigned channel, uint16_t address) {
    uint32_t page = dma->state.pages[channel_page[channel]];
    if (channel_unit(channel) == 2)
        return (page & 0xFE) << 16 | (uint32_t)address << 1;
    return page << 16 | address;
}

bool i8237_is_ready(const I8237 *dma, unsigned channel) {
    if (channel >= DMA_CHANNELS || channel == DMA_CASCADE_CHANNEL)
        return false;
    const DmaController *controller = &dma->state.controllers[channel / CHANNELS_EACH];
    const DmaController *second = &dma->state.controllers[1];
    unsigned index = channel % CHANNELS_EACH;
    if ((controller->command & COMMAND_DISABLE) || (controller->mask >> index & 1))
        return false;
    if ((controller->channels[index].mode & MODE_SERVICE) == MODE_CASCADE)
        return false;
    /* The first controller reaches the bus through channel 4 of the second. */
    return channel > DMA_CASCADE_CHANNEL ||
           (!(second->command & COMMAND_DISABLE) && !(second->mask & 1));
}

/* Moves a run of units that does not wrap around the 64K page. */
static void channel_move_run(I8237 *dma, unsigned channel, const DmaChannel *registers,
                             uint8_t *buffer, size_t units, DmaDirection direction) {
    unsigned unit = channel_unit(channel);
    unsigned programmed = direction == DMA_TO_MEMORY ? MODE_WRITE : MODE_READ;
    if ((registers->mode & MODE_TYPE) != programmed) {
        if (direction == DMA_FROM_MEMORY)
            memset(buffer, 0, units * unit);
        return;
    }
    bool down = (registers->mode & MODE_DECREMENT) != 0;
    size_t pieces = down ? units : 1, piece = down ? unit : units * unit;
    for (size_t i = 0; i < pieces; i++) {
        uint32_t address = channel_address(dma, channel, (uint16_t)(registers->address - i));
        if (direction == DMA_TO_MEMORY)
            physical_write_bytes(dma->memory, address, buffer + i * piece, piece);
        else
            physical_read_bytes(dma->memory, address, buffer + i * piece, piece);
    }
}

/* The count ran out: the channel starts over or masks itself (data sheet, 'Autoinitialize'). */
static void channel_end(DmaController *controller, unsigned index) {
    DmaChannel *registers = &controller->channels[index];
    controller->terminal_count |= (uint8_t)(1u << index);
    controller->software_request &= (uint8_t) ~(1u << index);
    if (registers->mode & MODE_AUTO_INITIALIZE) {
        registers->address = registers->base_address;
        registers->count = registers->base_count;
    } else {
        controller->mask |= (uint8_t)(1u << index);
    }
}

size_t i8237_transfer(I8237 *dma, unsigned channel, void *buffer, size_t size,
                      DmaDirection direction, bool *terminal_count) {
    bool ignored;
    if (terminal_count == NULL)
        terminal_count = &ignored;
    *terminal_count = false;
    if (!i8237_is_ready(dma, channel))
        return 0;
    DmaController *controller = &dma->state.controllers[channel / CHANNELS_EACH];
    DmaChannel *registers = &controller->channels[channel % CHANNELS_EACH];
    unsigned unit = channel_unit(channel);
    size_t done = 0, wanted = size / unit;
    if (wanted > registers->count + 1u)
        wanted = registers->count + 1u;
    while (done < wanted) {
        bool down = (registers->mode & MODE_DECREMENT) != 0;
        size_t to_wrap = down ? registers->address + 1u : 0x10000u - registers->address;
        size_t run = wanted - done < to_wrap ? wanted - done : to_wrap;
        channel_move_run(dma, channel, registers, (uint8_t *)buffer + done * unit, run, direction);
        registers->address = (uint16_t)(down ? registers->address - run : registers->address + run);
        done += run;
    }
    registers->count = (uint16_t)(registers->count - done);
    if (done != 0 && registers->count == 0xFFFF) {
        *terminal_count = true;
        channel_end(controller, channel % CHANNELS_EACH);
    }
    return done * unit;
}

void i8237_set_request(void *opaque, int line, int level) {
    I8237 *dma = opaque;
    if (line < 0 || line >= DMA_CHANNELS)
        return;
    uint8_t *request = &dma->state.controllers[line / CHANNELS_EACH].request;
    uint8_t bit = (uint8_t)(1u << (line % CHANNELS_EACH));
    *request = level ? *request | bit : *request & (uint8_t)~bit;
}

/* --- registers ---------------------------------------------------------------------------------
 */

static void controller_clear(DmaController *controller) {
    controller->command = 0;
    controller->terminal_count = 0;
    controller->software_request = 0;
    controller->flip_flop = 0;
    controller->mask = 0x0F;
}

/* One byte of an address or count; the flip-flop tells which. A write goes to base and current
 * register. */
static void controller_write_channel(DmaController *controller, unsigned reg, uint8_t value) {
    DmaChannel *registers = &controller->channels[reg / 2];
    uint16_t *base = reg & 1 ? &registers->base_count : &registers->base_address;
    uint16_t *current = reg & 1 ? &registers->count : &registers->address;
    *base = controller->flip_flop ? (uint16_t)((*base & 0x00FF) | value << 8)
                                  : (uint16_t)((*base & 0xFF00) | value);
    *current = *base;
    controller->flip_flop ^= 1;
}

static uint8_t controller_read_channel(DmaController *controller, unsigned reg) {
    const DmaChannel *registers = &controller->channels[reg / 2];
    uint16_t value = reg & 1 ? registers->count : registers->address;
    controller->flip_flop ^= 1;
    return (uint8_t)(controller->flip_flop ? value : value >> 8);
}

/* Bits 1-0 a channel, bit 2 its new bit. */
static uint8_t set_channel_bit(uint8_t bits, uint8_t value) {
    uint8_t bit = (uint8_t)(1u << (value & 3));
    return value & 4 ? bits | bit : bits & (uint8_t)~bit;
}

static void controller_write(DmaController *controller, unsigned reg, uint8_t value) {
    switch (reg) {
    case REGISTER_STATUS_COMMAND:
        controller->command = value;
        break;
    case REGISTER_REQUEST:
        controller->software_request = set_channel_bit(controller->software_request, value);
        break;
    case REGISTER_MASK_ONE:
        controller->mask = set_channel_bit(controller->mask, value);
        break;
    case REGISTER_MODE:
        controller->channels[value & 3].mode = value & 0xFC;
        break;
    case REGISTER_CLEAR_FLIP_FLOP:
        controller->flip_flop = 0;
        break;
    case REGISTER_TEMPORARY_MASTER_CLEAR:
        controller_clear(controller);
        break;
    case REGISTER_CLEAR_MASK:
        controller->mask = 0;
        break;
    case REGISTER_MASK_ALL:
        controller->mask = value & 0x0F;
        break;
    default:
        controller_write_channel(controller, reg, value);
        break;
    }
}

static uint8_t controller_read(DmaController *controller, unsigned reg) {
    uint8_t status;
    switch (reg) {
    case REGISTER_STATUS_COMMAND:
        status = (uint8_t)((controller->request | controller->software_request) << 4 |
                           controller->terminal_count);
        controller->terminal_count = 0;
        return status;
    case REGISTER_TEMPORARY_MASTER_CLEAR:
        return 0; /* only memory-to-memory transfers fill the temporary register */
    case REGISTER_MASK_ALL:
        return controller->mask | 0xF0; /* the PIIX can read it back */
    default:
        return reg < REGISTER_STATUS_COMMAND ? controller_read_channel(controller, reg) : 0xFF;
    }
}

static void sync_watchers(I8237 *dma) {
    for (unsigned i = 0; i < dma->watcher_count; i++)
        dma->watchers[i].sync(dma->watchers[i].opaque);
}

static uint32_t first_read(void *opaque, uint32_t offset, unsigned size) {
    I8237 *dma = opaque;
    (void)size;
    sync_watchers(dma);
    return controller_read(&dma->state.controllers[0], offset);
}

static void first_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    I8237 *dma = opaque;
    (void)size;
    sync_watchers(dma);
    controller_write(&dma->state.controllers[0], offset, (uint8_t)value);
}

/* The second controller's address lines are shifted by one. */
static uint32_t second_read(void *opaque, uint32_t offset, unsigned size) {
    I8237 *dma = opaque;
    (void)size;
    sync_watchers(dma);
    return controller_read(&dma->state.controllers[1], offset / 2);
}

static void second_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    I8237 *dma = opaque;
    (void)size;
    sync_watchers(dma);
    controller_write(&dma->state.controllers[1], offset / 2, (uint8_t)value);
}

static uint32_t page_read(void *opaque, uint32_t offset, unsigned size) {
    I8237 *dma = opaque;
    (void)size;
    return dma->state.pages[offset];
}

static void page_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    I8237 *dma = opaque;
    (void)size;
    if (offset != 0) /* port 80h is written just to wait */
        sync_watchers(dma);
    dma->state.pages[offset] = (uint8_t)value;
    if (offset == 0 && dma->port_80_written != NULL)
        dma->port_80_written(dma->port_80_opaque, (uint8_t)value);
}

/* --- the device --------------------------------------------------------------------------------
 */

static void i8237_reset(void *opaque) {
    I8237 *dma = opaque;
    for (int i = 0; i < CONTROLLERS; i++)
        controller_clear(&dma->state.controllers[i]);
}

static const DeviceClass i8237_class = {"i8237", &i8237_fields, i8237_reset, NULL};

I8237 *i8237_create(const DeviceContext *context, Error *error) {
    I8237 *dma = allocate_zeroed(sizeof *dma);
    const PortRange ranges[] = {
        {"dma-first", 0x00, 16, PORT_8, first_read, first_write, dma},
        {"dma-pages", 0x80, PAGE_REGISTERS, PORT_8, page_read, page_write, dma},
        {"dma-second", 0xC0, 32, PORT_8, second_read, second_write, dma},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (!port_map_add(context->ports, &ranges[i], error)) {
            free(dma);
            return NULL;
        }
    dma->memory = context->memory;
    device_list_add(context->devices, &i8237_class, "dma", dma, &dma->state);
    i8237_reset(dma);
    return dma;
}

void i8237_destroy(I8237 *dma) {
    free(dma);
}

void i8237_watch(I8237 *dma, void (*sync)(void *opaque), void *opaque) {
    assert(dma->watcher_count < WATCHERS);
    dma->watchers[dma->watcher_count].sync = sync;
    dma->watchers[dma->watcher_count++].opaque = opaque;
}

void i8237_watch_port_80(I8237 *dma, void (*written)(void *opaque, uint8_t value), void *opaque) {
    dma->port_80_written = written;
    dma->port_80_opaque = opaque;
}

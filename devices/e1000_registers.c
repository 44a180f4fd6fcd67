/* Reading and writing registers, through memory and through the window in I/O space (13.1). */
#include "e1000_internal.h"

typedef uint32_t ReadRegister(E1000 *card, uint32_t *place);
/* 'value' has the bits that software cannot write as they were. */
typedef void WriteRegister(E1000 *card, uint32_t *place, uint32_t value);

static uint32_t read_plain(E1000 *card, uint32_t *place) {
    (void)card;
    return *place;
}

static uint32_t read_none(E1000 *card, uint32_t *place) {
    (void)card;
    (void)place;
    return 0;
}

static uint32_t read_status(E1000 *card, uint32_t *place) {
    enum { FULL_DUPLEX = 1, LINK_UP = 2, SPEED_1000 = 2 << 6, SPEED_DETECTED = 2 << 8 };
    (void)place;
    return FULL_DUPLEX | SPEED_1000 | SPEED_DETECTED | (e1000_has_link(card) ? LINK_UP : 0);
}

static uint32_t read_eecd(E1000 *card, uint32_t *place) {
    (void)place;
    return e1000_eeprom_read_pins(card);
}

/* Reading takes the causes away. */
static uint32_t read_icr(E1000 *card, uint32_t *place) {
    uint32_t causes = *place;
    *place = 0;
    e1000_update_interrupt(card);
    return causes;
}

/* So it does with counters; of those with two registers, software reads the upper one last. */
static uint32_t read_count(E1000 *card, uint32_t *place) {
    (void)card;
    uint32_t value = *place;
    *place = 0;
    return value;
}

static void write_plain(E1000 *card, uint32_t *place, uint32_t value) {
    (void)card;
    *place = value;
}

static void write_none(E1000 *card, uint32_t *place, uint32_t value) {
    (void)card;
    (void)place;
    (void)value;
}

static void write_ctrl(E1000 *card, uint32_t *place, uint32_t value) {
    if (value & E1000_CTRL_RESET) {
        e1000_reset_chip(card);
        return;
    }
    if (value & E1000_CTRL_PHY_RESET)
        e1000_phy_reset(card);
    *place = value & ~(uint32_t)E1000_CTRL_PHY_RESET;
}

static void write_eecd(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value;
    e1000_eeprom_write_pins(card, value);
}

static void write_eerd(E1000 *card, uint32_t *place, uint32_t value) {
    enum { START = 1, DONE = 1 << 4, ADDRESS_SHIFT = 8, DATA_SHIFT = 16 };
    uint32_t address = value >> ADDRESS_SHIFT & 0xFF;
    *place = value & (0xFF << ADDRESS_SHIFT);
    if (value & START)
        *place |= DONE | (uint32_t)e1000_eeprom_word(card, address) << DATA_SHIFT;
}

static void write_mdic(E1000 *card, uint32_t *place, uint32_t value) {
    *place = e1000_phy_access(card, value);
}

static void write_icr(E1000 *card, uint32_t *place, uint32_t value) {
    *place &= ~value;
    e1000_update_interrupt(card);
}

static void write_ics(E1000 *card, uint32_t *place, uint32_t value) {
    (void)place;
    e1000_raise(card, value);
}

static void write_ims(E1000 *card, uint32_t *place, uint32_t value) {
    *place |= value;
    e1000_update_interrupt(card);
}

static void write_imc(E1000 *card, uint32_t *place, uint32_t value) {
    (void)place;
    card->state.ims &= ~value;
    e1000_update_interrupt(card);
}

static void write_rctl(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value;
    e1000_want_frames(card);
}

static void write_rdt(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value;
    e1000_want_frames(card);
}

/* Bit 31 sends off what is delayed. */
static void write_rdtr(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value & 0xFFFF;
    if ((value >> 31) && timer_is_armed(&card->timers[E1000_TIMER_RECEIVE_DELAY]))
        e1000_interrupt_timer(card, E1000_TIMER_RECEIVE_DELAY);
}

static void write_tidv(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value & 0xFFFF;
    if ((value >> 31) && timer_is_armed(&card->timers[E1000_TIMER_TRANSMIT_DELAY]))
        e1000_interrupt_timer(card, E1000_TIMER_TRANSMIT_DELAY);
}

static void write_tctl(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value;
    e1000_want_transmit(card);
}

static void write_tdt(E1000 *card, uint32_t *place, uint32_t value) {
    *place = value;
    e1000_want_transmit(card);
}

/* What the receiver does not get of 64 KB is the transmitter's. */
static void write_pba(E1000 *card, uint32_t *place, uint32_t value) {
    enum { PACKET_BUFFER_KB = 64 };
    uint32_t receive = value & 0x7F;
    (void)card;
    *place = receive | (receive < PACKET_BUFFER_KB ? PACKET_BUFFER_KB - receive : 0) << 16;
}

/* The upper halves of addresses hold 16 bits of it, which one is meant, and whether it counts. */
static void write_ra(E1000 *card, uint32_t *place, uint32_t value) {
    bool upper = (place - card->state.ra) % 2 != 0;
    *place = upper ? value & 0x8003FFFF : value;
}

/* One row of the list of registers. */
typedef struct Register {
    uint32_t offset, count;
    uint32_t place; /* in the state */
    uint32_t reset, writable;
    ReadRegister *read;
    WriteRegister *write;
} Register;

#define E1000_REGISTER(name, offset, reset, writable, read, write)                                 \
    {offset, 1, offsetof(E1000State, name), reset, writable, read_##read, write_##write},
#define E1000_REGISTERS(name, offset, count, writable, read, write)                                \
    {offset, count, offsetof(E1000State, name), 0, writable, read_##read, write_##write},
static const Register registers[] = {
#include "e1000_registers.def"
};
#undef E1000_REGISTER
#undef E1000_REGISTERS
#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

static const Field context_rows[] = {
    FIELD(E1000Context, U8, ip_start),
    FIELD(E1000Context, U8, ip_offset),
    FIELD(E1000Context, U16, ip_end),
    FIELD(E1000Context, U8, tcp_start),
    FIELD(E1000Context, U8, tcp_offset),
    FIELD(E1000Context, U16, tcp_end),
    FIELD(E1000Context, U32, payload),
    FIELD(E1000Context, U16, segment),
    FIELD(E1000Context, U8, header),
    FIELD(E1000Context, U8, command),
    FIELD_END,
};
static const FieldTable context_fields = {"e1000-context", 1, sizeof(E1000Context), context_rows};

static const Field eeprom_rows[] = {
    FIELD_ARRAY(E1000Eeprom, U16, words), FIELD(E1000Eeprom, U32, shifted),
    FIELD(E1000Eeprom, U16, output),      FIELD(E1000Eeprom, U8, in_count),
    FIELD(E1000Eeprom, U8, out_count),    FIELD(E1000Eeprom, U8, address),
    FIELD(E1000Eeprom, U8, phase),        FIELD(E1000Eeprom, U8, may_write),
    FIELD(E1000Eeprom, U8, pins),         FIELD_END,
};
static const FieldTable eeprom_fields = {"e1000-eeprom", 1, sizeof(E1000Eeprom), eeprom_rows};

#define E1000_REGISTER(name, offset, reset, writable, read, write) FIELD(E1000State, U32, name),
#define E1000_REGISTERS(name, offset, count, writable, read, write)                                \
    FIELD_ARRAY(E1000State, U32, name),
static const Field field_rows[] = {
    FIELD_ARRAY(E1000State, U64, due_ns),
    FIELD(E1000State, U64, quiet_until_ns),
#include "e1000_registers.def"
    FIELD(E1000State, U32, io_address),
    FIELD_STRUCTS(E1000State, context, &context_fields),
    FIELD_ONE_STRUCT(E1000State, eeprom, &eeprom_fields),
    FIELD_ARRAY(E1000State, U16, phy),
    FIELD(E1000State, U8, link_down),
    FIELD(E1000State, U8, pin),
    FIELD_PADDING(E1000State, padding),
    FIELD_END,
};
#undef E1000_REGISTER
#undef E1000_REGISTERS

const FieldTable e1000_fields = {"e1000", 1, sizeof(E1000State), field_rows};

/* The rows stand in the order of their offsets. */
static const Register *find_register(uint32_t offset) {
    size_t low = 0, high = REGISTERS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (registers[middle].offset + registers[middle].count * 4 <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < REGISTERS && registers[low].offset <= offset ? &registers[low] : NULL;
}

static uint32_t *register_place(E1000 *card, const Register *reg, uint32_t offset) {
    uint8_t *first = (uint8_t *)&card->state + reg->place;
    return (uint32_t *)(void *)first + (offset - reg->offset) / 4;
}

void e1000_registers_reset(E1000 *card) {
    for (size_t i = 0; i < REGISTERS; i++)
        for (uint32_t j = 0; j < registers[i].count; j++)
            *register_place(card, &registers[i], registers[i].offset + 4 * j) = registers[i].reset;
}

/* Registers are read whole; a part of one is what a bus shows of it. */
uint32_t e1000_register_read(void *opaque, uint32_t offset, unsigned size) {
    E1000 *card = opaque;
    const Register *reg = find_register(offset & ~3u);
    if (card->working)
        return UINT32_MAX >> (32 - 8 * size);
    if (reg == NULL) {
        TRACE(card->context.trace, TRACE_UNIMP, "e1000: register %05X is read\n", offset);
        return 0;
    }
    uint32_t value = reg->read(card, register_place(card, reg, offset & ~3u));
    return value >> (offset & 3) * 8 & UINT32_MAX >> (32 - 8 * size);
}

/* Only whole registers are written (13.1). */
void e1000_register_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    E1000 *card = opaque;
    const Register *reg = find_register(offset & ~3u);
    if (card->working || size != 4)
        return;
    if (reg == NULL) {
        TRACE(card->context.trace, TRACE_UNIMP, "e1000: register %05X is written\n", offset);
        return;
    }
    uint32_t *place = register_place(card, reg, offset);
    bool keeps = reg->write == write_plain || reg->write == write_ra;
    reg->write(card, place, (value & reg->writable) | (keeps ? *place & ~reg->writable : 0));
}

/* IOADDR and IODATA. */
uint32_t e1000_window_read(void *opaque, uint32_t offset, unsigned size) {
    E1000 *card = opaque;
    if (offset == 0 && size == 4)
        return card->state.io_address;
    return offset >= 4 && offset < 8
               ? e1000_register_read(card, card->state.io_address + offset - 4, size)
               : 0;
}

void e1000_window_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    E1000 *card = opaque;
    if (offset == 0 && size == 4)
        card->state.io_address = value & (E1000_MEMORY_BYTES - 4);
    else if (offset == 4 && size == 4)
        e1000_register_write(card, card->state.io_address, size, value);
}

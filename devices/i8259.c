#include "i8259.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum { MASTER, SLAVE, CHIPS };
enum { CASCADE_LINE = 2, NO_REQUEST = -1, SPURIOUS_LINE = 7 };

/* ICW1, OCW2 and OCW3 share an address; bits 4 and 3 tell them apart (data sheet figures 7 and 8).
 */
enum {
    ICW1_SELECT = 0x10,
    ICW1_NEEDS_ICW4 = 0x01,
    ICW1_SINGLE = 0x02,
    ICW4_AUTO_EOI = 0x02,
    ICW4_SPECIAL_FULLY_NESTED = 0x10,
    OCW3_SELECT = 0x08,
    OCW3_POLL = 0x04,
    OCW3_READ_COMMAND = 0x02,
    OCW3_READ_ISR = 0x01,
    OCW3_SET_SPECIAL_MASK = 0x40,
    OCW3_SPECIAL_MASK = 0x20,
};

/* Which command word the odd address takes next. */
enum { EXPECT_OCW1, EXPECT_ICW2, EXPECT_ICW3, EXPECT_ICW4 };

typedef struct PicChip {
    uint8_t lines; /* levels of the eight pins */
    uint8_t irr, isr, imr;
    uint8_t elcr; /* 1: level-triggered */
    uint8_t lowest_priority;
    uint8_t vector_base;
    uint8_t expected;   /* EXPECT_* */
    uint8_t needs_icw4; /* told by ICW1 */
    uint8_t single;
    uint8_t icw3;
    uint8_t auto_eoi;
    uint8_t rotate_on_auto_eoi;
    uint8_t special_fully_nested;
    uint8_t special_mask;
    uint8_t read_isr; /* else IRR */
    uint8_t poll;     /* the next read is an acknowledge */
} PicChip;

static const Field pic_chip_state_fields[] = {
    FIELD(PicChip, U8, lines),
    FIELD(PicChip, U8, irr),
    FIELD(PicChip, U8, isr),
    FIELD(PicChip, U8, imr),
    FIELD(PicChip, U8, elcr),
    FIELD(PicChip, U8, lowest_priority),
    FIELD(PicChip, U8, vector_base),
    FIELD(PicChip, U8, expected),
    FIELD(PicChip, U8, needs_icw4),
    FIELD(PicChip, U8, single),
    FIELD(PicChip, U8, icw3),
    FIELD(PicChip, U8, auto_eoi),
    FIELD(PicChip, U8, rotate_on_auto_eoi),
    FIELD(PicChip, U8, special_fully_nested),
    FIELD(PicChip, U8, special_mask),
    FIELD(PicChip, U8, read_isr),
    FIELD(PicChip, U8, poll),
    FIELD_END,
};

static const FieldTable pic_chip_fields = {"i8259-chip", 1, sizeof(PicChip), pic_chip_state_fields};

typedef struct I8259State {
    PicChip chips[CHIPS];
} I8259State;

static const Field i8259_state_fields[] = {
    FIELD_STRUCTS(I8259State, chips, &pic_chip_fields),
    FIELD_END,
};

static const FieldTable i8259_fields = {"i8259", 1, sizeof(I8259State), i8259_state_fields};

/* Which requests may be level-triggered: the system timer, keyboard, cascade, clock and FPU may not
 * (PIIX3 2.5.7). */
static const uint8_t elcr_writable[CHIPS] = {0xF8, 0xDE};

struct I8259 {
    I8259State state;
    Wire intr;
    uint64_t interrupt_count[16];
};

/* --- priorities --------------------------------------------------------------------------------
 */

/* How far below the highest priority a line stands: 0 to 7. */
static unsigned line_rank(const PicChip *chip, unsigned line) {
    return (line - chip->lowest_priority - 1u) & 7;
}

/* The line of highest priority in a set; NO_REQUEST for an empty one. */
static int highest_line(const PicChip *chip, uint8_t set) {
    for (unsigned rank = 0; rank < 8; rank++) {
        unsigned line = (chip->lowest_priority + 1u + rank) & 7;
        if (set & (1u << line))
            return (int)line;
    }
    return NO_REQUEST;
}

/* The line that the chip would ask the processor for now. A line in service shuts out itself and
 * all below it, unless special mask mode has it masked or it is the slave's under special fully
 * nested mode. */
static int chip_request(const PicChip *chip) {
    int line = highest_line(chip, chip->irr & (uint8_t)~chip->imr);
    if (line == NO_REQUEST)
        return NO_REQUEST;
    uint8_t in_service = chip->isr;
    if (chip->special_mask)
        in_service &= (uint8_t)~chip->imr;
    if (chip->special_fully_nested && line == CASCADE_LINE)
        in_service &= (uint8_t) ~(1u << CASCADE_LINE);
    int serving = highest_line(chip, in_service);
    if (serving != NO_REQUEST &&
        line_rank(chip, (unsigned)serving) <= line_rank(chip, (unsigned)line))
        return NO_REQUEST;
    return line;
}

static void chip_set_line(PicChip *chip, unsigned line, int level) {
    uint8_t bit = (uint8_t)(1u << line);
    bool rises = level && !(chip->lines & bit);
    if (level)
        chip->lines |= bit;
    else
        chip->lines &= (uint8_t)~bit;
    if (chip->elcr & bit)
        chip->irr = (chip->irr & (uint8_t)~bit) | (chip->lines & bit);
    else if (rises)
        chip->irr |= bit;
    else if (!level)
        chip->irr &= (uint8_t)~bit; /* "the IR input must remain high until the first INTA", data
                                       sheet p. 16 */
}

/* Brings the outputs up to date: the slave's INT is the master's pin 2. */
static void pic_update(I8259 *pic) {
    PicChip *master = &pic->state.chips[MASTER];
    const PicChip *slave = &pic->state.chips[SLAVE];
    chip_set_line(master, CASCADE_LINE, chip_request(slave) != NO_REQUEST);
    wire_set(&pic->intr, chip_request(master) != NO_REQUEST);
}

/* --- service -----------------------------------------------------------------------------------
 */

static void chip_end(PicChip *chip, int line, bool rotate) {
    if (line == NO_REQUEST)
        return;
    chip->isr &= (uint8_t) ~(1u << line);
    if (rotate)
        chip->lowest_priority = (uint8_t)line;
}

/* The line that a non-specific EOI ends: "an IS bit that is masked by an IMR bit will not be
 * cleared by a non-specific EOI if the 8259A is in the special mask mode". */
static int chip_nonspecific_line(const PicChip *chip) {
    uint8_t in_service = chip->isr;
    if (chip->special_mask)
        in_service &= (uint8_t)~chip->imr;
    return highest_line(chip, in_service);
}

static void chip_serve(PicChip *chip, unsigned line) {
    uint8_t bit = (uint8_t)(1u << line);
    if (!(chip->elcr & bit))
        chip->irr &= (uint8_t)~bit;
    chip->isr |= bit;
    if (chip->auto_eoi)
        chip_end(chip, (int)line, chip->rotate_on_auto_eoi);
}

/* Acknowledges one chip; the line, or the spurious one. INT falls in between, so that a request
 * that waits behind this one is a new edge for the master. */
static unsigned pic_acknowledge_chip(I8259 *pic, int index) {
    PicChip *chip = &pic->state.chips[index];
    int line = chip_request(chip);
    if (line != NO_REQUEST) {
        chip_serve(chip, (unsigned)line);
        pic->interrupt_count[index * 8 + line]++;
    }
    if (index == SLAVE)
        chip_set_line(&pic->state.chips[MASTER], CASCADE_LINE, 0);
    return line == NO_REQUEST ? SPURIOUS_LINE : (unsigned)line;
}

uint8_t i8259_acknowledge(void *opaque) {
    I8259 *pic = opaque;
    const PicChip *chips = pic->state.chips;
    bool slave_asks = chip_request(&chips[MASTER]) == CASCADE_LINE;
    unsigned line = pic_acknowledge_chip(pic, MASTER);
    uint8_t vector = (uint8_t)(chips[MASTER].vector_base | line);
    if (slave_asks)
        vector = (uint8_t)(chips[SLAVE].vector_base | pic_acknowledge_chip(pic, SLAVE));
    pic_update(pic);
    return vector;
}

void i8259_set_irq(void *opaque, int line, int level) {
    I8259 *pic = opaque;
    if (line < 0 || line > 15 || line == CASCADE_LINE)
        return;
    chip_set_line(&pic->state.chips[line >> 3], (unsigned)line & 7, level);
    pic_update(pic);
}

/* --- registers ---------------------------------------------------------------------------------
 */

/* Data sheet p. 11: what ICW1 sets back. Lines that are high already need a new edge. */
static void chip_write_icw1(PicChip *chip, uint8_t value) {
    chip->irr = chip->lines & chip->elcr;
    chip->imr = 0;
    chip->isr = 0;
    chip->lowest_priority = 7;
    chip->special_mask = 0;
    chip->read_isr = 0;
    chip->poll = 0;
    chip->auto_eoi = 0;
    chip->rotate_on_auto_eoi = 0;
    chip->special_fully_nested = 0;
    chip->needs_icw4 = value & ICW1_NEEDS_ICW4;
    chip->single = (value & ICW1_SINGLE) != 0;
    chip->expected = EXPECT_ICW2;
}

/* OCW2: bits 7 rotate, 6 specific, 5 end of interrupt; bits 2-0 the line. */
static void chip_write_ocw2(PicChip *chip, uint8_t value) {
    int line = value & 7;
    switch (value >> 5) {
    case 0: /* rotate in auto EOI mode: clear */
        chip->rotate_on_auto_eoi = 0;
        break;
    case 4: /* rotate in auto EOI mode: set */
        chip->rotate_on_auto_eoi = 1;
        break;
    case 1: /* non-specific EOI */
    case 5: /* rotate on non-specific EOI */
        chip_end(chip, chip_nonspecific_line(chip), (value & 0x80) != 0);
        break;
    case 3: /* specific EOI */
    case 7: /* rotate on specific EOI */
        chip_end(chip, line, (value & 0x80) != 0);
        break;
    case 6: /* set priority */
        chip->lowest_priority = (uint8_t)line;
        break;
    default: /* no operation */
        break;
    }
}

static void chip_write_ocw3(PicChip *chip, uint8_t value) {
    if (value & OCW3_SET_SPECIAL_MASK)
        chip->special_mask = (value & OCW3_SPECIAL_MASK) != 0;
    if (value & OCW3_POLL)
        chip->poll = 1;
    else if (value & OCW3_READ_COMMAND)
        chip->read_isr = (value & OCW3_READ_ISR) != 0;
}

/* ICW3 is kept but wires nothing: on this board the slave is on pin 2, whatever is said. */
static void chip_write_odd(PicChip *chip, uint8_t value) {
    switch (chip->expected) {
    case EXPECT_ICW2:
        chip->vector_base = value & 0xF8;
        if (!chip->single)
            chip->expected = EXPECT_ICW3;
        else
            chip->expected = chip->needs_icw4 ? EXPECT_ICW4 : EXPECT_OCW1;
        break;
    case EXPECT_ICW3:
        chip->icw3 = value;
        chip->expected = chip->needs_icw4 ? EXPECT_ICW4 : EXPECT_OCW1;
        break;
    case EXPECT_ICW4:
        chip->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
        chip->special_fully_nested = (value & ICW4_SPECIAL_FULLY_NESTED) != 0;
        chip->expected = EXPECT_OCW1;
        break;
    default:
        chip->imr = value;
        break;
    }
}

static void pic_write(I8259 *pic, int index, uint32_t offset, uint8_t value) {
    PicChip *chip = &pic->state.chips[index];
    if (offset == 1)
        chip_write_odd(chip, value);
    else if (value & ICW1_SELECT)
        chip_write_icw1(chip, value);
    else if (value & OCW3_SELECT)
        chip_write_ocw3(chip, value);
    else
        chip_write_ocw2(chip, value);
    pic_update(pic);
}

static uint8_t pic_read(I8259 *pic, int index, uint32_t offset) {
    PicChip *chip = &pic->state.chips[index];
    if (chip->poll) {
        uint8_t request = chip_request(chip) != NO_REQUEST ? 0x80 : 0;
        uint8_t line = (uint8_t)pic_acknowledge_chip(pic, index);
        chip->poll = 0;
        pic_update(pic);
        return request | line;
    }
    if (offset == 1)
        return chip->imr;
    return chip->read_isr ? chip->isr : chip->irr;
}

static uint32_t master_read(void *pic, uint32_t offset, unsigned size) {
    (void)size;
    return pic_read(pic, MASTER, offset);
}

static void master_write(void *pic, uint32_t offset, unsigned size, uint32_t value) {
    (void)size;
    pic_write(pic, MASTER, offset, (uint8_t)value);
}

static uint32_t slave_read(void *pic, uint32_t offset, unsigned size) {
    (void)size;
    return pic_read(pic, SLAVE, offset);
}

static void slave_write(void *pic, uint32_t offset, unsigned size, uint32_t value) {
    (void)size;
    pic_write(pic, SLAVE, offset, (uint8_t)value);
}

static uint32_t elcr_read(void *opaque, uint32_t offset, unsigned size) {
    I8259 *pic = opaque;
    (void)size;
    return pic->state.chips[offset].elcr;
}

static void elcr_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    I8259 *pic = opaque;
    PicChip *chip = &pic->state.chips[offset];
    (void)size;
    chip->elcr = (uint8_t)value & elcr_writable[offset];
    chip->irr = (chip->irr & (uint8_t)~chip->elcr) | (chip->lines & chip->elcr);
    pic_update(pic);
}

/* --- the device --------------------------------------------------------------------------------
 */

uint64_t i8259_interrupt_count(const I8259 *pic, unsigned line) {
    return pic->interrupt_count[line & 15];
}

void i8259_view(const I8259 *pic, int index, I8259View *view) {
    const PicChip *chip = &pic->state.chips[index];
    *view = (I8259View){
        .irr = chip->irr,
        .isr = chip->isr,
        .imr = chip->imr,
        .vector_base = chip->vector_base,
        .elcr = chip->elcr,
        .lowest_priority = chip->lowest_priority,
        .special_mask = chip->special_mask,
        .auto_eoi = chip->auto_eoi,
        .special_fully_nested = chip->special_fully_nested,
    };
}

/* The levels of the pins belong to whoever drives them and stay. */
static void i8259_reset(void *opaque) {
    I8259 *pic = opaque;
    for (int index = 0; index < CHIPS; index++) {
        PicChip *chip = &pic->state.chips[index];
        uint8_t lines = chip->lines;
        memset(chip, 0, sizeof *chip);
        chip->lines = lines;
        chip->lowest_priority = 7;
    }
    pic_update(pic);
}

static const DeviceClass i8259_class = {"isa-i8259", &i8259_fields, i8259_reset, NULL};

I8259 *i8259_create(const DeviceContext *context, const Wire *intr, Error *error) {
    I8259 *pic = allocate_zeroed(sizeof *pic);
    pic->intr = *intr;
    const PortRange ranges[] = {
        {"pic-master", 0x20, 2, PORT_8, master_read, master_write, pic},
        {"pic-slave", 0xA0, 2, PORT_8, slave_read, slave_write, pic},
        {"pic-elcr", 0x4D0, 2, PORT_8, elcr_read, elcr_write, pic},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (!port_map_add(context->ports, &ranges[i], error)) {
            free(pic);
            return NULL;
        }
    device_list_add(context->devices, &i8259_class, "pic", pic, &pic->state);
    i8259_reset(pic);
    return pic;
}

void i8259_destroy(I8259 *pic) {
    free(pic);
}

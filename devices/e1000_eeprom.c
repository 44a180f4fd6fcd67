/* The card's EEPROM, a 93C46 of 64 words: by the four wires of EECD (13.4.3; Microwire), and by
 * EERD. What stands in it: chapter 5. */
#include "big_endian.h"
#include "e1000_internal.h"
#include "little_endian.h"

enum {
    PIN_CLOCK = 1 << 0,
    PIN_SELECT = 1 << 1,
    PIN_IN = 1 << 2,
    PIN_OUT = 1 << 3,
    REQUEST = 1 << 6,
    GRANT = 1 << 7,
    PRESENT = 1 << 8,
};

/* Words (table 5-1). */
enum {
    WORD_MAC = 0x00,
    WORD_COMPATIBILITY = 0x03,
    WORD_ASSEMBLY = 0x08, /* two */
    WORD_CONTROL_1 = 0x0A,
    WORD_SUBSYSTEM = 0x0B,
    WORD_SUBSYSTEM_VENDOR = 0x0C,
    WORD_DEVICE = 0x0D,
    WORD_VENDOR = 0x0E,
    WORD_CONTROL_2 = 0x0F,
    WORD_CHECKSUM = 0x3F,
};
#define CHECKSUM 0xBABA /* of all words */

/* Instructions: a one, two bits, and an address. */
enum { START_BITS = 1, OPERATION_BITS = 2, ADDRESS_BITS = 6, WORD_BITS = 16 };
enum { OPERATION_OTHER = 0, OPERATION_WRITE = 1, OPERATION_READ = 2, OPERATION_ERASE = 3 };
enum { PHASE_COMMAND, PHASE_READ, PHASE_WRITE, PHASE_DONE };
#define COMMAND_BITS (START_BITS + OPERATION_BITS + ADDRESS_BITS)

void e1000_eeprom_fill(E1000Eeprom *eeprom, const uint8_t *mac) {
    uint16_t sum = 0;
    for (unsigned i = 0; i < E1000_EEPROM_WORDS; i++)
        eeprom->words[i] = 0xFFFF;
    for (unsigned i = 0; i < E1000_MAC_BYTES / 2; i++)
        eeprom->words[WORD_MAC + i] = load_le16(mac + 2 * i);
    eeprom->words[WORD_COMPATIBILITY] = 0x0420;
    eeprom->words[WORD_CONTROL_1] = 0x640B; /* takes numbers of vendor and subsystem from here */
    eeprom->words[WORD_SUBSYSTEM] = 0x1100;
    eeprom->words[WORD_SUBSYSTEM_VENDOR] = 0x1AF4;
    eeprom->words[WORD_DEVICE] = 0x100E;
    eeprom->words[WORD_VENDOR] = 0x8086;
    eeprom->words[WORD_CONTROL_2] = 0x3040;
    for (unsigned i = 0; i < WORD_CHECKSUM; i++)
        sum = (uint16_t)(sum + eeprom->words[i]);
    eeprom->words[WORD_CHECKSUM] = (uint16_t)(CHECKSUM - sum);
}

uint16_t e1000_eeprom_word(const E1000 *card, uint32_t address) {
    return card->state.eeprom.words[address % E1000_EEPROM_WORDS];
}

/* The upper two address bits say what the other instructions are: 11 lets words be written, 00
 * forbids it; erasing or writing all of them is what no driver does. */
static void take_command(E1000Eeprom *eeprom) {
    eeprom->address = eeprom->shifted & (E1000_EEPROM_WORDS - 1);
    eeprom->phase = PHASE_DONE;
    switch (eeprom->shifted >> ADDRESS_BITS & 3) {
    case OPERATION_READ:
        eeprom->output = eeprom->words[eeprom->address];
        eeprom->out_count = 0;
        eeprom->phase = PHASE_READ;
        break;
    case OPERATION_WRITE:
        eeprom->phase = PHASE_WRITE;
        break;
    case OPERATION_ERASE:
        if (eeprom->may_write)
            eeprom->words[eeprom->address] = 0xFFFF;
        break;
    default:
        if (eeprom->address >> 4 == 3)
            eeprom->may_write = 1;
        else if (eeprom->address >> 4 == 0)
            eeprom->may_write = 0;
    }
}

static void shift_in(E1000Eeprom *eeprom, unsigned bit) {
    if (eeprom->phase == PHASE_COMMAND && eeprom->in_count == 0 && bit == 0)
        return; /* no start yet */
    eeprom->shifted = eeprom->shifted << 1 | bit;
    eeprom->in_count++;
    if (eeprom->phase == PHASE_COMMAND && eeprom->in_count == COMMAND_BITS) {
        take_command(eeprom);
        eeprom->shifted = eeprom->in_count = 0;
    } else if (eeprom->phase == PHASE_WRITE && eeprom->in_count == WORD_BITS) {
        if (eeprom->may_write)
            eeprom->words[eeprom->address] = (uint16_t)eeprom->shifted;
        eeprom->phase = PHASE_DONE;
    } else if (eeprom->phase == PHASE_DONE) {
        eeprom->in_count = 0;
    }
}

/* One bit a clock, behind a 0 that stood there since the address; then the next word. */
static void shift_out(E1000Eeprom *eeprom) {
    if (eeprom->out_count == WORD_BITS) {
        eeprom->address = (eeprom->address + 1) % E1000_EEPROM_WORDS;
        eeprom->output = eeprom->words[eeprom->address];
        eeprom->out_count = 0;
    } else if (eeprom->out_count > 0) {
        eeprom->output = (uint16_t)(eeprom->output << 1);
    }
    eeprom->out_count++;
}

void e1000_eeprom_write_pins(E1000 *card, uint32_t value) {
    E1000Eeprom *eeprom = &card->state.eeprom;
    uint8_t before = eeprom->pins;
    eeprom->pins = value & (PIN_CLOCK | PIN_SELECT | PIN_IN);
    if (!(before & PIN_SELECT) || !(value & PIN_SELECT)) {
        eeprom->phase = PHASE_COMMAND;
        eeprom->shifted = eeprom->in_count = eeprom->out_count = 0;
    }
    if (!(value & PIN_SELECT) || !(value & PIN_CLOCK) || (before & PIN_CLOCK))
        return;
    if (eeprom->phase == PHASE_READ)
        shift_out(eeprom);
    else
        shift_in(eeprom, (value & PIN_IN) != 0);
}

/* The output tells that a write is done where nothing is read. */
uint32_t e1000_eeprom_read_pins(const E1000 *card) {
    const E1000Eeprom *eeprom = &card->state.eeprom;
    uint32_t value = card->state.eecd | PRESENT | (card->state.eecd & REQUEST ? GRANT : 0);
    bool out = eeprom->phase != PHASE_READ ||
               (eeprom->out_count > 0 && (eeprom->output & 1 << (WORD_BITS - 1)));
    return out ? value | PIN_OUT : value & ~(uint32_t)PIN_OUT;
}

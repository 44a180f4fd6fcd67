/* The card's serial EEPROM, a 93C46 (Microchip's data sheet: a start bit, two bits of operation,
 * six of address, then 16 of data). It can be read; other operations are taken and do nothing. */
#include "rtl8139_internal.h"

enum { PIN_OUT = 0x01, PIN_IN = 0x02, PIN_CLOCK = 0x04, PIN_SELECT = 0x08 };
enum { PHASE_START, PHASE_COMMAND, PHASE_READ, PHASE_IGNORE };
enum { COMMAND_BITS = 8, OPERATION_READ = 2, WORD_BITS = 16 };

void rtl8139_eeprom_fill(uint16_t *words, const uint8_t *address) {
    words[0] = 0x8129; /* the mark of a programmed one, then vendor, device and address */
    words[1] = 0x10EC;
    words[2] = 0x8139;
    for (unsigned i = 0; i < 3; i++)
        words[7 + i] = (uint16_t)(address[2 * i] | address[2 * i + 1] << 8);
}

static void take_bit(Rtl8139Eeprom *eeprom, const uint16_t *words, bool bit) {
    switch (eeprom->phase) {
    case PHASE_START:
        if (bit)
            eeprom->phase = PHASE_COMMAND;
        eeprom->shift = eeprom->bits = 0;
        break;
    case PHASE_COMMAND:
        eeprom->shift = (uint16_t)(eeprom->shift << 1 | bit);
        if (++eeprom->bits < COMMAND_BITS)
            break;
        eeprom->phase = eeprom->shift >> 6 == OPERATION_READ ? PHASE_READ : PHASE_IGNORE;
        eeprom->shift = words[eeprom->shift & 0x3F];
        eeprom->bits = 0;
        eeprom->output = 0; /* a zero before the data */
        break;
    case PHASE_READ:
        eeprom->output = eeprom->bits < WORD_BITS ? eeprom->shift >> 15 : 0;
        eeprom->shift = (uint16_t)(eeprom->shift << 1);
        eeprom->bits += eeprom->bits < WORD_BITS;
        break;
    default:
        break;
    }
}

void rtl8139_eeprom_set_pins(Rtl8139Eeprom *eeprom, const uint16_t *words, uint8_t pins) {
    bool rises = (pins & PIN_CLOCK) && !(eeprom->pins & PIN_CLOCK);
    if (!(pins & PIN_SELECT)) {
        eeprom->phase = PHASE_START;
        eeprom->output = 1; /* ready */
    } else if (rises && (eeprom->pins & PIN_SELECT)) {
        take_bit(eeprom, words, pins & PIN_IN);
    }
    eeprom->pins = (uint8_t)((pins & ~PIN_OUT) & 0x0F);
}

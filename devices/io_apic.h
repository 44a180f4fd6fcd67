/* The I/O APIC of the board: 24 pins, each with an entry of the redirection table that says which
 * message its interrupt becomes. (Intel 82093AA data sheet 290566.) */
#ifndef REPRISE_IO_APIC_H
#define REPRISE_IO_APIC_H

#include "apic_message.h"
#include "device_context.h"

typedef struct IoApic IoApic;

enum { IO_APIC_PINS = 24 };

/* Its registers are at FEC00000h. 'bus' leads to the local APICs. */
IoApic *io_apic_create(const DeviceContext *context, const ApicBus *bus, Error *error);
void io_apic_destroy(IoApic *apic);

/* Pin 0 to 23; level 1: asserted, whatever the polarity bit says. */
void io_apic_set_pin(void *apic, int pin, int level);

/* A local APIC ended a level-triggered interrupt with this vector. */
void io_apic_end_of_interrupt(void *apic, uint8_t vector);

/* Registers as software sees them through the window, for the monitor and tests. */
uint32_t io_apic_register(const IoApic *apic, unsigned index);
/* An entry of the redirection table; the levels of the pins, a bit each; the selected register. */
uint64_t io_apic_entry(const IoApic *apic, unsigned pin);
uint32_t io_apic_levels(const IoApic *apic);
uint8_t io_apic_selected(const IoApic *apic);

/* Messages that the pin became and somebody took, since the chip was made: for 'info irq', no
 * state.
 */
uint64_t io_apic_message_count(const IoApic *apic, unsigned pin);

/* Redirection table entries, data sheet 3.2.4. */
enum {
    IO_APIC_VECTOR = 0xFF,
    IO_APIC_LOGICAL = 1 << 11,
    IO_APIC_ACTIVE_LOW = 1 << 13,
    IO_APIC_REMOTE_IRR = 1 << 14,
    IO_APIC_LEVEL = 1 << 15,
    IO_APIC_MASKED = 1 << 16,
};

#endif

/* The two cascaded 8259A interrupt controllers of a PC, with the edge/level registers of the PIIX.
 * (Intel 8259A data sheet 231468; 82371FB/SB data sheet 2.5.7 for ELCR.) */
#ifndef REPRISE_I8259_H
#define REPRISE_I8259_H

#include "device_context.h"

typedef struct I8259 I8259;

/* 'intr' is the master's INT output. Claims ports 20h, 21h, A0h, A1h, 4D0h, 4D1h. */
I8259 *i8259_create(const DeviceContext *context, const Wire *intr, Error *error);
void i8259_destroy(I8259 *pic);

/* Interrupt request pin 0 to 15. Pin 2 is where the slave is and is ignored. */
void i8259_set_irq(void *pic, int line, int level);

/* The interrupt acknowledge cycle: returns the vector and puts the request into service. When no
 * request is left, that is the spurious interrupt 7 of the chip that was asked. */
uint8_t i8259_acknowledge(void *pic);

/* Requests that were acknowledged, since the chips were made: for 'info irq', no state. */
uint64_t i8259_interrupt_count(const I8259 *pic, unsigned line);

/* For 'info pic': registers of the master (chip 0) or slave (chip 1). */
typedef struct I8259View {
    uint8_t irr, isr, imr, vector_base, elcr, lowest_priority;
    bool special_mask, auto_eoi, special_fully_nested;
} I8259View;
void i8259_view(const I8259 *pic, int chip, I8259View *view);

#endif

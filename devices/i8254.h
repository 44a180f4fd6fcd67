/* The 8254 programmable interval timer, exact in virtual time. (Intel 8254 data sheet 231164.)
 *
 * Counter values and outputs are computed from the clock when somebody looks; only counter 0, whose
 * OUT drives an interrupt request, has events. */
#ifndef REPRISE_I8254_H
#define REPRISE_I8254_H

#include "device_context.h"

/* CLK of all three counters: a third of the 3.579545 MHz colour clock. */
#define I8254_HZ 1193182

typedef struct I8254 I8254;

/* 'out0' is OUT of counter 0. Claims ports 40h to 43h. The gates of counters 0 and 1 are tied high.
 */
I8254 *i8254_create(const DeviceContext *context, const Wire *out0, Error *error);
void i8254_destroy(I8254 *pit);

/* Drives GATE of counter 2. */
void i8254_set_gate2(I8254 *pit, int level);

/* OUT of a counter now. */
bool i8254_out(I8254 *pit, unsigned counter);

/* The tone that a counter makes: its period in CLK cycles while it runs in mode 2 or 3, else 0. */
uint32_t i8254_period(I8254 *pit, unsigned counter);

#endif

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

/* How OUT of counter 2 moves, for whoever makes it heard: 'told' is called for each change, with
 * the exact time and the level from 0 to I8254_LEVEL_FULL; a square wave that is above hearing is
 * one level, its mean. The low pulses of modes 2, 4 and 5 are left out. Nothing of this is State.
 */
enum { I8254_LEVEL_FULL = 2, I8254_AUDIBLE_COUNT = 54 };
typedef struct I8254Listener {
    void (*told)(void *opaque, double time_ns, int level);
    void *opaque;
} I8254Listener;

/* From now on (or no more, by NULL); the present level is told at once. */
void i8254_listen(I8254 *pit, const I8254Listener *listener);
/* Changes up to now are told. Others are before the counter is programmed anew. */
void i8254_tell(I8254 *pit);
/* The counter that is listened to makes a tone, and goes on by itself. */
bool i8254_is_tone(const I8254 *pit);

#endif

/* The MC146818 real-time clock with 128 bytes of battery-backed RAM, at ports 70h and 71h.
 * (Motorola MC146818A data sheet.)
 *
 * The time runs by the virtual clock. The daylight savings option is kept as a bit and does
 * nothing. */
#ifndef REPRISE_MC146818_H
#define REPRISE_MC146818_H

#include "device_context.h"

enum {
    CMOS_BYTES = 128,
    CMOS_CENTURY = 0x32,
};

typedef struct Mc146818 Mc146818;

/* 'irq8' is the (inverted) IRQ output. */
Mc146818 *mc146818_create(const DeviceContext *context, const Wire *irq8, Error *error);
void mc146818_destroy(Mc146818 *rtc);

/* Sets date and time, in the format that register B asks for: seconds since 1970 in the zone that
 * the guest is to see. */
void mc146818_set_time(Mc146818 *rtc, int64_t seconds);
/* The date and time that the guest sees now, in the same form. */
int64_t mc146818_time(Mc146818 *rtc);

/* So much time has passed that the virtual clock does not know of. */
void mc146818_pass_time(Mc146818 *rtc, int64_t ns);

/* So far the present second has come, in nanoseconds: nobody turns a computer on at a second's
 * beginning. After mc146818_set_time(), before the machine runs. */
void mc146818_set_phase(Mc146818 *rtc, int64_t nanoseconds);

/* The bytes behind the clock's registers (0Eh and up), for whoever presets what a BIOS expects
 * there. */
void mc146818_set_cmos(Mc146818 *rtc, unsigned index, uint8_t value);
uint8_t mc146818_cmos(const Mc146818 *rtc, unsigned index);

#endif

/* Guests that mean no good: random code, tables, registers and page tables, made from a seed. */
#ifndef REPRISE_HOSTILE_GUEST_FIXTURE_H
#define REPRISE_HOSTILE_GUEST_FIXTURE_H

#include "machine_parts.h"

typedef enum HostileSetting {
    HOSTILE_REAL,
    HOSTILE_PROTECTED_16,
    HOSTILE_PROTECTED_32,
    HOSTILE_PAGED,
    HOSTILE_PAE,
    HOSTILE_V8086,
    HOSTILE_USER,
    HOSTILE_SETTINGS,
} HostileSetting;

extern const char *const hostile_setting_names[HOSTILE_SETTINGS];

enum { HOSTILE_RAM_BYTES = 4 << 20 };

/* Fills low memory and the processor's registers with what the seed gives for this setting. The
 * machine is as after reset. */
void hostile_guest_make(Machine *machine, HostileSetting setting, uint64_t seed);

#endif

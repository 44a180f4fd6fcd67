/* Devices of QEMU that this version does not have under their names: other names of those it has,
 * and those that a guest can do with another, or without. */
#ifndef REPRISE_DEVICE_SUBSTITUTES_H
#define REPRISE_DEVICE_SUBSTITUTES_H

#include <stdbool.h>

typedef struct DeviceSubstitute {
    const char *name;
    const char *instead; /* NULL: it is left out */
    const char *note;    /* why, for a warning; NULL: it is the same */
} DeviceSubstitute;

/* NULL: nothing is known of a device of that name. */
const DeviceSubstitute *device_substitute_find(const char *name);

#endif

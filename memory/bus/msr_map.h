/* Model-specific registers that belong to a chip beside the processor, the local APIC: claimed as
 * ports are. One map a processor. */
#ifndef REPRISE_MSR_MAP_H
#define REPRISE_MSR_MAP_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MsrRange {
    const char *name;
    uint32_t first, count;
    /* 'index' from first. False: the access is #GP(0). Neither may be NULL. */
    bool (*read)(void *opaque, uint32_t index, uint64_t *value);
    bool (*write)(void *opaque, uint32_t index, uint64_t value);
    void *opaque;
} MsrRange;

enum { MSR_RANGES_MAXIMUM = 4 };

typedef struct MsrMap {
    MsrRange ranges[MSR_RANGES_MAXIMUM];
    size_t count;
} MsrMap;

/* Plugs a range in (the struct is copied). Overlap with another range is an error that names both.
 */
bool msr_map_add(MsrMap *map, const MsrRange *range, Error *error);

/* The range that holds this register, or NULL. */
const MsrRange *msr_map_find(const MsrMap *map, uint32_t number);

/* What the register holds; false if nobody claims it or it cannot be read. */
bool msr_map_read(const MsrMap *map, uint32_t number, uint64_t *value);

#endif

/* The 64K I/O ports: who answers where. A device is given offsets from where it is plugged in,
 * never port numbers. */
#ifndef REPRISE_PORT_MAP_H
#define REPRISE_PORT_MAP_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct PortRange {
    const char *name;
    uint16_t first;
    uint32_t count;
    uint8_t widths; /* access sizes that the device takes itself: PORT_8 | PORT_16 | PORT_32; others
                       are split into smaller */
    /* 'size' is 1, 2 or 4 bytes; the upper bits of a value are zero. NULL read gives all ones; NULL
     * write is ignored. */
    uint32_t (*read)(void *opaque, uint32_t offset, unsigned size);
    void (*write)(void *opaque, uint32_t offset, unsigned size, uint32_t value);
    void *opaque;
} PortRange;

enum { PORT_8 = 1, PORT_16 = 2, PORT_32 = 4 };

typedef struct PortMap PortMap;

PortMap *port_map_create(void);
void port_map_destroy(PortMap *map);

/* Plugs a range in (the struct is copied). Overlap with another range is an error that names both.
 */
bool port_map_add(PortMap *map, const PortRange *range, Error *error);

/* Unplugs the range that was added with this first port and opaque; nothing happens if there is
 * none (PCI BARs move). */
void port_map_remove(PortMap *map, uint16_t first, void *opaque);

/* The range that holds this port, or NULL. */
const PortRange *port_map_find(const PortMap *map, uint16_t port);

/* Guest accesses. Ports that nobody answers read as all ones. An access that leaves a range, or
 * that the device does not take whole, is split into halves, low address first. */
uint32_t port_map_read(PortMap *map, uint16_t port, unsigned size);
void port_map_write(PortMap *map, uint16_t port, unsigned size, uint32_t value);

#endif

/* Accesses to memory that is a device's but has no effect on time or wires (MmioRange.timeless,
 * which is VGA memory), by a shorter way than through page walk and physical map. */
#ifndef REPRISE_TIMELESS_DEVICE_H
#define REPRISE_TIMELESS_DEVICE_H

#include "tlb.h"

typedef struct TimelessDevice {
    const MmioRange *range; /* NULL: none */
    uint32_t offset;        /* in the range */
} TimelessDevice;

/* The device that answers an access of 1, 2 or 4 bytes, aligned to its size, if the TLB knows that
 * it is allowed and nothing watches the page. Nothing is changed or walked. To be used before
 * anything else can change the map. */
TimelessDevice timeless_device_find(const Tlb *tlb, uint32_t linear, unsigned size, AccessKind kind,
                                    bool user);

static inline uint32_t timeless_device_read(const TimelessDevice *device, uint32_t distance,
                                            unsigned size) {
    return device->range->read(device->range->opaque, device->offset + distance, size);
}

static inline void timeless_device_write(const TimelessDevice *device, uint32_t distance,
                                         unsigned size, uint32_t value) {
    device->range->write(device->range->opaque, device->offset + distance, size, value);
}

#endif

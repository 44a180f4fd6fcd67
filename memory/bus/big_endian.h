/* Numbers of files that were defined on big-endian machines; at any address, on any host. */
#ifndef REPRISE_BIG_ENDIAN_H
#define REPRISE_BIG_ENDIAN_H

#include "byte_order.h"
#include <stdint.h>
#include <string.h>

static inline uint16_t load_be16(const void *from) {
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return ORDER_BIG_16(value);
}

static inline uint32_t load_be32(const void *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return ORDER_BIG_32(value);
}

static inline uint64_t load_be64(const void *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return ORDER_BIG_64(value);
}

static inline void store_be16(void *to, uint16_t value) {
    value = ORDER_BIG_16(value);
    memcpy(to, &value, sizeof value);
}

static inline void store_be32(void *to, uint32_t value) {
    value = ORDER_BIG_32(value);
    memcpy(to, &value, sizeof value);
}

static inline void store_be64(void *to, uint64_t value) {
    value = ORDER_BIG_64(value);
    memcpy(to, &value, sizeof value);
}

#endif

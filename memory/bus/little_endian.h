/* Guest data in host memory is little-endian and need not be aligned; these read and write it on
 * any host, as one instruction where the host is little-endian. */
#ifndef REPRISE_LITTLE_ENDIAN_H
#define REPRISE_LITTLE_ENDIAN_H

#include "byte_order.h"
#include <stdint.h>
#include <string.h>

static inline uint16_t load_le16(const void *from) {
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return ORDER_LITTLE_16(value);
}

static inline uint32_t load_le32(const void *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return ORDER_LITTLE_32(value);
}

static inline uint64_t load_le64(const void *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return ORDER_LITTLE_64(value);
}

static inline void store_le16(void *to, uint16_t value) {
    value = ORDER_LITTLE_16(value);
    memcpy(to, &value, sizeof value);
}

static inline void store_le32(void *to, uint32_t value) {
    value = ORDER_LITTLE_32(value);
    memcpy(to, &value, sizeof value);
}

static inline void store_le64(void *to, uint64_t value) {
    value = ORDER_LITTLE_64(value);
    memcpy(to, &value, sizeof value);
}

/* A value of 1 to 8 bytes. */
static inline uint64_t load_le(const void *from, unsigned size) {
    switch (size) {
    case 1:
        return *(const uint8_t *)from;
    case 2:
        return load_le16(from);
    case 4:
        return load_le32(from);
    case 8:
        return load_le64(from);
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)((const uint8_t *)from)[i] << 8 * i;
    return value;
}

static inline void store_le(void *to, unsigned size, uint64_t value) {
    switch (size) {
    case 1:
        *(uint8_t *)to = (uint8_t)value;
        return;
    case 2:
        store_le16(to, (uint16_t)value);
        return;
    case 4:
        store_le32(to, (uint32_t)value);
        return;
    case 8:
        store_le64(to, value);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        ((uint8_t *)to)[i] = (uint8_t)(value >> 8 * i);
}

#endif

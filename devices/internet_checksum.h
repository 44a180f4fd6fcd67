/* The ones' complement sum of the Internet protocols (RFC 1071), as network cards compute it for
 * drivers. Sums are of 16-bit words in network byte order. */
#ifndef REPRISE_INTERNET_CHECKSUM_H
#define REPRISE_INTERNET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* An odd last byte counts as the upper half of a word. */
uint16_t internet_sum(const void *data, size_t size);

static inline uint16_t internet_sum_add(uint16_t a, uint16_t b) {
    uint32_t sum = (uint32_t)a + b;
    return (uint16_t)(sum + (sum >> 16));
}

#endif

#include "internet_checksum.h"
#include "big_endian.h"
#include "byte_order.h"
#include <string.h>

/* The sum does not depend on how many bytes are added at a time nor, but for the order of the two
 * bytes of the result, on which of them comes first (RFC 1071, 2): the host's order is the
 * quickest.
 */
static uint64_t sum_words(const uint8_t *data, size_t size) {
    uint64_t sum = 0;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t word;
        memcpy(&word, data + i, sizeof(word));
        sum += word;
    }
    return sum;
}

uint16_t internet_sum(const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint64_t sum = sum_words(bytes, size);
    uint8_t tail[4] = {0};
    uint32_t word;
    if (size % 4 != 0)
        memcpy(tail, bytes + size / 4 * 4, size % 4);
    memcpy(&word, tail, sizeof(word));
    sum += word;
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return ORDER_BIG_16((uint16_t)sum);
}

#include "network_card.h"

#include <zlib.h>

/* Bit by bit from the lowest of each byte: the order on the wire. */
static uint32_t next_crc(uint32_t crc, uint8_t byte) {
    enum { POLYNOMIAL_REVERSED = (int)0xEDB88320 };
    crc ^= byte;
    for (int i = 0; i < 8; i++)
        crc = crc >> 1 ^ (crc & 1 ? (uint32_t)POLYNOMIAL_REVERSED : 0);
    return crc;
}

/* The CRC of zip files is the same. */
uint32_t network_frame_checksum(const uint8_t *data, size_t size) {
    return (uint32_t)crc32(0, data, (uInt)size);
}

unsigned network_multicast_hash(const uint8_t *address) {
    uint32_t crc = UINT32_MAX;
    unsigned hash = 0;
    for (size_t i = 0; i < NETWORK_ADDRESS_BYTES; i++)
        crc = next_crc(crc, address[i]);
    for (unsigned i = 0; i < 6; i++)
        hash = hash << 1 | (crc >> i & 1);
    return hash;
}

/* The CRC with Castagnoli's polynomial (RFC 3720, 12.1). */
#ifndef REPRISE_CRC32C_H
#define REPRISE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on with 'crc', which is 0 before the first byte. */
uint32_t crc32c_add(uint32_t crc, const void *data, size_t size);

#endif

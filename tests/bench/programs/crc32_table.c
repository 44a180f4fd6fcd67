/* The table-driven CRC-32 of ISO 3309, a byte at a time. */
#include "program_runtime.h"

enum { BUFFER_BYTES = 65536, REPETITIONS = 2400 };

static uint8_t buffer[BUFFER_BYTES];
static uint32_t table[256];

static void fill_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++) {
            remainder = remainder >> 1 ^ (remainder & 1 ? 0xedb88320 : 0);
        }
        table[byte] = remainder;
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_table();
    fill_random(buffer, sizeof buffer);
    uint32_t crc = 0xffffffff;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < sizeof buffer; i++) {
            crc = crc >> 8 ^ table[(crc ^ buffer[i]) & 0xff];
        }
    }
    return ~crc;
}

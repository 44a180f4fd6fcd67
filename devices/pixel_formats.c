#include "pixel_formats.h"
#include "little_endian.h"
#include <stddef.h>

/* Five or six bits become eight, the brightest white. */
static uint32_t widen(uint32_t value, unsigned bits) {
    return value << (8 - bits) | value >> (2 * bits - 8);
}

static void draw_4(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                   uint32_t width) {
    for (uint32_t x = skip; x < skip + width; x++) {
        const uint8_t *cell = source + x / 8 * 4;
        unsigned shift = 7 - x % 8, number = 0;
        for (unsigned plane = 0; plane < 4; plane++)
            number |= (cell[plane] >> shift & 1u) << plane;
        *line++ = colours[number];
    }
}

static void draw_8(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                   uint32_t width) {
    (void)skip;
    for (uint32_t x = 0; x < width; x++)
        line[x] = colours[source[x]];
}

static void draw_15(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++) {
        uint32_t pixel = load_le16(source + 2 * x);
        line[x] = widen(pixel >> 10 & 0x1F, 5) << 16 | widen(pixel >> 5 & 0x1F, 5) << 8 |
                  widen(pixel & 0x1F, 5);
    }
}

static void draw_16(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++) {
        uint32_t pixel = load_le16(source + 2 * x);
        line[x] =
            widen(pixel >> 11, 5) << 16 | widen(pixel >> 5 & 0x3F, 6) << 8 | widen(pixel & 0x1F, 5);
    }
}

static void draw_24(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++, source += 3)
        line[x] = (uint32_t)(source[2] << 16 | source[1] << 8 | source[0]);
}

static void draw_32(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++)
        line[x] = load_le32(source + 4 * x) & 0xFFFFFF;
}

const PixelFormat *pixel_format_find(uint32_t bits) {
    static const PixelFormat formats[] = {{4, 8, 4, 16, draw_4},  {8, 1, 1, 256, draw_8},
                                          {15, 1, 2, 0, draw_15}, {16, 1, 2, 0, draw_16},
                                          {24, 1, 3, 0, draw_24}, {32, 1, 4, 0, draw_32}};
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i].bits == bits)
            return &formats[i];
    return NULL;
}

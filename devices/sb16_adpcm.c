/* Creative's ADPCM: each code moves the level by a step, whose size follows the codes. */
#include "sb16_internal.h"

/* For each scale the height of the smallest half step, by the bits of a code; and what a code of
 * size 0 or one of the largest sizes does to the scale. With scale 0 a step is the code's size,
 * above it 2 * size + 1 of these. */
static const struct {
    uint8_t unit[6], scale_max, large;
} kinds[5] = {
    [2] = {{0, 1, 2, 4, 8, 16}, 5, 1},
    [3] = {{0, 1, 2, 4, 5, 0}, 4, 3},
    [4] = {{0, 1, 2, 4, 0, 0}, 3, 5},
};

static uint8_t decode_code(Sb16Transfer *transfer, unsigned code) {
    unsigned bits = transfer->adpcm, sign = 1u << (bits - 1), size = code & (sign - 1);
    unsigned scale = transfer->scale > kinds[bits].scale_max ? 0 : transfer->scale;
    int step = scale == 0 ? (int)size : (int)((2 * size + 1) * kinds[bits].unit[scale]);
    int level = transfer->level + (code & sign ? -step : step);
    transfer->level = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
    if (size == 0 && scale > 0)
        scale--;
    else if (size >= kinds[bits].large && scale < kinds[bits].scale_max)
        scale++;
    transfer->scale = (uint8_t)scale;
    return transfer->level;
}

unsigned sb16_adpcm_decode(Sb16Transfer *transfer, uint8_t byte, uint8_t samples[4]) {
    switch (transfer->adpcm) {
    case 2:
        for (unsigned i = 0; i < 4; i++)
            samples[i] = decode_code(transfer, byte >> (6 - 2 * i) & 3);
        return 4;
    case 3: /* the third code has two bits: its smallest is missing */
        samples[0] = decode_code(transfer, byte >> 5);
        samples[1] = decode_code(transfer, byte >> 2 & 7);
        samples[2] = decode_code(transfer, (byte & 3u) << 1);
        return 3;
    default:
        samples[0] = decode_code(transfer, byte >> 4);
        samples[1] = decode_code(transfer, byte & 15);
        return 2;
    }
}

/* Pixels as video memory holds them, for adapters with packed modes: how a line of them becomes the
 * XRGB pixels of a picture. */
#ifndef REPRISE_PIXEL_FORMATS_H
#define REPRISE_PIXEL_FORMATS_H

#include <stdint.h>

/* How a line is drawn from the bytes at 'source', of whose first group 'skip' pixels are not shown.
 */
typedef void PixelDrawLine(const uint32_t *colours, const uint8_t *source, uint32_t skip,
                           uint32_t *line, uint32_t width);

typedef struct PixelFormat {
    uint32_t bits;                      /* 4, 8, 15, 16, 24 or 32 */
    uint32_t group_pixels, group_bytes; /* the pixels of as many bytes of video memory */
    uint32_t colours;                   /* entries of the palette in use; 0: direct colour */
    PixelDrawLine *draw;
} PixelFormat;

/* NULL if there is none of so many bits. */
const PixelFormat *pixel_format_find(uint32_t bits);

/* Six bits become eight as QEMU extends them, so that screenshots compare. */
static inline uint32_t pixel_widen_six(uint32_t six) {
    return (six & 0x3F) << 2 | ((six & 1) != 0 ? 3 : 0);
}

#endif

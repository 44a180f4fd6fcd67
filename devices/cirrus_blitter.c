/* The BitBLT engine. (CL-GD5446 Technical Reference Manual, "BitBLT engine".)
 *
 * A blit goes line by line through three steps: the bytes of the source, with a mask of those that
 * are drawn at all; the raster operation with what is there; the result into video memory. Blits
 * within video memory are done when they start; with the system as source or destination the lines
 * follow the processor's accesses. Addresses wrap at the end of video memory. */
#include "cirrus.h"
#include "little_endian.h"
#include <string.h>

enum {
    PATTERN_LINES = 8,
    PATTERN_MONOCHROME_BYTES = 8,
    PATTERN_BYTES_MOST = 256,
};

/* One line in work. */
typedef struct BlitLine {
    uint8_t bytes[CIRRUS_LINE_BYTES + 4]; /* the source, then the result */
    uint8_t mask[CIRRUS_LINE_BYTES + 4];  /* FFh where it is drawn */
    bool masked;
} BlitLine;

static unsigned pixel_bytes(const CirrusBlit *blit) {
    return (blit->mode >> BLIT_PIXEL_SHIFT & 3) + 1u;
}

/* ---- Video memory ---- */

static void memory_load(const Vga *vga, uint32_t address, uint8_t *bytes, uint32_t count) {
    address &= vga->vram_bytes - 1;
    uint32_t first = vga->vram_bytes - address;
    first = first < count ? first : count;
    memcpy(bytes, vga->vram + address, first);
    memcpy(bytes + first, vga->vram, count - first);
}

static void memory_store(Vga *vga, uint32_t address, const uint8_t *bytes, uint32_t count) {
    for (uint32_t done = 0; done < count;) {
        uint32_t place = (address + done) & (vga->vram_bytes - 1);
        uint32_t run = PAGE_SIZE - place % PAGE_SIZE;
        run = run < count - done ? run : count - done;
        vga_memory_mark(vga, place);
        memcpy(vga->vram + place, bytes + done, run);
        done += run;
    }
}

/* ---- Raster operations ---- */

typedef void RasterOperation(uint8_t *source, const uint8_t *target, uint32_t count);

#define RASTER_OPERATION(name, expression)                                                         \
    static void name(uint8_t *source, const uint8_t *target, uint32_t count) {                     \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            uint8_t s = source[i], d = target[i];                                                  \
            (void)s;                                                                               \
            (void)d;                                                                               \
            source[i] = (uint8_t)(expression);                                                     \
        }                                                                                          \
    }

RASTER_OPERATION(rop_zero, 0)
RASTER_OPERATION(rop_and, s &d)
RASTER_OPERATION(rop_destination, d)
RASTER_OPERATION(rop_and_inverted_destination, s & ~d)
RASTER_OPERATION(rop_inverted_destination, ~d)
RASTER_OPERATION(rop_one, 0xFF)
RASTER_OPERATION(rop_inverted_and, ~s &d)
RASTER_OPERATION(rop_xor, s ^ d)
RASTER_OPERATION(rop_or, s | d)
RASTER_OPERATION(rop_nor, ~(s | d))
RASTER_OPERATION(rop_xnor, ~(s ^ d))
RASTER_OPERATION(rop_or_inverted_destination, s | ~d)
RASTER_OPERATION(rop_inverted_source, ~s)
RASTER_OPERATION(rop_inverted_or, ~s | d)
RASTER_OPERATION(rop_nand, ~(s &d))

/* By the value of GR32; others copy the source, as 0Dh does. */
static const struct {
    uint8_t code;
    RasterOperation *operation;
} raster_operations[] = {
    {0x00, rop_zero},
    {0x05, rop_and},
    {0x06, rop_destination},
    {0x09, rop_and_inverted_destination},
    {0x0B, rop_inverted_destination},
    {0x0E, rop_one},
    {0x50, rop_inverted_and},
    {0x59, rop_xor},
    {0x6D, rop_or},
    {0x90, rop_nor},
    {0x95, rop_xnor},
    {0xAD, rop_or_inverted_destination},
    {0xD0, rop_inverted_source},
    {0xD6, rop_inverted_or},
    {0xDA, rop_nand},
};

static RasterOperation *find_operation(uint8_t code) {
    for (unsigned i = 0; i < sizeof raster_operations / sizeof raster_operations[0]; i++)
        if (raster_operations[i].code == code)
            return raster_operations[i].operation;
    return NULL;
}

/* ---- Lines ---- */

/* Pixels that come out as the transparent colour are not drawn: 8 and 16 bits only. */
static void mask_transparent(const CirrusBlit *blit, BlitLine *line, uint32_t count) {
    unsigned bytes = pixel_bytes(blit);
    uint16_t ignored = blit->transparent_mask;
    if (bytes > 2)
        return;
    if (!line->masked)
        memset(line->mask, 0xFF, count);
    line->masked = true;
    for (uint32_t x = 0; x < count; x += bytes) {
        uint16_t pixel = bytes == 1 ? line->bytes[x] : load_le16(line->bytes + x);
        uint16_t differ = (uint16_t)((pixel ^ blit->transparent) & ~ignored);
        if ((bytes == 1 ? differ & 0xFF : differ) == 0)
            memset(line->mask + x, 0, bytes);
    }
}

/* Operation and store for 'count' bytes from 'address' up. */
static void draw_bytes(Vga *vga, const CirrusBlit *blit, BlitLine *line, uint32_t address,
                       uint32_t count) {
    uint8_t target[CIRRUS_LINE_BYTES];
    RasterOperation *operation = find_operation(blit->rop);
    bool compares = (blit->mode & (BLIT_TRANSPARENT | BLIT_EXPAND_COLOUR)) == BLIT_TRANSPARENT;
    if (operation != NULL || compares || line->masked)
        memory_load(vga, address, target, count);
    if (operation != NULL)
        operation(line->bytes, target, count);
    if (compares)
        mask_transparent(blit, line, count);
    for (uint32_t i = 0; line->masked && i < count; i++)
        line->bytes[i] = (uint8_t)((line->bytes[i] & line->mask[i]) | (target[i] & ~line->mask[i]));
    memory_store(vga, address, line->bytes, count);
}

static uint32_t left_skip(const CirrusBlit *blit) {
    unsigned bytes = pixel_bytes(blit);
    return bytes == 3 ? blit->left_clip & 0x1Fu : (blit->left_clip & 7u) * bytes;
}

/* Bits become pixels; with transparency only the ones are drawn (or only the zeros, in the
 * background colour). 'wraps': the bits are of a pattern and repeat. */
static void expand(const CirrusBlit *blit, const uint8_t *bits, bool wraps, BlitLine *line) {
    unsigned bytes = pixel_bytes(blit);
    bool transparent = (blit->mode & BLIT_TRANSPARENT) != 0;
    bool inverted = transparent && (blit->extensions & BLIT_INVERT) != 0;
    uint8_t colours[2][4];
    store_le32(colours[0], blit->background);
    store_le32(colours[1], blit->foreground);
    uint32_t skip = left_skip(blit);
    line->masked = transparent || skip != 0;
    memset(line->mask, 0, skip < blit->width ? skip : blit->width);
    uint32_t pixel = skip / bytes;
    for (uint32_t x = skip; x < blit->width; x += bytes, pixel++) {
        unsigned bit = bits[wraps ? 0 : pixel / 8] >> (7 - pixel % 8) & 1;
        memcpy(line->bytes + x, colours[bit], bytes);
        memset(line->mask + x, !transparent || (bit == 0) == inverted ? 0xFF : 0, bytes);
    }
}

static void repeat_pattern(const CirrusBlit *blit, const uint8_t *pattern, uint32_t period,
                           BlitLine *line) {
    uint32_t skip = left_skip(blit);
    line->masked = skip != 0;
    memset(line->mask, 0xFF, blit->width);
    memset(line->mask, 0, skip < blit->width ? skip : blit->width);
    for (uint32_t x = 0; x < blit->width; x++)
        line->bytes[x] = pattern[x % period];
}

/* One line of a pattern of eight lines. Those of 24 bits a pixel lie 32 bytes apart. */
static void take_pattern_line(const CirrusBlit *blit, const uint8_t *pattern, BlitLine *line) {
    unsigned bytes = pixel_bytes(blit), row = blit->pattern_row % PATTERN_LINES;
    if ((blit->mode & BLIT_EXPAND_COLOUR) != 0)
        expand(blit, pattern + row, true, line);
    else
        repeat_pattern(blit, pattern + row * (bytes == 3 ? 32 : 8 * bytes), 8 * bytes, line);
}

static uint32_t pattern_bytes(const CirrusBlit *blit) {
    unsigned bytes = pixel_bytes(blit);
    if ((blit->mode & BLIT_EXPAND_COLOUR) != 0)
        return PATTERN_MONOCHROME_BYTES;
    return PATTERN_LINES * (bytes == 3 ? 32 : 8 * bytes);
}

/* The bytes that a line takes from the system, or from video memory where it is expanded. */
static uint32_t source_line_bytes(const CirrusBlit *blit) {
    uint32_t bits = (blit->width + pixel_bytes(blit) - 1) / pixel_bytes(blit);
    if ((blit->mode & BLIT_EXPAND_COLOUR) == 0)
        return (blit->width + 3) & ~3u;
    if ((blit->extensions & BLIT_DOUBLEWORDS) != 0)
        return (bits + 31) / 32 * 4;
    return (bits + 7) / 8;
}

static void next_line(CirrusBlit *blit) {
    bool backwards = (blit->mode & BLIT_BACKWARDS) != 0;
    blit->destination += backwards ? 0u - blit->destination_pitch : blit->destination_pitch;
    blit->pattern_row = (blit->pattern_row + 1) % PATTERN_LINES;
    blit->lines--;
}

static void finish(Vga *vga) {
    CirrusState *state = &vga->cirrus->state;
    state->blit.phase = BLIT_IDLE;
    state->graphics[GR31_BLIT_STATUS] &= (uint8_t) ~(BLIT_BUSY | BLIT_START | BLIT_PROGRESS);
}

/* ---- Within video memory ---- */

/* Bytes go one after the other, so that what is drawn is source again where the areas overlap: in
 * pieces as long as the distance. */
static void copy_line(Vga *vga, const CirrusBlit *blit, BlitLine *line) {
    bool backwards = (blit->mode & BLIT_BACKWARDS) != 0;
    uint32_t distance =
        backwards ? blit->source - blit->destination : blit->destination - blit->source;
    distance &= vga->vram_bytes - 1;
    uint32_t piece = distance != 0 && distance < blit->width ? distance : blit->width;
    if (pixel_bytes(blit) == 2 && piece > 1)
        piece &= ~1u; /* transparency looks at whole pixels */
    for (uint32_t done = 0; done < blit->width; done += piece) {
        uint32_t count = piece < blit->width - done ? piece : blit->width - done;
        uint32_t offset = backwards ? 1u - done - count : done;
        line->masked = false;
        memory_load(vga, blit->source + offset, line->bytes, count);
        draw_bytes(vga, blit, line, blit->destination + offset, count);
    }
}

static void copy_area(Vga *vga, CirrusBlit *blit, BlitLine *line) {
    bool backwards = (blit->mode & BLIT_BACKWARDS) != 0;
    while (blit->lines != 0) {
        copy_line(vga, blit, line);
        blit->source += backwards ? 0u - blit->source_pitch : blit->source_pitch;
        next_line(blit);
    }
}

static void expand_area(Vga *vga, CirrusBlit *blit, BlitLine *line) {
    uint8_t bits[CIRRUS_LINE_BYTES];
    uint32_t bytes = source_line_bytes(blit);
    while (blit->lines != 0) {
        memory_load(vga, blit->source, bits, bytes);
        expand(blit, bits, false, line);
        draw_bytes(vga, blit, line, blit->destination, blit->width);
        blit->source += bytes;
        next_line(blit);
    }
}

static void fill_area(Vga *vga, CirrusBlit *blit, const uint8_t *pattern, BlitLine *line) {
    while (blit->lines != 0) {
        take_pattern_line(blit, pattern, line);
        draw_bytes(vga, blit, line, blit->destination, blit->width);
        next_line(blit);
    }
}

static void fill_from_memory(Vga *vga, CirrusBlit *blit, BlitLine *line) {
    uint8_t pattern[PATTERN_BYTES_MOST];
    const uint8_t solid = BLIT_PATTERN | BLIT_EXPAND_COLOUR;
    blit->pattern_row = blit->source % PATTERN_LINES;
    memory_load(vga, blit->source & ~7u, pattern, pattern_bytes(blit));
    if ((blit->extensions & BLIT_SOLID) != 0 && (blit->mode & (solid | BLIT_TRANSPARENT)) == solid)
        memset(pattern, 0xFF, sizeof pattern);
    fill_area(vga, blit, pattern, line);
}

static void blit_within_memory(Vga *vga, CirrusBlit *blit) {
    BlitLine line;
    if ((blit->mode & BLIT_PATTERN) != 0)
        fill_from_memory(vga, blit, &line);
    else if ((blit->mode & BLIT_EXPAND_COLOUR) != 0)
        expand_area(vga, blit, &line);
    else
        copy_area(vga, blit, &line);
}

/* ---- From and to the system ---- */

static void draw_received(Vga *vga) {
    CirrusState *state = &vga->cirrus->state;
    CirrusBlit *blit = &state->blit;
    BlitLine line = {.masked = false};
    blit->line_done = 0;
    if ((blit->mode & BLIT_PATTERN) != 0) {
        fill_area(vga, blit, state->line, &line);
        return;
    }
    if ((blit->mode & BLIT_EXPAND_COLOUR) != 0)
        expand(blit, state->line, false, &line);
    else
        memcpy(line.bytes, state->line, blit->width);
    bool backwards = (blit->mode & BLIT_BACKWARDS) != 0;
    uint32_t offset = backwards ? 1u - blit->width : 0;
    draw_bytes(vga, blit, &line, blit->destination + offset, blit->width);
    next_line(blit);
}

void cirrus_blit_write(Vga *vga, unsigned size, uint32_t value) {
    CirrusState *state = &vga->cirrus->state;
    CirrusBlit *blit = &state->blit;
    for (unsigned i = 0; i < size && blit->phase == BLIT_RECEIVING; i++) {
        state->line[blit->line_done++] = (uint8_t)(value >> 8 * i);
        if (blit->line_done == blit->line_bytes)
            draw_received(vga);
        if (blit->lines == 0)
            finish(vga);
    }
    if (blit->phase == BLIT_IDLE)
        vga_memory_derive(vga);
}

static void fetch_line(Vga *vga) {
    CirrusState *state = &vga->cirrus->state;
    CirrusBlit *blit = &state->blit;
    memory_load(vga, blit->source, state->line, blit->line_bytes);
    blit->line_done = 0;
}

uint32_t cirrus_blit_read(Vga *vga, unsigned size) {
    CirrusState *state = &vga->cirrus->state;
    CirrusBlit *blit = &state->blit;
    uint32_t value = UINT32_MAX;
    for (unsigned i = 0; i < size && blit->phase == BLIT_SENDING; i++) {
        value &= ~(0xFFu << 8 * i);
        value |= (uint32_t)state->line[blit->line_done++] << 8 * i;
        if (blit->line_done < blit->line_bytes)
            continue;
        blit->source += blit->source_pitch;
        if (--blit->lines != 0)
            fetch_line(vga);
        else
            finish(vga);
    }
    if (blit->phase == BLIT_IDLE)
        vga_memory_derive(vga);
    return value;
}

/* ---- Start ---- */

static uint32_t colour_of(const uint8_t *graphics, unsigned first, unsigned second) {
    return graphics[first] | (uint32_t)graphics[second] << 8 |
           (uint32_t)graphics[second + 2] << 16 | (uint32_t)graphics[second + 4] << 24;
}

static uint32_t address_of(const Vga *vga, unsigned first) {
    const uint8_t *graphics = vga->cirrus->state.graphics + first;
    return (graphics[0] | graphics[1] << 8 | graphics[2] << 16) & (vga->vram_bytes - 1);
}

static void take_registers(const Vga *vga, CirrusBlit *blit) {
    const uint8_t *graphics = vga->cirrus->state.graphics;
    *blit = (CirrusBlit){
        .destination = address_of(vga, GR28_DESTINATION),
        .source = address_of(vga, GR2C_SOURCE),
        .destination_pitch = load_le16(graphics + GR24_DESTINATION_PITCH),
        .source_pitch = load_le16(graphics + GR26_SOURCE_PITCH),
        .width = load_le16(graphics + GR20_WIDTH) + 1u,
        .lines = load_le16(graphics + GR22_HEIGHT) + 1u,
        .foreground = colour_of(graphics, GRAPHICS_ENABLE_SET_RESET, GR11_FOREGROUND_1),
        .background = colour_of(graphics, GRAPHICS_SET_RESET, GR10_BACKGROUND_1),
        .transparent = load_le16(graphics + GR34_TRANSPARENT),
        .transparent_mask = load_le16(graphics + GR38_TRANSPARENT_MASK),
        .mode = graphics[GR30_BLIT_MODE],
        .extensions = graphics[GR33_BLIT_EXTENSIONS],
        .rop = graphics[GR32_BLIT_ROP],
        .left_clip = graphics[GR2F_LEFT_CLIP],
    };
    if ((blit->mode & (BLIT_PATTERN | BLIT_EXPAND_COLOUR)) != 0)
        blit->mode &= (uint8_t)~BLIT_BACKWARDS;
}

void cirrus_blit_start(Vga *vga) {
    CirrusState *state = &vga->cirrus->state;
    CirrusBlit *blit = &state->blit;
    if (blit->phase != BLIT_IDLE)
        return;
    take_registers(vga, blit);
    state->graphics[GR31_BLIT_STATUS] |= BLIT_BUSY | BLIT_PROGRESS;
    switch (blit->mode & (BLIT_FROM_SYSTEM | BLIT_TO_SYSTEM)) {
    case 0:
        blit_within_memory(vga, blit);
        finish(vga);
        return;
    case BLIT_FROM_SYSTEM:
        blit->line_bytes =
            (blit->mode & BLIT_PATTERN) != 0 ? pattern_bytes(blit) : source_line_bytes(blit);
        blit->phase = BLIT_RECEIVING;
        break;
    case BLIT_TO_SYSTEM:
        blit->line_bytes = (blit->width + 3) & ~3u;
        blit->phase = BLIT_SENDING;
        fetch_line(vga);
        break;
    default: /* from the system to the system */
        finish(vga);
        return;
    }
    vga_memory_decode(vga);
    cirrus_update_linear(vga);
}

void cirrus_blit_reset(Vga *vga) {
    bool active = vga->cirrus->state.blit.phase != BLIT_IDLE;
    finish(vga);
    if (!active)
        return;
    vga_memory_decode(vga);
    cirrus_update_linear(vga);
}

/* A snapshot may hold anything. */
void cirrus_blit_restored(Vga *vga) {
    CirrusBlit *blit = &vga->cirrus->state.blit;
    uint32_t widest = CIRRUS_LINE_BYTES;
    bool sound = blit->phase <= BLIT_SENDING && blit->width - 1 < widest &&
                 blit->lines - 1 < widest && blit->line_done < blit->line_bytes;
    uint32_t needed =
        (blit->mode & BLIT_PATTERN) != 0 ? pattern_bytes(blit) : source_line_bytes(blit);
    if (blit->phase == BLIT_SENDING)
        needed = (blit->width + 3) & ~3u;
    if (blit->phase != BLIT_IDLE && (!sound || blit->line_bytes != needed))
        finish(vga);
}

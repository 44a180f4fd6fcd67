/* Cirrus Logic's CL-GD5446 as an extension of the VGA: what a Vga that is one has besides, and
 * where the VGA's code asks for it. (CL-GD5446 Technical Reference Manual; register names as there:
 * SR sequencer, GR graphics controller, CR CRT controller.)
 *
 * Bits of standard registers stay in VgaState; what the chip adds to them is kept here. */
#ifndef REPRISE_CIRRUS_H
#define REPRISE_CIRRUS_H

#include "vga_internal.h"

enum {
    CIRRUS_SEQUENCER_REGISTERS = 0x20,
    CIRRUS_GRAPHICS_REGISTERS = 0x40,
    CIRRUS_CRTC_REGISTERS = 0x28,
    CIRRUS_LINE_BYTES = 8192, /* the widest BitBLT */
};

/* Sequencer. */
enum {
    SR6_UNLOCK = 0x06,
    SR7_EXTENDED_MODE = 0x07,
    SRB_CLOCK_NUMERATOR = 0x0B, /* four, one for each clock of the miscellaneous output register */
    SR10_CURSOR_X = 0x10,
    SR11_CURSOR_Y = 0x11,
    SR12_CURSOR = 0x12,
    SR13_CURSOR_PATTERN = 0x13,
    SR17_CONFIGURATION = 0x17,
    SR1B_CLOCK_DENOMINATOR = 0x1B,
};
enum {
    SR7_PACKED_PIXELS = 1 << 0,
    SR7_FORMAT_MASK = 0x0E,
    SR12_CURSOR_ON = 1 << 0,
    SR12_CURSOR_COLOURS = 1 << 1, /* DAC entries 0 and Fh are those of the cursor */
    SR12_CURSOR_64 = 1 << 2,
    SR17_MMIO = 1 << 2,
    SR17_MMIO_LINEAR = 1 << 6, /* in the last 256 bytes of linear memory, not at B8000h */
};

/* Graphics controller. */
enum {
    GR5_MODE = 0x05,
    GR9_OFFSET_0 = 0x09,
    GRA_OFFSET_1 = 0x0A,
    GRB_EXTENSIONS = 0x0B,
    GR10_BACKGROUND_1 = 0x10,
    GR11_FOREGROUND_1 = 0x11,
    GR20_WIDTH = 0x20,
    GR22_HEIGHT = 0x22,
    GR24_DESTINATION_PITCH = 0x24,
    GR26_SOURCE_PITCH = 0x26,
    GR28_DESTINATION = 0x28,
    GR2A_DESTINATION_HIGH = 0x2A,
    GR2C_SOURCE = 0x2C,
    GR2F_LEFT_CLIP = 0x2F,
    GR30_BLIT_MODE = 0x30,
    GR31_BLIT_STATUS = 0x31,
    GR32_BLIT_ROP = 0x32,
    GR33_BLIT_EXTENSIONS = 0x33,
    GR34_TRANSPARENT = 0x34,
    GR38_TRANSPARENT_MASK = 0x38,
};
enum {
    GRB_TWO_BANKS = 1 << 0,
    GRB_BY_8 = 1 << 1,
    GRB_EXTENDED_WRITE_MODES = 1 << 2,
    GRB_BY_16 = 1 << 4, /* with the bit above */
    GRB_BANKS_OF_16K = 1 << 5,
    BLIT_BACKWARDS = 1 << 0,
    BLIT_TO_SYSTEM = 1 << 1,
    BLIT_FROM_SYSTEM = 1 << 2,
    BLIT_TRANSPARENT = 1 << 3,
    BLIT_PIXEL_SHIFT = 4,
    BLIT_PATTERN = 1 << 6,
    BLIT_EXPAND_COLOUR = 1 << 7,
    BLIT_BUSY = 1 << 0,
    BLIT_START = 1 << 1,
    BLIT_RESET = 1 << 2,
    BLIT_PROGRESS = 1 << 3,
    BLIT_AUTO_START = 1 << 7,
    BLIT_DOUBLEWORDS = 1 << 0, /* expanded lines begin at doublewords */
    BLIT_INVERT = 1 << 1,      /* zeros are drawn, not ones */
    BLIT_SOLID = 1 << 2,
};

/* CRT controller. */
enum {
    CR1A_MISCELLANEOUS = 0x1A,
    CR1B_EXTENDED_DISPLAY = 0x1B,
    CR1D_OVERLAY = 0x1D,
    CR27_ID = 0x27,
};
enum {
    CR1A_INTERLACE = 1 << 0,
    CR1B_EXTENDED_ADDRESSES = 1 << 1, /* beyond 64 KB of each plane */
};

typedef enum BlitPhase {
    BLIT_IDLE,
    BLIT_RECEIVING, /* waits for the processor's stores */
    BLIT_SENDING,   /* answers the processor's loads */
} BlitPhase;

/* A BitBLT as it was started; registers may be written for the next meanwhile. */
typedef struct CirrusBlit {
    uint32_t destination, source; /* byte addresses of the present line */
    uint32_t destination_pitch, source_pitch;
    uint32_t width, lines; /* bytes; lines that are left */
    uint32_t line_bytes;   /* that the processor moves for a line, or for a pattern */
    uint32_t line_done;    /* of these */
    uint32_t foreground, background;
    uint16_t transparent, transparent_mask;
    uint8_t mode, extensions, rop, left_clip;
    uint8_t phase;       /* BlitPhase */
    uint8_t pattern_row; /* of the present line */
    uint8_t padding[6];
} CirrusBlit;

typedef struct CirrusState {
    int64_t linear_due_ns; /* when linear memory will be mapped directly */
    CirrusBlit blit;
    uint16_t cursor_x, cursor_y;
    uint8_t linear_direct; /* linear memory is mapped, without callbacks */
    uint8_t hidden_dac, hidden_dac_reads;
    uint8_t pixel_mask; /* SR2 with all its bits */
    uint8_t sequencer[CIRRUS_SEQUENCER_REGISTERS];
    uint8_t graphics[CIRRUS_GRAPHICS_REGISTERS];
    uint8_t crtc[CIRRUS_CRTC_REGISTERS];
    uint8_t cursor_colours[16][3];
    uint8_t line[CIRRUS_LINE_BYTES]; /* what came of a line, or what is yet to go */
} CirrusState;

typedef struct Cirrus {
    CirrusState state;
    Timer linear_timer;
    bool linear_here, mmio_mapped;
    bool window_split; /* for registers at B8000h */
    uint32_t linear_base;
    /* Where the cursor is in the latest picture, in lines; none: the same. */
    uint32_t cursor_first, cursor_end;
    uint64_t cursor_look; /* hash of how it looked */
} Cirrus;

/* cirrus.c */
Cirrus *cirrus_create(Vga *vga);
bool cirrus_add(Vga *vga, PciBus *bus, const VgaConfig *config, Error *error);
void cirrus_plug_in(Vga *vga);
void cirrus_destroy(Cirrus *cirrus);
void cirrus_reset(Vga *vga);
void cirrus_restored(Vga *vga);
/* Lays linear memory into the map or takes it away, as registers and the blitter ask. */
void cirrus_update_linear(Vga *vga);

/* cirrus_registers.c: false where the register, or the rest of it, is the VGA's. */
bool cirrus_sequencer_read(Vga *vga, uint8_t *value);
bool cirrus_sequencer_write(Vga *vga, uint8_t value);
bool cirrus_graphics_read(Vga *vga, uint8_t *value);
bool cirrus_graphics_write(Vga *vga, uint8_t value);
bool cirrus_crtc_read(Vga *vga, uint8_t *value);
bool cirrus_crtc_write(Vga *vga, uint8_t value);
/* The DAC's mask register: the fifth access in a row is for the hidden register. */
bool cirrus_hidden_dac_read(Vga *vga, uint8_t *value);
bool cirrus_hidden_dac_write(Vga *vga, uint8_t value);
/* Any other register of the DAC was accessed. */
void cirrus_hidden_dac_forget(Vga *vga);
/* Where DAC data go at present: NULL for the palette. */
uint8_t *cirrus_cursor_colour(Vga *vga, uint8_t index);
void cirrus_registers_reset(Vga *vga);
/* GR0 to GR3F by number, whatever the lock says. */
void cirrus_set_graphics(Vga *vga, unsigned index, uint8_t value);

static inline bool cirrus_is_packed(const Vga *vga) {
    return vga->cirrus != NULL &&
           (vga->cirrus->state.sequencer[SR7_EXTENDED_MODE] & SR7_PACKED_PIXELS) != 0;
}

/* cirrus_memory.c */
void cirrus_decode(const Vga *vga, VgaMemoryDecode *decode);
bool cirrus_linear_is_plain(const Vga *vga);
/* By the offset from A0000h. False: the VGA's own way. */
bool cirrus_window_write(Vga *vga, uint32_t offset, unsigned size, uint32_t value);
bool cirrus_window_read(Vga *vga, uint32_t offset, unsigned size, uint32_t *value);
extern const MmioRange cirrus_mmio_range;
/* Linear memory and the blitter's data port, for a BAR at 'base'. */
#define CIRRUS_LINEAR_SIZE (32u << 20)
enum { CIRRUS_LINEAR_RANGES = 3 };
void cirrus_linear_ranges(Vga *vga, uint32_t base, MmioRange ranges[CIRRUS_LINEAR_RANGES]);
/* SR17_MMIO and SR17_MMIO_LINEAR as they are set. */
uint8_t cirrus_mmio_bits(const Vga *vga);
/* Whether registers are at B8000h. */
void cirrus_split_window(Vga *vga, bool split);

/* cirrus_blitter.c */
void cirrus_blit_start(Vga *vga);
void cirrus_blit_reset(Vga *vga);
void cirrus_blit_write(Vga *vga, unsigned size, uint32_t value); /* while it receives */
uint32_t cirrus_blit_read(Vga *vga, unsigned size);              /* while it sends */
void cirrus_blit_restored(Vga *vga);

/* cirrus_render.c */
/* What the chip adds to start address, offset (both in cells) of the CRT controller, and up to
 * where addresses go. */
uint32_t cirrus_further_start(const Vga *vga);
uint32_t cirrus_further_offset(const Vga *vga);
uint32_t cirrus_address_mask(const Vga *vga);
/* Bits a pixel of the packed modes: 8, 15, 16, 24 or 32. */
uint32_t cirrus_pixel_bits(const Vga *vga);
void cirrus_render_lines(Vga *vga, DisplaySurface *surface, bool all);
/* Does the picture differ from the latest though no memory of it was written? */
bool cirrus_cursor_moved(const Vga *vga);
/* Hertz of the dot clock in use. */
int64_t cirrus_dot_clock(const Vga *vga);

#endif

/* What the files of the VGA share: its registers and memory, and what is derived from them.
 *
 * Video memory is kept as cells of four bytes, one byte of each plane: plane p of the cell at plane
 * address a is vram[4 * a + p]. Linear modes and chain-4 see the same bytes as one run, so those
 * are plain memory to the processor. */
#ifndef REPRISE_VGA_INTERNAL_H
#define REPRISE_VGA_INTERNAL_H

#include "edid.h"
#include "vga.h"

enum {
    VGA_VRAM_BYTES = 16 << 20, /* where nothing else is asked for */
    VGA_PLANE_BYTES = 0x10000, /* of IBM's VGA, which has 256 KB */
    VGA_LEGACY_PAGES = 4 * VGA_PLANE_BYTES / PAGE_SIZE,
};

#define VGA_WINDOW_BASE 0xA0000u
#define VGA_WINDOW_SIZE 0x20000u
#define VGA_BANK_SIZE 0x10000u
#define VGA_HALF_BANK 0x8000u

/* Miscellaneous output register. */
enum {
    MISC_COLOUR = 1 << 0, /* CRTC at 3Dxh, not 3Bxh */
    MISC_RAM_ENABLE = 1 << 1,
    MISC_CLOCK_SHIFT = 2,
};

/* Sequencer registers. */
enum {
    SEQUENCER_RESET,
    SEQUENCER_CLOCKING_MODE,
    SEQUENCER_MAP_MASK,
    SEQUENCER_CHARACTER_MAP,
    SEQUENCER_MEMORY_MODE,
    SEQUENCER_REGISTERS = 8,
};
enum {
    CLOCKING_EIGHT_DOTS = 1 << 0,
    CLOCKING_HALF_RATE = 1 << 3,
    CLOCKING_SCREEN_OFF = 1 << 5,
    MEMORY_MODE_SEQUENTIAL = 1 << 2, /* odd/even addressing is off */
    MEMORY_MODE_CHAIN_4 = 1 << 3,
};

/* Graphics controller registers. */
enum {
    GRAPHICS_SET_RESET,
    GRAPHICS_ENABLE_SET_RESET,
    GRAPHICS_COLOUR_COMPARE,
    GRAPHICS_DATA_ROTATE,
    GRAPHICS_READ_MAP,
    GRAPHICS_MODE,
    GRAPHICS_MISCELLANEOUS,
    GRAPHICS_COLOUR_DONT_CARE,
    GRAPHICS_BIT_MASK,
    GRAPHICS_REGISTERS = 16,
};
enum {
    GRAPHICS_MODE_WRITE_MASK = 3,
    GRAPHICS_MODE_READ_COMPARE = 1 << 3,
    GRAPHICS_MODE_ODD_EVEN_READ = 1 << 4,
    GRAPHICS_MODE_SHIFT_INTERLEAVED = 1 << 5, /* CGA's two bits a pixel */
    GRAPHICS_MODE_SHIFT_256 = 1 << 6,
    GRAPHICS_MISCELLANEOUS_GRAPHICS = 1 << 0, /* not text */
    GRAPHICS_MISCELLANEOUS_CHAIN_ODD_EVEN = 1 << 1,
};

/* CRT controller registers. */
enum {
    CRTC_HORIZONTAL_TOTAL = 0x00,
    CRTC_HORIZONTAL_DISPLAY_END = 0x01,
    CRTC_VERTICAL_TOTAL = 0x06,
    CRTC_OVERFLOW = 0x07,
    CRTC_PRESET_ROW_SCAN = 0x08,
    CRTC_MAXIMUM_SCAN_LINE = 0x09,
    CRTC_CURSOR_START = 0x0A,
    CRTC_CURSOR_END = 0x0B,
    CRTC_START_ADDRESS_HIGH = 0x0C,
    CRTC_START_ADDRESS_LOW = 0x0D,
    CRTC_CURSOR_HIGH = 0x0E,
    CRTC_CURSOR_LOW = 0x0F,
    CRTC_VERTICAL_RETRACE_START = 0x10,
    CRTC_VERTICAL_RETRACE_END = 0x11,
    CRTC_VERTICAL_DISPLAY_END = 0x12,
    CRTC_OFFSET = 0x13,
    CRTC_UNDERLINE = 0x14,
    CRTC_MODE = 0x17,
    CRTC_LINE_COMPARE = 0x18,
    CRTC_LAST = CRTC_LINE_COMPARE,
    CRTC_LATCH = 0x22,           /* read-only, undocumented: the latch of the read map */
    CRTC_ATTRIBUTE_STATE = 0x24, /* read-only, undocumented: bit 7 tells what 3C0h expects */
    CRTC_ATTRIBUTE_INDEX = 0x26, /* read-only, undocumented */
    CRTC_REGISTERS = 32,
};
enum {
    CRTC_OVERFLOW_LINE_COMPARE = 1 << 4,
    CRTC_DOUBLE_SCAN = 1 << 7,        /* maximum scan line */
    CRTC_CURSOR_OFF = 1 << 5,         /* cursor start */
    CRTC_PROTECT = 1 << 7,            /* vertical retrace end */
    CRTC_DOUBLEWORD = 1 << 6,         /* underline location */
    CRTC_MODE_MAP_13 = 1 << 0,        /* 0: row scan bit 0 replaces address bit 13, as CGA has it */
    CRTC_MODE_MAP_14 = 1 << 1,        /* 0: row scan bit 1 replaces address bit 14, as Hercules */
    CRTC_MODE_HALF_VERTICAL = 1 << 2, /* vertical counts are of two lines each */
    CRTC_MODE_WRAP = 1 << 5,
    CRTC_MODE_BYTE = 1 << 6,
};

/* Attribute controller registers; 0 to 0Fh are the palette. */
enum {
    ATTRIBUTE_MODE = 0x10,
    ATTRIBUTE_OVERSCAN = 0x11,
    ATTRIBUTE_PLANE_ENABLE = 0x12,
    ATTRIBUTE_PANNING = 0x13,
    ATTRIBUTE_COLOUR_SELECT = 0x14,
    ATTRIBUTE_REGISTERS = 32,
};
enum {
    ATTRIBUTE_MODE_LINE_GRAPHICS = 1 << 2,
    ATTRIBUTE_MODE_BLINK = 1 << 3,
    ATTRIBUTE_MODE_PANNING_SPLIT = 1 << 5, /* panning ends at the line compare */
    ATTRIBUTE_MODE_SELECT_54 = 1 << 7,
    ATTRIBUTE_INDEX_SCREEN_ON = 1 << 5, /* in the index register */
};

/* Registers of the Bochs VBE extensions (index port 1CEh, data port 1CFh or 1D0h). */
enum {
    VBE_ID,
    VBE_X_RESOLUTION,
    VBE_Y_RESOLUTION,
    VBE_BITS_PER_PIXEL,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRTUAL_WIDTH,
    VBE_VIRTUAL_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_VIDEO_MEMORY_64K,
    VBE_REGISTERS = 16,
};
enum {
    VBE_ENABLED = 0x01,
    VBE_GET_CAPABILITIES = 0x02,
    VBE_8BIT_DAC = 0x20,
    VBE_LINEAR_FRAME_BUFFER = 0x40,
    VBE_KEEP_MEMORY = 0x80,
};

typedef struct VgaState {
    int64_t window_due_ns; /* when the A0000h window will be mapped directly */
    uint16_t vbe[VBE_REGISTERS];
    uint16_t vbe_index;
    uint8_t window_direct; /* the A0000h window is mapped onto vram, without callbacks */
    uint8_t miscellaneous_output, feature_control, video_enable;
    uint8_t sequencer_index, graphics_index, crtc_index;
    uint8_t attribute_index;     /* with the screen-on bit */
    uint8_t attribute_flip_flop; /* 1: 3C0h expects data */
    uint8_t dac_mask, dac_reading, dac_read_index, dac_write_index, dac_component;
    uint8_t sequencer[SEQUENCER_REGISTERS];
    uint8_t graphics[GRAPHICS_REGISTERS];
    uint8_t crtc[CRTC_REGISTERS];
    uint8_t attribute[ATTRIBUTE_REGISTERS];
    uint8_t latch[4];
    uint8_t dac_latch[3]; /* components written so far; the entry changes with the third */
    uint8_t dac[256][3];  /* red, green, blue: 6 bits, or 8 with VBE_8BIT_DAC */
    uint8_t padding[1];
} VgaState;

/* How an address in the window becomes a cell and planes. */
typedef enum VgaAddressing {
    ADDRESSING_PLANAR,
    ADDRESSING_ODD_EVEN,
    ADDRESSING_CHAIN_4,
    ADDRESSING_LINEAR, /* a VBE bank, plain bytes */
} VgaAddressing;

/* The registers that govern memory accesses, made ready for use: each 32-bit word has the byte of
 * plane p where a cell has it. */
typedef struct VgaMemoryDecode {
    uint32_t window_start, window_size; /* from A0000h; size 0: nothing answers */
    VgaAddressing write_addressing, read_addressing;
    bool chain_odd_even;
    bool direct;  /* the whole window acts as plain memory */
    bool special; /* the Cirrus has a hand in it (cirrus_memory.c) */
    /* What the two halves of 64 KB in the window begin with, in the unit of the addressing. */
    uint32_t bank[2];
    uint32_t map_mask, set_reset, enable_set_reset, bit_mask;
    uint32_t colour_compare, colour_care;
} VgaMemoryDecode;

/* One frame, in character clocks and scan lines. */
typedef struct VgaTiming {
    uint32_t characters, characters_shown;
    uint32_t lines, lines_shown;
    uint32_t retrace_start, retrace_lines;
    int64_t clock_hz; /* character clocks in 'clock_divisor' seconds */
    int64_t clock_divisor;
} VgaTiming;

/* A change of a register that the picture depends on (vga_frame_log.c). */
typedef enum VgaRegister {
    REGISTER_DAC,
    REGISTER_DAC_MASK,
    REGISTER_ATTRIBUTE,
    REGISTER_ATTRIBUTE_INDEX,
    REGISTER_CRTC,
    REGISTER_GRAPHICS,
    REGISTER_SEQUENCER,
} VgaRegister;

typedef struct VgaChange {
    int64_t time_ns;
    uint8_t file, index; /* VgaRegister; its number */
    uint8_t before[3], after[3];
} VgaChange;

enum { VGA_LOG_CHANGES = 8192 };

typedef struct VgaFrameLog {
    VgaChange *changes; /* VGA_LOG_CHANGES, a ring */
    uint64_t count;     /* ever noted; the latest is number count - 1 */
    uint64_t first;     /* number of the oldest that counts */
} VgaFrameLog;

typedef struct VgaPortWindow {
    Vga *vga;
    uint16_t first;
} VgaPortWindow;

enum { VGA_PORT_WINDOWS = 5 };

struct Vga {
    VgaState state;
    DeviceContext context;
    uint8_t *vram;       /* the adapter's memory, a region of the physical map */
    uint32_t vram_bytes; /* a power of two */
    uint8_t *flags;      /* of its pages */
    PciDevice *pci;
    VgaPortWindow windows[VGA_PORT_WINDOWS];
    Timer window_timer;
    VgaMemoryDecode decode;
    VgaTiming timing;
    VgaFrameLog log;
    bool frame_buffer_mapped, registers_mapped;
    uint32_t frame_buffer_base;
    uint32_t direct_bank[2]; /* what the directly mapped window shows */
    bool picture_changed;    /* a register that the picture depends on was written */
    uint64_t content_id;     /* of the latest picture drawn */
    uint64_t blink_phase;    /* at that time */
    uint8_t spread[256][8];  /* the bits of a byte, leftmost first, as one byte each */
    uint8_t *touched;        /* pages written by our own callbacks since the last picture */
    struct Cirrus *cirrus;   /* NULL: this is no Cirrus */
    uint8_t edid[EDID_SIZE];
};

/* What a store by our own callbacks sets: the picture knows of it by 'touched'. */
#define VGA_OWN_STORE (PAGE_DIRTY_ALL & ~PAGE_DIRTY_DISPLAY)

static inline uint32_t vga_pages(const Vga *vga) {
    return vga->vram_bytes / PAGE_SIZE;
}

/* vga_pci.c: places on the buses. */
enum { VGA_SUBSYSTEM_VENDOR_ID = 0x1AF4, VGA_SUBSYSTEM_ID = 0x1100 };
bool vga_add_standard(Vga *vga, PciBus *bus, const VgaConfig *config, Error *error);
bool vga_add_isa(Vga *vga);
/* Is there neither memory nor a device? */
bool vga_place_is_free(const PhysicalMap *memory, uint32_t base, uint32_t size);

/* vga_registers.c: the legacy ports 3B0h to 3DFh by number. */
uint8_t vga_port_read(Vga *vga, uint16_t port);
void vga_port_write(Vga *vga, uint16_t port, uint8_t value);
void vga_registers_reset(Vga *vga);
/* A snapshot may hold anything: clears bits that no register has. */
void vga_registers_restored(Vga *vga);

/* vga_memory.c */
extern const MmioRange vga_window_range;
void vga_memory_decode(Vga *vga);     /* after a change of registers */
void vga_memory_derive(Vga *vga);     /* the same, but the map stays as it is */
void vga_memory_map_window(Vga *vga); /* timer: maps the window directly if it still may be */
void vga_memory_restored(Vga *vga);
/* Before a store of ours that the physical map does not see, by a byte's place in video memory. */
void vga_memory_mark(Vga *vga, uint32_t vram_offset);

/* bochs_vbe.c */
uint16_t vbe_read(const Vga *vga, unsigned index);
void vbe_write(Vga *vga, unsigned index, uint16_t value);
void vbe_reset(Vga *vga);
void vbe_restored(Vga *vga);
static inline bool vbe_is_enabled(const VgaState *state) {
    return (state->vbe[VBE_ENABLE] & VBE_ENABLED) != 0;
}
uint32_t
vbe_pitch_bytes(const VgaState *state); /* from line to line; in plane bytes at 4 bits a pixel */
uint32_t vbe_start_address(const VgaState *state); /* of the picture, in the same unit */

/* vga_timing.c */

/* To be called when a register that the timing depends on was written. */
void vga_timing_update(Vga *vga);
/* Character clocks from the beginning of the virtual clock to then. */
uint64_t vga_characters_at(const Vga *vga, int64_t time_ns);
uint8_t vga_input_status_1(const Vga *vga);
/* Frames shown since the clock began: what blinks goes by it. */
uint64_t vga_frame_number(const Vga *vga);
uint32_t vga_vertical_display_lines(const VgaState *state);

/* vga_frame_log.c: what registers held while the beam drew the picture. */

/* Notes a change and makes it: 'after' has three bytes for the DAC, else one. */
void vga_change_register(Vga *vga, VgaRegister file, unsigned index, const uint8_t *after);
void vga_frame_log_clear(Vga *vga);

/* The registers as they were, from line to line of the picture. */
typedef struct VgaReplay {
    VgaState state; /* at the present line; first: when the start address was taken over */
    const Vga *vga;
    uint64_t next, last;                   /* changes of the present frame */
    uint64_t previous_next, previous_last; /* of the frame before, for lines not drawn yet */
    uint64_t frame_start, previous_start;  /* character clocks */
    int32_t beam;                          /* the last line that was drawn */
} VgaReplay;

/* Looks whether registers changed while the beam was on its way. False: the picture is what they
 * say now. */
bool vga_replay_start(const Vga *vga, VgaReplay *replay);
/* Makes 'state' what it was at that line; lines must ascend. True: something changed. */
bool vga_replay_go_to(VgaReplay *replay, uint32_t line);

/* vga_scan.c */

/* The CRT controller's way through memory, line by line. */
typedef struct VgaScan {
    uint32_t row_address; /* address counter at the left edge */
    uint32_t row_scan;    /* line within the row of characters */
    uint32_t line;        /* on the screen */
    uint32_t address_mask, further_offset;
    bool second_scan; /* of a doubled line */
    bool new_row;     /* this line is the first of a row */
    bool is_split;    /* the line compare was met */
} VgaScan;

/* 'state': the registers as they are at that line. */
void vga_scan_start(const Vga *vga, const VgaState *state, VgaScan *scan);
void vga_scan_next(const VgaState *state, VgaScan *scan);
/* Pixels by which the line is shifted to the left. */
uint32_t vga_scan_panning(const VgaState *state, const VgaScan *scan);
/* The cell that an address counter value selects. */
uint32_t vga_crtc_cell(const VgaState *state, uint32_t counter, uint32_t row_scan);

static inline bool vga_is_text(const VgaState *state) {
    return !vbe_is_enabled(state) &&
           (state->graphics[GRAPHICS_MISCELLANEOUS] & GRAPHICS_MISCELLANEOUS_GRAPHICS) == 0;
}
static inline uint32_t vga_columns(const VgaState *state) {
    return state->crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1u;
}

/* vga_render.c */

/* Was this run of video memory written since the latest picture? */
bool vga_was_written(const Vga *vga, uint64_t first_byte, uint32_t bytes);
/* The colour of an entry of the DAC. */
uint32_t vga_dac_colour(const VgaState *state, unsigned entry);
/* The DAC entry that the attribute controller selects for a colour number 0 to 15. */
unsigned vga_palette_entry(const VgaState *state, unsigned number);

/* vga_text.c */
typedef struct VgaTextStyle {
    uint32_t dots;    /* a character is wide: 8 or 9 */
    uint32_t font[2]; /* plane addresses: attribute bit 3 clear, set */
    uint32_t cursor;  /* address counter of the cursor; UINT32_MAX: not shown */
    uint32_t cursor_first, cursor_last, underline;
    bool line_graphics, blink, blink_hides;
} VgaTextStyle;

void vga_text_style(const Vga *vga, const VgaState *state, VgaTextStyle *style);
/* Changes whenever what blinks appears or disappears; 0 while nothing on the screen can blink. */
uint64_t vga_text_blink_phase(const Vga *vga);
/* One line as colour numbers 0 to 15, a byte a dot. */
void vga_text_draw_line(const Vga *vga, const VgaState *state, const VgaTextStyle *style,
                        const VgaScan *scan, uint32_t columns, uint8_t *dots);

/* vbe_render.c */
void vbe_render_size(const VgaState *state, uint32_t *width, uint32_t *height);
/* Draws the lines that changed, or all of them. */
void vbe_render_lines(Vga *vga, DisplaySurface *surface, bool all);

#endif

/* The processor's accesses to the GD5446: the banked window, linear memory, and registers in
 * memory.
 *
 * Callbacks of memory stay without effect on timers and the map (MmioRange.timeless): what they may
 * end, a blit from the system, is followed by a timer that was armed when it began. Registers can
 * begin one, so where those may be is a range of its own. */
#include "cirrus.h"
#include "little_endian.h"

enum {
    BLIT_APERTURE = 16 << 20, /* where the blitter's data port begins */
    MMIO_SIZE = 0x1000,
    MMIO_PORTS = 0x20, /* ports 3C0h to 3DFh */
    MMIO_BLIT = 0x100, /* the BitBLT registers */
    BLIT_REGISTERS = 0x100,
    MMIO_WINDOW = 0x18000, /* B8000h, from A0000h */
    WRITE_MODE_MASK = 7,
    WRITE_MODE_FOREGROUND = 4, /* and 5: each bit a pixel */
    WRITE_MODE_BOTH = 5,
};

/* ---- Registers in memory ---- */

/* By the offset: the graphics register that stands there; 0 elsewhere (GR0 stands at 0). */
static const uint8_t register_at[0x48] = {
    [0x00] = 0x00, [0x01] = 0x10, [0x02] = 0x12, [0x03] = 0x14, [0x04] = 0x01, [0x05] = 0x11,
    [0x06] = 0x13, [0x07] = 0x15, [0x08] = 0x20, [0x09] = 0x21, [0x0A] = 0x22, [0x0B] = 0x23,
    [0x0C] = 0x24, [0x0D] = 0x25, [0x0E] = 0x26, [0x0F] = 0x27, [0x10] = 0x28, [0x11] = 0x29,
    [0x12] = 0x2A, [0x14] = 0x2C, [0x15] = 0x2D, [0x16] = 0x2E, [0x17] = 0x2F, [0x18] = 0x30,
    [0x1A] = 0x32, [0x1B] = 0x33, [0x1C] = 0x34, [0x1D] = 0x35, [0x20] = 0x38, [0x21] = 0x39,
    [0x40] = 0x31,
};

static unsigned blit_register(uint32_t offset) {
    unsigned index = offset < sizeof register_at ? register_at[offset] : 0;
    return index != 0 || offset == 0 ? index : CIRRUS_GRAPHICS_REGISTERS;
}

static void write_blit_registers(Vga *vga, uint32_t offset, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        cirrus_set_graphics(vga, blit_register(offset + i), (uint8_t)(value >> 8 * i));
}

static uint32_t read_blit_registers(const Vga *vga, uint32_t offset, unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        unsigned index = blit_register(offset + i);
        uint32_t byte =
            index < CIRRUS_GRAPHICS_REGISTERS ? vga->cirrus->state.graphics[index] : 0xFF;
        value |= byte << 8 * i;
    }
    return value;
}

static uint32_t mmio_read(void *opaque, uint32_t offset, unsigned size) {
    Vga *vga = opaque;
    uint32_t value = 0;
    if (offset >= MMIO_BLIT)
        return read_blit_registers(vga, offset - MMIO_BLIT, size);
    for (unsigned i = 0; i < size; i++)
        value |=
            (offset + i < MMIO_PORTS ? vga_port_read(vga, (uint16_t)(0x3C0 + offset + i)) : 0xFFu)
            << 8 * i;
    return value;
}

static void mmio_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Vga *vga = opaque;
    if (offset >= MMIO_BLIT) {
        write_blit_registers(vga, offset - MMIO_BLIT, size, value);
        return;
    }
    for (unsigned i = 0; i < size && offset + i < MMIO_PORTS; i++)
        vga_port_write(vga, (uint16_t)(0x3C0 + offset + i), (uint8_t)(value >> 8 * i));
}

const MmioRange cirrus_mmio_range = {
    .name = "cirrus registers", .size = MMIO_SIZE, .read = mmio_read, .write = mmio_write};

uint8_t cirrus_mmio_bits(const Vga *vga) {
    return vga->cirrus->state.sequencer[SR17_CONFIGURATION] & (SR17_MMIO | SR17_MMIO_LINEAR);
}

/* ---- Video memory ---- */

static bool writes_pixels(const CirrusState *state) {
    uint8_t write_mode = state->graphics[GR5_MODE] & WRITE_MODE_MASK;
    return (state->graphics[GRB_EXTENSIONS] & GRB_EXTENDED_WRITE_MODES) != 0 &&
           (write_mode == WRITE_MODE_FOREGROUND || write_mode == WRITE_MODE_BOTH);
}

/* How far addresses are shifted: a byte stands for eight or sixteen. */
static unsigned address_shift(const CirrusState *state) {
    const uint8_t both = GRB_BY_16 | GRB_EXTENDED_WRITE_MODES;
    uint8_t extensions = state->graphics[GRB_EXTENSIONS];
    if ((extensions & both) == both)
        return 4;
    return (extensions & GRB_BY_8) != 0 ? 3 : 0;
}

static bool is_plain(const Vga *vga) {
    const CirrusState *state = &vga->cirrus->state;
    return state->blit.phase == BLIT_IDLE && address_shift(state) == 0 && !writes_pixels(state);
}

bool cirrus_linear_is_plain(const Vga *vga) {
    return is_plain(vga) && cirrus_mmio_bits(vga) != (SR17_MMIO | SR17_MMIO_LINEAR);
}

static void store(Vga *vga, uint32_t address, uint8_t value) {
    address &= vga->vram_bytes - 1;
    vga_memory_mark(vga, address);
    vga->vram[address] = value;
}

/* Write modes 4 and 5: each bit of the byte is a pixel of one byte or two. */
static void store_pixels(Vga *vga, uint32_t address, uint8_t bits, unsigned pixel_bytes) {
    const CirrusState *state = &vga->cirrus->state;
    const uint8_t *graphics = state->graphics;
    const uint8_t colours[2][2] = {
        {graphics[GRAPHICS_SET_RESET], graphics[GR10_BACKGROUND_1]},
        {graphics[GRAPHICS_ENABLE_SET_RESET], graphics[GR11_FOREGROUND_1]}};
    bool both = (graphics[GR5_MODE] & WRITE_MODE_MASK) == WRITE_MODE_BOTH;
    for (unsigned pixel = 0; pixel < 8; pixel++, address += pixel_bytes) {
        unsigned bit = bits >> (7 - pixel) & 1;
        if ((bit == 0 && !both) || (state->pixel_mask >> (7 - pixel) & 1) == 0)
            continue;
        for (unsigned i = 0; i < pixel_bytes; i++)
            store(vga, address + i, colours[bit][i]);
    }
}

/* By byte addresses of video memory before they are shifted. */
static void write_memory(Vga *vga, uint32_t address, unsigned size, uint32_t value) {
    const CirrusState *state = &vga->cirrus->state;
    if (state->blit.phase == BLIT_RECEIVING) {
        cirrus_blit_write(vga, size, value);
        return;
    }
    unsigned shift = address_shift(state);
    bool pixels = writes_pixels(state);
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        if (pixels)
            store_pixels(vga, (address + i) << shift, byte, shift == 4 ? 2 : 1);
        else
            store(vga, (address + i) << shift, byte);
    }
}

static uint32_t read_memory(Vga *vga, uint32_t address, unsigned size) {
    const CirrusState *state = &vga->cirrus->state;
    if (state->blit.phase == BLIT_SENDING)
        return cirrus_blit_read(vga, size);
    unsigned shift = address_shift(state);
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)vga->vram[((address + i) << shift) & (vga->vram_bytes - 1)] << 8 * i;
    return value;
}

/* ---- Linear memory ---- */

static bool is_mmio_in_linear(const Vga *vga, uint32_t offset) {
    return cirrus_mmio_bits(vga) == (SR17_MMIO | SR17_MMIO_LINEAR) &&
           offset - (vga->vram_bytes - BLIT_REGISTERS) < BLIT_REGISTERS;
}

static uint32_t linear_read(void *opaque, uint32_t offset, unsigned size) {
    Vga *vga = opaque;
    if (is_mmio_in_linear(vga, offset))
        return read_blit_registers(vga, offset % BLIT_REGISTERS, size);
    if (offset >= BLIT_APERTURE && vga->cirrus->state.blit.phase != BLIT_SENDING)
        return UINT32_MAX;
    return read_memory(vga, offset, size);
}

static void linear_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Vga *vga = opaque;
    if (is_mmio_in_linear(vga, offset))
        write_blit_registers(vga, offset % BLIT_REGISTERS, size, value);
    else if (offset < BLIT_APERTURE || vga->cirrus->state.blit.phase == BLIT_RECEIVING)
        write_memory(vga, offset, size, value);
}

static uint32_t aperture_read(void *opaque, uint32_t offset, unsigned size) {
    return linear_read(opaque, BLIT_APERTURE + offset, size);
}

static void aperture_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    linear_write(opaque, BLIT_APERTURE + offset, size, value);
}

/* The page in which registers may be. */
static uint32_t end_read(void *opaque, uint32_t offset, unsigned size) {
    const Vga *vga = opaque;
    return linear_read(opaque, vga->vram_bytes - PAGE_SIZE + offset, size);
}

static void end_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    const Vga *vga = opaque;
    linear_write(opaque, vga->vram_bytes - PAGE_SIZE + offset, size, value);
}

void cirrus_linear_ranges(Vga *vga, uint32_t base, MmioRange ranges[CIRRUS_LINEAR_RANGES]) {
    uint32_t end = base + vga->vram_bytes - PAGE_SIZE, aperture = base + BLIT_APERTURE;
    ranges[0] =
        (MmioRange){"cirrus memory", base, end - base, linear_read, linear_write, vga, true};
    ranges[1] = (MmioRange){"cirrus memory's end", end, PAGE_SIZE, end_read, end_write, vga, false};
    ranges[2] = (MmioRange){"cirrus blit data",
                            aperture,
                            CIRRUS_LINEAR_SIZE - BLIT_APERTURE,
                            aperture_read,
                            aperture_write,
                            vga,
                            true};
}

/* ---- The window ---- */

/* Bank registers count 4 KB or 16 KB; with one bank both halves of the window follow it. */
static void decode_banks(const CirrusState *state, VgaMemoryDecode *decode) {
    uint8_t extensions = state->graphics[GRB_EXTENSIONS];
    unsigned shift = (extensions & GRB_BANKS_OF_16K) != 0 ? 14 : 12;
    decode->bank[0] = (uint32_t)state->graphics[GR9_OFFSET_0] << shift;
    decode->bank[1] = decode->bank[0] + VGA_HALF_BANK;
    if ((extensions & GRB_TWO_BANKS) != 0)
        decode->bank[1] = (uint32_t)state->graphics[GRA_OFFSET_1] << shift;
}

void cirrus_decode(const Vga *vga, VgaMemoryDecode *decode) {
    const CirrusState *state = &vga->cirrus->state;
    decode_banks(state, decode);
    decode->special = !is_plain(vga) || cirrus_mmio_bits(vga) == SR17_MMIO;
    if (cirrus_is_packed(vga)) {
        decode->write_addressing = decode->read_addressing = ADDRESSING_LINEAR;
        decode->direct = true;
    }
    decode->direct &= is_plain(vga);
}

static uint32_t window_address(const VgaMemoryDecode *decode, uint32_t address) {
    address %= VGA_BANK_SIZE;
    return decode->bank[address / VGA_HALF_BANK] + address % VGA_HALF_BANK;
}

static bool is_mmio_in_window(const Vga *vga, uint32_t offset) {
    return cirrus_mmio_bits(vga) == SR17_MMIO && offset - MMIO_WINDOW < BLIT_REGISTERS;
}

/* Is an access at this place in the window other than the VGA's? */
static bool is_special(const Vga *vga, uint32_t address) {
    if (vga->cirrus->state.blit.phase != BLIT_IDLE)
        return true;
    return address < vga->decode.window_size && cirrus_is_packed(vga) && !is_plain(vga);
}

bool cirrus_window_write(Vga *vga, uint32_t offset, unsigned size, uint32_t value) {
    uint32_t address = offset - vga->decode.window_start;
    if (is_mmio_in_window(vga, offset))
        write_blit_registers(vga, offset % BLIT_REGISTERS, size, value);
    else if (is_special(vga, address))
        write_memory(vga, window_address(&vga->decode, address), size, value);
    else
        return false;
    return true;
}

bool cirrus_window_read(Vga *vga, uint32_t offset, unsigned size, uint32_t *value) {
    uint32_t address = offset - vga->decode.window_start;
    if (is_mmio_in_window(vga, offset))
        *value = read_blit_registers(vga, offset % BLIT_REGISTERS, size);
    else if (is_special(vga, address))
        *value = read_memory(vga, window_address(&vga->decode, address), size);
    else
        return false;
    return true;
}

/* ---- The window in two parts: while registers are in the second it is not timeless ---- */

static uint32_t registers_window_read(void *opaque, uint32_t offset, unsigned size) {
    return vga_window_range.read(opaque, MMIO_WINDOW + offset, size);
}

static void registers_window_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    vga_window_range.write(opaque, MMIO_WINDOW + offset, size, value);
}

void cirrus_split_window(Vga *vga, bool split) {
    PhysicalMap *memory = vga->context.memory;
    if (split == vga->cirrus->window_split)
        return;
    vga->cirrus->window_split = split;
    MmioRange first = vga_window_range;
    MmioRange second = {"vga memory and registers",
                        VGA_WINDOW_BASE + MMIO_WINDOW,
                        VGA_WINDOW_SIZE - MMIO_WINDOW,
                        registers_window_read,
                        registers_window_write,
                        vga,
                        false};
    first.opaque = vga;
    physical_map_remove_mmio(memory, VGA_WINDOW_BASE, vga);
    if (split) {
        first.size = MMIO_WINDOW;
        physical_map_add_mmio(memory, &second, NULL);
    } else {
        physical_map_remove_mmio(memory, second.base, vga);
    }
    physical_map_add_mmio(memory, &first, NULL);
}

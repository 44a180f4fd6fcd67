/* Accesses to video memory through the window at A0000h to BFFFFh.
 *
 * A cell's four plane bytes are worked on as one 32-bit word in the host's own byte order: every
 * operation here is the same for each byte, and masks are built bytewise, so that the order does
 * not matter.
 *
 * In chain-4 and linear modes with nothing in the way (write mode 0, all planes, no set/reset, no
 * rotation or logic, all bits) the window is plain memory, and the physical map can show it to
 * translated code without callbacks. Since a change of the map costs the translator dearly, that is
 * done only after the registers stood still for a while, and taken back at once when they change.
 * The latches are then not loaded by reads; nothing but a later change to another write mode could
 * tell. */
#include "cirrus.h"
#include "little_endian.h"
#include <string.h>

/* Until a window that may be plain memory becomes it. */
#define WINDOW_SETTLE_NS 20000000

enum { FUNCTION_SHIFT = 3, ROTATE_MASK = 7 };

static uint32_t word_of_byte(uint32_t value) {
    return value * 0x01010101u;
}

/* FFh in the byte of each plane whose bit is set. */
static inline uint32_t word_of_planes(unsigned planes) {
    // clang-format off
    static const uint8_t bytes[16][4] = {
        {0x00, 0x00, 0x00, 0x00}, {0xFF, 0x00, 0x00, 0x00}, {0x00, 0xFF, 0x00, 0x00}, {0xFF, 0xFF, 0x00, 0x00},
        {0x00, 0x00, 0xFF, 0x00}, {0xFF, 0x00, 0xFF, 0x00}, {0x00, 0xFF, 0xFF, 0x00}, {0xFF, 0xFF, 0xFF, 0x00},
        {0x00, 0x00, 0x00, 0xFF}, {0xFF, 0x00, 0x00, 0xFF}, {0x00, 0xFF, 0x00, 0xFF}, {0xFF, 0xFF, 0x00, 0xFF},
        {0x00, 0x00, 0xFF, 0xFF}, {0xFF, 0x00, 0xFF, 0xFF}, {0x00, 0xFF, 0xFF, 0xFF}, {0xFF, 0xFF, 0xFF, 0xFF}};
    // clang-format on
    uint32_t word;
    memcpy(&word, bytes[planes & 0x0F], sizeof word);
    return word;
}

static uint32_t cell_load(const Vga *vga, uint32_t cell) {
    uint32_t word;
    memcpy(&word, &vga->vram[4 * cell], sizeof word);
    return word;
}

/* Before a store of ours that the physical map does not see. */
static inline void mark_page(Vga *vga, uint32_t vram_offset) {
    uint32_t page = vram_offset >> PAGE_BITS;
    if (__builtin_expect((vga->flags[page] & PAGE_CODE) != 0 && vga->frame_buffer_mapped, 0))
        physical_map_touch(vga->context.memory, vga->frame_buffer_base + vram_offset, 1);
    physical_map_mark_page(vga->context.memory, &vga->flags[page], VGA_OWN_STORE);
    vga->touched[page] = 1;
}

void vga_memory_mark(Vga *vga, uint32_t vram_offset) {
    mark_page(vga, vram_offset);
}

/* ---- Address decoding ---- */

typedef struct CellAddress {
    uint32_t cell;
    uint32_t planes; /* that this address can reach */
} CellAddress;

/* An address in the 64 KB of the window, with the bank that its half shows. */
static inline uint32_t add_bank(const VgaMemoryDecode *decode, uint32_t low) {
    return decode->bank[low / VGA_HALF_BANK] + low % VGA_HALF_BANK;
}

static inline CellAddress decode_address(const Vga *vga, VgaAddressing addressing,
                                         uint32_t address) {
    const VgaMemoryDecode *decode = &vga->decode;
    CellAddress result = {0, UINT32_MAX};
    uint32_t low = address % VGA_BANK_SIZE;
    switch (addressing) {
    case ADDRESSING_CHAIN_4:
        result.cell = add_bank(decode, low) >> 2;
        result.planes = word_of_planes(1u << (address & 3));
        break;
    case ADDRESSING_ODD_EVEN:
        if (decode->chain_odd_even)
            low = (low & ~1u) | address >> 16;
        result.cell = add_bank(decode, low);
        result.planes = word_of_planes(0x5u << (address & 1));
        break;
    default:
        result.cell = add_bank(decode, low);
        break;
    }
    result.cell &= vga->vram_bytes / 4 - 1;
    return result;
}

/* ---- Writing ---- */

static inline uint32_t rotate_right(uint32_t byte, unsigned count) {
    return (byte >> count | byte << (8 - count)) & 0xFF;
}

static inline uint32_t apply_function(uint32_t value, uint32_t latch, unsigned function) {
    switch (function) {
    case 1:
        return value & latch;
    case 2:
        return value | latch;
    case 3:
        return value ^ latch;
    default:
        return value;
    }
}

/* The way of a processor byte through the graphics controller in write mode 0, 2 or 3. */
static inline uint32_t pipeline(const Vga *vga, uint32_t value, uint32_t latch) {
    const VgaMemoryDecode *decode = &vga->decode;
    const uint8_t *graphics = vga->state.graphics;
    unsigned rotate = graphics[GRAPHICS_DATA_ROTATE] & ROTATE_MASK;
    uint32_t bit_mask = decode->bit_mask, word;
    switch (graphics[GRAPHICS_MODE] & GRAPHICS_MODE_WRITE_MASK) {
    case 0:
        word = word_of_byte(rotate_right(value, rotate));
        word = (word & ~decode->enable_set_reset) | (decode->set_reset & decode->enable_set_reset);
        break;
    case 2:
        word = word_of_planes(value & 0x0F);
        break;
    default:
        bit_mask &= word_of_byte(rotate_right(value, rotate));
        word = decode->set_reset;
        break;
    }
    word = apply_function(word, latch, graphics[GRAPHICS_DATA_ROTATE] >> FUNCTION_SHIFT);
    return (word & bit_mask) | (latch & ~bit_mask);
}

static inline void write_byte(Vga *vga, uint32_t address, uint32_t value) {
    const VgaMemoryDecode *decode = &vga->decode;
    CellAddress target = decode_address(vga, decode->write_addressing, address);
    uint32_t latch;
    memcpy(&latch, vga->state.latch, sizeof latch);
    uint32_t word = latch; /* write mode 1 */
    if ((vga->state.graphics[GRAPHICS_MODE] & GRAPHICS_MODE_WRITE_MASK) != 1)
        word = pipeline(vga, value, latch);
    uint32_t planes = target.planes & decode->map_mask;
    uint32_t cell = cell_load(vga, target.cell);
    cell = (cell & ~planes) | (word & planes);
    mark_page(vga, 4 * target.cell);
    memcpy(&vga->vram[4 * target.cell], &cell, sizeof cell);
}

static void window_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Vga *vga = opaque;
    const VgaMemoryDecode *decode = &vga->decode;
    uint32_t address = offset - decode->window_start;
    if (decode->special && cirrus_window_write(vga, offset, size, value))
        return;
    if (address >= decode->window_size)
        return;
    if (decode->direct) {
        uint32_t target = add_bank(decode, address % VGA_BANK_SIZE) & (vga->vram_bytes - 1);
        mark_page(vga, target);
        store_le(&vga->vram[target], size, value);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        write_byte(vga, address + i, value >> 8 * i & 0xFF);
}

/* ---- Reading ---- */

static inline uint32_t read_byte(Vga *vga, uint32_t address) {
    const VgaMemoryDecode *decode = &vga->decode;
    const uint8_t *graphics = vga->state.graphics;
    CellAddress source = decode_address(vga, decode->read_addressing, address);
    uint32_t cell = cell_load(vga, source.cell);
    memcpy(vga->state.latch, &cell, sizeof cell);
    if ((graphics[GRAPHICS_MODE] & GRAPHICS_MODE_READ_COMPARE) != 0) {
        uint32_t differ = (cell ^ decode->colour_compare) & decode->colour_care;
        differ |= differ >> 16;
        return ~(differ | differ >> 8) & 0xFF;
    }
    unsigned plane = graphics[GRAPHICS_READ_MAP];
    if (decode->read_addressing == ADDRESSING_CHAIN_4)
        plane = address & 3;
    else if (decode->read_addressing == ADDRESSING_ODD_EVEN)
        plane = (plane & 2) | (address & 1);
    return vga->state.latch[plane];
}

static uint32_t window_read(void *opaque, uint32_t offset, unsigned size) {
    Vga *vga = opaque;
    const VgaMemoryDecode *decode = &vga->decode;
    uint32_t address = offset - decode->window_start, answer;
    if (decode->special && cirrus_window_read(vga, offset, size, &answer))
        return answer;
    if (address >= decode->window_size)
        return UINT32_MAX;
    if (decode->read_addressing == ADDRESSING_LINEAR) {
        uint32_t source = add_bank(decode, address % VGA_BANK_SIZE) & (vga->vram_bytes - 1);
        return (uint32_t)load_le(&vga->vram[source], size);
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= read_byte(vga, address + i) << 8 * i;
    return value;
}

const MmioRange vga_window_range = {
    .name = "vga memory",
    .base = VGA_WINDOW_BASE,
    .size = VGA_WINDOW_SIZE,
    .read = window_read,
    .write = window_write,
    .timeless = true,
};

/* ---- The window as plain memory ---- */

static void window_show(Vga *vga, bool direct) {
    PhysicalMap *memory = vga->context.memory;
    const uint32_t *bank = vga->decode.bank;
    if (!direct) {
        physical_map_remove(memory, VGA_WINDOW_BASE, VGA_BANK_SIZE);
        return;
    }
    memcpy(vga->direct_bank, bank, sizeof vga->direct_bank);
    bool one = bank[1] == bank[0] + VGA_HALF_BANK;
    physical_map_set_shadow(memory, VGA_WINDOW_BASE, one ? VGA_BANK_SIZE : VGA_HALF_BANK,
                            vga->vram + bank[0], vga->vram + bank[0],
                            vga->flags + bank[0] / PAGE_SIZE);
    if (!one)
        physical_map_set_shadow(memory, VGA_WINDOW_BASE + VGA_HALF_BANK, VGA_HALF_BANK,
                                vga->vram + bank[1], vga->vram + bank[1],
                                vga->flags + bank[1] / PAGE_SIZE);
}

/* Can the window be shown as plain memory? */
static bool is_direct_possible(const Vga *vga) {
    const VgaMemoryDecode *decode = &vga->decode;
    uint32_t last = vga->vram_bytes - VGA_HALF_BANK;
    return decode->direct && decode->window_start == 0 && decode->window_size >= VGA_BANK_SIZE &&
           decode->bank[0] <= last && decode->bank[1] <= last;
}

/* Follows the decoding: a window that is no longer plain goes at once, one that is now plain comes
 * after a while. */
static void update_window(Vga *vga) {
    VgaState *state = &vga->state;
    bool possible = is_direct_possible(vga);
    if (state->window_direct != 0) {
        if (possible && memcmp(vga->decode.bank, vga->direct_bank, sizeof vga->direct_bank) == 0)
            return;
        state->window_direct = 0;
        window_show(vga, false);
    }
    if (possible)
        timer_arm(&vga->window_timer, clock_now_ns(vga->context.clock) + WINDOW_SETTLE_NS);
    else if (timer_is_armed(&vga->window_timer))
        timer_cancel(&vga->window_timer);
}

void vga_memory_map_window(Vga *vga) {
    vga->state.window_direct = 1;
    window_show(vga, true);
}

static void decode_window(Vga *vga, VgaMemoryDecode *decode) {
    static const struct {
        uint32_t start, size;
    } windows[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    const VgaState *state = &vga->state;
    unsigned select = state->graphics[GRAPHICS_MISCELLANEOUS] >> 2 & 3;
    if (vbe_is_enabled(state))
        select = 1;
    decode->window_start = windows[select].start;
    decode->window_size = windows[select].size;
    if ((state->miscellaneous_output & MISC_RAM_ENABLE) == 0 && !vbe_is_enabled(state))
        decode->window_size = 0;
}

static void decode_addressing(const VgaState *state, VgaMemoryDecode *decode) {
    uint8_t mode = state->sequencer[SEQUENCER_MEMORY_MODE];
    bool vbe = vbe_is_enabled(state);
    decode->bank[0] = vbe ? state->vbe[VBE_BANK] * VGA_BANK_SIZE : 0;
    decode->bank[1] = decode->bank[0] + VGA_HALF_BANK;
    decode->chain_odd_even =
        (state->graphics[GRAPHICS_MISCELLANEOUS] & GRAPHICS_MISCELLANEOUS_CHAIN_ODD_EVEN) != 0;
    if (vbe && state->vbe[VBE_BITS_PER_PIXEL] != 4) {
        decode->write_addressing = decode->read_addressing = ADDRESSING_LINEAR;
    } else if ((mode & MEMORY_MODE_CHAIN_4) != 0) {
        decode->write_addressing = decode->read_addressing = ADDRESSING_CHAIN_4;
    } else {
        bool odd_even_write = (mode & MEMORY_MODE_SEQUENTIAL) == 0;
        bool odd_even_read = (state->graphics[GRAPHICS_MODE] & GRAPHICS_MODE_ODD_EVEN_READ) != 0;
        decode->write_addressing = odd_even_write ? ADDRESSING_ODD_EVEN : ADDRESSING_PLANAR;
        decode->read_addressing = odd_even_read ? ADDRESSING_ODD_EVEN : ADDRESSING_PLANAR;
    }
}

/* Whether the window's bytes are stored as they come and read as they were stored. */
static bool is_plain_memory(const VgaState *state, const VgaMemoryDecode *decode) {
    if (decode->write_addressing == ADDRESSING_LINEAR)
        return true;
    return decode->write_addressing == ADDRESSING_CHAIN_4 &&
           state->sequencer[SEQUENCER_MAP_MASK] == 0x0F &&
           (state->graphics[GRAPHICS_MODE] &
            (GRAPHICS_MODE_WRITE_MASK | GRAPHICS_MODE_READ_COMPARE)) == 0 &&
           state->graphics[GRAPHICS_ENABLE_SET_RESET] == 0 &&
           state->graphics[GRAPHICS_DATA_ROTATE] == 0 && state->graphics[GRAPHICS_BIT_MASK] == 0xFF;
}

void vga_memory_derive(Vga *vga) {
    const VgaState *state = &vga->state;
    VgaMemoryDecode *decode = &vga->decode;
    decode_window(vga, decode);
    decode_addressing(state, decode);
    decode->map_mask = word_of_planes(state->sequencer[SEQUENCER_MAP_MASK]);
    decode->set_reset = word_of_planes(state->graphics[GRAPHICS_SET_RESET]);
    decode->enable_set_reset = word_of_planes(state->graphics[GRAPHICS_ENABLE_SET_RESET]);
    decode->bit_mask = word_of_byte(state->graphics[GRAPHICS_BIT_MASK]);
    decode->colour_compare = word_of_planes(state->graphics[GRAPHICS_COLOUR_COMPARE]);
    decode->colour_care = word_of_planes(state->graphics[GRAPHICS_COLOUR_DONT_CARE]);
    decode->direct = is_plain_memory(state, decode);
    if (vga->cirrus != NULL)
        cirrus_decode(vga, decode);
}

void vga_memory_decode(Vga *vga) {
    vga_memory_derive(vga);
    update_window(vga);
}

void vga_memory_restored(Vga *vga) {
    vga_memory_derive(vga);
    if (!is_direct_possible(vga))
        vga->state.window_direct = 0;
    window_show(vga, vga->state.window_direct != 0);
}

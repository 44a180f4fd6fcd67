/* Video memory through the window: every write mode, read mode and way of addressing against a
 * model that works bit by bit, and the window as plain memory. */
#include "vga_board.h"

static VgaBoard board;

/* ---- The model: IBM's description, one bit of one plane at a time ---- */

typedef struct Model {
    uint8_t plane[4][0x10000];
    uint8_t latch[4];
    uint8_t sequencer[5], graphics[9];
} Model;

static Model model;

static unsigned bit_of(unsigned value, unsigned bit) {
    return value >> bit & 1;
}

static unsigned logic(unsigned function, unsigned data, unsigned latch) {
    return function == 0   ? data
           : function == 1 ? (data & latch)
           : function == 2 ? (data | latch)
                           : (data ^ latch);
}

static unsigned model_bit(unsigned plane, unsigned bit, uint8_t value) {
    const uint8_t *gc = model.graphics;
    unsigned latch = bit_of(model.latch[plane], bit);
    unsigned rotated = bit_of(value, (bit + (gc[3] & 7)) % 8);
    unsigned function = gc[3] >> 3 & 3;
    unsigned masked = bit_of(gc[8], bit);
    switch (gc[5] & 3) {
    case 0: {
        unsigned data = bit_of(gc[1], plane) != 0 ? bit_of(gc[0], plane) : rotated;
        return masked != 0 ? logic(function, data, latch) : latch;
    }
    case 1:
        return latch;
    case 2:
        return masked != 0 ? logic(function, bit_of(value, plane), latch) : latch;
    default:
        return masked != 0 && rotated != 0 ? logic(function, bit_of(gc[0], plane), latch) : latch;
    }
}

/* Where an address in the window goes: the plane address, and the planes it can reach. */
static uint32_t model_place(uint32_t address, bool odd_even, unsigned *planes) {
    *planes = 0xF;
    if ((model.sequencer[4] & 8) != 0) {
        *planes = 1u << (address & 3);
        return (address & 0xFFFF) >> 2;
    }
    if (odd_even) {
        *planes = (address & 1) != 0 ? 0xA : 0x5;
        if ((model.graphics[6] & 2) != 0)
            return (address & 0xFFFE) | address >> 16;
    }
    return address & 0xFFFF;
}

static void model_write(uint32_t address, uint8_t value) {
    unsigned planes;
    uint32_t at = model_place(address, (model.sequencer[4] & 4) == 0, &planes);
    planes &= model.sequencer[2];
    for (unsigned plane = 0; plane < 4; plane++)
        if (bit_of(planes, plane) != 0) {
            unsigned result = 0;
            for (unsigned bit = 0; bit < 8; bit++)
                result |= model_bit(plane, bit, value) << bit;
            model.plane[plane][at] = (uint8_t)result;
        }
}

static uint8_t model_read(uint32_t address) {
    const uint8_t *gc = model.graphics;
    unsigned planes;
    bool odd_even = (gc[5] & 0x10) != 0;
    uint32_t at = model_place(address, odd_even, &planes);
    for (unsigned plane = 0; plane < 4; plane++)
        model.latch[plane] = model.plane[plane][at];
    if ((gc[5] & 8) != 0) {
        unsigned result = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned equal = 1;
            for (unsigned plane = 0; plane < 4; plane++)
                if (bit_of(gc[7], plane) != 0 &&
                    bit_of(model.latch[plane], bit) != bit_of(gc[2], plane))
                    equal = 0;
            result |= equal << bit;
        }
        return (uint8_t)result;
    }
    if ((model.sequencer[4] & 8) != 0)
        return model.latch[address & 3];
    return model.latch[odd_even ? (gc[4] & 2u) | (address & 1) : gc[4]];
}

/* ---- Both side by side ---- */

static uint64_t random_state;

static uint32_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static void set_sequencer(uint8_t index, uint8_t value) {
    static const uint8_t bits[5] = {3, 0x3D, 0xF, 0x3F, 0xE};
    model.sequencer[index] = value & bits[index];
    set_indexed(&board, 0x3C4, index, value);
}

static void set_graphics(uint8_t index, uint8_t value) {
    static const uint8_t bits[9] = {0xF, 0xF, 0xF, 0x1F, 3, 0x7B, 0xF, 0xF, 0xFF};
    model.graphics[index] = value & bits[index];
    set_indexed(&board, 0x3CE, index, value);
}

static void check_planes(void) {
    for (uint32_t at = 0; at < 0x10000; at++)
        for (unsigned plane = 0; plane < 4; plane++)
            if (board.vga->vram[4 * at + plane] != model.plane[plane][at])
                ck_abort_msg("plane %u at %04Xh: %02Xh, expected %02Xh", plane, at,
                             board.vga->vram[4 * at + plane], model.plane[plane][at]);
}

static void access_randomly(uint32_t window, uint32_t size) {
    unsigned width = 1u << next_random() % 3;
    uint32_t offset = next_random() % size & ~(width - 1);
    if (next_random() % 2 != 0) {
        uint32_t value = next_random();
        physical_write(board.memory, window + offset, width, value);
        for (unsigned i = 0; i < width; i++)
            model_write(offset + i, (uint8_t)(value >> 8 * i));
        return;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint32_t)model_read(offset + i) << 8 * i;
    ck_assert_uint_eq(physical_read(board.memory, window + offset, width), value);
}

static void run_against_model(uint8_t memory_mode, uint8_t graphics_mode, uint8_t miscellaneous,
                              uint32_t window, uint32_t size) {
    board_create(&board);
    memset(&model, 0, sizeof model);
    random_state = 88172645463325252u;
    out8(&board, 0x3C2, 0x63);
    set_sequencer(4, memory_mode);
    set_graphics(6, miscellaneous);
    for (int round = 0; round < 2000; round++) {
        set_sequencer(2, (uint8_t)(next_random() % 4 != 0 ? next_random() : 0x0F));
        set_graphics(5, graphics_mode | (next_random() & 0x0B));
        for (uint8_t index = 0; index < 9; index++)
            if (index != 5 && index != 6 && next_random() % 3 == 0)
                set_graphics(index, (uint8_t)next_random());
        for (int i = 0; i < 20; i++)
            access_randomly(window, size);
    }
    check_planes();
    board_destroy(&board);
}

START_TEST(planar) {
    run_against_model(0x06, 0x00, 0x05, 0xA0000, 0x10000);
}
END_TEST

START_TEST(planar_in_128k) {
    run_against_model(0x06, 0x00, 0x01, 0xA0000, 0x20000);
}
END_TEST

START_TEST(odd_even_text) {
    run_against_model(0x02, 0x10, 0x0E, 0xB8000, 0x8000);
}
END_TEST

START_TEST(odd_even_in_128k) {
    run_against_model(0x02, 0x10, 0x02, 0xA0000, 0x20000);
}
END_TEST

START_TEST(odd_even_without_chaining) {
    run_against_model(0x02, 0x10, 0x08, 0xB0000, 0x8000);
}
END_TEST

START_TEST(chain_4) {
    run_against_model(0x0E, 0x40, 0x05, 0xA0000, 0x10000);
}
END_TEST

START_TEST(only_the_selected_window_answers) {
    static const struct {
        uint8_t select;
        uint32_t first, last;
    } rows[] = {{0x00, 0xA0000, 0xBFFFF},
                {0x04, 0xA0000, 0xAFFFF},
                {0x08, 0xB0000, 0xB7FFF},
                {0x0C, 0xB8000, 0xBFFFF}};
    board_create(&board);
    board_set_mode(&board, &mode_12h);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_indexed(&board, 0x3CE, GRAPHICS_MISCELLANEOUS, rows[i].select | 1);
        for (uint32_t address = 0xA0000; address < 0xC0000; address += 0xFFF)
            poke(&board, address, 0x42);
        for (uint32_t address = 0xA0000; address < 0xC0000; address += 0xFFF) {
            bool inside = address >= rows[i].first && address <= rows[i].last;
            ck_assert_uint_eq(peek(&board, address), inside ? 0x42 : 0xFF);
        }
    }
    out8(&board, 0x3C2, mode_12h.miscellaneous & ~MISC_RAM_ENABLE);
    ck_assert_uint_eq(peek(&board, 0xB8000), 0xFF);
    board_destroy(&board);
}
END_TEST

/* ---- The window as plain memory ---- */

static int layout_changes;

static void count_layout_change(void *opaque, uint32_t first_page, uint32_t pages) {
    (void)opaque;
    ck_assert_uint_eq(first_page, 0xA0);
    ck_assert_uint_eq(pages, 16);
    layout_changes++;
}

static bool window_is_direct(void) {
    return physical_map_page(board.memory, 0xA0).write != NULL;
}

static void wait_ns(int64_t ns) {
    board.clock.stopped_ns += ns;
    clock_run_due(&board.clock);
}

START_TEST(mode_13h_becomes_plain_memory) {
    board_create(&board);
    board_set_mode(&board, &mode_13h);
    physical_map_add_hooks(board.memory,
                           &(PhysicalMapHooks){.layout_changed = count_layout_change});
    layout_changes = 0;
    poke(&board, 0xA0123, 0x11);
    ck_assert(!window_is_direct());
    wait_ns(10000000);
    ck_assert(!window_is_direct());
    wait_ns(10000000);
    ck_assert(window_is_direct());
    ck_assert_int_eq(layout_changes, 1);
    ck_assert_uint_eq(peek(&board, 0xA0123), 0x11);
    poke(&board, 0xA0124, 0x22);
    ck_assert_uint_eq(board.vga->vram[0x124], 0x22);
    ck_assert_uint_eq(peek(&board, 0xB0000), 0xFF);
    /* What is written so is drawn. */
    vga_render(board.vga, &board.surface);
    ck_assert(!vga_render(board.vga, &board.surface));
    poke(&board, 0xA0000, 0x33);
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert_uint_eq(pixel(&board, 0, 0), test_colour(0x33));
    /* Palette and start address leave it alone, a map mask ends it at once. */
    set_dac(&board, 3, 1, 2, 3);
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, 8);
    ck_assert_int_eq(layout_changes, 1);
    set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, 0x01);
    ck_assert(!window_is_direct());
    poke(&board, 0xA0124, 0x44);
    poke(&board, 0xA0125, 0x44);
    ck_assert_uint_eq(board.vga->vram[0x124], 0x44);
    ck_assert_uint_eq(board.vga->vram[0x125], 0x00);
    board_destroy(&board);
}
END_TEST

START_TEST(only_plain_chain_4_becomes_plain_memory) {
    static const struct {
        uint16_t port;
        uint8_t index, value;
    } obstacles[] = {{0x3C4, 2, 0x07}, {0x3C4, 4, 0x06}, {0x3CE, 1, 0x01},
                     {0x3CE, 3, 0x08}, {0x3CE, 3, 0x01}, {0x3CE, 5, 0x41},
                     {0x3CE, 5, 0x48}, {0x3CE, 8, 0xFE}, {0x3CE, 6, 0x0D}};
    board_create(&board);
    for (size_t i = 0; i < sizeof obstacles / sizeof obstacles[0]; i++) {
        board_set_mode(&board, &mode_13h);
        wait_ns(NS_PER_SECOND);
        ck_assert(window_is_direct());
        set_indexed(&board, obstacles[i].port, obstacles[i].index, obstacles[i].value);
        ck_assert(!window_is_direct());
        wait_ns(NS_PER_SECOND);
        ck_assert(!window_is_direct());
    }
    /* Registers that change all the time never settle. */
    board_set_mode(&board, &mode_13h);
    for (int i = 0; i < 100; i++) {
        set_indexed(&board, 0x3CE, 8, i % 2 != 0 ? 0x00 : 0xFF);
        wait_ns(5000000);
        ck_assert(!window_is_direct());
    }
    board_destroy(&board);
}
END_TEST

/* Code that was translated from a page is reported before it changes, through whatever window. */
static uint32_t changed_address;

static void note_code_change(void *opaque, uint32_t address, uint32_t size) {
    (void)opaque;
    (void)size;
    changed_address = address;
}

START_TEST(code_in_video_memory_is_reported) {
    board_create(&board);
    board_set_mode(&board, &mode_12h);
    physical_map_add_hooks(board.memory, &(PhysicalMapHooks){.code_changes = note_code_change});
    uint8_t *flags = physical_map_page(board.memory, BOARD_FRAME_BUFFER >> PAGE_BITS).flags;
    flags[1] |= PAGE_CODE;
    changed_address = 0;
    poke(&board, 0xA0000, 1);
    ck_assert_uint_eq(changed_address, 0);
    poke(&board, 0xA0400, 1);
    ck_assert_uint_eq(changed_address, BOARD_FRAME_BUFFER + PAGE_SIZE);
    flags[1] |= PAGE_CODE;
    changed_address = 0;
    set_vbe_mode(&board, 640, 480, 8);
    ck_assert_uint_ne(changed_address, 0);
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        planar,
        planar_in_128k,
        odd_even_text,
        odd_even_in_128k,
        odd_even_without_chaining,
        chain_4,
        only_the_selected_window_answers,
        mode_13h_becomes_plain_memory,
        only_plain_chain_4_becomes_plain_memory,
        code_in_video_memory_is_reported,
        NULL,
    };
    return board_run_suite("vga memory", tests);
}

/* The Cirrus GD5446: its registers and their lock, banks, linear memory, packed modes, the cursor
 * and the BitBLT engine, which a model in plain C is compared with. */
#include "cirrus.h"
#include "little_endian.h"
#include "vga_board.h"

static VgaBoard board;

enum { PITCH = 1024 };

static void set_seq(uint8_t index, uint8_t value) {
    set_indexed(&board, 0x3C4, index, value);
}

static void set_gfx(uint8_t index, uint8_t value) {
    set_indexed(&board, 0x3CE, index, value);
}

static uint8_t get_indexed(uint16_t port, uint8_t index) {
    out8(&board, port, index);
    return in8(&board, (uint16_t)(port + 1));
}

static void set_hidden_dac(uint8_t value) {
    in8(&board, 0x3C8);
    for (int i = 0; i < 4; i++)
        in8(&board, 0x3C6);
    out8(&board, 0x3C6, value);
}

/* 640x480 with packed pixels, 1024 bytes a line where that is enough. */
static void set_packed_mode(uint8_t format, uint8_t hidden_dac, uint16_t pitch) {
    board_set_mode(&board, &mode_12h);
    set_seq(SR6_UNLOCK, 0x12);
    set_seq(SR7_EXTENDED_MODE, (uint8_t)(format << 1 | SR7_PACKED_PIXELS));
    set_seq(SEQUENCER_MEMORY_MODE, 0x0E);
    set_gfx(GRAPHICS_MODE, 0x40);
    set_indexed(&board, 0x3D4, CRTC_OFFSET, (uint8_t)(pitch / 8));
    set_indexed(&board, 0x3D4, CR1B_EXTENDED_DISPLAY, (uint8_t)(0x02 | (pitch / 8 >> 8) << 4));
    set_hidden_dac(hidden_dac);
}

static void start(void) {
    board_create_model(&board, VGA_CIRRUS);
    set_packed_mode(0, 0, PITCH);
}

START_TEST(extensions_are_locked_until_the_key_comes) {
    board_create_model(&board, VGA_CIRRUS);
    ck_assert_uint_eq(pci_device_get(pci_bus_device(board.bus, 2, 0), 0, 4), 0x00B81013);
    out8(&board, 0x3C2, MISC_COLOUR);
    ck_assert_uint_eq(get_indexed(0x3C4, SR6_UNLOCK), 0x0F);
    set_seq(0x09, 0x55);
    set_gfx(GR9_OFFSET_0, 0x55);
    ck_assert_uint_eq(get_indexed(0x3D4, CR27_ID), 0xFF);
    set_seq(SR6_UNLOCK, 0xB2); /* xxx1x010 */
    ck_assert_uint_eq(get_indexed(0x3C4, SR6_UNLOCK), 0x12);
    ck_assert_uint_eq(get_indexed(0x3C4, 0x09), 0);
    ck_assert_uint_eq(get_indexed(0x3CE, GR9_OFFSET_0), 0);
    ck_assert_uint_eq(get_indexed(0x3D4, CR27_ID), 0xB8);
    ck_assert_uint_eq(get_indexed(0x3C4, 0x0F), 0x98);
    set_seq(0x09, 0x55);
    set_gfx(GR9_OFFSET_0, 0x55);
    ck_assert_uint_eq(get_indexed(0x3C4, 0x09), 0x55);
    ck_assert_uint_eq(get_indexed(0x3CE, GR9_OFFSET_0), 0x55);
    set_seq(SR6_UNLOCK, 0x00);
    ck_assert_uint_eq(get_indexed(0x3C4, SR6_UNLOCK), 0x0F);
    ck_assert_uint_eq(get_indexed(0x3C4, 0x09), 0xFF);
    board_destroy(&board);
}
END_TEST

START_TEST(hidden_dac_register_is_the_fifth_access) {
    start();
    set_hidden_dac(0xE1);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(in8(&board, 0x3C6), 0xFF);
    ck_assert_uint_eq(in8(&board, 0x3C6), 0xE1);
    ck_assert_uint_eq(in8(&board, 0x3C6), 0xFF);
    in8(&board, 0x3C9); /* begins anew */
    for (int i = 0; i < 4; i++)
        in8(&board, 0x3C6);
    ck_assert_uint_eq(in8(&board, 0x3C6), 0xE1);
    out8(&board, 0x3C6, 0xFF); /* the mask again */
    ck_assert_uint_eq(in8(&board, 0x3C6), 0xFF);
    board_destroy(&board);
}
END_TEST

START_TEST(banks_show_all_memory) {
    start();
    for (uint32_t i = 0; i < 4 << 20; i += 4)
        store_le32(board.vga->vram + i, i);
    set_gfx(GR9_OFFSET_0, 0x25); /* of 4 KB */
    ck_assert_uint_eq(physical_read(board.memory, 0xA0010, 4), 0x25010);
    ck_assert_uint_eq(physical_read(board.memory, 0xA8010, 4), 0x2D010);
    set_gfx(GRB_EXTENSIONS, GRB_TWO_BANKS | GRB_BANKS_OF_16K);
    set_gfx(GRA_OFFSET_1, 0xFE);
    ck_assert_uint_eq(physical_read(board.memory, 0xA0010, 4), 0x25u << 14 | 0x10);
    ck_assert_uint_eq(physical_read(board.memory, 0xA8010, 4), 0xFEu << 14 | 0x10);
    physical_write(board.memory, 0xA8014, 4, 0x12345678);
    ck_assert_uint_eq(load_le32(board.vga->vram + (0xFEu << 14 | 0x14)), 0x12345678);
    /* The same as plain memory. */
    board.clock.stopped_ns += 50000000;
    clock_run_due(&board.clock);
    ck_assert_ptr_nonnull(physical_map_page(board.memory, 0xA8).write);
    ck_assert_uint_eq(physical_read(board.memory, 0xA8014, 4), 0x12345678);
    ck_assert_uint_eq(physical_read(board.memory, 0xA0010, 4), 0x25u << 14 | 0x10);
    set_gfx(GRA_OFFSET_1, 0x00);
    ck_assert_uint_eq(physical_read(board.memory, 0xA8010, 4), 0x10);
    board_destroy(&board);
}
END_TEST

static bool linear_is_direct(void) {
    return physical_map_page(board.memory, BOARD_FRAME_BUFFER >> PAGE_BITS).write != NULL;
}

START_TEST(linear_memory_is_plain_after_a_while) {
    start();
    physical_write(board.memory, BOARD_FRAME_BUFFER + 0x1000, 4, 0xCAFEBABE);
    ck_assert_uint_eq(load_le32(board.vga->vram + 0x1000), 0xCAFEBABE);
    ck_assert(!linear_is_direct());
    board.clock.stopped_ns += 50000000;
    clock_run_due(&board.clock);
    ck_assert(linear_is_direct());
    ck_assert_uint_eq(physical_read(board.memory, BOARD_FRAME_BUFFER + 0x1000, 4), 0xCAFEBABE);
    /* A byte for eight. */
    set_gfx(GRB_EXTENSIONS, GRB_BY_8);
    ck_assert(!linear_is_direct());
    poke(&board, BOARD_FRAME_BUFFER + 3, 0x77);
    ck_assert_uint_eq(board.vga->vram[24], 0x77);
    /* Write mode 5: pixels, and of those what SR2 lets through. */
    set_gfx(GRB_EXTENSIONS, GRB_BY_8 | GRB_EXTENDED_WRITE_MODES);
    set_gfx(GRAPHICS_MODE, 0x45);
    set_gfx(GRAPHICS_SET_RESET, 0xBB);
    set_gfx(GRAPHICS_ENABLE_SET_RESET, 0xFF);
    set_seq(SEQUENCER_MAP_MASK, 0x7F);
    poke(&board, BOARD_FRAME_BUFFER + 5, 0xA3);
    ck_assert_mem_eq(board.vga->vram + 40, "\x00\xBB\xFF\xBB\xBB\xBB\xFF\xFF", 8);
    board_destroy(&board);
}
END_TEST

/* ---- Pictures ---- */

START_TEST(packed_modes_show_their_colours) {
    static const struct {
        uint8_t format, hidden_dac, bytes;
        uint32_t pixel, colour;
    } rows[] = {{0, 0x00, 1, 0x5A, 0},
                {3, 0xF0, 2, 0x7C1F, 0xFF00FF},
                {3, 0xC1, 2, 0x07E0, 0x00FF00},
                {1, 0xC1, 2, 0xF81F, 0xFF00FF},
                {2, 0xC5, 3, 0x123456, 0x123456},
                {4, 0xC5, 4, 0xFF654321, 0x654321}};
    board_create_model(&board, VGA_CIRRUS);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint16_t pitch = (uint16_t)(640 * rows[i].bytes + 64);
        set_packed_mode(rows[i].format, rows[i].hidden_dac, pitch);
        memset(board.vga->vram, 0, 4 << 20);
        /* The start address has bits in three places. */
        uint32_t first = 0x51234;
        set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_HIGH, 0x12);
        set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, 0x34);
        set_indexed(&board, 0x3D4, CR1B_EXTENDED_DISPLAY,
                    (uint8_t)(0x02 | (pitch / 8 >> 8) << 4 | 1 | 2 << 2));
        uint8_t pixel[4];
        store_le32(pixel, rows[i].pixel);
        memcpy(board.vga->vram + first * 4 + 99 * pitch + 77 * rows[i].bytes, pixel, rows[i].bytes);
        board.vga->picture_changed = true;
        vga_render(board.vga, &board.surface);
        ck_assert_uint_eq(board.surface.width, 640);
        ck_assert_uint_eq(board.surface.height, 480);
        uint32_t colour = rows[i].bytes == 1 ? test_colour(0x5A) : rows[i].colour;
        check_pixel(&board, 77, 99, colour);
        check_pixel(&board, 78, 99, rows[i].bytes == 1 ? test_colour(0) : 0);
        check_pixel(&board, 76, 99, rows[i].bytes == 1 ? test_colour(0) : 0);
    }
    board_destroy(&board);
}
END_TEST

static void set_cursor(uint16_t x, uint16_t y) {
    set_seq((uint8_t)(SR10_CURSOR_X | (x & 7) << 5), (uint8_t)(x >> 3));
    set_seq((uint8_t)(SR11_CURSOR_Y | (y & 7) << 5), (uint8_t)(y >> 3));
}

START_TEST(cursor_lies_over_the_picture) {
    start();
    set_seq(SR12_CURSOR, SR12_CURSOR_COLOURS);
    set_dac(&board, 0x00, 0x3F, 0, 0);
    set_dac(&board, 0x0F, 0, 0x3F, 0);
    set_seq(SR12_CURSOR, SR12_CURSOR_ON);
    set_seq(SR13_CURSOR_PATTERN, 3);
    /* First line: nothing, inverted, background, foreground. */
    uint8_t *pattern = board.vga->vram + (4 << 20) - (16 << 10) + 3 * 256;
    pattern[0] = 0x50, pattern[128] = 0x30;
    set_cursor(101, 203);
    vga_render(board.vga, &board.surface);
    uint32_t zero = test_colour(0);
    check_pixel(&board, 101, 203, zero);
    check_pixel(&board, 102, 203, zero ^ 0xFFFFFF);
    check_pixel(&board, 103, 203, 0xFF0000);
    check_pixel(&board, 104, 203, 0x00FF00);
    check_pixel(&board, 105, 203, zero);
    ck_assert(!vga_render(board.vga, &board.surface));
    /* It moves: only old and new lines are drawn. */
    set_cursor(101, 213);
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert_uint_eq(board.surface.first_changed_line, 203);
    ck_assert_uint_eq(board.surface.changed_lines, 42);
    check_pixel(&board, 103, 203, zero);
    check_pixel(&board, 103, 213, 0xFF0000);
    /* The large one at the right edge. */
    set_seq(SR12_CURSOR, SR12_CURSOR_ON | SR12_CURSOR_64);
    set_seq(SR13_CURSOR_PATTERN, 4);
    pattern = board.vga->vram + (4 << 20) - (16 << 10) + 4 * 256;
    memset(pattern, 0xFF, 1024);
    set_cursor(639, 470);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 639, 479, 0x00FF00);
    check_pixel(&board, 638, 479, zero);
    check_pixel(&board, 103, 213, zero);
    board_destroy(&board);
}
END_TEST

/* ---- BitBLT ---- */

typedef struct Blit {
    uint32_t destination, source;
    uint16_t destination_pitch, source_pitch, width, height;
    uint8_t mode, rop, extensions, clip;
    uint32_t foreground, background;
    uint16_t transparent;
} Blit;

static void put_number(uint8_t first, uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        set_gfx((uint8_t)(first + i), (uint8_t)(value >> 8 * i));
}

static void put_blit(const Blit *blit) {
    put_number(GR20_WIDTH, blit->width - 1u, 2);
    put_number(GR22_HEIGHT, blit->height - 1u, 2);
    put_number(GR24_DESTINATION_PITCH, blit->destination_pitch, 2);
    put_number(GR26_SOURCE_PITCH, blit->source_pitch, 2);
    put_number(GR28_DESTINATION, blit->destination, 3);
    put_number(GR2C_SOURCE, blit->source, 3);
    set_gfx(GR2F_LEFT_CLIP, blit->clip);
    set_gfx(GR30_BLIT_MODE, blit->mode);
    set_gfx(GR32_BLIT_ROP, blit->rop);
    set_gfx(GR33_BLIT_EXTENSIONS, blit->extensions);
    put_number(GR34_TRANSPARENT, blit->transparent, 2);
    for (unsigned i = 0; i < 4; i++) {
        set_gfx((uint8_t)(i == 0 ? 0 : 0x0E + 2 * i), (uint8_t)(blit->background >> 8 * i));
        set_gfx((uint8_t)(i == 0 ? 1 : 0x0F + 2 * i), (uint8_t)(blit->foreground >> 8 * i));
    }
}

static void run_blit(const Blit *blit) {
    put_blit(blit);
    set_gfx(GR31_BLIT_STATUS, BLIT_START);
}

static bool is_busy(void) {
    return (get_indexed(0x3CE, GR31_BLIT_STATUS) & BLIT_BUSY) != 0;
}

START_TEST(every_raster_operation) {
    /* By the results for (source, destination) of 11, 10, 01, 00. */
    static const struct {
        uint8_t code, truth;
    } rows[] = {{0x00, 0x0}, {0x05, 0x8}, {0x06, 0xA}, {0x09, 0x4}, {0x0B, 0x5}, {0x0D, 0xC},
                {0x0E, 0xF}, {0x50, 0x2}, {0x59, 0x6}, {0x6D, 0xE}, {0x90, 0x1}, {0x95, 0x9},
                {0xAD, 0xD}, {0xD0, 0x3}, {0xD6, 0xB}, {0xDA, 0x7}};
    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        board.vga->vram[0x1000] = 0xCC; /* source */
        board.vga->vram[0x2000] = 0xAA; /* destination */
        run_blit(&(Blit){
            .source = 0x1000, .destination = 0x2000, .width = 1, .height = 1, .rop = rows[i].code});
        ck_assert(!is_busy());
        uint8_t expected = 0;
        for (int bit = 0; bit < 8; bit++) {
            unsigned s = 0xCC >> bit & 1, d = 0xAA >> bit & 1;
            expected |= (uint8_t)((rows[i].truth >> (s << 1 | d) & 1u) << bit);
        }
        ck_assert_uint_eq(board.vga->vram[0x2000], expected);
    }
    board_destroy(&board);
}
END_TEST

START_TEST(areas_are_copied_both_ways) {
    start();
    uint8_t expected[64 * 4];
    for (int i = 0; i < 4 * PITCH; i++)
        board.vga->vram[i] = (uint8_t)(i * 7 ^ i >> 8);
    for (int y = 0; y < 4; y++)
        memcpy(expected + 64 * y, board.vga->vram + y * PITCH, 64);
    /* Ten bytes to the right over itself: from the last byte down. */
    run_blit(&(Blit){.source = 3 * PITCH + 63,
                     .destination = 3 * PITCH + 73,
                     .source_pitch = PITCH,
                     .destination_pitch = PITCH,
                     .width = 64,
                     .height = 4,
                     .mode = BLIT_BACKWARDS,
                     .rop = 0x0D});
    for (int y = 0; y < 4; y++)
        ck_assert_mem_eq(board.vga->vram + y * PITCH + 10, expected + 64 * y, 64);
    /* The other way round what was written is read again. */
    run_blit(&(Blit){.source = 0, .destination = 3, .width = 30, .height = 1, .rop = 0x0D});
    for (int x = 3; x < 33; x++)
        ck_assert_uint_eq(board.vga->vram[x], expected[x % 3]);
    /* Addresses wrap. */
    run_blit(
        &(Blit){.source = 100, .destination = (4 << 20) - 4, .width = 8, .height = 1, .rop = 0x0D});
    ck_assert_mem_eq(board.vga->vram, board.vga->vram + 104, 4);
    board_destroy(&board);
}
END_TEST

START_TEST(patterns_and_solid_colours_fill) {
    start();
    for (int i = 0; i < 64; i++)
        board.vga->vram[0x8000 + i] = (uint8_t)i;
    run_blit(&(Blit){.source = 0x8003,
                     .destination = 0,
                     .destination_pitch = PITCH,
                     .width = 20,
                     .height = 9,
                     .mode = BLIT_PATTERN,
                     .rop = 0x0D});
    for (int y = 0; y < 9; y++)
        for (int x = 0; x < 20; x++)
            ck_assert_uint_eq(board.vga->vram[y * PITCH + x], (y + 3) % 8 * 8 + x % 8);
    run_blit(&(Blit){.destination = 0x4000,
                     .destination_pitch = PITCH,
                     .width = 12,
                     .height = 2,
                     .mode = BLIT_PATTERN | BLIT_EXPAND_COLOUR | 2 << BLIT_PIXEL_SHIFT,
                     .extensions = BLIT_SOLID,
                     .rop = 0x0D,
                     .foreground = 0x332211});
    ck_assert_mem_eq(board.vga->vram + 0x4000 + PITCH,
                     "\x11\x22\x33\x11\x22\x33\x11\x22\x33\x11\x22\x33\0", 13);
    board_destroy(&board);
}
END_TEST

START_TEST(bits_become_pixels) {
    start();
    memset(board.vga->vram + 0x4000, 0xEE, 64);
    board.vga->vram[0x100] = 0xA5;
    board.vga->vram[0x101] = 0xC0;
    Blit blit = {.source = 0x100,
                 .destination = 0x4000,
                 .width = 20,
                 .height = 1,
                 .rop = 0x0D,
                 .mode = BLIT_EXPAND_COLOUR | 1 << BLIT_PIXEL_SHIFT,
                 .foreground = 0x1122,
                 .background = 0x3344};
    run_blit(&blit);
    ck_assert_mem_eq(board.vga->vram + 0x4000,
                     "\x22\x11\x44\x33\x22\x11\x44\x33\x44\x33\x22\x11\x44\x33\x22\x11"
                     "\x22\x11\x22\x11\xEE",
                     21);
    /* Transparent: zeros are left out; with the first three pixels clipped; inverted. */
    memset(board.vga->vram + 0x4000, 0xEE, 64);
    blit.mode |= BLIT_TRANSPARENT;
    blit.clip = 3;
    run_blit(&blit);
    ck_assert_mem_eq(board.vga->vram + 0x4000,
                     "\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\x22\x11\xEE\xEE\x22\x11", 16);
    blit.clip = 0;
    blit.extensions = BLIT_INVERT;
    memset(board.vga->vram + 0x4000, 0xEE, 64);
    run_blit(&blit);
    ck_assert_mem_eq(board.vga->vram + 0x4000,
                     "\xEE\xEE\x44\x33\xEE\xEE\x44\x33\x44\x33\xEE\xEE\x44\x33\xEE\xEE", 16);
    /* A colour that is not drawn. */
    memcpy(board.vga->vram + 0x200, "abcabc", 6);
    memset(board.vga->vram + 0x4000, 0xEE, 64);
    run_blit(&(Blit){.source = 0x200,
                     .destination = 0x4000,
                     .width = 6,
                     .height = 1,
                     .rop = 0x0D,
                     .mode = BLIT_TRANSPARENT,
                     .transparent = 'b'});
    ck_assert_mem_eq(board.vga->vram + 0x4000,
                     "a\xEE"
                     "ca\xEE"
                     "c",
                     6);
    board_destroy(&board);
}
END_TEST

static const Blit received = {.destination = 0x5000,
                              .destination_pitch = PITCH,
                              .width = 6,
                              .height = 2,
                              .mode = BLIT_FROM_SYSTEM,
                              .rop = 0x0D};

/* Lines come in doublewords, through any address of video memory. */
START_TEST(system_sends_and_receives) {
    const uint32_t places[] = {0xA0000, BOARD_FRAME_BUFFER + 0x1234,
                               BOARD_FRAME_BUFFER + (20 << 20)};
    start();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        board.clock.stopped_ns += 50000000;
        clock_run_due(&board.clock);
        ck_assert(linear_is_direct());
        memset(board.vga->vram + 0x5000, 0, 2 * PITCH);
        run_blit(&received);
        ck_assert(is_busy());
        physical_write(board.memory, places[i], 4, 0x64636261);
        physical_write(board.memory, places[i], 4, 0x78786665);
        ck_assert_mem_eq(board.vga->vram + 0x5000, "abcdef\0", 7);
        physical_write(board.memory, places[i] + 4, 2, 0x4241);
        ck_assert(is_busy());
        physical_write(board.memory, places[i], 4, 0x46454443);
        physical_write(board.memory, places[i], 1, 0x47);
        ck_assert(is_busy());
        physical_write(board.memory, places[i], 1, 0x48);
        ck_assert(!is_busy());
        ck_assert_mem_eq(board.vga->vram + 0x5000 + PITCH, "ABCDEF\0", 7);
        /* And back. */
        run_blit(&(Blit){.source = 0x5000,
                         .source_pitch = PITCH,
                         .width = 6,
                         .height = 2,
                         .mode = BLIT_TO_SYSTEM,
                         .rop = 0x0D});
        ck_assert_uint_eq(physical_read(board.memory, places[i], 4), 0x64636261);
        ck_assert_uint_eq(physical_read(board.memory, places[i], 4) & 0xFFFF, 0x6665);
        ck_assert_uint_eq(physical_read(board.memory, places[i], 2), 0x4241);
        ck_assert_uint_eq(physical_read(board.memory, places[i], 2), 0x4443);
        ck_assert(is_busy());
        physical_read(board.memory, places[i], 4);
        ck_assert(!is_busy());
    }
    run_blit(&received); /* given up */
    set_gfx(GR31_BLIT_STATUS, BLIT_RESET);
    ck_assert(!is_busy());
    physical_write(board.memory, BOARD_FRAME_BUFFER + 8, 4, 0x11223344);
    ck_assert_uint_eq(load_le32(board.vga->vram + 8), 0x11223344);
    board_destroy(&board);
}
END_TEST

START_TEST(registers_are_in_memory_too) {
    const uint32_t places[] = {BOARD_REGISTERS + 0x100, 0xB8000,
                               BOARD_FRAME_BUFFER + (4 << 20) - 0x100};
    const uint8_t configurations[] = {0, SR17_MMIO, SR17_MMIO | SR17_MMIO_LINEAR};
    start();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint32_t at = places[i];
        set_seq(SR17_CONFIGURATION, configurations[i]);
        memset(board.vga->vram + 0x6000, 0, 16);
        physical_write(board.memory, at + 0x04, 4, 0x5A); /* foreground */
        physical_write(board.memory, at + 0x08, 4, 9 | 0 << 16);
        physical_write(board.memory, at + 0x10, 4, 0x6000);
        physical_write(board.memory, at + 0x18, 1, BLIT_PATTERN | BLIT_EXPAND_COLOUR);
        physical_write(board.memory, at + 0x1A, 2, 0x0D | BLIT_SOLID << 8);
        physical_write(board.memory, at + 0x40, 1, BLIT_START);
        ck_assert_mem_eq(board.vga->vram + 0x6000, "ZZZZZZZZZZ\0", 11);
        ck_assert_uint_eq(physical_read(board.memory, at + 0x08, 2), 9);
        ck_assert_uint_eq(get_indexed(0x3CE, GR20_WIDTH), 9);
    }
    physical_write(board.memory, BOARD_REGISTERS + 0x04, 2, 0xAA09); /* SR9 */
    ck_assert_uint_eq(get_indexed(0x3C4, 0x09), 0xAA);
    set_seq(SR17_CONFIGURATION, 0);
    physical_write(board.memory, BOARD_FRAME_BUFFER + (4 << 20) - 0x100, 4, 0x1234);
    ck_assert_uint_eq(load_le32(board.vga->vram + (4 << 20) - 0x100), 0x1234);
    board_destroy(&board);
}
END_TEST

/* ---- State ---- */

START_TEST(state_is_saved_in_the_middle_of_a_blit) {
    static VgaBoard other;
    start();
    run_blit(&received);
    physical_write(board.memory, 0xA0000, 4, 0x64636261);
    for (int i = 0; i < board.devices.count; i++)
        ck_assert_int_eq(field_table_find_gap(board.devices.entries[i].device_class->fields), -1);
    ByteBuffer saved = {0};
    Error error = {0};
    device_list_save(&board.devices, &saved);
    board_create_model(&other, VGA_CIRRUS);
    memcpy(other.vga->vram, board.vga->vram, 4 << 20);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    ck_assert_msg(device_list_load(&other.devices, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(device_list_hash(&board.devices), device_list_hash(&other.devices));
    physical_write(other.memory, BOARD_FRAME_BUFFER, 4, 0x00006665);
    physical_write(other.memory, BOARD_FRAME_BUFFER, 4, 0x44434241);
    physical_write(other.memory, BOARD_FRAME_BUFFER, 4, 0x00004645);
    ck_assert_mem_eq(other.vga->vram + 0x5000, "abcdef", 6);
    ck_assert_mem_eq(other.vga->vram + 0x5000 + PITCH, "ABCDEF", 6);
    ck_assert_uint_eq(other.vga->cirrus->state.blit.phase, BLIT_IDLE);
    vga_render(other.vga, &other.surface);
    byte_buffer_free(&saved);
    board_destroy(&other);
    board_destroy(&board);
}
END_TEST

static uint64_t random_state = 88172645463325252u;

static uint32_t random_number(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

START_TEST(restored_nonsense_is_survived) {
    start();
    for (int round = 0; round < 300; round++) {
        uint8_t *bytes = (uint8_t *)&board.vga->cirrus->state;
        for (size_t i = 8; i < sizeof(CirrusState); i++)
            bytes[i] = (uint8_t)random_number();
        board.vga->state.attribute_index |= ATTRIBUTE_INDEX_SCREEN_ON;
        bytes = board.vga->state.crtc;
        for (size_t i = 0; i < CRTC_REGISTERS; i++)
            bytes[i] = (uint8_t)random_number();
        board.vga->cirrus->state.blit.phase %= 4;
        for (int i = 0; i < board.devices.count; i++) {
            const DeviceEntry *entry = &board.devices.entries[i];
            if (entry->device_class->restored != NULL)
                entry->device_class->restored(entry->device);
        }
        for (int i = 0; i < 2000; i++)
            physical_write(board.memory, 0xA0000, 4, random_number());
        for (int i = 0; i < 200; i++)
            physical_read(board.memory, BOARD_FRAME_BUFFER + random_number() % (8 << 20), 4);
        vga_render(board.vga, &board.surface);
    }
    board_destroy(&board);
}
END_TEST

START_TEST(random_accesses_are_survived) {
    start();
    for (int i = 0; i < 300000; i++) {
        uint32_t kind = random_number() % 16, value = random_number();
        if (kind < 8)
            set_gfx((uint8_t)(random_number() % 0x40), (uint8_t)value);
        else if (kind < 10)
            set_seq((uint8_t)random_number(), (uint8_t)value);
        else if (kind == 10)
            set_indexed(&board, 0x3D4, (uint8_t)(random_number() % 0x30), (uint8_t)value);
        else if (kind == 11)
            set_seq(SR6_UNLOCK, 0x12);
        else if (kind == 12)
            physical_write(board.memory, BOARD_FRAME_BUFFER + random_number() % (32 << 20), 1,
                           value);
        else if (kind == 13)
            physical_write(board.memory, 0xA0000 + random_number() % 0x20000, 1, value);
        else if (kind == 14)
            physical_write(board.memory, BOARD_REGISTERS + random_number() % 0x200, 1, value);
        else
            physical_read(board.memory, BOARD_FRAME_BUFFER + random_number() % (32 << 20), 1);
        if (i % 20000 == 0)
            vga_render(board.vga, &board.surface);
        if (i % 1000 == 0) {
            board.clock.stopped_ns += 30000000;
            clock_run_due(&board.clock);
        }
        if (i % 64 == 0) /* wide and high ones only now and then: they take their time */
            set_gfx(0x21, 0), set_gfx(0x23, 0);
    }
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *tests[] = {
        extensions_are_locked_until_the_key_comes,
        hidden_dac_register_is_the_fifth_access,
        banks_show_all_memory,
        linear_memory_is_plain_after_a_while,
        packed_modes_show_their_colours,
        cursor_lies_over_the_picture,
        every_raster_operation,
        areas_are_copied_both_ways,
        patterns_and_solid_colours_fill,
        bits_become_pixels,
        system_sends_and_receives,
        registers_are_in_memory_too,
        state_is_saved_in_the_middle_of_a_blit,
        restored_nonsense_is_survived,
        random_accesses_are_survived,
        NULL,
    };
    return board_run_suite("cirrus", tests);
}

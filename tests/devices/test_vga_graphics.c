/* The classic graphics modes: the picture pixel by pixel, scrolling, split screen, what is redrawn.
 */
#include "vga_board.h"

static VgaBoard board;

static void draw(void) {
    vga_render(board.vga, &board.surface);
}

static void start(const ModeValues *mode) {
    board_create(&board);
    board_set_mode(&board, mode);
}

/* The colour number that the tests put at (x, y). */
static unsigned pattern(uint32_t x, uint32_t y) {
    return (x * 5 + y * 3 + (x >> 5) * (y >> 3)) & 0xFF;
}

static uint32_t palette_colour(const ModeValues *mode, unsigned number) {
    return test_colour(mode->attribute[number]);
}

/* Sixteen colours, through all four planes, 'pitch' bytes a line. */
static void fill_planes(uint32_t pitch, uint32_t lines) {
    for (unsigned plane = 0; plane < 4; plane++) {
        set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, (uint8_t)(1 << plane));
        for (uint32_t y = 0; y < lines; y++)
            for (uint32_t byte = 0; byte < pitch; byte++) {
                uint8_t bits = 0;
                for (unsigned i = 0; i < 8; i++)
                    bits = (uint8_t)(bits << 1 | (pattern(byte * 8 + i, y) >> plane & 1));
                poke(&board, 0xA0000 + y * pitch + byte, bits);
            }
    }
}

START_TEST(mode_12h_shows_sixteen_colours) {
    start(&mode_12h);
    fill_planes(80, 480);
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    ck_assert_uint_eq(board.surface.height, 480);
    for (uint32_t y = 0; y < 480; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, palette_colour(&mode_12h, pattern(x, y) & 15));
    /* Colour planes can be switched off, and the palette's upper bits come from elsewhere. */
    set_attribute(&board, ATTRIBUTE_PLANE_ENABLE, 0x05);
    set_attribute(&board, ATTRIBUTE_MODE, 0x81);
    set_attribute(&board, ATTRIBUTE_COLOUR_SELECT, 0x0B);
    draw();
    for (uint32_t x = 0; x < 640; x++) {
        unsigned entry = (mode_12h.attribute[pattern(x, 9) & 5] & 0x0F) | 0xB0;
        check_pixel(&board, x, 9, test_colour(entry));
    }
    board_destroy(&board);
}
END_TEST

START_TEST(mode_d_doubles_pixels_and_lines) {
    start(&mode_d);
    fill_planes(40, 200);
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    ck_assert_uint_eq(board.surface.height, 400);
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, palette_colour(&mode_d, pattern(x / 2, y / 2) & 15));
    board_destroy(&board);
}
END_TEST

START_TEST(mode_4_is_cgas) {
    start(&mode_4);
    for (uint32_t y = 0; y < 200; y++)
        for (uint32_t byte = 0; byte < 80; byte++) {
            uint8_t bits = 0;
            for (unsigned i = 0; i < 4; i++)
                bits = (uint8_t)(bits << 2 | (pattern(byte * 4 + i, y) & 3));
            poke(&board, 0xB8000 + (y & 1) * 0x2000 + y / 2 * 80 + byte, bits);
        }
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    ck_assert_uint_eq(board.surface.height, 400);
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, palette_colour(&mode_4, pattern(x / 2, y / 2) & 3));
    board_destroy(&board);
}
END_TEST

START_TEST(mode_6_is_cgas) {
    start(&mode_6);
    for (uint32_t y = 0; y < 200; y++)
        for (uint32_t byte = 0; byte < 80; byte++) {
            uint8_t bits = 0;
            for (unsigned i = 0; i < 8; i++)
                bits = (uint8_t)(bits << 1 | (pattern(byte * 8 + i, y) & 1));
            poke(&board, 0xB8000 + (y & 1) * 0x2000 + y / 2 * 80 + byte, bits);
        }
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, palette_colour(&mode_6, pattern(x, y / 2) & 1));
    board_destroy(&board);
}
END_TEST

static void fill_13h(void) {
    for (uint32_t y = 0; y < 200; y++)
        for (uint32_t x = 0; x < 320; x++)
            poke(&board, 0xA0000 + y * 320 + x, (uint8_t)pattern(x, y));
}

START_TEST(mode_13h_shows_256_colours) {
    start(&mode_13h);
    fill_13h();
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    ck_assert_uint_eq(board.surface.height, 400);
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, test_colour(pattern(x / 2, y / 2)));
    out8(&board, 0x3C6, 0x0F); /* the DAC's mask */
    draw();
    check_pixel(&board, 100, 100, test_colour(pattern(50, 50) & 0x0F));
    board_destroy(&board);
}
END_TEST

/* 320x240 with 256 colours, unchained. */
static void set_mode_x(void) {
    static const uint8_t crtc[][2] = {{0x11, 0x00}, {0x06, 0x0D}, {0x07, 0x3E}, {0x09, 0x41},
                                      {0x10, 0xEA}, {0x11, 0x2C}, {0x12, 0xDF}, {0x14, 0x00},
                                      {0x15, 0xE7}, {0x16, 0x06}, {0x17, 0xE3}};
    start(&mode_13h);
    out8(&board, 0x3C2, 0xE3);
    set_indexed(&board, 0x3C4, SEQUENCER_MEMORY_MODE, 0x06);
    for (size_t i = 0; i < sizeof crtc / sizeof crtc[0]; i++)
        set_indexed(&board, 0x3D4, crtc[i][0], crtc[i][1]);
}

/* A picture of 'pitch' times 4 pixels a line at a plane address, bounded by the 64 KB there are. */
static void fill_mode_x(uint32_t pitch, uint32_t lines) {
    for (unsigned plane = 0; plane < 4; plane++) {
        set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, (uint8_t)(1 << plane));
        for (uint32_t at = 0; at < pitch * lines && at < 0x10000; at++)
            poke(&board, 0xA0000 + at, (uint8_t)pattern(at % pitch * 4 + plane, at / pitch));
    }
}

START_TEST(mode_x_has_240_lines_and_scrolls) {
    set_mode_x();
    set_indexed(&board, 0x3D4, CRTC_OFFSET, 50); /* 400 pixels a line in memory */
    fill_mode_x(100, 600);
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    ck_assert_uint_eq(board.surface.height, 480);
    for (uint32_t y = 0; y < 480; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, test_colour(pattern(x / 2, y / 2)));
    /* Scrolled to (75, 40): 18 addresses and three pixels of panning. */
    uint32_t address = 40 * 100 + 18;
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_HIGH, (uint8_t)(address >> 8));
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, (uint8_t)address);
    set_attribute(&board, ATTRIBUTE_PANNING, 6);
    draw();
    for (uint32_t y = 0; y < 480; y++)
        for (uint32_t x = 0; x < 640; x++)
            check_pixel(&board, x, y, test_colour(pattern(x / 2 + 75, y / 2 + 40)));
    board_destroy(&board);
}
END_TEST

static void set_line_compare(const ModeValues *mode, unsigned line) {
    set_indexed(&board, 0x3D4, CRTC_VERTICAL_RETRACE_END, 0);
    set_indexed(&board, 0x3D4, CRTC_LINE_COMPARE, (uint8_t)line);
    set_indexed(&board, 0x3D4, CRTC_OVERFLOW,
                (uint8_t)((mode->crtc[7] & ~0x10) | (line >> 8 & 1) << 4));
    set_indexed(&board, 0x3D4, CRTC_MAXIMUM_SCAN_LINE,
                (uint8_t)((mode->crtc[9] & ~0x40) | (line >> 9 & 1) << 6));
}

START_TEST(split_screen_starts_after_the_line_compare) {
    start(&mode_12h);
    fill_planes(80, 700);
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_HIGH, 80 * 100 >> 8);
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, (80 * 100) & 0xFF);
    set_attribute(&board, ATTRIBUTE_PANNING, 3);
    for (unsigned pass = 0; pass < 2; pass++) {
        unsigned compare = pass == 0 ? 0x133 : 0x64;
        set_line_compare(&mode_12h, compare);
        /* In the second pass the split part is not panned. */
        set_attribute(&board, ATTRIBUTE_MODE, pass == 0 ? 0x01 : 0x21);
        draw();
        for (uint32_t y = 0; y < 480; y++)
            for (uint32_t x = 0; x < 600; x++) {
                bool split = y > compare;
                uint32_t from_y = split ? y - compare - 1 : y + 100;
                uint32_t from_x = split && pass != 0 ? x : x + 3;
                check_pixel(&board, x, y, palette_colour(&mode_12h, pattern(from_x, from_y) & 15));
            }
    }
    board_destroy(&board);
}
END_TEST

START_TEST(addresses_wrap_at_64k) {
    start(&mode_12h);
    set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, 0x0F);
    poke(&board, 0xA0000, 0xFF);
    poke(&board, 0xAFFFF, 0xFF);
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_HIGH, 0xFF);
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, 0xFF);
    draw();
    for (uint32_t x = 0; x < 24; x++)
        check_pixel(&board, x, 0, palette_colour(&mode_12h, x < 16 ? 15 : 0));
    board_destroy(&board);
}
END_TEST

START_TEST(screen_off_is_black) {
    start(&mode_13h);
    fill_13h();
    draw();
    ck_assert_uint_ne(pixel(&board, 3, 0), 0);
    in8(&board, 0x3DA);
    out8(&board, 0x3C0, 0x00); /* the palette belongs to the processor */
    ck_assert(vga_render(board.vga, &board.surface));
    for (uint32_t x = 0; x < 640; x++)
        check_pixel(&board, x, 0, 0);
    in8(&board, 0x3DA);
    out8(&board, 0x3C0, 0x20);
    set_indexed(&board, 0x3C4, SEQUENCER_CLOCKING_MODE, 0x21);
    draw();
    check_pixel(&board, 3, 0, 0);
    set_indexed(&board, 0x3C4, SEQUENCER_CLOCKING_MODE, 0x01);
    draw();
    check_pixel(&board, 3, 0, test_colour(pattern(1, 0)));
    board_destroy(&board);
}
END_TEST

START_TEST(only_changes_are_drawn) {
    start(&mode_12h);
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert(!vga_render(board.vga, &board.surface));
    poke(&board, 0xA0000 + 80 * 100, 0x80);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 0, 100, palette_colour(&mode_12h, 15));
    ck_assert(!vga_render(board.vga, &board.surface));
    /* What drawing code sets all the time does not count. */
    set_indexed(&board, 0x3CE, GRAPHICS_BIT_MASK, 0x0F);
    set_indexed(&board, 0x3CE, GRAPHICS_MODE, 0x02);
    set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, 0x03);
    peek(&board, 0xA0000);
    ck_assert(!vga_render(board.vga, &board.surface));
    /* Nor does a colour that is nowhere. */
    set_dac(&board, 1, 9, 9, 9);
    ck_assert(!vga_render(board.vga, &board.surface));
    set_dac(&board, 0, 1, 2, 3);
    ck_assert(vga_render(board.vga, &board.surface));
    /* Another surface gets the whole picture, and then the first does again. */
    DisplaySurface other = {0};
    ck_assert(vga_render(board.vga, &other));
    ck_assert_uint_eq(display_surface_line(&other, 100)[0], palette_colour(&mode_12h, 15));
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert(!vga_render(board.vga, &board.surface));
    /* A byte through the frame buffer: its flags were cleared and count again. */
    poke(&board, BOARD_FRAME_BUFFER + 4 * 80 * 50, 0x80);
    ck_assert(vga_render(board.vga, &board.surface));
    uint32_t grey = 9 << 2 | 3;
    check_pixel(&board, 0, 50, grey << 16 | grey << 8 | grey);
    display_surface_free(&other);
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        mode_12h_shows_sixteen_colours,
        mode_d_doubles_pixels_and_lines,
        mode_4_is_cgas,
        mode_6_is_cgas,
        mode_13h_shows_256_colours,
        mode_x_has_240_lines_and_scrolls,
        split_screen_starts_after_the_line_compare,
        addresses_wrap_at_64k,
        screen_off_is_black,
        only_changes_are_drawn,
        NULL,
    };
    return board_run_suite("vga graphics", tests);
}

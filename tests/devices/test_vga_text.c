/* Text modes: the picture dot by dot, with a font of the test's own, and the screen as UTF-8. */
#include "vga_board.h"

static VgaBoard board;

/* Colour n of the text modes: the attribute palette of mode 3 leads to these DAC entries. */
static uint32_t text_colour(unsigned number) {
    return test_colour(mode_3.attribute[number]);
}

/* The dots of the test's fonts: no two characters, lines or fonts alike in many places. */
static uint8_t font_bits(unsigned font, unsigned character, unsigned line) {
    return (uint8_t)((character * 37 + line * 101 + font * 59) ^ (character >> 3));
}

static void load_font(unsigned font) {
    static const uint16_t place[8] = {0x0000, 0x4000, 0x8000, 0xC000,
                                      0x2000, 0x6000, 0xA000, 0xE000};
    set_indexed(&board, 0x3C4, 2, 0x04);
    set_indexed(&board, 0x3C4, 4, 0x06);
    set_indexed(&board, 0x3CE, 5, 0x00);
    set_indexed(&board, 0x3CE, 6, 0x04);
    for (uint32_t character = 0; character < 256; character++)
        for (uint32_t line = 0; line < 32; line++)
            poke(&board, 0xA0000 + place[font] + character * 32 + line,
                 font_bits(font, character, line));
    set_indexed(&board, 0x3C4, 2, 0x03);
    set_indexed(&board, 0x3C4, 4, 0x02);
    set_indexed(&board, 0x3CE, 5, 0x10);
    set_indexed(&board, 0x3CE, 6, 0x0E);
}

static void put(unsigned column, unsigned row, uint8_t character, uint8_t attribute) {
    physical_write(board.memory, 0xB8000 + 2 * (80 * row + column), 2,
                   (uint32_t)(character | attribute << 8));
}

static void start_text(void) {
    board_create(&board);
    board_set_mode(&board, &mode_3);
    load_font(0);
    set_indexed(&board, 0x3D4, CRTC_CURSOR_START, CRTC_CURSOR_OFF);
    for (unsigned i = 0; i < 80 * 25; i++)
        put(i % 80, i / 80, 0, 0x00);
}

static void draw(void) {
    vga_render(board.vga, &board.surface);
}

/* Checks one character cell; 'ninth' is what its ninth dot shows. */
static void check_cell(unsigned column, unsigned row, const uint8_t lines[16], unsigned foreground,
                       unsigned background, bool ninth_repeats) {
    for (unsigned line = 0; line < 16; line++)
        for (unsigned dot = 0; dot < 9; dot++) {
            bool set = dot < 8 ? (lines[line] >> (7 - dot) & 1) != 0
                               : ninth_repeats && (lines[line] & 1) != 0;
            check_pixel(&board, column * 9 + dot, row * 16 + line,
                        text_colour(set ? foreground : background));
        }
}

static void font_lines(unsigned font, uint8_t character, uint8_t lines[16]) {
    for (unsigned line = 0; line < 16; line++)
        lines[line] = font_bits(font, character, line);
}

START_TEST(every_character_is_drawn) {
    start_text();
    for (unsigned i = 0; i < 256; i++)
        put(i % 80, i / 80, (uint8_t)i, 0x1E);
    draw();
    ck_assert_uint_eq(board.surface.width, 720);
    ck_assert_uint_eq(board.surface.height, 400);
    ck_assert_uint_eq(board.surface.aspect_width * 3, board.surface.aspect_height * 4);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t lines[16];
        font_lines(0, (uint8_t)i, lines);
        check_cell(i % 80, i / 80, lines, 14, 1, i >= 0xC0 && i <= 0xDF);
    }
    /* Without line graphics the ninth dot is background. */
    set_attribute(&board, ATTRIBUTE_MODE, 0x08);
    draw();
    for (unsigned i = 0; i < 256; i++) {
        uint8_t lines[16];
        font_lines(0, (uint8_t)i, lines);
        check_cell(i % 80, i / 80, lines, 14, 1, false);
    }
    board_destroy(&board);
}
END_TEST

START_TEST(every_attribute_is_drawn) {
    start_text();
    uint8_t lines[16];
    font_lines(0, 'A', lines);
    for (unsigned i = 0; i < 256; i++)
        put(i % 80, i / 80, 'A', (uint8_t)i);
    set_attribute(&board, ATTRIBUTE_MODE, 0x04); /* 16 backgrounds, nothing blinks */
    draw();
    for (unsigned i = 0; i < 256; i++)
        check_cell(i % 80, i / 80, lines, i & 15, i >> 4, false);
    set_attribute(&board, ATTRIBUTE_MODE, 0x0C);
    draw(); /* frame 0: blinking characters are shown */
    for (unsigned i = 0; i < 256; i++)
        check_cell(i % 80, i / 80, lines, i & 15, i >> 4 & 7, false);
    board.clock.stopped_ns = 17 * vga_frame_ns(board.vga);
    draw();
    for (unsigned i = 0; i < 256; i++)
        check_cell(i % 80, i / 80, lines, i < 128 ? i & 15 : i >> 4 & 7, i >> 4 & 7, false);
    board_destroy(&board);
}
END_TEST

START_TEST(attribute_bit_3_selects_the_second_font) {
    static const struct {
        uint8_t map;
        unsigned clear, set;
    } rows[] = {{0x00, 0, 0}, {0x04, 0, 1}, {0x01, 1, 0}, {0x2E, 2, 7}, {0x13, 7, 0}, {0x2C, 0, 7}};
    start_text();
    for (unsigned font = 1; font < 8; font++)
        load_font(font);
    put(0, 0, 'x', 0x07);
    put(1, 0, 'x', 0x0F);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t lines[16];
        set_indexed(&board, 0x3C4, SEQUENCER_CHARACTER_MAP, rows[i].map);
        draw();
        font_lines(rows[i].clear, 'x', lines);
        check_cell(0, 0, lines, 7, 0, false);
        font_lines(rows[i].set, 'x', lines);
        check_cell(1, 0, lines, 15, 0, false);
    }
    board_destroy(&board);
}
END_TEST

START_TEST(cursor_blinks_where_it_is_set) {
    start_text();
    uint8_t plain[16], cursor[16];
    put(5, 2, 'c', 0x0E);
    font_lines(0, 'c', plain);
    font_lines(0, 'c', cursor);
    cursor[13] = cursor[14] = 0xFF;
    set_indexed(&board, 0x3D4, CRTC_CURSOR_HIGH, 0);
    set_indexed(&board, 0x3D4, CRTC_CURSOR_LOW, 2 * 80 + 5);
    set_indexed(&board, 0x3D4, CRTC_CURSOR_START, 13);
    set_indexed(&board, 0x3D4, CRTC_CURSOR_END, 14);
    draw();
    for (unsigned line = 13; line <= 14; line++)
        for (unsigned dot = 0; dot < 9; dot++)
            check_pixel(&board, 5 * 9 + dot, 32 + line, text_colour(14));
    check_pixel(&board, 6 * 9, 32 + 13, text_colour(0));
    ck_assert(!vga_render(board.vga, &board.surface));
    board.clock.stopped_ns = 9 * vga_frame_ns(board.vga);
    ck_assert(vga_render(board.vga, &board.surface)); /* by itself, as time goes on */
    check_cell(5, 2, plain, 14, 0, false);
    board.clock.stopped_ns = 17 * vga_frame_ns(board.vga);
    draw();
    check_pixel(&board, 5 * 9 + 8, 32 + 13, text_colour(14));
    set_indexed(&board, 0x3D4, CRTC_CURSOR_START, 15); /* starts after its end: none */
    draw();
    check_cell(5, 2, plain, 14, 0, false);
    set_indexed(&board, 0x3D4, CRTC_CURSOR_START, 13 | CRTC_CURSOR_OFF);
    draw();
    check_cell(5, 2, plain, 14, 0, false);
    board_destroy(&board);
}
END_TEST

START_TEST(underline_where_the_attribute_asks) {
    start_text();
    uint8_t lines[16];
    set_indexed(&board, 0x3D4, CRTC_UNDERLINE, 12);
    put(0, 0, 'u', 0x01);
    put(1, 0, 'u', 0x07);
    draw();
    font_lines(0, 'u', lines);
    check_cell(1, 0, lines, 7, 0, false);
    for (unsigned dot = 0; dot < 9; dot++)
        check_pixel(&board, dot, 12, text_colour(1));
    board_destroy(&board);
}
END_TEST

START_TEST(eight_dots_and_forty_columns) {
    start_text();
    put(3, 1, 'Q', 0x0A);
    set_indexed(&board, 0x3C4, SEQUENCER_CLOCKING_MODE, CLOCKING_EIGHT_DOTS);
    set_attribute(&board, ATTRIBUTE_PANNING, 0);
    draw();
    ck_assert_uint_eq(board.surface.width, 640);
    for (unsigned dot = 0; dot < 8; dot++)
        check_pixel(&board, 24 + dot, 16,
                    text_colour(font_bits(0, 'Q', 0) >> (7 - dot) & 1 ? 10 : 0));
    set_indexed(&board, 0x3C4, SEQUENCER_CLOCKING_MODE, CLOCKING_HALF_RATE);
    set_attribute(&board, ATTRIBUTE_PANNING, 8);
    set_indexed(&board, 0x3D4, CRTC_VERTICAL_RETRACE_END, 0);
    set_indexed(&board, 0x3D4, CRTC_HORIZONTAL_DISPLAY_END, 39);
    draw();
    ck_assert_uint_eq(board.surface.width, 720);
    for (unsigned dot = 0; dot < 16; dot++) /* each dot twice */
        check_pixel(&board, 3 * 18 + dot, 16,
                    text_colour(font_bits(0, 'Q', 0) >> (7 - dot / 2) & 1 ? 10 : 0));
    board_destroy(&board);
}
END_TEST

START_TEST(panning_scrolls_by_dots_and_lines) {
    start_text();
    for (unsigned i = 0; i < 81 * 26; i++)
        put(i % 80, i / 80, (uint8_t)(i * 7), 0x0F);
    DisplaySurface still = {0};
    vga_render(board.vga, &still);
    set_attribute(&board, ATTRIBUTE_PANNING, 2); /* by three dots */
    set_indexed(&board, 0x3D4, CRTC_PRESET_ROW_SCAN, 5);
    draw();
    for (uint32_t y = 0; y + 5 < 400; y++)
        for (uint32_t x = 0; x + 3 < 720; x++)
            check_pixel(&board, x, y, display_surface_line(&still, y + 5)[x + 3]);
    set_attribute(&board, ATTRIBUTE_PANNING, 8);
    set_indexed(&board, 0x3D4, CRTC_PRESET_ROW_SCAN, 0x40); /* by two characters */
    draw();
    for (uint32_t x = 0; x + 18 < 720; x++)
        check_pixel(&board, x, 20, display_surface_line(&still, 20)[x + 18]);
    display_surface_free(&still);
    board_destroy(&board);
}
END_TEST

/* ---- The screen as text ---- */

static void write_string(unsigned column, unsigned row, const char *string) {
    for (; *string != 0; string++)
        put(column++, row, (uint8_t)*string, 0x07);
}

static char *screen_text(void) {
    static ByteBuffer text;
    text.size = 0;
    ck_assert(vga_get_text(board.vga, &text));
    byte_buffer_append(&text, "", 1);
    return (char *)text.data;
}

START_TEST(text_is_told_as_utf8) {
    start_text();
    write_string(0, 0, "C:\\>dir");
    write_string(78, 1, "ab");
    write_string(0, 3, "\xC9\xCD\xBB \x81 \x9C \x01\xFF ");
    char *text = screen_text();
    const char *start = "C:\\>dir\n"
                        "                                                                       "
                        "       ab\n\n╔═╗ ü £ ☺\n\n";
    ck_assert_int_eq(strncmp(text, start, strlen(start)), 0);
    size_t rows = 0;
    for (const char *at = text; *at != 0; at++)
        rows += *at == '\n';
    ck_assert_uint_eq(rows, 25);
    board_destroy(&board);
}
END_TEST

START_TEST(text_follows_start_address_and_split) {
    start_text();
    write_string(0, 0, "first");
    write_string(0, 1, "second");
    write_string(0, 2, "third");
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, 80);
    ck_assert_int_eq(strncmp(screen_text(), "second\nthird\n", 13), 0);
    set_indexed(&board, 0x3D4, CRTC_LINE_COMPARE, 15);
    set_indexed(&board, 0x3D4, CRTC_VERTICAL_RETRACE_END, 0);
    set_indexed(&board, 0x3D4, CRTC_OVERFLOW, mode_3.crtc[7] & ~0x10);
    set_indexed(&board, 0x3D4, CRTC_MAXIMUM_SCAN_LINE, 0x0F);
    ck_assert_int_eq(strncmp(screen_text(), "second\nfirst\nsecond\nthird\n", 26), 0);
    board_destroy(&board);
}
END_TEST

START_TEST(graphics_modes_have_no_text) {
    board_create(&board);
    ByteBuffer text = {0};
    ck_assert(!vga_get_text(board.vga, &text)); /* no mode was set */
    board_set_mode(&board, &mode_13h);
    ck_assert(!vga_get_text(board.vga, &text));
    board_set_mode(&board, &mode_3);
    ck_assert(vga_get_text(board.vga, &text));
    text.size = 0;
    set_vbe_mode(&board, 640, 480, 32);
    ck_assert(!vga_get_text(board.vga, &text));
    ck_assert_uint_eq(text.size, 0);
    byte_buffer_free(&text);
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        every_character_is_drawn,
        every_attribute_is_drawn,
        attribute_bit_3_selects_the_second_font,
        cursor_blinks_where_it_is_set,
        underline_where_the_attribute_asks,
        eight_dots_and_forty_columns,
        panning_scrolls_by_dots_and_lines,
        text_is_told_as_utf8,
        text_follows_start_address_and_split,
        graphics_modes_have_no_text,
        NULL,
    };
    return board_run_suite("vga text", tests);
}

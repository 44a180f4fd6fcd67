/* Reading text from pictures: in a grid and anywhere, with fonts of the test's own. */
#include "bios_font.h"
#include "byte_buffer.h"
#include "character_codes.h"
#include "screen_reader.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHITE = 0xFFFFFF, BLACK = 0, BLUE = 0x0000AA, YELLOW = 0xFFFF55, GREY = 0x808080 };

static DisplaySurface screen;
static ScreenFont *font;
static ScreenText text;
static uint32_t random_state;

static uint32_t random_number(void) {
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

static uint32_t dot_row(uint32_t bits) {
    return bits << (32 - font->width);
}

/* Characters 21h to 7Eh with pixels at random, a frame of empty ones left over; space; and four
 * blocks that are each other's negatives. '.' has one pixel, '-' three. */
static void make_font(uint32_t width, uint32_t height) {
    uint32_t rows[FONT_HEIGHT_MAXIMUM] = {0};
    random_state = 7;
    screen_font_free(font);
    font = screen_font_create(width, height, NULL);
    screen_font_add(font, rows, ' ');
    for (uint32_t character = '!'; character <= '~'; character++) {
        memset(rows, 0, sizeof rows);
        for (uint32_t row = 1; row + 1 < height; row++)
            rows[row] = dot_row(random_number() & ((1u << (width - 1)) - 1) & ~1u);
        if (character == '.' || character == '-') {
            memset(rows, 0, sizeof rows);
            rows[height - 2] = dot_row(character == '.' ? 4 : 14);
        }
        screen_font_add(font, rows, character);
    }
    for (unsigned kind = 0; kind < 4; kind++) {
        static const uint32_t blocks[] = {0x2588, 0x258C, 0x2590, 0x2580};
        uint32_t left = ((1u << width) - 1) & ~((1u << width / 2) - 1);
        for (uint32_t row = 0; row < height; row++) {
            uint32_t bits[] = {(1u << width) - 1, left, ~left & ((1u << width) - 1),
                               row < height / 2 ? (1u << width) - 1 : 0};
            rows[row] = dot_row(bits[kind]);
        }
        screen_font_add(font, rows, blocks[kind]);
    }
}

static const ScreenGlyph *glyph_of(uint32_t character) {
    for (size_t i = 0; i < font->count; i++)
        if (font->glyphs[i].character == character)
            return &font->glyphs[i];
    ck_abort_msg("the font has no %04X", character);
    return NULL;
}

static void clear(uint32_t width, uint32_t height, uint32_t colour) {
    display_surface_resize(&screen, width, height);
    for (size_t i = 0; i < (size_t)width * height; i++)
        screen.pixels[i] = colour;
}

static void draw_cell(uint32_t x, uint32_t y, uint32_t character, uint32_t foreground,
                      int64_t background) {
    const ScreenGlyph *glyph = glyph_of(character);
    for (uint32_t row = 0; row < font->height; row++)
        for (uint32_t column = 0; column < font->width; column++) {
            uint32_t *pixel = &display_surface_line(&screen, y + row)[x + column];
            if ((glyph->rows[row] >> (31 - column) & 1) != 0)
                *pixel = foreground;
            else if (background >= 0)
                *pixel = (uint32_t)background;
        }
}

static void draw(uint32_t x, uint32_t y, const char *string, uint32_t foreground,
                 int64_t background) {
    for (size_t at = 0, used, size = strlen(string); at < size; at += used, x += font->width)
        draw_cell(x, y, utf8_decode((const uint8_t *)string + at, size - at, &used), foreground,
                  background);
}

static const char *read_text(void) {
    byte_buffer_append(&text.utf8, "", 1);
    return (const char *)text.utf8.data;
}

static const char *grid(void) {
    screen_text_free(&text);
    screen_text_read_grid(&screen, NULL, font, &text);
    return read_text();
}

static const char *anywhere(void) {
    screen_text_free(&text);
    screen_text_search(&screen, NULL, font, &text);
    return read_text();
}

static void set_up(void) {
    make_font(8, 16);
}

static void tear_down(void) {
    screen_font_free(font);
    font = NULL;
    screen_text_free(&text);
    display_surface_free(&screen);
}

START_TEST(grid_reads_every_character) {
    char all[96] = {0};
    for (int i = 0; i < 94; i++)
        all[i] = (char)('!' + i);
    clear(94 * 8, 3 * 16, BLUE);
    draw(0, 16, all, YELLOW, BLUE);
    char expected[100];
    snprintf(expected, sizeof expected, "\n%s\n\n", all);
    ck_assert_str_eq(grid(), expected);
    ck_assert_uint_eq(text.count, 94);
    ck_assert_uint_eq(text.letters, 62);
}
END_TEST

START_TEST(colours_may_change_from_cell_to_cell) {
    clear(80, 16, BLACK);
    for (uint32_t i = 0; i < 10; i++)
        draw_cell(i * 8, 0, 'A' + i, i * 0x1A2B3C & 0xFFFFFF, 0xC0FFEE - i);
    ck_assert_str_eq(grid(), "ABCDEFGHIJ\n");
}
END_TEST

START_TEST(negatives_are_told_by_the_background_before) {
    clear(64, 32, BLUE);
    draw(0, 0, "ab\u258C\u2590\u2580", YELLOW, BLUE);
    draw(0, 16, "ab\u258C\u2590\u2580", BLUE, YELLOW);
    ck_assert_str_eq(grid(), "ab\u258C\u2590\u2580\nab\u258C\u2590\u2580\n");
}
END_TEST

START_TEST(one_wrong_pixel_is_no_character) {
    clear(24, 16, BLACK);
    draw(0, 0, "abc", WHITE, BLACK);
    display_surface_line(&screen, 0)[8] = WHITE;
    ck_assert_str_eq(grid(), "a\uFFFDc\n");
}
END_TEST

START_TEST(text_over_a_picture_is_read) {
    clear(160, 16, BLACK);
    for (uint32_t y = 0; y < 16; y++)
        for (uint32_t x = 0; x < 160; x++)
            display_surface_line(&screen, y)[x] =
                x < 80 ? 0x202020 * ((x / 4 + y / 5) % 3 + 1) : random_number();
    draw(0, 0, "Load", WHITE, -1);
    ck_assert_ptr_eq(strstr(grid(), "Load"), (char *)text.utf8.data);
    /* Noise is nothing. */
    ck_assert_str_eq((const char *)text.utf8.data + strlen((char *)text.utf8.data) - 4, "\uFFFD\n");
}
END_TEST

/* Mode 13h: each pixel is two dots wide and high. */
START_TEST(doubled_pixels_are_one) {
    clear(80, 16, BLACK);
    draw(8, 0, "Wide", WHITE, BLACK);
    DisplaySurface small = screen;
    memset(&screen, 0, sizeof screen);
    clear(160, 32, BLACK);
    for (uint32_t y = 0; y < 32; y++)
        for (uint32_t x = 0; x < 160; x++)
            display_surface_line(&screen, y)[x] = display_surface_line(&small, y / 2)[x / 2];
    display_surface_free(&small);
    ScreenRectangle place;
    const ScreenRectangle all = {0, 0, 160, 32};
    ck_assert_str_eq(grid(), " Wide\n");
    ck_assert(screen_text_find(&text, "ide", &all, &place));
    ck_assert_uint_eq(place.x, 32);
    ck_assert_uint_eq(place.width, 48);
    ck_assert_uint_eq(place.height, 32);
    ck_assert_str_eq(anywhere(), " Wide\n");
}
END_TEST

START_TEST(area_is_all_that_is_read) {
    clear(80, 48, BLACK);
    draw(4, 8, "abcdefgh", WHITE, BLACK);
    const ScreenRectangle area = {12, 8, 32, 20}, outside = {500, 500, 10, 10};
    screen_text_read_grid(&screen, &area, font, &text);
    ck_assert_str_eq(read_text(), "bcde\n");
    screen_text_free(&text);
    screen_text_search(&screen, &area, font, &text);
    ck_assert_str_eq(read_text(), "bcde\n");
    screen_text_free(&text);
    screen_text_search(&screen, &outside, font, &text);
    ck_assert_str_eq(read_text(), "");
}
END_TEST

/* Windows at odd places, of several colours, over a picture with few colours and much noise. */
START_TEST(search_finds_text_anywhere) {
    make_font(6, 9);
    clear(320, 200, GREY);
    for (uint32_t y = 100; y < 200; y++)
        for (uint32_t x = 0; x < 320; x++)
            display_surface_line(&screen, y)[x] = random_number() % 4 * 0x555555;
    draw(13, 7, "File  Edit-It", BLACK, GREY);
    draw(150, 7, "Help.", YELLOW, BLUE);
    draw(31, 29, "3.14", WHITE, -1);
    draw(100, 150, "Over Noise", 0x00FF00, -1);
    ck_assert_str_eq(anywhere(), "  File  Edit-It         Help.\n     3.14\n"
                                 "                Over Noise\n");
    ScreenRectangle place;
    const ScreenRectangle all = {0, 0, 320, 200}, left = {0, 0, 140, 200};
    ck_assert(screen_text_find(&text, "Edit-It", &all, &place));
    ck_assert_uint_eq(place.x, 13 + 36);
    ck_assert_uint_eq(place.y, 7);
    ck_assert_uint_eq(place.width, 42);
    ck_assert_uint_eq(place.height, 9);
    ck_assert(!screen_text_find(&text, "Help", &left, &place));
    ck_assert(!screen_text_find(&text, "Nothing", &all, &place));
}
END_TEST

START_TEST(search_of_noise_ends) {
    make_font(8, 8);
    clear(640, 480, BLACK);
    for (size_t i = 0; i < 640 * 480; i++)
        screen.pixels[i] = random_number() % 2 * WHITE;
    anywhere();
    display_surface_resize(&screen, 0, 0);
    ck_assert_str_eq(anywhere(), "");
    ck_assert_str_eq(grid(), "");
}
END_TEST

START_TEST(a_font_is_learned_from_a_picture) {
    make_font(6, 9);
    Error error = {.set = false};
    ScreenFont *learned = screen_font_create(6, 9, NULL);
    clear(320, 100, BLUE);
    draw(21, 33, "ABCabc.\u2588", WHITE, BLUE);
    draw(21, 42, "xyz", WHITE, BLUE);
    ScreenLesson lesson = {.text = "ABCabc.\u2588\nxyz", .x = 21, .y = 33, .spacing = 6};
    ck_assert_msg(screen_font_learn(learned, &screen, &lesson, &error), "%s", error.message);
    ck_assert_uint_eq(learned->count, 12); /* and the space */
    clear(320, 100, BLACK);
    draw(3, 5, "Cab.By", YELLOW, BLACK);
    screen_text_search(&screen, NULL, learned, &text);
    ck_assert_str_eq(read_text(), "Cab.By\n");
    lesson = (ScreenLesson){.text = "ABCDE", .x = 300, .spacing = 6};
    ck_assert(!screen_font_learn(learned, &screen, &lesson, &error));
    ck_assert_str_eq(error.message,
                     "5x1 characters from (300, 0) on leave a picture of 320x100 pixels");
    error.set = false;
    lesson = (ScreenLesson){.text = "\xFF", .spacing = 6};
    ck_assert(!screen_font_learn(learned, &screen, &lesson, &error));
    ck_assert_str_eq(error.message, "the text is not UTF-8");
    screen_font_free(learned);
}
END_TEST

START_TEST(a_font_is_learned_by_its_colour) {
    make_font(6, 9);
    Error error = {.set = false};
    ScreenFont *learned = screen_font_create(6, 9, NULL);
    clear(100, 30, BLUE);
    for (int i = 0; i < 1500; i++)
        screen.pixels[i] = random_number() & 0xFF;
    draw(7, 3, "Abc", WHITE, -1);
    ScreenLesson lesson = {.text = "Abc", .x = 7, .y = 3, .spacing = 6};
    ck_assert(!screen_font_learn(learned, &screen, &lesson, &error));
    ck_assert_str_eq(error.message,
                     "the character at (7, 3) has more than two colours: say 'colour'");
    lesson.has_colour = true;
    lesson.colour = WHITE;
    ck_assert(screen_font_learn(learned, &screen, &lesson, NULL));
    ck_assert_uint_eq(screen_font_find(learned, glyph_of('b')->rows)->character, 'b');
    screen_font_free(learned);
}
END_TEST

/* Letters of 1 to 11 columns without gaps in them, drawn with one blank column between, and four
 * for a space. */
static uint32_t draw_proportional(uint32_t x, uint32_t y, const char *string, uint32_t colour) {
    for (; *string != '\0'; string++) {
        if (*string == ' ') {
            x += 3;
            continue;
        }
        uint32_t width = (uint32_t)(*string % 11 + 1), bits = (uint32_t)*string * 2654435761u;
        for (uint32_t column = 0; column < width; column++)
            for (uint32_t row = 0; row < 12; row++)
                if (row == column % 10 + 1 || (bits >> (row + column * 3) % 32 & 1) != 0)
                    display_surface_line(&screen, y + row)[x + column] = colour;
        x += width + 1;
    }
    return x;
}

START_TEST(proportional_text_is_learned_and_found) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz";
    Error error = {.set = false};
    ScreenFont *learned = screen_font_create_proportional(12, NULL);
    clear(640, 100, WHITE);
    draw_proportional(17, 23, alphabet, BLUE);
    ScreenLesson lesson = {.text = alphabet, .x = 10, .y = 23};
    ck_assert_msg(screen_font_learn(learned, &screen, &lesson, &error), "%s", error.message);
    ck_assert_uint_eq(learned->space_columns, 3);
    clear(640, 100, GREY);
    for (int i = 0; i < 640 * 40; i++)
        screen.pixels[i] = random_number() & 0xFF7F7F;
    draw_proportional(5, 9, "File Edit Help", WHITE);
    draw_proportional(301, 60, "Abort  Retry", BLACK);
    uint32_t end = draw_proportional(101, 60, "Yes", BLACK);
    screen_text_search(&screen, NULL, learned, &text);
    ck_assert_ptr_nonnull(strstr(read_text(), "File Edit Help\n"));
    ck_assert_ptr_nonnull(strstr(read_text(), "Yes "));
    ck_assert_ptr_nonnull(strstr(read_text(), " Abort Retry\n"));
    ScreenRectangle place;
    const ScreenRectangle all = {0, 0, 640, 100};
    ck_assert(screen_text_find(&text, "Yes", &all, &place));
    ck_assert_uint_eq(place.x, 101);
    ck_assert_uint_eq(place.width, end - 1 - 101);
    lesson = (ScreenLesson){.text = "More words than there are", .x = 101, .y = 60, .width = 50};
    ck_assert(!screen_font_learn(learned, &screen, &lesson, &error));
    ck_assert_str_eq(error.message, "the text has more characters than the 3 pieces there are");
    screen_font_free(learned);
}
END_TEST

START_TEST(the_first_of_those_that_look_the_same_is_read) {
    screen_font_add(font, glyph_of('O')->rows, 0x41E); /* Cyrillic */
    screen_font_add(font, glyph_of('P')->rows, 0x41E); /* an alias stays what it was */
    ck_assert_uint_eq(screen_font_read_as(font, 0x41E), 'O');
    ck_assert_uint_eq(screen_font_read_as(font, 'O'), 'O');
    ck_assert_uint_eq(screen_font_find(font, glyph_of('O')->rows)->character, 'O');
}
END_TEST

START_TEST(sizes_of_fonts_are_bounded) {
    Error error = {.set = false};
    ck_assert_ptr_null(screen_font_create(0, 8, NULL));
    ck_assert_ptr_null(screen_font_create(33, 8, NULL));
    ck_assert_ptr_null(screen_font_create(8, 65, &error));
    ck_assert_str_eq(error.message, "a font's characters are 1x1 to 32x64 pixels, not 8x65");
    ScreenFont *largest = screen_font_create(32, 64, NULL);
    uint8_t bytes[256] = {0x80, 0, 0, 1};
    const uint32_t characters[] = {'a'};
    screen_font_add_bytes(largest, bytes, characters, 1);
    ck_assert_uint_eq(largest->glyphs[1].rows[0], 0x80000001);
    screen_font_free(largest);
}
END_TEST

/* A font in the adapter's format is found by its blocks, wherever it lies. */
START_TEST(fonts_are_found_in_memory) {
    enum { HEIGHT = 14, AT = 1234 };
    uint8_t *memory = calloc(1, 256 * HEIGHT + AT + 5);
    uint8_t *glyphs = memory + AT;
    random_state = 3;
    for (int i = 0; i < 256 * HEIGHT; i++)
        glyphs[i] = (uint8_t)random_number() | 1;
    for (int row = 0; row < HEIGHT; row++) {
        glyphs[row] = glyphs[' ' * HEIGHT + row] = glyphs[255 * HEIGHT + row] = 0;
        glyphs[0xDB * HEIGHT + row] = 0xFF;
        glyphs[0xDD * HEIGHT + row] = 0xF0;
        glyphs[0xDE * HEIGHT + row] = 0x0F;
    }
    size_t size = 256 * HEIGHT + AT;
    ck_assert_uint_eq(bios_font_search(memory, size + 5, HEIGHT), AT);
    ck_assert_uint_eq(bios_font_search(memory, size, HEIGHT), AT);
    ck_assert_uint_eq(bios_font_search(memory, size - 1, HEIGHT), SIZE_MAX);
    ck_assert_uint_eq(bios_font_search(memory, size, 16), SIZE_MAX);
    ck_assert_uint_eq(bios_font_search(memory, 10, HEIGHT), SIZE_MAX);
    ScreenFont *found = screen_font_create_code_page_437(glyphs, HEIGHT);
    uint32_t rows[HEIGHT];
    for (int row = 0; row < HEIGHT; row++)
        rows[row] = (uint32_t)glyphs[0x80 * HEIGHT + row] << 24;
    ck_assert_uint_eq(screen_font_find(found, rows)->character, 0xC7);
    memset(rows, 0, sizeof rows);
    ck_assert_uint_eq(screen_font_find(found, rows)->character, ' ');
    rows[0] = 1;
    ck_assert_ptr_null(screen_font_find(found, rows));
    screen_font_free(found);
    free(memory);
}
END_TEST

START_TEST(utf8_goes_both_ways) {
    static const uint32_t characters[] = {0x20,  0x7F,   0x80,    0x7FF,
                                          0x800, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        uint8_t bytes[UTF8_BYTES_MAXIMUM];
        size_t size = utf8_encode(characters[i], bytes), used;
        ck_assert_uint_eq(utf8_decode(bytes, size, &used), characters[i]);
        ck_assert_uint_eq(used, size);
        ck_assert(size == 1 || utf8_decode(bytes, size - 1, &used) == REPLACEMENT_CHARACTER);
    }
    static const char *const wrong[] = {
        "\x80", "\xC1\x81", "\xE0\x80\x80", "\xF8\x88\x80\x80", "\xF4\x90\x80\x80", "\xC3("};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        size_t used;
        ck_assert_uint_eq(utf8_decode((const uint8_t *)wrong[i], strlen(wrong[i]), &used),
                          REPLACEMENT_CHARACTER);
        ck_assert_uint_eq(used, 1);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {grid_reads_every_character,
                                  colours_may_change_from_cell_to_cell,
                                  negatives_are_told_by_the_background_before,
                                  one_wrong_pixel_is_no_character,
                                  text_over_a_picture_is_read,
                                  doubled_pixels_are_one,
                                  area_is_all_that_is_read,
                                  search_finds_text_anywhere,
                                  search_of_noise_ends,
                                  a_font_is_learned_from_a_picture,
                                  a_font_is_learned_by_its_colour,
                                  the_first_of_those_that_look_the_same_is_read,
                                  proportional_text_is_learned_and_found,
                                  sizes_of_fonts_are_bounded,
                                  fonts_are_found_in_memory,
                                  utf8_goes_both_ways};
    Suite *suite = suite_create("screen_reader");
    TCase *tcase = tcase_create("screen_reader");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

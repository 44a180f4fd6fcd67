/* Comparison of screens with references: masks, tolerance, sizes, and the picture of a difference.
 */
#include "png_write.h"
#include "screen_compare.h"
#include "suite_run.h"
#include <check.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 20, HEIGHT = 10 };

static char folder[] = "/tmp/reprise-compare-XXXXXX";
static char path[64];
static DisplaySurface screen;
static ScreenReference reference;
static ScreenDifference difference;
static const ScreenTolerance exact = {0};

static uint32_t *at(uint32_t x, uint32_t y) {
    return &display_surface_line(&screen, y)[x];
}

static void set_up(void) {
    Error error = {.set = false};
    strcpy(folder, "/tmp/reprise-compare-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.png", folder);
    display_surface_resize(&screen, WIDTH, HEIGHT);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            *at(x, y) = 0x102030 + x * 0x010000 + y;
    ck_assert(png_write(&screen, path, &error));
    ck_assert_msg(screen_reference_read(&reference, path, &error), "%s", error.message);
}

static void tear_down(void) {
    screen_reference_free(&reference);
    display_surface_free(&screen);
    unlink(path);
    rmdir(folder);
}

START_TEST(same_is_same) {
    ck_assert(screen_compare(&screen, &reference, &exact, &difference));
    ck_assert_uint_eq(difference.compared, WIDTH * HEIGHT);
    ck_assert_uint_eq(difference.different, 0);
}
END_TEST

START_TEST(differences_are_counted_and_placed) {
    char text[200];
    *at(3, 4) ^= 0x000005;
    *at(17, 6) ^= 0x400000;
    ck_assert(!screen_compare(&screen, &reference, &exact, &difference));
    ck_assert_uint_eq(difference.different, 2);
    ck_assert_uint_eq(difference.greatest, 0x40);
    screen_difference_describe(&difference, &screen, &reference, text, sizeof text);
    ck_assert_str_eq(text, "2 of 200 pixels differ, all within 15x3 pixels from (3, 4), by up to "
                           "64 of 255");
}
END_TEST

START_TEST(tolerance_is_of_channels_and_of_pixels) {
    *at(0, 0) += 0x030000;
    *at(1, 0) -= 0x000003;
    *at(2, 0) += 0x000400;
    ck_assert(!screen_compare(&screen, &reference, &(ScreenTolerance){3, 0}, &difference));
    ck_assert_uint_eq(difference.different, 1);
    ck_assert(screen_compare(&screen, &reference, &(ScreenTolerance){4, 0}, &difference));
    ck_assert(!screen_compare(&screen, &reference, &(ScreenTolerance){0, 2}, &difference));
    ck_assert(screen_compare(&screen, &reference, &(ScreenTolerance){0, 3}, &difference));
    ck_assert(!screen_compare(&screen, &reference, &(ScreenTolerance){0, 0.0149}, &difference));
    ck_assert(screen_compare(&screen, &reference, &(ScreenTolerance){0, 0.015}, &difference));
}
END_TEST

START_TEST(rectangles_are_left_out) {
    *at(5, 5) = 0;
    *at(19, 9) = 0;
    screen_reference_leave_out(&reference, &(ScreenRectangle){5, 5, 1, 1});
    ck_assert(!screen_compare(&screen, &reference, &exact, &difference));
    ck_assert_uint_eq(difference.compared, WIDTH * HEIGHT - 1);
    /* As far as it lies in the picture. */
    screen_reference_leave_out(&reference, &(ScreenRectangle){19, 9, UINT32_MAX, UINT32_MAX});
    screen_reference_leave_out(&reference, &(ScreenRectangle){WIDTH, 0, 5, 5});
    screen_reference_leave_out(&reference, &(ScreenRectangle){0, UINT32_MAX, 5, 5});
    ck_assert(screen_compare(&screen, &reference, &exact, &difference));
    ck_assert_uint_eq(difference.compared, WIDTH * HEIGHT - 2);
}
END_TEST

START_TEST(another_size_is_told) {
    char text[200];
    display_surface_resize(&screen, 2 * WIDTH, HEIGHT);
    ck_assert(!screen_compare(&screen, &reference, &(ScreenTolerance){255, 1e9}, &difference));
    screen_difference_describe(&difference, &screen, &reference, text, sizeof text);
    ck_assert_str_eq(text, "the screen has 40x10 pixels, the reference 20x10");
}
END_TEST

/* Writes a picture of which one pixel is transparent, or all others. */
static void write_alpha(uint32_t width, uint32_t x, uint32_t y, bool others) {
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = HEIGHT, .format = PNG_FORMAT_RGBA};
    uint8_t *pixels = calloc(width * HEIGHT, 4);
    for (uint32_t i = 0; i < width * HEIGHT; i++) {
        uint32_t pixel = *at(i % WIDTH, i / width);
        const uint8_t rgba[4] = {(uint8_t)(pixel >> 16), (uint8_t)(pixel >> 8), (uint8_t)pixel,
                                 (i == y * width + x) != others ? 0 : 255};
        memcpy(pixels + 4 * (size_t)i, rgba, 4);
    }
    ck_assert(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
    free(pixels);
}

START_TEST(transparent_pixels_of_the_reference_are_left_out) {
    write_alpha(WIDTH, 7, 3, false);
    screen_reference_free(&reference);
    ck_assert(screen_reference_read(&reference, path, NULL));
    *at(7, 3) = 0xFFFFFF;
    ck_assert(screen_compare(&screen, &reference, &exact, &difference));
    *at(8, 3) = 0xFFFFFF;
    ck_assert(!screen_compare(&screen, &reference, &exact, &difference));
}
END_TEST

START_TEST(a_mask_leaves_out_what_it_covers) {
    Error error = {.set = false};
    write_alpha(WIDTH, 7, 3, true);
    ck_assert(screen_reference_leave_out_mask(&reference, path, &error));
    *at(7, 3) = 0xFFFFFF;
    ck_assert(screen_compare(&screen, &reference, &exact, &difference));
    ck_assert_uint_eq(difference.compared, WIDTH * HEIGHT - 1);
    write_alpha(WIDTH - 1, 7, 3, true);
    ck_assert(!screen_reference_leave_out_mask(&reference, path, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "the mask has 19x10 pixels, the reference 20x10"));
}
END_TEST

START_TEST(the_difference_is_drawn) {
    DisplaySurface drawn = {0};
    *at(2, 1) ^= 0xFF;
    screen_reference_leave_out(&reference, &(ScreenRectangle){4, 4, 2, 2});
    screen_draw_difference(&screen, &reference, &exact, &drawn);
    ck_assert_uint_eq(drawn.width, WIDTH);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint32_t pixel = display_surface_line(&drawn, y)[x];
            bool left_out = x >= 4 && x < 6 && y >= 4 && y < 6;
            ck_assert_uint_eq(pixel == 0xFF0000, x == 2 && y == 1);
            ck_assert_uint_eq(pixel == 0x6080C0, left_out);
        }
    display_surface_resize(&screen, WIDTH + 1, HEIGHT - 1);
    screen_draw_difference(&screen, &reference, &exact, &drawn);
    ck_assert_uint_eq(drawn.width, WIDTH + 1);
    ck_assert_uint_eq(drawn.height, HEIGHT);
    ck_assert_uint_eq(display_surface_line(&drawn, 0)[WIDTH], 0xFF0000);
    display_surface_free(&drawn);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("screen_compare");
    TCase *tcase = tcase_create("screen_compare");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, same_is_same);
    tcase_add_test(tcase, differences_are_counted_and_placed);
    tcase_add_test(tcase, tolerance_is_of_channels_and_of_pixels);
    tcase_add_test(tcase, rectangles_are_left_out);
    tcase_add_test(tcase, another_size_is_told);
    tcase_add_test(tcase, transparent_pixels_of_the_reference_are_left_out);
    tcase_add_test(tcase, a_mask_leaves_out_what_it_covers);
    tcase_add_test(tcase, the_difference_is_drawn);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

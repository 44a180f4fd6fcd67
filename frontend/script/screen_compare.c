#include "screen_compare.h"
#include "allocate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALPHA_SHIFT = 24,
    ALPHA_OPAQUE_FROM = 128, /* editors leave soft edges round what was erased */
    COLOUR_DIFFERENT = 0xFF0000,
    COLOUR_LEFT_OUT = 0x6080C0,
};

static size_t picture_pixels(const PngPicture *picture) {
    return (size_t)picture->width * picture->height;
}

static bool is_opaque(uint32_t pixel) {
    return pixel >> ALPHA_SHIFT >= ALPHA_OPAQUE_FROM;
}

bool screen_reference_read(ScreenReference *reference, const char *path, Error *error) {
    memset(reference, 0, sizeof *reference);
    if (!png_read(path, &reference->picture, error))
        return false;
    size_t count = picture_pixels(&reference->picture);
    reference->left_out = allocate_zeroed(count);
    for (size_t i = 0; i < count; i++)
        reference->left_out[i] = !is_opaque(reference->picture.pixels[i]);
    return true;
}

void screen_reference_take(ScreenReference *reference, const DisplaySurface *screen) {
    PngPicture *picture = &reference->picture;
    picture->width = screen->width;
    picture->height = screen->height;
    picture->pixels = allocate_zeroed(picture_pixels(picture) * sizeof(uint32_t) + 1);
    for (uint32_t y = 0; y < screen->height; y++)
        memcpy(picture->pixels + (size_t)y * screen->width, display_surface_line(screen, y),
               screen->width * sizeof(uint32_t));
    reference->left_out = allocate_zeroed(picture_pixels(picture) + 1);
}

void screen_reference_free(ScreenReference *reference) {
    png_picture_free(&reference->picture);
    free(reference->left_out);
    memset(reference, 0, sizeof *reference);
}

static uint32_t clip(uint32_t start, uint32_t length, uint32_t limit) {
    return start >= limit ? limit : length > limit - start ? limit : start + length;
}

void screen_reference_leave_out(ScreenReference *reference, const ScreenRectangle *rectangle) {
    const PngPicture *picture = &reference->picture;
    uint32_t right = clip(rectangle->x, rectangle->width, picture->width);
    uint32_t bottom = clip(rectangle->y, rectangle->height, picture->height);
    for (uint32_t y = rectangle->y; y < bottom; y++)
        for (uint32_t x = rectangle->x; x < right; x++)
            reference->left_out[(size_t)y * picture->width + x] = 1;
}

bool screen_reference_leave_out_mask(ScreenReference *reference, const char *path, Error *error) {
    PngPicture mask;
    const PngPicture *picture = &reference->picture;
    if (!png_read(path, &mask, error))
        return false;
    bool same = mask.width == picture->width && mask.height == picture->height;
    if (!same)
        error_set(error, "%s: the mask has %ux%u pixels, the reference %ux%u", path, mask.width,
                  mask.height, picture->width, picture->height);
    for (size_t i = 0; same && i < picture_pixels(&mask); i++)
        reference->left_out[i] |= is_opaque(mask.pixels[i]);
    png_picture_free(&mask);
    return same;
}

/* ---- Comparison ---- */

unsigned screen_pixel_difference(uint32_t a, uint32_t b) {
    unsigned greatest = 0;
    for (unsigned shift = 0; shift < ALPHA_SHIFT; shift += 8) {
        int one = a >> shift & 0xFF, other = b >> shift & 0xFF;
        unsigned difference = (unsigned)abs(one - other);
        if (difference > greatest)
            greatest = difference;
    }
    return greatest;
}

static void note_different(ScreenDifference *difference, uint32_t x, uint32_t y) {
    if (difference->different++ == 0) {
        difference->left = difference->right = x;
        difference->top = y;
    }
    if (x < difference->left)
        difference->left = x;
    if (x >= difference->right)
        difference->right = x + 1;
    difference->bottom = y + 1;
}

static void compare_line(const uint32_t *line, const ScreenReference *reference, uint32_t y,
                         unsigned tolerance, ScreenDifference *difference) {
    uint32_t width = reference->picture.width;
    const uint32_t *expected = reference->picture.pixels + (size_t)y * width;
    const uint8_t *left_out = reference->left_out + (size_t)y * width;
    for (uint32_t x = 0; x < width; x++) {
        if (left_out[x])
            continue;
        difference->compared++;
        if (((line[x] ^ expected[x]) & 0xFFFFFF) == 0)
            continue;
        unsigned by = screen_pixel_difference(line[x], expected[x]);
        if (by > difference->greatest)
            difference->greatest = by;
        if (by > tolerance)
            note_different(difference, x, y);
    }
}

bool screen_compare(const DisplaySurface *screen, const ScreenReference *reference,
                    const ScreenTolerance *tolerance, ScreenDifference *difference) {
    const PngPicture *picture = &reference->picture;
    memset(difference, 0, sizeof *difference);
    difference->same_size = screen->width == picture->width && screen->height == picture->height;
    if (!difference->same_size)
        return false;
    for (uint32_t y = 0; y < screen->height; y++)
        compare_line(display_surface_line(screen, y), reference, y, tolerance->channel, difference);
    double allowed = tolerance->different;
    if (allowed < 1)
        allowed *= (double)difference->compared;
    return (double)difference->different <= allowed;
}

void screen_difference_describe(const ScreenDifference *difference, const DisplaySurface *screen,
                                const ScreenReference *reference, char *text, size_t size) {
    if (!difference->same_size) {
        snprintf(text, size, "the screen has %ux%u pixels, the reference %ux%u", screen->width,
                 screen->height, reference->picture.width, reference->picture.height);
        return;
    }
    if (difference->different == 0) {
        snprintf(text, size, "all of %llu pixels are alike",
                 (unsigned long long)difference->compared);
        return;
    }
    snprintf(text, size,
             "%llu of %llu pixels differ, all within %ux%u pixels from (%u, %u), by up to %u of "
             "255",
             (unsigned long long)difference->different, (unsigned long long)difference->compared,
             difference->right - difference->left, difference->bottom - difference->top,
             difference->left, difference->top, difference->greatest);
}

/* ---- The picture of it ---- */

static uint32_t pale(uint32_t pixel) {
    uint32_t red = pixel >> 16 & 0xFF, green = pixel >> 8 & 0xFF, blue = pixel & 0xFF;
    uint32_t grey = (red * 3 + green * 6 + blue) / 10;
    return (0xA0 + grey / 4) * 0x010101;
}

static uint32_t difference_colour(const DisplaySurface *screen, const ScreenReference *reference,
                                  const ScreenTolerance *tolerance, uint32_t x, uint32_t y) {
    const PngPicture *picture = &reference->picture;
    bool on_screen = x < screen->width && y < screen->height;
    bool expected = x < picture->width && y < picture->height;
    if (!on_screen || !expected)
        return COLOUR_DIFFERENT;
    size_t at = (size_t)y * picture->width + x;
    uint32_t pixel = display_surface_line(screen, y)[x];
    if (reference->left_out[at])
        return COLOUR_LEFT_OUT;
    bool differs = screen_pixel_difference(pixel, picture->pixels[at]) > tolerance->channel;
    return differs ? COLOUR_DIFFERENT : pale(pixel);
}

void screen_draw_difference(const DisplaySurface *screen, const ScreenReference *reference,
                            const ScreenTolerance *tolerance, DisplaySurface *picture) {
    const PngPicture *expected = &reference->picture;
    uint32_t width = screen->width > expected->width ? screen->width : expected->width;
    uint32_t height = screen->height > expected->height ? screen->height : expected->height;
    display_surface_resize(picture, width, height);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            display_surface_line(picture, y)[x] =
                difference_colour(screen, reference, tolerance, x, y);
}

/* How a screen differs from a reference picture: with parts left out, and with tolerance. */
#ifndef REPRISE_SCREEN_COMPARE_H
#define REPRISE_SCREEN_COMPARE_H

#include "display_surface.h"
#include "png_read.h"

typedef struct ScreenRectangle {
    uint32_t x, y, width, height;
} ScreenRectangle;

typedef struct ScreenReference {
    PngPicture picture;
    uint8_t *left_out; /* one byte a pixel: not 0 where anything may be */
} ScreenReference;

typedef struct ScreenTolerance {
    unsigned channel; /* by so much red, green and blue may each differ */
    double different; /* pixels that may differ by more: below 1 a share, else a number */
} ScreenTolerance;

typedef struct ScreenDifference {
    bool same_size;
    uint64_t compared, different; /* pixels */
    unsigned greatest;            /* difference of a channel */
    uint32_t left, top;           /* what differs lies from here ... */
    uint32_t right, bottom;       /* ... to before here */
} ScreenDifference;

/* Reads the reference. Its transparent pixels are left out of every comparison. */
bool screen_reference_read(ScreenReference *reference, const char *path, Error *error);
/* Takes the screen as it is for a reference. */
void screen_reference_take(ScreenReference *reference, const DisplaySurface *screen);
void screen_reference_free(ScreenReference *reference);
/* Leaves a rectangle out, as far as it lies in the picture. */
void screen_reference_leave_out(ScreenReference *reference, const ScreenRectangle *rectangle);
/* Leaves out what a picture of the same size covers: where it is not transparent. */
bool screen_reference_leave_out_mask(ScreenReference *reference, const char *path, Error *error);

/* By how much the channel of two colours that differs most does. */
unsigned screen_pixel_difference(uint32_t a, uint32_t b);
/* Whether the screen is like the reference; 'difference' tells in any case. */
bool screen_compare(const DisplaySurface *screen, const ScreenReference *reference,
                    const ScreenTolerance *tolerance, ScreenDifference *difference);
/* The same for people: "12 of 256000 pixels differ, ...". */
void screen_difference_describe(const ScreenDifference *difference, const DisplaySurface *screen,
                                const ScreenReference *reference, char *text, size_t size);
/* Draws it: pixels that differ red, what is left out blue, the rest of the screen pale. */
void screen_draw_difference(const DisplaySurface *screen, const ScreenReference *reference,
                            const ScreenTolerance *tolerance, DisplaySurface *picture);

#endif

/* PNG files of all kinds, written by libpng itself; and damaged, cut and hostile ones. */
#include "byte_buffer.h"
#include "png_read.h"
#include "suite_run.h"
#include <check.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { WIDTH = 13, HEIGHT = 11 };

static void append(png_structp png, png_bytep bytes, size_t size) {
    byte_buffer_append(png_get_io_ptr(png), bytes, size);
}

static void flush(png_structp png) {
    (void)png;
}

/* The sample of a pixel and channel, for every depth. */
static unsigned sample(uint32_t x, uint32_t y, unsigned channel, int depth) {
    unsigned value = x * 37 + y * 11 + channel * 101;
    return value & ((1u << depth) - 1);
}

static void fill_line(uint8_t *line, uint32_t y, unsigned channels, int depth) {
    memset(line, 0, WIDTH * 8);
    for (uint32_t i = 0; i < WIDTH * channels; i++) {
        unsigned value = sample(i / channels, y, i % channels, depth);
        if (depth == 16) {
            line[2 * i] = (uint8_t)(value >> 8);
            line[2 * i + 1] = (uint8_t)value;
        } else {
            unsigned bit = i * (unsigned)depth;
            line[bit / 8] |= (uint8_t)(value << (8 - (unsigned)depth - bit % 8));
        }
    }
}

static unsigned channels_of(int colour_type) {
    switch (colour_type) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    default:
        return 1;
    }
}

static png_color palette_colour(unsigned index) {
    return (png_color){(png_byte)(index * 7), (png_byte)(255 - index), (png_byte)(index * 31)};
}

static void write_png(ByteBuffer *file, int colour_type, int depth, int interlace) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    uint8_t lines[HEIGHT][WIDTH * 8];
    png_bytep pointers[HEIGHT];
    png_set_write_fn(png, file, append, flush);
    png_set_IHDR(png, info, WIDTH, HEIGHT, depth, colour_type, interlace, 0, 0);
    png_color palette[256];
    for (unsigned i = 0; i < 256; i++)
        palette[i] = palette_colour(i);
    if (colour_type == PNG_COLOR_TYPE_PALETTE) {
        const png_byte alpha[2] = {0, 77}; /* of the first two entries */
        png_set_PLTE(png, info, palette, 1 << depth);
        png_set_tRNS(png, info, alpha, 2, NULL);
    }
    for (uint32_t y = 0; y < HEIGHT; y++) {
        fill_line(lines[y], y, channels_of(colour_type), depth);
        pointers[y] = lines[y];
    }
    png_set_gAMA(png, info, 1.0); /* to be left alone */
    png_write_info(png, info);
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static uint32_t to_eight_bits(unsigned value, int depth) {
    return depth == 16 ? (value * 255 + 32895) >> 16 : value * 255 / ((1u << depth) - 1);
}

static uint32_t expected_pixel(uint32_t x, uint32_t y, int colour_type, int depth) {
    uint32_t s[4];
    for (unsigned channel = 0; channel < 4; channel++)
        s[channel] = to_eight_bits(sample(x, y, channel, depth), depth);
    if (colour_type == PNG_COLOR_TYPE_PALETTE) {
        unsigned index = sample(x, y, 0, depth);
        png_color colour = palette_colour(index);
        uint32_t alpha = index == 0 ? 0 : index == 1 ? 77 : 255;
        return alpha << 24 | (uint32_t)colour.red << 16 | (uint32_t)colour.green << 8 | colour.blue;
    }
    if (colour_type == PNG_COLOR_TYPE_GRAY || colour_type == PNG_COLOR_TYPE_GRAY_ALPHA)
        return (colour_type == PNG_COLOR_TYPE_GRAY ? 0xFFu : s[1]) << 24 | s[0] * 0x010101;
    return (colour_type == PNG_COLOR_TYPE_RGB ? 0xFFu : s[3]) << 24 | s[0] << 16 | s[1] << 8 | s[2];
}

static const struct {
    int colour_type, depth;
} kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},      {PNG_COLOR_TYPE_GRAY, 4},
    {PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},     {PNG_COLOR_TYPE_RGB, 8},
    {PNG_COLOR_TYPE_RGB, 16},        {PNG_COLOR_TYPE_PALETTE, 1},   {PNG_COLOR_TYPE_PALETTE, 2},
    {PNG_COLOR_TYPE_PALETTE, 4},     {PNG_COLOR_TYPE_PALETTE, 8},   {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB_ALPHA, 8}, {PNG_COLOR_TYPE_RGB_ALPHA, 16},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void check_kind(int colour_type, int depth, int interlace) {
    ByteBuffer file = {0};
    PngPicture picture;
    Error error = {.set = false};
    write_png(&file, colour_type, depth, interlace);
    ck_assert_msg(png_decode(file.data, file.size, &picture, &error), "%s", error.message);
    ck_assert_uint_eq(picture.width, WIDTH);
    ck_assert_uint_eq(picture.height, HEIGHT);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint32_t pixel = picture.pixels[y * WIDTH + x];
            uint32_t expected = expected_pixel(x, y, colour_type, depth);
            if (pixel != expected)
                ck_abort_msg("type %d, %d bits: (%u, %u) is %08X, not %08X", colour_type, depth, x,
                             y, pixel, expected);
        }
    png_picture_free(&picture);
    byte_buffer_free(&file);
}

START_TEST(every_kind_is_read) {
    check_kind(kinds[_i].colour_type, kinds[_i].depth, PNG_INTERLACE_NONE);
    check_kind(kinds[_i].colour_type, kinds[_i].depth, PNG_INTERLACE_ADAM7);
}
END_TEST

/* Whatever is missing at the end, there is an error and no picture; but nobody misses IEND's CRC.
 */
START_TEST(cut_files_are_refused) {
    ByteBuffer file = {0};
    write_png(&file, PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_ADAM7);
    for (size_t size = 0; size + 12 < file.size; size++) {
        PngPicture picture;
        Error error = {.set = false};
        uint8_t *exact = malloc(size + 1); /* so that a sanitizer sees a byte too far */
        memcpy(exact, file.data, size);
        uint8_t *data = realloc(exact, size == 0 ? 1 : size);
        ck_assert_msg(!png_decode(data, size, &picture, &error), "%zu bytes were enough", size);
        ck_assert(error.set && picture.pixels == NULL);
        ck_assert_msg(strchr(error.message, '\n') == NULL, "%s", error.message);
        free(data);
    }
    byte_buffer_free(&file);
}
END_TEST

START_TEST(damaged_files_do_no_harm) {
    ByteBuffer file = {0};
    write_png(&file, kinds[_i].colour_type, kinds[_i].depth, PNG_INTERLACE_ADAM7);
    srand(1);
    for (int round = 0; round < 2000; round++) {
        ByteBuffer damaged = {0};
        PngPicture picture;
        Error error = {.set = false};
        byte_buffer_append(&damaged, file.data, file.size);
        for (int i = rand() % 4; i >= 0; i--)
            damaged.data[(size_t)rand() % damaged.size] = (uint8_t)rand();
        bool good = png_decode(damaged.data, damaged.size, &picture, &error);
        ck_assert(good != error.set);
        ck_assert(good == (picture.pixels != NULL));
        png_picture_free(&picture);
        byte_buffer_free(&damaged);
    }
    byte_buffer_free(&file);
}
END_TEST

static void put_be32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A header that promises more than there can be is refused before anything is allocated for it. */
START_TEST(huge_pictures_are_refused) {
    static const uint32_t sizes[][2] = {{0x7FFFFFFF, 0x7FFFFFFF}, {32768, 32768}, {8192, 4097},
                                        {0x80000000, 1},          {0, 1},         {1, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ByteBuffer file = {0};
        PngPicture picture;
        Error error = {.set = false};
        write_png(&file, PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE);
        put_be32(file.data + 16, sizes[i][0]); /* IHDR is the first chunk */
        put_be32(file.data + 20, sizes[i][1]);
        put_be32(file.data + 29, (uint32_t)crc32(0, file.data + 12, 17));
        ck_assert(!png_decode(file.data, file.size, &picture, &error));
        ck_assert(error.set);
        ck_assert_ptr_null(picture.pixels);
        byte_buffer_free(&file);
    }
}
END_TEST

START_TEST(files_that_are_none_are_told) {
    PngPicture picture;
    Error error = {.set = false};
    ck_assert(!png_read("/nowhere/at/all.png", &picture, &error));
    ck_assert_str_eq(error.message, "/nowhere/at/all.png: No such file or directory");
    error.set = false;
    ck_assert(!png_read("/dev/null", &picture, &error));
    ck_assert_str_eq(error.message, "/dev/null: not a PNG file");
    error.set = false;
    ck_assert(!png_read("/", &picture, &error));
    ck_assert(error.set);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("png_read");
    TCase *tcase = tcase_create("png_read");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_kind_is_read, 0, KINDS);
    tcase_add_test(tcase, cut_files_are_refused);
    tcase_add_loop_test(tcase, damaged_files_do_no_harm, 0, KINDS);
    tcase_add_test(tcase, huge_pictures_are_refused);
    tcase_add_test(tcase, files_that_are_none_are_told);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

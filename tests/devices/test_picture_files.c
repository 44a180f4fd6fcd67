/* PNG and PPM files, decoded again here by zlib alone. */
#include "png_write.h"
#include "ppm_write.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static uint32_t be32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Checks every chunk's CRC and returns the IDAT data as filtered lines. */
static uint8_t *unpack(const ByteBuffer *file, uint32_t *width, uint32_t *height) {
    uint8_t *lines = NULL;
    size_t at = 8;
    bool ended = false;
    ck_assert_int_eq(memcmp(file->data, "\x89PNG\r\n\x1A\n", 8), 0);
    while (!ended) {
        ck_assert_uint_le(at + 12, file->size);
        const uint8_t *chunk = file->data + at;
        uint32_t size = be32(chunk);
        ck_assert_uint_le(at + 12 + size, file->size);
        ck_assert_uint_eq(be32(chunk + 8 + size), crc32(0, chunk + 4, size + 4));
        if (memcmp(chunk + 4, "IHDR", 4) == 0) {
            *width = be32(chunk + 8);
            *height = be32(chunk + 12);
            ck_assert_int_eq(memcmp(chunk + 16, "\x08\x02\x00\x00\x00", 5), 0);
        } else if (memcmp(chunk + 4, "IDAT", 4) == 0) {
            uLongf unpacked = (uLongf)*height * (1 + 3 * *width);
            lines = malloc(unpacked);
            ck_assert_int_eq(uncompress(lines, &unpacked, chunk + 8, size), Z_OK);
            ck_assert_uint_eq(unpacked, (uLongf)*height * (1 + 3 * *width));
        }
        ended = memcmp(chunk + 4, "IEND", 4) == 0;
        at += 12 + size;
    }
    ck_assert_uint_eq(at, file->size);
    return lines;
}

static void fill(DisplaySurface *surface, uint32_t width, uint32_t height) {
    display_surface_resize(surface, width, height);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            display_surface_line(surface, y)[x] = (x * 0x010203 ^ y * 0x0A0705) & 0xFFFFFF;
}

static void check_png(const ByteBuffer *file, const DisplaySurface *surface) {
    uint32_t width = 0, height = 0;
    uint8_t *lines = unpack(file, &width, &height);
    ck_assert_uint_eq(width, surface->width);
    ck_assert_uint_eq(height, surface->height);
    size_t pitch = 1 + (size_t)width * 3;
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *line = lines + y * pitch;
        ck_assert(line[0] == 0 || line[0] == 2);
        for (size_t i = 1; i < pitch; i++)
            if (line[0] == 2 && y != 0)
                line[i] = (uint8_t)(line[i] + line[i - pitch]);
        for (uint32_t x = 0; x < width; x++) {
            const uint8_t *rgb = line + 1 + 3 * x;
            if ((uint32_t)(rgb[0] << 16 | rgb[1] << 8 | rgb[2]) !=
                display_surface_line(surface, y)[x])
                ck_abort_msg("(%u, %u) differs", x, y);
        }
    }
    free(lines);
}

START_TEST(png_holds_the_picture) {
    static const uint32_t sizes[][2] = {{1, 1}, {3, 5}, {720, 400}, {803, 601}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        DisplaySurface surface = {0};
        ByteBuffer file = {0};
        fill(&surface, sizes[i][0], sizes[i][1]);
        ck_assert(png_encode(&surface, &file, NULL));
        check_png(&file, &surface);
        byte_buffer_free(&file);
        display_surface_free(&surface);
    }
}
END_TEST

START_TEST(ppm_holds_the_picture) {
    DisplaySurface surface = {0};
    ByteBuffer file = {0};
    fill(&surface, 17, 3);
    ppm_encode(&surface, &file);
    const char *header = "P6\n17 3\n255\n";
    ck_assert_uint_eq(file.size, strlen(header) + 17 * 3 * 3);
    ck_assert_int_eq(memcmp(file.data, header, strlen(header)), 0);
    const uint8_t *rgb = file.data + strlen(header);
    for (uint32_t y = 0; y < 3; y++)
        for (uint32_t x = 0; x < 17; x++, rgb += 3)
            ck_assert_uint_eq((uint32_t)(rgb[0] << 16 | rgb[1] << 8 | rgb[2]),
                              display_surface_line(&surface, y)[x]);
    byte_buffer_free(&file);
    display_surface_free(&surface);
}
END_TEST

START_TEST(files_are_written_or_the_reason_told) {
    char path[] = "/tmp/reprise-picture-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    DisplaySurface surface = {0};
    Error error = {0};
    ck_assert(!png_write(&surface, path, &error)); /* there is nothing in it */
    ck_assert(error.set);
    fill(&surface, 64, 48);
    ck_assert(png_write(&surface, path, NULL));
    FILE *stream = fopen(path, "rb");
    uint8_t bytes[20000];
    ByteBuffer file = {.data = bytes, .size = fread(bytes, 1, sizeof bytes, stream)};
    fclose(stream);
    check_png(&file, &surface);
    ck_assert(ppm_write(&surface, path, NULL));
    error = (Error){0};
    ck_assert(!png_write(&surface, "/nonexistent/folder/x.png", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent/folder/x.png"));
    error = (Error){0};
    ck_assert(!ppm_write(&surface, "/dev/full", &error)); /* fails as a full disk does */
    ck_assert(error.set);
    unlink(path);
    display_surface_free(&surface);
}
END_TEST

START_TEST(surface_is_black_after_a_change_of_size) {
    DisplaySurface surface = {0};
    fill(&surface, 64, 48);
    surface.content_id = 5;
    display_surface_resize(&surface, 64, 48);
    ck_assert_uint_eq(surface.content_id, 5);
    ck_assert_uint_ne(display_surface_line(&surface, 47)[63], 0);
    display_surface_resize(&surface, 32, 40);
    ck_assert_uint_eq(surface.content_id, 0);
    for (uint32_t i = 0; i < 32 * 40; i++)
        ck_assert_uint_eq(surface.pixels[i], 0);
    display_surface_resize(&surface, 100, 100);
    display_surface_line(&surface, 99)[99] = 1;
    display_surface_free(&surface);
    ck_assert_ptr_null(surface.pixels);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("picture files");
    TCase *tests = tcase_create("picture files");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, png_holds_the_picture);
    tcase_add_test(tests, ppm_holds_the_picture);
    tcase_add_test(tests, files_are_written_or_the_reason_told);
    tcase_add_test(tests, surface_is_black_after_a_change_of_size);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

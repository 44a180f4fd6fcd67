/* Videos: what is recorded comes out of the files again, frame by frame. APNG is taken apart chunk
 * by chunk here and its frames are decoded by zlib; libpng reads the first one. */
#include "png_read.h"
#include "suite_run.h"
#include "video_write.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { FPS = 25 };

static VideoFrames *frames;
static DisplaySurface surface, canvas;
static char path[] = "/tmp/reprise-video-XXXXXX.png";
static uint8_t *file;
static size_t file_size;

static uint32_t be32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static unsigned be16(const uint8_t *bytes) {
    return (unsigned)(bytes[0] << 8 | bytes[1]);
}

static void set_up(void) {
    frames = video_frames_create(FPS, NULL);
    ck_assert_ptr_nonnull(frames);
    strcpy(path, "/tmp/reprise-video-XXXXXX.png");
    ck_assert_int_ge(mkstemps(path, 4), 0);
}

static void tear_down(void) {
    video_frames_free(frames);
    display_surface_free(&surface);
    display_surface_free(&canvas);
    free(file);
    unlink(path);
}

static void fill(uint32_t width, uint32_t height, uint32_t seed) {
    display_surface_resize(&surface, width, height);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            display_surface_line(&surface, y)[x] =
                ((x * 0x010307 ^ y * 0x0A0905) + seed) & 0xFFFFFF;
}

static void paint(uint32_t x, uint32_t y, uint32_t colour) {
    display_surface_line(&surface, y)[x] = colour;
}

static void add(void) {
    ck_assert(video_frames_add(frames, &surface));
}

static void write_video(const char *name) {
    Error error = {.set = false};
    const VideoFormat *format = video_format_find(name, &error);
    ck_assert_msg(format != NULL, "%s", error.message);
    ck_assert_msg(video_write(format, frames, path, &error), "%s", error.message);
    FILE *stream = fopen(path, "rb");
    free(file);
    file = malloc(64 << 20);
    file_size = fread(file, 1, 64 << 20, stream);
    fclose(stream);
}

/* ---- APNG ---- */

typedef struct Apng {
    uint32_t width, height, frames, sequence;
    uint32_t x, y, part_width, part_height; /* of the frame that comes */
    unsigned delay;
    unsigned total; /* delays so far */
    unsigned seen;  /* frames */
    uint64_t sums[64];
    unsigned delays[64];
} Apng;

static uint64_t canvas_sum(void) {
    uint64_t sum = 17;
    for (size_t i = 0; i < (size_t)canvas.width * canvas.height; i++)
        sum = sum * 1000003 + canvas.pixels[i];
    return sum;
}

static uint64_t surface_sum(void) {
    DisplaySurface kept = canvas;
    canvas = surface;
    uint64_t sum = canvas_sum();
    canvas = kept;
    return sum;
}

static void read_control(Apng *apng, const uint8_t *data) {
    ck_assert_uint_eq(be32(data), apng->sequence++);
    apng->part_width = be32(data + 4);
    apng->part_height = be32(data + 8);
    apng->x = be32(data + 12);
    apng->y = be32(data + 16);
    apng->delay = be16(data + 20);
    ck_assert_uint_eq(be16(data + 22), FPS);
    ck_assert_uint_eq(data[24], 0);
    ck_assert_uint_eq(data[25], 0);
    ck_assert_uint_ge(apng->part_width, 1);
    ck_assert_uint_ge(apng->part_height, 1);
    ck_assert_uint_le(apng->x + apng->part_width, apng->width);
    ck_assert_uint_le(apng->y + apng->part_height, apng->height);
}

static void read_picture(Apng *apng, const uint8_t *data, size_t size) {
    size_t pitch = 1 + 3 * (size_t)apng->part_width;
    uLongf unpacked = pitch * apng->part_height;
    uint8_t *lines = malloc(unpacked);
    ck_assert_int_eq(uncompress(lines, &unpacked, data, size), Z_OK);
    ck_assert_uint_eq(unpacked, pitch * apng->part_height);
    for (uint32_t y = 0; y < apng->part_height; y++) {
        uint8_t *line = lines + y * pitch;
        for (size_t i = 1; line[0] == 2 && y != 0 && i < pitch; i++)
            line[i] = (uint8_t)(line[i] + line[i - pitch]);
        for (uint32_t x = 0; x < apng->part_width; x++)
            display_surface_line(&canvas, apng->y + y)[apng->x + x] =
                (uint32_t)(line[1 + 3 * x] << 16 | line[2 + 3 * x] << 8 | line[3 + 3 * x]);
    }
    free(lines);
    if (apng->seen < 64) {
        apng->sums[apng->seen] = canvas_sum();
        apng->delays[apng->seen] = apng->delay;
    }
    apng->seen++;
    apng->total += apng->delay;
}

static void read_apng(Apng *apng) {
    memset(apng, 0, sizeof *apng);
    ck_assert_int_eq(memcmp(file, "\x89PNG\r\n\x1A\n", 8), 0);
    bool ended = false;
    for (size_t at = 8; !ended;) {
        ck_assert_uint_le(at + 12, file_size);
        const uint8_t *data = file + at + 8;
        uint32_t size = be32(file + at);
        ck_assert_uint_le(at + 12 + size, file_size);
        ck_assert_uint_eq(be32(data + size), crc32(0, data - 4, size + 4));
        const char *type = (const char *)data - 4;
        if (memcmp(type, "IHDR", 4) == 0) {
            apng->width = be32(data);
            apng->height = be32(data + 4);
            display_surface_resize(&canvas, apng->width, apng->height);
        } else if (memcmp(type, "acTL", 4) == 0) {
            apng->frames = be32(data);
        } else if (memcmp(type, "fcTL", 4) == 0) {
            read_control(apng, data);
        } else if (memcmp(type, "IDAT", 4) == 0) {
            ck_assert_uint_eq(apng->seen, 0);
            read_picture(apng, data, size);
        } else if (memcmp(type, "fdAT", 4) == 0) {
            ck_assert_uint_eq(be32(data), apng->sequence++);
            read_picture(apng, data + 4, size - 4);
        }
        ended = memcmp(type, "IEND", 4) == 0;
        at += 12 + size;
        ck_assert(!ended || at == file_size);
    }
    ck_assert_uint_eq(apng->frames, apng->seen);
}

START_TEST(apng_holds_what_changed) {
    uint64_t sums[4];
    Apng apng;
    fill(40, 30, 0);
    add();
    sums[0] = surface_sum();
    video_frames_repeat(frames);
    add(); /* nothing changed */
    paint(5, 6, 0xFF0000);
    paint(9, 20, 0x00FF00);
    add();
    sums[1] = surface_sum();
    paint(39, 29, 0x123456);
    add();
    sums[2] = surface_sum();
    fill(40, 30, 99);
    add();
    sums[3] = surface_sum();
    write_video("a.png");
    read_apng(&apng);
    ck_assert_uint_eq(apng.seen, 4);
    static const unsigned delays[] = {3, 1, 1, 1};
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(apng.sums[i], sums[i]);
        ck_assert_uint_eq(apng.delays[i], delays[i]);
    }
    /* The first frame is what those see who know no animation. */
    PngPicture picture;
    ck_assert(png_read(path, &picture, NULL));
    fill(40, 30, 0);
    for (int i = 0; i < 40 * 30; i++)
        ck_assert_uint_eq(picture.pixels[i], surface.pixels[i] | 0xFF000000);
    png_picture_free(&picture);
}
END_TEST

START_TEST(smaller_pictures_stand_in_the_middle) {
    Apng apng;
    fill(20, 10, 1);
    add();
    fill(40, 8, 2);
    add();
    paint(0, 0, 0xABCDEF);
    add();
    fill(20, 10, 3);
    add();
    write_video("a.apng");
    read_apng(&apng);
    ck_assert_uint_eq(apng.width, 40);
    ck_assert_uint_eq(apng.height, 10);
    ck_assert_uint_eq(apng.seen, 4);
    for (uint32_t y = 0; y < 10; y++)
        for (uint32_t x = 0; x < 40; x++) {
            uint32_t pixel = display_surface_line(&canvas, y)[x];
            bool inside = x >= 10 && x < 30;
            ck_assert_uint_eq(pixel, inside ? display_surface_line(&surface, y)[x - 10] : 0);
        }
}
END_TEST

START_TEST(long_times_are_several_frames) {
    Apng apng;
    fill(4, 4, 0);
    add();
    for (int i = 1; i < 140000; i++)
        video_frames_repeat(frames);
    fill(4, 4, 5);
    add();
    write_video("a.png");
    read_apng(&apng);
    ck_assert_uint_eq(apng.seen, 4);
    ck_assert_uint_eq(apng.total, 140001);
    ck_assert_uint_eq(apng.sums[0], apng.sums[2]);
    ck_assert_uint_eq(apng.sums[3], surface_sum());
}
END_TEST

START_TEST(the_same_frames_give_the_same_bytes) {
    fill(64, 48, 7);
    add();
    paint(3, 3, 1);
    add();
    write_video("a.png");
    uint8_t *first = file;
    size_t size = file_size;
    file = NULL;
    write_video("a.png"); /* frames can be written again */
    ck_assert_uint_eq(file_size, size);
    ck_assert_int_eq(memcmp(file, first, size), 0);
    free(first);
}
END_TEST

/* ---- YUV4MPEG2 ---- */

START_TEST(y4m_holds_every_frame) {
    static const char head[] = "YUV4MPEG2 W6 H4 F25:1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n";
    fill(6, 4, 0);
    memset(surface.pixels, 0, 6 * 4 * sizeof surface.pixels[0]);
    paint(0, 0, 0xFFFFFF);
    paint(1, 0, 0xFF0000);
    paint(2, 0, 0x0000FF);
    add();
    video_frames_repeat(frames);
    paint(5, 3, 0x00FF00);
    add();
    write_video("a.y4m");
    ck_assert_uint_eq(file_size, sizeof head - 1 + 3 * (6 + 72));
    ck_assert_int_eq(memcmp(file, head, sizeof head - 1), 0);
    const uint8_t *at = file + sizeof head - 1;
    for (int i = 0; i < 3; i++, at += 78) {
        const uint8_t *y = at + 6, *cb = y + 24, *cr = cb + 24;
        ck_assert_int_eq(memcmp(at, "FRAME\n", 6), 0);
        ck_assert_uint_eq(y[0], 235);
        ck_assert_uint_eq(cb[0], 128);
        ck_assert_uint_eq(cr[0], 128);
        ck_assert(y[1] == 82 && cb[1] == 90 && cr[1] == 240);
        ck_assert(y[2] == 41 && cb[2] == 240 && cr[2] == 110);
        ck_assert_uint_eq(y[3], 16);
        ck_assert_uint_eq(y[23], i < 2 ? 16 : 144);
    }
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
    Error error = {.set = false};
    ck_assert_ptr_null(video_format_find("a.avi", &error));
    ck_assert_str_eq(error.message, "a.avi: a video's name ends in .png (animated) or .y4m");
    error.set = false;
    ck_assert_ptr_null(video_format_find("png", &error));
    error.set = false;
    const VideoFormat *format = video_format_find("A.PNG", NULL);
    ck_assert(!video_write(format, frames, path, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "nothing was recorded"));
    fill(4, 4, 1);
    add();
    error.set = false;
    ck_assert(!video_write(format, frames, "/nowhere/a.png", &error));
    ck_assert_str_eq(error.message, "/nowhere/a.png: No such file or directory");
    error.set = false;
    ck_assert(!video_write(format, frames, "/dev/full", &error));
    ck_assert_msg(strncmp(error.message, "/dev/full: ", 11) == 0, "%s", error.message);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("video");
    TCase *tcase = tcase_create("video");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, apng_holds_what_changed);
    tcase_add_test(tcase, smaller_pictures_stand_in_the_middle);
    tcase_add_test(tcase, long_times_are_several_frames);
    tcase_add_test(tcase, the_same_frames_give_the_same_bytes);
    tcase_add_test(tcase, y4m_holds_every_frame);
    tcase_add_test(tcase, what_cannot_be_written_is_told);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

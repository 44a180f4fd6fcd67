#include "png_read.h"
#include "allocate.h"
#include "little_endian.h"
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_MAXIMUM = 32768,
    PIXELS_MAXIMUM = 1 << 25,        /* what 16 MB of video memory hold at four bits a pixel */
    CHUNK_BYTES_MAXIMUM = 8 << 20,   /* of texts and profiles, which nobody looks at */
    FILE_BYTES_MAXIMUM = 256L << 20, /* more than such a picture needs without compression */
};

typedef struct Decoder {
    const uint8_t *data;
    size_t size, position;
    png_structp png;
    png_infop info;
    PngPicture picture;
    png_bytep *lines;
    Error *error;
} Decoder;

/* libpng wants that this does not return. */
static void fail(png_structp png, png_const_charp message) {
    Decoder *decoder = png_get_error_ptr(png);
    error_set(decoder->error, "damaged PNG file: %s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void ignore_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
    Decoder *decoder = png_get_io_ptr(png);
    if (count > decoder->size - decoder->position)
        png_error(png, "it ends early");
    memcpy(bytes, decoder->data + decoder->position, count);
    decoder->position += count;
}

/* Whatever the file has becomes four bytes a pixel: blue, green, red, alpha. */
static void ask_for_bgra(png_structp png) {
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_bgr(png);
    png_set_add_alpha(png, 0xFF, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
}

static void allocate_picture(Decoder *decoder) {
    PngPicture *picture = &decoder->picture;
    picture->width = png_get_image_width(decoder->png, decoder->info);
    picture->height = png_get_image_height(decoder->png, decoder->info);
    if ((uint64_t)picture->width * picture->height > PIXELS_MAXIMUM)
        png_error(decoder->png, "its size is larger than any screen");
    picture->pixels = allocate_zeroed((size_t)picture->width * picture->height * 4);
    decoder->lines = allocate_zeroed(picture->height * sizeof decoder->lines[0]);
    for (uint32_t y = 0; y < picture->height; y++)
        decoder->lines[y] = (png_bytep)(picture->pixels + (size_t)y * picture->width);
}

/* Runs under libpng's error handling: a jump out of it comes back with false. */
static bool decode(Decoder *decoder) {
    if (setjmp(png_jmpbuf(decoder->png)) != 0)
        return false;
    png_set_user_limits(decoder->png, SIDE_MAXIMUM, SIDE_MAXIMUM);
    png_set_chunk_malloc_max(decoder->png, CHUNK_BYTES_MAXIMUM);
    png_set_read_fn(decoder->png, decoder, read_bytes);
    png_read_info(decoder->png, decoder->info);
    ask_for_bgra(decoder->png);
    png_read_update_info(decoder->png, decoder->info);
    allocate_picture(decoder);
    png_read_image(decoder->png, decoder->lines);
    png_read_end(decoder->png, NULL);
    return true;
}

static void to_host_order(PngPicture *picture) {
    size_t count = (size_t)picture->width * picture->height;
    for (size_t i = 0; i < count; i++)
        picture->pixels[i] = load_le32((const uint8_t *)&picture->pixels[i]);
}

bool png_decode(const void *data, size_t size, PngPicture *picture, Error *error) {
    memset(picture, 0, sizeof *picture);
    if (size < 8 || png_sig_cmp(data, 0, 8) != 0)
        return error_set(error, "not a PNG file");
    Decoder decoder = {.data = data, .size = size, .error = error};
    decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, fail, ignore_warning);
    if (decoder.png != NULL)
        decoder.info = png_create_info_struct(decoder.png);
    bool good = decoder.info != NULL ? decode(&decoder) : error_set(error, "no memory for libpng");
    png_destroy_read_struct(&decoder.png, &decoder.info, NULL);
    free(decoder.lines);
    if (good) {
        *picture = decoder.picture;
        to_host_order(picture);
    } else {
        free(decoder.picture.pixels);
    }
    return good;
}

static bool read_whole(FILE *file, uint8_t **data, size_t *size, Error *error) {
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length < 0 || fseek(file, 0, SEEK_SET) != 0)
        return error_set(error, "%s", strerror(errno));
    if (length > FILE_BYTES_MAXIMUM)
        return error_set(error, "the file is larger than any picture of a screen");
    *data = allocate_zeroed((size_t)length + 1);
    *size = fread(*data, 1, (size_t)length, file);
    return ferror(file) == 0 || error_set(error, "%s", strerror(errno));
}

bool png_read(const char *path, PngPicture *picture, Error *error) {
    memset(picture, 0, sizeof *picture);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    uint8_t *data = NULL;
    size_t size = 0;
    bool good = read_whole(file, &data, &size, error) && png_decode(data, size, picture, error);
    fclose(file);
    free(data);
    return good || error_prefix(error, "%s: ", path);
}

void png_picture_free(PngPicture *picture) {
    free(picture->pixels);
    memset(picture, 0, sizeof *picture);
}

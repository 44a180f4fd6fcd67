#include "zmbv_encoder.h"
#include "allocate.h"
#include "little_endian.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    BLOCK = 16,
    KEY_EVERY = 300, /* frames: players go to these */
    FLAG_KEY = 1,
    VERSION_HIGH = 0,
    VERSION_LOW = 1,
    COMPRESSION_ZLIB = 1,
    FORMAT_32_BITS = 8,
    VECTOR_CHANGED = 1, /* lowest bit of a block's first byte; the others would say how it moved */
};

struct ZmbvEncoder {
    z_stream stream; /* one for all frames from a key frame to the next */
    uint32_t width, height;
    uint32_t *last;
    uint8_t *work; /* what is to be deflated: no more than vectors and all pixels */
    size_t vector_bytes;
    unsigned until_key;
};

static uint32_t count_blocks(uint32_t pixels) {
    return (pixels + BLOCK - 1) / BLOCK;
}

ZmbvEncoder *zmbv_encoder_create(uint32_t width, uint32_t height) {
    ZmbvEncoder *encoder = allocate_zeroed(sizeof(*encoder));
    size_t pixels = (size_t)width * height;
    size_t vectors = (size_t)count_blocks(width) * count_blocks(height) * 2;
    encoder->width = width;
    encoder->height = height;
    encoder->vector_bytes = (vectors + 3) & ~(size_t)3;
    encoder->last = allocate_zeroed(pixels * sizeof(uint32_t));
    encoder->work = allocate_zeroed(encoder->vector_bytes + pixels * sizeof(uint32_t));
    if (deflateInit(&encoder->stream, Z_BEST_SPEED) != Z_OK) {
        free(encoder->last);
        free(encoder->work);
        free(encoder);
        return NULL;
    }
    return encoder;
}

void zmbv_encoder_destroy(ZmbvEncoder *encoder) {
    if (encoder == NULL)
        return;
    deflateEnd(&encoder->stream);
    free(encoder->last);
    free(encoder->work);
    free(encoder);
}

static void deflate_work(ZmbvEncoder *encoder, size_t size, ByteBuffer *frame) {
    uint8_t out[16384];
    encoder->stream.next_in = encoder->work;
    encoder->stream.avail_in = (uInt)size;
    do {
        encoder->stream.next_out = out;
        encoder->stream.avail_out = sizeof(out);
        deflate(&encoder->stream, Z_SYNC_FLUSH);
        byte_buffer_append(frame, out, sizeof(out) - encoder->stream.avail_out);
    } while (encoder->stream.avail_out == 0);
}

static void encode_key(ZmbvEncoder *encoder, ByteBuffer *frame) {
    static const uint8_t header[] = {FLAG_KEY,       VERSION_HIGH, VERSION_LOW, COMPRESSION_ZLIB,
                                     FORMAT_32_BITS, BLOCK,        BLOCK};
    size_t pixels = (size_t)encoder->width * encoder->height;
    byte_buffer_append(frame, header, sizeof(header));
    deflateReset(&encoder->stream);
    for (size_t i = 0; i < pixels; i++)
        store_le32(encoder->work + i * 4, encoder->last[i]);
    deflate_work(encoder, pixels * 4, frame);
    encoder->until_key = KEY_EVERY - 1;
}

/* The changes of a block go to 'to', if there are any; returns where the next one's do. */
static uint8_t *encode_block(ZmbvEncoder *encoder, const uint32_t *pixels, uint32_t left,
                             uint32_t top, uint8_t *to) {
    uint32_t width = encoder->width - left < BLOCK ? encoder->width - left : BLOCK;
    uint32_t bottom = encoder->height - top < BLOCK ? encoder->height : top + BLOCK;
    size_t first = (size_t)top * encoder->width + left;
    bool same = true;
    for (uint32_t y = top; y < bottom && same; y++) {
        size_t at = first + (size_t)(y - top) * encoder->width;
        same = memcmp(pixels + at, encoder->last + at, width * sizeof(uint32_t)) == 0;
    }
    for (uint32_t y = top; y < bottom && !same; y++) {
        size_t at = first + (size_t)(y - top) * encoder->width;
        for (uint32_t x = 0; x < width; x++, to += 4)
            store_le32(to, pixels[at + x] ^ encoder->last[at + x]);
    }
    return to;
}

static void encode_changes(ZmbvEncoder *encoder, const uint32_t *pixels, ByteBuffer *frame) {
    static const uint8_t no_flags = 0;
    uint8_t *vector = encoder->work, *to = encoder->work + encoder->vector_bytes;
    memset(encoder->work, 0, encoder->vector_bytes);
    for (uint32_t top = 0; pixels != NULL && top < encoder->height; top += BLOCK)
        for (uint32_t left = 0; left < encoder->width; left += BLOCK, vector += 2) {
            uint8_t *end = encode_block(encoder, pixels, left, top, to);
            vector[0] = end != to ? VECTOR_CHANGED : 0;
            to = end;
        }
    byte_buffer_append(frame, &no_flags, 1);
    deflate_work(encoder, (size_t)(to - encoder->work), frame);
    encoder->until_key--;
}

bool zmbv_encoder_encode(ZmbvEncoder *encoder, const uint32_t *pixels, ByteBuffer *frame) {
    bool is_key = encoder->until_key == 0;
    frame->size = 0;
    if (!is_key)
        encode_changes(encoder, pixels, frame);
    if (pixels != NULL)
        memcpy(encoder->last, pixels, (size_t)encoder->width * encoder->height * sizeof(uint32_t));
    if (is_key)
        encode_key(encoder, frame);
    return is_key;
}

/* The Zip Motion Blocks Video codec, which DOSBox made for screens of old programs: lossless, and
 * known to ffmpeg and what is built on it. A key frame has the pixels, others what changed in
 * blocks of 16 by 16; both deflated. */
#ifndef REPRISE_ZMBV_ENCODER_H
#define REPRISE_ZMBV_ENCODER_H

#include "byte_buffer.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct ZmbvEncoder ZmbvEncoder;

ZmbvEncoder *zmbv_encoder_create(uint32_t width, uint32_t height);
/* NULL is allowed. */
void zmbv_encoder_destroy(ZmbvEncoder *encoder);

/* Replaces 'frame' by the next one, of width * height pixels 00RRGGBBh; NULL: it shows what the one
 * before did. True: it is a key frame, which the first one has to be and some are. */
bool zmbv_encoder_encode(ZmbvEncoder *encoder, const uint32_t *pixels, ByteBuffer *frame);

#endif

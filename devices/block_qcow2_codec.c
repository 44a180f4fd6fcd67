/* Compresses and unpacks single clusters of qcow2 images: raw deflate of zlib, or Zstandard. */
#include "block_qcow2.h"
#include <zlib.h>
#include <zstd.h>

#define WINDOW_BITS (-12) /* raw deflate */
#define MEMORY_LEVEL 9

static uint64_t pack_deflate(const uint8_t *cluster, uint64_t size, uint8_t *packed) {
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)cluster, /* is not written */
                       .avail_in = (uInt)size,
                       .next_out = packed,
                       .avail_out = (uInt)size - 1};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    bool good = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    uint64_t bytes = stream.total_out;
    deflateEnd(&stream);
    return good ? bytes : 0;
}

static uint64_t pack_zstd(const uint8_t *cluster, uint64_t size, uint8_t *packed) {
    size_t bytes = ZSTD_compress(packed, size - 1, cluster, size, ZSTD_CLEVEL_DEFAULT);
    return ZSTD_isError(bytes) ? 0 : bytes;
}

uint64_t qcow2_codec_pack(Qcow2Compression type, const uint8_t *cluster, uint64_t size,
                          uint8_t *packed) {
    return type == QCOW2_ZSTD ? pack_zstd(cluster, size, packed)
                              : pack_deflate(cluster, size, packed);
}

static bool unpack_deflate(uint8_t *to, uint64_t to_size, const uint8_t *from, uint64_t from_size) {
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)from,
                       .avail_in = (uInt)from_size,
                       .next_out = to,
                       .avail_out = (uInt)to_size};
    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
        return false;
    int result = inflate(&stream, Z_FINISH);
    bool good = (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
    inflateEnd(&stream);
    return good;
}

/* Several frames may make up a cluster, and after them come the rest of the sector and whatever
 * else lies there. */
static bool unpack_zstd(uint8_t *to, uint64_t to_size, const uint8_t *from, uint64_t from_size) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer input = {from, from_size, 0};
    ZSTD_outBuffer output = {to, to_size, 0};
    bool good = stream != NULL;
    while (good && output.pos < output.size) {
        size_t read = input.pos, written = output.pos;
        size_t result = ZSTD_decompressStream(stream, &output, &input);
        good = !ZSTD_isError(result) && (input.pos > read || output.pos > written);
    }
    ZSTD_freeDStream(stream);
    return good;
}

bool qcow2_codec_unpack(Qcow2Compression type, uint8_t *to, uint64_t to_size, const uint8_t *from,
                        uint64_t from_size) {
    return type == QCOW2_ZSTD ? unpack_zstd(to, to_size, from, from_size)
                              : unpack_deflate(to, to_size, from, from_size);
}

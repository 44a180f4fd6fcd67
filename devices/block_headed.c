/* Formats that are a header with the geometry before the plain disk: HDI of Anex86, and HDX of
 * 86Box. */
#include "allocate.h"
#include "block_driver.h"
#include "block_image.h"
#include "host_file.h"
#include "little_endian.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HDX_SIGNATURE 0xD778A82044445459u
#define HEADER_BYTES_MAXIMUM (1u << 20)

enum { HEAD_BYTES = 40, HDI_HEADER_BYTES = 4096, HDX_HEADER_BYTES = HEAD_BYTES };

/* What a header of either says. */
typedef struct Headed {
    uint64_t data_offset, disk_bytes;
    uint32_t sector_bytes, sectors, heads, cylinders;
} Headed;

static bool is_possible(const Headed *headed) {
    uint64_t track = (uint64_t)headed->sectors * headed->heads;
    return headed->sector_bytes >= 128 && headed->sector_bytes <= 4096 &&
           (headed->sector_bytes & (headed->sector_bytes - 1)) == 0 && headed->sectors > 0 &&
           headed->sectors <= 255 && headed->heads > 0 && headed->heads <= 255 &&
           headed->cylinders > 0 &&
           track * headed->cylinders * headed->sector_bytes == headed->disk_bytes;
}

static void read_hdi(const uint8_t *head, Headed *headed) {
    *headed = (Headed){.data_offset = load_le32(head + 8),
                       .disk_bytes = load_le32(head + 12),
                       .sector_bytes = load_le32(head + 16),
                       .sectors = load_le32(head + 20),
                       .heads = load_le32(head + 24),
                       .cylinders = load_le32(head + 28)};
}

static void read_hdx(const uint8_t *head, Headed *headed) {
    *headed = (Headed){.data_offset = HDX_HEADER_BYTES,
                       .disk_bytes = load_le64(head + 8),
                       .sector_bytes = load_le32(head + 16),
                       .sectors = load_le32(head + 20),
                       .heads = load_le32(head + 24),
                       .cylinders = load_le32(head + 28)};
}

/* HDI has no signature: all its numbers must agree, with the file's length, too. */
static int hdi_probe(const uint8_t *head, uint64_t length) {
    Headed headed;
    read_hdi(head, &headed);
    return load_le32(head) == 0 && headed.data_offset >= 32 &&
                   headed.data_offset <= HEADER_BYTES_MAXIMUM && headed.data_offset < length &&
                   headed.disk_bytes == length - headed.data_offset && is_possible(&headed)
               ? 90
               : 0;
}

static int hdx_probe(const uint8_t *head, uint64_t length) {
    (void)length; /* one that was cut short is none the less */
    return load_le64(head) == HDX_SIGNATURE ? 100 : 0;
}

static bool open_headed(BlockNode *node, void (*read)(const uint8_t *head, Headed *headed),
                        Error *error) {
    uint8_t head[HEAD_BYTES];
    Headed headed;
    if (node->length < sizeof(head))
        return error_set(error, "is too short for an image of the format %s", node->driver->name);
    if (!block_file_read(node->file, 0, head, sizeof(head), error))
        return false;
    read(head, &headed);
    if (headed.data_offset < 32 || headed.data_offset > HEADER_BYTES_MAXIMUM ||
        !is_possible(&headed))
        return error_set(error, "is no image of the format %s, or its header is damaged",
                         node->driver->name);
    if (headed.data_offset > node->length || headed.disk_bytes > node->length - headed.data_offset)
        return error_set(error, "is cut short: its header speaks of %llu bytes",
                         (unsigned long long)headed.disk_bytes);
    node->driver_state = allocate_zeroed(sizeof(headed));
    memcpy(node->driver_state, &headed, sizeof(headed));
    node->length = headed.disk_bytes;
    return true;
}

static bool hdi_open(BlockNode *node, const BlockOptions *options, Error *error) {
    (void)options;
    return open_headed(node, read_hdi, error);
}

static bool hdx_open(BlockNode *node, const BlockOptions *options, Error *error) {
    (void)options;
    uint8_t head[BLOCK_PROBE_BYTES] = {0};
    if (node->length >= HEAD_BYTES && !block_file_read(node->file, 0, head, HEAD_BYTES, error))
        return false;
    if (hdx_probe(head, node->length) == 0)
        return error_set(error, "is no image of the format hdx");
    return open_headed(node, read_hdx, error);
}

static void headed_close(BlockNode *node) {
    free(node->driver_state);
}

static bool headed_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const Headed *headed = node->driver_state;
    return block_file_read(node->file, headed->data_offset + offset, data, size, error);
}

static bool headed_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                         Error *error) {
    const Headed *headed = node->driver_state;
    return block_check_inside(node, offset, size, error) &&
           block_file_write(node->file, headed->data_offset + offset, data, size, error);
}

static const BlockCreateOption headed_create_options[] = {
    {"size", "<size>", "Virtual disk size"},
    {NULL, NULL, NULL},
};

/* A geometry whose product is the size exactly, as the formats want it: the one that is wished for
 * if it is so. */
static bool find_geometry(const BlockCreateRequest *request, Headed *headed) {
    static const struct {
        uint32_t heads, sectors;
    } shapes[] = {{16, 63}, {255, 63}, {8, 33}, {4, 17}, {16, 32}, {8, 17}, {2, 18}, {1, 1}};
    uint64_t total = request->length / BLOCK_SECTOR_BYTES;
    const BlockGeometry *wish = &request->geometry;
    if (wish->cylinders > 0 && wish->heads <= 255 && wish->sectors <= 255 &&
        (uint64_t)wish->cylinders * wish->heads * wish->sectors == total) {
        headed->heads = wish->heads;
        headed->sectors = wish->sectors;
        headed->cylinders = wish->cylinders;
        return true;
    }
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        uint64_t track = (uint64_t)shapes[i].heads * shapes[i].sectors;
        if (total % track != 0 || total / track == 0 || total / track > UINT32_MAX)
            continue;
        headed->heads = shapes[i].heads;
        headed->sectors = shapes[i].sectors;
        headed->cylinders = (uint32_t)(total / track);
        return true;
    }
    return false;
}

static bool create_headed(const BlockCreateRequest *request, uint8_t *header, size_t size,
                          const Headed *headed, Error *error) {
    store_le32(header + 16, BLOCK_SECTOR_BYTES);
    store_le32(header + 20, headed->sectors);
    store_le32(header + 24, headed->heads);
    store_le32(header + 28, headed->cylinders);
    int file = block_file_create(request->path, NULL, error);
    bool good = file >= 0 && block_file_write(file, 0, header, size, error) &&
                block_file_zero(file, size, request->length, error);
    if (file >= 0 && close(file) != 0 && good)
        good = error_set(error, "cannot be closed: %s", strerror(errno));
    return good;
}

static bool hdi_create(const BlockCreateRequest *request, Error *error) {
    uint8_t header[HDI_HEADER_BYTES] = {0};
    Headed headed;
    if (request->length > UINT32_MAX || !find_geometry(request, &headed))
        return error_set(error, "an HDI image has 512 bytes to 4 GB");
    store_le32(header + 8, HDI_HEADER_BYTES);
    store_le32(header + 12, (uint32_t)request->length);
    return create_headed(request, header, sizeof(header), &headed, error);
}

static bool hdx_create(const BlockCreateRequest *request, Error *error) {
    uint8_t header[HDX_HEADER_BYTES] = {0};
    Headed headed;
    if (!find_geometry(request, &headed))
        return error_set(error, "an HDX image has 512 bytes to 2 TB");
    store_le64(header, HDX_SIGNATURE);
    store_le64(header + 8, request->length);
    return create_headed(request, header, sizeof(header), &headed, error);
}

static bool headed_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Headed *headed = node->driver_state;
    (void)error;
    BlockGeometry geometry = {headed->cylinders, headed->heads, headed->sectors};
    block_info_add_geometry(info, &geometry);
    block_info_add_number(info, "sector-size", headed->sector_bytes);
    return true;
}

static bool headed_geometry(const BlockNode *node, BlockGeometry *geometry) {
    const Headed *headed = node->driver_state;
    const BlockCreateRequest request = {.length = headed->disk_bytes};
    Headed usual = {0};
    *geometry = (BlockGeometry){headed->cylinders, headed->heads, headed->sectors};
    return headed->sector_bytes == BLOCK_SECTOR_BYTES && find_geometry(&request, &usual) &&
           (usual.heads != headed->heads || usual.sectors != headed->sectors);
}

#define HEADED_DRIVER(format)                                                                      \
    {                                                                                              \
        .name = #format, .probe = format##_probe, .open = format##_open, .close = headed_close,    \
        .read = headed_read, .write = headed_write, .flush = block_file_flush,                     \
        .resize = block_refuse_resize, .create_options = headed_create_options,                    \
        .create = format##_create, .info = headed_info, .geometry = headed_geometry,               \
    }

const BlockDriver block_hdi_driver = HEADED_DRIVER(hdi);
const BlockDriver block_hdx_driver = HEADED_DRIVER(hdx);

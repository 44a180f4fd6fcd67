/* The raw format: the image file is the medium, byte by byte. */
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Every file may be a raw image; any other format that recognises it is surer. */
static int raw_probe(const uint8_t *head, uint64_t length) {
    (void)head;
    (void)length;
    return 1;
}

static bool raw_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    return block_file_read(node->file, offset, data, size, error);
}

static bool raw_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                      Error *error) {
    return block_file_write(node->file, offset, data, size, error);
}

static bool raw_flush(BlockNode *node, Error *error) {
    if (fdatasync(node->file) == 0)
        return true;
    return error_set(error, "cannot flush: %s", strerror(errno));
}

/* A hole of the file. File systems without holes leave what is there, or get zeros written. */
static bool raw_discard(BlockNode *node, uint64_t offset, uint64_t size, bool zeros, Error *error) {
    return host_file_punch(node->file, offset, size) || !zeros ||
           block_file_zero(node->file, offset, size, error);
}

static bool raw_resize(BlockNode *node, uint64_t length, Error *error) {
    if (ftruncate(node->file, (off_t)length) == 0)
        return true;
    return error_set(error, "cannot be made %llu bytes long: %s", (unsigned long long)length,
                     strerror(errno));
}

static const BlockCreateOption raw_create_options[] = {
    {"size", "<size>", "Virtual disk size"},
    {"preallocation", "<str>", "Preallocation mode (allowed values: off, falloc, full)"},
    {NULL, NULL, NULL},
};

#define ZEROS_BYTES (1u << 20)

static bool write_zeros(int file, uint64_t length, Error *error) {
    uint8_t *zeros = allocate_zeroed(ZEROS_BYTES);
    bool good = true;
    for (uint64_t offset = 0; good && offset < length; offset += ZEROS_BYTES) {
        uint64_t left = length - offset;
        good =
            block_file_write(file, offset, zeros, left < ZEROS_BYTES ? left : ZEROS_BYTES, error);
    }
    free(zeros);
    return good;
}

/* A block device has its size already; all that can be wrong with it is that it is too small. */
static bool give_length(int file, uint64_t length, Error *error) {
    if (ftruncate(file, (off_t)length) == 0)
        return true;
    int reason = errno;
    off_t there = lseek(file, 0, SEEK_END);
    if (reason == EINVAL && there > 0 && (uint64_t)there >= length)
        return true;
    return error_set(error, "cannot be made %llu bytes long: %s", (unsigned long long)length,
                     strerror(reason));
}

static bool allocate_all(int file, uint64_t length, Error *error) {
    int reason = length > 0 ? host_file_reserve(file, length) : 0;
    return reason == 0 || error_set(error, "cannot be given %llu bytes of disk: %s",
                                    (unsigned long long)length, strerror(reason));
}

static bool raw_create(const BlockCreateRequest *request, Error *error) {
    const char *mode = block_create_value(request, "preallocation");
    bool full = mode != NULL && strcmp(mode, "full") == 0;
    bool allocated = mode != NULL && strcmp(mode, "falloc") == 0;
    if (mode != NULL && !full && !allocated && strcmp(mode, "off") != 0)
        return error_set(error, "preallocation is off, falloc or full, not '%s'", mode);
    int file = block_file_create(request->path, NULL, error);
    if (file < 0)
        return false;
    bool good = give_length(file, request->length, error) &&
                (!allocated || allocate_all(file, request->length, error)) &&
                (!full || write_zeros(file, request->length, error));
    if (close(file) != 0 && good)
        good = error_set(error, "cannot be closed: %s", strerror(errno));
    return good;
}

static bool raw_measure(const BlockCreateRequest *request, BlockMeasure *measure, Error *error) {
    (void)error;
    measure->required = measure->full_bytes = request->length;
    return true;
}

/* What a file system keeps as a hole reads as zeros; one that knows no holes says that all is
 * data. */
static bool raw_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                    Error *error) {
    (void)error;
    bool is_data = true;
    uint64_t end = node->length, next;
    extent->present = true;
    if (host_file_look(node->file, offset, &is_data, &next) && next < end)
        end = next;
    extent->data = is_data;
    extent->zero = !is_data;
    extent->has_offset = true;
    extent->offset = offset;
    extent->file_path = node->path;
    extent->length = end - offset < length ? end - offset : length;
    return true;
}

const BlockDriver block_raw_driver = {
    .name = "raw",
    .probe = raw_probe,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .discard = raw_discard,
    .resize = raw_resize,
    .create_options = raw_create_options,
    .create = raw_create,
    .map = raw_map,
    .measure = raw_measure,
};

/* The raw format: the image file is the medium, byte by byte. */
#include "block_driver.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

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

static bool raw_resize(BlockNode *node, uint64_t length, Error *error) {
    if (ftruncate(node->file, (off_t)length) == 0)
        return true;
    return error_set(error, "cannot be made %llu bytes long: %s", (unsigned long long)length,
                     strerror(errno));
}

const BlockDriver block_raw_driver = {
    .name = "raw",
    .probe = raw_probe,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .resize = raw_resize,
};

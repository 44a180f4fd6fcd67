/* The qcow2 driver: opening, reading, and the calls of the block layer. */
#include "block_qcow2.h"
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2_check.h"
#include "block_qcow2_image.h"
#include <stdlib.h>
#include <string.h>

#define SECTOR_BYTES 512u

static int qcow2_probe(const uint8_t *head, uint64_t length) {
    (void)length;
    uint32_t version = load_be32(head + 4);
    return memcmp(head, "QFI\xFB", 4) == 0 && (version == 2 || version == 3) ? 100 : 0;
}

bool qcow2_file_read(const Qcow2 *image, uint64_t offset, void *data, uint64_t size, Error *error) {
    uint64_t there = offset < image->file_end ? image->file_end - offset : 0;
    if (there > size)
        there = size;
    if (there < size)
        memset((uint8_t *)data + there, 0, size - there);
    return there == 0 || block_file_read(image->file, offset, data, there, error);
}

bool qcow2_file_write(Qcow2 *image, uint64_t offset, const void *data, uint64_t size,
                      Error *error) {
    if (!block_file_write(image->file, offset, data, size, error))
        return false;
    if (image->file_end < offset + size)
        image->file_end = offset + size;
    return true;
}

bool qcow2_check_cluster(const Qcow2 *image, const char *what, uint64_t offset, Error *error) {
    if ((offset & (image->cluster_bytes - 1)) != 0)
        return error_set(error, "is damaged: %s is at byte %llu, which is no multiple of a cluster",
                         what, (unsigned long long)offset);
    if (offset >= image->file_end || image->cluster_bytes > image->file_end - offset)
        return error_set(error, "is damaged: %s is at byte %llu, past its end", what,
                         (unsigned long long)offset);
    return true;
}

uint64_t *qcow2_table_read(const Qcow2 *image, const char *what, uint64_t offset, uint64_t entries,
                           Error *error) {
    uint64_t bytes = entries * 8;
    if ((offset & (image->cluster_bytes - 1)) != 0 || offset > image->file_end ||
        bytes > image->file_end - offset) {
        error_set(error,
                  "is damaged: %s is at byte %llu, past its end or not where a cluster begins",
                  what, (unsigned long long)offset);
        return NULL;
    }
    uint64_t *table = allocate_zeroed(bytes > 0 ? bytes : 8);
    if (!qcow2_file_read(image, offset, table, bytes, error)) {
        free(table);
        return NULL;
    }
    for (uint64_t i = 0; i < entries; i++)
        table[i] = load_be64(&table[i]);
    return table;
}

bool qcow2_table_write(Qcow2 *image, uint64_t offset, const uint64_t *table, uint64_t entries,
                       uint64_t clusters, Error *error) {
    uint64_t size = clusters << image->cluster_bits;
    uint8_t *bytes = allocate_zeroed(size);
    for (uint64_t i = 0; i < entries; i++)
        store_be64(bytes + i * 8, table[i]);
    bool good = qcow2_file_write(image, offset, bytes, size, error);
    free(bytes);
    return good;
}

static void destroy(Qcow2 *image) {
    pthread_mutex_destroy(&image->lock);
    if (image->l2_cache.slots != NULL)
        qcow2_cache_destroy(&image->l2_cache);
    if (image->refcount_cache.slots != NULL)
        qcow2_cache_destroy(&image->refcount_cache);
    block_unit_map_free(&image->metadata);
    block_close(image->backing);
    free(image->l1);
    free(image->refcount_table);
    free(image->scratch);
    free(image->unpacked);
    free(image);
}

/* What the image names is a file beside it, unless it says where else. */
static char *backing_file_path(const char *image_path, const char *name, Error *error) {
    if (strncmp(name, "file:", 5) == 0)
        name += 5;
    const char *colon = strchr(name, ':'), *slash = strchr(name, '/');
    if (colon != NULL && (slash == NULL || colon < slash)) {
        error_set(error, "its backing file '%.100s' is not a file of this host", name);
        return NULL;
    }
    const char *last = strrchr(image_path, '/');
    size_t folder = name[0] == '/' || last == NULL ? 0 : (size_t)(last - image_path) + 1;
    char *path = allocate_zeroed(folder + strlen(name) + 1);
    memcpy(path, image_path, folder);
    strcpy(path + folder, name);
    return path;
}

static bool open_backing(BlockNode *node, Qcow2 *image, const char *name, BlockOptions options,
                         Error *error) {
    if (name == NULL || options.no_backing)
        return true;
    char *path = backing_file_path(node->path, name, error);
    if (path == NULL)
        return false;
    options.path = path;
    image->backing = block_open_backing(node, &options, error);
    free(path);
    return image->backing != NULL;
}

/* An image that another program found to be damaged is only read. */
static bool check_sound(BlockNode *node, const Qcow2 *image, const BlockOptions *options,
                        Error *error) {
    if (!image->corrupt || node->read_only || options->repair)
        return true;
    if (!options->auto_read_only)
        return error_set(error, "is damaged; repair it with: reprise image check -r all, or add "
                                "readonly=on or snapshot=on");
    node->read_only = true;
    return true;
}

/* Whoever wrote the image last left refcounts for later, and was killed. */
static bool catch_up(BlockNode *node, Qcow2 *image, Error *error) {
    BlockCheck check = {.repair_all = true};
    node->driver_state = image;
    if (!qcow2_check_and_repair(node, &check, error))
        return false;
    free(image->refcount_table);
    image->refcount_table = NULL;
    return check.corruptions + check.check_errors == 0 ||
           error_set(error, "was not closed properly, and is damaged; add readonly=on or "
                            "snapshot=on");
}

static bool open_tables(BlockNode *node, Qcow2 *image, const BlockOptions *options, Error *error) {
    image->l1 = qcow2_table_read(image, "its L1 table", image->l1_offset, image->l1_size, error);
    if (image->l1 == NULL)
        return false;
    qcow2_cache_init(&image->l2_cache, image->cluster_bytes);
    qcow2_cache_init(&image->refcount_cache, image->cluster_bytes);
    image->scratch = allocate_zeroed(image->cluster_bytes);
    image->freed_lowest = UINT64_MAX;
    image->repairing = options->repair;
    if (node->read_only || options->repair)
        return true;
    return (!image->dirty || catch_up(node, image, error)) && qcow2_refcount_open(image, error);
}

static bool qcow2_open(BlockNode *node, const BlockOptions *options, Error *error) {
    Qcow2 *image = allocate_zeroed(sizeof(*image));
    char *backing_path = NULL, *backing_format = NULL;
    pthread_mutex_init(&image->lock, NULL);
    image->file = node->file;
    image->file_end = node->length;
    bool good = qcow2_header_read(image, &backing_path, &backing_format, error) &&
                check_sound(node, image, options, error) &&
                open_tables(node, image, options, error) &&
                open_backing(node, image, backing_path,
                             (BlockOptions){.format = backing_format,
                                            .read_only = true,
                                            .no_backing = options->no_backing,
                                            .unlocked = options->unlocked},
                             error);
    free(backing_path);
    free(backing_format);
    if (!good) {
        destroy(image);
        return false;
    }
    node->length = image->length;
    node->driver_state = image;
    return true;
}

static void qcow2_attach_backing(BlockNode *node, BlockNode *backing) {
    Qcow2 *image = node->driver_state;
    block_close(image->backing);
    image->backing = backing;
}

static BlockNode *qcow2_backing(const BlockNode *node) {
    const Qcow2 *image = node->driver_state;
    return image->backing;
}

static void qcow2_close(BlockNode *node) {
    destroy(node->driver_state);
}

static bool read_packed(Qcow2 *image, const Qcow2Place *place, uint64_t offset, uint8_t *data,
                        Error *error) {
    const uint8_t *unpacked = qcow2_packed_read(image, place->entry, error);
    if (unpacked == NULL)
        return false;
    memcpy(data, unpacked + (offset & (image->cluster_bytes - 1)), place->size);
    return true;
}

static bool read_place(Qcow2 *image, const Qcow2Place *place, uint64_t offset, uint8_t *data,
                       Error *error) {
    switch (place->kind) {
    case QCOW2_DATA:
        return qcow2_file_read(image, place->offset, data, place->size, error);
    case QCOW2_PACKED:
        return read_packed(image, place, offset, data, error);
    case QCOW2_UNALLOCATED:
        if (image->backing != NULL)
            return block_read(image->backing, offset, data, place->size, error);
        break;
    case QCOW2_ZEROS:
        break;
    }
    memset(data, 0, place->size);
    return true;
}

bool qcow2_read(Qcow2 *image, uint64_t offset, uint8_t *data, uint64_t size, Error *error) {
    while (size > 0) {
        Qcow2Place place;
        if (!qcow2_map_find(image, offset, size, &place, error) ||
            !read_place(image, &place, offset, data, error))
            return false;
        offset += place.size;
        data += place.size;
        size -= place.size;
    }
    return true;
}

static bool read_locked(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good = qcow2_read(image, offset, data, size, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}

static bool write_zeros(Qcow2 *image, uint64_t from, uint64_t to, Error *error) {
    uint8_t zeros[SECTOR_BYTES] = {0};
    while (from < to) {
        uint64_t part = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
        if (!qcow2_write(image, from, zeros, part, error))
            return false;
        from += part;
    }
    return true;
}

/* The rest of the last cluster is not the disk's, and may hold anything. */
static bool clear_tail(Qcow2 *image, uint64_t from, uint64_t to, Error *error) {
    Qcow2Place place;
    if (from >= to)
        return true;
    if (!qcow2_map_find(image, from, 1, &place, error))
        return false;
    if (place.kind == QCOW2_UNALLOCATED && image->backing == NULL)
        return true;
    return write_zeros(image, from, to, error);
}

/* Whole clusters, of which none is mapped, hide what the backing file has there. */
static bool hide_backing(Qcow2 *image, uint64_t from, uint64_t to, Error *error) {
    if (image->version < 3)
        return write_zeros(image, from, to, error);
    for (; from < to; from += image->cluster_bytes)
        if (!qcow2_map_own_table(image, from, error) ||
            !qcow2_map_set(image, from, QCOW2_ZERO, error))
            return false;
    return true;
}

static uint64_t end_of_cluster(const Qcow2 *image, uint64_t offset) {
    return (offset + image->cluster_bytes - 1) & ~(image->cluster_bytes - 1);
}

/* New bytes are zeros, whatever was left behind the end and whatever the backing file has there. */
static bool lengthen(Qcow2 *image, uint64_t length, Error *error) {
    uint64_t old = image->length, end = end_of_cluster(image, old);
    uint64_t covered = image->backing != NULL ? block_length(image->backing) : 0;
    if (!qcow2_map_clear_from(image, end, error) || !qcow2_map_set_length(image, length, error))
        return false;
    covered = covered < length ? covered : length;
    return clear_tail(image, old, end < length ? end : length, error) &&
           hide_backing(image, end, covered, error);
}

/* A disk has whole sectors; what is asked for is rounded up. */
static bool set_length(Qcow2 *image, uint64_t length, Error *error) {
    if (length > INT64_MAX - SECTOR_BYTES)
        return error_set(error, "cannot be made that long");
    length = (length + SECTOR_BYTES - 1) & ~(uint64_t)(SECTOR_BYTES - 1);
    if (!qcow2_header_begin_writing(image, error))
        return false;
    if (length > image->length)
        return lengthen(image, length, error);
    return length == image->length ||
           (qcow2_map_set_length(image, length, error) &&
            qcow2_map_clear_from(image, end_of_cluster(image, length), error));
}

static bool resize_locked(BlockNode *node, uint64_t length, Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good = set_length(image, length, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}

static bool write_locked(BlockNode *node, uint64_t offset, const void *data, size_t size,
                         Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good = (offset + size <= image->length || set_length(image, offset + size, error)) &&
                qcow2_write(image, offset, data, size, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}

static bool flush_locked(BlockNode *node, Error *error) {
    Qcow2 *image = node->driver_state;
    if (!block_file_flush(node, error))
        return false;
    pthread_mutex_lock(&image->lock);
    qcow2_refcount_settle(image);
    pthread_mutex_unlock(&image->lock);
    return true;
}

const BlockDriver block_qcow2_driver = {
    .name = "qcow2",
    .probe = qcow2_probe,
    .open = qcow2_open,
    .close = qcow2_close,
    .read = read_locked,
    .write = write_locked,
    .flush = flush_locked,
    .discard = qcow2_discard,
    .resize = resize_locked,
    .create_options = qcow2_create_options,
    .can_back = true,
    .create = qcow2_create,
    .info = qcow2_info,
    .map = qcow2_extent,
    .check = qcow2_check,
    .set_backing = qcow2_set_backing,
    .backing = qcow2_backing,
    .attach_backing = qcow2_attach_backing,
    .amend = qcow2_amend,
    .measure = qcow2_measure,
    .snapshot = qcow2_snapshot_act,
    .show_snapshot = qcow2_snapshot_show,
    .write_compressed = qcow2_write_compressed,
};

/* Changes what a qcow2 image says of itself: its backing image, version, refcounts' width; and
 * gives all clusters their place in advance. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2_check.h"
#include "block_qcow2_image.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_VERSION = 4,
    AT_BACKING_OFFSET = 8,
    AT_BACKING_SIZE = 16,
    AT_COMPATIBLE = 80,
    AT_REFCOUNT_ORDER = 96,
    AT_HEADER_BYTES = 100,
    V2_BYTES = 72,
    V3_BYTES = 112,
};
#define EXTENSION_BACKING_FORMAT 0xE2792ACAu
#define EXTENSION_BITMAPS 0x23852875u
#define BACKING_NAME_MAXIMUM 1023u
#define LAZY_REFCOUNTS 1u

/* A header in the making: its fields, the extensions that stay, the backing image's name. */
typedef struct NewHeader {
    uint8_t *bytes;
    uint64_t size, room;
} NewHeader;

static bool append(NewHeader *header, const void *data, uint64_t size, uint64_t padded,
                   Error *error) {
    if (padded > header->room - header->size)
        return error_set(error, "has no room in its header for so long a name");
    memcpy(header->bytes + header->size, data, size);
    header->size += padded;
    return true;
}

static bool append_extension(NewHeader *header, uint32_t type, const void *data, uint32_t size,
                             Error *error) {
    uint8_t head[8];
    store_be32(head, type);
    store_be32(head + 4, size);
    return append(header, head, 8, 8, error) &&
           append(header, data, size, ((uint64_t)size + 7) & ~7ull, error);
}

/* The extensions of the old header but the backing format; version 2 has no other. */
static bool keep_extensions(NewHeader *header, const uint8_t *old, uint64_t at, uint64_t old_size,
                            Error *error) {
    while (at + 8 <= old_size) {
        uint32_t type = load_be32(old + at), size = load_be32(old + at + 4);
        if (type == 0 || size > old_size - at - 8)
            break;
        if (type != EXTENSION_BACKING_FORMAT &&
            !append_extension(header, type, old + at + 8, size, error))
            return false;
        at += 8 + (((uint64_t)size + 7) & ~7ull);
    }
    return true;
}

static bool fill_header(const Qcow2 *image, NewHeader *header, const uint8_t *old, unsigned version,
                        const char *name, const char *format, Error *error) {
    static const uint8_t no_more[8];
    uint64_t old_bytes = image->version == 3 ? load_be32(old + AT_HEADER_BYTES) : V2_BYTES;
    uint64_t new_bytes = version == 2 ? V2_BYTES : image->version == 3 ? old_bytes : V3_BYTES;
    memcpy(header->bytes, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    header->size = new_bytes;
    store_be32(header->bytes + AT_VERSION, version);
    if (version == 3) {
        store_be32(header->bytes + AT_REFCOUNT_ORDER, image->refcount_order);
        store_be32(header->bytes + AT_HEADER_BYTES, (uint32_t)new_bytes);
    }
    store_be64(header->bytes + AT_BACKING_OFFSET, 0);
    store_be32(header->bytes + AT_BACKING_SIZE, 0);
    if (name != NULL && format != NULL &&
        !append_extension(header, EXTENSION_BACKING_FORMAT, format, (uint32_t)strlen(format),
                          error))
        return false;
    if (!keep_extensions(header, old, old_bytes, image->cluster_bytes, error) ||
        !append(header, no_more, 8, 8, error))
        return false;
    if (name == NULL)
        return true;
    store_be64(header->bytes + AT_BACKING_OFFSET, header->size);
    store_be32(header->bytes + AT_BACKING_SIZE, (uint32_t)strlen(name));
    return append(header, name, strlen(name), strlen(name), error);
}

/* The first cluster anew: one write, which within a page no kill can tear. */
static bool write_header(Qcow2 *image, unsigned version, const char *name, const char *format,
                         Error *error) {
    uint64_t size = image->cluster_bytes;
    if (name != NULL && strlen(name) > BACKING_NAME_MAXIMUM)
        return error_set(error, "the name of the backing image is too long");
    uint8_t *old = allocate_zeroed(size);
    NewHeader header = {.bytes = allocate_zeroed(size), .room = size};
    uint64_t there = image->file_end < size ? image->file_end : size;
    bool good = qcow2_file_read(image, 0, old, there, error) &&
                fill_header(image, &header, old, version, name, format, error) &&
                qcow2_file_write(image, 0, header.bytes,
                                 header.size + 8 < size ? header.size + 8 : size, error);
    if (good)
        image->version = version;
    free(header.bytes);
    free(old);
    return good;
}

static bool set_backing(Qcow2 *image, const char *name, const char *format, Error *error) {
    return qcow2_header_begin_writing(image, error) &&
           write_header(image, image->version, name, format, error);
}

bool qcow2_set_backing(BlockNode *node, const char *name, const char *format, Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good = set_backing(image, name, format, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}

/* ---- Version and width of refcounts ---- */

static bool set_version(BlockNode *node, unsigned version, Error *error) {
    Qcow2 *image = node->driver_state;
    char *name = NULL, *format = NULL;
    Qcow2 again = {.file = image->file, .file_end = image->file_end};
    if (version == image->version)
        return true;
    if (version == 2 && (image->refcount_order != 4 || image->compression != QCOW2_ZLIB))
        return error_set(error, "has other refcounts than of 16 bits, or is compressed with zstd, "
                                "which needs compat=1.1");
    bool good = qcow2_header_read(&again, &name, &format, error);
    /* Version 2 has no clusters of zeros: they become data, or nothing where nothing is behind. */
    for (uint64_t at = 0; good && version == 2 && at < image->length; at += image->cluster_bytes) {
        Qcow2Place place;
        uint64_t left = image->length - at;
        good = qcow2_map_find(image, at, 1, &place, error);
        if (good && place.kind == QCOW2_ZEROS)
            good = qcow2_zero_plainly(
                image, at, left < image->cluster_bytes ? left : image->cluster_bytes, error);
    }
    good = good && write_header(image, version, name, format, error);
    free(name);
    free(format);
    return good;
}

static bool set_lazy(Qcow2 *image, bool lazy, Error *error) {
    uint8_t bytes[8];
    if (image->version < 3)
        return !lazy || error_set(error, "lazy_refcounts needs compat=1.1");
    if (!qcow2_file_read(image, AT_COMPATIBLE, bytes, sizeof(bytes), error))
        return false;
    uint64_t features = load_be64(bytes) & ~(uint64_t)LAZY_REFCOUNTS;
    store_be64(bytes, features | (lazy ? LAZY_REFCOUNTS : 0));
    return qcow2_file_write(image, AT_COMPATIBLE, bytes, sizeof(bytes), error);
}

static bool set_refcount_bits(BlockNode *node, unsigned order, Error *error) {
    Qcow2 *image = node->driver_state;
    Qcow2Checker checker;
    BlockCheck check = {0};
    if (order == image->refcount_order)
        return true;
    if (image->version < 3)
        return error_set(error, "other refcount_bits than 16 need compat=1.1");
    bool good = qcow2_checker_count(&checker, node, &check, error);
    if (good && check.corruptions + check.check_errors > 0)
        good = error_set(error, "is damaged; repair it with: reprise image check -r all");
    good = good && qcow2_repair_rebuild(&checker, order, error);
    qcow2_checker_free(&checker);
    return good && qcow2_reread(image, error);
}

static bool read_power(const BlockCreateRequest *request, const char *name, unsigned maximum,
                       uint64_t otherwise, unsigned *power, Error *error) {
    uint64_t value;
    if (!block_create_size(request, name, otherwise, &value, error))
        return false;
    for (*power = 0; *power <= maximum; (*power)++)
        if (value == 1ull << *power)
            return true;
    return error_set(error, "%s is a power of two from 1 to %llu", name, 1ull << maximum);
}

static bool check_names(const BlockCreateRequest *request, Error *error) {
    static const char *const known[] = {"compat", "lazy_refcounts", "refcount_bits", "size"};
    for (size_t i = 0; i < request->value_count; i++) {
        size_t j = 0;
        while (j < 4 && strcmp(known[j], request->values[i].name) != 0)
            j++;
        if (j == 4)
            return error_set(error, "'%s' cannot be amended", request->values[i].name);
    }
    return true;
}

static bool amend(BlockNode *node, const BlockCreateRequest *request, Error *error) {
    Qcow2 *image = node->driver_state;
    const char *compat = block_create_value(request, "compat");
    unsigned version = image->version, order;
    bool lazy;
    if (compat != NULL)
        version = strcmp(compat, "0.10") == 0 || strcmp(compat, "v2") == 0  ? 2
                  : strcmp(compat, "1.1") == 0 || strcmp(compat, "v3") == 0 ? 3
                                                                            : 0;
    if (version == 0)
        return error_set(error, "compat is 0.10 or 1.1, not '%s'", compat);
    if (!check_names(request, error) || !qcow2_header_begin_writing(image, error) ||
        !block_create_bool(request, "lazy_refcounts", false, &lazy, error) ||
        !read_power(request, "refcount_bits", 6, 1ull << image->refcount_order, &order, error))
        return false;
    if (version == 3 && !set_version(node, version, error))
        return false;
    if (!set_refcount_bits(node, order, error) || !set_version(node, version, error))
        return false;
    return block_create_value(request, "lazy_refcounts") == NULL || set_lazy(image, lazy, error);
}

bool qcow2_amend(BlockNode *node, const BlockCreateRequest *request, Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good = amend(node, request, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}

/* ---- Places in advance ---- */

/* All clusters that one L2 table has, in a row. */
static bool place_table(Qcow2 *image, uint64_t offset, uint64_t clusters, Error *error) {
    uint64_t place;
    if (!qcow2_map_own_table(image, offset, error) ||
        !qcow2_refcount_allocate(image, clusters, &place, error))
        return false;
    uint64_t end = place + (clusters << image->cluster_bits);
    if (image->file_end < end) {
        if (ftruncate(image->file, (off_t)end) != 0)
            return error_set(error, "cannot be made longer: %s", strerror(errno));
        image->file_end = end;
    }
    return qcow2_map_set_run(image, offset, place | QCOW2_COPIED, clusters, error);
}

static bool give_room(const Qcow2 *image, Qcow2Preallocation mode, Error *error) {
    if (mode == QCOW2_PREALLOCATE_METADATA)
        return true;
    int reason = host_file_reserve(image->file, image->file_end);
    return reason == 0 || error_set(error, "cannot be given %llu bytes of disk: %s",
                                    (unsigned long long)image->file_end, strerror(reason));
}

static bool fill(Qcow2 *image, Error *error) {
    static const uint8_t zeros[65536];
    for (uint64_t at = 0; at < image->length; at += sizeof(zeros)) {
        uint64_t left = image->length - at;
        if (!qcow2_write(image, at, zeros, left < sizeof(zeros) ? left : sizeof(zeros), error))
            return false;
    }
    return true;
}

bool qcow2_preallocate(BlockNode *node, Qcow2Preallocation mode, Error *error) {
    Qcow2 *image = node->driver_state;
    uint64_t clusters = qcow2_clusters(image, image->length), a_table = image->cluster_bytes / 8;
    pthread_mutex_lock(&image->lock);
    bool good = true;
    for (uint64_t done = 0; good && done < clusters; done += a_table) {
        uint64_t left = clusters - done;
        good =
            place_table(image, done << image->cluster_bits, left < a_table ? left : a_table, error);
    }
    good = good && give_room(image, mode, error) &&
           (mode != QCOW2_PREALLOCATE_FULL || fill(image, error));
    pthread_mutex_unlock(&image->lock);
    return good;
}

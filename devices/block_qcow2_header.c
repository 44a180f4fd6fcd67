/* The header of a qcow2 image: sizes, features and extensions. Whatever it says is checked here
 * before anything is done with it. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2.h"
#include "host_string.h"
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 4,
    BACKING_OFFSET = 8,
    BACKING_SIZE = 16,
    CLUSTER_BITS = 20,
    DISK_SIZE = 24,
    CRYPT_METHOD = 32,
    L1_SIZE = 36,
    L1_OFFSET = 40,
    REFCOUNT_OFFSET = 48,
    REFCOUNT_CLUSTERS = 56,
    V2_BYTES = 72,
    INCOMPATIBLE = 72,
    REFCOUNT_ORDER = 96,
    HEADER_LENGTH = 100,
    V3_BYTES = 104,
    COMPRESSION_TYPE = 104,
};

enum { EXTENSION_END = 0 };
#define EXTENSION_BACKING_FORMAT 0xE2792ACAu
#define EXTENSION_FEATURE_NAMES 0x6803F857u
#define FEATURE_NAME_BYTES 48u

enum { FEATURE_DIRTY = 1, FEATURE_CORRUPT = 2, FEATURE_COMPRESSION_TYPE = 8 };
static const char *const feature_names[64] = {
    "dirty", "corrupt", "external data file", "compression type", "extended L2 entries",
};

#define BACKING_NAME_MAXIMUM 1023u
#define HEAD_BYTES (2u << 20) /* the largest cluster: all is in the first one */

/* The part of the file that the header, its extensions and the name of the backing file are in. */
typedef struct Head {
    uint8_t *bytes;
    uint64_t size;
    uint32_t header_bytes; /* extensions follow */
    uint64_t incompatible;
} Head;

/* The next extension at '*position'; false: there is none. */
static bool next_extension(const Head *head, uint64_t *position, uint32_t *type,
                           const uint8_t **data, uint32_t *size) {
    if (*position + 8 > head->size)
        return false;
    *type = load_be32(head->bytes + *position);
    *size = load_be32(head->bytes + *position + 4);
    *data = head->bytes + *position + 8;
    if (*type == EXTENSION_END || *size > head->size - *position - 8)
        return false;
    *position += 8 + (((uint64_t)*size + 7) & ~7ull);
    return true;
}

/* What the image itself calls an incompatible feature; NULL: it does not say. */
static const uint8_t *name_in_image(const Head *head, unsigned bit) {
    uint64_t position = head->header_bytes;
    uint32_t type, size;
    const uint8_t *data;
    while (next_extension(head, &position, &type, &data, &size))
        for (uint32_t i = 0; type == EXTENSION_FEATURE_NAMES && i + FEATURE_NAME_BYTES <= size;
             i += FEATURE_NAME_BYTES)
            if (data[i] == 0 && data[i + 1] == bit)
                return data + i + 2;
    return NULL;
}

static bool refuse_feature(const Head *head, unsigned bit, Error *error) {
    const uint8_t *own = name_in_image(head, bit);
    if (feature_names[bit] != NULL)
        return error_set(error, "needs the qcow2 feature '%s', which is not in this version",
                         feature_names[bit]);
    char name[FEATURE_NAME_BYTES - 1] = "";
    for (unsigned i = 0; own != NULL && i < FEATURE_NAME_BYTES - 2 && own[i] != 0; i++)
        name[i] = own[i] >= ' ' && own[i] < 0x7F ? (char)own[i] : '?';
    return error_set(error, "needs a qcow2 feature that is not known: bit %u%s%s%s", bit,
                     name[0] != 0 ? " ('" : "", name, name[0] != 0 ? "')" : "");
}

static bool check_features(Qcow2 *image, const Head *head, Error *error) {
    uint64_t known = FEATURE_DIRTY | FEATURE_CORRUPT | FEATURE_COMPRESSION_TYPE;
    for (unsigned bit = 0; bit < 64; bit++)
        if ((head->incompatible & ~known) >> bit & 1)
            return refuse_feature(head, bit, error);
    uint8_t type = 0;
    if (head->header_bytes > COMPRESSION_TYPE)
        type = head->bytes[COMPRESSION_TYPE];
    if (type > QCOW2_ZSTD)
        return error_set(error, "is compressed in a way that is not known (type %u)", type);
    if ((type != QCOW2_ZLIB) != ((head->incompatible & FEATURE_COMPRESSION_TYPE) != 0))
        return error_set(error, "contradicts itself in its header about how it is compressed");
    image->compression = type;
    return true;
}

static bool read_sizes(Qcow2 *image, Head *head, Error *error) {
    const uint8_t *bytes = head->bytes;
    image->version = load_be32(bytes + VERSION);
    if (load_be32(bytes) != 0x514649FB)
        return error_set(error, "is not a qcow2 image");
    if (image->version != 2 && image->version != 3)
        return error_set(error, "is of version %u of qcow; known are 2 and 3", image->version);
    image->cluster_bits = load_be32(bytes + CLUSTER_BITS);
    if (image->cluster_bits < 9 || image->cluster_bits > 21)
        return error_set(error, "has clusters of 2^%u bytes; there are 512 bytes to 2 MB",
                         image->cluster_bits);
    image->cluster_bytes = 1ull << image->cluster_bits;
    if (head->size > image->cluster_bytes)
        head->size = image->cluster_bytes;
    image->refcount_order = 4;
    head->header_bytes = V2_BYTES;
    if (image->version == 3) {
        head->incompatible = load_be64(bytes + INCOMPATIBLE);
        image->autoclear = load_be64(bytes + QCOW2_AUTOCLEAR_OFFSET);
        image->refcount_order = load_be32(bytes + REFCOUNT_ORDER);
        head->header_bytes = load_be32(bytes + HEADER_LENGTH);
    }
    if (image->refcount_order > 6)
        return error_set(error, "has refcounts of 2^%u bits", image->refcount_order);
    if (image->version == 3 && (head->header_bytes < V3_BYTES || head->header_bytes > head->size))
        return error_set(error, "has a qcow2 header of %u bytes", head->header_bytes);
    if (load_be32(bytes + CRYPT_METHOD) != 0)
        return error_set(error, "is encrypted, which is not in this version");
    return true;
}

static bool read_places(Qcow2 *image, const Head *head, Error *error) {
    const uint8_t *bytes = head->bytes;
    uint64_t refcount_clusters = load_be32(bytes + REFCOUNT_CLUSTERS);
    image->length = load_be64(bytes + DISK_SIZE);
    image->l1_size = load_be32(bytes + L1_SIZE);
    image->l1_offset = load_be64(bytes + L1_OFFSET);
    image->refcount_table_offset = load_be64(bytes + REFCOUNT_OFFSET);
    if (image->length > QCOW2_DISK_BYTES_MAXIMUM)
        return error_set(error, "is a disk of %llu bytes; more than 64 TB are not supported",
                         (unsigned long long)image->length);
    if (image->l1_size > QCOW2_L1_BYTES_MAXIMUM / 8)
        return error_set(error, "has an L1 table of %u entries, which is too many", image->l1_size);
    if (image->l1_size < qcow2_map_entries_needed(image, image->length))
        return error_set(error, "has an L1 table of %u entries, too few for its disk",
                         image->l1_size);
    if (refcount_clusters > QCOW2_REFCOUNT_TABLE_BYTES_MAXIMUM >> image->cluster_bits)
        return error_set(error, "has a refcount table of %llu clusters, which is too long",
                         (unsigned long long)refcount_clusters);
    image->refcount_table_size = (uint32_t)(refcount_clusters << (image->cluster_bits - 3));
    return true;
}

static bool read_backing(const Head *head, char **path, char **format, Error *error) {
    uint64_t offset = load_be64(head->bytes + BACKING_OFFSET);
    uint32_t size = load_be32(head->bytes + BACKING_SIZE);
    if (offset == 0 || size == 0)
        return true;
    if (size > BACKING_NAME_MAXIMUM || offset > head->size || size > head->size - offset)
        return error_set(error, "names its backing file outside of its header");
    *path = strndup((const char *)head->bytes + offset, size);
    uint64_t position = head->header_bytes;
    uint32_t type, length;
    const uint8_t *data;
    while (next_extension(head, &position, &type, &data, &length))
        if (type == EXTENSION_BACKING_FORMAT && *format == NULL)
            *format = strndup((const char *)data, length);
    return true;
}

bool qcow2_header_read(Qcow2 *image, char **backing_path, char **backing_format, Error *error) {
    Head head = {.bytes = allocate_zeroed(HEAD_BYTES)};
    head.size = image->file_end < HEAD_BYTES ? image->file_end : HEAD_BYTES;
    bool good = qcow2_file_read(image, 0, head.bytes, head.size, error) &&
                (head.size >= V2_BYTES || error_set(error, "is cut short in its header")) &&
                read_sizes(image, &head, error) && check_features(image, &head, error) &&
                read_places(image, &head, error) &&
                read_backing(&head, backing_path, backing_format, error);
    image->dirty = (head.incompatible & FEATURE_DIRTY) != 0;
    image->corrupt = (head.incompatible & FEATURE_CORRUPT) != 0;
    free(head.bytes);
    return good;
}

bool qcow2_header_set_dirty(Qcow2 *image, bool dirty, Error *error) {
    uint8_t bytes[8];
    if (image->version < 3 || (image->dirty == dirty && !image->corrupt))
        return true;
    if (!qcow2_file_read(image, INCOMPATIBLE, bytes, sizeof(bytes), error))
        return false;
    uint64_t features = load_be64(bytes) & ~(uint64_t)(FEATURE_DIRTY | FEATURE_CORRUPT);
    store_be64(bytes, features | (dirty ? FEATURE_DIRTY : 0));
    if (!qcow2_file_write(image, INCOMPATIBLE, bytes, sizeof(bytes), error))
        return false;
    image->dirty = dirty;
    image->corrupt = false;
    return true;
}

bool qcow2_header_begin_writing(Qcow2 *image, Error *error) {
    static const uint8_t none[8];
    if (image->refcount_table == NULL || image->repairing)
        return error_set(error, "is write-protected");
    if (image->autoclear == 0)
        return true;
    if (!qcow2_file_write(image, QCOW2_AUTOCLEAR_OFFSET, none, sizeof(none), error))
        return false;
    image->autoclear = 0;
    return true;
}

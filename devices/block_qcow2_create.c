/* Makes qcow2 images: header, refcount table and block, and a first cluster of L1 table, one
 * cluster each. What a large disk needs beyond is the driver's own resize. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2.h"
#include "block_qcow2_image.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const BlockCreateOption qcow2_create_options[] = {
    {"backing_file", "<str>", "File name of a base image"},
    {"backing_fmt", "<str>", "Image format of the base image"},
    {"cluster_size", "<size>", "qcow2 cluster size"},
    {"compat", "<str>", "Compatibility level (v2 [0.10] or v3 [1.1])"},
    {"compression_type", "<str>", "Compression method (allowed values: zlib, zstd)"},
    {"lazy_refcounts", "<bool (on/off)>", "Postpone refcount updates"},
    {"preallocation", "<str>", "Preallocation mode (allowed values: off, metadata, falloc, full)"},
    {"refcount_bits", "<num>", "Width of a reference count entry in bits"},
    {"size", "<size>", "Virtual disk size"},
    {NULL, NULL, NULL},
};

/* The first clusters. */
enum { HEADER, REFCOUNT_TABLE, REFCOUNT_BLOCK, L1_TABLE, FIRST_CLUSTERS };

enum { V2_HEADER_BYTES = 72, V3_HEADER_BYTES = 112 };
#define INCOMPATIBLE_COMPRESSION 8u
#define EXTENSION_BACKING_FORMAT 0xE2792ACAu
#define BACKING_NAME_MAXIMUM 1023u

typedef struct NewImage {
    unsigned version, cluster_bits, refcount_order;
    bool lazy_refcounts;
    Qcow2Compression compression;
    int preallocation; /* a Qcow2Preallocation; -1: off */
    uint32_t l1_size;
} NewImage;

static unsigned bits_of(uint64_t power) {
    unsigned bits = 0;
    while (power > 1) {
        power >>= 1;
        bits++;
    }
    return bits;
}

static bool read_version(const BlockCreateRequest *request, NewImage *image, Error *error) {
    const char *compat = block_create_value(request, "compat");
    image->version = 3;
    if (compat == NULL || strcmp(compat, "1.1") == 0 || strcmp(compat, "v3") == 0)
        return true;
    image->version = 2;
    return strcmp(compat, "0.10") == 0 || strcmp(compat, "v2") == 0 ||
           error_set(error, "compat is 0.10 or 1.1, not '%s'", compat);
}

static bool read_preallocation(const BlockCreateRequest *request, NewImage *image, Error *error) {
    static const char *const modes[] = {"metadata", "falloc", "full"};
    const char *mode = block_create_value(request, "preallocation");
    image->preallocation = -1;
    if (mode == NULL || strcmp(mode, "off") == 0)
        return true;
    for (int i = 0; i < 3; i++)
        if (strcmp(mode, modes[i]) == 0)
            image->preallocation = i;
    if (image->preallocation < 0)
        return error_set(error, "preallocation is off, metadata, falloc or full, not '%s'", mode);
    return request->backing == NULL ||
           error_set(error, "preallocation would hide the backing image");
}

static bool read_compression(const BlockCreateRequest *request, NewImage *image, Error *error) {
    const char *type = block_create_value(request, "compression_type");
    bool zstd = type != NULL && strcmp(type, "zstd") == 0;
    image->compression = zstd ? QCOW2_ZSTD : QCOW2_ZLIB;
    if (zstd && image->version == 2)
        return error_set(error, "compression_type=zstd needs compat=1.1");
    return type == NULL || zstd || strcmp(type, "zlib") == 0 ||
           error_set(error, "compression_type is zlib or zstd, not '%s'", type);
}

static bool read_options(const BlockCreateRequest *request, NewImage *image, Error *error) {
    uint64_t cluster_bytes, refcount_bits;
    if (!read_version(request, image, error) ||
        !block_create_size(request, "cluster_size", 65536, &cluster_bytes, error) ||
        !block_create_size(request, "refcount_bits", 16, &refcount_bits, error) ||
        !block_create_bool(request, "lazy_refcounts", false, &image->lazy_refcounts, error) ||
        !read_preallocation(request, image, error) || !read_compression(request, image, error))
        return false;
    if (cluster_bytes < 512 || cluster_bytes > 2u << 20 ||
        (cluster_bytes & (cluster_bytes - 1)) != 0)
        return error_set(error, "cluster_size is a power of two from 512 to 2M");
    if (refcount_bits < 1 || refcount_bits > 64 || (refcount_bits & (refcount_bits - 1)) != 0)
        return error_set(error, "refcount_bits is a power of two from 1 to 64");
    if (image->version == 2 && (refcount_bits != 16 || image->lazy_refcounts))
        return error_set(error, "other refcount_bits than 16 and lazy_refcounts need compat=1.1");
    image->cluster_bits = bits_of(cluster_bytes);
    image->refcount_order = bits_of(refcount_bits);
    if (request->length > QCOW2_DISK_BYTES_MAXIMUM)
        return error_set(error, "more than 64 TB are not supported");
    uint64_t span = cluster_bytes * (cluster_bytes / 8),
             needed = (request->length + span - 1) / span;
    if (needed == 0)
        needed = 1; /* the cluster of the table is there, and must be used */
    image->l1_size = (uint32_t)(needed < cluster_bytes / 8 ? needed : cluster_bytes / 8);
    return true;
}

/* The header with a disk of no bytes, and behind it the extension with the format and the name of
 * the backing image, to which nothing points yet. Returns where the name is; 0: no room. */
static uint64_t build_header(const BlockCreateRequest *request, const NewImage *image,
                             uint8_t *bytes) {
    uint64_t cluster = 1ull << image->cluster_bits;
    uint64_t at = image->version == 3 ? V3_HEADER_BYTES : V2_HEADER_BYTES;
    store_be32(bytes, 0x514649FB);
    store_be32(bytes + 4, image->version);
    store_be32(bytes + 20, image->cluster_bits);
    store_be32(bytes + 36, image->l1_size);
    store_be64(bytes + 40, L1_TABLE * cluster);
    store_be64(bytes + 48, REFCOUNT_TABLE * cluster);
    store_be32(bytes + 56, 1);
    if (image->version == 3) {
        store_be64(bytes + 72, image->compression == QCOW2_ZSTD ? INCOMPATIBLE_COMPRESSION : 0);
        store_be64(bytes + 80, image->lazy_refcounts);
        store_be32(bytes + 96, image->refcount_order);
        store_be32(bytes + 100, V3_HEADER_BYTES);
        bytes[104] = (uint8_t)image->compression;
    }
    if (request->backing == NULL)
        return at;
    size_t name = strlen(request->backing), format = strlen(request->backing_format);
    uint64_t padded = (format + 7) & ~7ull;
    if (name > BACKING_NAME_MAXIMUM || at + 8 + padded + 8 + name > cluster)
        return 0;
    store_be32(bytes + at, EXTENSION_BACKING_FORMAT);
    store_be32(bytes + at + 4, (uint32_t)format);
    memcpy(bytes + at + 8, request->backing_format, format);
    at += 8 + padded + 8; /* the extension that ends the list is zeros */
    memcpy(bytes + at, request->backing, name);
    return at;
}

/* Each of the first clusters is used once. */
static void build_refcounts(const NewImage *image, uint8_t *block) {
    unsigned bits = 1u << image->refcount_order;
    for (unsigned i = 0; i < FIRST_CLUSTERS; i++) {
        if (bits < 8)
            block[i * bits / 8] |= (uint8_t)(1u << i * bits % 8);
        else
            block[(i + 1) * bits / 8 - 1] = 1;
    }
}

static bool write_first(const BlockCreateRequest *request, const NewImage *image, uint64_t *name,
                        Error *error) {
    size_t cluster = (size_t)1 << image->cluster_bits;
    uint8_t *bytes = allocate_zeroed(FIRST_CLUSTERS * cluster);
    *name = build_header(request, image, bytes);
    store_be64(bytes + REFCOUNT_TABLE * cluster, REFCOUNT_BLOCK * cluster);
    build_refcounts(image, bytes + REFCOUNT_BLOCK * cluster);
    bool good = *name != 0 || error_set(error, "the name of the backing image is too long");
    int file = good ? block_file_create(request->path, NULL, error) : -1;
    good = file >= 0 && block_file_write(file, 0, bytes, FIRST_CLUSTERS * cluster, error);
    if (file >= 0 && close(file) != 0 && good)
        good = error_set(error, "cannot be closed: %s", strerror(errno));
    free(bytes);
    return good;
}

/* Last of all, so that the backing image need not be there, and hides nothing. */
static bool set_backing(const BlockCreateRequest *request, const BlockNode *node, uint64_t name,
                        Error *error) {
    uint8_t field[12];
    if (request->backing == NULL)
        return true;
    store_be64(field, name);
    store_be32(field + 8, (uint32_t)strlen(request->backing));
    return block_file_write(node->file, 8, field, sizeof(field), error);
}

bool qcow2_create(const BlockCreateRequest *request, Error *error) {
    NewImage image;
    uint64_t name;
    if (!read_options(request, &image, error) || !write_first(request, &image, &name, error))
        return false;
    BlockOptions options = {.path = request->path, .format = "qcow2"};
    Error reason = {0};
    BlockNode *node = block_open(&options, &reason);
    bool good = node != NULL && block_set_length(node, request->length, &reason) &&
                (image.preallocation < 0 ||
                 qcow2_preallocate(node, (Qcow2Preallocation)image.preallocation, &reason)) &&
                set_backing(request, node, name, &reason);
    block_close(node);
    /* The path is named by the caller, too. */
    size_t named = strlen(request->path) + 2;
    bool twice = strncmp(reason.message, request->path, named - 2) == 0 &&
                 strncmp(reason.message + named - 2, ": ", 2) == 0;
    return good || error_set(error, "%s", reason.message + (twice ? named : 0));
}

static uint64_t round_up(uint64_t number, uint64_t unit) {
    return (number + unit - 1) / unit * unit;
}

/* What header, tables and refcounts take beside so much data. */
static uint64_t metadata_bytes(const NewImage *image, uint64_t disk) {
    uint64_t cluster = 1ull << image->cluster_bits, entries = cluster / 8;
    uint64_t tables = round_up(disk / cluster, entries) / entries;
    uint64_t clusters = 1 + tables + round_up(tables, entries) / entries + disk / cluster;
    uint64_t counts = cluster * 8 >> image->refcount_order, blocks = 0, table = 0, before;
    do { /* they count themselves */
        before = blocks + table;
        blocks = round_up(clusters + blocks + table, counts) / counts;
        table = round_up(blocks, entries) / entries;
    } while (blocks + table != before);
    return (clusters + blocks + table) * cluster - disk;
}

bool qcow2_measure(const BlockCreateRequest *request, BlockMeasure *measure, Error *error) {
    NewImage image;
    if (!read_options(request, &image, error))
        return false;
    uint64_t cluster = 1ull << image.cluster_bits, disk = round_up(request->length, cluster);
    uint64_t metadata = metadata_bytes(&image, disk), used = 0, run;
    bool data = false;
    for (uint64_t at = 0; measure->find_data != NULL && at < request->length; at += run) {
        if (!measure->find_data(measure->opaque, at, request->length - at, &run, &data, error))
            return false;
        if (!data)
            continue;
        run = round_up(at + run, cluster) - at;
        used += at % cluster + run;
    }
    if (image.preallocation >= QCOW2_PREALLOCATE_FALLOC || request->backing != NULL)
        used = disk;
    measure->required = metadata + used;
    measure->full_bytes = metadata + disk;
    return true;
}

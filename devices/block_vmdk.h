/* Inside the VMDK driver: a disk is one or several extents, one after the other, each a part of a
 * file. */
#ifndef REPRISE_BLOCK_VMDK_H
#define REPRISE_BLOCK_VMDK_H

#include "block_driver.h"
#include "block_image.h"
#include <pthread.h>

#define VMDK_SECTOR_BYTES 512u
#define VMDK_HEADER_BYTES 512u
#define VMDK_GRAIN_SECTORS 128u /* of what we make, as of what everybody does */
#define VMDK_TABLE_ENTRIES 512u
#define VMDK_SPLIT_BYTES (2ull << 30)
#define VMDK_EXTENTS_MAXIMUM 512u /* files that are open at a time: a terabyte */
#define VMDK_DESCRIPTOR_BYTES_MAXIMUM 65536u
#define VMDK_MARKER_BYTES 12u /* before a packed grain: its sector, its size */

/* Offsets in the header of a sparse extent. */
enum {
    VMDK_AT_VERSION = 4,
    VMDK_AT_FLAGS = 8,
    VMDK_AT_CAPACITY = 12,
    VMDK_AT_GRAIN_SECTORS = 20,
    VMDK_AT_DESCRIPTOR = 28,
    VMDK_AT_DESCRIPTOR_SECTORS = 36,
    VMDK_AT_TABLE_ENTRIES = 44,
    VMDK_AT_REDUNDANT_DIRECTORY = 48,
    VMDK_AT_DIRECTORY = 56,
    VMDK_AT_OVERHEAD = 64, /* sectors before the first grain */
    VMDK_AT_LINE_ENDS = 73,
    VMDK_AT_COMPRESSION = 77,
};

enum {
    VMDK_FLAG_LINE_ENDS = 1 << 0,
    VMDK_FLAG_REDUNDANT = 1 << 1,
    VMDK_FLAG_ZERO_GRAINS = 1 << 2,
    VMDK_FLAG_PACKED = 1 << 16,
    VMDK_FLAG_MARKERS = 1 << 17,
};

typedef enum VmdkKind { VMDK_SPARSE, VMDK_FLAT, VMDK_ZERO } VmdkKind;

typedef struct VmdkExtent {
    VmdkKind kind;
    int file;
    const char *path;
    uint64_t start, length; /* bytes of the disk */
    uint64_t offset;        /* of a flat one, in its file */
    BlockNode *part;        /* the file; NULL: the image's own */

    /* Of a sparse one. */
    uint8_t header[VMDK_HEADER_BYTES];
    uint32_t flags;
    uint64_t file_bytes; /* when it was opened */
    uint64_t capacity;   /* sectors */
    uint32_t grain_bytes;
    uint32_t grain_count;
    uint32_t table_entries;
    uint32_t table_count;
    uint32_t *directory;     /* the sector of each table */
    uint32_t *redundant;     /* NULL: there are no second tables */
    uint32_t *grains;        /* all tables in one: the sector of each grain */
    pthread_mutex_t lock;    /* of what follows: clones read from several threads */
    uint8_t *unpacked;       /* the compressed grain that was read last */
    uint32_t unpacked_place; /* its sector; 0: none */
} VmdkExtent;

typedef struct Vmdk {
    VmdkExtent **extents;
    size_t extent_capacity;
    uint32_t extent_count;
    char create_type[32]; /* "monolithicSparse" */
    uint32_t content_id, parent_id;
    BlockGeometry geometry; /* 0 cylinders: the text does not say */
} Vmdk;

/* block_vmdk_sparse.c: opens the extent whose file, path and file_bytes are set; 'alone': it is the
 * whole image, with the descriptor in it. An extent that can only be read makes the node so, or is
 * an error. */
bool vmdk_sparse_open(VmdkExtent *extent, BlockNode *node, const BlockOptions *options, bool alone,
                      Vmdk *vmdk, Error *error);
void vmdk_sparse_close(VmdkExtent *extent);
/* Within the extent, from its start. */
bool vmdk_sparse_read(VmdkExtent *extent, uint64_t offset, void *data, size_t size, Error *error);
bool vmdk_sparse_write(VmdkExtent *extent, uint64_t offset, const void *data, size_t size,
                       Error *error);
bool vmdk_sparse_is_allocated(const VmdkExtent *extent, uint64_t offset);

/* block_vmdk_descriptor.c: what the text says of the whole image. */
bool vmdk_descriptor_read_head(Vmdk *vmdk, const char *text, Error *error);
/* Opens the extents that the descriptor file names. */
bool vmdk_descriptor_open(Vmdk *vmdk, BlockNode *node, const BlockOptions *options, Error *error);
VmdkExtent *vmdk_add_extent(Vmdk *vmdk);

/* block_vmdk_create.c */
extern const BlockCreateOption vmdk_create_options[];
bool vmdk_create(const BlockCreateRequest *request, Error *error);

#endif

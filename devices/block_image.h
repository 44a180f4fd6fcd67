/* What is done with an image as a whole, by tools and not by machines: make one, tell what it is
 * and where its data lie, check it. A format takes part by the optional operations of its driver
 * (block_driver.h). */
#ifndef REPRISE_BLOCK_IMAGE_H
#define REPRISE_BLOCK_IMAGE_H

#include "block.h"

/* Sizes of media are whole sectors, whatever size the file of a raw image has. */
#define BLOCK_SECTOR_BYTES 512u
/* The largest medium: file offsets are signed. */
#define BLOCK_LENGTH_MAXIMUM ((uint64_t)INT64_MAX / BLOCK_SECTOR_BYTES * BLOCK_SECTOR_BYTES)

/* An option that a format takes for a new image; a table of them ends with a NULL name. */
typedef struct BlockCreateOption {
    const char *name;     /* "cluster_size" */
    const char *argument; /* "<size>" */
    const char *help;
} BlockCreateOption;

typedef struct BlockCreateValue {
    const char *name, *value;
} BlockCreateValue;

typedef struct BlockCreateRequest {
    const char *path;
    uint64_t length;            /* a multiple of BLOCK_SECTOR_BYTES */
    const char *backing;        /* what the image keeps only the differences to; NULL: nothing */
    const char *backing_format; /* not NULL if 'backing' is not */
    const BlockCreateValue *values;
    size_t value_count;
    BlockGeometry geometry; /* for formats that can say it; 0 cylinders: as usual */
} BlockCreateRequest;

/* Names of the formats there are, from 0 on; NULL after the last. */
const char *block_format_name(size_t index);
bool block_format_exists(const char *format);
/* Whether images of the format can be made, be an overlay of another, and hold compressed data. */
bool block_format_creates(const char *format);
bool block_format_backs(const char *format);
bool block_format_compresses(const char *format);
/* Its table; one that is empty if the format has none. */
const BlockCreateOption *block_format_create_options(const char *format);

/* Makes an image. A file that is there is overwritten, unless somebody uses it; a new one that
 * could not be made is removed again. The line of 'error' names the path. */
bool block_create(const char *format, const BlockCreateRequest *request, Error *error);

/* The value of one of the format's options, for its create(); NULL: not given. */
const char *block_create_value(const BlockCreateRequest *request, const char *name);
/* "on" or "off"; what is absent gives 'otherwise'. */
bool block_create_bool(const BlockCreateRequest *request, const char *name, bool otherwise,
                       bool *result, Error *error);
/* A number of bytes, with K, M, G or T. */
bool block_create_size(const BlockCreateRequest *request, const char *name, uint64_t otherwise,
                       uint64_t *result, Error *error);

/* Opens the file of an image to be made, for writing, locked and empty; -1 on error. '*was_new'
 * (NULL: not wanted) tells that nothing had this name. */
int block_file_create(const char *path, bool *was_new, Error *error);

/* A run of the medium whose bytes come from one place. */
typedef struct BlockExtent {
    uint64_t length; /* at least 1 where the run begins inside of the node */
    unsigned depth;  /* 0: this image; 1: the one behind it; ... */
    bool present; /* something in the chain of images says what is there, be it that it is zero */
    bool zero;    /* reads as zeros */
    bool data;    /* has room in a file */
    bool compressed;
    bool has_offset;       /* the bytes stand as they are in a file, */
    uint64_t offset;       /* from here on, */
    const char *file_path; /* in this one (set if has_offset) */
} BlockExtent;

/* Tells where what the node has at 'offset' comes from, for 'length' bytes at the most. A format
 * that cannot tell says that all of it is data. */
bool block_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
               Error *error);

typedef enum BlockInfoKind { BLOCK_INFO_TEXT, BLOCK_INFO_NUMBER, BLOCK_INFO_BOOL } BlockInfoKind;

/* Something that only this format has. */
typedef struct BlockInfoField {
    const char *name; /* "lazy-refcounts"; people read it with spaces for the dashes */
    BlockInfoKind kind;
    char text[64];
    uint64_t number; /* or 0 and 1 */
} BlockInfoField;

#define BLOCK_INFO_FIELDS 24
#define BLOCK_INFO_NAME_BYTES 4096

typedef struct BlockSnapshotInfo {
    char id[32], name[256];
    uint64_t state_bytes, instruction_count;
    uint32_t date_seconds, date_nanoseconds;
    uint64_t clock_ns;
    bool has_instruction_count;
} BlockSnapshotInfo;

typedef struct BlockInfo {
    uint32_t cluster_bytes; /* 0: the format has no clusters */
    bool dirty;             /* was not closed properly */
    bool encrypted, compressed;
    char backing[BLOCK_INFO_NAME_BYTES]; /* as it stands in the image; "": none */
    char backing_format[64];             /* "": the image does not say */
    BlockInfoField fields[BLOCK_INFO_FIELDS];
    unsigned field_count;
    BlockSnapshotInfo *snapshots; /* freed by block_info_free() */
    size_t snapshot_count;
} BlockInfo;

/* All there is to tell; a format without the operation leaves what it does not know at zero. */
bool block_info_get(BlockNode *node, BlockInfo *info, Error *error);
void block_info_free(BlockInfo *info);
/* For a driver's info(); what is too much is left out. */
void block_info_add_text(BlockInfo *info, const char *name, const char *text);
void block_info_add_number(BlockInfo *info, const char *name, uint64_t number);
void block_info_add_bool(BlockInfo *info, const char *name, bool value);
void block_info_add_geometry(BlockInfo *info, const BlockGeometry *geometry);

/* States of the disk that the image keeps within itself. */
typedef enum BlockSnapshotAction {
    BLOCK_SNAPSHOT_CREATE, /* keep the present by a name */
    BLOCK_SNAPSHOT_APPLY,  /* make the present what was kept */
    BLOCK_SNAPSHOT_DELETE,
} BlockSnapshotAction;

/* A snapshot is called by its name or its number; block_info_get() lists them. */
bool block_snapshot(BlockNode *node, BlockSnapshotAction action, const char *name, Error *error);

/* How large the file of a new image becomes. */
typedef struct BlockMeasure {
    /* Tells whether anything of the disk's range is not zeros, and how far that goes on. */
    bool (*find_data)(void *opaque, uint64_t offset, uint64_t length, uint64_t *run, bool *data,
                      Error *error);
    void *opaque;                  /* find_data NULL: nothing is there */
    uint64_t required, full_bytes; /* the answer */
} BlockMeasure;

bool block_measure(const char *format, const BlockCreateRequest *request, BlockMeasure *measure,
                   Error *error);

/* The image keeps only its differences to 'name' from now on (NULL: to nothing). Nothing of what it
 * holds is changed for that, nor the node's view of it. */
bool block_set_backing(BlockNode *node, const char *name, const char *format, Error *error);

/* Changes settings of an image that is there; values are of the format's create options. */
bool block_amend(BlockNode *node, const BlockCreateRequest *request, Error *error);

/* Bytes that the image's file takes on the host's disk. */
bool block_allocated_bytes(const BlockNode *node, uint64_t *bytes, Error *error);

typedef struct BlockCheck {
    bool repair_leaks, repair_all; /* wanted; the node is open for writing then */
    uint64_t corruptions, leaks;   /* still there */
    uint64_t corruptions_fixed, leaks_fixed;
    uint64_t check_errors; /* what could not be looked at */
    uint64_t image_end_offset;
    uint64_t total_clusters, allocated_clusters, fragmented_clusters, compressed_clusters;
} BlockCheck;

bool block_can_check(const BlockNode *node);
/* Looks for contradictions in what the format keeps; false only if that was not possible. */
bool block_check(BlockNode *node, BlockCheck *check, Error *error);

/* Whether block_set_length() can change the medium's size in the image. */
bool block_can_resize(const BlockNode *node);

/* Writes one whole cluster (the last one may be shorter) compressed, where the format can. */
bool block_write_compressed(BlockNode *node, uint64_t offset, const void *data, size_t size,
                            Error *error);

#endif

/* What 'reprise image' does with qcow2 images: the driver's operations of block_image.h. */
#ifndef REPRISE_BLOCK_QCOW2_IMAGE_H
#define REPRISE_BLOCK_QCOW2_IMAGE_H

#include "block_driver.h"

/* block_qcow2_create.c */
extern const BlockCreateOption qcow2_create_options[];
bool qcow2_create(const BlockCreateRequest *request, Error *error);
bool qcow2_measure(const BlockCreateRequest *request, BlockMeasure *measure, Error *error);

/* block_qcow2_info.c */
bool qcow2_info(BlockNode *node, BlockInfo *info, Error *error);
bool qcow2_extent(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                  Error *error);

/* A snapshot's entry in the image's table (docs/interop/qcow2.txt, "Snapshots"). */
typedef struct Qcow2Snapshot {
    uint64_t l1_offset;
    uint32_t l1_size;
    uint64_t disk_bytes; /* 0: what the image has */
    uint64_t position;   /* of its entry, in the file */
    uint64_t bytes;      /* of the entry */
    BlockSnapshotInfo info;
} Qcow2Snapshot;

/* All of them, for free(); '*table_offset' and '*table_bytes' tell where the table is. False on
 * error. */
bool qcow2_snapshots_read(const BlockNode *node, Qcow2Snapshot **snapshots, size_t *count,
                          uint64_t *table_offset, uint64_t *table_bytes, Error *error);

/* The one with the name or, if none has it, with the number; NULL: there is none. */
const Qcow2Snapshot *qcow2_snapshots_find(const Qcow2Snapshot *snapshots, size_t count,
                                          const char *name);

/* block_qcow2_snapshot.c */
bool qcow2_snapshot_act(BlockNode *node, BlockSnapshotAction action, const char *name,
                        Error *error);
/* The image shows what the snapshot holds; for one that is not written. */
bool qcow2_snapshot_show(BlockNode *node, const char *name, Error *error);

/* block_qcow2_amend.c */
bool qcow2_set_backing(BlockNode *node, const char *name, const char *format, Error *error);
bool qcow2_amend(BlockNode *node, const BlockCreateRequest *request, Error *error);
typedef enum Qcow2Preallocation {
    QCOW2_PREALLOCATE_METADATA, /* each cluster has its place, in a file with holes */
    QCOW2_PREALLOCATE_FALLOC,
    QCOW2_PREALLOCATE_FULL,
} Qcow2Preallocation;
/* Of an image that has nothing in it. */
bool qcow2_preallocate(BlockNode *node, Qcow2Preallocation mode, Error *error);

/* block_qcow2_snapshot.c: what is known of the tables is read anew. */
bool qcow2_reread(Qcow2 *image, Error *error);

/* block_qcow2_discard.c */
/* Within a cluster, or all of it: zeros as version 2 has them. */
bool qcow2_zero_plainly(Qcow2 *image, uint64_t offset, uint64_t size, Error *error);
bool qcow2_discard(BlockNode *node, uint64_t offset, uint64_t size, bool zeros, Error *error);

/* block_qcow2_pack.c */
bool qcow2_write_compressed(BlockNode *node, uint64_t offset, const void *data, size_t size,
                            Error *error);

/* block_qcow2_check.c */
bool qcow2_check(BlockNode *node, BlockCheck *check, Error *error);

#endif

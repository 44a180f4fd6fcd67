/* qcow2 images, versions 2 and 3, as QEMU's docs/interop/qcow2.txt describes them. Inside the
 * driver: what its files share.
 *
 *     L1 table -> L2 table -> cluster       where a guest's cluster is
 *     refcount table -> refcount block      how often each cluster of the file is used
 *
 * Writes go through to the file at once, in an order that leaves the image sound if the process
 * dies between any two: a cluster is counted and filled before a table points to it, and what it
 * replaces is given back after. So clusters may be lost, and are never used twice. */
#ifndef REPRISE_BLOCK_QCOW2_H
#define REPRISE_BLOCK_QCOW2_H

#include "block_driver.h"
#include "block_qcow2_cache.h"
#include "block_unit_map.h"
#include <pthread.h>

#define QCOW2_COPIED (1ull << 63) /* used once, so it may be written in place */
#define QCOW2_COMPRESSED (1ull << 62)
#define QCOW2_ZERO 1ull
#define QCOW2_OFFSET_MASK 0x00FFFFFFFFFFFE00ull

#define QCOW2_AUTOCLEAR_OFFSET 88

/* QEMU's bounds of the tables that are kept in memory. */
#define QCOW2_L1_BYTES_MAXIMUM (32u << 20)
#define QCOW2_REFCOUNT_TABLE_BYTES_MAXIMUM (8u << 20)
/* More than an old system can use, and what lies over an image has a bit for each 64 KB of it. */
#define QCOW2_DISK_BYTES_MAXIMUM (64ull << 40)

/* As the header numbers them. */
typedef enum Qcow2Compression { QCOW2_ZLIB, QCOW2_ZSTD } Qcow2Compression;

typedef struct Qcow2 {
    pthread_mutex_t lock; /* clones read a node from several threads */
    int file;
    uint64_t file_end; /* where clusters begin that no byte was ever written to */
    unsigned version;
    unsigned cluster_bits;
    unsigned refcount_order; /* a refcount has 2 to this power bits */
    uint64_t cluster_bytes;
    uint64_t length; /* of the disk, as the header has it */
    Qcow2Compression compression;
    uint64_t autoclear; /* features to be switched off at the first write */
    bool dirty;         /* refcounts were not kept up to date */
    bool corrupt;       /* who wrote it found contradictions */
    bool repairing;     /* open to be checked, not to be written */

    uint64_t l1_offset;
    uint32_t l1_size; /* entries */
    uint64_t *l1;
    uint64_t refcount_table_offset;
    uint32_t refcount_table_size; /* entries */
    uint64_t *refcount_table;     /* NULL: the image is not written */
    Qcow2Cache l2_cache;
    Qcow2Cache refcount_cache;

    uint64_t free_hint;    /* no cluster before is free, but those that were freed lately */
    uint64_t freed_lowest; /* of these: they wait until what pointed to them is safe */
    BlockUnitMap metadata; /* clusters of tables: place 1; 0 no longer */

    BlockNode *backing;
    uint8_t *scratch;      /* a cluster */
    uint8_t *unpacked;     /* the compressed cluster that was read last */
    uint64_t unpacked_for; /* its L2 entry; 0: none */
    uint64_t packed_next;  /* where the next compressed cluster may go on; 0: nowhere yet */
} Qcow2;

typedef enum Qcow2Kind { QCOW2_UNALLOCATED, QCOW2_ZEROS, QCOW2_DATA, QCOW2_PACKED } Qcow2Kind;

/* Where a stretch of the disk is. */
typedef struct Qcow2Place {
    Qcow2Kind kind;
    uint64_t entry;  /* of the first cluster, in the L2 table */
    uint64_t offset; /* in the file, of the first byte of data */
    uint64_t size;   /* bytes that go on in the same way */
} Qcow2Place;

/* block_qcow2_header.c: the header with its extensions. Sets *backing_path and *backing_format
 * (NULL: none; for free()). */
bool qcow2_header_read(Qcow2 *image, char **backing_path, char **backing_format, Error *error);
/* The image is, or is no longer, called dirty; and never again corrupt. */
bool qcow2_header_set_dirty(Qcow2 *image, bool dirty, Error *error);
/* Before the first write: what other programs keep in step with the contents is no longer. */
bool qcow2_header_begin_writing(Qcow2 *image, Error *error);

/* block_qcow2_map.c */
bool qcow2_map_find(Qcow2 *image, uint64_t offset, uint64_t size, Qcow2Place *place, Error *error);
/* An entry of the L2 table, and a new one for it. Where the table is missing or shared, the image
 * gets one of its own first. */
bool qcow2_map_own_table(Qcow2 *image, uint64_t offset, Error *error);
bool qcow2_map_set(Qcow2 *image, uint64_t offset, uint64_t entry, Error *error);
/* Entries of one table for clusters that lie one behind the other. */
bool qcow2_map_set_run(Qcow2 *image, uint64_t offset, uint64_t entry, uint64_t clusters,
                       Error *error);
/* The header says that the disk is that long, and the L1 table has room for it. */
bool qcow2_map_set_length(Qcow2 *image, uint64_t length, Error *error);
/* Nothing is mapped from 'offset', the start of a cluster, on. */
bool qcow2_map_clear_from(Qcow2 *image, uint64_t offset, Error *error);
uint64_t qcow2_map_entries_needed(const Qcow2 *image, uint64_t length);

/* block_qcow2_codec.c: the bytes that a cluster became; 0: not fewer than it has, or no memory. */
uint64_t qcow2_codec_pack(Qcow2Compression type, const uint8_t *cluster, uint64_t size,
                          uint8_t *packed);
/* False: that is no whole cluster. */
bool qcow2_codec_unpack(Qcow2Compression type, uint8_t *to, uint64_t to_size, const uint8_t *from,
                        uint64_t from_size);

/* block_qcow2_packed.c: a compressed cluster, whole; the image's until the next call. */
const uint8_t *qcow2_packed_read(Qcow2 *image, uint64_t entry, Error *error);
/* The clusters that its bytes lie in. */
void qcow2_packed_extent(const Qcow2 *image, uint64_t entry, uint64_t *offset, uint64_t *size);

/* block_qcow2_refcount.c: reads the refcount table and sees that no two tables overlap. */
bool qcow2_refcount_open(Qcow2 *image, Error *error);
/* Free clusters in a row, used once from now on, with any contents. */
bool qcow2_refcount_allocate(Qcow2 *image, uint64_t clusters, uint64_t *offset, Error *error);
/* One use less of each cluster that the range lies in. */
bool qcow2_refcount_free(Qcow2 *image, uint64_t offset, uint64_t size, Error *error);
bool qcow2_refcount_get(Qcow2 *image, uint64_t cluster, uint64_t *value, Error *error);
/* Whether there is a block with its count. */
bool qcow2_refcount_has(const Qcow2 *image, uint64_t cluster);
/* Clusters of one block, first to before 'end', are used once. */
bool qcow2_refcount_use(Qcow2 *image, uint64_t first, uint64_t end, Error *error);
/* Enters a count into a block in memory. */
void qcow2_refcount_encode(uint8_t *block, unsigned order, uint64_t index, uint64_t value);
bool qcow2_refcount_set(Qcow2 *image, uint64_t cluster, uint64_t value, Error *error);
/* Clusters freed before may be used again. */
void qcow2_refcount_settle(Qcow2 *image);
void qcow2_refcount_mark_metadata(Qcow2 *image, uint64_t offset, uint64_t bytes, bool is);
/* False: one of the clusters is there already. */
bool qcow2_refcount_claim_metadata(Qcow2 *image, uint64_t offset, uint64_t bytes);
bool qcow2_refcount_is_metadata(const Qcow2 *image, uint64_t offset);

/* block_qcow2_area.c: uses 'clusters' free ones from number 'first', with the refcount blocks that
 * are missing for them before them ('blocks' of them). */
bool qcow2_area_take(Qcow2 *image, uint64_t first, uint64_t blocks, uint64_t clusters,
                     Error *error);
/* How many blocks are missing for so many clusters and the blocks themselves. */
uint64_t qcow2_area_blocks(const Qcow2 *image, uint64_t first, uint64_t clusters);
/* Makes the refcount table longer, so that it has room for that many clusters and some. */
bool qcow2_area_grow_table(Qcow2 *image, uint64_t clusters, Error *error);

/* block_qcow2_write.c: a write within the disk. */
bool qcow2_write(Qcow2 *image, uint64_t offset, const uint8_t *data, uint64_t size, Error *error);

/* block_qcow2.c: a read within the disk, the lock being held. */
bool qcow2_read(Qcow2 *image, uint64_t offset, uint8_t *data, uint64_t size, Error *error);

/* Bytes of the file; zeros past its end. */
bool qcow2_file_read(const Qcow2 *image, uint64_t offset, void *data, uint64_t size, Error *error);
bool qcow2_file_write(Qcow2 *image, uint64_t offset, const void *data, uint64_t size, Error *error);
/* A table of the file, of numbers; NULL on error. For free(). */
uint64_t *qcow2_table_read(const Qcow2 *image, const char *what, uint64_t offset, uint64_t entries,
                           Error *error);
bool qcow2_table_write(Qcow2 *image, uint64_t offset, const uint64_t *table, uint64_t entries,
                       uint64_t clusters, Error *error);
/* False if there is no whole cluster of the file at 'offset'. */
bool qcow2_check_cluster(const Qcow2 *image, const char *what, uint64_t offset, Error *error);

static inline uint64_t qcow2_clusters(const Qcow2 *image, uint64_t bytes) {
    return (bytes >> image->cluster_bits) + ((bytes & (image->cluster_bytes - 1)) != 0);
}

/* Refcounts in a block. */
static inline unsigned qcow2_block_bits(const Qcow2 *image) {
    return image->cluster_bits + 3 - image->refcount_order;
}

#endif

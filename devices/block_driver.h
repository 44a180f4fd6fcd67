/* Inside the block layer: what a format or overlay implements. Devices include block.h only. */
#ifndef REPRISE_BLOCK_DRIVER_H
#define REPRISE_BLOCK_DRIVER_H

#include "block.h"
#include "block_image.h"
#include "block_temporary.h"

/* Bytes from the start of an image that a driver's probe sees. */
#define BLOCK_PROBE_BYTES 512

typedef struct BlockDriver {
    const char *name;
    /* How surely the image is of this format: 0 is no, 100 is certain. 'head' holds
     * BLOCK_PROBE_BYTES bytes, zeros after the end of a shorter file. */
    int (*probe)(const uint8_t *head, uint64_t length);
    /* Finds the file in node->file with its length, and sets node->length and node->driver_state.
     * NULL: nothing to do. */
    bool (*open)(BlockNode *node, const BlockOptions *options, Error *error);
    void (*close)(BlockNode *node); /* may be NULL */
    /* The range lies within the node for reads. */
    bool (*read)(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error);
    bool (*write)(BlockNode *node, uint64_t offset, const void *data, size_t size, Error *error);
    bool (*flush)(BlockNode *node, Error *error);
    /* The range, which lies within the node, is not needed any more: it may become zeros, and must
     * if 'zeros' says so. NULL: nothing is gained by it. */
    bool (*discard)(BlockNode *node, uint64_t offset, uint64_t size, bool zeros, Error *error);
    /* Makes what the node lies on shorter or longer, with zeros at its end. NULL: node->length is
     * all there is to it. */
    bool (*resize)(BlockNode *node, uint64_t length, Error *error);

    /* What 'reprise image' does with images of the format (block_image.h). All may be NULL. */
    const BlockCreateOption *create_options;
    bool can_back; /* create() takes a backing image */
    /* Makes the file, by block_file_create(). A name in request->values is one of create_options.
     * The message need not name the path. */
    bool (*create)(const BlockCreateRequest *request, Error *error);
    /* Fills in what the format knows; '*info' is zeroed before. */
    bool (*info)(BlockNode *node, BlockInfo *info, Error *error);
    /* Tells of at least one byte at 'offset' and at most 'length', all inside of the node;
     * '*extent' is zeroed before. What comes from a backing node is asked of that by block_map(),
     * and is one deeper. */
    bool (*map)(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                Error *error);
    /* Counts what is wrong in '*check', whose other fields than the wishes are zeroed before. */
    bool (*check)(BlockNode *node, BlockCheck *check, Error *error);
    /* Lets the image lie over another one (NULL: none), whatever that changes of what it holds. The
     * node itself goes on with the one that it was opened with. */
    bool (*set_backing)(BlockNode *node, const char *name, const char *format, Error *error);
    /* The node, which was opened without its backing image, goes on over this one, which it closes
     * in the end. */
    void (*attach_backing)(BlockNode *node, BlockNode *backing); /* NULL: over nothing */
    /* The node that what is not in the image comes from; NULL: none. */
    BlockNode *(*backing)(const BlockNode *node);
    /* What block_geometry() tells, of this node alone. */
    bool (*geometry)(const BlockNode *node, BlockGeometry *geometry);
    /* Changes settings that create() made; the request has no path. */
    bool (*amend)(BlockNode *node, const BlockCreateRequest *request, Error *error);
    /* The bytes that a new image's file takes for a disk of request->length, of which 'data' bytes
     * (whole clusters) are not zeros; and with all of it written. */
    bool (*measure)(const BlockCreateRequest *request, BlockMeasure *measure, Error *error);
    /* Does so, and leaves the node showing the present. */
    bool (*snapshot)(BlockNode *node, BlockSnapshotAction action, const char *name, Error *error);
    /* The node, which is not written, shows what was kept. */
    bool (*show_snapshot)(BlockNode *node, const char *name, Error *error);
    /* As write, of one whole cluster that nothing was written to yet. */
    bool (*write_compressed)(BlockNode *node, uint64_t offset, const void *data, size_t size,
                             Error *error);
} BlockDriver;

/* The drivers in the order of their names' list; NULL after the last. */
const BlockDriver *block_driver_get(size_t index);

typedef struct BlockHistory BlockHistory;

struct BlockNode {
    const BlockDriver *driver;
    char *name;
    char *path;
    uint64_t length;
    bool read_only;
    bool guessed;           /* that the image is raw: nobody said so */
    bool inactive;          /* would be written, but is not this process's at present */
    bool auto_read_only;    /* as in the options that it was opened with */
    int file;               /* of the image; -1 in a node that lies over another */
    BlockNode *below;       /* what an overlay lies over; closed with it */
    const BlockNode *above; /* while it is opened: the image whose backing file it is */
    void *driver_state;     /* the driver's own */
    BlockNode *attached;    /* held: the backing node that block_attach_backing() gave it */
    unsigned holders;       /* atomic: who has the node open; the last one closes it */
    BlockGuard *guards;     /* to be asked before a write */
    BlockCounters counters;
    BlockHistory *history; /* earlier contents; NULL: no point was ever taken */
};

extern const BlockDriver block_raw_driver;
extern const BlockDriver block_qcow2_driver;
extern const BlockDriver block_vdi_driver;
extern const BlockDriver block_vhd_driver;
extern const BlockDriver block_vmdk_driver;
extern const BlockDriver block_vhdx_driver;
extern const BlockDriver block_bochs_driver;
extern const BlockDriver block_hdi_driver;
extern const BlockDriver block_hdx_driver;
extern const BlockDriver block_cue_driver;

/* A node over 'below', which it owns from now on and never writes. */
BlockNode *block_overlay_create(BlockNode *below);

/* "fat:" and what follows name a folder of the host (block_folder.h); its node, or NULL on error.
 * Only what the user names is looked at so: never what stands in an image. */
bool block_names_folder(const char *path);
BlockNode *block_folder_open(const BlockOptions *options, Error *error);

/* The same of the export of an NBD server (block_nbd.h): "nbd:" or "nbd+unix:" and what follows. */
bool block_names_nbd(const char *path);
BlockNode *block_nbd_open(const BlockOptions *options, Error *error);

/* Opens an image for a format that reads through it; the options say that it is not written.
 * 'above' is the image that names it, which is being opened. NULL on error: the path is named, and
 * a chain that leads back to itself or is too long is one. */
BlockNode *block_open_backing(const BlockNode *above, const BlockOptions *options, Error *error);

/* Opens a file that the image 'above' is made of; in the options its format, and whether it is
 * written. */
BlockNode *block_open_part(const BlockNode *above, const BlockOptions *options, Error *error);

/* Writes as block_write() does, but what was there before is not kept. */
bool block_write_present(BlockNode *node, uint64_t offset, const void *data, size_t size,
                         Error *error);

/* block_history.c: keeps what a write of this range is about to change. */
bool block_history_keep(BlockNode *node, uint64_t offset, size_t size, Error *error);
void block_history_free(BlockNode *node);

/* Opens the image file, checks that it is one, and locks it. Sets node->file, length and
 * read_only. */
bool block_file_open(BlockNode *node, const BlockOptions *options, Error *error);

/* An error if the contents of a raw image say that it should be longer. 'head' is its first
 * BLOCK_PROBE_BYTES bytes. */
bool block_check_complete(BlockNode *node, const uint8_t *head, Error *error);

/* How much of a transfer of 'size' bytes at 'offset' lies in the first of the units (clusters,
 * blocks, grains) of 'unit_bytes' that it touches. */
static inline size_t block_part_in_unit(uint64_t offset, size_t size, uint64_t unit_bytes) {
    uint64_t left = unit_bytes - offset % unit_bytes;
    return size < left ? size : (size_t)left;
}

/* Positioned transfer of all 'size' bytes; a short one is an error. */
bool block_file_read(int file, uint64_t offset, void *data, size_t size, Error *error);
bool block_file_write(int file, uint64_t offset, const void *data, size_t size, Error *error);
/* Makes the range zeros, and the file longer if it ends before: there with a hole. */
bool block_file_zero(int file, uint64_t offset, uint64_t size, Error *error);

/* For formats whose disk has one size for ever: a driver's flush and resize, and a check for its
 * write. */
bool block_file_flush(BlockNode *node, Error *error);
bool block_refuse_resize(BlockNode *node, uint64_t length, Error *error);
bool block_check_inside(const BlockNode *node, uint64_t offset, size_t size, Error *error);

/* Refuses if another process has the file open in a way that conflicts; the lock goes with the
 * file descriptor. */
bool block_file_lock(int file, bool writable, Error *error);

#endif

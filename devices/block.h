/* Block nodes: named storage that a disk, floppy or CD drive reads and writes by byte offset.
 *
 * A node is a format driver over a file or over another node, so that a disk may be a temporary
 * overlay over a read-only image. Nothing here aborts: a read or write that fails says why and
 * becomes a device error that the guest sees. */
#ifndef REPRISE_BLOCK_H
#define REPRISE_BLOCK_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct BlockNode BlockNode;

#define BLOCK_CLUSTER_BYTES 65536u

typedef struct BlockOptions {
    const char *path;
    const char *format;    /* "raw", "qcow2"; NULL: found out from the content */
    const char *node_name; /* NULL: none */
    bool read_only;        /* the guest may not write */
    bool snapshot;         /* writes go to a temporary overlay; the image is never written */
    /* A write-protected image is opened read-only (a floppy or CD, whose drive can tell the guest)
     * instead of refused (a hard disk, whose guest would fail in the middle of its work). */
    bool auto_read_only;
    /* For tools that look at files rather than run them: an empty file is an image, too, and so is
     * one that looks cut short. */
    bool any_content;
    const char *internal_snapshot; /* NULL: the present; what the image keeps is only read */
    bool no_backing; /* do not open what the image only keeps the differences to: to look, not to
                        read */
    bool unlocked;   /* read although somebody writes to it, and whatever that gives */
    bool repair;     /* open although it is damaged: to be checked, not to be written */
    bool inactive;   /* another process still writes to it: see block_deactivate() */
} BlockOptions;

/* Opens an image; NULL on error, with one line that names the path. A node that may write holds a
 * lock against every other writer and reader, of this program and of QEMU, until it is closed. */
BlockNode *block_open(const BlockOptions *options, Error *error);

/* Closes the node and what lies below it, once everybody has who holds it. NULL is allowed. */
void block_close(BlockNode *node);

/* One more who has the node open. Returns it; NULL is allowed. */
BlockNode *block_hold(BlockNode *node);

/* Another node that holds what this one does, for another machine: from now on neither sees what is
 * written to the other, and both share what was written before, on disk and in memory. NULL on
 * error: an image that is written straight cannot be shared. Of a node to which nobody writes, any
 * thread may make such twins. */
BlockNode *block_share(BlockNode *node, Error *error);

/* Finds the next cluster of BLOCK_CLUSTER_BYTES, at '*offset' or after, that an overlay has instead
 * of what lies below; false: no more. */
bool block_next_written(const BlockNode *node, uint64_t *offset);

/* Reads 'size' bytes at 'offset'. Bytes past the end of the node read as zeros. */
bool block_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error);

/* Writes; a write past the end extends the node. Callers bound 'offset' by their medium. */
bool block_write(BlockNode *node, uint64_t offset, const void *data, size_t size, Error *error);

/* Writes zeros, without taking room for them where the image can do that. */
bool block_write_zeros(BlockNode *node, uint64_t offset, uint64_t size, Error *error);

/* Nobody needs the range any more: it keeps its bytes, or becomes zeros and takes no room. */
bool block_discard(BlockNode *node, uint64_t offset, uint64_t size, Error *error);

/* An image that is written moves from process to process: what was written is in the file, the lock
 * is given up, and whatever the node knew of the contents is forgotten. It fails every write until
 * block_activate(), which takes the lock (an error while somebody else has it) and looks at the
 * file anew. Both do nothing for a node that writes to no image file. Where one fails the node
 * stays what it is. */
bool block_deactivate(BlockNode *node, Error *error);
bool block_activate(BlockNode *node, Error *error);

/* Returns when everything that was written is on stable storage. */
bool block_flush(BlockNode *node, Error *error);

/* Somebody who has to do something before an image is changed: to remember what was there. A write
 * is not done where a guard fails. A node may have several. */
typedef struct BlockGuard BlockGuard;
struct BlockGuard {
    /* The range is about to change, also by being cut off the node's end. */
    bool (*before_write)(void *opaque, uint64_t offset, uint64_t size, Error *error);
    /* What was written is about to be made safe. */
    bool (*before_flush)(void *opaque, Error *error);
    /* The node is about to be closed; the guard is no longer its. */
    void (*closing)(void *opaque);
    void *opaque;
    BlockGuard *next; /* the node's */
};

/* The guard stays the caller's, who removes it before it goes. */
void block_add_guard(BlockNode *node, BlockGuard *guard);
void block_remove_guard(BlockNode *node, BlockGuard *guard);

/* What was read and written through this node since it was opened. */
typedef struct BlockCounters {
    uint64_t reads, read_bytes, failed_reads;
    uint64_t writes, write_bytes, failed_writes;
    uint64_t flushes;
    uint64_t highest_write; /* where the farthest write ended */
} BlockCounters;
const BlockCounters *block_counters(const BlockNode *node);

/* A node that was opened without its backing image goes on over 'backing', which is not written any
 * more and which it holds. An error where the format has none. */
bool block_attach_backing(BlockNode *node, BlockNode *backing, Error *error);

/* The node behind, of an image that keeps the differences to another; NULL: none. It is not held
 * for the caller. */
BlockNode *block_backing(const BlockNode *node);
/* The node goes on without the one behind; of an image that holds all there is. The image file
 * itself is block_set_backing()'s affair. */
bool block_detach_backing(BlockNode *node, Error *error);
/* A node that was opened to be read, or lies behind another, is to be written. */
bool block_make_writable(BlockNode *node, Error *error);

uint64_t block_length(const BlockNode *node);   /* in bytes; need not be a multiple of a sector */
bool block_is_read_only(const BlockNode *node); /* or will be when it is active */
/* Writes go straight to the image file, and not to an overlay of it. */
bool block_writes_image(const BlockNode *node);
/* The node of an image file with a temporary overlay over it (snapshot=on); and the node below. */
bool block_is_overlay(const BlockNode *node);
BlockNode *block_below(const BlockNode *node);
/* Size and time of last change (nanoseconds since 1970) of the image file that all lies on. */
bool block_image_status(const BlockNode *node, uint64_t *bytes, int64_t *changed_ns, Error *error);
/* Cuts or lengthens (with zeros) what the node holds. */
bool block_set_length(BlockNode *node, uint64_t length, Error *error);
/* How an image says that the disk's sectors are counted, where that is another way than its format
 * has for a disk of this size; false: it says nothing, or nothing new. */
typedef struct BlockGeometry {
    uint32_t cylinders, heads, sectors;
} BlockGeometry;
bool block_geometry(const BlockNode *node, BlockGeometry *geometry);
const char *block_node_name(const BlockNode *node); /* "" if it has none */
const char *block_path(const BlockNode *node);
const char *block_format(const BlockNode *node); /* of the image file */

#endif

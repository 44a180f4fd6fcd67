/* Which parts of a disk were written since somebody wanted to know: for backups that copy no more
 * than that. A bitmap belongs to a node and has a name there. All on the machine's thread. */
#ifndef REPRISE_DIRTY_BITMAP_H
#define REPRISE_DIRTY_BITMAP_H

#include "block.h"

enum { DIRTY_GRANULARITY_MIN = 512, DIRTY_GRANULARITY_MAX = 1 << 30, DIRTY_GRANULARITY = 65536 };

typedef struct DirtyBitmap DirtyBitmap;

/* 'granularity' is a power of two. */
DirtyBitmap *dirty_bitmap_create(BlockNode *node, const char *name, uint32_t granularity,
                                 bool recording);
void dirty_bitmap_free(DirtyBitmap *bitmap);

/* NULL: the node is gone. */
BlockNode *dirty_bitmap_node(const DirtyBitmap *bitmap);
const char *dirty_bitmap_name(const DirtyBitmap *bitmap);
uint32_t dirty_bitmap_granularity(const DirtyBitmap *bitmap);
/* Of the bytes that are marked. */
uint64_t dirty_bitmap_bytes(const DirtyBitmap *bitmap);

bool dirty_bitmap_is_recording(const DirtyBitmap *bitmap);
void dirty_bitmap_record(DirtyBitmap *bitmap, bool recording);
void dirty_bitmap_clear(DirtyBitmap *bitmap);
/* Marks what 'other', of the same node, has marked. */
void dirty_bitmap_merge(DirtyBitmap *bitmap, const DirtyBitmap *other);

/* A copy takes what is marked away with it, and new marks are made beside it; a bitmap is busy
 * until then. Afterwards they are forgotten, or marked again. */
void dirty_bitmap_take(DirtyBitmap *bitmap);
void dirty_bitmap_give_back(DirtyBitmap *bitmap, bool marked_again);
bool dirty_bitmap_is_busy(const DirtyBitmap *bitmap);
/* Any of these bytes was marked when it was taken. */
bool dirty_bitmap_had(const DirtyBitmap *bitmap, uint64_t offset, uint64_t size);

/* What it was, for those who may have to undo what they do. */
typedef struct DirtyBitmapState DirtyBitmapState;
DirtyBitmapState *dirty_bitmap_save(const DirtyBitmap *bitmap);
void dirty_bitmap_restore(DirtyBitmap *bitmap, const DirtyBitmapState *state);
void dirty_bitmap_state_free(DirtyBitmapState *state);

#endif

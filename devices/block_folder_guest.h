/* What the guest has made of the volume of a folder: its tree, read from tables and directories. */
#ifndef REPRISE_BLOCK_FOLDER_GUEST_H
#define REPRISE_BLOCK_FOLDER_GUEST_H

#include "block_folder.h"

typedef struct GuestEntry {
    char *name;      /* for the host; NULL: it cannot be one, or is not known yet */
    bool long_name;  /* 'name' is a long one */
    uint32_t parent; /* number 0 is the root */
    uint32_t cluster, bytes;
    uint64_t chain; /* a hash of its clusters */
    bool is_folder, written;
    uint8_t short_name[FOLDER_SHORT_BYTES];
    uint16_t time, date;
    uint32_t entry; /* of the folder's tree; FOLDER_NONE: new */
} GuestEntry;

typedef struct GuestTree {
    const Folder *folder;
    BlockNode *volume;
    const uint8_t *written; /* a bit for each cluster that was written since the last look */
    uint32_t *table;        /* the first file allocation table */
    uint8_t *used;          /* a bit for each cluster that was met */
    GuestEntry *entries;    /* parents before children */
    size_t count, capacity;
    uint32_t lost; /* clusters that belong to nothing */
} GuestTree;

/* Reads the tree; false where the volume is not consistent, with the reason. To be freed in any
 * case. */
bool guest_tree_read(GuestTree *tree, Error *error);
void guest_tree_free(GuestTree *tree);
/* The cluster after this one; 0: it was the last. */
uint32_t guest_tree_next(const GuestTree *tree, uint32_t cluster);
uint64_t folder_chain_add(uint64_t chain, uint32_t cluster);
uint64_t folder_cluster_place(const Folder *folder, uint32_t cluster); /* in bytes, of the disk */

#endif

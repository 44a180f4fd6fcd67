/* Finds a page that is stored already by the hash of its content. */
#ifndef REPRISE_SNAPSHOT_INDEX_H
#define REPRISE_SNAPSHOT_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* An open-addressed table from hashes to numbers other than 0. Zeroed, it is empty. */
typedef struct SnapshotIndex {
    struct SnapshotIndexSlot {
        uint64_t hash;
        uint32_t number; /* 0: nothing here */
    } * slots;
    size_t capacity, count; /* the capacity is a power of two */
} SnapshotIndex;

void snapshot_index_free(SnapshotIndex *index);
/* 0 if there is none. */
uint32_t snapshot_index_find(const SnapshotIndex *index, uint64_t hash);
/* The first number that comes with a hash stays. */
void snapshot_index_add(SnapshotIndex *index, uint64_t hash, uint32_t number);

#endif

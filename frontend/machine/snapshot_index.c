#include "snapshot_index.h"
#include "allocate.h"

#include <stdlib.h>

#define CAPACITY_MIN 1024

void snapshot_index_free(SnapshotIndex *index) {
    free(index->slots);
    *index = (SnapshotIndex){.slots = NULL};
}

static struct SnapshotIndexSlot *find_slot(const SnapshotIndex *index, uint64_t hash) {
    size_t at = (size_t)hash & (index->capacity - 1);
    while (index->slots[at].number != 0 && index->slots[at].hash != hash)
        at = (at + 1) & (index->capacity - 1);
    return &index->slots[at];
}

uint32_t snapshot_index_find(const SnapshotIndex *index, uint64_t hash) {
    return index->count == 0 ? 0 : find_slot(index, hash)->number;
}

static void grow(SnapshotIndex *index) {
    SnapshotIndex larger = {.capacity = index->capacity == 0 ? CAPACITY_MIN : 2 * index->capacity};
    larger.slots = allocate_zeroed(larger.capacity * sizeof(*larger.slots));
    larger.count = index->count;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].number != 0)
            *find_slot(&larger, index->slots[i].hash) = index->slots[i];
    free(index->slots);
    *index = larger;
}

void snapshot_index_add(SnapshotIndex *index, uint64_t hash, uint32_t number) {
    if (2 * (index->count + 1) > index->capacity)
        grow(index);
    struct SnapshotIndexSlot *slot = find_slot(index, hash);
    if (slot->number != 0)
        return;
    slot->hash = hash;
    slot->number = number;
    index->count++;
}

#include "allocate.h"
#include "block_folder_apply.h"
#include "host_string.h"
#include <stdlib.h>
#include <string.h>

void folder_know_start(Folder *folder) {
    for (size_t i = 0; i < folder->count; i++) {
        FolderEntry *entry = &folder->entries[i];
        entry->known_cluster = entry->first_cluster;
        entry->known_bytes = entry->bytes;
        entry->known_time = entry->time;
        entry->known_date = entry->date;
        entry->known_chain = 0;
        for (uint32_t c = 0; c < entry->cluster_count; c++)
            entry->known_chain = folder_chain_add(entry->known_chain, entry->first_cluster + c);
    }
}

/* The entries that are there, in the order of what they are looked for by. */
typedef struct Indexes {
    const Folder *folder;
    uint32_t *by_name, *by_short, *by_cluster;
    size_t count;
} Indexes;

static int compare_numbers(uint32_t one, uint32_t other) {
    return one < other ? -1 : one > other;
}

static int compare_by_name(const FolderEntry *one, const FolderEntry *other) {
    int order = compare_numbers(one->parent, other->parent);
    return order != 0 ? order : strcmp(one->name, other->name);
}

static int compare_by_short(const FolderEntry *one, const FolderEntry *other) {
    int order = compare_numbers(one->parent, other->parent);
    return order != 0 ? order : memcmp(one->short_name, other->short_name, FOLDER_SHORT_BYTES);
}

static int compare_by_cluster(const FolderEntry *one, const FolderEntry *other) {
    return compare_numbers(one->known_cluster, other->known_cluster);
}

typedef int CompareEntries(const FolderEntry *, const FolderEntry *);

typedef struct SortOrder {
    const Folder *folder;
    CompareEntries *compare;
} SortOrder;

static int compare_indexes(const void *one, const void *other, void *opaque) {
    const SortOrder *order = opaque;
    return order->compare(&order->folder->entries[*(const uint32_t *)one],
                          &order->folder->entries[*(const uint32_t *)other]);
}

static uint32_t *make_index(const Folder *folder, CompareEntries *compare, size_t *count) {
    uint32_t *index = allocate_zeroed(folder->count * sizeof(*index));
    SortOrder order = {folder, compare};
    *count = 0;
    for (uint32_t i = 1; i < folder->count; i++)
        if (!folder->entries[i].gone)
            index[(*count)++] = i;
    host_string_sort(index, *count, sizeof(*index), compare_indexes, &order);
    return index;
}

static uint32_t find(const Indexes *indexes, const uint32_t *index, CompareEntries *compare,
                     const FolderEntry *wanted) {
    size_t low = 0, high = indexes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&indexes->folder->entries[index[middle]], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < indexes->count && compare(&indexes->folder->entries[index[low]], wanted) == 0
               ? index[low]
               : FOLDER_NONE;
}

/* By its name; by its short name where it has no long one, since DOS forgets those; by its first
 * cluster, if it was renamed. */
static uint32_t find_entry(const Indexes *indexes, const GuestTree *tree, const GuestEntry *guest,
                           const uint8_t *claimed) {
    FolderEntry wanted = {.name = guest->name,
                          .parent = tree->entries[guest->parent].entry,
                          .known_cluster = guest->cluster};
    memcpy(wanted.short_name, guest->short_name, FOLDER_SHORT_BYTES);
    uint32_t found[3] = {FOLDER_NONE, FOLDER_NONE, FOLDER_NONE};
    if (wanted.parent != FOLDER_NONE && !guest->long_name)
        found[0] = find(indexes, indexes->by_short, compare_by_short, &wanted);
    if (wanted.parent != FOLDER_NONE && guest->name != NULL)
        found[1] = find(indexes, indexes->by_name, compare_by_name, &wanted);
    if (guest->cluster != 0)
        found[2] = find(indexes, indexes->by_cluster, compare_by_cluster, &wanted);
    for (int i = 0; i < 3; i++)
        if (found[i] != FOLDER_NONE && claimed[found[i]] == 0 &&
            indexes->folder->entries[found[i]].is_folder == guest->is_folder)
            return found[i];
    return FOLDER_NONE;
}

void folder_match(const Folder *folder, GuestTree *tree, uint8_t *claimed) {
    Indexes indexes = {.folder = folder};
    indexes.by_name = make_index(folder, compare_by_name, &indexes.count);
    indexes.by_short = make_index(folder, compare_by_short, &indexes.count);
    indexes.by_cluster = make_index(folder, compare_by_cluster, &indexes.count);
    tree->entries[0].entry = 0;
    claimed[0] = 1;
    for (size_t i = 1; i < tree->count; i++) {
        GuestEntry *guest = &tree->entries[i];
        guest->entry = find_entry(&indexes, tree, guest, claimed);
        if (guest->entry == FOLDER_NONE)
            continue;
        const FolderEntry *entry = &folder->entries[guest->entry];
        claimed[guest->entry] = 1;
        bool same_short = memcmp(entry->short_name, guest->short_name, FOLDER_SHORT_BYTES) == 0;
        if (guest->name == NULL || (!guest->long_name && same_short)) {
            free(guest->name);
            guest->name = strdup(entry->name);
        }
    }
    free(indexes.by_name);
    free(indexes.by_short);
    free(indexes.by_cluster);
}

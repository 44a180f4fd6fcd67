#include "fat_table.h"
#include <string.h>

/* FSInfo: its signatures, the number of free clusters and where to look for one. */
enum {
    INFO_LEAD = 0,
    INFO_STRUCT = 484,
    INFO_FREE = 488,
    INFO_NEXT = 492,
};
#define INFO_LEAD_SIGNATURE 0x41615252u
#define INFO_STRUCT_SIGNATURE 0x61417272u
#define INFO_UNKNOWN 0xFFFFFFFFu

/* --- the window --------------------------------------------------------------------------------
 */

static uint32_t window_bytes(const FatVolume *volume) {
    uint32_t left = volume->fat_bytes - volume->window_offset;
    return left < FAT_WINDOW_BYTES ? left : FAT_WINDOW_BYTES;
}

static bool flush_window(FatVolume *volume, Error *error) {
    for (uint32_t copy = 0; volume->window_dirty && copy < volume->fats; copy++) {
        uint64_t offset =
            volume->fat_start + (uint64_t)copy * volume->fat_stride + volume->window_offset;
        if (!fat_volume_write(volume, offset, volume->window, window_bytes(volume), error))
            return false;
    }
    volume->window_dirty = false;
    return true;
}

/* The byte of the table at 'offset', which lies within it. */
static uint8_t *find_byte(FatVolume *volume, uint32_t offset, Error *error) {
    uint32_t start = offset / FAT_WINDOW_BYTES * FAT_WINDOW_BYTES;
    if (!volume->window_valid || start != volume->window_offset) {
        if (!flush_window(volume, error))
            return NULL;
        volume->window_offset = start;
        volume->window_valid = fat_volume_read(volume, volume->fat_start + start, volume->window,
                                               window_bytes(volume), error);
        if (!volume->window_valid)
            return NULL;
    }
    return &volume->window[offset - start];
}

static bool get_bytes(FatVolume *volume, uint32_t offset, unsigned count, uint32_t *value,
                      Error *error) {
    *value = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *byte = find_byte(volume, offset + i, error);
        if (byte == NULL)
            return false;
        *value |= (uint32_t)*byte << 8 * i;
    }
    return true;
}

static bool set_bytes(FatVolume *volume, uint32_t offset, unsigned count, uint32_t value,
                      Error *error) {
    for (unsigned i = 0; i < count; i++) {
        uint8_t *byte = find_byte(volume, offset + i, error);
        if (byte == NULL)
            return false;
        *byte = (uint8_t)(value >> 8 * i);
        volume->window_dirty = true;
    }
    return true;
}

/* --- entries -----------------------------------------------------------------------------------
 */

/* Where an entry begins, and how many bytes it touches: of FAT12, one and a half of two. */
static uint32_t entry_offset(const FatVolume *volume, uint32_t cluster) {
    return volume->bits == 12 ? cluster + cluster / 2 : cluster * (volume->bits / 8);
}

static unsigned entry_bytes(const FatVolume *volume) {
    return volume->bits == 32 ? 4 : 2;
}

static bool get_raw(FatVolume *volume, uint32_t cluster, uint32_t *raw, Error *error) {
    return get_bytes(volume, entry_offset(volume, cluster), entry_bytes(volume), raw, error);
}

bool fat_table_get(FatVolume *volume, uint32_t cluster, uint32_t *next, Error *error) {
    uint32_t raw, mask = volume->bits == 32 ? 0x0FFFFFFF : (1u << volume->bits) - 1;
    if (!get_raw(volume, cluster, &raw, error))
        return false;
    if (volume->bits == 12)
        raw = cluster & 1 ? raw >> 4 : raw & 0xFFF;
    raw &= mask;
    *next = raw >= (mask & ~7u) ? FAT_END : raw == (mask & ~8u) ? FAT_BAD : raw;
    return true;
}

bool fat_table_set(FatVolume *volume, uint32_t cluster, uint32_t next, Error *error) {
    uint32_t raw;
    if (!get_raw(volume, cluster, &raw, error))
        return false;
    if (volume->bits == 12)
        raw = cluster & 1 ? (raw & 0x000F) | next << 4 : (raw & 0xF000) | (next & 0xFFF);
    else if (volume->bits == 32)
        raw = (raw & 0xF0000000) | (next & 0x0FFFFFFF); /* the upper four bits are reserved */
    else
        raw = next;
    return set_bytes(volume, entry_offset(volume, cluster), entry_bytes(volume), raw, error);
}

static bool update_info(FatVolume *volume, Error *error) {
    uint8_t info[512];
    int64_t taken = volume->taken;
    volume->taken = 0;
    if (volume->info_start == 0 || taken == 0)
        return true;
    if (!fat_volume_read(volume, volume->info_start, info, sizeof(info), error))
        return false;
    uint32_t free_count = load_le32(info + INFO_FREE);
    if (load_le32(info + INFO_LEAD) != INFO_LEAD_SIGNATURE ||
        load_le32(info + INFO_STRUCT) != INFO_STRUCT_SIGNATURE || free_count == INFO_UNKNOWN)
        return true;
    int64_t left = (int64_t)free_count - taken;
    bool possible = left >= 0 && left <= volume->clusters;
    store_le32(info + INFO_FREE, possible ? (uint32_t)left : INFO_UNKNOWN);
    store_le32(info + INFO_NEXT, volume->next_free);
    return fat_volume_write(volume, volume->info_start, info, sizeof(info), error);
}

bool fat_table_flush(FatVolume *volume, Error *error) {
    return flush_window(volume, error) && update_info(volume, error);
}

/* --- chains ------------------------------------------------------------------------------------
 */

static bool exists(const FatVolume *volume, uint32_t cluster) {
    return cluster >= 2 && cluster - 2 < volume->clusters;
}

bool fat_chain_begin(const FatVolume *volume, uint32_t first, FatChain *chain, Error *error) {
    *chain = (FatChain){first, 0};
    return first == 0 || exists(volume, first) ||
           error_set(error, "the volume is damaged: there is no cluster %u", first);
}

bool fat_chain_next(FatVolume *volume, FatChain *chain, Error *error) {
    uint32_t next;
    if (chain->cluster == 0)
        return true;
    if (!fat_table_get(volume, chain->cluster, &next, error))
        return false;
    if (next != FAT_END && !exists(volume, next))
        return error_set(error, "the volume is damaged: a chain breaks off at cluster %u",
                         chain->cluster);
    if (++chain->steps > volume->clusters)
        return error_set(error, "the volume is damaged: a chain of clusters is a circle");
    chain->cluster = next == FAT_END ? 0 : next;
    return true;
}

bool fat_chain_length(FatVolume *volume, uint32_t first, uint32_t *length, Error *error) {
    FatChain chain;
    if (!fat_chain_begin(volume, first, &chain, error))
        return false;
    while (chain.cluster != 0)
        if (!fat_chain_next(volume, &chain, error))
            return false;
    *length = chain.steps;
    return true;
}

/* --- free clusters -----------------------------------------------------------------------------
 */

bool fat_table_find_free(FatVolume *volume, uint32_t count, uint32_t *clusters, Error *error) {
    uint32_t found = 0, next;
    for (uint32_t i = 0; i < volume->clusters && found < count; i++) {
        uint32_t cluster = 2 + (volume->next_free - 2 + i) % volume->clusters;
        if (!fat_table_get(volume, cluster, &next, error))
            return false;
        if (next == FAT_FREE)
            clusters[found++] = cluster;
    }
    return found == count ||
           error_set(error, "the volume is full: %llu bytes are needed, %llu are free",
                     (unsigned long long)count * volume->cluster_bytes,
                     (unsigned long long)found * volume->cluster_bytes);
}

bool fat_table_link(FatVolume *volume, const uint32_t *clusters, uint32_t count, Error *error) {
    for (uint32_t i = 0; i < count; i++)
        if (!fat_table_set(volume, clusters[i], i + 1 < count ? clusters[i + 1] : FAT_END, error))
            return false;
    volume->taken += count;
    if (count > 0)
        volume->next_free = clusters[count - 1];
    return fat_table_flush(volume, error);
}

bool fat_table_release(FatVolume *volume, uint32_t first, Error *error) {
    FatChain chain;
    if (!fat_chain_begin(volume, first, &chain, error))
        return false;
    while (chain.cluster != 0) {
        uint32_t cluster = chain.cluster;
        if (!fat_chain_next(volume, &chain, error) ||
            !fat_table_set(volume, cluster, FAT_FREE, error))
            return false;
        volume->taken--;
    }
    return fat_table_flush(volume, error);
}

bool fat_table_count_free(FatVolume *volume, uint32_t *count, Error *error) {
    uint32_t next;
    *count = 0;
    for (uint32_t cluster = 2; cluster - 2 < volume->clusters; cluster++) {
        if (!fat_table_get(volume, cluster, &next, error))
            return false;
        *count += next == FAT_FREE;
    }
    return true;
}

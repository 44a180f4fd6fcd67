/* The parts of the disk that are made from the tree: partition table, boot sector, file allocation
 * tables, directories. */
#include "allocate.h"
#include "block_folder.h"
#include "little_endian.h"
#include <string.h>

#define PARTITION_TABLE 0x1BE
#define SIGNATURE_AT 510
#define SIGNATURE 0xAA55
#define END_OF_CHAIN 0x0FFFFFFFu
#define CYLINDERS_MAXIMUM 1023u
#define BACKUP_BOOT_SECTOR 6u
#define LABEL "HOST FOLDER"
#define LONG_LAST 0x40
#define LONG_UNITS 13

/* mov ah, 0Eh ... int 10h for each letter, then int 18h: the next device's turn. Runs anywhere. */
// clang-format off
static const uint8_t no_system[] = {
    0xFA,                         /* cli */
    0x31, 0xC0, 0x8E, 0xD8,       /* xor ax, ax; mov ds, ax */
    0x8E, 0xD0, 0xBC, 0x00, 0x7C, /* mov ss, ax; mov sp, 7C00h */
    0xFB,                         /* sti */
    0xCD, 0x18,                   /* int 18h: the BIOS goes on with the next device */
    0xF4, 0xEB, 0xFD,             /* hlt; jmp to it */
};
// clang-format on

static void store_chs(const FolderGeometry *geometry, uint32_t sector, uint8_t *to) {
    uint32_t cylinder = sector / geometry->track_sectors / geometry->heads;
    uint32_t head = sector / geometry->track_sectors % geometry->heads;
    uint32_t number = sector % geometry->track_sectors + 1;
    if (cylinder > CYLINDERS_MAXIMUM) {
        cylinder = CYLINDERS_MAXIMUM;
        head = geometry->heads - 1;
        number = geometry->track_sectors;
    }
    to[0] = (uint8_t)head;
    to[1] = (uint8_t)(number | (cylinder >> 2 & 0xC0));
    to[2] = (uint8_t)cylinder;
}

/* Beyond 504 MB the BIOS's geometry is not known, and the kind says to go by sector numbers. */
static uint8_t partition_kind(const FolderGeometry *geometry) {
    bool small = geometry->heads == 16;
    switch (geometry->fat_bits) {
    case 12:
        return 0x01;
    case 16:
        return small ? 0x06 : 0x0E;
    default:
        return small ? 0x0B : 0x0C;
    }
}

static void make_partition_table(const Folder *folder, uint8_t *data) {
    const FolderGeometry *geometry = &folder->geometry;
    uint8_t *entry = data + PARTITION_TABLE;
    memcpy(data, no_system, sizeof(no_system));
    store_le32(data + 0x1B8, folder->serial);
    store_chs(geometry, geometry->start, entry + 1);
    entry[4] = partition_kind(geometry);
    store_chs(geometry, geometry->sectors - 1, entry + 5);
    store_le32(entry + 8, geometry->start);
    store_le32(entry + 12, geometry->sectors - geometry->start);
    store_le16(data + SIGNATURE_AT, SIGNATURE);
}

static void make_boot_sector(const Folder *folder, uint8_t *data) {
    const FolderGeometry *geometry = &folder->geometry;
    bool is_32 = geometry->fat_bits == 32;
    uint32_t sectors = geometry->sectors - geometry->start;
    uint8_t *tail = data + (is_32 ? 64 : 36);
    data[0] = 0xEB; /* jmp over the parameters */
    data[1] = is_32 ? 0x58 : 0x3C;
    data[2] = 0x90;
    memcpy(data + 3, "MSWIN4.1", 8); /* what most systems do not doubt */
    store_le16(data + 11, FOLDER_SECTOR);
    data[13] = (uint8_t)geometry->cluster_sectors;
    store_le16(data + 14, (uint16_t)geometry->reserved);
    data[16] = 2;
    store_le16(data + 17, (uint16_t)geometry->root_slots);
    if (sectors < 65536 && !is_32)
        store_le16(data + 19, (uint16_t)sectors);
    else
        store_le32(data + 32, sectors);
    data[21] = geometry->media;
    store_le16(data + 22, is_32 ? 0 : (uint16_t)geometry->fat_sectors);
    store_le16(data + 24, (uint16_t)geometry->track_sectors);
    store_le16(data + 26, (uint16_t)geometry->heads);
    store_le32(data + 28, geometry->start);
    if (is_32) {
        store_le32(data + 36, geometry->fat_sectors);
        store_le32(data + 44, folder->entries[0].first_cluster);
        store_le16(data + 48, 1);
        store_le16(data + 50, BACKUP_BOOT_SECTOR);
    }
    tail[0] = folder->spec.floppy ? 0x00 : 0x80;
    tail[2] = 0x29;
    store_le32(tail + 3, folder->serial);
    memcpy(tail + 7, LABEL, FOLDER_SHORT_BYTES);
    memcpy(tail + 18, geometry->fat_bits == 12 ? "FAT12   " : is_32 ? "FAT32   " : "FAT16   ", 8);
    memcpy(tail + 26, no_system, sizeof(no_system));
    store_le16(data + SIGNATURE_AT, SIGNATURE);
}

static uint32_t used_clusters(const Folder *folder) {
    const FolderEntry *last =
        folder->run_count > 0 ? &folder->entries[folder->runs[folder->run_count - 1]] : NULL;
    return last != NULL ? last->first_cluster + last->cluster_count - 2 : 0;
}

static void make_information_sector(const Folder *folder, uint8_t *data) {
    uint32_t used = used_clusters(folder);
    store_le32(data, 0x41615252);
    store_le32(data + 484, 0x61417272);
    store_le32(data + 488, folder->geometry.clusters - used);
    store_le32(data + 492, used + 2);
    store_le16(data + SIGNATURE_AT, SIGNATURE);
}

static uint32_t table_entry(const Folder *folder, uint32_t cluster) {
    if (cluster == 0)
        return 0x0FFFFF00u | folder->geometry.media;
    if (cluster == 1)
        return END_OF_CHAIN;
    uint32_t run = folder_run_at(folder, cluster);
    if (run == FOLDER_NONE)
        return 0;
    const FolderEntry *entry = &folder->entries[run];
    bool last = cluster - entry->first_cluster == entry->cluster_count - 1;
    return last ? END_OF_CHAIN : cluster + 1;
}

static void make_table_sector(const Folder *folder, uint32_t sector, uint8_t *data) {
    unsigned bits = folder->geometry.fat_bits;
    uint32_t clusters = folder->geometry.clusters + 2;
    if (bits == 12) { /* an entry may lie over a sector's end */
        uint32_t first = sector * FOLDER_SECTOR;
        for (uint32_t i = 0; i < FOLDER_SECTOR; i++) {
            uint32_t pair = (first + i) / 3 * 2;
            uint32_t low = pair < clusters ? table_entry(folder, pair) & 0xFFF : 0;
            uint32_t high = pair + 1 < clusters ? table_entry(folder, pair + 1) & 0xFFF : 0;
            data[i] = (uint8_t)((high << 12 | low) >> (first + i) % 3 * 8);
        }
        return;
    }
    uint32_t per_sector = FOLDER_SECTOR * 8 / bits;
    for (uint32_t i = 0; i < per_sector; i++) {
        uint32_t cluster = sector * per_sector + i;
        uint32_t value = cluster < clusters ? table_entry(folder, cluster) : 0;
        if (bits == 16)
            store_le16(data + i * 2, (uint16_t)value);
        else
            store_le32(data + i * 4, value);
    }
}

void folder_make_sector(const Folder *folder, uint32_t sector, uint8_t *data) {
    const FolderGeometry *geometry = &folder->geometry;
    memset(data, 0, FOLDER_SECTOR);
    if (sector < geometry->start) {
        if (sector == 0)
            make_partition_table(folder, data);
    } else if (sector < geometry->fat_start) {
        uint32_t number = sector - geometry->start;
        if (number == 0 || (geometry->fat_bits == 32 && number == BACKUP_BOOT_SECTOR))
            make_boot_sector(folder, data);
        else if (number == 1 || number == BACKUP_BOOT_SECTOR + 1)
            make_information_sector(folder, data);
    } else if (sector < geometry->root_start) {
        make_table_sector(folder, (sector - geometry->fat_start) % geometry->fat_sectors, data);
    } else if (sector < geometry->data_start) {
        size_t at = (size_t)(sector - geometry->root_start) * FOLDER_SECTOR;
        const FolderEntry *root = &folder->entries[0];
        if (at < root->slot_bytes)
            memcpy(data, root->slots + at,
                   root->slot_bytes - at < FOLDER_SECTOR ? root->slot_bytes - at : FOLDER_SECTOR);
    }
}

static uint8_t *put_slot(const FolderEntry *entry, const uint8_t *short_name, uint8_t attributes,
                         uint32_t cluster, uint8_t *slot) {
    memcpy(slot, short_name, FOLDER_SHORT_BYTES);
    slot[SLOT_ATTRIBUTES] = attributes;
    store_le16(slot + SLOT_CREATED_TIME, entry->time);
    store_le16(slot + SLOT_CREATED_DATE, entry->date);
    store_le16(slot + SLOT_CREATED_DATE + 2, entry->date);
    store_le16(slot + SLOT_CLUSTER_HIGH, (uint16_t)(cluster >> 16));
    store_le16(slot + SLOT_TIME, entry->time);
    store_le16(slot + SLOT_DATE, entry->date);
    store_le16(slot + SLOT_CLUSTER, (uint16_t)cluster);
    store_le32(slot + SLOT_SIZE, entry->bytes);
    return slot + FOLDER_SLOT_BYTES;
}

/* The long name's slots come before the short one's, its end first; FFFFh fills the last. */
static uint8_t *put_long_name(const FolderEntry *entry, uint8_t *slot) {
    static const uint8_t places[LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    uint16_t units[FOLDER_NAME_UNITS];
    unsigned count = (unsigned)folder_name_units(entry->name, units);
    unsigned parts = (count + LONG_UNITS - 1) / LONG_UNITS;
    for (unsigned part = parts; part > 0; part--, slot += FOLDER_SLOT_BYTES) {
        slot[0] = (uint8_t)(part | (part == parts ? LONG_LAST : 0));
        slot[SLOT_ATTRIBUTES] = FAT_LONG_NAME;
        slot[13] = folder_short_checksum(entry->short_name);
        for (unsigned i = 0; i < LONG_UNITS; i++) {
            unsigned at = (part - 1) * LONG_UNITS + i;
            uint16_t unit = at < count ? units[at] : at == count ? 0 : 0xFFFF;
            store_le16(slot + places[i], unit);
        }
    }
    return slot;
}

static uint8_t *put_child(const Folder *folder, const FolderEntry *child, uint8_t *slot) {
    uint8_t attributes = child->is_folder ? FAT_FOLDER : FAT_ARCHIVE;
    if ((child->mode & 0222) == 0 && !child->is_folder)
        attributes |= FAT_READ_ONLY;
    (void)folder;
    if (child->has_long_name)
        slot = put_long_name(child, slot);
    return put_slot(child, child->short_name, attributes, child->first_cluster, slot);
}

static bool make_directory(Folder *folder, uint32_t index) {
    FolderEntry *entry = &folder->entries[index];
    unsigned count = 2;
    for (uint32_t i = 0; i < entry->child_count; i++)
        count += folder_slot_count(&folder->entries[entry->first_child + i]);
    entry->slots = allocate_zeroed((size_t)count * FOLDER_SLOT_BYTES);
    uint8_t *slot = entry->slots;
    if (index == 0) {
        slot = put_slot(entry, (const uint8_t *)LABEL, FAT_LABEL, 0, slot);
    } else {
        /* The root is told as cluster 0 here, wherever it lies. */
        uint32_t above = entry->parent == 0 ? 0 : folder->entries[entry->parent].first_cluster;
        slot =
            put_slot(entry, (const uint8_t *)".          ", FAT_FOLDER, entry->first_cluster, slot);
        slot = put_slot(entry, (const uint8_t *)"..         ", FAT_FOLDER, above, slot);
    }
    for (uint32_t i = 0; i < entry->child_count; i++) {
        const FolderEntry *child = &folder->entries[entry->first_child + i];
        if (!child->gone)
            slot = put_child(folder, child, slot);
    }
    entry->slot_bytes = (size_t)(slot - entry->slots);
    return true;
}

bool folder_make_directories(Folder *folder) {
    for (uint32_t i = 0; i < folder->count; i++)
        if (folder->entries[i].is_folder && !folder->entries[i].gone && !make_directory(folder, i))
            return false;
    return true;
}

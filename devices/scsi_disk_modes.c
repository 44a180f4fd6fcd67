/* Mode pages of a SCSI disk (SPC-3, 7.4; SBC-3, 6.4): only the write cache can be changed. */
#include "big_endian.h"
#include "scsi_disk_internal.h"
#include <string.h>

#define TURNS_A_MINUTE 5400
#define DESCRIPTOR_BYTES 8
#define WRITE_CACHE_BIT 4

enum { PAGE_CACHING = 0x08, PAGE_ALL = 0x3F };
enum { NOW = 0, CHANGEABLE = 1, DEFAULTS = 2, SAVED = 3 };

static size_t error_recovery_page(const ScsiDisk *disk, uint8_t *page) {
    (void)disk;
    page[2] = 0xC0; /* blocks are replaced as they go bad */
    return 12;
}

static size_t format_page(const ScsiDisk *disk, uint8_t *page) {
    store_be16(page + 2, (uint16_t)disk->geometry.heads); /* tracks a zone */
    store_be16(page + 10, (uint16_t)disk->geometry.sectors);
    store_be16(page + 12, SCSI_BLOCK_BYTES);
    store_be16(page + 14, 1); /* not interleaved */
    page[20] = 0x40;          /* hard sectors */
    return 24;
}

static size_t geometry_page(const ScsiDisk *disk, uint8_t *page) {
    uint32_t cylinders = disk->geometry.cylinders;
    page[2] = (uint8_t)(cylinders >> 16);
    store_be16(page + 3, (uint16_t)cylinders);
    page[5] = (uint8_t)disk->geometry.heads;
    memcpy(page + 6, page + 2, 3); /* where precompensation begins: nowhere */
    memcpy(page + 9, page + 2, 3);
    store_be16(page + 20, TURNS_A_MINUTE);
    return 24;
}

static size_t caching_page(const ScsiDisk *disk, uint8_t *page) {
    page[2] = disk->state.write_cache ? WRITE_CACHE_BIT : 0;
    return 20;
}

static size_t control_page(const ScsiDisk *disk, uint8_t *page) {
    (void)disk;
    (void)page;
    return 12;
}

typedef struct ModePage {
    uint8_t code;
    size_t (*store)(const ScsiDisk *disk, uint8_t *page); /* its bytes but the first two */
} ModePage;

static const ModePage pages[] = {
    {0x01, error_recovery_page},  {0x03, format_page},  {0x04, geometry_page},
    {PAGE_CACHING, caching_page}, {0x0A, control_page},
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static size_t store_page(const ScsiDisk *disk, const ModePage *row, unsigned which, uint8_t *page) {
    size_t size = row->store(disk, page);
    if (which == CHANGEABLE)
        memset(page + 2, 0, size - 2);
    if (row->code == PAGE_CACHING && which != NOW)
        page[2] = WRITE_CACHE_BIT;
    page[0] = row->code;
    page[1] = (uint8_t)(size - 2);
    return size;
}

static size_t store_descriptor(const ScsiDisk *disk, uint8_t *data) {
    uint64_t blocks = disk->blocks > 0xFFFFFF ? 0 : disk->blocks;
    store_be32(data, (uint32_t)blocks);
    store_be32(data + 4, SCSI_BLOCK_BYTES);
    return DESCRIPTOR_BYTES;
}

static bool is_short(const uint8_t *command) {
    return scsi_command_bytes(command[0]) == 6;
}

/* The header, before everything else is known to be there. */
static void store_header(const ScsiDisk *disk, bool short_form, size_t descriptors, size_t size,
                         uint8_t *data) {
    uint8_t flags = 0x10 | (scsi_disk_is_read_only(disk) ? 0x80 : 0); /* knows FUA */
    if (short_form) {
        data[0] = (uint8_t)(size - 1);
        data[2] = flags;
        data[3] = (uint8_t)descriptors;
    } else {
        store_be16(data, (uint16_t)(size - 2));
        data[3] = flags;
        store_be16(data + 6, (uint16_t)descriptors);
    }
}

void scsi_disk_mode_sense(ScsiDisk *disk, const uint8_t *command) {
    bool short_form = is_short(command);
    unsigned which = command[2] >> 6, wanted = command[2] & 0x3F;
    uint8_t *data = disk->state.buffer;
    size_t header = short_form ? 4 : 8, size = header;
    if (which == SAVED) {
        scsi_disk_fail(disk, SCSI_NOT_SAVED);
        return;
    }
    memset(data, 0, SCSI_BUFFER_BYTES);
    if (!(command[1] & 8))
        size += store_descriptor(disk, data + size);
    size_t before_pages = size;
    for (size_t i = 0; i < PAGES; i++)
        if (wanted == PAGE_ALL || wanted == pages[i].code)
            size += store_page(disk, &pages[i], which, data + size);
    bool wants_none = wanted == 0; /* just the descriptor */
    if ((size == before_pages && !wants_none) || (command[3] != 0 && command[3] != 0xFF)) {
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
        return;
    }
    store_header(disk, short_form, before_pages - header, size, data);
    scsi_disk_answer(disk, size, short_form ? command[4] : load_be16(command + 7));
}

void scsi_disk_mode_select(ScsiDisk *disk, const uint8_t *command) {
    bool saves = command[1] & 1, in_pages = command[1] & 0x10;
    if (saves || !in_pages)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        scsi_disk_ask(disk, is_short(command) ? command[4] : load_be16(command + 7));
}

/* Takes one page, of 'size' bytes at most; returns how many it has, 0 if it is not as one of ours
 * may be. */
static size_t take_page(ScsiDisk *disk, const uint8_t *page, size_t size) {
    uint8_t now[64] = {0};
    for (size_t i = 0; i < PAGES; i++) {
        if (pages[i].code != (page[0] & 0x7F))
            continue;
        size_t bytes = store_page(disk, &pages[i], NOW, now);
        if (bytes > size || page[1] != bytes - 2)
            return 0;
        if (pages[i].code == PAGE_CACHING) {
            disk->state.write_cache = (page[2] & WRITE_CACHE_BIT) != 0;
            now[2] = page[2] & WRITE_CACHE_BIT;
        }
        return memcmp(now + 2, page + 2, bytes - 2) == 0 ? bytes : 0;
    }
    return 0;
}

void scsi_disk_take_modes(ScsiDisk *disk, const uint8_t *command) {
    const uint8_t *data = disk->state.buffer;
    bool short_form = is_short(command);
    size_t given = short_form ? command[4] : load_be16(command + 7);
    size_t at = short_form ? 4 : 8;
    if (given > SCSI_BUFFER_BYTES || given < at) {
        scsi_disk_fail(disk, SCSI_LIST_LENGTH);
        return;
    }
    at += short_form ? data[3] : load_be16(data + 6);
    while (at + 2 <= given) {
        size_t bytes = take_page(disk, data + at, given - at);
        if (bytes == 0) {
            scsi_disk_fail(disk, SCSI_INVALID_PARAMETER);
            return;
        }
        at += bytes;
    }
    scsi_disk_finish(disk);
}

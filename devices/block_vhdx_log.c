/* The log of a VHDX image: a ring of entries, each with the pages of the file that it changes
 * (MS-VHDX 2.3). Of all runs of whole entries the one with the highest number counts, from the
 * entry on that its last one names. */
#include "allocate.h"
#include "block_vhdx.h"
#include "crc32c.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

#define LOG_BYTES_MAXIMUM (64u << 20)
#define PAGES_MAXIMUM (1u << 18) /* a gigabyte that was never written */
#define CHECKED_RINGS_MAXIMUM 8u /* so often is the ring summed up, at the most */

enum { ENTRY_HEAD_BYTES = 64, DESCRIPTOR_BYTES = 32 };
enum { DATA_HEAD_BYTES = 8, DATA_BYTES = 4084, DATA_TAIL_BYTES = 4 };

typedef struct Ring {
    uint8_t *bytes; /* twice, so that no entry is torn */
    uint32_t size;
    uint64_t checked;
    const uint8_t *guid;
} Ring;

typedef struct Entry {
    const uint8_t *bytes;
    uint32_t offset, length, tail, descriptors;
    uint64_t number;
} Entry;

static uint32_t descriptor_pages(uint32_t descriptors) {
    return (ENTRY_HEAD_BYTES + descriptors * DESCRIPTOR_BYTES + VHDX_PAGE_BYTES - 1) /
           VHDX_PAGE_BYTES;
}

static bool has_sum(Ring *ring, const uint8_t *bytes, uint32_t length) {
    static const uint8_t none[4];
    ring->checked += length;
    if (ring->checked > (uint64_t)CHECKED_RINGS_MAXIMUM * ring->size)
        return false; /* made to keep us busy */
    uint32_t sum = crc32c_add(0, bytes, 4);
    sum = crc32c_add(sum, none, sizeof(none));
    return crc32c_add(sum, bytes + 8, length - 8) == load_le32(bytes + 4);
}

static bool read_entry(Ring *ring, uint32_t offset, Entry *entry) {
    const uint8_t *bytes = ring->bytes + offset;
    *entry = (Entry){.bytes = bytes,
                     .offset = offset,
                     .length = load_le32(bytes + 8),
                     .tail = load_le32(bytes + 12),
                     .number = load_le64(bytes + 16),
                     .descriptors = load_le32(bytes + 24)};
    return memcmp(bytes, "loge", 4) == 0 && entry->length >= VHDX_PAGE_BYTES &&
           entry->length <= ring->size && entry->length % VHDX_PAGE_BYTES == 0 &&
           entry->tail < ring->size && entry->tail % VHDX_PAGE_BYTES == 0 && entry->number != 0 &&
           entry->descriptors <= entry->length / DESCRIPTOR_BYTES &&
           descriptor_pages(entry->descriptors) <= entry->length / VHDX_PAGE_BYTES &&
           memcmp(bytes + 32, ring->guid, 16) == 0 && has_sum(ring, bytes, entry->length);
}

/* The run of entries that begins there; its last entry. False: none does. */
static bool follow(Ring *ring, uint32_t offset, Entry *last, bool *reaches_tail) {
    Entry entry;
    uint64_t bytes = 0;
    *reaches_tail = false;
    if (!read_entry(ring, offset, last))
        return false;
    uint32_t first = offset;
    for (;;) {
        bytes += last->length;
        uint32_t next = (last->offset + last->length) % ring->size;
        if (bytes >= ring->size || !read_entry(ring, next, &entry) ||
            entry.number != last->number + 1)
            break;
        *last = entry;
    }
    uint32_t to_tail = (last->tail + ring->size - first) % ring->size;
    uint32_t to_last = (last->offset + ring->size - first) % ring->size;
    *reaches_tail = to_tail <= to_last;
    return true;
}

/* The last entry of the newest run; false: there is none. */
static bool find_newest(Ring *ring, Entry *newest) {
    bool found = false;
    uint64_t offset = 0;
    while (offset < ring->size) {
        Entry last;
        bool reaches_tail;
        if (!follow(ring, (uint32_t)offset, &last, &reaches_tail)) {
            offset += VHDX_PAGE_BYTES;
            continue;
        }
        if (reaches_tail && (!found || last.number > newest->number)) {
            *newest = last;
            found = true;
        }
        if (last.offset < offset)
            break; /* once round */
        offset = (uint64_t)last.offset + last.length;
    }
    return found;
}

static bool put_page(VhdxLog *log, uint64_t page, const uint8_t *data, Error *error) {
    if (log->pages.count >= PAGES_MAXIMUM)
        return error_set(error, "has a log that is too long");
    uint32_t place = 0;
    if (data != NULL) {
        log->data =
            allocate_grow(log->data, &log->page_capacity, log->page_count + 1, VHDX_PAGE_BYTES);
        memcpy(log->data + log->page_count * VHDX_PAGE_BYTES, data, VHDX_PAGE_BYTES);
        place = (uint32_t)++log->page_count;
    }
    block_unit_map_put(&log->pages, page, place);
    return true;
}

static bool apply_zeros(VhdxLog *log, const uint8_t *descriptor, Error *error) {
    uint64_t length = load_le64(descriptor + 8), offset = load_le64(descriptor + 16);
    if (offset % VHDX_PAGE_BYTES != 0 || length % VHDX_PAGE_BYTES != 0 || length > INT64_MAX ||
        offset > INT64_MAX - length)
        return error_set(error, "has a damaged log");
    for (uint64_t done = 0; done < length; done += VHDX_PAGE_BYTES)
        if (!put_page(log, (offset + done) / VHDX_PAGE_BYTES, NULL, error))
            return false;
    return true;
}

/* The page's first and last bytes are in the descriptor: numbers take their place in the log. */
static bool apply_data(VhdxLog *log, const Entry *entry, const uint8_t *descriptor,
                       const uint8_t *sector, Error *error) {
    uint8_t page[VHDX_PAGE_BYTES];
    uint64_t offset = load_le64(descriptor + 16);
    if (offset % VHDX_PAGE_BYTES != 0 || offset > INT64_MAX || memcmp(sector, "data", 4) != 0 ||
        load_le32(sector + 4) != entry->number >> 32 ||
        load_le32(sector + VHDX_PAGE_BYTES - DATA_TAIL_BYTES) != (uint32_t)entry->number)
        return error_set(error, "has a damaged log");
    memcpy(page, descriptor + 8, DATA_HEAD_BYTES);
    memcpy(page + DATA_HEAD_BYTES, sector + DATA_HEAD_BYTES, DATA_BYTES);
    memcpy(page + DATA_HEAD_BYTES + DATA_BYTES, descriptor + 4, DATA_TAIL_BYTES);
    return put_page(log, offset / VHDX_PAGE_BYTES, page, error);
}

static bool apply_entry(VhdxLog *log, const Entry *entry, Error *error) {
    uint32_t sector = descriptor_pages(entry->descriptors),
             sectors = entry->length / VHDX_PAGE_BYTES;
    for (uint32_t i = 0; i < entry->descriptors; i++) {
        const uint8_t *descriptor = entry->bytes + ENTRY_HEAD_BYTES + i * DESCRIPTOR_BYTES;
        bool good = load_le64(descriptor + 24) == entry->number;
        if (good && memcmp(descriptor, "zero", 4) == 0)
            good = apply_zeros(log, descriptor, error);
        else if (good && memcmp(descriptor, "desc", 4) == 0 && sector < sectors)
            good = apply_data(log, entry, descriptor, entry->bytes + sector++ * VHDX_PAGE_BYTES,
                              error);
        else
            good = false;
        if (!good)
            return error_set(error, "has a damaged log");
    }
    uint64_t last = load_le64(entry->bytes + 56);
    if (last > log->file_bytes && last <= INT64_MAX)
        log->file_bytes = last;
    return true;
}

static bool apply_run(Vhdx *vhdx, Ring *ring, const Entry *newest, Error *error) {
    uint32_t offset = newest->tail;
    if (load_le64(newest->bytes + 48) > vhdx->there)
        return error_set(error, "is cut short: its log knows of more");
    for (;;) {
        Entry entry;
        ring->checked = 0;
        if (!read_entry(ring, offset, &entry) || entry.number > newest->number)
            return error_set(error, "has a damaged log");
        if (!apply_entry(&vhdx->log, &entry, error))
            return false;
        if (entry.offset == newest->offset)
            return true;
        offset = (entry.offset + entry.length) % ring->size;
    }
}

bool vhdx_log_read(Vhdx *vhdx, uint64_t offset, uint32_t size, const uint8_t guid[16],
                   Error *error) {
    Entry newest;
    Ring ring = {.size = size, .guid = guid};
    if (size == 0 || size > LOG_BYTES_MAXIMUM || size % VHDX_PAGE_BYTES != 0 ||
        offset > vhdx->there || size > vhdx->there - offset)
        return error_set(error, "is a bad VHDX image: a log of %u bytes", size);
    ring.bytes = allocate_zeroed(2ull * size);
    bool good = block_file_read(vhdx->file, offset, ring.bytes, size, error);
    memcpy(ring.bytes + size, ring.bytes, size);
    vhdx->log.file_bytes = vhdx->there;
    if (good && find_newest(&ring, &newest))
        good = apply_run(vhdx, &ring, &newest, error);
    vhdx->file_bytes = vhdx->log.file_bytes;
    free(ring.bytes);
    return good;
}

void vhdx_log_free(VhdxLog *log) {
    block_unit_map_free(&log->pages);
    free(log->data);
}

static bool read_there(const Vhdx *vhdx, uint64_t offset, uint8_t *data, size_t size,
                       Error *error) {
    uint64_t there = offset < vhdx->there ? vhdx->there - offset : 0;
    size_t part = size < there ? size : (size_t)there;
    memset(data + part, 0, size - part);
    return part == 0 || block_file_read(vhdx->file, offset, data, part, error);
}

bool vhdx_read_file(const Vhdx *vhdx, uint64_t offset, void *data, size_t size, Error *error) {
    uint8_t *bytes = data;
    if (offset > vhdx->file_bytes || size > vhdx->file_bytes - offset)
        return error_set(error, "is cut short: nothing at byte %llu", (unsigned long long)offset);
    if (vhdx->log.pages.count == 0)
        return block_file_read(vhdx->file, offset, data, size, error);
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, VHDX_PAGE_BYTES);
        const BlockUnit *unit = block_unit_map_find(&vhdx->log.pages, offset / VHDX_PAGE_BYTES);
        if (unit == NULL) {
            if (!read_there(vhdx, offset, bytes, part, error))
                return false;
        } else if (unit->place == 0) {
            memset(bytes, 0, part);
        } else {
            memcpy(bytes,
                   vhdx->log.data + (size_t)(unit->place - 1) * VHDX_PAGE_BYTES +
                       offset % VHDX_PAGE_BYTES,
                   part);
        }
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* The TLB in a checkpoint, and the walker that proves its tables. */
#include "allocate.h"
#include "page_walk.h"
#include "tlb.h"
#include <stdlib.h>

#define SAVE_VERSION 1
#define RIGHTS_KNOWN 0x7F

static int compare_pages(const void *a, const void *b) {
    uint32_t page_a = *(const uint32_t *)a, page_b = *(const uint32_t *)b;
    return (page_a > page_b) - (page_a < page_b);
}

/* The pages are written in the order of their addresses: the list's own order tells how they came.
 */
void tlb_save(const Tlb *tlb, ByteBuffer *buffer) {
    uint32_t *pages = allocate_zeroed(tlb->listed_count * sizeof *pages);
    uint32_t count = 0;
    for (uint32_t i = 0; i < tlb->listed_count; i++)
        if (tlb->walked[tlb->listed[i]].rights != 0)
            pages[count++] = tlb->listed[i];
    qsort(pages, count, sizeof *pages, compare_pages);

    byte_buffer_append_le(buffer, SAVE_VERSION, 4);
    byte_buffer_append_le(buffer, tlb->cr0, 4);
    byte_buffer_append_le(buffer, tlb->cr3, 4);
    byte_buffer_append_le(buffer, tlb->cr4, 4);
    byte_buffer_append_le(buffer, tlb->efer_nxe != 0, 1);
    byte_buffer_append_le(buffer, tlb->smap_override, 1);
    for (unsigned i = 0; i < 4; i++)
        byte_buffer_append_le(buffer, tlb->pdpte[i], 8);
    byte_buffer_append_le(buffer, count, 4);
    for (uint32_t i = 0; i < count; i++) {
        const TlbWalked *walked = &tlb->walked[pages[i]];
        byte_buffer_append_le(buffer, pages[i], 4);
        byte_buffer_append_le(buffer, walked->physical_page, 4);
        byte_buffer_append_le(buffer, walked->rights, 1);
    }
    free(pages);
}

typedef struct SavedPage {
    uint32_t page, physical_page;
    uint8_t rights;
} SavedPage;

struct TlbImage {
    uint32_t cr0, cr3, cr4;
    bool efer_nxe, smap_override;
    uint64_t pdpte[4];
    uint32_t count;
    SavedPage *pages;
};

static bool read_pages(TlbImage *saved, ByteReader *reader, Error *error) {
    saved->pages = allocate_zeroed(saved->count * sizeof *saved->pages);
    for (uint32_t i = 0; i < saved->count; i++) {
        SavedPage *page = &saved->pages[i];
        page->page = (uint32_t)byte_reader_read_le(reader, 4);
        page->physical_page = (uint32_t)byte_reader_read_le(reader, 4);
        page->rights = (uint8_t)byte_reader_read_le(reader, 1);
        if (reader->failed)
            return error_set(error, "saved state of the TLB is cut");
        if (page->page >= TLB_PAGES || page->physical_page >= PHYSICAL_PAGES ||
            (page->rights & TLB_RIGHT_VALID) == 0 || (page->rights & ~RIGHTS_KNOWN) != 0 ||
            (i > 0 && page->page <= page[-1].page))
            return error_set(error, "saved state of the TLB is damaged");
    }
    return true;
}

static bool read_saved(TlbImage *saved, ByteReader *reader, Error *error) {
    uint32_t version = (uint32_t)byte_reader_read_le(reader, 4);
    saved->cr0 = (uint32_t)byte_reader_read_le(reader, 4);
    saved->cr3 = (uint32_t)byte_reader_read_le(reader, 4);
    saved->cr4 = (uint32_t)byte_reader_read_le(reader, 4);
    saved->efer_nxe = byte_reader_read_le(reader, 1) != 0;
    saved->smap_override = byte_reader_read_le(reader, 1) != 0;
    for (unsigned i = 0; i < 4; i++)
        saved->pdpte[i] = byte_reader_read_le(reader, 8);
    saved->count = (uint32_t)byte_reader_read_le(reader, 4);
    if (reader->failed)
        return error_set(error, "saved state of the TLB is cut");
    if (version != SAVE_VERSION)
        return error_set(error, "saved state of the TLB has version %u, not %u", version,
                         SAVE_VERSION);
    if (saved->count > TLB_PAGES)
        return error_set(error, "saved state of the TLB is damaged");
    return read_pages(saved, reader, error);
}

void tlb_image_take(Tlb *tlb, const TlbImage *saved) {
    tlb_flush_all(tlb);
    tlb->cr0 = saved->cr0;
    tlb->cr3 = saved->cr3;
    tlb->cr4 = saved->cr4;
    tlb->efer_nxe = saved->efer_nxe;
    tlb->smap_override = saved->smap_override;
    for (unsigned i = 0; i < 4; i++)
        tlb->pdpte[i] = saved->pdpte[i];
    for (uint32_t i = 0; i < saved->count; i++) {
        const SavedPage *page = &saved->pages[i];
        const PageWalk found = {page->physical_page, page->rights};
        tlb_remember_walk(tlb, page->page, &found);
    }
}

TlbImage *tlb_image_read(ByteReader *reader, Error *error) {
    TlbImage *image = allocate_zeroed(sizeof *image);
    if (read_saved(image, reader, error))
        return image;
    tlb_image_free(image);
    return NULL;
}

void tlb_image_free(TlbImage *image) {
    if (image != NULL)
        free(image->pages);
    free(image);
}

bool tlb_load(Tlb *tlb, ByteReader *reader, Error *error) {
    TlbImage *image = tlb_image_read(reader, error);
    if (image == NULL)
        return false;
    tlb_image_take(tlb, image);
    tlb_image_free(image);
    return true;
}

/* ---- Invariants ---- */

static bool is_local(const TlbWalked *walked) {
    return walked->rights != 0 && (walked->rights & TLB_RIGHT_GLOBAL) == 0;
}

static bool check_list(const Tlb *tlb, Error *error) {
    uint32_t *seen = allocate_zeroed(TLB_PAGES / 32 * sizeof *seen);
    bool good = true;
    for (uint32_t i = 0; good && i < tlb->listed_count; i++) {
        uint32_t page = tlb->listed[i];
        if (page >= TLB_PAGES || !tlb->walked[page].listed)
            good = error_set(error, "page %05X is on the list and not marked so", page);
        else if ((seen[page / 32] >> page % 32 & 1) != 0)
            good = error_set(error, "page %05X is on the list twice", page);
        else if (i < tlb->settled_count && is_local(&tlb->walked[page]))
            good = error_set(error, "page %05X is not global, but taken for settled", page);
        else
            seen[page / 32] |= 1u << page % 32;
    }
    for (uint32_t page = 0; good && page < TLB_PAGES; page++)
        if (tlb->walked[page].listed && (seen[page / 32] >> page % 32 & 1) == 0)
            good = error_set(error, "page %05X is marked and not on the list", page);
    free(seen);
    return good;
}

static bool check_walked(const Tlb *tlb, uint32_t page, Error *error) {
    const TlbWalked *walked = &tlb->walked[page];
    if (walked->rights == 0)
        return walked->filled == 0 ||
               error_set(error, "page %05X has entries %X and is not known", page, walked->filled);
    uint32_t region = page >> 10;
    if ((walked->rights & TLB_RIGHT_VALID) == 0 || !walked->listed)
        return error_set(error, "page %05X has rights %02X, listed %u", page, walked->rights,
                         walked->listed);
    if (walked->physical_page >= PHYSICAL_PAGES)
        return error_set(error, "page %05X lies at %X", page, walked->physical_page);
    if ((walked->rights & TLB_RIGHT_LARGE) != 0 &&
        (tlb->large_regions[region / 64] >> region % 64 & 1) == 0)
        return error_set(error, "page %05X is of a large page that INVLPG would not find", page);
    return true;
}

static bool check_entry(const Tlb *tlb, uint32_t page, unsigned table, Error *error) {
    const TlbWalked *walked = &tlb->walked[page];
    int64_t entry = tlb->entry[table][page];
    bool filled = (walked->filled >> table & 1) != 0;
    if (filled != (entry != TLB_INVALID))
        return error_set(error, "page %05X, table %u: filled is %d, entry %llX", page, table,
                         filled, (unsigned long long)entry);
    if (!filled)
        return true;
    bool write = table == TLB_SUPER_WRITE || table == TLB_USER_WRITE, user = table >= TLB_USER_READ;
    const PhysicalPage target = physical_map_page(tlb->map, walked->physical_page);
    const uint8_t *host = write ? target.write : target.read;
    const CodeBytes *code = write ? tlb_marked_code(entry) : NULL;
    if (code != NULL && (code != physical_map_code_bytes(tlb->map, walked->physical_page) ||
                         code->host != host || target.read != host))
        return error_set(error, "page %05X, table %u: not the record of its code", page, table);
    if (code == NULL &&
        (host == NULL || (int64_t)(intptr_t)host != entry + ((int64_t)page << PAGE_BITS)))
        return error_set(error, "page %05X, table %u: the entry is not the map's", page, table);
    if (!page_rights_allow(tlb, walked->rights, write ? ACCESS_WRITE : ACCESS_READ, user))
        return error_set(error, "page %05X, table %u: rights are %02X", page, table,
                         walked->rights);
    if (!user && page_rights_need_override(tlb, walked->rights))
        return error_set(error, "page %05X, table %u: EFLAGS.AC was not asked", page, table);
    if (tlb_is_watched(tlb, page))
        return error_set(error, "page %05X, table %u: the page is watched", page, table);
    if (!write)
        return true;
    if ((walked->rights & TLB_RIGHT_DIRTY) == 0)
        return error_set(error, "page %05X, table %u: D bit is not set", page, table);
    uint8_t flags = target.flags != NULL ? *target.flags : PAGE_DIRTY_ALL;
    if ((flags & PAGE_DIRTY_ALL) != PAGE_DIRTY_ALL || (code == NULL && (flags & PAGE_CODE) != 0))
        return error_set(error, "page %05X, table %u: flags are %02X", page, table, flags);
    return true;
}

bool tlb_check_invariants(const Tlb *tlb, Error *error) {
    if (!check_list(tlb, error))
        return false;
    for (uint32_t page = 0; page < TLB_PAGES; page++) {
        if (!check_walked(tlb, page, error))
            return false;
        for (unsigned table = 0; table < TLB_TABLES; table++)
            if (!check_entry(tlb, page, table, error))
                return false;
    }
    return true;
}

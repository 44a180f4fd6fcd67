/* How the TLB knows what to forget. 'walked' is the guest's TLB: one cell a linear page, flat, so
 * that nothing is ever evicted for want of room. A flush must not look at a million cells, so the
 * pages that have anything stand in 'listed' once each; a page dropped alone keeps its place there
 * until the next flush. The inline entries are derived from 'walked', the physical map and the RAM
 * flags; bits in 'filled' tell which of the four a page has, so that dropping touches no others
 * (the tables are copied on write, page by page). */
#include "tlb.h"
#include "host_pages.h"
#include "little_endian.h"
#include "page_walk.h"
#include <assert.h>
#include <stddef.h>

_Static_assert(TLB_SUPER_WRITE == TLB_SUPER_READ + 1 && TLB_USER_WRITE == TLB_USER_READ + 1,
               "a write table follows its read table");
_Static_assert(sizeof(TlbWalked) == 8, "one cell in one load");

#define WRITE_TABLES (1u << TLB_SUPER_WRITE | 1u << TLB_USER_WRITE)
#define LARGE_REGION_BITS 22

/* CR4 bits whose change drops everything (SDM vol. 3A 4.10.4.1; PSE and SMAP are left open there).
 */
#define CR4_FLUSHING                                                                               \
    (PAGING_CR4_PSE | PAGING_CR4_PAE | PAGING_CR4_PGE | PAGING_CR4_SMEP | PAGING_CR4_SMAP)

bool tlb_init(Tlb *tlb, PhysicalMap *map, Error *error) {
    tlb->map = map;
    tlb->listed = host_pages_map(TLB_PAGES * sizeof *tlb->listed);
    tlb->walked = host_pages_map(TLB_PAGES * sizeof *tlb->walked);
    if (tlb->listed != NULL && tlb->walked != NULL)
        return true;
    tlb_destroy(tlb);
    return error_set(error, "the host has no room for the TLB's tables");
}

void tlb_destroy(Tlb *tlb) {
    host_pages_unmap(tlb->listed, TLB_PAGES * sizeof *tlb->listed);
    host_pages_unmap(tlb->walked, TLB_PAGES * sizeof *tlb->walked);
    tlb->listed = NULL;
    tlb->walked = NULL;
}

void *tlb_map_storage(size_t size) {
    const size_t entries = sizeof((Tlb *)0)->entry;
    assert(size >= sizeof(Tlb) && size % PAGE_SIZE == 0);
    uint8_t *storage = host_pages_map(size);
    if (storage != NULL && !host_pages_fill(storage + size - entries, entries, TLB_INVALID)) {
        host_pages_unmap(storage, size);
        return NULL;
    }
    return storage;
}

void tlb_unmap_storage(void *storage, size_t size) {
    host_pages_unmap(storage, size);
}

/* ---- Dropping ---- */

static void report_loss(Tlb *tlb, TlbLoss loss, uint32_t page) {
    if (tlb->flushed != NULL)
        tlb->flushed(tlb->flushed_opaque, loss, page);
}

/* Takes the page's inline entries in these tables away. */
static void drop_entries(Tlb *tlb, uint32_t page, unsigned tables) {
    unsigned drop = tlb->walked[page].filled & tables;
    if (drop == 0)
        return;
    for (unsigned table = 0; table < TLB_TABLES; table++)
        if ((drop >> table & 1) != 0)
            tlb->entry[table][page] = TLB_INVALID;
    tlb->walked[page].filled &= (uint8_t)~drop;
}

/* Forgets what is known of a page; it stays on the list. */
static void forget_page(Tlb *tlb, uint32_t page) {
    drop_entries(tlb, page, ~0u);
    tlb->walked[page].rights = 0;
    tlb->walked[page].code = 0;
}

/* The same for a page alone. */
static void drop_page(Tlb *tlb, uint32_t page) {
    if (tlb->walked[page].rights == 0)
        return;
    bool code = tlb->walked[page].code;
    forget_page(tlb, page);
    tlb->flushes++;
    if (code)
        report_loss(tlb, TLB_LOST_PAGE, page);
}

static void mark_large_region(Tlb *tlb, uint32_t page) {
    uint32_t region = page >> (LARGE_REGION_BITS - PAGE_BITS);
    tlb->large_regions[region / 64] |= 1ull << region % 64;
}

/* Forgets all pages but those whose rights have a bit of 'keep': global ones or none. */
static void flush_except(Tlb *tlb, uint8_t keep) {
    uint32_t first = keep != 0 ? tlb->settled_count : 0, kept = first;
    for (unsigned i = 0; i < 16 && first == 0; i++)
        tlb->large_regions[i] = 0;
    for (uint32_t i = first; i < tlb->listed_count; i++) {
        uint32_t page = tlb->listed[i];
        uint8_t rights = tlb->walked[page].rights;
        if ((rights & keep) == 0) {
            forget_page(tlb, page);
            tlb->walked[page].listed = TLB_LISTED_NOT;
            continue;
        }
        tlb->walked[page].listed = TLB_LISTED_SETTLED;
        if ((rights & TLB_RIGHT_LARGE) != 0)
            mark_large_region(tlb, page);
        tlb->listed[kept++] = page;
    }
    tlb->listed_count = kept;
    tlb->settled_count = kept; /* none are kept by a flush of all */
    tlb->flushes++;
    report_loss(tlb, keep != 0 ? TLB_LOST_LOCAL : TLB_LOST_ALL, 0);
}

void tlb_flush_all(Tlb *tlb) {
    flush_except(tlb, 0);
}

/* INVLPG drops every piece of a large page that was found for this address (SDM vol. 3A 4.10.4.1).
 * Pieces of its neighbours within 4 MB go too, which is allowed at any time. */
static void drop_large_pieces(Tlb *tlb, uint32_t linear) {
    uint32_t region = linear >> LARGE_REGION_BITS;
    if ((tlb->large_regions[region / 64] >> region % 64 & 1) == 0)
        return;
    uint32_t first = region << (LARGE_REGION_BITS - PAGE_BITS);
    for (uint32_t i = 0; i < 1u << (LARGE_REGION_BITS - PAGE_BITS); i++)
        if ((tlb->walked[first + i].rights & TLB_RIGHT_LARGE) != 0)
            drop_page(tlb, first + i);
    tlb->large_regions[region / 64] &= ~(1ull << region % 64);
}

void tlb_flush_page(Tlb *tlb, uint32_t linear) {
    drop_page(tlb, linear >> PAGE_BITS);
    drop_large_pieces(tlb, linear);
}

void tlb_drop_writes(Tlb *tlb) {
    for (uint32_t i = 0; i < tlb->listed_count; i++)
        drop_entries(tlb, tlb->listed[i], WRITE_TABLES);
}

void tlb_set_watched(Tlb *tlb, const uint32_t *pages, uint32_t count) {
    assert(count <= TLB_WATCHED_PAGES);
    tlb->watched_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tlb->watched[i] = pages[i];
        drop_entries(tlb, pages[i], ~0u);
    }
}

void tlb_drop_page_writes(Tlb *tlb, uint32_t physical_page) {
    for (uint32_t i = 0; i < tlb->listed_count; i++) {
        uint32_t page = tlb->listed[i];
        if (tlb->walked[page].physical_page == physical_page)
            drop_entries(tlb, page, WRITE_TABLES);
    }
}

void tlb_set_control(Tlb *tlb, uint32_t cr0, uint32_t cr3, uint32_t cr4, bool efer_nxe,
                     bool cr3_written) {
    bool all = ((tlb->cr0 ^ cr0) & PAGING_CR0_PG) != 0 || ((tlb->cr4 ^ cr4) & CR4_FLUSHING) != 0 ||
               (tlb->efer_nxe != 0) != efer_nxe;
    bool writes = ((tlb->cr0 ^ cr0) & PAGING_CR0_WP) != 0;
    tlb->cr0 = cr0;
    tlb->cr3 = cr3;
    tlb->cr4 = cr4;
    tlb->efer_nxe = efer_nxe;
    if (all)
        tlb_flush_all(tlb);
    else if (cr3_written)
        flush_except(tlb, TLB_RIGHT_GLOBAL);
    if (writes)
        tlb_drop_writes(tlb); /* supervisor stores to read-only pages are decided anew */
}

/* ---- Bringing in ---- */

void tlb_remember_walk(Tlb *tlb, uint32_t page, const PageWalk *found) {
    TlbWalked *walked = &tlb->walked[page];
    if (walked->rights != 0 &&
        (walked->physical_page != found->physical_page ||
         (walked->rights | TLB_RIGHT_DIRTY) != (found->rights | TLB_RIGHT_DIRTY)))
        drop_page(tlb, page);
    walked->physical_page = found->physical_page;
    walked->rights = found->rights;
    if ((found->rights & TLB_RIGHT_LARGE) != 0)
        mark_large_region(tlb, page);
    if (walked->listed == TLB_LISTED_SETTLED && (found->rights & TLB_RIGHT_GLOBAL) == 0)
        tlb->settled_count = 0; /* all are looked at once more */
    if (walked->listed == TLB_LISTED_NOT) {
        walked->listed = TLB_LISTED;
        tlb->listed[tlb->listed_count++] = page;
    }
}

static void fill_entry(Tlb *tlb, uint32_t page, unsigned table, const uint8_t *host) {
    tlb->entry[table][page] = (int64_t)(intptr_t)host - ((int64_t)page << PAGE_BITS);
    tlb->walked[page].filled |= (uint8_t)(1u << table);
    tlb->fills++;
}

/* A store entry for a page with translated code, for those who look which bytes that are. */
static void mark_entry(Tlb *tlb, uint32_t page, unsigned table, const PhysicalPage *target) {
    CodeBytes *code = physical_map_code_bytes(tlb->map, tlb->walked[page].physical_page);
    if (code == NULL || (tlb->walked[page].filled >> table & 1) != 0)
        return;
    physical_map_mark_page(tlb->map, target->flags, PAGE_DIRTY_ALL);
    code->host = target->write;
    tlb->entry[table][page] = TLB_INVALID | (int64_t)(uintptr_t)code;
    tlb->walked[page].filled |= (uint8_t)(1u << table);
    tlb->fills++;
}

/* Fills the inline entries that this allowed access may use from now on without asking. */
static void fill_entries(Tlb *tlb, uint32_t page, AccessKind kind, bool user) {
    const TlbWalked *walked = &tlb->walked[page];
    if ((!user && page_rights_need_override(tlb, walked->rights)) || tlb_is_watched(tlb, page))
        return;
    const PhysicalPage target = physical_map_page(tlb->map, walked->physical_page);
    unsigned table = user ? TLB_USER_READ : TLB_SUPER_READ;
    if (target.read != NULL && (walked->filled >> table & 1) == 0)
        fill_entry(tlb, page, table, target.read);
    /* Whoever may store through an entry may load through it, too: not so where stores go beneath a
     * ROM. */
    if (kind != ACCESS_WRITE || target.write == NULL || target.write != target.read)
        return;
    if (target.flags != NULL) {
        if ((*target.flags & PAGE_CODE) != 0) {
            mark_entry(tlb, page, table + 1, &target);
            return;
        }
        physical_map_mark_page(tlb->map, target.flags, PAGE_DIRTY_ALL);
    }
    fill_entry(tlb, page, table + 1, target.write);
}

/* Whether what is known of the page allows the access with nothing left to do in the page tables.
 */
static bool is_known(const Tlb *tlb, uint8_t rights, AccessKind kind, bool user) {
    if (kind == ACCESS_WRITE && (rights & TLB_RIGHT_DIRTY) == 0)
        return false;
    return page_rights_allow(tlb, rights, kind, user);
}

/* What is known never makes a page fault by itself: the tables are asked again first, since a guest
 * need not flush when it gives more rights (SDM vol. 3A 4.10.4.3). A fault drops what was known. */
bool tlb_translate(Tlb *tlb, uint32_t linear, AccessKind kind, bool user, uint32_t *physical,
                   PageFault *fault) {
    uint32_t page = linear >> PAGE_BITS;
    const TlbWalked *walked = &tlb->walked[page];
    if (!is_known(tlb, walked->rights, kind, user)) {
        PageWalk found;
        tlb->walks++;
        if (!page_walk(tlb, linear, kind, user, &found, fault)) {
            tlb_flush_page(tlb, linear);
            return false;
        }
        tlb_remember_walk(tlb, page, &found);
    }
    *physical = walked->physical_page << PAGE_BITS | (linear & PAGE_OFFSET_MASK);
    fill_entries(tlb, page, kind, user);
    return true;
}

bool tlb_probe(const Tlb *tlb, uint32_t linear, uint32_t *physical) {
    const TlbWalked *walked = &tlb->walked[linear >> PAGE_BITS];
    PageWalk found = {walked->physical_page, walked->rights};
    if (walked->rights == 0 && !page_walk_probe(tlb, linear, &found))
        return false;
    *physical = found.physical_page << PAGE_BITS | (linear & PAGE_OFFSET_MASK);
    return true;
}

/* ---- Accesses ---- */

/* The physical addresses of an access that may lie on two pages. */
typedef struct Span {
    uint32_t first, second;
    unsigned first_size; /* bytes on the first page */
} Span;

static bool translate_span(Tlb *tlb, uint32_t linear, unsigned size, AccessKind kind, bool user,
                           Span *span, PageFault *fault) {
    uint32_t in_page = PAGE_SIZE - (linear & PAGE_OFFSET_MASK);
    span->first_size = size < in_page ? size : in_page;
    if (!tlb_translate(tlb, linear, kind, user, &span->first, fault))
        return false;
    return span->first_size == size ||
           tlb_translate(tlb, linear + in_page, kind, user, &span->second, fault);
}

static bool read_slowly(Tlb *tlb, uint32_t linear, unsigned size, bool user, uint64_t *value,
                        PageFault *fault) {
    Span span;
    if (!translate_span(tlb, linear, size, ACCESS_READ, user, &span, fault))
        return false;
    *value = physical_read(tlb->map, span.first, span.first_size);
    if (span.first_size < size)
        *value |= physical_read(tlb->map, span.second, size - span.first_size)
                  << 8 * span.first_size;
    return true;
}

bool tlb_read(Tlb *tlb, uint32_t linear, unsigned size, bool user, uint64_t *value,
              PageFault *fault) {
    const uint8_t *host = tlb_find_plain(tlb, user ? TLB_USER_READ : TLB_SUPER_READ, linear, size);
    if (__builtin_expect(host == NULL, 0))
        return read_slowly(tlb, linear, size, user, value, fault);
    *value = load_le(host, size);
    return true;
}

static bool write_slowly(Tlb *tlb, uint32_t linear, unsigned size, bool user, uint64_t value,
                         PageFault *fault) {
    Span span;
    if (!translate_span(tlb, linear, size, ACCESS_WRITE, user, &span, fault))
        return false;
    physical_write(tlb->map, span.first, span.first_size, value);
    if (span.first_size < size)
        physical_write(tlb->map, span.second, size - span.first_size, value >> 8 * span.first_size);
    return true;
}

bool tlb_write(Tlb *tlb, uint32_t linear, unsigned size, bool user, uint64_t value,
               PageFault *fault) {
    uint8_t *host = tlb_find_plain(tlb, user ? TLB_USER_WRITE : TLB_SUPER_WRITE, linear, size);
    if (__builtin_expect(host == NULL, 0))
        return write_slowly(tlb, linear, size, user, value, fault);
    store_le(host, size, value);
    return true;
}

bool tlb_check_write(Tlb *tlb, uint32_t linear, unsigned size, bool user, PageFault *fault) {
    if (tlb_find_plain(tlb, user ? TLB_USER_WRITE : TLB_SUPER_WRITE, linear, size) != NULL)
        return true;
    Span span;
    return translate_span(tlb, linear, size, ACCESS_WRITE, user, &span, fault);
}

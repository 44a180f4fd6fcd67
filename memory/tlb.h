/* The TLB: guest-visible state, used alike by translated code, by helpers and for instruction
 * fetch.
 *
 * Four flat tables with one 64-bit entry for each of the 2^20 linear pages: {supervisor, user} x
 * {read, write}. A valid entry is (host address of the page) - (linear address of the page), so
 * that entry + linear address is the host address, which is positive; TLB_INVALID makes that sum
 * negative. Translated code does 'add rbp,[table + page*8]; js slow'. An entry is there only if the
 * access needs nothing else done: a write entry means that the page is RAM, present, writable at
 * that privilege, its D bit and dirty flags set and no code on it.
 *
 * A page with translated code has a *marked* entry in its write tables, where it would have a plain
 * one otherwise: TLB_INVALID | address of its CodeBytes (code_bytes.h). The sum is negative then,
 * too, but whoever finds such an entry may look there whether the store lies beside the code.
 *
 * A hit never changes the TLB; entries go only by guest events (CR0, CR3, CR4, INVLPG, a change of
 * the layout) and by our own dirty and code tracking (which touches write entries alone, and is
 * invisible to the guest, since the page walk that brings them back was done: see 'walked'). */
#ifndef REPRISE_TLB_H
#define REPRISE_TLB_H

#include "byte_buffer.h"
#include "physical_map.h"
#include <stdbool.h>
#include <stdint.h>

#define TLB_PAGES (1u << 20)
#define TLB_INVALID INT64_MIN
#define TLB_WATCHED_PAGES 32 /* one for each debug register, and some for a debugger outside */

enum { TLB_SUPER_READ, TLB_SUPER_WRITE, TLB_USER_READ, TLB_USER_WRITE, TLB_TABLES };

typedef enum AccessKind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH } AccessKind;

/* What the walk found for one linear page: rights and the physical page. Kept while the guest's TLB
 * would keep it. */
typedef struct TlbWalked {
    uint32_t physical_page; /* page number after A20 */
    uint8_t rights;         /* TLB_RIGHT_* */
    uint8_t listed;         /* on the list of pages to forget at a flush: TLB_LISTED_* */
    uint8_t filled;         /* bit n: table n of 'entry' holds this page */
    uint8_t code;           /* somebody relies on this mapping: tlb_note_code() */
} TlbWalked;

enum {
    TLB_RIGHT_VALID = 1 << 0,
    TLB_RIGHT_USER = 1 << 1,
    TLB_RIGHT_WRITE = 1 << 2, /* the page tables allow stores */
    TLB_RIGHT_DIRTY = 1 << 3, /* the D bit is set: a first store needs a walk otherwise */
    TLB_RIGHT_GLOBAL = 1 << 4,
    TLB_RIGHT_NO_EXECUTE = 1 << 5,
    TLB_RIGHT_LARGE = 1 << 6, /* a piece of a 2M or 4M page: INVLPG drops all pieces */
};

/* What a marked entry of a write table points to; NULL: it is not marked. */
static inline CodeBytes *tlb_marked_code(int64_t entry) {
    bool marked = entry < 0 && entry != TLB_INVALID;
    return marked ? (CodeBytes *)(uintptr_t)(entry & INT64_MAX) : NULL;
}

enum { TLB_LISTED_NOT, TLB_LISTED, TLB_LISTED_SETTLED };

/* What was dropped that others may have derived something from. */
typedef enum TlbLoss {
    TLB_LOST_ALL,   /* all pages */
    TLB_LOST_LOCAL, /* all but global ones */
    TLB_LOST_PAGE,  /* one for which tlb_note_code() was called */
} TlbLoss;

typedef struct PageFault {
    uint32_t address;    /* for CR2 */
    uint32_t error_code; /* SDM vol. 3A 4.7 */
} PageFault;

typedef struct Tlb {
    PhysicalMap *map;
    /* Copies of what the CPU's control registers say; set by tlb_set_control(). */
    uint32_t cr0, cr3, cr4;
    uint32_t efer_nxe;
    uint64_t pdpte[4]; /* PAE: loaded with CR3, SDM vol. 3A 4.4.1 */
    /* EFLAGS.AC as the CPU has it, set by whoever changes it: supervisor accesses to user pages
     * pass although CR4.SMAP is set. They never get an inline entry then, so changing this drops
     * nothing. */
    bool smap_override;
    /* Does the processor have PSE-36? Without it bits 21:13 of a 4M page's entry are reserved. Set
     * by the CPU before tlb_set_control(). */
    bool pse_36;
    uint8_t alignment_unused[6];
    /* Linear pages that the processor wants to see every access to (data breakpoints): they get no
     * inline entries. */
    uint32_t watched[TLB_WATCHED_PAGES];
    uint32_t watched_count;
    uint32_t watched_unused;
    uint64_t large_regions[16]; /* bit n: the 4 MB from n * 4 MB may have pieces of large pages in
                                   'walked' */
    uint64_t fills, walks, flushes; /* counters for 'info jit' */
    uint32_t listed_count;
    /* So many at the list's start were global at the last flush of the others and are still, or are
     * not known now: the next one need not look at them. */
    uint32_t settled_count;
    uint32_t settled_unused;
    /* After whatever drops read entries (the mapping of code may have changed): the translator's
     * hook. NULL at first. 'page': for TLB_LOST_PAGE. */
    void (*flushed)(void *opaque, TlbLoss loss, uint32_t page);
    void *flushed_opaque;
    uint32_t *listed;  /* linear pages with anything in 'walked', listed_count of them; TLB_PAGES
                          long, lazily touched */
    TlbWalked *walked; /* TLB_PAGES long, lazily touched */
    _Alignas(4096) int64_t
        entry[TLB_TABLES][TLB_PAGES]; /* last member: 32 MB, copy-on-write over one pattern */
} Tlb;

/* 'tlb' lies in memory made by tlb_map_storage(). */
bool tlb_init(Tlb *tlb, PhysicalMap *map, Error *error);
void tlb_destroy(Tlb *tlb);
/* Anonymous, zeroed, page-aligned memory for a struct whose last member is a Tlb; NULL when there
 * is none. */
void *tlb_map_storage(size_t size);
void tlb_unmap_storage(void *storage, size_t size);

/* Takes over CR0, CR3, CR4 and EFER.NXE and drops what those changes drop (SDM vol. 3A 4.10.4).
 * 'cr3_written': a MOV to CR3, which drops all entries but global ones even if the value is the
 * same. */
void tlb_set_control(Tlb *tlb, uint32_t cr0, uint32_t cr3, uint32_t cr4, bool efer_nxe,
                     bool cr3_written);
/* PAE: loads the four PDPTEs from memory at CR3; false if a reserved bit is set (then #GP). */
bool tlb_load_pdptes(Tlb *tlb, uint32_t cr3);

/* Takes over which linear pages are watched: at most TLB_WATCHED_PAGES, in any order, repeated or
 * not. */
void tlb_set_watched(Tlb *tlb, const uint32_t *pages, uint32_t count);
static inline bool tlb_is_watched(const Tlb *tlb, uint32_t page) {
    for (uint32_t i = 0; i < tlb->watched_count; i++)
        if (tlb->watched[i] == page)
            return true;
    return false;
}

/* Something was derived from the mapping of this linear page, which is known: the hook 'flushed' is
 * to be called when it goes. */
static inline void tlb_note_code(Tlb *tlb, uint32_t linear) {
    tlb->walked[linear >> PAGE_BITS].code = 1;
}

void tlb_flush_all(Tlb *tlb);                   /* global entries too */
void tlb_flush_page(Tlb *tlb, uint32_t linear); /* INVLPG */
void tlb_drop_writes(
    Tlb *tlb); /* all write entries: dirty flags were cleared. The guest sees nothing of it */
void tlb_drop_page_writes(
    Tlb *tlb, uint32_t physical_page); /* write entries of that page, in every alias: it got code */

/* Brings in what an access of this kind needs, walking the page tables where 'walked' does not
 * know; sets A and D bits. True: the access is allowed ('*physical' is then its address after A20;
 * the inline entry was filled if the page is plain memory that needs no further care). False: a
 * page fault, told in 'fault'. 'user': at CPL 3 (implicit supervisor accesses to descriptor tables
 * pass false). */
bool tlb_translate(Tlb *tlb, uint32_t linear, AccessKind kind, bool user, uint32_t *physical,
                   PageFault *fault);

/* Host address of the whole access, if the table TLB_* has the page: what translated code does
 * inline. Else NULL. */
static inline uint8_t *tlb_find_plain(const Tlb *tlb, unsigned table, uint32_t linear,
                                      unsigned size) {
    int64_t host = tlb->entry[table][linear >> PAGE_BITS] + linear;
    if (host < 0 || (linear & PAGE_OFFSET_MASK) + size > PAGE_SIZE)
        return NULL;
    return (uint8_t *)(intptr_t)host;
}

/* The same without any side effect, for debuggers and for the translator's look-ahead: false if not
 * mapped. */
bool tlb_probe(const Tlb *tlb, uint32_t linear, uint32_t *physical);

/* Accesses by linear address, 1 to 8 bytes, any alignment. Both pages of a crossing access are
 * checked before the first byte moves. False: a page fault. */
bool tlb_read(Tlb *tlb, uint32_t linear, unsigned size, bool user, uint64_t *value,
              PageFault *fault);
bool tlb_write(Tlb *tlb, uint32_t linear, unsigned size, bool user, uint64_t value,
               PageFault *fault);
/* Checks only that a store of this size would succeed (for read-modify-write and multi-part
 * stores). */
bool tlb_check_write(Tlb *tlb, uint32_t linear, unsigned size, bool user, PageFault *fault);

/* For checkpoints: the walked pages, from which everything else is derived. */
void tlb_save(const Tlb *tlb, ByteBuffer *buffer);
bool tlb_load(Tlb *tlb, ByteReader *reader, Error *error);

/* tlb_load() in two steps, for those who check everything before they change anything: what was
 * saved, read and found good; NULL on error. */
typedef struct TlbImage TlbImage;
TlbImage *tlb_image_read(ByteReader *reader, Error *error);
void tlb_image_take(Tlb *tlb, const TlbImage *image);
void tlb_image_free(TlbImage *image); /* NULL is allowed */

/* Invariant walker for tests: every inline entry agrees with 'walked', the map and the flags.
 * Describes the first that does not. */
bool tlb_check_invariants(const Tlb *tlb, Error *error);

#endif

/* Both paging formats of IA-32 have two levels of tables in memory (PAE's third, the page directory
 * pointers, sits in registers), so one walk serves them; what differs is a row of constants. */
#include "page_walk.h"
#include <stddef.h>

/* Bits of an entry, alike in both formats and levels (SDM vol. 3A tables 4-4 to 4-11). */
enum {
    ENTRY_PRESENT = 1 << 0,
    ENTRY_WRITE = 1 << 1,
    ENTRY_USER = 1 << 2,
    ENTRY_ACCESSED = 1 << 5,
    ENTRY_DIRTY = 1 << 6,
    ENTRY_LARGE = 1 << 7,
    ENTRY_GLOBAL = 1 << 8,
};
#define ENTRY_NO_EXECUTE (1ull << 63)

/* Bits of a page fault's error code (SDM vol. 3A figure 4-12). */
enum {
    FAULT_PRESENT = 1 << 0,
    FAULT_WRITE = 1 << 1,
    FAULT_USER = 1 << 2,
    FAULT_RESERVED = 1 << 3,
    FAULT_FETCH = 1 << 4,
};

typedef struct PagingFormat {
    unsigned entry_bytes;
    unsigned index_bits;       /* of each level */
    uint64_t frame_mask;       /* the frame address in an entry */
    uint64_t reserved;         /* must be zero in every present entry */
    uint64_t large_frame_mask; /* the low part of a large page's address */
    uint64_t large_reserved;   /* must be zero besides in an entry for a large page */
} PagingFormat;

/* Physical addresses have 36 bits, as on every IA-32 processor with PAE or PSE-36. */
static const PagingFormat format_32_bit = {
    .entry_bytes = 4,
    .index_bits = 10,
    .frame_mask = 0xFFFFF000,
    .reserved = 0,
    .large_frame_mask = 0xFFC00000,
    .large_reserved = 0x003E0000,
};
static const PagingFormat format_pae = {
    .entry_bytes = 8,
    .index_bits = 9,
    .frame_mask = 0xFFFFFF000,
    .reserved = 0x7FFFFFF000000000,
    .large_frame_mask = 0xFFFE00000,
    .large_reserved = 0x001FE000,
};

/* PSE-36: bits 16:13 of a large page's entry are bits 35:32 of its address (SDM vol. 3A table 4-4).
 */
#define PSE_36_MASK 0x0001E000u
#define PSE_36_SHIFT 19

/* PDPTE: bits 2:1, 8:5 and 63:36 (SDM vol. 3A table 4-8). */
#define PDPTE_RESERVED 0xFFFFFFF0000001E6u

typedef enum WalkResult { WALK_FOUND, WALK_NOT_PRESENT, WALK_RESERVED } WalkResult;

/* The entry that maps the page, and the one of the directory that led to it. */
typedef struct Leaf {
    uint64_t address, entry;
    uint64_t directory_address, directory_entry; /* the same for a large page */
    uint64_t frame;                              /* physical address of the 4K page */
    uint8_t rights;                              /* of both levels together */
} Leaf;

static uint64_t read_entry(const Tlb *tlb, uint64_t address, unsigned bytes) {
    /* Nothing answers above 4 GB. */
    if (address > UINT32_MAX)
        return UINT64_MAX;
    return physical_read(tlb->map, (uint32_t)address & physical_map_a20_mask(tlb->map), bytes);
}

/* The flag bits stand in the entry's low half, whatever its size. */
static void set_entry_bits(const Tlb *tlb, uint64_t address, uint64_t entry, uint32_t bits) {
    if ((entry & bits) != bits && address <= UINT32_MAX)
        physical_write(tlb->map, (uint32_t)address & physical_map_a20_mask(tlb->map), 4,
                       (uint32_t)entry | bits);
}

static bool is_pae(const Tlb *tlb) {
    return (tlb->cr4 & PAGING_CR4_PAE) != 0;
}

/* Where the page directory for this address lies; false if PAE has none. */
static bool find_directory(const Tlb *tlb, uint32_t linear, uint64_t *directory) {
    if (!is_pae(tlb)) {
        *directory = tlb->cr3 & format_32_bit.frame_mask;
        return true;
    }
    uint64_t pdpte = tlb->pdpte[linear >> 30];
    *directory = pdpte & format_pae.frame_mask;
    return (pdpte & ENTRY_PRESENT) != 0;
}

static uint64_t entry_address(const PagingFormat *format, uint64_t table, uint32_t page) {
    uint32_t index = page & ((1u << format->index_bits) - 1);
    return table + (uint64_t)index * format->entry_bytes;
}

static void find_large_frame(const PagingFormat *format, bool pae, uint32_t linear, Leaf *leaf) {
    leaf->frame = leaf->entry & format->large_frame_mask;
    leaf->frame |= linear & ~(uint32_t)format->large_frame_mask & ~PAGE_OFFSET_MASK;
    if (!pae) /* zero without PSE-36 */
        leaf->frame |= (leaf->entry & PSE_36_MASK) << PSE_36_SHIFT;
}

/* Rights that an entry gives; both levels must give them. */
static uint8_t entry_rights(uint64_t entry) {
    uint8_t rights = TLB_RIGHT_VALID;
    if ((entry & ENTRY_USER) != 0)
        rights |= TLB_RIGHT_USER;
    if ((entry & ENTRY_WRITE) != 0)
        rights |= TLB_RIGHT_WRITE;
    return rights;
}

static WalkResult find_leaf(const Tlb *tlb, uint32_t linear, Leaf *leaf) {
    bool pae = is_pae(tlb);
    const PagingFormat *format = pae ? &format_pae : &format_32_bit;
    uint64_t reserved = format->reserved;
    if (pae && !tlb->efer_nxe)
        reserved |= ENTRY_NO_EXECUTE;
    uint64_t table;
    if (!find_directory(tlb, linear, &table))
        return WALK_NOT_PRESENT;

    uint32_t page = linear >> PAGE_BITS;
    leaf->address = entry_address(format, table, page >> format->index_bits);
    leaf->entry = read_entry(tlb, leaf->address, format->entry_bytes);
    if ((leaf->entry & ENTRY_PRESENT) == 0)
        return WALK_NOT_PRESENT;
    leaf->directory_address = leaf->address;
    leaf->directory_entry = leaf->entry;
    leaf->rights = entry_rights(leaf->entry);
    uint64_t no_execute = leaf->entry & ENTRY_NO_EXECUTE;
    if ((leaf->entry & ENTRY_LARGE) != 0 && (pae || (tlb->cr4 & PAGING_CR4_PSE) != 0)) {
        reserved |= format->large_reserved;
        if (!pae && !tlb->pse_36)
            reserved |= PSE_36_MASK;
        if ((leaf->entry & reserved) != 0)
            return WALK_RESERVED;
        leaf->rights |= TLB_RIGHT_LARGE;
        find_large_frame(format, pae, linear, leaf);
    } else {
        if ((leaf->entry & reserved) != 0)
            return WALK_RESERVED;
        leaf->address = entry_address(format, leaf->entry & format->frame_mask, page);
        leaf->entry = read_entry(tlb, leaf->address, format->entry_bytes);
        if ((leaf->entry & ENTRY_PRESENT) == 0)
            return WALK_NOT_PRESENT;
        if ((leaf->entry & reserved) != 0)
            return WALK_RESERVED;
        leaf->rights &= entry_rights(leaf->entry);
        no_execute |= leaf->entry & ENTRY_NO_EXECUTE;
        leaf->frame = leaf->entry & format->frame_mask;
    }
    if (pae && no_execute != 0)
        leaf->rights |= TLB_RIGHT_NO_EXECUTE;
    if ((leaf->entry & ENTRY_GLOBAL) != 0 && (tlb->cr4 & PAGING_CR4_PGE) != 0)
        leaf->rights |= TLB_RIGHT_GLOBAL;
    return WALK_FOUND;
}

bool page_rights_allow(const Tlb *tlb, uint8_t rights, AccessKind kind, bool user) {
    if ((rights & TLB_RIGHT_VALID) == 0)
        return false;
    if (user && (rights & TLB_RIGHT_USER) == 0)
        return false;
    if (kind == ACCESS_WRITE && (rights & TLB_RIGHT_WRITE) == 0 &&
        (user || (tlb->cr0 & PAGING_CR0_WP) != 0))
        return false;
    if (kind == ACCESS_FETCH && (rights & TLB_RIGHT_NO_EXECUTE) != 0)
        return false;
    if (user || (rights & TLB_RIGHT_USER) == 0 || !page_walk_is_paging(tlb))
        return true;
    if (kind == ACCESS_FETCH)
        return (tlb->cr4 & PAGING_CR4_SMEP) == 0;
    return (tlb->cr4 & PAGING_CR4_SMAP) == 0 || tlb->smap_override;
}

static bool page_fault(const Tlb *tlb, uint32_t linear, AccessKind kind, bool user, uint32_t cause,
                       PageFault *fault) {
    uint32_t code = cause;
    if (kind == ACCESS_WRITE)
        code |= FAULT_WRITE;
    if (user)
        code |= FAULT_USER;
    if (kind == ACCESS_FETCH &&
        ((is_pae(tlb) && tlb->efer_nxe) || (tlb->cr4 & PAGING_CR4_SMEP) != 0))
        code |= FAULT_FETCH;
    *fault = (PageFault){.address = linear, .error_code = code};
    return false;
}

static uint32_t physical_page_of(const Tlb *tlb, uint64_t frame) {
    if (frame > UINT32_MAX)
        return PHYSICAL_NOWHERE_PAGE;
    return ((uint32_t)frame & physical_map_a20_mask(tlb->map)) >> PAGE_BITS;
}

static void walk_without_paging(const Tlb *tlb, uint32_t linear, PageWalk *found) {
    found->physical_page = physical_page_of(tlb, linear & ~PAGE_OFFSET_MASK);
    found->rights = TLB_RIGHT_VALID | TLB_RIGHT_USER | TLB_RIGHT_WRITE | TLB_RIGHT_DIRTY;
}

bool page_walk(const Tlb *tlb, uint32_t linear, AccessKind kind, bool user, PageWalk *found,
               PageFault *fault) {
    if (!page_walk_is_paging(tlb)) {
        walk_without_paging(tlb, linear, found);
        return true;
    }
    Leaf leaf;
    WalkResult result = find_leaf(tlb, linear, &leaf);
    if (result == WALK_NOT_PRESENT)
        return page_fault(tlb, linear, kind, user, 0, fault);
    if (result == WALK_RESERVED)
        return page_fault(tlb, linear, kind, user, FAULT_PRESENT | FAULT_RESERVED, fault);
    if (!page_rights_allow(tlb, leaf.rights, kind, user))
        return page_fault(tlb, linear, kind, user, FAULT_PRESENT, fault);

    /* Only an access that goes through leaves marks, in both levels (80386 Programmer's Reference
     * Manual 5.2.4.3). */
    set_entry_bits(tlb, leaf.directory_address, leaf.directory_entry, ENTRY_ACCESSED);
    uint32_t bits = kind == ACCESS_WRITE ? ENTRY_ACCESSED | ENTRY_DIRTY : ENTRY_ACCESSED;
    set_entry_bits(tlb, leaf.address, leaf.entry, bits);
    found->rights = leaf.rights;
    if (((leaf.entry | bits) & ENTRY_DIRTY) != 0)
        found->rights |= TLB_RIGHT_DIRTY;
    found->physical_page = physical_page_of(tlb, leaf.frame);
    return true;
}

bool page_walk_probe(const Tlb *tlb, uint32_t linear, PageWalk *found) {
    if (!page_walk_is_paging(tlb)) {
        walk_without_paging(tlb, linear, found);
        return true;
    }
    Leaf leaf;
    if (find_leaf(tlb, linear, &leaf) != WALK_FOUND)
        return false;
    found->rights = leaf.rights;
    found->physical_page = physical_page_of(tlb, leaf.frame);
    return true;
}

bool tlb_load_pdptes(Tlb *tlb, uint32_t cr3) {
    uint64_t loaded[4];
    for (unsigned i = 0; i < 4; i++) {
        loaded[i] = read_entry(tlb, (cr3 & ~31u) + 8 * i, 8);
        if ((loaded[i] & ENTRY_PRESENT) != 0 && (loaded[i] & PDPTE_RESERVED) != 0)
            return false;
    }
    for (unsigned i = 0; i < 4; i++)
        tlb->pdpte[i] = loaded[i];
    return true;
}

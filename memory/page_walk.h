/* The walk through the guest's page tables: what the TLB asks when it does not know a page. */
#ifndef REPRISE_PAGE_WALK_H
#define REPRISE_PAGE_WALK_H

#include "tlb.h"

/* Bits of the control registers that paging looks at (SDM vol. 3A 2.5). */
enum {
    PAGING_CR0_WP = 1 << 16,
    PAGING_CR4_PSE = 1 << 4,
    PAGING_CR4_PAE = 1 << 5,
    PAGING_CR4_PGE = 1 << 7,
    PAGING_CR4_SMEP = 1 << 20,
    PAGING_CR4_SMAP = 1 << 21,
};
#define PAGING_CR0_PG (1u << 31)

typedef struct PageWalk {
    uint32_t physical_page; /* after A20 */
    uint8_t rights;         /* TLB_RIGHT_* */
} PageWalk;

static inline bool page_walk_is_paging(const Tlb *tlb) {
    return (tlb->cr0 & PAGING_CR0_PG) != 0;
}

/* A supervisor access to this page depends on EFLAGS.AC, so it may not be answered without asking.
 */
static inline bool page_rights_need_override(const Tlb *tlb, uint8_t rights) {
    return (rights & TLB_RIGHT_USER) != 0 && (tlb->cr4 & PAGING_CR4_SMAP) != 0 &&
           page_walk_is_paging(tlb);
}

/* Whether a page with these rights can be accessed so (SDM vol. 3A 4.6). The D bit is not asked
 * for. */
bool page_rights_allow(const Tlb *tlb, uint8_t rights, AccessKind kind, bool user);

/* Walks for an access, setting A and D bits. False: a page fault, told in 'fault'. */
bool page_walk(const Tlb *tlb, uint32_t linear, AccessKind kind, bool user, PageWalk *found,
               PageFault *fault);

/* Walks without any side effect and without looking at rights; false if the page is not there. */
bool page_walk_probe(const Tlb *tlb, uint32_t linear, PageWalk *found);

/* Takes a walk's result for a linear page over into the TLB. If it says something else than what
 * was known (the guest changed its tables without INVLPG), the old entries go; a D bit gained
 * leaves them. */
void tlb_remember_walk(Tlb *tlb, uint32_t page, const PageWalk *found);

#endif

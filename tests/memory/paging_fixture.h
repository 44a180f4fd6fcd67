/* A TLB over 16 MB of RAM, with hooks installed as a CPU installs them, and page tables to fill in.
 *
 * 32-bit paging: directory at 1000h, one table at 2000h. PAE: pointers at 4000h, directories at
 * 5000h to 8FFFh, one table at 9000h. Data frames start at 1 MB. */
#ifndef REPRISE_PAGING_FIXTURE_H
#define REPRISE_PAGING_FIXTURE_H

#include "tlb.h"

enum {
    /* Page table entries */
    P = 1 << 0,
    W = 1 << 1,
    U = 1 << 2,
    A = 1 << 5,
    D = 1 << 6,
    LARGE = 1 << 7,
    G = 1 << 8,
    /* Control registers */
    CR0_WP_BIT = 1 << 16,
    CR4_PSE_BIT = 1 << 4,
    CR4_PAE_BIT = 1 << 5,
    CR4_PGE_BIT = 1 << 7,
    CR4_SMEP_BIT = 1 << 20,
    CR4_SMAP_BIT = 1 << 21,
};
#define NX (1ull << 63)
#define CR0_PG_BIT (1u << 31)

enum {
    FIXTURE_RAM_BYTES = 16 << 20,
    DIRECTORY = 0x1000,
    TABLE = 0x2000,
    PAE_POINTERS = 0x4000,
    PAE_DIRECTORY = 0x5000,
    PAE_TABLE = 0x9000,
    FRAMES = 0x100000,
};

typedef struct PagingFixture {
    PhysicalMap *map;
    Tlb *tlb;
    int flushes;      /* how often 'flushed' was called */
    int code_changes; /* how often a store to code was told */
    uint32_t code_address, code_size;
    bool forget_code; /* the hook clears PAGE_CODE, as the translator does */
} PagingFixture;

PagingFixture *fixture_create(void);
void fixture_destroy(PagingFixture *fixture);

/* 32-bit paging, CR3 = DIRECTORY. The first 4 MB go through TABLE. */
void fixture_page_32(PagingFixture *fixture, uint32_t cr0_bits, uint32_t cr4_bits);
/* PAE, CR3 = PAE_POINTERS. The first 2 MB go through PAE_TABLE. */
void fixture_page_pae(PagingFixture *fixture, uint32_t cr0_bits, uint32_t cr4_bits, bool nxe);

void fixture_set_32(PagingFixture *fixture, uint32_t table, uint32_t index, uint32_t entry);
uint32_t fixture_get_32(PagingFixture *fixture, uint32_t table, uint32_t index);
void fixture_set_pae(PagingFixture *fixture, uint32_t table, uint32_t index, uint64_t entry);
uint64_t fixture_get_pae(PagingFixture *fixture, uint32_t table, uint32_t index);

/* Fails the test unless the TLB's tables are consistent. */
void fixture_check(PagingFixture *fixture);

/* The page fault's error code, or -1 if the access is allowed; '*physical' then tells where. */
int fixture_translate(PagingFixture *fixture, uint32_t linear, AccessKind kind, bool user,
                      uint32_t *physical);

#endif

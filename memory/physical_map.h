/* The guest's physical address space: RAM, ROM, memory-mapped I/O and what lies over what.
 *
 * RAM is one region (guest_regions.h), mapped once. PAM shadowing, the hole from 640K to 1M, SMRAM
 * and ROM aliases are entries of the page table below, never second host mappings. Each 4K page
 * says where loads and stores go; a NULL means that a callback (or nobody) answers there. The space
 * is 32 bits wide. The A20 gate is the processor's affair: its addresses are masked before they
 * come here (physical_map_a20_mask()), those of bus masters are not. */
#ifndef REPRISE_PHYSICAL_MAP_H
#define REPRISE_PHYSICAL_MAP_H

#include "code_bytes.h"
#include "error.h"
#include "guest_regions.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BITS 12
#undef PAGE_SIZE /* of the host, by musl's limits.h */
#define PAGE_SIZE 4096u
#define PAGE_OFFSET_MASK 0xFFFu
#define PHYSICAL_PAGES (1u << 20)

/* Page tables can name frames above 4 GB, where nothing is. Such a frame becomes this page: it lies
 * in the window of interrupt messages (SDM vol. 3A 11.11), where neither memory nor a device may
 * be. */
#define PHYSICAL_NOWHERE_PAGE 0xFEEFFu

/* Flags of a page of a region, one byte each. A dirty bit is set before the first store after its
 * client cleared it. */
enum {
    PAGE_CODE = 1 << 0,          /* translated code was read from this page: stores must report */
    PAGE_DIRTY_DISPLAY = 1 << 1, /* for whoever draws from it */
    PAGE_DIRTY_HASH = 1 << 2,    /* for the incremental state hash */
    PAGE_DIRTY_CHECKPOINT = 1 << 3, /* for copy-on-first-write checkpoints */
    PAGE_DIRTY_BASE = 1 << 4,       /* against the sealed base that clones share */
    PAGE_DIRTY_MIGRATION = 1 << 5,  /* to be sent once more */
    PAGE_REPLACED = 1 << 7,         /* private to the map: see physical_map_replace_page() */
    PAGE_DIRTY_ALL = PAGE_DIRTY_DISPLAY | PAGE_DIRTY_HASH | PAGE_DIRTY_CHECKPOINT |
                     PAGE_DIRTY_BASE | PAGE_DIRTY_MIGRATION,
};

/* One physical page. */
typedef struct PhysicalPage {
    uint8_t *read;  /* host page that loads read, or NULL */
    uint8_t *write; /* host page that stores reach, or NULL (ROM: stores are dropped; MMIO: the
                       callback) */
    uint8_t
        *flags; /* the flag byte of the RAM page behind 'write' (or 'read'); NULL where no RAM is */
} PhysicalPage;

typedef struct MmioRange {
    const char *name;
    uint32_t base,
        size; /* multiples of PAGE_SIZE, except inside a page that only this range uses */
    /* 'offset' from base; 'size' 1, 2 or 4 bytes, naturally aligned (others are split before). */
    uint32_t (*read)(void *opaque, uint32_t offset, unsigned size);
    void (*write)(void *opaque, uint32_t offset, unsigned size, uint32_t value);
    void *opaque;
    /* The callbacks never look at the clock, arm a timer, drive a wire or change the map (VGA
     * memory): translated code may call them in the middle of a block. */
    bool timeless;
} MmioRange;

typedef struct PhysicalMap PhysicalMap;

/* What the map tells each processor's translator and TLB. */
typedef struct PhysicalMapHooks {
    void *opaque;
    /* From now on this page (its number) has PAGE_CODE: write entries of the TLB for it go. */
    void (*code_appears)(void *opaque, uint32_t page);
    /* It has PAGE_CODE no more: entries that were marked for that may be plain again. */
    void (*code_disappeared)(void *opaque, uint32_t page);
    /* Before bytes of a PAGE_CODE page change, whoever stores (CPU helpers, DMA, firmware loading).
     * May be left out for a store of what is there already, and for bytes that the page's record
     * (code_bytes.h) says are not held. */
    void (*code_changes)(void *opaque, uint32_t address, uint32_t size);
    /* What lies at these pages changed (PAM, A20, a BAR moved): cached translations and TLB entries
     * of them go. */
    void (*layout_changed)(void *opaque, uint32_t first_page, uint32_t pages);
    /* Dirty bits of RAM pages were cleared: write entries of the TLB go, so that the next store
     * sets them again. */
    void (*dirty_cleared)(void *opaque);
    /* Before a device answers an access: it may be compiled to use any register of the host. */
    void (*before_device)(void *opaque);
} PhysicalMapHooks;

/* RAM from address 0 up to ram_bytes (a multiple of PAGE_SIZE, at most 3.5 GB), all of it RAM at
 * first. */
PhysicalMap *physical_map_create(uint64_t ram_bytes, Error *error);
void physical_map_destroy(PhysicalMap *map);
/* For each of at most PHYSICAL_MAP_LISTENERS processors. */
#define PHYSICAL_MAP_LISTENERS 8
void physical_map_add_hooks(PhysicalMap *map, const PhysicalMapHooks *hooks);
/* Those with this 'opaque'. */
void physical_map_remove_hooks(PhysicalMap *map, const void *opaque);

/* A translator has code of this page, and may mark bytes in the record that this returns; it has
 * none any more. The page has PAGE_CODE while any translator has some. */
CodeBytes *physical_map_claim_code(PhysicalMap *map, uint32_t page);
void physical_map_release_code(PhysicalMap *map, uint32_t page);

/* Before the first store into a page whose PAGE_DIRTY_CHECKPOINT is clear, while it still holds
 * what it held; whoever stores. NULL: nobody wants to know. */
void physical_map_watch_pages(PhysicalMap *map,
                              void (*page_changes)(void *opaque, const GuestRegion *region,
                                                   uint32_t page),
                              void *opaque);

/* All memory of the guest that can change: RAM is the first. */
const GuestRegion *physical_map_regions(const PhysicalMap *map, unsigned *count);
/* How many pages all regions have together. */
uint32_t physical_map_region_pages(const PhysicalMap *map);
/* A further region, a device's own memory, which lives as long as the map. Where it appears in the
 * address space is the device's affair: physical_map_add_memory(). */
const GuestRegion *physical_map_add_region(PhysicalMap *map, const char *name, uint32_t size,
                                           Error *error);

/* Seals all regions' files (guest_region_seal): what they hold now can be shared. */
bool physical_map_seal(PhysicalMap *map, Error *error);
/* All regions share the pages of sealed files, one each. For a map that nothing was stored into. */
bool physical_map_adopt(PhysicalMap *map, const int *files, Error *error);

uint64_t physical_map_ram_bytes(const PhysicalMap *map);
uint8_t *physical_map_ram(PhysicalMap *map); /* host address of guest RAM, all of it contiguous */
uint8_t *physical_map_ram_flags(PhysicalMap *map); /* one byte a RAM page */

/* Lays further memory into the space: 'host' belongs to the caller (a ROM image, VGA's linear frame
 * buffer). 'flags' one byte a page or NULL. Not writable: stores are dropped. */
void physical_map_add_memory(PhysicalMap *map, uint32_t base, uint32_t size, uint8_t *host,
                             uint8_t *flags, bool writable);
/* Takes whatever lies there away: loads give all ones. */
void physical_map_remove(PhysicalMap *map, uint32_t base, uint32_t size);
/* Puts RAM there again (what the address means under PAM with read and write enabled). */
void physical_map_show_ram(PhysicalMap *map, uint32_t base, uint32_t size);
/* Loads read from 'read_host' and stores go to 'write_host' (either may be RAM at the same address,
 * a ROM, or NULL). */
void physical_map_set_shadow(PhysicalMap *map, uint32_t base, uint32_t size, uint8_t *read_host,
                             uint8_t *write_host, uint8_t *flags);

/* Lays RAM over whatever is at these addresses (at most PHYSICAL_COVER_PAGES pages, one range at a
 * time) until it is uncovered: what others put there or take away meanwhile shows only then. */
#define PHYSICAL_COVER_PAGES 32
void physical_map_cover(PhysicalMap *map, uint32_t base, uint32_t size);
void physical_map_uncover(PhysicalMap *map);

/* Memory-mapped I/O over a range; it answers where pages have no memory. Overlap is an error that
 * names both. */
bool physical_map_add_mmio(PhysicalMap *map, const MmioRange *range, Error *error);
void physical_map_remove_mmio(PhysicalMap *map, uint32_t base, void *opaque);
/* To be called before a range's callbacks are called past the map: PhysicalMapHooks.before_device.
 */
void physical_map_before_device(const PhysicalMap *map);
/* The range that answers at this address, or NULL. */
const MmioRange *physical_map_find_mmio(const PhysicalMap *map, uint32_t address);

/* The A20 gate: while closed, address bit 20 reads as 0. Changing it reports the layout as changed,
 * all of it. */
void physical_map_set_a20(PhysicalMap *map, bool open);
bool physical_map_a20(const PhysicalMap *map);
/* A processor in system management mode does not look at the gate. */
void physical_map_ignore_a20(PhysicalMap *map, bool ignored);
uint32_t physical_map_a20_mask(const PhysicalMap *map);

/* The entry of the page table with this number (below PHYSICAL_PAGES), after A20. */
PhysicalPage physical_map_page(const PhysicalMap *map, uint32_t number);

/* Have several translators code of this page? None may take another's marks away then. */
bool physical_map_shares_code(const PhysicalMap *map, uint32_t page);
/* Which bytes of this page were translated; NULL if there never was one. */
CodeBytes *physical_map_code_bytes(const PhysicalMap *map, uint32_t page);

/* Accesses by physical address as it is on the bus, behind the A20 gate: any size from 1 to 8
 * bytes, any alignment; RAM, ROM and MMIO; they set dirty bits and report code changes. */
uint64_t physical_read(PhysicalMap *map, uint32_t address, unsigned size);
void physical_write(PhysicalMap *map, uint32_t address, unsigned size, uint64_t value);
/* Bus masters and loaders. */
void physical_read_bytes(PhysicalMap *map, uint32_t address, void *data, size_t size);
void physical_write_bytes(PhysicalMap *map, uint32_t address, const void *data, size_t size);

/* Called by every path that stores into RAM without the functions above: sets the dirty bits,
 * reports code changes. */
void physical_map_touch(PhysicalMap *map, uint32_t address, uint32_t size);
/* The dirty bits of 'mask' are to be set for a page of which only the flag byte is known: what
 * every store into guest memory does first. */
void physical_map_mark_first(PhysicalMap *map, uint8_t *flags, uint8_t mask);
static inline void physical_map_mark_page(PhysicalMap *map, uint8_t *flags, uint8_t mask) {
    if ((*flags & mask) != mask)
        physical_map_mark_first(map, flags, mask);
}
/* Puts other contents (PAGE_SIZE bytes) into a page of a region, as whoever goes back to an earlier
 * state does: translated code of bytes that differ is reported, the page counts as changed for
 * everybody but PAGE_DIRTY_CHECKPOINT, which is cleared. After the last of such pages:
 * physical_map_end_replacing(), which reports that dirty bits were cleared. */
void physical_map_replace_page(PhysicalMap *map, const GuestRegion *region, uint32_t page,
                               const uint8_t *content);
void physical_map_end_replacing(PhysicalMap *map);
/* Clears 'mask' in the flags of all pages of all regions and reports it if any was set. */
void physical_map_clear_dirty(PhysicalMap *map, uint8_t mask);
/* The same for 'pages' flag bytes (of one region, or of memory outside of them). Tells whether any
 * was set, and reports only then. */
bool physical_map_clear_dirty_flags(PhysicalMap *map, uint8_t *flags, uint32_t pages, uint8_t mask);

#endif

#include "physical_map.h"
#include "allocate.h"
#include "host_pages.h"
#include "little_endian.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES_MAXIMUM 0xE0000000u /* above it lie the PCI hole and the firmware */
#define A20_BIT (1u << 20)

/* All records, so that the end finds them without a walk over the table. */
typedef struct CodeRecord {
    CodeBytes bytes;
    struct CodeRecord *next;
} CodeRecord;

struct PhysicalMap {
    /* What lies where, PHYSICAL_PAGES of each, lazily touched. RAM at its own address, which is
     * most of it, is not entered: many clones live in one process. */
    PhysicalPage *pages;
    CodeBytes **code_bytes; /* PHYSICAL_PAGES, too: which bytes of a page were translated */
    uint8_t *is_entered;    /* of RAM's pages: 'pages' tells what lies there instead */
    uint8_t *code_users;    /* how many translators have code of each page */
    GuestRegion regions[GUEST_REGIONS_MAXIMUM]; /* RAM is the first */
    unsigned region_count;
    uint32_t ram_pages;
    uint32_t a20_mask;
    bool a20_open, a20_ignored;
    PhysicalPage covered[PHYSICAL_COVER_PAGES]; /* what lies under the cover */
    uint32_t cover_first, cover_pages;          /* 0 pages: nothing is covered */
    PhysicalMapHooks hooks[PHYSICAL_MAP_LISTENERS];
    unsigned hook_count;
    CodeRecord *code_bytes_first;
    void (*page_changes)(void *opaque, const GuestRegion *region, uint32_t page);
    void *page_changes_opaque;
    bool has_replaced; /* a page with PAGE_REPLACED */
    MmioRange *ranges; /* sorted by base */
    size_t range_count, range_capacity;
};

static uint32_t minimum(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

PhysicalMap *physical_map_create(uint64_t ram_bytes, Error *error) {
    if (ram_bytes == 0 || ram_bytes % PAGE_SIZE != 0 || ram_bytes > RAM_BYTES_MAXIMUM) {
        error_set(error, "a machine cannot have %llu bytes of memory (4 KB to 3584 MB)",
                  (unsigned long long)ram_bytes);
        return NULL;
    }
    PhysicalMap *map = allocate_zeroed(sizeof *map);
    map->ram_pages = (uint32_t)(ram_bytes >> PAGE_BITS);
    map->a20_mask = UINT32_MAX;
    map->a20_open = true;
    map->pages = host_pages_map(PHYSICAL_PAGES * sizeof *map->pages);
    map->is_entered = host_pages_map(PHYSICAL_PAGES);
    map->code_users = host_pages_map(PHYSICAL_PAGES);
    map->code_bytes = host_pages_map(PHYSICAL_PAGES * sizeof *map->code_bytes);
    bool has_tables = map->pages != NULL && map->is_entered != NULL && map->code_users != NULL &&
                      map->code_bytes != NULL;
    if (!has_tables)
        error_set(error, "the host has no room for the table of physical pages");
    if (!has_tables || physical_map_add_region(map, "RAM", (uint32_t)ram_bytes, error) == NULL) {
        physical_map_destroy(map);
        return NULL;
    }
    return map;
}

static void destroy_code_bytes(PhysicalMap *map) {
    while (map->code_bytes_first != NULL) {
        CodeRecord *record = map->code_bytes_first;
        map->code_bytes_first = record->next;
        free(record);
    }
    host_pages_unmap(map->code_bytes, PHYSICAL_PAGES * sizeof *map->code_bytes);
}

void physical_map_destroy(PhysicalMap *map) {
    if (map == NULL)
        return;
    destroy_code_bytes(map);
    host_pages_unmap(map->pages, PHYSICAL_PAGES * sizeof *map->pages);
    host_pages_unmap(map->is_entered, PHYSICAL_PAGES);
    host_pages_unmap(map->code_users, PHYSICAL_PAGES);
    for (unsigned i = 0; i < map->region_count; i++)
        guest_region_destroy(&map->regions[i]);
    free(map->ranges);
    free(map);
}

void physical_map_add_hooks(PhysicalMap *map, const PhysicalMapHooks *hooks) {
    assert(map->hook_count < PHYSICAL_MAP_LISTENERS);
    map->hooks[map->hook_count++] = *hooks;
}

void physical_map_remove_hooks(PhysicalMap *map, const void *opaque) {
    unsigned kept = 0;
    for (unsigned i = 0; i < map->hook_count; i++)
        if (map->hooks[i].opaque != opaque)
            map->hooks[kept++] = map->hooks[i];
    map->hook_count = kept;
}

static void tell_code_changes(const PhysicalMap *map, uint32_t address, uint32_t size) {
    for (unsigned i = 0; i < map->hook_count; i++)
        if (map->hooks[i].code_changes != NULL)
            map->hooks[i].code_changes(map->hooks[i].opaque, address, size);
}

static void tell_code_appears(const PhysicalMap *map, uint32_t page) {
    for (unsigned i = 0; i < map->hook_count; i++)
        if (map->hooks[i].code_appears != NULL)
            map->hooks[i].code_appears(map->hooks[i].opaque, page);
}

static void tell_code_disappeared(const PhysicalMap *map, uint32_t page) {
    for (unsigned i = 0; i < map->hook_count; i++)
        if (map->hooks[i].code_disappeared != NULL)
            map->hooks[i].code_disappeared(map->hooks[i].opaque, page);
}

void physical_map_watch_pages(PhysicalMap *map,
                              void (*page_changes)(void *opaque, const GuestRegion *region,
                                                   uint32_t page),
                              void *opaque) {
    map->page_changes = page_changes;
    map->page_changes_opaque = opaque;
}

const GuestRegion *physical_map_regions(const PhysicalMap *map, unsigned *count) {
    *count = map->region_count;
    return map->regions;
}

uint32_t physical_map_region_pages(const PhysicalMap *map) {
    if (map->region_count == 0)
        return 0;
    const GuestRegion *last = &map->regions[map->region_count - 1];
    return last->first_page + last->pages;
}

const GuestRegion *physical_map_add_region(PhysicalMap *map, const char *name, uint32_t size,
                                           Error *error) {
    assert(map->region_count < GUEST_REGIONS_MAXIMUM && size % PAGE_SIZE == 0);
    GuestRegion *region = &map->regions[map->region_count];
    if (!guest_region_create(region, name, size >> PAGE_BITS, physical_map_region_pages(map),
                             error))
        return NULL;
    map->region_count++;
    return region;
}

bool physical_map_seal(PhysicalMap *map, Error *error) {
    for (unsigned i = 0; i < map->region_count; i++)
        if (!guest_region_seal(&map->regions[i], PAGE_DIRTY_BASE, error))
            return false;
    physical_map_clear_dirty(map, PAGE_DIRTY_BASE);
    return true;
}

bool physical_map_adopt(PhysicalMap *map, const int *files, Error *error) {
    for (unsigned i = 0; i < map->region_count; i++)
        if (!guest_region_adopt(&map->regions[i], files[i], error))
            return false;
    return true;
}

uint64_t physical_map_ram_bytes(const PhysicalMap *map) {
    return (uint64_t)map->ram_pages << PAGE_BITS;
}

uint8_t *physical_map_ram(PhysicalMap *map) {
    return map->regions[0].host;
}

uint8_t *physical_map_ram_flags(PhysicalMap *map) {
    return map->regions[0].flags;
}

/* ---- What lies where ---- */

static void report_layout(PhysicalMap *map, uint32_t first_page, uint32_t pages) {
    for (unsigned i = 0; i < map->hook_count && pages != 0; i++)
        if (map->hooks[i].layout_changed != NULL)
            map->hooks[i].layout_changed(map->hooks[i].opaque, first_page, pages);
}

static uint8_t *page_of(uint8_t *start, uint32_t index) {
    return start != NULL ? start + ((size_t)index << PAGE_BITS) : NULL;
}

static PhysicalPage plain_ram(const PhysicalMap *map, uint32_t number) {
    uint8_t *host = page_of(map->regions[0].host, number);
    return (PhysicalPage){host, host, map->regions[0].flags + number};
}

static inline PhysicalPage get_page(const PhysicalMap *map, uint32_t number) {
    return number < map->ram_pages && !map->is_entered[number] ? plain_ram(map, number)
                                                               : map->pages[number];
}

PhysicalPage physical_map_page(const PhysicalMap *map, uint32_t number) {
    return get_page(map, number);
}

static bool is_same_page(const PhysicalPage *a, const PhysicalPage *b) {
    return a->read == b->read && a->write == b->write && a->flags == b->flags;
}

static void enter_page(PhysicalMap *map, uint32_t number, PhysicalPage page) {
    if (number < map->ram_pages) {
        const PhysicalPage plain = plain_ram(map, number);
        map->is_entered[number] = !is_same_page(&page, &plain);
        if (!map->is_entered[number])
            return;
    }
    map->pages[number] = page;
}

/* Writes page entries that go through the three runs of host memory in step. A change that changes
 * nothing is not reported: firmware sets PAM registers again and again. */
static void set_pages(PhysicalMap *map, uint32_t base, uint32_t size, uint8_t *read, uint8_t *write,
                      uint8_t *flags) {
    assert(base % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
    uint32_t first = base >> PAGE_BITS, pages = size >> PAGE_BITS;
    assert(pages <= PHYSICAL_PAGES - first);
    bool changed = false;
    for (uint32_t i = 0; i < pages; i++) {
        PhysicalPage page = {page_of(read, i), page_of(write, i), flags != NULL ? flags + i : NULL};
        bool is_covered = first + i - map->cover_first < map->cover_pages;
        PhysicalPage *covered = is_covered ? &map->covered[first + i - map->cover_first] : NULL;
        PhysicalPage old = is_covered ? *covered : get_page(map, first + i);
        if (is_same_page(&old, &page))
            continue;
        if (is_covered)
            *covered = page;
        else
            enter_page(map, first + i, page);
        changed |= !is_covered;
    }
    if (changed)
        report_layout(map, first, pages);
}

void physical_map_add_memory(PhysicalMap *map, uint32_t base, uint32_t size, uint8_t *host,
                             uint8_t *flags, bool writable) {
    set_pages(map, base, size, host, writable ? host : NULL, flags);
}

void physical_map_remove(PhysicalMap *map, uint32_t base, uint32_t size) {
    set_pages(map, base, size, NULL, NULL, NULL);
}

void physical_map_show_ram(PhysicalMap *map, uint32_t base, uint32_t size) {
    uint32_t first = base >> PAGE_BITS;
    uint32_t in_ram = first < map->ram_pages ? map->ram_pages - first : 0;
    uint32_t ram_size = minimum(size >> PAGE_BITS, in_ram) << PAGE_BITS;
    if (ram_size != 0) {
        uint8_t *host = page_of(map->regions[0].host, first);
        set_pages(map, base, ram_size, host, host, map->regions[0].flags + first);
    }
    if (ram_size != size)
        physical_map_remove(map, base + ram_size, size - ram_size);
}

void physical_map_set_shadow(PhysicalMap *map, uint32_t base, uint32_t size, uint8_t *read_host,
                             uint8_t *write_host, uint8_t *flags) {
    set_pages(map, base, size, read_host, write_host, flags);
}

void physical_map_cover(PhysicalMap *map, uint32_t base, uint32_t size) {
    uint32_t first = base >> PAGE_BITS, pages = size >> PAGE_BITS;
    assert(map->cover_pages == 0 && pages <= PHYSICAL_COVER_PAGES);
    for (uint32_t i = 0; i < pages; i++)
        map->covered[i] = get_page(map, first + i);
    physical_map_show_ram(map, base, size);
    map->cover_first = first;
    map->cover_pages = pages;
}

void physical_map_uncover(PhysicalMap *map) {
    uint32_t pages = map->cover_pages;
    map->cover_pages = 0;
    for (uint32_t i = 0; i < pages; i++)
        enter_page(map, map->cover_first + i, map->covered[i]);
    report_layout(map, map->cover_first, pages);
}

/* Index of the first range that ends above 'address'. */
static size_t find_range_index(const PhysicalMap *map, uint32_t address) {
    size_t low = 0, high = map->range_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const MmioRange *range = &map->ranges[middle];
        if (range->base + (range->size - 1) < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* MMIO ranges need not fill whole pages. */
static void report_range(PhysicalMap *map, uint32_t base, uint32_t size) {
    uint32_t first = base >> PAGE_BITS;
    report_layout(map, first, ((base + (size - 1)) >> PAGE_BITS) - first + 1);
}

bool physical_map_add_mmio(PhysicalMap *map, const MmioRange *range, Error *error) {
    uint32_t last = range->base + (range->size - 1);
    if (range->size == 0 || last < range->base)
        return error_set(error, "%s: %u bytes from %08Xh do not fit the address space", range->name,
                         range->size, range->base);
    size_t index = find_range_index(map, range->base);
    if (index < map->range_count && map->ranges[index].base <= last) {
        const MmioRange *other = &map->ranges[index];
        return error_set(error, "memory %08Xh-%08Xh of %s overlaps %08Xh-%08Xh of %s", range->base,
                         last, range->name, other->base, other->base + (other->size - 1),
                         other->name);
    }
    map->ranges =
        allocate_grow(map->ranges, &map->range_capacity, map->range_count + 1, sizeof *map->ranges);
    memmove(&map->ranges[index + 1], &map->ranges[index],
            (map->range_count - index) * sizeof *map->ranges);
    map->ranges[index] = *range;
    map->range_count++;
    report_range(map, range->base, range->size);
    return true;
}

void physical_map_remove_mmio(PhysicalMap *map, uint32_t base, void *opaque) {
    size_t index = find_range_index(map, base);
    if (index == map->range_count || map->ranges[index].base != base ||
        map->ranges[index].opaque != opaque)
        return;
    uint32_t size = map->ranges[index].size;
    map->range_count--;
    memmove(&map->ranges[index], &map->ranges[index + 1],
            (map->range_count - index) * sizeof *map->ranges);
    report_range(map, base, size);
}

const MmioRange *physical_map_find_mmio(const PhysicalMap *map, uint32_t address) {
    size_t index = find_range_index(map, address);
    if (index == map->range_count || map->ranges[index].base > address)
        return NULL;
    return &map->ranges[index];
}

static void update_a20_mask(PhysicalMap *map) {
    uint32_t mask = map->a20_open || map->a20_ignored ? UINT32_MAX : ~A20_BIT;
    if (mask == map->a20_mask)
        return;
    map->a20_mask = mask;
    report_layout(map, 0, PHYSICAL_PAGES);
}

void physical_map_set_a20(PhysicalMap *map, bool open) {
    map->a20_open = open;
    update_a20_mask(map);
}

bool physical_map_a20(const PhysicalMap *map) {
    return map->a20_open;
}

void physical_map_ignore_a20(PhysicalMap *map, bool ignored) {
    map->a20_ignored = ignored;
    update_a20_mask(map);
}

uint32_t physical_map_a20_mask(const PhysicalMap *map) {
    return map->a20_mask;
}

/* ---- Accesses ---- */

CodeBytes *physical_map_code_bytes(const PhysicalMap *map, uint32_t page) {
    return map->code_bytes[page];
}

static CodeBytes *make_code_bytes(PhysicalMap *map, uint32_t page) {
    if (map->code_bytes[page] == NULL) {
        CodeRecord *record = allocate_zeroed(sizeof *record);
        record->next = map->code_bytes_first;
        map->code_bytes_first = record;
        map->code_bytes[page] = &record->bytes;
    }
    return map->code_bytes[page];
}

/* Has somebody to be told of a store to this page, whose flag PAGE_CODE is set? */
static inline bool meets_code(const PhysicalMap *map, uint32_t address, uint32_t size) {
    const CodeBytes *code = map->code_bytes[address >> PAGE_BITS];
    return code == NULL || code_bytes_hold(code, address & PAGE_OFFSET_MASK, size);
}

/* Everything that must happen before a store to memory within one page. */
static inline void prepare_store(PhysicalMap *map, uint8_t *flags, uint32_t address,
                                 uint32_t size) {
    if (flags == NULL)
        return;
    if ((*flags & PAGE_CODE) != 0 && meets_code(map, address, size))
        tell_code_changes(map, address, size);
    physical_map_mark_page(map, flags, PAGE_DIRTY_ALL);
}

/* How many bytes the next access to 'range' at 'address' takes: the largest naturally aligned
 * piece of 1, 2 or 4 bytes that ends within the 'left' bytes and within the range. */
static unsigned mmio_piece(const MmioRange *range, uint32_t address, size_t left) {
    uint32_t in_range = range->size - (address - range->base);
    unsigned piece = 4;
    while (piece > left || piece > in_range || address % piece != 0)
        piece /= 2;
    return piece;
}

void physical_map_before_device(const PhysicalMap *map) {
    for (unsigned i = 0; i < map->hook_count; i++)
        if (map->hooks[i].before_device != NULL)
            map->hooks[i].before_device(map->hooks[i].opaque);
}

/* One access where no memory is. Tells how many bytes it took. A callback may change the map. */
static unsigned read_mmio(PhysicalMap *map, uint32_t address, size_t left, uint8_t *data) {
    const MmioRange *range = physical_map_find_mmio(map, address);
    if (range == NULL || range->read == NULL) {
        *data = 0xFF;
        return 1;
    }
    unsigned piece = mmio_piece(range, address, left);
    physical_map_before_device(map);
    store_le(data, piece, range->read(range->opaque, address - range->base, piece));
    return piece;
}

static unsigned write_mmio(PhysicalMap *map, uint32_t address, size_t left, const uint8_t *data) {
    const MmioRange *range = physical_map_find_mmio(map, address);
    if (range == NULL || range->write == NULL)
        return 1;
    unsigned piece = mmio_piece(range, address, left);
    physical_map_before_device(map);
    range->write(range->opaque, address - range->base, piece, (uint32_t)load_le(data, piece));
    return piece;
}

void physical_read_bytes(PhysicalMap *map, uint32_t address, void *data, size_t size) {
    uint8_t *to = data;
    while (size > 0) {
        const PhysicalPage page = get_page(map, address >> PAGE_BITS);
        size_t in_page = PAGE_SIZE - (address & PAGE_OFFSET_MASK);
        size_t piece = size < in_page ? size : in_page;
        if (page.read != NULL)
            memcpy(to, page.read + (address & PAGE_OFFSET_MASK), piece);
        else
            piece = read_mmio(map, address, piece, to);
        address += (uint32_t)piece;
        to += piece;
        size -= piece;
    }
}

void physical_write_bytes(PhysicalMap *map, uint32_t address, const void *data, size_t size) {
    const uint8_t *from = data;
    while (size > 0) {
        const PhysicalPage page = get_page(map, address >> PAGE_BITS);
        size_t in_page = PAGE_SIZE - (address & PAGE_OFFSET_MASK);
        size_t piece = size < in_page ? size : in_page;
        if (page.write != NULL) {
            prepare_store(map, page.flags, address, (uint32_t)piece);
            memcpy(page.write + (address & PAGE_OFFSET_MASK), from, piece);
        } else {
            piece = write_mmio(map, address, piece, from);
        }
        address += (uint32_t)piece;
        from += piece;
        size -= piece;
    }
}

uint64_t physical_read(PhysicalMap *map, uint32_t address, unsigned size) {
    uint32_t offset = address & PAGE_OFFSET_MASK;
    const PhysicalPage page = get_page(map, address >> PAGE_BITS);
    if (page.read != NULL && offset + size <= PAGE_SIZE)
        return load_le(page.read + offset, size);
    uint8_t data[8] = {0};
    physical_read_bytes(map, address, data, size);
    return load_le64(data);
}

/* Programs that store into their code mostly store what is there already: DOS compilers' libraries
 * set the number of an INT anew before each. Such a store changes no code. */
static bool keeps_code(const PhysicalPage *page, uint32_t offset, unsigned size, uint64_t value) {
    if (page->flags == NULL || !(*page->flags & PAGE_CODE))
        return false;
    uint8_t data[8];
    store_le64(data, value);
    return memcmp(page->write + offset, data, size) == 0;
}

void physical_write(PhysicalMap *map, uint32_t address, unsigned size, uint64_t value) {
    uint32_t offset = address & PAGE_OFFSET_MASK;
    const PhysicalPage page = get_page(map, address >> PAGE_BITS);
    if (page.write != NULL && offset + size <= PAGE_SIZE) {
        if (keeps_code(&page, offset, size, value))
            physical_map_mark_page(map, page.flags, PAGE_DIRTY_ALL);
        else
            prepare_store(map, page.flags, address, size);
        store_le(page.write + offset, size, value);
        return;
    }
    uint8_t data[8];
    store_le64(data, value);
    physical_write_bytes(map, address, data, size);
}

void physical_map_touch(PhysicalMap *map, uint32_t address, uint32_t size) {
    while (size > 0) {
        uint32_t piece = minimum(size, PAGE_SIZE - (address & PAGE_OFFSET_MASK));
        prepare_store(map, get_page(map, address >> PAGE_BITS).flags, address, piece);
        address += piece;
        size -= piece;
    }
}

/* ---- Code ---- */

CodeBytes *physical_map_claim_code(PhysicalMap *map, uint32_t page) {
    uint8_t *flags = get_page(map, page).flags;
    map->code_users[page]++;
    if (flags != NULL && (*flags & PAGE_CODE) == 0) {
        *flags |= PAGE_CODE;
        tell_code_appears(map, page);
    }
    return make_code_bytes(map, page);
}

void physical_map_release_code(PhysicalMap *map, uint32_t page) {
    uint8_t *flags = get_page(map, page).flags;
    if (--map->code_users[page] != 0)
        return;
    code_bytes_clear(map->code_bytes[page], 0, PAGE_SIZE);
    if (flags == NULL)
        return;
    *flags &= (uint8_t)~PAGE_CODE;
    tell_code_disappeared(map, page);
}

bool physical_map_shares_code(const PhysicalMap *map, uint32_t page) {
    return map->code_users[page] > 1;
}

/* ---- Dirty flags ---- */

static void report_dirty_cleared(PhysicalMap *map) {
    for (unsigned i = 0; i < map->hook_count; i++)
        if (map->hooks[i].dirty_cleared != NULL)
            map->hooks[i].dirty_cleared(map->hooks[i].opaque);
}

void physical_map_mark_first(PhysicalMap *map, uint8_t *flags, uint8_t mask) {
    bool begins = (mask & ~*flags & PAGE_DIRTY_CHECKPOINT) != 0;
    for (unsigned i = 0; begins && map->page_changes != NULL && i < map->region_count; i++) {
        const GuestRegion *region = &map->regions[i];
        size_t page = (uintptr_t)flags - (uintptr_t)region->flags;
        if (page >= region->pages)
            continue;
        physical_map_before_device(
            map); /* whoever watches is compiled to use any register as well */
        map->page_changes(map->page_changes_opaque, region, (uint32_t)page);
    }
    *flags |= mask;
}

static bool clear_flags(uint8_t *flags, uint32_t pages, uint8_t mask) {
    mask &= PAGE_DIRTY_ALL;
    bool any = false;
    for (uint32_t i = 0; i < pages; i++)
        if ((flags[i] & mask) != 0) {
            flags[i] &= (uint8_t)~mask;
            any = true;
        }
    return any;
}

bool physical_map_clear_dirty_flags(PhysicalMap *map, uint8_t *flags, uint32_t pages,
                                    uint8_t mask) {
    bool any = clear_flags(flags, pages, mask);
    if (any)
        report_dirty_cleared(map);
    return any;
}

void physical_map_clear_dirty(PhysicalMap *map, uint8_t mask) {
    bool any = false;
    for (unsigned i = 0; i < map->region_count; i++)
        any |= clear_flags(map->regions[i].flags, map->regions[i].pages, mask);
    if (any)
        report_dirty_cleared(map);
}

/* ---- Going back to earlier contents ---- */

/* As finely as code is told apart from data beside it. */
#define REPLACED_PIECE 64

/* A page of RAM lies at its own number, or nowhere: then no code was translated from it. */
static void report_replaced_ram(PhysicalMap *map, const GuestRegion *ram, uint32_t page,
                                const uint8_t *content) {
    const uint8_t *present = ram->host + ((size_t)page << PAGE_BITS);
    for (uint32_t at = 0; at < PAGE_SIZE; at += REPLACED_PIECE)
        if (memcmp(present + at, content + at, REPLACED_PIECE) != 0)
            tell_code_changes(map, (page << PAGE_BITS) + at, REPLACED_PIECE);
}

void physical_map_replace_page(PhysicalMap *map, const GuestRegion *region, uint32_t page,
                               const uint8_t *content) {
    uint8_t *flags = &region->flags[page];
    if ((*flags & PAGE_CODE) != 0) {
        if (region == &map->regions[0]) {
            report_replaced_ram(map, region, page, content);
        } else {
            *flags |= PAGE_REPLACED;
            map->has_replaced = true;
        }
    }
    memcpy(region->host + ((size_t)page << PAGE_BITS), content, PAGE_SIZE);
    *flags |= PAGE_DIRTY_ALL;
    *flags &= (uint8_t)~PAGE_DIRTY_CHECKPOINT;
}

/* Where a device's memory lies is its own affair: code that was translated from there, which is
 * rare, is looked for everywhere. */
static void report_replaced_elsewhere(PhysicalMap *map) {
    for (uint32_t page = 0; page < PHYSICAL_PAGES; page++) {
        const uint8_t *flags = get_page(map, page).flags;
        if (flags != NULL && (*flags & PAGE_REPLACED) != 0)
            tell_code_changes(map, page << PAGE_BITS, PAGE_SIZE);
    }
    for (unsigned i = 1; i < map->region_count; i++)
        for (uint32_t page = 0; page < map->regions[i].pages; page++)
            map->regions[i].flags[page] &= (uint8_t)~PAGE_REPLACED;
    map->has_replaced = false;
}

void physical_map_end_replacing(PhysicalMap *map) {
    if (map->has_replaced)
        report_replaced_elsewhere(map);
    report_dirty_cleared(map);
}

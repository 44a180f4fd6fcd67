/* 'info tlb' and 'info mem': what the guest's page tables map, read without touching them. */
#include "machine_parts.h"
#include "monitor_command.h"

/* Page-table bits, SDM vol. 3A 4.3 and 4.4. */
enum {
    ENTRY_P = 1 << 0,
    ENTRY_RW = 1 << 1,
    ENTRY_US = 1 << 2,
    ENTRY_PWT = 1 << 3,
    ENTRY_PCD = 1 << 4,
    ENTRY_A = 1 << 5,
    ENTRY_D = 1 << 6,
    ENTRY_PS = 1 << 7,
    ENTRY_G = 1 << 8,
};
#define ENTRY_NX (1ull << 63)

/* More lines than this would fill a terminal for minutes. */
#define MOST_LINES 200000

/* One mapped page: where, how large, with which rights. */
typedef struct Mapping {
    uint64_t linear, size;
    uint64_t physical;
    uint64_t flags;  /* of the last entry */
    uint64_t rights; /* P, RW and US of all levels together */
} Mapping;

typedef void MappingVisitor(void *opaque, const Mapping *mapping);

typedef struct Walk {
    PhysicalMap *memory;
    const CpuState *state;
    MappingVisitor *visit;
    void *opaque;
} Walk;

static uint64_t read_entry(const Walk *walk, uint64_t table, unsigned index, unsigned size) {
    uint32_t address = (uint32_t)(table + (uint64_t)index * size);
    return physical_read(walk->memory, address & physical_map_a20_mask(walk->memory), size);
}

static void walk_table(const Walk *walk, uint64_t table, uint64_t linear, uint64_t rights,
                       unsigned entry_size) {
    unsigned entries = PAGE_SIZE / entry_size;
    for (unsigned i = 0; i < entries; i++) {
        uint64_t entry = read_entry(walk, table, i, entry_size);
        if ((entry & ENTRY_P) == 0)
            continue;
        Mapping mapping = {linear + (uint64_t)i * PAGE_SIZE, PAGE_SIZE,
                           entry & 0x000FFFFFFFFFF000ull, entry, rights & entry};
        walk->visit(walk->opaque, &mapping);
    }
}

static void walk_directory(const Walk *walk, uint64_t directory, uint64_t linear,
                           unsigned entry_size) {
    unsigned entries = PAGE_SIZE / entry_size;
    uint64_t large = entry_size == 8 ? 2u << 20 : 4u << 20;
    bool has_large = entry_size == 8 || (walk->state->cr4 & CR4_PSE) != 0;
    for (unsigned i = 0; i < entries; i++) {
        uint64_t entry = read_entry(walk, directory, i, entry_size);
        uint64_t at = linear + i * large;
        if ((entry & ENTRY_P) == 0)
            continue;
        if ((entry & ENTRY_PS) != 0 && has_large) {
            Mapping mapping = {at, large, entry & 0x000FFFFFFFFFF000ull & ~(large - 1), entry,
                               entry};
            walk->visit(walk->opaque, &mapping);
        } else {
            walk_table(walk, entry & 0x000FFFFFFFFFF000ull, at, entry, entry_size);
        }
    }
}

static bool walk_all(Monitor *monitor, MappingVisitor *visit, void *opaque) {
    const CpuState *state = &monitor_cpu(monitor)->state;
    Walk walk = {monitor->machine->memory, state, visit, opaque};
    if ((state->cr0 & CR0_PG) == 0) {
        monitor_print(monitor, "PG disabled\n");
        return false;
    }
    if ((state->cr4 & CR4_PAE) == 0) {
        walk_directory(&walk, state->cr3 & ~(uint64_t)0xFFF, 0, 4);
        return true;
    }
    for (unsigned i = 0; i < 4; i++) {
        if ((state->pdpte[i] & ENTRY_P) != 0)
            walk_directory(&walk, state->pdpte[i] & 0x000FFFFFFFFFF000ull, (uint64_t)i << 30, 8);
    }
    return true;
}

typedef struct TlbPrinter {
    Monitor *monitor;
    uint32_t lines;
} TlbPrinter;

static void print_mapping(void *opaque, const Mapping *mapping) {
    TlbPrinter *printer = opaque;
    uint64_t flags = mapping->flags;
    if (printer->lines++ >= MOST_LINES)
        return;
    monitor_print(printer->monitor, "%016llx: %016llx %c%c%c%c%c%c%c%c%c\n",
                  (unsigned long long)mapping->linear, (unsigned long long)mapping->physical,
                  (flags & ENTRY_NX) != 0 ? 'X' : '-', (flags & ENTRY_G) != 0 ? 'G' : '-',
                  mapping->size > PAGE_SIZE ? 'P' : '-', (flags & ENTRY_D) != 0 ? 'D' : '-',
                  (flags & ENTRY_A) != 0 ? 'A' : '-', (flags & ENTRY_PCD) != 0 ? 'C' : '-',
                  (flags & ENTRY_PWT) != 0 ? 'T' : '-', (flags & ENTRY_US) != 0 ? 'U' : '-',
                  (flags & ENTRY_RW) != 0 ? 'W' : '-');
}

bool monitor_info_tlb(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    TlbPrinter printer = {monitor, 0};
    walk_all(monitor, print_mapping, &printer);
    return true;
}

/* Joins neighbours with the same rights. */
typedef struct RangePrinter {
    Monitor *monitor;
    uint64_t start, end;
    uint64_t rights; /* 0: no range open */
} RangePrinter;

static void close_range(RangePrinter *printer) {
    if (printer->rights == 0)
        return;
    monitor_print(printer->monitor, "%016llx-%016llx %016llx %cr%c\n",
                  (unsigned long long)printer->start, (unsigned long long)printer->end,
                  (unsigned long long)(printer->end - printer->start),
                  (printer->rights & ENTRY_US) != 0 ? 'u' : '-',
                  (printer->rights & ENTRY_RW) != 0 ? 'w' : '-');
    printer->rights = 0;
}

static void join_mapping(void *opaque, const Mapping *mapping) {
    RangePrinter *printer = opaque;
    uint64_t rights = mapping->rights & (ENTRY_P | ENTRY_RW | ENTRY_US);
    if (printer->rights != rights || printer->end != mapping->linear) {
        close_range(printer);
        printer->start = mapping->linear;
        printer->rights = rights;
    }
    printer->end = mapping->linear + mapping->size;
}

bool monitor_info_mem(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    RangePrinter printer = {.monitor = monitor};
    if (walk_all(monitor, join_mapping, &printer))
        close_range(&printer);
    return true;
}

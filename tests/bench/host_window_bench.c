/* Measures what the host's own MMU would cost and gain as the guest's: a window of 4 GB in which
 * the guest's pages are mapped where the guest sees them, so that a guest's access is one
 * instruction of the host, [gs:address32], instead of a look into the TLB (tlb.h).
 *
 *   host_window_bench [--quick]
 *
 * Three tables: what pages of a window cost, beside those of the TLB; what accesses gain; and what
 * follows for guests whose accesses and TLB fills were counted. */
#define _GNU_SOURCE
#include <stdio.h>

#if defined(__x86_64__) && defined(__linux__)
#include "tlb.h"
#include <asm/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define WINDOW_BYTES (4ull << 30)
#define MOST_PAGES                                                                                 \
    16384u /* of guest memory; each may be a mapping of its own (vm.max_map_count)                 \
            */
#define SCATTER                                                                                    \
    0x9E3779B1u /* odd: page * SCATTER takes the pages in an order without neighbours              \
                 */
#define LINE_BYTES 64u
#define FIRST_LINEAR 0x08000000u
#define PAGE_FAULT_WAS_STORE 2 /* error code of #PF, SDM vol. 3A 4.7 */

typedef struct Window {
    uint8_t *base; /* where linear address 0 would be */
    int file;      /* guest memory: MOST_PAGES pages */
    uint8_t *ram;  /* all of it, as the TLB's entries see it */
    int64_t *table;
    unsigned rounds;
} Window;

/* A signal's handler is given no argument of ours. */
static Window *faulting_window;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Of this thread, the kernel's work for it too: what others do on this host does not count. */
static int64_t processor_time_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- The window ---- */

/* Where page n of what the guest sees lies in guest memory: scattered, as it is after a while. */
static uint32_t physical_page_of(uint32_t page) {
    return page * SCATTER % MOST_PAGES;
}

static void window_map_page(const Window *window, uint32_t page, int protection, int flags) {
    uint32_t physical = physical_page_of(page % MOST_PAGES);
    if (mmap(window->base + (uint64_t)page * PAGE_SIZE, PAGE_SIZE, protection,
             MAP_SHARED | MAP_FIXED | flags, window->file,
             (off_t)physical * PAGE_SIZE) == MAP_FAILED)
        fail("mmap of a page");
}

static void window_take_away(const Window *window, uint32_t page, uint64_t bytes) {
    if (mmap(window->base + (uint64_t)page * PAGE_SIZE, bytes, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        fail("mmap over the window");
}

static void window_drop(const Window *window) {
    window_take_away(window, 0, WINDOW_BYTES);
}

/* The first load maps the page for loads; the first store lets it be written, as the guest's D bit,
 * our dirty flags and stores beside code require. */
static void on_fault(int number, siginfo_t *info, void *context) {
    const Window *window = faulting_window;
    uint64_t offset = (uint64_t)((uint8_t *)info->si_addr - window->base);
    if (offset >= WINDOW_BYTES) {
        signal(number, SIG_DFL);
        return;
    }
    const ucontext_t *user = context;
    uint32_t page = (uint32_t)(offset / PAGE_SIZE);
    if ((user->uc_mcontext.gregs[REG_ERR] & PAGE_FAULT_WAS_STORE) == 0)
        window_map_page(window, page, PROT_READ, 0);
    else if (mprotect(window->base + (uint64_t)page * PAGE_SIZE, PAGE_SIZE,
                      PROT_READ | PROT_WRITE) != 0)
        fail("mprotect");
}

static void window_create(Window *window) {
    window->file = memfd_create("host_window_bench", MFD_CLOEXEC);
    uint64_t bytes = (uint64_t)MOST_PAGES * PAGE_SIZE;
    if (window->file < 0 || ftruncate(window->file, (off_t)bytes) != 0)
        fail("memfd_create");
    window->ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, window->file, 0);
    window->base = mmap(NULL, WINDOW_BYTES + PAGE_SIZE, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    window->table = malloc(TLB_PAGES * sizeof(int64_t));
    if (window->ram == MAP_FAILED || window->base == MAP_FAILED || window->table == NULL)
        fail("memory");
    memset(window->ram, 1, bytes);
    for (uint32_t page = 0; page < TLB_PAGES; page++)
        window->table[page] = TLB_INVALID;
    faulting_window = window;
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSEGV, &action, NULL) != 0 ||
        syscall(SYS_arch_prctl, ARCH_SET_GS, window->base) != 0)
        fail("signal handler or GS");
}

static void window_destroy(const Window *window) {
    munmap(window->base, WINDOW_BYTES + PAGE_SIZE);
    munmap(window->ram, (uint64_t)MOST_PAGES * PAGE_SIZE);
    free(window->table);
    close(window->file);
}

/* ---- What pages cost ---- */

enum { SPREAD = 17 }; /* pages apart: no two make one mapping */

static void touch(const Window *window, unsigned pages, bool store) {
    for (unsigned i = 0; i < pages; i++) {
        volatile uint8_t *byte = window->base + (uint64_t)i * SPREAD * PAGE_SIZE;
        if (store)
            *byte = 1;
        else
            (void)*byte;
    }
}

typedef enum PageCost {
    COST_LOAD_FAULTS,
    COST_STORE_FAULTS,
    COST_TAKEN_SINGLY,
    COST_MAPPED_AHEAD,
    COST_WINDOW_DROPPED,
    COST_TLB_FILLS,
    COST_TLB_FLUSH,
    PAGE_COSTS
} PageCost;

static const char *const cost_names[PAGE_COSTS] = {
    "window: first loads (signal, mmap, fault)",
    "window: first stores after them (signal, mprotect)",
    "window: pages taken away one by one",
    "window: pages mapped ahead, no signal",
    "window: all dropped by one mmap",
    "TLB: page walks and fills",
    "TLB: write to CR3",
};

static const unsigned page_counts[] = {1, 50, 200, 1000};
enum { PAGE_COUNTS = sizeof page_counts / sizeof page_counts[0] };

typedef double PageCosts[PAGE_COSTS][PAGE_COUNTS]; /* microseconds for so many pages */

/* Adds the time since '*start' if it is the shortest. */
static void note_shortest(double *shortest, int64_t *start) {
    int64_t now = processor_time_ns();
    double microseconds = (double)(now - *start) / 1e3;
    if (*shortest == 0 || microseconds < *shortest)
        *shortest = microseconds;
    *start = processor_time_ns();
}

static void measure_window_pages(const Window *window, unsigned column, PageCosts costs) {
    unsigned pages = page_counts[column];
    window_drop(window);
    int64_t start = processor_time_ns();
    touch(window, pages, false);
    note_shortest(&costs[COST_LOAD_FAULTS][column], &start);
    touch(window, pages, true);
    note_shortest(&costs[COST_STORE_FAULTS][column], &start);
    for (unsigned i = 0; i < pages; i++)
        window_take_away(window, i * SPREAD, PAGE_SIZE);
    note_shortest(&costs[COST_TAKEN_SINGLY][column], &start);
    for (unsigned i = 0; i < pages; i++)
        window_map_page(window, i * SPREAD, PROT_READ | PROT_WRITE, MAP_POPULATE);
    note_shortest(&costs[COST_MAPPED_AHEAD][column], &start);
    window_drop(window);
    note_shortest(&costs[COST_WINDOW_DROPPED][column], &start);
}

enum { DIRECTORY = 0x1000, TABLES = 0x10000, FRAMES = 0x100000, PAGING_RAM = 16 << 20 };
enum { PTE_PRESENT_WRITE = 3, PTES = 1024 };

/* Page tables for as many pages as are asked for at most, SPREAD apart. */
static void write_page_tables(PhysicalMap *map) {
    unsigned most = page_counts[PAGE_COUNTS - 1];
    for (uint32_t i = 0; i < most; i++) {
        uint32_t page = i * SPREAD, table = TABLES + page / PTES * PAGE_SIZE;
        uint32_t frame = FRAMES + i * SCATTER % 1024 * PAGE_SIZE;
        physical_write(map, DIRECTORY + page / PTES * 4, 4, table | PTE_PRESENT_WRITE);
        physical_write(map, table + page % PTES * 4, 4, frame | PTE_PRESENT_WRITE);
    }
}

static void measure_tlb_pages(Tlb *tlb, unsigned column, PageCosts costs) {
    uint32_t physical = 0;
    PageFault fault;
    int64_t start = processor_time_ns();
    for (uint32_t i = 0; i < page_counts[column]; i++)
        if (!tlb_translate(tlb, i * SPREAD * PAGE_SIZE, ACCESS_WRITE, false, &physical, &fault))
            abort();
    note_shortest(&costs[COST_TLB_FILLS][column], &start);
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, tlb->cr4, false, true);
    note_shortest(&costs[COST_TLB_FLUSH][column], &start);
}

static void measure_pages(const Window *window, PageCosts costs) {
    Error error = {.set = false};
    PhysicalMap *map = physical_map_create(PAGING_RAM, &error);
    Tlb *tlb = tlb_map_storage(sizeof(Tlb));
    if (map == NULL || tlb == NULL || !tlb_init(tlb, map, &error)) {
        fprintf(stderr, "host_window_bench: %s\n", error.message);
        exit(1);
    }
    write_page_tables(map);
    tlb_set_control(tlb, 0x80000001u, DIRECTORY, 0, false, true); /* PG and PE */
    for (unsigned round = 0; round < window->rounds; round++)
        for (unsigned column = 0; column < PAGE_COUNTS; column++) {
            measure_window_pages(window, column, costs);
            measure_tlb_pages(tlb, column, costs);
        }
    tlb_destroy(tlb);
    tlb_unmap_storage(tlb, sizeof(Tlb));
    physical_map_destroy(map);
}

static void print_page_costs(PageCosts costs) {
    printf("| microseconds for so many scattered pages |");
    for (unsigned column = 0; column < PAGE_COUNTS; column++)
        printf(" %u |", page_counts[column]);
    printf("\n|---|---|---|---|---|\n");
    for (unsigned row = 0; row < PAGE_COSTS; row++) {
        printf("| %s |", cost_names[row]);
        for (unsigned column = 0; column < PAGE_COUNTS; column++)
            printf(" %.2f |", costs[row][column]);
        printf("\n");
    }
}

/* ---- What accesses gain ---- */

/* The sequence of x86_64_memory.c before the access itself. What it would jump to does not happen
 * here. */
#define TLB_SEQUENCE(access)                                                                       \
    "mov %k[address], %k[host]\n\t"                                                                \
    "shrx %k[bits], %k[host], %k[page]\n\t"                                                        \
    "add (%[table],%q[page],8), %q[host]\n\t"                                                      \
    "js 9f\n\t"                                                                                    \
    "testb $3, %b[host]\n\t"                                                                       \
    "jnz 9f\n\t" access "\n\t"                                                                     \
    ".pushsection .text.unlikely,\"ax\",@progbits\n"                                               \
    "9: ud2\n\t"                                                                                   \
    ".popsection"

static inline __attribute__((always_inline)) uint32_t lookup_load(const int64_t *table,
                                                                  uint32_t address) {
    uint64_t host, page;
    uint32_t value;
    __asm__ volatile(TLB_SEQUENCE("mov (%q[host]), %k[value]")
                     : [value] "=r"(value), [host] "=&q"(host), [page] "=&r"(page)
                     : [address] "r"(address), [table] "r"(table), [bits] "r"(PAGE_BITS)
                     : "cc", "memory");
    return value;
}

static inline __attribute__((always_inline)) void lookup_store(const int64_t *table,
                                                               uint32_t address, uint32_t value) {
    uint64_t host, page;
    __asm__ volatile(
        TLB_SEQUENCE("mov %k[value], (%q[host])")
        : [host] "=&q"(host), [page] "=&r"(page)
        : [value] "r"(value), [address] "r"(address), [table] "r"(table), [bits] "r"(PAGE_BITS)
        : "cc", "memory");
}

static inline __attribute__((always_inline)) uint32_t window_load(const int64_t *table,
                                                                  uint32_t address) {
    (void)table;
    uint32_t value;
    __asm__ volatile("mov %%gs:(%k[address]), %k[value]"
                     : [value] "=r"(value)
                     : [address] "r"(address)
                     : "memory");
    return value;
}

static inline __attribute__((always_inline)) void window_store(const int64_t *table,
                                                               uint32_t address, uint32_t value) {
    (void)table;
    __asm__ volatile("mov %k[value], %%gs:(%k[address])"
                     :
                     : [value] "r"(value), [address] "r"(address)
                     : "memory");
}

/* A loop makes 'count' accesses to 'bytes' from FIRST_LINEAR on, a power of two. */
typedef uint32_t Loop(const int64_t *table, uint32_t bytes, uint32_t count);

#define DEFINE_LOOPS(way)                                                                          \
    static uint32_t way##_loads(const int64_t *table, uint32_t bytes, uint32_t count) {            \
        uint32_t sum = 0;                                                                          \
        for (uint32_t i = 0; i < count; i++)                                                       \
            sum += way##_load(table, FIRST_LINEAR + (i * 4 & (bytes - 1)));                        \
        return sum;                                                                                \
    }                                                                                              \
    static uint32_t way##_stores(const int64_t *table, uint32_t bytes, uint32_t count) {           \
        for (uint32_t i = 0; i < count; i++)                                                       \
            way##_store(table, FIRST_LINEAR + (i * 4 & (bytes - 1)), i);                           \
        return 0;                                                                                  \
    }                                                                                              \
    static uint32_t way##_random(const int64_t *table, uint32_t bytes, uint32_t count) {           \
        uint32_t random = 1, sum = 0;                                                              \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            random = random * 1664525 + 1013904223;                                                \
            sum += way##_load(table, FIRST_LINEAR + (random >> 4 & (bytes - 4)));                  \
        }                                                                                          \
        return sum;                                                                                \
    }                                                                                              \
    static uint32_t way##_chase(const int64_t *table, uint32_t bytes, uint32_t count) {            \
        (void)bytes;                                                                               \
        uint32_t address = FIRST_LINEAR;                                                           \
        for (uint32_t i = 0; i < count; i++)                                                       \
            address = way##_load(table, address);                                                  \
        return address;                                                                            \
    }

DEFINE_LOOPS(lookup)
DEFINE_LOOPS(window)

/* In this order: the stores would destroy the chain of addresses. */
static const struct {
    const char *name;
    Loop *lookup, *window;
} loops[] = {
    {"loads in a row", lookup_loads, window_loads},
    {"random loads", lookup_random, window_random},
    {"pointer chase", lookup_chase, window_chase},
    {"stores in a row", lookup_stores, window_stores},
};
enum { LOOPS = sizeof loops / sizeof loops[0] };

static const uint32_t working_sets[] = {16 << 10, 512 << 10, 64 << 20};
enum { WORKING_SETS = sizeof working_sets / sizeof working_sets[0] };

static uint8_t *ram_at(const Window *window, uint32_t linear) {
    return window->ram + (uint64_t)physical_page_of(linear / PAGE_SIZE % MOST_PAGES) * PAGE_SIZE +
           linear % PAGE_SIZE;
}

/* One cycle through all lines of the working set, each with the address of the next. */
static void write_chain(const Window *window, uint32_t bytes) {
    uint32_t lines = bytes / LINE_BYTES, line = 0;
    for (uint32_t i = 0; i < lines; i++) { /* a full-period generator modulo a power of two */
        uint32_t next = (line * 1664525 + 1013904223) % lines;
        uint32_t address = FIRST_LINEAR + next * LINE_BYTES;
        memcpy(ram_at(window, FIRST_LINEAR + line * LINE_BYTES), &address, sizeof address);
        line = next;
    }
}

static void map_everything(const Window *window) {
    for (uint32_t i = 0; i < MOST_PAGES; i++) {
        uint32_t page = FIRST_LINEAR / PAGE_SIZE + i;
        window_map_page(window, page, PROT_READ | PROT_WRITE, 0);
        window->table[page] = (int64_t)(intptr_t)ram_at(window, page * PAGE_SIZE) -
                              (int64_t)((uint64_t)page * PAGE_SIZE);
    }
}

static double time_loop(const Window *window, Loop *loop, uint32_t bytes, uint32_t count,
                        uint32_t *result) {
    int64_t start = processor_time_ns();
    *result = loop(window->table, bytes, count);
    return (double)(processor_time_ns() - start) / count;
}

/* The two ways in turns; the shortest of each counts, since the host may be busy. False: they did
 * not read the same. */
static bool measure_loop(const Window *window, unsigned loop, uint32_t bytes, double shortest[2]) {
    uint32_t count = window->rounds > 3 ? 1u << 19 : 1u << 14;
    for (unsigned round = 0; round < window->rounds; round++) {
        uint32_t results[2];
        for (unsigned way = 0; way < 2; way++) {
            Loop *function = way == 0 ? loops[loop].lookup : loops[loop].window;
            double time = time_loop(window, function, bytes, count, &results[way]);
            if (round == 0 || time < shortest[way])
                shortest[way] = time;
        }
        if (results[0] != results[1])
            return false;
    }
    return true;
}

/* '*look' becomes what a look costs at most. */
static bool measure_accesses(const Window *window, double *look) {
    *look = 0;
    printf("\n| nanoseconds an access: TLB, window |");
    for (unsigned set = 0; set < WORKING_SETS; set++)
        printf(" %u KB |", working_sets[set] >> 10);
    printf("\n|---|---|---|---|\n");
    map_everything(window);
    for (unsigned loop = 0; loop < LOOPS; loop++) {
        printf("| %s |", loops[loop].name);
        for (unsigned set = 0; set < WORKING_SETS; set++) {
            double shortest[2] = {0, 0};
            write_chain(window, working_sets[set]);
            if (!measure_loop(window, loop, working_sets[set], shortest))
                return false;
            printf(" %.2f, %.2f |", shortest[0], shortest[1]);
            if (set == 0 && shortest[0] - shortest[1] > *look)
                *look = shortest[0] - shortest[1];
        }
        printf("\n");
    }
    return true;
}

/* ---- What follows for guests ---- */

/* Counted in an emulator that was changed for it: 'millions' of looks into the TLB by translated
 * code (one for a whole stack frame counts once), entries of the TLB filled and dropped, writes to
 * CR3; and the CPU seconds of the guest's work, as they are and with every look made twice. */
typedef struct GuestCounts {
    const char *name;
    double seconds, twice, millions;
    unsigned fills, dropped, cr3_writes;
} GuestCounts;

static const GuestCounts guests[] = {
    // clang-format off
    {"SeaBIOS alone", 0.028, 0.029, 1.2, 1115, 739, 8},
    {"FreeDOS boot", 0.097, 0.117, 9.0, 1163, 961, 8},
    {"real_sieve (real mode)", 0.147, 0.184, 157.7, 975, 646, 8},
    {"real_sort (real mode)", 0.051, 0.054, 12.9, 975, 646, 8},
    {"flat_sort (no paging)", 0.474, 0.516, 151.8, 1102, 709, 8},
    {"Linux to its shell", 1.942, 2.216, 735.9, 58655, 39788, 15886},
    {"sha256", 0.297, 0.335, 191.9, 140, 39, 5},
    {"quick_sort", 0.713, 0.762, 220.9, 183, 55, 5},
    {"pointer_chase", 0.795, 0.734, 8.3, 8243, 2089, 5},
    {"random_access", 0.132, 0.181, 19.0, 32920, 12263, 5},
    {"hash_megabytes", 0.129, 0.134, 17.7, 8230, 4119, 5},
    {"stack_frames", 0.212, 0.213, 112.2, 37, 22, 5},
    {"fork_wait", 0.147, 0.194, 31.1, 34117, 22422, 6405},
    {"process_switches", 0.291, 0.356, 77.8, 466559, 277122, 56781},
    {"page_faults", 0.458, 0.505, 143.0, 295382, 147767, 77},
    {"KolibriOS, 20 s", 4.679, 4.621, 1308.4, 45753, 22105, 3551},
    {"Floppy Bird, 10 s", 8.553, 0.000, 1098.4, 1147, 738, 8}, /* it polls: not timed twice */
    // clang-format on
};

/* Microseconds a page, with the most pages at once, and nanoseconds a look. */
typedef struct Prices {
    double fault, taken, look;
} Prices;

static double page_price(PageCosts costs, PageCost row) {
    return costs[row][PAGE_COUNTS - 1] / page_counts[PAGE_COUNTS - 1];
}

/* What a second look costs is what goes with the first one, as far as the host has its units free;
 * at most it is as much as where each access waits for the one before. Each entry that is filled is
 * a fault of the window, each one dropped a page taken away. The fallback knows beforehand what
 * pays. */
static void print_guest(const GuestCounts *guest, const Prices *prices) {
    double gain = guest->twice > guest->seconds ? guest->twice - guest->seconds : 0;
    double most = guest->millions * prices->look / 1e3;
    most = most < guest->seconds ? most : guest->seconds;
    most = most > gain ? most : gain;
    double cost = (guest->fills * prices->fault + guest->dropped * prices->taken) / 1e6;
    double with = guest->seconds - gain + cost;
    printf("| %s | %.3f | %.0f | %u | %u | %u | %.3f to %.3f | %.3f | %.3f | %.3f |\n", guest->name,
           guest->seconds, guest->millions, guest->fills, guest->dropped, guest->cr3_writes, gain,
           most, cost, with, with < guest->seconds ? with : guest->seconds);
}

static void print_guests(PageCosts costs, double look) {
    const Prices prices = {
        .fault = (page_price(costs, COST_LOAD_FAULTS) + page_price(costs, COST_STORE_FAULTS)) / 2,
        .taken = page_price(costs, COST_TAKEN_SINGLY),
        .look = look,
    };
    printf("\n| guest | seconds | million looks | fills | dropped | CR3 writes | gain | cost "
           "| with a window | with fallback |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < sizeof guests / sizeof guests[0]; i++)
        print_guest(&guests[i], &prices);
}

int main(int argument_count, char **arguments) {
    bool quick = argument_count > 1 && strcmp(arguments[1], "--quick") == 0;
    if (!__builtin_cpu_supports("bmi2")) {
        printf("host_window_bench: needs SHRX (BMI2)\n");
        return 77;
    }
    Window window = {.rounds = quick ? 2 : 9};
    PageCosts costs = {{0}};
    window_create(&window);
    measure_pages(&window, costs);
    print_page_costs(costs);
    double look = 0;
    bool same = measure_accesses(&window, &look);
    if (same)
        print_guests(costs, look);
    else
        fprintf(stderr, "host_window_bench: the window reads something else than the TLB\n");
    window_destroy(&window);
    return same ? 0 : 1;
}
#else
int main(void) {
    printf("host_window_bench: for x86-64 hosts with Linux\n");
    return 77;
}
#endif

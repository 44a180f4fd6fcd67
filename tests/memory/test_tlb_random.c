/* Random sequences of everything that can happen to a TLB. After each change of a page table that
 * takes something away, the guest does what the manual asks for (INVLPG or a CR3 write), so that a
 * plain walk through the tables, written here a second time, says exactly what every access must
 * give. */
#include "little_endian.h"
#include "paging_fixture.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { TABLE_PAGES = 48, STEPS = 20000, CHECK_EVERY = 500 };

typedef struct Random {
    uint64_t state;
} Random;

static uint32_t random_below(Random *random, uint32_t limit) {
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random->state >> 33) % limit);
}

static PagingFixture *fixture;
static Tlb *tlb;
static uint8_t *ram;

static void set_up(void) {
    fixture = fixture_create();
    fixture->forget_code = true;
    tlb = fixture->tlb;
    ram = physical_map_ram(fixture->map);
    for (uint32_t i = FRAMES; i < FIXTURE_RAM_BYTES; i++)
        ram[i] = (uint8_t)(i * 31 >> 3);
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

/* The walk as the manual draws it, for one byte: the fault's code or -1, and where the byte lies.
 * Sets A and D bits in the tables that 'memory' holds. */
static int walk_plainly(uint8_t *memory, uint32_t linear, bool write, bool user,
                        uint32_t *physical) {
    int code = (write ? 2 : 0) | (user ? 4 : 0);
    bool wp = (tlb->cr0 & CR0_WP_BIT) != 0;
    uint32_t marks = write ? A | D : A;
    if ((tlb->cr0 & CR0_PG_BIT) == 0) {
        *physical = linear;
        return -1;
    }
    uint8_t *pde = memory + DIRECTORY + 4 * (linear >> 22);
    uint8_t *leaf = memory + TABLE + 4 * (linear >> 12 & 1023);
    uint32_t rights = load_le32(pde), entry;
    if ((rights & P) == 0)
        return code;
    if ((rights & LARGE) != 0) {
        leaf = pde;
        entry = rights;
        *physical = (entry & 0xFFC00000) | (linear & 0x3FFFFF);
    } else {
        entry = load_le32(leaf);
        *physical = (entry & 0xFFFFF000) | (linear & 0xFFF);
        rights &= entry;
        if ((entry & P) == 0)
            return code;
    }
    if ((user && (rights & U) == 0) || (write && (rights & W) == 0 && (user || wp)))
        return code | 1;
    store_le32(pde, load_le32(pde) | A);
    store_le32(leaf, load_le32(leaf) | marks);
    return -1;
}

/* A linear address among those that the tables say something about; often at a page border. Without
 * paging it stays away from the tables. */
static uint32_t random_linear(Random *random) {
    uint32_t linear = random_below(random, TABLE_PAGES) << 12;
    if ((tlb->cr0 & CR0_PG_BIT) == 0)
        linear += FRAMES;
    else if (random_below(random, 4) == 0)
        linear = 0x400000 + (random_below(random, 1024) << 12);
    return linear + (random_below(random, 3) == 0 ? 0xFF8 + random_below(random, 8)
                                                  : random_below(random, 0x1000));
}

static uint8_t before[FIXTURE_RAM_BYTES]; /* the memory that the plain walk works on */

/* One access of random size, compared with a plain one byte by byte. */
static void step_access(Random *random) {
    uint32_t linear = random_linear(random);
    unsigned size = 1 + random_below(random, 8);
    bool write = random_below(random, 2) != 0, user = random_below(random, 2) != 0;
    uint64_t value = random->state * 0x9E3779B97F4A7C15u, expected = 0;
    uint32_t at[8];
    int code = -1;
    uint32_t faulting = linear;
    memcpy(before, ram, FRAMES);
    for (unsigned i = 0; i < size && code < 0; i++) {
        faulting = linear + i;
        code = walk_plainly(before, faulting, write, user, &at[i]);
    }
    /* What the TLB knows needs no A bit again, and a page that faults is asked for first in each
     * try. */
    PageFault fault = {0};
    uint64_t got = value;
    bool done = write ? tlb_write(tlb, linear, size, user, value, &fault)
                      : tlb_read(tlb, linear, size, user, &got, &fault);
    ck_assert_msg(done == (code < 0), "%08X size %u write %d user %d", linear, size, write, user);
    if (!done) {
        ck_assert_uint_eq(fault.address, faulting);
        ck_assert_int_eq((int)fault.error_code, code);
    }
    ck_assert_mem_eq(ram + DIRECTORY, before + DIRECTORY, 0x2000);
    for (unsigned i = 0; done && i < size; i++)
        expected |= (uint64_t)ram[at[i]] << 8 * i;
    if (done && write)
        ck_assert(expected == (value & UINT64_MAX >> (64 - 8 * size)));
    if (done && !write)
        ck_assert(got == expected);
}

static void step_remap(Random *random) {
    static const uint32_t bits[] = {
        0, P, P | W, P | U, P | W | U | G, P | W | U, P | W | U | A | D};
    uint32_t page = random_below(random, TABLE_PAGES);
    uint32_t frame = FRAMES + (random_below(random, 64) << 12);
    uint32_t entry = frame | bits[random_below(random, 7)];
    fixture_set_32(fixture, TABLE, page, entry);
    tlb_flush_page(tlb, page << 12);
    tlb_flush_page(tlb, 0x400000 | page << 12); /* where the same table may serve again */
}

/* Region 4 MB to 8 MB: nothing, a large page, or the table again. One INVLPG anywhere drops a large
 * page; the pages of a table are dropped one by one. */
static void step_remap_large(Random *random) {
    static const uint32_t bits[] = {0, P | LARGE, P | W | LARGE | G, P | W | U | LARGE, P | W | U};
    uint32_t old = fixture_get_32(fixture, DIRECTORY, 1), entry = bits[random_below(random, 5)];
    entry |= (entry & LARGE) != 0 ? 0x400000 * (1 + random_below(random, 3)) : (uint32_t)TABLE;
    fixture_set_32(fixture, DIRECTORY, 1, entry);
    if ((old & LARGE) != 0)
        tlb_flush_page(tlb, 0x400000 + random_below(random, 0x400000));
    for (uint32_t page = 0; (old & LARGE) == 0 && page < 1024; page++)
        tlb_flush_page(tlb, 0x400000 + (page << 12));
}

static void step_control(Random *random) {
    uint32_t cr0 = tlb->cr0, cr4 = tlb->cr4;
    switch (random_below(random, 4)) {
    case 0:
        cr0 ^= CR0_WP_BIT;
        break;
    case 1:
        cr0 ^= CR0_PG_BIT;
        break;
    case 2:
        cr4 ^= CR4_PGE_BIT;
        break;
    default:
        tlb_set_control(tlb, cr0, tlb->cr3, cr4, false, true);
        return;
    }
    tlb_set_control(tlb, cr0, tlb->cr3, cr4, false, false);
}

/* The translator's and the display's doings, which the guest must not notice. */
static void step_tracking(Random *random) {
    uint32_t page = (FRAMES >> 12) + random_below(random, 64);
    switch (random_below(random, 4)) {
    case 0:
        physical_map_ram_flags(fixture->map)[page] |= PAGE_CODE;
        tlb_drop_page_writes(tlb, page);
        break;
    case 1:
        physical_map_clear_dirty(fixture->map, PAGE_DIRTY_DISPLAY);
        break;
    case 2:
        physical_write(fixture->map, page << 12, 4, random->state);
        break;
    default:
        tlb_drop_writes(tlb);
        break;
    }
}

static void step_save_and_load(void) {
    ByteBuffer buffer = {0};
    tlb_save(tlb, &buffer);
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    Error error = {0};
    ck_assert_msg(tlb_load(tlb, &reader, &error), "%s", error.message);
    byte_buffer_free(&buffer);
}

static void step(Random *random) {
    uint32_t action = random_below(random, 1000);
    if (action < 850)
        step_access(random);
    else if (action < 930)
        step_remap(random);
    else if (action < 935)
        step_remap_large(random);
    else if (action < 945)
        step_control(random);
    else if (action < 998)
        step_tracking(random);
    else
        step_save_and_load();
}

START_TEST(random_sequences_agree_with_plain_walks) {
    Random random = {(uint64_t)_i + 1};
    fixture_page_32(fixture, 0, CR4_PSE_BIT);
    for (int i = 1; i <= STEPS; i++) {
        step(&random);
        /* Supervisor stores without WP, 'known' pages and A bits: whatever the TLB skips must be
         * set already. */
        if (i % CHECK_EVERY == 0)
            fixture_check(fixture);
    }
    ck_assert(tlb->fills > 1000 && tlb->walks > 1000 && fixture->code_changes > 10);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("tlb_random");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, random_sequences_agree_with_plain_walks, 0, 3);
    Suite *suite = suite_create("tlb_random");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

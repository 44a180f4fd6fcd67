/* Page walks in both formats: who may do what, with which error code, and what happens to A and D
 * bits. */
#include "paging_fixture.h"
#include "suite_run.h"
#include <check.h>

static PagingFixture *fixture;

static void set_up(void) {
    fixture = fixture_create();
}

static void tear_down(void) {
    fixture_check(fixture);
    fixture_destroy(fixture);
}

static int translate(uint32_t linear, AccessKind kind, bool user) {
    uint32_t physical;
    return fixture_translate(fixture, linear, kind, user, &physical);
}

static void expect_at(uint32_t linear, uint32_t expected) {
    uint32_t physical = 0;
    ck_assert_int_eq(fixture_translate(fixture, linear, ACCESS_READ, false, &physical), -1);
    ck_assert_uint_eq(physical, expected);
    ck_assert(tlb_probe(fixture->tlb, linear, &physical));
    ck_assert_uint_eq(physical, expected);
}

/* One access with these bits in directory and table entry, as the manual says it (SDM vol.
 * 3A 4.6, 4.7). */
static int expected_fault(unsigned pde, unsigned pte, AccessKind kind, bool user, bool wp) {
    int code = (kind == ACCESS_WRITE ? 2 : 0) | (user ? 4 : 0);
    if ((pde & pte & P) == 0)
        return code;
    if (user && (pde & pte & U) == 0)
        return code | 1;
    if (kind == ACCESS_WRITE && (pde & pte & W) == 0 && (user || wp))
        return code | 1;
    return -1;
}

typedef struct Combination {
    unsigned pde, pte;
    AccessKind kind;
    bool user, wp;
} Combination;

static Combination make_combination(int number) {
    return (Combination){
        .pde = (unsigned)number & 7,
        .pte = (unsigned)number >> 3 & 7,
        .user = number >> 6 & 1,
        .wp = number >> 7 & 1,
        .kind = (AccessKind)(number >> 8),
    };
}

/* 'pde' and 'pte' are the low bits as they stand in memory after the access. */
static void expect_accessed_bits(const Combination *c, int fault, unsigned pde, unsigned pte) {
    unsigned pde_bits = fault >= 0 ? 0 : A;
    unsigned pte_bits = fault >= 0 ? 0 : c->kind == ACCESS_WRITE ? A | D : A;
    ck_assert_uint_eq(pde & 0xFFF, c->pde | pde_bits);
    ck_assert_uint_eq(pte & 0xFFF, c->pte | pte_bits);
}

#define COMBINATIONS (3 << 8)

START_TEST(every_combination_of_rights_32_bit) {
    for (int i = 0; i < COMBINATIONS; i++) {
        const Combination c = make_combination(i);
        fixture_page_32(fixture, c.wp ? CR0_WP_BIT : 0, 0);
        fixture_set_32(fixture, DIRECTORY, 0, TABLE | c.pde);
        fixture_set_32(fixture, TABLE, 5, FRAMES | c.pte);
        int expected = expected_fault(c.pde, c.pte, c.kind, c.user, c.wp);
        uint32_t physical;
        bool there = (c.pde & c.pte & P) != 0;
        ck_assert(tlb_probe(fixture->tlb, 0x5123, &physical) == there);
        ck_assert_uint_eq(fixture_get_32(fixture, DIRECTORY, 0), TABLE | c.pde);
        ck_assert_int_eq(fixture_translate(fixture, 0x5123, c.kind, c.user, &physical), expected);
        if (expected < 0)
            ck_assert_uint_eq(physical, FRAMES + 0x123);
        expect_accessed_bits(&c, expected, fixture_get_32(fixture, DIRECTORY, 0),
                             fixture_get_32(fixture, TABLE, 5));
        /* The second time the TLB answers, or faults as before. */
        ck_assert_int_eq(translate(0x5FFF, c.kind, c.user), expected);
    }
}
END_TEST

START_TEST(every_combination_of_rights_pae) {
    for (int i = 0; i < COMBINATIONS; i++) {
        const Combination c = make_combination(i);
        fixture_page_pae(fixture, c.wp ? CR0_WP_BIT : 0, 0, false);
        fixture_set_pae(fixture, PAE_DIRECTORY, 0, PAE_TABLE | c.pde);
        fixture_set_pae(fixture, PAE_TABLE, 5, FRAMES | c.pte);
        int expected = expected_fault(c.pde, c.pte, c.kind, c.user, c.wp);
        ck_assert_int_eq(translate(0x5123, c.kind, c.user), expected);
        expect_accessed_bits(&c, expected, (unsigned)fixture_get_pae(fixture, PAE_DIRECTORY, 0),
                             (unsigned)fixture_get_pae(fixture, PAE_TABLE, 5));
    }
}
END_TEST

START_TEST(every_combination_of_rights_large) {
    for (int i = 0; i < COMBINATIONS; i++) {
        const Combination c = make_combination(i);
        bool pae = (i & 8) != 0; /* the table's bits are free here */
        if (pae) {
            fixture_page_pae(fixture, c.wp ? CR0_WP_BIT : 0, 0, false);
            fixture_set_pae(fixture, PAE_DIRECTORY, 1, 0x400000 | LARGE | c.pde);
        } else {
            fixture_page_32(fixture, c.wp ? CR0_WP_BIT : 0, CR4_PSE_BIT);
            fixture_set_32(fixture, DIRECTORY, 1, 0x400000 | LARGE | c.pde);
        }
        uint32_t linear = pae ? 0x2ABCDE : 0x4ABCDE;
        int expected = expected_fault(c.pde, P | W | U, c.kind, c.user, c.wp);
        uint32_t physical;
        ck_assert_int_eq(fixture_translate(fixture, linear, c.kind, c.user, &physical), expected);
        unsigned entry = (unsigned)(pae ? fixture_get_pae(fixture, PAE_DIRECTORY, 1)
                                        : fixture_get_32(fixture, DIRECTORY, 1));
        unsigned bits = expected >= 0 ? 0 : c.kind == ACCESS_WRITE ? A | D : A;
        ck_assert_uint_eq(entry, 0x400000 | LARGE | c.pde | bits);
        if (expected < 0)
            ck_assert_uint_eq(physical, 0x4ABCDE);
    }
}
END_TEST

START_TEST(large_bit_means_nothing_without_pse) {
    fixture_page_32(fixture, 0, 0);
    fixture_set_32(fixture, DIRECTORY, 1, TABLE | LARGE | P);
    fixture_set_32(fixture, TABLE, 7, (FRAMES + 0x3000) | P);
    expect_at(0x407010, FRAMES + 0x3010);
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1, DIRECTORY, CR4_PSE_BIT, false, false);
    fixture_set_32(fixture, DIRECTORY, 1, 0x00C00000 | LARGE | P);
    expect_at(0x407010, 0x00C07010);
    expect_at(0x7FFFFF, 0x00FFFFFF);
}
END_TEST

START_TEST(pse_36_addresses) {
    fixture_page_32(fixture, 0, CR4_PSE_BIT);
    fixture_set_32(fixture, DIRECTORY, 1, LARGE | P | W | 0x2000); /* 4 GB: nothing is there */
    expect_at(0x400010, PHYSICAL_NOWHERE_PAGE << PAGE_BITS | 0x10);
    PageFault fault;
    uint64_t value = 0;
    ck_assert(tlb_write(fixture->tlb, 0x400010, 4, false, 0, &fault));
    ck_assert(tlb_read(fixture->tlb, 0x400010, 4, false, &value, &fault));
    ck_assert(value == 0xFFFFFFFF);
    for (unsigned bit = 12; bit <= 21; bit++) {
        fixture_set_32(fixture, DIRECTORY, 2, LARGE | P | 1u << bit);
        bool reserved = bit >= 17;
        ck_assert_int_eq(translate(0x800000, ACCESS_WRITE, true), reserved ? 15 : 7);
        ck_assert_int_eq(translate(0x800000, ACCESS_READ, false), reserved ? 9 : -1);
        tlb_flush_page(fixture->tlb, 0x800000);
    }
}
END_TEST

START_TEST(without_pse_36_its_bits_are_reserved) {
    fixture_page_32(fixture, 0, CR4_PSE_BIT);
    fixture->tlb->pse_36 = false;
    for (unsigned bit = 12; bit <= 21; bit++) {
        fixture_set_32(fixture, DIRECTORY, 2, LARGE | P | 1u << bit);
        ck_assert_int_eq(translate(0x800000, ACCESS_READ, false), bit >= 13 ? 9 : -1);
        tlb_flush_page(fixture->tlb, 0x800000);
    }
}
END_TEST

START_TEST(pae_takes_two_megabyte_pages) {
    fixture_page_pae(fixture, 0, 0, false);
    fixture_set_pae(fixture, PAE_DIRECTORY + 0x3000, 511, 0x00600000 | LARGE | P);
    expect_at(0xFFE12345, 0x00612345);
    expect_at(0xFFFFFFFF, 0x007FFFFF);
}
END_TEST

START_TEST(pae_missing_directory_is_not_present) {
    fixture_page_pae(fixture, 0, 0, false);
    fixture_set_pae(fixture, PAE_DIRECTORY + 0x1000, 0, 0x00600000 | LARGE | P);
    expect_at(0x40000000, 0x00600000);
    fixture_set_pae(fixture, PAE_POINTERS, 1, (PAE_DIRECTORY + 0x1000));
    tlb_flush_all(fixture->tlb);
    expect_at(0x40000000, 0x00600000); /* the pointers were loaded with CR3 */
    ck_assert(tlb_load_pdptes(fixture->tlb, PAE_POINTERS));
    tlb_flush_all(fixture->tlb);
    ck_assert_int_eq(translate(0x40000000, ACCESS_WRITE, true), 6);
}
END_TEST

START_TEST(pae_pointers_have_reserved_bits) {
    fixture_page_pae(fixture, 0, 0, true);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t before = fixture->tlb->pdpte[2];
        bool reserved = bit == 1 || bit == 2 || (bit >= 5 && bit <= 8) || bit >= 36;
        fixture_set_pae(fixture, PAE_POINTERS, 2, PAE_DIRECTORY | P | 1ull << bit);
        ck_assert(tlb_load_pdptes(fixture->tlb, PAE_POINTERS | 0x18) == !reserved);
        if (reserved)
            ck_assert(fixture->tlb->pdpte[2] == before);
        fixture_set_pae(fixture, PAE_POINTERS, 2, (PAE_DIRECTORY | 1ull << bit) & ~(uint64_t)P);
        ck_assert(tlb_load_pdptes(fixture->tlb, PAE_POINTERS)); /* ignored if not present */
    }
}
END_TEST

START_TEST(pae_entries_have_reserved_bits) {
    bool nxe = _i != 0;
    fixture_page_pae(fixture, 0, 0, nxe);
    for (unsigned bit = 36; bit < 64; bit++) {
        bool reserved = bit < 63 || !nxe;
        fixture_set_pae(fixture, PAE_TABLE, 5, FRAMES | P | U | 1ull << bit);
        ck_assert_int_eq(translate(0x5000, ACCESS_READ, true), reserved ? 13 : -1);
        fixture_set_pae(fixture, PAE_TABLE, 5,
                        FRAMES | U | 1ull << bit); /* not present comes first */
        tlb_flush_page(fixture->tlb, 0x5000);
        ck_assert_int_eq(translate(0x5000, ACCESS_READ, true), 4);
        fixture_set_pae(fixture, PAE_DIRECTORY, 1, FRAMES | P | U | 1ull << bit);
        ck_assert_int_eq(translate(0x200000, ACCESS_WRITE, false), reserved ? 11 : 2);
    }
    for (unsigned bit = 12; bit <= 20; bit++) {
        fixture_set_pae(fixture, PAE_DIRECTORY, 2, LARGE | P | 1u << bit);
        ck_assert_int_eq(translate(0x400000, ACCESS_READ, false), bit == 12 ? -1 : 9);
        tlb_flush_page(fixture->tlb, 0x400000);
    }
    fixture_set_pae(fixture, PAE_TABLE, 6, 0x100000000 | P | U); /* 4 GB is a good address */
    expect_at(0x6000, PHYSICAL_NOWHERE_PAGE << PAGE_BITS);
}
END_TEST

START_TEST(no_execute) {
    fixture_page_pae(fixture, 0, 0, true);
    fixture_set_pae(fixture, PAE_TABLE, 5, FRAMES | P | U | W | NX);
    fixture_set_pae(fixture, PAE_TABLE, 6, FRAMES | P | U);
    ck_assert_int_eq(translate(0x5000, ACCESS_READ, true), -1);
    ck_assert_int_eq(translate(0x5000, ACCESS_WRITE, true), -1);
    ck_assert_int_eq(translate(0x5000, ACCESS_FETCH, true), 0x15);
    ck_assert_int_eq(translate(0x5000, ACCESS_FETCH, false), 0x11);
    ck_assert_int_eq(translate(0x6000, ACCESS_FETCH, true), -1);
    ck_assert_int_eq(translate(0x7000, ACCESS_FETCH, true), 0x14);
    fixture_set_pae(fixture, PAE_DIRECTORY, 0, PAE_TABLE | P | U | NX); /* either level forbids */
    tlb_flush_all(fixture->tlb);
    ck_assert_int_eq(translate(0x6000, ACCESS_FETCH, true), 0x15);
    ck_assert_int_eq(translate(0x6000, ACCESS_READ, true), -1);
    fixture_set_pae(fixture, PAE_DIRECTORY, 1, 0x400000 | LARGE | P | U | NX);
    ck_assert_int_eq(translate(0x200000, ACCESS_FETCH, false), 0x11);
}
END_TEST

START_TEST(fetch_bit_needs_no_execute_or_smep) {
    fixture_page_pae(fixture, 0, 0, false);
    ck_assert_int_eq(translate(0x7000, ACCESS_FETCH, true), 4);
    fixture_page_32(fixture, 0, 0);
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1, DIRECTORY, 0, true, true); /* no PAE, no NX */
    ck_assert_int_eq(translate(0x7000, ACCESS_FETCH, true), 4);
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1, DIRECTORY, CR4_SMEP_BIT, false, true);
    ck_assert_int_eq(translate(0x7000, ACCESS_FETCH, true), 0x14);
    ck_assert_int_eq(translate(0x7000, ACCESS_READ, true), 4);
}
END_TEST

START_TEST(smep_forbids_supervisor_fetches_from_user_pages) {
    fixture_page_32(fixture, 0, CR4_SMEP_BIT);
    fixture_set_32(fixture, TABLE, 5, FRAMES | P | U | W);
    fixture_set_32(fixture, TABLE, 6, FRAMES | P | W);
    ck_assert_int_eq(translate(0x5000, ACCESS_FETCH, true), -1);
    ck_assert_int_eq(translate(0x5000, ACCESS_FETCH, false), 0x11);
    ck_assert_int_eq(translate(0x5000, ACCESS_READ, false), -1);
    ck_assert_int_eq(translate(0x6000, ACCESS_FETCH, false), -1);
    tlb_set_control(fixture->tlb, 1, 0, CR4_SMEP_BIT | CR4_SMAP_BIT, false, false);
    ck_assert_int_eq(translate(0x6000, ACCESS_FETCH, false), -1); /* not without paging */
    ck_assert_int_eq(translate(0x6000, ACCESS_WRITE, false), -1);
}
END_TEST

START_TEST(smap_forbids_supervisor_data_accesses_to_user_pages) {
    fixture_page_32(fixture, 0, CR4_SMAP_BIT);
    fixture_set_32(fixture, TABLE, 5, FRAMES | P | U | W);
    PageFault fault;
    uint64_t value;
    for (int round = 0; round < 2; round++) { /* the second time the page is known */
        fixture->tlb->smap_override = false;
        ck_assert_int_eq(translate(0x5000, ACCESS_READ, true), -1);
        ck_assert_int_eq(translate(0x5000, ACCESS_READ, false), 1);
        ck_assert_int_eq(translate(0x5000, ACCESS_WRITE, false), 3);
        ck_assert_int_eq(translate(0x5000, ACCESS_FETCH, false), -1);
        fixture->tlb->smap_override = true;
        ck_assert(tlb_write(fixture->tlb, 0x5000, 4, false, 0x1234, &fault));
        ck_assert(tlb_read(fixture->tlb, 0x5000, 4, false, &value, &fault));
        ck_assert_uint_eq(value, 0x1234);
        fixture_check(fixture);
        fixture->tlb->smap_override = false;
        ck_assert(!tlb_write(fixture->tlb, 0x5000, 4, false, 0, &fault));
        ck_assert(!tlb_read(fixture->tlb, 0x5000, 4, false, &value, &fault));
        ck_assert(tlb_write(fixture->tlb, 0x5000, 4, true, 0x5678, &fault));
    }
}
END_TEST

START_TEST(closed_a20_gate_folds_page_tables_and_frames) {
    physical_map_set_a20(fixture->map, false);
    fixture_set_32(fixture, DIRECTORY, 0, (0x100000 + TABLE) | P | W);
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1, 0x300000 | DIRECTORY, 0, false, true);
    ck_assert_int_eq(translate(0x5000, ACCESS_READ, false), 0);
    fixture_set_32(fixture, 0x200000 + DIRECTORY, 0, (0x100000 + TABLE) | P | W);
    fixture_set_32(fixture, TABLE, 5, 0x730000 | P | W);
    expect_at(0x5678, 0x630678);
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5), 0x730000 | P | W | A);
}
END_TEST

START_TEST(page_tables_in_rom_keep_their_bits) {
    static uint8_t rom[0x1000];
    rom[4 * 5] = P | W | U;
    rom[4 * 5 + 2] = FRAMES >> 16;
    physical_map_add_memory(fixture->map, 0xFFFF0000, sizeof rom, rom, NULL, false);
    fixture_page_32(fixture, 0, 0);
    fixture_set_32(fixture, DIRECTORY, 0, 0xFFFF0000 | P | W | U);
    PageFault fault;
    ck_assert(tlb_write(fixture->tlb, 0x5000, 4, true, 99, &fault));
    ck_assert_uint_eq(physical_read(fixture->map, FRAMES, 4), 99);
    ck_assert_uint_eq(rom[4 * 5], P | W | U);
}
END_TEST

START_TEST(page_tables_where_nothing_is) {
    fixture_page_32(fixture, 0, 0);
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1, 0xF0000000, 0, false, true);
    uint32_t physical;
    /* All ones: everything is allowed, and lies at FFFFF000h. */
    ck_assert_int_eq(fixture_translate(fixture, 0x1234, ACCESS_WRITE, true, &physical), -1);
    ck_assert_uint_eq(physical, 0xFFFFF234);
    fixture_page_pae(fixture, 0, 0, true);
    fixture_set_pae(fixture, PAE_DIRECTORY, 0, 0xF00000000 | P | W | U);
    ck_assert_int_eq(translate(0x1234, ACCESS_WRITE, true), 15);
}
END_TEST

START_TEST(marking_page_tables_is_a_store_like_any) {
    fixture_page_32(fixture, 0, 0);
    fixture_set_32(fixture, TABLE, 5, FRAMES | P);
    physical_map_clear_dirty(fixture->map, PAGE_DIRTY_ALL);
    uint8_t *flags = physical_map_ram_flags(fixture->map);
    flags[TABLE >> PAGE_BITS] |= PAGE_CODE;
    ck_assert_int_eq(translate(0x5000, ACCESS_READ, false), -1);
    ck_assert_uint_eq(flags[DIRECTORY >> PAGE_BITS], PAGE_DIRTY_ALL);
    ck_assert_uint_eq(flags[TABLE >> PAGE_BITS], PAGE_DIRTY_ALL | PAGE_CODE);
    ck_assert_int_eq(fixture->code_changes, 1);
    ck_assert_uint_eq(fixture->code_address, TABLE + 20);
    tlb_flush_all(fixture->tlb);
    ck_assert_int_eq(translate(0x5000, ACCESS_READ, false), -1);
    ck_assert_int_eq(fixture->code_changes, 1); /* the A bit was set: no store */
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("page_walk");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_combination_of_rights_32_bit);
    tcase_add_test(tests, every_combination_of_rights_pae);
    tcase_add_test(tests, every_combination_of_rights_large);
    tcase_add_test(tests, large_bit_means_nothing_without_pse);
    tcase_add_test(tests, pse_36_addresses);
    tcase_add_test(tests, without_pse_36_its_bits_are_reserved);
    tcase_add_test(tests, pae_takes_two_megabyte_pages);
    tcase_add_test(tests, pae_missing_directory_is_not_present);
    tcase_add_test(tests, pae_pointers_have_reserved_bits);
    tcase_add_loop_test(tests, pae_entries_have_reserved_bits, 0, 2);
    tcase_add_test(tests, no_execute);
    tcase_add_test(tests, fetch_bit_needs_no_execute_or_smep);
    tcase_add_test(tests, smep_forbids_supervisor_fetches_from_user_pages);
    tcase_add_test(tests, smap_forbids_supervisor_data_accesses_to_user_pages);
    tcase_add_test(tests, closed_a20_gate_folds_page_tables_and_frames);
    tcase_add_test(tests, page_tables_in_rom_keep_their_bits);
    tcase_add_test(tests, page_tables_where_nothing_is);
    tcase_add_test(tests, marking_page_tables_is_a_store_like_any);
    Suite *suite = suite_create("page_walk");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

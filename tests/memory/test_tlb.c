/* What the TLB keeps and what it drops, inline entries, dirty and code tracking, accesses over page
 * borders. */
#include "little_endian.h"
#include "paging_fixture.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

static PagingFixture *fixture;
static Tlb *tlb;

static void set_up(void) {
    fixture = fixture_create();
    tlb = fixture->tlb;
}

static void tear_down(void) {
    fixture_check(fixture);
    fixture_destroy(fixture);
}

static bool has_entry(unsigned table, uint32_t linear) {
    return tlb->entry[table][linear >> PAGE_BITS] != TLB_INVALID;
}

static uint64_t read_at(uint32_t linear, unsigned size, bool user) {
    uint64_t value = 0;
    PageFault fault;
    ck_assert(tlb_read(tlb, linear, size, user, &value, &fault));
    return value;
}

static void write_at(uint32_t linear, unsigned size, bool user, uint64_t value) {
    PageFault fault;
    ck_assert(tlb_write(tlb, linear, size, user, value, &fault));
}

/* Page 5 and 6 lie at FRAMES + 5000h and FRAMES + 7000h: not side by side. */
static void map_two_pages(uint32_t bits) {
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x5000) | bits);
    fixture_set_32(fixture, TABLE, 6, (FRAMES + 0x7000) | bits);
}

START_TEST(untouched_entries_are_invalid) {
    for (unsigned table = 0; table < TLB_TABLES; table++)
        for (uint32_t page = 0; page < TLB_PAGES; page += 257)
            ck_assert(tlb->entry[table][page] == TLB_INVALID);
    ck_assert(tlb->entry[TLB_USER_WRITE][TLB_PAGES - 1] == TLB_INVALID);
    ck_assert_int_eq((int)((uintptr_t)tlb->entry % 4096), 0);
}
END_TEST

START_TEST(without_paging_linear_is_physical) {
    write_at(0x123456, 4, false, 0xCAFEBABE);
    ck_assert_uint_eq(physical_read(fixture->map, 0x123456, 4), 0xCAFEBABE);
    ck_assert_uint_eq(read_at(0x123457, 2, true), 0xFEBA);
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x123456));
    int64_t host = tlb->entry[TLB_SUPER_READ][0x123] + 0x123456;
    ck_assert_ptr_eq((uint8_t *)(intptr_t)host, physical_map_ram(fixture->map) + 0x123456);
    ck_assert(read_at(0xF0000000, 8, false) == UINT64_MAX);
    physical_map_set_a20(fixture->map, false);
    ck_assert(!has_entry(TLB_SUPER_READ, 0x123456));
    write_at(0x100010, 4, false, 77);
    ck_assert_uint_eq(read_at(0x10, 4, false), 77);
    ck_assert_uint_eq(read_at(0x123456, 4, false), 0);
}
END_TEST

START_TEST(accesses_wrap_at_4_gb) {
    static uint8_t rom[0x1000];
    memset(rom, 0x5A, sizeof rom);
    physical_map_add_memory(fixture->map, 0xFFFFF000, sizeof rom, rom, NULL, false);
    write_at(0, 4, false, 0x44332211);
    ck_assert_uint_eq(read_at(0xFFFFFFFE, 4, false), 0x22115A5A);
    write_at(0xFFFFFFFE, 4, false, 0xAABBCCDD);
    ck_assert_uint_eq(read_at(0xFFFFFFFE, 4, false), 0xAABB5A5A);
}
END_TEST

START_TEST(every_size_over_a_page_border) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    for (unsigned size = 1; size <= 8; size++)
        for (uint32_t back = 0; back <= 8; back++) {
            uint32_t linear = 0x6000 - back;
            uint64_t mask = UINT64_MAX >> (64 - 8 * size);
            write_at(0x5FF8, 8, true, 0);
            write_at(0x6000, 8, true, 0);
            write_at(linear, size, back & 1, 0x8877665544332211);
            ck_assert(read_at(linear, size, true) == (0x8877665544332211 & mask));
            uint8_t bytes[16];
            physical_read_bytes(fixture->map, FRAMES + 0x5FF8, bytes, 8);
            physical_read_bytes(fixture->map, FRAMES + 0x7000, bytes + 8, 8);
            for (unsigned i = 0; i < 16; i++) {
                unsigned at = i - (8 - back);
                ck_assert_uint_eq(bytes[i], at < size ? 0x11 * (at + 1) : 0);
            }
        }
}
END_TEST

START_TEST(a_fault_on_the_second_page_leaves_the_first_alone) {
    fixture_page_32(fixture, CR0_WP_BIT, 0);
    map_two_pages(P | W | U);
    fixture_set_32(fixture, TABLE, 6, (FRAMES + 0x7000) | P | U);
    write_at(0x5FFC, 4, true, 0x11111111);
    PageFault fault = {0};
    ck_assert(!tlb_write(tlb, 0x5FFE, 4, true, 0x99999999, &fault));
    ck_assert_uint_eq(fault.address, 0x6000);
    ck_assert_uint_eq(fault.error_code, 7);
    ck_assert_uint_eq(physical_read(fixture->map, FRAMES + 0x5FFC, 4), 0x11111111);
    ck_assert_uint_eq(physical_read(fixture->map, FRAMES + 0x7000, 4), 0);
    ck_assert(!tlb_check_write(tlb, 0x5FFD, 8, false, &fault));
    ck_assert_uint_eq(fault.address, 0x6000);
    ck_assert_uint_eq(fault.error_code, 3);
    ck_assert(tlb_check_write(tlb, 0x5FFC, 4, true, &fault));
    fixture_set_32(fixture, TABLE, 6, 0);
    uint64_t value = 0x1234;
    tlb_flush_page(tlb, 0x6000);
    ck_assert(!tlb_read(tlb, 0x5FFF, 2, true, &value, &fault));
    ck_assert_uint_eq(fault.address, 0x6000);
    ck_assert_uint_eq(fault.error_code, 4);
    fixture_set_32(fixture, TABLE, 5, 0);
    tlb_flush_page(tlb, 0x5000);
    ck_assert(!tlb_read(tlb, 0x5FFF, 2, true, &value, &fault)); /* the first page is told first */
    ck_assert_uint_eq(fault.address, 0x5FFF);
}
END_TEST

START_TEST(stale_pages_stay_until_they_are_dropped) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    physical_write(fixture->map, FRAMES + 0x5000, 4, 0x1111);
    physical_write(fixture->map, FRAMES + 0x7000, 4, 0x2222);
    ck_assert_uint_eq(read_at(0x5000, 4, false), 0x1111);
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x7000) | P | W | U);
    ck_assert_uint_eq(read_at(0x5000, 4, false), 0x1111);
    ck_assert_uint_eq(read_at(0x5000, 4, true), 0x1111); /* known, so not walked again */
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & A, 0);
    int before = fixture->flushes;
    tlb_note_code(tlb, 0x5000);
    tlb_flush_page(tlb, 0x5FFF);
    ck_assert_int_eq(fixture->flushes, before + 1);
    tlb_flush_page(tlb, 0x5FFF);
    ck_assert_int_eq(fixture->flushes, before + 1); /* nothing was there */
    ck_assert_uint_eq(read_at(0x5000, 4, false), 0x2222);
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & A, A);
}
END_TEST

START_TEST(more_rights_are_seen_without_a_flush) {
    fixture_page_32(fixture, CR0_WP_BIT, 0);
    map_two_pages(P);
    PageFault fault;
    uint64_t value;
    read_at(0x5000, 4, false);
    ck_assert(!tlb_read(tlb, 0x5000, 4, true, &value, &fault));
    ck_assert_uint_eq(fault.error_code, 5);
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x5000) | P | U);
    read_at(0x5000, 4, true);
    ck_assert(!tlb_write(tlb, 0x5000, 4, true, 1, &fault));
    ck_assert_uint_eq(fault.error_code, 7);
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x5000) | P | U | W);
    write_at(0x5000, 4, true, 1);
    /* A copy made for the first store: reads must see it, too. */
    fixture_set_32(fixture, TABLE, 6, (FRAMES + 0x7000) | P | U);
    tlb_flush_page(tlb, 0x6000);
    read_at(0x6000, 4, true);
    fixture_set_32(fixture, TABLE, 6, (FRAMES + 0x9000) | P | U | W);
    int before = fixture->flushes;
    tlb_note_code(tlb, 0x6000);
    write_at(0x6004, 4, true, 0x77);
    ck_assert_int_eq(fixture->flushes, before + 1);
    ck_assert_uint_eq(read_at(0x6004, 4, true), 0x77);
    ck_assert_uint_eq(physical_read(fixture->map, FRAMES + 0x9004, 4), 0x77);
}
END_TEST

START_TEST(fewer_rights_found_by_a_walk_drop_old_entries) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    read_at(0x5000, 4, true);
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x5000) | P | W);
    read_at(0x5000, 4, true);      /* known */
    write_at(0x5000, 4, false, 1); /* walks, to set the D bit */
    PageFault fault;
    uint64_t value;
    ck_assert(!has_entry(TLB_USER_READ, 0x5000));
    ck_assert(!tlb_read(tlb, 0x5000, 4, true, &value, &fault));
    ck_assert_uint_eq(fault.error_code, 5);
}
END_TEST

START_TEST(a_page_fault_drops_what_was_known) {
    fixture_page_32(fixture, CR0_WP_BIT, 0);
    map_two_pages(P | U);
    physical_write(fixture->map, FRAMES + 0x7000, 4, 0x2222);
    read_at(0x5000, 4, true);
    PageFault fault;
    ck_assert(!tlb_write(tlb, 0x5000, 4, true, 1, &fault));
    ck_assert(!has_entry(TLB_USER_READ, 0x5000));
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x7000) | P | U);
    ck_assert_uint_eq(read_at(0x5000, 4, true), 0x2222);
}
END_TEST

START_TEST(d_bit_is_set_at_the_first_store) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    read_at(0x5000, 4, true);
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & (A | D), A);
    ck_assert(!has_entry(TLB_USER_WRITE, 0x5000));
    int before = fixture->flushes;
    write_at(0x5000, 4, true, 1);
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & (A | D), A | D);
    ck_assert(has_entry(TLB_USER_WRITE, 0x5000));
    ck_assert_int_eq(fixture->flushes, before);
    /* Cleared without a flush, as some systems do: nobody sets it again. */
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x5000) | P | W | U);
    write_at(0x5000, 4, false, 2);
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & (A | D), 0);
    tlb_flush_page(tlb, 0x5000);
    PageFault fault;
    ck_assert(tlb_check_write(tlb, 0x5000, 1, false, &fault));
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & (A | D), A | D);
}
END_TEST

START_TEST(global_pages_survive_a_cr3_write) {
    fixture_page_32(fixture, 0, CR4_PGE_BIT);
    map_two_pages(P | W | U);
    fixture_set_32(fixture, TABLE, 6, (FRAMES + 0x7000) | P | W | U | G);
    read_at(0x5000, 4, false);
    write_at(0x6000, 4, false, 0x42);
    fixture_set_32(fixture, TABLE, 5, 0);
    fixture_set_32(fixture, TABLE, 6, 0);
    int before = fixture->flushes;
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, tlb->cr4, false, true);
    ck_assert_int_eq(fixture->flushes, before + 1);
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x6000));
    ck_assert_uint_eq(read_at(0x6000, 4, false), 0x42);
    uint32_t physical;
    ck_assert_int_eq(fixture_translate(fixture, 0x5000, ACCESS_READ, false, &physical), 0);
    fixture_check(fixture);
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, 0, false, false); /* a change of PGE drops them */
    ck_assert_int_eq(fixture_translate(fixture, 0x6000, ACCESS_READ, false, &physical), 0);
    fixture_set_32(fixture, TABLE, 6, (FRAMES + 0x7000) | P | W | U | G);
    read_at(0x6000, 4, false); /* without PGE the bit means nothing */
    fixture_set_32(fixture, TABLE, 6, 0);
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, 0, false, true);
    ck_assert_int_eq(fixture_translate(fixture, 0x6000, ACCESS_READ, false, &physical), 0);
}
END_TEST

START_TEST(a_page_that_was_global_goes_with_the_local_ones) {
    fixture_page_32(fixture, 0, CR4_PGE_BIT);
    map_two_pages(P | W | U | G);
    read_at(0x5000, 4, false);
    read_at(0x6000, 4, false);
    for (int i = 0; i < 2; i++) {
        tlb_set_control(tlb, tlb->cr0, tlb->cr3, tlb->cr4, false, true);
        fixture_check(fixture);
    }
    fixture_set_32(fixture, TABLE, 5, (FRAMES + 0x7000) | P | W | U);
    tlb_flush_page(tlb, 0x5000);
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, tlb->cr4, false, true); /* while it is not known */
    fixture_check(fixture);
    read_at(0x5000, 4, false);
    fixture_check(fixture);
    fixture_set_32(fixture, TABLE, 5, 0);
    fixture_set_32(fixture, TABLE, 6, 0);
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, tlb->cr4, false, true);
    uint32_t physical;
    ck_assert_int_eq(fixture_translate(fixture, 0x5000, ACCESS_READ, false, &physical), 0);
    ck_assert(has_entry(TLB_SUPER_READ, 0x6000));
    fixture_check(fixture);
    tlb_flush_all(tlb);
    ck_assert_int_eq(fixture_translate(fixture, 0x6000, ACCESS_READ, false, &physical), 0);
}
END_TEST

START_TEST(invlpg_drops_global_pages) {
    fixture_page_32(fixture, 0, CR4_PGE_BIT);
    map_two_pages(P | W | U | G);
    read_at(0x5000, 4, false);
    read_at(0x6000, 4, false);
    fixture_set_32(fixture, TABLE, 5, 0);
    tlb_flush_page(tlb, 0x5123);
    uint32_t physical;
    ck_assert_int_eq(fixture_translate(fixture, 0x5000, ACCESS_READ, false, &physical), 0);
    ck_assert(has_entry(TLB_SUPER_READ, 0x6000));
}
END_TEST

START_TEST(control_register_changes) {
    struct {
        uint32_t cr0_flip, cr4_flip;
        bool nxe, drops;
    } changes[] = {
        {0, 0, false, false},           {1 << 3, 0, false, false}, /* TS */
        {0, 1 << 9, false, false},                                 /* OSFXSR */
        {CR0_WP_BIT, 0, false, false},  {CR0_PG_BIT, 0, false, true},
        {0, CR4_PSE_BIT, false, true},  {0, CR4_PAE_BIT, false, true},
        {0, CR4_PGE_BIT, false, true},  {0, CR4_SMEP_BIT, false, true},
        {0, CR4_SMAP_BIT, false, true}, {0, 0, true, true},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        fixture_page_32(fixture, 0, 0);
        map_two_pages(P | W | U | G);
        read_at(0x5000, 4, false);
        int before = fixture->flushes;
        tlb_set_control(tlb, tlb->cr0 ^ changes[i].cr0_flip, tlb->cr3,
                        tlb->cr4 ^ changes[i].cr4_flip, changes[i].nxe, false);
        ck_assert(has_entry(TLB_SUPER_READ, 0x5000) == !changes[i].drops);
        ck_assert_int_eq(fixture->flushes - before, changes[i].drops);
    }
}
END_TEST

START_TEST(write_protect_decides_supervisor_stores) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | U);
    write_at(0x5000, 4, false, 7);
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x5000));
    ck_assert(!has_entry(TLB_USER_WRITE, 0x5000));
    tlb_set_control(tlb, tlb->cr0 | CR0_WP_BIT, tlb->cr3, 0, false, false);
    ck_assert(!has_entry(TLB_SUPER_WRITE, 0x5000));
    PageFault fault;
    ck_assert(!tlb_write(tlb, 0x5000, 4, false, 8, &fault));
    ck_assert_uint_eq(fault.error_code, 3);
    tlb_set_control(tlb, tlb->cr0 & ~(uint32_t)CR0_WP_BIT, tlb->cr3, 0, false, false);
    write_at(0x5000, 4, false, 9);
    ck_assert(!tlb_write(tlb, 0x5000, 4, true, 8, &fault));
    ck_assert_uint_eq(fault.error_code, 7);
}
END_TEST

START_TEST(invlpg_drops_every_piece_of_a_large_page) {
    fixture_page_32(fixture, 0, CR4_PSE_BIT | CR4_PGE_BIT);
    fixture_set_32(fixture, DIRECTORY, 1, 0x400000 | LARGE | P | W | G);
    fixture_set_32(fixture, DIRECTORY, 2, 0x800000 | LARGE | P | W | G);
    map_two_pages(P | W | U);
    read_at(0x5000, 4, false);
    write_at(0x400000, 4, false, 1);
    write_at(0x7FF000, 4, false, 1);
    write_at(0x800000, 4, false, 1);
    tlb_set_control(tlb, tlb->cr0, tlb->cr3, tlb->cr4, false, true); /* they are global */
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x7FF000));
    fixture_check(fixture);
    fixture_set_32(fixture, DIRECTORY, 1, 0);
    int before = fixture->flushes;
    tlb_note_code(tlb, 0x400000);
    tlb_flush_page(tlb, 0x512345); /* a page of it that was never accessed */
    ck_assert_int_eq(fixture->flushes, before + 1);
    uint32_t physical;
    ck_assert_int_eq(fixture_translate(fixture, 0x400000, ACCESS_READ, false, &physical), 0);
    ck_assert_int_eq(fixture_translate(fixture, 0x7FF000, ACCESS_WRITE, false, &physical), 2);
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x800000));
}
END_TEST

START_TEST(code_on_a_page_keeps_write_entries_away) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    fixture_set_32(fixture, TABLE, 9, (FRAMES + 0x5000) | P | W | U); /* an alias */
    write_at(0x5000, 4, true, 1);
    write_at(0x5000, 4, false, 1);
    write_at(0x9000, 4, true, 1);
    write_at(0x6000, 4, true, 1);
    uint8_t *flags = physical_map_ram_flags(fixture->map) + ((FRAMES + 0x5000) >> PAGE_BITS);
    *flags |= PAGE_CODE;
    int before = fixture->flushes;
    tlb_drop_page_writes(tlb, (FRAMES + 0x5000) >> PAGE_BITS);
    ck_assert_int_eq(fixture->flushes, before); /* reads stay, the guest sees nothing */
    ck_assert(!has_entry(TLB_USER_WRITE, 0x5000) && !has_entry(TLB_SUPER_WRITE, 0x5000));
    ck_assert(!has_entry(TLB_USER_WRITE, 0x9000));
    ck_assert(has_entry(TLB_USER_WRITE, 0x6000) && has_entry(TLB_USER_READ, 0x5000));
    fixture_check(fixture);
    write_at(0x9004, 4, true, 2);
    ck_assert_int_eq(fixture->code_changes, 1);
    ck_assert_uint_eq(fixture->code_address, FRAMES + 0x5004);
    ck_assert_uint_eq(fixture->code_size, 4);
    ck_assert(!has_entry(TLB_USER_WRITE, 0x9000));
    write_at(0x5FFD, 4, true, 2); /* only three bytes of it */
    ck_assert_int_eq(fixture->code_changes, 2);
    ck_assert_uint_eq(fixture->code_size, 3);
    fixture->forget_code = true;
    write_at(0x5000, 4, true, 3);
    ck_assert_int_eq(fixture->code_changes, 3);
    write_at(0x5000, 4, true, 4); /* no code any more: fast again */
    write_at(0x5000, 4, true, 5);
    ck_assert_int_eq(fixture->code_changes, 3);
    ck_assert(has_entry(TLB_USER_WRITE, 0x5000));
    ck_assert_uint_eq(read_at(0x9000, 4, true), 5);
}
END_TEST

START_TEST(watched_pages_have_no_entries) {
    static const uint32_t pages[] = {0x123, 0x200};
    write_at(0x123456, 4, false, 1);
    write_at(0x124000, 4, false, 2);
    ck_assert(has_entry(TLB_SUPER_READ, 0x123456) && has_entry(TLB_SUPER_WRITE, 0x123456));
    tlb_set_watched(tlb, pages, 2);
    ck_assert(!has_entry(TLB_SUPER_READ, 0x123456) && !has_entry(TLB_SUPER_WRITE, 0x123456));
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x124000));
    write_at(0x123456, 4, false, 3);
    ck_assert_uint_eq(read_at(0x123456, 4, false), 3);
    ck_assert(!has_entry(TLB_SUPER_READ, 0x123456) && !has_entry(TLB_SUPER_WRITE, 0x123456));
    fixture_check(fixture);
    tlb_set_watched(tlb, NULL, 0);
    write_at(0x123456, 4, false, 4);
    ck_assert(has_entry(TLB_SUPER_WRITE, 0x123456));
}
END_TEST

START_TEST(cleared_dirty_bits_come_back_with_the_next_store) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    uint8_t *flags = physical_map_ram_flags(fixture->map) + ((FRAMES + 0x5000) >> PAGE_BITS);
    read_at(0x5000, 4, true);
    ck_assert_uint_eq(*flags, 0);
    write_at(0x5000, 4, true, 1);
    ck_assert_uint_eq(*flags, PAGE_DIRTY_ALL);
    uint64_t walks = tlb->walks;
    physical_map_clear_dirty(fixture->map, PAGE_DIRTY_DISPLAY);
    ck_assert(!has_entry(TLB_USER_WRITE, 0x5000) && has_entry(TLB_USER_READ, 0x5000));
    ck_assert_uint_eq(*flags, PAGE_DIRTY_ALL & ~PAGE_DIRTY_DISPLAY);
    write_at(0x5000, 4, true, 2);
    ck_assert_uint_eq(*flags, PAGE_DIRTY_ALL);
    ck_assert(has_entry(TLB_USER_WRITE, 0x5000));
    ck_assert(tlb->walks == walks); /* the guest's page tables were left alone */
}
END_TEST

static uint32_t mmio_value;

static uint32_t on_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque;
    (void)size;
    return mmio_value + offset;
}

static void on_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)opaque;
    mmio_value = value | offset << 16 | size << 28;
}

START_TEST(rom_and_mmio_never_get_write_entries) {
    static uint8_t rom[0x1000];
    rom[1] = 0x99;
    const MmioRange range = {
        .name = "chip", .base = 0xE0000000, .size = 0x1000, .read = on_read, .write = on_write};
    ck_assert(physical_map_add_mmio(fixture->map, &range, NULL));
    physical_map_add_memory(fixture->map, 0xE0001000, 0x1000, rom, NULL, false);
    fixture_page_32(fixture, 0, 0);
    fixture_set_32(fixture, TABLE, 5, 0xE0000000 | P | W | U);
    fixture_set_32(fixture, TABLE, 6, 0xE0001000 | P | W | U);
    write_at(0x5008, 2, true, 0x1234);
    ck_assert_uint_eq(mmio_value, 0x20081234);
    ck_assert_uint_eq(read_at(0x5004, 4, true), 0x20081238);
    ck_assert(!has_entry(TLB_USER_READ, 0x5000) && !has_entry(TLB_USER_WRITE, 0x5000));
    write_at(0x5FFE, 4, true, 0xABCD5678); /* half of it goes to the chip */
    ck_assert_uint_eq(mmio_value, 0x2FFE5678);
    write_at(0x6001, 1, true, 0);
    ck_assert_uint_eq(read_at(0x6001, 1, true), 0x99);
    ck_assert(has_entry(TLB_USER_READ, 0x6000) && !has_entry(TLB_USER_WRITE, 0x6000));
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 6) & D, D);
}
END_TEST

START_TEST(probe_changes_nothing) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P);
    uint32_t physical;
    ck_assert(tlb_probe(tlb, 0x5123, &physical));
    ck_assert_uint_eq(physical, FRAMES + 0x5123);
    ck_assert(!tlb_probe(tlb, 0x7000, &physical));
    ck_assert_uint_eq(fixture_get_32(fixture, TABLE, 5) & A, 0);
    ck_assert_uint_eq(fixture_get_32(fixture, DIRECTORY, 0) & A, 0);
    ck_assert_uint_eq(tlb->listed_count, 0);
    read_at(0x5000, 4, false);
    fixture_set_32(fixture, TABLE, 5, 0); /* what the TLB still knows counts */
    ck_assert(tlb_probe(tlb, 0x5123, &physical));
}
END_TEST

START_TEST(saved_pages_come_back) {
    fixture_page_32(fixture, CR0_WP_BIT, CR4_PGE_BIT | CR4_PSE_BIT);
    map_two_pages(P | W | U);
    fixture_set_32(fixture, DIRECTORY, 1, 0x400000 | LARGE | P | W | G);
    write_at(0x400000, 4, false, 0xABC);
    write_at(0x5000, 4, true, 0x1111);
    read_at(0x6000, 4, true);
    tlb_flush_page(tlb, 0x6000);
    tlb->smap_override = true;
    tlb->pdpte[2] = 0x123456789;
    ByteBuffer buffer = {0}, again = {0};
    tlb_save(tlb, &buffer);
    PagingFixture *other = fixture_create();
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    Error error = {0};
    ck_assert_msg(tlb_load(other->tlb, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(reader.position, buffer.size);
    fixture_check(other);
    tlb_save(other->tlb, &again);
    ck_assert_uint_eq(again.size, buffer.size);
    ck_assert_mem_eq(again.data, buffer.data, buffer.size);
    /* The page tables of the other machine are empty: only the TLB knows. */
    physical_write(other->map, FRAMES + 0x5000, 4, 0x5555);
    uint64_t value;
    PageFault fault;
    ck_assert(tlb_read(other->tlb, 0x5000, 4, true, &value, &fault));
    ck_assert_uint_eq(value, 0x5555);
    ck_assert(tlb_write(other->tlb, 0x5000, 4, true, 1, &fault));
    ck_assert(!tlb_read(other->tlb, 0x6000, 4, true, &value, &fault));
    tlb_flush_page(other->tlb, 0x401000);
    ck_assert(!tlb_read(other->tlb, 0x400000, 4, false, &value, &fault));
    fixture_check(other);
    byte_buffer_free(&buffer);
    byte_buffer_free(&again);
    fixture_destroy(other);
}
END_TEST

START_TEST(damaged_saves_change_nothing) {
    fixture_page_32(fixture, 0, 0);
    map_two_pages(P | W | U);
    read_at(0x5000, 4, true);
    read_at(0x6000, 4, true);
    ByteBuffer buffer = {0};
    tlb_save(tlb, &buffer);
    read_at(0x6000, 4, false);
    for (size_t size = 0; size < buffer.size; size++) {
        ByteReader reader = {.data = buffer.data, .size = size};
        Error error = {0};
        ck_assert(!tlb_load(tlb, &reader, &error));
        ck_assert(error.set);
    }
    size_t last = buffer.size - 9; /* linear page, physical page, rights of the last page */
    const struct {
        size_t at;
        uint8_t value;
    } damages[] = {{0, 9},        {last, 5},     {last + 3, 1},
                   {last + 7, 1}, {last + 8, 0}, {last + 8, 0xFF}};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        uint8_t good = buffer.data[damages[i].at];
        buffer.data[damages[i].at] = damages[i].value;
        ByteReader reader = {.data = buffer.data, .size = buffer.size};
        Error error = {0};
        ck_assert(!tlb_load(tlb, &reader, &error));
        buffer.data[damages[i].at] = good;
    }
    ck_assert(has_entry(TLB_SUPER_READ, 0x6000));
    byte_buffer_free(&buffer);
}
END_TEST

/* The walker is what the random test relies on: it must see every kind of damage. */
START_TEST(the_invariant_walker_sees_damage) {
    fixture_page_32(fixture, 0, CR4_PSE_BIT);
    map_two_pages(P | W | U);
    fixture_set_32(fixture, DIRECTORY, 1, 0x400000 | LARGE | P | W);
    write_at(0x5000, 4, true, 1);
    read_at(0x400000, 4, false);
    uint8_t *flags = physical_map_ram_flags(fixture->map) + ((FRAMES + 0x5000) >> PAGE_BITS);
#define EXPECT_SEEN(damage, repair)                                                                \
    do {                                                                                           \
        damage;                                                                                    \
        ck_assert(!tlb_check_invariants(tlb, NULL));                                               \
        repair;                                                                                    \
        fixture_check(fixture);                                                                    \
    } while (0)
    EXPECT_SEEN(*flags |= PAGE_CODE, *flags &= (uint8_t)~PAGE_CODE);
    EXPECT_SEEN(*flags &= (uint8_t)~PAGE_DIRTY_HASH, *flags |= PAGE_DIRTY_HASH);
    EXPECT_SEEN(tlb->walked[5].rights &= (uint8_t)~TLB_RIGHT_USER,
                tlb->walked[5].rights |= TLB_RIGHT_USER);
    EXPECT_SEEN(tlb->walked[5].rights &= (uint8_t)~TLB_RIGHT_DIRTY,
                tlb->walked[5].rights |= TLB_RIGHT_DIRTY);
    EXPECT_SEEN(tlb->walked[5].filled ^= 1u << TLB_SUPER_READ,
                tlb->walked[5].filled ^= 1u << TLB_SUPER_READ);
    EXPECT_SEEN(tlb->walked[5].physical_page++, tlb->walked[5].physical_page--);
    EXPECT_SEEN(tlb->walked[5].listed = 0, tlb->walked[5].listed = 1);
    EXPECT_SEEN(tlb->walked[77].listed = 1, tlb->walked[77].listed = 0);
    EXPECT_SEEN(tlb->listed_count--, tlb->listed_count++);
    EXPECT_SEEN(tlb->large_regions[0] = 0, tlb->large_regions[0] = 2);
    EXPECT_SEEN(tlb->entry[TLB_USER_WRITE][0xABCDE] = 0,
                tlb->entry[TLB_USER_WRITE][0xABCDE] = TLB_INVALID);
    write_at(0x5000, 4, false, 1);
    EXPECT_SEEN(tlb->cr4 |= CR4_SMAP_BIT, tlb->cr4 &= ~(uint32_t)CR4_SMAP_BIT);
#undef EXPECT_SEEN
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("tlb");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, untouched_entries_are_invalid);
    tcase_add_test(tests, without_paging_linear_is_physical);
    tcase_add_test(tests, accesses_wrap_at_4_gb);
    tcase_add_test(tests, every_size_over_a_page_border);
    tcase_add_test(tests, a_fault_on_the_second_page_leaves_the_first_alone);
    tcase_add_test(tests, stale_pages_stay_until_they_are_dropped);
    tcase_add_test(tests, more_rights_are_seen_without_a_flush);
    tcase_add_test(tests, fewer_rights_found_by_a_walk_drop_old_entries);
    tcase_add_test(tests, a_page_fault_drops_what_was_known);
    tcase_add_test(tests, d_bit_is_set_at_the_first_store);
    tcase_add_test(tests, global_pages_survive_a_cr3_write);
    tcase_add_test(tests, a_page_that_was_global_goes_with_the_local_ones);
    tcase_add_test(tests, invlpg_drops_global_pages);
    tcase_add_test(tests, control_register_changes);
    tcase_add_test(tests, write_protect_decides_supervisor_stores);
    tcase_add_test(tests, invlpg_drops_every_piece_of_a_large_page);
    tcase_add_test(tests, code_on_a_page_keeps_write_entries_away);
    tcase_add_test(tests, watched_pages_have_no_entries);
    tcase_add_test(tests, cleared_dirty_bits_come_back_with_the_next_store);
    tcase_add_test(tests, rom_and_mmio_never_get_write_entries);
    tcase_add_test(tests, probe_changes_nothing);
    tcase_add_test(tests, saved_pages_come_back);
    tcase_add_test(tests, damaged_saves_change_nothing);
    tcase_add_test(tests, the_invariant_walker_sees_damage);
    Suite *suite = suite_create("tlb");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

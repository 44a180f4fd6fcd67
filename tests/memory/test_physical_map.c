/* What lies where in the physical address space, and who is told of stores to it. */
#include "little_endian.h"
#include "physical_map.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES (4u << 20)

static PhysicalMap *map;
static char log_text[1024]; /* callbacks and hooks write one word each */

static void note(const char *format, unsigned a, unsigned b, unsigned c) {
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, format, a, b, c);
}

static void expect_log(const char *expected) {
    ck_assert_str_eq(log_text, expected);
    log_text[0] = 0;
}

static uint32_t on_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque;
    note("r%X/%u ", offset, size, 0);
    return 0xC3B2A100 + (offset & 0xFF);
}

static void on_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)opaque;
    note("w%X/%u=%X ", offset, size, value);
}

static uint8_t seen_by_hook; /* what the byte was when the hook was told */

static void on_code_changes(void *opaque, uint32_t address, uint32_t size) {
    (void)opaque;
    seen_by_hook = (uint8_t)physical_read(map, address, 1);
    note("code%X/%X ", address, size, 0);
}

static void on_layout_changed(void *opaque, uint32_t first_page, uint32_t pages) {
    (void)opaque;
    note("layout%X/%X ", first_page, pages, 0);
}

static void on_dirty_cleared(void *opaque) {
    (void)opaque;
    note("cleared ", 0, 0, 0);
}

static void set_up(void) {
    map = physical_map_create(RAM_BYTES, NULL);
    ck_assert_ptr_nonnull(map);
    log_text[0] = 0;
}

static void tear_down(void) {
    physical_map_destroy(map);
}

static void install_hooks(void) {
    const PhysicalMapHooks hooks = {
        .code_changes = on_code_changes,
        .layout_changed = on_layout_changed,
        .dirty_cleared = on_dirty_cleared,
    };
    physical_map_add_hooks(map, &hooks);
}

static MmioRange make_range(const char *name, uint32_t base, uint32_t size) {
    return (MmioRange){
        .name = name,
        .base = base,
        .size = size,
        .read = on_read,
        .write = on_write,
        .opaque = log_text,
    };
}

static void add_range(uint32_t base, uint32_t size) {
    MmioRange range = make_range("chip", base, size);
    Error error = {0};
    ck_assert_msg(physical_map_add_mmio(map, &range, &error), "%s", error.message);
}

START_TEST(impossible_sizes_are_refused) {
    const uint64_t sizes[] = {0, 1, 4095, 4097, 0xE0001000, UINT64_MAX, 1ull << 32};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Error error = {0};
        ck_assert_ptr_null(physical_map_create(sizes[i], &error));
        ck_assert(error.set);
    }
    PhysicalMap *largest = physical_map_create(0xE0000000, NULL); /* nothing of it is touched */
    ck_assert_ptr_nonnull(largest);
    physical_write(largest, 0xDFFFFFFF, 1, 0x5A);
    ck_assert_uint_eq(physical_read(largest, 0xDFFFFFFF, 1), 0x5A);
    physical_map_destroy(largest);
}
END_TEST

START_TEST(ram_takes_every_size_and_alignment) {
    for (unsigned size = 1; size <= 8; size++)
        for (uint32_t address = 0x1FF0; address < 0x2010; address++) {
            uint64_t mask = UINT64_MAX >> (64 - 8 * size);
            physical_write(map, address - 8, 8, 0);
            physical_write(map, address, 8, 0);
            physical_write(map, address + 8, 8, 0);
            physical_write(map, address, size, 0x8877665544332211);
            ck_assert(physical_read(map, address, size) == (0x8877665544332211 & mask));
            ck_assert(physical_read(map, address, 8) == (0x8877665544332211 & mask));
            ck_assert(physical_read(map, address - 8, 8) == 0);
            ck_assert_uint_eq(physical_map_ram(map)[address], 0x11);
        }
}
END_TEST

START_TEST(beyond_ram_is_nothing) {
    physical_write(map, RAM_BYTES, 4, 0);
    ck_assert(physical_read(map, RAM_BYTES, 8) == UINT64_MAX);
    physical_write(map, RAM_BYTES - 2, 4, 0x44332211);
    ck_assert_uint_eq(physical_read(map, RAM_BYTES - 2, 4), 0xFFFF2211);
    ck_assert_uint_eq(physical_read(map, 0xFFFFFFFF, 1), 0xFF);
    physical_map_show_ram(map, RAM_BYTES - 0x1000, 0x3000); /* only one page of it is RAM */
    ck_assert_uint_eq(physical_read(map, RAM_BYTES - 2, 4), 0xFFFF2211);
    physical_map_show_ram(map, 0xF0000000, 0x1000);
    ck_assert_uint_eq(physical_read(map, 0xF0000000, 4), 0xFFFFFFFF);
}
END_TEST

START_TEST(addresses_wrap_at_4_gb) {
    physical_write(map, 0xFFFFFFFE, 4, 0x44332211);
    ck_assert_uint_eq(physical_read(map, 0, 2), 0x4433);
    ck_assert_uint_eq(physical_read(map, 0xFFFFFFFE, 4), 0x4433FFFF);
}
END_TEST

START_TEST(rom_drops_stores) {
    static uint8_t rom[0x2000];
    memset(rom, 0x90, sizeof rom);
    physical_map_add_memory(map, 0xFFFFE000, sizeof rom, rom, NULL, false);
    physical_map_add_memory(map, 0xFE000, sizeof rom, rom, NULL, false);
    physical_write(map, 0xFFFFFFF0, 4, 0);
    physical_write(map, 0xFDFFE, 4, 0x44332211);
    ck_assert_uint_eq(physical_read(map, 0xFFFFFFF0, 4), 0x90909090);
    ck_assert_uint_eq(physical_read(map, 0xFDFFE, 4), 0x90902211);
    ck_assert_uint_eq(rom[0], 0x90);
}
END_TEST

START_TEST(writable_memory_keeps_its_own_flags) {
    static uint8_t frame[0x2000], flags[2];
    install_hooks();
    physical_map_add_memory(map, 0xE0000000, sizeof frame, frame, flags, true);
    expect_log("layoutE0000/2 ");
    physical_write(map, 0xE0001004, 4, 0x12345678);
    ck_assert_uint_eq(load_le32(frame + 0x1004), 0x12345678);
    ck_assert_uint_eq(flags[0], 0);
    ck_assert_uint_eq(flags[1], PAGE_DIRTY_ALL);
    ck_assert(physical_map_clear_dirty_flags(map, flags, 2, PAGE_DIRTY_DISPLAY));
    expect_log("cleared ");
    ck_assert(!physical_map_clear_dirty_flags(map, flags, 2, PAGE_DIRTY_DISPLAY));
    expect_log("");
    ck_assert_uint_eq(flags[1], PAGE_DIRTY_ALL & ~PAGE_DIRTY_DISPLAY);
}
END_TEST

/* The four settings of a PAM register over the BIOS area. */
START_TEST(pam_shadow) {
    static uint8_t rom[0x1000];
    memset(rom, 0xAA, sizeof rom);
    uint8_t *ram = physical_map_ram(map) + 0xF0000, *flags = physical_map_ram_flags(map) + 0xF0;
    ram[5] = 0x11;
    physical_map_set_shadow(map, 0xF0000, 0x1000, rom, NULL, NULL);
    physical_write(map, 0xF0005, 1, 0x22);
    ck_assert_uint_eq(physical_read(map, 0xF0005, 1), 0xAA);
    ck_assert_uint_eq(ram[5], 0x11);
    physical_map_set_shadow(map, 0xF0000, 0x1000, rom, ram, flags);
    physical_write(map, 0xF0005, 1, 0x33);
    ck_assert_uint_eq(physical_read(map, 0xF0005, 1), 0xAA);
    ck_assert_uint_eq(ram[5], 0x33);
    ck_assert_uint_eq(*flags, PAGE_DIRTY_ALL);
    physical_map_set_shadow(map, 0xF0000, 0x1000, ram, NULL, flags);
    physical_write(map, 0xF0005, 1, 0x44);
    ck_assert_uint_eq(physical_read(map, 0xF0005, 1), 0x33);
    physical_map_show_ram(map, 0xF0000, 0x1000);
    physical_write(map, 0xF0005, 1, 0x55);
    ck_assert_uint_eq(physical_read(map, 0xF0005, 1), 0x55);
    ck_assert_uint_eq(ram[5], 0x55);
    ck_assert_uint_eq(rom[5], 0xAA);
}
END_TEST

START_TEST(layout_is_reported_when_it_changes) {
    install_hooks();
    physical_map_remove(map, 0xA0000, 0x20000);
    expect_log("layoutA0/20 ");
    physical_map_remove(map, 0xA0000, 0x20000);
    expect_log("");
    physical_map_show_ram(map, 0x9F000, 0x2000);
    expect_log("layout9F/2 ");
    add_range(0xB8000, 0x8000);
    expect_log("layoutB8/8 ");
    physical_map_remove_mmio(map, 0xB8000, map);
    expect_log("");
    physical_map_remove_mmio(map, 0xB8000, log_text);
    expect_log("layoutB8/8 ");
    physical_map_set_a20(map, true);
    expect_log("");
    physical_map_set_a20(map, false);
    expect_log("layout0/100000 ");
}
END_TEST

START_TEST(a_cover_hides_what_happens_beneath) {
    static _Alignas(4096) uint8_t other[0x2000];
    memset(other, 0x55, sizeof other);
    physical_map_remove(map, 0xA0000, 0x20000);
    physical_map_ram(map)[0xA1000] = 0x77;
    install_hooks();
    physical_map_cover(map, 0xA0000, 0x20000);
    expect_log("layoutA0/20 ");
    ck_assert_uint_eq(physical_read(map, 0xA1000, 1), 0x77);
    physical_map_add_memory(map, 0xA1000, 0x2000, other, NULL, true);
    expect_log("");
    ck_assert_uint_eq(physical_read(map, 0xA1000, 1), 0x77);
    physical_write(map, 0xA2000, 1, 0x78);
    physical_map_uncover(map);
    expect_log("layoutA0/20 ");
    ck_assert_uint_eq(physical_read(map, 0xA1000, 1), 0x55);
    ck_assert_uint_eq(physical_read(map, 0xA2000, 1), 0x55);
    ck_assert_uint_eq(physical_read(map, 0xA0000, 1), 0xFF);
    ck_assert_uint_eq(physical_map_ram(map)[0xA2000], 0x78);
    physical_map_remove(map, 0xA1000, 0x2000);
    expect_log("layoutA1/2 ");
}
END_TEST

START_TEST(a20_gate_can_be_ignored) {
    physical_map_set_a20(map, false);
    install_hooks();
    ck_assert_uint_eq(physical_map_a20_mask(map), 0xFFEFFFFF);
    physical_map_ignore_a20(map, true);
    expect_log("layout0/100000 ");
    ck_assert(!physical_map_a20(map));
    ck_assert_uint_eq(physical_map_a20_mask(map), UINT32_MAX);
    physical_map_set_a20(map, true);
    physical_map_ignore_a20(map, false);
    expect_log("");
    ck_assert_uint_eq(physical_map_a20_mask(map), UINT32_MAX);
}
END_TEST

START_TEST(mmio_is_split_to_natural_alignment) {
    physical_map_remove(map, 0xA0000, 0x20000);
    add_range(0xA0000, 0x20000);
    ck_assert_uint_eq(physical_read(map, 0xA0010, 4), 0xC3B2A110);
    expect_log("r10/4 ");
    physical_read(map, 0xA0011, 4);
    expect_log("r11/1 r12/2 r14/1 ");
    physical_read(map, 0xA0012, 4);
    expect_log("r12/2 r14/2 ");
    ck_assert(physical_read(map, 0xA0010, 8) == 0xC3B2A114C3B2A110);
    expect_log("r10/4 r14/4 ");
    physical_read(map, 0xA0010, 3);
    expect_log("r10/2 r12/1 ");
    physical_write(map, 0xA0013, 4, 0x44332211);
    expect_log("w13/1=11 w14/2=3322 w16/1=44 ");
    physical_write(map, 0xA0010, 1, 0x1FF);
    expect_log("w10/1=FF ");
    physical_write(map, 0xA0FFE, 4, 0x44332211); /* over pages of one range */
    expect_log("wFFE/2=2211 w1000/2=4433 ");
}
END_TEST

START_TEST(accesses_straddle_ram_and_mmio) {
    physical_map_remove(map, 0xA0000, 0x20000);
    add_range(0xA0000, 0x20000);
    physical_write(map, 0x9FFFE, 4, 0x44332211);
    expect_log("w0/2=4433 ");
    ck_assert_uint_eq(physical_read(map, 0x9FFFE, 2), 0x2211);
    ck_assert_uint_eq(physical_read(map, 0x9FFFE, 4), 0xA1002211);
    expect_log("r0/2 ");
    physical_write(map, 0xBFFFF, 8, 0x8877665544332211);
    expect_log("w1FFFF/1=11 ");
    ck_assert(physical_read(map, 0xC0000, 8) == 0x88776655443322);
    uint8_t data[6];
    physical_read_bytes(map, 0x9FFFE, data, 6);
    expect_log("r0/4 ");
    ck_assert_mem_eq(data, ((uint8_t[]){0x11, 0x22, 0x00, 0xA1, 0xB2, 0xC3}), 6);
}
END_TEST

START_TEST(small_ranges_share_a_page_with_nothing) {
    add_range(0xFED00000, 6);
    ck_assert_uint_eq(physical_read(map, 0xFED00004, 4), 0xFFFFA104);
    expect_log("r4/2 ");
    physical_write(map, 0xFED00006, 4, 1);
    physical_write(map, 0xFECFFFFC, 8, 0x8877665544332211);
    expect_log("w0/4=88776655 ");
    add_range(0xFED00008, 8);
    physical_write(map, 0xFED00004, 8, 0x8877665544332211);
    expect_log("w4/2=2211 w0/4=88776655 ");
}
END_TEST

START_TEST(overlapping_ranges_name_both) {
    add_range(0xE0001000, 0x2000);
    const uint32_t spans[][2] = {
        {0xE0002000, 0x2000}, {0xE0000000, 0x1001}, {0xE0001800, 4}, {0xE0000000, 0x10000}};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        MmioRange range = make_range("other", spans[i][0], spans[i][1]);
        Error error = {0};
        ck_assert(!physical_map_add_mmio(map, &range, &error));
        ck_assert_ptr_nonnull(strstr(error.message, "other"));
        ck_assert_ptr_nonnull(strstr(error.message, "chip"));
    }
    MmioRange range = make_range("other", 0xFFFFF000, 0x2000);
    ck_assert(!physical_map_add_mmio(map, &range, NULL));
    range.size = 0;
    ck_assert(!physical_map_add_mmio(map, &range, NULL));
    range.size = 0x1000; /* up to the last byte of the space */
    ck_assert(physical_map_add_mmio(map, &range, NULL));
    ck_assert_ptr_nonnull(physical_map_find_mmio(map, 0xFFFFFFFF));
    add_range(0xE0000000, 0x1000);
    add_range(0xE0003000, 0x1000);
}
END_TEST

START_TEST(ranges_are_found_among_many) {
    enum { SLOTS = 200 };
    bool present[SLOTS] = {false};
    srand(7);
    for (int step = 0; step < 5000; step++) {
        int slot = rand() % SLOTS;
        uint32_t base = 0xD0000000 + (uint32_t)slot * 0x3000;
        if (present[slot])
            physical_map_remove_mmio(map, base, log_text);
        else
            add_range(base, 0x2000);
        present[slot] = !present[slot];
        slot = rand() % SLOTS;
        uint32_t address = 0xD0000000 + (uint32_t)slot * 0x3000 + (uint32_t)rand() % 0x3000;
        const MmioRange *range = physical_map_find_mmio(map, address);
        bool expected = present[slot] && (address - 0xD0000000) % 0x3000 < 0x2000;
        ck_assert(expected == (range != NULL));
        if (range != NULL)
            ck_assert(address - range->base < range->size);
    }
}
END_TEST

static void on_write_remove(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    note("x%X/%u=%X ", offset, size, value);
    physical_map_remove_mmio(map, 0xE0000000, opaque);
    physical_map_show_ram(map, 0, 0x1000);
}

START_TEST(a_callback_may_remove_its_own_range) {
    MmioRange range = make_range("moving", 0xE0000000, 0x1000);
    range.write = on_write_remove;
    ck_assert(physical_map_add_mmio(map, &range, NULL));
    physical_write(map, 0xE0000000, 8, 0x1122334455667788);
    expect_log("x0/4=55667788 ");
}
END_TEST

/* The gate is the processor's. */
START_TEST(closed_a20_gate_leaves_bus_masters_alone) {
    ck_assert(physical_map_a20(map));
    physical_write(map, 0x000010, 4, 0x11111111);
    physical_write(map, 0x100010, 4, 0x22222222);
    physical_map_set_a20(map, false);
    ck_assert_uint_eq(physical_map_a20_mask(map), 0xFFEFFFFF);
    ck_assert_uint_eq(physical_read(map, 0x100010, 4), 0x22222222);
    physical_write_bytes(map, 0x300020, "abcd", 4);
    physical_write(map, 0x2FFFFE, 4, 0x44332211);
    physical_map_set_a20(map, true);
    ck_assert_uint_eq(physical_read(map, 0x300000, 2), 0x4433);
    ck_assert_uint_eq(physical_read(map, 0x300020, 4), 0x64636261);
    ck_assert_uint_eq(physical_read(map, 0x200020, 4), 0);
    ck_assert_uint_eq(physical_read(map, 0x000010, 4), 0x11111111);
}
END_TEST

START_TEST(stores_set_dirty_bits) {
    uint8_t *flags = physical_map_ram_flags(map);
    physical_read(map, 0x3000, 4);
    ck_assert_uint_eq(flags[3], 0);
    physical_write(map, 0x3FFF, 2, 1);
    ck_assert_uint_eq(flags[3], PAGE_DIRTY_ALL);
    ck_assert_uint_eq(flags[4], PAGE_DIRTY_ALL);
    ck_assert_uint_eq(flags[5], 0);
    uint8_t data[0x3000] = {0};
    physical_write_bytes(map, 0x6FFF, data, 0x2002);
    ck_assert_uint_eq(flags[6] & flags[7] & flags[8] & flags[9], PAGE_DIRTY_ALL);
    ck_assert_uint_eq(flags[10], 0);
    physical_map_touch(map, 0xAFFF, 2);
    ck_assert_uint_eq(flags[10] & flags[11], PAGE_DIRTY_ALL);
    install_hooks();
    flags[3] |= PAGE_CODE;
    physical_map_clear_dirty(map, PAGE_DIRTY_HASH | PAGE_CODE);
    expect_log("cleared ");
    ck_assert_uint_eq(flags[3], PAGE_CODE | (PAGE_DIRTY_ALL & ~PAGE_DIRTY_HASH));
    physical_write(map, 0x3000, 1, 1);
    ck_assert_uint_eq(flags[3], PAGE_CODE | PAGE_DIRTY_ALL);
}
END_TEST

static void on_page_changes(void *opaque, const GuestRegion *region, uint32_t page) {
    (void)opaque;
    seen_by_hook = region->host[(size_t)page * PAGE_SIZE];
    note("page%X/%X ", region->first_page, page, 0);
}

static void on_before_device(void *opaque) {
    (void)opaque;
    note("saved ", 0, 0, 0);
}

static void on_code_appears(void *opaque, uint32_t page) {
    (void)opaque;
    note("appears%X ", page, 0, 0);
}

/* Two processors with translations of the same page: both are told of stores, until the last of
 * them has none. */
START_TEST(code_belongs_to_all_who_claim_it) {
    int first, second;
    PhysicalMapHooks hooks = {
        .opaque = &first, .code_appears = on_code_appears, .code_changes = on_code_changes};
    physical_map_add_hooks(map, &hooks);
    hooks.opaque = &second;
    physical_map_add_hooks(map, &hooks);
    CodeBytes *code = physical_map_claim_code(map, 3);
    expect_log("appears3 appears3 ");
    ck_assert_ptr_eq(physical_map_claim_code(map, 3), code);
    expect_log("");
    ck_assert(physical_map_shares_code(map, 3));
    code_bytes_mark(code, 7, 66);
    physical_write(map, 0x3003, 4, 1); /* beside */
    physical_write(map, 0x3049, 4, 1);
    expect_log("");
    physical_write(map, 0x3004, 4, 1);
    expect_log("code3004/4 code3004/4 ");
    physical_write(map, 0x3048, 4, 1);
    expect_log("code3048/4 code3048/4 ");
    physical_map_release_code(map, 3);
    physical_write(map, 0x3004, 4, 2);
    expect_log("code3004/4 code3004/4 ");
    physical_map_release_code(map, 3);
    physical_write(map, 0x3004, 4, 3);
    expect_log("");
    ck_assert_uint_eq(physical_map_ram_flags(map)[3] & PAGE_CODE, 0);
    ck_assert(!code_bytes_hold(code, 0, PAGE_SIZE));
    physical_map_remove_hooks(map, &first);
    physical_map_claim_code(map, 3);
    expect_log("appears3 ");
}
END_TEST

/* Whoever watches may use any register of the host: translated code's are saved before. */
START_TEST(registers_are_saved_before_a_page_is_told) {
    physical_map_add_hooks(map, &(PhysicalMapHooks){.before_device = on_before_device});
    physical_write(map, 0x3000, 4, 1);
    expect_log("");
    physical_map_clear_dirty(map, PAGE_DIRTY_CHECKPOINT);
    physical_map_watch_pages(map, on_page_changes, NULL);
    physical_write(map, 0x3000, 4, 2);
    expect_log("saved page0/3 ");
}
END_TEST

START_TEST(pages_are_told_before_they_change) {
    ck_assert_uint_eq(physical_map_region_pages(map), RAM_BYTES / PAGE_SIZE);
    const GuestRegion *frame = physical_map_add_region(map, "frame", 0x4000, NULL);
    ck_assert_ptr_nonnull(frame);
    ck_assert_uint_eq(frame->first_page, RAM_BYTES / PAGE_SIZE);
    ck_assert_uint_eq(physical_map_region_pages(map), RAM_BYTES / PAGE_SIZE + 4);
    physical_map_add_memory(map, 0xE0000000, 0x4000, frame->host, frame->flags, true);
    physical_map_ram(map)[0x3000] = 0x77;
    physical_map_watch_pages(map, on_page_changes, NULL);
    physical_write(map, 0x3000, 4, 0x12345678);
    expect_log("page0/3 ");
    ck_assert_uint_eq(seen_by_hook, 0x77);
    physical_write(map, 0x3004, 4, 0);
    expect_log("");
    physical_write(map, 0xE0002FFE, 4, 0xFFFFFFFF);
    char expected[64];
    snprintf(expected, sizeof expected, "page%X/2 page%X/3 ", frame->first_page, frame->first_page);
    expect_log(expected);
    physical_map_clear_dirty(map, PAGE_DIRTY_CHECKPOINT);
    physical_map_clear_dirty(map, PAGE_DIRTY_HASH);
    physical_map_mark_page(map, &frame->flags[1], PAGE_DIRTY_HASH);
    expect_log("");
    physical_map_mark_page(map, &frame->flags[1], PAGE_DIRTY_ALL);
    physical_map_touch(map, 0x5000, 1);
    snprintf(expected, sizeof expected, "page%X/1 page0/5 ", frame->first_page);
    expect_log(expected);
}
END_TEST

START_TEST(stores_to_code_are_reported_before_they_happen) {
    install_hooks();
    physical_map_ram_flags(map)[3] = PAGE_CODE;
    physical_map_ram_flags(map)[4] = PAGE_CODE;
    physical_map_ram(map)[0x3004] = 0x77;
    physical_write(map, 0x2FFC, 4, 0);
    expect_log("");
    physical_write(map, 0x3004, 2, 0x8888);
    expect_log("code3004/2 ");
    ck_assert_uint_eq(seen_by_hook, 0x77);
    ck_assert_uint_eq(physical_read(map, 0x3004, 1), 0x88);
    physical_write(map, 0x3FFF, 4, 0);
    expect_log("code3FFF/1 code4000/3 ");
    uint8_t data[0x1800] = {0};
    physical_write_bytes(map, 0x2800, data, sizeof data);
    expect_log("code3000/1000 ");
    physical_map_touch(map, 0x3FF0, 0x20);
    expect_log("code3FF0/10 code4000/10 ");
}
END_TEST

START_TEST(stores_of_what_is_there_change_no_code) {
    install_hooks();
    uint8_t *flags = physical_map_ram_flags(map) + 3;
    physical_write(map, 0x3000, 4, 0x11223344);
    physical_map_clear_dirty(map, PAGE_DIRTY_ALL);
    *flags |= PAGE_CODE;
    log_text[0] = 0;
    physical_write(map, 0x3000, 4, 0x11223344);
    physical_write(map, 0x3001, 1, 0xFFFFFF33);
    expect_log("");
    ck_assert_uint_eq(*flags & PAGE_DIRTY_ALL, PAGE_DIRTY_ALL);
    physical_write(map, 0x3000, 4, 0x10223344);
    expect_log("code3000/4 ");
    ck_assert_uint_eq(physical_read(map, 0x3000, 4), 0x10223344);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("physical_map");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, impossible_sizes_are_refused);
    tcase_add_test(tests, ram_takes_every_size_and_alignment);
    tcase_add_test(tests, beyond_ram_is_nothing);
    tcase_add_test(tests, addresses_wrap_at_4_gb);
    tcase_add_test(tests, rom_drops_stores);
    tcase_add_test(tests, writable_memory_keeps_its_own_flags);
    tcase_add_test(tests, pam_shadow);
    tcase_add_test(tests, layout_is_reported_when_it_changes);
    tcase_add_test(tests, a_cover_hides_what_happens_beneath);
    tcase_add_test(tests, a20_gate_can_be_ignored);
    tcase_add_test(tests, mmio_is_split_to_natural_alignment);
    tcase_add_test(tests, accesses_straddle_ram_and_mmio);
    tcase_add_test(tests, small_ranges_share_a_page_with_nothing);
    tcase_add_test(tests, overlapping_ranges_name_both);
    tcase_add_test(tests, ranges_are_found_among_many);
    tcase_add_test(tests, a_callback_may_remove_its_own_range);
    tcase_add_test(tests, closed_a20_gate_leaves_bus_masters_alone);
    tcase_add_test(tests, stores_set_dirty_bits);
    tcase_add_test(tests, code_belongs_to_all_who_claim_it);
    tcase_add_test(tests, registers_are_saved_before_a_page_is_told);
    tcase_add_test(tests, pages_are_told_before_they_change);
    tcase_add_test(tests, stores_to_code_are_reported_before_they_happen);
    tcase_add_test(tests, stores_of_what_is_there_change_no_code);
    Suite *suite = suite_create("physical_map");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

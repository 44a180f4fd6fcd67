#include "paging_fixture.h"
#include <check.h>
#include <stdlib.h>

static void on_code_changes(void *opaque, uint32_t address, uint32_t size) {
    PagingFixture *fixture = opaque;
    fixture->code_changes++;
    fixture->code_address = address;
    fixture->code_size = size;
    if (fixture->forget_code)
        physical_map_ram_flags(fixture->map)[address >> PAGE_BITS] &= (uint8_t)~PAGE_CODE;
}

static void on_layout_changed(void *opaque, uint32_t first_page, uint32_t pages) {
    PagingFixture *fixture = opaque;
    (void)first_page;
    (void)pages;
    tlb_flush_all(fixture->tlb);
}

static void on_dirty_cleared(void *opaque) {
    PagingFixture *fixture = opaque;
    tlb_drop_writes(fixture->tlb);
}

static void on_flushed(void *opaque, TlbLoss loss, uint32_t page) {
    (void)loss;
    (void)page;
    PagingFixture *fixture = opaque;
    fixture->flushes++;
}

PagingFixture *fixture_create(void) {
    PagingFixture *fixture = calloc(1, sizeof *fixture);
    ck_assert_ptr_nonnull(fixture);
    fixture->map = physical_map_create(FIXTURE_RAM_BYTES, NULL);
    fixture->tlb = tlb_map_storage(sizeof(Tlb));
    ck_assert_ptr_nonnull(fixture->map);
    ck_assert_ptr_nonnull(fixture->tlb);
    ck_assert(tlb_init(fixture->tlb, fixture->map, NULL));
    fixture->tlb->pse_36 = true;
    fixture->tlb->flushed = on_flushed;
    fixture->tlb->flushed_opaque = fixture;
    const PhysicalMapHooks hooks = {
        .opaque = fixture,
        .code_changes = on_code_changes,
        .layout_changed = on_layout_changed,
        .dirty_cleared = on_dirty_cleared,
    };
    physical_map_add_hooks(fixture->map, &hooks);
    return fixture;
}

void fixture_destroy(PagingFixture *fixture) {
    physical_map_remove_hooks(fixture->map, fixture);
    tlb_destroy(fixture->tlb);
    tlb_unmap_storage(fixture->tlb, sizeof(Tlb));
    physical_map_destroy(fixture->map);
    free(fixture);
}

void fixture_page_32(PagingFixture *fixture, uint32_t cr0_bits, uint32_t cr4_bits) {
    fixture_set_32(fixture, DIRECTORY, 0, TABLE | P | W | U);
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1 | cr0_bits, DIRECTORY, cr4_bits, false, true);
}

void fixture_page_pae(PagingFixture *fixture, uint32_t cr0_bits, uint32_t cr4_bits, bool nxe) {
    for (uint32_t i = 0; i < 4; i++)
        fixture_set_pae(fixture, PAE_POINTERS, i, (PAE_DIRECTORY + i * 0x1000) | P);
    fixture_set_pae(fixture, PAE_DIRECTORY, 0, PAE_TABLE | P | W | U);
    ck_assert(tlb_load_pdptes(fixture->tlb, PAE_POINTERS));
    tlb_set_control(fixture->tlb, CR0_PG_BIT | 1 | cr0_bits, PAE_POINTERS, CR4_PAE_BIT | cr4_bits,
                    nxe, true);
}

void fixture_set_32(PagingFixture *fixture, uint32_t table, uint32_t index, uint32_t entry) {
    physical_write(fixture->map, table + 4 * index, 4, entry);
}

uint32_t fixture_get_32(PagingFixture *fixture, uint32_t table, uint32_t index) {
    return (uint32_t)physical_read(fixture->map, table + 4 * index, 4);
}

void fixture_set_pae(PagingFixture *fixture, uint32_t table, uint32_t index, uint64_t entry) {
    physical_write(fixture->map, table + 8 * index, 8, entry);
}

uint64_t fixture_get_pae(PagingFixture *fixture, uint32_t table, uint32_t index) {
    return physical_read(fixture->map, table + 8 * index, 8);
}

void fixture_check(PagingFixture *fixture) {
    Error error = {0};
    ck_assert_msg(tlb_check_invariants(fixture->tlb, &error), "%s", error.message);
}

int fixture_translate(PagingFixture *fixture, uint32_t linear, AccessKind kind, bool user,
                      uint32_t *physical) {
    PageFault fault = {.address = ~linear};
    if (tlb_translate(fixture->tlb, linear, kind, user, physical, &fault))
        return -1;
    ck_assert_uint_eq(fault.address, linear);
    return (int)fault.error_code;
}

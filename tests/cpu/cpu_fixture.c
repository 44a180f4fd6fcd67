#include "cpu_fixture.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { RAM_BYTES = 4 << 20 };

uint32_t fixture_load(CpuFixture *fixture, uint32_t address, unsigned size) {
    return (uint32_t)physical_read(fixture->map, address, size);
}

void fixture_store(CpuFixture *fixture, uint32_t address, unsigned size, uint32_t value) {
    physical_write(fixture->map, address, size, value);
}

void fixture_set_segment(CpuFixture *fixture, uint32_t table, unsigned selector, uint32_t base,
                         uint32_t limit, uint32_t access) {
    uint32_t address = table + (selector & ~7u);
    fixture_store(fixture, address, 4, (limit & 0xFFFF) | base << 16);
    fixture_store(fixture, address + 4, 4,
                  (base >> 16 & 0xFF) | access << 8 | (limit & 0xF0000) | (base & 0xFF000000));
}

void fixture_set_gate(CpuFixture *fixture, uint32_t table, unsigned selector, uint16_t target,
                      uint32_t offset, uint32_t access, unsigned parameters) {
    uint32_t address = table + (selector & ~7u);
    fixture_store(fixture, address, 4, (offset & 0xFFFF) | (uint32_t)target << 16);
    fixture_store(fixture, address + 4, 4, parameters | access << 8 | (offset & 0xFFFF0000));
}

void fixture_set_vector(CpuFixture *fixture, unsigned vector, uint32_t access) {
    fixture_set_gate(fixture, IDT, vector * 8, KERNEL_CODE, HANDLER + vector * 16, access, 0);
}

static void fill_gdt(CpuFixture *fixture) {
    static const struct {
        unsigned selector;
        uint32_t base, limit, access;
    } rows[] = {
        {KERNEL_CODE, 0, 0xFFFFF, 0xC09A},
        {KERNEL_DATA, 0, 0xFFFFF, 0xC092},
        {USER_CODE, 0, 0xFFFFF, 0xC0FA},
        {USER_DATA, 0, 0xFFFFF, 0xC0F2},
        {TSS_SELECTOR, TSS, TSS_LIMIT, 0x89},
        {TSS_OTHER_SELECTOR, TSS_OTHER, 0x67, 0x89},
        {TSS_286_SELECTOR, TSS_286, 0x2B, 0x81},
        {LDT_SELECTOR, LDT, 0x1F, 0x82},
        {CONFORMING_CODE, 0, 0xFFFFF, 0xC09E},
        {READ_ONLY_DATA, 0, 0xFFFFF, 0xC0F0},
        {EXPAND_DOWN, DATA, 0xFFF, 0x00F6},
        {ABSENT_DATA, 0, 0xFFFFF, 0xC072},
        {ABSENT_CODE, 0, 0xFFFFF, 0xC01A},
        {EXECUTE_ONLY, 0, 0xFFFFF, 0xC0F8},
        {RING1_CODE, 0, 0xFFFFF, 0xC0BA},
        {RING1_DATA, 0, 0xFFFFF, 0xC0B2},
        {CODE16, 0, 0xFFFF, 0x009A},
        {STACK16, 0, 0xFFFF, 0x0092},
        {SMALL_DATA, DATA, 0xFF, 0x40F2},
        {ABSENT_STACK, 0, 0xFFFFF, 0xC012},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fixture_set_segment(fixture, GDT, rows[i].selector, rows[i].base, rows[i].limit,
                            rows[i].access);
    fixture_set_gate(fixture, GDT, CALL_GATE, KERNEL_CODE, HANDLER, 0xEC, 2);
    fixture_set_gate(fixture, GDT, CALL_GATE_286, KERNEL_CODE, HANDLER & 0xFFFF, 0xE4, 1);
    fixture_set_gate(fixture, GDT, TASK_GATE, TSS_OTHER_SELECTOR, 0, 0xE5, 0);
}

static void fill_tss(CpuFixture *fixture) {
    fixture_store(fixture, TSS + 4, 4, KERNEL_STACK);
    fixture_store(fixture, TSS + 8, 4, KERNEL_DATA);
    fixture_store(fixture, TSS + 12, 4, RING1_STACK);
    fixture_store(fixture, TSS + 16, 4, RING1_DATA);
    fixture_store(fixture, TSS + 0x66, 2, TSS_IO_MAP);
    fixture_store(fixture, TSS + TSS_LIMIT, 1, 0xFF);
}

CpuFixture *fixture_create(const char *model) {
    Error error = {0};
    CpuFixture *fixture = calloc(1, sizeof(*fixture));
    ck_assert_ptr_nonnull(fixture);
    fixture->map = physical_map_create(RAM_BYTES, &error);
    fixture->ports = port_map_create();
    clock_init(&fixture->clock);
    fixture->trace.output = stderr;
    fixture->cpu = cpu_create(fixture->map, fixture->ports, &fixture->clock, &fixture->trace,
                              cpu_model_find(model), &error);
    ck_assert_msg(fixture->cpu != NULL, "%s", error.message);
    fill_gdt(fixture);
    fill_tss(fixture);
    for (unsigned vector = 0; vector < 256; vector++)
        fixture_set_vector(fixture, vector, 0x8E);
    return fixture;
}

void fixture_destroy(CpuFixture *fixture) {
    Error error = {0};
    ck_assert_msg(tlb_check_invariants(&fixture->cpu->tlb, &error), "%s", error.message);
    cpu_destroy(fixture->cpu);
    physical_map_destroy(fixture->map);
    port_map_destroy(fixture->ports);
    clock_destroy(&fixture->clock);
    free(fixture);
}

/* The hidden parts are set as the descriptors in the GDT would set them. */
static void load_cache(CpuFixture *fixture, unsigned segment, unsigned selector) {
    uint32_t address = GDT + (selector & ~7u);
    uint32_t low = fixture_load(fixture, address, 4), high = fixture_load(fixture, address + 4, 4);
    Descriptor descriptor = {address, low, high | ACCESS_A << 8};
    fixture_store(fixture, address + 4, 4, high | ACCESS_A << 8);
    Segment *cache = &fixture->cpu->state.segment[segment];
    cache->selector = (uint16_t)selector;
    cache->access = descriptor_access(&descriptor);
    cache->base = descriptor_base(&descriptor);
    cache->limit = descriptor_limit(&descriptor);
    segment_classify(cache);
}

static void enter_protected_tables(CpuFixture *fixture) {
    CpuState *state = &fixture->cpu->state;
    state->cr0 |= CR0_PE;
    state->gdtr = (DescriptorTable){GDT, GDT_LIMIT};
    state->idtr = (DescriptorTable){IDT, 0x7FF};
    load_cache(fixture, SEG_TR, TSS_SELECTOR);
    fixture_store(fixture, GDT + TSS_SELECTOR + 5, 1, 0x8B);
    state->segment[SEG_TR].access = 0x8B;
    state->segment[SEG_LDTR] = (Segment){0};
    cpu_state_restored(fixture->cpu);
}

void fixture_enter_protected(CpuFixture *fixture, unsigned cpl) {
    CpuState *state = &fixture->cpu->state;
    static const uint16_t code[4] = {KERNEL_CODE, RING1_CODE, 0, USER_CODE};
    static const uint16_t data[4] = {KERNEL_DATA, RING1_DATA, 0, USER_DATA};
    static const uint32_t stack[4] = {KERNEL_STACK, RING1_STACK, 0, USER_STACK};
    enter_protected_tables(fixture);
    for (unsigned segment = 0; segment < SEG_COUNT; segment++)
        load_cache(fixture, segment, segment == SEG_CS ? code[cpl] : data[cpl]);
    state->cpl = cpl;
    state->eip = CODE;
    state->gpr[REG_ESP] = stack[cpl] - 0x100;
    cpu_set_eflags(fixture->cpu, FLAG_1 | FLAG_IF);
}

void fixture_enter_v8086(CpuFixture *fixture, unsigned iopl) {
    CpuState *state = &fixture->cpu->state;
    static const uint16_t selectors[SEG_COUNT] = {0x4100, 0x1000, 0x2000, 0x4000, 0x4200, 0x4300};
    enter_protected_tables(fixture);
    cpu_set_eflags(fixture->cpu, FLAG_1 | FLAG_IF | FLAG_VM | iopl << 12);
    for (unsigned segment = 0; segment < SEG_COUNT; segment++)
        segment_load_real(fixture->cpu, segment, selectors[segment]);
    state->cpl = 3;
    state->eip = 0x100;
    state->gpr[REG_ESP] = 0x800;
}

void fixture_set_page(CpuFixture *fixture, uint32_t linear, uint32_t entry) {
    fixture_store(fixture, PAGE_TABLE + (linear >> 12) * 4, 4, entry);
    tlb_flush_page(&fixture->cpu->tlb, linear);
}

void fixture_enable_paging(CpuFixture *fixture) {
    fixture_store(fixture, PAGE_DIRECTORY, 4, PAGE_TABLE | 7);
    for (uint32_t page = 0; page < 1024; page++)
        fixture_store(fixture, PAGE_TABLE + page * 4, 4, page << 12 | 7);
    fixture->cpu->state.cr3 = PAGE_DIRECTORY;
    fixture->cpu->state.cr0 |= CR0_PG | CR0_WP;
    cpu_state_restored(fixture->cpu);
}

void fixture_save(CpuFixture *fixture) {
    fixture->before = fixture->cpu->state;
}

void fixture_expect_unchanged(CpuFixture *fixture) {
    char text[200] = "";
    bool differs =
        field_table_diff(&cpu_fields, &fixture->before, &fixture->cpu->state, text, sizeof(text));
    ck_assert_msg(!differs, "%s", text);
}

HelperResult fixture_call(CpuFixture *fixture, HelperFunction *helper, uint32_t a, uint32_t b,
                          uint32_t t0, uint32_t t1) {
    fixture->cpu->next_eip = fixture->cpu->state.eip + 2;
    return helper(fixture->cpu, a, b, t0, t1);
}

void fixture_expect_fault(CpuFixture *fixture, HelperFunction *helper, uint32_t a, uint32_t b,
                          uint32_t t0, uint32_t t1, unsigned vector, uint32_t error_code) {
    fixture_save(fixture);
    HelperResult result = fixture_call(fixture, helper, a, b, t0, t1);
    const PendingException *exception = &fixture->cpu->exception;
    ck_assert_int_eq(result, HELPER_FAULT);
    ck_assert_uint_eq(exception->vector, vector);
    ck_assert_uint_eq(exception->error_code, error_code);
    fixture_expect_unchanged(fixture);
}

void fixture_expect_at(CpuFixture *fixture, uint16_t cs, uint32_t eip, unsigned cpl) {
    const CpuState *state = &fixture->cpu->state;
    ck_assert_uint_eq(state->segment[SEG_CS].selector, cs);
    ck_assert_uint_eq(state->eip, eip);
    ck_assert_uint_eq(state->cpl, cpl);
}

uint32_t fixture_stacked(CpuFixture *fixture, unsigned index) {
    const CpuState *state = &fixture->cpu->state;
    return fixture_load(fixture,
                        state->segment[SEG_SS].base + (uint32_t)state->gpr[REG_ESP] + index * 4, 4);
}

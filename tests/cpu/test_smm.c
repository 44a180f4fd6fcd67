/* System management mode: what an SMI saves, where the handler begins, what RSM brings back, and
 * what it refuses. SDM vol. 3C chapter 31. */
#include "cpu_fixture.h"
#include "smm.h"
#include "suite_run.h"
#include <check.h>

static CpuFixture *fixture;
static Cpu *cpu;
static int smiact;

enum { SMBASE = 0x30000, SAVE = SMBASE + 0x8000 };

static void set_smiact(void *opaque, int line, int level) {
    (void)opaque;
    (void)line;
    smiact = level;
}

static void set_up(void) {
    fixture = fixture_create("pentium4");
    cpu = fixture->cpu;
    cpu->smiact = (Wire){set_smiact, NULL, 0};
    smiact = 0;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static void raise_smi(void) {
    cpu_set_smi(cpu, 0, 1);
    cpu_set_smi(cpu, 0, 0);
    ck_assert(cpu_has_deliverable_interrupt(cpu));
    cpu_deliver_interrupt(cpu);
}

static HelperResult resume(void) {
    return fixture_call(fixture, helper_rsm, 0, 0, 0, 0);
}

/* A state in which nothing has its usual value. */
static void fill_state(unsigned cpl) {
    fixture_enter_protected(fixture, cpl);
    for (unsigned i = 0; i < 8; i++)
        cpu->state.gpr[i] = 0x11111111u * (i + 1);
    cpu_set_eflags(cpu, cpu_get_eflags(cpu) | FLAG_CF | FLAG_OF | FLAG_DF | FLAG_IF | FLAG_TF);
    cpu->state.dr[0] = 0x1234;
    cpu->state.dr[6] |= 1;
    cpu->state.dr[7] |= 1;
    cpu->state.cr2 = 0x8765;
    cpu->state.eip = 0x12345;
}

static const unsigned levels[] = {0, 1, 3};

START_TEST(rsm_brings_everything_back) {
    char text[128];
    fill_state(levels[_i]);
    fixture_enable_paging(fixture);
    CpuState before = cpu->state;
    raise_smi();
    ck_assert_uint_eq(cpu->state.smm, 1);
    ck_assert_int_eq(smiact, 1);
    for (unsigned i = 0; i < 8; i++)
        cpu->state.gpr[i] = 0;
    ck_assert_int_eq(resume(), HELPER_JUMP);
    ck_assert_int_eq(smiact, 0);
    bool differs = field_table_diff(&cpu_fields, &before, &cpu->state, text, sizeof(text));
    ck_assert_msg(!differs, "%s", text);
    PageFault fault;
    uint32_t physical;
    ck_assert(tlb_translate(&cpu->tlb, 0x5000, ACCESS_READ, false, &physical, &fault));
}
END_TEST

START_TEST(v8086_mode_comes_back) {
    char text[128];
    fixture_enter_v8086(fixture, 3);
    CpuState before = cpu->state;
    raise_smi();
    ck_assert_uint_eq(cpu->state.cpl, 0);
    resume();
    bool differs = field_table_diff(&cpu_fields, &before, &cpu->state, text, sizeof(text));
    ck_assert_msg(!differs, "%s", text);
}
END_TEST

/* Table 31-1. */
START_TEST(save_area_is_where_the_manual_says) {
    fill_state(0);
    uint32_t eflags = cpu_get_eflags(cpu), cr0 = cpu->state.cr0;
    raise_smi();
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FFC, 4), cr0);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FF4, 4), eflags);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FF0, 4), 0x12345);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FEC, 4), 0x88888888); /* EDI */
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FE0, 4), 0x55555555); /* ESP */
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FD0, 4), 0x11111111); /* EAX */
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FC8, 4), 0x401);      /* DR7 */
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FC4, 4), TSS_SELECTOR);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7FAC, 4), KERNEL_CODE);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7F02, 2), 0);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7EFC, 4), 0x20000);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7EF8, 4), SMBASE);
}
END_TEST

/* Table 31-4. */
START_TEST(handler_begins_like_real_mode_without_limits) {
    fill_state(3);
    fixture_enable_paging(fixture);
    raise_smi();
    const CpuState *state = &cpu->state;
    ck_assert_uint_eq(state->eip, 0x8000);
    ck_assert_uint_eq(state->segment[SEG_CS].selector, SMBASE >> 4);
    ck_assert_uint_eq(state->segment[SEG_CS].base, SMBASE);
    ck_assert_uint_eq(state->segment[SEG_DS].base, 0);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        ck_assert_uint_eq(state->segment[i].limit, UINT32_MAX);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1);
    ck_assert_uint_eq(state->cr0 & (CR0_PE | CR0_PG | CR0_TS | CR0_EM), 0);
    ck_assert_uint_eq(state->cr4, 0);
    ck_assert_uint_eq(state->dr[7], 0x400);
    ck_assert_uint_eq(state->cpl, 0);
    PageFault fault;
    uint32_t physical;
    ck_assert(tlb_translate(&cpu->tlb, 0xFEDCB000, ACCESS_READ, false, &physical, &fault));
    ck_assert_uint_eq(physical, 0xFEDCB000);
}
END_TEST

START_TEST(smbase_moves_at_rsm_and_survives_init) {
    fill_state(0);
    raise_smi();
    fixture_store(fixture, SAVE + 0x7EF8, 4, 0x50000);
    ck_assert_uint_eq(cpu->state.smbase, SMBASE);
    resume();
    ck_assert_uint_eq(cpu->state.smbase, 0x50000);
    raise_smi();
    ck_assert_uint_eq(cpu->state.segment[SEG_CS].base, 0x50000);
    ck_assert_uint_eq(fixture_load(fixture, 0x50000 + 0xFEF8, 4), 0x50000);
    resume();
    cpu_reset(cpu, true);
    ck_assert_uint_eq(cpu->state.smbase, 0x50000);
    raise_smi();
    cpu_reset(cpu, false);
    ck_assert_uint_eq(cpu->state.smbase, SMBASE);
    ck_assert_uint_eq(cpu->state.smm, 0);
    ck_assert_int_eq(smiact, 0);
}
END_TEST

START_TEST(one_smi_is_remembered_and_nmi_waits) {
    fill_state(0);
    raise_smi();
    cpu_set_smi(cpu, 0, 1);
    cpu_set_nmi(cpu, 0, 1);
    ck_assert(!cpu_has_deliverable_interrupt(cpu));
    resume();
    ck_assert(cpu_has_deliverable_interrupt(cpu));
    cpu_deliver_interrupt(cpu);
    ck_assert_uint_eq(cpu->state.smm, 1); /* before the NMI */
    resume();
    ck_assert_uint_eq(cpu->state.nmi_blocked, 0);
    ck_assert(cpu_has_deliverable_interrupt(cpu));
    cpu_deliver_interrupt(cpu);
    ck_assert_uint_eq(cpu->state.nmi_blocked, 1);
    raise_smi();
    resume();
    ck_assert_uint_eq(cpu->state.nmi_blocked, 1); /* an NMI's handler goes on */
}
END_TEST

/* 31.10: the handler chooses by the auto HALT restart word. */
START_TEST(halt_is_resumed_if_the_handler_leaves_it_so) {
    fill_state(0);
    cpu->state.halted = 1;
    raise_smi();
    ck_assert_uint_eq(cpu->state.halted, 0);
    ck_assert_uint_eq(fixture_load(fixture, SAVE + 0x7F02, 2), 1);
    resume();
    ck_assert_uint_eq(cpu->state.halted, 1);
    raise_smi();
    fixture_store(fixture, SAVE + 0x7F02, 2, 0);
    resume();
    ck_assert_uint_eq(cpu->state.halted, 0);
}
END_TEST

/* What the processor itself reads, without paging. */
static uint32_t load_through_gate(uint32_t address) {
    return fixture_load(fixture, address & physical_map_a20_mask(fixture->map), 4);
}

START_TEST(a20_is_ignored_within) {
    fill_state(0);
    fixture_store(fixture, 0, 4, 0);
    fixture_store(fixture, 0x100000, 4, 0xAABBCCDD);
    physical_map_set_a20(fixture->map, false);
    ck_assert_uint_eq(load_through_gate(0x100000), 0);
    raise_smi();
    ck_assert(!physical_map_a20(fixture->map));
    ck_assert_uint_eq(load_through_gate(0x100000), 0xAABBCCDD);
    physical_map_set_a20(fixture->map, true);
    physical_map_set_a20(fixture->map, false);
    ck_assert_uint_eq(load_through_gate(0x100000), 0xAABBCCDD);
    resume();
    ck_assert_uint_eq(load_through_gate(0x100000), 0);
}
END_TEST

START_TEST(rsm_outside_is_undefined) {
    fill_state(0);
    ck_assert_int_eq(resume(), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_UD);
}
END_TEST

/* What a handler may write that no state is: offset in the save area, value. */
static const struct {
    uint32_t offset, value;
} damages[] = {
    {0x7FFC, CR0_PG},          /* paging without protection */
    {0x7FFC, CR0_PE | CR0_NW}, /* write-through off, caching on */
    {0x7F14, 0x80000000},      /* a reserved bit of CR4 */
    {0x7F14, UINT32_MAX},
};

START_TEST(impossible_states_shut_down) {
    fill_state(0);
    raise_smi();
    fixture_store(fixture, SAVE + damages[_i].offset, 4, damages[_i].value);
    resume();
    ck_assert_uint_eq(cpu->state.shutdown, 1);
}
END_TEST

START_TEST(v8086_without_protection_shuts_down) {
    fill_state(0);
    raise_smi();
    fixture_store(fixture, SAVE + 0x7FFC, 4, CR0_ET);
    fixture_store(fixture, SAVE + 0x7FF4, 4, FLAG_VM);
    resume();
    ck_assert_uint_eq(cpu->state.shutdown, 1);
}
END_TEST

/* A save area full of anything never breaks the emulator. */
START_TEST(random_save_areas_are_survived) {
    uint32_t random = 7;
    fill_state(0);
    for (int round = 0; round < 2000; round++) {
        raise_smi();
        uint32_t base = cpu->state.smbase + 0x8000;
        for (uint32_t offset = 0x7F00; offset < 0x8000; offset += 4) {
            random = random * 1664525 + 1013904223;
            if (random >> 28 == 0)
                fixture_store(fixture, base + offset, 4, random ^ random << 13);
        }
        resume();
        if (cpu->state.shutdown) {
            cpu_reset(cpu, false);
            fill_state(0);
        }
        ck_assert_uint_eq(cpu->state.smm, 0);
        ck_assert_uint_le(cpu->state.cpl, 3);
        cpu->state.interrupt_shadow = 0;
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("smm");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, rsm_brings_everything_back, 0, 3);
    tcase_add_test(tests, v8086_mode_comes_back);
    tcase_add_test(tests, save_area_is_where_the_manual_says);
    tcase_add_test(tests, handler_begins_like_real_mode_without_limits);
    tcase_add_test(tests, smbase_moves_at_rsm_and_survives_init);
    tcase_add_test(tests, one_smi_is_remembered_and_nmi_waits);
    tcase_add_test(tests, halt_is_resumed_if_the_handler_leaves_it_so);
    tcase_add_test(tests, a20_is_ignored_within);
    tcase_add_test(tests, rsm_outside_is_undefined);
    tcase_add_loop_test(tests, impossible_states_shut_down, 0,
                        sizeof(damages) / sizeof(damages[0]));
    tcase_add_test(tests, v8086_without_protection_shuts_down);
    tcase_add_test(tests, random_save_areas_are_survived);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

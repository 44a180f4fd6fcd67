/* In which order system transfers check, mark and load: what the comparison with Bochs
 * (tests/bochs) found, case by case. */
#include "cpu_fixture.h"
#include "suite_run.h"
#include <check.h>

static CpuFixture *fixture;
static Cpu *cpu;

enum { HIGH_ESP = 0x5678FF00, TASK_EIP = 0x13579, FREE_VECTOR = 0x30 };

static void set_up(void) {
    fixture = fixture_create("pentium3");
    cpu = fixture->cpu;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static HelperResult interrupt(uint32_t vector) {
    return fixture_call(fixture, helper_software_interrupt, vector, 0, 0, 0);
}

static HelperResult jump(uint32_t selector) {
    return fixture_call(fixture, helper_jump_far, 4, 0, 0, selector);
}

static unsigned access_of(unsigned selector) {
    return fixture_load(fixture, GDT + selector + 5, 1);
}

/* Level 0's stack in the running task's TSS. */
static void set_inner_stack(uint32_t esp, uint32_t selector) {
    fixture_store(fixture, TSS + 4, 4, esp);
    fixture_store(fixture, TSS + 8, 4, selector);
}

START_TEST(inner_stack_of_16_bits_keeps_the_upper_half) {
    fixture_enter_protected(fixture, 3);
    fixture_set_segment(fixture, GDT, STACK16, 0, 0xFFFF, 0x0092);
    fixture_set_vector(fixture, FREE_VECTOR, 0xEE);
    set_inner_stack(0x00034800, STACK16);
    cpu->state.gpr[REG_ESP] = HIGH_ESP;
    ck_assert_int_eq(interrupt(FREE_VECTOR), HELPER_JUMP);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), (HIGH_ESP & 0xFFFF0000) | (0x4800 - 20));
}
END_TEST

/* A stack that is found too small has not been used. */
START_TEST(stack_without_room_is_not_accessed) {
    fixture_enter_protected(fixture, 3);
    fixture_set_segment(fixture, GDT, STACK16, 0, 0x47FF, 0x0092);
    fixture_set_segment(fixture, GDT, CODE16, 0, 0xFFFF, 0x0098);
    fixture_set_gate(fixture, IDT, FREE_VECTOR * 8, CODE16, 0x1000, 0xEE, 0);
    set_inner_stack(8, STACK16);
    ck_assert_int_eq(interrupt(FREE_VECTOR), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_SS);
    ck_assert_uint_eq(access_of(STACK16), 0x92);
    ck_assert_uint_eq(access_of(CODE16), 0x98);
    set_inner_stack(0x4000, STACK16);
    ck_assert_int_eq(interrupt(FREE_VECTOR), HELPER_JUMP);
    ck_assert_uint_eq(access_of(STACK16), 0x93);
    ck_assert_uint_eq(access_of(CODE16), 0x99);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].access & ACCESS_A, ACCESS_A);
}
END_TEST

START_TEST(code_of_a_refused_return_is_not_accessed) {
    fixture_enter_protected(fixture, 0);
    fixture_set_segment(fixture, GDT, CODE16, 0, 0xFFFF, 0x00F8);
    uint32_t esp = GPR(fixture, REG_ESP);
    fixture_store(fixture, esp, 4, 0x1000);
    fixture_store(fixture, esp + 4, 4, CODE16 | 3);
    fixture_store(fixture, esp + 12, 4, KERNEL_DATA | 3);
    fixture_expect_fault(fixture, helper_return_far, 4, 0, 0, 0, EXCEPTION_GP, KERNEL_DATA);
    ck_assert_uint_eq(access_of(CODE16), 0xF8);
}
END_TEST

START_TEST(offset_of_a_return_is_checked_after_the_stack) {
    fixture_enter_protected(fixture, 0);
    fixture_set_segment(fixture, GDT, CODE16, 0, 0xFFFF, 0x00F8);
    uint32_t esp = GPR(fixture, REG_ESP);
    fixture_store(fixture, esp, 4, 0x10000);
    fixture_store(fixture, esp + 4, 4, CODE16 | 3);
    fixture_store(fixture, esp + 12, 4, KERNEL_DATA | 3);
    fixture_expect_fault(fixture, helper_return_far, 4, 0, 0, 0, EXCEPTION_GP, KERNEL_DATA);
    fixture_store(fixture, esp + 12, 4, USER_DATA);
    fixture_expect_fault(fixture, helper_return_far, 4, 0, 0, 0, EXCEPTION_GP, 0);
}
END_TEST

/* ---- Task switches ---- */

static void fill_task(void) {
    fixture_set_segment(fixture, GDT, TSS_OTHER_SELECTOR, TSS_OTHER, 0x67, 0x89);
    fixture_store(fixture, TSS_OTHER + 0x20, 4, TASK_EIP);
    fixture_store(fixture, TSS_OTHER + 0x24, 4, FLAG_1);
    fixture_store(fixture, TSS_OTHER + 0x38, 4, RING1_STACK);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        fixture_store(fixture, TSS_OTHER + 0x48 + 4 * i, 4,
                      i == SEG_CS ? KERNEL_CODE : KERNEL_DATA);
    fixture_store(fixture, TSS_OTHER + 4, 4, KERNEL_STACK - 0x800); /* level 0's stack */
    fixture_store(fixture, TSS_OTHER + 8, 4, KERNEL_DATA);
}

/* SS comes before the data segments and CS last, so a handler finds a stack. */
START_TEST(task_loads_its_code_last) {
    fixture_enter_protected(fixture, 0);
    fill_task();
    fixture_store(fixture, TSS_OTHER + 0x4C, 4, KERNEL_DATA); /* CS is no code */
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_TS);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].limit, 0xFFFFFFFF);
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].limit, 0xFFFFFFFF);
    fixture_enter_protected(fixture, 0);
    fill_task();
    fixture_store(fixture, TSS_OTHER + 0x4C, 4, KERNEL_DATA);
    fixture_store(fixture, TSS_OTHER + 0x54, 4, ABSENT_DATA); /* DS, looked at before CS */
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_NP);
}
END_TEST

/* The handler of a task without a stack gets level 0's, though it would run at the same level. */
START_TEST(task_without_stack_gets_the_one_of_its_tss) {
    fixture_enter_protected(fixture, 0);
    fixture_set_vector(fixture, EXCEPTION_TS, 0x8E);
    fill_task();
    fixture_store(fixture, TSS_OTHER + 0x50, 4, KERNEL_CODE); /* SS is no stack */
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_FAULT);
    cpu_deliver_exception(cpu);
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER + EXCEPTION_TS * 16, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 0x800 - 24);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), KERNEL_CODE);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), TASK_EIP);
    ck_assert_uint_eq(fixture_stacked(fixture, 5), KERNEL_CODE); /* the SS that was no stack */
}
END_TEST

START_TEST(task_with_a_short_tss_cannot_be_left) {
    fixture_enter_protected(fixture, 0);
    fill_task();
    cpu->state.segment[SEG_TR].limit = 0x5E;
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0, TSS_OTHER_SELECTOR, EXCEPTION_TS,
                         TSS_SELECTOR);
    cpu->state.segment[SEG_TR].limit = 0x5F;
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_JUMP);
}
END_TEST

START_TEST(task_that_is_left_by_a_jump_has_resumed) {
    fixture_enter_protected(fixture, 0);
    fill_task();
    cpu->state.eflags |= FLAG_RF; /* as IRET set it for the instruction that jumps */
    cpu->state.pending_debug = DR6_BS;
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_JUMP);
    ck_assert_uint_eq(fixture_load(fixture, TSS + 0x24, 4) & FLAG_RF, 0);
    ck_assert_uint_eq(cpu->state.pending_debug, 0);
}
END_TEST

/* TSS descriptors in an LDT do not count. */
START_TEST(task_of_the_ldt) {
    fixture_enter_protected(fixture, 0);
    fill_task();
    fixture_set_segment(fixture, LDT, 0x08, TSS_OTHER, 0x67, 0x89);
    Segment *ldtr = &cpu->state.segment[SEG_LDTR];
    *ldtr = (Segment){.base = LDT, .limit = 0xF, .access = 0x82, .selector = LDT_SELECTOR};
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0, 0x08 | SELECTOR_LOCAL, EXCEPTION_GP,
                         0x08 | SELECTOR_LOCAL);
}
END_TEST

/* ---- Others ---- */

START_TEST(double_fault_pushes_rf) {
    fixture_enter_protected(fixture, 0);
    fixture_set_vector(fixture, EXCEPTION_DF, 0x8E);
    fixture_set_vector(fixture, EXCEPTION_GP, 0x0E);
    cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu_deliver_exception(cpu);
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER + EXCEPTION_DF * 16, 0);
    ck_assert_uint_eq(fixture_stacked(fixture, 3) & FLAG_RF, FLAG_RF);
}
END_TEST

START_TEST(virtual_interrupt_left_pending) {
    fixture_enter_v8086(fixture, 0);
    cpu->state.eflags |= FLAG_VIF | FLAG_VIP;
    ck_assert(!cpu_has_inconsistent_vip(cpu));
    cpu->state.cr4 |= CR4_VME;
    ck_assert(cpu_has_inconsistent_vip(cpu));
    fixture_enter_protected(fixture, 3);
    cpu->state.eflags |= FLAG_VIF | FLAG_VIP;
    cpu->state.cr4 = CR4_PVI;
    ck_assert(cpu_has_inconsistent_vip(cpu));
    cpu->state.cpl = 0;
    ck_assert(!cpu_has_inconsistent_vip(cpu));
}
END_TEST

/* ENTER pushes EBP before it reads the display that EBP leads to. */
START_TEST(enter_faults_in_order) {
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    cpu->state.gpr[REG_ESP] = USER_STACK + 8;
    cpu->state.gpr[REG_EBP] = 0x00800000; /* nothing is mapped there */
    fixture_set_page(fixture, USER_STACK, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_enter, 4, 3 << 16, 0, 0), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_PF);
    ck_assert_uint_eq(cpu->exception.cr2, USER_STACK + 4);
}
END_TEST

/* Where the frame's end cannot be written, EBP was pushed already; the registers stay. */
START_TEST(enter_keeps_what_it_pushed_before_a_fault) {
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    cpu->state.gpr[REG_ESP] = USER_STACK + 4;
    cpu->state.gpr[REG_EBP] = 0x12345678;
    fixture_store(fixture, USER_STACK, 4, 0);
    fixture_set_page(fixture, USER_STACK - 0x1000, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_enter, 4, 1, 0, 0), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_PF);
    ck_assert_uint_eq(fixture_load(fixture, USER_STACK, 4), 0x12345678);
    ck_assert_uint_eq(cpu->state.gpr[REG_ESP], USER_STACK + 4);
    ck_assert_uint_eq(cpu->state.gpr[REG_EBP], 0x12345678);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("system_order");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, inner_stack_of_16_bits_keeps_the_upper_half);
    tcase_add_test(tests, stack_without_room_is_not_accessed);
    tcase_add_test(tests, code_of_a_refused_return_is_not_accessed);
    tcase_add_test(tests, offset_of_a_return_is_checked_after_the_stack);
    tcase_add_test(tests, task_loads_its_code_last);
    tcase_add_test(tests, task_without_stack_gets_the_one_of_its_tss);
    tcase_add_test(tests, task_with_a_short_tss_cannot_be_left);
    tcase_add_test(tests, task_that_is_left_by_a_jump_has_resumed);
    tcase_add_test(tests, task_of_the_ldt);
    tcase_add_test(tests, double_fault_pushes_rf);
    tcase_add_test(tests, virtual_interrupt_left_pending);
    tcase_add_test(tests, enter_faults_in_order);
    tcase_add_test(tests, enter_keeps_what_it_pushed_before_a_fault);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Far jumps, calls and returns across segments and privileges. */
#include "cpu_fixture.h"
#include "quick_transfer.h"
#include "suite_run.h"
#include <check.h>

static CpuFixture *fixture;
static Cpu *cpu;

static void set_up(void) {
    fixture = fixture_create("pentium3");
    cpu = fixture->cpu;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static HelperResult jump(uint32_t selector, uint32_t offset) {
    return fixture_call(fixture, helper_jump_far, 4, 0, offset, selector);
}

static HelperResult call(uint32_t selector, uint32_t offset) {
    return fixture_call(fixture, helper_call_far, 4, 0, offset, selector);
}

static void expect_jump_fault(uint32_t selector, uint32_t offset, unsigned vector, uint32_t error) {
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, offset, selector, vector, error);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, offset, selector, vector, error);
}

static void push(uint32_t value) {
    cpu->state.gpr[REG_ESP] -= 4;
    fixture_store(fixture, GPR(fixture, REG_ESP), 4, value);
}

START_TEST(real_mode) {
    cpu->state.gpr[REG_ESP] = 0x1000;
    ck_assert_int_eq(fixture_call(fixture, helper_call_far, 2, 0, 0x0234, 0x1000), HELPER_JUMP);
    fixture_expect_at(fixture, 0x1000, 0x234, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_CS].base, 0x10000);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFE, 2), 0xF000);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFC, 2), 0xFFF2);
    ck_assert_int_eq(fixture_call(fixture, helper_return_far, 2, 6, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, 0xF000, 0xFFF2, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), 0x1006);
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0x10000, 0x1000, EXCEPTION_GP, 0);
}
END_TEST

START_TEST(real_mode_stack_wraps) {
    cpu->state.gpr[REG_ESP] = 0x12340002;
    ck_assert_int_eq(fixture_call(fixture, helper_call_far, 2, 0, 0, 0x1000), HELPER_JUMP);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), 0x1234FFFE);
    ck_assert_uint_eq(fixture_load(fixture, 0, 2), 0xF000);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFFE, 2), 0xFFF2);
    cpu->state.gpr[REG_ESP] = 1; /* the first push would lie at FFFFh */
    fixture_expect_fault(fixture, helper_call_far, 2, 0, 0, 0x1000, EXCEPTION_SS, 0);
}
END_TEST

START_TEST(direct_transfers) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(jump(CODE16, 0x1234), HELPER_JUMP);
    fixture_expect_at(fixture, CODE16, 0x1234, 0);
    ck_assert_int_eq(call(KERNEL_CODE, HANDLER), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER, 0);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 0x1236);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), CODE16);
    ck_assert_int_eq(fixture_call(fixture, helper_return_far, 4, 0, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, CODE16, 0x1236, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 0x100);
}
END_TEST

START_TEST(direct_faults) {
    fixture_enter_protected(fixture, 0);
    expect_jump_fault(0, 0, EXCEPTION_GP, 0);
    expect_jump_fault(3, 0, EXCEPTION_GP, 0);
    expect_jump_fault(BEYOND_GDT, 0, EXCEPTION_GP, BEYOND_GDT);
    expect_jump_fault(KERNEL_DATA, 0, EXCEPTION_GP, KERNEL_DATA);
    expect_jump_fault(USER_CODE, 0, EXCEPTION_GP, USER_CODE & ~3);
    expect_jump_fault(KERNEL_CODE | 3, 0, EXCEPTION_GP, KERNEL_CODE);
    expect_jump_fault(ABSENT_CODE, 0, EXCEPTION_NP, ABSENT_CODE);
    expect_jump_fault(CODE16, 0x10000, EXCEPTION_GP, 0);
    expect_jump_fault(LDT_SELECTOR, 0, EXCEPTION_GP, LDT_SELECTOR);
    expect_jump_fault(TSS_SELECTOR, 0, EXCEPTION_GP, TSS_SELECTOR); /* busy */
}
END_TEST

START_TEST(conforming_code_keeps_the_privilege) {
    fixture_enter_protected(fixture, 3);
    ck_assert_int_eq(call(CONFORMING_CODE, HANDLER), HELPER_JUMP);
    fixture_expect_at(fixture, CONFORMING_CODE | 3, HANDLER, 3);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), USER_CODE);
}
END_TEST

static void check_inner_frame(uint32_t user_esp) {
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].selector, KERNEL_DATA);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 24);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), CODE + 2);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), USER_CODE);
    ck_assert_uint_eq(fixture_stacked(fixture, 2), 0x22222222);
    ck_assert_uint_eq(fixture_stacked(fixture, 3), 0x11111111);
    ck_assert_uint_eq(fixture_stacked(fixture, 4), user_esp);
    ck_assert_uint_eq(fixture_stacked(fixture, 5), USER_DATA);
}

/* Releasing the parameters on both stacks; too privileged data segments become null. */
static void check_outer_return(uint32_t user_esp) {
    fixture_expect_at(fixture, USER_CODE, CODE + 2, 3);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].selector, USER_DATA);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), user_esp + 8);
    ck_assert_uint_eq(cpu->state.segment[SEG_ES].selector, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_FS].selector, CONFORMING_CODE);
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].selector, USER_DATA);
    uint64_t value;
    ck_assert(!cpu_read(cpu, SEG_ES, DATA, 1, &value));
}

static uint32_t push_parameters(void) {
    push(0x11111111);
    push(0x22222222);
    return GPR(fixture, REG_ESP);
}

static void load_inner_segments(void) {
    fixture_call(fixture, helper_load_segment, SEG_ES, 0, KERNEL_DATA, 0);
    fixture_call(fixture, helper_load_segment, SEG_FS, 0, CONFORMING_CODE, 0);
}

START_TEST(call_gate_to_inner_level) {
    fixture_enter_protected(fixture, 3);
    uint32_t user_esp = push_parameters();
    ck_assert_int_eq(call(CALL_GATE | 3, 0xDEAD), HELPER_JUMP);
    check_inner_frame(user_esp);
    load_inner_segments();
    ck_assert_int_eq(fixture_call(fixture, helper_return_far, 4, 8, 0, 0), HELPER_JUMP);
    check_outer_return(user_esp);
}
END_TEST

/* Once descriptors are marked as accessed and the TLB has the pages. */
START_TEST(call_gate_to_inner_level_quickly) {
    fixture_enter_protected(fixture, 3);
    uint32_t user_esp = push_parameters();
    ck_assert_int_eq(call(CALL_GATE | 3, 0), HELPER_JUMP);
    ck_assert_int_eq(fixture_call(fixture, helper_return_far, 4, 8, 0, 0), HELPER_JUMP);
    fixture_store(fixture, KERNEL_STACK - 16, 4, 0);
    push_parameters();
    Descriptor gate;
    ck_assert(descriptor_read_quickly(cpu, CALL_GATE, &gate));
    cpu->next_eip = CODE + 2;
    ck_assert(call_gate_enter_quickly(cpu, &gate));
    check_inner_frame(user_esp);
    load_inner_segments();
    ck_assert(far_return_quickly(cpu, 8));
    check_outer_return(user_esp);
}
END_TEST

/* What is not common changes nothing and is left to the long way. */
START_TEST(quick_ways_refuse) {
    fixture_enter_protected(fixture, 3);
    push_parameters();
    ck_assert_int_eq(call(CALL_GATE | 3, 0), HELPER_JUMP);
    ck_assert_int_eq(fixture_call(fixture, helper_return_far, 4, 8, 0, 0), HELPER_JUMP);
    Descriptor gate;
    ck_assert(descriptor_read_quickly(cpu, CALL_GATE, &gate));
    CpuState before = cpu->state;
    fixture_store(fixture, TSS + 8, 4, KERNEL_DATA | 1);
    ck_assert(!call_gate_enter_quickly(cpu, &gate));
    fixture_store(fixture, TSS + 8, 4, KERNEL_DATA);
    gate.high = (gate.high & ~0x0F00u) | 0x0400; /* of the 286 */
    ck_assert(!call_gate_enter_quickly(cpu, &gate));
    ck_assert(descriptor_read_quickly(cpu, CALL_GATE, &gate));
    cpu->state.gpr[REG_ESP] -= 2; /* where #AC is possible */
    ck_assert(!call_gate_enter_quickly(cpu, &gate));
    fixture_store(fixture, GPR(fixture, REG_ESP), 4, CODE);
    fixture_store(fixture, GPR(fixture, REG_ESP) + 4, 4, USER_CODE);
    ck_assert(!far_return_quickly(cpu, 0));
    cpu->state.gpr[REG_ESP] += 2;
    push(KERNEL_CODE); /* never to an inner level */
    push(HANDLER);
    ck_assert(!far_return_quickly(cpu, 0));
    cpu->state.gpr[REG_ESP] = before.gpr[REG_ESP];
    ck_assert_mem_eq(&cpu->state, &before, sizeof(before));
}
END_TEST

START_TEST(call_gate_of_16_bits) {
    fixture_enter_protected(fixture, 3);
    push(0x33334444);
    ck_assert_int_eq(call(CALL_GATE_286 | 3, 0), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER & 0xFFFF, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 10);
    ck_assert_uint_eq(fixture_load(fixture, KERNEL_STACK - 10, 2), (CODE + 2) & 0xFFFF);
    ck_assert_uint_eq(fixture_load(fixture, KERNEL_STACK - 8, 2), USER_CODE);
    ck_assert_uint_eq(fixture_load(fixture, KERNEL_STACK - 6, 2), 0x4444);
}
END_TEST

START_TEST(call_gate_on_one_level) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(call(CALL_GATE, 0), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 0x108); /* no parameters are copied */
}
END_TEST

START_TEST(call_gate_faults) {
    fixture_enter_protected(fixture, 3);
    fixture_set_gate(fixture, GDT, CALL_GATE, KERNEL_CODE, HANDLER, 0x8C, 0); /* DPL 0 */
    expect_jump_fault(CALL_GATE, 0, EXCEPTION_GP, CALL_GATE);
    fixture_set_gate(fixture, GDT, CALL_GATE, KERNEL_CODE, HANDLER, 0x6C, 0); /* absent */
    expect_jump_fault(CALL_GATE, 0, EXCEPTION_NP, CALL_GATE);
    fixture_set_gate(fixture, GDT, CALL_GATE, 0, HANDLER, 0xEC, 0);
    expect_jump_fault(CALL_GATE, 0, EXCEPTION_GP, 0);
    fixture_set_gate(fixture, GDT, CALL_GATE, KERNEL_DATA, HANDLER, 0xEC, 0);
    expect_jump_fault(CALL_GATE, 0, EXCEPTION_GP, KERNEL_DATA);
    fixture_set_gate(fixture, GDT, CALL_GATE, ABSENT_CODE, HANDLER, 0xEC, 0);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_NP, ABSENT_CODE);
    /* JMP cannot go to an inner level. */
    fixture_set_gate(fixture, GDT, CALL_GATE, KERNEL_CODE, HANDLER, 0xEC, 0);
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0, CALL_GATE, EXCEPTION_GP, KERNEL_CODE);
}
END_TEST

START_TEST(inner_stack_faults) {
    fixture_enter_protected(fixture, 3);
    fixture_store(fixture, TSS + 8, 4, 0);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_TS, 0);
    fixture_store(fixture, TSS + 8, 4, KERNEL_DATA | 1);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_TS, KERNEL_DATA);
    fixture_store(fixture, TSS + 8, 4, BEYOND_GDT);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_TS, BEYOND_GDT);
    fixture_store(fixture, TSS + 8, 4, ABSENT_STACK);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_SS, ABSENT_STACK);
    fixture_store(fixture, TSS + 8, 4, STACK16);
    fixture_store(fixture, TSS + 4, 4, 2); /* wraps into the middle of the segment's end */
    cpu->state.segment[SEG_TR].limit = 8;
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_TS, TSS_SELECTOR);
    cpu->state.segment[SEG_TR].limit = TSS_LIMIT;
    fixture_set_segment(fixture, GDT, STACK16, 0, 0xFF, 0x0092);
    fixture_store(fixture, TSS + 4, 4, 0x106);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_SS, STACK16);
}
END_TEST

/* A page fault on the last push must leave no trace of the first. */
START_TEST(page_fault_in_the_frame) {
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    fixture_store(fixture, TSS + 4, 4, KERNEL_STACK + 8);
    fixture_store(fixture, KERNEL_STACK + 4, 4, 0x55AA55AA);
    fixture_set_page(fixture, KERNEL_STACK - 0x1000, 0);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, CALL_GATE, EXCEPTION_PF, 2);
    ck_assert_uint_eq(cpu->exception.cr2, KERNEL_STACK - 4);
    ck_assert_uint_eq(fixture_load(fixture, KERNEL_STACK + 4, 4), 0x55AA55AA);
}
END_TEST

static void expect_return_fault(uint32_t cs, uint32_t eip, unsigned vector, uint32_t error) {
    uint32_t esp = GPR(fixture, REG_ESP);
    push(cs);
    push(eip);
    fixture_expect_fault(fixture, helper_return_far, 4, 0, 0, 0, vector, error);
    cpu->state.gpr[REG_ESP] = esp;
}

START_TEST(return_faults) {
    fixture_enter_protected(fixture, 0);
    expect_return_fault(0, 0, EXCEPTION_GP, 0);
    expect_return_fault(KERNEL_DATA, 0, EXCEPTION_GP, KERNEL_DATA);
    expect_return_fault(ABSENT_CODE, 0, EXCEPTION_NP, ABSENT_CODE);
    expect_return_fault(KERNEL_CODE | 3, 0, EXCEPTION_GP, KERNEL_CODE);
    expect_return_fault(CODE16, 0x10000, EXCEPTION_GP, 0);
    push(KERNEL_DATA | 3); /* SS of the wrong privilege */
    push(USER_STACK);
    expect_return_fault(USER_CODE, CODE, EXCEPTION_GP, KERNEL_DATA);
    push(0);
    push(USER_STACK);
    expect_return_fault(USER_CODE, CODE, EXCEPTION_GP, 0);
    cpu->state.cpl = 3;
    expect_return_fault(KERNEL_CODE, CODE, EXCEPTION_GP, KERNEL_CODE); /* never to an inner level */
}
END_TEST

START_TEST(outer_stack_of_16_bits_keeps_the_upper_half) {
    fixture_enter_protected(fixture, 0);
    fixture_set_segment(fixture, GDT, SMALL_DATA, 0, 0xFFFF, 0x00F2);
    push(SMALL_DATA | 3);
    push(0x00001234);
    push(USER_CODE);
    push(CODE);
    uint32_t upper = GPR(fixture, REG_ESP) & 0xFFFF0000;
    ck_assert_int_eq(fixture_call(fixture, helper_return_far, 4, 0, 0, 0), HELPER_JUMP);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), upper | 0x1234);
}
END_TEST

START_TEST(fast_system_calls) {
    fixture_enter_protected(fixture, 3);
    fixture_expect_fault(fixture, helper_sysenter, 0, 0, 0, 0, EXCEPTION_GP, 0);
    cpu->state.sysenter_cs = KERNEL_CODE;
    cpu->state.sysenter_esp = KERNEL_STACK;
    cpu->state.sysenter_eip = HANDLER;
    ck_assert_int_eq(fixture_call(fixture, helper_sysenter, 0, 0, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].selector, KERNEL_DATA);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].kind, SEGMENT_FLAT);
    ck_assert(!(cpu->state.eflags & FLAG_IF));
    cpu->state.gpr[REG_ECX] = USER_STACK;
    cpu->state.gpr[REG_EDX] = CODE;
    ck_assert_int_eq(fixture_call(fixture, helper_sysexit, 0, 0, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, USER_CODE, CODE, 3);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].selector, USER_DATA);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), USER_STACK);
    fixture_expect_fault(fixture, helper_sysexit, 0, 0, 0, 0, EXCEPTION_GP, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("far_transfer");
    TCase *tests = tcase_create("far_transfer");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, real_mode);
    tcase_add_test(tests, real_mode_stack_wraps);
    tcase_add_test(tests, direct_transfers);
    tcase_add_test(tests, direct_faults);
    tcase_add_test(tests, conforming_code_keeps_the_privilege);
    tcase_add_test(tests, call_gate_to_inner_level);
    tcase_add_test(tests, call_gate_to_inner_level_quickly);
    tcase_add_test(tests, quick_ways_refuse);
    tcase_add_test(tests, call_gate_of_16_bits);
    tcase_add_test(tests, call_gate_on_one_level);
    tcase_add_test(tests, call_gate_faults);
    tcase_add_test(tests, inner_stack_faults);
    tcase_add_test(tests, page_fault_in_the_frame);
    tcase_add_test(tests, return_faults);
    tcase_add_test(tests, outer_stack_of_16_bits_keeps_the_upper_half);
    tcase_add_test(tests, fast_system_calls);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

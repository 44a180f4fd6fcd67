/* Task switches by jump, call, interrupt and IRET, between 386 and 286 TSSs, and what can be wrong
 * with them. */
#include "cpu_fixture.h"
#include "suite_run.h"
#include <check.h>

static CpuFixture *fixture;
static Cpu *cpu;

enum { OTHER_EIP = 0x13579, OTHER_ESP = RING1_STACK };

static void store_other(unsigned offset, unsigned size, uint32_t value) {
    fixture_store(fixture, TSS_OTHER + offset, size, value);
}

/* The other task: level 0, flat segments, GPRs that tell their own number. */
static void fill_other(void) {
    store_other(0x1C, 4, PAGE_DIRECTORY);
    store_other(0x20, 4, OTHER_EIP);
    store_other(0x24, 4, FLAG_1 | FLAG_ZF);
    for (unsigned i = 0; i < 8; i++)
        store_other(0x28 + 4 * i, 4, i == REG_ESP ? (uint32_t)OTHER_ESP : 0x1000 + i);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        store_other(0x48 + 4 * i, 4, i == SEG_CS ? KERNEL_CODE : KERNEL_DATA);
}

static void set_up(void) {
    fixture = fixture_create("pentium3");
    cpu = fixture->cpu;
    fixture_enter_protected(fixture, 0);
    fill_other();
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static HelperResult jump(uint32_t selector) {
    return fixture_call(fixture, helper_jump_far, 4, 0, 0, selector);
}

static HelperResult call(uint32_t selector) {
    return fixture_call(fixture, helper_call_far, 4, 0, 0, selector);
}

static unsigned type_of(unsigned selector) {
    return fixture_load(fixture, GDT + selector + 5, 1) & 0xF;
}

START_TEST(jump_saves_and_loads) {
    cpu->state.gpr[REG_EDI] = 0x77777777;
    cpu->state.dr[7] |= 0x155;
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, OTHER_EIP, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), 0x1007);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), OTHER_ESP);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_ZF);
    ck_assert(cpu->state.cr0 & CR0_TS);
    ck_assert_uint_eq(cpu->state.dr[7], 0x400);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), 9);
    ck_assert_uint_eq(type_of(TSS_OTHER_SELECTOR), 0xB);
    ck_assert_uint_eq(fixture_load(fixture, TSS + 0x20, 4), CODE + 2);
    ck_assert_uint_eq(fixture_load(fixture, TSS + 0x24, 4), FLAG_1 | FLAG_IF);
    ck_assert_uint_eq(fixture_load(fixture, TSS + 0x44, 4), 0x77777777);
    ck_assert_uint_eq(fixture_load(fixture, TSS + 0x4C, 2), KERNEL_CODE);
    /* And back. */
    ck_assert_int_eq(jump(TSS_SELECTOR), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, CODE + 2, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EDI), 0x77777777);
}
END_TEST

START_TEST(call_nests_and_iret_returns) {
    ck_assert_int_eq(call(TASK_GATE), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, OTHER_EIP, 0);
    ck_assert(cpu->state.eflags & FLAG_NT);
    ck_assert_uint_eq(fixture_load(fixture, TSS_OTHER, 2), TSS_SELECTOR);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), 0xB); /* both are busy */
    ck_assert_uint_eq(type_of(TSS_OTHER_SELECTOR), 0xB);
    ck_assert_int_eq(fixture_call(fixture, helper_iret, 4, 0, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, CODE + 2, 0);
    ck_assert(!(cpu->state.eflags & FLAG_NT));
    ck_assert_uint_eq(type_of(TSS_OTHER_SELECTOR), 9);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), 0xB);
    ck_assert_uint_eq(fixture_load(fixture, TSS_OTHER + 0x24, 4) & FLAG_NT, 0);
}
END_TEST

START_TEST(exception_through_a_task_gate) {
    fixture_set_gate(fixture, IDT, EXCEPTION_GP * 8, TSS_OTHER_SELECTOR, 0, 0x85, 0);
    cpu_raise_error(cpu, EXCEPTION_GP, 0xABC8);
    cpu_deliver_exception(cpu);
    fixture_expect_at(fixture, KERNEL_CODE, OTHER_EIP, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), OTHER_ESP - 4);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 0xABC8);
    ck_assert_uint_eq(fixture_load(fixture, TSS + 0x20, 4), CODE);
    cpu->state.gpr[REG_ESP] += 4;
    ck_assert_int_eq(fixture_call(fixture, helper_iret, 4, 0, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, CODE, 0);
}
END_TEST

START_TEST(to_a_286_task_and_back) {
    fixture_store(fixture, TSS_286 + 0x0E, 2, 0x2468);
    fixture_store(fixture, TSS_286 + 0x10, 2, FLAG_1 | FLAG_CF);
    for (unsigned i = 0; i < 8; i++)
        fixture_store(fixture, TSS_286 + 0x12 + 2 * i, 2, i == REG_ESP ? 0x8000 : 0x20 + i);
    fixture_store(fixture, TSS_286 + 0x22, 2, KERNEL_DATA);
    fixture_store(fixture, TSS_286 + 0x24, 2, CODE16);
    fixture_store(fixture, TSS_286 + 0x26, 2, STACK16);
    fixture_store(fixture, TSS_286 + 0x28, 2, KERNEL_DATA);
    fixture_store(fixture, TSS_286 + 0x2A, 2, 0);
    ck_assert_int_eq(call(TSS_286_SELECTOR), HELPER_JUMP);
    fixture_expect_at(fixture, CODE16, 0x2468, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0xFFFF0020);
    ck_assert_uint_eq(cpu->state.segment[SEG_FS].selector, 0);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_CF | FLAG_NT);
    ck_assert_int_eq(fixture_call(fixture, helper_iret, 2, 0, 0, 0), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, CODE + 2, 0);
    ck_assert_uint_eq(fixture_load(fixture, TSS_286 + 0x0E, 2), 0x246A);
    ck_assert_uint_eq(cpu->state.segment[SEG_FS].selector, KERNEL_DATA);
}
END_TEST

START_TEST(to_a_v8086_task) {
    store_other(0x24, 4, FLAG_1 | FLAG_VM | FLAG_IOPL);
    store_other(0x20, 4, 0x1234);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        store_other(0x48 + 4 * i, 4, 0x1000 + i);
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_JUMP);
    fixture_expect_at(fixture, 0x1000 + SEG_CS, 0x1234, 3);
    ck_assert_uint_eq(cpu->state.segment[SEG_GS].base, 0x10050);
    ck_assert_uint_eq(cpu->state.segment[SEG_GS].kind, SEGMENT_REAL);
}
END_TEST

START_TEST(switches_the_address_space) {
    enum { OTHER_DIRECTORY = 0xA000 };
    fixture_enable_paging(fixture);
    store_other(0x1C, 4, OTHER_DIRECTORY);
    fixture_store(fixture, OTHER_DIRECTORY, 4, PAGE_TABLE | 7);
    fixture_store(fixture, OTHER_DIRECTORY + 4, 4,
                  PAGE_TABLE | 7); /* 4 MB shows the first 4 MB again */
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.cr3, OTHER_DIRECTORY);
    fixture_store(fixture, DATA, 4, 0x600DF00D);
    uint64_t value;
    ck_assert(cpu_read(cpu, SEG_DS, 0x400000 + DATA, 4, &value));
    ck_assert_uint_eq(value, 0x600DF00D);
}
END_TEST

START_TEST(trap_flag_of_the_tss) {
    store_other(0x64, 2, 1);
    ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.pending_debug, DR6_BT);
}
END_TEST

START_TEST(faults_before_the_switch) {
    fixture_set_segment(fixture, GDT, TSS_OTHER_SELECTOR, TSS_OTHER, 0x66, 0x89);
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0, TSS_OTHER_SELECTOR, EXCEPTION_TS,
                         TSS_OTHER_SELECTOR);
    fixture_set_segment(fixture, GDT, TSS_OTHER_SELECTOR, TSS_OTHER, 0x67, 0x09);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, TSS_OTHER_SELECTOR, EXCEPTION_NP,
                         TSS_OTHER_SELECTOR);
    fixture_set_segment(fixture, GDT, TSS_OTHER_SELECTOR, TSS_OTHER, 0x67, 0x8B);
    fixture_expect_fault(fixture, helper_call_far, 4, 0, 0, TASK_GATE, EXCEPTION_GP,
                         TSS_OTHER_SELECTOR);
    fixture_set_segment(fixture, GDT, TSS_286_SELECTOR, TSS_286, 0x2A, 0x81);
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0, TSS_286_SELECTOR, EXCEPTION_TS,
                         TSS_286_SELECTOR);
    cpu->state.cpl = 3; /* the descriptor's DPL is 0 */
    fixture_expect_fault(fixture, helper_jump_far, 4, 0, 0, TSS_286_SELECTOR, EXCEPTION_GP,
                         TSS_286_SELECTOR);
    cpu->state.cpl = 0;
    cpu_set_eflags(cpu, FLAG_1 | FLAG_NT);
    fixture_store(fixture, TSS, 2, TSS_286_SELECTOR); /* the link names a task that is not busy */
    fixture_expect_fault(fixture, helper_iret, 4, 0, 0, 0, EXCEPTION_TS, TSS_286_SELECTOR);
    fixture_store(fixture, TSS, 2, 4);
    fixture_expect_fault(fixture, helper_iret, 4, 0, 0, 0, EXCEPTION_TS, 4);
}
END_TEST

/* What is wrong with the new task's registers is its own exception: the switch has happened. */
START_TEST(faults_after_the_switch) {
    static const struct {
        unsigned offset;
        uint32_t value;
        unsigned vector, error;
    } rows[] = {
        {0x4C, KERNEL_DATA, EXCEPTION_TS, KERNEL_DATA}, /* CS */
        {0x4C, 0, EXCEPTION_TS, 0},
        {0x4C, ABSENT_CODE, EXCEPTION_NP, ABSENT_CODE},
        {0x50, KERNEL_CODE, EXCEPTION_TS, KERNEL_CODE}, /* SS */
        {0x50, ABSENT_STACK, EXCEPTION_SS, ABSENT_STACK},
        {0x54, TSS_SELECTOR, EXCEPTION_TS, TSS_SELECTOR}, /* DS */
        {0x54, ABSENT_DATA, EXCEPTION_NP, ABSENT_DATA},
        {0x60, KERNEL_DATA, EXCEPTION_TS, KERNEL_DATA}, /* LDTR */
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture_set_segment(fixture, GDT, TSS_OTHER_SELECTOR, TSS_OTHER, 0x67, 0x89);
        fixture_enter_protected(fixture, 0);
        fill_other();
        store_other(0x60, 4, 0);
        store_other(rows[i].offset, 4, rows[i].value);
        ck_assert_int_eq(jump(TSS_OTHER_SELECTOR), HELPER_FAULT);
        ck_assert_uint_eq(cpu->exception.vector, rows[i].vector);
        ck_assert_uint_eq(cpu->exception.error_code, rows[i].error);
        ck_assert_uint_eq(cpu->state.segment[SEG_TR].selector, TSS_OTHER_SELECTOR);
        ck_assert_uint_eq(cpu->state.eip, OTHER_EIP);
        ck_assert_uint_eq(GPR(fixture, REG_EAX), 0x1000);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("task_switch");
    TCase *tests = tcase_create("task_switch");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, jump_saves_and_loads);
    tcase_add_test(tests, call_nests_and_iret_returns);
    tcase_add_test(tests, exception_through_a_task_gate);
    tcase_add_test(tests, to_a_286_task_and_back);
    tcase_add_test(tests, to_a_v8086_task);
    tcase_add_test(tests, switches_the_address_space);
    tcase_add_test(tests, trap_flag_of_the_tss);
    tcase_add_test(tests, faults_before_the_switch);
    tcase_add_test(tests, faults_after_the_switch);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

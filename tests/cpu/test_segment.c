/* Segment loads, accesses through segments, and the instructions that look at descriptors: every
 * error code. */
#include "cpu_fixture.h"
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

static HelperResult load(unsigned segment, uint32_t selector) {
    return fixture_call(fixture, helper_load_segment, segment, 0, selector, 0);
}

static void expect_load_fault(unsigned segment, uint32_t selector, unsigned vector,
                              uint32_t error) {
    fixture_expect_fault(fixture, helper_load_segment, segment, 0, selector, 0, vector, error);
}

START_TEST(real_mode_loads_a_base) {
    ck_assert_int_eq(load(SEG_DS, 0x1234), HELPER_NEXT);
    const Segment *ds = &cpu->state.segment[SEG_DS];
    ck_assert_uint_eq(ds->base, 0x12340);
    ck_assert_uint_eq(ds->limit, 0xFFFF);
    ck_assert_uint_eq(ds->kind, SEGMENT_REAL);
}
END_TEST

START_TEST(unreal_mode_keeps_the_limit) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_write_cr, 0, 0, CR0_ET, 0), HELPER_JUMP);
    ck_assert_int_eq(load(SEG_DS, 0x0100), HELPER_JUMP); /* from flat to generic */
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].limit, 0xFFFFFFFF);
    fixture_store(fixture, 0x101000, 4, 0xDEADBEEF);
    uint64_t value;
    ck_assert(cpu_read(cpu, SEG_DS, 0x100000, 4, &value));
    ck_assert_uint_eq(value, 0xDEADBEEF);
}
END_TEST

START_TEST(real_mode_limit_faults) {
    uint64_t value;
    ck_assert(cpu_read(cpu, SEG_DS, 0xFFFF, 1, &value));
    ck_assert(!cpu_read(cpu, SEG_DS, 0xFFFF, 2, &value));
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_GP);
    ck_assert(!cpu_write(cpu, SEG_SS, 0xFFFD, 4, 0));
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_SS);
}
END_TEST

START_TEST(data_loads) {
    fixture_enter_protected(fixture, 3);
    ck_assert_int_eq(load(SEG_ES, USER_DATA), HELPER_NEXT);
    ck_assert_int_eq(load(SEG_ES, READ_ONLY_DATA | 3), HELPER_JUMP);
    ck_assert_uint_eq(fixture_load(fixture, GDT + READ_ONLY_DATA + 5, 1), 0xF1); /* accessed */
    ck_assert_int_eq(load(SEG_ES, CONFORMING_CODE), HELPER_NEXT);
    ck_assert_int_eq(load(SEG_ES, USER_CODE), HELPER_NEXT);
    ck_assert_uint_eq(cpu->state.segment[SEG_ES].kind,
                      SEGMENT_GENERIC); /* stores must be refused */
    expect_load_fault(SEG_ES, KERNEL_DATA, EXCEPTION_GP, KERNEL_DATA);
    expect_load_fault(SEG_ES, EXECUTE_ONLY | 3, EXCEPTION_GP, EXECUTE_ONLY);
    expect_load_fault(SEG_ES, TSS_SELECTOR, EXCEPTION_GP, TSS_SELECTOR);
    expect_load_fault(SEG_ES, ABSENT_DATA | 3, EXCEPTION_NP, ABSENT_DATA);
    expect_load_fault(SEG_ES, BEYOND_GDT, EXCEPTION_GP, BEYOND_GDT);
    expect_load_fault(SEG_ES, 0x0C, EXCEPTION_GP, 0x0C); /* no LDT */
}
END_TEST

START_TEST(null_selectors) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(load(SEG_FS, 3), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.segment[SEG_FS].selector, 3);
    uint64_t value;
    ck_assert(!cpu_read(cpu, SEG_FS, 0, 1, &value));
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_GP);
    ck_assert_uint_eq(cpu->exception.error_code, 0);
    expect_load_fault(SEG_SS, 0, EXCEPTION_GP, 0);
}
END_TEST

START_TEST(stack_loads) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(load(SEG_SS, STACK16), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.interrupt_shadow, SHADOW_MOV_SS);
    ck_assert_uint_eq(cpu->state.eip, CODE + 2);
    expect_load_fault(SEG_SS, KERNEL_DATA | 1, EXCEPTION_GP, KERNEL_DATA);
    expect_load_fault(SEG_SS, USER_DATA, EXCEPTION_GP, USER_DATA & ~3);
    expect_load_fault(SEG_SS, KERNEL_CODE, EXCEPTION_GP, KERNEL_CODE);
    expect_load_fault(SEG_SS, ABSENT_STACK, EXCEPTION_SS, ABSENT_STACK);
}
END_TEST

START_TEST(far_pointers_set_no_shadow) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_load_far_pointer, SEG_SS, 0, STACK16, 0),
                     HELPER_NEXT);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].selector, STACK16);
    ck_assert_uint_eq(cpu->state.interrupt_shadow, 0);
}
END_TEST

START_TEST(local_descriptors) {
    fixture_enter_protected(fixture, 0);
    fixture_set_segment(fixture, LDT, 8, DATA, 0xFFF, 0x92);
    ck_assert_int_eq(fixture_call(fixture, helper_load_ldtr, 0, 0, LDT_SELECTOR, 0), HELPER_NEXT);
    ck_assert_int_eq(load(SEG_GS, 0x0C), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.segment[SEG_GS].base, DATA);
    expect_load_fault(SEG_GS, 0x24, EXCEPTION_GP, 0x24); /* beyond its limit */
}
END_TEST

START_TEST(access_checks) {
    uint64_t value;
    fixture_enter_protected(fixture, 3);
    load(SEG_ES, READ_ONLY_DATA | 3);
    ck_assert(cpu_read(cpu, SEG_ES, DATA, 4, &value));
    ck_assert(!cpu_write(cpu, SEG_ES, DATA, 4, 0));
    ck_assert(cpu_read(cpu, SEG_CS, DATA, 4, &value));
    ck_assert(!cpu_write(cpu, SEG_CS, DATA, 4, 0));
    load(SEG_ES, SMALL_DATA | 3);
    ck_assert(cpu_write(cpu, SEG_ES, 0xFC, 4, 1));
    ck_assert(!cpu_write(cpu, SEG_ES, 0xFD, 4, 1));
    ck_assert(!cpu_write(cpu, SEG_ES, 0xFFFFFFFF, 4, 1));
    load(SEG_ES, EXPAND_DOWN | 3);
    ck_assert(!cpu_read(cpu, SEG_ES, 0xFFF, 1, &value));
    ck_assert(cpu_read(cpu, SEG_ES, 0x1000, 1, &value));
    ck_assert(cpu_read(cpu, SEG_ES, 0xFFFE, 2, &value));
    ck_assert(!cpu_read(cpu, SEG_ES, 0xFFFF, 2, &value));
    ck_assert_uint_eq(cpu->state.segment[SEG_ES].kind, SEGMENT_GENERIC);
}
END_TEST

START_TEST(alignment_checks) {
    uint64_t value;
    fixture_enter_protected(fixture, 3);
    cpu->state.cr0 |= CR0_AM;
    ck_assert(cpu_read(cpu, SEG_DS, DATA + 1, 4, &value));
    cpu_set_eflags(cpu, cpu_get_eflags(cpu) | FLAG_AC);
    ck_assert(!cpu_read(cpu, SEG_DS, DATA + 1, 4, &value));
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_AC);
    ck_assert(cpu_read(cpu, SEG_DS, DATA + 2, 2, &value));
    cpu->state.cpl = 0;
    ck_assert(cpu_read(cpu, SEG_DS, DATA + 1, 4, &value));
}
END_TEST

static bool zero_flag_after(HelperFunction *helper, uint32_t a, uint32_t selector) {
    ck_assert_int_eq(fixture_call(fixture, helper, a, REG_EBX, selector, 0), HELPER_NEXT);
    return cpu_get_status_flags(cpu) & FLAG_ZF;
}

START_TEST(verify) {
    fixture_enter_protected(fixture, 3);
    ck_assert(zero_flag_after(helper_verify_segment, 0, USER_DATA));
    ck_assert(zero_flag_after(helper_verify_segment, 1, USER_DATA));
    ck_assert(!zero_flag_after(helper_verify_segment, 1, READ_ONLY_DATA | 3));
    ck_assert(!zero_flag_after(helper_verify_segment, 0, KERNEL_DATA));
    ck_assert(!zero_flag_after(helper_verify_segment, 0, EXECUTE_ONLY));
    ck_assert(zero_flag_after(helper_verify_segment, 0, CONFORMING_CODE));
    ck_assert(!zero_flag_after(helper_verify_segment, 0, 0));
    ck_assert(!zero_flag_after(helper_verify_segment, 0, BEYOND_GDT));
    ck_assert(!zero_flag_after(helper_verify_segment, 0, TSS_SELECTOR));
}
END_TEST

START_TEST(rights_and_limits) {
    fixture_enter_protected(fixture, 0);
    ck_assert(zero_flag_after(helper_load_access_rights, 4, KERNEL_CODE));
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0x00CF9B00);
    ck_assert(zero_flag_after(helper_load_limit, 4, KERNEL_CODE));
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0xFFFFFFFF);
    ck_assert(zero_flag_after(helper_load_limit, 4, TSS_SELECTOR));
    ck_assert_uint_eq(GPR(fixture, REG_EBX), TSS_LIMIT);
    ck_assert(zero_flag_after(helper_load_access_rights, 4, CALL_GATE));
    ck_assert(!zero_flag_after(helper_load_limit, 4, CALL_GATE));
    cpu->state.gpr[REG_EBX] = 0xAAAA5555;
    ck_assert(zero_flag_after(helper_load_access_rights, 2, KERNEL_DATA));
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0xAAAA9300);
    ck_assert(!zero_flag_after(helper_load_access_rights, 4, BEYOND_GDT));
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0xAAAA9300);
}
END_TEST

START_TEST(arpl) {
    fixture_enter_protected(fixture, 3);
    fixture_call(fixture, helper_arpl, 0, 0, 0x10, 0x23);
    ck_assert_uint_eq(cpu->result, 0x13);
    ck_assert(cpu_get_status_flags(cpu) & FLAG_ZF);
    fixture_call(fixture, helper_arpl, 0, 0, 0x13, 0x20);
    ck_assert_uint_eq(cpu->result, 0x13);
    ck_assert(!(cpu_get_status_flags(cpu) & FLAG_ZF));
    fixture_enter_v8086(fixture, 3);
    fixture_expect_fault(fixture, helper_arpl, 0, 0, 0, 0, EXCEPTION_UD, 0);
    fixture_expect_fault(fixture, helper_arpl_memory, 0, SEG_DS, 0, 0, EXCEPTION_UD, 0);
}
END_TEST

START_TEST(arpl_of_memory_writes_only_what_changes) {
    fixture_enter_protected(fixture, 3);
    load(SEG_ES, READ_ONLY_DATA | 3);
    uint32_t base = cpu->state.segment[SEG_ES].base;
    fixture_store(fixture, base + 0x1000, 2, 0x1232);
    fixture_call(fixture, helper_arpl_memory, 0, SEG_ES, 0x1000, 2);
    ck_assert(!(cpu_get_status_flags(cpu) & FLAG_ZF));
    cpu_set_status_flags(cpu, 0);
    fixture_expect_fault(fixture, helper_arpl_memory, 0, SEG_ES, 0x1000, 3, EXCEPTION_GP, 0);
    ck_assert(!(cpu_get_status_flags(cpu) & FLAG_ZF)); /* as before */
    ck_assert_uint_eq(fixture_load(fixture, base + 0x1000, 2), 0x1232);
    fixture_call(fixture, helper_arpl_memory, 0, SEG_DS, base + 0x1000, 3);
    ck_assert(cpu_get_status_flags(cpu) & FLAG_ZF);
    ck_assert_uint_eq(fixture_load(fixture, base + 0x1000, 2), 0x1233);
}
END_TEST

START_TEST(v8086_loads) {
    fixture_enter_v8086(fixture, 0);
    ck_assert_int_eq(load(SEG_DS, 0x5000), HELPER_NEXT);
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].base, 0x50000);
    ck_assert_uint_eq(ACCESS_DPL_OF(cpu->state.segment[SEG_DS].access), 3);
}
END_TEST

/* A descriptor table that is not mapped gives a page fault as a supervisor's read, even for user
 * code. */
START_TEST(unmapped_descriptor_table) {
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    fixture_set_page(fixture, GDT, 0);
    expect_load_fault(SEG_ES, USER_DATA, EXCEPTION_PF, 0);
    ck_assert_uint_eq(cpu->exception.cr2, GDT + (USER_DATA & ~7));
    fixture_set_page(fixture, GDT, GDT | 3); /* supervisor's own: works */
    ck_assert_int_eq(load(SEG_ES, USER_DATA), HELPER_NEXT);
}
END_TEST

START_TEST(enter_builds_a_display) {
    fixture_enter_protected(fixture, 0);
    cpu->state.gpr[REG_EBP] = DATA + 0x100;
    fixture_store(fixture, DATA + 0xFC, 4, 0x11111111);
    uint32_t esp = GPR(fixture, REG_ESP);
    ck_assert_int_eq(fixture_call(fixture, helper_enter, 4, 2 << 16 | 0x20, 0, 0), HELPER_NEXT);
    ck_assert_uint_eq(GPR(fixture, REG_EBP), esp - 4);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), esp - 12 - 0x20);
    ck_assert_uint_eq(fixture_load(fixture, esp - 4, 4), DATA + 0x100);
    ck_assert_uint_eq(fixture_load(fixture, esp - 8, 4), 0x11111111);
    ck_assert_uint_eq(fixture_load(fixture, esp - 12, 4), esp - 4);
}
END_TEST

START_TEST(enter_reads_what_it_just_pushed) {
    fixture_enter_protected(fixture, 0);
    uint32_t esp = GPR(fixture, REG_ESP);
    cpu->state.gpr[REG_EBP] = esp; /* its display entry is where EBP itself is pushed */
    ck_assert_int_eq(fixture_call(fixture, helper_enter, 4, 2 << 16, 0, 0), HELPER_NEXT);
    ck_assert_uint_eq(fixture_load(fixture, esp - 8, 4), esp);
}
END_TEST

START_TEST(enter_faults_leave_everything) {
    fixture_enter_protected(fixture, 0);
    load(SEG_SS, STACK16);
    cpu->state.interrupt_shadow = 0;
    cpu->state.gpr[REG_ESP] = 0x100;
    cpu->state.gpr[REG_EBP] = 0x200;
    cpu->state.segment[SEG_SS].limit = 0x7FFF; /* 0100h - 200h wraps beyond it */
    segment_classify(&cpu->state.segment[SEG_SS]);
    fixture_expect_fault(fixture, helper_enter, 2, 0x200, 0, 0, EXCEPTION_SS, 0);
}
END_TEST

START_TEST(bound) {
    fixture_enter_protected(fixture, 0);
    fixture_store(fixture, DATA, 4, (uint32_t)-5);
    fixture_store(fixture, DATA + 4, 4, 10);
    ck_assert_int_eq(fixture_call(fixture, helper_bound, 4, SEG_DS, DATA, (uint32_t)-5),
                     HELPER_NEXT);
    ck_assert_int_eq(fixture_call(fixture, helper_bound, 4, SEG_DS, DATA, 10), HELPER_NEXT);
    fixture_expect_fault(fixture, helper_bound, 4, SEG_DS, DATA, 11, EXCEPTION_BR, 0);
    fixture_expect_fault(fixture, helper_bound, 4, SEG_DS, DATA, (uint32_t)-6, EXCEPTION_BR, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("segment");
    TCase *tests = tcase_create("segment");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, real_mode_loads_a_base);
    tcase_add_test(tests, unreal_mode_keeps_the_limit);
    tcase_add_test(tests, real_mode_limit_faults);
    tcase_add_test(tests, data_loads);
    tcase_add_test(tests, null_selectors);
    tcase_add_test(tests, stack_loads);
    tcase_add_test(tests, far_pointers_set_no_shadow);
    tcase_add_test(tests, local_descriptors);
    tcase_add_test(tests, access_checks);
    tcase_add_test(tests, alignment_checks);
    tcase_add_test(tests, verify);
    tcase_add_test(tests, rights_and_limits);
    tcase_add_test(tests, arpl);
    tcase_add_test(tests, arpl_of_memory_writes_only_what_changes);
    tcase_add_test(tests, v8086_loads);
    tcase_add_test(tests, unmapped_descriptor_table);
    tcase_add_test(tests, enter_builds_a_display);
    tcase_add_test(tests, enter_reads_what_it_just_pushed);
    tcase_add_test(tests, enter_faults_leave_everything);
    tcase_add_test(tests, bound);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

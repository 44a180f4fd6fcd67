/* Interrupts and exceptions in every mode, IRET out of them, double and triple faults. */
#include "cpu_fixture.h"
#include "suite_run.h"
#include <check.h>

enum { INT_N, INT3, INTO, ICEBP };

static CpuFixture *fixture;
static Cpu *cpu;

static void set_up(void) {
    fixture = fixture_create("pentium3");
    cpu = fixture->cpu;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static HelperResult interrupt(unsigned vector, unsigned kind) {
    return fixture_call(fixture, helper_software_interrupt, vector, kind, 0, 0);
}

static HelperResult iret(unsigned size) {
    return fixture_call(fixture, helper_iret, size, 0, 0, 0);
}

static void expect_interrupt_fault(unsigned number, unsigned kind, unsigned vector,
                                   uint32_t error) {
    fixture_expect_fault(fixture, helper_software_interrupt, number, kind, 0, 0, vector, error);
}

static void push(uint32_t value) {
    cpu->state.gpr[REG_ESP] -= 4;
    fixture_store(fixture, GPR(fixture, REG_ESP), 4, value);
}

static int acknowledge(void *opaque) {
    return *(int *)opaque;
}

static void expect_handler(unsigned vector) {
    fixture_expect_at(fixture, KERNEL_CODE, HANDLER + vector * 16, 0);
}

/* ---- Real mode ---- */

START_TEST(real_mode_interrupt_and_return) {
    fixture_store(fixture, 0x21 * 4, 4, 0x20001234);
    cpu->state.gpr[REG_ESP] = 0x1000;
    cpu_set_eflags(cpu, FLAG_1 | FLAG_IF | FLAG_TF | FLAG_CF | FLAG_DF);
    ck_assert_int_eq(interrupt(0x21, INT_N), HELPER_JUMP);
    fixture_expect_at(fixture, 0x2000, 0x1234, 0);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_CF | FLAG_DF);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFA, 2), 0xFFF2);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFC, 2), 0xF000);
    ck_assert_uint_eq(fixture_load(fixture, 0xFFE, 2),
                      FLAG_1 | FLAG_IF | FLAG_TF | FLAG_CF | FLAG_DF);
    ck_assert_int_eq(iret(2), HELPER_JUMP);
    fixture_expect_at(fixture, 0xF000, 0xFFF2, 0);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_IF | FLAG_TF | FLAG_CF | FLAG_DF);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), 0x1000);
}
END_TEST

START_TEST(real_mode_limit_leads_to_shutdown) {
    cpu->state.idtr.limit = 0x20;
    cpu->state.gpr[REG_ESP] = 0x1000;
    fixture_store(fixture, EXCEPTION_DF * 4, 4, 0x30000000);
    expect_interrupt_fault(0x21, INT_N, EXCEPTION_GP, 0x21 * 8 + 2);
    cpu_deliver_exception(
        cpu); /* vector 13 is beyond the limit too, but not vector 8's last byte */
    ck_assert_uint_eq(cpu->state.shutdown, 1);
    cpu->state.shutdown = 0;
    cpu->state.idtr.limit = 0x23;
    cpu_raise(cpu, EXCEPTION_GP);
    cpu_deliver_exception(cpu);
    ck_assert_uint_eq(cpu->state.shutdown, 0);
    fixture_expect_at(fixture, 0x3000, 0, 0);
}
END_TEST

/* ---- Protected mode ---- */

START_TEST(interrupt_gate_on_one_level) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(interrupt(0x30, INT_N), HELPER_JUMP);
    expect_handler(0x30);
    ck_assert(!(cpu->state.eflags & FLAG_IF));
    ck_assert_uint_eq(fixture_stacked(fixture, 0), CODE + 2);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), KERNEL_CODE);
    ck_assert_uint_eq(fixture_stacked(fixture, 2), FLAG_1 | FLAG_IF);
    ck_assert_int_eq(iret(4), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, CODE + 2, 0);
    ck_assert(cpu->state.eflags & FLAG_IF);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 0x100);
}
END_TEST

START_TEST(trap_gate_keeps_interrupts) {
    fixture_enter_protected(fixture, 0);
    fixture_set_vector(fixture, 0x30, 0x8F);
    interrupt(0x30, INT_N);
    ck_assert(cpu->state.eflags & FLAG_IF);
}
END_TEST

START_TEST(gates_of_16_bits) {
    fixture_enter_protected(fixture, 3);
    fixture_set_gate(fixture, IDT, 0x30 * 8, KERNEL_CODE, 0x4321, 0xE6, 0);
    ck_assert_int_eq(interrupt(0x30, INT_N), HELPER_JUMP);
    fixture_expect_at(fixture, KERNEL_CODE, 0x4321, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 10);
    ck_assert_uint_eq(fixture_load(fixture, KERNEL_STACK - 2, 2), USER_DATA);
    ck_assert_uint_eq(fixture_load(fixture, KERNEL_STACK - 10, 2), (CODE + 2) & 0xFFFF);
}
END_TEST

START_TEST(interrupt_from_user_mode) {
    fixture_enter_protected(fixture, 3);
    fixture_set_vector(fixture, 0x30, 0xEE);
    ck_assert_int_eq(interrupt(0x30, INT_N), HELPER_JUMP);
    expect_handler(0x30);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), KERNEL_STACK - 20);
    ck_assert_uint_eq(fixture_stacked(fixture, 3), USER_STACK - 0x100);
    ck_assert_uint_eq(fixture_stacked(fixture, 4), USER_DATA);
    /* IRET to the outer level: IOPL and IF come along since this is level 0. */
    fixture_store(fixture, KERNEL_STACK - 12, 4, FLAG_1 | FLAG_IOPL | FLAG_ZF);
    ck_assert_int_eq(iret(4), HELPER_JUMP);
    fixture_expect_at(fixture, USER_CODE, CODE + 2, 3);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_IOPL | FLAG_ZF);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), USER_STACK - 0x100);
}
END_TEST

START_TEST(gate_faults) {
    fixture_enter_protected(fixture, 3);
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_GP, 0x30 * 8 + 2); /* DPL 0 */
    expect_interrupt_fault(3, INT3, EXCEPTION_GP, 3 * 8 + 2);
    fixture_set_vector(fixture, 0x30, 0x6E);
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_NP, 0x30 * 8 + 2);
    fixture_set_vector(fixture, 0x30, 0xEC); /* a call gate */
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_GP, 0x30 * 8 + 2);
    fixture_set_gate(fixture, IDT, 0x30 * 8, 0, 0, 0xEE, 0);
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_GP, 0);
    fixture_set_gate(fixture, IDT, 0x30 * 8, ABSENT_CODE, 0, 0xEE, 0);
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_NP, ABSENT_CODE);
    fixture_set_gate(fixture, IDT, 0x30 * 8, KERNEL_DATA, 0, 0xEE, 0);
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_GP, KERNEL_DATA);
    fixture_set_gate(fixture, IDT, 0x30 * 8, CODE16, 0x10000, 0xEE, 0);
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_GP, 0);
    cpu->state.idtr.limit = 0x30 * 8 + 6;
    expect_interrupt_fault(0x30, INT_N, EXCEPTION_GP, 0x30 * 8 + 2);
    /* ICEBP is no software interrupt: its gate's DPL does not matter. */
    cpu->state.idtr.limit = 0x7FF;
    ck_assert_int_eq(interrupt(1, ICEBP), HELPER_JUMP);
    expect_handler(1);
}
END_TEST

START_TEST(hardware_interrupts) {
    int vector = 0x40;
    fixture_enter_protected(fixture, 3);
    cpu->acknowledge_interrupt = acknowledge;
    cpu->acknowledge_opaque = &vector;
    cpu->state.halted = 1;
    ck_assert(!cpu_has_deliverable_interrupt(cpu));
    cpu_set_intr(cpu, 0, 1);
    cpu->state.interrupt_shadow = SHADOW_STI;
    ck_assert(!cpu_has_deliverable_interrupt(cpu));
    cpu->state.interrupt_shadow = 0;
    ck_assert(cpu_has_deliverable_interrupt(cpu));
    cpu_deliver_interrupt(cpu);
    expect_handler(0x40); /* though its gate has DPL 0 */
    ck_assert_uint_eq(cpu->state.halted, 0);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), CODE);
    ck_assert(!cpu_has_deliverable_interrupt(cpu)); /* IF is clear */

    /* An absent gate: the error code has EXT set, and points into the IDT. */
    cpu->state.eflags |= FLAG_IF;
    fixture_set_vector(fixture, 0x40, 0x0E);
    cpu_deliver_interrupt(cpu);
    expect_handler(EXCEPTION_NP);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 0x40 * 8 + 3);
}
END_TEST

START_TEST(nmi_blocks_itself_until_iret) {
    fixture_enter_protected(fixture, 0);
    cpu->state.eflags &= ~(uint32_t)FLAG_IF;
    cpu_set_nmi(cpu, 0, 1);
    ck_assert(cpu_has_deliverable_interrupt(cpu));
    cpu_deliver_interrupt(cpu);
    expect_handler(EXCEPTION_NMI);
    cpu_set_nmi(cpu, 0, 1);
    ck_assert(!cpu_has_deliverable_interrupt(cpu));
    iret(4);
    ck_assert(cpu_has_deliverable_interrupt(cpu));
}
END_TEST

START_TEST(faults_push_rf_and_error_code) {
    fixture_enter_protected(fixture, 3);
    cpu_raise_error(cpu, EXCEPTION_GP, 0x1234);
    cpu_deliver_exception(cpu);
    expect_handler(EXCEPTION_GP);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 0x1234);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), CODE);
    ck_assert_uint_eq(fixture_stacked(fixture, 3), FLAG_1 | FLAG_IF | FLAG_RF);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_NONE);
    PageFault fault = {.address = 0xABCD1234, .error_code = 6};
    cpu_raise_page_fault(cpu, &fault);
    cpu_deliver_exception(cpu);
    ck_assert_uint_eq(cpu->state.cr2, 0xABCD1234);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 6);
}
END_TEST

START_TEST(debug_traps) {
    fixture_enter_protected(fixture, 0);
    cpu->state.dr[7] |= DR7_GD;
    cpu_set_eflags(cpu, FLAG_1 | FLAG_TF);
    cpu_deliver_debug_trap(cpu, DR6_BS);
    expect_handler(EXCEPTION_DB);
    ck_assert_uint_eq(cpu->state.dr[6], (uint32_t)DR6_FIXED | DR6_BS);
    ck_assert_uint_eq(cpu->state.dr[7] & DR7_GD, 0);
    ck_assert(!(cpu->state.eflags & FLAG_TF));
    ck_assert_uint_eq(fixture_stacked(fixture, 2), FLAG_1 | FLAG_TF); /* a trap: no RF */
}
END_TEST

/* ---- Double and triple faults ---- */

START_TEST(double_fault) {
    static const struct {
        unsigned first, broken; /* gates of these vectors are absent: delivery gives #NP */
        unsigned delivered;
    } rows[] = {
        {EXCEPTION_GP, EXCEPTION_GP, EXCEPTION_DF}, /* contributory, contributory */
        {EXCEPTION_DE, EXCEPTION_DE, EXCEPTION_DF},
        {EXCEPTION_PF, EXCEPTION_PF, EXCEPTION_DF}, /* page fault, contributory */
        {EXCEPTION_UD, EXCEPTION_UD, EXCEPTION_NP}, /* benign: handled one after the other */
        {EXCEPTION_AC, EXCEPTION_AC, EXCEPTION_NP},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture_enter_protected(fixture, 0);
        fixture_set_vector(fixture, rows[i].broken, 0x0E);
        cpu_raise(cpu, rows[i].first);
        cpu_deliver_exception(cpu);
        expect_handler(rows[i].delivered);
        uint32_t error = rows[i].delivered == EXCEPTION_DF ? 0 : rows[i].broken * 8 + 3;
        ck_assert_uint_eq(fixture_stacked(fixture, 0), error);
        ck_assert_uint_eq(fixture_stacked(fixture, 1), CODE);
        ck_assert_uint_eq(cpu->state.shutdown, 0);
        fixture_set_vector(fixture, rows[i].broken, 0x8E);
    }
}
END_TEST

START_TEST(page_fault_while_delivering) {
    /* #GP, then a page fault on the stack: handled serially by a task of its own; here the page
     * fault's delivery faults again, which makes a double fault, and that a triple one. */
    fixture_enter_protected(fixture, 0);
    fixture_enable_paging(fixture);
    fixture_set_page(fixture, KERNEL_STACK - 0x1000, 0);
    cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu_deliver_exception(cpu);
    ck_assert_uint_eq(cpu->state.shutdown, 1);
    ck_assert_uint_eq(cpu->state.cr2, KERNEL_STACK - 0x104);
    ck_assert(!cpu_has_deliverable_interrupt(cpu));
}
END_TEST

START_TEST(external_interrupt_is_benign) {
    int vector = 0x40;
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    cpu->acknowledge_interrupt = acknowledge;
    cpu->acknowledge_opaque = &vector;
    fixture_store(fixture, TSS + 8, 4, 0); /* no inner stack: #TS, and that needs one too */
    fixture_set_gate(fixture, IDT, EXCEPTION_DF * 8, TSS_OTHER_SELECTOR, 0, 0x85, 0);
    fixture_store(fixture, TSS_OTHER + 0x20, 4, 0x7777);
    fixture_store(fixture, TSS_OTHER + 0x1C, 4, PAGE_DIRECTORY);
    fixture_store(fixture, TSS_OTHER + 0x38, 4, RING1_STACK);
    fixture_store(fixture, TSS_OTHER + 0x4C, 2, KERNEL_CODE);
    fixture_store(fixture, TSS_OTHER + 0x50, 2, KERNEL_DATA);
    cpu_deliver_interrupt(cpu);
    fixture_expect_at(fixture, KERNEL_CODE, 0x7777, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_TR].selector, TSS_OTHER_SELECTOR);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 0); /* the double fault's error code */
}
END_TEST

/* ---- v8086 mode ---- */

static void expect_v8086_frame(uint32_t ip, uint32_t eflags) {
    ck_assert_uint_eq(fixture_stacked(fixture, 0), ip);
    ck_assert_uint_eq(fixture_stacked(fixture, 1), 0x1000);
    ck_assert_uint_eq(fixture_stacked(fixture, 2), eflags);
    ck_assert_uint_eq(fixture_stacked(fixture, 3), 0x800);
    ck_assert_uint_eq(fixture_stacked(fixture, 4), 0x2000);
    ck_assert_uint_eq(fixture_stacked(fixture, 5), 0x4100);
    ck_assert_uint_eq(fixture_stacked(fixture, 6), 0x4000);
    ck_assert_uint_eq(fixture_stacked(fixture, 7), 0x4200);
    ck_assert_uint_eq(fixture_stacked(fixture, 8), 0x4300);
}

START_TEST(v8086_interrupt_and_return) {
    fixture_enter_v8086(fixture, 3);
    fixture_set_vector(fixture, 0x21, 0xEE);
    uint32_t eflags = cpu_get_eflags(cpu);
    ck_assert_int_eq(interrupt(0x21, INT_N), HELPER_JUMP);
    expect_handler(0x21);
    expect_v8086_frame(0x102, eflags);
    ck_assert(!(cpu->state.eflags & (FLAG_VM | FLAG_IF)));
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].selector, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_GS].access, 0);
    ck_assert_int_eq(iret(4), HELPER_JUMP);
    fixture_expect_at(fixture, 0x1000, 0x102, 3);
    ck_assert_uint_eq(cpu_get_eflags(cpu), eflags);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), 0x800);
    ck_assert_uint_eq(cpu->state.segment[SEG_FS].base, 0x42000);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].kind, SEGMENT_REAL);
}
END_TEST

START_TEST(v8086_iopl) {
    fixture_enter_v8086(fixture, 0);
    fixture_set_vector(fixture, 0x21, 0xEE);
    fixture_set_vector(fixture, 3, 0xEE);
    expect_interrupt_fault(0x21, INT_N, EXCEPTION_GP, 0);
    fixture_expect_fault(fixture, helper_iret, 2, 0, 0, 0, EXCEPTION_GP, 0);
    fixture_expect_fault(fixture, helper_cli, 0, 0, 0, 0, EXCEPTION_GP, 0);
    fixture_expect_fault(fixture, helper_sti, 0, 0, 0, 0, EXCEPTION_GP, 0);
    fixture_expect_fault(fixture, helper_pushf, 2, 0, 0, 0, EXCEPTION_GP, 0);
    fixture_expect_fault(fixture, helper_popf, 2, 0, 0, 0, EXCEPTION_GP, 0);
    ck_assert_int_eq(interrupt(3, INT3), HELPER_JUMP); /* INT3 does not ask for IOPL */
    expect_handler(3);
}
END_TEST

START_TEST(v8086_reaches_level_0_only) {
    fixture_enter_v8086(fixture, 3);
    fixture_set_gate(fixture, IDT, 0x21 * 8, RING1_CODE, 0, 0xEE, 0);
    expect_interrupt_fault(0x21, INT_N, EXCEPTION_GP, RING1_CODE & ~3);
    fixture_set_gate(fixture, IDT, 0x21 * 8, CONFORMING_CODE, 0, 0xEE, 0);
    expect_interrupt_fault(0x21, INT_N, EXCEPTION_GP, CONFORMING_CODE);
}
END_TEST

START_TEST(v8086_hardware_interrupt_and_fault) {
    fixture_enter_v8086(fixture, 0);
    uint32_t eflags = cpu_get_eflags(cpu);
    cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu_deliver_exception(cpu);
    expect_handler(EXCEPTION_GP);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), 0);
    cpu->state.gpr[REG_ESP] += 4;
    expect_v8086_frame(0x100, eflags | FLAG_RF);
}
END_TEST

/* VME: the bit map in the TSS sends INT 21h to the program, through the table at 0. */
START_TEST(vme_redirection) {
    fixture_enter_v8086(fixture, 0);
    cpu->state.cr4 = CR4_VME;
    cpu->state.eflags |= FLAG_VIF;
    fixture_store(fixture, 0x21 * 4, 4, 0x30000456);
    ck_assert_int_eq(interrupt(0x21, INT_N), HELPER_JUMP);
    fixture_expect_at(fixture, 0x3000, 0x456, 3);
    ck_assert(!(cpu->state.eflags & FLAG_VIF));
    ck_assert(cpu->state.eflags & FLAG_IF);
    ck_assert_uint_eq(fixture_load(fixture, 0x207FE, 2), FLAG_1 | FLAG_IF | FLAG_IOPL);
    ck_assert_uint_eq(fixture_load(fixture, 0x207FA, 2), 0x102);
    ck_assert_int_eq(iret(2), HELPER_JUMP);
    fixture_expect_at(fixture, 0x1000, 0x102, 3);
    ck_assert(cpu->state.eflags & FLAG_VIF);
    ck_assert_uint_eq(cpu->state.eflags & FLAG_IOPL, 0);

    /* A set bit: #GP with IOPL 0. */
    fixture_store(fixture, TSS + TSS_IO_MAP - 32 + 0x21 / 8, 1, 1 << (0x21 & 7));
    expect_interrupt_fault(0x21, INT_N, EXCEPTION_GP, 0);
}
END_TEST

/* The map's last bytes count even where its first ones would lie before the TSS, as in Bochs. */
START_TEST(vme_redirection_map_before_the_tss) {
    enum { MAP_END = 0x10, VECTOR = 0xFF };
    fixture_enter_v8086(fixture, 0);
    cpu->state.cr4 = CR4_VME;
    fixture_store(fixture, VECTOR * 4, 4, 0x30000456);
    fixture_store(fixture, TSS + 0x66, 2, MAP_END);
    fixture_store(fixture, TSS + MAP_END - 1, 1, 0x7F);
    ck_assert_int_eq(interrupt(VECTOR, INT_N), HELPER_JUMP);
    fixture_expect_at(fixture, 0x3000, 0x456, 3);
    fixture_store(fixture, TSS + MAP_END - 1, 1, 0x80);
    expect_interrupt_fault(VECTOR, INT_N, EXCEPTION_GP, 0);
    expect_interrupt_fault(0, INT_N, EXCEPTION_GP, 0); /* its byte is not in the TSS */
}
END_TEST

START_TEST(vme_virtual_interrupt_flag) {
    fixture_enter_v8086(fixture, 0);
    cpu->state.cr4 = CR4_VME;
    ck_assert_int_eq(fixture_call(fixture, helper_sti, 0, 0, 0, 0), HELPER_JUMP);
    ck_assert(cpu->state.eflags & FLAG_VIF);
    ck_assert_uint_eq(cpu->state.interrupt_shadow, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_pushf, 2, 0, 0, 0), HELPER_NEXT);
    ck_assert_uint_eq(fixture_load(fixture, 0x207FE, 2), FLAG_1 | FLAG_IF | FLAG_IOPL);
    ck_assert_int_eq(fixture_call(fixture, helper_cli, 0, 0, 0, 0), HELPER_NEXT);
    ck_assert(!(cpu->state.eflags & FLAG_VIF));
    ck_assert(cpu->state.eflags & FLAG_IF);
    cpu->state.eflags |= FLAG_VIP; /* an interrupt waits: the monitor wants to know */
    fixture_expect_fault(fixture, helper_sti, 0, 0, 0, 0, EXCEPTION_GP, 0);
    fixture_expect_fault(fixture, helper_popf, 2, 0, 0, 0, EXCEPTION_GP, 0);
    cpu->state.eflags &= ~(uint32_t)FLAG_VIP;
    ck_assert_int_eq(fixture_call(fixture, helper_popf, 2, 0, 0, 0), HELPER_JUMP);
    ck_assert(cpu->state.eflags & FLAG_VIF);
    fixture_expect_fault(fixture, helper_pushf, 4, 0, 0, 0, EXCEPTION_GP, 0);
}
END_TEST

/* ---- IRET ---- */

static void expect_iret_fault(uint32_t cs, uint32_t eip, uint32_t eflags, unsigned vector,
                              uint32_t error) {
    uint32_t esp = GPR(fixture, REG_ESP);
    push(eflags);
    push(cs);
    push(eip);
    fixture_expect_fault(fixture, helper_iret, 4, 0, 0, 0, vector, error);
    cpu->state.gpr[REG_ESP] = esp;
}

START_TEST(iret_faults) {
    fixture_enter_protected(fixture, 0);
    expect_iret_fault(0, 0, 2, EXCEPTION_GP, 0);
    expect_iret_fault(KERNEL_DATA, 0, 2, EXCEPTION_GP, KERNEL_DATA);
    expect_iret_fault(ABSENT_CODE, 0, 2, EXCEPTION_NP, ABSENT_CODE);
    expect_iret_fault(CODE16, 0x10000, 2, EXCEPTION_GP, 0);
    push(ABSENT_DATA | 3);
    push(0);
    expect_iret_fault(USER_CODE, 0, 2, EXCEPTION_SS, ABSENT_DATA);
    expect_iret_fault(0x1000, 0x10000, FLAG_VM | 2, EXCEPTION_GP,
                      0); /* v8086 mode has no EIP above FFFFh */
    fixture_enter_protected(fixture, 3);
    expect_iret_fault(KERNEL_CODE, 0, 2, EXCEPTION_GP, KERNEL_CODE);
}
END_TEST

START_TEST(iret_in_user_mode_keeps_iopl) {
    fixture_enter_protected(fixture, 3);
    push(FLAG_1 | FLAG_IOPL | FLAG_VM | FLAG_CF | FLAG_RF | FLAG_ID);
    push(USER_CODE);
    push(HANDLER);
    ck_assert_int_eq(iret(4), HELPER_JUMP);
    fixture_expect_at(fixture, USER_CODE, HANDLER, 3);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_IF | FLAG_CF | FLAG_RF | FLAG_ID);
}
END_TEST

START_TEST(iret_nulls_inner_segments) {
    fixture_enter_protected(fixture, 0);
    push(USER_DATA);
    push(USER_STACK);
    push(FLAG_1);
    push(USER_CODE);
    push(CODE);
    ck_assert_int_eq(iret(4), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].selector, 0);
    ck_assert_uint_eq(cpu->state.segment[SEG_DS].kind, SEGMENT_GENERIC);
    ck_assert_uint_eq(cpu->state.segment[SEG_SS].selector, USER_DATA);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interrupt");
    TCase *tests = tcase_create("interrupt");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, real_mode_interrupt_and_return);
    tcase_add_test(tests, real_mode_limit_leads_to_shutdown);
    tcase_add_test(tests, interrupt_gate_on_one_level);
    tcase_add_test(tests, trap_gate_keeps_interrupts);
    tcase_add_test(tests, gates_of_16_bits);
    tcase_add_test(tests, interrupt_from_user_mode);
    tcase_add_test(tests, gate_faults);
    tcase_add_test(tests, hardware_interrupts);
    tcase_add_test(tests, nmi_blocks_itself_until_iret);
    tcase_add_test(tests, faults_push_rf_and_error_code);
    tcase_add_test(tests, debug_traps);
    tcase_add_test(tests, double_fault);
    tcase_add_test(tests, page_fault_while_delivering);
    tcase_add_test(tests, external_interrupt_is_benign);
    tcase_add_test(tests, v8086_interrupt_and_return);
    tcase_add_test(tests, v8086_iopl);
    tcase_add_test(tests, v8086_reaches_level_0_only);
    tcase_add_test(tests, v8086_hardware_interrupt_and_fault);
    tcase_add_test(tests, vme_redirection);
    tcase_add_test(tests, vme_redirection_map_before_the_tss);
    tcase_add_test(tests, vme_virtual_interrupt_flag);
    tcase_add_test(tests, iret_faults);
    tcase_add_test(tests, iret_in_user_mode_keeps_iopl);
    tcase_add_test(tests, iret_nulls_inner_segments);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

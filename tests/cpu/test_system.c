/* System instructions and port I/O: privileges, control and debug registers, descriptor tables, the
 * I/O permission bit map. */
#include "cpu_fixture.h"
#include "suite_run.h"
#include <check.h>

static CpuFixture *fixture;
static Cpu *cpu;

static void set_up(void) {
    fixture = fixture_create("max");
    cpu = fixture->cpu;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

static HelperResult write_cr(unsigned number, uint32_t value) {
    return fixture_call(fixture, helper_write_cr, number, 0, value, 0);
}

static void expect_gp(HelperFunction *helper, uint32_t a, uint32_t b, uint32_t t0) {
    fixture_expect_fault(fixture, helper, a, b, t0, 0, EXCEPTION_GP, 0);
}

START_TEST(privileged_instructions) {
    fixture_enter_protected(fixture, 3);
    expect_gp(helper_read_cr, 0, REG_EAX, 0);
    expect_gp(helper_write_cr, 0, 0, 0);
    expect_gp(helper_read_dr, 0, REG_EAX, 0);
    expect_gp(helper_write_dr, 7, 0, 0);
    expect_gp(helper_lmsw, 0, 0, 0);
    expect_gp(helper_clts, 0, 0, 0);
    expect_gp(helper_load_descriptor_table, 0, SEG_DS << 8 | 4, DATA);
    expect_gp(helper_load_ldtr, 0, 0, LDT_SELECTOR);
    expect_gp(helper_load_tr, 0, 0, TSS_OTHER_SELECTOR);
    expect_gp(helper_invlpg, SEG_DS, 0, 0);
    expect_gp(helper_cache_control, 0, 0, 0);
    expect_gp(helper_hlt, 0, 0, 0);
    expect_gp(helper_rdmsr, 0, 0, 0);
    expect_gp(helper_rdpmc, 0, 0, 0);
    expect_gp(helper_cli, 0, 0, 0);
    expect_gp(helper_sti, 0, 0, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_smsw, 0, 0, 0, 0), HELPER_NEXT);
    ck_assert_uint_eq(cpu->result, cpu->state.cr0);
    cpu->state.cr4 |= CR4_UMIP;
    expect_gp(helper_smsw, 0, 0, 0);
    expect_gp(helper_store_tr, 0, 0, 0);
    expect_gp(helper_store_descriptor_table, 0, SEG_DS << 8 | 4, DATA);
}
END_TEST

START_TEST(cr0) {
    expect_gp(helper_write_cr, 0, 0, CR0_PG);
    expect_gp(helper_write_cr, 0, 0, CR0_NW);
    ck_assert_int_eq(write_cr(0, CR0_PE | 1 << 10), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.cr0, CR0_PE | CR0_ET); /* reserved bits stay 0, ET stays 1 */
    ck_assert_uint_eq(cpu->state.eip, 0xFFF2);
    fixture_call(fixture, helper_lmsw, 0, 0, CR0_TS, 0);
    ck_assert_uint_eq(cpu->state.cr0, CR0_PE | CR0_ET | CR0_TS); /* LMSW cannot clear PE */
    fixture_call(fixture, helper_clts, 0, 0, 0, 0);
    ck_assert_uint_eq(cpu->state.cr0, CR0_PE | CR0_ET);
    fixture_expect_fault(fixture, helper_write_cr, 1, 0, 0, 0, EXCEPTION_UD, 0);
    fixture_expect_fault(fixture, helper_read_cr, 5, 0, 0, 0, EXCEPTION_UD, 0);
}
END_TEST

START_TEST(cr0_of_a_386) {
    CpuFixture *old = fixture_create("386");
    fixture_call(old, helper_write_cr, 0, 0, CR0_PE | CR0_WP | CR0_NE | CR0_CD | CR0_AM, 0);
    ck_assert_uint_eq(old->cpu->state.cr0, CR0_PE); /* ET is software's there */
    fixture_call(old, helper_write_cr, 0, 0, CR0_PE | CR0_ET, 0);
    fixture_call(old, helper_lmsw, 0, 0, CR0_PE, 0);
    ck_assert_uint_eq(old->cpu->state.cr0, CR0_PE | CR0_ET);
    fixture_expect_fault(old, helper_read_cr, 4, 0, 0, 0, EXCEPTION_UD, 0);
    fixture_destroy(old);
}
END_TEST

START_TEST(cr4_reserved_bits) {
    ck_assert_int_eq(write_cr(4, CR4_PSE | CR4_PGE | CR4_OSFXSR), HELPER_JUMP);
    expect_gp(helper_write_cr, 4, 0, 1u << 31);
    CpuFixture *old = fixture_create("pentium");
    fixture_expect_fault(old, helper_write_cr, 4, 0, CR4_PAE, 0, EXCEPTION_GP, 0);
    fixture_destroy(old);
}
END_TEST

START_TEST(pae_pointers_are_checked) {
    enum { POINTERS = 0xB000 };
    fixture_enter_protected(fixture, 0);
    write_cr(4, CR4_PAE);
    write_cr(3, POINTERS);
    fixture_store(fixture, POINTERS, 4, 0xC000 | 1 | 1 << 1); /* a reserved bit */
    expect_gp(helper_write_cr, 0, 0, CR0_PE | CR0_PG);
    fixture_store(fixture, POINTERS, 4, 0xC000 | 1);
    fixture_store(fixture, 0xC000, 4, 0xD000 | 7);
    for (uint32_t page = 0; page < 512; page++)
        fixture_store(fixture, 0xD000 + page * 8, 4, page << 12 | 7);
    ck_assert_int_eq(write_cr(0, CR0_PE | CR0_PG), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.pdpte[0], 0xC001);
    uint64_t value;
    ck_assert(cpu_read(cpu, SEG_DS, DATA, 4, &value));
    fixture_store(fixture, POINTERS + 8, 4, 1 << 8);
    fixture_store(fixture, POINTERS + 24, 4, 1 | 1 << 5);
    expect_gp(helper_write_cr, 3, 0, POINTERS);
}
END_TEST

START_TEST(debug_registers) {
    ck_assert_int_eq(fixture_call(fixture, helper_write_dr, 4, 0, 0, 0), HELPER_JUMP); /* DR6 */
    ck_assert_uint_eq(cpu->state.dr[6], (uint32_t)DR6_FIXED);
    fixture_call(fixture, helper_write_dr, 7, 0, 0xFFFFFFFF, 0);
    ck_assert_uint_eq(cpu->state.dr[7], 0xFFFF2FFF);
    /* GD is set now: the next access is a fault that says so in DR6. */
    ck_assert_int_eq(fixture_call(fixture, helper_read_dr, 0, REG_EAX, 0, 0), HELPER_FAULT);
    ck_assert_uint_eq(cpu->exception.vector, EXCEPTION_DB);
    ck_assert(cpu->state.dr[6] & DR6_BD);
    cpu->state.dr[7] = DR7_FIXED;
    cpu->state.cr4 |= CR4_DE;
    fixture_expect_fault(fixture, helper_read_dr, 5, REG_EAX, 0, 0, EXCEPTION_UD, 0);
}
END_TEST

START_TEST(data_breakpoints) {
    uint64_t value;
    cpu->state.dr[1] = 0x4002;
    cpu->state.dr[7] = DR7_FIXED | 1 << 2 | 1 << 20 | 1 << 22; /* DR1: writes, 2 bytes */
    cpu_read(cpu, SEG_DS, 0x4002, 2, &value);
    ck_assert_uint_eq(cpu->state.pending_debug, 0);
    cpu_write(cpu, SEG_DS, 0x4004, 4, 0);
    cpu_write(cpu, SEG_DS, 0x3FFE, 4, 0);
    ck_assert_uint_eq(cpu->state.pending_debug, 0);
    cpu_write(cpu, SEG_DS, 0x4000, 4, 0);
    ck_assert_uint_eq(cpu->state.pending_debug, 2);
}
END_TEST

START_TEST(descriptor_tables) {
    fixture_enter_protected(fixture, 0);
    fixture_store(fixture, DATA, 4, 0x5678FFF7);
    fixture_store(fixture, DATA + 4, 2, 0xAB12);
    fixture_call(fixture, helper_load_descriptor_table, 1, SEG_DS << 8 | 2, DATA, 0);
    ck_assert_uint_eq(cpu->state.idtr.base, 0x125678); /* 24 bits */
    ck_assert_uint_eq(cpu->state.idtr.limit, 0xFFF7);
    fixture_call(fixture, helper_load_descriptor_table, 1, SEG_DS << 8 | 4, DATA, 0);
    ck_assert_uint_eq(cpu->state.idtr.base, 0xAB125678);
    fixture_call(fixture, helper_store_descriptor_table, 1, SEG_DS << 8 | 2, DATA + 16, 0);
    ck_assert_uint_eq(fixture_load(fixture, DATA + 16, 4), 0x5678FFF7);
    ck_assert_uint_eq(fixture_load(fixture, DATA + 20, 2), 0xAB12); /* all 32 bits */
}
END_TEST

START_TEST(ldtr_and_tr) {
    fixture_enter_protected(fixture, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_load_ldtr, 0, 0, LDT_SELECTOR, 0), HELPER_NEXT);
    fixture_call(fixture, helper_store_ldtr, 0, 0, 0, 0);
    ck_assert_uint_eq(cpu->result, LDT_SELECTOR);
    ck_assert_uint_eq(cpu->state.segment[SEG_LDTR].base, LDT);
    fixture_expect_fault(fixture, helper_load_ldtr, 0, 0, KERNEL_DATA, 0, EXCEPTION_GP,
                         KERNEL_DATA);
    fixture_expect_fault(fixture, helper_load_ldtr, 0, 0, 0x0C, 0, EXCEPTION_GP, 0x0C);
    fixture_set_segment(fixture, GDT, LDT_SELECTOR, LDT, 0x1F, 0x02);
    fixture_expect_fault(fixture, helper_load_ldtr, 0, 0, LDT_SELECTOR, 0, EXCEPTION_NP,
                         LDT_SELECTOR);
    ck_assert_int_eq(fixture_call(fixture, helper_load_ldtr, 0, 0, 0, 0), HELPER_NEXT);
    expect_gp(helper_load_tr, 0, 0, 0);
    fixture_expect_fault(fixture, helper_load_tr, 0, 0, TSS_SELECTOR, 0, EXCEPTION_GP,
                         TSS_SELECTOR);
    ck_assert_int_eq(fixture_call(fixture, helper_load_tr, 0, 0, TSS_OTHER_SELECTOR, 0),
                     HELPER_NEXT);
    ck_assert_uint_eq(fixture_load(fixture, GDT + TSS_OTHER_SELECTOR + 5, 1), 0x8B);
    fixture_enter_v8086(fixture, 3);
    fixture_expect_fault(fixture, helper_load_tr, 0, 0, 0, 0, EXCEPTION_UD, 0);
    fixture_expect_fault(fixture, helper_store_ldtr, 0, 0, 0, 0, EXCEPTION_UD, 0);
}
END_TEST

START_TEST(sti_has_a_shadow_once) {
    ck_assert_int_eq(fixture_call(fixture, helper_sti, 0, 0, 0, 0), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.interrupt_shadow, SHADOW_STI);
    cpu->state.interrupt_shadow = 0;
    fixture_call(fixture, helper_sti, 0, 0, 0, 0);
    ck_assert_uint_eq(cpu->state.interrupt_shadow, 0);
    ck_assert_int_eq(fixture_call(fixture, helper_cli, 0, 0, 0, 0), HELPER_NEXT);
    ck_assert(!(cpu->state.eflags & FLAG_IF));
}
END_TEST

START_TEST(protected_mode_virtual_interrupts) {
    fixture_enter_protected(fixture, 3);
    cpu->state.cr4 |= CR4_PVI;
    ck_assert_int_eq(fixture_call(fixture, helper_sti, 0, 0, 0, 0), HELPER_JUMP);
    ck_assert(cpu->state.eflags & FLAG_VIF);
    ck_assert_int_eq(fixture_call(fixture, helper_cli, 0, 0, 0, 0), HELPER_NEXT);
    ck_assert(!(cpu->state.eflags & FLAG_VIF));
    ck_assert(cpu->state.eflags & FLAG_IF);
}
END_TEST

START_TEST(popf_respects_privilege) {
    fixture_enter_protected(fixture, 3);
    uint32_t esp = GPR(fixture, REG_ESP);
    fixture_store(fixture, esp, 4, 0xFFFFFFFF);
    ck_assert_int_eq(fixture_call(fixture, helper_popf, 4, 0, 0, 0), HELPER_JUMP);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_STATUS | FLAG_TF | FLAG_IF | FLAG_DF |
                                               FLAG_NT | FLAG_AC | FLAG_ID);
    ck_assert_uint_eq(GPR(fixture, REG_ESP), esp + 4);
    fixture_store(fixture, esp + 4, 4, 0);
    fixture_call(fixture, helper_popf, 4, 0, 0, 0);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_IF); /* IF stays, silently */
    fixture_enter_protected(fixture, 0);
    fixture_store(fixture, GPR(fixture, REG_ESP), 4, FLAG_IOPL);
    fixture_call(fixture, helper_popf, 2, 0, 0, 0);
    ck_assert_uint_eq(cpu_get_eflags(cpu), FLAG_1 | FLAG_IOPL);
}
END_TEST

START_TEST(pushf_hides_vm_and_rf) {
    fixture_enter_protected(fixture, 0);
    cpu->state.eflags |= FLAG_RF;
    fixture_call(fixture, helper_pushf, 4, 0, 0, 0);
    ck_assert_uint_eq(fixture_stacked(fixture, 0), FLAG_1 | FLAG_IF);
}
END_TEST

START_TEST(hlt_waits) {
    ck_assert_int_eq(fixture_call(fixture, helper_hlt, 0, 0, 0, 0), HELPER_JUMP);
    ck_assert_uint_eq(cpu->state.halted, 1);
    ck_assert_uint_eq(cpu->state.eip, 0xFFF2);
}
END_TEST

/* ---- Ports ---- */

static uint32_t port_value;

static uint32_t read_port(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque;
    (void)size;
    return 0x11223344 + offset;
}

static void write_port(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)opaque;
    (void)offset;
    (void)size;
    port_value = value;
}

static void add_ports(void) {
    PortRange range = {.name = "test",
                       .first = 0x60,
                       .count = 8,
                       .widths = PORT_8 | PORT_16 | PORT_32,
                       .read = read_port,
                       .write = write_port};
    ck_assert(port_map_add(fixture->ports, &range, NULL));
}

START_TEST(in_and_out) {
    add_ports();
    cpu->state.gpr[REG_EAX] = 0xAABBCCDD;
    ck_assert_int_eq(fixture_call(fixture, helper_in, 1, 0, 0x60, 0), HELPER_JUMP);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0xAABBCC44);
    fixture_call(fixture, helper_in, 2, 0, 0x60, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0xAABB3344);
    fixture_call(fixture, helper_in, 4, 0, 0x62, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0x11223346);
    ck_assert_uint_eq(cpu->state.eip, 0xFFF6);
    fixture_call(fixture, helper_out, 2, 0, 0x60, 0xAABBCCDD);
    ck_assert_uint_eq(port_value, 0xCCDD);
    fixture_call(fixture, helper_in, 1, 0, 0x1234, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0x112233FF);
}
END_TEST

START_TEST(io_permission_bit_map) {
    add_ports();
    fixture_enter_protected(fixture, 3);
    ck_assert_int_eq(fixture_call(fixture, helper_in, 4, 0, 0x60, 0), HELPER_JUMP);
    fixture_store(fixture, TSS + TSS_IO_MAP + 0x60 / 8, 1, 1 << 3); /* port 63h */
    ck_assert_int_eq(fixture_call(fixture, helper_in, 2, 0, 0x60, 0), HELPER_JUMP);
    expect_gp(helper_in, 4, 0, 0x60);
    expect_gp(helper_out, 1, 0, 0x63);
    expect_gp(helper_in, 1, 0, 0x100); /* beyond the limit */
    ck_assert_int_eq(fixture_call(fixture, helper_in, 1, 0, 0xFF, 0), HELPER_JUMP);
    expect_gp(helper_in, 2, 0, 0xFF); /* its second half lies in the closing byte */
    cpu->state.eflags |= FLAG_IOPL;
    ck_assert_int_eq(fixture_call(fixture, helper_in, 4, 0, 0x60, 0), HELPER_JUMP);
    fixture_enter_v8086(fixture, 3); /* there IOPL does not help */
    expect_gp(helper_in, 1, 0, 0x63);
    ck_assert_int_eq(fixture_call(fixture, helper_in, 1, 0, 0x60, 0), HELPER_JUMP);
    cpu->state.segment[SEG_TR].access = 0x83; /* a 286 TSS has no map */
    expect_gp(helper_in, 1, 0, 0x60);
}
END_TEST

START_TEST(smap_override_by_clac_and_stac) {
    ck_assert_int_eq(fixture_call(fixture, helper_set_alignment_check, 1, 0, 0, 0), HELPER_NEXT);
    ck_assert_uint_ne(cpu->state.eflags & FLAG_AC, 0);
    ck_assert(cpu->tlb.smap_override);
    fixture_call(fixture, helper_set_alignment_check, 0, 0, 0, 0);
    ck_assert_uint_eq(cpu->state.eflags & FLAG_AC, 0);
    ck_assert(!cpu->tlb.smap_override);
    fixture_enter_protected(fixture, 3);
    fixture_expect_fault(fixture, helper_set_alignment_check, 1, 0, 0, 0, EXCEPTION_UD, 0);
}
END_TEST

START_TEST(invpcid_knows_one_context) {
    cpu->state.gpr[REG_EAX] = 0;
    fixture_store(fixture, DATA, 4, 0);
    fixture_store(fixture, DATA + 4, 4, 0);
    fixture_store(fixture, DATA + 8, 4, 0x5000);
    fixture_enter_protected(fixture, 0);
    uint64_t flushes = cpu->tlb.flushes;
    for (uint32_t type = 0; type < 4; type++) {
        cpu->state.gpr[REG_EAX] = type;
        ck_assert_int_eq(fixture_call(fixture, helper_invpcid, SEG_DS, REG_EAX, DATA, 0),
                         HELPER_JUMP);
    }
    ck_assert_uint_ge(cpu->tlb.flushes, flushes + 3);
    cpu->state.gpr[REG_EAX] = 4;
    expect_gp(helper_invpcid, SEG_DS, REG_EAX, DATA);
    fixture_store(fixture, DATA, 4, 1);
    cpu->state.gpr[REG_EAX] = 1;
    expect_gp(helper_invpcid, SEG_DS, REG_EAX, DATA);
    cpu->state.gpr[REG_EAX] = 2; /* all contexts: the number does not matter */
    ck_assert_int_eq(fixture_call(fixture, helper_invpcid, SEG_DS, REG_EAX, DATA, 0), HELPER_JUMP);
    fixture_enter_protected(fixture, 3);
    expect_gp(helper_invpcid, SEG_DS, REG_EAX, DATA);
}
END_TEST

START_TEST(test_registers_keep_what_is_written) {
    ck_assert_int_eq(fixture_call(fixture, helper_write_tr, 7, 0, 0x1234, 0), HELPER_NEXT);
    fixture_call(fixture, helper_read_tr, 7, REG_EBX, 0, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0x1234);
    fixture_expect_fault(fixture, helper_read_tr, 2, REG_EBX, 0, 0, EXCEPTION_UD, 0);
    fixture_enter_protected(fixture, 3);
    expect_gp(helper_read_tr, 6, REG_EBX, 0);
}
END_TEST

/* The numbers follow from the state: put back, it gives the same ones. */
START_TEST(rdrand_is_repeatable) {
    uint32_t first[8];
    cpu->state.random_state = 42;
    for (unsigned i = 0; i < 8; i++) {
        cpu_set_status_flags(cpu, FLAG_OF | FLAG_SF | FLAG_ZF);
        ck_assert_int_eq(fixture_call(fixture, helper_random, 0, 0, 0, 0), HELPER_NEXT);
        ck_assert_uint_eq(cpu_get_status_flags(cpu), FLAG_CF);
        first[i] = cpu->result;
        ck_assert(i == 0 || first[i] != first[i - 1]);
    }
    cpu->state.random_state = 42;
    for (unsigned i = 0; i < 8; i++) {
        fixture_call(fixture, helper_random, 0, 0, 0, 0);
        ck_assert_uint_eq(cpu->result, first[i]);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("system");
    TCase *tests = tcase_create("system");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, privileged_instructions);
    tcase_add_test(tests, cr0);
    tcase_add_test(tests, cr0_of_a_386);
    tcase_add_test(tests, cr4_reserved_bits);
    tcase_add_test(tests, pae_pointers_are_checked);
    tcase_add_test(tests, debug_registers);
    tcase_add_test(tests, data_breakpoints);
    tcase_add_test(tests, descriptor_tables);
    tcase_add_test(tests, ldtr_and_tr);
    tcase_add_test(tests, sti_has_a_shadow_once);
    tcase_add_test(tests, protected_mode_virtual_interrupts);
    tcase_add_test(tests, popf_respects_privilege);
    tcase_add_test(tests, pushf_hides_vm_and_rf);
    tcase_add_test(tests, hlt_waits);
    tcase_add_test(tests, in_and_out);
    tcase_add_test(tests, io_permission_bit_map);
    tcase_add_test(tests, smap_override_by_clac_and_stac);
    tcase_add_test(tests, invpcid_knows_one_context);
    tcase_add_test(tests, test_registers_keep_what_is_written);
    tcase_add_test(tests, rdrand_is_repeatable);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

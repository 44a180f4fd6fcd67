/* The x87 FPU as a part of the processor: availability, pending exceptions, FERR# and IGNNE#,
 * pointers, environments, and faults in the middle. Arithmetic is compared with the host's in
 * test_x87_host.c. */
#include "fpu_fixture.h"
#include "little_endian.h"
#include "msr.h"
#include "suite_run.h"
#include <check.h>

static FpuFixture fixture;
static int ferr_level, ferr_changes;

static void listen_ferr(void *listener, int line, int level) {
    (void)listener, (void)line;
    ferr_level = level;
    ferr_changes++;
}

static void set_up(void) {
    fixture_open(&fixture);
    ferr_level = ferr_changes = 0;
    fixture.cpu->ferr = (Wire){.set = listen_ferr};
    ck_assert_int_eq(fixture_x87(&fixture, 0xDB, 0xE3), HELPER_NEXT); /* FNINIT */
}

static void tear_down(void) {
    fixture_close(&fixture);
}

static FpuState *fpu(void) {
    return &fixture.cpu->state.fpu;
}

static HelperResult wait_instruction(void) {
    fixture.cpu->exception.vector = EXCEPTION_NONE;
    return helper_fwait(fixture.cpu, 0, 0, 0, 0);
}

/* Runs an instruction that must succeed. */
static void run(unsigned opcode, unsigned modrm) {
    ck_assert_int_eq(fixture_x87(&fixture, opcode, modrm), HELPER_NEXT);
}

/* 1 / 0 with divide by zero unmasked. */
static void make_pending(void) {
    store_le16(fixture_operand(&fixture), 0x37B);
    run(0xD9, 0x2D); /* FLDCW */
    run(0xD9, 0xE8); /* FLD1 */
    run(0xD9, 0xEE); /* FLDZ */
    run(0xDE, 0xF9); /* FDIVP */
    ck_assert_uint_eq(fpu()->status & 0x8084, 0x8084);
}

START_TEST(test_reset) {
    FpuState state;
    memset(&state, 0xA5, sizeof state);
    x87_reset(&state, false);
    ck_assert_uint_eq(state.control, 0x40);
    ck_assert_uint_eq(state.status, 0);
    ck_assert_uint_eq(state.tags, 0x5555);
    ck_assert_uint_eq(state.mxcsr, 0x1F80);
    state.st[3].significand = 7;
    x87_reset(&state, true);
    ck_assert_uint_eq(state.control, 0x37F);
    ck_assert_uint_eq(state.tags, 0xFFFF);
    ck_assert_uint_eq(state.st[3].significand, 7);
}
END_TEST

/* ModRM's mod field tells how the operand is addressed, not what is done with it. */
START_TEST(test_every_addressing_form) {
    static const uint8_t forms[] = {0x04, 0x44, 0x84}; /* no displacement, 8 bits, 32 bits */
    for (unsigned i = 0; i < sizeof forms; i++) {
        store_le32(fixture_operand(&fixture), 1234567);
        run(0xDB, forms[i]); /* FILD m32 */
        ck_assert_uint_eq(fpu()->status >> 11 & 7, 7);
        store_le32(fixture_operand(&fixture), 0);
        run(0xDB, forms[i] | 3 << 3); /* FISTP m32 */
        ck_assert_uint_eq(load_le32(fixture_operand(&fixture)), 1234567);
        ck_assert_uint_eq(fpu()->status, 0);
        ck_assert_uint_eq(fpu()->tags, 0xFFFF);
    }
}
END_TEST

START_TEST(test_not_available) {
    static const uint32_t bits[2] = {CR0_EM, CR0_TS};
    for (unsigned i = 0; i < 2; i++) {
        fixture.cpu->state.cr0 |= bits[i];
        ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_FAULT);
        ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_NM);
        ck_assert_int_eq(fixture_x87(&fixture, 0xDB, 0xE3), HELPER_FAULT);
        fixture.cpu->state.cr0 &= ~bits[i];
    }
}
END_TEST

/* Without an FPU, and with CR0.EM clear, an ESC instruction does nothing: programs look whether
 * FNSTSW stores. */
START_TEST(test_no_fpu) {
    uint8_t *operand = fixture_operand(&fixture);
    fixture.cpu->features[0] &= ~FEATURE_BIT(FEATURE_FPU);
    FpuState before = *fpu();
    store_le16(operand, 0x5A5A);
    run(0xDB, 0xE3); /* FNINIT */
    run(0xDD, 0x3D); /* FNSTSW m16 */
    run(0xD9, 0xE8); /* FLD1 */
    ck_assert_uint_eq(load_le16(operand), 0x5A5A);
    ck_assert_mem_eq(&before, fpu(), sizeof before);
    ck_assert_int_eq(wait_instruction(), HELPER_NEXT);
    fixture.cpu->state.cr0 |= CR0_EM;
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_NM);
}
END_TEST

/* WAIT looks at MP and TS together, and not at EM. */
START_TEST(test_wait_conditions) {
    fixture.cpu->state.cr0 |= CR0_TS | CR0_EM;
    ck_assert_int_eq(wait_instruction(), HELPER_NEXT);
    fixture.cpu->state.cr0 |= CR0_MP;
    ck_assert_int_eq(wait_instruction(), HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_NM);
    fixture.cpu->state.cr0 &= ~CR0_TS;
    ck_assert_int_eq(wait_instruction(), HELPER_NEXT);
}
END_TEST

START_TEST(test_undefined) {
    static const uint16_t encodings[] = {0xD908, 0xD9D1, 0xD9E2, 0xD9EF, 0xDAE0, 0xDAF0,
                                         0xDB20, 0xDB30, 0xDBE5, 0xDBF8, 0xDD28, 0xDDF0,
                                         0xDED8, 0xDEDA, 0xDFE1, 0xDFF8};
    for (unsigned i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        ck_assert_int_eq(fixture_x87(&fixture, encodings[i] >> 8, encodings[i] & 0xFF),
                         HELPER_FAULT);
        ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_UD);
    }
    fixture.cpu->features[0] &= ~(FEATURE_BIT(FEATURE_CMOV) | FEATURE_BIT(FEATURE_SSE3));
    static const uint16_t later[] = {0xDAC0, 0xDBC0, 0xDBE8, 0xDBF0, 0xDFE8,
                                     0xDFF0, 0xDB0D, 0xDD0D, 0xDF0D};
    for (unsigned i = 0; i < sizeof later / sizeof later[0]; i++) {
        ck_assert_int_eq(fixture_x87(&fixture, later[i] >> 8, later[i] & 0xFF), HELPER_FAULT);
        ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_UD);
    }
}
END_TEST

START_TEST(test_native_exception) {
    make_pending();
    FpuState before = *fpu();
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_MF);
    ck_assert_mem_eq(&before, fpu(), sizeof before);
    ck_assert_int_eq(wait_instruction(), HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_MF);
    run(0xDF, 0xE0); /* FNSTSW AX does not wait */
    ck_assert_uint_eq(fixture.cpu->state.gpr[REG_EAX] & 0xFFFF, fpu()->status);
    run(0xDB, 0xE2); /* FNCLEX */
    ck_assert_uint_eq(fpu()->status & 0x80FF, 0);
    run(0xD9, 0xE8);
    ck_assert_int_eq(ferr_changes, 0);
}
END_TEST

/* An exception that FLDCW unmasks later is pending too. */
START_TEST(test_unmask_pends) {
    run(0xD9, 0xE8);
    run(0xD9, 0xEE);
    run(0xDE, 0xF9);
    ck_assert_uint_eq(fpu()->status & 0x8084, 0x0004);
    store_le16(fixture_operand(&fixture), 0x37B);
    run(0xD9, 0x2D);
    ck_assert_uint_eq(fpu()->status & 0x8080, 0x8080);
    ck_assert_int_eq(wait_instruction(), HELPER_FAULT);
}
END_TEST

/* The PC's way: FERR#, port F0h, IGNNE#. */
START_TEST(test_ferr_and_ignne) {
    fixture.cpu->state.cr0 &= ~CR0_NE;
    x87_set_ignne(fixture.cpu, 0, 1); /* nothing pending: nothing happens */
    make_pending();
    ck_assert_int_eq(ferr_changes, 0);
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_AGAIN);
    ck_assert_int_eq(ferr_level, 1);
    ck_assert_uint_eq(fixture.cpu->state.ferr, 1);
    ck_assert_int_eq(wait_instruction(), HELPER_AGAIN);
    ck_assert_int_eq(ferr_changes, 1);
    x87_set_ignne(fixture.cpu, 0, 1);
    run(0xD9, 0xE8); /* the handler may use the FPU */
    ck_assert_int_eq(wait_instruction(), HELPER_NEXT);
    ck_assert_int_eq(ferr_level, 1);
    run(0xDB, 0xE2);
    ck_assert_int_eq(ferr_level, 0);
    ck_assert_uint_eq(fixture.cpu->state.ferr, 0);
    ck_assert_uint_eq(fixture.cpu->state.ignne, 0);
    make_pending();
    ck_assert_int_eq(wait_instruction(), HELPER_AGAIN);
}
END_TEST

START_TEST(test_pointers) {
    CpuState *state = &fixture.cpu->state;
    state->eip = 0x1234;
    state->segment[SEG_CS].selector = 0x1B;
    state->segment[SEG_DS].selector = 0x23;
    run(0xD9, 0x05); /* FLD m32 */
    ck_assert_uint_eq(fpu()->ip, 0x1234);
    ck_assert_uint_eq(fpu()->cs, 0x1B);
    ck_assert_uint_eq(fpu()->dp, OPERAND_ADDRESS);
    ck_assert_uint_eq(fpu()->ds, 0x23);
    ck_assert_uint_eq(fpu()->opcode, 0x105);
    state->eip = 0x2000;
    run(0xD9, 0x3D); /* FNSTCW is a control instruction */
    ck_assert_uint_eq(fpu()->ip, 0x1234);
    run(0xD9, 0xE0); /* FCHS has no memory operand */
    ck_assert_uint_eq(fpu()->ip, 0x2000);
    ck_assert_uint_eq(fpu()->opcode, 0x1E0);
    ck_assert_uint_eq(fpu()->dp, OPERAND_ADDRESS);
}
END_TEST

/* On family 15 FOP follows unmasked exceptions alone, unless IA32_MISC_ENABLE asks for more: SDM
 * vol. 1 8.1.9.1. */
START_TEST(test_opcode_by_model) {
    static const char *const others[] = {"386",      "486",      "pentium", "pentium-mmx",
                                         "pentium2", "pentium3", "qemu32",  "max"};
    Cpu *cpu = fixture.cpu;
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        cpu->model = cpu_model_find(others[i]);
        run(0xDB, 0xE3);
        run(0xD9, 0xE8); /* FLD1 */
        ck_assert_uint_eq(fpu()->opcode, 0x1E8);
    }
    cpu->model = cpu_model_find("pentium4");
    run(0xDB, 0xE3);
    cpu->state.eip = 0x1000;
    run(0xD9, 0xE8);
    ck_assert_uint_eq(fpu()->opcode, 0);
    ck_assert_uint_eq(fpu()->ip, 0x1000);
    make_pending(); /* ends with FDIVP */
    ck_assert_uint_eq(fpu()->opcode, 0x6F9);
    run(0xDB, 0xE2); /* FNCLEX */
    run(0xD9, 0xE8);
    ck_assert_uint_eq(fpu()->opcode, 0x6F9);
    cpu->state.misc_enable |= MISC_ENABLE_FOPCODE;
    run(0xD9, 0xE0); /* FCHS */
    ck_assert_uint_eq(fpu()->opcode, 0x1E0);
}
END_TEST

/* A recognisable state for the environment tests. */
static void fill_state(void) {
    run(0xD9, 0xE8); /* 1, 0, pi in ST(2), ST(1), ST(0) */
    run(0xD9, 0xEE);
    run(0xD9, 0xEB);
    fpu()->ip = 0x0003BEEF;
    fpu()->cs = 0x1B;
    fpu()->dp = 0x0004CAFE;
    fpu()->ds = 0x23;
    fpu()->opcode = 0x51D;
}

static HelperResult run_environment(unsigned opcode, unsigned modrm, unsigned operand_size) {
    return fixture_done(helper_x87(fixture.cpu, opcode << 8 | modrm,
                                   SEG_DS | operand_size << 8 | 4 << 16, OPERAND_ADDRESS, 0));
}

START_TEST(test_environment_formats) {
    /* SDM vol. 1 figures 8-9 to 8-12. Tags: registers 7, 6, 5 are valid, zero, valid. */
    static const uint32_t protected_32[7] = {0xFFFF037F, 0xFFFF2800, 0xFFFF13FF, 0x0003BEEF,
                                             0x051D001B, 0x0004CAFE, 0xFFFF0023};
    static const uint32_t real_32[7] = {0xFFFF037F, 0xFFFF2800, 0xFFFF13FF, 0xFFFFC09F,
                                        0x0000351D, 0xFFFFCD2E, 0x00004000};
    static const uint16_t protected_16[7] = {0x037F, 0x2800, 0x13FF, 0xBEEF,
                                             0x001B, 0xCAFE, 0x0023};
    static const uint16_t real_16[7] = {0x037F, 0x2800, 0x13FF, 0xC09F, 0x351D, 0xCD2E, 0x4000};
    uint8_t *operand = fixture_operand(&fixture);
    for (unsigned real = 0; real < 2; real++) {
        fixture.cpu->state.cr0 = (fixture.cpu->state.cr0 & ~CR0_PE) | (real ? 0 : CR0_PE);
        run(0xDB, 0xE3);
        fill_state();
        ck_assert_int_eq(run_environment(0xD9, 0x35, 4), HELPER_NEXT);
        for (unsigned i = 0; i < 7; i++)
            ck_assert_uint_eq(load_le32(operand + 4 * i), (real ? real_32 : protected_32)[i]);
        ck_assert_int_eq(run_environment(0xD9, 0x35, 2), HELPER_NEXT);
        for (unsigned i = 0; i < 7; i++)
            ck_assert_uint_eq(load_le16(operand + 2 * i), (real ? real_16 : protected_16)[i]);
    }
}
END_TEST

/* FNSAVE, then FRSTOR, in each format: all comes back, and FNSAVE leaves an initialised FPU. */
START_TEST(test_save_and_restore) {
    for (unsigned size = 2; size <= 4; size += 2) {
        fill_state();
        FpuState before = *fpu();
        before.ip &= size == 2 ? 0xFFFF : UINT32_MAX;
        before.dp &= size == 2 ? 0xFFFF : UINT32_MAX;
        before.opcode = size == 2 ? 0 : before.opcode;
        ck_assert_int_eq(run_environment(0xDD, 0x35, size), HELPER_NEXT);
        ck_assert_uint_eq(fpu()->control, 0x37F);
        ck_assert_uint_eq(fpu()->tags, 0xFFFF);
        ck_assert_uint_eq(fpu()->status, 0);
        ck_assert_int_eq(run_environment(0xDD, 0x25, size), HELPER_NEXT);
        ck_assert_mem_eq(&before, fpu(), sizeof before);
        run(0xDB, 0xE3);
    }
}
END_TEST

/* FLDENV: only 'empty' is taken from the tag word, ES follows flags and masks. */
START_TEST(test_load_environment) {
    uint8_t *operand = fixture_operand(&fixture);
    fill_state();
    ck_assert_int_eq(run_environment(0xD9, 0x35, 4), HELPER_NEXT);
    store_le32(operand, 0x37E);      /* invalid unmasked */
    store_le32(operand + 4, 0x2801); /* and raised, ES not set */
    store_le32(operand + 8, 0xABFF); /* 'special' for 5, 6 and 7 */
    ck_assert_int_eq(run_environment(0xD9, 0x25, 4), HELPER_NEXT);
    ck_assert_uint_eq(fpu()->tags, 0x13FF);
    ck_assert_uint_eq(fpu()->status, 0xA881);
    ck_assert_int_eq(wait_instruction(), HELPER_FAULT);
}
END_TEST

/* Identity-maps the first pages with 4K tables, but for the page after the operand's. */
static void enable_paging(void) {
    enum { DIRECTORY = 0x20000, TABLE = 0x21000 };
    Cpu *cpu = fixture.cpu;
    uint8_t *ram = physical_map_ram(fixture.map);
    store_le32(ram + DIRECTORY, TABLE | 7);
    for (uint32_t page = 0; page < FIXTURE_RAM >> PAGE_BITS; page++)
        store_le32(ram + TABLE + 4 * page,
                   page << PAGE_BITS | (page == (OPERAND_ADDRESS >> PAGE_BITS) + 1 ? 0 : 7));
    cpu->state.cr3 = DIRECTORY;
    cpu->state.cr0 |= CR0_PG;
    tlb_set_control(&cpu->tlb, cpu->state.cr0, cpu->state.cr3, cpu->state.cr4, false, true);
}

/* A page fault in the second part of an operand: no byte is stored, nothing is popped. */
START_TEST(test_fault_changes_nothing) {
    static const struct {
        uint8_t opcode, modrm;
        uint32_t offset;
    } cases[] = {
        {0xDB, 0x3D, 0xFFE}, /* FSTP m80 */
        {0xDB, 0x3D, 0xFF8}, /* with just the exponent beyond */
        {0xDF, 0x35, 0xFFC}, /* FBSTP */
        {0xDD, 0x1D, 0xFFF}, /* FSTP m64 */
        {0xDF, 0x3D, 0xFF9}, /* FISTP m64 */
        {0xDD, 0x35, 0xFC0}, /* FNSAVE */
        {0xD9, 0x35, 0xFF0}, /* FNSTENV */
        {0xDB, 0x2D, 0xFF8}, /* FLD m80 */
        {0xDD, 0x25, 0xFA0}, /* FRSTOR */
        {0xDC, 0x05, 0xFFC}, /* FADD m64 */
    };
    uint8_t *operand = fixture_operand(&fixture);
    fill_state();
    enable_paging();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FpuState before = *fpu();
        memset(operand, 0x5A, 0x1000);
        fixture.cpu->exception.vector = EXCEPTION_NONE;
        HelperResult result =
            helper_x87(fixture.cpu, (uint32_t)cases[i].opcode << 8 | cases[i].modrm,
                       SEG_DS | 4 << 8 | 4 << 16, OPERAND_ADDRESS + cases[i].offset, 0);
        ck_assert_int_eq(result, HELPER_FAULT);
        ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_PF);
        ck_assert_uint_eq(fixture.cpu->exception.cr2, OPERAND_ADDRESS + 0x1000);
        ck_assert_mem_eq(&before, fpu(), sizeof before);
        for (unsigned j = 0; j < 0x1000; j++)
            ck_assert_uint_eq(operand[j], 0x5A);
    }
}
END_TEST

/* An unmasked exception keeps the result from being stored, but the address is checked first. */
START_TEST(test_unmasked_exception_does_not_store) {
    static const struct {
        uint8_t opcode, modrm, value; /* value: D9 xx to load it, 0: the register is empty */
        uint16_t status;
    } cases[] = {
        {0xDB, 0x3D, 0, 0x80C1},    /* FSTP m80 */
        {0xDF, 0x35, 0, 0x80C1},    /* FBSTP */
        {0xD9, 0x15, 0, 0x80C1},    /* FST m32 */
        {0xDD, 0x15, 0, 0x80C1},    /* FST m64 */
        {0xDF, 0x15, 0xEB, 0xB881}, /* FIST m16 of pi * 2^64 */
        {0xDF, 0x35, 0xEB, 0xB881}, /* FBSTP of it */
    };
    uint8_t *operand = fixture_operand(&fixture);
    Segment *data = &fixture.cpu->state.segment[SEG_DS];
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        store_le16(operand, 0x37E);
        run(0xDB, 0xE3); /* FNINIT */
        run(0xD9, 0x2D);
        if (cases[i].value != 0) {
            run(0xD9, cases[i].value);
            fpu()->st[7].sign_exponent += 64;
        }
        memset(operand, 0x5A, 16);
        data->limit = OPERAND_ADDRESS; /* one byte of it */
        segment_classify(data);
        FpuState before = *fpu();
        ck_assert_int_eq(fixture_x87(&fixture, cases[i].opcode, cases[i].modrm), HELPER_FAULT);
        ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_GP);
        ck_assert_mem_eq(&before, fpu(), sizeof before);
        data->limit = UINT32_MAX;
        segment_classify(data);
        run(cases[i].opcode, cases[i].modrm);
        ck_assert_uint_eq(fpu()->status, cases[i].status);
        for (unsigned j = 0; j < 16; j++)
            ck_assert_uint_eq(operand[j], 0x5A);
    }
}
END_TEST

/* SDM vol. 3A table 6-7: an extended number is checked like 8 bytes, an image by its words. */
START_TEST(test_alignment_checks) {
    static const struct {
        uint8_t opcode, modrm, operand_size, alignment;
    } cases[] = {
        {0xD9, 0x05, 4, 4},                     /* FLD m32 */
        {0xDD, 0x05, 4, 8},                     /* FLD m64 */
        {0xDB, 0x2D, 4, 8},                     /* FLD m80 */
        {0xDB, 0x3D, 4, 8},                     /* FSTP m80 */
        {0xDF, 0x25, 4, 8},                     /* FBLD */
        {0xDF, 0x35, 4, 8},                     /* FBSTP */
        {0xDF, 0x05, 4, 2},                     /* FILD m16 */
        {0xD9, 0x3D, 4, 2},                     /* FNSTCW */
        {0xD9, 0x35, 4, 4}, {0xD9, 0x35, 2, 2}, /* FNSTENV */
        {0xD9, 0x25, 4, 4}, {0xD9, 0x25, 2, 2}, /* FLDENV */
        {0xDD, 0x35, 4, 4}, {0xDD, 0x35, 2, 2}, /* FNSAVE */
        {0xDD, 0x25, 4, 4}, {0xDD, 0x25, 2, 2}, /* FRSTOR */
    };
    Cpu *cpu = fixture.cpu;
    cpu->state.cr0 |= CR0_AM;
    cpu->state.eflags |= FLAG_AC;
    cpu->state.cpl = 3;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned offset = 0; offset < 16; offset++) {
            run(0xDB, 0xE3);
            run(0xD9, 0xE8);
            cpu->exception.vector = EXCEPTION_NONE;
            memset(fixture_operand(&fixture), 0, 256);
            HelperResult result = fixture_done(
                helper_x87(cpu, cases[i].opcode << 8 | cases[i].modrm,
                           SEG_DS | cases[i].operand_size << 8, OPERAND_ADDRESS + offset, 0));
            bool aligned = offset % cases[i].alignment == 0;
            ck_assert_int_eq(result, aligned ? HELPER_NEXT : HELPER_FAULT);
            ck_assert_uint_eq(cpu->exception.vector, aligned ? EXCEPTION_NONE : EXCEPTION_AC);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("x87");
    TCase *processor = tcase_create("processor");
    tcase_add_checked_fixture(processor, set_up, tear_down);
    tcase_add_test(processor, test_reset);
    tcase_add_test(processor, test_not_available);
    tcase_add_test(processor, test_no_fpu);
    tcase_add_test(processor, test_wait_conditions);
    tcase_add_test(processor, test_undefined);
    tcase_add_test(processor, test_native_exception);
    tcase_add_test(processor, test_unmask_pends);
    tcase_add_test(processor, test_ferr_and_ignne);
    tcase_add_test(processor, test_pointers);
    tcase_add_test(processor, test_opcode_by_model);
    tcase_add_test(processor, test_environment_formats);
    tcase_add_test(processor, test_save_and_restore);
    tcase_add_test(processor, test_every_addressing_form);
    tcase_add_test(processor, test_load_environment);
    tcase_add_test(processor, test_fault_changes_nothing);
    tcase_add_test(processor, test_unmasked_exception_does_not_store);
    tcase_add_test(processor, test_alignment_checks);
    suite_add_tcase(suite, processor);
    return suite_run(suite);
}

/* MMX and SSE as a part of the processor: availability, alignment, unmasked exceptions, MMX and x87
 * sharing registers, FXSAVE, and the results that are ours by rule. Arithmetic is compared with the
 * host's in test_vector_host.c. */
#include "fpu_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include "vector.h"
#include <check.h>

static FpuFixture fixture;

static void set_up(void) {
    fixture_open(&fixture);
    ck_assert_int_eq(fixture_x87(&fixture, 0xDB, 0xE3), HELPER_NEXT); /* FNINIT */
}

static void tear_down(void) {
    fixture_close(&fixture);
}

static FpuState *fpu(void) {
    return &fixture.cpu->state.fpu;
}

/* An instruction of the 0F map; a memory operand is at OPERAND_ADDRESS + offset. */
static HelperResult run_at(unsigned prefix, unsigned opcode, unsigned modrm, uint32_t offset) {
    fixture.cpu->exception.vector = EXCEPTION_NONE;
    return fixture_done(helper_vector(fixture.cpu, 1u << 24 | prefix << 16 | opcode << 8 | modrm,
                                      SEG_DS, OPERAND_ADDRESS + offset, 0));
}

static HelperResult run(unsigned prefix, unsigned opcode, unsigned modrm) {
    return run_at(prefix, opcode, modrm, 0);
}

static void expect_exception(HelperResult result, unsigned vector) {
    ck_assert_int_eq(result, HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, vector);
}

static void set_xmm_32(unsigned index, uint32_t lane0, uint32_t lane1, uint32_t lane2,
                       uint32_t lane3) {
    store_le32(fpu()->xmm[index], lane0);
    store_le32(fpu()->xmm[index] + 4, lane1);
    store_le32(fpu()->xmm[index] + 8, lane2);
    store_le32(fpu()->xmm[index] + 12, lane3);
}

START_TEST(test_availability) {
    CpuState *state = &fixture.cpu->state;
    state->cr0 |= CR0_EM;
    expect_exception(run(0, 0xFC, 0xC0), EXCEPTION_UD);    /* PADDB mm */
    expect_exception(run(0x66, 0xFC, 0xC0), EXCEPTION_UD); /* PADDB xmm */
    expect_exception(run(0, 0xAE, 0x05), EXCEPTION_NM);    /* FXSAVE belongs to the x87 */
    expect_exception(run(0, 0xAE, 0x1D), EXCEPTION_UD);    /* STMXCSR */
    state->cr0 = (state->cr0 & ~CR0_EM) | CR0_TS;
    expect_exception(run(0, 0xFC, 0xC0), EXCEPTION_NM);
    expect_exception(run(0, 0x58, 0xC0), EXCEPTION_NM); /* ADDPS */
    expect_exception(run(0, 0xAE, 0x05), EXCEPTION_NM);
    expect_exception(run(0, 0xAE, 0x1D), EXCEPTION_NM);
    state->cr0 &= ~CR0_TS;
    state->cr4 &= ~CR4_OSFXSR;
    ck_assert_int_eq(run(0, 0xFC, 0xC0), HELPER_NEXT);
    ck_assert_int_eq(run(0, 0xE0, 0xC0), HELPER_NEXT); /* PAVGB mm came with SSE, but is MMX */
    expect_exception(run(0x66, 0xFC, 0xC0), EXCEPTION_UD);
    expect_exception(run(0, 0xAE, 0x15), EXCEPTION_UD); /* LDMXCSR */
    ck_assert_int_eq(run(0, 0xAE, 0x05), HELPER_NEXT);
    state->cr4 |= CR4_OSFXSR;
    fixture.cpu->features[0] &= ~FEATURE_BIT(FEATURE_SSE2);
    ck_assert_int_eq(run(0, 0x58, 0xC0), HELPER_NEXT);
    expect_exception(run(0x66, 0x58, 0xC0), EXCEPTION_UD);
    fixture.cpu->features[0] &= ~FEATURE_BIT(FEATURE_MMX);
    expect_exception(run(0, 0xFC, 0xC0), EXCEPTION_UD);
}
END_TEST

/* MMX registers are the significands of the x87 registers; every MMX instruction but EMMS makes all
 * of them valid. */
START_TEST(test_mmx_and_x87) {
    uint8_t *operand = fixture_operand(&fixture);
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_NEXT); /* FLD1: register 7 */
    ck_assert_uint_eq(fpu_get_mmx(fpu(), 7), UINT64_C(1) << 63);
    store_le64(operand, UINT64_C(0x0102030405060708));
    ck_assert_int_eq(run(0, 0x6F, 0x1D), HELPER_NEXT); /* MOVQ mm3, m64 */
    ck_assert_uint_eq(fpu()->st[3].significand, UINT64_C(0x0102030405060708));
    ck_assert_uint_eq(fpu()->st[3].sign_exponent, 0xFFFF);
    ck_assert_uint_eq(fpu()->tags, 0x1595); /* by contents: see x87_settle_tags() */
    ck_assert_uint_eq(fpu()->status & 0x3800, 0);
    fpu()->status |= 0x3800;
    ck_assert_int_eq(run(0, 0x77, 0), HELPER_NEXT); /* EMMS */
    ck_assert_uint_eq(fpu()->tags, 0xFFFF);
    ck_assert_uint_eq(fpu()->status & 0x3800, 0);
    /* CVTPI2PS leaves MMX alone when its operand is in memory. */
    ck_assert_int_eq(run(0, 0x2A, 0x05), HELPER_NEXT);
    ck_assert_uint_eq(fpu()->tags, 0xFFFF);
    ck_assert_int_eq(run(0, 0x2A, 0xC3), HELPER_NEXT);
    ck_assert_uint_eq(fpu()->tags, 0x1595); /* by contents: see x87_settle_tags() */
}
END_TEST

/* CVTPI2PS and CVTPI2PD from memory leave the x87 alone, from a register they do not; what hosts do
 * with the former differs, so none does it. */
START_TEST(test_conversion_from_memory) {
    static const uint8_t prefixes[2] = {0, 0x66};
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(fixture_x87(&fixture, 0xDB, 0xE3), HELPER_NEXT); /* FNINIT */
        ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_NEXT); /* FLD1 */
        ck_assert_int_eq(run(prefixes[i], 0x2A, 0x05), HELPER_NEXT);
        ck_assert_uint_eq(fpu()->tags, 0x3FFF);
        ck_assert_int_eq(run(prefixes[i], 0x2A, 0xC0), HELPER_NEXT);
        ck_assert_uint_ne(fpu()->tags & 3, 3);
        ck_assert_uint_eq(fpu()->status & 0x3800, 0);
    }
    ck_assert(!vector_find_shape(1u << 24 | 0x2A05).by_host);
    ck_assert(vector_find_shape(1u << 24 | 0x2AC0).by_host);
    ck_assert(vector_find_shape(1u << 24 | 0x66u << 16 | 0x2A05).by_host);
}
END_TEST

/* A pending x87 exception stops MMX, not SSE. */
START_TEST(test_pending_x87_exception) {
    fpu()->status = 0x8081;
    fpu()->control = 0x37E;
    expect_exception(run(0, 0xFC, 0xC0), EXCEPTION_MF);
    expect_exception(run(0, 0x77, 0), EXCEPTION_MF);
    expect_exception(run(0xF3, 0xD6, 0xC0), EXCEPTION_MF); /* MOVQ2DQ */
    ck_assert_int_eq(run(0x66, 0xFC, 0xC0), HELPER_NEXT);
    ck_assert_int_eq(run(0, 0xAE, 0x05), HELPER_NEXT); /* FXSAVE */
}
END_TEST

START_TEST(test_alignment) {
    expect_exception(run_at(0, 0x28, 0x05, 8), EXCEPTION_GP); /* MOVAPS */
    ck_assert_uint_eq(fixture.cpu->exception.error_code, 0);
    expect_exception(run_at(0, 0x29, 0x05, 1), EXCEPTION_GP);
    expect_exception(run_at(0x66, 0xFC, 0x05, 4), EXCEPTION_GP); /* PADDB */
    expect_exception(run_at(0, 0xAE, 0x05, 8), EXCEPTION_GP);    /* FXSAVE */
    expect_exception(run_at(0, 0xAE, 0x0D, 8), EXCEPTION_GP);    /* FXRSTOR */
    ck_assert_int_eq(run_at(0, 0x10, 0x05, 3), HELPER_NEXT);     /* MOVUPS */
    ck_assert_int_eq(run_at(0x66, 0x6E, 0x05, 1), HELPER_NEXT);  /* MOVD */
    ck_assert_int_eq(run_at(0xF2, 0x58, 0x05, 4), HELPER_NEXT);  /* ADDSD */
}
END_TEST

/* With alignment checks: the manuals leave some of it open, which is as an AMD host does it. */
START_TEST(test_alignment_checks) {
    static const struct {
        uint8_t prefix, opcode, modrm, alignment;
        uint8_t fault_past_it; /* of addresses that are no multiple of 16, but of the alignment */
    } cases[] = {
        {0, 0x10, 0x05, 16, 0},              /* MOVUPS */
        {0x66, 0x7F, 0x05, 1, EXCEPTION_GP}, /* MOVDQA */
        {0xF3, 0x7F, 0x05, 16, 0},           /* MOVDQU */
        {0, 0x28, 0x05, 1, EXCEPTION_GP},    /* MOVAPS */
        {0xF3, 0x10, 0x05, 4, 0},            /* MOVSS */
        {0, 0x6F, 0x05, 8, 0},               /* MOVQ */
        {0x66, 0xF7, 0xC1, 8, 0},            /* MASKMOVDQU */
        {0, 0xAE, 0x05, 4, EXCEPTION_GP},    /* FXSAVE */
        {0, 0xAE, 0x0D, 4, EXCEPTION_GP},    /* FXRSTOR */
    };
    CpuState *state = &fixture.cpu->state;
    state->cr0 |= CR0_AM;
    state->eflags |= FLAG_AC;
    state->cpl = 3;
    memset(fixture_operand(&fixture), 0, 1024);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned offset = 0; offset < 16; offset++) {
            HelperResult result = run_at(cases[i].prefix, cases[i].opcode, cases[i].modrm, offset);
            if (offset % cases[i].alignment != 0)
                expect_exception(result, EXCEPTION_AC);
            else if (offset != 0 && cases[i].fault_past_it)
                expect_exception(result, cases[i].fault_past_it);
            else
                ck_assert_int_eq(result, HELPER_NEXT);
        }
    }
}
END_TEST

/* Nothing but MXCSR's flags changes. */
START_TEST(test_unmasked_exception) {
    enum {
        ONE = 0x3F800000,
        TWO = 0x40000000,
        DENORMAL = 1,
        LARGEST = 0x7F7FFFFF,
        QNAN = 0x7FC00000
    };
    set_xmm_32(0, ONE, ONE, ONE, LARGEST);
    set_xmm_32(1, 0, TWO, QNAN, LARGEST);
    FpuState before = *fpu();
    fpu()->mxcsr = 0x1F80 & ~(4u << 7); /* divide by zero */
    expect_exception(run(0, 0x5E, 0xC1), EXCEPTION_XM);
    ck_assert_uint_eq(fpu()->mxcsr & 0x3F, 4);
    ck_assert_mem_eq(before.xmm, fpu()->xmm, sizeof before.xmm);
    /* Twice the largest number would be exact with one more exponent bit. */
    fpu()->mxcsr = 0x1F80 & ~(8u << 7);
    set_xmm_32(1, ONE, ONE, ONE, LARGEST);
    before = *fpu();
    expect_exception(run(0, 0x58, 0xC1), EXCEPTION_XM);
    ck_assert_uint_eq(fpu()->mxcsr & 0x3F, 8);
    ck_assert_mem_eq(before.xmm, fpu()->xmm, sizeof before.xmm);
    /* An unmasked denormal hides the overflow of another lane. */
    fpu()->mxcsr = 0x1F80 & ~(2u << 7);
    set_xmm_32(1, DENORMAL, ONE, ONE, LARGEST);
    expect_exception(run(0, 0x58, 0xC1), EXCEPTION_XM);
    ck_assert_uint_eq(fpu()->mxcsr & 0x3F, 2);
    fixture.cpu->state.cr4 &= ~CR4_OSXMMEXCPT;
    expect_exception(run(0, 0x58, 0xC1), EXCEPTION_UD);
    /* COMISS keeps EFLAGS; conversions to MMX enter its state and write no register. */
    fixture.cpu->state.cr4 |= CR4_OSXMMEXCPT;
    fpu()->mxcsr = 0x1F80 & ~(1u << 7);
    set_xmm_32(1, QNAN, QNAN, 0, 0);
    cpu_set_status_flags(fixture.cpu, FLAG_STATUS);
    before = *fpu();
    expect_exception(run(0, 0x2F, 0xC1), EXCEPTION_XM);
    ck_assert_uint_eq(cpu_get_status_flags(fixture.cpu), FLAG_STATUS);
    expect_exception(run(0, 0x2D, 0xC1), EXCEPTION_XM);
    before.mxcsr |= 1;
    before.tags = fpu()->tags;
    before.status &= (uint16_t) ~(7u << 11);
    ck_assert_mem_eq(&before, fpu(), sizeof before);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_ne(fpu()->tags >> 2 * i & 3, 3);
}
END_TEST

START_TEST(test_mxcsr) {
    uint8_t *operand = fixture_operand(&fixture);
    store_le32(operand, 0xFFFF);
    ck_assert_int_eq(run(0, 0xAE, 0x15), HELPER_NEXT);
    ck_assert_uint_eq(fpu()->mxcsr, 0xFFFF);
    store_le32(operand, 0x10000);
    expect_exception(run(0, 0xAE, 0x15), EXCEPTION_GP);
    ck_assert_uint_eq(fpu()->mxcsr, 0xFFFF);
    ck_assert_int_eq(run(0, 0xAE, 0x1D), HELPER_NEXT);
    ck_assert_uint_eq(load_le32(operand), 0xFFFF);
    fixture.cpu->features[0] &= ~FEATURE_BIT(FEATURE_SSE2); /* DAZ came with SSE2 */
    store_le32(operand, 0x40);
    expect_exception(run(0, 0xAE, 0x15), EXCEPTION_GP);
}
END_TEST

/* SDM vol. 1 table 10-2. */
START_TEST(test_fxsave) {
    uint8_t *operand = fixture_operand(&fixture);
    memset(operand, 0xEE, 512);
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_NEXT); /* 1, then pi */
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xEB), HELPER_NEXT);
    fpu()->ip = 0x12345678;
    fpu()->dp = 0x9ABCDEF0;
    fpu()->cs = 0x1B;
    fpu()->ds = 0x23;
    fpu()->opcode = 0x5AB;
    fpu()->mxcsr = 0x3F85;
    for (unsigned i = 0; i < 8; i++)
        set_xmm_32(i, i, i << 8, i << 16, 0xA0000000 + i);
    FpuState before = *fpu();
    ck_assert_int_eq(run(0, 0xAE, 0x05), HELPER_NEXT);
    ck_assert_mem_eq(&before, fpu(), sizeof before);
    ck_assert_uint_eq(load_le16(operand), 0x37F);
    ck_assert_uint_eq(load_le16(operand + 2), 0x3000);
    ck_assert_uint_eq(operand[4], 0xC0); /* registers 6 and 7 */
    ck_assert_uint_eq(load_le16(operand + 6), 0x5AB);
    ck_assert_uint_eq(load_le32(operand + 8), 0x12345678);
    ck_assert_uint_eq(load_le16(operand + 12), 0x1B);
    ck_assert_uint_eq(load_le32(operand + 16), 0x9ABCDEF0);
    ck_assert_uint_eq(load_le16(operand + 20), 0x23);
    ck_assert_uint_eq(load_le32(operand + 24), 0x3F85);
    ck_assert_uint_eq(load_le32(operand + 28), 0xFFFF);
    ck_assert_uint_eq(load_le64(operand + 32), UINT64_C(0xC90FDAA22168C235)); /* ST(0) */
    ck_assert_uint_eq(load_le16(operand + 40), 0x4000);
    ck_assert_mem_eq(operand + 160, before.xmm, 128);
    ck_assert_uint_eq(operand[464], 0xEE); /* software's own */
    ck_assert_int_eq(fixture_x87(&fixture, 0xDB, 0xE3), HELPER_NEXT);
    memset(fpu()->xmm, 0, sizeof fpu()->xmm);
    fpu()->mxcsr = 0x1F80;
    ck_assert_int_eq(run(0, 0xAE, 0x0D), HELPER_NEXT);
    ck_assert_mem_eq(&before, fpu(), sizeof before);
    store_le32(operand + 24, 0x80000000);
    fpu()->control = 0x27F;
    expect_exception(run(0, 0xAE, 0x0D), EXCEPTION_GP);
    ck_assert_uint_eq(fpu()->control, 0x27F);
}
END_TEST

/* FXRSTOR of an exception that is unmasked: it is pending. */
START_TEST(test_fxrstor_pends) {
    uint8_t *operand = fixture_operand(&fixture);
    ck_assert_int_eq(run(0, 0xAE, 0x05), HELPER_NEXT);
    store_le16(operand, 0x37B);
    store_le16(operand + 2, 0x0004);
    ck_assert_int_eq(run(0, 0xAE, 0x0D), HELPER_NEXT);
    ck_assert_uint_eq(fpu()->status, 0x8084);
    ck_assert_int_eq(fixture_x87(&fixture, 0xD9, 0xE8), HELPER_FAULT);
}
END_TEST

START_TEST(test_masked_store) {
    uint8_t *operand = fixture_operand(&fixture);
    memset(operand, 0x11, 32);
    for (unsigned i = 0; i < 16; i++) {
        fpu()->xmm[0][i] = (uint8_t)(0xA0 + i);
        fpu()->xmm[1][i] = i % 3 == 0 ? 0x80 : 0x7F;
    }
    ck_assert_int_eq(run_at(0x66, 0xF7, 0xC1, 5), HELPER_NEXT); /* any alignment */
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(operand[5 + i], i % 3 == 0 ? 0xA0 + i : 0x11);
    /* Past the limit of the segment: nothing is stored. Bytes that are masked off count, too. */
    fixture.cpu->state.segment[SEG_DS].limit = OPERAND_ADDRESS + 11;
    segment_classify(&fixture.cpu->state.segment[SEG_DS]);
    memset(operand, 0x11, 32);
    memset(fpu()->xmm[1] + 12, 0, 4);
    expect_exception(run(0x66, 0xF7, 0xC1), EXCEPTION_GP);
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(operand[i], 0x11);
    fixture.cpu->state.segment[SEG_DS].limit = OPERAND_ADDRESS + 15;
    segment_classify(&fixture.cpu->state.segment[SEG_DS]);
    ck_assert_int_eq(run(0x66, 0xF7, 0xC1), HELPER_NEXT);
    ck_assert_uint_eq(operand[9], 0xA9);
}
END_TEST

static float get_float(unsigned index, unsigned lane) {
    uint32_t bits = load_le32(fpu()->xmm[index] + 4 * lane);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* The manual's bound for the approximations, and their special cases. */
START_TEST(test_approximations) {
    uint64_t seed = 1;
    double bound = 1.5 / 4096;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t bits =
            (0x3F + random_below(&seed, 0x80)) << 23 | (uint32_t)(random_u64(&seed) & 0x7FFFFF);
        float value;
        memcpy(&value, &bits, 4);
        set_xmm_32(1, bits, bits | 0x80000000, bits, bits);
        ck_assert_int_eq(run(0, 0x53, 0xC1), HELPER_NEXT); /* RCPPS */
        double product = (double)get_float(0, 0) * value,
               negative = (double)get_float(0, 1) * value;
        ck_assert(product > 1 - bound && product < 1 + bound && negative == -product);
        ck_assert_int_eq(run(0, 0x52, 0xC1), HELPER_NEXT); /* RSQRTPS */
        double square = (double)get_float(0, 0) * get_float(0, 0) * value;
        ck_assert(square > (1 - bound) * (1 - bound) && square < (1 + bound) * (1 + bound));
        ck_assert_uint_eq(load_le32(fpu()->xmm[0] + 4), 0xFFC00000);
    }
    set_xmm_32(1, 0, 0x80000001, 0x7F800000, 0x7F800001);
    ck_assert_int_eq(run(0, 0x53, 0xC1), HELPER_NEXT);
    static const uint32_t reciprocals[4] = {0x7F800000, 0xFF800000, 0, 0x7FC00001};
    ck_assert_int_eq(run(0, 0x52, 0xC9), HELPER_NEXT);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(load_le32(fpu()->xmm[0] + 4 * i), reciprocals[i]);
        ck_assert_uint_eq(load_le32(fpu()->xmm[1] + 4 * i), reciprocals[i]);
    }
    set_xmm_32(1, 0x7F7FFFFF, 0xFF7FFFFF, 0x3F800000, 0xBF800000);
    ck_assert_int_eq(run(0, 0x53, 0xC1), HELPER_NEXT);
    ck_assert_uint_eq(load_le32(fpu()->xmm[0]), 0);
    ck_assert_uint_eq(load_le32(fpu()->xmm[0] + 4), 0x80000000);
    ck_assert_uint_eq(load_le32(fpu()->xmm[0] + 8), 0x3F800000);
    ck_assert_uint_eq(fpu()->mxcsr, 0x1F80); /* no exception is raised */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("vector");
    TCase *processor = tcase_create("processor");
    tcase_add_checked_fixture(processor, set_up, tear_down);
    tcase_add_test(processor, test_availability);
    tcase_add_test(processor, test_mmx_and_x87);
    tcase_add_test(processor, test_conversion_from_memory);
    tcase_add_test(processor, test_pending_x87_exception);
    tcase_add_test(processor, test_alignment);
    tcase_add_test(processor, test_alignment_checks);
    tcase_add_test(processor, test_unmasked_exception);
    tcase_add_test(processor, test_mxcsr);
    tcase_add_test(processor, test_fxsave);
    tcase_add_test(processor, test_fxrstor_pends);
    tcase_add_test(processor, test_masked_store);
    tcase_add_test(processor, test_approximations);
    suite_add_tcase(suite, processor);
    return suite_run(suite);
}

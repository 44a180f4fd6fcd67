/* The processor as a device: reset values, the field table, save and restore, EFLAGS, CPUID of
 * every model, MSRs. */
#include "cpu_fixture.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

START_TEST(every_byte_has_a_field) {
    ck_assert_int_eq(field_table_find_gap(&cpu_fields), -1);
}
END_TEST

START_TEST(reset_values) {
    CpuFixture *fixture = fixture_create("pentium3");
    CpuState *state = &fixture->cpu->state;
    ck_assert_uint_eq(state->eip, 0xFFF0);
    ck_assert_uint_eq(state->segment[SEG_CS].base, 0xFFFF0000);
    ck_assert_uint_eq(state->segment[SEG_CS].selector, 0xF000);
    ck_assert_uint_eq(state->cr0, 0x60000010);
    ck_assert_uint_eq(cpu_get_eflags(fixture->cpu), 2);
    ck_assert_uint_eq(state->gpr[REG_EDX], 0x686);
    ck_assert_uint_eq(state->idtr.limit, 0xFFFF);
    ck_assert_uint_eq(state->dr[6], 0xFFFF0FF0);
    ck_assert_uint_eq(state->dr[7], 0x400);
    ck_assert_uint_eq(state->fpu.tags, 0x5555);
    /* INIT keeps the FPU and the MTRRs. */
    state->fpu.control = 0x37F;
    state->mtrr_def_type = 0x806;
    state->gpr[REG_EAX] = 1;
    cpu_reset(fixture->cpu, true);
    ck_assert_uint_eq(state->fpu.control, 0x37F);
    ck_assert_uint_eq(state->mtrr_def_type, 0x806);
    ck_assert_uint_eq(state->gpr[REG_EAX], 0);
    cpu_reset(fixture->cpu, false);
    ck_assert_uint_eq(state->mtrr_def_type, 0);
    fixture_destroy(fixture);
}
END_TEST

START_TEST(save_and_restore) {
    CpuFixture *fixture = fixture_create("pentium3");
    fixture_enter_protected(fixture, 3);
    fixture_enable_paging(fixture);
    fixture->cpu->state.gpr[REG_ESI] = 0x12345678;
    fixture->cpu->state.fpu.xmm[7][15] = 9;
    fixture_save(fixture);
    ByteBuffer buffer = {0};
    field_table_save(cpu_class.fields, &fixture->cpu->state, &buffer);
    cpu_class.reset(fixture->cpu);
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    Error error = {0};
    ck_assert(field_table_load(cpu_class.fields, &fixture->cpu->state, &reader, &error));
    cpu_class.restored(fixture->cpu);
    fixture_expect_unchanged(fixture);
    fixture_set_page(fixture, DATA, 0); /* the TLB walks again */
    uint64_t value;
    ck_assert(!cpu_read(fixture->cpu, SEG_DS, DATA, 1, &value));
    byte_buffer_free(&buffer);
    fixture_destroy(fixture);
}
END_TEST

/* How software tells the generations apart. */
START_TEST(eflags_of_the_generations) {
    static const struct {
        const char *model;
        uint32_t kept;
    } rows[] = {{"386", 0},
                {"486", FLAG_AC | FLAG_ID},
                {"pentium", FLAG_AC | FLAG_ID | FLAG_VIF | FLAG_VIP}};
    for (unsigned i = 0; i < 3; i++) {
        CpuFixture *fixture = fixture_create(rows[i].model);
        cpu_set_eflags(fixture->cpu, 0xFFFFFFFF);
        uint32_t upper = FLAG_AC | FLAG_ID | FLAG_VIF | FLAG_VIP;
        ck_assert_uint_eq(cpu_get_eflags(fixture->cpu) & upper, rows[i].kept);
        ck_assert_uint_eq(cpu_get_eflags(fixture->cpu) & 0xFFFF, 0x7FD7);
        ck_assert_int_eq(fixture->cpu->state.direction, -1);
        cpu_set_eflags(fixture->cpu, 0);
        ck_assert_uint_eq(cpu_get_eflags(fixture->cpu), 2);
        fixture_destroy(fixture);
    }
}
END_TEST

static void run_cpuid(CpuFixture *fixture, uint32_t leaf) {
    fixture->cpu->state.gpr[REG_EAX] = leaf;
    fixture->cpu->state.gpr[REG_ECX] = 0;
    ck_assert_int_eq(fixture_call(fixture, helper_cpuid, 0, 0, 0, 0), HELPER_NEXT);
}

/* The fixture's processors have no local APIC beside them, and so do not report one. */
START_TEST(cpuid_of_every_model) {
    static const struct {
        const char *model;
        uint32_t max_leaf, signature, edx, ecx;
    } rows[] = {
        {"486", 1, 0x435, 0x00000001, 0},
        {"pentium", 1, 0x52C, 0x000001BF, 0},
        {"pentium-mmx", 1, 0x543, 0x008001BF, 0},
        {"pentium2", 2, 0x652, 0x0183F9FF, 0},
        {"pentium3", 2, 0x686, 0x0383F9FF, 0},
        {"pentium4", 2, 0xF24, 0x0F8BF9FF, 0},
        {"qemu32", 4, 0x663, 0x0781A9FD, 0x80000001},
        {"max", 0xB, 0x6A5, 0x0F8BF9FF, 0xC3F8020B},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CpuFixture *fixture = fixture_create(rows[i].model);
        run_cpuid(fixture, 0);
        ck_assert_uint_eq(GPR(fixture, REG_EAX), rows[i].max_leaf);
        ck_assert_uint_eq(GPR(fixture, REG_EBX), 0x756E6547); /* Genu */
        ck_assert_uint_eq(GPR(fixture, REG_EDX), 0x49656E69); /* ineI */
        ck_assert_uint_eq(GPR(fixture, REG_ECX), 0x6C65746E); /* ntel */
        run_cpuid(fixture, 1);
        ck_assert_uint_eq(GPR(fixture, REG_EAX), rows[i].signature);
        ck_assert_msg(GPR(fixture, REG_EDX) == rows[i].edx, "%s: EDX %08x", rows[i].model,
                      GPR(fixture, REG_EDX));
        ck_assert_msg(GPR(fixture, REG_ECX) == rows[i].ecx, "%s: ECX %08x", rows[i].model,
                      GPR(fixture, REG_ECX));
        fixture_destroy(fixture);
    }
}
END_TEST

/* AMD repeats leaf 1, and has features of its own. */
START_TEST(cpuid_of_an_athlon) {
    CpuFixture *fixture = fixture_create("athlon");
    run_cpuid(fixture, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 1);
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0x68747541); /* Auth */
    run_cpuid(fixture, 1);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0x642);
    ck_assert_uint_eq(GPR(fixture, REG_EDX), 0x0183F9FF);
    run_cpuid(fixture, 0x80000000);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0x80000008);
    ck_assert_uint_eq(GPR(fixture, REG_EBX), 0x68747541);
    run_cpuid(fixture, 0x80000001);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0x642);
    ck_assert_uint_eq(GPR(fixture, REG_EDX), 0xC1C3F9FF);
    run_cpuid(fixture, 0x80000006);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 0x01008140);
    fixture_destroy(fixture);
}
END_TEST

START_TEST(cpuid_brand_and_limits) {
    CpuFixture *fixture = fixture_create("pentium4");
    char brand[48];
    for (uint32_t i = 0; i < 3; i++) {
        static const uint8_t order[4] = {REG_EAX, REG_EBX, REG_ECX, REG_EDX};
        run_cpuid(fixture, 0x80000002 + i);
        for (unsigned j = 0; j < 4; j++) {
            uint32_t word = GPR(fixture, order[j]);
            for (unsigned k = 0; k < 4; k++)
                brand[16 * i + 4 * j + k] = (char)(word >> 8 * k);
        }
    }
    ck_assert_str_eq(brand, "Intel(R) Pentium(R) 4 CPU 1.00GHz");
    run_cpuid(fixture, 2);
    uint32_t eax = GPR(fixture, REG_EAX);
    run_cpuid(fixture, 0x12345678); /* beyond both: the highest basic leaf */
    ck_assert_uint_eq(GPR(fixture, REG_EAX), eax);
    fixture_destroy(fixture);
}
END_TEST

static bool read_fake_msr(void *opaque, uint32_t index, uint64_t *value) {
    *value = *(uint64_t *)opaque + index;
    return true;
}

static bool write_fake_msr(void *opaque, uint32_t index, uint64_t value) {
    if (index != 0 || value > 0xFFFF0000)
        return false;
    *(uint64_t *)opaque = value;
    return true;
}

/* IA32_APIC_BASE belongs to the local APIC; without an enabled one the feature is not reported. */
START_TEST(chips_beside_the_core_claim_msrs) {
    CpuFixture *fixture = fixture_create("pentium4");
    uint64_t base = 0xFEE00900;
    MsrRange range = {"fake", 0x1B, 1, read_fake_msr, write_fake_msr, &base};
    run_cpuid(fixture, 1);
    ck_assert_uint_eq(GPR(fixture, REG_EDX) >> 9 & 1, 0);
    uint64_t *gpr = fixture->cpu->state.gpr;
    gpr[REG_ECX] = 0x1B;
    ck_assert_int_eq(helper_rdmsr(fixture->cpu, 0, 0, 0, 0), HELPER_FAULT);
    fixture->cpu->exception.vector = EXCEPTION_NONE;
    ck_assert(msr_map_add(&fixture->cpu->msrs, &range, NULL));
    ck_assert(!msr_map_add(&fixture->cpu->msrs, &range, NULL)); /* taken */
    run_cpuid(fixture, 1);
    ck_assert_uint_eq(GPR(fixture, REG_EDX) >> 9 & 1, 1);
    gpr[REG_ECX] = 0x1B;
    ck_assert_int_eq(helper_rdmsr(fixture->cpu, 0, 0, 0, 0), HELPER_NEXT);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 0xFEE00900);
    gpr[REG_EAX] = 0xFEE00000;
    ck_assert_int_eq(helper_wrmsr(fixture->cpu, 0, 0, 0, 0), HELPER_JUMP);
    ck_assert_uint_eq(base, 0xFEE00000);
    gpr[REG_EDX] = 1; /* which the chip refuses */
    ck_assert_int_eq(helper_wrmsr(fixture->cpu, 0, 0, 0, 0), HELPER_FAULT);
    fixture->cpu->exception.vector = EXCEPTION_NONE;
    run_cpuid(fixture, 1);
    ck_assert_uint_eq(GPR(fixture, REG_EDX) >> 9 & 1, 0);
    fixture_destroy(fixture);
}
END_TEST

START_TEST(model_texts) {
    static const struct {
        const char *text, *name;
        uint64_t with, without;
    } rows[] = {
        {"pentium3,+sse2,-mmx,sse4-1,cx8=off", "pentium3",
         FEATURE_BIT(FEATURE_SSE2) | FEATURE_BIT(FEATURE_SSE41) | FEATURE_BIT(FEATURE_MMX_INTEGER),
         FEATURE_BIT(FEATURE_MMX) | FEATURE_BIT(FEATURE_CX8)},
        {"pentium3,-sse", "pentium3", 0,
         FEATURE_BIT(FEATURE_SSE) | FEATURE_BIT(FEATURE_MMX_INTEGER)},
        {"486-v1,+pni", "486", FEATURE_BIT(FEATURE_SSE3), 0},
        {"qemu32-v1,+sse4_2,+ssse3,pclmuldq=yes", "qemu32",
         FEATURE_BIT(FEATURE_SSE42) | FEATURE_BIT(FEATURE_SSSE3) | FEATURE_BIT(FEATURE_PCLMUL), 0},
        {"max,-lm,-cx16,bmi1=off,enforce,check=false,migratable=no,kvm=off,hv_relaxed,"
         "hv-spinlocks=0x1fff,-xsave,-avx512f,host-phys-bits=on,pmu=off",
         "max", FEATURE_BIT(FEATURE_SSE42), FEATURE_BIT(FEATURE_BMI1)},
        {"max,hypervisor=off,-abm", "max", 0,
         FEATURE_BIT(FEATURE_HYPERVISOR) | FEATURE_BIT(FEATURE_LZCNT)},
        {"max,-sse3,+sse3", "max", 0, FEATURE_BIT(FEATURE_SSE3)}, /* "-" comes last, as in QEMU */
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CpuModel model;
        Error error = {0};
        ck_assert_msg(cpu_model_parse(rows[i].text, &model, &error), "%s", error.message);
        ck_assert_str_eq(model.name, rows[i].name);
        ck_assert_msg((model.features & rows[i].with) == rows[i].with &&
                          (model.features & rows[i].without) == 0,
                      "%s: features %llx", rows[i].text, (unsigned long long)model.features);
    }
    ck_assert_ptr_null(cpu_model_find("z80"));
}
END_TEST

START_TEST(model_properties) {
    CpuModel model;
    Error error = {0};
    ck_assert(cpu_model_parse("pentium,family=6,model=0x1A,stepping=5,vendor=AuthenticAMD,"
                              "model-id=My own processor,tsc-frequency=2500000000,level=0xb,"
                              "phys-bits=32,tcg-cpuid=off",
                              &model, &error));
    ck_assert_uint_eq(model.signature, 0x106A5);
    ck_assert_str_eq(model.vendor, "AuthenticAMD");
    ck_assert_str_eq(model.brand, "My own processor");
    ck_assert_uint_eq(model.max_extended_leaf, 0x80000004);
    ck_assert_uint_eq(model.tsc_hz, 2500000000);
    ck_assert_uint_eq(model.max_leaf, 11);
    ck_assert(model.hides_hypervisor);
    ck_assert(cpu_model_parse("max,family=17,model=2,tsc-freq=2G,min-level=1,xlevel=0x80000001",
                              &model, &error));
    ck_assert_uint_eq(model.signature, 0x00200F25);
    ck_assert_uint_eq(model.tsc_hz, 2000000000);
    ck_assert_uint_eq(model.max_leaf, cpu_model_find("max")->max_leaf);
    ck_assert_uint_eq(model.max_extended_leaf, 0x80000001);
    /* CPUID reaches what was added. */
    ck_assert(cpu_model_parse("pentium3,+nx,+smep", &model, &error));
    ck_assert_uint_eq(model.max_leaf, 7);
    ck_assert_uint_eq(model.max_extended_leaf, 0x80000001);
    ck_assert(cpu_model_parse("pentium3,+sse2", &model, &error));
    ck_assert_uint_eq(model.max_leaf, 2);
    ck_assert_uint_eq(model.max_extended_leaf, 0);
    ck_assert(cpu_model_parse("pentium3,+smep,level=1", &model, &error));
    ck_assert_uint_eq(model.max_leaf, 1);
}
END_TEST

START_TEST(wrong_model_texts) {
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"pentium33", "'pentium33'; known: 386 486"},
        {"host", "'max' has every feature"},
        {"486,+nonsense", "'nonsense'"},
        {"486,fpu=maybe", "'maybe'"},
        {"486,", "''"},
        {"max,+avx2", "'avx2' is not in this version"},
        {"max,bmi1", "'bmi1' is not in this version"},
        {"max,+sha-ni", "'sha-ni' is not in this version"},
        {"max,family=600", "'600'"},
        {"max,stepping=-1", "'-1'"},
        {"max,model=", "''"},
        {"max,tsc-frequency=9G", "'9G'"},
        {"max,vendor=Me", "'Me'"},
        {"pentium,phys-bits=36", "this model has 32"},
        {"max,model-id=123456789012345678901234567890123456789012345678901234567890", "48"},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CpuModel model;
        Error error = {0};
        ck_assert_msg(!cpu_model_parse(rows[i].text, &model, &error), "%s", rows[i].text);
        ck_assert_msg(strstr(error.message, rows[i].message) != NULL, "%s: %s", rows[i].text,
                      error.message);
        ck_assert_ptr_null(strchr(error.message, '\n'));
    }
}
END_TEST

static HelperResult wrmsr(CpuFixture *fixture, uint32_t number, uint64_t value) {
    fixture->cpu->state.gpr[REG_ECX] = number;
    fixture->cpu->state.gpr[REG_EAX] = (uint32_t)value;
    fixture->cpu->state.gpr[REG_EDX] = value >> 32;
    return fixture_call(fixture, helper_wrmsr, 0, 0, 0, 0);
}

static uint64_t rdmsr(CpuFixture *fixture, uint32_t number) {
    fixture->cpu->state.gpr[REG_ECX] = number;
    ck_assert_int_eq(fixture_call(fixture, helper_rdmsr, 0, 0, 0, 0), HELPER_NEXT);
    return fixture->cpu->state.gpr[REG_EAX] | fixture->cpu->state.gpr[REG_EDX] << 32;
}

START_TEST(msrs) {
    CpuFixture *fixture = fixture_create("max");
    ck_assert_int_eq(wrmsr(fixture, 0x174, 0x10), HELPER_JUMP);
    ck_assert_uint_eq(rdmsr(fixture, 0x174), 0x10);
    ck_assert_int_eq(wrmsr(fixture, 0x200, 0x80000006), HELPER_JUMP);
    ck_assert_int_eq(wrmsr(fixture, 0x201, 0xF80000800), HELPER_JUMP);
    ck_assert_uint_eq(rdmsr(fixture, 0x201), 0xF80000800);
    ck_assert_uint_eq(fixture->cpu->state.mtrr_base[0], 0x80000006);
    ck_assert_int_eq(wrmsr(fixture, 0x200, 2), HELPER_FAULT); /* no such memory type */
    ck_assert_int_eq(wrmsr(fixture, 0x277, 0x0202020202020202), HELPER_FAULT);
    ck_assert_int_eq(wrmsr(fixture, 0x26F, 0x0606060606060606), HELPER_JUMP);
    ck_assert_uint_eq(fixture->cpu->state.mtrr_fixed[10], 0x0606060606060606);
    ck_assert_int_eq(wrmsr(fixture, 0xFE, 0), HELPER_FAULT);
    ck_assert_int_eq(wrmsr(fixture, 0x12345, 0), HELPER_FAULT);
    ck_assert_uint_eq(fixture->cpu->exception.vector, EXCEPTION_GP);
    ck_assert_int_eq(wrmsr(fixture, 0xC0000080, 1 << 11), HELPER_JUMP);
    ck_assert_int_eq(wrmsr(fixture, 0xC0000080, 1 << 8), HELPER_FAULT);
    ck_assert_int_eq(wrmsr(fixture, 0x8B, 0), HELPER_JUMP);
    ck_assert_uint_eq(rdmsr(fixture, 0x8B), UINT64_C(1) << 32);
    fixture_enter_protected(fixture, 3);
    ck_assert_int_eq(wrmsr(fixture, 0x174, 0x10), HELPER_FAULT);
    fixture_destroy(fixture);
}
END_TEST

START_TEST(time_stamp_counter) {
    CpuFixture *fixture = fixture_create("pentium");
    ck_assert_uint_eq(cpu_read_tsc(fixture->cpu), 0);
    fixture->clock.stopped_ns = 5000;
    ck_assert_uint_eq(cpu_read_tsc(fixture->cpu), 5000); /* 1 GHz */
    wrmsr(fixture, 0x10, 100);
    fixture->clock.stopped_ns = 5007;
    fixture_call(fixture, helper_rdtsc, 0, 0, 0, 0);
    ck_assert_uint_eq(GPR(fixture, REG_EAX), 107);
    fixture->cpu->state.tsc_aux = 0x1234;
    fixture->cpu->state.gpr[REG_ECX] = 7;
    fixture_call(fixture, helper_rdtsc, 0, 0, 0, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 7);
    fixture_call(fixture, helper_rdtsc, 1, 0, 0, 0);
    ck_assert_uint_eq(GPR(fixture, REG_ECX), 0x1234);
    cpu_reset(fixture->cpu, false);
    ck_assert_uint_eq(cpu_read_tsc(fixture->cpu), 0);
    fixture_enter_protected(fixture, 3);
    ck_assert_int_eq(fixture_call(fixture, helper_rdtsc, 0, 0, 0, 0), HELPER_NEXT);
    fixture->cpu->state.cr4 = CR4_TSD;
    fixture_expect_fault(fixture, helper_rdtsc, 0, 0, 0, 0, EXCEPTION_GP, 0);
    fixture_destroy(fixture);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cpu");
    TCase *tests = tcase_create("cpu");
    tcase_add_test(tests, every_byte_has_a_field);
    tcase_add_test(tests, reset_values);
    tcase_add_test(tests, save_and_restore);
    tcase_add_test(tests, eflags_of_the_generations);
    tcase_add_test(tests, cpuid_of_every_model);
    tcase_add_test(tests, cpuid_of_an_athlon);
    tcase_add_test(tests, cpuid_brand_and_limits);
    tcase_add_test(tests, chips_beside_the_core_claim_msrs);
    tcase_add_test(tests, model_texts);
    tcase_add_test(tests, model_properties);
    tcase_add_test(tests, wrong_model_texts);
    tcase_add_test(tests, msrs);
    tcase_add_test(tests, time_stamp_counter);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Model-specific registers: which values each takes, what it refuses with #GP(0), and which
 * processors have it. SDM vol. 4 and vol. 3A 11.11. */
#include "cpu_fixture.h"
#include "msr.h"
#include "performance.h"
#include "suite_run.h"
#include <check.h>

static CpuFixture *fixture;

static void use(const char *model) {
    if (fixture != NULL)
        fixture_destroy(fixture);
    fixture = fixture_create(model);
}

static void set_up(void) {
    fixture = NULL;
    use("pentium4");
}

static void tear_down(void) {
    fixture_destroy(fixture);
    fixture = NULL;
}

static bool set(uint32_t number, uint64_t value) {
    fixture->cpu->state.gpr[REG_ECX] = number;
    fixture->cpu->state.gpr[REG_EAX] = (uint32_t)value;
    fixture->cpu->state.gpr[REG_EDX] = value >> 32;
    HelperResult result = fixture_call(fixture, helper_wrmsr, 0, 0, 0, 0);
    if (result == HELPER_FAULT)
        ck_assert_uint_eq(fixture->cpu->exception.vector, EXCEPTION_GP);
    return result == HELPER_JUMP;
}

static bool get(uint32_t number, uint64_t *value) {
    fixture->cpu->state.gpr[REG_ECX] = number;
    HelperResult result = fixture_call(fixture, helper_rdmsr, 0, 0, 0, 0);
    *value = fixture->cpu->state.gpr[REG_EAX] | fixture->cpu->state.gpr[REG_EDX] << 32;
    return result == HELPER_NEXT;
}

static uint64_t value_of(uint32_t number) {
    uint64_t value;
    ck_assert_msg(get(number, &value), "MSR %Xh cannot be read", number);
    return value;
}

static uint32_t cpuid(uint32_t leaf, unsigned reg) {
    fixture->cpu->state.gpr[REG_EAX] = leaf;
    fixture->cpu->state.gpr[REG_ECX] = 0;
    fixture_call(fixture, helper_cpuid, 0, 0, 0, 0);
    return (uint32_t)fixture->cpu->state.gpr[reg];
}

static const struct {
    uint32_t number;
    uint64_t value;
    bool good;
} writes[] = {
    {0x2FF, 0xC06, true},
    {0x2FF, 0xC02, false}, /* no such type */
    {0x2FF, 0xC07, false},
    {0x2FF, 0x106, false}, /* reserved */
    {0x200, 0x80000006, true},
    {0x200, 0x80000003, false},
    {0x200, 0x80000106, false},
    {0x200, UINT64_C(0x1080000006), false}, /* beyond 36 bits of address */
    {0x201, UINT64_C(0xF80000800), true},
    {0x201, UINT64_C(0xF80000400), false},
    {0x20F, UINT64_C(0xF80000800), true},
    {0x210, 0, false},
    {0x250, UINT64_C(0x0605040100060606), true},
    {0x250, UINT64_C(0x0605040200060606), false},
    {0x26F, 7, false},
    {0x251, 0, false},
    {0x277, UINT64_C(0x0007040600070406), true},
    {0x277, 3, false},
    {0x277, 8, false},
    {0xFE, 0, false},
    {0x17, 0, false},
    {0x179, 0, false},
    {0x174, 0x1234, true},
    {0x1A0, 1, true},
    {0x1A0, 1 << 13, false},
    {0x1A0, UINT64_C(1) << 34, false}, /* there is no NX to hide */
    {0xC0000080, 0, false},            /* nor EFER */
    {0x3B, 0, false},                  /* nor TSC_ADJUST */
    {0x38F, 0, false},
    {0xC1, 0, false}, /* the P6 family's counter */
    {0x17A, 7, true},
    {0x17A, 8, false},
    {0x17B, UINT64_MAX, true},
    {0x17B, 1, false},
    {0x400, UINT64_MAX, true},
    {0x400, 0, true},
    {0x400, UINT64_C(0xAAAAAAAAAAAAAAAA), false},
    {0x401, 0, true},
    {0x401, 1, false},
    {0x402, UINT64_MAX, true},
    {0x403, UINT64_C(0xAAAAAAAAAAAAAAAA), true},
    {0x40F, 1, true},
    {0x410, 0, false}, /* there are four banks */
    {0x12345678, 0, false},
};

START_TEST(writes_are_checked) {
    ck_assert_msg(set(writes[_i].number, writes[_i].value) == writes[_i].good, "%llX to %Xh",
                  (unsigned long long)writes[_i].value, writes[_i].number);
    if (writes[_i].good && writes[_i].number != 0x1A0)
        ck_assert_uint_eq(value_of(writes[_i].number), writes[_i].value);
}
END_TEST

START_TEST(reset_values) {
    ck_assert_uint_eq(value_of(0xFE), 0x508);
    ck_assert_uint_eq(value_of(0x2FF), 0);
    ck_assert_uint_eq(value_of(0x277), UINT64_C(0x0007040600070406));
    ck_assert_uint_eq(value_of(0x1A0), 0x1801);
    ck_assert_uint_eq(value_of(0x179), 0x104); /* four banks, and a control register */
    uint64_t value;
    ck_assert(!get(0x410, &value));
    set(0x8B, 0);
    ck_assert_uint_ne(value_of(0x8B) >> 32, 0);
}
END_TEST

/* INIT keeps them, RESET does not. */
START_TEST(init_keeps_mtrrs) {
    set(0x2FF, 0xC06);
    set(0x277, 0);
    cpu_reset(fixture->cpu, true);
    ck_assert_uint_eq(value_of(0x2FF), 0xC06);
    ck_assert_uint_eq(value_of(0x277), 0);
    cpu_reset(fixture->cpu, false);
    ck_assert_uint_eq(value_of(0x2FF), 0);
}
END_TEST

START_TEST(misc_enable_acts_on_cpuid) {
    use("max");
    ck_assert_uint_eq(cpuid(0, REG_EAX), 0xB);
    ck_assert_uint_ne(cpuid(0x80000001, REG_EDX) & 1 << 20, 0);
    ck_assert(set(0x1A0, MISC_ENABLE_LIMIT_CPUID | MISC_ENABLE_NO_NX));
    ck_assert_uint_eq(value_of(0x1A0) & 0x1801, 0x1800); /* these only read */
    ck_assert_uint_eq(cpuid(1, REG_ECX) & 1 << 3, 0);
    fixture->cpu->state.gpr[REG_ECX] = 0;
    ck_assert_int_eq(fixture_call(fixture, helper_monitor, 0, 0, 0, 0), HELPER_FAULT);
    ck_assert_uint_eq(fixture->cpu->exception.vector, EXCEPTION_UD);
    ck_assert(set(0x1A0, MISC_ENABLE_MONITOR));
    fixture->cpu->state.gpr[REG_ECX] = 0;
    ck_assert_int_eq(fixture_call(fixture, helper_monitor, 0, 0, 0, 0), HELPER_NEXT);
    ck_assert_uint_ne(cpuid(1, REG_ECX) & 1 << 3, 0);
    ck_assert(set(0x1A0, MISC_ENABLE_LIMIT_CPUID | MISC_ENABLE_NO_NX));
    ck_assert_uint_eq(cpuid(0, REG_EAX), 3);
    ck_assert_uint_eq(cpuid(0x80000001, REG_EDX) & 1 << 20, 0);
    ck_assert(!set(0xC0000080, 1 << 11));
    ck_assert(set(0x1A0, MISC_ENABLE_FAST_STRINGS));
    ck_assert(set(0xC0000080, 1 << 11));
    ck_assert_uint_eq(cpuid(0, REG_EAX), 0xB);
}
END_TEST

START_TEST(older_models_write_half_of_the_tsc) {
    set(0x10, UINT64_C(0x500000000));
    ck_assert_uint_eq(value_of(0x10) >> 32, 0);
    CpuModel nehalem = *fixture->cpu->model;
    nehalem.signature = 0x106A5;
    fixture->cpu->model = &nehalem;
    set(0x10, UINT64_C(0x500000000));
    ck_assert_uint_eq(value_of(0x10) >> 32, 5);
}
END_TEST

static const struct {
    const char *model;
    uint32_t number;
    bool there;
} owners[] = {
    {"486", 0x10, false},       {"pentium", 0x10, true},    {"pentium", 0xFE, false},
    {"pentium2", 0xFE, true},   {"pentium2", 0x1A0, false}, {"pentium3", 0x2C, false},
    {"pentium4", 0x2C, true},   {"pentium2", 0x174, true},  {"pentium-mmx", 0x174, false},
    {"max", 0xC0000080, true},  {"pentium", 0x11, true},    {"pentium2", 0x11, false},
    {"pentium", 0xC1, false},   {"pentium2", 0xC2, true},   {"pentium4", 0x186, false},
    {"pentium2", 0x413, true},  {"pentium2", 0x414, false}, {"pentium", 0x400, false},
    {"pentium3", 0x38F, false}, {"max", 0x38F, true},       {"max", 0x30B, true},
    {"max", 0x30C, false},      {"max", 0xC3, false},
};

START_TEST(models_have_their_registers) {
    use(owners[_i].model);
    uint64_t value;
    ck_assert_msg(get(owners[_i].number, &value) == owners[_i].there, "%s: %Xh", owners[_i].model,
                  owners[_i].number);
}
END_TEST

/* SDM vol. 3B 17.17.3. */
START_TEST(tsc_and_its_adjustment_move_together) {
    const uint64_t far = UINT64_C(100000000000);
    use("max");
    ck_assert_uint_eq(value_of(0x3B), 0);
    uint64_t before = value_of(0x10);
    ck_assert(set(0x3B, far));
    ck_assert_uint_eq(value_of(0x10), before + far);
    ck_assert_uint_eq(value_of(0x3B), far);
    ck_assert(set(0x3B, 0));
    ck_assert_uint_eq(value_of(0x10), before);
    ck_assert(set(0x10, before + far));
    ck_assert_uint_eq(value_of(0x3B), far);
    cpu_reset(fixture->cpu, false);
    ck_assert_uint_eq(value_of(0x3B), 0);
}
END_TEST

static void count_pulse(void *opaque, int line, int level) {
    (void)line;
    *(unsigned *)opaque += level != 0;
}

/* As translated code would, before a helper. */
static void run(uint64_t instructions) {
    fixture->cpu->state.instruction_count += instructions;
}

static bool rdpmc(uint32_t number, uint64_t *value) {
    fixture->cpu->state.gpr[REG_ECX] = number;
    HelperResult result = fixture_call(fixture, helper_rdpmc, 0, 0, 0, 0);
    *value = fixture->cpu->state.gpr[REG_EAX] | fixture->cpu->state.gpr[REG_EDX] << 32;
    return result == HELPER_NEXT;
}

enum { PERFCTR0 = 0xC1, EVENT_SELECT0 = 0x186, FIXED0 = 0x309, FIXED_CONTROL = 0x38D };
enum { GLOBAL_STATUS = 0x38E, GLOBAL_CONTROL = 0x38F, GLOBAL_CLEAR = 0x390 };
enum { COUNT_ALL = 0x430000, INTERRUPT = 0x100000, RETIRED = 0xC0 };

START_TEST(p6_counters_count_instructions_and_cycles) {
    uint64_t value;
    use("pentium3");
    ck_assert(set(EVENT_SELECT0 + 1, 0x30000 | 0x79));
    run(50);
    ck_assert_uint_eq(value_of(PERFCTR0 + 1), 0); /* the first register enables both */
    ck_assert(set(EVENT_SELECT0, COUNT_ALL | RETIRED));
    run(1000);
    ck_assert_uint_eq(value_of(PERFCTR0), 1000);
    ck_assert_uint_eq(value_of(PERFCTR0 + 1), 500);
    ck_assert(rdpmc(0, &value) && value == 1000);
    ck_assert(!rdpmc(2, &value));
    ck_assert(!rdpmc(0x80000000, &value));
    ck_assert(set(PERFCTR0, 0xFFFFFFFF)); /* extended to 40 bits */
    ck_assert_uint_eq(value_of(PERFCTR0), UINT64_C(0xFFFFFFFFFF));
    run(3);
    ck_assert_uint_eq(value_of(PERFCTR0), 2);
    ck_assert(set(EVENT_SELECT0, 0x30000 | RETIRED)); /* stopped */
    run(10);
    ck_assert_uint_eq(value_of(PERFCTR0), 2);
    ck_assert(!set(EVENT_SELECT0, UINT64_C(1) << 32));
    fixture->cpu->state.cpl = 3;
    ck_assert(!rdpmc(0, &value));
    fixture->cpu->state.cr4 |= CR4_PCE;
    ck_assert(rdpmc(0, &value));
}
END_TEST

START_TEST(pentium_counters_follow_the_cesr) {
    use("pentium-mmx");
    ck_assert(set(0x11, 0x01C000D6)); /* instructions anywhere, clocks anywhere */
    run(100);
    ck_assert_uint_eq(value_of(0x12), 100);
    ck_assert_uint_eq(value_of(0x13), 50);
    ck_assert(set(0x13, UINT64_C(0xFFFFFFFFFF)));
    run(2);
    ck_assert_uint_eq(value_of(0x13), 0);
    ck_assert(!set(0x11, 0x8000));
}
END_TEST

START_TEST(a_counter_mask_counts_cycles) {
    use("max");
    for (uint64_t mask = 0; mask < 4; mask++) {
        static const uint64_t counted[2][4] = {{100, 50, 50, 0}, {100, 0, 0, 50}};
        for (uint64_t invert = 0; invert < 2; invert++) {
            ck_assert(set(EVENT_SELECT0, COUNT_ALL | RETIRED | mask << 24 | invert << 23));
            ck_assert(set(PERFCTR0, 0));
            run(100);
            ck_assert_uint_eq(value_of(PERFCTR0), counted[invert][mask]);
        }
    }
}
END_TEST

START_TEST(architectural_counters_overflow_and_interrupt) {
    unsigned interrupts = 0;
    uint64_t value;
    use("max");
    Cpu *cpu = fixture->cpu;
    cpu->performance_interrupt = (Wire){count_pulse, &interrupts, 0};
    ck_assert_uint_eq(cpuid(0xA, REG_EAX), 0x07300202);
    ck_assert_uint_eq(cpuid(0xA, REG_EDX), 0x603);
    ck_assert_uint_eq(value_of(GLOBAL_CONTROL), 3);
    ck_assert(set(GLOBAL_CONTROL, 0));
    ck_assert(set(EVENT_SELECT0, COUNT_ALL | INTERRUPT | RETIRED));
    ck_assert(set(PERFCTR0, UINT32_MAX)); /* one before the end */
    run(10);
    ck_assert_uint_eq(value_of(PERFCTR0), UINT64_C(0xFFFFFFFFFFFF));
    ck_assert_uint_eq(cpu->performance_alarm, UINT64_MAX);
    ck_assert(set(GLOBAL_CONTROL, 1));
    ck_assert_uint_eq(cpu->performance_alarm, cpu->state.instruction_count + 1);
    ck_assert(set(PERFCTR0, 0xFFFFFFF0)); /* and as far away once a snapshot is loaded */
    uint64_t alarm = cpu->performance_alarm;
    run(15);
    cpu_state_restored(cpu);
    ck_assert_uint_eq(cpu->performance_alarm, alarm);
    run(1);
    performance_settle(cpu); /* as the run loop does */
    ck_assert_uint_eq(interrupts, 1);
    ck_assert_uint_eq(value_of(PERFCTR0), 0);
    ck_assert_uint_eq(value_of(GLOBAL_STATUS), 1);
    ck_assert(!set(GLOBAL_STATUS, 0));
    ck_assert(!set(GLOBAL_CLEAR, 4));
    ck_assert(set(GLOBAL_CLEAR, 1));
    ck_assert_uint_eq(value_of(GLOBAL_STATUS), 0);
    ck_assert(set(FIXED_CONTROL, 0xBB3));
    ck_assert(!set(FIXED_CONTROL, 0x4));
    ck_assert(!set(FIXED0, UINT64_C(1) << 48));
    ck_assert(set(FIXED0 + 1, UINT64_C(0xFFFFFFFFFFFE)));
    ck_assert(set(GLOBAL_CONTROL, UINT64_C(0x700000000)));
    run(4);
    ck_assert_uint_eq(value_of(FIXED0), 4);
    ck_assert_uint_eq(value_of(FIXED0 + 1), 0);
    ck_assert(rdpmc(1u << 30 | 2, &value) && value == 0);
    cpu->clock->stopped_ns += 30;
    ck_assert(rdpmc(1u << 30 | 2, &value) && value == 30); /* at 1 GHz */
    ck_assert(!rdpmc(1u << 30 | 3, &value));
    ck_assert_uint_eq(value_of(GLOBAL_STATUS), UINT64_C(1) << 33);
    ck_assert_uint_eq(interrupts, 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("msr");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, writes_are_checked, 0, sizeof(writes) / sizeof(writes[0]));
    tcase_add_test(tests, reset_values);
    tcase_add_test(tests, init_keeps_mtrrs);
    tcase_add_test(tests, misc_enable_acts_on_cpuid);
    tcase_add_test(tests, older_models_write_half_of_the_tsc);
    tcase_add_test(tests, tsc_and_its_adjustment_move_together);
    tcase_add_test(tests, p6_counters_count_instructions_and_cycles);
    tcase_add_test(tests, pentium_counters_follow_the_cesr);
    tcase_add_test(tests, a_counter_mask_counts_cycles);
    tcase_add_test(tests, architectural_counters_overflow_and_interrupt);
    tcase_add_loop_test(tests, models_have_their_registers, 0, sizeof(owners) / sizeof(owners[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* The quick ways into handlers, out of them and into segment registers end as the long ways do, and
 * are not taken where something is unusual. A flushed TLB makes the long way be taken: each case is
 * run with a full one and with an empty one. */
#include "cpu_fixture.h"
#include "quick_transfer.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { VECTOR = 0x30, GATE = 0x8E, TRAP_GATE_3 = 0xEF, STACK_BYTES = 0x200 };

static CpuFixture *fixture;
static Cpu *cpu;

static void set_up(void) {
    fixture = fixture_create("pentium3");
    cpu = fixture->cpu;
}

static void tear_down(void) {
    fixture_destroy(fixture);
}

/* Everything that a transfer reads or writes becomes known to the TLB. */
static void fill_tlb(void) {
    static const uint32_t places[] = {GDT,           IDT, TSS, KERNEL_STACK - 8, RING1_STACK - 8,
                                      USER_STACK - 8};
    PageFault fault;
    uint32_t physical;
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        ck_assert(
            tlb_translate(&cpu->tlb, places[i] & ~0xFFFu, ACCESS_WRITE, false, &physical, &fault));
    for (uint32_t page = KERNEL_STACK - 0x1000; page < USER_STACK; page += 0x1000)
        ck_assert(tlb_translate(&cpu->tlb, page, ACCESS_WRITE, false, &physical, &fault));
}

typedef struct Outcome {
    CpuState state;
    uint8_t stacks[3][STACK_BYTES];
} Outcome;

static void take_outcome(Outcome *outcome) {
    static const uint32_t tops[3] = {KERNEL_STACK, RING1_STACK, USER_STACK};
    outcome->state = cpu->state;
    for (unsigned i = 0; i < 3; i++)
        for (unsigned byte = 0; byte < STACK_BYTES; byte++)
            outcome->stacks[i][byte] =
                (uint8_t)fixture_load(fixture, tops[i] - STACK_BYTES + byte, 1);
}

static void expect_same(const Outcome *a, const Outcome *b) {
    char text[256];
    ck_assert_msg(!field_table_diff(&cpu_fields, &a->state, &b->state, text, sizeof(text)), "%s",
                  text);
    ck_assert_mem_eq(a->stacks, b->stacks, sizeof(a->stacks));
}

static void prepare(unsigned cpl, unsigned gate, bool known) {
    fixture_enter_protected(fixture, cpl);
    fixture_enable_paging(fixture);
    fixture_set_vector(fixture, VECTOR, gate);
    for (uint32_t offset = 8; offset < GDT_LIMIT; offset += 8) { /* accessed, as a kernel's are */
        uint32_t high = fixture_load(fixture, GDT + offset + 4, 4);
        if (high & 0x1000)
            fixture_store(fixture, GDT + offset + 4, 4, high | 0x100);
    }
    cpu_set_eflags(cpu, FLAG_1 | FLAG_IF | FLAG_CF | FLAG_OF | FLAG_DF);
    tlb_flush_all(&cpu->tlb);
    if (known)
        fill_tlb();
}

/* INT n, and IRET from its handler. */
static void go_and_return(unsigned cpl, unsigned gate, bool known, Outcome *there, Outcome *back) {
    prepare(cpl, gate, known);
    ck_assert_int_eq(fixture_call(fixture, helper_software_interrupt, VECTOR, 0, 0, 0),
                     HELPER_JUMP);
    take_outcome(there);
    if (!known)
        tlb_flush_all(&cpu->tlb);
    ck_assert_int_eq(fixture_call(fixture, helper_iret, 4, 0, 0, 0), HELPER_JUMP);
    take_outcome(back);
}

START_TEST(interrupts_and_returns) {
    static const struct {
        unsigned cpl, gate;
    } cases[] = {{0, GATE}, {0, TRAP_GATE_3}, {1, TRAP_GATE_3}, {3, TRAP_GATE_3}, {3, 0xEE}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static Outcome there[2], back[2];
        for (unsigned known = 0; known < 2; known++)
            go_and_return(cases[i].cpl, cases[i].gate, known != 0, &there[known], &back[known]);
        expect_same(&there[0], &there[1]);
        expect_same(&back[0], &back[1]);
        ck_assert_uint_eq(back[0].state.cpl, cases[i].cpl);
    }
}
END_TEST

static const QuickInterrupt plain = {
    .vector = VECTOR, .software = true, .return_eip = 0x1234, .eflags = FLAG_1 | FLAG_IF};

START_TEST(common_ways_are_quick) {
    for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
        prepare(cpl, TRAP_GATE_3, true);
        ck_assert(interrupt_deliver_quickly(cpu, &plain));
        fixture_expect_at(fixture, KERNEL_CODE, HANDLER + VECTOR * 16, 0);
        ck_assert(interrupt_return_quickly(cpu, FLAG_IF));
        ck_assert_uint_eq(cpu->state.eip, 0x1234);
        ck_assert_uint_eq(cpu->state.cpl, cpl);
    }
}
END_TEST

static void expect_long_way(void) {
    fixture_save(fixture);
    ck_assert(!interrupt_deliver_quickly(cpu, &plain));
    fixture_expect_unchanged(fixture);
}

START_TEST(unusual_ways_are_not) {
    prepare(3, GATE, true); /* DPL 0 */
    expect_long_way();
    prepare(3, 0x6F, true); /* absent */
    expect_long_way();
    prepare(3, 0xE7, true); /* a 16-bit gate */
    expect_long_way();
    prepare(3, TRAP_GATE_3, true);
    cpu->state.idtr.limit = VECTOR * 8 + 6;
    expect_long_way();
    prepare(3, TRAP_GATE_3, true);
    fixture_set_gate(fixture, IDT, VECTOR * 8, CONFORMING_CODE, HANDLER, 0xEF, 0);
    expect_long_way();
    prepare(3, TRAP_GATE_3, true);
    fixture_store(fixture, TSS + 8, 2, STACK16);
    expect_long_way();
    prepare(3, TRAP_GATE_3, true);
    fixture_store(fixture, TSS + 8, 2, USER_DATA);
    expect_long_way();
    prepare(3, TRAP_GATE_3, true);
    fixture_store(fixture, TSS + 4, 4, KERNEL_STACK - 0x1000 + 8); /* over a page's end */
    expect_long_way();
    prepare(3, TRAP_GATE_3, true);
    cpu->state.dr[7] |= 1;
    expect_long_way();
    fixture_enter_v8086(fixture, 3);
    expect_long_way();
}
END_TEST

/* A return frame: false for what IRET has to look at more closely. */
static bool returns_quickly(uint16_t cs, uint32_t eip, uint32_t eflags, uint16_t ss) {
    const uint32_t frame[5] = {eip, cs, eflags, USER_STACK - 0x80, ss};
    prepare(0, GATE, true);
    for (unsigned i = 0; i < 5; i++)
        fixture_store(fixture, GPR(fixture, REG_ESP) + 4 * i, 4, frame[i]);
    fill_tlb();
    return interrupt_return_quickly(cpu, FLAG_IF | FLAG_STATUS);
}

START_TEST(unusual_returns_are_not) {
    ck_assert(returns_quickly(USER_CODE, 5, FLAG_1, USER_DATA));
    ck_assert(returns_quickly(KERNEL_CODE, 5, FLAG_1, 0));
    ck_assert(!returns_quickly(USER_CODE, 5, FLAG_1 | FLAG_VM, USER_DATA));
    ck_assert(!returns_quickly(0, 5, FLAG_1, USER_DATA));
    ck_assert(!returns_quickly(USER_CODE, 5, FLAG_1, KERNEL_DATA));
    ck_assert(!returns_quickly(USER_CODE, 5, FLAG_1, 0));
    ck_assert(!returns_quickly(KERNEL_DATA, 5, FLAG_1, 0));
    ck_assert(!returns_quickly(ABSENT_CODE, 5, FLAG_1, 0));
    ck_assert(!returns_quickly(CODE16, 0x10000, FLAG_1, 0));
    ck_assert(!returns_quickly(BEYOND_GDT, 5, FLAG_1, 0));
}
END_TEST

/* Each selector of the table, at both levels: what the quick way does the long way does, too. */
START_TEST(segment_loads) {
    for (unsigned cpl = 0; cpl <= 3; cpl += 3)
        for (unsigned selector = 0; selector <= BEYOND_GDT; selector++) {
            Outcome quick, slow;
            prepare(cpl, GATE, true);
            if (!segment_load_quickly(cpu, SEG_ES, (uint16_t)selector))
                continue;
            take_outcome(&quick);
            prepare(cpl, GATE, false);
            ck_assert_int_eq(fixture_call(fixture, helper_load_segment, SEG_ES, 0, selector, 0),
                             HELPER_NEXT);
            cpu->state.eip = quick.state.eip;
            take_outcome(&slow);
            expect_same(&quick, &slow);
        }
    prepare(3, GATE, true);
    ck_assert(segment_load_quickly(cpu, SEG_ES, USER_DATA));
    ck_assert(!segment_load_quickly(cpu, SEG_ES, KERNEL_DATA));
    ck_assert(!segment_load_quickly(cpu, SEG_ES, SMALL_DATA)); /* another kind of segment */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("quick_transfer");
    TCase *tests = tcase_create("quick transfers");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, interrupts_and_returns);
    tcase_add_test(tests, common_ways_are_quick);
    tcase_add_test(tests, unusual_ways_are_not);
    tcase_add_test(tests, unusual_returns_are_not);
    tcase_add_test(tests, segment_loads);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

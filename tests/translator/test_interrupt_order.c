/* At which instruction an interrupt is taken, and which of several comes first: SDM vol. 3A 6.8.3
 * and table 6-2, in both backends.
 *
 * Code runs in real mode. Every handler is a HLT at an address of its own; where two events follow
 * each other, the second one finds the first one's handler as its return address. */
#include "guest_fixture.h"
#include "helpers.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>

enum {
    CODE_SEGMENT = 0x1000,
    STACK_POINTER = 0x8000,
    HANDLERS = 0x600, /* of vector n: that + n */
    INTR_VECTOR = 0x20,
    NO_VECTOR = -1,
    INSTRUCTIONS = 100,
};

/* Lines that are asserted before the first instruction. */
enum { LINE_INTR = 1, LINE_NMI = 2 };

typedef struct OrderCase {
    const char *name;
    uint8_t code[12];
    uint32_t eflags;
    uint32_t shadow;
    unsigned lines;
    int vector;         /* the last that was delivered */
    uint16_t return_ip; /* on its stack; without one where the code's own HLT ends */
} OrderCase;

// clang-format off
static const OrderCase cases[] = {
    /* name, code, EFLAGS, shadow, lines, last vector, its return address */
    {"INTR comes before the first instruction",
     {0x90, 0xF4}, FLAG_IF, 0, LINE_INTR, INTR_VECTOR, 0},
    {"IF keeps INTR away",
     {0x90, 0xF4}, 0, 0, LINE_INTR, NO_VECTOR, 2},
    {"STI holds INTR back for one instruction",
     {0xFB, 0x90, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 2},
    {"a second STI holds back nothing more",
     {0xFB, 0xFB, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 2},
    {"STI with IF set holds back nothing",
     {0xFB, 0x90, 0xF4}, FLAG_IF, 0, LINE_INTR, INTR_VECTOR, 0},
    {"CLI directly after STI lets nothing through",
     {0xFB, 0xFA, 0x90, 0xF4}, 0, 0, LINE_INTR, NO_VECTOR, 4},
    {"HLT directly after STI is woken",
     {0xFB, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 2},
    {"MOV SS after STI holds back for one more",
     {0xFB, 0x8E, 0xD0, 0x90, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 4},
    {"POP SS too",
     {0xFB, 0x17, 0x90, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 3},
    {"LSS does not",
     {0xFB, 0x0F, 0xB2, 0x27, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 4}, /* lss sp, [bx] */
    {"POPF that sets IF holds back nothing",
     {0x68, 0x02, 0x02, 0x9D, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 4}, /* push 202h */
    {"nor does IRET",
     {0x68, 0x02, 0x02, 0x0E, 0x6A, 0x08, 0xCF, 0xF4, 0x90, 0xF4}, 0, 0, LINE_INTR, INTR_VECTOR, 8}, /* push 202h; push cs; push 8 */
    {"NMI comes before INTR",
     {0x90, 0xF4}, FLAG_IF, 0, LINE_INTR | LINE_NMI, EXCEPTION_NMI, 0},
    {"IF does not keep NMI away",
     {0x90, 0xF4}, 0, 0, LINE_NMI, EXCEPTION_NMI, 0},
    {"after MOV SS NMI waits",
     {0x90, 0x90, 0xF4}, 0, SHADOW_MOV_SS, LINE_NMI, EXCEPTION_NMI, 1},
    {"a step comes before INTR, which its handler then keeps away",
     {0x90, 0x90, 0xF4}, FLAG_IF | FLAG_TF, SHADOW_STI, LINE_INTR, EXCEPTION_DB, 1},
    {"a step comes before NMI, which comes before its handler's first instruction",
     {0x90, 0x90, 0xF4}, FLAG_TF, SHADOW_STI, LINE_NMI, EXCEPTION_NMI, HANDLERS + EXCEPTION_DB},
    {"after MOV SS there is a step only with the next instruction",
     {0x8E, 0xD0, 0x90, 0x90, 0xF4}, FLAG_TF, 0, 0, EXCEPTION_DB, 3},
    {"a fault after MOV SS is delivered, and NMI before its handler's first instruction",
     {0x0F, 0x0B, 0xF4}, 0, SHADOW_MOV_SS, LINE_NMI, EXCEPTION_NMI, HANDLERS + EXCEPTION_UD},
    {"INT n ends a shadow, and clears IF first",
     {0xCD, 0x30, 0xF4}, FLAG_IF, SHADOW_STI, LINE_INTR, 0x30, 2},
    {"a step after HLT ends it",
     {0xF4, 0x90, 0xF4}, FLAG_TF, 0, 0, EXCEPTION_DB, 1},
    {"INTO that does not trap is stepped",
     {0xCE, 0x90, 0xF4}, FLAG_TF, 0, 0, EXCEPTION_DB, 1},
    {"INTO that traps is not",
     {0xCE, 0x90, 0xF4}, FLAG_TF | FLAG_OF, 0, 0, EXCEPTION_OF, 1},
};
// clang-format on
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static void set_up(Guest *guest, const OrderCase *item) {
    CpuState *state = &guest->cpu->state;
    guest_enter_real_mode(guest, CODE_SEGMENT, 0);
    physical_write_bytes(guest->map, CODE_SEGMENT * 16, item->code, sizeof(item->code));
    for (uint32_t vector = 0; vector < 256; vector++) {
        physical_write(guest->map, 4 * vector, 4, HANDLERS + vector);
        physical_write(guest->map, HANDLERS + vector, 1, 0xF4);
    }
    state->gpr[REG_EAX] = CODE_SEGMENT;
    state->gpr[REG_EBX] = 0x4000; /* where LSS finds SS:SP */
    state->gpr[REG_ESP] = STACK_POINTER;
    physical_write(guest->map, CODE_SEGMENT * 16 + 0x4000, 4,
                   (uint32_t)CODE_SEGMENT << 16 | STACK_POINTER);
    physical_write(guest->map, CODE_SEGMENT * 16 + STACK_POINTER, 2, CODE_SEGMENT); /* POP SS */
    cpu_set_eflags(guest->cpu, item->eflags | FLAG_1);
    state->interrupt_shadow = item->shadow;
    if (item->lines & LINE_INTR)
        guest_interrupt(guest);
    if (item->lines & LINE_NMI)
        cpu_set_nmi(guest->cpu, 0, 1);
}

static void run_case(TranslatorBackend backend, const OrderCase *item) {
    TranslatorOptions options = {.backend = backend};
    Guest guest;
    guest_create(&guest, &options);
    set_up(&guest, item);
    RunExit exit = guest_run(&guest, INSTRUCTIONS);
    const CpuState *state = &guest.cpu->state;
    const Segment *ss = &state->segment[SEG_SS];
    ck_assert_msg(exit == RUN_HALTED, "%s: it does not end (exit %d)", item->name, (int)exit);
    uint32_t wanted =
        item->vector == NO_VECTOR ? item->return_ip : HANDLERS + (uint32_t)item->vector + 1;
    ck_assert_msg(state->eip == wanted, "%s: halted at %X, not %X", item->name, state->eip, wanted);
    if (item->vector != NO_VECTOR) {
        uint32_t ip = (uint32_t)physical_read(
            guest.map, ss->base + ((uint32_t)state->gpr[REG_ESP] & 0xFFFF), 2);
        ck_assert_msg(ip == item->return_ip, "%s: came at %X, not %X", item->name, ip,
                      item->return_ip);
    }
    guest_destroy(&guest);
}

START_TEST(test_portable_backend) {
    run_case(BACKEND_PORTABLE, &cases[_i]);
}
END_TEST

START_TEST(test_default_backend) {
    run_case(translator_default_backend(), &cases[_i]);
}
END_TEST

/* A loop that turns interrupts on and off, stopped anywhere: where STI was the last instruction,
 * and IF was 0 before, what comes then is held back for one more. */
static void stop_after_sti(TranslatorBackend backend, bool loose) {
    static const uint8_t loop[] = {
        0xFA,             /* 0: cli */
        0x41,             /* 1: inc cx */
        0xF6, 0xC1, 0x01, /* 2: test cl, 1 */
        0x74, 0x02,       /* 5: jz 9 */
        0x90, 0x90,       /* 7: nop, nop */
        0xFB,             /* 9: sti */
        0x42,             /* 10: inc dx */
        0xB3, 0x03,       /* 11: mov bl, 3 */
        0xFE, 0xCB,       /* 13: dec bl */
        0x75, 0xFC,       /* 15: jnz 13 */
        0xEB, 0xED,       /* 17: jmp 0 */
    };
    enum { AFTER_STI = 10, BUDGETS = 1999 };
    TranslatorOptions options = {.backend = backend, .loose_end = loose, .eager_hot_paths = true};
    Guest guest;
    unsigned stops = 0;
    uint32_t random = 1;
    guest_create(&guest, &options);
    guest_enter_real_mode(&guest, CODE_SEGMENT, 0);
    physical_write_bytes(guest.map, CODE_SEGMENT * 16, loop, sizeof(loop));
    for (unsigned i = 0; i < 40000; i++) {
        random = random * 1103515245u + 12345u;
        guest_run(&guest, 1 + (random >> 8) % BUDGETS);
        if (guest.cpu->state.eip != AFTER_STI)
            continue;
        stops++;
        ck_assert_msg(guest.cpu->state.interrupt_shadow == SHADOW_STI,
                      "after STI there is no shadow in run %u", i);
    }
    ck_assert_uint_gt(stops, 20);
    guest_destroy(&guest);
}

START_TEST(test_shadow_at_the_end_of_a_run) {
    stop_after_sti(_i & 1 ? translator_default_backend() : BACKEND_PORTABLE, (_i & 2) != 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interrupt_order");
    TCase *tests = tcase_create("order");
    tcase_add_loop_test(tests, test_portable_backend, 0, CASE_COUNT);
    tcase_add_loop_test(tests, test_default_backend, 0, CASE_COUNT);
    tcase_add_loop_test(tests, test_shadow_at_the_end_of_a_run, 0, 4);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

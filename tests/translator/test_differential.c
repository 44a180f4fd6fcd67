/* Random programs under two backends: all architectural state and memory must agree, undefined
 * flags too. */
#include "guest_fixture.h"
#include "helpers.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE = 0x10000,
    CODE_BYTES = 0x800,
    DATA = 0x20000,
    DATA_BYTES = 0x8000,
    TABLES = 0x100000,
    STACK = 0x28000,
    CASE_INSTRUCTIONS = 10000
};

typedef enum Mode { MODE_REAL, MODE_FLAT, MODE_PAGED, MODE_COUNT } Mode;

static uint64_t seed_of_run = 1;

/* Instructions that are likely to do something: one or two operands over registers and memory near
 * DATA. */
static uint8_t *emit_modrm(uint8_t *at, uint64_t *random, Mode mode, unsigned reg) {
    uint64_t r = guest_random(random);
    unsigned kind = r % 8;
    if (kind < 4) { /* a register */
        *at++ = (uint8_t)(0xC0 | reg << 3 | (r >> 8 & 7));
        return at;
    }
    if (mode == MODE_REAL) { /* [disp16] or [bx+si+disp8] */
        if (kind < 7) {
            *at++ = (uint8_t)(reg << 3 | 6);
            uint16_t offset = (uint16_t)(r >> 16);
            memcpy(at, &offset, 2);
            return at + 2;
        }
        *at++ = (uint8_t)(0x40 | reg << 3 | (r >> 8 & 7));
        *at++ = (uint8_t)(r >> 24);
        return at;
    }
    if (kind < 7) { /* [disp32] within DATA, also across pages */
        *at++ = (uint8_t)(reg << 3 | 5);
        uint32_t address = DATA + (uint32_t)(r >> 16) % (DATA_BYTES - 16);
        memcpy(at, &address, 4);
        return at + 4;
    }
    *at++ = (uint8_t)(0x84 | reg << 3); /* [ebp + scaled ecx + DATA]: mostly a fault in paged mode,
                                           sometimes not */
    *at++ = (uint8_t)((r >> 10 & 3) << 6 | 1 << 3 | 5);
    uint32_t address = DATA;
    memcpy(at, &address, 4);
    return at + 4;
}

/* Kinds of instructions to choose from. */
enum { FIRST_MOVE = 12, FIRST_OTHER = 19, KINDS = 26 };

/* Kinds 0 to 11. */
static uint8_t *emit_arithmetic(uint8_t *at, uint64_t r, uint64_t *random, Mode mode) {
    unsigned reg = r >> 8 & 7;
    switch (r % KINDS) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: /* ALU r/m, r and r, r/m */
        *at++ = (uint8_t)((r >> 16 & 7) << 3 | (r >> 24 & 3));
        return emit_modrm(at, random, mode, reg);
    case 5:
    case 6: /* 80 and 83 groups */
        *at++ = r >> 16 & 1 ? 0x80 : 0x83;
        at = emit_modrm(at, random, mode, reg);
        *at++ = (uint8_t)(r >> 32);
        return at;
    case 7:
    case 8: /* shifts by an immediate */
        *at++ = r >> 16 & 1 ? 0xC0 : 0xC1;
        at = emit_modrm(at, random, mode, reg);
        *at++ = (uint8_t)(r >> 32);
        return at;
    case 9: /* shifts by one or CL */
        *at++ = (uint8_t)(0xD0 | (r >> 16 & 3));
        return emit_modrm(at, random, mode, reg);
    case 10: /* INC, DEC, NEG, NOT, MUL, IMUL, DIV, IDIV */
        *at++ = (uint8_t)(0xF6 | (r >> 16 & 1));
        at = emit_modrm(at, random, mode, reg < 2 ? 2 + reg : reg);
        return at;
    default: /* INC and DEC r */
        *at++ = (uint8_t)(0x40 | (r >> 16 & 15));
        return at;
    }
}

/* Kinds 12 to 18. */
static uint8_t *emit_move_or_test(uint8_t *at, uint64_t r, uint64_t *random, Mode mode) {
    unsigned reg = r >> 8 & 7;
    switch (r % KINDS) {
    case 12: /* MOV */
        *at++ = (uint8_t)(0x88 | (r >> 16 & 3));
        return emit_modrm(at, random, mode, reg);
    case 13: /* MOVZX, MOVSX */
        *at++ = 0x0F;
        *at++ = (uint8_t)((r >> 16 & 1 ? 0xB6 : 0xBE) | (r >> 17 & 1));
        return emit_modrm(at, random, mode, reg);
    case 14: /* SETcc, CMOVcc */
        *at++ = 0x0F;
        *at++ = (uint8_t)((r >> 16 & 1 ? 0x90 : 0x40) | (r >> 17 & 15));
        return emit_modrm(at, random, mode, reg);
    case 15: /* BT group, BSF, BSR, IMUL, XADD, CMPXCHG, SHLD, SHRD */ {
        static const uint8_t opcodes[] = {0xA3, 0xAB, 0xB3, 0xBB, 0xBC, 0xBD, 0xAF,
                                          0xC0, 0xC1, 0xB0, 0xB1, 0xA5, 0xAD};
        *at++ = 0x0F;
        *at++ = opcodes[(r >> 16) % sizeof(opcodes)];
        return emit_modrm(at, random, mode, reg);
    }
    case 16: /* flags and conversions */ {
        static const uint8_t opcodes[] = {0xF5, 0xF8, 0xF9, 0xFC, 0xFD, 0x98, 0x99, 0x9E,
                                          0x9F, 0xD6, 0x27, 0x2F, 0x37, 0x3F, 0x90};
        *at++ = opcodes[(r >> 16) % sizeof(opcodes)];
        return at;
    }
    case 17: /* XCHG, TEST */
        *at++ = (uint8_t)(0x84 | (r >> 16 & 3));
        return emit_modrm(at, random, mode, reg);
    default: /* PUSH and POP r */
        *at++ = (uint8_t)(0x50 | (r >> 16 & 15));
        return at;
    }
}

/* Kinds from 19 on: jumps, strings, x87 and vectors. */
static uint8_t *emit_other(uint8_t *at, uint64_t r, uint64_t *random, Mode mode) {
    unsigned reg = r >> 8 & 7;
    switch (r % KINDS) {
    case 19: /* a short jump forwards */
        *at++ = (uint8_t)(0x70 | (r >> 16 & 15));
        *at++ = (uint8_t)(r >> 24 & 7);
        return at;
    case 20: /* strings */ {
        static const uint8_t opcodes[] = {0xA4, 0xA5, 0xA6, 0xA7, 0xAA,
                                          0xAB, 0xAC, 0xAD, 0xAE, 0xAF};
        *at++ = opcodes[(r >> 16) % sizeof(opcodes)];
        return at;
    }
    case 21: /* LEA */
        *at++ = 0x8D;
        *at++ = (uint8_t)(0x40 | reg << 3 | (r >> 16 & 3));
        *at++ = (uint8_t)(r >> 32);
        return at;
    case 22: /* IMUL with an immediate; AAM, AAD */
        if (r >> 16 & 1) {
            *at++ = 0x6B;
            at = emit_modrm(at, random, mode, reg);
        } else {
            *at++ = (uint8_t)(0xD4 | (r >> 17 & 1));
        }
        *at++ = (uint8_t)(r >> 32);
        return at;
    case 23: /* x87 */
        *at++ = (uint8_t)(0xD8 | (r >> 16 & 7));
        return emit_modrm(at, random, mode, reg);
    case 24: /* MMX, SSE and SSE2 */ {
        static const uint8_t opcodes[] = {0x10, 0x11, 0x14, 0x54, 0x57, 0x58, 0x59,
                                          0x5C, 0x5E, 0x6E, 0x6F, 0x7E, 0x7F, 0xD4,
                                          0xDB, 0xEF, 0xF5, 0xFD, 0x2E};
        *at++ = 0x0F;
        *at++ = opcodes[(r >> 16) % sizeof(opcodes)];
        return emit_modrm(at, random, mode, reg);
    }
    default: /* LOOP, LOOPE, LOOPNE, JCXZ forwards */
        *at++ = (uint8_t)(0xE0 | (r >> 16 & 3));
        *at++ = (uint8_t)(r >> 24 & 7);
        return at;
    }
}

static uint8_t *emit_insn(uint8_t *at, uint64_t *random, Mode mode) {
    uint64_t r = guest_random(random);
    unsigned kind = r % KINDS;
    if ((r >> 20) % 8 == 0)
        *at++ = 0x66;
    if (kind < FIRST_MOVE)
        return emit_arithmetic(at, r, random, mode);
    return kind < FIRST_OTHER ? emit_move_or_test(at, r, random, mode)
                              : emit_other(at, r, random, mode);
}

static void fill(Guest *guest, uint64_t seed, Mode mode) {
    uint64_t random = seed;
    memset(guest->ram, 0, STACK + 0x10000);
    memset(guest->ram + TABLES, 0, 0x4000);
    for (unsigned i = 0; i < DATA_BYTES; i += 8) {
        uint64_t value = guest_random(&random);
        memcpy(guest->ram + DATA + i, &value, 8);
    }
    uint8_t *at = guest->ram + CODE, *end = at + CODE_BYTES - 32;
    while (at < end)
        at = emit_insn(at, &random, mode);
    /* and round again */
    *at++ = 0xE9;
    int32_t back = CODE - (int32_t)(at - guest->ram) - (mode == MODE_REAL ? 2 : 4);
    memcpy(at, &back, 4);
    CpuState *state = &guest->cpu->state;
    state->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = (uint32_t)guest_random(&random);
    if (mode == MODE_REAL) {
        guest_enter_real_mode(guest, CODE >> 4, 0);
        for (unsigned s = 0; s < SEG_COUNT; s++)
            if (s != SEG_CS)
                segment_load_real(guest->cpu, s, DATA >> 4);
        state->gpr[REG_ESP] = 0x7FF0;
        /* interrupt vectors: a HLT, whatever happens */
        for (unsigned i = 0; i < 256; i++)
            memcpy(guest->ram + 4 * i, &(uint32_t){0x00500000}, 4);
        guest->ram[0x500] = 0xF4;
        guest_return_from_interrupts(guest);
    } else {
        guest_enter_flat_mode(guest, TABLES, CODE, mode == MODE_PAGED);
        guest_resume_after_events(guest, TABLES, CODE, CODE_BYTES / 2 - 1, STACK);
        state->gpr[REG_ESP] = STACK;
        state->gpr[REG_ESI] = DATA + 0x1000;
        state->gpr[REG_EDI] = DATA + 0x2000;
    }
    cpu_set_eflags(guest->cpu, (uint32_t)guest_random(&random) & (FLAG_STATUS | FLAG_IF));
}

static bool run_case(Guest *portable, Guest *translated, uint64_t seed, Mode mode,
                     uint64_t *executed) {
    char text[200];
    Guest *both[2] = {portable, translated};
    for (unsigned i = 0; i < 2; i++) {
        cpu_reset(both[i]->cpu, false);
        tlb_flush_all(&both[i]->cpu->tlb);
        translator_flush(both[i]->translator);
        fill(both[i], seed, mode);
        both[i]->cpu->state.instruction_count = 0;
    }
    uint64_t random = seed ^ 0x5EED;
    /* To close in on a difference: compare everything after every so many instructions. */
    unsigned step = getenv("REPRISE_STEP") != NULL ? (unsigned)atoi(getenv("REPRISE_STEP")) : 0;
    for (uint64_t target = 1; target <= CASE_INSTRUCTIONS;
         target += step != 0 ? step : guest_random(&random) % 200 + 1) {
        RunExit a = guest_run(portable, target), b = guest_run(translated, target);
        bool same = a == b && !field_table_diff(&cpu_fields, &portable->cpu->state,
                                                &translated->cpu->state, text, sizeof(text));
        bool last = a == RUN_HALTED || a == RUN_SHUTDOWN || target + 200 > CASE_INSTRUCTIONS;
        if (!same ||
            ((last || step != 0) && !guest_compare(portable, translated, text, sizeof(text)))) {
            fprintf(stderr, "seed %llu mode %d, up to instruction %llu: %s (exits %d, %d)\n",
                    (unsigned long long)seed, mode, (unsigned long long)target, text, a, b);
            return false;
        }
        if (last)
            break;
        if (guest_random(&random) % 4 == 0) {
            guest_interrupt(portable);
            guest_interrupt(translated);
        }
    }
    *executed += portable->cpu->state.instruction_count;
    return true;
}

static void run_matrix(const TranslatorOptions *options, unsigned cases) {
    Guest portable, translated;
    TranslatorOptions reference = {.backend = BACKEND_PORTABLE};
    uint64_t executed = 0;
    guest_create(&portable, &reference);
    guest_create(&translated, options);
    for (unsigned i = 0; i < cases; i++)
        ck_assert(run_case(&portable, &translated, seed_of_run + i,
                           (Mode)((seed_of_run + i) % MODE_COUNT), &executed));
    ck_assert_uint_gt(executed, cases * 10);
    printf("%llu instructions agreed\n", (unsigned long long)executed);
    guest_destroy(&portable);
    guest_destroy(&translated);
}

static unsigned case_count(void) {
    return getenv("REPRISE_CASES") != NULL  ? (unsigned)atoi(getenv("REPRISE_CASES"))
           : getenv("REPRISE_LONG") != NULL ? 25000
                                            : 400;
}

/* Of the matrix of run modes what concerns translated code. */
static const struct {
    TranslatorOptions options;
    unsigned share; /* runs one of so many cases */
} modes[] = {
    {{.backend = BACKEND_JIT}, 1},
    {{.backend = BACKEND_JIT, .no_chaining = true}, 4},
    {{.backend = BACKEND_JIT, .no_jump_table = true}, 8},
    {{.backend = BACKEND_JIT, .no_flag_liveness = true}, 4},
    {{.backend = BACKEND_JIT, .no_flag_states = true}, 8},
    {{.backend = BACKEND_JIT,
      .no_shared_checks = true,
      .no_known_pages = true,
      .no_known_direction = true,
      .no_far_links = true,
      .no_bmi2 = true},
     8},
    {{.backend = BACKEND_JIT, .no_inline_fpu = true, .no_inline_strings = true}, 8},
    {{.backend = BACKEND_JIT,
      .no_side_stores = true,
      .no_revival = true,
      .no_single_entry = true,
      .no_page_pairs = true,
      .no_fetched_operands = true},
     8},
    {{.backend = BACKEND_JIT, .eager_hot_paths = true}, 1},
    {{.backend = BACKEND_JIT, .one_insn_blocks = true}, 8},
    {{.backend = BACKEND_JIT, .flush_blocks = true}, 40},
    {{.backend = BACKEND_JIT, .stress_seed = 7, .force_misses = true}, 1},
    {{.backend = BACKEND_JIT, .buffer_bytes = 1 << 20}, 4},
    {{.backend = BACKEND_JIT, .buffer_bytes = 64 << 10}, 8},
    {{.backend = BACKEND_PORTABLE, .stress_seed = 8, .flush_blocks = true}, 40},
};

START_TEST(test_backends_agree) {
    run_matrix(&modes[_i].options, case_count() / modes[_i].share);
}
END_TEST

int main(void) {
    if (translator_default_backend() != BACKEND_JIT) {
        printf("skipped: there is no translator for this host\n");
        return 77;
    }
    if (getenv("REPRISE_SEED") != NULL)
        seed_of_run = strtoull(getenv("REPRISE_SEED"), NULL, 0);
    Suite *suite = suite_create("differential");
    TCase *tests = tcase_create("backends");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, test_backends_agree, 0, sizeof(modes) / sizeof(modes[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

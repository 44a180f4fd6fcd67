/* Random programs that store into their own code, under two backends: immediates, displacements,
 * opcodes and targets of jumps change, by stores of all sizes, also over the ends of instructions
 * and pages, through another linear address, by string instructions, and data lies between. */
#include "guest_fixture.h"
#include "helpers.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOT_BYTES = 16, /* an instruction each, the rest is NOPs */
    SLOTS = 96,
    CODE = 0x11000 - SLOTS / 2 * SLOT_BYTES - 5, /* over a page's end */
    DATA = 0x20000,
    TABLES = 0x100000,
    STACK = 0x28000,
    ALIAS = 0x300000, /* linear, where paging is on: the pages from 10000h on again */
    CASE_INSTRUCTIONS = 12000
};

typedef enum Mode { MODE_FLAT, MODE_PAGED, MODE_REAL, MODE_COUNT } Mode;

static uint64_t seed_of_run = 1;

/* What a slot has to patch: its operands' places. */
typedef struct Slot {
    unsigned field[2], size[2], fields;
} Slot;

typedef struct Program {
    Slot slot[SLOTS];
    uint8_t bytes[SLOTS * SLOT_BYTES];
    Mode mode;
    unsigned wide; /* bytes of an operand */
} Program;

static void put(uint8_t **at, uint32_t value, unsigned size) {
    memcpy(*at, &value, size);
    *at += size;
}

static void add_field(Program *program, unsigned slot, const uint8_t *at, unsigned size) {
    Slot *entry = &program->slot[slot];
    entry->field[entry->fields] = (unsigned)(at - program->bytes);
    entry->size[entry->fields++] = size;
}

/* An address as a displacement has it: in real mode offsets from 10000h, where all segments are. */
static uint32_t address_of(const Program *program, uint32_t linear) {
    return program->mode == MODE_REAL ? (linear - 0x10000) & 0xFFFF : linear;
}

/* ModRM for a displacement alone, which is patched. */
static uint8_t *put_direct(Program *program, unsigned slot, uint8_t *at, unsigned reg,
                           uint32_t linear) {
    *at++ = (uint8_t)(reg << 3 | (program->mode == MODE_REAL ? 6 : 5));
    add_field(program, slot, at, program->wide);
    put(&at, address_of(program, linear), program->wide);
    return at;
}

static void make_operation(Program *program, unsigned slot, uint64_t r) {
    uint8_t *at = program->bytes + slot * SLOT_BYTES;
    unsigned wide = program->wide, reg = r >> 8 & 3, operation = r >> 12 & 7;
    uint32_t value = (uint32_t)(r >> 32), data = DATA + (value & 0x7FC);
    switch (r % 14) {
    case 0: /* ADD ... CMP EAX, imm */
        *at++ = (uint8_t)(operation << 3 | 5);
        add_field(program, slot, at, wide);
        put(&at, value, wide);
        return;
    case 1: /* ADD ... CMP r, imm */
        *at++ = 0x81;
        *at++ = (uint8_t)(0xC0 | operation << 3 | reg);
        add_field(program, slot, at, wide);
        put(&at, value, wide);
        return;
    case 2: /* the same with a signed byte */
        *at++ = 0x83;
        *at++ = (uint8_t)(0xC0 | operation << 3 | reg);
        add_field(program, slot, at, 1);
        put(&at, value, 1);
        return;
    case 3: /* MOV r, imm */
        *at++ = (uint8_t)(0xB8 | reg);
        add_field(program, slot, at, wide);
        put(&at, value, wide);
        return;
    case 4: /* ADD ... CMP r, [address] and [address], r */
        *at++ = (uint8_t)(operation << 3 | (r & 0x10000 ? 3 : 1));
        put_direct(program, slot, at, reg, data);
        return;
    case 5: /* MOV r, [SI + disp8] or [DI + disp8], r */
        *at++ = r & 0x10000 ? 0x8B : 0x89;
        *at++ = (uint8_t)(0x40 | reg << 3 | (program->mode == MODE_REAL ? 4 : 6) |
                          (r & 0x10000 ? 0 : 1));
        add_field(program, slot, at, 1);
        put(&at, value & 0x7F, 1);
        return;
    case 6: /* MOV [address], imm */
        *at++ = 0xC7;
        at = put_direct(program, slot, at, 0, data);
        add_field(program, slot, at, wide);
        put(&at, value, wide);
        return;
    case 7: /* IMUL r, r, imm */
        *at++ = 0x69;
        *at++ = (uint8_t)(0xC0 | reg << 3 | (r >> 16 & 3));
        add_field(program, slot, at, wide);
        put(&at, value, wide);
        return;
    case 8: /* Jcc */
        *at++ = (uint8_t)(0x70 | (r >> 16 & 15));
        add_field(program, slot, at, 1);
        put(&at, value & 7, 1);
        return;
    case 9: /* JMP */
        *at++ = 0xEB;
        add_field(program, slot, at, 1);
        put(&at, value & 7, 1);
        return;
    case 10: /* PUSH imm; POP r */
        *at++ = 0x68;
        add_field(program, slot, at, wide);
        put(&at, value, wide);
        *at++ = (uint8_t)(0x58 | reg);
        return;
    case 11: /* ADD ... CMP r8, imm8: AH to BH, too */
        *at++ = 0x80;
        *at++ = (uint8_t)(0xC0 | operation << 3 | (r >> 16 & 7));
        add_field(program, slot, at, 1);
        put(&at, value, 1);
        return;
    case 12: /* JMP over data; INC [data] */
        *at++ = 0xEB;
        *at++ = 4;
        at += 4;
        *at++ = 0xFF;
        put_direct(program, slot, at, 0, CODE + slot * SLOT_BYTES + 2);
        return;
    default: /* CALL of the RET at the program's end, or JMP to the next slot but one */
        *at++ = r & 0x10000 ? 0xE8 : 0xE9;
        add_field(program, slot, at, wide);
        unsigned next = (unsigned)(at - program->bytes) + wide;
        put(&at, (r & 0x10000 ? SLOTS * SLOT_BYTES - 1 : (slot + 2) * SLOT_BYTES) - next, wide);
        return;
    }
}

/* Stores into the code of a slot. */
static void make_store(Program *program, unsigned slot, uint64_t r) {
    uint8_t *at = program->bytes + slot * SLOT_BYTES;
    /* Often one that comes soon: the same block. */
    unsigned target =
        r & 0x100 ? (slot + 1 + (r >> 9 & 3)) % (SLOTS - 2) : (unsigned)(r >> 9) % (SLOTS - 2);
    const Slot *entry = &program->slot[target];
    unsigned field = entry->fields == 0 ? target * SLOT_BYTES : entry->field[r >> 20 & 1];
    if (entry->fields == 1)
        field = entry->field[0];
    uint32_t linear = CODE + field;
    if (program->mode == MODE_PAGED && (r >> 24 & 1) != 0)
        linear = linear - 0x10000 + ALIAS;
    unsigned wide = program->wide, direct = program->mode == MODE_REAL ? 6 : 5;
    uint32_t address = address_of(program, linear), before = address - 1;
    switch (r >> 28 & 7) {
    case 0: /* MOV [field], CL to DH */
    case 1:
        *at++ = 0x88;
        *at++ = (uint8_t)((r >> 32 & 7) << 3 | direct);
        put(&at, address, wide);
        return;
    case 2: /* MOV [field], r */
        *at++ = 0x89;
        *at++ = (uint8_t)((r >> 32 & 3) << 3 | direct);
        put(&at, address, wide);
        return;
    case 3: /* the other size */
        *at++ = 0x66;
        *at++ = 0x89;
        *at++ = (uint8_t)((r >> 32 & 3) << 3 | direct);
        put(&at, address, wide);
        return;
    case 4: /* INC [field] */
        *at++ = 0xFE | (r >> 32 & 1);
        *at++ = (uint8_t)direct;
        put(&at, address, wide);
        return;
    case 5: /* XOR [opcode], a bit or two: an opcode of the same shape, mostly */
        *at++ = 0x80;
        *at++ = (uint8_t)(6 << 3 | direct);
        put(&at, before, wide);
        *at++ = (uint8_t)(1 << (3 + (r >> 32 & 1)));
        return;
    case 6: /* MOV [field], imm8: what it was */
        *at++ = 0xC6;
        *at++ = (uint8_t)direct;
        put(&at, address, wide);
        *at++ = program->bytes[field];
        return;
    default: /* a whole slot is copied over another one */
        *at++ = 0xBE;
        put(&at, address_of(program, CODE + (r >> 32) % (SLOTS - 2) * SLOT_BYTES), wide);
        *at++ = 0xBF;
        put(&at, address_of(program, CODE + target * SLOT_BYTES), wide);
        memset(at, 0xA5, 4); /* MOVS */
        return;
    }
}

static void make_program(Program *program, uint64_t seed, Mode mode) {
    uint64_t random = seed;
    memset(program, 0, sizeof(*program));
    memset(program->bytes, 0x90, sizeof(program->bytes));
    program->mode = mode;
    program->wide = mode == MODE_REAL ? 2 : 4;
    bool stores[SLOTS];
    for (unsigned i = 0; i < SLOTS - 2; i++) {
        uint64_t r = guest_random(&random);
        stores[i] = r >> 60 < 5;
        if (!stores[i])
            make_operation(program, i, r);
    }
    for (unsigned i = 0; i < SLOTS - 2; i++)
        if (stores[i])
            make_store(program, i, guest_random(&random) * 0x9E3779B97F4A7C15u);
    uint8_t *at = program->bytes + (SLOTS - 2) * SLOT_BYTES; /* and round again */
    *at++ = 0xE9;
    put(&at, (uint32_t) - (int32_t)((SLOTS - 2) * SLOT_BYTES + 1 + program->wide), program->wide);
    program->bytes[sizeof(program->bytes) - 1] = 0xC3;
}

static void start(Guest *guest, const Program *program, uint64_t seed) {
    uint64_t random = seed ^ 0xDA7A;
    CpuState *state = &guest->cpu->state;
    cpu_reset(guest->cpu, false);
    tlb_flush_all(&guest->cpu->tlb);
    translator_flush(guest->translator);
    memset(guest->ram, 0, STACK + 0x10000);
    memset(guest->ram + TABLES, 0, 0x4000);
    memcpy(guest->ram + CODE, program->bytes, sizeof(program->bytes));
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = (uint32_t)guest_random(&random);
    if (program->mode == MODE_REAL) {
        guest_enter_real_mode(guest, 0x1000, (uint16_t)(CODE - 0x10000));
        for (unsigned s = 0; s < SEG_COUNT; s++)
            if (s != SEG_CS)
                segment_load_real(guest->cpu, s, 0x1000);
        for (unsigned i = 0; i < 256; i++) /* after a fault from the start */
            memcpy(guest->ram + 4 * i, &(uint32_t){0x10000000u | (CODE - 0x10000)}, 4);
        state->gpr[REG_ESP] = 0xFFF0;
        state->gpr[REG_ESI] = state->gpr[REG_EDI] = 0x8000;
    } else {
        guest_enter_flat_mode(guest, TABLES, CODE, program->mode == MODE_PAGED);
        guest_resume_after_events(guest, TABLES, CODE & ~0xFFFu, 0xFFF, STACK);
        state->gpr[REG_ESP] = STACK;
        state->gpr[REG_ESI] = state->gpr[REG_EDI] = DATA;
    }
    state->instruction_count = 0;
    cpu_set_eflags(guest->cpu, (uint32_t)guest_random(&random) & FLAG_STATUS);
}

/* The page table that guest_enter_flat_mode() makes gets the second address of the code. */
static void map_alias(Guest *guest) {
    uint32_t directory = guest->cpu->state.cr3 & ~0xFFFu, table;
    memcpy(&table, guest->ram + directory, 4);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t entry = (0x10000 + i * PAGE_SIZE) | 7;
        memcpy(guest->ram + (table & ~0xFFFu) + 4 * ((ALIAS >> PAGE_BITS) + i), &entry, 4);
    }
}

static bool run_case(Guest both[2], uint64_t seed, Mode mode) {
    static Program program;
    char text[200];
    make_program(&program, seed, mode);
    for (unsigned i = 0; i < 2; i++) {
        start(&both[i], &program, seed);
        if (mode == MODE_PAGED)
            map_alias(&both[i]);
    }
    uint64_t random = seed;
    unsigned step = getenv("REPRISE_STEP") != NULL ? (unsigned)atoi(getenv("REPRISE_STEP")) : 0;
    for (uint64_t target = 1; target <= CASE_INSTRUCTIONS;
         target += step != 0 ? step : guest_random(&random) % 600 + 1) {
        RunExit a = guest_run(&both[0], target), b = guest_run(&both[1], target);
        if (a != b || !guest_compare(&both[0], &both[1], text, sizeof(text))) {
            fprintf(stderr, "seed %llu mode %d, up to instruction %llu: %s (exits %d, %d)\n",
                    (unsigned long long)seed, mode, (unsigned long long)target, text, a, b);
            return false;
        }
        if (a == RUN_HALTED || a == RUN_SHUTDOWN)
            break;
        if (guest_random(&random) % 8 == 0) /* as a disk does, into a field or not */
            for (unsigned i = 0; i < 2; i++)
                physical_write_bytes(both[i].map, CODE + (uint32_t)(random >> 40) % 1500,
                                     program.bytes + (random >> 20) % 1500, 1 + random % 30);
    }
    return true;
}

static const struct {
    TranslatorOptions options;
    unsigned share; /* runs one of so many cases */
} modes[] = {
    {{.backend = BACKEND_JIT}, 1},
    {{.backend = BACKEND_JIT, .no_fetched_operands = true}, 4},
    {{.backend = BACKEND_JIT, .no_side_stores = true}, 4},
    {{.backend = BACKEND_JIT, .no_revival = true}, 4},
    {{.backend = BACKEND_JIT, .eager_hot_paths = true}, 2},
    {{.backend = BACKEND_JIT, .no_chaining = true}, 8},
    {{.backend = BACKEND_JIT, .no_flag_states = true}, 8},
    {{.backend = BACKEND_JIT, .one_insn_blocks = true}, 8},
    {{.backend = BACKEND_JIT, .stress_seed = 7}, 4},
    {{.backend = BACKEND_JIT, .force_misses = true}, 8},
    {{.backend = BACKEND_JIT, .buffer_bytes = 64 << 10}, 8},
};

START_TEST(backends_agree_about_changing_code) {
    Guest both[2];
    unsigned cases =
        getenv("REPRISE_CASES") != NULL ? (unsigned)atoi(getenv("REPRISE_CASES")) : 160;
    guest_create(&both[0], &(TranslatorOptions){.backend = BACKEND_PORTABLE});
    guest_create(&both[1], &modes[_i].options);
    for (unsigned i = 0; i < cases / modes[_i].share; i++)
        ck_assert(run_case(both, seed_of_run + i, (Mode)((seed_of_run + i) % MODE_COUNT)));
    guest_destroy(&both[0]);
    guest_destroy(&both[1]);
}
END_TEST

int main(void) {
    if (translator_default_backend() != BACKEND_JIT) {
        printf("skipped: there is no translator for this host\n");
        return 77;
    }
    if (getenv("REPRISE_SEED") != NULL)
        seed_of_run = strtoull(getenv("REPRISE_SEED"), NULL, 0);
    Suite *suite = suite_create("code_stores");
    TCase *tests = tcase_create("code_stores");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, backends_agree_about_changing_code, 0,
                        (int)(sizeof(modes) / sizeof(modes[0])));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

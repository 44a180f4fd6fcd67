/* See oracle_case.h. */
#include "oracle_case.h"
#include "cpu.h"
#include "guest_fixture.h"
#include "oracle_operands.h"
#include "oracle_tolerance.h"
#include <string.h>

typedef struct Maker {
    OracleCase *made;
    uint64_t random;
    bool has_ldt;
} Maker;

static unsigned below(Maker *maker, unsigned limit) {
    return oracle_below(&maker->random, limit);
}

static bool one_in(Maker *maker, unsigned count) {
    return oracle_below(&maker->random, count) == 0;
}

uint32_t oracle_segment_base(uint16_t selector) {
    unsigned entry = selector >> 3;
    return (selector & 4) != 0 && entry < ORACLE_LDT_COUNT ? oracle_descriptors[entry].base : 0;
}

/* ---- Selectors ---- */

static uint16_t choose_data_selector(Maker *maker) {
    static const uint8_t entries[] = {ORACLE_LDT_WINDOW, ORACLE_LDT_WINDOW,
                                      ORACLE_LDT_SHORT,  ORACLE_LDT_READ_ONLY,
                                      ORACLE_LDT_CODE,   ORACLE_LDT_EXPAND_DOWN};
    if (!maker->has_ldt)
        return ORACLE_DS;
    return ORACLE_LDT_SELECTOR(entries[below(maker, sizeof(entries))]);
}

/* What an instruction tries to load or to look at. 33h would be 64-bit code in the host, and 78h
 * holds the number of the host's processor. */
static uint16_t choose_any_selector(Maker *maker) {
    static const uint16_t others[] = {
        0,    1,    3,    0x20, 0x21, 0x23, 0x28, 0x2A,   0x2B,   0x08, 0x10, 0x1B, 0x18, 0x38,
        0x40, 0x43, 0x50, 0x60, 0x63, 0x80, 0x83, 0xFFF8, 0xFFFF, 0x23, 0x2B, 0x2B, 0x5C, 0x67};
    unsigned entries = maker->has_ldt ? ORACLE_LDT_COUNT : 0;
    unsigned choice = below(maker, sizeof(others) / sizeof(others[0]) + 2 * entries);
    if (choice < 2 * entries)
        return (uint16_t)(ORACLE_LDT_SELECTOR(choice >> 1) & (one_in(maker, 4) ? ~3 : ~0));
    return others[choice - 2 * entries];
}

static uint16_t choose_code_selector(Maker *maker) {
    static const uint8_t entries[] = {ORACLE_LDT_CODE, ORACLE_LDT_EXECUTE_ONLY,
                                      ORACLE_LDT_CONFORMING, ORACLE_LDT_CODE_16};
    unsigned choice = below(maker, 8);
    if (choice == 0)
        return choose_any_selector(maker);
    if (choice < 4 && maker->has_ldt)
        return ORACLE_LDT_SELECTOR(entries[below(maker, sizeof(entries))]);
    return choice == 7 ? 0x20 : ORACLE_CS;
}

/* ---- Places ---- */

/* Where an operand of that size may lie: mostly on one writable page, at any alignment; sometimes
 * over the end of a page into another kind of page. */
static uint32_t choose_target(Maker *maker, unsigned size) {
    static const uint16_t ends[] = {0x0000, 0x1000, 0x1000, 0x1000, 0x2000, 0x3000, 0x4000};
    unsigned choice = below(maker, 16);
    if (size == 0)
        size = 1;
    if (choice < 7)
        return ORACLE_DATA + 64 * below(maker, (0x2000 - 512) / 64);
    if (choice < 11)
        return ORACLE_DATA + 512 + below(maker, 0x2000 - 2 * 512);
    if (choice < 14) {
        uint32_t end = ends[below(maker, sizeof(ends) / sizeof(ends[0]))];
        return ORACLE_DATA + end - below(maker, size + 1);
    }
    if (choice == 14)
        return ORACLE_READ_ONLY + below(maker, 0xC00);
    return ORACLE_STACK + below(maker, ORACLE_STACK_BYTES);
}

/* Where code may go on: into the filler, not into the case's own bytes. */
static uint32_t choose_landing(Maker *maker) {
    const OracleCase *made = maker->made;
    if (one_in(maker, 12))
        return (uint32_t)guest_random(&maker->random) | 0x80000000;
    for (;;) {
        uint32_t address = ORACLE_CODE + below(maker, ORACLE_CODE_BYTES);
        if (address - made->address >= ORACLE_INSN_BYTES)
            return address;
    }
}

static uint16_t segment_of(const Maker *maker, unsigned segment) {
    return maker->made->input.segment[segment];
}

/* ---- Aiming a memory operand ---- */

static void set_low(uint32_t *reg, uint32_t value, unsigned address_size) {
    *reg = address_size == 2 ? (*reg & 0xFFFF0000) | (value & 0xFFFF) : value;
}

static void set_displacement(OracleInsn *insn, uint32_t value) {
    memcpy(insn->bytes + insn->displacement, &value, insn->displacement_size);
    insn->insn.memory.displacement = (int32_t)value;
}

/* (1 + scale) times the register is to be 'sum'; for scale 1 that takes an even one. */
static uint32_t divide_by_scale(uint32_t sum, unsigned scale) {
    static const uint32_t inverse[9] = {
        [2] = 0xAAAAAAAB, [4] = 0xCCCCCCCD, [8] = 0x38E38E39}; /* of 3, 5 and 9 modulo 2^32 */
    return scale == 1 ? sum / 2 : sum * inverse[scale];
}

/* Registers, or the displacement where there are none, such that the operand has this offset. */
static void aim(Maker *maker, uint32_t offset) {
    OracleInsn *insn = &maker->made->insn;
    const MemoryOperand *memory = &insn->insn.memory;
    uint32_t *gpr = maker->made->input.gpr;
    unsigned size = insn->insn.address_size;
    uint32_t displacement = (uint32_t)memory->displacement;
    if (memory->base == NO_REGISTER) {
        uint32_t index = memory->index == NO_REGISTER ? 0 : gpr[memory->index] * memory->scale;
        if (insn->displacement_size == size)
            set_displacement(insn, offset - index);
    } else if (memory->index == NO_REGISTER) {
        set_low(&gpr[memory->base], offset - displacement, size);
    } else if (memory->base == memory->index) {
        gpr[memory->base] = divide_by_scale(offset - displacement, memory->scale);
    } else {
        uint32_t index = gpr[memory->index] * memory->scale;
        set_low(&gpr[memory->base], offset - displacement - index, size);
    }
}

static void put_value(Maker *maker, uint32_t address, unsigned length) {
    maker->made->value_address = address;
    maker->made->value_length = length;
}

static const Operand *find_memory(const Insn *insn) {
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operand[i].kind == OPERAND_MEM || insn->operand[i].kind == OPERAND_MOFFS)
            return &insn->operand[i];
    return NULL;
}

static bool is_bit_test(const Insn *insn) {
    return insn->code >= INSN_BT && insn->code <= INSN_BTC;
}

static void aim_memory(Maker *maker) {
    OracleCase *made = maker->made;
    const Insn *insn = &made->insn.insn;
    const Operand *operand = find_memory(insn);
    if (operand == NULL || one_in(maker, 40))
        return;
    unsigned size = operand->size;
    uint16_t selector = segment_of(maker, insn->memory.segment);
    uint32_t target = choose_target(maker, size), base = oracle_segment_base(selector);
    if (selector == ORACLE_LDT_SELECTOR(ORACLE_LDT_SHORT) && one_in(maker, 2))
        target = base + oracle_descriptors[ORACLE_LDT_SHORT].limit - below(maker, size + 2) + 1;
    if (selector == ORACLE_LDT_SELECTOR(ORACLE_LDT_EXPAND_DOWN) && one_in(maker, 2))
        target = base + oracle_descriptors[ORACLE_LDT_EXPAND_DOWN].limit - 1 + below(maker, 3);
    aim(maker, target - base);
    if (is_bit_test(insn) && insn->operand[1].kind == OPERAND_GPR && !one_in(maker, 8)) {
        uint32_t *reg = &made->input.gpr[insn->operand[1].reg];
        if (insn->operand[1].reg != insn->memory.base && insn->operand[1].reg != insn->memory.index)
            *reg = below(maker, 1024) - 512;
    }
    oracle_fill_operand(&maker->random, insn, made->value, size);
    put_value(maker, target, size);
    if (insn->code == INSN_FNSTENV || insn->code == INSN_FNSAVE || insn->code == INSN_FXSAVE) {
        made->image_address = target;
        made->image_length = size;
    }
}

/* ---- Instructions with operands that no ModRM names ---- */

static void aim_strings(Maker *maker) {
    OracleCase *made = maker->made;
    const Insn *insn = &made->insn.insn;
    unsigned size = insn->address_size;
    uint32_t source = choose_target(maker, 4), destination = choose_target(maker, 4);
    if (one_in(maker, 3)) /* over each other */
        destination = source + below(maker, 9) - 4;
    set_low(&made->input.gpr[REG_ESI],
            source - oracle_segment_base(segment_of(maker, insn->memory.segment)), size);
    set_low(&made->input.gpr[REG_EDI], destination - oracle_segment_base(segment_of(maker, SEG_ES)),
            size);
    if (!one_in(maker, 16))
        set_low(&made->input.gpr[REG_ECX], below(maker, one_in(maker, 8) ? 3000 : 24), size);
    if ((insn->code == INSN_SCAS || insn->code == INSN_CMPS) && one_in(maker, 2)) {
        memset(made->value, one_in(maker, 2) ? 0 : 0x41, 64); /* equal for a while */
        made->value[below(maker, 64)] ^= 1;
        made->input.gpr[REG_EAX] = made->value[0] * 0x01010101u;
        put_value(maker, insn->code == INSN_SCAS ? destination : source, 64);
    }
}

/* What a transfer finds on the stack, or by a far pointer: offset, selector, flags. */
static unsigned put_transfer(Maker *maker, unsigned size, bool is_far) {
    OracleCase *made = maker->made;
    uint16_t selector = is_far ? choose_code_selector(maker) : segment_of(maker, SEG_CS);
    uint32_t offset = choose_landing(maker) - oracle_segment_base(selector);
    uint32_t flags = oracle_choose_integer(&maker->random);
    if (one_in(maker, 2)) /* something in the upper half of the selector */
        memcpy(made->value + size + 2, &flags, 2);
    memcpy(made->value, &offset, size);
    memcpy(made->value + size, &selector, 2);
    flags = (flags & (FLAG_STATUS | FLAG_DF | FLAG_ID)) | FLAG_1 | FLAG_IF;
    if (one_in(maker, 4))
        flags ^= (uint32_t)guest_random(&maker->random) & ~(FLAG_NT | FLAG_VM | FLAG_TF);
    if (one_in(maker, 16))
        flags |= FLAG_TF;
    memcpy(made->value + 2 * size, &flags, size);
    return 3 * size;
}

static void aim_stack(Maker *maker, unsigned length) {
    OracleCase *made = maker->made;
    uint32_t base = oracle_segment_base(segment_of(maker, SEG_SS));
    uint32_t address = made->input.gpr[REG_ESP] + base;
    if (one_in(maker, 6))
        address = choose_target(maker, length);
    made->input.gpr[REG_ESP] = address - base;
    put_value(maker, address, length);
}

static void aim_relative(Maker *maker) {
    OracleInsn *insn = &maker->made->insn;
    unsigned size = insn->insn.operand[0].size;
    uint32_t next = maker->made->address + insn->length;
    if (size == 4 && !one_in(maker, 16)) {
        uint32_t distance = choose_landing(maker) - next;
        memcpy(insn->bytes + insn->immediate, &distance, 4);
    } else if (size == 2 && maker->has_ldt && !one_in(maker, 4)) {
        uint32_t distance = choose_landing(maker) - next;
        memcpy(insn->bytes + insn->immediate, &distance, 2);
    }
    if (!one_in(maker, 4)) /* LOOP */
        set_low(&maker->made->input.gpr[REG_ECX], below(maker, 4), insn->insn.address_size);
}

static void aim_far_pointer(Maker *maker) {
    OracleInsn *insn = &maker->made->insn;
    unsigned size = insn->insn.operand_size;
    put_transfer(maker, size, true);
    memcpy(insn->bytes + insn->immediate, maker->made->value, size + 2);
}

static void aim_indirect(Maker *maker, bool is_far) {
    OracleCase *made = maker->made;
    const Operand *operand = &made->insn.insn.operand[0];
    unsigned size = made->insn.insn.operand_size;
    put_transfer(maker, size, is_far);
    if (operand->kind == OPERAND_GPR)
        memcpy(&made->input.gpr[operand->reg], made->value, size);
}

static void aim_enter(Maker *maker) {
    OracleInsn *insn = &maker->made->insn;
    insn->bytes[insn->immediate + 1] &= one_in(maker, 8) ? 0xFF : 0x03;
    if (!one_in(maker, 4))
        insn->bytes[insn->immediate + 2] &= 7;
    maker->made->input.gpr[REG_EBP] =
        choose_target(maker, 32) - oracle_segment_base(segment_of(maker, SEG_SS));
}

static void aim_selector(Maker *maker) {
    OracleCase *made = maker->made;
    const Insn *insn = &made->insn.insn;
    const Operand *source = &insn->operand[insn->operand_count - 1];
    uint16_t selector = choose_any_selector(maker);
    if (insn->code == INSN_LSS && one_in(maker, 2))
        selector = ORACLE_DS; /* hardly another goes */
    if (insn->code == INSN_LDS || insn->code == INSN_LES || insn->code == INSN_LFS ||
        insn->code == INSN_LGS || insn->code == INSN_LSS)
        memcpy(made->value + insn->operand_size, &selector, 2);
    else if (source->kind == OPERAND_GPR)
        memcpy(&made->input.gpr[source->reg], &selector, 2);
    else
        memcpy(made->value, &selector, 2);
}

/* Dividends that most quotients fit; others are #DE. */
static void tame_division(Maker *maker) {
    uint32_t *gpr = maker->made->input.gpr;
    if (one_in(maker, 3))
        return;
    if (maker->made->insn.insn.operand[0].size == 1)
        gpr[REG_EAX] = (gpr[REG_EAX] & ~0xFFFFu) | below(maker, 0x4000);
    else
        gpr[REG_EDX] = one_in(maker, 2) ? below(maker, 64) : gpr[REG_EAX] & 0x80000000 ? ~0u : 0;
}

static void aim_bound(Maker *maker) {
    OracleCase *made = maker->made;
    const Insn *insn = &made->insn.insn;
    uint32_t middle = made->input.gpr[insn->operand[0].reg];
    uint32_t low = middle - below(maker, 4) + 1, high = middle + below(maker, 4) - 1;
    memcpy(made->value, &low, insn->operand_size);
    memcpy(made->value + insn->operand_size, &high, insn->operand_size);
}

static void aim_return(Maker *maker) {
    aim_stack(maker, put_transfer(maker, maker->made->insn.insn.operand_size, false));
}

static void aim_far_return(Maker *maker) {
    aim_stack(maker, put_transfer(maker, maker->made->insn.insn.operand_size, true));
}

static void aim_far_transfer(Maker *maker) {
    if (maker->made->insn.insn.operand[0].kind == OPERAND_FAR)
        aim_far_pointer(maker);
    else
        aim_indirect(maker, true);
}

static void aim_near_transfer(Maker *maker) {
    unsigned kind = maker->made->insn.insn.operand[0].kind;
    if (kind == OPERAND_GPR || kind == OPERAND_MEM)
        aim_indirect(maker, false);
}

static void aim_pop_sreg(Maker *maker) {
    uint8_t *value = maker->made->value;
    uint16_t selector = choose_any_selector(maker);
    oracle_fill(&maker->random, value, 4);
    memcpy(value, &selector, 2);
    aim_stack(maker, 4);
}

static void aim_push_sreg(Maker *maker) {
    OracleCase *made = maker->made;
    made->image_address =
        made->input.gpr[REG_ESP] + oracle_segment_base(segment_of(maker, SEG_SS)) - 4;
    made->image_length = made->insn.insn.operand_size == 4 ? 4 : 0;
}

static void aim_popf(Maker *maker) {
    uint8_t *value = maker->made->value;
    unsigned size = maker->made->insn.insn.operand_size;
    put_transfer(maker, size, true);
    memmove(value, value + 2 * size, size);
    aim_stack(maker, size);
}

static void aim_leave(Maker *maker) {
    maker->made->input.gpr[REG_EBP] =
        choose_target(maker, 4) - oracle_segment_base(segment_of(maker, SEG_SS));
}

typedef void AimFunction(Maker *maker);

static AimFunction *const aim_functions[INSN_COUNT] = {
    [INSN_RET] = aim_return,           [INSN_RET_FAR] = aim_far_return,
    [INSN_IRET] = aim_far_return,      [INSN_CALL_FAR] = aim_far_transfer,
    [INSN_JMP_FAR] = aim_far_transfer, [INSN_CALL] = aim_near_transfer,
    [INSN_JMP] = aim_near_transfer,    [INSN_POP_SREG] = aim_pop_sreg,
    [INSN_PUSH_SREG] = aim_push_sreg,  [INSN_POPF] = aim_popf,
    [INSN_ENTER] = aim_enter,          [INSN_LEAVE] = aim_leave,
    [INSN_BOUND] = aim_bound,          [INSN_DIV] = tame_division,
    [INSN_IDIV] = tame_division,       [INSN_MOV_SREG] = aim_selector,
    [INSN_LDS] = aim_selector,         [INSN_LES] = aim_selector,
    [INSN_LFS] = aim_selector,         [INSN_LGS] = aim_selector,
    [INSN_LSS] = aim_selector,         [INSN_LAR] = aim_selector,
    [INSN_LSL] = aim_selector,         [INSN_VERR] = aim_selector,
    [INSN_VERW] = aim_selector,        [INSN_LLDT] = aim_selector,
    [INSN_LTR] = aim_selector,
};

static void aim_others(Maker *maker) {
    AimFunction *function = aim_functions[maker->made->insn.insn.code];
    if (function != NULL)
        function(maker);
}

/* ---- The whole ---- */

/* Another stack segment: ESP somewhere within it, or near its limit. */
static void choose_stack_segment(Maker *maker) {
    static const uint8_t entries[] = {ORACLE_LDT_WINDOW, ORACLE_LDT_SHORT, ORACLE_LDT_EXPAND_DOWN};
    OracleInput *input = &maker->made->input;
    unsigned entry = entries[below(maker, sizeof(entries))];
    uint32_t limit = oracle_descriptors[entry].limit;
    input->segment[SEG_SS] = ORACLE_LDT_SELECTOR(entry);
    if (entry == ORACLE_LDT_SHORT)
        input->gpr[REG_ESP] = ORACLE_DATA + 4 * below(maker, 0x500);
    input->gpr[REG_ESP] -= oracle_descriptors[entry].base;
    if (one_in(maker, 3))
        input->gpr[REG_ESP] = limit + below(maker, 32) - 16;
}

static void choose_registers(Maker *maker) {
    OracleInput *input = &maker->made->input;
    uint64_t *random = &maker->random;
    for (unsigned i = 0; i < 8; i++)
        input->gpr[i] = oracle_choose_integer(random);
    input->gpr[REG_ESP] = ORACLE_STACK + 512 + 4 * below(maker, (ORACLE_STACK_BYTES - 1024) / 4);
    if (one_in(maker, 8))
        input->gpr[REG_ESP] += below(maker, 4);
    input->eflags = ((uint32_t)guest_random(random) & (FLAG_STATUS | FLAG_DF)) | FLAG_IF | FLAG_1;
    if (one_in(maker, 16))
        input->eflags |= FLAG_AC;
    if (one_in(maker, 32))
        input->eflags |= FLAG_TF;
    if (one_in(maker, 16))
        input->eflags |= FLAG_ID;
    input->segment[SEG_CS] = ORACLE_CS;
    input->segment[SEG_SS] = ORACLE_DS;
    input->segment[SEG_DS] = one_in(maker, 12) ? choose_data_selector(maker) : ORACLE_DS;
    input->segment[SEG_ES] = one_in(maker, 12) ? choose_data_selector(maker) : ORACLE_DS;
    if (maker->has_ldt && one_in(maker, 24))
        choose_stack_segment(maker);
    input->segment[SEG_FS] = one_in(maker, 2) ? ORACLE_DS : 0;
    input->segment[SEG_GS] = choose_data_selector(maker);
    input->mxcsr = oracle_choose_mxcsr(random);
    oracle_fill_fpu(random, input->fpu);
    oracle_fill(random, (uint8_t *)input->xmm, sizeof(input->xmm));
}

/* Mostly anywhere in the first page; sometimes over a page's end, also into the page that is not
 * there. */
static void choose_address(Maker *maker) {
    OracleCase *made = maker->made;
    unsigned choice = below(maker, 16);
    made->address = ORACLE_CODE + 64 + below(maker, ORACLE_PAGE - 256);
    if (choice == 0)
        made->address = ORACLE_CODE + ORACLE_PAGE - below(maker, 8);
    else if (choice == 1)
        made->address = ORACLE_CODE + ORACLE_CODE_BYTES - below(maker, 16) - 1;
}

/* What shows more of the x87 than a signal does: WAIT an exception, FNSTENV the last instruction's
 * addresses. */
static unsigned write_x87_tail(Maker *maker, uint8_t *tail) {
    static const uint8_t store[] = {0x36, 0xD9, 0x35}; /* fnstenv ss:[...] */
    const uint32_t address = ORACLE_STACK + ORACLE_STACK_BYTES - 32;
    OracleCase *made = maker->made;
    if (one_in(maker, 3)) {
        tail[0] = 0x9B;
        return 1;
    }
    if (made->image_length != 0 || made->insn.mode != DECODE_32 ||
        segment_of(maker, SEG_SS) != ORACLE_DS || one_in(maker, 2) ||
        oracle_is_transcendental(&made->insn.insn))
        return 0;
    memcpy(tail, store, sizeof(store));
    memcpy(tail + sizeof(store), &address, 4);
    made->image_address = address;
    made->image_length = 28;
    return sizeof(store) + 4;
}

/* The instruction, and one over which a trap may come. */
static void write_code(Maker *maker) {
    OracleCase *made = maker->made;
    uint32_t end = ORACLE_CODE + ORACLE_CODE_BYTES;
    unsigned length = made->insn.length;
    memcpy(made->code, made->insn.bytes, length);
    if (made->row->row->attributes & ROW_X87)
        length += write_x87_tail(maker, made->code + length);
    made->code[length++] = 0x90;
    made->code_length = length < end - made->address ? length : end - made->address;
    made->input.eip = made->address - oracle_segment_base(segment_of(maker, SEG_CS));
}

/* A branch must not go into the middle of the case, whose bytes are any instruction. */
static bool is_safe(const OracleCase *made) {
    const Insn *insn = &made->insn.insn;
    if (insn->operand[0].kind != OPERAND_REL || made->insn.status != DECODE_OK)
        return true;
    uint32_t base = oracle_segment_base(made->input.segment[SEG_CS]);
    uint32_t target = made->input.eip + made->insn.length + insn->immediate;
    if (insn->operand_size == 2)
        target &= 0xFFFF;
    target += base;
    bool is_inside = target - made->address < made->insn.length;
    return !is_inside && (!oracle_is_mapped(target) || target < ORACLE_CODE + ORACLE_CODE_BYTES);
}

bool oracle_case_make(OracleCase *made, const OracleRow *row, uint64_t seed, bool has_ldt) {
    Maker maker = {made, seed * UINT64_C(0x9E3779B97F4A7C15) + row->opcode, has_ldt};
    made->seed = seed;
    made->row = row;
    made->value_length = made->image_length = 0;
    DecodeMode mode = has_ldt && one_in(&maker, 6) ? DECODE_16 : DECODE_32;
    if (!oracle_insn_make(&made->insn, row, mode, &maker.random))
        return false;
    choose_registers(&maker);
    if (mode == DECODE_16)
        made->input.segment[SEG_CS] = ORACLE_LDT_SELECTOR(ORACLE_LDT_CODE_16);
    else if (has_ldt && one_in(&maker, 24))
        made->input.segment[SEG_CS] = ORACLE_LDT_SELECTOR(ORACLE_LDT_CODE + below(&maker, 3));
    choose_address(&maker);
    if (made->insn.status == DECODE_OK) {
        const Insn *insn = &made->insn.insn;
        aim_memory(&maker);
        if (insn->row->attributes & ROW_STRING)
            aim_strings(&maker);
        else if (insn->operand[0].kind == OPERAND_REL)
            aim_relative(&maker);
        else
            aim_others(&maker);
        oracle_insn_decode(&made->insn);
    }
    write_code(&maker);
    return is_safe(made);
}

/* See portable_quick.h. */
#include "portable_quick.h"
#include "little_endian.h"
#include "segment.h"

#define GO_ON return op[1].run(portable, uop + 1, op + 1)

/* By the function for all its forms, with everything in place that those need. */
static PortableExit run_any(Portable *portable, const Uop *uop, const QuickOp *op) {
    portable_begin_insn(portable, uop->insn);
    PortableStep step = portable_table[uop->code](portable, uop);
    if (step == STEP_ON && !portable_wants_stop(portable))
        GO_ON;
    if (step == STEP_ON)
        return portable_run_from(portable, uop + 1, uop->insn);
    if (step != STEP_REPEATED)
        return portable_leave(portable, step, uop->insn);
    if (!portable_end_repeated(portable) || portable_wants_stop(portable))
        return portable_run_from(portable, uop + 1, uop->insn);
    GO_ON;
}

/* --- memory --- */

/* Host address of an operand, where segment and page are nothing special; else NULL. */
static inline uint8_t *find_memory(Portable *portable, const UopAddress *address, unsigned size,
                                   bool write) {
    const Cpu *cpu = portable->cpu;
    const Segment *segment = &cpu->state.segment[address->segment];
    uint32_t offset = portable_offset(portable, address);
    const uint16_t looked_at = ACCESS_CODE | ACCESS_EC | ACCESS_P | ACCESS_RW;
    if (segment->kind != SEGMENT_FLAT || (segment->access & ACCESS_CODE)) {
        if ((segment->access & looked_at) != (ACCESS_P | ACCESS_RW) ||
            (uint64_t)offset + size - 1 > segment->limit)
            return NULL;
    }
    uint32_t linear = segment->base + offset;
    if ((linear & (size - 1)) && (cpu->state.eflags & FLAG_AC))
        return NULL;
    return tlb_find_plain(&cpu->tlb, (cpu->state.cpl == 3 ? TLB_USER_READ : TLB_SUPER_READ) + write,
                          linear, size);
}

static inline void store_value(uint8_t *to, unsigned size, uint32_t value) {
    if (size == 1)
        *to = (uint8_t)value;
    else if (size == 2)
        store_le16(to, (uint16_t)value);
    else
        store_le32(to, value);
}

static inline uint32_t read_plain_src(const Portable *portable, const Uop *uop, unsigned size) {
    return uop->src_kind == UOPERAND_IMM ? uop->imm & (uint32_t)alu_mask(size)
                                         : portable_get_register(portable, uop->src, size);
}

/* --- moves --- */

#define MOVES(bits, size)                                                                          \
    static PortableExit run_mov_register_##bits(Portable *portable, const Uop *uop,                \
                                                const QuickOp *op) {                               \
        portable_set_register(portable, uop->dst, size,                                            \
                              portable_get_register(portable, uop->src, size));                    \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_mov_immediate_##bits(Portable *portable, const Uop *uop,               \
                                                 const QuickOp *op) {                              \
        portable_set_register(portable, uop->dst, size, uop->imm &(uint32_t)alu_mask(size));       \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_load_##bits(Portable *portable, const Uop *uop, const QuickOp *op) {   \
        const uint8_t *from = find_memory(portable, &uop->address, size, false);                   \
        if (from == NULL)                                                                          \
            return run_any(portable, uop, op);                                                     \
        portable_set_register(portable, uop->dst, size, (uint32_t)load_le(from, size));            \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_store_##bits(Portable *portable, const Uop *uop, const QuickOp *op) {  \
        uint8_t *to = find_memory(portable, &uop->address, size, true);                            \
        if (to == NULL)                                                                            \
            return run_any(portable, uop, op);                                                     \
        store_value(to, size, read_plain_src(portable, uop, size));                                \
        GO_ON;                                                                                     \
    }
MOVES(8, 1)
MOVES(16, 2)
MOVES(32, 4)

/* MOVZX and MOVSX. */
#define EXTENSIONS(bits, source_size)                                                              \
    static PortableExit run_movzx_load_##bits(Portable *portable, const Uop *uop,                  \
                                              const QuickOp *op) {                                 \
        const uint8_t *from = find_memory(portable, &uop->address, source_size, false);            \
        if (from == NULL)                                                                          \
            return run_any(portable, uop, op);                                                     \
        portable_set_register(portable, uop->dst, uop->size,                                       \
                              (uint32_t)load_le(from, source_size));                               \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_movzx_register_##bits(Portable *portable, const Uop *uop,              \
                                                  const QuickOp *op) {                             \
        portable_set_register(portable, uop->dst, uop->size,                                       \
                              portable_get_register(portable, uop->src, source_size));             \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_movsx_load_##bits(Portable *portable, const Uop *uop,                  \
                                              const QuickOp *op) {                                 \
        const uint8_t *from = find_memory(portable, &uop->address, source_size, false);            \
        if (from == NULL)                                                                          \
            return run_any(portable, uop, op);                                                     \
        portable_set_register(portable, uop->dst, uop->size,                                       \
                              (uint32_t)alu_sign_extend(source_size, load_le(from, source_size))); \
        GO_ON;                                                                                     \
    }
EXTENSIONS(8, 1)
EXTENSIONS(16, 2)

static PortableExit run_lea(Portable *portable, const Uop *uop, const QuickOp *op) {
    portable_set_register(portable, uop->dst, uop->size, portable_offset(portable, &uop->address));
    GO_ON;
}

/* --- arithmetic and logic --- */

typedef uint64_t AluFunction(unsigned size, uint64_t a, uint64_t b, uint32_t *flags);

__attribute__((always_inline)) static inline uint32_t
compute(Portable *portable, unsigned size, uint32_t a, uint32_t b, AluFunction *function) {
    uint32_t flags = cpu_get_status_flags(portable->cpu);
    uint32_t result = (uint32_t)function(size, a, b, &flags);
    cpu_set_status_flags(portable->cpu, flags);
    return result;
}

/* dst a register; src a register, an immediate, or memory. */
#define BINARY_TO_REGISTER(name, bits, size, function, keep)                                       \
    static PortableExit run_##name##_##bits(Portable *portable, const Uop *uop,                    \
                                            const QuickOp *op) {                                   \
        uint32_t a = portable_get_register(portable, uop->dst, size);                              \
        uint32_t b = read_plain_src(portable, uop, size);                                          \
        uint32_t result = compute(portable, size, a, b, function);                                 \
        if (keep)                                                                                  \
            portable_set_register(portable, uop->dst, size, result);                               \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_##name##_load_##bits(Portable *portable, const Uop *uop,               \
                                                 const QuickOp *op) {                              \
        const uint8_t *from = find_memory(portable, &uop->address, size, false);                   \
        if (from == NULL)                                                                          \
            return run_any(portable, uop, op);                                                     \
        uint32_t a = portable_get_register(portable, uop->dst, size);                              \
        uint32_t b = (uint32_t)load_le(from, size);                                                \
        uint32_t result = compute(portable, size, a, b, function);                                 \
        if (keep)                                                                                  \
            portable_set_register(portable, uop->dst, size, result);                               \
        GO_ON;                                                                                     \
    }                                                                                              \
    static PortableExit run_##name##_memory_##bits(Portable *portable, const Uop *uop,             \
                                                   const QuickOp *op) {                            \
        uint8_t *at = find_memory(portable, &uop->address, size, keep);                            \
        if (at == NULL)                                                                            \
            return run_any(portable, uop, op);                                                     \
        uint32_t b = read_plain_src(portable, uop, size);                                          \
        uint32_t result = compute(portable, size, (uint32_t)load_le(at, size), b, function);       \
        if (keep)                                                                                  \
            store_value(at, size, result);                                                         \
        GO_ON;                                                                                     \
    }
#define BINARY(name, function, keep)                                                               \
    BINARY_TO_REGISTER(name, 8, 1, function, keep)                                                 \
    BINARY_TO_REGISTER(name, 16, 2, function, keep)                                                \
    BINARY_TO_REGISTER(name, 32, 4, function, keep)
BINARY(add, alu_add, true)
BINARY(adc, alu_adc, true)
BINARY(sub, alu_sub, true)
BINARY(sbb, alu_sbb, true)
BINARY(and, alu_and, true)
BINARY(or, alu_or, true)
BINARY(xor, alu_xor, true)
BINARY(cmp, alu_sub, false)
BINARY(test, alu_and, false)

/* Where nobody looks at the flags. */
#define FLAGLESS(name, expression)                                                                 \
    static PortableExit run_##name##_flagless(Portable *portable, const Uop *uop,                  \
                                              const QuickOp *op) {                                 \
        uint32_t a = portable_get_register(portable, uop->dst, 4);                                 \
        uint32_t b = read_plain_src(portable, uop, 4);                                             \
        portable_set_register(portable, uop->dst, 4, expression);                                  \
        GO_ON;                                                                                     \
    }
FLAGLESS(add, a + b)
FLAGLESS(sub, a - b)
FLAGLESS(and, a &b)
FLAGLESS(or, a | b)
FLAGLESS(xor, a ^ b)
FLAGLESS(shl, a << (b & 31))
FLAGLESS(shr, a >> (b & 31))

static PortableExit run_inc_flagless(Portable *portable, const Uop *uop, const QuickOp *op) {
    portable_set_register(portable, uop->dst, 4, portable_get_register(portable, uop->dst, 4) + 1);
    GO_ON;
}
static PortableExit run_dec_flagless(Portable *portable, const Uop *uop, const QuickOp *op) {
    portable_set_register(portable, uop->dst, 4, portable_get_register(portable, uop->dst, 4) - 1);
    GO_ON;
}

#define UNARY(name, bits, size)                                                                    \
    static PortableExit run_##name##_##bits(Portable *portable, const Uop *uop,                    \
                                            const QuickOp *op) {                                   \
        uint32_t flags = cpu_get_status_flags(portable->cpu);                                      \
        uint32_t a = portable_get_register(portable, uop->dst, size);                              \
        portable_set_register(portable, uop->dst, size, (uint32_t)alu_##name(size, a, &flags));    \
        cpu_set_status_flags(portable->cpu, flags);                                                \
        GO_ON;                                                                                     \
    }
UNARY(inc, 8, 1)
UNARY(inc, 16, 2)
UNARY(inc, 32, 4)
UNARY(dec, 8, 1)
UNARY(dec, 16, 2)
UNARY(dec, 32, 4)

#define SHIFT(name)                                                                                \
    static PortableExit run_##name##_32(Portable *portable, const Uop *uop, const QuickOp *op) {   \
        uint32_t flags = cpu_get_status_flags(portable->cpu);                                      \
        uint32_t a = portable_get_register(portable, uop->dst, 4);                                 \
        portable_set_register(portable, uop->dst, 4,                                               \
                              (uint32_t)alu_##name(4, a, uop->imm, &flags));                       \
        cpu_set_status_flags(portable->cpu, flags);                                                \
        GO_ON;                                                                                     \
    }
SHIFT(shl)
SHIFT(shr)
SHIFT(sar)
SHIFT(rol)
SHIFT(ror)

/* --- jumps --- */

static PortableExit leave_to(Portable *portable, uint32_t target, unsigned insn) {
    portable->cpu->iterations = 0;
    portable->target = target;
    return portable_leave(portable, STEP_LEAVE, insn);
}

#define CONDITION(number)                                                                          \
    static PortableExit run_jcc_##number(Portable *portable, const Uop *uop, const QuickOp *op) {  \
        if (alu_condition_holds(number, cpu_get_status_flags(portable->cpu)))                      \
            return leave_to(portable, uop->imm, uop->insn);                                        \
        GO_ON;                                                                                     \
    }
// clang-format off
CONDITION(0) CONDITION(1) CONDITION(2) CONDITION(3) CONDITION(4) CONDITION(5) CONDITION(6) CONDITION(7)
CONDITION(8) CONDITION(9) CONDITION(10) CONDITION(11) CONDITION(12) CONDITION(13) CONDITION(14) CONDITION(15)

static QuickFunction *const conditional_jumps[16] = {
    run_jcc_0, run_jcc_1, run_jcc_2, run_jcc_3, run_jcc_4, run_jcc_5, run_jcc_6, run_jcc_7,
    run_jcc_8, run_jcc_9, run_jcc_10, run_jcc_11, run_jcc_12, run_jcc_13, run_jcc_14, run_jcc_15,
};
// clang-format on

static PortableExit run_jmp(Portable *portable, const Uop *uop, const QuickOp *op) {
    (void)op;
    return leave_to(portable, uop->imm, uop->insn);
}

static PortableExit run_jmp_indirect(Portable *portable, const Uop *uop, const QuickOp *op) {
    (void)op;
    return leave_to(portable, portable_get_register(portable, uop->src, 4), uop->insn);
}

/* --- which function a micro-op gets --- */

/* By size: 1, 2, 4. */
typedef struct BySize {
    QuickFunction *run[3];
} BySize;
#define SIZES(name)                                                                                \
    {                                                                                              \
        { run_##name##_8, run_##name##_16, run_##name##_32 }                                       \
    }

/* Operations with two operands: dst and src as BINARY has them. */
static const struct BinaryRow {
    BySize plain, load, memory;
    QuickFunction *flagless;
} binary_rows[UOP_COUNT] = {
#define ROW(name) SIZES(name), SIZES(name##_load), SIZES(name##_memory)
    [UOP_ADD] = {ROW(add), run_add_flagless},
    [UOP_SUB] = {ROW(sub), run_sub_flagless},
    [UOP_AND] = {ROW(and), run_and_flagless},
    [UOP_OR] = {ROW(or), run_or_flagless},
    [UOP_XOR] = {ROW(xor), run_xor_flagless},
    [UOP_ADC] = {ROW(adc), NULL},
    [UOP_SBB] = {ROW(sbb), NULL},
    [UOP_CMP] = {ROW(cmp), NULL},
    [UOP_TEST] = {ROW(test), NULL},
};

/* Those of a register alone, or with an immediate count, of four bytes. */
static const struct UnaryRow {
    BySize plain;
    QuickFunction *flagless;
} unary_rows[UOP_COUNT] = {
    [UOP_INC] = {SIZES(inc), run_inc_flagless},
    [UOP_DEC] = {SIZES(dec), run_dec_flagless},
    [UOP_SHL] = {{{NULL, NULL, run_shl_32}}, run_shl_flagless},
    [UOP_SHR] = {{{NULL, NULL, run_shr_32}}, run_shr_flagless},
    [UOP_SAR] = {{{NULL, NULL, run_sar_32}}, NULL},
    [UOP_ROL] = {{{NULL, NULL, run_rol_32}}, NULL},
    [UOP_ROR] = {{{NULL, NULL, run_ror_32}}, NULL},
};

static const BySize moves[4] = {SIZES(mov_register), SIZES(mov_immediate), SIZES(load),
                                SIZES(store)};

static QuickFunction *choose_move(const Uop *uop, unsigned size) {
    if (uop->dst_kind == UOPERAND_MEM)
        return moves[3].run[size];
    return moves[uop->src_kind == UOPERAND_MEM ? 2 : uop->src_kind == UOPERAND_IMM].run[size];
}

static QuickFunction *choose_extension(const Uop *uop) {
    bool is_byte = uop->src_size == 1;
    if (uop->dst_kind != UOPERAND_REG || uop->src_size > 2 || uop->src_kind == UOPERAND_IMM)
        return run_any;
    if (uop->code == UOP_MOVSX)
        return uop->src_kind != UOPERAND_MEM ? run_any
               : is_byte                     ? run_movsx_load_8
                                             : run_movsx_load_16;
    if (uop->src_kind == UOPERAND_MEM)
        return is_byte ? run_movzx_load_8 : run_movzx_load_16;
    return is_byte ? run_movzx_register_8 : run_movzx_register_16;
}

/* Does nobody look at the flags, not even a run loop that is wanted after the instruction? */
static bool may_drop_flags(const UopBlock *block, unsigned index) {
    const Uop *uop = &block->uop[index];
    if ((uop->flags_needed & uop->flags_written) != 0 || uop->may_keep_flags || uop->size != 4)
        return false;
    for (unsigned i = index + 1; i-- > 0 && block->uop[i].insn == uop->insn;)
        if (uop_is_interruptible(&block->uop[i]))
            return false;
    return true;
}

static QuickFunction *choose(const UopBlock *block, unsigned index) {
    const Uop *uop = &block->uop[index];
    unsigned size = uop->size >> 1; /* 0, 1, 2 */
    bool plain = uop->dst_kind == UOPERAND_REG &&
                 (uop->src_kind == UOPERAND_REG || uop->src_kind == UOPERAND_IMM);
    const struct BinaryRow *binary = &binary_rows[uop->code];
    const struct UnaryRow *unary = &unary_rows[uop->code];
    if (uop->size != 1 && uop->size != 2 && uop->size != 4)
        size = 2; /* of a jump */
    if (binary->plain.run[2] != NULL) {
        if (plain && binary->flagless != NULL && may_drop_flags(block, index))
            return binary->flagless;
        return uop->dst_kind == UOPERAND_MEM   ? binary->memory.run[size]
               : uop->src_kind == UOPERAND_MEM ? binary->load.run[size]
                                               : binary->plain.run[size];
    }
    if (unary->plain.run[size] != NULL && uop->dst_kind == UOPERAND_REG) {
        bool is_shift = uop->code != UOP_INC && uop->code != UOP_DEC;
        if (is_shift && uop->src_kind != UOPERAND_IMM)
            return run_any;
        return unary->flagless != NULL && may_drop_flags(block, index) ? unary->flagless
                                                                       : unary->plain.run[size];
    }
    switch (uop->code) {
    case UOP_MOV:
        return choose_move(uop, size);
    case UOP_MOVZX:
    case UOP_MOVSX:
        return choose_extension(uop);
    case UOP_LEA:
        return run_lea;
    case UOP_JCC:
        return conditional_jumps[uop->condition & 15];
    case UOP_JMP:
        return run_jmp;
    case UOP_JMP_INDIRECT:
        return run_jmp_indirect;
    default:
        return run_any;
    }
}

void portable_prepare(const UopBlock *block, QuickOp *ops) {
    for (unsigned i = 0; i < block->uop_count; i++)
        ops[i].run = choose(block, i);
}

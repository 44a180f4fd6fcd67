/* Guest MMX and SSE instructions on the host's vector unit: moves, integers, and what all of them
 * have in common.
 *
 * XMM0 to XMM7 are in V16 to V23 while cpu->fpu_live says so; FPCR has the guest's rounding then,
 * and FPSR what was raised since. A block that has SSE instructions looks at its first one; calls
 * of C in between bring the registers back, but for helpers. MMX registers stay in the Cpu. What
 * has no emitter is done by a function in C, with the memory operand in cpu->bounce. */
#include "aarch64_vector.h"
#include "aarch64_vector_codes.h"
#include "cpu_feature.h"

/* --- where operands are --- */

static int32_t mmx_home(unsigned index) {
    return CPU_OFFSET(state.fpu.st[0]) + (int32_t)(index * sizeof(struct FpuRegister));
}

/* cbz fpu_live, stub */
static void require_live(ArmTranslation *translation) {
    if (translation->fpu_live)
        return;
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(fpu_live));
    arm_add_detour(translation, arm_branch_zero(&translation->assembler, false, false, ARM_SCRATCH),
                   ARM_DETOUR_LOAD_FPU, 0);
    translation->fpu_live = true;
}

static bool touches_xmm(const VectorShape *shape) {
    return shape->sse;
}

static void load_mmx(ArmTranslation *translation, unsigned v, unsigned index) {
    arm_load_vector(&translation->assembler, 8, v, ARM_CPU, (uint32_t)mmx_home(index));
}

/* The first instruction of a block that touches MMX registers makes TOP 0 and no register empty, if
 * that is not so already: the tags of all others are by their contents then. */
static void enter_mmx(ArmTranslation *translation) {
    ArmAssembler *assembler = &translation->assembler;
    if (translation->mmx_entered)
        return;
    arm_load_cpu(translation, 2, ARM_SCRATCH, CPU_OFFSET(state.fpu.status));
    arm_load_cpu(translation, 2, ARM_SCRATCH2, CPU_OFFSET(state.fpu.tags));
    arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, ARM_SCRATCH, 7 << 11);
    arm_logic(assembler, false, ARM_AND, false, ARM_SCRATCH2, ARM_SCRATCH2, ARM_SCRATCH2, ARM_LSR,
              1);
    arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH2, ARM_SCRATCH2, 0x55555555);
    arm_logic(assembler, false, ARM_ORR, false, ARM_SCRATCH, ARM_SCRATCH, ARM_SCRATCH2, ARM_LSL, 0);
    arm_add_detour(translation, arm_branch_zero(assembler, false, true, ARM_SCRATCH),
                   ARM_DETOUR_ENTER_MMX, 0);
    translation->mmx_entered = true;
    translation->mmx_written = 0;
}

/* Its exponent and its tag (special) stay what the first such store of a block made them. */
static void store_mmx(ArmTranslation *translation, unsigned v, unsigned index) {
    ArmAssembler *assembler = &translation->assembler;
    arm_store_vector(assembler, 8, v, ARM_CPU, (uint32_t)mmx_home(index));
    if (translation->mmx_written >> index & 1)
        return;
    translation->mmx_written |= (uint8_t)(1u << index);
    arm_mov_imm(assembler, ARM_SCRATCH, 0xFFFF);
    arm_store_cpu(translation, 2, ARM_SCRATCH, mmx_home(index) + 8);
    arm_load_cpu(translation, 2, ARM_SCRATCH, CPU_OFFSET(state.fpu.tags));
    arm_mov_imm(assembler, ARM_SCRATCH2, 2);
    arm_insert(assembler, ARM_SCRATCH, ARM_SCRATCH2, 2 * index, 2);
    arm_store_cpu(translation, 2, ARM_SCRATCH, CPU_OFFSET(state.fpu.tags));
}

void arm_forget_fpu(ArmTranslation *translation) {
    translation->fpu_live = translation->mmx_entered = false;
    arm_forget_x87_pointers(translation);
}

/* An address that is no multiple of 16 leaves for a single step, which faults. */
void arm_begin_vector_memory(ArmTranslation *translation, const Uop *uop,
                             const VectorShape *shape) {
    arm_memory_begin(translation, uop->dst_kind == UOPERAND_MEM ? SITE_WRITE : SITE_READ,
                     uop->size);
    if (!shape->aligned || uop->size != 16)
        return;
    ArmSlowPath *slow = &translation->slow[translation->slow_count];
    translation->backend->sites[slow->site].aligned = 1;
    arm_add_leave(translation, slow->unaligned_site, LEAVE_STEP, slow->site);
    slow->unaligned_site = NULL;
}

/* --- instructions in C --- */

uint32_t arm_keep_vector_uop(ArmTranslation *translation) {
    JitBackend *backend = translation->backend;
    if (backend->kept_uop_count == KEPT_UOP_COUNT) {
        translation->failed = true;
        return 0;
    }
    uint32_t number = backend->kept_uop_count++;
    backend->kept_uops[number] = *translation->uop;
    return number;
}

void arm_emit_vector_call(ArmTranslation *translation, uint32_t number, bool memory) {
    if (memory)
        arm_store_vector(&translation->assembler, 16, ARM_VECTOR_SOURCE, ARM_CPU,
                         (uint32_t)CPU_OFFSET(bounce));
    arm_emit_call(translation, translation->backend->vector, number);
}

static void emit_in_c(ArmTranslation *translation, const Uop *uop, const VectorShape *shape) {
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    if (uop->dst_kind == UOPERAND_MEM) {
        arm_add_leave(translation, arm_branch(&translation->assembler), LEAVE_STEP, site);
        return;
    }
    if (uop_has_memory(uop)) {
        arm_begin_vector_memory(translation, uop, shape);
        arm_load_memory_vector(translation, uop->size, ARM_VECTOR_SOURCE, 0);
        arm_memory_end(translation);
    }
    if (shape->reg == VECTOR_BANK_GPR)
        arm_flags_before_register_write(translation, uop->imm >> 3 & 7);
    if (shape->rm == VECTOR_BANK_GPR)
        arm_flags_before_register_write(translation, uop->imm & 7);
    arm_emit_vector_call(translation, arm_keep_vector_uop(translation), uop_has_memory(uop));
    translation->mmx_entered = false;
    if (uop->flags_written != 0)
        arm_flags_are_in_memory(translation);
}

/* --- integers --- */

/* Lanes of 8 bytes come in twos alone; the second of an MMX register is not stored. */
static uint32_t whole(const ArmVector *v, unsigned lane_size) {
    return v->wide || lane_size == 8 ? ARM_WHOLE : 0;
}

static void vector(const ArmVector *v, uint32_t code, unsigned d, unsigned n, unsigned m) {
    arm_vector(v->assembler, code, d, n, m);
}

static void copy(const ArmVector *v, unsigned d, unsigned n) {
    if (d != n)
        vector(v, VORR | ARM_WHOLE, d, n, n);
}

static unsigned lane_size(uint32_t code) {
    return (code & ARM_LANES_64) == ARM_LANES_64 ? 8 : 4;
}

/* op d, a, b */
static void emit_lanes(const ArmVector *v) {
    vector(v, v->row->code | whole(v, lane_size(v->row->code)), v->d, v->a, v->b);
}

/* The second one first: PANDN. */
static void emit_reversed(const ArmVector *v) {
    vector(v, v->row->code | whole(v, 1), v->d, v->b, v->a);
}

/* PACKSSWB and its like: sqxtn v24, a; sqxtn2 v24, b; or both beside each other first. */
static void emit_pack(const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT;
    if (v->wide) {
        vector(v, v->row->code, t, v->a, 0);
        vector(v, v->row->code | ARM_WHOLE, t, v->b, 0);
        copy(v, v->d, t);
    } else {
        vector(v, VZIP1 | ARM_WHOLE | ARM_LANES_64, t, v->a, v->b);
        vector(v, v->row->code, v->d, t, 0);
    }
}

/* PMULHW: smull v24, a, b; smull2 v27, a, b; uzp2 d, v24, v27 */
static void emit_multiply_high(const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT, u = ARM_VECTOR_OTHER;
    vector(v, v->row->code, t, v->a, v->b);
    if (!v->wide) {
        vector(v, VSHRN | arm_shift_right(2, 16), v->d, t, 0);
        return;
    }
    vector(v, v->row->code | ARM_WHOLE, u, v->a, v->b);
    vector(v, VUZP2 | ARM_WHOLE | ARM_LANES_16, v->d, t, u);
}

/* PMULUDQ: the lower of two lanes */
static void emit_multiply_even(const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT, u = ARM_VECTOR_OTHER;
    if (!v->wide) {
        vector(v, VUMULL | ARM_LANES_32, v->d, v->a, v->b);
        return;
    }
    vector(v, VXTN | ARM_LANES_32, t, v->a, 0);
    vector(v, VXTN | ARM_LANES_32, u, v->b, 0);
    vector(v, VUMULL | ARM_LANES_32, v->d, t, u);
}

/* PMADDWD */
static void emit_multiply_add(const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT, u = ARM_VECTOR_OTHER;
    vector(v, VSMULL | ARM_LANES_16, t, v->a, v->b);
    if (v->wide)
        vector(v, VSMULL | ARM_LANES_16 | ARM_WHOLE, u, v->a, v->b);
    vector(v, VADDP | ARM_LANES_32 | ARM_WHOLE, v->d, t, v->wide ? u : t);
}

/* PSADBW: uabdl v24, a, b; addv h24, v24; and so the upper half */
static void emit_sum_differences(const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT, u = ARM_VECTOR_OTHER;
    if (v->wide) {
        vector(v, VUABDL | ARM_WHOLE, u, v->a, v->b);
        vector(v, VADDV_16, u, u, 0);
    }
    vector(v, VUABDL, t, v->a, v->b);
    vector(v, VADDV_16, t, t, 0);
    if (v->wide)
        vector(v, VZIP1 | ARM_WHOLE | ARM_LANES_64, v->d, t, u);
    else
        copy(v, v->d, t);
}

/* --- shifts --- */

/* PSLLDQ and PSRLDQ by 0 to 15 bytes: ext d, with zeros on the other side */
static void emit_byte_shift(const ArmVector *v, bool left, unsigned count) {
    const unsigned t = ARM_VECTOR_RESULT;
    if (count == 0)
        return;
    vector(v, VMOVI_ZERO, t, 0, 0);
    if (count > 15)
        copy(v, v->d, t);
    else
        vector(v, VEXT | ARM_WHOLE | (left ? 16 - count : count) << 11, v->d, left ? t : v->a,
               left ? v->a : t);
}

/* 0F 71 to 0F 73. False: no such instruction. */
static bool emit_shift_immediate(const ArmVector *v) {
    enum { RIGHT = 2, DOUBLE_RIGHT, ARITHMETIC, LEFT = 6, DOUBLE_LEFT };
    unsigned field = v->modrm >> 3 & 7, size = v->row->code, count = v->immediate, bits = 8 * size;
    if (size == 8 && v->wide && (field == DOUBLE_RIGHT || field == DOUBLE_LEFT)) {
        emit_byte_shift(v, field == DOUBLE_LEFT, count);
        return true;
    }
    if ((field != RIGHT && field != ARITHMETIC && field != LEFT) ||
        (field == ARITHMETIC && size == 8))
        return false;
    if (count == 0)
        return true;
    if (field == ARITHMETIC)
        vector(v, VSSHR | arm_shift_right(size, count < bits ? count : bits) | whole(v, size), v->d,
               v->a, 0);
    else if (count >= bits)
        vector(v, VMOVI_ZERO, v->d, 0, 0);
    else if (field == RIGHT)
        vector(v, VUSHR | arm_shift_right(size, count) | whole(v, size), v->d, v->a, 0);
    else
        vector(v, VSHL | arm_shift_left(size, count) | whole(v, size), v->d, v->a, 0);
    return true;
}

/* By a register: the count, at most the lanes' bits, in each lane; to the right it is negative.
 *     fmov x8, b; cmp x8, #bits; mov w15, #bits; csel x8, x8, x15, lo; neg x8, x8; dup v24, x8;
 *     ushl d, a, v24 */
static void emit_shift(const ArmVector *v, uint32_t code, unsigned size, bool right) {
    ArmAssembler *assembler = v->assembler;
    vector(v, VFMOV_FROM_D, ARM_RESULT, v->b, 0);
    arm_sum_imm(assembler, true, ARM_SUBS, ARM_ZERO, ARM_RESULT, 8 * size);
    arm_mov_imm(assembler, ARM_SCRATCH, 8 * size);
    arm_csel(assembler, ARM_RESULT, ARM_RESULT, ARM_SCRATCH, ARM_CC);
    if (right)
        arm_sum(assembler, true, ARM_SUB, ARM_RESULT, ARM_ZERO, ARM_RESULT, ARM_LSL, 0);
    vector(v, VDUP_GENERAL | ARM_WHOLE | size << 16, ARM_VECTOR_RESULT, ARM_RESULT, 0);
    vector(v, code | arm_lanes(size) | whole(v, size), v->d, v->a, ARM_VECTOR_RESULT);
}
static void emit_shift_left(const ArmVector *v) {
    emit_shift(v, VUSHL, v->row->code, false);
}
static void emit_shift_right(const ArmVector *v) {
    emit_shift(v, VUSHL, v->row->code, true);
}
static void emit_shift_arithmetic(const ArmVector *v) {
    emit_shift(v, VSSHL, v->row->code, true);
}

/* --- lanes in another order --- */

static void insert_lane(const ArmVector *v, unsigned size, unsigned d, unsigned to, unsigned n,
                        unsigned from) {
    vector(v, VINS | arm_lane(size, to) | arm_source_lane(size, from), d, n, 0);
}

/* 'count' lanes from 'first' on by two bits of the immediate each; the others are those of b. */
static void shuffle(const ArmVector *v, unsigned size, unsigned first, unsigned count) {
    unsigned source = v->b, immediate = v->immediate;
    if (v->d == v->b && immediate != 0xE4) {
        source = ARM_VECTOR_RESULT;
        copy(v, source, v->b);
    }
    unsigned same = first + (immediate & 3);
    bool equal = immediate == (immediate & 3) * 0x55u && count * size == (v->wide ? 16 : 8);
    if (equal) {
        vector(v, VDUP | arm_lane(size, same) | whole(v, size), v->d, source, 0);
        return;
    }
    copy(v, v->d, v->b);
    for (unsigned i = 0; i < count; i++)
        if ((immediate >> 2 * i & 3) != i)
            insert_lane(v, size, v->d, first + i, source, first + (immediate >> 2 * i & 3));
}

/* PSHUFD of orders that have an instruction. */
static bool shuffle_by_one(const ArmVector *v) {
    static const struct {
        uint8_t immediate;
        uint32_t code;
    } rows[] = {
        {0x4E, VEXT | 8 << 11},       {0x44, VZIP1 | ARM_LANES_64}, {0xEE, VZIP2 | ARM_LANES_64},
        {0x50, VZIP1 | ARM_LANES_32}, {0xFA, VZIP2 | ARM_LANES_32}, {0x88, VUZP1 | ARM_LANES_32},
        {0xDD, VUZP2 | ARM_LANES_32}, {0xA0, VTRN1 | ARM_LANES_32}, {0xF5, VTRN2 | ARM_LANES_32},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].immediate == v->immediate) {
            vector(v, rows[i].code | ARM_WHOLE, v->d, v->b, v->b);
            return true;
        }
    return false;
}

/* 0F 70: PSHUFW, PSHUFD, PSHUFHW, PSHUFLW by the prefix */
static void emit_shuffle(const ArmVector *v) {
    if (v->prefix == 0x66 && shuffle_by_one(v))
        return;
    if (v->prefix == 0x66)
        shuffle(v, 4, 0, 4);
    else
        shuffle(v, 2, v->prefix == 0xF3 ? 4 : 0, 4);
}

/* SHUFPS: ins v24.s[i] from a and b; SHUFPD: one instruction */
static void emit_shuffle_float(const ArmVector *v) {
    static const uint32_t doubles[4] = {VZIP1 | ARM_LANES_64, VEXT | 8 << 11, VINS,
                                        VZIP2 | ARM_LANES_64};
    const unsigned t = ARM_VECTOR_RESULT;
    if (v->prefix == 0x66) {
        unsigned choice = v->immediate & 3;
        if (choice == 2)
            insert_lane(v, 8, v->d, 1, v->b, 1);
        else
            vector(v, doubles[choice] | ARM_WHOLE, v->d, v->a, v->b);
        return;
    }
    if (v->a == v->b && shuffle_by_one(v))
        return;
    vector(v, VDUP | ARM_WHOLE | arm_lane(4, v->immediate & 3), t, v->a, 0);
    for (unsigned i = 1; i < 4; i++)
        if (i > 1 || (v->immediate >> 2 & 3) != (v->immediate & 3))
            insert_lane(v, 4, t, i, i < 2 ? v->a : v->b, v->immediate >> 2 * i & 3);
    copy(v, v->d, t);
}

/* --- table --- */

static const ArmVectorRow integer_rows[256] = {
    [0x14] = {emit_lanes, VZIP1 | ARM_LANES_32},
    [0x15] = {emit_lanes, VZIP2 | ARM_LANES_32},
    [0x54] = {emit_lanes, VAND},
    [0x55] = {emit_reversed, VBIC},
    [0x56] = {emit_lanes, VORR},
    [0x57] = {emit_lanes, VEOR},
    [0x60] = {emit_lanes, VZIP1 | ARM_LANES_8},
    [0x61] = {emit_lanes, VZIP1 | ARM_LANES_16},
    [0x62] = {emit_lanes, VZIP1 | ARM_LANES_32},
    [0x63] = {emit_pack, VSQXTN | ARM_LANES_8},
    [0x64] = {emit_lanes, VCMGT | ARM_LANES_8},
    [0x65] = {emit_lanes, VCMGT | ARM_LANES_16},
    [0x66] = {emit_lanes, VCMGT | ARM_LANES_32},
    [0x67] = {emit_pack, VSQXTUN | ARM_LANES_8},
    [0x68] = {emit_lanes, VZIP2 | ARM_LANES_8},
    [0x69] = {emit_lanes, VZIP2 | ARM_LANES_16},
    [0x6A] = {emit_lanes, VZIP2 | ARM_LANES_32},
    [0x6B] = {emit_pack, VSQXTN | ARM_LANES_16},
    [0x6C] = {emit_lanes, VZIP1 | ARM_LANES_64},
    [0x6D] = {emit_lanes, VZIP2 | ARM_LANES_64},
    [0x70] = {emit_shuffle, 0},
    [0x74] = {emit_lanes, VCMEQ | ARM_LANES_8},
    [0x75] = {emit_lanes, VCMEQ | ARM_LANES_16},
    [0x76] = {emit_lanes, VCMEQ | ARM_LANES_32},
    [0xC6] = {emit_shuffle_float, 0},
    [0xD1] = {emit_shift_right, 2},
    [0xD2] = {emit_shift_right, 4},
    [0xD3] = {emit_shift_right, 8},
    [0xD4] = {emit_lanes, VADD | ARM_LANES_64},
    [0xD5] = {emit_lanes, VMUL | ARM_LANES_16},
    [0xD8] = {emit_lanes, VUQSUB | ARM_LANES_8},
    [0xD9] = {emit_lanes, VUQSUB | ARM_LANES_16},
    [0xDA] = {emit_lanes, VUMIN | ARM_LANES_8},
    [0xDB] = {emit_lanes, VAND},
    [0xDC] = {emit_lanes, VUQADD | ARM_LANES_8},
    [0xDD] = {emit_lanes, VUQADD | ARM_LANES_16},
    [0xDE] = {emit_lanes, VUMAX | ARM_LANES_8},
    [0xDF] = {emit_reversed, VBIC},
    [0xE0] = {emit_lanes, VURHADD | ARM_LANES_8},
    [0xE1] = {emit_shift_arithmetic, 2},
    [0xE2] = {emit_shift_arithmetic, 4},
    [0xE3] = {emit_lanes, VURHADD | ARM_LANES_16},
    [0xE4] = {emit_multiply_high, VUMULL | ARM_LANES_16},
    [0xE5] = {emit_multiply_high, VSMULL | ARM_LANES_16},
    [0xE8] = {emit_lanes, VSQSUB | ARM_LANES_8},
    [0xE9] = {emit_lanes, VSQSUB | ARM_LANES_16},
    [0xEA] = {emit_lanes, VSMIN | ARM_LANES_16},
    [0xEB] = {emit_lanes, VORR},
    [0xEC] = {emit_lanes, VSQADD | ARM_LANES_8},
    [0xED] = {emit_lanes, VSQADD | ARM_LANES_16},
    [0xEE] = {emit_lanes, VSMAX | ARM_LANES_16},
    [0xEF] = {emit_lanes, VEOR},
    [0xF1] = {emit_shift_left, 2},
    [0xF2] = {emit_shift_left, 4},
    [0xF3] = {emit_shift_left, 8},
    [0xF4] = {emit_multiply_even, 0},
    [0xF5] = {emit_multiply_add, 0},
    [0xF6] = {emit_sum_differences, 0},
    [0xF8] = {emit_lanes, VSUB | ARM_LANES_8},
    [0xF9] = {emit_lanes, VSUB | ARM_LANES_16},
    [0xFA] = {emit_lanes, VSUB | ARM_LANES_32},
    [0xFB] = {emit_lanes, VSUB | ARM_LANES_64},
    [0xFC] = {emit_lanes, VADD | ARM_LANES_8},
    [0xFD] = {emit_lanes, VADD | ARM_LANES_16},
    [0xFE] = {emit_lanes, VADD | ARM_LANES_32},
};

/* UNPCKLPD and UNPCKHPD are of twice the size. */
static const ArmVectorRow double_rows[2] = {{emit_lanes, VZIP1 | ARM_LANES_64},
                                            {emit_lanes, VZIP2 | ARM_LANES_64}};
static const ArmVectorRow shift_rows[3] = {{NULL, 2}, {NULL, 4}, {NULL, 8}};

static const ArmVectorRow *find_integer_row(unsigned prefix, unsigned opcode) {
    if ((prefix == 0xF2 || prefix == 0xF3) && opcode != 0x70)
        return NULL;
    if (prefix == 0x66 && (opcode == 0x14 || opcode == 0x15))
        return &double_rows[opcode - 0x14];
    return integer_rows[opcode].emit != NULL ? &integer_rows[opcode] : NULL;
}

/* --- moves --- */

static void move_to_general(ArmTranslation *translation, unsigned ureg, unsigned value) {
    arm_flags_before_register_write(translation, ureg);
    arm_write_register(translation, ureg, 4, value);
}

/* PMOVMSKB, MOVMSKPS, MOVMSKPD: the lanes' top bits move together, step by step, to the low byte of
 * each half. */
static void emit_move_mask(ArmTranslation *translation, const ArmVector *v, unsigned size) {
    ArmAssembler *assembler = v->assembler;
    const unsigned t = ARM_VECTOR_RESULT;
    vector(v, VUSHR | ARM_WHOLE | arm_shift_right(size, 8 * size - 1), t, v->b, 0);
    for (unsigned step = size * 2; step <= 8; step *= 2)
        vector(v, VUSRA | ARM_WHOLE | arm_shift_right(step, (8 * size - 1) * step / size / 2), t, t,
               0);
    vector(v, VUMOV | arm_lane(1, 0), ARM_RESULT, t, 0);
    if (v->wide) {
        vector(v, VUMOV | arm_lane(1, 8), ARM_SCRATCH2, t, 0);
        arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_SCRATCH2, ARM_LSL,
                  8 / size);
    }
    move_to_general(translation, v->modrm >> 3 & 7, ARM_RESULT);
}

/* The register, or the upper half of it, to memory. */
static void emit_store(ArmTranslation *translation, const ArmVector *v) {
    unsigned value = v->a;
    arm_begin_vector_memory(translation, translation->uop, v->shape);
    if (v->shape->mmx)
        load_mmx(translation, v->a, v->modrm >> 3 & 7);
    if (v->opcode == 0x17) {
        value = ARM_VECTOR_RESULT;
        vector(v, VDUP | ARM_WHOLE | arm_lane(8, 1), value, v->a, 0);
    }
    arm_store_memory_vector(translation, translation->uop->size, value, 0);
    arm_memory_end(translation);
}

/* Between registers, or from memory: what lies above a scalar is clear then. */
static void emit_load(const ArmVector *v) {
    switch (v->opcode) {
    case 0x10:
        if ((v->prefix == 0xF3 || v->prefix == 0xF2) && !v->memory)
            insert_lane(v, v->prefix == 0xF3 ? 4 : 8, v->d, 0, v->b, 0);
        else
            copy(v, v->d, v->b);
        return;
    case 0x12:
        insert_lane(v, 8, v->d, 0, v->b, v->memory ? 0 : 1);
        return;
    case 0x16:
        insert_lane(v, 8, v->d, 1, v->b, 0);
        return;
    case 0x7E: /* MOVQ: an 8-byte move clears the upper half */
        if (!v->memory)
            vector(v, VORR, v->d, v->b, v->b);
        return;
    default:
        copy(v, v->d, v->b);
        return;
    }
}

/* MOVAPS, MOVUPS, MOVDQA and so on from one register to another, with the second as destination. */
static void emit_move_back(const ArmVector *v) {
    if (v->opcode == 0x11 && (v->prefix == 0xF3 || v->prefix == 0xF2))
        insert_lane(v, v->prefix == 0xF3 ? 4 : 8, v->b, 0, v->a, 0);
    else if (v->opcode == 0xD6)
        vector(v, VORR, v->b, v->a, v->a);
    else
        copy(v, v->b, v->a);
}

static bool is_load(const ArmVector *v) {
    switch (v->opcode) {
    case 0x10:
    case 0x28:
    case 0x6F:
        return true;
    case 0x12:
    case 0x16:
        return v->prefix == 0 || v->prefix == 0x66;
    case 0x7E:
        return v->prefix == 0xF3;
    default:
        return false;
    }
}

static bool is_store(const ArmVector *v) {
    switch (v->opcode) {
    case 0x11:
    case 0x29:
    case 0x7F:
        return true;
    case 0x13:
    case 0x17:
    case 0x2B:
    case 0xE7:
        return v->memory && v->prefix != 0xF2 && v->prefix != 0xF3;
    case 0xD6:
        return v->prefix == 0x66;
    default:
        return false;
    }
}

/* Stores, and moves from reg to rm. */
static void emit_to_rm(ArmTranslation *translation, const ArmVector *v) {
    bool mmx = v->shape->mmx;
    if (v->memory)
        emit_store(translation, v);
    if (mmx)
        enter_mmx(translation);
    if (!v->memory && mmx) {
        load_mmx(translation, v->a, v->modrm >> 3 & 7);
        store_mmx(translation, v->a, v->modrm & 7);
    } else if (!v->memory) {
        emit_move_back(v);
    }
}

/* MOVD to a vector register. */
static void emit_from_general(ArmTranslation *translation, const ArmVector *v) {
    if (!v->memory)
        vector(v, VFMOV_TO_S, v->d, arm_register(v->modrm & 7), 0);
    else
        copy(v, v->d, v->b);
    if (v->shape->mmx)
        store_mmx(translation, v->d, v->modrm >> 3 & 7);
}

static unsigned word_index(const ArmVector *v) {
    return v->immediate & (v->shape->mmx ? 3 : 7);
}

/* PINSRW */
static void emit_insert_word(ArmTranslation *translation, const ArmVector *v) {
    if (v->shape->mmx)
        load_mmx(translation, v->d, v->modrm >> 3 & 7);
    if (v->memory)
        insert_lane(v, 2, v->d, word_index(v), v->b, 0);
    else
        vector(v, VINS_GENERAL | arm_lane(2, word_index(v)), v->d, arm_register(v->modrm & 7), 0);
    if (v->shape->mmx)
        store_mmx(translation, v->d, v->modrm >> 3 & 7);
}

/* PEXTRW, and masks of top bits: to the general register in reg, from rm. */
static void emit_to_general(ArmTranslation *translation, const ArmVector *v) {
    if (v->shape->mmx)
        load_mmx(translation, v->b, v->modrm & 7);
    if (v->opcode != 0xC5) {
        emit_move_mask(translation, v, v->opcode == 0xD7 ? 1 : v->prefix == 0x66 ? 8 : 4);
        return;
    }
    vector(v, VUMOV | arm_lane(2, word_index(v)), ARM_RESULT, v->b, 0);
    move_to_general(translation, v->modrm >> 3 & 7, ARM_RESULT);
}

/* MOVD from a vector register. */
static void emit_move_down(ArmTranslation *translation, const ArmVector *v) {
    bool mmx = v->shape->mmx;
    if (v->memory)
        emit_store(translation, v);
    if (mmx)
        enter_mmx(translation);
    if (v->memory)
        return;
    if (mmx)
        load_mmx(translation, v->a, v->modrm >> 3 & 7);
    vector(v, VFMOV_FROM_S, ARM_RESULT, v->a, 0);
    move_to_general(translation, v->modrm & 7, ARM_RESULT);
}

/* EMMS */
static void emit_empty_mmx(ArmTranslation *translation) {
    ArmAssembler *assembler = &translation->assembler;
    arm_load_cpu(translation, 2, ARM_SCRATCH, CPU_OFFSET(state.fpu.status));
    arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, ARM_SCRATCH, ~(uint32_t)(7 << 11));
    arm_store_cpu(translation, 2, ARM_SCRATCH, CPU_OFFSET(state.fpu.status));
    arm_mov_imm(assembler, ARM_SCRATCH, 0xFFFF);
    arm_store_cpu(translation, 2, ARM_SCRATCH, CPU_OFFSET(state.fpu.tags));
    translation->mmx_entered = false;
}

/* --- all together --- */

void arm_fetch_vector_operands(ArmTranslation *translation, const ArmVector *v) {
    const VectorShape *shape = v->shape;
    if (v->memory) {
        arm_begin_vector_memory(translation, translation->uop, shape);
        arm_load_memory_vector(translation, translation->uop->size, v->b, 0);
        arm_memory_end(translation);
    }
    if (shape->mmx)
        enter_mmx(translation);
    if (shape->rm == VECTOR_BANK_MMX)
        load_mmx(translation, v->b, v->modrm & 7);
    if (shape->reg == VECTOR_BANK_MMX)
        load_mmx(translation, v->a, v->modrm >> 3 & 7);
}

static unsigned find_register(unsigned bank, unsigned number, unsigned other) {
    return bank == VECTOR_BANK_XMM ? ARM_XMM + number : other;
}

static bool emit_integer(ArmTranslation *translation, ArmVector *v) {
    const VectorShape *shape = v->shape;
    if (v->opcode == 0x77) {
        emit_empty_mmx(translation);
        return true;
    }
    if (v->opcode >= 0x71 && v->opcode <= 0x73 && v->prefix != 0xF2 && v->prefix != 0xF3) {
        unsigned field = v->modrm >> 3 & 7; /* what there is not has been #UD */
        v->row = &shift_rows[v->opcode - 0x71];
        v->d = v->a = v->b;
        if (field == 0 || field == 1 || field == 5 || (v->opcode == 0x73 && field == 4) ||
            (v->opcode != 0x73 && (field == 3 || field == 7)) ||
            (shape->mmx && (field == 3 || field == 7)))
            return false;
        arm_fetch_vector_operands(translation, v);
        emit_shift_immediate(v);
        if (shape->mmx)
            store_mmx(translation, v->d, v->modrm & 7);
        return true;
    }
    v->row = find_integer_row(v->prefix, v->opcode);
    if (v->row == NULL)
        return false;
    arm_fetch_vector_operands(translation, v);
    v->row->emit(v);
    if (shape->mmx)
        store_mmx(translation, v->d, v->modrm >> 3 & 7);
    return true;
}

static bool emit_move(ArmTranslation *translation, ArmVector *v) {
    if (is_store(v)) {
        emit_to_rm(translation, v);
        return true;
    }
    if (!is_load(v))
        return false;
    if (v->memory && !v->shape->mmx && v->opcode != 0x12 && v->opcode != 0x16)
        v->b = v->d; /* loaded where it belongs */
    arm_fetch_vector_operands(translation, v);
    if (v->shape->mmx)
        store_mmx(translation, v->b, v->modrm >> 3 & 7);
    else
        emit_load(v);
    return true;
}

/* MOVD, PINSRW, PEXTRW, PMOVMSKB, MOVMSKPS, MOVMSKPD */
static bool emit_general(ArmTranslation *translation, const ArmVector *v) {
    static const struct {
        uint8_t opcode;
        void (*emit)(ArmTranslation *translation, const ArmVector *v);
    } rows[] = {{0x6E, emit_from_general}, {0xC4, emit_insert_word}, {0xC5, emit_to_general},
                {0x50, emit_to_general},   {0xD7, emit_to_general},  {0x7E, emit_move_down}};
    if (v->prefix != 0 && v->prefix != 0x66)
        return false;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].opcode != v->opcode)
            continue;
        if (v->memory && translation->uop->src_kind == UOPERAND_MEM) {
            arm_begin_vector_memory(translation, translation->uop, v->shape);
            arm_load_memory_vector(translation, translation->uop->size, v->b, 0);
            arm_memory_end(translation);
        }
        if (v->shape->mmx && v->opcode != 0x7E)
            enter_mmx(translation);
        rows[i].emit(translation, v);
        return true;
    }
    return false;
}

void arm_emit_vector(ArmTranslation *translation, const Uop *uop) {
    const VectorShape shape = vector_find_shape(uop->imm);
    unsigned modrm = uop->imm & 0xFF;
    ArmVector v = {.assembler = &translation->assembler,
                   .shape = &shape,
                   .opcode = (uint8_t)(uop->imm >> 8),
                   .prefix = (uint8_t)(uop->imm >> 16),
                   .modrm = (uint8_t)modrm,
                   .immediate = (uint8_t)(uop->imm2 >> 8),
                   .memory = uop_has_memory(uop),
                   .wide = !shape.mmx,
                   .a = find_register(shape.reg, modrm >> 3 & 7, ARM_VECTOR_MMX),
                   .b = find_register(shape.rm, modrm & 7, ARM_VECTOR_SOURCE)};
    v.d = v.a;
    if (touches_xmm(&shape) || arm_is_mxcsr_access(uop))
        require_live(translation);
    if (uop->imm >> 24 == 1 &&
        (emit_move(translation, &v) || emit_general(translation, &v) ||
         emit_integer(translation, &v) || arm_emit_vector_float(translation, &v)))
        return;
    emit_in_c(translation, uop, &shape);
}

/* Guest SSE floats on the host's vector unit.
 *
 * Exceptions are masked where this code runs, and FPCR.FZ is set for what it tells: an operation
 * whose operands and result are no denormals gives the guest's result and, by FPSR, its inexact
 * exception. Where FPSR tells of anything else - an invalid operation, whose NaN has another sign
 * here, a division by zero, overflow, a result or an operand that was flushed - the operation is
 * done over by exact software, with its operands as they were. */
#include "aarch64_vector.h"
#include "aarch64_vector_codes.h"
#include "cpu_feature.h"

/* Every bit of FPSR that is not inexact: IOC, DZC, OFC, UFC, IDC; and QC, which saturating integers
 * set: that costs a detour once. */
#define UNUSUAL 0x8F8F8F8Fu

static void vector(const ArmVector *v, uint32_t code, unsigned d, unsigned n, unsigned m) {
    arm_vector(v->assembler, code, d, n, m);
}

static bool is_double(const ArmVector *v) {
    return v->prefix == 0x66 || v->prefix == 0xF2;
}
static bool is_scalar(const ArmVector *v) {
    return v->prefix == 0xF2 || v->prefix == 0xF3;
}
static uint32_t precision(const ArmVector *v) {
    return is_double(v) ? ARM_DOUBLE : 0;
}

/*     mrs  x15, fpsr
 *     tst  w15, #unusual
 *     b.ne detour
 * The detour comes back behind what puts the result into its place: end_check(). */
static void begin_check(ArmTranslation *translation, const ArmVector *v) {
    arm_vector(v->assembler, ARM_READ_FPSR, ARM_SCRATCH, 0, 0);
    arm_logic_imm(v->assembler, ARM_ANDS, ARM_ZERO, ARM_SCRATCH, UNUSUAL);
    arm_add_detour(translation, arm_branch_if(v->assembler, ARM_NE), ARM_DETOUR_VECTOR,
                   arm_keep_vector_uop(translation));
    translation->detour[translation->detour_count - 1].memory = v->memory;
}
static void end_check(ArmTranslation *translation) {
    translation->detour[translation->detour_count - 1].back = translation->assembler.code;
}

/* The result in v24 to its place: all of it, or the lowest lane. */
static void check_and_store(ArmTranslation *translation, const ArmVector *v, unsigned lane_size) {
    const unsigned t = ARM_VECTOR_RESULT;
    begin_check(translation, v);
    if (lane_size == 0)
        vector(v, VORR | ARM_WHOLE, v->d, t, t);
    else
        vector(v, VINS | arm_lane(lane_size, 0), v->d, t, 0);
    end_check(translation);
}

static unsigned stored_lane(const ArmVector *v) {
    return !is_scalar(v) ? 0 : is_double(v) ? 8 : 4;
}

/* fadd v24.4s, a, b; check; mov d, v24 */
static void emit_arithmetic(ArmTranslation *translation, const ArmVector *v) {
    static const struct {
        uint32_t packed, scalar;
    } codes[16] = {
        [0x1] = {VFSQRT, VFSQRT_SCALAR}, [0x8] = {VFADD, VFADD_SCALAR},
        [0x9] = {VFMUL, VFMUL_SCALAR},   [0xC] = {VFSUB, VFSUB_SCALAR},
        [0xE] = {VFDIV, VFDIV_SCALAR},
    };
    bool root = v->opcode == 0x51;
    uint32_t code = is_scalar(v) ? codes[v->opcode & 15].scalar
                                 : codes[v->opcode & 15].packed | (uint32_t)ARM_WHOLE;
    vector(v, code | precision(v), ARM_VECTOR_RESULT, root ? v->b : v->a, root ? 0 : v->b);
    check_and_store(translation, v, stored_lane(v));
}

/* MIN, MAX: the second operand unless the first is less, or more.
 *     fcmge v24, a, b; check; bit d, b, v24 */
static void emit_extreme(ArmTranslation *translation, const ArmVector *v) {
    bool minimum = v->opcode == 0x5D;
    uint32_t code = is_scalar(v) ? VFCMGE_SCALAR : VFCMGE | (uint32_t)ARM_WHOLE;
    vector(v, code | precision(v), ARM_VECTOR_RESULT, minimum ? v->a : v->b, minimum ? v->b : v->a);
    begin_check(translation, v);
    vector(v, VBIT | ARM_WHOLE, v->d, v->b, ARM_VECTOR_RESULT);
    end_check(translation);
}

/* CMPPS and its like, by the immediate: EQ LT LE UNORD, and their opposites. */
static void emit_compare(ArmTranslation *translation, const ArmVector *v) {
    static const struct {
        uint32_t packed, scalar;
    } codes[3] = {{VFCMEQ, VFCMEQ_SCALAR}, {VFCMGT, VFCMGT_SCALAR}, {VFCMGE, VFCMGE_SCALAR}};
    const unsigned t = ARM_VECTOR_RESULT, u = ARM_VECTOR_OTHER;
    unsigned predicate = v->immediate & 3, row = predicate == 3 ? 0 : predicate;
    uint32_t code =
        precision(v) | (is_scalar(v) ? codes[row].scalar : codes[row].packed | (uint32_t)ARM_WHOLE);
    bool opposite = (v->immediate & 4) != 0;
    if (predicate == 3) {
        vector(v, code, t, v->a, v->a);
        vector(v, code, u, v->b, v->b);
        vector(v, VAND | ARM_WHOLE, t, t, u);
        opposite = !opposite;
    } else {
        vector(v, code, t, v->b, v->a);
    }
    if (opposite)
        vector(v, VNOT | ARM_WHOLE, t, t, 0);
    check_and_store(translation, v, stored_lane(v));
}

/* COMISS and its like.
 *     fcmp  a, b
 *     cset  w8, lt                  ; less or unordered: CF
 *     cset  w2, vs                  ; unordered: PF
 *     csinc w3, w2, wzr, ne         ; equal or unordered: ZF
 *     orr   w8, w8, w2, lsl #2
 *     orr   w8, w8, w3, lsl #6
 *     check
 *     lsl   w8, w8, #8
 *     orr   w8, w8, #200h           ; as LAHF has it
 *     strh  w8, [flags_image] */
static void emit_compare_flags(ArmTranslation *translation, const ArmVector *v) {
    ArmAssembler *assembler = v->assembler;
    vector(v, (v->opcode == 0x2F ? VFCMPE : VFCMP) | precision(v), 0, v->a, v->b);
    arm_cset(assembler, ARM_RESULT, ARM_LT);
    arm_cset(assembler, ARM_VALUE, ARM_VS);
    arm_emit(assembler, 0x1A800400 | ARM_ZERO << 16 | ARM_NE << 12 | ARM_VALUE << 5 | ARM_SOURCE);
    arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_VALUE, ARM_LSL, 2);
    arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_SOURCE, ARM_LSL, 6);
    begin_check(translation, v);
    arm_shift_imm(assembler, false, ARM_LSL, ARM_RESULT, ARM_RESULT, 8);
    arm_logic_imm(assembler, ARM_ORR, ARM_RESULT, ARM_RESULT, FLAG_1 << 8);
    arm_store_cpu(translation, 2, ARM_RESULT, CPU_OFFSET(state.flags_image));
    end_check(translation);
    arm_flags_are_in_memory(translation);
}

/* CVTSI2SS, CVTSI2SD: scvtf d24, w; no operand is unusual. */
static void emit_from_integer(ArmTranslation *translation, const ArmVector *v) {
    unsigned integer = arm_register(v->modrm & 7), size = is_double(v) ? 8 : 4;
    if (v->memory) {
        arm_begin_vector_memory(translation, translation->uop, v->shape);
        arm_load_memory(translation, 4, ARM_VALUE, 0);
        arm_memory_end(translation);
        integer = ARM_VALUE;
    }
    vector(v, VSCVTF_GENERAL | precision(v), ARM_VECTOR_RESULT, integer, 0);
    vector(v, VINS | arm_lane(size, 0), v->d, ARM_VECTOR_RESULT, 0);
}

/* CVTSS2SI, CVTTSS2SI and those of doubles: [frintx v24, b]; fcvtzs w8, v24; check; mov */
static void emit_to_integer(ArmTranslation *translation, const ArmVector *v) {
    unsigned source = v->b, ureg = v->modrm >> 3 & 7;
    arm_flags_before_register_write(translation, ureg);
    if (v->opcode == 0x2D) {
        source = ARM_VECTOR_RESULT;
        vector(v, VFRINTX_SCALAR | precision(v), source, v->b, 0);
    }
    vector(v, VFCVTZS_GENERAL | precision(v), ARM_RESULT, source, 0);
    begin_check(translation, v);
    arm_write_register(translation, ureg, 4, ARM_RESULT);
    end_check(translation);
}

/* CVTPS2PD, CVTPD2PS, CVTSS2SD, CVTSD2SS */
static void emit_change_precision(ArmTranslation *translation, const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT;
    static const struct {
        uint32_t code;
        uint8_t lane;
    } rows[4] = {{VFCVTL, 0}, {VFCVTN, 0}, {VFCVT_TO_DOUBLE, 8}, {VFCVT_TO_SINGLE, 4}};
    unsigned row = v->prefix == 0 ? 0 : v->prefix == 0x66 ? 1 : v->prefix == 0xF3 ? 2 : 3;
    vector(v, rows[row].code, t, v->b, 0);
    check_and_store(translation, v, rows[row].lane);
}

/* CVTDQ2PS, CVTPS2DQ, CVTTPS2DQ */
static void emit_convert_lanes(ArmTranslation *translation, const ArmVector *v) {
    const unsigned t = ARM_VECTOR_RESULT;
    if (v->prefix == 0) {
        vector(v, VSCVTF | ARM_WHOLE, v->d, v->b, 0);
        return;
    }
    if (v->prefix == 0x66)
        vector(v, VFRINTX | ARM_WHOLE, t, v->b, 0);
    vector(v, VFCVTZS | ARM_WHOLE, t, v->prefix == 0x66 ? t : v->b, 0);
    check_and_store(translation, v, 0);
}

/* CVTDQ2PD */
static void emit_doubles_from_integers(ArmTranslation *translation, const ArmVector *v) {
    (void)translation;
    vector(v, VSSHLL | arm_shift_left(4, 0), ARM_VECTOR_RESULT, v->b, 0);
    vector(v, VSCVTF | ARM_WHOLE | ARM_DOUBLE, v->d, ARM_VECTOR_RESULT, 0);
}

/* --- MXCSR --- */

bool arm_is_mxcsr_access(const Uop *uop) {
    return uop->imm >> 24 == 1 && (uop->imm >> 8 & 0xFF) == 0xAE;
}

/* RC is bits 14:13; FPCR.RMode, bits 23:22, has up and down the other way round. */
void arm_emit_rounding(ArmAssembler *assembler, unsigned mxcsr) {
    enum { FLUSH_TO_ZERO = 1 << 2 };
    arm_extract(assembler, false, ARM_SCRATCH2, mxcsr, 14, 1);
    arm_extract(assembler, false, ARM_SCRATCH, mxcsr, 13, 1);
    arm_logic(assembler, false, ARM_ORR, false, ARM_SCRATCH, ARM_SCRATCH2, ARM_SCRATCH, ARM_LSL, 1);
    arm_logic_imm(assembler, ARM_ORR, ARM_SCRATCH, ARM_SCRATCH, FLUSH_TO_ZERO);
    arm_shift_imm(assembler, false, ARM_LSL, ARM_SCRATCH, ARM_SCRATCH, 22);
    arm_vector(assembler, ARM_WRITE_FPCR, ARM_SCRATCH, 0, 0);
    arm_vector(assembler, ARM_WRITE_FPSR, ARM_ZERO, 0, 0);
}

/* Inexact is what FPSR may have had raised. */
void arm_emit_read_mxcsr(ArmAssembler *assembler, unsigned d) {
    enum { INEXACT = 5, ARM_INEXACT = 4 };
    arm_vector(assembler, ARM_READ_FPSR, ARM_SCRATCH, 0, 0);
    arm_extract(assembler, false, ARM_SCRATCH, ARM_SCRATCH, ARM_INEXACT, 1);
    arm_load(assembler, 4, d, ARM_CPU, (uint32_t)CPU_OFFSET(state.fpu.mxcsr));
    arm_logic(assembler, false, ARM_ORR, false, d, d, ARM_SCRATCH, ARM_LSL, INEXACT);
}

static void emit_store_mxcsr(ArmTranslation *translation, const ArmVector *v) {
    arm_begin_vector_memory(translation, translation->uop, v->shape);
    arm_emit_read_mxcsr(v->assembler, ARM_RESULT);
    arm_store_memory(translation, 4, ARM_RESULT, 0);
    arm_memory_end(translation);
}

/* Exceptions that are not all masked are another context's, and some bits there are not: such an
 * LDMXCSR is run alone. */
static void emit_load_mxcsr(ArmTranslation *translation, const ArmVector *v) {
    enum { MASKS = 0x1F80, OF_SSE2 = 0x40 };
    ArmAssembler *assembler = v->assembler;
    const Cpu *cpu = translation->backend->translator->cpu;
    uint32_t forbidden = MASKS | 0xFFFF0000 | (cpu_has(cpu, FEATURE_SSE2) ? 0 : OF_SSE2);
    arm_begin_vector_memory(translation, translation->uop, v->shape);
    arm_load_memory(translation, 4, ARM_RESULT, 0);
    arm_memory_end(translation);
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_logic_imm(assembler, ARM_EOR, ARM_SCRATCH, ARM_RESULT, MASKS);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, ARM_SCRATCH, forbidden);
    arm_add_leave(translation, arm_branch_if(assembler, ARM_NE), LEAVE_STEP, site);
    arm_store_cpu(translation, 4, ARM_RESULT, CPU_OFFSET(state.fpu.mxcsr));
    arm_emit_rounding(assembler, ARM_RESULT);
}

/* --- which --- */

typedef void EmitFloat(ArmTranslation *translation, const ArmVector *v);

static EmitFloat *find_emitter(const ArmVector *v) {
    switch (v->opcode) {
    case 0x2C:
    case 0x2D:
        return is_scalar(v) ? emit_to_integer : NULL;
    case 0x2E:
    case 0x2F:
        return is_scalar(v) ? NULL : emit_compare_flags;
    case 0x51:
    case 0x58:
    case 0x59:
    case 0x5C:
    case 0x5E:
        return emit_arithmetic;
    case 0x5A:
        return emit_change_precision;
    case 0x5B:
        return v->prefix == 0xF2 ? NULL : emit_convert_lanes;
    case 0x5D:
    case 0x5F:
        return emit_extreme;
    case 0xC2:
        return emit_compare;
    case 0xE6:
        return v->prefix == 0xF3 ? emit_doubles_from_integers : NULL;
    default:
        return NULL;
    }
}

bool arm_emit_vector_float(ArmTranslation *translation, ArmVector *v) {
    if (arm_is_mxcsr_access(translation->uop)) {
        if (translation->uop->dst_kind == UOPERAND_MEM)
            emit_store_mxcsr(translation, v);
        else
            emit_load_mxcsr(translation, v);
        return true;
    }
    if (v->opcode == 0x2A && is_scalar(v)) {
        emit_from_integer(translation, v);
        return true;
    }
    EmitFloat *emit = find_emitter(v);
    if (emit == NULL)
        return false;
    arm_fetch_vector_operands(translation, v);
    emit(translation, v);
    return true;
}

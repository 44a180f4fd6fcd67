/* Lifting MMX and SSE instructions: one micro-op where the units are ready and the host has the
 * instruction, else a helper. */
#include "cpu_feature.h"
#include "lift_internal.h"
#include "vector.h"
#include "x87.h"

enum { OPCODE_FX_GROUP = 0xAE };

static const Operand *find_operand(const Insn *insn, unsigned kind) {
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operand[i].kind == kind)
            return &insn->operand[i];
    return NULL;
}

/* LDMXCSR and STMXCSR stand in one group with FXSAVE. */
static bool is_mxcsr_access(const Insn *insn) {
    unsigned field = insn->modrm >> 3 & 7;
    return insn->map == 1 && insn->opcode == OPCODE_FX_GROUP && insn->mandatory == 0 &&
           insn->modrm < 0xC0 && (field == 2 || field == 3);
}

static VectorShape find_shape(const Insn *insn, uint32_t a) {
    if (is_mxcsr_access(insn))
        return (VectorShape){.memory_size = 4,
                             .stores = (insn->modrm >> 3 & 7) == 3,
                             .sse = true,
                             .by_host = true,
                             .feature = FEATURE_SSE};
    return vector_find_shape(a);
}

static bool is_by_host(const Lifter *lifter, const VectorShape *shape) {
    const LiftMode *mode = lifter->mode;
    unsigned units = (shape->mmx ? FPU_UNIT_X87 : 0u) | (shape->sse ? FPU_UNIT_SSE : 0u);
    uint64_t feature = FEATURE_BIT(shape->feature);
    return shape->by_host && (mode->ready_units & units) == units && units != 0 &&
           (mode->features & mode->host_features & feature) != 0;
}

static void lift_by_host(Lifter *lifter, uint32_t a, uint32_t b, const VectorShape *shape) {
    Uop *uop = lift_emit(lifter, UOP_VECTOR, shape->memory_size != 0 ? shape->memory_size : 4);
    uop->imm = a;
    uop->imm2 = b;
    if (shape->memory_size == 0)
        return;
    uop->dst_kind = shape->stores ? UOPERAND_MEM : UOPERAND_NONE;
    uop->src_kind = shape->stores ? UOPERAND_NONE : UOPERAND_MEM;
    lift_set_insn_address(lifter, uop);
}

void lift_vector(Lifter *lifter) {
    const Insn *insn = lifter->insn;
    uint32_t a = (uint32_t)insn->map << 24 | (uint32_t)insn->mandatory << 16 |
                 (uint32_t)insn->opcode << 8 | insn->modrm;
    bool has_immediate = find_operand(insn, OPERAND_IMM) != NULL;
    uint32_t b = insn->memory.segment | (insn->immediate & 0xFF) << 8 |
                 (has_immediate ? UOP_VECTOR_IMMEDIATE : 0u);
    VectorShape shape = find_shape(insn, a);
    if (is_by_host(lifter, &shape)) {
        lift_by_host(lifter, a, b, &shape);
    } else {
        if (find_operand(insn, OPERAND_MEM) != NULL)
            lift_load_offset(lifter);
        lift_helper(lifter, HELPER_ID_vector, a, b);
    }
    lift_set_fpu_flag_effects(lifter);
}

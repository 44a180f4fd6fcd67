/* Lifting of string instructions: one element inline, repeated ones by helpers. */
#include "lift_table.h"

static bool is_repeated(const Lifter *lifter) {
    return (lifter->insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) != 0;
}

static unsigned element_size(const Lifter *lifter) {
    return lifter->insn->operand[0].size;
}

static void repeat(Lifter *lifter, HelperId helper) {
    unsigned kind = lifter->insn->prefixes & PREFIX_REPNE ? 2
                    : lifter->insn->prefixes & PREFIX_REP ? 1
                                                          : 0;
    uint32_t a = element_size(lifter) | (uint32_t)lifter->insn->address_size << 4 | kind << 8;
    lift_helper(lifter, helper, a, lifter->insn->memory.segment);
}

static void step(Lifter *lifter, unsigned reg) {
    unsigned size = lifter->insn->address_size;
    int32_t element = (int32_t)element_size(lifter);
    if (lifter->mode->direction != 0) {
        Uop *uop = lift_emit(lifter, UOP_LEA, size);
        lift_set_dst_register(uop, reg);
        lift_set_address(uop, SEG_DS, reg, lifter->mode->direction * element, size);
        return;
    }
    Uop *uop = lift_emit(lifter, UOP_STEP, size);
    lift_set_dst_register(uop, reg);
    uop->imm = (uint32_t)element;
}

/* reg op= [segment:index], or [segment:index] = reg. */
static void access_element(Lifter *lifter, UopCode code, unsigned reg, unsigned segment,
                           unsigned index, bool store) {
    Uop *uop = lift_emit(lifter, code, element_size(lifter));
    if (store) {
        uop->dst_kind = UOPERAND_MEM;
        lift_set_src_register(uop, reg);
    } else {
        lift_set_dst_register(uop, reg);
        uop->src_kind = UOPERAND_MEM;
    }
    lift_set_address(uop, segment, index, 0, lifter->insn->address_size);
}

void lift_movs(Lifter *lifter) {
    if (is_repeated(lifter)) {
        repeat(lifter, HELPER_ID_string_movs);
        return;
    }
    access_element(lifter, UOP_MOV, UREG_T0, lifter->insn->memory.segment, REG_ESI, false);
    access_element(lifter, UOP_MOV, UREG_T0, SEG_ES, REG_EDI, true);
    step(lifter, REG_ESI);
    step(lifter, REG_EDI);
}

void lift_stos(Lifter *lifter) {
    if (is_repeated(lifter)) {
        repeat(lifter, HELPER_ID_string_stos);
        return;
    }
    access_element(lifter, UOP_MOV, REG_EAX, SEG_ES, REG_EDI, true);
    step(lifter, REG_EDI);
}

void lift_lods(Lifter *lifter) {
    if (is_repeated(lifter)) {
        repeat(lifter, HELPER_ID_string_lods);
        return;
    }
    access_element(lifter, UOP_MOV, REG_EAX, lifter->insn->memory.segment, REG_ESI, false);
    step(lifter, REG_ESI);
}

void lift_cmps(Lifter *lifter) {
    if (is_repeated(lifter)) {
        repeat(lifter, HELPER_ID_string_cmps);
        return;
    }
    access_element(lifter, UOP_MOV, UREG_T0, lifter->insn->memory.segment, REG_ESI, false);
    access_element(lifter, UOP_CMP, UREG_T0, SEG_ES, REG_EDI, false);
    step(lifter, REG_ESI);
    step(lifter, REG_EDI);
}

void lift_scas(Lifter *lifter) {
    if (is_repeated(lifter)) {
        repeat(lifter, HELPER_ID_string_scas);
        return;
    }
    access_element(lifter, UOP_CMP, REG_EAX, SEG_ES, REG_EDI, false);
    step(lifter, REG_EDI);
}

void lift_ins(Lifter *lifter) {
    repeat(lifter, HELPER_ID_string_ins);
}
void lift_outs(Lifter *lifter) {
    repeat(lifter, HELPER_ID_string_outs);
}

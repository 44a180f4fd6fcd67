/* Lifting of integer arithmetic, logic, shifts, bits and moves. */
#include "cpu_feature.h"
#include "lift_table.h"

/* The insn's first operand as destination and second as source: ADD r/m, r and its like. */
static Uop *emit_two_operands(Lifter *lifter, UopCode code) {
    const Operand *operand = lifter->insn->operand;
    Uop *uop = lift_emit(lifter, code, operand[0].size);
    lift_set_dst_operand(lifter, uop, &operand[0]);
    lift_set_src_operand(lifter, uop, &operand[1]);
    return uop;
}

static Uop *emit_one_operand(Lifter *lifter, UopCode code) {
    Uop *uop = lift_emit(lifter, code, lifter->insn->operand[0].size);
    lift_set_dst_operand(lifter, uop, &lifter->insn->operand[0]);
    return uop;
}

void lift_mov(Lifter *lifter) {
    emit_two_operands(lifter, UOP_MOV);
}
void lift_add(Lifter *lifter) {
    emit_two_operands(lifter, UOP_ADD);
}
void lift_adc(Lifter *lifter) {
    emit_two_operands(lifter, UOP_ADC);
}
void lift_sub(Lifter *lifter) {
    emit_two_operands(lifter, UOP_SUB);
}
void lift_sbb(Lifter *lifter) {
    emit_two_operands(lifter, UOP_SBB);
}
void lift_and(Lifter *lifter) {
    emit_two_operands(lifter, UOP_AND);
}
void lift_or(Lifter *lifter) {
    emit_two_operands(lifter, UOP_OR);
}
void lift_xor(Lifter *lifter) {
    emit_two_operands(lifter, UOP_XOR);
}
void lift_cmp(Lifter *lifter) {
    emit_two_operands(lifter, UOP_CMP);
}
void lift_test(Lifter *lifter) {
    emit_two_operands(lifter, UOP_TEST);
}
void lift_inc(Lifter *lifter) {
    emit_one_operand(lifter, UOP_INC);
}
void lift_dec(Lifter *lifter) {
    emit_one_operand(lifter, UOP_DEC);
}
void lift_neg(Lifter *lifter) {
    emit_one_operand(lifter, UOP_NEG);
}
void lift_not(Lifter *lifter) {
    emit_one_operand(lifter, UOP_NOT);
}
void lift_bsf(Lifter *lifter) {
    emit_two_operands(lifter, UOP_BSF);
}
void lift_bsr(Lifter *lifter) {
    emit_two_operands(lifter, UOP_BSR);
}
void lift_popcnt(Lifter *lifter) {
    emit_two_operands(lifter, UOP_POPCNT);
}
void lift_lzcnt(Lifter *lifter) {
    emit_two_operands(lifter, UOP_LZCNT);
}

/* What stands in the second operand, in T0. */
static void emit_with_temporary(Lifter *lifter, UopCode code) {
    const Operand *operand = lifter->insn->operand;
    lift_load_temporary(lifter, UREG_T0, &operand[1]);
    Uop *uop = lift_emit(lifter, code, 4);
    lift_set_dst_register(uop, operand[0].reg);
    lift_set_src_register(uop, UREG_T0);
    uop->src_size = operand[1].size;
}
void lift_crc32(Lifter *lifter) {
    emit_with_temporary(lifter, UOP_CRC32);
}
void lift_adcx(Lifter *lifter) {
    emit_with_temporary(lifter, UOP_ADCX);
}
void lift_adox(Lifter *lifter) {
    emit_with_temporary(lifter, UOP_ADOX);
}
void lift_cmpxchg(Lifter *lifter) {
    emit_two_operands(lifter, UOP_CMPXCHG);
}
void lift_xadd(Lifter *lifter) {
    emit_two_operands(lifter, UOP_XADD);
}
void lift_bswap(Lifter *lifter) {
    emit_one_operand(lifter, UOP_BSWAP);
}

static void extend(Lifter *lifter, UopCode code) {
    emit_two_operands(lifter, code)->src_size = lifter->insn->operand[1].size;
}
void lift_movzx(Lifter *lifter) {
    extend(lifter, UOP_MOVZX);
}
void lift_movsx(Lifter *lifter) {
    extend(lifter, UOP_MOVSX);
}

void lift_xchg(Lifter *lifter) {
    const Operand *operand = lifter->insn->operand;
    bool memory_second = operand[1].kind == OPERAND_MEM;
    Uop *uop = lift_emit(lifter, UOP_XCHG, operand[0].size);
    lift_set_dst_operand(lifter, uop, &operand[memory_second]);
    lift_set_src_operand(lifter, uop, &operand[!memory_second]);
}

void lift_lea(Lifter *lifter) {
    Uop *uop = lift_emit(lifter, UOP_LEA, lifter->insn->operand[0].size);
    lift_set_dst_register(uop, lifter->insn->operand[0].reg);
    lift_set_insn_address(lifter, uop);
}

void lift_cbw(Lifter *lifter) {
    unsigned size = lifter->insn->operand_size;
    Uop *uop = lift_emit(lifter, UOP_MOVSX, size);
    uop->src_size = (uint8_t)(size / 2);
    lift_set_dst_register(uop, REG_EAX);
    lift_set_src_register(uop, REG_EAX);
}

void lift_cwd(Lifter *lifter) {
    lift_emit(lifter, UOP_CWD, lifter->insn->operand_size);
}

void lift_xlat(Lifter *lifter) {
    Uop *index = lift_emit(lifter, UOP_MOVZX, 4);
    index->src_size = 1;
    lift_set_dst_register(index, UREG_T0);
    lift_set_src_register(index, REG_EAX);
    Uop *load = lift_emit(lifter, UOP_MOV, 1);
    lift_set_dst_register(load, REG_EAX);
    load->src_kind = UOPERAND_MEM;
    lift_set_insn_address(lifter, load); /* DS or its override */
    load->address.base = REG_EBX;
    load->address.index = UREG_T0;
    load->address.scale = 1;
    load->address.displacement = 0;
}

/* MUL, IMUL, DIV, IDIV with one operand: the accumulator is implied. */
static void accumulate(Lifter *lifter, UopCode code) {
    const Operand *operand = &lifter->insn->operand[0];
    Uop *uop = lift_emit(lifter, code, operand->size);
    lift_set_src_operand(lifter, uop, operand);
}
void lift_mul(Lifter *lifter) {
    accumulate(lifter, UOP_MUL);
}

/* The first processors' division has flags of its own. */
static void divide(Lifter *lifter, UopCode code) {
    const Operand *operand = &lifter->insn->operand[0];
    if (!(lifter->mode->features & FEATURE_BIT(FEATURE_TEST_REGISTERS))) {
        accumulate(lifter, code);
        return;
    }
    lift_load_temporary(lifter, UREG_T0, operand);
    lift_helper(lifter, HELPER_ID_divide, operand->size, code == UOP_IDIV);
}
void lift_div(Lifter *lifter) {
    divide(lifter, UOP_DIV);
}
void lift_idiv(Lifter *lifter) {
    divide(lifter, UOP_IDIV);
}

void lift_imul(Lifter *lifter) {
    const Insn *insn = lifter->insn;
    if (insn->operand_count == 1) {
        accumulate(lifter, UOP_IMUL);
    } else if (insn->operand_count == 2) {
        emit_two_operands(lifter, UOP_IMUL2);
    } else {
        Uop *uop = emit_two_operands(lifter, UOP_IMUL3);
        uop->imm = insn->immediate;
    }
}

/* A count of zero in CL keeps every flag. */
static void set_count(Uop *uop, const Lifter *lifter, const Operand *count) {
    if (count->kind == OPERAND_GPR) {
        uop->may_keep_flags = 1;
    } else {
        uop->imm = count->kind == OPERAND_ONE ? 1 : lifter->insn->immediate & 31;
    }
}

/* An immediate count of zero changes nothing, but a memory operand is still written. */
static bool count_is_zero(Lifter *lifter, const Operand *count) {
    const Operand *operand = &lifter->insn->operand[0];
    if (count->kind != OPERAND_IMM || (lifter->insn->immediate & 31) != 0)
        return false;
    if (operand->kind == OPERAND_MEM) {
        lift_load_offset(lifter);
        lift_helper(lifter, HELPER_ID_rewrite_memory, operand->size, lifter->insn->memory.segment);
    }
    return true;
}

static void shift(Lifter *lifter, UopCode code) {
    const Operand *operand = lifter->insn->operand;
    if (count_is_zero(lifter, &operand[1]))
        return;
    Uop *uop = emit_one_operand(lifter, code);
    set_count(uop, lifter, &operand[1]);
    if (operand[1].kind == OPERAND_GPR) {
        lift_set_src_register(uop, REG_ECX);
        uop->src_size = 1;
    } else {
        uop->src_kind = UOPERAND_IMM;
    }
}
void lift_rol(Lifter *lifter) {
    shift(lifter, UOP_ROL);
}
void lift_ror(Lifter *lifter) {
    shift(lifter, UOP_ROR);
}
void lift_rcl(Lifter *lifter) {
    shift(lifter, UOP_RCL);
}
void lift_rcr(Lifter *lifter) {
    shift(lifter, UOP_RCR);
}
void lift_shl(Lifter *lifter) {
    shift(lifter, UOP_SHL);
}
void lift_shr(Lifter *lifter) {
    shift(lifter, UOP_SHR);
}
void lift_sar(Lifter *lifter) {
    shift(lifter, UOP_SAR);
}

static void double_shift(Lifter *lifter, UopCode code) {
    const Operand *operand = lifter->insn->operand;
    if (count_is_zero(lifter, &operand[2]))
        return;
    Uop *uop = emit_two_operands(lifter, code);
    uop->imm = 0; /* CL, unless: */
    set_count(uop, lifter, &operand[2]);
}
void lift_shld(Lifter *lifter) {
    double_shift(lifter, UOP_SHLD);
}
void lift_shrd(Lifter *lifter) {
    double_shift(lifter, UOP_SHRD);
}

/* A register bit index reaches beyond the memory operand: SDM vol. 2A BT. */
static void bit_test(Lifter *lifter, UopCode code) {
    const Operand *operand = lifter->insn->operand;
    unsigned size = operand[0].size;
    bool far_index = operand[0].kind == OPERAND_MEM && operand[1].kind == OPERAND_GPR;
    if (far_index) {
        Uop *address = lift_emit(lifter, UOP_BIT_ADDRESS, 4);
        lift_set_dst_register(address, UREG_T1);
        lift_set_src_register(address, operand[1].reg);
        address->src_size = (uint8_t)size;
        lift_set_insn_address(lifter, address);
    }
    Uop *uop = emit_two_operands(lifter, code);
    if (uop->src_kind == UOPERAND_IMM)
        uop->imm &= size * 8 - 1;
    if (far_index) {
        uint8_t segment = uop->address.segment;
        lift_set_address(uop, segment, UREG_T1, 0, lifter->insn->address_size);
        uop->address.index = UREG_NONE;
    }
}
void lift_bt(Lifter *lifter) {
    bit_test(lifter, UOP_BT);
}
void lift_bts(Lifter *lifter) {
    bit_test(lifter, UOP_BTS);
}
void lift_btr(Lifter *lifter) {
    bit_test(lifter, UOP_BTR);
}
void lift_btc(Lifter *lifter) {
    bit_test(lifter, UOP_BTC);
}

static void implied(Lifter *lifter, UopCode code) {
    lift_emit(lifter, code, 1);
}
void lift_daa(Lifter *lifter) {
    implied(lifter, UOP_DAA);
}
void lift_das(Lifter *lifter) {
    implied(lifter, UOP_DAS);
}
void lift_aaa(Lifter *lifter) {
    implied(lifter, UOP_AAA);
}
void lift_aas(Lifter *lifter) {
    implied(lifter, UOP_AAS);
}
void lift_salc(Lifter *lifter) {
    implied(lifter, UOP_SALC);
}
void lift_lahf(Lifter *lifter) {
    implied(lifter, UOP_LAHF);
}
void lift_sahf(Lifter *lifter) {
    implied(lifter, UOP_SAHF);
}
void lift_clc(Lifter *lifter) {
    implied(lifter, UOP_CLC);
}
void lift_stc(Lifter *lifter) {
    implied(lifter, UOP_STC);
}
void lift_cmc(Lifter *lifter) {
    implied(lifter, UOP_CMC);
}
/* What follows is translated for the other direction then. */
static void set_direction(Lifter *lifter, UopCode code, int direction) {
    int known = lifter->mode->direction;
    if (known == direction)
        return;
    implied(lifter, code);
    if (known != 0) {
        lift_go_on(lifter);
        lifter->block->uop[lifter->block->uop_count - 1].imm2 = UOP_TURNED;
    }
}
void lift_cld(Lifter *lifter) {
    set_direction(lifter, UOP_CLD, 1);
}
void lift_std(Lifter *lifter) {
    set_direction(lifter, UOP_STD, -1);
}
void lift_nop(Lifter *lifter) {
    (void)lifter;
}

void lift_aam(Lifter *lifter) {
    uint32_t base = lifter->insn->immediate & 0xFF;
    if (base == 0)
        lift_raise(lifter, EXCEPTION_DE);
    else
        lift_emit(lifter, UOP_AAM, 1)->imm = base;
}

void lift_aad(Lifter *lifter) {
    lift_emit(lifter, UOP_AAD, 1)->imm = lifter->insn->immediate & 0xFF;
}

void lift_setcc(Lifter *lifter) {
    Uop *uop = emit_one_operand(lifter, UOP_SETCC);
    uop->condition = lifter->insn->condition;
    uop->flags_read = uop_condition_groups(uop->condition);
}

void lift_cmovcc(Lifter *lifter) {
    Uop *uop = emit_two_operands(lifter, UOP_CMOV);
    uop->condition = lifter->insn->condition;
    uop->flags_read = uop_condition_groups(uop->condition);
}

/* MOVBE: the value passes through a temporary, so that memory is touched once. */
void lift_movbe(Lifter *lifter) {
    const Operand *operand = lifter->insn->operand;
    unsigned size = operand[0].size;
    lift_load_temporary(lifter, UREG_T0, &operand[1]);
    lift_set_dst_register(lift_emit(lifter, size == 2 ? UOP_SWAP_WORD : UOP_BSWAP, size), UREG_T0);
    Uop *uop = lift_emit(lifter, UOP_MOV, size);
    lift_set_dst_operand(lifter, uop, &operand[0]);
    lift_set_src_register(uop, UREG_T0);
}

/* The lifter's core: decoding a block, checking what holds for every instruction, and the
 * constructors of micro-ops. */
#include "cpu_feature.h"
#include "lift_internal.h"
#include <assert.h>
#include <string.h>

Uop *lift_emit(Lifter *lifter, UopCode code, unsigned size) {
    UopBlock *block = lifter->block;
    assert(block->uop_count < UOP_BLOCK_UOPS);
    Uop *uop = &block->uop[block->uop_count++];
    memset(uop, 0, sizeof(*uop));
    uop->code = (uint8_t)code;
    uop->size = (uint8_t)size;
    uop->flags_written = uop_info[code].flags_written;
    uop->flags_read = uop_info[code].flags_read;
    uop->insn = (uint16_t)(block->insn_count - 1);
    uop->address.base = uop->address.index = UREG_NONE;
    uop->address.scale = 1;
    uop->address.address_size = 4;
    return uop;
}

unsigned lift_register(const Operand *operand) {
    return operand->size == 1 && operand->reg >= 4 ? UREG_AH + operand->reg - 4u : operand->reg;
}

void lift_set_dst_register(Uop *uop, unsigned reg) {
    uop->dst_kind = UOPERAND_REG;
    uop->dst = (uint8_t)reg;
}

void lift_set_src_register(Uop *uop, unsigned reg) {
    uop->src_kind = UOPERAND_REG;
    uop->src = (uint8_t)reg;
}

void lift_set_src_immediate(Uop *uop, uint32_t value) {
    uop->src_kind = UOPERAND_IMM;
    uop->imm = value;
}

void lift_set_insn_address(Lifter *lifter, Uop *uop) {
    const MemoryOperand *memory = &lifter->insn->memory;
    uop->address.segment = memory->segment;
    uop->address.base = memory->base == NO_REGISTER ? UREG_NONE : memory->base;
    uop->address.index = memory->index == NO_REGISTER ? UREG_NONE : memory->index;
    uop->address.scale = memory->index == NO_REGISTER ? 1 : memory->scale;
    uop->address.displacement = memory->displacement;
    uop->address.address_size = lifter->insn->address_size;
}

void lift_set_address(Uop *uop, unsigned segment, unsigned base, int32_t displacement,
                      unsigned address_size) {
    uop->address.segment = (uint8_t)segment;
    uop->address.base = (uint8_t)base;
    uop->address.displacement = displacement;
    uop->address.address_size = (uint8_t)address_size;
}

void lift_set_dst_operand(Lifter *lifter, Uop *uop, const Operand *operand) {
    if (operand->kind == OPERAND_MEM || operand->kind == OPERAND_MOFFS) {
        uop->dst_kind = UOPERAND_MEM;
        lift_set_insn_address(lifter, uop);
    } else {
        lift_set_dst_register(uop, lift_register(operand));
    }
}

void lift_set_src_operand(Lifter *lifter, Uop *uop, const Operand *operand) {
    switch (operand->kind) {
    case OPERAND_MEM:
    case OPERAND_MOFFS:
        uop->src_kind = UOPERAND_MEM;
        lift_set_insn_address(lifter, uop);
        break;
    case OPERAND_IMM:
        lift_set_src_immediate(uop, lifter->insn->immediate);
        break;
    case OPERAND_ONE:
        lift_set_src_immediate(uop, 1);
        break;
    default:
        lift_set_src_register(uop, lift_register(operand));
    }
}

void lift_load_temporary(Lifter *lifter, unsigned temporary, const Operand *operand) {
    Uop *uop = lift_emit(lifter, operand->size == 4 ? UOP_MOV : UOP_MOVZX, 4);
    uop->src_size = operand->size;
    lift_set_dst_register(uop, temporary);
    lift_set_src_operand(lifter, uop, operand);
}

void lift_load_offset(Lifter *lifter) {
    Uop *uop = lift_emit(lifter, UOP_LEA, 4);
    lift_set_dst_register(uop, UREG_T0);
    lift_set_insn_address(lifter, uop);
}

void lift_helper(Lifter *lifter, HelperId helper, uint32_t a, uint32_t b) {
    Uop *uop = lift_emit(lifter, UOP_HELPER, 4);
    uint8_t attributes = helper_table[helper].attributes;
    uop->helper = (uint8_t)helper;
    uop->imm = a;
    uop->imm2 = b;
    uop->flags_read = attributes & HELPER_READS_FLAGS ? FLAG_GROUP_ALL : 0;
    uop->flags_written = attributes & HELPER_WRITES_FLAGS ? FLAG_GROUP_ALL : 0;
    if (attributes & HELPER_ENDS_BLOCK)
        lifter->ended = true;
}

void lift_raise(Lifter *lifter, unsigned vector) {
    lift_helper(lifter, HELPER_ID_raise, vector, UINT32_MAX);
}

void lift_raise_error(Lifter *lifter, unsigned vector, uint32_t error_code) {
    lift_helper(lifter, HELPER_ID_raise, vector, error_code);
}

void lift_exit(Lifter *lifter) {
    lift_emit(lifter, UOP_EXIT, 4)->imm = lifter->next_eip;
    lifter->ended = true;
}

void lift_jump(Lifter *lifter, uint32_t target) {
    if (target > lifter->mode->cs_limit)
        lift_raise_error(lifter, EXCEPTION_GP, 0);
    else
        lift_emit(lifter, UOP_JMP, 4)->imm = target;
    lifter->ended = true;
}

/* On to the next instruction: one beyond the limit faults by its own fetch, not this one. */
void lift_go_on(Lifter *lifter) {
    lift_emit(lifter, UOP_JMP, 4)->imm = lifter->next_eip;
    lifter->ended = true;
}

void lift_leave_if(Lifter *lifter, unsigned condition, uint32_t target) {
    Uop *uop = lift_emit(lifter, UOP_JCC, 4);
    uop->condition = (uint8_t)condition;
    uop->flags_read = uop_condition_groups(condition);
    uop->imm = target;
}

void lift_jump_if(Lifter *lifter, unsigned condition, uint32_t target) {
    if (target <= lifter->mode->cs_limit) {
        lift_leave_if(lifter, condition, target);
        lift_go_on(lifter);
    } else {
        lift_leave_if(lifter, condition ^ 1, lifter->next_eip);
        lift_raise_error(lifter, EXCEPTION_GP, 0);
    }
    lifter->ended = true;
}

bool lift_load_real_segment(Lifter *lifter, unsigned segment) {
    if (segment == SEG_SS || !(lifter->mode->real_segments >> segment & 1))
        return false;
    Uop *uop = lift_emit(lifter, UOP_LOAD_REAL_SREG, 2);
    lift_set_src_register(uop, UREG_T0);
    uop->imm = segment;
    return true;
}

void lift_move_stack(Lifter *lifter, int32_t bytes) {
    unsigned size = lift_stack_size(lifter);
    Uop *uop = lift_emit(lifter, UOP_LEA, size);
    lift_set_dst_register(uop, REG_ESP);
    lift_set_address(uop, SEG_SS, REG_ESP, bytes, size);
}

static Uop *emit_stack_access(Lifter *lifter, UopCode code, int32_t displacement, unsigned size) {
    Uop *uop = lift_emit(lifter, code, size);
    lift_set_address(uop, SEG_SS, REG_ESP, displacement, lift_stack_size(lifter));
    return uop;
}

void lift_store_stack(Lifter *lifter, int32_t displacement, unsigned size, unsigned reg) {
    Uop *uop = emit_stack_access(lifter, UOP_MOV, displacement, size);
    uop->dst_kind = UOPERAND_MEM;
    lift_set_src_register(uop, reg);
}

void lift_store_stack_immediate(Lifter *lifter, int32_t displacement, unsigned size,
                                uint32_t value) {
    Uop *uop = emit_stack_access(lifter, UOP_MOV, displacement, size);
    uop->dst_kind = UOPERAND_MEM;
    lift_set_src_immediate(uop, size == 2 ? value & 0xFFFF : value);
}

void lift_load_stack(Lifter *lifter, unsigned reg, int32_t displacement, unsigned size) {
    bool extend = size == 2 && reg >= UREG_T0;
    Uop *uop =
        emit_stack_access(lifter, extend ? UOP_MOVZX : UOP_MOV, displacement, extend ? 4 : size);
    uop->src_size = extend ? 2 : 0;
    uop->src_kind = UOPERAND_MEM;
    lift_set_dst_register(uop, reg);
}

/* What holds for every instruction before its own meaning: features, mode, privilege. False: an
 * exception was lifted instead. */
static bool check_insn(Lifter *lifter) {
    const OpcodeRow *row = lifter->insn->row;
    bool has_fallback = row->code == INSN_TZCNT ||
                        row->code == INSN_LZCNT; /* BSF and BSR where the feature is absent */
    bool vector = (row->attributes & (ROW_X87 | ROW_MMX | ROW_SSE)) != 0; /* their helpers check */
    if (!vector && !has_fallback && row->feature != 0 &&
        !(lifter->mode->features >> row->feature & 1)) {
        lift_raise(lifter, EXCEPTION_UD);
        return false;
    }
    if ((row->attributes & ROW_PROTECTED) && !lifter->mode->protected_mode) {
        lift_raise(lifter, EXCEPTION_UD);
        return false;
    }
    if ((row->attributes & ROW_PRIVILEGED) && lifter->mode->cpl != 0) {
        lift_raise_error(lifter, EXCEPTION_GP, 0);
        return false;
    }
    return true;
}

static void lift_insn(Lifter *lifter) {
    if (!check_insn(lifter))
        return;
    const OpcodeRow *row = lifter->insn->row;
    LiftFunction *function = lift_table[row->code];
    if (row->attributes &
        (ROW_MMX |
         ROW_SSE)) /* all vector instructions are lifted alike, and so are those of the x87 */
        function = lift_vector;
    else if (row->attributes & ROW_X87 && row->code != INSN_WAIT)
        function = lift_x87;
    if (function == NULL)
        lift_raise(lifter, EXCEPTION_UD);
    else
        function(lifter);
}

LiftStatus lift_block(UopBlock *block, const LiftMode *mode, const uint8_t *bytes, size_t available,
                      bool limit_ends, uint32_t eip, unsigned max_insns) {
    Lifter lifter = {.block = block, .mode = mode, .next_eip = eip};
    size_t position = 0;
    block->eip = eip;
    block->insn_count = block->uop_count = 0;
    block->holes.count = 0;
    while (!lifter.ended && block->insn_count < max_insns &&
           block->uop_count + UOP_PER_INSN_MAX <= UOP_BLOCK_UOPS) {
        Insn insn;
        DecodeStatus status = insn_decode(bytes + position, available - position,
                                          mode->code32 ? DECODE_32 : DECODE_16, &insn);
        /* One that begins beyond the limit is none of this block: a breakpoint may stand there. */
        bool beyond = position == available && block->insn_count > 0;
        if (status == DECODE_TRUNCATED && (!limit_ends || beyond)) {
            if (block->insn_count == 0)
                return LIFT_TRUNCATED;
            break;
        }
        UopInsn *record = &block->insn[block->insn_count++];
        lifter.insn = &insn;
        lifter.eip = lifter.next_eip;
        lifter.next_eip = lifter.eip + insn.length;
        *record =
            (UopInsn){.eip = lifter.eip, .length = insn.length, .first_uop = block->uop_count};
        if (status == DECODE_OK)
            lift_insn(&lifter);
        else if (status == DECODE_INVALID)
            lift_raise(&lifter, EXCEPTION_UD);
        else
            lift_raise_error(&lifter, EXCEPTION_GP, 0);
        if (mode->page_offset + position < mode->stored_end && status == DECODE_OK)
            lift_fetch_operands(&lifter, bytes, position);
        position += insn.length;
    }
    if (!lifter.ended)
        lift_emit(&lifter, UOP_JMP, 4)->imm = lifter.next_eip;
    block->next_eip = lifter.next_eip;
    return LIFT_OK;
}

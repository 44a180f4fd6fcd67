/* Lifting of what pushes and pops. Memory first, then the stack pointer: a fault leaves ESP as it
 * was. */
#include "cpu_feature.h"
#include "lift_table.h"

void lift_push(Lifter *lifter) {
    const Operand *operand = &lifter->insn->operand[0];
    unsigned size = lifter->insn->operand_size;
    if (operand->kind == OPERAND_IMM) {
        lift_store_stack_immediate(lifter, -(int32_t)size, size, lifter->insn->immediate);
    } else if (operand->kind == OPERAND_GPR) {
        lift_store_stack(lifter, -(int32_t)size, size, operand->reg);
    } else {
        lift_load_temporary(lifter, UREG_T0, operand);
        lift_store_stack(lifter, -(int32_t)size, size, UREG_T0);
    }
    lift_move_stack(lifter, -(int32_t)size);
}

void lift_pop(Lifter *lifter) {
    const Operand *operand = &lifter->insn->operand[0];
    unsigned size = lifter->insn->operand_size;
    if (operand->kind == OPERAND_GPR && operand->reg != REG_ESP) {
        lift_load_stack(lifter, operand->reg, 0, size);
        lift_move_stack(lifter, (int32_t)size);
        return;
    }
    if (operand->kind == OPERAND_MEM && lifter->insn->memory.base == REG_ESP &&
        lift_stack_size(lifter) == 2) {
        lift_load_offset(lifter);
        lift_helper(lifter, HELPER_ID_pop_memory, size, lifter->insn->memory.segment);
        return;
    }
    lift_load_stack(lifter, UREG_T0, 0, size);
    if (operand->kind == OPERAND_GPR) {
        lift_move_stack(lifter, (int32_t)size);
        Uop *uop = lift_emit(lifter, UOP_MOV, size);
        lift_set_dst_register(uop, REG_ESP);
        lift_set_src_register(uop, UREG_T0);
        return;
    }
    /* The address of POP m is computed with ESP already moved, SDM vol. 2B POP. */
    Uop *uop = lift_emit(lifter, UOP_MOV, size);
    lift_set_dst_operand(lifter, uop, operand);
    lift_set_src_register(uop, UREG_T0);
    if (uop->address.base == REG_ESP)
        uop->address.displacement += (int32_t)size;
    lift_move_stack(lifter, (int32_t)size);
}

/* The Pentium has a time-stamp counter and no CMOV yet. */
static bool is_pentium(const Lifter *lifter) {
    uint64_t features = lifter->mode->features;
    return (features >> FEATURE_TSC & 1) && !(features >> FEATURE_CMOV & 1);
}

/* With a 32-bit operand the Pentium writes a doubleword; before it and after, the low half alone is
 * written: SDM vol. 3B 22.31.1. */
void lift_push_sreg(Lifter *lifter) {
    Uop *read = lift_emit(lifter, UOP_READ_SREG, 4);
    lift_set_dst_register(read, UREG_T0);
    read->imm = lifter->insn->operand[0].reg;
    int32_t size = lifter->insn->operand_size;
    lift_store_stack(lifter, -size, is_pentium(lifter) ? (unsigned)size : 2, UREG_T0);
    lift_move_stack(lifter, -size);
}

void lift_pop_sreg(Lifter *lifter) {
    unsigned segment = lifter->insn->operand[0].reg;
    if (segment != SEG_SS) {
        lift_load_stack(lifter, UREG_T0, 0, 2);
        lift_load_sreg(lifter, segment, uop_then(UOP_THEN_POP, lifter->insn->operand_size, 0));
        lift_move_stack(lifter, lifter->insn->operand_size);
        return;
    }
    lift_helper(lifter, HELPER_ID_pop_segment, segment,
                lifter->insn->operand_size | lift_stack_size(lifter) << 8);
    if (segment == SEG_SS)
        lift_exit(lifter);
}

/* EAX ECX EDX EBX, the old ESP, EBP ESI EDI: ESP moves last, so that a fault in the middle starts
 * over. What was pushed before it stays in memory, as on silicon. */
void lift_pusha(Lifter *lifter) {
    int32_t size = lifter->insn->operand_size;
    for (int32_t i = 0; i < 8; i++)
        lift_store_stack(lifter, -size * (i + 1), (unsigned)size, (unsigned)i);
    lift_move_stack(lifter, -8 * size);
}

/* Upwards: a fault in the middle finds the first ones popped and ESP where it was, as on silicon,
 * and the same values are popped again. */
void lift_popa(Lifter *lifter) {
    int32_t size = lifter->insn->operand_size;
    for (int32_t i = 0; i < 8; i++)
        if (7 - i != REG_ESP)
            lift_load_stack(lifter, (unsigned)(7 - i), i * size, (unsigned)size);
    lift_move_stack(lifter, 8 * size);
}

/* In v8086 mode IOPL and VME decide. */
static bool is_v8086(const Lifter *lifter) {
    return !lifter->mode->protected_mode && lifter->mode->cpl == 3;
}

void lift_pushf(Lifter *lifter) {
    int32_t size = lifter->insn->operand_size;
    if (is_v8086(lifter)) {
        lift_helper(lifter, HELPER_ID_pushf, (uint32_t)size, 0);
        return;
    }
    lift_set_dst_register(lift_emit(lifter, UOP_READ_EFLAGS, 4), UREG_T0);
    lift_store_stack(lifter, -size, (unsigned)size, UREG_T0);
    lift_move_stack(lifter, -size);
}

void lift_popf(Lifter *lifter) {
    unsigned size = lifter->insn->operand_size;
    if (is_v8086(lifter)) {
        lift_helper(lifter, HELPER_ID_popf, size, 0);
        return;
    }
    lift_load_stack(lifter, UREG_T0, 0, size);
    lift_set_src_register(lift_emit(lifter, UOP_WRITE_EFLAGS, size), UREG_T0);
    lift_move_stack(lifter, (int32_t)size);
    lift_go_on(lifter);
}

enum { ENTER_INLINE_LEVELS = 4 };

/* Entry 'i' of the enclosing procedure's display is pushed as the new one's. */
static void push_display_entry(Lifter *lifter, int32_t i, int32_t size) {
    Uop *load = lift_emit(lifter, size == 2 ? UOP_MOVZX : UOP_MOV, 4);
    load->src_size = size == 2 ? 2 : 0;
    lift_set_dst_register(load, UREG_T0);
    load->src_kind = UOPERAND_MEM;
    lift_set_address(load, SEG_SS, REG_EBP, -i * size, lift_stack_size(lifter));
    lift_store_stack(lifter, -size * (i + 1), (unsigned)size, UREG_T0);
}

/* register = ESP + displacement */
static void load_stack_pointer(Lifter *lifter, unsigned reg, int32_t displacement) {
    unsigned size = lift_stack_size(lifter);
    Uop *uop = lift_emit(lifter, UOP_LEA, size);
    lift_set_dst_register(uop, reg);
    lift_set_address(uop, SEG_SS, REG_ESP, displacement, size);
}

/* As helper_enter() has it: EBP, the display, the new frame's pointer, and a look whether the new
 * top of the stack could be written. */
void lift_enter(Lifter *lifter) {
    uint32_t level = lifter->insn->immediate2 & 31, bytes = lifter->insn->immediate & 0xFFFF;
    int32_t size = lifter->insn->operand_size;
    if (level > ENTER_INLINE_LEVELS || (unsigned)size != lift_stack_size(lifter)) {
        lift_helper(lifter, HELPER_ID_enter, lifter->insn->operand_size, level << 16 | bytes);
        return;
    }
    lift_store_stack(lifter, -size, (unsigned)size, REG_EBP);
    for (int32_t i = 1; i < (int32_t)level; i++)
        push_display_entry(lifter, i, size);
    if (level > 0) {
        load_stack_pointer(lifter, UREG_T0, -size);
        lift_store_stack(lifter, -size * (int32_t)(level + 1), (unsigned)size, UREG_T0);
    }
    int32_t top = -size * (int32_t)(level + 1) - (int32_t)bytes;
    Uop *check = lift_emit(lifter, UOP_CHECK_WRITE, (unsigned)size);
    check->dst_kind = UOPERAND_MEM;
    lift_set_address(check, SEG_SS, REG_ESP, top, (unsigned)size);
    load_stack_pointer(lifter, REG_EBP, -size);
    lift_move_stack(lifter, top);
}

void lift_leave(Lifter *lifter) {
    unsigned size = lifter->insn->operand_size, stack_size = lift_stack_size(lifter);
    Uop *load = lift_emit(lifter, size == 2 ? UOP_MOVZX : UOP_MOV, 4);
    load->src_size = size == 2 ? 2 : 0;
    lift_set_dst_register(load, UREG_T0);
    load->src_kind = UOPERAND_MEM;
    lift_set_address(load, SEG_SS, REG_EBP, 0, stack_size);
    Uop *stack = lift_emit(lifter, UOP_LEA, stack_size);
    lift_set_dst_register(stack, REG_ESP);
    lift_set_address(stack, SEG_SS, REG_EBP, (int32_t)size, stack_size);
    Uop *frame = lift_emit(lifter, UOP_MOV, size);
    lift_set_dst_register(frame, REG_EBP);
    lift_set_src_register(frame, UREG_T0);
}

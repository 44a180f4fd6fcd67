/* Lifting of jumps, calls, returns, loops and software interrupts. */
#include "lift_table.h"

/* The target of a relative branch: cut to 16 bits with a 16-bit operand size. */
static uint32_t relative_target(const Lifter *lifter) {
    uint32_t target = lifter->next_eip + lifter->insn->immediate;
    return lifter->insn->operand_size == 2 ? target & 0xFFFF : target;
}

static void check_indirect_target(Lifter *lifter, unsigned reg) {
    uint32_t highest = lifter->insn->operand_size == 2 ? 0xFFFF : UINT32_MAX;
    if (lifter->mode->cs_limit < highest)
        lift_set_src_register(lift_emit(lifter, UOP_CHECK_CS, 4), reg);
}

static void jump_indirect(Lifter *lifter, unsigned reg) {
    lift_set_src_register(lift_emit(lifter, UOP_JMP_INDIRECT, 4), reg);
    lifter->ended = true;
}

void lift_jmp(Lifter *lifter) {
    const Operand *operand = &lifter->insn->operand[0];
    if (operand->kind == OPERAND_REL) {
        lift_jump(lifter, relative_target(lifter));
        return;
    }
    lift_load_temporary(lifter, UREG_T0, operand);
    check_indirect_target(lifter, UREG_T0);
    jump_indirect(lifter, UREG_T0);
}

void lift_jcc(Lifter *lifter) {
    lift_jump_if(lifter, lifter->insn->condition, relative_target(lifter));
}

void lift_call(Lifter *lifter) {
    const Operand *operand = &lifter->insn->operand[0];
    int32_t size = lifter->insn->operand_size;
    bool direct = operand->kind == OPERAND_REL;
    uint32_t target = direct ? relative_target(lifter) : 0;
    if (direct && target > lifter->mode->cs_limit) {
        lift_raise_error(lifter, EXCEPTION_GP, 0);
        return;
    }
    if (!direct) {
        lift_load_temporary(lifter, UREG_T0, operand);
        check_indirect_target(lifter, UREG_T0);
    }
    lift_store_stack_immediate(lifter, -size, (unsigned)size, lifter->next_eip);
    lift_move_stack(lifter, -size);
    if (direct)
        lift_jump(lifter, target);
    else
        jump_indirect(lifter, UREG_T0);
}

void lift_ret(Lifter *lifter) {
    int32_t size = lifter->insn->operand_size;
    uint32_t release = lifter->insn->operand_count > 0 ? lifter->insn->immediate & 0xFFFF : 0;
    lift_load_stack(lifter, UREG_T0, 0, (unsigned)size);
    check_indirect_target(lifter, UREG_T0);
    lift_move_stack(lifter, size + (int32_t)release);
    jump_indirect(lifter, UREG_T0);
}

/* Jumps that look at CX or ECX. A target above the limit of CS faults only if it is taken; ECX is
 * then still the old one. */
static void jump_if_count(Lifter *lifter, UopCode code, uint32_t target) {
    Uop *uop = lift_emit(lifter, code, lifter->insn->address_size);
    uop->imm = target;
}

void lift_jcxz(Lifter *lifter) {
    uint32_t target = relative_target(lifter);
    if (target > lifter->mode->cs_limit) {
        jump_if_count(lifter, UOP_JNCXZ, lifter->next_eip);
        lift_raise_error(lifter, EXCEPTION_GP, 0);
        return;
    }
    jump_if_count(lifter, UOP_JCXZ, target);
    lift_go_on(lifter);
}

static void change_count(Lifter *lifter, int32_t difference) {
    unsigned size = lifter->insn->address_size;
    Uop *uop = lift_emit(lifter, UOP_LEA, size);
    lift_set_dst_register(uop, REG_ECX);
    lift_set_address(uop, SEG_DS, REG_ECX, difference, size);
}

/* The loop would go on beyond the limit. */
static void refuse_loop(Lifter *lifter) {
    change_count(lifter, 1);
    lift_raise_error(lifter, EXCEPTION_GP, 0);
    lifter->ended = true;
}

void lift_loop(Lifter *lifter) {
    uint32_t target = relative_target(lifter);
    change_count(lifter, -1);
    if (target > lifter->mode->cs_limit) {
        jump_if_count(lifter, UOP_JCXZ, lifter->next_eip);
        refuse_loop(lifter);
        return;
    }
    jump_if_count(lifter, UOP_JNCXZ, target);
    lift_go_on(lifter);
}

static void loop_if(Lifter *lifter, unsigned condition) {
    uint32_t target = relative_target(lifter);
    change_count(lifter, -1);
    jump_if_count(lifter, UOP_JCXZ, lifter->next_eip);
    if (target > lifter->mode->cs_limit) {
        lift_leave_if(lifter, condition ^ 1, lifter->next_eip);
        refuse_loop(lifter);
        return;
    }
    lift_jump_if(lifter, condition, target);
}
void lift_loope(Lifter *lifter) {
    loop_if(lifter, 4);
}
void lift_loopne(Lifter *lifter) {
    loop_if(lifter, 5);
}

/* Far transfers: offset in T0, selector in T1. */
static void load_far_operand(Lifter *lifter) {
    const Operand *operand = &lifter->insn->operand[0];
    unsigned size = lifter->insn->operand_size;
    Uop *offset =
        lift_emit(lifter, operand->kind == OPERAND_FAR || size == 4 ? UOP_MOV : UOP_MOVZX, 4);
    lift_set_dst_register(offset, UREG_T0);
    if (operand->kind == OPERAND_FAR) {
        lift_set_src_immediate(offset, lifter->insn->immediate);
        Uop *selector = lift_emit(lifter, UOP_MOV, 4);
        lift_set_dst_register(selector, UREG_T1);
        lift_set_src_immediate(selector, lifter->insn->immediate2 & 0xFFFF);
        return;
    }
    offset->src_kind = UOPERAND_MEM;
    offset->src_size = (uint8_t)size;
    lift_set_insn_address(lifter, offset);
    Uop *selector = lift_emit(lifter, UOP_MOVZX, 4);
    lift_set_dst_register(selector, UREG_T1);
    selector->src_kind = UOPERAND_MEM;
    selector->src_size = 2;
    lift_set_insn_address(lifter, selector);
    selector->address.displacement += (int32_t)size;
}

/* Is it a jump or call of real mode to a place that the instruction names? */
static bool is_real_far(const Lifter *lifter) {
    return lifter->mode->real_code && lifter->insn->operand_size == 2 &&
           lifter->insn->operand[0].kind == OPERAND_FAR;
}

/* CS and IP, which is within any limit. */
static void jump_real_far(Lifter *lifter) {
    uint32_t selector = lifter->insn->immediate2 & 0xFFFF;
    Uop *constant = lift_emit(lifter, UOP_MOV, 4);
    lift_set_dst_register(constant, UREG_T0);
    lift_set_src_immediate(constant, selector);
    Uop *load = lift_emit(lifter, UOP_LOAD_REAL_SREG, 2);
    lift_set_src_register(load, UREG_T0);
    load->imm = SEG_CS;
    Uop *jump = lift_emit(lifter, UOP_JMP, 4);
    jump->imm = lifter->insn->immediate & 0xFFFF;
    jump->imm2 = UOP_FAR | selector << UOP_FAR_SHIFT;
    lifter->ended = true;
}

/* Neither of the two words is written if one of them cannot be. */
static void push_return_address(Lifter *lifter) {
    Uop *check = lift_emit(lifter, UOP_CHECK_WRITE, 2);
    check->dst_kind = UOPERAND_MEM;
    lift_set_address(check, SEG_SS, REG_ESP, -2, lift_stack_size(lifter));
    lift_store_stack_immediate(lifter, -4, 2, lifter->next_eip);
    Uop *read = lift_emit(lifter, UOP_READ_SREG, 4);
    lift_set_dst_register(read, UREG_T0);
    read->imm = SEG_CS;
    lift_store_stack(lifter, -2, 2, UREG_T0);
    lift_move_stack(lifter, -4);
}

void lift_jmp_far(Lifter *lifter) {
    if (is_real_far(lifter)) {
        jump_real_far(lifter);
        return;
    }
    load_far_operand(lifter);
    lift_helper(lifter, HELPER_ID_jump_far, lifter->insn->operand_size, 0);
}

void lift_call_far(Lifter *lifter) {
    if (is_real_far(lifter)) {
        push_return_address(lifter);
        jump_real_far(lifter);
        return;
    }
    load_far_operand(lifter);
    lift_helper(lifter, HELPER_ID_call_far, lifter->insn->operand_size, 0);
}

/* Does it return to 16 bits of IP in a segment of real mode? */
static bool returns_real(const Lifter *lifter) {
    return lifter->mode->real_returns && lifter->insn->operand_size == 2;
}

/* To T1:T0, which is within any limit. */
static void return_real(Lifter *lifter) {
    Uop *load = lift_emit(lifter, UOP_LOAD_REAL_SREG, 2);
    lift_set_src_register(load, UREG_T1);
    load->imm = SEG_CS;
    Uop *jump = lift_emit(lifter, UOP_JMP_INDIRECT, 4);
    lift_set_src_register(jump, UREG_T0);
    jump->imm2 = UOP_FAR;
    lifter->ended = true;
}

static void load_return_address(Lifter *lifter) {
    lift_load_stack(lifter, UREG_T0, 0, 2);
    lift_load_stack(lifter, UREG_T1, 2, 2);
}

void lift_ret_far(Lifter *lifter) {
    uint32_t release = lifter->insn->operand_count > 0 ? lifter->insn->immediate & 0xFFFF : 0;
    if (returns_real(lifter)) {
        load_return_address(lifter);
        lift_move_stack(lifter, 4 + (int32_t)release);
        return_real(lifter);
        return;
    }
    lift_helper(lifter, HELPER_ID_return_far, lifter->insn->operand_size, release);
}

/* All three words are read before anything changes, and the address once more, since the flags
 * needed its temporary. */
static void lift_real_iret(Lifter *lifter) {
    load_return_address(lifter);
    lift_load_stack(lifter, UREG_T0, 4, 2);
    Uop *flags = lift_emit(lifter, UOP_WRITE_EFLAGS, 2);
    lift_set_src_register(flags, UREG_T0);
    flags->imm = UOP_EFLAGS_IRET;
    load_return_address(lifter);
    lift_move_stack(lifter, 6);
    return_real(lifter);
}

/* v8086 mode's depends on IOPL and VME. */
void lift_iret(Lifter *lifter) {
    if (returns_real(lifter) && lifter->mode->cpl == 0) {
        lift_real_iret(lifter);
        return;
    }
    lift_helper(lifter, HELPER_ID_iret, lifter->insn->operand_size, 0);
}
void lift_int(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_software_interrupt, lifter->insn->immediate & 0xFF, 0);
}
void lift_int3(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_software_interrupt, EXCEPTION_BP, 1);
}
void lift_int1(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_software_interrupt, EXCEPTION_DB, 3);
}

void lift_into(Lifter *lifter) {
    Uop *uop = lift_emit(lifter, UOP_JCC, 4);
    uop->condition = 1; /* NO */
    uop->flags_read = FLAG_GROUP_O;
    uop->imm = lifter->next_eip;
    lift_helper(lifter, HELPER_ID_software_interrupt, EXCEPTION_OF, 2);
}

void lift_ud(Lifter *lifter) {
    lift_raise(lifter, EXCEPTION_UD);
}
void lift_sysenter(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_sysenter, 0, 0);
}
void lift_sysexit(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_sysexit, 0, 0);
}
void lift_syscall(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_syscall, 0, 0);
}
void lift_sysret(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_sysret, 0, 0);
}

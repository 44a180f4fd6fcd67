/* Lifting of segment loads, system instructions, port I/O, and of x87 and vector instructions,
 * which are helpers whole. */
#include "cpu_feature.h"
#include "lift_table.h"

static bool is_memory(const Operand *operand) {
    return operand->kind == OPERAND_MEM;
}

/* cpu->result, or a UOP_STATE_* of UOP_READ_STATE, to the first operand; memory takes 16 bits, a
 * register the operand size. */
static void store_word_or_register(Lifter *lifter, UopCode code, uint32_t which) {
    const Operand *operand = &lifter->insn->operand[0];
    Uop *uop = lift_emit(lifter, code, is_memory(operand) ? 4 : lifter->insn->operand_size);
    uop->imm = which;
    lift_set_dst_register(uop, is_memory(operand) ? UREG_T0 : operand->reg);
    if (!is_memory(operand))
        return;
    Uop *store = lift_emit(lifter, UOP_MOV, 2);
    lift_set_dst_operand(lifter, store, operand);
    lift_set_src_register(store, UREG_T0);
}

static void store_result(Lifter *lifter) {
    store_word_or_register(lifter, UOP_RESULT, 0);
}

/* A selector or a machine status word: 16 bits of whatever operand. */
static void load_word(Lifter *lifter, unsigned temporary, const Operand *operand) {
    Operand word = *operand;
    word.size = 2;
    lift_load_temporary(lifter, temporary, &word);
}

/* Where it is no matter of a shift the descriptor is looked at. */
void lift_load_sreg(Lifter *lifter, unsigned segment, uint32_t then) {
    if (lift_load_real_segment(lifter, segment))
        return;
    Uop *uop = lift_emit(lifter, UOP_LOAD_SREG, 4);
    lift_set_src_register(uop, UREG_T0);
    uop->imm = segment;
    uop->imm2 = then;
}

void lift_mov_sreg(Lifter *lifter) {
    const Operand *operand = lifter->insn->operand;
    if (operand[0].kind == OPERAND_SREG) {
        load_word(lifter, UREG_T0, &operand[1]);
        if (operand[0].reg == SEG_SS) {
            lift_helper(lifter, HELPER_ID_load_segment, SEG_SS, 0);
            lift_exit(lifter);
        } else {
            lift_load_sreg(lifter, operand[0].reg, UOP_THEN_NOTHING);
        }
        return;
    }
    bool memory = is_memory(&operand[0]);
    Uop *uop = lift_emit(lifter, UOP_READ_SREG, memory ? 4 : lifter->insn->operand_size);
    lift_set_dst_register(uop, memory ? UREG_T0 : operand[0].reg);
    uop->imm = operand[1].reg;
    if (memory) {
        Uop *store = lift_emit(lifter, UOP_MOV, 2);
        lift_set_dst_operand(lifter, store, &operand[0]);
        lift_set_src_register(store, UREG_T0);
    }
}

/* Offset and selector are read before anything is loaded; the general register changes last. */
static void load_far_pointer(Lifter *lifter, unsigned segment) {
    unsigned size = lifter->insn->operand_size;
    Uop *offset = lift_emit(lifter, size == 2 ? UOP_MOVZX : UOP_MOV, 4);
    lift_set_dst_register(offset, UREG_T1);
    offset->src_kind = UOPERAND_MEM;
    offset->src_size = (uint8_t)size;
    lift_set_insn_address(lifter, offset);
    Uop *selector = lift_emit(lifter, UOP_MOVZX, 4);
    lift_set_dst_register(selector, UREG_T0);
    selector->src_kind = UOPERAND_MEM;
    selector->src_size = 2;
    lift_set_insn_address(lifter, selector);
    selector->address.displacement += (int32_t)size;
    if (segment == SEG_SS)
        lift_helper(lifter, HELPER_ID_load_far_pointer, segment, 0);
    else
        lift_load_sreg(lifter, segment,
                       uop_then(UOP_THEN_MOVE, size, lifter->insn->operand[0].reg));
    Uop *move = lift_emit(lifter, UOP_MOV, size);
    lift_set_dst_register(move, lifter->insn->operand[0].reg);
    lift_set_src_register(move, UREG_T1);
    if (segment == SEG_SS)
        lift_exit(lifter);
}
void lift_lds(Lifter *lifter) {
    load_far_pointer(lifter, SEG_DS);
}
void lift_les(Lifter *lifter) {
    load_far_pointer(lifter, SEG_ES);
}
void lift_lfs(Lifter *lifter) {
    load_far_pointer(lifter, SEG_FS);
}
void lift_lgs(Lifter *lifter) {
    load_far_pointer(lifter, SEG_GS);
}
void lift_lss(Lifter *lifter) {
    load_far_pointer(lifter, SEG_SS);
}

static void verify(Lifter *lifter, uint32_t write) {
    load_word(lifter, UREG_T0, &lifter->insn->operand[0]);
    lift_helper(lifter, HELPER_ID_verify_segment, write, 0);
}
void lift_verr(Lifter *lifter) {
    verify(lifter, 0);
}
void lift_verw(Lifter *lifter) {
    verify(lifter, 1);
}

static void load_from_descriptor(Lifter *lifter, HelperId helper) {
    load_word(lifter, UREG_T0, &lifter->insn->operand[1]);
    lift_helper(lifter, helper, lifter->insn->operand_size, lifter->insn->operand[0].reg);
}
void lift_lar(Lifter *lifter) {
    load_from_descriptor(lifter, HELPER_ID_load_access_rights);
}
void lift_lsl(Lifter *lifter) {
    load_from_descriptor(lifter, HELPER_ID_load_limit);
}

void lift_arpl(Lifter *lifter) {
    const Operand *operand = lifter->insn->operand;
    load_word(lifter, UREG_T1, &operand[1]);
    if (is_memory(&operand[0])) {
        lift_load_offset(lifter);
        lift_helper(lifter, HELPER_ID_arpl_memory, 0, lifter->insn->memory.segment);
        return;
    }
    load_word(lifter, UREG_T0, &operand[0]);
    lift_helper(lifter, HELPER_ID_arpl, 0, 0);
    lift_set_dst_register(lift_emit(lifter, UOP_RESULT, 2), operand[0].reg);
}

/* Translated code may go on behind this helper. */
static void lift_stay(Lifter *lifter, HelperId helper) {
    if (helper_table[helper].attributes & HELPER_MAY_STAY)
        lift_go_on(lifter);
}

/* MOV to and from CR and DR. */
static void move_special(Lifter *lifter, unsigned kind, HelperId read, HelperId write) {
    const Operand *operand = lifter->insn->operand;
    if (operand[0].kind == kind) {
        lift_load_temporary(lifter, UREG_T0, &operand[1]);
        if (write == HELPER_ID_write_cr && operand[0].reg == 3)
            write = HELPER_ID_write_cr3;
        lift_helper(lifter, write, operand[0].reg, 0);
        lift_stay(lifter, write);
    } else {
        lift_helper(lifter, read, operand[1].reg, operand[0].reg);
    }
}
static Uop *read_state(Lifter *lifter, unsigned reg, unsigned size, UopState which) {
    Uop *uop = lift_emit(lifter, UOP_READ_STATE, size);
    lift_set_dst_register(uop, reg);
    uop->imm = which;
    return uop;
}

/* MOV from CR0, CR2, CR3, or from CR4 where there is one for certain. */
static bool lift_read_cr(Lifter *lifter) {
    static const uint8_t states[5] = {
        [0] = UOP_STATE_CR0, [2] = UOP_STATE_CR2, [3] = UOP_STATE_CR3, [4] = UOP_STATE_CR4};
    const Operand *operand = lifter->insn->operand;
    bool has_cr4 = (lifter->mode->features & FEATURE_BIT(FEATURE_PSE)) != 0;
    if (operand[1].kind != OPERAND_CR || lifter->mode->cpl != 0 || operand[1].reg == 1 ||
        operand[1].reg > 4 || (operand[1].reg == 4 && !has_cr4))
        return false;
    read_state(lifter, operand[0].reg, 4, states[operand[1].reg]);
    return true;
}

/* MOV from a debug register, but from DR4 and DR5, which CR4.DE decides about. */
static bool lift_read_dr(Lifter *lifter) {
    const Operand *operand = lifter->insn->operand;
    if (operand[1].kind != OPERAND_DR || lifter->mode->cpl != 0 || operand[1].reg == 4 ||
        operand[1].reg == 5)
        return false;
    Uop *uop = lift_emit(lifter, UOP_READ_DR, 4);
    lift_set_dst_register(uop, operand[0].reg);
    uop->imm = operand[1].reg;
    return true;
}

void lift_mov_cr(Lifter *lifter) {
    if (lift_read_cr(lifter))
        return;
    move_special(lifter, OPERAND_CR, HELPER_ID_read_cr, HELPER_ID_write_cr);
}
void lift_mov_dr(Lifter *lifter) {
    if (lift_read_dr(lifter))
        return;
    move_special(lifter, OPERAND_DR, HELPER_ID_read_dr, HELPER_ID_write_dr);
}

void lift_mov_tr(Lifter *lifter) {
    move_special(lifter, OPERAND_TR, HELPER_ID_read_tr, HELPER_ID_write_tr);
}

void lift_lmsw(Lifter *lifter) {
    load_word(lifter, UREG_T0, &lifter->insn->operand[0]);
    lift_helper(lifter, HELPER_ID_lmsw, 0, 0);
}

static void read_system(Lifter *lifter, HelperId helper) {
    lift_helper(lifter, helper, 0, 0);
    store_result(lifter);
}

/* Does nothing hide SGDT, SIDT, SLDT, STR and SMSW? */
static bool tells_state(const Lifter *lifter) {
    return lifter->mode->cpl == 0 || !(lifter->mode->features & FEATURE_BIT(FEATURE_UMIP));
}

static void tell_state(Lifter *lifter, UopState which, bool is_there, HelperId helper) {
    if (is_there && tells_state(lifter))
        store_word_or_register(lifter, UOP_READ_STATE, which);
    else
        read_system(lifter, helper);
}
void lift_smsw(Lifter *lifter) {
    tell_state(lifter, UOP_STATE_CR0, true, HELPER_ID_smsw);
}
void lift_sldt(Lifter *lifter) {
    tell_state(lifter, UOP_STATE_LDTR, lifter->mode->protected_mode, HELPER_ID_store_ldtr);
}
void lift_str(Lifter *lifter) {
    tell_state(lifter, UOP_STATE_TR, lifter->mode->protected_mode, HELPER_ID_store_tr);
}

void lift_lldt(Lifter *lifter) {
    load_word(lifter, UREG_T0, &lifter->insn->operand[0]);
    lift_helper(lifter, HELPER_ID_load_ldtr, 0, 0);
}
void lift_ltr(Lifter *lifter) {
    load_word(lifter, UREG_T0, &lifter->insn->operand[0]);
    lift_helper(lifter, HELPER_ID_load_tr, 0, 0);
}

static void descriptor_table(Lifter *lifter, HelperId helper, uint32_t which) {
    lift_load_offset(lifter);
    lift_helper(lifter, helper, which,
                (uint32_t)lifter->insn->address_size << 16 |
                    (uint32_t)lifter->insn->memory.segment << 8 | lifter->insn->operand_size);
    lift_stay(lifter, helper);
}
void lift_lgdt(Lifter *lifter) {
    descriptor_table(lifter, HELPER_ID_load_descriptor_table, 0);
}
void lift_lidt(Lifter *lifter) {
    descriptor_table(lifter, HELPER_ID_load_descriptor_table, 1);
}

static void table_operand(Lifter *lifter, UopCode code, unsigned size, int32_t displacement) {
    Uop *uop = lift_emit(lifter, code, size);
    uop->dst_kind = UOPERAND_MEM;
    lift_set_insn_address(lifter, uop);
    uop->address.displacement += displacement;
    if (code == UOP_MOV)
        lift_set_src_register(uop, size == 2 ? UREG_T0 : UREG_T1);
}

/* Both parts are stored, or none. */
static void store_table(Lifter *lifter, uint32_t which) {
    if (!tells_state(lifter)) {
        descriptor_table(lifter, HELPER_ID_store_descriptor_table, which);
        return;
    }
    table_operand(lifter, UOP_CHECK_WRITE, 2, 0);
    table_operand(lifter, UOP_CHECK_WRITE, 4, 2);
    read_state(lifter, UREG_T0, 4, which == 0 ? UOP_STATE_GDTR_LIMIT : UOP_STATE_IDTR_LIMIT);
    read_state(lifter, UREG_T1, 4, which == 0 ? UOP_STATE_GDTR_BASE : UOP_STATE_IDTR_BASE);
    table_operand(lifter, UOP_MOV, 2, 0);
    table_operand(lifter, UOP_MOV, 4, 2);
}
void lift_sgdt(Lifter *lifter) {
    store_table(lifter, 0);
}
void lift_sidt(Lifter *lifter) {
    store_table(lifter, 1);
}

void lift_invlpg(Lifter *lifter) {
    lift_load_offset(lifter);
    lift_helper(lifter, HELPER_ID_invlpg, lifter->insn->memory.segment, 0);
    lift_stay(lifter, HELPER_ID_invlpg);
}

void lift_invpcid(Lifter *lifter) {
    lift_load_offset(lifter);
    lift_helper(lifter, HELPER_ID_invpcid, lifter->insn->memory.segment,
                lifter->insn->operand[0].reg);
}

void lift_clac(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_set_alignment_check, 0, 0);
}
void lift_stac(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_set_alignment_check, 1, 0);
}
void lift_rdrand(Lifter *lifter) {
    read_system(lifter, HELPER_ID_random);
}

void lift_bound(Lifter *lifter) {
    lift_load_offset(lifter);
    Uop *uop = lift_emit(lifter, UOP_MOV, 4);
    lift_set_dst_register(uop, UREG_T1);
    lift_set_src_register(uop, lifter->insn->operand[0].reg);
    lift_helper(lifter, HELPER_ID_bound, lifter->insn->operand_size,
                lifter->insn->memory.segment | (uint32_t)lifter->insn->address_size << 8);
}

void lift_clts(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_clts, 0, 0);
}
void lift_invd(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_cache_control, 0, 0);
    lift_stay(lifter, HELPER_ID_cache_control);
}
void lift_wbinvd(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_cache_control, 1, 0);
    lift_stay(lifter, HELPER_ID_cache_control);
}
void lift_hlt(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_hlt, 0, 0);
}
void lift_rsm(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_rsm, 0, 0);
}
/* At level 0 IF is theirs, whatever IOPL, VME and PVI say. */
void lift_cli(Lifter *lifter) {
    if (lifter->mode->cpl == 0)
        lift_emit(lifter, UOP_CLI, 4);
    else
        lift_helper(lifter, HELPER_ID_cli, 0, 0);
}
void lift_sti(Lifter *lifter) {
    if (lifter->mode->cpl == 0) {
        lift_emit(lifter, UOP_STI, 4);
        lift_go_on(lifter);
    } else {
        lift_helper(lifter, HELPER_ID_sti, 0, 0);
    }
}
void lift_pause(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_pause, 0, 0);
    lift_stay(lifter, HELPER_ID_pause);
}
void lift_rdtsc(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_rdtsc, 0, 0);
}
void lift_rdtscp(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_rdtsc, 1, 0);
}
void lift_rdpmc(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_rdpmc, 0, 0);
}
void lift_rdmsr(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_rdmsr, 0, 0);
}
void lift_wrmsr(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_wrmsr, 0, 0);
}
void lift_cpuid(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_cpuid, 0, 0);
}
void lift_monitor(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_monitor, 0, 0);
}
void lift_mwait(Lifter *lifter) {
    lift_helper(lifter, HELPER_ID_mwait, 0, 0);
}

void lift_cmpxchg8b(Lifter *lifter) {
    lift_set_dst_operand(lifter, lift_emit(lifter, UOP_CMPXCHG8B, 8), &lifter->insn->operand[0]);
}

/* Port I/O: port in T0, value in T1. */
static void load_port(Lifter *lifter, const Operand *operand) {
    bool immediate = operand->kind == OPERAND_IMM;
    Uop *uop = lift_emit(lifter, immediate ? UOP_MOV : UOP_MOVZX, 4);
    lift_set_dst_register(uop, UREG_T0);
    if (immediate) {
        lift_set_src_immediate(uop, lifter->insn->immediate & 0xFF);
    } else {
        lift_set_src_register(uop, REG_EDX);
        uop->src_size = 2;
    }
}

void lift_in(Lifter *lifter) {
    load_port(lifter, &lifter->insn->operand[1]);
    lift_helper(lifter, HELPER_ID_in, lifter->insn->operand[0].size, 0);
    lift_stay(lifter, HELPER_ID_in);
}

void lift_out(Lifter *lifter) {
    load_port(lifter, &lifter->insn->operand[0]);
    lift_load_temporary(lifter, UREG_T1, &lifter->insn->operand[1]);
    lift_helper(lifter, HELPER_ID_out, lifter->insn->operand[1].size, 0);
    lift_stay(lifter, HELPER_ID_out);
}

/* CLFLUSH and its like: there is no cache, but they fault as a load of the byte does. */
void lift_touch(Lifter *lifter) {
    lift_load_temporary(lifter, UREG_T0, &lifter->insn->operand[0]);
}

/* See oracle_latitude.h. */
#include "oracle_latitude.h"
#include "cpu.h"
#include "oracle_guest.h"
#include "oracle_tolerance.h"

enum { ERROR_PRESENT = 1, ERROR_FETCH = 16 };
enum { STATUS_UE = 0x10, STATUS_PE = 0x20, STATUS_C1 = 0x200 };

/* ---- What the host is not asked ---- */

/* Where we have no instruction and newer processors do: VEX and EVEX prefixes (LES, LDS and BOUND
 * with a register), and register forms of groups whose rows want memory. */
static bool is_newer_elsewhere(const OracleCase *made) {
    const Insn *insn = &made->insn.insn;
    if (made->insn.status != DECODE_INVALID || insn->modrm < 0xC0)
        return false;
    if (insn->map == 0)
        return insn->opcode == 0xC4 || insn->opcode == 0xC5 || insn->opcode == 0x62 ||
               insn->opcode == 0x8F;
    return insn->map == 1 && (insn->opcode == 0x01 || insn->opcode == 0xAE || insn->opcode == 0xC7);
}

/* 16 bits by more than 16, and BSWAP of 16 (SDM vol. 2). */
static bool is_result_undefined(const Insn *insn, const OracleCase *made) {
    if (insn->operand_size != 2)
        return false;
    unsigned count =
        insn->operand[2].kind == OPERAND_IMM ? insn->immediate : made->input.gpr[REG_ECX];
    return insn->code == INSN_BSWAP ||
           ((insn->code == INSN_SHLD || insn->code == INSN_SHRD) && (count & 31) > 16);
}

bool oracle_may_run(const OracleCase *made) {
    enum { SYSTEM_CALL = 0x80 };
    const Insn *insn = &made->insn.insn;
    if (insn->code == INSN_INT && (insn->immediate & 0xFF) == SYSTEM_CALL)
        return false;
    if (is_newer_elsewhere(made))
        return false;
    if (insn->map == 1 && insn->opcode == 0x0D && insn->modrm >= 0xC0)
        return false; /* AMD: #UD; Intel: a NOP */
    if ((insn->code == INSN_LOOPE || insn->code == INSN_LOOPNE) &&
        insn->prefixes & (PREFIX_REP | PREFIX_REPNE))
        return false; /* AMD: the prefix says which of them it is */
    if (insn->code == INSN_MOV_CR && insn->prefixes & PREFIX_LOCK)
        return false; /* AMD: CR8 */
    return !is_result_undefined(insn, made);
}

/* FCOMI and its kin clear C1 on Intel's processors (SDM vol. 2), and leave it on AMD's. */
static bool leaves_c1(const OracleHost *host, const Insn *insn) {
    return !host->is_intel && insn->code >= INSN_FCOMI && insn->code <= INSN_FUCOMIP;
}

/* ---- What the manuals leave to the processor ---- */

static bool is_image(const Insn *insn) {
    switch (insn->code) {
    case INSN_FLDENV:
    case INSN_FNSTENV:
    case INSN_FRSTOR:
    case INSN_FNSAVE:
    case INSN_FXRSTOR:
    case INSN_FXSAVE:
        return true;
    default:
        return false;
    }
}

/* Of the operand in memory, in its segment. */
static uint32_t find_offset(const OracleCase *made) {
    const MemoryOperand *memory = &made->insn.insn.memory;
    uint32_t offset = (uint32_t)memory->displacement;
    if (memory->base != NO_REGISTER)
        offset += made->input.gpr[memory->base];
    if (memory->index != NO_REGISTER)
        offset += made->input.gpr[memory->index] * memory->scale;
    return offset;
}

static bool is_far_return(const Insn *insn) {
    return insn->code == INSN_RET_FAR || insn->code == INSN_IRET;
}

static bool is_masked_move(const Insn *insn) {
    return insn->code == INSN_MASKMOVQ || insn->code == INSN_MASKMOVDQU;
}

static bool has_long_operand(const OracleCase *made) {
    const Insn *insn = &made->insn.insn;
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operand[i].kind == OPERAND_MEM && insn->operand[i].size == 16)
            return true;
    return false;
}

/* Where only one of them raises #AC. AMD's processors look at alignment before the page, Intel's
 * after it (SDM vol. 3A table 6-2); they do not look at x87 images, but at masked moves, pushed
 * and popped selectors and the end of an ENTER's frame as a whole. Of 16-byte operands every
 * processor may decide (SDM vol. 2A 2.4.4). */
static bool is_alignment_of_other(const OracleCase *made, const OracleState *ours,
                                  const OracleState *hosts) {
    const Insn *insn = &made->insn.insn;
    if ((ours->vector == EXCEPTION_AC) == (hosts->vector == EXCEPTION_AC))
        return false;
    return ours->vector == EXCEPTION_PF || hosts->vector == EXCEPTION_PF || is_image(insn) ||
           is_masked_move(insn) || insn->code == INSN_POP_SREG || insn->code == INSN_PUSH_SREG ||
           insn->code == INSN_ENTER || has_long_operand(made);
}

/* Where AMD's processors look at things in another order. A far return reads all that an outer
 * level would need before it looks at the selector; a selector is pushed and popped with an upper
 * half; the permission of a port is looked at for no iterations too; UD1 has no operand to fetch;
 * masked moves need the page for no bytes too, and MMX state is entered before that. */
static bool is_order_of_other(const OracleCase *made, const OracleState *ours,
                              const OracleState *hosts) {
    const Insn *insn = &made->insn.insn;
    switch (insn->code) {
    case INSN_RET_FAR:
    case INSN_IRET:
        return (hosts->vector == EXCEPTION_PF || hosts->vector == EXCEPTION_AC) &&
               ours->vector == EXCEPTION_GP;
    case INSN_PUSH_SREG:
        return hosts->vector == EXCEPTION_PF && ours->eip != made->input.eip;
    case INSN_POP_SREG:
        return hosts->vector == EXCEPTION_PF && insn->operand_size == 4;
    case INSN_INS:
    case INSN_OUTS:
        return hosts->vector == EXCEPTION_GP && ours->vector != EXCEPTION_GP &&
               (made->input.gpr[REG_ECX] & (insn->address_size == 2 ? 0xFFFF : ~0u)) == 0;
    case INSN_UD0:
    case INSN_UD1:
        return hosts->vector == EXCEPTION_UD && ours->vector == EXCEPTION_PF;
    case INSN_MASKMOVDQU:
        return hosts->vector == EXCEPTION_PF && ours->eip != made->input.eip;
    case INSN_MASKMOVQ:
        return hosts->eip == made->input.eip;
    default:
        return false;
    }
}

/* An operand over the end of the address space: "behavior is implementation-specific and may vary
 * from one execution to another" (SDM vol. 3A 5.3.1). */
static bool is_over_the_end(const OracleState *ours, const OracleState *hosts, uint32_t offset) {
    enum { LONGEST = 512 };
    bool is_segment_fault = hosts->vector == EXCEPTION_GP || hosts->vector == EXCEPTION_SS;
    uint32_t address = ours->vector == EXCEPTION_AC ? offset : ours->cr2;
    return is_segment_fault && (ours->vector == EXCEPTION_AC || ours->vector == EXCEPTION_PF) &&
           address + LONGEST < 2 * LONGEST;
}

bool oracle_is_memory_open(const OracleCase *made, const OracleState *hosts) {
    return made->insn.insn.code == INSN_ENTER && hosts->eip == made->input.eip;
}

bool oracle_is_comparable(const OracleCase *made, const OracleState *ours,
                          const OracleState *hosts) {
    if (is_over_the_end(ours, hosts, find_offset(made)) ||
        is_alignment_of_other(made, ours, hosts) || is_order_of_other(made, ours, hosts))
        return false;
    if (hosts->vector != EXCEPTION_PF)
        return true;
    bool is_execute_disabled =
        (hosts->error_code & (ERROR_FETCH | ERROR_PRESENT)) == (ERROR_FETCH | ERROR_PRESENT);
    return !is_execute_disabled && !oracle_guest_owns(hosts->cr2);
}

/* Which byte of a long operand, or which of several, is found missing first. */
static bool is_address_open(const Insn *insn) {
    return is_image(insn) || is_masked_move(insn) || is_far_return(insn);
}

/* Intel's processors push RF set for a trap between two iterations (SDM vol. 3B 17.3.1.1), AMD's
 * do not; nor for INT3 with RF set by the IRET before it. */
static uint32_t open_system_flags(const OracleHost *host, const OracleCase *made,
                                  const OracleState *hosts) {
    bool is_between = hosts->vector == EXCEPTION_DB && hosts->eip == made->input.eip;
    return !host->is_intel && (is_between || made->insn.insn.code == INSN_IRET) ? FLAG_RF : 0;
}

/* AMD's processors show flags of the last comparison where an iteration faults; Intel's those from
 * before the instruction (SDM vol. 1 7.3.9.1). */
static bool is_faulted_comparison(const OracleCase *made, const OracleState *hosts) {
    const Insn *insn = &made->insn.insn;
    return (insn->code == INSN_CMPS || insn->code == INSN_SCAS) && hosts->vector != EXCEPTION_DB &&
           hosts->eip == made->input.eip;
}

uint32_t oracle_open_flags(const OracleHost *host, const OracleCase *made,
                           const OracleState *hosts) {
    if (!host->is_intel && is_faulted_comparison(made, hosts))
        return FLAG_STATUS;
    bool is_complete = hosts->vector == EXCEPTION_BP || hosts->vector == EXCEPTION_DB ||
                       hosts->vector == EXCEPTION_DE || hosts->eip != made->input.eip;
    return host->has_our_undefined_flags || !is_complete ? 0 : made->row->row->flags_undefined;
}

OracleOpen oracle_find_open(const OracleHost *host, const OracleCase *made,
                            const OracleState *hosts) {
    const Insn *insn = &made->insn.insn;
    OracleOpen open = {.eflags = oracle_open_flags(host, made, hosts) |
                                 open_system_flags(host, made, hosts),
                       .fpu_status = leaves_c1(host, insn) ? STATUS_C1 : 0,
                       .cr2 = is_address_open(insn),
                       .is_transcendental = oracle_is_transcendental(insn),
                       .is_estimate = oracle_is_estimate(insn)};
    if (open.is_transcendental)
        open.fpu_status = STATUS_C1 | STATUS_PE | STATUS_UE;
    return open;
}

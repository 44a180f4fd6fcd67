/* See oracle_compare.h. */
#include "oracle_compare.h"
#include "cpu.h"
#include "oracle_guest.h"
#include "oracle_tolerance.h"
#include <stdio.h>
#include <string.h>

enum {
    ERROR_PRESENT = 1,
    ERROR_FETCH = 16,
    PENDING = 0x80,
    STATUS_UE = 0x10,
    STATUS_PE = 0x20,
    STATUS_C1 = 0x200,
    FIRST_BYTES = 10
};

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

bool oracle_may_run(const OracleHost *host, const OracleCase *made) {
    enum { SYSTEM_CALL = 0x80 };
    const Insn *insn = &made->insn.insn;
    if (insn->code == INSN_INT && (insn->immediate & 0xFF) == SYSTEM_CALL)
        return false;
    if (is_newer_elsewhere(made))
        return false;
    if (host->is_intel)
        return true;
    if (insn->map == 1 && insn->opcode == 0x0D && insn->modrm >= 0xC0)
        return false; /* AMD: #UD; Intel: a NOP */
    if ((insn->code == INSN_LOOPE || insn->code == INSN_LOOPNE) &&
        insn->prefixes & (PREFIX_REP | PREFIX_REPNE))
        return false; /* AMD: the prefix says which of them it is */
    if (insn->code == INSN_MOV_CR && insn->prefixes & PREFIX_LOCK)
        return false; /* AMD: CR8 */
    return !is_result_undefined(insn, made);
}

/* A part of an x87 image: from here, that many bytes. */
typedef struct ImagePart {
    uint16_t offset, size;
} ImagePart;

/* Of a selector that is pushed as 32 bits: Intel's processors leave it, AMD's clear it. Of x87
 * images reserved words and selectors, then what has FIP, FDP and FOP. */
static const ImagePart upper_half[] = {{2, 2}, {0, 0}};
static const ImagePart open_16[] = {{8, 2}, {12, 2}, {0, 0}};
static const ImagePart open_32[] = {{2, 2}, {6, 2}, {10, 2}, {16, 2}, {24, 4}, {0, 0}};
static const ImagePart open_fx[] = {{5, 1}, {12, 4}, {20, 4}, {28, 4}, {416, 96}, {0, 0}};
static const ImagePart data_pointer_16[] = {{10, 2}, {0, 0}};
static const ImagePart data_pointer_32[] = {{20, 4}, {0, 0}};
static const ImagePart opcode_32[] = {{18, 2}, {0, 0}};
static const ImagePart pointers_fx[] = {{6, 14}, {0, 0}};

static void copy_parts(const ImagePart *parts, const uint8_t *from, uint8_t *to, unsigned size) {
    for (; parts->size != 0; parts++)
        for (unsigned i = parts->offset; i < parts->offset + parts->size && i < size; i++)
            to[i] = from[i];
}

/* FCOMI and its kin clear C1 on Intel's processors (SDM vol. 2), and leave it on AMD's. */
static bool leaves_c1(const OracleHost *host, const Insn *insn) {
    return !host->is_intel && insn->code >= INSN_FCOMI && insn->code <= INSN_FUCOMIP;
}

void oracle_take_open_memory(const OracleHost *host, const OracleCase *made, const uint8_t *image,
                             uint8_t *ours, unsigned size) {
    unsigned code = made->insn.insn.code;
    if (code == INSN_PUSH_SREG) {
        if (!host->is_intel)
            copy_parts(upper_half, image, ours, size);
        return;
    }
    bool is_wide = size == 28 || size == 108;
    if (code == INSN_FXSAVE) {
        copy_parts(open_fx, image, ours, size);
        if (!host->has_pointers || !host->has_opcode)
            copy_parts(pointers_fx, image, ours, size);
        return;
    }
    copy_parts(is_wide ? open_32 : open_16, image, ours, size);
    if (leaves_c1(host, &made->insn.insn)) { /* in the status word */
        unsigned at = is_wide ? 5 : 3;
        ours[at] = (uint8_t)((ours[at] & ~2u) | (image[at] & 2u));
    }
    if (!host->has_data_pointer)
        copy_parts(is_wide ? data_pointer_32 : data_pointer_16, image, ours, size);
    if (!host->has_opcode && is_wide)
        copy_parts(opcode_32, image, ours, size);
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
 * level would need before it looks at the selector; a selector is
 * pushed with an upper half; the permission of a port is looked at for no iterations too; UD1 has
 * no operand to fetch; MASKMOVQ is in MMX state before a fault. */
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
static bool is_over_the_end(const OracleState *ours, const OracleState *hosts) {
    enum { LONGEST = 512 };
    bool is_segment_fault = hosts->vector == EXCEPTION_GP || hosts->vector == EXCEPTION_SS;
    return is_segment_fault && ours->vector == EXCEPTION_PF &&
           (ours->cr2 < LONGEST || ours->cr2 > UINT32_MAX - LONGEST);
}

bool oracle_is_memory_open(const OracleHost *host, const OracleCase *made,
                           const OracleState *hosts) {
    return !host->is_intel && made->insn.insn.code == INSN_ENTER && hosts->eip == made->input.eip;
}

bool oracle_is_comparable(const OracleHost *host, const OracleCase *made, const OracleState *ours,
                          const OracleState *hosts) {
    if (is_over_the_end(ours, hosts))
        return false;
    if (!host->is_intel &&
        (is_alignment_of_other(made, ours, hosts) || is_order_of_other(made, ours, hosts)))
        return false;
    if (hosts->vector != EXCEPTION_PF)
        return true;
    bool is_execute_disabled =
        (hosts->error_code & (ERROR_FETCH | ERROR_PRESENT)) == (ERROR_FETCH | ERROR_PRESENT);
    return !is_execute_disabled && !oracle_guest_owns(hosts->cr2);
}

/* Which byte of a long operand, or which of several, is found missing first. */
static bool is_address_open(const OracleCase *made) {
    const Insn *insn = &made->insn.insn;
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
    return host->is_intel || !is_complete ? 0 : made->row->row->flags_undefined;
}

bool oracle_compare_bytes(const char *what, const uint8_t *ours, const uint8_t *others, size_t size,
                          uint32_t address, char *text, size_t text_size) {
    if (memcmp(ours, others, size) == 0)
        return true;
    size_t i = 0;
    while (ours[i] == others[i])
        i++;
    int length = snprintf(text, text_size, "%s at %X is", what, address + (uint32_t)i);
    size_t shown = size - i < FIRST_BYTES ? size - i : FIRST_BYTES;
    for (size_t j = 0; j < shown; j++)
        length += snprintf(text + length, text_size - (size_t)length, " %02X", ours[i + j]);
    length += snprintf(text + length, text_size - (size_t)length, ", the other's");
    for (size_t j = 0; j < shown; j++)
        length += snprintf(text + length, text_size - (size_t)length, " %02X", others[i + j]);
    return false;
}

typedef struct Difference {
    char *text;
    size_t size;
} Difference;

static bool is_same(Difference *difference, const char *what, uint32_t ours, uint32_t others) {
    if (ours == others)
        return true;
    snprintf(difference->text, difference->size, "%s is %X, the other's %X", what, ours, others);
    return false;
}

/* The system's way back to a process makes every null selector 0. */
static uint16_t see_selector(uint16_t selector) {
    return selector < 4 ? 0 : selector;
}

static bool compare_integers(const OracleHost *host, const OracleCase *made,
                             const OracleState *ours, const OracleState *hosts,
                             Difference *difference) {
    static const char *const registers[8] = {"EAX", "ECX", "EDX", "EBX",
                                             "ESP", "EBP", "ESI", "EDI"};
    static const char *const segments[6] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    uint32_t compared =
        ~(oracle_open_flags(host, made, hosts) | open_system_flags(host, made, hosts));
    uint32_t code = hosts->error_code & ~(hosts->vector == EXCEPTION_PF ? ERROR_FETCH : 0u);
    if (!is_same(difference, "exception", ours->vector, hosts->vector) ||
        !is_same(difference, "EIP", ours->eip, hosts->eip) ||
        !is_same(difference, "error code", ours->error_code, code) ||
        (!is_address_open(made) && !is_same(difference, "CR2", ours->cr2, hosts->cr2)))
        return false;
    for (unsigned i = 0; i < 8; i++)
        if (!is_same(difference, registers[i], ours->gpr[i], hosts->gpr[i]))
            return false;
    for (unsigned i = 0; i < 6; i++)
        if (!is_same(difference, segments[i], see_selector(ours->segment[i]),
                     see_selector(hosts->segment[i])))
            return false;
    return is_same(difference, "EFLAGS", ours->eflags & compared, hosts->eflags & compared);
}

static bool compare_pointers(const OracleHost *host, const OracleState *ours,
                             const OracleState *hosts, Difference *difference) {
    bool is_pending = (hosts->status & PENDING) != 0;
    bool has_ip = is_pending || host->has_pointers;
    bool has_dp = is_pending || (host->has_pointers && host->has_data_pointer);
    bool has_opcode = is_pending || (host->has_pointers && host->has_opcode);
    return (!has_ip || is_same(difference, "FIP", ours->ip, hosts->ip)) &&
           (!has_dp || is_same(difference, "FDP", ours->dp, hosts->dp)) &&
           (!has_opcode || is_same(difference, "FOP", ours->opcode, hosts->opcode));
}

static bool compare_fpu(const OracleHost *host, const OracleCase *made, const OracleState *ours,
                        const OracleState *hosts, Difference *difference) {
    const Insn *insn = &made->insn.insn;
    unsigned open_status = leaves_c1(host, insn) ? STATUS_C1 : 0;
    if (oracle_is_transcendental(insn))
        open_status = STATUS_C1 | STATUS_PE | STATUS_UE;
    if (!is_same(difference, "FPU control word", ours->control, hosts->control) ||
        !is_same(difference, "FPU status word", ours->status & ~open_status,
                 hosts->status & ~open_status) ||
        !is_same(difference, "FPU registers in use", ours->tags, hosts->tags) ||
        !compare_pointers(host, ours, hosts, difference))
        return false;
    return oracle_is_transcendental(insn)
               ? oracle_compare_transcendental(insn, ours, hosts, difference->text,
                                               difference->size)
               : oracle_compare_bytes("ST, 10 bytes each,", ours->st[0], hosts->st[0],
                                      sizeof(ours->st), 0, difference->text, difference->size);
}

bool oracle_agrees_with_host(const OracleHost *host, const OracleCase *made,
                             const OracleState *ours, const OracleState *hosts, char *text,
                             size_t size) {
    Difference difference = {text, size};
    return compare_integers(host, made, ours, hosts, &difference) &&
           compare_fpu(host, made, ours, hosts, &difference) &&
           is_same(&difference, "MXCSR", ours->mxcsr, hosts->mxcsr) &&
           (oracle_is_estimate(&made->insn.insn)
                ? oracle_compare_estimates(ours, hosts, text, size)
                : oracle_compare_bytes("XMM, 16 bytes each,", ours->xmm[0], hosts->xmm[0],
                                       sizeof(ours->xmm), 0, text, size));
}

/* Lifting x87 instructions: one micro-op where the unit is ready and an x86 host does exactly the
 * same, else a helper. */
#include "cpu_feature.h"
#include "lift_internal.h"
#include "x87.h"

enum {
    LOAD = 0x40,  /* reads its memory operand */
    STORE = 0x80, /* writes it */
    SIZE = 0x1F,  /* of the memory operand */
    HELPER = 0,   /* by a helper: state images, and FBSTP, which hosts take very long for */
};

/* Memory operands: [escape opcode & 7][register field]. SDM vol. 2 appendix A.5. */
static const uint8_t memory_forms[8][8] = {
    /* D8 */ {LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4},
    /* D9 */ {LOAD | 4, HELPER, STORE | 4, STORE | 4, HELPER, LOAD | 2, HELPER, STORE | 2},
    /* DA */ {LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4, LOAD | 4},
    /* DB */ {LOAD | 4, STORE | 4, STORE | 4, STORE | 4, HELPER, LOAD | 10, HELPER, STORE | 10},
    /* DC */ {LOAD | 8, LOAD | 8, LOAD | 8, LOAD | 8, LOAD | 8, LOAD | 8, LOAD | 8, LOAD | 8},
    /* DD */ {LOAD | 8, STORE | 8, STORE | 8, STORE | 8, HELPER, HELPER, HELPER, STORE | 2},
    /* DE */ {LOAD | 2, LOAD | 2, LOAD | 2, LOAD | 2, LOAD | 2, LOAD | 2, LOAD | 2, LOAD | 2},
    /* DF */ {LOAD | 2, STORE | 2, STORE | 2, STORE | 2, LOAD | 10, LOAD | 8, HELPER, STORE | 8},
};

/* Register operands that one micro-op does, one bit for each of C0 to FF in eights; singles
 * stand below. */
static const uint8_t register_fields[8] = {
    /* D8 */ 0xFF,                   /* arithmetic and comparisons */
    /* D9 */ 1 << 0 | 1 << 1,        /* FLD, FXCH */
    /* DA */ 0x0F,                   /* FCMOVcc */
    /* DB */ 0x0F | 1 << 5 | 1 << 6, /* FCMOVNcc, FUCOMI, FCOMI */
    /* DC */ 0xF3,                   /* arithmetic; not the aliases of FCOM */
    /* DD */ 1 << 0 | 0xC | 3 << 4,  /* FFREE, FST, FSTP, FUCOM, FUCOMP */
    /* DE */ 0xF3,                   /* arithmetic */
    /* DF */ 1 << 5 | 1 << 6,        /* FUCOMIP, FCOMIP */
};

/* FNOP; FCHS FABS FTST FXAM; the constants; FXTRACT FPREM1 FDECSTP FINCSTP FPREM FSQRT FRNDINT
 * FSCALE; FUCOMPP; FNCLEX, FNINIT; FCOMPP; FNSTSW AX. Transcendental functions are ours on every
 * host. */
static const uint16_t singles[] = {
    0xD9D0, 0xD9E0, 0xD9E1, 0xD9E4, 0xD9E5, 0xD9E8, 0xD9E9, 0xD9EA, 0xD9EB,
    0xD9EC, 0xD9ED, 0xD9EE, 0xD9F4, 0xD9F5, 0xD9F6, 0xD9F7, 0xD9F8, 0xD9FA,
    0xD9FC, 0xD9FD, 0xDAE9, 0xDBE2, 0xDBE3, 0xDED9, 0xDFE0,
};

static bool register_form_is_by_host(unsigned opcode, unsigned modrm) {
    for (unsigned i = 0; i < sizeof singles / sizeof singles[0]; i++)
        if (singles[i] == (opcode << 8 | modrm))
            return true;
    return (register_fields[opcode & 7] >> (modrm >> 3 & 7) & 1) != 0;
}

/* The instructions that came with CMOV and with SSE3 are #UD, by the helper, before. */
static bool has_features(const Lifter *lifter, unsigned opcode, unsigned modrm) {
    unsigned field = modrm >> 3 & 7;
    bool with_cmov = modrm >= 0xC0 && ((opcode == 0xDA && field < 4) || opcode == 0xDB ||
                                       (opcode == 0xDF && field >= 5));
    bool fisttp = modrm < 0xC0 && field == 1 && (opcode & 1) && opcode != 0xD9;
    uint64_t needed =
        (with_cmov ? FEATURE_BIT(FEATURE_CMOV) : 0) | (fisttp ? FEATURE_BIT(FEATURE_SSE3) : 0);
    uint64_t host = fisttp ? lifter->mode->host_features : UINT64_MAX;
    return (lifter->mode->features & host & needed) == needed;
}

/* Of all x87 and vector instructions few touch the status flags: the others must not make them
 * count as read. */
void lift_set_fpu_flag_effects(Lifter *lifter) {
    Uop *uop = &lifter->block->uop[lifter->block->uop_count - 1];
    const OpcodeRow *row = lifter->insn->row;
    uop->flags_read = row->flags_read ? FLAG_GROUP_ALL : 0;
    uop->flags_written = row->flags_written & FLAG_STATUS ? FLAG_GROUP_ALL : 0;
}

static void lift_by_host(Lifter *lifter, uint32_t a, uint32_t b, unsigned form) {
    Uop *uop = lift_emit(lifter, UOP_X87, form == 0 ? 4 : form & SIZE);
    uop->imm = a;
    uop->imm2 = b;
    if (form == 0)
        return;
    uop->dst_kind = form & STORE ? UOPERAND_MEM : UOPERAND_NONE;
    uop->src_kind = form & LOAD ? UOPERAND_MEM : UOPERAND_NONE;
    lift_set_insn_address(lifter, uop);
}

void lift_x87(Lifter *lifter) {
    const Insn *insn = lifter->insn;
    bool memory = insn->modrm < 0xC0;
    unsigned form = memory ? memory_forms[insn->opcode & 7][insn->modrm >> 3 & 7] : 0;
    bool by_host = memory ? form != 0 : register_form_is_by_host(insn->opcode, insn->modrm);
    uint32_t a = (uint32_t)insn->opcode << 8 | insn->modrm;
    uint32_t b = insn->memory.segment | (uint32_t)insn->operand_size << 8 |
                 (uint32_t)insn->address_size << 16;
    if (by_host && (lifter->mode->ready_units & FPU_UNIT_X87) &&
        has_features(lifter, insn->opcode, insn->modrm)) {
        lift_by_host(lifter, a, b, form);
    } else {
        if (memory)
            lift_load_offset(lifter);
        lift_helper(lifter, HELPER_ID_x87, a, b);
    }
    lift_set_fpu_flag_effects(lifter);
}

/* With the unit ready no exception can be pending, and CR0.TS is clear: nothing to do. */
void lift_wait(Lifter *lifter) {
    if (!(lifter->mode->ready_units & FPU_UNIT_X87))
        lift_helper(lifter, HELPER_ID_fwait, 0, 0);
}

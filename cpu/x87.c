/* x87 instructions: the opcode table, and what all of them have in common. SDM vol. 2 appendix A.5.
 */
#include "cpu_feature.h"
#include "cpu_model.h"
#include "msr.h"
#include "x87_internal.h"

enum {
    X87_NO_WAIT = 1 << 0, /* does not look for pending exceptions */
    X87_CONTROL = 1 << 1, /* leaves instruction and data pointer alone */
};

typedef struct X87Row {
    X87Handler *handler; /* NULL: no such instruction */
    uint8_t parameter;
    uint8_t attributes;
    uint8_t feature; /* beyond FEATURE_FPU; 0: none */
} X87Row;

#define POP 0x80   /* for x87_store_integer */
#define QUIET 0x80 /* for comparisons */

// clang-format off
/* Memory operand: escape opcode D8h to DFh, register field 0 to 7. */
static const X87Row memory_rows[8][8] = {
    /* D8 */ { {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0},
               {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0} },
    /* D9 */ { {x87_load_float32, 0, 0, 0}, {0}, {x87_store_float32, 0, 0, 0}, {x87_store_float32, 1, 0, 0},
               {x87_load_environment, 0, X87_CONTROL, 0}, {x87_load_control, 0, X87_CONTROL, 0},
               {x87_store_environment, 0, X87_CONTROL | X87_NO_WAIT, 0}, {x87_store_control, 0, X87_CONTROL | X87_NO_WAIT, 0} },
    /* DA */ { {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0},
               {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0} },
    /* DB */ { {x87_load_integer, 4, 0, 0}, {x87_store_truncated, 4, 0, FEATURE_SSE3}, {x87_store_integer, 4, 0, 0}, {x87_store_integer, 4 | POP, 0, 0},
               {0}, {x87_load_float80, 0, 0, 0}, {0}, {x87_store_float80, 1, 0, 0} },
    /* DC */ { {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0},
               {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0} },
    /* DD */ { {x87_load_float64, 0, 0, 0}, {x87_store_truncated, 8, 0, FEATURE_SSE3}, {x87_store_float64, 0, 0, 0}, {x87_store_float64, 1, 0, 0},
               {x87_restore, 0, X87_CONTROL, 0}, {0},
               {x87_save, 0, X87_CONTROL | X87_NO_WAIT, 0}, {x87_store_status, 0, X87_CONTROL | X87_NO_WAIT, 0} },
    /* DE */ { {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0},
               {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0}, {x87_calculate_memory, 0, 0, 0} },
    /* DF */ { {x87_load_integer, 2, 0, 0}, {x87_store_truncated, 2, 0, FEATURE_SSE3}, {x87_store_integer, 2, 0, 0}, {x87_store_integer, 2 | POP, 0, 0},
               {x87_load_bcd, 0, 0, 0}, {x87_load_integer, 8, 0, 0}, {x87_store_bcd, 0, 0, 0}, {x87_store_integer, 8 | POP, 0, 0} },
};

/* Register operand: escape opcode, register field; the operand is ST(i). Rows of single instructions stand below.
 * Undocumented aliases: DC D0 FCOM2, DC D8 FCOMP3, DD C8 FXCH4, DE D0 FCOMP5, DF C0 FFREEP, DF C8 FXCH7, DF D0 FSTP8,
 * DF D8 FSTP9, D9 D8 FSTP1. */
static const X87Row register_rows[8][8] = {
    /* D8 */ { {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_compare_register, 0, 0, 0}, {x87_compare_register, 1, 0, 0},
               {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0} },
    /* D9 */ { {x87_load_register, 0, 0, 0}, {x87_exchange, 0, 0, 0}, {0}, {x87_store_register_unchecked, 1, 0, 0}, {0}, {0}, {0}, {0} },
    /* DA */ { {x87_move_conditional, 0, 0, FEATURE_CMOV}, {x87_move_conditional, 0, 0, FEATURE_CMOV},
               {x87_move_conditional, 0, 0, FEATURE_CMOV}, {x87_move_conditional, 0, 0, FEATURE_CMOV}, {0}, {0}, {0}, {0} },
    /* DB */ { {x87_move_conditional, 0, 0, FEATURE_CMOV}, {x87_move_conditional, 0, 0, FEATURE_CMOV},
               {x87_move_conditional, 0, 0, FEATURE_CMOV}, {x87_move_conditional, 0, 0, FEATURE_CMOV}, {0},
               {x87_compare_flags, QUIET, 0, FEATURE_CMOV}, {x87_compare_flags, 0, 0, FEATURE_CMOV}, {0} },
    /* DC */ { {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_compare_register, 0, 0, 0}, {x87_compare_register, 1, 0, 0},
               {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0} },
    /* DD */ { {x87_free, 0, 0, 0}, {x87_exchange, 0, 0, 0}, {x87_store_register, 0, 0, 0}, {x87_store_register, 1, 0, 0},
               {x87_compare_register, QUIET, 0, 0}, {x87_compare_register, QUIET | 1, 0, 0}, {0}, {0} },
    /* DE */ { {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_compare_register, 1, 0, 0}, {0},
               {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0}, {x87_calculate_register, 0, 0, 0} },
    /* DF */ { {x87_free, 1, 0, 0}, {x87_exchange, 0, 0, 0}, {x87_store_register, 1, 0, 0}, {x87_store_register, 1, 0, 0}, {0},
               {x87_compare_flags, QUIET | 1, 0, FEATURE_CMOV}, {x87_compare_flags, 1, 0, FEATURE_CMOV}, {0} },
};

/* D9 E0 to D9 FF. */
static const X87Row unary_rows[32] = {
    /* FCHS FABS - - FTST FXAM - - */
    {x87_change_sign, 0, 0, 0}, {x87_absolute, 0, 0, 0}, {0}, {0}, {x87_test, 0, 0, 0}, {x87_examine, 0, 0, 0}, {0}, {0},
    /* FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ - */
    {x87_load_constant, 0, 0, 0}, {x87_load_constant, 1, 0, 0}, {x87_load_constant, 2, 0, 0}, {x87_load_constant, 3, 0, 0},
    {x87_load_constant, 4, 0, 0}, {x87_load_constant, 5, 0, 0}, {x87_load_constant, 6, 0, 0}, {0},
    /* F2XM1 FYL2X FPTAN FPATAN FXTRACT FPREM1 FDECSTP FINCSTP */
    {x87_transcendental, 0, 0, 0}, {x87_transcendental, 0, 0, 0}, {x87_transcendental, 0, 0, 0}, {x87_transcendental, 0, 0, 0},
    {x87_extract, 0, 0, 0}, {x87_remainder, 1, 0, 0}, {x87_rotate_stack, 7, 0, 0}, {x87_rotate_stack, 1, 0, 0},
    /* FPREM FYL2XP1 FSQRT FSINCOS FRNDINT FSCALE FSIN FCOS */
    {x87_remainder, 0, 0, 0}, {x87_transcendental, 0, 0, 0}, {x87_square_root, 0, 0, 0}, {x87_transcendental, 0, 0, 0},
    {x87_round, 0, 0, 0}, {x87_scale, 0, 0, 0}, {x87_transcendental, 0, 0, 0}, {x87_transcendental, 0, 0, 0},
};

/* Instructions that are one register form alone. FENI, FDISI (8087) and FSETPM (287) do nothing. */
static const struct {
    uint8_t opcode, modrm;
    X87Row row;
} single_rows[] = {
    {0xD9, 0xD0, {x87_nop, 0, 0, 0}},                                       /* FNOP */
    {0xDA, 0xE9, {x87_compare_register, QUIET | 2, 0, 0}},                  /* FUCOMPP */
    {0xDB, 0xE0, {x87_nop, 0, X87_CONTROL | X87_NO_WAIT, 0}},               /* FNENI */
    {0xDB, 0xE1, {x87_nop, 0, X87_CONTROL | X87_NO_WAIT, 0}},               /* FNDISI */
    {0xDB, 0xE2, {x87_clear_exceptions, 0, X87_CONTROL | X87_NO_WAIT, 0}},  /* FNCLEX */
    {0xDB, 0xE3, {x87_initialise, 0, X87_CONTROL | X87_NO_WAIT, 0}},        /* FNINIT */
    {0xDB, 0xE4, {x87_nop, 0, X87_CONTROL | X87_NO_WAIT, 0}},               /* FNSETPM */
    {0xDE, 0xD9, {x87_compare_register, 2, 0, 0}},                          /* FCOMPP */
    {0xDF, 0xE0, {x87_store_status_ax, 0, X87_CONTROL | X87_NO_WAIT, 0}},   /* FNSTSW AX */
};
// clang-format on

static const X87Row *find_row(unsigned opcode, unsigned modrm) {
    if (modrm < 0xC0)
        return &memory_rows[opcode & 7][modrm >> 3 & 7];
    if (opcode == 0xD9 && modrm >= 0xE0)
        return &unary_rows[modrm & 31];
    const X87Row *row = &register_rows[opcode & 7][modrm >> 3 & 7];
    for (unsigned i = 0; row->handler == NULL && i < sizeof single_rows / sizeof single_rows[0];
         i++) {
        if (single_rows[i].opcode == opcode && single_rows[i].modrm == modrm)
            return &single_rows[i].row;
    }
    return row;
}

/* What each model does with the pointers (SDM vol. 1 8.1.8 to 8.1.9.1):
 *   FIP, FCS         all models: of the last instruction but for X87_CONTROL's, completed or met by
 *                    an exception of the FPU
 *   FDP, FDS         all models: of the last one of those that had a memory operand
 *   FOP              386 to pentium3, athlon, qemu32, max: of the same instruction as FIP
 *                    pentium4 (family 15): of the last one that met an unmasked exception, unless
 *                    IA32_MISC_ENABLE asks for the former way ("fopcode compatibility")
 * No model announces that FDP follows exceptions alone or that the selectors read as 0 (CPUID leaf
 * 7, EBX bits 6 and 13). */
bool x87_follows_opcode(const Cpu *cpu) {
    bool is_family_15 = cpu_model_family(cpu->model) == CPU_FAMILY_PENTIUM_4;
    return !is_family_15 || (cpu->state.misc_enable & MISC_ENABLE_FOPCODE) != 0;
}

static void set_pointers(Cpu *cpu, const X87Instruction *insn) {
    FpuState *fpu = &cpu->state.fpu;
    fpu->ip = cpu->state.eip;
    fpu->cs = cpu->state.segment[SEG_CS].selector;
    if (x87_follows_opcode(cpu) || (fpu->status & X87_ERROR_SUMMARY))
        fpu->opcode = (uint16_t)((insn->opcode & 7) << 8 | insn->modrm);
    if (insn->modrm < 0xC0) {
        fpu->dp = insn->offset;
        fpu->ds = cpu->state.segment[insn->segment].selector;
    }
}

static bool has_feature(const Cpu *cpu, unsigned feature) {
    return (cpu->features[0] & FEATURE_BIT(feature)) != 0;
}

static HelperResult run(Cpu *cpu, const X87Instruction *insn) {
    const X87Row *row = find_row(insn->opcode, insn->modrm);
    if (cpu->state.cr0 & (CR0_EM | CR0_TS))
        return cpu_raise(cpu, EXCEPTION_NM);
    if (!has_feature(cpu, FEATURE_FPU))
        return HELPER_NEXT; /* nobody answers: so do programs find out (FNINIT, FNSTSW) */
    if (row->handler == NULL || (row->feature != 0 && !has_feature(cpu, row->feature)))
        return cpu_raise(cpu, EXCEPTION_UD);
    if ((row->attributes & X87_NO_WAIT) == 0) {
        HelperResult pending = x87_check_pending(cpu);
        if (pending != HELPER_NEXT)
            return pending;
    }
    HelperResult result = row->handler(cpu, insn, row->parameter);
    if (result == HELPER_NEXT && (row->attributes & X87_CONTROL) == 0)
        set_pointers(cpu, insn);
    return result;
}

HelperResult helper_x87(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    X87Instruction insn = {.opcode = (uint8_t)(a >> 8),
                           .modrm = (uint8_t)a,
                           .segment = (uint8_t)b,
                           .operand_size = (uint8_t)(b >> 8),
                           .offset = t0};
    unsigned ready = fpu_find_ready_units(cpu);
    HelperResult result = run(cpu, &insn);
    return result == HELPER_NEXT ? fpu_finish_helper(cpu, ready) : result;
}

/* Loads and arithmetic have their operand already; other handlers access no memory. */
void x87_run_loaded(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    X87Instruction insn = {.opcode = (uint8_t)(a >> 8), .modrm = (uint8_t)a};
    const X87Row *row = find_row(insn.opcode, insn.modrm);
    if (row->handler == x87_calculate_memory)
        x87_calculate_bits(cpu, &insn, low);
    else if (insn.modrm < 0xC0)
        x87_load_bits(cpu, &insn, low, high);
    else
        row->handler(cpu, &insn, row->parameter);
}

X87Entry *x87_find_entry(uint32_t a) {
    static const struct {
        X87Handler *handler;
        X87Entry *entry;
    } entries[] = {
        {x87_load_float32, x87_fast_load_float32},
        {x87_load_float64, x87_fast_load_float64},
        {x87_load_integer, x87_fast_load_integer},
        {x87_load_float80, x87_run_loaded},
        {x87_load_register, x87_fast_load_register},
        {x87_store_register, x87_fast_store_register},
        {x87_exchange, x87_fast_exchange},
        {x87_calculate_memory, x87_fast_calculate_memory},
        {x87_calculate_register, x87_fast_calculate_register},
        {x87_compare_register, x87_fast_compare_register},
        {x87_compare_flags, x87_fast_compare_flags},
        {x87_load_constant, x87_run_loaded},
        {x87_change_sign, x87_run_loaded},
        {x87_absolute, x87_run_loaded},
        {x87_square_root, x87_run_loaded},
        {x87_round, x87_run_loaded},
        {x87_scale, x87_run_loaded},
        {x87_extract, x87_run_loaded},
        {x87_remainder, x87_run_loaded},
        {x87_test, x87_run_loaded},
        {x87_examine, x87_run_loaded},
        {x87_rotate_stack, x87_run_loaded},
        {x87_free, x87_run_loaded},
        {x87_nop, x87_run_loaded},
    };
    const X87Row *row = find_row(a >> 8 & 0xFF, a & 0xFF);
    if (row->attributes & X87_CONTROL)
        return NULL;
    for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].handler == row->handler)
            return entries[i].entry;
    return NULL;
}

HelperResult helper_fwait(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a, (void)b, (void)t0, (void)t1;
    const uint32_t monitored = CR0_MP | CR0_TS;
    if ((cpu->state.cr0 & monitored) == monitored)
        return cpu_raise(cpu, EXCEPTION_NM);
    if (!has_feature(cpu, FEATURE_FPU))
        return HELPER_NEXT;
    return x87_check_pending(cpu);
}

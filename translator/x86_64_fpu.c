/* Guest x87, MMX and SSE instructions on the host's own units: the same instruction again, with
 * guest registers where they are and memory by RBP.
 *
 * A block that has such instructions checks at its head that the guest's state is live in the
 * host's registers; a helper that may use those itself makes the check due again. */
#include "cpu_feature.h"
#include "helpers.h"
#include "vector.h"
#include "x86_64_internal.h"

/* --- is the state live? --- */

static unsigned find_need(const Uop *uop) {
    if (uop->code == UOP_X87)
        return FPU_LIVE_ALL;
    if (uop->code != UOP_VECTOR)
        return FPU_LIVE_NONE;
    return vector_find_shape(uop->imm).mmx ? FPU_LIVE_ALL : FPU_LIVE_SSE;
}

static bool takes_state_away(const Uop *uop) {
    const uint8_t kinds = HELPER_LEAF | HELPER_ENDS_BLOCK;
    return uop->code == UOP_HELPER && (helper_table[uop->helper].attributes & kinds) != HELPER_LEAF;
}

/* What micro-ops from 'uop' on need, up to where the state is taken away. */
static unsigned find_need_from(const Translation *translation, const Uop *uop) {
    const UopBlock *lifted = translation->lifted;
    unsigned need = FPU_LIVE_NONE;
    for (; uop < lifted->uop + lifted->uop_count && !takes_state_away(uop); uop++) {
        unsigned more = find_need(uop);
        if (more > need)
            need = more;
    }
    return need;
}

/*     cmp dword [r14 + fpu_live], need
 *     jb  stub */
static void emit_check(Translation *translation, unsigned need) {
    Assembler *assembler = &translation->assembler;
    if (need <= translation->fpu_live)
        return;
    if (translation->fpu_check_count == FPU_CHECK_MAX) {
        translation->failed = true;
        return;
    }
    x86_flags_clobber(translation, uop_is_interruptible(translation->uop)
                                       ? FLAG_GROUP_ALL
                                       : x86_flags_wanted_before(translation));
    asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(fpu_live)), need);
    FpuCheck *check = &translation->fpu_check[translation->fpu_check_count++];
    check->jump_site = asm_jcc(assembler, COND_B);
    check->need = need;
    check->back = assembler->code;
    translation->fpu_live = need;
}

void x86_fpu_begin_block(Translation *translation) {
    emit_check(translation, find_need_from(translation, translation->lifted->uop));
}

void x86_fpu_after_helper(Translation *translation, const Uop *uop) {
    if (takes_state_away(uop))
        translation->fpu_live = FPU_LIVE_NONE;
    x86_fpu_forget_pointers(translation);
}

void x86_fpu_forget_pointers(Translation *translation) {
    translation->x87_site = translation->x87_site_stored = 0;
    translation->x87_segment = SEG_COUNT;
}

/* This micro-op's own check, where the one at the head does not reach. */
static void require(Translation *translation, const Uop *uop) {
    if (find_need(uop) > translation->fpu_live)
        emit_check(translation, find_need_from(translation, uop));
}

void x86_fpu_emit_stubs(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    for (unsigned i = 0; i < translation->fpu_check_count; i++) {
        const FpuCheck *check = &translation->fpu_check[i];
        asm_patch(check->jump_site, assembler->code);
        asm_mov_imm(assembler, 4, host_reg(HOST_SCRATCH), check->need);
        asm_patch(asm_call(assembler), translation->backend->load_fpu);
        asm_patch(asm_jmp(assembler), check->back);
    }
}

/* --- FIP, FDP and FOP --- */

/* Told at exits of the block by the number of a site; a site in between holds it itself. */
void x86_fpu_emit_pointers(Translation *translation) {
    if (translation->x87_site == 0 || translation->x87_site == translation->x87_site_stored)
        return;
    asm_mov_imm(&translation->assembler, 4, cpu_mem(CPU_OFFSET(fpu_site)), translation->x87_site);
    if (translation->x87_segment < SEG_COUNT)
        asm_mov_imm(&translation->assembler, 4, cpu_mem(CPU_OFFSET(fpu_segment)),
                    translation->x87_segment + 1u);
    translation->x87_site_stored = translation->x87_site;
}

static void set_pointers(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    if (uop_has_memory(uop)) {
        x86_emit_offset(translation, HOST_SCRATCH, &uop->address);
        asm_mov_to(assembler, 4, cpu_mem(CPU_OFFSET(state.fpu.dp)), HOST_SCRATCH);
        translation->x87_segment = uop->address.segment;
    }
    translation->x87_site = x86_add_x87_site(translation, uop);
}

/* --- x87 --- */

/* The memory operand has no index and is not based on RSP or R12, so it has no SIB byte. */
static void emit_memory_operand(Translation *translation, unsigned reg) {
    Assembler *assembler = &translation->assembler;
    const HostOperand *memory = &translation->memory;
    bool is_short = memory->displacement >= -128 && memory->displacement < 128;
    asm_byte(assembler, (is_short ? 0x40u : 0x80u) | (reg & 7) << 3 | (memory->reg & 7));
    asm_byte(assembler, (uint32_t)memory->displacement & 0xFF);
    for (unsigned i = 1; i < (is_short ? 1u : 4u); i++)
        asm_byte(assembler, (uint32_t)memory->displacement >> 8 * i & 0xFF);
}

static void emit_x87_bytes(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    bool memory = uop_has_memory(uop);
    if (memory && translation->memory.reg >= HOST_R8)
        asm_byte(assembler, 0x41);
    asm_byte(assembler, uop->imm >> 8 & 0xFF);
    if (memory)
        emit_memory_operand(translation, uop->imm >> 3 & 7);
    else
        asm_byte(assembler, uop->imm & 0xFF);
}

enum {
    FLDCW = 5 << 3,
    FNSTCW = 7 << 3,
    FNSTSW_AX = 0xDFE0,
    FNCLEX = 0xDBE2,
    FNINIT = 0xDBE3,
    X87_MASKS = 0x3F,
    MXCSR_MASKS = 0x1F80,
};

static bool is_control(const Uop *uop) {
    unsigned opcode = uop->imm >> 8 & 0xFF, field = uop->imm & 0x38;
    if (!uop_has_memory(uop))
        return uop->imm == FNSTSW_AX || uop->imm == FNCLEX || uop->imm == FNINIT;
    return (opcode == 0xD9 && (field == FLDCW || field == FNSTCW)) ||
           (opcode == 0xDD && field == FNSTCW); /* FNSTSW has the same field */
}

/* Exceptions that are not all masked are another context's: such an FLDCW or LDMXCSR is run alone.
 *     mov  r8d, [rbp]; xor r8d, masks; test r8d, forbidden; jnz step */
static void check_masks(Translation *translation, unsigned size, uint32_t masks,
                        uint32_t forbidden) {
    Assembler *assembler = &translation->assembler;
    if (size == 2)
        asm_reg_rm(assembler, 4, 0x0FB7, HOST_SCRATCH, translation->memory);
    else
        asm_mov(assembler, 4, HOST_SCRATCH, translation->memory);
    asm_alu_imm(assembler, 4, ALU_XOR, host_reg(HOST_SCRATCH), masks);
    asm_test_imm(assembler, 4, host_reg(HOST_SCRATCH), forbidden);
    x86_emit_leave(translation, COND_NZ, LEAVE_STEP, x86_add_site(translation, SITE_OTHER, 0, 0));
}

static bool is_conditional_move(const Uop *uop) {
    unsigned opcode = uop->imm >> 8 & 0xFF, modrm = uop->imm & 0xFF;
    return (opcode == 0xDA || opcode == 0xDB) && modrm >= 0xC0 && modrm < 0xE0;
}

/* FCMOVcc: B, E, BE, U by the register field. */
static void emit_conditional_move(Translation *translation, const Uop *uop) {
    static const uint8_t groups[4] = {FLAG_GROUP_C, FLAG_GROUP_S, FLAG_GROUP_C | FLAG_GROUP_S,
                                      FLAG_GROUP_S};
    x86_flags_to_host(translation, groups[uop->imm >> 3 & 3]);
    emit_x87_bytes(translation, uop);
    set_pointers(translation, uop);
}

/* FCOMI and its like clear C1 (SDM vol. 2A), but not on AMD's processors where no stack fault
 * occurs. FINCSTP and FDECSTP together do nothing but that, everywhere. */
static void clear_c1(Assembler *assembler) {
    static const uint8_t bytes[] = {0xD9, 0xF7, 0xD9, 0xF6};
    for (unsigned i = 0; i < sizeof bytes; i++)
        asm_byte(assembler, bytes[i]);
}

/* FIP, FDP, FCS, FDS and FOP are 0. What exits of the block would tell of instructions before is
 * void. */
static void clear_pointers(Translation *translation) {
    static const struct {
        int32_t offset;
        unsigned size;
    } fields[] = {{CPU_OFFSET(state.fpu.ip), 4},     {CPU_OFFSET(state.fpu.dp), 4},
                  {CPU_OFFSET(state.fpu.cs), 2},     {CPU_OFFSET(state.fpu.ds), 2},
                  {CPU_OFFSET(state.fpu.opcode), 2}, {CPU_OFFSET(fpu_site), 4},
                  {CPU_OFFSET(fpu_segment), 4}};
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++)
        asm_mov_imm(&translation->assembler, fields[i].size, cpu_mem(fields[i].offset), 0);
    x86_fpu_forget_pointers(translation);
}

void x86_emit_x87(Translation *translation, const Uop *uop) {
    require(translation, uop);
    if (is_conditional_move(uop)) {
        emit_conditional_move(translation, uop);
        return;
    }
    if (uop_has_memory(uop))
        x86_memory_begin(translation, uop->dst_kind == UOPERAND_MEM ? SITE_WRITE : SITE_READ,
                         uop->size);
    if (uop->imm == FNSTSW_AX)
        x86_flags_before_register_write(translation, REG_EAX);
    if ((uop->imm & 0xFF38) == (0xD900 | FLDCW) && uop_has_memory(uop))
        check_masks(translation, 2, X87_MASKS, X87_MASKS);
    if (uop->flags_written != 0)
        clear_c1(&translation->assembler);
    emit_x87_bytes(translation, uop);
    if (uop_has_memory(uop))
        x86_memory_end(translation);
    if (uop->flags_written != 0)
        x86_flags_written(translation, FLAG_GROUP_ALL);
    if (uop->imm == FNINIT && !uop_has_memory(uop))
        clear_pointers(translation);
    if (!is_control(uop))
        set_pointers(translation, uop);
}

/* --- MMX and SSE --- */

/* Opcodes, and instructions of the host. */
enum { RSQRT = 0x52, RCP = 0x53, MOVSS = 0xF30F10, MOVSD = 0xF20F10, MOVHPS = 0x0F16 };

/* Stores past the caches become plain ones: code behind them often reads what it stored, from
 * memory that is the emulator's. */
static unsigned find_plain_store(unsigned map, unsigned opcode) {
    if (map != 1)
        return opcode;
    return opcode == 0x2B ? 0x29 : opcode == 0xE7 ? 0x7F : opcode;
}

/* Which host register a ModRM operand is: the guest's own number, but for general ones. */
static unsigned bank_register(unsigned bank, unsigned number) {
    return bank == VECTOR_BANK_GPR ? host_register(number) : number;
}

static void emit_vector_bytes(Translation *translation, const Uop *uop, const VectorShape *shape) {
    Assembler *assembler = &translation->assembler;
    unsigned map = uop->imm >> 24, prefix = uop->imm >> 16 & 0xFF, modrm = uop->imm & 0xFF;
    bool memory = uop_has_memory(uop);
    /* MOVNTDQ with F3 or F2 is no instruction; MOVNTQ has no prefix. */
    unsigned opcode = memory ? find_plain_store(map, uop->imm >> 8 & 0xFF) : uop->imm >> 8 & 0xFF;
    unsigned reg = bank_register(shape->reg, modrm >> 3 & 7);
    unsigned rm = memory ? translation->memory.reg : bank_register(shape->rm, modrm & 7);
    unsigned rex = (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
    if (prefix != 0)
        asm_byte(assembler, prefix);
    if (rex != 0)
        asm_byte(assembler, 0x40 | rex);
    asm_byte(assembler, 0x0F);
    if (map != 1)
        asm_byte(assembler, map == 2 ? 0x38 : 0x3A);
    asm_byte(assembler, opcode);
    if (map == 1 && opcode == 0x77)
        return; /* EMMS has no operands */
    if (memory)
        emit_memory_operand(translation, reg);
    else
        asm_byte(assembler, 0xC0 | (reg & 7) << 3 | (rm & 7));
    if (uop->imm2 & UOP_VECTOR_IMMEDIATE)
        asm_byte(assembler, uop->imm2 >> 8 & 0xFF);
}

static bool is_load_mxcsr(const Uop *uop) {
    return uop->imm >> 24 == 1 && (uop->imm >> 8 & 0xFF) == 0xAE && uop->src_kind == UOPERAND_MEM;
}

/* Bits of MXCSR that this model has: DAZ came with SSE2. */
static uint32_t find_reserved_mxcsr(const Translation *translation) {
    const Cpu *cpu = translation->backend->translator->cpu;
    return ~(cpu_has(cpu, FEATURE_SSE2) ? 0xFFFFu : 0xFFBFu);
}

static void write_general_register(Translation *translation, const Uop *uop,
                                   const VectorShape *shape) {
    if (shape->reg == VECTOR_BANK_GPR && shape->writes_reg)
        x86_flags_before_register_write(translation, uop->imm >> 3 & 7);
    if (shape->rm == VECTOR_BANK_GPR && shape->writes_rm)
        x86_flags_before_register_write(translation, uop->imm & 7);
}

/* RSQRTPS, RSQRTSS, RCPPS, RCPSS, which hosts do each in its way. */
static bool is_approximation(const Uop *uop) {
    unsigned opcode = uop->imm >> 8 & 0xFF;
    return uop->imm >> 24 == 1 && (opcode == RSQRT || opcode == RCP);
}

/*     movups xmm8, [rbp]; movups [bounce], xmm8      or movss; or movups [bounce], src
 *     call   quick
 *     movss  xmm8, [bounce]; movss dst, xmm8
 * or  movsd  dst, [bounce]; movhps dst, [bounce + 8], in the sizes of the stores */
static void emit_approximation(Translation *translation, const Uop *uop) {
    enum { FREE_XMM = 8, SCALAR_PREFIX = 0xF3, MOVUPS = 0x0F10, MOVUPS_TO = 0x0F11 };
    Assembler *assembler = &translation->assembler;
    const int32_t bounce = CPU_OFFSET(bounce);
    bool scalar = (uop->imm >> 16 & 0xFF) == SCALAR_PREFIX;
    unsigned source = uop->imm & 7, dst = uop->imm >> 3 & 7;
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    if (uop_has_memory(uop)) {
        x86_memory_begin(translation, SITE_READ, uop->size);
        if (!scalar)
            x86_memory_require_alignment(translation);
        asm_reg_rm(assembler, 4, scalar ? MOVSS : MOVUPS, FREE_XMM, translation->memory);
        x86_memory_end(translation);
        source = FREE_XMM;
    }
    asm_reg_rm(assembler, 4, MOVUPS_TO, source, cpu_mem(bounce));
    x86_emit_quick_call(translation, JIT_QUICK_APPROXIMATE,
                        ((uop->imm >> 8 & 0xFF) == RSQRT ? JIT_APPROXIMATE_ROOT : 0u) |
                            (scalar ? JIT_APPROXIMATE_SCALAR : 0u));
    if (scalar) {
        asm_reg_rm(assembler, 4, MOVSS, FREE_XMM, cpu_mem(bounce));
        asm_reg_rm(assembler, 4, MOVSS, dst, host_reg(FREE_XMM));
    } else {
        asm_reg_rm(assembler, 4, MOVSD, dst, cpu_mem(bounce));
        asm_reg_rm(assembler, 4, MOVHPS, dst, cpu_mem(bounce + 8));
    }
}

void x86_emit_vector(Translation *translation, const Uop *uop) {
    VectorShape shape = vector_find_shape(uop->imm);
    require(translation, uop);
    if (is_approximation(uop)) {
        emit_approximation(translation, uop);
        return;
    }
    if (uop_has_memory(uop)) {
        x86_memory_begin(translation, uop->dst_kind == UOPERAND_MEM ? SITE_WRITE : SITE_READ,
                         uop->size);
        if (shape.aligned && uop->size == 16)
            x86_memory_require_alignment(translation);
    }
    write_general_register(translation, uop, &shape);
    if (is_load_mxcsr(uop))
        check_masks(translation, 4, MXCSR_MASKS, MXCSR_MASKS | find_reserved_mxcsr(translation));
    emit_vector_bytes(translation, uop, &shape);
    if (uop_has_memory(uop))
        x86_memory_end(translation);
    if (uop->flags_written != 0)
        x86_flags_written(translation, FLAG_GROUP_ALL);
}

/* The few pieces of host code that are not made from guest code: in, out, and to C and back. C
 * functions keep the guest's registers, the Cpu's address and the counter; what else must outlive
 * them has its place in cpu->host_slot. */
#include "aarch64_internal.h"
#include "aarch64_vector_codes.h"

enum { FRAME_BYTES = 96 }; /* X19 to X30 */

static uint32_t host_home(unsigned reg) {
    return (uint32_t)CPU_OFFSET(host_slot[0]) + 8 * reg;
}

/* Kept operands and temporaries, and the counter. Guest registers are W registers: upper halves are
 * zero. */
static void emit_spill(ArmAssembler *assembler, bool guest) {
    for (unsigned i = 0; guest && i < 8; i++)
        arm_store(assembler, 8, ARM_GUEST + i, ARM_CPU, (uint32_t)CPU_OFFSET(state.gpr[0]) + 8 * i);
    for (unsigned reg = ARM_KEPT; reg <= ARM_KEPT + 5; reg++)
        arm_store(assembler, 8, reg, ARM_CPU, host_home(reg));
    arm_store(assembler, 8, ARM_COUNT, ARM_CPU, (uint32_t)CPU_OFFSET(budget));
}

static uint32_t xmm_home(unsigned index) {
    return (uint32_t)CPU_OFFSET(state.fpu.xmm[0]) + 16 * index;
}

/* Live SSE state to memory; C code gets FPCR as it expects it. Whether it was live is in
 * ARM_FRAME, which C functions keep. */
static void emit_save_fpu(ArmAssembler *assembler) {
    arm_load(assembler, 4, ARM_FRAME, ARM_CPU, (uint32_t)CPU_OFFSET(fpu_live));
    uint8_t *none = arm_branch_zero(assembler, false, false, ARM_FRAME);
    for (unsigned i = 0; i < 8; i++)
        arm_store_vector(assembler, 16, ARM_XMM + i, ARM_CPU, xmm_home(i));
    arm_emit_read_mxcsr(assembler, ARM_SCRATCH2);
    arm_store(assembler, 4, ARM_SCRATCH2, ARM_CPU, (uint32_t)CPU_OFFSET(state.fpu.mxcsr));
    arm_vector(assembler, ARM_WRITE_FPCR, ARM_ZERO, 0, 0);
    arm_store(assembler, 4, ARM_ZERO, ARM_CPU, (uint32_t)CPU_OFFSET(fpu_live));
    arm_patch(none, assembler->code);
}

static void emit_load_fpu(ArmAssembler *assembler) {
    for (unsigned i = 0; i < 8; i++)
        arm_load_vector(assembler, 16, ARM_XMM + i, ARM_CPU, xmm_home(i));
    arm_load(assembler, 4, ARM_SCRATCH, ARM_CPU, (uint32_t)CPU_OFFSET(state.fpu.mxcsr));
    arm_emit_rounding(assembler, ARM_SCRATCH);
    arm_mov_imm(assembler, ARM_SCRATCH, FPU_LIVE_SSE);
    arm_store(assembler, 4, ARM_SCRATCH, ARM_CPU, (uint32_t)CPU_OFFSET(fpu_live));
}

static void emit_reload_fpu(ArmAssembler *assembler) {
    uint8_t *none = arm_branch_zero(assembler, false, false, ARM_FRAME);
    emit_load_fpu(assembler);
    arm_patch(none, assembler->code);
}

static void emit_tables(ArmAssembler *assembler) {
    arm_mov_imm(assembler, ARM_TABLES, (uint64_t)CPU_OFFSET(tlb.entry));
    arm_sum(assembler, true, ARM_ADD, ARM_TABLES, ARM_TABLES, ARM_CPU, ARM_LSL, 0);
    for (unsigned table = 1; table < TLB_TABLES; table++)
        arm_sum_imm(assembler, true, ARM_ADD, ARM_TABLES + table, ARM_TABLES + table - 1,
                    TLB_PAGES * sizeof(int64_t));
}

static void emit_reload(ArmAssembler *assembler, bool guest) {
    for (unsigned i = 0; guest && i < 8; i++)
        arm_load(assembler, 8, ARM_GUEST + i, ARM_CPU, (uint32_t)CPU_OFFSET(state.gpr[0]) + 8 * i);
    for (unsigned reg = ARM_KEPT; reg <= ARM_KEPT + 5; reg++)
        arm_load(assembler, 8, reg, ARM_CPU, host_home(reg));
    emit_tables(assembler);
}

/* blr function(cpu, x17) */
static void emit_call_c(ArmAssembler *assembler, const void *function) {
    arm_mov_wide(assembler, 0, ARM_CPU);
    arm_mov_imm(assembler, ARM_SCRATCH2, (uint64_t)(uintptr_t)function);
    arm_call_register(assembler, ARM_SCRATCH2);
}

/* uint32_t enter(Cpu *cpu, const void *host_code): runs it, gives W17 as the exit left it. */
static void emit_enter(JitBackend *backend, ArmAssembler *assembler) {
    backend->enter = assembler->code;
    arm_push_pair(assembler, ARM_FRAME, ARM_LINK, FRAME_BYTES);
    for (unsigned i = 0; i < 5; i++)
        arm_store_pair(assembler, 19 + 2 * i, 20 + 2 * i, ARM_STACK, 16 + 16 * (int)i);
    arm_mov_wide(assembler, ARM_CPU, 0);
    arm_mov_wide(assembler, ARM_LEAVE, 1);
    emit_reload(assembler, true);
    arm_load(assembler, 8, ARM_COUNT, ARM_CPU, (uint32_t)CPU_OFFSET(budget));
    arm_branch_register(assembler, ARM_LEAVE);

    backend->exit = assembler->code;
    emit_spill(assembler, true);
    emit_save_fpu(assembler);
    arm_mov(assembler, 0, ARM_LEAVE);
    for (unsigned i = 0; i < 5; i++)
        arm_load_pair(assembler, 19 + 2 * i, 20 + 2 * i, ARM_STACK, 16 + 16 * (int)i);
    arm_pop_pair(assembler, ARM_FRAME, ARM_LINK, FRAME_BYTES);
    arm_return(assembler);
}

/* W17: the site, W0: the linear address. Gives X1, and in W17 whether it is the bounce buffer. */
static void emit_slow_access(JitBackend *backend, ArmAssembler *assembler) {
    backend->slow_access = assembler->code;
    arm_push_pair(assembler, ARM_LEAVE, ARM_LINK, 32);
    arm_store(assembler, 8, ARM_FRAME, ARM_STACK, 16);
    emit_spill(assembler, false);
    emit_save_fpu(assembler);
    arm_mov(assembler, 1, 0);
    arm_mov(assembler, 2, ARM_LEAVE);
    emit_call_c(assembler, (const void *)jit_slow_access); /* X0: address, X1: outcome */
    arm_mov_wide(assembler, ARM_RESULT, 0);
    arm_mov(assembler, ARM_LEAVE, 1);
    emit_reload(assembler, false);
    emit_reload_fpu(assembler);
    arm_mov_wide(assembler, ARM_HOST, ARM_RESULT);
    arm_load(assembler, 8, ARM_FRAME, ARM_STACK, 16);
    arm_pop_pair(assembler, ARM_SCRATCH2, ARM_LINK, 32); /* the site */
    arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, ARM_LEAVE, SLOW_FAULT);
    uint8_t *leave = arm_branch_if(assembler, ARM_CS);
    arm_return(assembler);
    /* w17 = site << 8 | (outcome == SLOW_FAULT ? LEAVE_FAULT : LEAVE_STEP) */
    arm_patch(leave, assembler->code);
    arm_mov_imm(assembler, ARM_LEAVE, LEAVE_FAULT);
    arm_mov_imm(assembler, ARM_SCRATCH, LEAVE_STEP);
    arm_csel(assembler, ARM_LEAVE, ARM_LEAVE, ARM_SCRATCH, ARM_EQ);
    arm_logic(assembler, false, ARM_ORR, false, ARM_LEAVE, ARM_LEAVE, ARM_SCRATCH2, ARM_LSL, 8);
    arm_patch(arm_branch(assembler), backend->exit);
}

static const uint8_t store_stub_sizes[STORE_STUB_SIZES] = {1, 2, 4, 8, 10, 16};

const uint8_t *arm_store_stub(const JitBackend *backend, bool user, unsigned size) {
    for (unsigned i = 0; i < STORE_STUB_SIZES; i++)
        if (store_stub_sizes[i] == size)
            return backend->slow_store[user][i];
    return backend->slow_access;
}

static void emit_count(const JitBackend *backend, ArmAssembler *assembler, SlowReason reason) {
    uint64_t *counter = &backend->translator->counters.slow[reason];
    arm_mov_imm(assembler, ARM_SCRATCH, (uint64_t)(uintptr_t)counter);
    arm_load(assembler, 8, ARM_SCRATCH2, ARM_SCRATCH, 0);
    arm_sum_imm(assembler, true, ARM_ADD, ARM_SCRATCH2, ARM_SCRATCH2, 1);
    arm_store(assembler, 8, ARM_SCRATCH2, ARM_SCRATCH, 0);
}

/* As slow_access, whose way is taken where the page has no marked entry (tlb.h), the access crosses
 * its end or meets a byte of code.
 *
 *     x2 = entry * 2; not marked: slow_access
 *     w8 = bits of CodeBytes.held from the access's first byte on
 *     any of 'size' bits: slow_access
 *     x1 = CodeBytes.host + offset; w17 = SLOW_PLAIN */
static uint8_t *emit_slow_store(JitBackend *backend, ArmAssembler *assembler, bool user,
                                unsigned size) {
    const unsigned entry = ARM_VALUE, offset = ARM_SOURCE, held = ARM_RESULT;
    uint8_t *full[3], *start = assembler->code;
    arm_shift_imm(assembler, false, ARM_LSR, entry, ARM_ADDRESS, PAGE_BITS);
    arm_load_indexed(assembler, entry, ARM_TABLES + (user ? TLB_USER_WRITE : TLB_SUPER_WRITE),
                     entry);
    arm_sum(assembler, true, ARM_ADDS, entry, entry, entry, ARM_LSL, 0);
    full[0] = arm_branch_if(assembler, ARM_LS); /* bit 63 was clear, or all others were */
    arm_shift_imm(assembler, true, ARM_LSR, entry, entry, 1);
    arm_logic_imm(assembler, ARM_AND, offset, ARM_ADDRESS, PAGE_OFFSET_MASK);
    arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, offset, PAGE_SIZE - size);
    full[1] = arm_branch_if(assembler, ARM_HI);
    arm_sum(assembler, true, ARM_ADD, held, entry, offset, ARM_LSR, 3);
    arm_load(assembler, 4, held, held, (uint32_t)offsetof(CodeBytes, held));
    arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, offset, 7);
    arm_shift_register(assembler, false, ARM_LSR, held, held, ARM_SCRATCH);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, held, (1u << size) - 1);
    full[2] = arm_branch_if(assembler, ARM_NE);
    arm_load(assembler, 8, ARM_HOST, entry, (uint32_t)offsetof(CodeBytes, host));
    arm_sum(assembler, true, ARM_ADD, ARM_HOST, ARM_HOST, offset, ARM_LSL, 0);
    emit_count(backend, assembler, SLOWLY_BESIDE_CODE);
    arm_mov_imm(assembler, ARM_LEAVE, SLOW_PLAIN);
    arm_return(assembler);
    for (unsigned i = 0; i < 3; i++)
        arm_patch(full[i], assembler->code);
    arm_patch(arm_branch(assembler), backend->slow_access);
    return start;
}

static void emit_slow_stores(JitBackend *backend, ArmAssembler *assembler) {
    for (unsigned user = 0; user < 2; user++)
        for (unsigned i = 0; i < STORE_STUB_SIZES; i++)
            backend->slow_store[user][i] =
                emit_slow_store(backend, assembler, user != 0, store_stub_sizes[i]);
}

/* W17: the function's argument. */
static uint8_t *emit_call(ArmAssembler *assembler, const void *function, bool guest) {
    uint8_t *start = assembler->code;
    arm_push_pair(assembler, ARM_FRAME, ARM_LINK, 16);
    emit_spill(assembler, guest);
    emit_save_fpu(assembler);
    arm_mov(assembler, 1, ARM_LEAVE);
    emit_call_c(assembler, function);
    emit_reload(assembler, guest);
    emit_reload_fpu(assembler);
    arm_pop_pair(assembler, ARM_FRAME, ARM_LINK, 16);
    arm_return(assembler);
    return start;
}

/* W17: what the X87Entry in X8 is to do, X2 and X3: its operand; or, where 'function' is not NULL,
 * the argument of that. Of what C functions do not keep, temporaries are not needed. */
static uint8_t *emit_x87(ArmAssembler *assembler, const void *function) {
    static const struct { uint8_t first, second; } kept[] = {{4, 5}, {6, 7}, {9, 12}, {13, 14}};
    uint8_t *start = assembler->code;
    arm_push_pair(assembler, ARM_FRAME, ARM_LINK, 80);
    for (int i = 0; i < 4; i++)
        arm_store_pair(assembler, kept[i].first, kept[i].second, ARM_STACK, 16 + 16 * i);
    emit_save_fpu(assembler);
    arm_mov(assembler, 1, ARM_LEAVE);
    if (function != NULL) {
        emit_call_c(assembler, function);
    } else {
        arm_mov_wide(assembler, 0, ARM_CPU);
        arm_call_register(assembler, ARM_RESULT);
    }
    for (int i = 0; i < 4; i++)
        arm_load_pair(assembler, kept[i].first, kept[i].second, ARM_STACK, 16 + 16 * i);
    emit_reload_fpu(assembler);
    arm_pop_pair(assembler, ARM_FRAME, ARM_LINK, 80);
    arm_return(assembler);
    return start;
}

/* X17: site | helper << 32, or micro-op. What ends the block, or faults, leaves by the exit, or
 * goes on elsewhere in translated code. */
static uint8_t *emit_helper(const JitBackend *backend, ArmAssembler *assembler,
                            const void *function) {
    uint8_t *start = assembler->code;
    arm_push_pair(assembler, ARM_FRAME, ARM_LINK, 16);
    emit_spill(assembler, true);
    emit_save_fpu(assembler);
    arm_mov_wide(assembler, 1, ARM_LEAVE);
    emit_call_c(assembler, function); /* X0: leave, X1: next */
    arm_mov(assembler, ARM_LEAVE, 0);
    arm_mov_wide(assembler, ARM_RESULT, 1);
    arm_load(assembler, 8, ARM_COUNT, ARM_CPU, (uint32_t)CPU_OFFSET(budget));
    emit_reload(assembler, true);
    arm_pop_pair(assembler, ARM_FRAME, ARM_LINK, 16);
    uint8_t *leave = arm_branch_zero(assembler, false, true, ARM_LEAVE);
    arm_return(assembler);
    arm_patch(leave, assembler->code);
    arm_patch(arm_branch_zero(assembler, true, false, ARM_RESULT), backend->exit);
    arm_branch_register(assembler, ARM_RESULT);
    return start;
}

/* W17: the function's argument, W10: T0. Gives W17: 0 if nothing was done. */
static uint8_t *emit_quick(ArmAssembler *assembler, const void *function) {
    uint8_t *start = assembler->code;
    arm_push_pair(assembler, ARM_FRAME, ARM_LINK, 16);
    emit_spill(assembler, false);
    emit_save_fpu(assembler);
    arm_mov(assembler, 1, ARM_LEAVE);
    arm_mov(assembler, 2, ARM_T0);
    emit_call_c(assembler, function);
    arm_extract(assembler, false, ARM_LEAVE, 0, 0, 8);
    emit_reload(assembler, false);
    emit_reload_fpu(assembler);
    arm_pop_pair(assembler, ARM_FRAME, ARM_LINK, 16);
    arm_return(assembler);
    return start;
}

void arm_emit_trampolines(JitBackend *backend, ArmAssembler *assembler) {
    emit_enter(backend, assembler);
    emit_slow_access(backend, assembler);
    emit_slow_stores(backend, assembler);
    backend->flush_bounce = emit_call(assembler, (const void *)jit_slow_flush, false);
    backend->materialize = emit_call(assembler, (const void *)jit_slow_materialize, true);
    backend->load_fpu = assembler->code;
    emit_load_fpu(assembler);
    arm_return(assembler);
    backend->vector = emit_call(assembler, (const void *)jit_slow_vector, true);
    backend->enter_mmx = emit_call(assembler, (const void *)jit_slow_enter_mmx, false);
    backend->x87 = emit_x87(assembler, NULL);
    backend->x87_store = emit_x87(assembler, (const void *)jit_slow_x87_store);
    backend->helper = emit_helper(backend, assembler, (const void *)jit_slow_helper);
    backend->portable = emit_helper(backend, assembler, (const void *)jit_slow_portable);
    for (unsigned i = 0; i < JIT_QUICK_COUNT; i++)
        backend->quick[i] = emit_quick(assembler, (const void *)jit_quick_functions[i]);
}

/* The few pieces of host code that are not made from guest code: in, out, and to C and back. */
#include "x86_64_internal.h"

static const uint8_t guest_registers[8] = {HOST_RAX, HOST_RCX, HOST_RDX, HOST_RBX,
                                           HOST_R12, HOST_R13, HOST_RSI, HOST_RDI};
static const uint8_t callee_saved[6] = {HOST_RBX, HOST_RBP, HOST_R12, HOST_R13, HOST_R14, HOST_R15};

static HostOperand gpr_home(unsigned gpr) {
    return cpu_mem(CPU_OFFSET(state.gpr[0]) + 8 * (int32_t)gpr);
}
static HostOperand host_home(unsigned reg) {
    return cpu_mem(CPU_OFFSET(host_slot[0]) + 8 * (int32_t)reg);
}

static void push(Assembler *assembler, unsigned reg) {
    if (reg >= 8)
        asm_byte(assembler, 0x41);
    asm_byte(assembler, 0x50 | (reg & 7));
}

static void pop(Assembler *assembler, unsigned reg) {
    if (reg >= 8)
        asm_byte(assembler, 0x41);
    asm_byte(assembler, 0x58 | (reg & 7));
}

/* Guest registers, the kept operand, temporaries and the counter to their homes. 64-bit stores:
 * upper halves are zero. */
static void emit_spill(Assembler *assembler) {
    for (unsigned i = 0; i < 8; i++)
        asm_mov_to(assembler, 8, gpr_home(i), guest_registers[i]);
    asm_mov_to(assembler, 8, host_home(HOST_KEPT), HOST_KEPT);
    asm_mov_to(assembler, 8, host_home(HOST_R10), HOST_R10);
    asm_mov_to(assembler, 8, host_home(HOST_R11), HOST_R11);
    asm_mov_to(assembler, 8, cpu_mem(CPU_OFFSET(budget)), HOST_COUNT);
}

static void emit_reload(Assembler *assembler) {
    for (unsigned i = 0; i < 8; i++)
        asm_mov(assembler, 8, guest_registers[i], gpr_home(i));
    asm_mov(assembler, 8, HOST_KEPT, host_home(HOST_KEPT));
    asm_mov(assembler, 8, HOST_R10, host_home(HOST_R10));
    asm_mov(assembler, 8, HOST_R11, host_home(HOST_R11));
}

static void emit_call_c(Assembler *assembler, const void *function) {
    asm_lea(assembler, 8, HOST_RDI, cpu_mem(0));
    asm_mov_imm64(assembler, HOST_RAX, (uint64_t)(uintptr_t)function);
    asm_call_mem(assembler, host_reg(HOST_RAX));
}

/* uint32_t enter(Cpu *cpu, const void *host_code): runs it, gives R8D as the exit left it. */
static void emit_enter(JitBackend *backend, Assembler *assembler) {
    backend->enter = assembler->code;
    for (unsigned i = 0; i < 6; i++)
        push(assembler, callee_saved[i]);
    /* RSP is 8 off a multiple of 16 now, so that behind a call from translated code it is one. */
    asm_lea(assembler, 8, HOST_CPU, host_mem(HOST_RDI, HOST_CPU_BIAS));
    asm_mov(assembler, 8, HOST_R8, host_reg(HOST_RSI));
    emit_reload(assembler);
    asm_mov(assembler, 8, HOST_COUNT, cpu_mem(CPU_OFFSET(budget)));
    asm_jmp_mem(assembler, host_reg(HOST_R8));

    backend->exit = assembler->code;
    emit_spill(assembler);
    asm_mov(assembler, 4, HOST_RBX, host_reg(HOST_R8));
    asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(fpu_live)), FPU_LIVE_NONE);
    uint8_t *none = asm_jcc(assembler, COND_Z);
    asm_alu_imm(assembler, 8, ALU_SUB, host_reg(HOST_RSP), 8);
    emit_call_c(assembler, (const void *)x86_fpu_save);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RSP), 8);
    asm_patch(none, assembler->code);
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_RBX));
    for (unsigned i = 6; i-- > 0;)
        pop(assembler, callee_saved[i]);
    asm_byte(assembler, 0xC3);
}

/* From a slow path: R8 the site, EBP the linear address; the stack is aligned by the return
 * address. */
static void emit_slow_access(JitBackend *backend, Assembler *assembler) {
    backend->slow_access = assembler->code;
    emit_spill(assembler);
    push(assembler, HOST_R8);
    asm_alu_imm(assembler, 8, ALU_SUB, host_reg(HOST_RSP), 8);
    asm_mov(assembler, 4, HOST_RSI, host_reg(HOST_RBP));
    asm_mov(assembler, 4, HOST_RDX, host_reg(HOST_R8));
    emit_call_c(assembler, (const void *)jit_slow_access); /* RAX: address, RDX: outcome */
    asm_mov(assembler, 8, HOST_RBP, host_reg(HOST_RAX));
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RDX));
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RSP), 8);
    pop(assembler, HOST_RSI); /* the site */
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R8), SLOW_FAULT);
    uint8_t *leave = asm_jcc(assembler, COND_NB);
    emit_reload(assembler);
    asm_byte(assembler, 0xC3);
    /* r8 = site << 8 | (outcome == SLOW_FAULT ? LEAVE_FAULT : LEAVE_STEP); without the return
     * address */
    asm_patch(leave, assembler->code);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RSP), 8);
    asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_RSI), 8);
    uint8_t *step = NULL;
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R8), SLOW_STEP);
    asm_mov_imm(assembler, 4, host_reg(HOST_R8), LEAVE_STEP);
    step = asm_jcc(assembler, COND_Z);
    asm_mov_imm(assembler, 4, host_reg(HOST_R8), LEAVE_FAULT);
    asm_patch(step, assembler->code);
    asm_alu(assembler, 4, ALU_OR, HOST_R8, host_reg(HOST_RSI));
    emit_reload(assembler);
    asm_patch(asm_jmp(assembler), backend->exit);
}

static const uint8_t store_stub_sizes[STORE_STUB_SIZES] = {1, 2, 4, 8, 10, 16};

uint8_t *x86_store_stub(const JitBackend *backend, bool user, unsigned size) {
    for (unsigned i = 0; i < STORE_STUB_SIZES; i++)
        if (store_stub_sizes[i] == size)
            return backend->slow_store[user][i];
    return backend->slow_access;
}

static void count(JitBackend *backend, Assembler *assembler, SlowReason reason) {
    uint64_t *counter = &backend->translator->counters.slow[reason];
    asm_mov_imm64(assembler, HOST_R8, (uint64_t)(uintptr_t)counter);
    asm_inc(assembler, 8, false, host_mem(HOST_R8, 0));
}

/* As slow_access, whose way is taken where the page has no marked entry (tlb.h), the access crosses
 * its end or meets a byte of code.
 *
 *     eax = page; rax = entry; shl rax, 1; not marked: full
 *     r8d = bits of CodeBytes.held from the access's first byte on
 *     any of 'size' bits: full
 *     rbp = CodeBytes.host + offset; r8 = SLOW_PLAIN */
static uint8_t *emit_slow_store(JitBackend *backend, Assembler *assembler, bool user,
                                unsigned size) {
    uint8_t *full[4];
    uint8_t *start = assembler->code;
    int32_t table = CPU_OFFSET(tlb.entry) + (int32_t)((user ? TLB_USER_WRITE : TLB_SUPER_WRITE) *
                                                      TLB_PAGES * sizeof(int64_t));
    push(assembler, HOST_RAX);
    push(assembler, HOST_RCX);
    push(assembler, HOST_R8);
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_RBP));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_RAX), PAGE_BITS);
    asm_mov(assembler, 8, HOST_RAX,
            host_mem_index(HOST_CPU, HOST_RAX, sizeof(int64_t), table - HOST_CPU_BIAS));
    asm_shift_imm(assembler, 8, SHIFT_SHL, host_reg(HOST_RAX), 1);
    full[0] = asm_jcc(assembler, COND_NB);
    full[1] = asm_jcc(assembler, COND_Z);
    asm_shift_imm(assembler, 8, SHIFT_SHR, host_reg(HOST_RAX), 1);
    asm_mov(assembler, 4, HOST_RCX, host_reg(HOST_RBP));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_RCX), PAGE_OFFSET_MASK);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_RCX), PAGE_SIZE - size);
    full[2] = asm_jcc(assembler, COND_NBE);
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RCX));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_R8), 3);
    asm_mov(assembler, 4, HOST_R8,
            host_mem_index(HOST_RAX, HOST_R8, 1, (int32_t)offsetof(CodeBytes, held)));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_RCX), 7);
    asm_shift_cl(assembler, 4, SHIFT_SHR, host_reg(HOST_R8));
    asm_test_imm(assembler, 4, host_reg(HOST_R8), (1u << size) - 1);
    full[3] = asm_jcc(assembler, COND_NZ);
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_RBP), PAGE_OFFSET_MASK);
    asm_alu(assembler, 8, ALU_ADD, HOST_RBP,
            host_mem(HOST_RAX, (int32_t)offsetof(CodeBytes, host)));
    count(backend, assembler, SLOWLY_BESIDE_CODE);
    pop(assembler, HOST_R8);
    pop(assembler, HOST_RCX);
    pop(assembler, HOST_RAX);
    asm_alu(assembler, 4, ALU_XOR, HOST_R8, host_reg(HOST_R8));
    asm_byte(assembler, 0xC3);
    for (unsigned i = 0; i < 4; i++)
        asm_patch(full[i], assembler->code);
    pop(assembler, HOST_R8);
    pop(assembler, HOST_RCX);
    pop(assembler, HOST_RAX);
    asm_patch(asm_jmp(assembler), backend->slow_access);
    return start;
}

static void emit_slow_stores(JitBackend *backend, Assembler *assembler) {
    for (unsigned user = 0; user < 2; user++)
        for (unsigned i = 0; i < STORE_STUB_SIZES; i++)
            backend->slow_store[user][i] =
                emit_slow_store(backend, assembler, user != 0, store_stub_sizes[i]);
}

/* The operation on the bounce buffer may have left flags that are still wanted. */
static void emit_flush_bounce(JitBackend *backend, Assembler *assembler) {
    backend->flush_bounce = assembler->code;
    asm_byte(assembler, 0x9C); /* pushfq */
    asm_alu_imm(assembler, 8, ALU_SUB, host_reg(HOST_RSP), 8);
    emit_spill(assembler);
    asm_mov(assembler, 4, HOST_RSI, host_reg(HOST_R8));
    emit_call_c(assembler, (const void *)jit_slow_flush);
    emit_reload(assembler);
    asm_lea(assembler, 8, HOST_RSP, host_mem(HOST_RSP, 8));
    asm_byte(assembler, 0x9D); /* popfq */
    asm_byte(assembler, 0xC3);
}

/* R8: site | helper << 32. A helper that ends the block, or faults, leaves by the exit, or goes on
 * elsewhere in translated code. */
static void emit_helper(JitBackend *backend, Assembler *assembler) {
    backend->helper = assembler->code;
    emit_spill(assembler);
    asm_mov(assembler, 8, HOST_RSI, host_reg(HOST_R8));
    emit_call_c(assembler, (const void *)jit_slow_helper); /* RAX: leave, RDX: next */
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RAX));
    asm_mov(assembler, 8, HOST_RBP, host_reg(HOST_RDX));
    asm_mov(assembler, 8, HOST_COUNT, cpu_mem(CPU_OFFSET(budget))); /* less a REP's iterations */
    emit_reload(assembler);
    asm_test(assembler, 4, host_reg(HOST_R8), HOST_R8);
    uint8_t *leave = asm_jcc(assembler, COND_NZ);
    asm_byte(assembler, 0xC3);
    asm_patch(leave, assembler->code);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RSP), 8);
    asm_test(assembler, 8, host_reg(HOST_RBP), HOST_RBP);
    asm_patch(asm_jcc(assembler, COND_Z), backend->exit);
    asm_jmp_mem(assembler, host_reg(HOST_RBP));
}

/* Keeps RBP too: it may hold the address of a memory operand. */
static void emit_materialize(JitBackend *backend, Assembler *assembler) {
    backend->materialize = assembler->code;
    emit_spill(assembler);
    push(assembler, HOST_RBP);
    asm_alu_imm(assembler, 8, ALU_SUB, host_reg(HOST_RSP), 8);
    asm_mov(assembler, 4, HOST_RSI, host_reg(HOST_R8));
    emit_call_c(assembler, (const void *)jit_slow_materialize);
    asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_RSP), 8);
    pop(assembler, HOST_RBP);
    emit_reload(assembler);
    asm_byte(assembler, 0xC3);
}

/* C may clobber RAX RCX RDX RSI RDI and R8 to R11: what of them the guest has is kept on the stack,
 * and the other registers need nothing. */
static void emit_quick(JitBackend *backend, Assembler *assembler, unsigned number) {
    static const uint8_t kept[8] = {HOST_RAX, HOST_RCX,  HOST_RDX, HOST_RSI,
                                    HOST_RDI, HOST_KEPT, HOST_R10, HOST_R11};
    backend->quick[number] = assembler->code;
    for (unsigned i = 0; i < 8; i++)
        push(assembler, kept[i]);
    asm_mov(assembler, 4, HOST_RSI, host_reg(HOST_RBP));
    asm_mov(assembler, 4, HOST_RDX, host_reg(HOST_R10));
    emit_call_c(assembler, (const void *)jit_quick_functions[number]);
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_R8, host_reg(HOST_RAX)); /* movzx r8d, al */
    for (unsigned i = 8; i-- > 0;)
        pop(assembler, kept[i]);
    asm_test(assembler, 4, host_reg(HOST_R8), HOST_R8);
    asm_byte(assembler, 0xC3);
}

/* R8: FPU_LIVE_*. */
static void emit_load_fpu(JitBackend *backend, Assembler *assembler) {
    backend->load_fpu = assembler->code;
    emit_spill(assembler);
    asm_mov(assembler, 4, HOST_RSI, host_reg(HOST_R8));
    emit_call_c(assembler, (const void *)x86_fpu_load);
    emit_reload(assembler);
    asm_byte(assembler, 0xC3);
}

void x86_emit_trampolines(JitBackend *backend, Assembler *assembler) {
    emit_enter(backend, assembler);
    emit_slow_access(backend, assembler);
    emit_slow_stores(backend, assembler);
    emit_flush_bounce(backend, assembler);
    emit_helper(backend, assembler);
    emit_load_fpu(backend, assembler);
    emit_materialize(backend, assembler);
    for (unsigned i = 0; i < JIT_QUICK_COUNT; i++)
        emit_quick(backend, assembler, i);
}

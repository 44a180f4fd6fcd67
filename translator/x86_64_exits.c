/* Leaving a block: to another one, to the run loop, to a helper. */
#include "helpers.h"
#include "x86_64_internal.h"

uint32_t x86_add_site(Translation *translation, unsigned kind, unsigned size, unsigned segment) {
    JitBackend *backend = translation->backend;
    if (backend->site_count == SITE_COUNT || translation->slow_count == SLOW_PATH_MAX) {
        translation->failed = true;
        return 0;
    }
    const UopBlock *lifted = translation->lifted;
    unsigned insn = translation->uop->insn;
    backend->sites[backend->site_count] = (Site){
        .eip = lifted->insn[insn].eip,
        .flag_state = (uint16_t)x86_flags_number(translation),
        .uncounted = (uint8_t)(lifted->insn_count - insn),
        .size = (uint8_t)size,
        .segment = (uint8_t)segment,
        .kind = (uint8_t)kind,
        .insn_length = lifted->insn[insn].length,
        .x87_site = translation->x87_site,
    };
    return backend->site_count++;
}

uint32_t x86_add_x87_site(Translation *translation, const Uop *uop) {
    JitBackend *backend = translation->backend;
    if (backend->site_count == SITE_COUNT) {
        translation->failed = true;
        return 0;
    }
    backend->sites[backend->site_count] = (Site){
        .eip = translation->lifted->insn[uop->insn].eip,
        .segment = translation->x87_segment,
        .kind = SITE_OTHER,
        .x87_opcode = (uint16_t)(uop->imm & 0x7FF),
    };
    return backend->site_count++;
}

static void add_stub(Translation *translation, uint8_t *jump_site, unsigned leave, uint32_t number,
                     uint32_t eip) {
    if (translation->stub_count == STUB_MAX) {
        translation->failed = true;
        return;
    }
    translation->stub[translation->stub_count++] =
        (Stub){.jump_site = jump_site, .leave = leave | number << 8, .eip = eip};
}

/* sub r15, instructions; jl poll (which hosts fuse). At a block's entry its flags stand where its
 * key says. */
void x86_emit_poll(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    /* The first instruction may have no micro-op: a NOP. */
    translation->backend->sites[site].eip = translation->lifted->eip;
    translation->backend->sites[site].uncounted = (uint8_t)translation->lifted->insn_count;
    asm_alu_imm(assembler, 8, ALU_SUB, host_reg(HOST_COUNT), translation->lifted->insn_count);
    add_stub(translation, asm_jcc(assembler, COND_L), LEAVE_POLL, site, 0);
}

static uint8_t *emit_jump(Assembler *assembler, int condition) {
    return condition < 0 ? asm_jmp(assembler) : asm_jcc(assembler, (unsigned)condition);
}

uint32_t x86_add_link(Translation *translation, uint32_t eip, uint16_t limit) {
    JitBackend *backend = translation->backend;
    if (backend->link_count == LINK_COUNT) {
        translation->failed = true;
        return 0;
    }
    uint32_t number = backend->link_count++;
    backend->links[number] = (LinkRecord){.index = translation->link_count++,
                                          .eip = eip,
                                          .flag_state = (uint16_t)x86_flags_number(translation),
                                          .limit = limit};
    return number;
}

void x86_emit_link_jump(Translation *translation, int condition, uint32_t link) {
    uint8_t *site = emit_jump(&translation->assembler, condition);
    add_stub(translation, site, LEAVE_LINK, link, translation->backend->links[link].eip);
}

/* Code that is made anew all the time has ever other constants in its flags' places. Elsewhere
 * nobody should be translated for each of them. */
void x86_settle_flags(Translation *translation, uint32_t target) {
    if (translation->changes_often &&
        ((translation->key.eip ^ target) & ~(uint32_t)PAGE_OFFSET_MASK) != 0)
        x86_flags_to_memory(translation);
}

void x86_emit_link(Translation *translation, int condition, uint32_t eip) {
    x86_fpu_emit_pointers(translation);
    uint32_t link = x86_add_link(translation, eip, 0);
    unsigned uncounted = translation->lifted->insn_count - translation->uop->insn - 1u;
    if (uncounted == 0) {
        x86_emit_link_jump(translation, condition, link);
        return;
    }
    uint8_t *site = emit_jump(&translation->assembler, condition);
    if (translation->side_exit_count == SIDE_EXIT_MAX) {
        translation->failed = true;
        return;
    }
    translation->side_exit[translation->side_exit_count++] =
        (SideExit){.jump_site = site, .link = link, .uncounted = (uint8_t)uncounted};
}

/* Behind the block: add r15, instructions that were not run; jmp target */
void x86_emit_side_exits(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    for (unsigned i = 0; i < translation->side_exit_count; i++) {
        const SideExit *exit = &translation->side_exit[i];
        asm_patch(exit->jump_site, assembler->code);
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_COUNT), exit->uncounted);
        x86_emit_link_jump(translation, -1, exit->link);
    }
}

void x86_emit_leave(Translation *translation, int condition, unsigned reason, uint32_t number) {
    add_stub(translation, emit_jump(&translation->assembler, condition), reason, number, 0);
}

/* The target is in R10. 'context': as which it is looked up.
 *     lea  ebp, [target + salt]
 *     and  ebp, entries - 1
 *     shl  ebp, 4
 *     add  rbp, [r14 + indirect_table]
 *     mov  r8, context and flag state << 32
 *     or   r8, target
 *     cmp  [rbp], r8
 *     jne  stub
 *     jmp  [rbp + 8] */
static void emit_table_jump(Translation *translation, uint32_t context, unsigned leave) {
    Assembler *assembler = &translation->assembler;
    if (translation->changes_often)
        x86_flags_to_memory(translation);
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    x86_fpu_emit_pointers(translation);
    uint32_t flag_state = x86_flags_number(translation);
    asm_lea(assembler, 4, HOST_RBP,
            host_mem(HOST_R10, (int32_t)jit_indirect_salt(context, flag_state)));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_RBP), INDIRECT_ENTRIES - 1);
    asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_RBP), 4);
    asm_alu(assembler, 8, ALU_ADD, HOST_RBP, cpu_mem(CPU_OFFSET(indirect_table)));
    asm_mov_imm64(assembler, HOST_R8, (uint64_t)(context | flag_state << 16) << 32);
    asm_alu(assembler, 8, ALU_OR, HOST_R8, host_reg(HOST_R10));
    asm_alu_to(assembler, 8, ALU_CMP, host_mem(HOST_RBP, 0), HOST_R8);
    add_stub(translation, asm_jcc(assembler, COND_NZ), leave, flag_state, 0);
    asm_jmp_mem(assembler, host_mem(HOST_RBP, 8));
}

void x86_emit_indirect(Translation *translation, unsigned target) {
    if (target != HOST_R10)
        asm_mov(&translation->assembler, 4, HOST_R10, host_reg(target));
    emit_table_jump(translation, translation->key.context, LEAVE_INDIRECT);
}

/* shl r11d, 16; or r10d, r11d */
void x86_emit_far_indirect(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_R11), 16);
    asm_alu(assembler, 4, ALU_OR, HOST_R10, host_reg(HOST_R11));
    emit_table_jump(
        translation,
        jit_far_context(translation->backend->translator->contexts, translation->key.context),
        LEAVE_FAR);
}

/* A helper sees all state in memory: flags materialised, registers spilled by the trampoline. */
void x86_emit_helper(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_to_memory(translation);
    if (x86_emit_quick_helper(translation, uop))
        return;
    x86_fpu_emit_pointers(translation);
    uint8_t *done = x86_emit_short_string(translation, uop);
    if (done == NULL)
        done = x86_emit_read_tsc(translation, uop);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    asm_mov_imm(assembler, 4, cpu_mem(CPU_OFFSET(helper_a)), uop->imm);
    asm_mov_imm(assembler, 4, cpu_mem(CPU_OFFSET(helper_b)), uop->imm2);
    asm_mov_imm64(assembler, HOST_R8, site | (uint64_t)uop->helper << 32);
    asm_patch(asm_call(assembler), translation->backend->helper);
    asm_patch(done, assembler->code);
    translation->byte_registers = 0;
    x86_fpu_after_helper(translation, uop);
}

void x86_emit_stubs(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    for (unsigned i = 0; i < translation->stub_count; i++) {
        const Stub *stub = &translation->stub[i];
        asm_patch(stub->jump_site, assembler->code);
        if ((stub->leave & 0xFF) == LEAVE_LINK) {
            LinkRecord *link = &translation->backend->links[stub->leave >> 8];
            link->site = stub->jump_site;
            link->stub = assembler->code;
        }
        asm_mov_imm(assembler, 4, host_reg(HOST_SCRATCH), stub->leave);
        asm_patch(asm_jmp(assembler), translation->backend->exit);
    }
}

/* Leaving a block: to another one, to the run loop, to a helper. */
#include "aarch64_internal.h"
#include "helpers.h"

uint32_t arm_add_site(ArmTranslation *translation, unsigned kind, unsigned size, unsigned segment) {
    JitBackend *backend = translation->backend;
    if (backend->site_count == SITE_COUNT || translation->slow_count == SLOW_PATH_MAX) {
        translation->failed = true;
        return 0;
    }
    const UopBlock *lifted = translation->lifted;
    unsigned insn = translation->uop->insn;
    backend->sites[backend->site_count] = (Site){
        .eip = lifted->insn[insn].eip,
        .flag_state = (uint16_t)arm_flags_number(translation),
        .uncounted = (uint8_t)(lifted->insn_count - insn),
        .size = (uint8_t)size,
        .segment = (uint8_t)segment,
        .kind = (uint8_t)kind,
        .insn_length = lifted->insn[insn].length,
        .x87_site = translation->x87_site,
    };
    return backend->site_count++;
}

static void add_stub(ArmTranslation *translation, uint8_t *jump_site, unsigned leave,
                     uint32_t number, unsigned uncounted) {
    if (translation->stub_count == STUB_MAX) {
        translation->failed = true;
        return;
    }
    translation->stub[translation->stub_count++] = (ArmStub){
        .jump_site = jump_site, .leave = leave | number << 8, .uncounted = (uint8_t)uncounted};
}

void arm_add_leave(ArmTranslation *translation, uint8_t *jump_site, unsigned reason,
                   uint32_t number) {
    add_stub(translation, jump_site, reason, number, 0);
}

void arm_add_detour(ArmTranslation *translation, uint8_t *jump_site, unsigned kind,
                    uint32_t argument) {
    if (translation->detour_count == ARM_DETOUR_MAX) {
        translation->failed = true;
        return;
    }
    translation->detour[translation->detour_count++] =
        (ArmDetour){.jump_site = jump_site,
                    .back = translation->assembler.code,
                    .kind = (uint8_t)kind,
                    .argument = argument};
}

void arm_emit_detours(ArmTranslation *translation) {
    const JitBackend *backend = translation->backend;
    for (unsigned i = 0; i < translation->detour_count && !translation->assembler.overflow; i++) {
        const ArmDetour *detour = &translation->detour[i];
        arm_land_here(translation, detour->jump_site);
        if (detour->kind == ARM_DETOUR_LOAD_FPU)
            arm_land(translation, arm_call(&translation->assembler), backend->load_fpu);
        else if (detour->kind == ARM_DETOUR_ENTER_MMX)
            arm_emit_call(translation, backend->enter_mmx, 0);
        else
            arm_emit_vector_call(translation, detour->argument, detour->memory);
        arm_land(translation, arm_branch(&translation->assembler), detour->back);
    }
}

/* subs x28, x28, #instructions; b.lt poll */
void arm_emit_poll(ArmTranslation *translation) {
    ArmAssembler *assembler = &translation->assembler;
    uint32_t number = arm_add_site(translation, SITE_OTHER, 0, 0);
    Site *site = &translation->backend->sites[number];
    /* The first instruction may have no micro-op: a NOP. */
    site->eip = translation->lifted->eip;
    site->uncounted = (uint8_t)translation->lifted->insn_count;
    arm_sum_imm(assembler, true, ARM_SUBS, ARM_COUNT, ARM_COUNT, translation->lifted->insn_count);
    arm_add_leave(translation, arm_branch_if(assembler, ARM_LT), LEAVE_POLL, number);
}

/* Code that is made anew all the time has ever other constants in its flags' places. Elsewhere
 * nobody should be translated for each of them. */
void arm_settle_flags(ArmTranslation *translation, uint32_t target) {
    arm_emit_x87_pointers(translation);
    if (translation->changes_often &&
        ((translation->key.eip ^ target) & ~(uint32_t)PAGE_OFFSET_MASK) != 0)
        arm_flags_to_memory(translation);
}

uint32_t arm_new_link(ArmTranslation *translation, uint32_t eip, uint16_t limit) {
    JitBackend *backend = translation->backend;
    if (backend->link_count == LINK_COUNT) {
        translation->failed = true;
        return 0;
    }
    uint32_t number = backend->link_count++;
    backend->links[number] = (LinkRecord){.index = translation->link_count++,
                                          .eip = eip,
                                          .flag_state = (uint16_t)arm_flags_number(translation),
                                          .limit = limit};
    return number;
}

void arm_add_link(ArmTranslation *translation, uint8_t *jump_site, uint32_t eip) {
    uint32_t number = arm_new_link(translation, eip, 0);
    add_stub(translation, jump_site, LEAVE_LINK, number,
             translation->lifted->insn_count - translation->uop->insn - 1u);
}

/*     add   w8, target, #salt      ; in two parts
 *     ubfiz x8, x8, #4, #16        ; entries of 16 bytes
 *     ldr   x15, [indirect_table]
 *     add   x8, x8, x15
 *     ldp   x15, x16, [x8]
 *     mov   x8, #context and flag state << 32
 *     add   x8, x8, target
 *     cmp   x8, x15
 *     b.ne  stub
 *     br    x16 */
void arm_emit_indirect(ArmTranslation *translation, unsigned target) {
    ArmAssembler *assembler = &translation->assembler;
    if (translation->changes_often)
        arm_flags_to_memory(translation);
    arm_emit_x87_pointers(translation);
    uint32_t flag_state = arm_flags_number(translation), context = translation->key.context;
    uint32_t salt = jit_indirect_salt(context, flag_state);
    if (target != ARM_T0)
        arm_mov(assembler, ARM_T0, target);
    arm_sum_imm(assembler, false, ARM_ADD, ARM_RESULT, ARM_T0, salt & 0xFFF);
    arm_sum_imm(assembler, false, ARM_ADD, ARM_RESULT, ARM_RESULT, salt & 0xFFF000);
    _Static_assert(INDIRECT_ENTRIES == 1 << 16 && sizeof(IndirectEntry) == 16, "the bit field");
    arm_bitfield(assembler, true, ARM_UBFM, ARM_RESULT, ARM_RESULT, 60, 15);
    arm_load_cpu(translation, 8, ARM_SCRATCH, CPU_OFFSET(indirect_table));
    arm_sum(assembler, true, ARM_ADD, ARM_RESULT, ARM_RESULT, ARM_SCRATCH, ARM_LSL, 0);
    arm_load_pair(assembler, ARM_SCRATCH, ARM_SCRATCH2, ARM_RESULT, 0);
    arm_mov_imm(assembler, ARM_RESULT, (uint64_t)(context | flag_state << 16) << 32);
    arm_sum(assembler, true, ARM_ADD, ARM_RESULT, ARM_RESULT, ARM_T0, ARM_LSL, 0);
    arm_sum(assembler, true, ARM_SUBS, ARM_ZERO, ARM_RESULT, ARM_SCRATCH, ARM_LSL, 0);
    arm_add_leave(translation, arm_branch_if(assembler, ARM_NE), LEAVE_INDIRECT, flag_state);
    arm_branch_register(assembler, ARM_SCRATCH2);
}

/* mov x17, #argument; bl trampoline */
void arm_emit_call(ArmTranslation *translation, const uint8_t *trampoline, uint64_t argument) {
    ArmAssembler *assembler = &translation->assembler;
    arm_mov_imm(assembler, ARM_LEAVE, argument);
    arm_land(translation, arm_call(assembler), trampoline);
}

/* A helper sees all state in memory: the trampoline spills registers, jit_slow_helper() computes
 * the flags that the site tells of. */
void arm_emit_helper(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_emit_x87_pointers(translation);
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_mov_imm(assembler, ARM_RESULT, uop->imm);
    arm_mov_imm(assembler, ARM_SCRATCH, uop->imm2);
    arm_store_cpu(translation, 4, ARM_RESULT, CPU_OFFSET(helper_a));
    arm_store_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(helper_b));
    arm_emit_call(translation, translation->backend->helper, site | (uint64_t)uop->helper << 32);
    arm_flags_are_in_memory(translation);
    arm_forget_fpu(translation);
}

void arm_emit_portable(ArmTranslation *translation, const Uop *uop) {
    JitBackend *backend = translation->backend;
    arm_emit_x87_pointers(translation);
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    if (uop_has_memory(uop)) {
        arm_add_leave(translation, arm_branch(&translation->assembler), LEAVE_STEP, site);
        return;
    }
    if (backend->kept_uop_count == KEPT_UOP_COUNT) {
        translation->failed = true;
        return;
    }
    uint32_t number = backend->kept_uop_count++;
    backend->kept_uops[number] = *uop;
    arm_emit_call(translation, backend->portable, site | (uint64_t)number << 32);
    arm_flags_are_in_memory(translation);
    arm_forget_fpu(translation);
}

/* A link's site is a jump of its own that reaches the whole buffer:
 *
 * site:
 *     b     next                   ; or the target
 * next:
 *     mov   w17, #why
 *     b     exit */
void arm_emit_link_stub(ArmTranslation *translation, uint32_t number) {
    ArmAssembler *assembler = &translation->assembler;
    LinkRecord *link = &translation->backend->links[number];
    link->site = arm_branch(assembler);
    link->stub = assembler->code;
    arm_land_here(translation, link->site);
    arm_mov_imm(assembler, ARM_LEAVE, LEAVE_LINK | number << 8);
    arm_land(translation, arm_branch(assembler), translation->backend->exit);
}

/*     [add  x28, x28, #instructions that were not run]
 *     a link, or: mov w17, #why; b exit */
void arm_emit_stubs(ArmTranslation *translation) {
    ArmAssembler *assembler = &translation->assembler;
    for (unsigned i = 0; i < translation->stub_count && !assembler->overflow; i++) {
        const ArmStub *stub = &translation->stub[i];
        arm_land_here(translation, stub->jump_site);
        if (stub->uncounted != 0)
            arm_sum_imm(assembler, true, ARM_ADD, ARM_COUNT, ARM_COUNT, stub->uncounted);
        if ((stub->leave & 0xFF) == LEAVE_LINK) {
            arm_emit_link_stub(translation, stub->leave >> 8);
            continue;
        }
        arm_mov_imm(assembler, ARM_LEAVE, stub->leave);
        arm_land(translation, arm_branch(assembler), translation->backend->exit);
    }
}

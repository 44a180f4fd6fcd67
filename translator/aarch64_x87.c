/* Guest x87 instructions. Their state is the Cpu's; translated code accesses memory, moves the
 * control and status words itself, and calls short functions for the rest (cpu/x87_fast.h). */
#include "aarch64_internal.h"
#include "helpers.h"
#include "x87_fast.h"

/* --- FIP, FDP and FOP: as in x86_64_fpu.c --- */

void arm_forget_x87_pointers(ArmTranslation *translation) {
    translation->x87_site = translation->x87_site_stored = 0;
    translation->x87_segment = SEG_COUNT;
}

/* Told at exits of the block by the number of a site; a site in between holds it itself. */
void arm_emit_x87_pointers(ArmTranslation *translation) {
    ArmAssembler *assembler = &translation->assembler;
    if (translation->x87_site == 0 || translation->x87_site == translation->x87_site_stored)
        return;
    arm_mov_imm(assembler, ARM_SCRATCH, translation->x87_site);
    arm_store_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(fpu_site));
    if (translation->x87_segment < SEG_COUNT) {
        arm_mov_imm(assembler, ARM_SCRATCH, translation->x87_segment + 1u);
        arm_store_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(fpu_segment));
    }
    translation->x87_site_stored = translation->x87_site;
}

static void set_pointers(ArmTranslation *translation, const Uop *uop) {
    if (uop_has_memory(uop)) {
        arm_emit_offset(translation, ARM_SCRATCH, &uop->address);
        arm_store_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.fpu.dp));
        translation->x87_segment = uop->address.segment;
    }
    JitBackend *backend = translation->backend;
    if (backend->site_count == SITE_COUNT) {
        translation->failed = true;
        return;
    }
    backend->sites[backend->site_count] = (Site){
        .eip = translation->lifted->insn[uop->insn].eip,
        .segment = translation->x87_segment,
        .kind = SITE_OTHER,
        .x87_opcode = (uint16_t)(uop->imm & 0x7FF),
    };
    translation->x87_site = backend->site_count++;
}

/* --- by function --- */

/* helper_x87 looks for the operand's offset in T0. */
static void emit_helper(ArmTranslation *translation, const Uop *uop) {
    Uop call = *uop;
    call.code = UOP_HELPER;
    call.helper = HELPER_ID_x87;
    if (uop_has_memory(uop))
        arm_emit_offset(translation, ARM_T0, &uop->address);
    arm_emit_helper(translation, &call);
}

static bool writes_flags(const Uop *uop) {
    return uop->flags_written != 0;
}

/*     [ldr x2, [x1]]
 *     mov  x8, #entry
 *     mov  w17, #instruction
 *     bl   x87 */
static void emit_entry(ArmTranslation *translation, const Uop *uop, X87Entry *entry) {
    ArmAssembler *assembler = &translation->assembler;
    if (uop_has_memory(uop)) {
        arm_memory_begin(translation, SITE_READ, uop->size);
        arm_load_memory(translation, uop->size == 10 ? 8 : uop->size, ARM_VALUE, 0);
        if (uop->size == 10)
            arm_load_memory(translation, 2, ARM_SOURCE, 8);
        arm_memory_end(translation);
    }
    arm_mov_imm(assembler, ARM_RESULT, (uint64_t)(uintptr_t)entry);
    arm_emit_call(translation, translation->backend->x87, uop->imm & 0xFFFF);
    if (writes_flags(uop))
        arm_flags_are_in_memory(translation);
    set_pointers(translation, uop);
}

/* What is stored is computed first, status and tags change last: the store may fault.
 *     mov  w17, #instruction
 *     bl   x87_store
 *     ldr  x2, [fpu_stored]; str x2, [x1]
 *     ldr  w2, [fpu_status_and_tags]; stur w2, [status] */
static void emit_store(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    const unsigned size = uop->size == 10 ? 8 : uop->size;
    arm_emit_call(translation, translation->backend->x87_store, uop->imm & 0xFFFF);
    arm_memory_begin(translation, SITE_WRITE, uop->size);
    arm_load_cpu(translation, 8, ARM_VALUE, CPU_OFFSET(fpu_stored[0]));
    arm_store_memory(translation, size, ARM_VALUE, 0);
    if (uop->size == 10) {
        arm_load_cpu(translation, 8, ARM_VALUE, CPU_OFFSET(fpu_stored[1]));
        arm_store_memory(translation, 2, ARM_VALUE, 8);
    }
    arm_memory_end(translation);
    arm_load_cpu(translation, 4, ARM_VALUE, CPU_OFFSET(fpu_status_and_tags));
    arm_store_cpu(translation, 2, ARM_VALUE, CPU_OFFSET(state.fpu.status));
    arm_shift_imm(assembler, false, ARM_LSR, ARM_VALUE, ARM_VALUE, 16);
    arm_store_cpu(translation, 2, ARM_VALUE, CPU_OFFSET(state.fpu.tags));
    set_pointers(translation, uop);
}

/* --- control and status words --- */

/* Exceptions that are not all masked are another context's: such an FLDCW is run alone. */
static void emit_load_control(ArmTranslation *translation) {
    enum { MASKS = 0x3F, WRITABLE = 0x1F3F, FIXED = 0x40 };
    ArmAssembler *assembler = &translation->assembler;
    arm_memory_begin(translation, SITE_READ, 2);
    arm_load_memory(translation, 2, ARM_VALUE, 0);
    arm_memory_end(translation);
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_logic_imm(assembler, ARM_EOR, ARM_SCRATCH, ARM_VALUE, MASKS);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, ARM_SCRATCH, MASKS);
    arm_add_leave(translation, arm_branch_if(assembler, ARM_NE), LEAVE_STEP, site);
    arm_logic_imm(assembler, ARM_AND, ARM_VALUE, ARM_VALUE, WRITABLE);
    arm_logic_imm(assembler, ARM_ORR, ARM_VALUE, ARM_VALUE, FIXED);
    arm_store_cpu(translation, 2, ARM_VALUE, CPU_OFFSET(state.fpu.control));
}

static void emit_store_word(ArmTranslation *translation, int32_t field) {
    arm_memory_begin(translation, SITE_WRITE, 2);
    arm_load_cpu(translation, 2, ARM_VALUE, field);
    arm_store_memory(translation, 2, ARM_VALUE, 0);
    arm_memory_end(translation);
}

/* FLDCW, FNSTCW and FNSTSW; false: it is none of them. */
static bool emit_control(ArmTranslation *translation, const Uop *uop) {
    enum { FNSTSW_AX = 0xDFE0 };
    unsigned opcode = uop->imm >> 8 & 0xFF, field = uop->imm >> 3 & 7;
    if (!uop_has_memory(uop)) {
        if (uop->imm != FNSTSW_AX)
            return false;
        arm_flags_before_register_write(translation, REG_EAX);
        arm_load_cpu(translation, 2, ARM_RESULT, CPU_OFFSET(state.fpu.status));
        arm_write_register(translation, REG_EAX, 2, ARM_RESULT);
        return true;
    }
    if (opcode == 0xD9 && field == 5)
        emit_load_control(translation);
    else if (opcode == 0xD9 && field == 7)
        emit_store_word(translation, CPU_OFFSET(state.fpu.control));
    else if (opcode == 0xDD && field == 7)
        emit_store_word(translation, CPU_OFFSET(state.fpu.status));
    else
        return false;
    return true;
}

void arm_emit_x87(ArmTranslation *translation, const Uop *uop) {
    translation->mmx_entered = false;
    if (emit_control(translation, uop))
        return;
    X87Entry *entry = x87_find_entry(uop->imm);
    if (uop->dst_kind == UOPERAND_MEM)
        emit_store(translation, uop);
    else if (entry != NULL)
        emit_entry(translation, uop, entry);
    else
        emit_helper(translation, uop);
}

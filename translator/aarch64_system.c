/* AArch64 code for micro-ops of operating systems: EFLAGS as a whole, interrupts on and off,
 * segment registers. What is rare leaves for a single step. */
#include "aarch64_internal.h"
#include "cpu_debug.h"

static void step_at(ArmTranslation *translation, uint8_t *jump_site, uint32_t site) {
    arm_add_leave(translation, jump_site, LEAVE_STEP, site);
}

/*     ldrh  w8, [flags_image]
 *     and   w15, w8, #1
 *     lsr   w8, w8, #8
 *     orr   w8, w8, w15, lsl #11
 *     ldr   w15, [direction]
 *     and   w15, w15, #400h
 *     orr   w8, w8, w15
 *     ldr   w15, [eflags]          ; RF and VM are clear where this code runs
 *     orr   w8, w8, w15 */
void arm_emit_read_eflags(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_flags_to_memory(translation);
    arm_load_cpu(translation, 2, ARM_RESULT, CPU_OFFSET(state.flags_image));
    arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, ARM_RESULT, 1);
    arm_shift_imm(assembler, false, ARM_LSR, ARM_RESULT, ARM_RESULT, 8);
    arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_SCRATCH, ARM_LSL, 11);
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.direction));
    arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, ARM_SCRATCH, FLAG_DF);
    arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_SCRATCH, ARM_LSL, 0);
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.eflags));
    arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_SCRATCH, ARM_LSL, 0);
    arm_write_register(translation, uop->dst, 4, ARM_RESULT);
}

static void change_eflags(ArmTranslation *translation, ArmLogic operation, uint32_t value) {
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.eflags));
    arm_logic_imm(&translation->assembler, operation, ARM_SCRATCH, ARM_SCRATCH, value);
    arm_store_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.eflags));
}

/* W8: the bits of EFLAGS that change. IF is not set here if an interrupt waits for it. */
static void emit_interrupt_flag(ArmTranslation *translation, unsigned src, uint32_t site) {
    ArmAssembler *assembler = &translation->assembler;
    uint8_t *same = arm_branch_bit(assembler, false, ARM_RESULT, 9);
    uint8_t *flip = arm_branch_bit(assembler, false, src, 9);
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.intr_level));
    step_at(translation, arm_branch_zero(assembler, false, true, ARM_SCRATCH), site);
    arm_land_here(translation, flip);
    change_eflags(translation, ARM_EOR, FLAG_IF);
    arm_land_here(translation, same);
}

/*     sbfx  w15, src, #10, #1      ; or nothing of that
 *     orr   w15, w15, #1
 *     str   w15, [direction]
 *     and   w8, src, #D5h          ; SF ZF AF PF CF
 *     orr   w8, w8, #2
 *     lsl   w8, w8, #8
 *     ubfx  w15, src, #11, #1
 *     orr   w8, w8, w15
 *     strh  w8, [flags_image] */
static void emit_status_flags(ArmTranslation *translation, unsigned src, bool with_direction) {
    ArmAssembler *assembler = &translation->assembler;
    if (with_direction) {
        arm_extract(assembler, true, ARM_SCRATCH, src, 10, 1);
        arm_logic_imm(assembler, ARM_ORR, ARM_SCRATCH, ARM_SCRATCH, 1);
        arm_store_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.direction));
    }
    arm_logic_imm(assembler, ARM_AND, ARM_RESULT, src, FLAG_STATUS & 0xFF);
    arm_logic_imm(assembler, ARM_ORR, ARM_RESULT, ARM_RESULT, FLAG_1);
    arm_shift_imm(assembler, false, ARM_LSL, ARM_RESULT, ARM_RESULT, 8);
    arm_extract(assembler, false, ARM_SCRATCH, src, 11, 1);
    arm_logic(assembler, false, ARM_ORR, false, ARM_RESULT, ARM_RESULT, ARM_SCRATCH, ARM_LSL, 0);
    arm_store_cpu(translation, 2, ARM_RESULT, CPU_OFFSET(state.flags_image));
}

/* POPF that changes but status flags, at level 0 IF, and DF where it is not known ([eflags] has it
 * clear). */
void arm_emit_write_eflags(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned src = arm_register(uop->src);
    bool system = context_cpl(translation->context) == 0;
    uint32_t others = FLAG_TF | FLAG_NT | FLAG_AC | FLAG_ID | (system ? FLAG_IOPL : FLAG_IF);
    int direction =
        translator_known_direction(translation->backend->translator, translation->context);
    if (uop->size == 2)
        others &= 0xFFFF;
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_load_cpu(translation, 4, ARM_RESULT, CPU_OFFSET(state.eflags));
    arm_logic(assembler, false, ARM_EOR, false, ARM_RESULT, ARM_RESULT, src, ARM_LSL, 0);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, ARM_RESULT, others);
    step_at(translation, arm_branch_if(assembler, ARM_NE), site);
    if (direction != 0)
        step_at(translation, arm_branch_bit(assembler, direction > 0, src, 10), site);
    if (system)
        emit_interrupt_flag(translation, src, site);
    emit_status_flags(translation, src, direction == 0);
    arm_flags_are_in_memory(translation);
}

void arm_emit_cli(ArmTranslation *translation, const Uop *uop) {
    (void)uop;
    change_eflags(translation, ARM_AND, ~(uint32_t)FLAG_IF);
}

/* Where no interrupt waits the shadow has nothing to hold back. It shows at the end of the budget
 * alone, when the run loop may be left. */
void arm_emit_sti(ArmTranslation *translation, const Uop *uop) {
    (void)uop;
    ArmAssembler *assembler = &translation->assembler;
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.eflags));
    uint8_t *done = arm_branch_bit(assembler, true, ARM_SCRATCH, 9);
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.intr_level));
    step_at(translation, arm_branch_zero(assembler, false, true, ARM_SCRATCH), site);
    step_at(translation, arm_branch_zero(assembler, true, false, ARM_COUNT), site);
    change_eflags(translation, ARM_ORR, FLAG_IF);
    arm_land_here(translation, done);
}

static int32_t segment_offset(const Uop *uop) {
    return CPU_OFFSET(state.segment[0]) + (int32_t)(uop->imm * sizeof(Segment));
}

/* ldrh w19, [selector] */
void arm_emit_read_sreg(ArmTranslation *translation, const Uop *uop) {
    arm_flags_before_register_write(translation, uop->dst);
    arm_load_cpu(translation, 2, ARM_RESULT,
                 segment_offset(uop) + (int32_t)offsetof(Segment, selector));
    arm_write_register(translation, uop->dst, uop->size, ARM_RESULT);
}

/*     ubfx  w8, src, #0, #16
 *     strh  w8, [selector]
 *     lsl   w8, w8, #4
 *     str   w8, [base]
 * In real mode: strh 93h, [access]; v8086 mode has it already. */
void arm_emit_load_real_sreg(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    int32_t segment = segment_offset(uop);
    arm_extract(assembler, false, ARM_RESULT, arm_register(uop->src), 0, 16);
    arm_store_cpu(translation, 2, ARM_RESULT, segment + (int32_t)offsetof(Segment, selector));
    arm_shift_imm(assembler, false, ARM_LSL, ARM_RESULT, ARM_RESULT, 4);
    arm_store_cpu(translation, 4, ARM_RESULT, segment + (int32_t)offsetof(Segment, base));
    if (context_cpl(translation->context) == 0) {
        arm_mov_imm(assembler, ARM_RESULT, ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A);
        arm_store_cpu(translation, 1, ARM_RESULT, segment + (int32_t)offsetof(Segment, access));
    }
}

/* A short function in C loads it, or else a single step. */
void arm_emit_load_sreg(ArmTranslation *translation, const Uop *uop) {
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_emit_call(translation, translation->backend->quick[JIT_QUICK_LOAD_SEGMENT], uop->imm);
    step_at(translation, arm_branch_zero(&translation->assembler, false, false, ARM_LEAVE), site);
}

/* ldr w19, [register] */
void arm_emit_read_state(ArmTranslation *translation, const Uop *uop) {
    const UopStateField *field = &uop_state_fields[uop->imm];
    arm_flags_before_register_write(translation, uop->dst);
    arm_load_cpu(translation, field->size, ARM_RESULT, (int32_t)field->offset);
    arm_write_register(translation, uop->dst, uop->size, ARM_RESULT);
}

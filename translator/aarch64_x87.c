/* Guest x87 instructions, in C. */
#include "aarch64_internal.h"
#include "helpers.h"

/* As helper_x87, which looks for the operand's offset in T0. */
static void emit_helper(ArmTranslation *translation, const Uop *uop) {
    Uop call = *uop;
    call.code = UOP_HELPER;
    call.helper = HELPER_ID_x87;
    if (uop_has_memory(uop))
        arm_emit_offset(translation, ARM_T0, &uop->address);
    arm_emit_helper(translation, &call);
}

void arm_emit_x87(ArmTranslation *translation, const Uop *uop) {
    emit_helper(translation, uop);
}

/* What each AArch64 register holds while translated code runs. The guest's registers are among
 * those that C functions keep. */
#ifndef REPRISE_AARCH64_REGISTERS_H
#define REPRISE_AARCH64_REGISTERS_H

#include "jit_internal.h"

enum {
    ARM_ADDRESS = 0, /* linear address of the memory operand */
    ARM_HOST = 1,    /* and where it lies in the host's memory */
    ARM_VALUE = 2,   /* a memory operand's value */
    ARM_SOURCE = 3,  /* a second operand, cut out or extended */
    ARM_TABLES = 4,  /* to 7: the TLB's tables, by TLB_SUPER_READ and so on */
    ARM_RESULT = 8,
    ARM_KEPT = 9,      /* and 12 to 14: operands of flag sources; host_slot has the same number */
    ARM_T0 = 10,       /* JIT_SLOT_T0; or as ARM_FRAME */
    ARM_T1 = 11,       /* JIT_SLOT_T1; or as ARM_FRAME */
    ARM_SCRATCH = 15,  /* within one emitter */
    ARM_SCRATCH2 = 16, /* the same */
    ARM_LEAVE = 17,    /* why code leaves; a site on the way to C */
    ARM_GUEST = 19,    /* to 26: EAX ECX EDX EBX ESP EBP ESI EDI */
    ARM_CPU = 27,
    ARM_COUNT = 28, /* instructions left */
    ARM_FRAME = 29, /* or where operands that share a check begin (aarch64_shared.c) */
    ARM_LINK = 30,
    ARM_ZERO = 31,
    ARM_STACK = 31, /* the same number; which of the two depends on the instruction */
};

/* V registers. C functions keep none of these. */
enum {
    ARM_XMM = 16,           /* to 23: XMM0 to XMM7, where cpu->fpu_live says so */
    ARM_VECTOR_RESULT = 24, /* and the rest of them within one emitter */
    ARM_VECTOR_SOURCE = 25, /* the second operand, if it was in memory or an MMX register */
    ARM_VECTOR_MMX = 26,    /* the first operand and the result, if that is an MMX register */
    ARM_VECTOR_OTHER = 27,
};

/* The numbers of kept operands: their registers are ARM_KEPT plus that. */
enum { ARM_KEPT_COUNT = 4 };
static const uint8_t arm_kept_numbers[ARM_KEPT_COUNT] = {0, 3, 4, 5};

/* The register that has all of a UREG_*; of AH to BH the whole of EAX to EBX. */
static inline unsigned arm_register(unsigned ureg) {
    if (ureg >= UREG_T0)
        return ureg == UREG_T0 ? ARM_T0 : ARM_T1;
    return ARM_GUEST + (ureg >= UREG_AH ? ureg - UREG_AH : ureg);
}

static inline bool arm_is_high_byte(unsigned ureg) {
    return ureg >= UREG_AH && ureg <= UREG_BH;
}

#endif

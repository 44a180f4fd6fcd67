/* What each host register holds while translated code runs. The guest's registers stay in theirs
 * from block to block. */
#ifndef REPRISE_X86_64_REGISTERS_H
#define REPRISE_X86_64_REGISTERS_H

#include "cpu.h"
#include "uop.h"

enum {
    HOST_RAX, /* EAX */
    HOST_RCX, /* ECX */
    HOST_RDX, /* EDX */
    HOST_RBX, /* EBX */
    HOST_RSP, /* the host's stack */
    HOST_RBP, /* scratch: the address of a memory operand. Needs no REX prefix, so AH to BH can be
                 stored through it */
    HOST_RSI, /* ESI */
    HOST_RDI, /* EDI */
    HOST_R8,  /* scratch */
    HOST_R9,  /* kept operand of a flag source */
    HOST_R10, /* T0, or where operands that share a check begin (x86_64_shared.c) */
    HOST_R11, /* T1, or the same */
    HOST_R12, /* ESP: its ModRM and SIB quirks are those of ESP */
    HOST_R13, /* EBP */
    HOST_R14, /* Cpu + HOST_CPU_BIAS */
    HOST_R15, /* instructions left */
    HOST_AH = 16, /* to BH: only in instructions without a REX prefix */
};

/* The Cpu is page-aligned, so the low five bits of R14 are 12: SHRX takes them for the shift that
 * makes a page's number of an address. */
enum { HOST_CPU_BIAS = 12 };

enum {
    HOST_SCRATCH = HOST_R8,
    HOST_KEPT = HOST_R9,
    HOST_ADDRESS = HOST_RBP,
    HOST_CPU = HOST_R14,
    HOST_COUNT = HOST_R15
};

/* The host register of a UREG_*. */
static inline unsigned host_register(unsigned ureg) {
    static const uint8_t map[32] = {
        [REG_EAX] = HOST_RAX,        [REG_ECX] = HOST_RCX,        [REG_EDX] = HOST_RDX,
        [REG_EBX] = HOST_RBX,        [REG_ESP] = HOST_R12,        [REG_EBP] = HOST_R13,
        [REG_ESI] = HOST_RSI,        [REG_EDI] = HOST_RDI,        [UREG_AH] = HOST_AH,
        [UREG_AH + 1] = HOST_AH + 1, [UREG_AH + 2] = HOST_AH + 2, [UREG_AH + 3] = HOST_AH + 3,
        [UREG_T0] = HOST_R10,        [UREG_T1] = HOST_R11,
    };
    return map[ureg];
}

#endif

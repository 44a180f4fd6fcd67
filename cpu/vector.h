/* MMX and SSE instructions as the lifter sees them. They run as helper_vector (helpers.h), or on
 * the SSE unit of an x86 host. */
#ifndef REPRISE_VECTOR_H
#define REPRISE_VECTOR_H

#include "cpu.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum VectorBank {
    VECTOR_BANK_NONE, /* or memory */
    VECTOR_BANK_MMX,
    VECTOR_BANK_XMM,
    VECTOR_BANK_GPR
} VectorBank;

/* The operands of one instruction, whose ModRM byte is known. */
typedef struct VectorShape {
    uint8_t reg, rm;     /* VectorBank of the two ModRM operands */
    uint8_t memory_size; /* bytes of the memory operand; 0: there is none */
    bool stores;         /* the memory operand is written, not read */
    bool writes_reg, writes_rm;
    bool aligned;    /* the memory operand must be, or #GP */
    bool mmx, sse;   /* x87 registers are touched as MMX ones; it belongs to SSE */
    bool by_host;    /* an x86 host's own instruction does exactly the same, or our backend for
                        x86 hosts does (RCPPS, RSQRTPS) */
    uint8_t feature; /* FEATURE_* without which it is #UD */
} VectorShape;

/* 'a' as helper_vector takes it. */
VectorShape vector_find_shape(uint32_t a);

/* helper_vector for instructions that are known to be there and that only their memory operand
 * could have kept from running: it was read, 16 bytes with what it lacks as 0. Exceptions are
 * masked. */
void vector_run_loaded(Cpu *cpu, uint32_t a, uint32_t b, const uint8_t *memory);

#endif

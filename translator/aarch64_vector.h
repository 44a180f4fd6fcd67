/* What the files of the emitters for MMX and SSE share. */
#ifndef REPRISE_AARCH64_VECTOR_H
#define REPRISE_AARCH64_VECTOR_H

#include "aarch64_internal.h"
#include "vector.h"

typedef struct ArmVector ArmVector;

/* How an instruction is emitted whose operands are there: 'code' is what the emitter takes. */
typedef struct ArmVectorRow {
    void (*emit)(const ArmVector *v);
    uint32_t code;
} ArmVectorRow;

/* One instruction. */
struct ArmVector {
    ArmAssembler *assembler;
    const VectorShape *shape;
    const ArmVectorRow *row;
    uint8_t opcode, prefix, modrm, immediate;
    bool memory, wide; /* the rm operand is memory; operands are 16 bytes, not 8 */
    uint8_t d, a, b;   /* V registers of destination and operands; d and a are often the same */
};

/* aarch64_vector.c */
/* As arm_memory_begin(); what must be aligned leaves for a single step if it is not. */
void arm_begin_vector_memory(ArmTranslation *translation, const Uop *uop, const VectorShape *shape);
/* Loads the second operand, and the first one if that is an MMX register. */
void arm_fetch_vector_operands(ArmTranslation *translation, const ArmVector *v);
/* For instructions that may end in C: its number for arm_emit_vector_call(). */
uint32_t arm_keep_vector_uop(ArmTranslation *translation);

/* aarch64_vector_float.c */
/* LDMXCSR or STMXCSR? */
bool arm_is_mxcsr_access(const Uop *uop);
/* False: nothing was emitted. */
bool arm_emit_vector_float(ArmTranslation *translation, ArmVector *v);

#endif

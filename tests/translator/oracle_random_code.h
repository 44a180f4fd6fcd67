/* Random sequences of instructions that the host's processor and a guest can both run to the same
 * end: no privilege, no branch but over one instruction, memory operands inside RANDOM_DATA or on
 * the stack, and no instruction reads a flag that an earlier one left undefined. */
#ifndef REPRISE_ORACLE_RANDOM_CODE_H
#define REPRISE_ORACLE_RANDOM_CODE_H

#include "insn.h"
#include "oracle_state.h"

enum { RANDOM_CODE_INSNS_MAX = 128, RANDOM_CODE_BYTES_MAX = 1024 };

/* Their memory operands, over a page's end. */
enum { RANDOM_DATA = ORACLE_DATA + 0xC00, RANDOM_DATA_BYTES = 0x800 };

typedef struct RandomInsn {
    uint16_t offset;
    uint8_t length;
    uint16_t undefined_before; /* flags that are undefined when it begins */
    uint16_t undefined_after;  /* and when it ends; when it faults: both */
} RandomInsn;

typedef struct RandomCode {
    uint8_t bytes[RANDOM_CODE_BYTES_MAX];
    unsigned length;
    RandomInsn insns[RANDOM_CODE_INSNS_MAX];
    unsigned count;
} RandomCode;

typedef enum RandomKind { RANDOM_INTEGER, RANDOM_X87, RANDOM_VECTOR, RANDOM_KIND_COUNT } RandomKind;

/* About 'count' instructions, mostly of that kind, of those that a processor with 'features' (see
 * cpu_feature.h) has. */
void random_code_make(RandomCode *code, uint64_t *random, RandomKind kind, unsigned count,
                      uint64_t features);

#endif

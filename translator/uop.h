/* Micro-ops: what an instruction becomes, and what backends run. Shaped like x86, so that an x86
 * host can run most of them as one instruction; regular enough for any other. */
#ifndef REPRISE_UOP_H
#define REPRISE_UOP_H

#include "byte_buffer.h"
#include "error.h"
#include <stdbool.h>
#include <stdint.h>

/* Status flags in the groups in which instructions write them. */
enum {
    FLAG_GROUP_C = 1,
    FLAG_GROUP_O = 2,
    FLAG_GROUP_S = 4, /* SF, ZF, AF, PF */
    FLAG_GROUP_ALL = 7,
};

enum {
    UOP_READS_DST = 1,
    UOP_WRITES_DST = 2,
    UOP_READS_SRC = 4,
    UOP_EXITS = 8,
    UOP_CALLS = 16,
};

typedef enum UopCode {
#define UOP(name, written, read, traits, meaning) UOP_##name,
#include "uop.def"
#undef UOP
    UOP_COUNT
} UopCode;

/* Registers of micro-ops: the guest's general registers, their high bytes, and temporaries that
 * live within an instruction (helpers keep them). */
enum {
    UREG_AH = 16, /* to UREG_BH: bits 15:8 of EAX ECX EDX EBX; size 1 only */
    UREG_BH = 19,
    UREG_T0 = 24,
    UREG_T1 = 25,
    UREG_NONE = 0xFF,
};

typedef enum UopOperandKind {
    UOPERAND_NONE,
    UOPERAND_REG,
    UOPERAND_IMM,
    UOPERAND_MEM
} UopOperandKind;

typedef struct UopAddress {
    uint8_t segment;      /* SEG_* */
    uint8_t base, index;  /* UREG_* (general or temporary) or UREG_NONE */
    uint8_t scale;        /* 1, 2, 4, 8 */
    uint8_t address_size; /* 2 or 4: what the offset is cut to */
    uint8_t unused[3];
    int32_t displacement;
} UopAddress;

typedef struct Uop {
    uint8_t code; /* UopCode */
    uint8_t size; /* bytes: 1, 2, 4; X87 and VECTOR: of the memory operand, up to 16 */
    uint8_t dst_kind, dst;
    uint8_t src_kind, src;
    uint8_t src_size;                  /* MOVZX, MOVSX */
    uint8_t condition;                 /* SETCC, CMOV, JCC */
    uint8_t flags_written, flags_read; /* FLAG_GROUP_* */
    uint8_t
        flags_needed; /* of all groups: those that somebody may still look at after this micro-op */
    uint8_t helper;   /* HelperId */
    uint16_t insn;    /* index of the instruction in its block */
    uint8_t may_keep_flags; /* a shift by CL: with a count of zero the flags stay what they were */
    uint8_t unused;
    uint32_t imm, imm2;
    UopAddress address;
} Uop;

/* What UOP_READ_STATE reads. */
typedef enum UopState {
    UOP_STATE_CR0,
    UOP_STATE_CR2,
    UOP_STATE_CR3,
    UOP_STATE_CR4,
    UOP_STATE_LDTR,
    UOP_STATE_TR,
    UOP_STATE_GDTR_LIMIT,
    UOP_STATE_GDTR_BASE,
    UOP_STATE_IDTR_LIMIT,
    UOP_STATE_IDTR_BASE,
    UOP_STATE_COUNT
} UopState;

/* Where it stands in the Cpu: 2 or 4 bytes. */
typedef struct UopStateField {
    uint32_t offset;
    uint32_t size;
} UopStateField;
extern const UopStateField uop_state_fields[UOP_STATE_COUNT];

/* In imm2 of UOP_VECTOR and of calls of helper_vector: there is an immediate (bits 15:8). */
enum { UOP_VECTOR_IMMEDIATE = 1 << 16 };

/* In imm2 of UOP_LOAD_SREG: what its instruction does behind it, for who does all of it at once.
 * With the size in bits 7:4, and in bits 11:8 the register that gets T1. */
enum { UOP_THEN_NOTHING, UOP_THEN_POP, UOP_THEN_MOVE, UOP_THEN_MASK = 0xF };
static inline uint32_t uop_then(uint32_t kind, unsigned size, unsigned reg) {
    return kind | size << 4 | reg << 8;
}

/* In imm of UOP_WRITE_EFLAGS: IRET. */
enum { UOP_EFLAGS_IRET = 1 };

/* In imm2 of UOP_JMP, what of the context is another one there: DF, or the code segment, real
 * mode's, whose selector stands in bits 31:16. */
enum { UOP_SAME_CONTEXT, UOP_TURNED, UOP_FAR, UOP_CHANGE_MASK = 0xFF, UOP_FAR_SHIFT = 16 };

enum {
    UOP_BLOCK_INSNS = 64, /* of a basic block */
    UOP_PATH_INSNS = 120, /* of one made of several: hot_path.h */
    UOP_BLOCK_UOPS = 512,
    UOP_PER_INSN_MAX = 24
};

/* One instruction of a block, for exact state at a fault in it. */
typedef struct UopInsn {
    uint32_t eip;
    uint8_t length;
    uint8_t unused;
    uint16_t first_uop;
} UopInsn;

/* Bytes of a block that are fetched when it runs (UOP_FETCH): stores to them change nothing that
 * was translated. */
typedef struct BlockHole {
    uint16_t offset; /* from the block's start */
    uint16_t size;
} BlockHole;

enum { BLOCK_HOLES = 8 };

typedef struct BlockHoles {
    unsigned count;
    BlockHole hole[BLOCK_HOLES]; /* from low to high */
} BlockHoles;

/* A basic block, or a path of several, as micro-ops. The last micro-op always leaves the block. */
typedef struct UopBlock {
    uint32_t eip;      /* of the first instruction */
    uint32_t next_eip; /* after the last, or the highest of a path */
    uint16_t insn_count, uop_count;
    UopInsn *insn;
    Uop *uop;
    BlockHoles holes;
    const struct QuickOp *quick; /* portable_quick.h: one for each micro-op; NULL: not prepared */
} UopBlock;

/* Room for the largest block, to lift into. */
typedef struct UopScratch {
    UopInsn insn[UOP_PATH_INSNS];
    Uop uop[UOP_BLOCK_UOPS];
} UopScratch;

typedef struct UopInfo {
    const char *name;
    uint8_t flags_written, flags_read, traits;
} UopInfo;

extern const UopInfo uop_info[UOP_COUNT];

/* Groups that a condition (0 to 15, as in Jcc's opcode) looks at. */
uint8_t uop_condition_groups(unsigned condition);

/* Can the guest be interrupted by a fault at this micro-op, or leave the block from it? */
bool uop_is_interruptible(const Uop *uop);

static inline bool uop_has_memory(const Uop *uop) {
    return uop->dst_kind == UOPERAND_MEM || uop->src_kind == UOPERAND_MEM;
}

/* Fills in flags_needed, backwards from the end of the block, where all groups count as needed.
 * 'all' makes every flag needed everywhere (the test matrix). */
void uop_block_find_needed_flags(UopBlock *block, bool all);

void uop_print(const Uop *uop, ByteBuffer *text);
void uop_block_print(const UopBlock *block, ByteBuffer *text);

/* Checks everything that backends rely on; the first violation is told in 'error'. */
bool uop_block_validate(const UopBlock *block, Error *error);

#endif

/* A decoded instruction, and the table row that it came from. */
#ifndef REPRISE_INSN_H
#define REPRISE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* INSN_ADD, INSN_JCC, INSN_CALL_FAR ...: one for each manual mnemonic; near and far transfers
 * apart; Jcc, SETcc, CMOVcc and FCMOVcc one each, with the condition in Insn.condition. */
typedef enum InsnCode {
#define INSN(code, mnemonic) INSN_##code,
#include "insn_codes.def"
#undef INSN
    INSN_COUNT
} InsnCode;

typedef enum OperandKind {
    OPERAND_NONE,
    OPERAND_GPR,   /* reg; with size 1, reg 4 to 7 are AH CH DH BH (no REX in 32-bit code) */
    OPERAND_MEM,   /* Insn.memory; size 0 where no memory is read or written (LEA, INVLPG) */
    OPERAND_IMM,   /* Insn.immediate, sign-extended to 32 bits where the manual says so and cut to
                      size */
    OPERAND_IMM2,  /* Insn.immediate2: ENTER's level, EXTRQ-like second immediates */
    OPERAND_REL,   /* branch displacement in Insn.immediate, sign-extended; from the end of the
                      instruction */
    OPERAND_FAR,   /* ptr16:16 or ptr16:32: offset in immediate, selector in immediate2 */
    OPERAND_MOFFS, /* MOV A0 to A3: Insn.memory with displacement only */
    OPERAND_SREG,
    OPERAND_CR,
    OPERAND_DR,
    OPERAND_TR, /* test registers of 386 and 486 */
    OPERAND_ST, /* ST(reg) */
    OPERAND_MM,
    OPERAND_XMM,
    OPERAND_ONE,                /* the constant 1 of D0 and D1 */
    OPERAND_DX,                 /* the port register of IN and OUT; size is 2 */
    OPERAND_STRING_SOURCE,      /* DS:(E)SI of a string instruction; the override is in
                                   Insn.memory.segment */
    OPERAND_STRING_DESTINATION, /* ES:(E)DI, which no prefix overrides */
} OperandKind;

typedef struct Operand {
    uint8_t kind; /* OperandKind */
    uint8_t reg;
    uint16_t size; /* bytes: 1, 2, 4, 6 (far pointer, pseudo-descriptor), 8, 10, 14, 16, 28, 94,
                      108, 512 */
} Operand;

#define NO_REGISTER 0xFF

typedef struct MemoryOperand {
    uint8_t segment;      /* SEG_*, override applied */
    uint8_t base, index;  /* REG_* or NO_REGISTER; 16-bit forms use the same two fields */
    uint8_t scale;        /* 1, 2, 4, 8 */
    int32_t displacement; /* sign-extended; zero-extended where it alone is the address */
} MemoryOperand;

enum {
    PREFIX_LOCK = 1,
    PREFIX_REP = 2,
    PREFIX_REPNE = 4,
    PREFIX_SEGMENT = 8,
    PREFIX_OPERAND_SIZE = 16,
    PREFIX_ADDRESS_SIZE = 32
};

/* Attributes of a row. */
enum {
    ROW_LOCK = 1 << 0, /* LOCK is legal when the destination is memory */
    ROW_MODRM = 1 << 1,
    ROW_STRING = 1 << 2,     /* REP and REPNE repeat it */
    ROW_PRIVILEGED = 1 << 3, /* #GP unless CPL is 0 */
    ROW_X87 = 1 << 4,        /* #NM by CR0.EM or TS: ESC, FXSAVE, FXRSTOR */
    ROW_MMX = 1 << 5,
    ROW_SSE = 1 << 6,
    ROW_BRANCH = 1 << 7,    /* ends a basic block: jumps, calls, returns, INT, HLT, IRET ... */
    ROW_PROTECTED = 1 << 8, /* #UD in real and v8086 mode: LAR, LLDT, ARPL ... */
    ROW_UNDOCUMENTED = 1 << 9,
    ROW_CONDITION = 1 << 10,     /* has an Insn.condition */
    ROW_REGISTER_FORM = 1 << 11, /* ModRM.mod is ignored: always a register (MOV CR, DR and TR) */
    ROW_PREFIX = 1 << 12,        /* no instructions: the decoder's own rows */
    ROW_ESCAPE = 1 << 13,
    ROW_GROUP = 1 << 14,
    ROW_SUFFIX = 1 << 15, /* 3DNow!: an immediate byte selects the row */
};

/* One row an opcode. Flag masks are in EFLAGS layout (FLAG_CF ...), control flags included.
 * 'undefined' are flags that the manual leaves undefined and that we define by rule (see the head
 * of flags.h); they count as written too, but where the rule is that they stay as they were: then
 * they are not in flags_written. What a shift count of zero or a repeat count of zero leaves alone
 * is in flags_written all the same. */
typedef struct OpcodeRow {
    uint16_t code; /* InsnCode */
    uint16_t attributes;
    uint8_t operands[4]; /* operand forms, private to the decoder (Eb, Gv, Iz ... of the manual's
                            appendix A) */
    uint16_t flags_read, flags_written, flags_undefined;
    uint8_t feature; /* CpuFeature that brings it; 0 for the 386's own */
} OpcodeRow;

enum { INSN_LENGTH_MAX = 15 }; /* SDM vol. 2A 2.3.11 */

typedef enum DecodeStatus {
    DECODE_OK,
    DECODE_INVALID,   /* #UD: no such instruction (code is INSN_INVALID), or LOCK where it is not
                         legal, or an operand form that does not exist */
    DECODE_TOO_LONG,  /* #GP(0): more than 15 bytes */
    DECODE_TRUNCATED, /* the given bytes end before the instruction does; 'length' is how many were
                         looked at */
} DecodeStatus;

typedef enum DecodeMode { DECODE_16, DECODE_32, DECODE_64 /* not yet */ } DecodeMode;

typedef struct Insn {
    const OpcodeRow *row;
    uint16_t code;     /* InsnCode */
    uint8_t length;    /* bytes, prefixes included */
    uint8_t map;       /* 0: one byte, 1: 0F, 2: 0F38, 3: 0F3A */
    uint8_t opcode;    /* last opcode byte */
    uint8_t mandatory; /* 0, 66h, F2h or F3h: the prefix that selected an SSE form */
    uint8_t modrm;     /* 0 if none */
    uint8_t prefixes;  /* PREFIX_* as they stood there (a mandatory prefix counts neither as REP nor
                          as operand size) */
    uint8_t operand_size; /* 2 or 4 */
    uint8_t address_size; /* 2 or 4 */
    uint8_t condition; /* 0 to 15: low four bits of the opcode of Jcc, SETcc, CMOVcc; FCMOVcc: 0 B,
                          1 E, 2 BE, 3 U, 4 to 7 their opposites */
    uint8_t operand_count;
    Operand operand[4];   /* in Intel order: destination first; implicit operands of the one-byte
                             forms are listed where the   manual writes them (ADD AL, imm8; XCHG EAX,
                             r;   IN AL, DX; SHL r, CL; MUL has one). Strings:   operand[0] has the
                             element's   size, so OUTS lists its string first. XLAT (base (E)BX, to
                             which   the   instruction adds AL), MASKMOVQ, MASKMOVDQU ((E)DI) and
                             MONITOR ((E)AX)   list their implicit   memory operand too. */
    MemoryOperand memory; /* of the OPERAND_MEM or OPERAND_MOFFS operand; of strings only the
                             source's segment */
    uint32_t immediate, immediate2;
    /* Where in its bytes the displacement (of memory) and the first immediate stand; 0 bytes: there
     * is none. */
    uint8_t displacement_at, displacement_bytes, immediate_at, immediate_bytes;
} Insn;

/* Decodes one instruction of at most 'available' bytes. Never reads past them. */
DecodeStatus insn_decode(const uint8_t *bytes, size_t available, DecodeMode mode, Insn *insn);

/* "ADD", "CALL" ... */
const char *insn_code_name(InsnCode code);

/* Intel-syntax text of a decoded instruction at this EIP, for traces where Capstone is absent and
 * for tests. */
void insn_format(const Insn *insn, uint32_t eip, char *text, size_t text_size);

#endif

/* What both sides of the oracle share: where memory lies, what a case starts from and what it ends
 * with.
 *
 * A case is a few instructions that run at CPL 3 in a flat 32-bit (or an LDT's) code segment, on
 * the host's own processor and in a guest whose descriptor tables look as Linux lays them out for
 * its processes. Whatever happens ends in an exception: the code pages are full of INT3, so running
 * on is #BP behind the instruction, and a fault is a fault. What is compared is the state at that
 * exception. */
#ifndef REPRISE_ORACLE_STATE_H
#define REPRISE_ORACLE_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* Linear addresses, the same on both sides. Pages: c code, w writable, r read-only, . none. */
enum {
    ORACLE_BASE = 0x200000, /* cc..wwrw..ww. */
    ORACLE_CODE = ORACLE_BASE,
    ORACLE_CODE_BYTES = 0x2000,
    ORACLE_DATA = ORACLE_BASE + 0x4000,
    ORACLE_DATA_BYTES = 0x4000,
    ORACLE_READ_ONLY = ORACLE_BASE + 0x6000,
    ORACLE_STACK = ORACLE_BASE + 0xA000,
    ORACLE_STACK_BYTES = 0x2000,
    ORACLE_BYTES = 0xD000,
    ORACLE_PAGE = 0x1000,
    ORACLE_FILLER = 0xCC, /* INT3 */
};

/* Selectors of Linux's processes. */
enum { ORACLE_CS = 0x23, ORACLE_DS = 0x2B };

/* Entries of the LDT, for what flat segments cannot show. */
enum {
    ORACLE_LDT_WINDOW,      /* data from ORACLE_BASE, 64 KB: 16-bit addresses reach it */
    ORACLE_LDT_SHORT,       /* data, its limit in the middle of a page */
    ORACLE_LDT_READ_ONLY,   /* data that cannot be written */
    ORACLE_LDT_EXPAND_DOWN, /* data above its limit */
    ORACLE_LDT_CODE,        /* readable code, 32 bits */
    ORACLE_LDT_EXECUTE_ONLY,
    ORACLE_LDT_CONFORMING,
    ORACLE_LDT_CODE_16,
    ORACLE_LDT_ABSENT,
    ORACLE_LDT_COUNT
};
#define ORACLE_LDT_SELECTOR(entry) ((uint16_t)((entry) << 3 | 7))

typedef struct OracleDescriptor {
    uint32_t base, limit; /* the limit in bytes or pages */
    uint8_t type;         /* as the descriptor has it, accessed */
    bool wide, pages, absent;
} OracleDescriptor;
extern const OracleDescriptor oracle_descriptors[ORACLE_LDT_COUNT];

typedef struct OracleInput {
    uint32_t gpr[8]; /* EAX ECX EDX EBX ESP EBP ESI EDI */
    uint32_t eip, eflags;
    uint16_t segment[6]; /* SEG_*; SS is ORACLE_DS */
    uint32_t mxcsr;
    uint8_t fpu[108]; /* as FNSAVE writes it in 32-bit protected mode */
    uint8_t xmm[8][16];
} OracleInput;

typedef struct OracleState {
    uint32_t vector, error_code, cr2; /* the exception that ended it; error code and CR2 or 0 */
    uint32_t gpr[8];
    uint32_t eip, eflags;
    uint16_t segment[6];
    uint16_t control, status, tags, opcode; /* one bit a register that is in use, by its number */
    uint32_t ip, dp;
    uint32_t mxcsr;
    uint8_t st[8][10]; /* ST(0) first */
    uint8_t xmm[8][16];
} OracleState;

/* Memory of a case: code, data and stack one after the other. */
enum { ORACLE_MEMORY_BYTES = ORACLE_CODE_BYTES + ORACLE_DATA_BYTES + ORACLE_STACK_BYTES };
typedef struct OracleMemory {
    uint8_t code[ORACLE_CODE_BYTES];
    uint8_t data[ORACLE_DATA_BYTES];
    uint8_t stack[ORACLE_STACK_BYTES];
} OracleMemory;

/* Does memory lie there? */
static inline bool oracle_is_mapped(uint32_t address) {
    uint32_t page = (address - ORACLE_BASE) / ORACLE_PAGE;
    return page < 13 && (0xCF3u >> page & 1) != 0;
}

#endif

/* Runs 32-bit code on the host's own processor, with memory at the same addresses as in a guest.
 *
 * The code stands between two parts of our own, which load the processor from the input area and
 * store it into the output area. A guest runs all three as they are, so what is compared is memory.
 * Only on x86-64 Linux, where a 64-bit process may enter a 32-bit code segment. */
#ifndef REPRISE_HOST_CODE_FIXTURE_H
#define REPRISE_HOST_CODE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linear addresses, below the RAM's end of a guest. */
enum {
    ORACLE_BASE = 0x200000,
    ORACLE_LOAD = ORACLE_BASE,          /* loads the processor, jumps to OracleInput.target */
    ORACLE_STORE = ORACLE_BASE + 0x400, /* stores it, and ends */
    ORACLE_FAULT = ORACLE_BASE + 0x800, /* a guest's handler of exceptions without error code */
    ORACLE_CODE = ORACLE_BASE + 0x1000, /* what is tried */
    ORACLE_CODE_BYTES = 0x2000,
    ORACLE_DATA = ORACLE_BASE + 0x3C00, /* its memory operands, over a page's end */
    ORACLE_DATA_BYTES = 0x800,
    ORACLE_STACK = ORACLE_BASE + 0x5000,
    ORACLE_STACK_BYTES = 0x1000,
    ORACLE_INPUT = ORACLE_BASE + 0x6000,
    ORACLE_OUTPUT = ORACLE_BASE + 0x7000,
    ORACLE_OUTPUT_STACK = ORACLE_OUTPUT + 0x800,
    ORACLE_BYTES = 0x8000,
};

/* EDI ESI EBP ESP EBX EDX ECX EAX, as POPA reads them. */
typedef struct OracleInput {
    uint32_t eflags;
    uint32_t gpr[8];
    uint32_t esp;
    uint32_t target;
    uint32_t mxcsr;
    uint8_t xmm[8][16];
    uint8_t fpu[112]; /* 108 bytes as FNSAVE writes them in 32-bit code */
} OracleInput;

typedef struct OracleOutput {
    uint32_t gpr[8]; /* EAX ECX EDX EBX ESP EBP ESI EDI */
    uint32_t eflags;
    uint32_t fault_eip; /* 0: none */
    uint32_t mxcsr;
    uint32_t unused;
    uint8_t xmm[8][16];
    uint8_t fpu[112];
} OracleOutput;

typedef struct HostCode {
    uint8_t *memory; /* what lies at ORACLE_BASE */
} HostCode;

/* The parts of our own as a guest needs them: ORACLE_BYTES from ORACLE_BASE, with HLT at the end.
 */
void oracle_write_frame(uint8_t *memory);

/* False where this host cannot. */
bool host_code_open(HostCode *host);
void host_code_close(HostCode *host);
/* Runs from ORACLE_LOAD; a divide error goes to ORACLE_STORE with OracleOutput.fault_eip set. False
 * after any other signal: '*signal' and '*eip' tell. */
bool host_code_run(HostCode *host, int *signal, uint32_t *eip);

#endif

/* Helpers: the instructions that translated code calls C for. The same for every backend.
 *
 * The contract. On entry all general registers stand in state.gpr (upper halves zero), the status
 * flags in state.flags_image, state.eip is this instruction's address and cpu->next_eip the
 * following one's. A helper returns
 *
 *   HELPER_NEXT   done; translated code goes on with the next micro-op. General registers and flags
 * may have changed; cpu->iterations of a REP string, where there was more than one, are
 * still to be counted. HELPER_FAULT  an exception is in cpu->exception, and no guest state has
 * changed (but what the manual says changes). HELPER_JUMP   done, and state.eip says where to go
 * on: a control transfer, or something of the block key changed (CPL, CR0, a segment's kind ...)
 * with eip = next_eip. HELPER_AGAIN  done so far, as a REP string with iterations left: state.eip
 * is still this instruction; the run loop looks for interrupts and comes back. Iterations are
 * counted in cpu->iterations.
 *
 * Parameters a and b are constants from the instruction, t0 and t1 values computed before (an
 * effective offset, a source operand); a result goes to cpu->result. Offsets are within a segment,
 * not linear. */
#ifndef REPRISE_HELPERS_H
#define REPRISE_HELPERS_H

#include "cpu.h"

typedef enum HelperResult { HELPER_NEXT, HELPER_FAULT, HELPER_JUMP, HELPER_AGAIN } HelperResult;
typedef HelperResult HelperFunction(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1);

/* What translated code must do around a call. */
enum {
    HELPER_READS_FLAGS = 1,  /* status flags must be in flags_image */
    HELPER_WRITES_FLAGS = 2, /* all status flags are in flags_image afterwards */
    HELPER_ENDS_BLOCK = 4,   /* never returns HELPER_NEXT */
    /* A leaf: touches general registers alone, in files compiled for that (cpu/CMakeLists.txt; a
     * test disassembles them), so that x87, XMM and MXCSR may stay live around it. The others, full
     * helpers, may use everything. */
    HELPER_LEAF = 8,
    /* Ends the block, but mostly nothing of the block key has changed: after HELPER_JUMP translated
     * code may go on behind the instruction, once it was looked for what wants the run loop. The
     * lifter has a jump there. */
    HELPER_MAY_STAY = 16,
};

typedef enum HelperId {
#define HELPER(name, attributes, meaning) HELPER_ID_##name,
#include "helpers.def"
#undef HELPER
    HELPER_ID_COUNT
} HelperId;

#define HELPER(name, attributes, meaning) HelperFunction helper_##name;
#include "helpers.def"
#undef HELPER

typedef struct HelperInfo {
    const char *name;
    HelperFunction *function;
    uint8_t attributes;
} HelperInfo;

extern const HelperInfo helper_table[HELPER_ID_COUNT];

/* For helpers: sets cpu->exception and returns HELPER_FAULT. */
HelperResult cpu_raise(Cpu *cpu, unsigned vector); /* without error code */
HelperResult cpu_raise_error(Cpu *cpu, unsigned vector, uint32_t error_code); /* with */
HelperResult cpu_raise_page_fault(Cpu *cpu, const PageFault *fault);

/* Memory through a segment, with every check: null and type, limit (#GP or #SS), alignment (AC),
 * paging. 1 to 8 bytes. False: cpu->exception is set and nothing was stored. segment.c */
bool cpu_read(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size, uint64_t *value);
bool cpu_write(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size, uint64_t value);
/* A store's checks without the store: what a read-modify-write begins with. */
bool cpu_check_write(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size);
/* Only the checks for an access of 'size' bytes (1 to 512); '*linear' is the address. A page fault
 * is not looked for. */
bool cpu_check_segment(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size, bool write,
                       uint32_t *linear);
/* #AC if alignment checks are on and the address is no multiple of 'size'. Sizes that are no power
 * of two are not checked. */
bool cpu_check_alignment(Cpu *cpu, uint32_t linear, unsigned size);

/* POPF of this operand size outside v8086 mode has read 'image'. eflags.c */
void cpu_pop_eflags(Cpu *cpu, unsigned size, uint32_t image);

/* MOV to ES, DS, FS or GS in the common case: nothing faults, the segment keeps its kind, and the
 * descriptor lies in memory that the TLB has. Else false, and nothing has changed. segment.c */
bool segment_load_quickly(Cpu *cpu, unsigned segment, uint16_t selector);
/* VERW and VERR, the same: then ZF of flags_image has changed. segment.c */
bool segment_verify_quickly(Cpu *cpu, bool write, uint16_t selector);

/* Derives segment->kind from selector cache and mode; called by whoever changes a segment register.
 * segment.c */
void segment_classify(Segment *segment);
/* Real mode and v8086 mode loads: base = selector * 16; the limit stays in real mode ("unreal
 * mode"), is FFFFh in v8086 mode. */
void segment_load_real(Cpu *cpu, unsigned segment, uint16_t selector);

/* Delivers cpu->exception (a fault or trap at state.eip) through the IDT: pushes, checks, double
 * and triple faults; sets state.shutdown on a triple fault. Afterwards state.eip is the handler's.
 * interrupt.c */
void cpu_deliver_exception(Cpu *cpu);
/* Takes SMI, NMI or the interrupt that the controller acknowledges; call only if
 * cpu_has_deliverable_interrupt(). interrupt.c */
void cpu_deliver_interrupt(Cpu *cpu);
/* A single-step or data-breakpoint trap after an instruction (TF was set before it, or
 * pending_debug), or an instruction breakpoint at state.eip. interrupt.c */
void cpu_deliver_debug_trap(Cpu *cpu, uint32_t dr6_bits);

#endif

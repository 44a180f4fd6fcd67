/* The portable backend: runs micro-ops in plain C, on any host. */
#ifndef REPRISE_PORTABLE_H
#define REPRISE_PORTABLE_H

#include "cpu.h"
#include "uop.h"

typedef enum PortableExit {
    PORTABLE_NEXT,  /* state.eip says where to go on */
    PORTABLE_LOOK,  /* the same, and the run loop must look at interrupts, key and clock first */
    PORTABLE_AGAIN, /* a repeated string instruction has iterations left; it set RF, as an interrupt
                       in it would push it */
    PORTABLE_FAULT, /* cpu->exception is to be delivered at state.eip */
} PortableExit;

/* Runs a block from its beginning. Ends early, at an instruction's end, if cpu->break_after or
 * cpu->code_changed was set by what an instruction did. state.instruction_count is exact during
 * every callback and at the end. */
PortableExit portable_run(Cpu *cpu, const UopBlock *block);

#endif

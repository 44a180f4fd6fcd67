/* The x87 FPU as the rest of the processor sees it. Its instructions are helper_x87 and
 * helper_fwait (helpers.h). */
#ifndef REPRISE_X87_H
#define REPRISE_X87_H

#include "helpers.h"

/* The state after RESET, or after FNINIT ('init': also what FNSAVE leaves; registers and SSE state
 * keep their contents). SDM vol. 3A table 9-1. */
void x87_reset(FpuState *fpu, bool init);

/* The IGNNE# pin, driven by port F0h: while it is asserted, pending exceptions do not stop x87
 * instructions (CR0.NE = 0). The board drops it when FERR# goes inactive; so does the CPU. */
void x87_set_ignne(void *cpu, int line, int level);

/* Does FOP follow every instruction on this model, as it is set up? If not, it holds the opcode of
 * the last one that met an unmasked exception. */
bool x87_follows_opcode(const Cpu *cpu);

/* Which of the FPU's units may take instructions without a look at their state: no #UD, #NM or #MF
 * can come of it, and no exception is unmasked. FPU_UNIT_* bits; part of what translated code
 * depends on. */
enum { FPU_UNIT_X87 = 1, FPU_UNIT_SSE = 2 };
unsigned fpu_find_ready_units(const Cpu *cpu);

/* What a helper returns that has completed: HELPER_JUMP to the next instruction if other units are
 * ready than before. */
HelperResult fpu_finish_helper(Cpu *cpu, unsigned ready_before);

/* MMX register 0 to 7: the significand of the x87 register of that physical number. Writing sets
 * sign and exponent to all ones (SDM vol. 1 9.2.1); tags and TOP are the instruction's own affair.
 */
uint64_t fpu_get_mmx(const FpuState *fpu, unsigned index);
void fpu_set_mmx(FpuState *fpu, unsigned index, uint64_t value);

/* TOP and tags as MMX instructions leave them (SDM vol. 1 9.5.1). */
void fpu_enter_mmx(FpuState *fpu);

#endif

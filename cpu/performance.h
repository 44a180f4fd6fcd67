/* Performance counters, of three kinds: the Pentium's with its CESR, the P6 family's, and the
 * architectural ones of version 2 that leaf 0Ah of CPUID tells of (SDM vol. 3B chapter 18).
 *
 * What is counted are retired instructions and cycles, at two instructions a cycle: so the numbers
 * follow from the instruction count, and are the same in every run that is. Events that nothing
 * here knows of (caches, branches) stay 0. Privilege is not told apart. */
#ifndef REPRISE_PERFORMANCE_H
#define REPRISE_PERFORMANCE_H

#include "cpu.h"

/* CPUID leaf 0Ah: EAX, EBX and EDX. */
uint32_t performance_leaf_eax(void);
uint32_t performance_leaf_ebx(void);
uint32_t performance_leaf_edx(void);

/* RESET, and after a restore. */
void performance_reset(Cpu *cpu);
void performance_restored(Cpu *cpu);

/* Brings all counters to now: overflows are noted, and interrupt. To be called when the instruction
 * count has reached cpu->performance_alarm, which is set to the next overflow that interrupts. */
void performance_settle(Cpu *cpu);

#endif

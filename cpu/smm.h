/* System management mode: SDM vol. 3C chapter 31. */
#ifndef REPRISE_SMM_H
#define REPRISE_SMM_H

#include "cpu.h"

/* Would an SMI be taken before the next instruction? None is within system management mode. */
static inline bool smm_is_due(const Cpu *cpu) {
    return cpu->state.smi_pending && !cpu->state.smm && !cpu->state.shutdown;
}

/* Takes the SMI: saves the state into SMRAM and goes to the handler. */
void smm_enter(Cpu *cpu);

/* RESET ends the mode; INIT cannot. */
void smm_reset(Cpu *cpu);

/* Tells the board and the memory whether accesses are system management mode's, after the state
 * changed. */
void smm_update_pins(Cpu *cpu);

#endif

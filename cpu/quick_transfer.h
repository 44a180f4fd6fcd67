/* Interrupts, calls through gates and returns from both in the common case: 32-bit protected mode
 * with flat stacks. */
#ifndef REPRISE_QUICK_TRANSFER_H
#define REPRISE_QUICK_TRANSFER_H

#include "transfer.h"

typedef struct QuickInterrupt {
    uint8_t vector;
    bool software; /* the gate's privilege is checked */
    bool has_error_code;
    uint32_t error_code, return_eip;
    uint32_t eflags; /* the image to push */
} QuickInterrupt;

/* Through an interrupt or trap gate to level 0, 1 or 2. False: nothing has changed, and the long
 * way is to be taken. */
bool interrupt_deliver_quickly(Cpu *cpu, const QuickInterrupt *interrupt);

/* The same in real mode, through the vector table. */
bool interrupt_deliver_real_quickly(Cpu *cpu, const QuickInterrupt *interrupt);

/* IRET with a 32-bit operand in protected mode, NT clear. 'writable_flags': what it may change of
 * EFLAGS. False: as above. */
bool interrupt_return_quickly(Cpu *cpu, uint32_t writable_flags);

/* CALL through a 32-bit call gate, which the caller has found present and allowed. */
bool call_gate_enter_quickly(Cpu *cpu, const Descriptor *gate);

/* RETF with a 32-bit operand in protected mode, which releases that many bytes of parameters. */
bool far_return_quickly(Cpu *cpu, uint32_t released);

#endif

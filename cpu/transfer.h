/* What far transfers, interrupts and task switches have in common. */
#ifndef REPRISE_TRANSFER_H
#define REPRISE_TRANSFER_H

#include "linear.h"
#include "segment.h"

/* A checked code segment and where to go in it; transfer_commit() makes it so. */
typedef struct CodeTarget {
    Descriptor descriptor;
    uint16_t selector; /* with the RPL that CS will have, which becomes the CPL */
    uint32_t eip;
} CodeTarget;

/* The last checks of any transfer in protected mode: presence, the offset against the limit. */
bool transfer_check_target(Cpu *cpu, CodeTarget *target, uint32_t external);
/* The second of these alone. */
bool transfer_check_limit(Cpu *cpu, const CodeTarget *target, uint32_t external);
/* Once nothing else can fail: sets the accessed bits of the code segment and, unless it is NULL, of
 * the stack. Writing them may fault. */
bool transfer_touch(Cpu *cpu, CodeTarget *target, Descriptor *stack);
void transfer_commit(Cpu *cpu, const CodeTarget *target);
/* Real and v8086 mode: loads CS and EIP; false with #GP(0) if the offset is beyond the limit. */
bool transfer_check_real(Cpu *cpu, uint32_t eip);
void transfer_commit_real(Cpu *cpu, uint16_t selector, uint32_t eip);

/* The stack of an inner privilege level out of the TSS, with SS checked: SDM vol. 3A 5.8.5. 'stack'
 * is what SS will hold, 'descriptor' what transfer_touch() is still to mark. */
bool transfer_read_inner_stack(Cpu *cpu, unsigned privilege, uint32_t external, Segment *stack,
                               uint32_t *esp, Descriptor *descriptor);
/* The stack that a return to an outer level pops; the same checks with #GP. */
bool transfer_check_outer_stack(Cpu *cpu, uint16_t selector, unsigned privilege,
                                Descriptor *descriptor);
/* Loads that stack; a 16-bit one leaves the upper half of ESP. */
void transfer_load_outer_stack(Cpu *cpu, uint16_t selector, const Descriptor *descriptor,
                               uint32_t esp);
/* After a return to an outer level: data segments that are too privileged for it become null, SDM
 * vol. 3A 5.8.6. */
void transfer_hide_inner_segments(Cpu *cpu);
/* The checks of a code segment that RETF or IRET popped, but for the offset: that comes after those
 * of the stack, by transfer_check_limit(). */
bool transfer_check_return(Cpu *cpu, CodeTarget *target);

/* task_switch.c. 'descriptor' is the new TSS's, not yet checked but for its type. */
typedef enum TaskSwitchKind { TASK_JUMP, TASK_CALL, TASK_INTERRUPT, TASK_IRET } TaskSwitchKind;
typedef struct TaskSwitch {
    TaskSwitchKind kind;
    uint16_t selector;
    Descriptor descriptor;
    uint32_t return_eip; /* saved as the old task's EIP */
    uint32_t external;
    bool has_error_code; /* pushed on the new task's stack */
    uint32_t error_code;
    bool resume; /* by a fault: RF is set in the old task's image */
} TaskSwitch;

/* False with an exception: before the commit point nothing has changed, after it the exception is
 * the new task's first. */
bool task_switch(Cpu *cpu, TaskSwitch *request);
/* Through a task gate whose own checks were made. */
bool task_switch_through_gate(Cpu *cpu, const Descriptor *gate, TaskSwitch *request);

/* Is the present TSS's I/O permission bit map clear for these ports? May fault. port_io.c */
bool port_io_check(Cpu *cpu, uint32_t port, unsigned size);

/* system.c: MOV to CR3 and what a task switch does to it; false with #GP(0) for reserved bits in
 * PDPTEs. */
bool system_load_cr3(Cpu *cpu, uint32_t value);
/* For RSM: sets all three, with the checks of MOV to them; false if one is not allowed. The TLB
 * does not know yet. */
bool system_restore_control(Cpu *cpu, uint32_t cr0, uint32_t cr3, uint32_t cr4);
/* Hands CR0, CR3, CR4 and EFER to the TLB after one of them changed. */
void system_update_tlb(Cpu *cpu, bool cr3_written);

/* What POPF and IRET write: bits of 'mask' come from 'image'. */
static inline void cpu_merge_eflags(Cpu *cpu, uint32_t image, uint32_t mask) {
    cpu_set_eflags(cpu, (cpu_get_eflags(cpu) & ~mask) | (image & mask));
}

static inline unsigned cpu_iopl(const Cpu *cpu) {
    return cpu->state.eflags >> 12 & 3;
}

/* interrupt.c: the v8086 and VME forms of IRET live beside the delivery that they undo. */
enum {
    /* Flags that any privilege may change. */
    EFLAGS_USER = FLAG_STATUS | FLAG_DF | FLAG_TF | FLAG_NT | FLAG_AC | FLAG_ID,
    EFLAGS_16 = 0xFFFF,
};

#endif

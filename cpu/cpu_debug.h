/* Debug registers, SDM vol. 3B 17.2. */
#ifndef REPRISE_CPU_DEBUG_H
#define REPRISE_CPU_DEBUG_H

#include "cpu.h"

enum {
    DR6_BD = 1 << 13,            /* a debug register was touched while DR7.GD was set */
    DR6_BS = 1 << 14,            /* single step */
    DR6_BT = 1 << 15,            /* switch to a task whose T flag is set */
    DR6_FIXED = (int)0xFFFF0FF0, /* bits that read as 1 */
    DR7_ENABLES = 0xFF,
    DR7_LOCAL_ENABLES = 0x155, /* L0 to L3 and LE, which a task switch clears */
    DR6_WRITABLE = 0xE00F,
    DR7_FIXED = 0x400,
    DR7_WRITABLE = (int)0xFFFF2BFF,
    DR7_GD = 1 << 13,
};

/* DR7's R/W field. */
typedef enum BreakpointKind {
    BREAKPOINT_EXECUTE = 0,
    BREAKPOINT_WRITE = 1,
    BREAKPOINT_IO = 2,
    BREAKPOINT_ACCESS = 3,
} BreakpointKind;

static inline bool cpu_has_breakpoints(const Cpu *cpu) {
    return (cpu->state.dr[7] & DR7_ENABLES) != 0;
}

/* Are there data addresses to look at accesses for, the guest's own or a debugger's? */
static inline bool cpu_watches_data(const Cpu *cpu) {
    return cpu_has_breakpoints(cpu) || cpu->tlb.watched_count != 0;
}

/* After DR0 to DR3 or DR7 changed, or what a debugger stops at: tells the TLB which pages data
 * breakpoints lie on. */
void cpu_update_breakpoints(Cpu *cpu);

/* Which of DR0 to DR3 hold enabled execution breakpoints, by bit. */
unsigned cpu_execution_breakpoints(const Cpu *cpu);

/* The DR6 bits of breakpoints of these kinds (a mask of 1 << BreakpointKind) that an access of
 * 'size' bytes at a linear address or port meets. 0: none of the enabled ones. */
uint32_t cpu_match_breakpoints(const Cpu *cpu, uint32_t address, uint32_t size, unsigned kinds);

/* Does an access meet a data breakpoint, or what a debugger watches? */
bool cpu_meets_breakpoint(const Cpu *cpu, uint32_t linear, uint32_t size, bool write);
/* Notes what an access meets, for the trap or the stop after the instruction. */
void cpu_watch_access(Cpu *cpu, uint32_t linear, uint32_t size, bool write);
/* The same for an I/O port; only with CR4.DE. */
void cpu_watch_port(Cpu *cpu, uint32_t port, uint32_t size);

#endif

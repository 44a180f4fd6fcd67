/* What a debugger outside of the guest wants to stop at. None of it is guest state: DR0 to DR7 are
 * the guest's own, and nothing is written into its memory.
 *
 * Instruction addresses are part of a translation's context by the number of their set, so that
 * code is translated once for each set and a debugger that takes its breakpoints away at each stop
 * costs nothing. Data addresses make their pages watched ones, as those in debug registers do. */
#ifndef REPRISE_CPU_DEBUGGER_H
#define REPRISE_CPU_DEBUGGER_H

#include "cpu.h"

#define CPU_STOP_POINTS 64
#define CPU_STOP_SETS 16

typedef enum CpuStopKind {
    CPU_STOP_NONE,
    CPU_STOP_EXECUTE, /* before the instruction there */
    CPU_STOP_WRITE,   /* after an instruction that does so */
    CPU_STOP_READ,
    CPU_STOP_ACCESS,
} CpuStopKind;

/* Linear addresses, of 'length' bytes (1 for an instruction). */
typedef struct CpuStopPoint {
    CpuStopKind kind;
    uint32_t address, length;
} CpuStopPoint;

typedef struct CpuStopSet {
    uint32_t number, count;
    uint32_t address[CPU_STOP_POINTS]; /* ascending */
} CpuStopSet;

typedef struct CpuDebugger {
    CpuStopPoint point[CPU_STOP_POINTS];
    unsigned count;
    CpuStopSet set;                  /* of instruction addresses; number 0: none */
    CpuStopSet known[CPU_STOP_SETS]; /* earlier ones, replaced in turn */
    uint32_t last_number;
    /* An instruction address does not stop this processor at this count: it goes on from there. */
    uint8_t passed_processor;
    uint64_t passed_count;
    /* What was met last; kind CPU_STOP_NONE: nothing since that was set. */
    CpuStopPoint met;
    uint32_t met_address;
} CpuDebugger;

/* Changes what to stop at. False: there is no room, or no such point. The caller tells each
 * processor by cpu_update_breakpoints(). */
bool cpu_debugger_add(CpuDebugger *debugger, const CpuStopPoint *point);
bool cpu_debugger_remove(CpuDebugger *debugger, const CpuStopPoint *point);

/* The linear pages of its data addresses; returns how many, at most CPU_DEBUGGER_PAGES. */
#define CPU_DEBUGGER_PAGES (TLB_WATCHED_PAGES - 4)
unsigned cpu_debugger_list_pages(const CpuDebugger *debugger, uint32_t *pages);

/* The number of the set of instruction addresses, for the context; 0 where there is none. */
static inline uint32_t cpu_stop_set(const Cpu *cpu) {
    return cpu->debugger == NULL ? 0 : cpu->debugger->set.number;
}

/* How many of the 'available' bytes from a linear address on lie before the next one. */
uint32_t cpu_bytes_to_stop(const Cpu *cpu, uint32_t linear, uint32_t available);

/* True: the processor stops before the instruction at this linear address; the run loop is wanted.
 * A REP string that was interrupted (RF is set) has begun already. */
bool cpu_stops_before(Cpu *cpu, uint32_t linear);

/* Does the access meet a data address? */
bool cpu_stops_at_access(const Cpu *cpu, uint32_t linear, uint32_t size, bool write);
/* Notes that it does: the processor stops after the instruction. */
void cpu_stop_after_access(Cpu *cpu, uint32_t linear, uint32_t size, bool write);

#endif

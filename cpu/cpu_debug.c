#include "cpu_debug.h"
#include "cpu_debugger.h"

static bool is_enabled(uint32_t dr7, unsigned index) {
    return (dr7 >> (2 * index) & 3) != 0;
}

static unsigned kind_of(uint32_t dr7, unsigned index) {
    return dr7 >> (16 + 4 * index) & 3;
}

/* A breakpoint's address is that of its first byte, aligned to its length: so it lies on one page.
 */
void cpu_update_breakpoints(Cpu *cpu) {
    const CpuState *state = &cpu->state;
    uint32_t pages[TLB_WATCHED_PAGES], count = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned kind = kind_of(state->dr[7], i);
        if (is_enabled(state->dr[7], i) && (kind == BREAKPOINT_WRITE || kind == BREAKPOINT_ACCESS))
            pages[count++] = state->dr[i] >> PAGE_BITS;
    }
    if (cpu->debugger != NULL)
        count += cpu_debugger_list_pages(cpu->debugger, pages + count);
    tlb_set_watched(&cpu->tlb, pages, count);
}

unsigned cpu_execution_breakpoints(const Cpu *cpu) {
    uint32_t dr7 = cpu->state.dr[7];
    unsigned registers = 0;
    for (unsigned i = 0; i < 4; i++)
        if (is_enabled(dr7, i) && kind_of(dr7, i) == BREAKPOINT_EXECUTE)
            registers |= 1u << i;
    return registers;
}

uint32_t cpu_match_breakpoints(const Cpu *cpu, uint32_t address, uint32_t size, unsigned kinds) {
    static const uint8_t lengths[4] = {1, 2, 8, 4};
    uint32_t dr7 = cpu->state.dr[7];
    uint32_t matched = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (!is_enabled(dr7, i))
            continue;
        unsigned kind = kind_of(dr7, i);
        unsigned length = lengths[dr7 >> (18 + 4 * i) & 3];
        if (!(kinds >> kind & 1))
            continue;
        uint32_t start = cpu->state.dr[i] & ~(uint32_t)(length - 1);
        if (address - start < length || start - address < size)
            matched |= 1u << i;
    }
    return matched;
}

static uint32_t match_access(const Cpu *cpu, uint32_t linear, uint32_t size, bool write) {
    unsigned kinds = 1u << BREAKPOINT_ACCESS | (write ? 1u << BREAKPOINT_WRITE : 0);
    return cpu_match_breakpoints(cpu, linear, size, kinds);
}

bool cpu_meets_breakpoint(const Cpu *cpu, uint32_t linear, uint32_t size, bool write) {
    return match_access(cpu, linear, size, write) != 0 ||
           cpu_stops_at_access(cpu, linear, size, write);
}

/* A met breakpoint traps; the DR6 bits of others that match without being enabled are optional and
 * not set. */
void cpu_watch_access(Cpu *cpu, uint32_t linear, uint32_t size, bool write) {
    cpu->state.pending_debug |= match_access(cpu, linear, size, write);
    cpu_stop_after_access(cpu, linear, size, write);
}

void cpu_watch_port(Cpu *cpu, uint32_t port, uint32_t size) {
    if (cpu->state.cr4 & CR4_DE)
        cpu->state.pending_debug |= cpu_match_breakpoints(cpu, port, size, 1u << BREAKPOINT_IO);
}

#include "cpu_debug.h"

uint32_t cpu_match_breakpoints(const Cpu *cpu, uint32_t address, uint32_t size, unsigned kinds) {
    static const uint8_t lengths[4] = {1, 2, 8, 4};
    uint32_t dr7 = cpu->state.dr[7];
    uint32_t matched = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (!(dr7 >> (2 * i) & 3))
            continue;
        unsigned kind = dr7 >> (16 + 4 * i) & 3;
        unsigned length = lengths[dr7 >> (18 + 4 * i) & 3];
        if (!(kinds >> kind & 1))
            continue;
        uint32_t start = cpu->state.dr[i] & ~(uint32_t)(length - 1);
        if (address - start < length || start - address < size)
            matched |= 1u << i;
    }
    return matched;
}

/* A met breakpoint traps; the DR6 bits of others that match without being enabled are optional and
 * not set. */
void cpu_watch_access(Cpu *cpu, uint32_t linear, uint32_t size, bool write) {
    unsigned kinds = 1u << BREAKPOINT_ACCESS | (write ? 1u << BREAKPOINT_WRITE : 0);
    cpu->state.pending_debug |= cpu_match_breakpoints(cpu, linear, size, kinds);
}

void cpu_watch_port(Cpu *cpu, uint32_t port, uint32_t size) {
    if (cpu->state.cr4 & CR4_DE)
        cpu->state.pending_debug |= cpu_match_breakpoints(cpu, port, size, 1u << BREAKPOINT_IO);
}

/* IN and OUT, and who may: SDM vol. 1 chapter 19. */
#include "cpu_debug.h"
#include "transfer.h"

/* IOPL lets protected mode through; else, and always in v8086 mode, the TSS's I/O permission bit
 * map decides. A map lies in a 32-bit TSS only; two bytes of it are read, since a port and its
 * successors may cross a byte, and both must be within the limit. */
bool port_io_check(Cpu *cpu, uint32_t port, unsigned size) {
    const Segment *tr = &cpu->state.segment[SEG_TR];
    if (!cpu_is_protected(cpu) || (!cpu_is_v8086(cpu) && cpu->state.cpl <= cpu_iopl(cpu)))
        return true;
    bool allowed = false;
    if ((tr->access & ACCESS_P) && (tr->access & SYSTEM_32) && tr->limit >= 0x67) {
        uint64_t map_base, bits;
        if (!linear_read(cpu, tr->base + 0x66, 2, false, &map_base))
            return false;
        uint32_t offset = (uint32_t)map_base + port / 8;
        if (offset + 1 <= tr->limit) {
            if (!linear_read(cpu, tr->base + offset, 2, false, &bits))
                return false;
            allowed = !(bits >> (port & 7) & ((1u << size) - 1));
        }
    }
    if (!allowed)
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
    return allowed;
}

HelperResult helper_in(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    uint16_t port = (uint16_t)t0;
    if (!port_io_check(cpu, port, a))
        return HELPER_FAULT;
    cpu->state.eip = cpu->next_eip; /* before the access, which may reset this processor */
    cpu->outside_accesses++;
    uint32_t value = port_map_read(cpu->ports, port, a);
    uint64_t mask = UINT64_C(0xFFFFFFFF) >> (32 - 8 * a);
    uint64_t *eax = &cpu->state.gpr[REG_EAX];
    *eax = (*eax & ~mask) | (value & mask);
    if (cpu_has_breakpoints(cpu))
        cpu_watch_port(cpu, port, a);
    return HELPER_JUMP;
}

HelperResult helper_out(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    uint16_t port = (uint16_t)t0;
    if (!port_io_check(cpu, port, a))
        return HELPER_FAULT;
    cpu->state.eip = cpu->next_eip;
    cpu->outside_accesses++;
    port_map_write(cpu->ports, port, a, t1 & 0xFFFFFFFFu >> (32 - 8 * a));
    if (cpu_has_breakpoints(cpu))
        cpu_watch_port(cpu, port, a);
    return HELPER_JUMP;
}

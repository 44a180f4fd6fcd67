/* CMPXCHG8B: the one integer instruction wider than a register. */
#include "helpers.h"

HelperResult helper_compare_exchange_8b(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0,
                                        uint32_t t1) {
    (void)b, (void)t1;
    uint64_t *gpr = cpu->state.gpr;
    uint64_t expected = gpr[REG_EDX] << 32 | (uint32_t)gpr[REG_EAX];
    uint64_t present;
    /* The destination is written in either case, SDM vol. 2A CMPXCHG8B: so it must be writable. */
    if (!cpu_check_write(cpu, a, t0, 8) || !cpu_read(cpu, a, t0, 8, &present))
        return HELPER_FAULT;
    uint64_t stored = present == expected ? gpr[REG_ECX] << 32 | (uint32_t)gpr[REG_EBX] : present;
    if (!cpu_write(cpu, a, t0, 8, stored))
        return HELPER_FAULT;
    uint32_t flags = cpu_get_status_flags(cpu) & ~(uint32_t)FLAG_ZF;
    if (present == expected) {
        flags |= FLAG_ZF;
    } else {
        gpr[REG_EAX] = (uint32_t)present;
        gpr[REG_EDX] = present >> 32;
    }
    cpu_set_status_flags(cpu, flags);
    return HELPER_NEXT;
}

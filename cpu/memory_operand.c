/* Instructions on memory whose order of checks and accesses no sequence of micro-ops has. */
#include "linear.h"

/* The address is computed with the stack pointer already moved (SDM vol. 2B POP), and SP wraps. */
HelperResult helper_pop_memory(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    uint32_t esp = (uint32_t)cpu->state.gpr[REG_ESP], value;
    uint32_t popped = (esp & 0xFFFF0000) | ((esp + a) & 0xFFFF);
    if (!stack_peek(cpu, 0, a, &value) || !cpu_write(cpu, b, t0 + (popped - esp), a, value))
        return HELPER_FAULT;
    cpu->state.gpr[REG_ESP] = popped;
    return HELPER_NEXT;
}

HelperResult helper_rewrite_memory(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    uint64_t value;
    bool good = cpu_check_write(cpu, b, t0, a) && cpu_read(cpu, b, t0, a, &value) &&
                cpu_write(cpu, b, t0, a, value);
    return good ? HELPER_NEXT : HELPER_FAULT;
}

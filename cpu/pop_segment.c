/* POP to a segment register: the stack pointer moves only if the load succeeds. */
#include "helpers.h"

HelperResult helper_pop_segment(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0, (void)t1;
    uint32_t operand_size = b & 0xFF;
    uint32_t mask = (b >> 8) == 4 ? 0xFFFFFFFFu : 0xFFFFu;
    uint32_t esp = (uint32_t)cpu->state.gpr[REG_ESP];
    uint64_t selector;
    if (!cpu_read(cpu, SEG_SS, esp & mask, 2, &selector))
        return HELPER_FAULT;
    HelperResult result = helper_load_segment(cpu, a, 0, (uint32_t)selector, 0);
    if (result != HELPER_FAULT)
        cpu->state.gpr[REG_ESP] = (esp & ~mask) | ((esp + operand_size) & mask);
    return result;
}

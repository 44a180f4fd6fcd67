/* RDRAND. The numbers come from a generator in the processor's state (SplitMix64: a counter,
 * mixed), so that a run that is repeated gets the same ones. Whoever makes the machine chooses
 * where it begins. */
#include "helpers.h"

static uint32_t next_number(Cpu *cpu) {
    uint64_t value = cpu->state.random_state += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)(value ^ value >> 31);
}

HelperResult helper_random(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    cpu->result = next_number(cpu);
    cpu_set_status_flags(cpu, FLAG_CF);
    return HELPER_NEXT;
}

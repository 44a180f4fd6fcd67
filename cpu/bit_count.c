/* LZCNT: SDM vol. 2A. */
#include "helpers.h"

HelperResult helper_count_leading_zeros(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0,
                                        uint32_t t1) {
    (void)b;
    (void)t1;
    uint32_t bits = 8 * a;
    uint32_t value = bits == 16 ? t0 & 0xFFFF : t0;
    uint32_t count = value != 0 ? (uint32_t)__builtin_clz(value) - (32 - bits) : bits;
    cpu->result = count;
    /* OF, SF, AF and PF are undefined: they are cleared. */
    cpu_set_status_flags(cpu, (value == 0 ? FLAG_CF : 0) | (count == 0 ? FLAG_ZF : 0));
    return HELPER_NEXT;
}

/* The 16-bit form of MOVBE. */
#include "helpers.h"

HelperResult helper_swap_word(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t1;
    cpu->result = __builtin_bswap16((uint16_t)t0);
    return HELPER_NEXT;
}

/* CRC32 of SSE4.2: the polynomial 11EDC6F41h of Castagnoli, bits reflected (SDM vol. 2, CRC32). */
#include "helpers.h"

HelperResult helper_crc32(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    static const uint32_t reflected_polynomial = 0x82F63B78;
    (void)t1;
    uint32_t crc = (uint32_t)cpu->state.gpr[b];
    for (unsigned i = 0; i < 8 * a; i++) {
        bool out = (crc ^ t0 >> i) & 1;
        crc = crc >> 1 ^ (out ? reflected_polynomial : 0);
    }
    cpu->state.gpr[b] = crc;
    return HELPER_NEXT;
}

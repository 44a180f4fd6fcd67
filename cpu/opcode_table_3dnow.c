/* 3DNow! (AMD 21928 and, for the extensions, 22466): 0F 0F, ModRM and what belongs to it, and then
 * the opcode. */
#include "opcode_table.h"

// clang-format off

const OpcodeRow opcode_rows_3dnow[256] = {
    [0x0C] = MMX(PI2FW, Pq, Qq, NONE, 3DNOWEXT),
    [0x0D] = MMX(PI2FD, Pq, Qq, NONE, 3DNOW),
    [0x1C] = MMX(PF2IW, Pq, Qq, NONE, 3DNOWEXT),
    [0x1D] = MMX(PF2ID, Pq, Qq, NONE, 3DNOW),
    [0x8A] = MMX(PFNACC, Pq, Qq, NONE, 3DNOWEXT),
    [0x8E] = MMX(PFPNACC, Pq, Qq, NONE, 3DNOWEXT),
    [0x90] = MMX(PFCMPGE, Pq, Qq, NONE, 3DNOW),
    [0x94] = MMX(PFMIN, Pq, Qq, NONE, 3DNOW),
    [0x96] = MMX(PFRCP, Pq, Qq, NONE, 3DNOW),
    [0x97] = MMX(PFRSQRT, Pq, Qq, NONE, 3DNOW),
    [0x9A] = MMX(PFSUB, Pq, Qq, NONE, 3DNOW),
    [0x9E] = MMX(PFADD, Pq, Qq, NONE, 3DNOW),
    [0xA0] = MMX(PFCMPGT, Pq, Qq, NONE, 3DNOW),
    [0xA4] = MMX(PFMAX, Pq, Qq, NONE, 3DNOW),
    [0xA6] = MMX(PFRCPIT1, Pq, Qq, NONE, 3DNOW),
    [0xA7] = MMX(PFRSQIT1, Pq, Qq, NONE, 3DNOW),
    [0xAA] = MMX(PFSUBR, Pq, Qq, NONE, 3DNOW),
    [0xAE] = MMX(PFACC, Pq, Qq, NONE, 3DNOW),
    [0xB0] = MMX(PFCMPEQ, Pq, Qq, NONE, 3DNOW),
    [0xB4] = MMX(PFMUL, Pq, Qq, NONE, 3DNOW),
    [0xB6] = MMX(PFRCPIT2, Pq, Qq, NONE, 3DNOW),
    [0xB7] = MMX(PMULHRW, Pq, Qq, NONE, 3DNOW),
    [0xBB] = MMX(PSWAPD, Pq, Qq, NONE, 3DNOWEXT),
    [0xBF] = MMX(PAVGUSB, Pq, Qq, NONE, 3DNOW),
};

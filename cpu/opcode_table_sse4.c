/* The maps 0F 38 and 0F 3A: SSSE3, SSE4.1, SSE4.2, AES, PCLMULQDQ; rows as in opcode_table_sse.c
 * (SDM vol. 2D tables ). */
#include "opcode_table.h"

// clang-format off

const OpcodeRow opcode_rows_sse_0f38[256][4] = {
    [0x00] = {
        MMX(PSHUFB, Pq, Qq, NONE, SSSE3),
        SSE(PSHUFB, Vx, Wx, NONE, SSSE3),
    },
    [0x01] = {
        MMX(PHADDW, Pq, Qq, NONE, SSSE3),
        SSE(PHADDW, Vx, Wx, NONE, SSSE3),
    },
    [0x02] = {
        MMX(PHADDD, Pq, Qq, NONE, SSSE3),
        SSE(PHADDD, Vx, Wx, NONE, SSSE3),
    },
    [0x03] = {
        MMX(PHADDSW, Pq, Qq, NONE, SSSE3),
        SSE(PHADDSW, Vx, Wx, NONE, SSSE3),
    },
    [0x04] = {
        MMX(PMADDUBSW, Pq, Qq, NONE, SSSE3),
        SSE(PMADDUBSW, Vx, Wx, NONE, SSSE3),
    },
    [0x05] = {
        MMX(PHSUBW, Pq, Qq, NONE, SSSE3),
        SSE(PHSUBW, Vx, Wx, NONE, SSSE3),
    },
    [0x06] = {
        MMX(PHSUBD, Pq, Qq, NONE, SSSE3),
        SSE(PHSUBD, Vx, Wx, NONE, SSSE3),
    },
    [0x07] = {
        MMX(PHSUBSW, Pq, Qq, NONE, SSSE3),
        SSE(PHSUBSW, Vx, Wx, NONE, SSSE3),
    },
    [0x08] = {
        MMX(PSIGNB, Pq, Qq, NONE, SSSE3),
        SSE(PSIGNB, Vx, Wx, NONE, SSSE3),
    },
    [0x09] = {
        MMX(PSIGNW, Pq, Qq, NONE, SSSE3),
        SSE(PSIGNW, Vx, Wx, NONE, SSSE3),
    },
    [0x0A] = {
        MMX(PSIGND, Pq, Qq, NONE, SSSE3),
        SSE(PSIGND, Vx, Wx, NONE, SSSE3),
    },
    [0x0B] = {
        MMX(PMULHRSW, Pq, Qq, NONE, SSSE3),
        SSE(PMULHRSW, Vx, Wx, NONE, SSSE3),
    },
    [0x10] = {
        INVALID,
        SSE(PBLENDVB, Vx, Wx, X0, SSE41),
    },
    [0x14] = {
        INVALID,
        SSE(BLENDVPS, Vx, Wx, X0, SSE41),
    },
    [0x15] = {
        INVALID,
        SSE(BLENDVPD, Vx, Wx, X0, SSE41),
    },
    [0x17] = {
        INVALID,
        ROW(PTEST, Vx, Wx, NONE, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE41),
    },
    [0x1C] = {
        MMX(PABSB, Pq, Qq, NONE, SSSE3),
        SSE(PABSB, Vx, Wx, NONE, SSSE3),
    },
    [0x1D] = {
        MMX(PABSW, Pq, Qq, NONE, SSSE3),
        SSE(PABSW, Vx, Wx, NONE, SSSE3),
    },
    [0x1E] = {
        MMX(PABSD, Pq, Qq, NONE, SSSE3),
        SSE(PABSD, Vx, Wx, NONE, SSSE3),
    },
    [0x20] = {
        INVALID,
        SSE(PMOVSXBW, Vx, Wq, NONE, SSE41),
    },
    [0x21] = {
        INVALID,
        SSE(PMOVSXBD, Vx, Wd, NONE, SSE41),
    },
    [0x22] = {
        INVALID,
        SSE(PMOVSXBQ, Vx, Ww, NONE, SSE41),
    },
    [0x23] = {
        INVALID,
        SSE(PMOVSXWD, Vx, Wq, NONE, SSE41),
    },
    [0x24] = {
        INVALID,
        SSE(PMOVSXWQ, Vx, Wd, NONE, SSE41),
    },
    [0x25] = {
        INVALID,
        SSE(PMOVSXDQ, Vx, Wq, NONE, SSE41),
    },
    [0x28] = {
        INVALID,
        SSE(PMULDQ, Vx, Wx, NONE, SSE41),
    },
    [0x29] = {
        INVALID,
        SSE(PCMPEQQ, Vx, Wx, NONE, SSE41),
    },
    [0x2A] = {
        INVALID,
        SSE(MOVNTDQA, Vx, Mx, NONE, SSE41),
    },
    [0x2B] = {
        INVALID,
        SSE(PACKUSDW, Vx, Wx, NONE, SSE41),
    },
    [0x30] = {
        INVALID,
        SSE(PMOVZXBW, Vx, Wq, NONE, SSE41),
    },
    [0x31] = {
        INVALID,
        SSE(PMOVZXBD, Vx, Wd, NONE, SSE41),
    },
    [0x32] = {
        INVALID,
        SSE(PMOVZXBQ, Vx, Ww, NONE, SSE41),
    },
    [0x33] = {
        INVALID,
        SSE(PMOVZXWD, Vx, Wq, NONE, SSE41),
    },
    [0x34] = {
        INVALID,
        SSE(PMOVZXWQ, Vx, Wd, NONE, SSE41),
    },
    [0x35] = {
        INVALID,
        SSE(PMOVZXDQ, Vx, Wq, NONE, SSE41),
    },
    [0x37] = {
        INVALID,
        SSE(PCMPGTQ, Vx, Wx, NONE, SSE42),
    },
    [0x38] = {
        INVALID,
        SSE(PMINSB, Vx, Wx, NONE, SSE41),
    },
    [0x39] = {
        INVALID,
        SSE(PMINSD, Vx, Wx, NONE, SSE41),
    },
    [0x3A] = {
        INVALID,
        SSE(PMINUW, Vx, Wx, NONE, SSE41),
    },
    [0x3B] = {
        INVALID,
        SSE(PMINUD, Vx, Wx, NONE, SSE41),
    },
    [0x3C] = {
        INVALID,
        SSE(PMAXSB, Vx, Wx, NONE, SSE41),
    },
    [0x3D] = {
        INVALID,
        SSE(PMAXSD, Vx, Wx, NONE, SSE41),
    },
    [0x3E] = {
        INVALID,
        SSE(PMAXUW, Vx, Wx, NONE, SSE41),
    },
    [0x3F] = {
        INVALID,
        SSE(PMAXUD, Vx, Wx, NONE, SSE41),
    },
    [0x40] = {
        INVALID,
        SSE(PMULLD, Vx, Wx, NONE, SSE41),
    },
    [0x41] = {
        INVALID,
        SSE(PHMINPOSUW, Vx, Wx, NONE, SSE41),
    },
    [0x82] = {
        INVALID,
        ROW(INVPCID, Gd, Mx, NONE, ROW_MODRM | ROW_PRIVILEGED, FLAGS_NONE, INVPCID),
    },
    [0xF6] = {
        INVALID,
        ROW(ADCX, Gd, Ed, NONE, ROW_MODRM, FLAGS(FLAG_CF, FLAG_CF, 0), ADX),
        ROW(ADOX, Gd, Ed, NONE, ROW_MODRM, FLAGS(FLAG_OF, FLAG_OF, 0), ADX),
    },
    [0xDB] = {
        INVALID,
        SSE(AESIMC, Vx, Wx, NONE, AES),
    },
    [0xDC] = {
        INVALID,
        SSE(AESENC, Vx, Wx, NONE, AES),
    },
    [0xDD] = {
        INVALID,
        SSE(AESENCLAST, Vx, Wx, NONE, AES),
    },
    [0xDE] = {
        INVALID,
        SSE(AESDEC, Vx, Wx, NONE, AES),
    },
    [0xDF] = {
        INVALID,
        SSE(AESDECLAST, Vx, Wx, NONE, AES),
    },
};

const OpcodeRow opcode_rows_sse_0f3a[256][4] = {
    [0x08] = {
        INVALID,
        SSE(ROUNDPS, Vx, Wx, Ib, SSE41),
    },
    [0x09] = {
        INVALID,
        SSE(ROUNDPD, Vx, Wx, Ib, SSE41),
    },
    [0x0A] = {
        INVALID,
        SSE(ROUNDSS, Vx, Wd, Ib, SSE41),
    },
    [0x0B] = {
        INVALID,
        SSE(ROUNDSD, Vx, Wq, Ib, SSE41),
    },
    [0x0C] = {
        INVALID,
        SSE(BLENDPS, Vx, Wx, Ib, SSE41),
    },
    [0x0D] = {
        INVALID,
        SSE(BLENDPD, Vx, Wx, Ib, SSE41),
    },
    [0x0E] = {
        INVALID,
        SSE(PBLENDW, Vx, Wx, Ib, SSE41),
    },
    [0x0F] = {
        MMX(PALIGNR, Pq, Qq, Ib, SSSE3),
        SSE(PALIGNR, Vx, Wx, Ib, SSSE3),
    },
    [0x14] = {
        INVALID,
        SSE(PEXTRB, EdMb, Vx, Ib, SSE41),
    },
    [0x15] = {
        INVALID,
        SSE(PEXTRW, EdMw, Vx, Ib, SSE41),
    },
    [0x16] = {
        INVALID,
        SSE(PEXTRD, Ed, Vx, Ib, SSE41),
    },
    [0x17] = {
        INVALID,
        SSE(EXTRACTPS, Ed, Vx, Ib, SSE41),
    },
    [0x20] = {
        INVALID,
        SSE(PINSRB, Vx, EdMb, Ib, SSE41),
    },
    [0x21] = {
        INVALID,
        SSE(INSERTPS, Vx, Wd, Ib, SSE41),
    },
    [0x22] = {
        INVALID,
        SSE(PINSRD, Vx, Ed, Ib, SSE41),
    },
    [0x40] = {
        INVALID,
        SSE(DPPS, Vx, Wx, Ib, SSE41),
    },
    [0x41] = {
        INVALID,
        SSE(DPPD, Vx, Wx, Ib, SSE41),
    },
    [0x42] = {
        INVALID,
        SSE(MPSADBW, Vx, Wx, Ib, SSE41),
    },
    [0x44] = {
        INVALID,
        SSE(PCLMULQDQ, Vx, Wx, Ib, PCLMUL),
    },
    [0x60] = {
        INVALID,
        ROW(PCMPESTRM, Vx, Wx, Ib, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE42),
    },
    [0x61] = {
        INVALID,
        ROW(PCMPESTRI, Vx, Wx, Ib, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE42),
    },
    [0x62] = {
        INVALID,
        ROW(PCMPISTRM, Vx, Wx, Ib, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE42),
    },
    [0x63] = {
        INVALID,
        ROW(PCMPISTRI, Vx, Wx, Ib, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE42),
    },
    [0xDF] = {
        INVALID,
        SSE(AESKEYGENASSIST, Vx, Wx, Ib, AES),
    },
};

/* MMX and SSE opcodes of the 0F map: for each the rows that the mandatory prefix selects: none, 66,
 * F3, F2 (SDM vol. 2D table A-3). What is not here is #UD: these opcodes do not ignore a prefix. */
#include "opcode_table.h"

// clang-format off

const OpcodeRow opcode_rows_sse_0f[256][4] = {
    [0x10] = {
        SSE(MOVUPS, Vx, Wx, NONE, SSE),
        SSE(MOVUPD, Vx, Wx, NONE, SSE2),
        SSE(MOVSS, Vx, Wd, NONE, SSE),
        SSE(MOVSD_SSE, Vx, Wq, NONE, SSE2),
    },
    [0x11] = {
        SSE(MOVUPS, Wx, Vx, NONE, SSE),
        SSE(MOVUPD, Wx, Vx, NONE, SSE2),
        SSE(MOVSS, Wd, Vx, NONE, SSE),
        SSE(MOVSD_SSE, Wq, Vx, NONE, SSE2),
    },
    [0x12] = {
        GROUP(SSE_12, ROW_MODRM),
        SSE(MOVLPD, Vx, Mq, NONE, SSE2),
        SSE(MOVSLDUP, Vx, Wx, NONE, SSE3),
        SSE(MOVDDUP, Vx, Wq, NONE, SSE3),
    },
    [0x13] = {
        SSE(MOVLPS, Mq, Vx, NONE, SSE),
        SSE(MOVLPD, Mq, Vx, NONE, SSE2),
    },
    [0x14] = {
        SSE(UNPCKLPS, Vx, Wx, NONE, SSE),
        SSE(UNPCKLPD, Vx, Wx, NONE, SSE2),
    },
    [0x15] = {
        SSE(UNPCKHPS, Vx, Wx, NONE, SSE),
        SSE(UNPCKHPD, Vx, Wx, NONE, SSE2),
    },
    [0x16] = {
        GROUP(SSE_16, ROW_MODRM),
        SSE(MOVHPD, Vx, Mq, NONE, SSE2),
        SSE(MOVSHDUP, Vx, Wx, NONE, SSE3),
    },
    [0x17] = {
        SSE(MOVHPS, Mq, Vx, NONE, SSE),
        SSE(MOVHPD, Mq, Vx, NONE, SSE2),
    },
    [0x28] = {
        SSE(MOVAPS, Vx, Wx, NONE, SSE),
        SSE(MOVAPD, Vx, Wx, NONE, SSE2),
    },
    [0x29] = {
        SSE(MOVAPS, Wx, Vx, NONE, SSE),
        SSE(MOVAPD, Wx, Vx, NONE, SSE2),
    },
    [0x2A] = {
        ROW(CVTPI2PS, Vx, Qq, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE),
        ROW(CVTPI2PD, Vx, Qq, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE2),
        SSE(CVTSI2SS, Vx, Ed, NONE, SSE),
        SSE(CVTSI2SD, Vx, Ed, NONE, SSE2),
    },
    [0x2B] = {
        SSE(MOVNTPS, Mx, Vx, NONE, SSE),
        SSE(MOVNTPD, Mx, Vx, NONE, SSE2),
    },
    [0x2C] = {
        ROW(CVTTPS2PI, Pq, Wq, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE),
        ROW(CVTTPD2PI, Pq, Wx, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE2),
        SSE(CVTTSS2SI, Gd, Wd, NONE, SSE),
        SSE(CVTTSD2SI, Gd, Wq, NONE, SSE2),
    },
    [0x2D] = {
        ROW(CVTPS2PI, Pq, Wq, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE),
        ROW(CVTPD2PI, Pq, Wx, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE2),
        SSE(CVTSS2SI, Gd, Wd, NONE, SSE),
        SSE(CVTSD2SI, Gd, Wq, NONE, SSE2),
    },
    [0x2E] = {
        ROW(UCOMISS, Vx, Wd, NONE, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE),
        ROW(UCOMISD, Vx, Wq, NONE, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE2),
    },
    [0x2F] = {
        ROW(COMISS, Vx, Wd, NONE, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE),
        ROW(COMISD, Vx, Wq, NONE, ROW_MODRM | ROW_SSE, FLAGS(0, FLAG_STATUS, 0), SSE2),
    },
    [0x50] = {
        SSE(MOVMSKPS, Gd, Ux, NONE, SSE),
        SSE(MOVMSKPD, Gd, Ux, NONE, SSE2),
    },
    [0x51] = {
        SSE(SQRTPS, Vx, Wx, NONE, SSE),
        SSE(SQRTPD, Vx, Wx, NONE, SSE2),
        SSE(SQRTSS, Vx, Wd, NONE, SSE),
        SSE(SQRTSD, Vx, Wq, NONE, SSE2),
    },
    [0x52] = {
        SSE(RSQRTPS, Vx, Wx, NONE, SSE),
        INVALID,
        SSE(RSQRTSS, Vx, Wd, NONE, SSE),
    },
    [0x53] = {
        SSE(RCPPS, Vx, Wx, NONE, SSE),
        INVALID,
        SSE(RCPSS, Vx, Wd, NONE, SSE),
    },
    [0x54] = {
        SSE(ANDPS, Vx, Wx, NONE, SSE),
        SSE(ANDPD, Vx, Wx, NONE, SSE2),
    },
    [0x55] = {
        SSE(ANDNPS, Vx, Wx, NONE, SSE),
        SSE(ANDNPD, Vx, Wx, NONE, SSE2),
    },
    [0x56] = {
        SSE(ORPS, Vx, Wx, NONE, SSE),
        SSE(ORPD, Vx, Wx, NONE, SSE2),
    },
    [0x57] = {
        SSE(XORPS, Vx, Wx, NONE, SSE),
        SSE(XORPD, Vx, Wx, NONE, SSE2),
    },
    [0x58] = {
        SSE(ADDPS, Vx, Wx, NONE, SSE),
        SSE(ADDPD, Vx, Wx, NONE, SSE2),
        SSE(ADDSS, Vx, Wd, NONE, SSE),
        SSE(ADDSD, Vx, Wq, NONE, SSE2),
    },
    [0x59] = {
        SSE(MULPS, Vx, Wx, NONE, SSE),
        SSE(MULPD, Vx, Wx, NONE, SSE2),
        SSE(MULSS, Vx, Wd, NONE, SSE),
        SSE(MULSD, Vx, Wq, NONE, SSE2),
    },
    [0x5A] = {
        SSE(CVTPS2PD, Vx, Wq, NONE, SSE2),
        SSE(CVTPD2PS, Vx, Wx, NONE, SSE2),
        SSE(CVTSS2SD, Vx, Wd, NONE, SSE2),
        SSE(CVTSD2SS, Vx, Wq, NONE, SSE2),
    },
    [0x5B] = {
        SSE(CVTDQ2PS, Vx, Wx, NONE, SSE2),
        SSE(CVTPS2DQ, Vx, Wx, NONE, SSE2),
        SSE(CVTTPS2DQ, Vx, Wx, NONE, SSE2),
    },
    [0x5C] = {
        SSE(SUBPS, Vx, Wx, NONE, SSE),
        SSE(SUBPD, Vx, Wx, NONE, SSE2),
        SSE(SUBSS, Vx, Wd, NONE, SSE),
        SSE(SUBSD, Vx, Wq, NONE, SSE2),
    },
    [0x5D] = {
        SSE(MINPS, Vx, Wx, NONE, SSE),
        SSE(MINPD, Vx, Wx, NONE, SSE2),
        SSE(MINSS, Vx, Wd, NONE, SSE),
        SSE(MINSD, Vx, Wq, NONE, SSE2),
    },
    [0x5E] = {
        SSE(DIVPS, Vx, Wx, NONE, SSE),
        SSE(DIVPD, Vx, Wx, NONE, SSE2),
        SSE(DIVSS, Vx, Wd, NONE, SSE),
        SSE(DIVSD, Vx, Wq, NONE, SSE2),
    },
    [0x5F] = {
        SSE(MAXPS, Vx, Wx, NONE, SSE),
        SSE(MAXPD, Vx, Wx, NONE, SSE2),
        SSE(MAXSS, Vx, Wd, NONE, SSE),
        SSE(MAXSD, Vx, Wq, NONE, SSE2),
    },
    [0x60] = {
        MMX(PUNPCKLBW, Pq, Qd, NONE, MMX),
        SSE(PUNPCKLBW, Vx, Wx, NONE, SSE2),
    },
    [0x61] = {
        MMX(PUNPCKLWD, Pq, Qd, NONE, MMX),
        SSE(PUNPCKLWD, Vx, Wx, NONE, SSE2),
    },
    [0x62] = {
        MMX(PUNPCKLDQ, Pq, Qd, NONE, MMX),
        SSE(PUNPCKLDQ, Vx, Wx, NONE, SSE2),
    },
    [0x63] = {
        MMX(PACKSSWB, Pq, Qq, NONE, MMX),
        SSE(PACKSSWB, Vx, Wx, NONE, SSE2),
    },
    [0x64] = {
        MMX(PCMPGTB, Pq, Qq, NONE, MMX),
        SSE(PCMPGTB, Vx, Wx, NONE, SSE2),
    },
    [0x65] = {
        MMX(PCMPGTW, Pq, Qq, NONE, MMX),
        SSE(PCMPGTW, Vx, Wx, NONE, SSE2),
    },
    [0x66] = {
        MMX(PCMPGTD, Pq, Qq, NONE, MMX),
        SSE(PCMPGTD, Vx, Wx, NONE, SSE2),
    },
    [0x67] = {
        MMX(PACKUSWB, Pq, Qq, NONE, MMX),
        SSE(PACKUSWB, Vx, Wx, NONE, SSE2),
    },
    [0x68] = {
        MMX(PUNPCKHBW, Pq, Qq, NONE, MMX),
        SSE(PUNPCKHBW, Vx, Wx, NONE, SSE2),
    },
    [0x69] = {
        MMX(PUNPCKHWD, Pq, Qq, NONE, MMX),
        SSE(PUNPCKHWD, Vx, Wx, NONE, SSE2),
    },
    [0x6A] = {
        MMX(PUNPCKHDQ, Pq, Qq, NONE, MMX),
        SSE(PUNPCKHDQ, Vx, Wx, NONE, SSE2),
    },
    [0x6B] = {
        MMX(PACKSSDW, Pq, Qq, NONE, MMX),
        SSE(PACKSSDW, Vx, Wx, NONE, SSE2),
    },
    [0x6C] = {
        INVALID,
        SSE(PUNPCKLQDQ, Vx, Wx, NONE, SSE2),
    },
    [0x6D] = {
        INVALID,
        SSE(PUNPCKHQDQ, Vx, Wx, NONE, SSE2),
    },
    [0x6E] = {
        MMX(MOVD, Pq, Ed, NONE, MMX),
        SSE(MOVD, Vx, Ed, NONE, SSE2),
    },
    [0x6F] = {
        MMX(MOVQ, Pq, Qq, NONE, MMX),
        SSE(MOVDQA, Vx, Wx, NONE, SSE2),
        SSE(MOVDQU, Vx, Wx, NONE, SSE2),
    },
    [0x70] = {
        MMX(PSHUFW, Pq, Qq, Ib, MMX_INTEGER),
        SSE(PSHUFD, Vx, Wx, Ib, SSE2),
        SSE(PSHUFHW, Vx, Wx, Ib, SSE2),
        SSE(PSHUFLW, Vx, Wx, Ib, SSE2),
    },
    [0x71] = {
        GROUP(71_MMX, ROW_MODRM),
        GROUP(71_SSE, ROW_MODRM),
    },
    [0x72] = {
        GROUP(72_MMX, ROW_MODRM),
        GROUP(72_SSE, ROW_MODRM),
    },
    [0x73] = {
        GROUP(73_MMX, ROW_MODRM),
        GROUP(73_SSE, ROW_MODRM),
    },
    [0x74] = {
        MMX(PCMPEQB, Pq, Qq, NONE, MMX),
        SSE(PCMPEQB, Vx, Wx, NONE, SSE2),
    },
    [0x75] = {
        MMX(PCMPEQW, Pq, Qq, NONE, MMX),
        SSE(PCMPEQW, Vx, Wx, NONE, SSE2),
    },
    [0x76] = {
        MMX(PCMPEQD, Pq, Qq, NONE, MMX),
        SSE(PCMPEQD, Vx, Wx, NONE, SSE2),
    },
    [0x77] = {
        ROW(EMMS, NONE, NONE, NONE, ROW_MMX, FLAGS_NONE, MMX),
    },
    [0x7C] = {
        INVALID,
        SSE(HADDPD, Vx, Wx, NONE, SSE3),
        INVALID,
        SSE(HADDPS, Vx, Wx, NONE, SSE3),
    },
    [0x7D] = {
        INVALID,
        SSE(HSUBPD, Vx, Wx, NONE, SSE3),
        INVALID,
        SSE(HSUBPS, Vx, Wx, NONE, SSE3),
    },
    [0x7E] = {
        MMX(MOVD, Ed, Pq, NONE, MMX),
        SSE(MOVD, Ed, Vx, NONE, SSE2),
        SSE(MOVQ, Vx, Wq, NONE, SSE2),
    },
    [0x7F] = {
        MMX(MOVQ, Qq, Pq, NONE, MMX),
        SSE(MOVDQA, Wx, Vx, NONE, SSE2),
        SSE(MOVDQU, Wx, Vx, NONE, SSE2),
    },
    [0xC2] = {
        SSE(CMPPS, Vx, Wx, Ib, SSE),
        SSE(CMPPD, Vx, Wx, Ib, SSE2),
        SSE(CMPSS, Vx, Wd, Ib, SSE),
        SSE(CMPSD_SSE, Vx, Wq, Ib, SSE2),
    },
    [0xC3] = {
        ROW(MOVNTI, Md, Gd, NONE, ROW_MODRM, FLAGS_NONE, SSE2),
    },
    [0xC4] = {
        MMX(PINSRW, Pq, EdMw, Ib, MMX_INTEGER),
        SSE(PINSRW, Vx, EdMw, Ib, SSE2),
    },
    [0xC5] = {
        MMX(PEXTRW, Gd, Nq, Ib, MMX_INTEGER),
        SSE(PEXTRW, Gd, Ux, Ib, SSE2),
    },
    [0xC6] = {
        SSE(SHUFPS, Vx, Wx, Ib, SSE),
        SSE(SHUFPD, Vx, Wx, Ib, SSE2),
    },
    [0xD0] = {
        INVALID,
        SSE(ADDSUBPD, Vx, Wx, NONE, SSE3),
        INVALID,
        SSE(ADDSUBPS, Vx, Wx, NONE, SSE3),
    },
    [0xD1] = {
        MMX(PSRLW, Pq, Qq, NONE, MMX),
        SSE(PSRLW, Vx, Wx, NONE, SSE2),
    },
    [0xD2] = {
        MMX(PSRLD, Pq, Qq, NONE, MMX),
        SSE(PSRLD, Vx, Wx, NONE, SSE2),
    },
    [0xD3] = {
        MMX(PSRLQ, Pq, Qq, NONE, MMX),
        SSE(PSRLQ, Vx, Wx, NONE, SSE2),
    },
    [0xD4] = {
        MMX(PADDQ, Pq, Qq, NONE, SSE2),
        SSE(PADDQ, Vx, Wx, NONE, SSE2),
    },
    [0xD5] = {
        MMX(PMULLW, Pq, Qq, NONE, MMX),
        SSE(PMULLW, Vx, Wx, NONE, SSE2),
    },
    [0xD6] = {
        INVALID,
        SSE(MOVQ, Wq, Vx, NONE, SSE2),
        ROW(MOVQ2DQ, Vx, Nq, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE2),
        ROW(MOVDQ2Q, Pq, Uq, NONE, ROW_MODRM | ROW_MMX | ROW_SSE, FLAGS_NONE, SSE2),
    },
    [0xD7] = {
        MMX(PMOVMSKB, Gd, Nq, NONE, MMX_INTEGER),
        SSE(PMOVMSKB, Gd, Ux, NONE, SSE2),
    },
    [0xD8] = {
        MMX(PSUBUSB, Pq, Qq, NONE, MMX),
        SSE(PSUBUSB, Vx, Wx, NONE, SSE2),
    },
    [0xD9] = {
        MMX(PSUBUSW, Pq, Qq, NONE, MMX),
        SSE(PSUBUSW, Vx, Wx, NONE, SSE2),
    },
    [0xDA] = {
        MMX(PMINUB, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PMINUB, Vx, Wx, NONE, SSE2),
    },
    [0xDB] = {
        MMX(PAND, Pq, Qq, NONE, MMX),
        SSE(PAND, Vx, Wx, NONE, SSE2),
    },
    [0xDC] = {
        MMX(PADDUSB, Pq, Qq, NONE, MMX),
        SSE(PADDUSB, Vx, Wx, NONE, SSE2),
    },
    [0xDD] = {
        MMX(PADDUSW, Pq, Qq, NONE, MMX),
        SSE(PADDUSW, Vx, Wx, NONE, SSE2),
    },
    [0xDE] = {
        MMX(PMAXUB, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PMAXUB, Vx, Wx, NONE, SSE2),
    },
    [0xDF] = {
        MMX(PANDN, Pq, Qq, NONE, MMX),
        SSE(PANDN, Vx, Wx, NONE, SSE2),
    },
    [0xE0] = {
        MMX(PAVGB, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PAVGB, Vx, Wx, NONE, SSE2),
    },
    [0xE1] = {
        MMX(PSRAW, Pq, Qq, NONE, MMX),
        SSE(PSRAW, Vx, Wx, NONE, SSE2),
    },
    [0xE2] = {
        MMX(PSRAD, Pq, Qq, NONE, MMX),
        SSE(PSRAD, Vx, Wx, NONE, SSE2),
    },
    [0xE3] = {
        MMX(PAVGW, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PAVGW, Vx, Wx, NONE, SSE2),
    },
    [0xE4] = {
        MMX(PMULHUW, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PMULHUW, Vx, Wx, NONE, SSE2),
    },
    [0xE5] = {
        MMX(PMULHW, Pq, Qq, NONE, MMX),
        SSE(PMULHW, Vx, Wx, NONE, SSE2),
    },
    [0xE6] = {
        INVALID,
        SSE(CVTTPD2DQ, Vx, Wx, NONE, SSE2),
        SSE(CVTDQ2PD, Vx, Wq, NONE, SSE2),
        SSE(CVTPD2DQ, Vx, Wx, NONE, SSE2),
    },
    [0xE7] = {
        MMX(MOVNTQ, Mq, Pq, NONE, MMX_INTEGER),
        SSE(MOVNTDQ, Mx, Vx, NONE, SSE2),
    },
    [0xE8] = {
        MMX(PSUBSB, Pq, Qq, NONE, MMX),
        SSE(PSUBSB, Vx, Wx, NONE, SSE2),
    },
    [0xE9] = {
        MMX(PSUBSW, Pq, Qq, NONE, MMX),
        SSE(PSUBSW, Vx, Wx, NONE, SSE2),
    },
    [0xEA] = {
        MMX(PMINSW, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PMINSW, Vx, Wx, NONE, SSE2),
    },
    [0xEB] = {
        MMX(POR, Pq, Qq, NONE, MMX),
        SSE(POR, Vx, Wx, NONE, SSE2),
    },
    [0xEC] = {
        MMX(PADDSB, Pq, Qq, NONE, MMX),
        SSE(PADDSB, Vx, Wx, NONE, SSE2),
    },
    [0xED] = {
        MMX(PADDSW, Pq, Qq, NONE, MMX),
        SSE(PADDSW, Vx, Wx, NONE, SSE2),
    },
    [0xEE] = {
        MMX(PMAXSW, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PMAXSW, Vx, Wx, NONE, SSE2),
    },
    [0xEF] = {
        MMX(PXOR, Pq, Qq, NONE, MMX),
        SSE(PXOR, Vx, Wx, NONE, SSE2),
    },
    [0xF0] = {
        INVALID,
        INVALID,
        INVALID,
        SSE(LDDQU, Vx, Mx, NONE, SSE3),
    },
    [0xF1] = {
        MMX(PSLLW, Pq, Qq, NONE, MMX),
        SSE(PSLLW, Vx, Wx, NONE, SSE2),
    },
    [0xF2] = {
        MMX(PSLLD, Pq, Qq, NONE, MMX),
        SSE(PSLLD, Vx, Wx, NONE, SSE2),
    },
    [0xF3] = {
        MMX(PSLLQ, Pq, Qq, NONE, MMX),
        SSE(PSLLQ, Vx, Wx, NONE, SSE2),
    },
    [0xF4] = {
        MMX(PMULUDQ, Pq, Qq, NONE, SSE2),
        SSE(PMULUDQ, Vx, Wx, NONE, SSE2),
    },
    [0xF5] = {
        MMX(PMADDWD, Pq, Qq, NONE, MMX),
        SSE(PMADDWD, Vx, Wx, NONE, SSE2),
    },
    [0xF6] = {
        MMX(PSADBW, Pq, Qq, NONE, MMX_INTEGER),
        SSE(PSADBW, Vx, Wx, NONE, SSE2),
    },
    [0xF7] = {
        MMX(MASKMOVQ, Pq, Nq, DIq, MMX_INTEGER),
        SSE(MASKMOVDQU, Vx, Ux, DIx, SSE2),
    },
    [0xF8] = {
        MMX(PSUBB, Pq, Qq, NONE, MMX),
        SSE(PSUBB, Vx, Wx, NONE, SSE2),
    },
    [0xF9] = {
        MMX(PSUBW, Pq, Qq, NONE, MMX),
        SSE(PSUBW, Vx, Wx, NONE, SSE2),
    },
    [0xFA] = {
        MMX(PSUBD, Pq, Qq, NONE, MMX),
        SSE(PSUBD, Vx, Wx, NONE, SSE2),
    },
    [0xFB] = {
        MMX(PSUBQ, Pq, Qq, NONE, SSE2),
        SSE(PSUBQ, Vx, Wx, NONE, SSE2),
    },
    [0xFC] = {
        MMX(PADDB, Pq, Qq, NONE, MMX),
        SSE(PADDB, Vx, Wx, NONE, SSE2),
    },
    [0xFD] = {
        MMX(PADDW, Pq, Qq, NONE, MMX),
        SSE(PADDW, Vx, Wx, NONE, SSE2),
    },
    [0xFE] = {
        MMX(PADDD, Pq, Qq, NONE, MMX),
        SSE(PADDD, Vx, Wx, NONE, SSE2),
    },
};

/* ---- Groups: 0F 12 and 0F 16, the shifts by an immediate ---- */

const OpcodeRow opcode_group_71_mmx[8] = {
    INVALID,
    INVALID,
    MMX(PSRLW, Nq, Ib, NONE, MMX),
    INVALID,
    MMX(PSRAW, Nq, Ib, NONE, MMX),
    INVALID,
    MMX(PSLLW, Nq, Ib, NONE, MMX),
    INVALID,
};
const OpcodeRow opcode_group_71_sse[8] = {
    INVALID,
    INVALID,
    SSE(PSRLW, Ux, Ib, NONE, SSE2),
    INVALID,
    SSE(PSRAW, Ux, Ib, NONE, SSE2),
    INVALID,
    SSE(PSLLW, Ux, Ib, NONE, SSE2),
    INVALID,
};
const OpcodeRow opcode_group_72_mmx[8] = {
    INVALID,
    INVALID,
    MMX(PSRLD, Nq, Ib, NONE, MMX),
    INVALID,
    MMX(PSRAD, Nq, Ib, NONE, MMX),
    INVALID,
    MMX(PSLLD, Nq, Ib, NONE, MMX),
    INVALID,
};
const OpcodeRow opcode_group_72_sse[8] = {
    INVALID,
    INVALID,
    SSE(PSRLD, Ux, Ib, NONE, SSE2),
    INVALID,
    SSE(PSRAD, Ux, Ib, NONE, SSE2),
    INVALID,
    SSE(PSLLD, Ux, Ib, NONE, SSE2),
    INVALID,
};
const OpcodeRow opcode_group_73_mmx[8] = {
    INVALID,
    INVALID,
    MMX(PSRLQ, Nq, Ib, NONE, MMX),
    INVALID,
    INVALID,
    INVALID,
    MMX(PSLLQ, Nq, Ib, NONE, MMX),
    INVALID,
};
const OpcodeRow opcode_group_73_sse[8] = {
    INVALID,
    INVALID,
    SSE(PSRLQ, Ux, Ib, NONE, SSE2),
    SSE(PSRLDQ, Ux, Ib, NONE, SSE2),
    INVALID,
    INVALID,
    SSE(PSLLQ, Ux, Ib, NONE, SSE2),
    SSE(PSLLDQ, Ux, Ib, NONE, SSE2),
};
const OpcodeRow opcode_group_sse_12[2] = {
    SSE(MOVLPS, Vx, Mq, NONE, SSE),
    SSE(MOVHLPS, Vx, Ux, NONE, SSE),
};
const OpcodeRow opcode_group_sse_16[2] = {
    SSE(MOVHPS, Vx, Mq, NONE, SSE),
    SSE(MOVLHPS, Vx, Ux, NONE, SSE),
};

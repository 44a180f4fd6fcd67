/* Advanced SIMD and floating-point instructions of AArch64 without their registers (Arm ARM C7),
 * for arm_vector(). */
#ifndef REPRISE_AARCH64_VECTOR_CODES_H
#define REPRISE_AARCH64_VECTOR_CODES_H

#include <stdint.h>

/* Size of the lanes, as bits 23:22; all 16 bytes, not 8. */
enum { ARM_LANES_8 = 0, ARM_LANES_16 = 1 << 22, ARM_LANES_32 = 2 << 22, ARM_LANES_64 = 3 << 22 };
enum { ARM_WHOLE = 1 << 30 };
/* Of floats: double precision, in scalar and vector instructions. */
enum { ARM_DOUBLE = 1 << 22 };

enum {
    /* d = n op m, of integer lanes */
    VADD = 0x0E208400,
    VSUB = 0x2E208400,
    VSQADD = 0x0E200C00,
    VUQADD = 0x2E200C00,
    VSQSUB = 0x0E202C00,
    VUQSUB = 0x2E202C00,
    VCMGT = 0x0E203400,
    VCMEQ = 0x2E208C00,
    VSMAX = 0x0E206400,
    VUMAX = 0x2E206400,
    VSMIN = 0x0E206C00,
    VUMIN = 0x2E206C00,
    VURHADD = 0x2E201400,
    VMUL = 0x0E209C00,
    VADDP = 0x0E20BC00,
    VSSHL = 0x0E204400,
    VUSHL = 0x2E204400,
    /* all bits; BIC: n & ~m; BIT: d = m ? n : d, by bits */
    VAND = 0x0E201C00,
    VBIC = 0x0E601C00,
    VORR = 0x0EA01C00,
    VEOR = 0x2E201C00,
    VBIT = 0x2EA01C00,
    VNOT = 0x2E205800,
    /* lanes of twice the size, from the lower halves, or with ARM_WHOLE from the upper */
    VSMULL = 0x0E20C000,
    VUMULL = 0x2E20C000,
    VUABDL = 0x2E207000,
    /* lanes of half the size, to the lower half; with ARM_WHOLE to the upper */
    VXTN = 0x0E212800,
    VSQXTN = 0x0E214800,
    VSQXTUN = 0x2E212800,
    /* d = the lanes of n and m in another order */
    VUZP1 = 0x0E001800,
    VTRN1 = 0x0E002800,
    VZIP1 = 0x0E003800,
    VUZP2 = 0x0E005800,
    VTRN2 = 0x0E006800,
    VZIP2 = 0x0E007800,
    VEXT = 0x2E000000, /* bytes from m:n, from the number in bits 14:11 on */
    /* by the immediate of bits 22:16 */
    VSSHR = 0x0F000400,
    VUSHR = 0x2F000400,
    VUSRA = 0x2F001400,
    VSHL = 0x0F005400,
    VSHRN = 0x0F008400,
    VSSHLL = 0x0F00A400,
    VMOVI_ZERO = 0x6F00E400, /* all bits 0 */
    VADDV_16 = 0x4E71B800,   /* the sum of eight lanes */
    /* single lanes: bits 20:16 say which */
    VDUP = 0x0E000400,
    VDUP_GENERAL = 0x0E000C00,
    VINS_GENERAL = 0x4E001C00,
    VINS = 0x6E000400, /* the lane of n stands in bits 14:11 */
    VUMOV = 0x0E003C00,
    VFMOV_FROM_S = 0x1E260000,
    VFMOV_TO_S = 0x1E270000,
    /* floats, packed */
    VFADD = 0x0E20D400,
    VFSUB = 0x0EA0D400,
    VFMUL = 0x2E20DC00,
    VFDIV = 0x2E20FC00,
    VFSQRT = 0x2EA1F800,
    VFCMEQ = 0x0E20E400,
    VFCMGE = 0x2E20E400,
    VFCMGT = 0x2EA0E400,
    VSCVTF = 0x0E21D800,
    VFCVTZS = 0x0EA1B800,
    VFRINTX = 0x2E219800,
    VFCVTN = 0x0E616800, /* two doubles to singles */
    VFCVTL = 0x0E617800, /* and back */
    /* and scalar */
    VFADD_SCALAR = 0x1E202800,
    VFSUB_SCALAR = 0x1E203800,
    VFMUL_SCALAR = 0x1E200800,
    VFDIV_SCALAR = 0x1E201800,
    VFSQRT_SCALAR = 0x1E21C000,
    VFRINTX_SCALAR = 0x1E274000,
    VFCVT_TO_DOUBLE = 0x1E22C000,
    VFCVT_TO_SINGLE = 0x1E624000,
    VSCVTF_GENERAL = 0x1E220000,
    VFCVTZS_GENERAL = 0x1E380000,
    VFCMP = 0x1E202000, /* of n and m */
    VFCMPE = 0x1E202010,
    VFCMEQ_SCALAR = 0x5E20E400,
    VFCMGE_SCALAR = 0x7E20E400,
    VFCMGT_SCALAR = 0x7EA0E400,
};

/* General registers are their 'd'; but for the first. */
#define VFMOV_FROM_D 0x9E660000u
#define ARM_READ_FPSR 0xD53B4420u
#define ARM_WRITE_FPSR 0xD51B4420u
#define ARM_WRITE_FPCR 0xD51B4400u

/* A lane's number for the instructions that take one, at bit 16. */
static inline uint32_t arm_lane(unsigned size, unsigned index) {
    return (index * 2 * size + size) << 16;
}

/* The lane of n in VINS. */
static inline uint32_t arm_source_lane(unsigned size, unsigned index) {
    return index * size << 11;
}

/* Amounts of the shifts by an immediate, for lanes of 'size' bytes; to the right from 1 on. */
static inline uint32_t arm_shift_left(unsigned size, unsigned amount) {
    return (8 * size + amount) << 16;
}
static inline uint32_t arm_shift_right(unsigned size, unsigned amount) {
    return (16 * size - amount) << 16;
}

/* ARM_LANES_* by the size in bytes. */
static inline uint32_t arm_lanes(unsigned size) {
    return (uint32_t)__builtin_ctz(size) << 22;
}

#endif

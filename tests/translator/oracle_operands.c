/* See oracle_operands.h: values alone. */
#include "oracle_operands.h"
#include "cpu.h"
#include "guest_fixture.h"
#include <string.h>

unsigned oracle_below(uint64_t *random, unsigned limit) {
    return (unsigned)((guest_random(random) >> 32) * limit >> 32);
}

uint32_t oracle_choose_integer(uint64_t *random) {
    static const uint32_t special[] = {
        0,          1,          2,          0x7F,       0x80,       0xFF,       0x100,
        0x7FFF,     0x8000,     0xFFFF,     0x10000,    0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
        0xFFFFFFFE, 0xFFFFFF80, 0xFFFF8000, 0x00008080, 0x99999999, 0x0000000A, 0x0F0F0F0F,
        0x09090909, 0x55555555, 0x80008000, 31,         32,         33,         64};
    uint32_t value = (uint32_t)guest_random(random);
    switch (oracle_below(random, 6)) {
    case 0:
    case 1:
        return special[value % (sizeof(special) / sizeof(special[0]))];
    case 2:
        return value >> (value & 31); /* any magnitude */
    case 3:
        return (uint32_t) - (int32_t)(value >> (value & 31));
    default:
        return value;
    }
}

static uint32_t choose_single(uint64_t *random) {
    static const uint32_t special[] = {0,          0x80000000, 1,          0x807FFFFF, 0x00800000,
                                       0x3F800000, 0xBF800000, 0x7F7FFFFF, 0x7F800000, 0xFF800000,
                                       0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFBFFFFF, 0x4F000000,
                                       0xCF000000, 0x5F000000, 0x4EFFFFFF, 0x3F000000, 0x3F7FFFFF};
    uint32_t value = (uint32_t)guest_random(random);
    switch (oracle_below(random, 4)) {
    case 0:
        return special[value % (sizeof(special) / sizeof(special[0]))];
    case 1:
        return (value & 0x807FFFFF) | (0x70 + (value >> 24 & 0x1F)) << 23;
    case 2: /* few bits of significand, so that sums and products are exact */
        return (value & 0x80700000) | (0x7C + (value & 7)) << 23;
    default:
        return value;
    }
}

static uint64_t choose_double(uint64_t *random) {
    static const uint64_t special[] = {0,
                                       0x8000000000000000,
                                       1,
                                       0x800FFFFFFFFFFFFF,
                                       0x0010000000000000,
                                       0x3FF0000000000000,
                                       0xBFF0000000000000,
                                       0x7FEFFFFFFFFFFFFF,
                                       0x7FF0000000000000,
                                       0xFFF0000000000000,
                                       0x7FF8000000000000,
                                       0xFFF8000000000001,
                                       0x7FF0000000000001,
                                       0xFFF7FFFFFFFFFFFF,
                                       0x41E0000000000000,
                                       0xC1E0000000000000,
                                       0x41DFFFFFFFC00000,
                                       0x43E0000000000000,
                                       0x47EFFFFFE0000000,
                                       0x47EFFFFFF0000000,
                                       0x3810000000000000,
                                       0x380FFFFFFFFFFFFF,
                                       0x36A0000000000000,
                                       0x3FE0000000000000};
    uint64_t value = guest_random(random);
    switch (oracle_below(random, 4)) {
    case 0:
        return special[value % (sizeof(special) / sizeof(special[0]))];
    case 1:
        return (value & UINT64_C(0x800FFFFFFFFFFFFF)) | (0x3F0 + (value >> 56 & 0x1F)) << 52;
    case 2:
        return (value & UINT64_C(0x800E000000000000)) | (0x3FC + (value & 7)) << 52;
    default:
        return value;
    }
}

/* Numbers of every kind that the 80-bit format has, those that no 387 makes included. */
static void choose_extended(uint64_t *random, uint8_t *bytes) {
    enum { INTEGER_BIT = 63, BIAS = 16383 };
    uint64_t significand = guest_random(random), choice = guest_random(random);
    unsigned exponent;
    if (choice >> 8 & 1) /* few bits */
        significand &= ~UINT64_C(0) << (choice >> 10 & 63);
    if ((choice >> 16 & 7) != 0)
        significand |= UINT64_C(1) << INTEGER_BIT;
    switch (choice & 15) {
    case 0: /* zero, denormal, pseudo-denormal */
        exponent = 0;
        significand = choice >> 20 & 1 ? 0 : significand >> (choice >> 24 & 31);
        break;
    case 1: /* infinity, NaNs, their pseudo forms */
        exponent = 0x7FFF;
        if (choice >> 20 & 1)
            significand = UINT64_C(1) << INTEGER_BIT;
        break;
    case 2: /* near the ends of the formats */
        exponent =
            (unsigned[]){1,           0x7FFE,      BIAS - 126, BIAS + 127,
                         BIAS - 1022, BIAS + 1023, BIAS - 149, BIAS - 1074}[choice >> 20 & 7];
        break;
    case 3: /* near the ends of the integers */
        exponent = BIAS + (unsigned[]){14, 15, 30, 31, 62, 63, 64, 59}[choice >> 20 & 7];
        break;
    case 4:
        exponent = choice >> 20 & 0x7FFF;
        break;
    case 5: /* one */
        exponent = BIAS;
        significand = UINT64_C(1) << INTEGER_BIT;
        break;
    default:
        exponent = BIAS - 32 + (choice >> 20 & 63);
    }
    exponent |= (unsigned)(choice >> 63) << 15;
    memcpy(bytes, &significand, 8);
    memcpy(bytes + 8, &exponent, 2);
}

static void choose_decimal(uint64_t *random, uint8_t *bytes) {
    for (unsigned i = 0; i < 9; i++)
        bytes[i] = (uint8_t)(oracle_below(random, 10) << 4 | oracle_below(random, 10));
    bytes[9] = (uint8_t)(oracle_below(random, 2) << 7);
}

void oracle_fill(uint64_t *random, uint8_t *bytes, unsigned size) {
    unsigned kind = oracle_below(random, 5);
    uint8_t value[16];
    for (unsigned i = 0; i < size;) {
        unsigned length = kind == 1 ? 8 : kind == 2 ? 10 : 4;
        if (kind == 0) {
            uint32_t single = choose_single(random);
            memcpy(value, &single, 4);
        } else if (kind == 1) {
            uint64_t number = choose_double(random);
            memcpy(value, &number, 8);
        } else if (kind == 2) {
            choose_extended(random, value);
        } else {
            uint32_t integer = oracle_choose_integer(random);
            memcpy(value, &integer, 4);
        }
        unsigned left = size - i < length ? size - i : length;
        memcpy(bytes + i, value, left);
        i += left;
    }
}

void oracle_fill_operand(uint64_t *random, const Insn *insn, uint8_t *bytes, unsigned size) {
    switch (insn->code) {
    case INSN_FBLD:
        choose_decimal(random, bytes);
        return;
    case INSN_LDMXCSR:
    case INSN_FXRSTOR: {
        uint32_t mxcsr = oracle_choose_integer(random) & 0xFFFF;
        if (oracle_below(random, 8) == 0)
            mxcsr |= UINT32_C(0x80000000) >> oracle_below(random, 14);
        oracle_fill(random, bytes, size);
        memcpy(bytes + (size == 512 ? 24 : 0), &mxcsr, 4);
        return;
    }
    default:
        oracle_fill(random, bytes, size);
    }
}

static void put_16(uint8_t *bytes, unsigned value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

void oracle_fill_fpu(uint64_t *random, uint8_t *image) {
    unsigned tags = 0, exceptions = (unsigned)guest_random(random) & 0x3F;
    unsigned control = 0x7F | oracle_below(random, 16) << 8;
    unsigned status = (unsigned)guest_random(random) & 0x7F00;
    bool is_full = oracle_below(random, 4) != 0;
    memset(image, 0, 108);
    for (unsigned i = 0; i < 8; i++) {
        choose_extended(random, image + 28 + 10 * i);
        if (!is_full && oracle_below(random, 3) == 0)
            tags |= 3u << 2 * i;
    }
    if (oracle_below(random, 4) == 0)
        control &= ~0x3Fu | (unsigned)guest_random(random);
    if (oracle_below(random, 8) != 0) /* mostly nothing pending */
        exceptions &= control;
    put_16(image, control);
    put_16(image + 4, status | (oracle_below(random, 2) ? exceptions : 0));
    put_16(image + 8, tags);
    uint32_t ip = (uint32_t)guest_random(random), dp = (uint32_t)guest_random(random);
    memcpy(image + 12, &ip, 4);
    put_16(image + 18, (unsigned)guest_random(random) & 0x7FF);
    memcpy(image + 20, &dp, 4);
}

uint32_t oracle_choose_mxcsr(uint64_t *random) {
    uint32_t mxcsr = 0x1F80;
    if (oracle_below(random, 2))
        mxcsr |= (uint32_t)guest_random(random) & 0xE07F;
    if (oracle_below(random, 4) == 0)
        mxcsr &= ~UINT32_C(0x1F80) | (uint32_t)guest_random(random);
    return mxcsr;
}

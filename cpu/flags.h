// clang-format off
/* Arithmetic and logic with the six status flags, exactly: what the portable backend runs and tests
 * compare against.
 *
 * Every alu_* function takes the operand size in bytes (1, 2, 4 or 8), operands cut to that size,
 * and '*flags' in EFLAGS layout, in which it replaces the status flags that the instruction writes
 * and nothing else. It gives the result, cut to size. Counts are as they stand in CL or in the
 * immediate: the masking to 5 bits is done here.
 *
 * What the manual leaves undefined (SDM vol. 1 appendix A) is defined here, once, by these rules,
 * and the opcode table says which flags they are:
 *
 *   AND OR XOR TEST     AF = 0
 *   SHL SHR SAR         AF = 0; with any non-zero count
 *                       SHL: OF = msb(result) ^ CF; CF = 0 if more bits than the operand has were shifted
 *                       SHR: OF = msb(result) ^ the bit below it; CF likewise
 *                       SAR: OF = 0; CF = sign if more bits than the operand has were shifted
 *   ROL RCL             OF = msb(result) ^ CF, for every non-zero count (also one that turns all the way round)
 *   ROR RCR             OF = msb(result) ^ the bit below it, likewise
 *   SHLD SHRD           AF = 0; OF = msb(result) ^ CF for SHLD, msb(result) ^ the bit below it for SHRD;
 *                       16-bit counts above 16 shift on into the destination's first value, as a P6 does
 *   MUL IMUL            SF ZF PF of the low half, AF = 0
 *   DIV IDIV            all unchanged
 *   BSF BSR             source zero: ZF = PF = 1, others 0, destination unchanged; else PF of the result, others 0
 *   BT BTS BTR BTC      only CF changes
 *   DAA DAS             OF = 0
 *   AAA AAS             SF ZF PF of AL, OF = 0
 *   AAM AAD             SF ZF PF of AL, others 0
 */
// clang-format on
#ifndef REPRISE_FLAGS_H
#define REPRISE_FLAGS_H

#include "cpu.h"

static inline uint64_t alu_mask(unsigned size) {
    return ~UINT64_C(0) >> (64 - 8 * size);
}

static inline uint64_t alu_sign_bit(unsigned size) {
    return UINT64_C(1) << (8 * size - 1);
}

static inline bool alu_is_negative(unsigned size, uint64_t value) {
    return (value & alu_sign_bit(size)) != 0;
}

static inline int64_t alu_sign_extend(unsigned size, uint64_t value) {
    unsigned unused_bits = 64 - 8 * size;
    return (int64_t)(value << unused_bits) >> unused_bits;
}

/* ZF, SF and PF of a result. */
static inline uint32_t alu_result_flags(unsigned size, uint64_t result) {
    uint32_t flags = 0;
    if ((result & alu_mask(size)) == 0)
        flags |= FLAG_ZF;
    if (alu_is_negative(size, result))
        flags |= FLAG_SF;
    if (!__builtin_parity((unsigned)(result & 0xFF)))
        flags |= FLAG_PF;
    return flags;
}

static inline void alu_put_flags(uint32_t *flags, uint32_t written, uint32_t values) {
    *flags = (*flags & ~written) | values;
}

/* a + b + carry. */
static inline uint64_t alu_add_carry(unsigned size, uint64_t a, uint64_t b, unsigned carry,
                                     uint32_t *flags) {
    uint64_t result = (a + b + carry) & alu_mask(size);
    uint64_t carries = (a & b) | ((a | b) & ~result); /* out of each bit */
    uint32_t values = alu_result_flags(size, result) | (uint32_t)((a ^ b ^ result) & FLAG_AF);
    if (alu_is_negative(size, carries))
        values |= FLAG_CF;
    if (alu_is_negative(size, (a ^ result) & (b ^ result)))
        values |= FLAG_OF;
    alu_put_flags(flags, FLAG_STATUS, values);
    return result;
}

/* a - b - borrow. */
static inline uint64_t alu_subtract_borrow(unsigned size, uint64_t a, uint64_t b, unsigned borrow,
                                           uint32_t *flags) {
    uint64_t result = (a - b - borrow) & alu_mask(size);
    uint64_t borrows = (~a & b) | ((~a | b) & result);
    uint32_t values = alu_result_flags(size, result) | (uint32_t)((a ^ b ^ result) & FLAG_AF);
    if (alu_is_negative(size, borrows))
        values |= FLAG_CF;
    if (alu_is_negative(size, (a ^ b) & (a ^ result)))
        values |= FLAG_OF;
    alu_put_flags(flags, FLAG_STATUS, values);
    return result;
}

static inline uint64_t alu_add(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_add_carry(size, a, b, 0, flags);
}

static inline uint64_t alu_adc(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_add_carry(size, a, b, *flags & FLAG_CF, flags);
}

/* Also CMP, SCAS, CMPS and CMPXCHG, which drop the result. */
static inline uint64_t alu_sub(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_subtract_borrow(size, a, b, 0, flags);
}

static inline uint64_t alu_sbb(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_subtract_borrow(size, a, b, *flags & FLAG_CF, flags);
}

static inline uint64_t alu_neg(unsigned size, uint64_t a, uint32_t *flags) {
    return alu_subtract_borrow(size, 0, a, 0, flags);
}

static inline uint64_t alu_inc(unsigned size, uint64_t a, uint32_t *flags) {
    uint32_t carry = *flags & FLAG_CF;
    uint64_t result = alu_add_carry(size, a, 1, 0, flags);
    alu_put_flags(flags, FLAG_CF, carry);
    return result;
}

static inline uint64_t alu_dec(unsigned size, uint64_t a, uint32_t *flags) {
    uint32_t carry = *flags & FLAG_CF;
    uint64_t result = alu_subtract_borrow(size, a, 1, 0, flags);
    alu_put_flags(flags, FLAG_CF, carry);
    return result;
}

/* The flags of any bitwise operation, whose result this is. */
static inline uint64_t alu_logic(unsigned size, uint64_t result, uint32_t *flags) {
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(size, result));
    return result;
}

static inline uint64_t alu_and(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_logic(size, a & b, flags);
}

static inline uint64_t alu_or(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_logic(size, a | b, flags);
}

static inline uint64_t alu_xor(unsigned size, uint64_t a, uint64_t b, uint32_t *flags) {
    return alu_logic(size, a ^ b, flags);
}

static inline unsigned alu_shift_count(unsigned size, unsigned count) {
    return count & (size == 8 ? 63 : 31);
}

/* OF by the rule for left shifts and rotates, and by the one for right ones. */
static inline uint32_t alu_left_overflow(unsigned size, uint64_t result, bool carry) {
    return alu_is_negative(size, result) != carry ? FLAG_OF : 0;
}

static inline uint32_t alu_right_overflow(unsigned size, uint64_t result) {
    return alu_is_negative(size, result ^ (result << 1)) ? FLAG_OF : 0;
}

static inline uint64_t alu_shl(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    unsigned bits = 8 * size;
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    uint64_t result = (a << count) & alu_mask(size);
    bool carry = count <= bits && (a >> (bits - count) & 1);
    alu_put_flags(flags, FLAG_STATUS,
                  alu_result_flags(size, result) | (carry ? FLAG_CF : 0) |
                      alu_left_overflow(size, result, carry));
    return result;
}

static inline uint64_t alu_shr(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    uint64_t result = a >> count;
    bool carry = a >> (count - 1) & 1;
    alu_put_flags(flags, FLAG_STATUS,
                  alu_result_flags(size, result) | (carry ? FLAG_CF : 0) |
                      alu_right_overflow(size, result));
    return result;
}

static inline uint64_t alu_sar(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    int64_t extended = alu_sign_extend(size, a);
    uint64_t result = (uint64_t)(extended >> count) & alu_mask(size);
    bool carry = extended >> (count - 1) & 1;
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(size, result) | (carry ? FLAG_CF : 0));
    return result;
}

static inline uint64_t alu_rol(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    unsigned bits = 8 * size;
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    count %= bits;
    uint64_t result = count == 0 ? a : ((a << count) | (a >> (bits - count))) & alu_mask(size);
    bool carry = result & 1;
    alu_put_flags(flags, FLAG_CF | FLAG_OF,
                  (carry ? FLAG_CF : 0) | alu_left_overflow(size, result, carry));
    return result;
}

static inline uint64_t alu_ror(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    unsigned bits = 8 * size;
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    count %= bits;
    uint64_t result = count == 0 ? a : ((a >> count) | (a << (bits - count))) & alu_mask(size);
    bool carry = alu_is_negative(size, result);
    alu_put_flags(flags, FLAG_CF | FLAG_OF,
                  (carry ? FLAG_CF : 0) | alu_right_overflow(size, result));
    return result;
}

static inline uint64_t alu_rcl(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    bool carry = *flags & FLAG_CF;
    uint64_t result = a;
    for (count %= 8 * size + 1; count > 0; count--) {
        bool out = alu_is_negative(size, result);
        result = ((result << 1) | carry) & alu_mask(size);
        carry = out;
    }
    alu_put_flags(flags, FLAG_CF | FLAG_OF,
                  (carry ? FLAG_CF : 0) | alu_left_overflow(size, result, carry));
    return result;
}

static inline uint64_t alu_rcr(unsigned size, uint64_t a, unsigned count, uint32_t *flags) {
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    bool carry = *flags & FLAG_CF;
    uint64_t result = a;
    for (count %= 8 * size + 1; count > 0; count--) {
        bool out = result & 1;
        result = (result >> 1) | (carry ? alu_sign_bit(size) : 0);
        carry = out;
    }
    alu_put_flags(flags, FLAG_CF | FLAG_OF,
                  (carry ? FLAG_CF : 0) | alu_right_overflow(size, result));
    return result;
}

/* 'a' is the destination, 'b' the register that bits come from. Sizes 2, 4 and 8. */
static inline uint64_t alu_shld(unsigned size, uint64_t a, uint64_t b, unsigned count,
                                uint32_t *flags) {
    unsigned bits = 8 * size;
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    unsigned __int128 chain = ((unsigned __int128)a << bits | b) << bits | a;
    if (size == 8) /* the count is below 64: a third operand would not fit and is not needed */
        chain = (unsigned __int128)a << 64 | b;
    unsigned total = size == 8 ? 128 : 3 * bits;
    uint64_t result = (uint64_t)(chain >> (total - bits - count)) & alu_mask(size);
    bool carry = (bool)(chain >> (total - count) & 1);
    alu_put_flags(flags, FLAG_STATUS,
                  alu_result_flags(size, result) | (carry ? FLAG_CF : 0) |
                      alu_left_overflow(size, result, carry));
    return result;
}

static inline uint64_t alu_shrd(unsigned size, uint64_t a, uint64_t b, unsigned count,
                                uint32_t *flags) {
    unsigned bits = 8 * size;
    count = alu_shift_count(size, count);
    if (count == 0)
        return a;
    unsigned __int128 chain = (unsigned __int128)b << bits | a;
    if (size != 8)
        chain |= (unsigned __int128)a << 2 * bits;
    uint64_t result = (uint64_t)(chain >> count) & alu_mask(size);
    bool carry = (bool)(chain >> (count - 1) & 1);
    alu_put_flags(flags, FLAG_STATUS,
                  alu_result_flags(size, result) | (carry ? FLAG_CF : 0) |
                      alu_right_overflow(size, result));
    return result;
}

/* The low half of the product; the high half goes to '*high'. */
static inline uint64_t alu_mul(unsigned size, uint64_t a, uint64_t b, uint64_t *high,
                               uint32_t *flags) {
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t low = (uint64_t)product & alu_mask(size);
    *high = (uint64_t)(product >> 8 * size) & alu_mask(size);
    alu_put_flags(flags, FLAG_STATUS,
                  alu_result_flags(size, low) | (*high != 0 ? FLAG_CF | FLAG_OF : 0));
    return low;
}

/* All forms of IMUL; the two- and three-operand ones drop the high half. */
static inline uint64_t alu_imul(unsigned size, uint64_t a, uint64_t b, uint64_t *high,
                                uint32_t *flags) {
    __int128 product = (__int128)alu_sign_extend(size, a) * alu_sign_extend(size, b);
    uint64_t low = (uint64_t)product & alu_mask(size);
    *high = (uint64_t)(product >> 8 * size) & alu_mask(size);
    bool fits = product == alu_sign_extend(size, low);
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(size, low) | (fits ? 0 : FLAG_CF | FLAG_OF));
    return low;
}

/* Quotient and remainder of high:low / divisor; false for #DE (zero divisor or a quotient that does
 * not fit). No flag changes. */
static inline bool alu_div(unsigned size, uint64_t high, uint64_t low, uint64_t divisor,
                           uint64_t *quotient, uint64_t *remainder) {
    if (divisor == 0 || high >= divisor)
        return false;
    unsigned __int128 dividend = (unsigned __int128)high << 8 * size | low;
    *quotient = (uint64_t)(dividend / divisor);
    *remainder = (uint64_t)(dividend % divisor);
    return true;
}

static inline bool alu_idiv(unsigned size, uint64_t high, uint64_t low, uint64_t divisor,
                            uint64_t *quotient, uint64_t *remainder) {
    if (divisor == 0)
        return false;
    unsigned bits = 8 * size;
    unsigned __int128 dividend = (unsigned __int128)high << bits | low;
    bool negative = alu_is_negative(size, high);
    bool divisor_negative = alu_is_negative(size, divisor);
    if (negative) { /* the magnitude, within 2 * bits */
        dividend = -dividend;
        if (size < 8)
            dividend &= ((unsigned __int128)1 << 2 * bits) - 1;
    }
    uint64_t magnitude = divisor_negative ? -divisor & alu_mask(size) : divisor;
    unsigned __int128 result = dividend / magnitude;
    uint64_t limit = alu_sign_bit(size) - (negative == divisor_negative);
    if (result > limit)
        return false;
    uint64_t rest = (uint64_t)(dividend % magnitude);
    *quotient =
        (negative != divisor_negative ? -(uint64_t)result : (uint64_t)result) & alu_mask(size);
    *remainder = (negative ? -rest : rest) & alu_mask(size);
    return true;
}

/* BT and the like: CF is bit 'index' (taken modulo the operand's width) of a. */
static inline void alu_bt(unsigned size, uint64_t a, uint64_t index, uint32_t *flags) {
    alu_put_flags(flags, FLAG_CF, a >> (index & (8 * size - 1)) & 1 ? FLAG_CF : 0);
}

static inline uint64_t alu_bts(unsigned size, uint64_t a, uint64_t index, uint32_t *flags) {
    alu_bt(size, a, index, flags);
    return a | UINT64_C(1) << (index & (8 * size - 1));
}

static inline uint64_t alu_btr(unsigned size, uint64_t a, uint64_t index, uint32_t *flags) {
    alu_bt(size, a, index, flags);
    return a & ~(UINT64_C(1) << (index & (8 * size - 1)));
}

static inline uint64_t alu_btc(unsigned size, uint64_t a, uint64_t index, uint32_t *flags) {
    alu_bt(size, a, index, flags);
    return a ^ UINT64_C(1) << (index & (8 * size - 1));
}

/* 'old' is the destination, which keeps its value when the source is zero. */
static inline uint64_t alu_bsf(unsigned size, uint64_t old, uint64_t source, uint32_t *flags) {
    if (source == 0) {
        alu_logic(size, source, flags);
        return old;
    }
    uint64_t result = (unsigned)__builtin_ctzll(source);
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(size, result) & FLAG_PF);
    return result;
}

static inline uint64_t alu_bsr(unsigned size, uint64_t old, uint64_t source, uint32_t *flags) {
    if (source == 0) {
        alu_logic(size, source, flags);
        return old;
    }
    uint64_t result = 63 - (unsigned)__builtin_clzll(source);
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(size, result) & FLAG_PF);
    return result;
}

/* The decimal adjustments take AL or AX and give the new one. SDM vol. 2, DAA and DAS. */
static inline uint8_t alu_daa(uint8_t al, uint32_t *flags) {
    uint32_t adjusted = 0;
    uint8_t result = al;
    if ((al & 0xF) > 9 || (*flags & FLAG_AF)) {
        result = (uint8_t)(result + 6);
        adjusted |= FLAG_AF;
    }
    if (al > 0x99 || (*flags & FLAG_CF)) {
        result = (uint8_t)(result + 0x60);
        adjusted |= FLAG_CF;
    }
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(1, result) | adjusted);
    return result;
}

static inline uint8_t alu_das(uint8_t al, uint32_t *flags) {
    uint32_t adjusted = 0;
    uint8_t result = al;
    if ((al & 0xF) > 9 || (*flags & FLAG_AF)) {
        if (al < 6)
            adjusted |= FLAG_CF; /* the borrow of the first step counts, SDM vol. 2 */
        result = (uint8_t)(result - 6);
        adjusted |= FLAG_AF;
    }
    if (al > 0x99 || (*flags & FLAG_CF)) {
        result = (uint8_t)(result - 0x60);
        adjusted |= FLAG_CF;
    }
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(1, result) | adjusted);
    return result;
}

static inline uint16_t alu_aaa(uint16_t ax, uint32_t *flags) {
    uint32_t adjusted = 0;
    if ((ax & 0xF) > 9 || (*flags & FLAG_AF)) {
        ax = (uint16_t)(ax + 0x106);
        adjusted = FLAG_AF | FLAG_CF;
    }
    ax &= 0xFF0F;
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(1, ax) | adjusted);
    return ax;
}

static inline uint16_t alu_aas(uint16_t ax, uint32_t *flags) {
    uint32_t adjusted = 0;
    if ((ax & 0xF) > 9 || (*flags & FLAG_AF)) {
        ax = (uint16_t)(ax - 0x106);
        adjusted = FLAG_AF | FLAG_CF;
    }
    ax &= 0xFF0F;
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(1, ax) | adjusted);
    return ax;
}

/* False for #DE: a base of zero. */
static inline bool alu_aam(uint16_t *ax, uint8_t base, uint32_t *flags) {
    if (base == 0)
        return false;
    uint8_t al = (uint8_t)*ax;
    *ax = (uint16_t)(al / base << 8 | al % base);
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(1, *ax));
    return true;
}

static inline uint16_t alu_aad(uint16_t ax, uint8_t base, uint32_t *flags) {
    uint8_t al = (uint8_t)((ax & 0xFF) + (ax >> 8) * base);
    alu_put_flags(flags, FLAG_STATUS, alu_result_flags(1, al));
    return al;
}

/* Does condition 0 to 15 (the low four bits of Jcc, SETcc and CMOVcc) hold? SDM vol. 2B appendix
 * B.1.4.7. */
static inline bool alu_condition_holds(unsigned condition, uint32_t flags) {
    bool less = !(flags & FLAG_SF) != !(flags & FLAG_OF);
    bool holds;
    switch (condition >> 1) {
    case 0: /* O */
        holds = flags & FLAG_OF;
        break;
    case 1: /* B */
        holds = flags & FLAG_CF;
        break;
    case 2: /* E */
        holds = flags & FLAG_ZF;
        break;
    case 3: /* BE */
        holds = flags & (FLAG_CF | FLAG_ZF);
        break;
    case 4: /* S */
        holds = flags & FLAG_SF;
        break;
    case 5: /* P */
        holds = flags & FLAG_PF;
        break;
    case 6: /* L */
        holds = less;
        break;
    default: /* LE */
        holds = less || (flags & FLAG_ZF);
        break;
    }
    return holds != (condition & 1);
}

#endif

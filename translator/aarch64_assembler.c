/* See aarch64_assembler.h. Instructions are little-endian on every AArch64 host. */
#include "aarch64_assembler.h"
#include "aarch64_registers.h"
#include "little_endian.h"

void arm_emit(ArmAssembler *assembler, uint32_t instruction) {
    if (assembler->end - assembler->code < 4) {
        assembler->overflow = true;
        return;
    }
    store_le32(assembler->code, instruction);
    assembler->code += 4;
}

static uint32_t width(bool wide) {
    return wide ? 1u << 31 : 0;
}

void arm_sum(ArmAssembler *assembler, bool wide, ArmSum operation, unsigned d, unsigned n,
             unsigned m, ArmShift shift, unsigned amount) {
    arm_emit(assembler, width(wide) | operation << 29 | 0x0B000000 | shift << 22 | m << 16 |
                            amount << 10 | n << 5 | d);
}

static bool fits_sum(uint32_t value) {
    return value < 0x1000 || (value & 0xFFFu) == 0;
}

void arm_sum_imm(ArmAssembler *assembler, bool wide, ArmSum operation, unsigned d, unsigned n,
                 uint32_t value) {
    /* x + (-v) is x - v, flags but for C of zero included; X registers take values as they are. */
    uint32_t negative = 0u - value;
    bool high = value >= 0x1000;
    if (!wide && value != 0 && (!fits_sum(value) || value >= 0x1000000) && fits_sum(negative) &&
        negative < 0x1000000) {
        arm_sum_imm(assembler, wide, operation ^ ARM_SUB, d, n, negative);
    } else if (fits_sum(value) && value < 0x1000000) {
        arm_emit(assembler, width(wide) | operation << 29 | 0x11000000 | (high ? 1u << 22 : 0) |
                                (high ? value >> 12 : value) << 10 | n << 5 | d);
    } else {
        arm_mov_imm(assembler, ARM_SCRATCH2, value);
        arm_sum(assembler, wide, operation, d, n, ARM_SCRATCH2, ARM_LSL, 0);
    }
}

void arm_logic(ArmAssembler *assembler, bool wide, ArmLogic operation, bool negate, unsigned d,
               unsigned n, unsigned m, ArmShift shift, unsigned amount) {
    arm_emit(assembler, width(wide) | operation << 29 | 0x0A000000 | shift << 22 |
                            (negate ? 1u << 21 : 0) | m << 16 | amount << 10 | n << 5 | d);
}

/* A logical immediate of 32 bits: a run of ones, rotated, in equal elements of 2 to 32 bits (Arm
 * ARM DecodeBitMasks). Gives immr and imms in place, or false. */
static bool encode_mask(uint32_t value, uint32_t *bits) {
    if (value == 0 || value == UINT32_MAX)
        return false;
    unsigned size = 32;
    while (size > 2) {
        unsigned half = size / 2;
        uint32_t mask = (1u << half) - 1;
        if ((value & mask) != (value >> half & mask))
            break;
        size = half;
    }
    uint32_t mask = size == 32 ? UINT32_MAX : (1u << size) - 1, element = value & mask;
    unsigned ones = (unsigned)__builtin_popcount(element);
    uint32_t run = ones == 32 ? UINT32_MAX : (1u << ones) - 1;
    /* The run's first bit: above the zeros below it, or, where it goes round, those above. */
    bool round = (element & 1) && (element >> (size - 1) & 1);
    unsigned first =
        round ? 32 - (unsigned)__builtin_clz(~element & mask) : (unsigned)__builtin_ctz(element);
    uint32_t rest = first == 0 ? 0 : run >> (size - first);
    if ((((run << first) | rest) & mask) != element)
        return false;
    uint32_t imms = ((size == 32 ? 0 : ~(2 * size - 1)) & 0x3F) | (ones - 1);
    *bits = (size - first) % size << 16 | imms << 10;
    return true;
}

void arm_logic_imm(ArmAssembler *assembler, ArmLogic operation, unsigned d, unsigned n,
                   uint32_t value) {
    uint32_t bits;
    if (encode_mask(value, &bits)) {
        arm_emit(assembler, operation << 29 | 0x12000000 | bits | n << 5 | d);
    } else {
        arm_mov_imm(assembler, ARM_SCRATCH2, value);
        arm_logic(assembler, false, operation, false, d, n, ARM_SCRATCH2, ARM_LSL, 0);
    }
}

void arm_sum_carry(ArmAssembler *assembler, ArmSum operation, unsigned d, unsigned n, unsigned m) {
    arm_emit(assembler, operation << 29 | 0x1A000000 | m << 16 | n << 5 | d);
}

void arm_mov(ArmAssembler *assembler, unsigned d, unsigned m) {
    arm_logic(assembler, false, ARM_ORR, false, d, ARM_ZERO, m, ARM_LSL, 0);
}

void arm_mov_wide(ArmAssembler *assembler, unsigned d, unsigned m) {
    arm_logic(assembler, true, ARM_ORR, false, d, ARM_ZERO, m, ARM_LSL, 0);
}

static void mov_part(ArmAssembler *assembler, uint32_t opcode, unsigned d, unsigned part,
                     uint64_t value) {
    arm_emit(assembler, opcode | part << 21 | (uint32_t)(value & 0xFFFF) << 5 | d);
}

void arm_mov_imm(ArmAssembler *assembler, unsigned d, uint64_t value) {
    enum { MOVZ = 0x52800000, MOVN = 0x12800000, MOVK = 0x72800000 };
    const uint32_t wide = value > UINT32_MAX ? 1u << 31 : 0;
    uint32_t bits, low = (uint32_t)value;
    if (wide == 0 && (low & 0xFFFF) == 0 && low != 0) {
        mov_part(assembler, MOVZ, d, 1, low >> 16);
    } else if (wide == 0 && low >> 16 == 0) {
        mov_part(assembler, MOVZ, d, 0, low);
    } else if (wide == 0 && low >> 16 == 0xFFFF) {
        mov_part(assembler, MOVN, d, 0, ~low);
    } else if (wide == 0 && (low & 0xFFFF) == 0xFFFF) {
        mov_part(assembler, MOVN, d, 1, ~low >> 16);
    } else if (wide == 0 && encode_mask(low, &bits)) {
        arm_emit(assembler, ARM_ORR << 29 | 0x12000000 | bits | ARM_ZERO << 5 | d);
    } else {
        unsigned first = (unsigned)__builtin_ctzll(value) / 16;
        mov_part(assembler, MOVZ | wide, d, first, value >> 16 * first);
        for (unsigned part = first + 1; part < 4; part++)
            if ((value >> 16 * part & 0xFFFF) != 0)
                mov_part(assembler, MOVK | wide, d, part, value >> 16 * part);
    }
}

void arm_bitfield(ArmAssembler *assembler, bool wide, ArmBitfield operation, unsigned d, unsigned n,
                  unsigned rotate, unsigned last) {
    arm_emit(assembler, width(wide) | operation << 29 | 0x13000000 | (wide ? 1u << 22 : 0) |
                            rotate << 16 | last << 10 | n << 5 | d);
}

void arm_shift_imm(ArmAssembler *assembler, bool wide, ArmShift shift, unsigned d, unsigned n,
                   unsigned amount) {
    unsigned bits = wide ? 64 : 32;
    if (shift == ARM_LSL)
        arm_bitfield(assembler, wide, ARM_UBFM, d, n, (bits - amount) % bits, bits - 1 - amount);
    else
        arm_bitfield(assembler, wide, shift == ARM_LSR ? ARM_UBFM : ARM_SBFM, d, n, amount,
                     bits - 1);
}

void arm_shift_register(ArmAssembler *assembler, bool wide, ArmShift shift, unsigned d, unsigned n,
                        unsigned m) {
    arm_emit(assembler, width(wide) | 0x1AC02000 | m << 16 | shift << 10 | n << 5 | d);
}

void arm_rotate_imm(ArmAssembler *assembler, unsigned d, unsigned n, unsigned amount) {
    arm_emit(assembler, 0x13800000 | n << 16 | amount << 10 | n << 5 | d); /* extr d, n, n */
}

void arm_extract(ArmAssembler *assembler, bool is_signed, unsigned d, unsigned n, unsigned first,
                 unsigned count) {
    arm_bitfield(assembler, false, is_signed ? ARM_SBFM : ARM_UBFM, d, n, first, first + count - 1);
}

void arm_insert(ArmAssembler *assembler, unsigned d, unsigned n, unsigned first, unsigned count) {
    arm_bitfield(assembler, false, ARM_BFM, d, n, (32 - first) % 32, count - 1);
}

void arm_cset(ArmAssembler *assembler, unsigned d, ArmCondition condition) {
    arm_emit(assembler,
             0x1A9F07E0 | (uint32_t)arm_opposite(condition) << 12 | d); /* csinc d, wzr, wzr */
}

void arm_csel(ArmAssembler *assembler, unsigned d, unsigned n, unsigned m, ArmCondition condition) {
    arm_emit(assembler, 0x1A800000 | m << 16 | (uint32_t)condition << 12 | n << 5 | d);
}

void arm_multiply_add(ArmAssembler *assembler, bool wide, bool subtract, unsigned d, unsigned n,
                      unsigned m, unsigned a) {
    arm_emit(assembler,
             width(wide) | 0x1B000000 | (subtract ? 1u << 15 : 0) | m << 16 | a << 10 | n << 5 | d);
}

void arm_multiply_long(ArmAssembler *assembler, bool is_signed, unsigned d, unsigned n,
                       unsigned m) {
    arm_emit(assembler,
             (is_signed ? 0x9B200000 : 0x9BA00000) | m << 16 | ARM_ZERO << 10 | n << 5 | d);
}

void arm_divide(ArmAssembler *assembler, bool wide, bool is_signed, unsigned d, unsigned n,
                unsigned m) {
    arm_emit(assembler,
             width(wide) | 0x1AC00800 | (is_signed ? 1u << 10 : 0) | m << 16 | n << 5 | d);
}

void arm_reverse_bytes(ArmAssembler *assembler, unsigned d, unsigned n) {
    arm_emit(assembler, 0x5AC00800 | n << 5 | d);
}
void arm_reverse_bits(ArmAssembler *assembler, unsigned d, unsigned n) {
    arm_emit(assembler, 0x5AC00000 | n << 5 | d);
}
void arm_count_zeros(ArmAssembler *assembler, unsigned d, unsigned n) {
    arm_emit(assembler, 0x5AC01000 | n << 5 | d);
}

enum { SCALED = 1 << 24 };

/* Bits 31:30 of loads and stores. */
static uint32_t size_bits(unsigned size) {
    return (size == 1 ? 0u : size == 2 ? 1u : size == 4 ? 2u : 3u) << 30;
}

/* A multiple of the size, scaled; or else up to 255 (LDUR, STUR). */
static uint32_t offset_bits(ArmAssembler *assembler, unsigned size, uint32_t offset) {
    if (offset % size == 0 && offset / size <= 0xFFF)
        return SCALED | offset / size << 10;
    if (offset > 0xFF) /* an emitter asked for what there is not */
        assembler->overflow = true;
    return offset << 12;
}

static void access(ArmAssembler *assembler, uint32_t opcode, unsigned size, unsigned t, unsigned n,
                   uint32_t offset) {
    arm_emit(assembler,
             size_bits(size) | opcode | offset_bits(assembler, size, offset) | n << 5 | t);
}

void arm_load(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n, uint32_t offset) {
    access(assembler, 0x38400000, size, t, n, offset);
}
void arm_load_signed(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n,
                     uint32_t offset) {
    access(assembler, size == 4 ? 0x38400000 : 0x38C00000, size, t, n, offset);
}
void arm_store(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n, uint32_t offset) {
    access(assembler, 0x38000000, size, t, n, offset);
}

void arm_load_indexed(ArmAssembler *assembler, unsigned t, unsigned n, unsigned m) {
    arm_emit(assembler, 0xF8607800 | m << 16 | n << 5 | t);
}

static void access_vector(ArmAssembler *assembler, uint32_t opcode, unsigned size, unsigned t,
                          unsigned n, uint32_t offset) {
    uint32_t bits = size == 16 ? 1u << 23 : size_bits(size);
    arm_emit(assembler, bits | opcode | offset_bits(assembler, size, offset) | n << 5 | t);
}

void arm_load_vector(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n,
                     uint32_t offset) {
    access_vector(assembler, 0x3C400000, size, t, n, offset);
}
void arm_store_vector(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n,
                      uint32_t offset) {
    access_vector(assembler, 0x3C000000, size, t, n, offset);
}

void arm_vector(ArmAssembler *assembler, uint32_t code, unsigned d, unsigned n, unsigned m) {
    arm_emit(assembler, code | m << 16 | n << 5 | d);
}

static uint32_t pair_offset(int offset) {
    return ((uint32_t)(offset / 8) & 0x7F) << 15;
}

void arm_load_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned n, int offset) {
    arm_emit(assembler, 0xA9400000 | pair_offset(offset) | u << 10 | n << 5 | t);
}
void arm_store_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned n, int offset) {
    arm_emit(assembler, 0xA9000000 | pair_offset(offset) | u << 10 | n << 5 | t);
}
void arm_push_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned bytes) {
    arm_emit(assembler, 0xA9800000 | pair_offset(-(int)bytes) | u << 10 | ARM_STACK << 5 | t);
}
void arm_pop_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned bytes) {
    arm_emit(assembler, 0xA8C00000 | pair_offset((int)bytes) | u << 10 | ARM_STACK << 5 | t);
}

static uint8_t *jump(ArmAssembler *assembler, uint32_t instruction) {
    uint8_t *site = assembler->code;
    arm_emit(assembler, instruction);
    return site;
}

uint8_t *arm_branch(ArmAssembler *assembler) {
    return jump(assembler, 0x14000000);
}
uint8_t *arm_branch_if(ArmAssembler *assembler, ArmCondition condition) {
    return condition == ARM_ALWAYS ? arm_branch(assembler)
                                   : jump(assembler, 0x54000000 | (uint32_t)condition);
}
uint8_t *arm_branch_zero(ArmAssembler *assembler, bool wide, bool if_not, unsigned t) {
    return jump(assembler, width(wide) | (if_not ? 0x35000000 : 0x34000000) | t);
}
uint8_t *arm_branch_bit(ArmAssembler *assembler, bool if_set, unsigned t, unsigned bit) {
    return jump(assembler, (if_set ? 0x37000000 : 0x36000000) | bit << 19 | t);
}
uint8_t *arm_call(ArmAssembler *assembler) {
    return jump(assembler, 0x94000000);
}
void arm_branch_register(ArmAssembler *assembler, unsigned n) {
    arm_emit(assembler, 0xD61F0000 | n << 5);
}
void arm_call_register(ArmAssembler *assembler, unsigned n) {
    arm_emit(assembler, 0xD63F0000 | n << 5);
}
void arm_return(ArmAssembler *assembler) {
    arm_emit(assembler, 0xD65F03C0);
}

bool arm_patch(uint8_t *site, const uint8_t *target) {
    if (site == NULL)
        return true;
    uint32_t instruction = load_le32(site);
    ptrdiff_t distance = (target - site) / 4;
    unsigned first = 5, bits = 19; /* B.cond, CBZ, CBNZ */
    if ((instruction & 0x7C000000) == 0x14000000)
        first = 0, bits = 26; /* B, BL */
    else if ((instruction & 0x7E000000) == 0x36000000)
        bits = 14; /* TBZ, TBNZ */
    ptrdiff_t limit = (ptrdiff_t)1 << (bits - 1);
    if (distance < -limit || distance >= limit)
        return false;
    uint32_t mask = ((1u << bits) - 1) << first;
    instruction = (instruction & ~mask) | ((uint32_t)distance << first & mask);
    store_le32(site, instruction);
    return true;
}

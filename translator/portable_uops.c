/* The portable backend: what each micro-op does. */
#include "linear.h"
#include "little_endian.h"
#include "portable_internal.h"
#include <string.h>

static uint32_t get_flags(const Portable *portable) {
    return cpu_get_status_flags(portable->cpu);
}
static void set_flags(Portable *portable, uint32_t flags) {
    cpu_set_status_flags(portable->cpu, flags);
}

/* --- moving --- */

static PortableStep run_mov(Portable *portable, const Uop *uop) {
    uint32_t value;
    if (!portable_read_src(portable, uop, uop->size, &value) ||
        !portable_write_dst(portable, uop, value))
        return STEP_FAULT;
    return STEP_ON;
}

static PortableStep run_movzx(Portable *portable, const Uop *uop) {
    uint32_t value;
    if (!portable_read_src(portable, uop, uop->src_size, &value) ||
        !portable_write_dst(portable, uop, value))
        return STEP_FAULT;
    return STEP_ON;
}

static PortableStep run_movsx(Portable *portable, const Uop *uop) {
    uint32_t value;
    if (!portable_read_src(portable, uop, uop->src_size, &value))
        return STEP_FAULT;
    value = (uint32_t)alu_sign_extend(uop->src_size, value);
    return portable_write_dst(portable, uop, value) ? STEP_ON : STEP_FAULT;
}

static PortableStep run_lea(Portable *portable, const Uop *uop) {
    portable_set_register(portable, uop->dst, uop->size, portable_offset(portable, &uop->address));
    return STEP_ON;
}

static PortableStep run_fetch(Portable *portable, const Uop *uop) {
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)(uop->imm | (uint64_t)uop->imm2 << 32);
    uint32_t value = (uint32_t)load_le(bytes, uop->src_size);
    portable_set_register(portable, uop->dst, 4, (uint32_t)alu_sign_extend(uop->src_size, value));
    return STEP_ON;
}

static PortableStep run_xchg(Portable *portable, const Uop *uop) {
    uint32_t value, other = portable_get_register(portable, uop->src, uop->size);
    if (!portable_read_dst(portable, uop, &value) || !portable_write_dst(portable, uop, other))
        return STEP_FAULT;
    portable_set_register(portable, uop->src, uop->size, value);
    return STEP_ON;
}

static PortableStep run_bswap(Portable *portable, const Uop *uop) {
    uint32_t value = portable_get_register(portable, uop->dst, uop->size);
    portable_set_register(portable, uop->dst, uop->size,
                          uop->size == 4 ? __builtin_bswap32(value) : 0);
    return STEP_ON;
}

static PortableStep run_cwd(Portable *portable, const Uop *uop) {
    uint32_t value = portable_get_register(portable, REG_EAX, uop->size);
    portable_set_register(portable, REG_EDX, uop->size,
                          alu_is_negative(uop->size, value) ? UINT32_MAX : 0);
    return STEP_ON;
}

static PortableStep run_step(Portable *portable, const Uop *uop) {
    uint32_t value = portable_get_register(portable, uop->dst, uop->size);
    value += (uint32_t)portable->cpu->state.direction * uop->imm;
    portable_set_register(portable, uop->dst, uop->size, value);
    return STEP_ON;
}

/* --- arithmetic and logic --- */

typedef uint64_t AluFunction(unsigned size, uint64_t a, uint64_t b, uint32_t *flags);

static PortableStep binary(Portable *portable, const Uop *uop, AluFunction *function, bool keep) {
    uint32_t a, b, flags = get_flags(portable);
    if (!portable_read_src(portable, uop, uop->size, &b) || !portable_read_dst(portable, uop, &a))
        return STEP_FAULT;
    uint32_t result = (uint32_t)function(uop->size, a, b, &flags);
    if (keep && !portable_write_dst(portable, uop, result))
        return STEP_FAULT;
    set_flags(portable, flags);
    return STEP_ON;
}

#define BINARY(name, function, keep)                                                               \
    static PortableStep run_##name(Portable *portable, const Uop *uop) {                           \
        return binary(portable, uop, function, keep);                                              \
    }
BINARY(add, alu_add, true)
BINARY(adc, alu_adc, true)
BINARY(sub, alu_sub, true)
BINARY(sbb, alu_sbb, true)
BINARY(and, alu_and, true)
BINARY(or, alu_or, true)
BINARY(xor, alu_xor, true)
BINARY(cmp, alu_sub, false)
BINARY(test, alu_and, false)

typedef uint64_t UnaryFunction(unsigned size, uint64_t a, uint32_t *flags);

static PortableStep unary(Portable *portable, const Uop *uop, UnaryFunction *function) {
    uint32_t a, flags = get_flags(portable);
    if (!portable_read_dst(portable, uop, &a))
        return STEP_FAULT;
    if (!portable_write_dst(portable, uop, (uint32_t)function(uop->size, a, &flags)))
        return STEP_FAULT;
    set_flags(portable, flags);
    return STEP_ON;
}

static uint64_t alu_not(unsigned size, uint64_t a, uint32_t *flags) {
    (void)flags;
    return ~a & alu_mask(size);
}

static PortableStep run_inc(Portable *portable, const Uop *uop) {
    return unary(portable, uop, alu_inc);
}
static PortableStep run_dec(Portable *portable, const Uop *uop) {
    return unary(portable, uop, alu_dec);
}
static PortableStep run_neg(Portable *portable, const Uop *uop) {
    return unary(portable, uop, alu_neg);
}
static PortableStep run_not(Portable *portable, const Uop *uop) {
    return unary(portable, uop, alu_not);
}

/* The upper half of the accumulator: AH for bytes, DX or EDX else. */
static unsigned upper_register(const Uop *uop) {
    return uop->size == 1 ? UREG_AH : REG_EDX;
}

typedef uint64_t MultiplyFunction(unsigned size, uint64_t a, uint64_t b, uint64_t *high,
                                  uint32_t *flags);

static PortableStep multiply(Portable *portable, const Uop *uop, MultiplyFunction *function) {
    uint32_t b, flags = get_flags(portable);
    uint64_t high;
    if (!portable_read_src(portable, uop, uop->size, &b))
        return STEP_FAULT;
    uint64_t low =
        function(uop->size, portable_get_register(portable, REG_EAX, uop->size), b, &high, &flags);
    portable_set_register(portable, REG_EAX, uop->size, (uint32_t)low);
    portable_set_register(portable, upper_register(uop), uop->size, (uint32_t)high);
    set_flags(portable, flags);
    return STEP_ON;
}

static PortableStep run_mul(Portable *portable, const Uop *uop) {
    return multiply(portable, uop, alu_mul);
}
static PortableStep run_imul(Portable *portable, const Uop *uop) {
    return multiply(portable, uop, alu_imul);
}

static PortableStep run_imul2(Portable *portable, const Uop *uop) {
    uint32_t b, flags = get_flags(portable);
    uint64_t high;
    if (!portable_read_src(portable, uop, uop->size, &b))
        return STEP_FAULT;
    uint32_t a = uop->code == UOP_IMUL3 ? uop->imm & (uint32_t)alu_mask(uop->size)
                                        : portable_get_register(portable, uop->dst, uop->size);
    portable_set_register(portable, uop->dst, uop->size,
                          (uint32_t)alu_imul(uop->size, a, b, &high, &flags));
    set_flags(portable, flags);
    return STEP_ON;
}

typedef bool DivideFunction(unsigned size, uint64_t high, uint64_t low, uint64_t divisor,
                            uint64_t *quotient, uint64_t *remainder);

static PortableStep divide(Portable *portable, const Uop *uop, DivideFunction *function) {
    uint32_t divisor;
    uint64_t quotient, remainder;
    if (!portable_read_src(portable, uop, uop->size, &divisor))
        return STEP_FAULT;
    uint32_t low = portable_get_register(portable, REG_EAX, uop->size);
    uint32_t high = portable_get_register(portable, upper_register(uop), uop->size);
    if (!function(uop->size, high, low, divisor, &quotient, &remainder)) {
        cpu_raise(portable->cpu, EXCEPTION_DE);
        return STEP_FAULT;
    }
    portable_set_register(portable, REG_EAX, uop->size, (uint32_t)quotient);
    portable_set_register(portable, upper_register(uop), uop->size, (uint32_t)remainder);
    return STEP_ON;
}

static PortableStep run_div(Portable *portable, const Uop *uop) {
    return divide(portable, uop, alu_div);
}
static PortableStep run_idiv(Portable *portable, const Uop *uop) {
    return divide(portable, uop, alu_idiv);
}

/* --- shifts --- */

typedef uint64_t ShiftFunction(unsigned size, uint64_t a, unsigned count, uint32_t *flags);

static PortableStep shift(Portable *portable, const Uop *uop, ShiftFunction *function) {
    uint32_t a, flags = get_flags(portable);
    uint32_t count =
        uop->src_kind == UOPERAND_IMM ? uop->imm : portable_get_register(portable, REG_ECX, 1);
    if (!portable_read_dst(portable, uop, &a))
        return STEP_FAULT;
    if (!portable_write_dst(portable, uop, (uint32_t)function(uop->size, a, count, &flags)))
        return STEP_FAULT;
    set_flags(portable, flags);
    return STEP_ON;
}

#define SHIFT(name)                                                                                \
    static PortableStep run_##name(Portable *portable, const Uop *uop) {                           \
        return shift(portable, uop, alu_##name);                                                   \
    }
SHIFT(rol)
SHIFT(ror)
SHIFT(rcl)
SHIFT(rcr)
SHIFT(shl)
SHIFT(shr)
SHIFT(sar)

typedef uint64_t DoubleShiftFunction(unsigned size, uint64_t a, uint64_t b, unsigned count,
                                     uint32_t *flags);

static PortableStep double_shift(Portable *portable, const Uop *uop,
                                 DoubleShiftFunction *function) {
    uint32_t a, flags = get_flags(portable);
    uint32_t count = uop->imm != 0 ? uop->imm : portable_get_register(portable, REG_ECX, 1);
    uint32_t b = portable_get_register(portable, uop->src, uop->size);
    if (!portable_read_dst(portable, uop, &a))
        return STEP_FAULT;
    if (!portable_write_dst(portable, uop, (uint32_t)function(uop->size, a, b, count, &flags)))
        return STEP_FAULT;
    set_flags(portable, flags);
    return STEP_ON;
}

static PortableStep run_shld(Portable *portable, const Uop *uop) {
    return double_shift(portable, uop, alu_shld);
}
static PortableStep run_shrd(Portable *portable, const Uop *uop) {
    return double_shift(portable, uop, alu_shrd);
}

/* --- bits --- */

static uint64_t alu_bt_keep(unsigned size, uint64_t a, uint64_t index, uint32_t *flags) {
    alu_bt(size, a, index, flags);
    return a;
}
BINARY(bt, alu_bt_keep, false)
BINARY(bts, alu_bts, true)
BINARY(btr, alu_btr, true)
BINARY(btc, alu_btc, true)
BINARY(bsf, alu_bsf, true)
BINARY(bsr, alu_bsr, true)

static PortableStep run_popcnt(Portable *portable, const Uop *uop) {
    uint32_t value;
    if (!portable_read_src(portable, uop, uop->size, &value))
        return STEP_FAULT;
    portable_set_register(portable, uop->dst, uop->size, (uint32_t)__builtin_popcount(value));
    set_flags(portable, value == 0 ? FLAG_ZF : 0);
    return STEP_ON;
}

static PortableStep run_lzcnt(Portable *portable, const Uop *uop) {
    uint32_t value, bits = 8u * uop->size;
    if (!portable_read_src(portable, uop, uop->size, &value))
        return STEP_FAULT;
    uint32_t count = value != 0 ? (uint32_t)__builtin_clz(value) - (32 - bits) : bits;
    portable_set_register(portable, uop->dst, uop->size, count);
    /* OF, SF, AF and PF are undefined: they are cleared. */
    set_flags(portable, (value == 0 ? FLAG_CF : 0) | (count == 0 ? FLAG_ZF : 0));
    return STEP_ON;
}

/* ADCX, ADOX: SDM vol. 2A. */
static PortableStep run_add_with_flag(Portable *portable, const Uop *uop) {
    uint32_t flag = uop->code == UOP_ADCX ? FLAG_CF : FLAG_OF, flags = get_flags(portable);
    uint64_t sum = (uint64_t)portable_get_register(portable, uop->dst, 4) +
                   portable_get_register(portable, uop->src, 4) + ((flags & flag) != 0);
    portable_set_register(portable, uop->dst, 4, (uint32_t)sum);
    set_flags(portable, (flags & ~flag) | (sum >> 32 != 0 ? flag : 0));
    return STEP_ON;
}

/* The polynomial 11EDC6F41h of Castagnoli, bits reflected: SDM vol. 2, CRC32. */
static PortableStep run_crc32(Portable *portable, const Uop *uop) {
    static const uint32_t reflected_polynomial = 0x82F63B78;
    uint32_t crc = portable_get_register(portable, uop->dst, 4);
    uint32_t source = portable_get_register(portable, uop->src, uop->src_size);
    for (unsigned i = 0; i < 8u * uop->src_size; i++) {
        bool out = (crc ^ source >> i) & 1;
        crc = crc >> 1 ^ (out ? reflected_polynomial : 0);
    }
    portable_set_register(portable, uop->dst, 4, crc);
    return STEP_ON;
}

static PortableStep run_swap_word(Portable *portable, const Uop *uop) {
    uint32_t word = portable_get_register(portable, uop->dst, 2);
    portable_set_register(portable, uop->dst, 2, __builtin_bswap16((uint16_t)word));
    return STEP_ON;
}

static PortableStep run_bit_address(Portable *portable, const Uop *uop) {
    uint32_t index = portable_get_register(portable, uop->src, uop->src_size);
    int32_t bit = (int32_t)alu_sign_extend(uop->src_size, index);
    uint32_t offset =
        portable_offset(portable, &uop->address) + (uint32_t)((bit >> 3) & -(int32_t)uop->src_size);
    portable_set_register(portable, uop->dst, 4,
                          uop->address.address_size == 2 ? offset & 0xFFFF : offset);
    return STEP_ON;
}

/* --- compare and exchange --- */

static PortableStep run_cmpxchg(Portable *portable, const Uop *uop) {
    uint32_t present, flags = get_flags(portable);
    uint32_t accumulator = portable_get_register(portable, REG_EAX, uop->size);
    uint32_t source = portable_get_register(portable, uop->src, uop->size);
    if (!portable_read_dst(portable, uop, &present))
        return STEP_FAULT;
    bool equal = accumulator == present;
    alu_sub(uop->size, accumulator, present, &flags);
    if (!portable_write_dst(portable, uop,
                            equal ? source : present)) /* written in either case, SDM vol. 2A */
        return STEP_FAULT;
    if (!equal)
        portable_set_register(portable, REG_EAX, uop->size, present);
    set_flags(portable, flags);
    return STEP_ON;
}

static PortableStep run_xadd(Portable *portable, const Uop *uop) {
    uint32_t a, flags = get_flags(portable);
    uint32_t b = portable_get_register(portable, uop->src, uop->size);
    if (!portable_read_dst(portable, uop, &a))
        return STEP_FAULT;
    uint32_t sum = (uint32_t)alu_add(uop->size, a, b, &flags);
    if (uop->dst_kind == UOPERAND_MEM && !portable_write_dst(portable, uop, sum))
        return STEP_FAULT;
    portable_set_register(portable, uop->src, uop->size, a);
    if (uop->dst_kind == UOPERAND_REG) /* XADD r, r with one register keeps the sum */
        portable_set_register(portable, uop->dst, uop->size, sum);
    set_flags(portable, flags);
    return STEP_ON;
}

static PortableStep run_cmpxchg8b(Portable *portable, const Uop *uop) {
    uint32_t offset = portable_offset(portable, &uop->address);
    HelperResult result =
        helper_compare_exchange_8b(portable->cpu, uop->address.segment, 0, offset, 0);
    return result == HELPER_FAULT ? STEP_FAULT : STEP_ON;
}

/* --- decimal --- */

static PortableStep run_daa(Portable *portable, const Uop *uop) {
    uint32_t flags = get_flags(portable);
    uint8_t al = (uint8_t)portable_get_register(portable, REG_EAX, 1);
    al = uop->code == UOP_DAA ? alu_daa(al, &flags) : alu_das(al, &flags);
    portable_set_register(portable, REG_EAX, 1, al);
    set_flags(portable, flags);
    return STEP_ON;
}

static PortableStep run_aaa(Portable *portable, const Uop *uop) {
    uint32_t flags = get_flags(portable);
    uint16_t ax = (uint16_t)portable_get_register(portable, REG_EAX, 2);
    if (uop->code == UOP_AAA)
        ax = alu_aaa(ax, &flags);
    else if (uop->code == UOP_AAS)
        ax = alu_aas(ax, &flags);
    else if (uop->code == UOP_AAM)
        alu_aam(&ax, (uint8_t)uop->imm, &flags);
    else
        ax = alu_aad(ax, (uint8_t)uop->imm, &flags);
    portable_set_register(portable, REG_EAX, 2, ax);
    set_flags(portable, flags);
    return STEP_ON;
}

/* --- flags --- */

static PortableStep run_setcc(Portable *portable, const Uop *uop) {
    bool holds = alu_condition_holds(uop->condition, get_flags(portable));
    return portable_write_dst(portable, uop, holds) ? STEP_ON : STEP_FAULT;
}

static PortableStep run_cmov(Portable *portable, const Uop *uop) {
    uint32_t value;
    if (!portable_read_src(portable, uop, uop->size, &value))
        return STEP_FAULT;
    if (alu_condition_holds(uop->condition, get_flags(portable)))
        portable_set_register(portable, uop->dst, uop->size, value);
    return STEP_ON;
}

static PortableStep run_salc(Portable *portable, const Uop *uop) {
    (void)uop;
    portable_set_register(portable, REG_EAX, 1, get_flags(portable) & FLAG_CF ? 0xFF : 0);
    return STEP_ON;
}

enum { LAHF_FLAGS = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF };

static PortableStep run_lahf(Portable *portable, const Uop *uop) {
    (void)uop;
    portable_set_register(portable, UREG_AH, 1, (get_flags(portable) & LAHF_FLAGS) | FLAG_1);
    return STEP_ON;
}

static PortableStep run_sahf(Portable *portable, const Uop *uop) {
    (void)uop;
    uint32_t ah = portable_get_register(portable, UREG_AH, 1);
    set_flags(portable, (get_flags(portable) & FLAG_OF) | (ah & LAHF_FLAGS));
    return STEP_ON;
}

static PortableStep run_carry(Portable *portable, const Uop *uop) {
    uint32_t flags = get_flags(portable);
    uint32_t others = flags & ~(uint32_t)FLAG_CF;
    set_flags(portable, uop->code == UOP_CLC   ? others
                        : uop->code == UOP_STC ? others | FLAG_CF
                                               : flags ^ FLAG_CF);
    return STEP_ON;
}

static PortableStep run_direction(Portable *portable, const Uop *uop) {
    portable->cpu->state.direction = uop->code == UOP_CLD ? 1 : -1;
    return STEP_ON;
}

static PortableStep run_read_eflags(Portable *portable, const Uop *uop) {
    portable_set_register(portable, uop->dst, uop->size,
                          cpu_get_eflags(portable->cpu) & ~(uint32_t)(FLAG_RF | FLAG_VM));
    return STEP_ON;
}

static PortableStep run_write_eflags(Portable *portable, const Uop *uop) {
    if (uop->imm == UOP_EFLAGS_IRET)
        portable->cpu->state.nmi_blocked = 0;
    cpu_pop_eflags(portable->cpu, uop->size, portable_get_register(portable, uop->src, 4));
    return STEP_ON;
}

static PortableStep run_cli(Portable *portable, const Uop *uop) {
    (void)uop;
    portable->cpu->state.eflags &= ~(uint32_t)FLAG_IF;
    return STEP_ON;
}

static PortableStep run_sti(Portable *portable, const Uop *uop) {
    (void)uop;
    CpuState *state = &portable->cpu->state;
    if (!(state->eflags & FLAG_IF))
        state->interrupt_shadow = SHADOW_STI;
    state->eflags |= FLAG_IF;
    return STEP_ON;
}

/* --- control --- */

/* The next instruction may be lifted otherwise where the kind of the segment has changed. */
static PortableStep run_load_sreg(Portable *portable, const Uop *uop) {
    Cpu *cpu = portable->cpu;
    uint32_t selector = portable_get_register(portable, uop->src, 2);
    HelperResult result = helper_load_segment(cpu, uop->imm, 0, selector, 0);
    portable->stop = result == HELPER_JUMP;
    return result == HELPER_FAULT ? STEP_FAULT : STEP_ON;
}

static PortableStep run_read_sreg(Portable *portable, const Uop *uop) {
    portable_set_register(portable, uop->dst, uop->size,
                          portable->cpu->state.segment[uop->imm].selector);
    return STEP_ON;
}

static PortableStep run_read_state(Portable *portable, const Uop *uop) {
    const UopStateField *field = &uop_state_fields[uop->imm];
    const char *from = (const char *)portable->cpu + field->offset;
    uint16_t word;
    uint32_t value;
    if (field->size == sizeof word) {
        memcpy(&word, from, sizeof word);
        value = word;
    } else {
        memcpy(&value, from, sizeof value);
    }
    portable_set_register(portable, uop->dst, uop->size, value);
    return STEP_ON;
}

static PortableStep run_read_dr(Portable *portable, const Uop *uop) {
    HelperResult result = helper_read_dr(portable->cpu, uop->imm, uop->dst, 0, 0);
    return result == HELPER_FAULT ? STEP_FAULT : STEP_ON;
}

static PortableStep run_check_write(Portable *portable, const Uop *uop) {
    Cpu *cpu = portable->cpu;
    uint32_t offset = portable_offset(portable, &uop->address), linear;
    bool good = cpu_check_segment(cpu, uop->address.segment, offset, uop->size, true, &linear) &&
                linear_check_write(cpu, linear, uop->size, cpu->state.cpl == 3);
    return good ? STEP_ON : STEP_FAULT;
}

static PortableStep run_load_real_sreg(Portable *portable, const Uop *uop) {
    segment_load_real(portable->cpu, uop->imm,
                      (uint16_t)portable_get_register(portable, uop->src, 2));
    return STEP_ON;
}

static PortableStep run_check_cs(Portable *portable, const Uop *uop) {
    if (portable_get_register(portable, uop->src, 4) <= portable->cpu->state.segment[SEG_CS].limit)
        return STEP_ON;
    cpu_raise_error(portable->cpu, EXCEPTION_GP, 0);
    return STEP_FAULT;
}

static PortableStep jump_if(Portable *portable, const Uop *uop, bool taken) {
    portable->target = uop->imm;
    return taken ? STEP_LEAVE : STEP_ON;
}

static PortableStep run_jcc(Portable *portable, const Uop *uop) {
    return jump_if(portable, uop, alu_condition_holds(uop->condition, get_flags(portable)));
}

static PortableStep run_jcxz(Portable *portable, const Uop *uop) {
    bool zero = portable_get_register(portable, REG_ECX, uop->size) == 0;
    return jump_if(portable, uop, zero == (uop->code == UOP_JCXZ));
}

static PortableStep run_jmp(Portable *portable, const Uop *uop) {
    return jump_if(portable, uop, true);
}

static PortableStep run_jmp_indirect(Portable *portable, const Uop *uop) {
    portable->target = portable_get_register(portable, uop->src, 4);
    return STEP_LEAVE;
}

static PortableStep call_helper(Portable *portable, HelperId helper, const Uop *uop) {
    Cpu *cpu = portable->cpu;
    cpu_allow_iterations(cpu);
    HelperResult result = helper_table[helper].function(
        cpu, uop->imm, uop->imm2, portable->temporary[0], portable->temporary[1]);
    if (result == HELPER_NEXT)
        return cpu->iterations > 1 ? STEP_REPEATED : STEP_ON;
    if (result == HELPER_FAULT)
        return STEP_FAULT;
    portable->target = cpu->state.eip;
    return result == HELPER_JUMP ? STEP_LOOK : STEP_AGAIN;
}

static PortableStep run_helper(Portable *portable, const Uop *uop) {
    return call_helper(portable, uop->helper, uop);
}

static PortableStep run_x87(Portable *portable, const Uop *uop) {
    portable->temporary[0] = portable_offset(portable, &uop->address);
    return call_helper(portable, HELPER_ID_x87, uop);
}

static PortableStep run_vector(Portable *portable, const Uop *uop) {
    portable->temporary[0] = portable_offset(portable, &uop->address);
    return call_helper(portable, HELPER_ID_vector, uop);
}

static PortableStep run_result(Portable *portable, const Uop *uop) {
    portable_set_register(portable, uop->dst, uop->size, portable->cpu->result);
    return STEP_ON;
}

static PortableStep run_exit(Portable *portable, const Uop *uop) {
    portable->target = uop->imm;
    return STEP_LOOK;
}

PortableFunction *const portable_table[UOP_COUNT] = {
    [UOP_MOV] = run_mov,
    [UOP_MOVZX] = run_movzx,
    [UOP_MOVSX] = run_movsx,
    [UOP_LEA] = run_lea,
    [UOP_FETCH] = run_fetch,
    [UOP_XCHG] = run_xchg,
    [UOP_BSWAP] = run_bswap,
    [UOP_CWD] = run_cwd,
    [UOP_STEP] = run_step,
    [UOP_ADD] = run_add,
    [UOP_ADC] = run_adc,
    [UOP_SUB] = run_sub,
    [UOP_SBB] = run_sbb,
    [UOP_AND] = run_and,
    [UOP_OR] = run_or,
    [UOP_XOR] = run_xor,
    [UOP_CMP] = run_cmp,
    [UOP_TEST] = run_test,
    [UOP_INC] = run_inc,
    [UOP_DEC] = run_dec,
    [UOP_NEG] = run_neg,
    [UOP_NOT] = run_not,
    [UOP_MUL] = run_mul,
    [UOP_IMUL] = run_imul,
    [UOP_IMUL2] = run_imul2,
    [UOP_IMUL3] = run_imul2,
    [UOP_DIV] = run_div,
    [UOP_IDIV] = run_idiv,
    [UOP_ROL] = run_rol,
    [UOP_ROR] = run_ror,
    [UOP_RCL] = run_rcl,
    [UOP_RCR] = run_rcr,
    [UOP_SHL] = run_shl,
    [UOP_SHR] = run_shr,
    [UOP_SAR] = run_sar,
    [UOP_SHLD] = run_shld,
    [UOP_SHRD] = run_shrd,
    [UOP_BT] = run_bt,
    [UOP_BTS] = run_bts,
    [UOP_BTR] = run_btr,
    [UOP_BTC] = run_btc,
    [UOP_BSF] = run_bsf,
    [UOP_BSR] = run_bsr,
    [UOP_POPCNT] = run_popcnt,
    [UOP_LZCNT] = run_lzcnt,
    [UOP_ADCX] = run_add_with_flag,
    [UOP_ADOX] = run_add_with_flag,
    [UOP_CRC32] = run_crc32,
    [UOP_SWAP_WORD] = run_swap_word,
    [UOP_READ_STATE] = run_read_state,
    [UOP_READ_DR] = run_read_dr,
    [UOP_BIT_ADDRESS] = run_bit_address,
    [UOP_CMPXCHG] = run_cmpxchg,
    [UOP_XADD] = run_xadd,
    [UOP_CMPXCHG8B] = run_cmpxchg8b,
    [UOP_DAA] = run_daa,
    [UOP_DAS] = run_daa,
    [UOP_AAA] = run_aaa,
    [UOP_AAS] = run_aaa,
    [UOP_AAM] = run_aaa,
    [UOP_AAD] = run_aaa,
    [UOP_SETCC] = run_setcc,
    [UOP_CMOV] = run_cmov,
    [UOP_SALC] = run_salc,
    [UOP_LAHF] = run_lahf,
    [UOP_SAHF] = run_sahf,
    [UOP_CLC] = run_carry,
    [UOP_STC] = run_carry,
    [UOP_CMC] = run_carry,
    [UOP_CLD] = run_direction,
    [UOP_STD] = run_direction,
    [UOP_READ_EFLAGS] = run_read_eflags,
    [UOP_WRITE_EFLAGS] = run_write_eflags,
    [UOP_CLI] = run_cli,
    [UOP_STI] = run_sti,
    [UOP_READ_SREG] = run_read_sreg,
    [UOP_CHECK_WRITE] = run_check_write,
    [UOP_LOAD_REAL_SREG] = run_load_real_sreg,
    [UOP_LOAD_SREG] = run_load_sreg,
    [UOP_CHECK_CS] = run_check_cs,
    [UOP_JCC] = run_jcc,
    [UOP_JCXZ] = run_jcxz,
    [UOP_JNCXZ] = run_jcxz,
    [UOP_JMP] = run_jmp,
    [UOP_JMP_INDIRECT] = run_jmp_indirect,
    [UOP_HELPER] = run_helper,
    [UOP_X87] = run_x87,
    [UOP_VECTOR] = run_vector,
    [UOP_RESULT] = run_result,
    [UOP_EXIT] = run_exit,
};

/* DIV and IDIV of the 386 and 486, which leave flags by which software tells them from Cyrix's
 * chips: after 5 / 2 a Cyrix has every flag as it was. The flags are those that recordings of a
 * real 80286 show in every case, of the same divider: SF, ZF and PF by the remainder, AF set, CF
 * and OF by the last subtraction of DIV, and set by IDIV unless the divisor is negative. Later
 * processors keep them all (flags.h). */
#include "flags.h"
#include "helpers.h"

static uint32_t parity_flag(uint64_t value) {
    return __builtin_parity(value & 0xFF) ? 0 : FLAG_PF;
}

static uint32_t division_flags(unsigned size, bool carry, uint64_t remainder) {
    return (carry ? FLAG_CF | FLAG_OF : 0) | FLAG_AF | (remainder == 0 ? FLAG_ZF : 0) |
           (alu_is_negative(size, remainder) ? FLAG_SF : 0) | parity_flag(remainder);
}

/* The last step of DIV subtracts the divisor from what the step before it left, without the bit
 * that was shifted out. */
static bool last_step_borrows(unsigned size, uint64_t quotient, uint64_t remainder,
                              uint64_t divisor) {
    uint64_t before = remainder + (quotient & 1 ? divisor : 0);
    return (before & alu_mask(size)) < divisor;
}

static void put_register(Cpu *cpu, unsigned reg, unsigned size, uint64_t value) {
    uint64_t mask = alu_mask(size);
    cpu->state.gpr[reg] = (cpu->state.gpr[reg] & ~mask) | (value & mask);
}

HelperResult helper_divide(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    unsigned size = a;
    bool is_signed = b != 0;
    uint64_t mask = alu_mask(size), divisor = t0 & mask, quotient, remainder;
    uint64_t low = cpu->state.gpr[REG_EAX] & mask;
    uint64_t high =
        size == 1 ? cpu->state.gpr[REG_EAX] >> 8 & mask : cpu->state.gpr[REG_EDX] & mask;
    if (!(is_signed ? alu_idiv(size, high, low, divisor, &quotient, &remainder)
                    : alu_div(size, high, low, divisor, &quotient, &remainder)))
        return cpu_raise(cpu, EXCEPTION_DE);
    bool carry = is_signed ? !alu_is_negative(size, divisor)
                           : last_step_borrows(size, quotient, remainder, divisor);
    if (size == 1) {
        put_register(cpu, REG_EAX, 2, remainder << 8 | quotient);
    } else {
        put_register(cpu, REG_EAX, size, quotient);
        put_register(cpu, REG_EDX, size, remainder);
    }
    cpu_set_status_flags(cpu, division_flags(size, carry, remainder));
    return HELPER_NEXT;
}

/* x87 instructions for translated code on hosts that have no such unit: where operands are plain
 * numbers and rounding is to nearest, which is nearly always, a short way to what the handlers do
 * (x87_arithmetic.c, x87_transfer.c); they do the rest. No exception is unmasked here. */
#include "x87_fast.h"
#include "x87_internal.h"

enum { EXPONENT = 0x7FFF, SIGN = 0x8000, EXPONENT_BIAS = 16383, ROUNDING = 3 << 10 };
#define TOP_BIT (UINT64_C(1) << 63)

__extension__ typedef unsigned __int128 Wide;

/* A number that is neither denormal nor infinite. Zero: significand and exponent are 0. */
typedef struct Plain {
    uint64_t significand;
    int32_t exponent;
    uint32_t sign; /* 0 or 8000h */
} Plain;

static unsigned physical_of(const FpuState *fpu, unsigned index) {
    return ((fpu->status >> X87_TOP_SHIFT) + index) & 7;
}

static unsigned tag_of(const FpuState *fpu, unsigned physical) {
    return fpu->tags >> (2 * physical) & 3;
}

static void set_tag(FpuState *fpu, unsigned physical, unsigned tag) {
    fpu->tags = (uint16_t)((fpu->tags & ~(3u << (2 * physical))) | tag << (2 * physical));
}

static Plain get_plain(const FpuState *fpu, unsigned physical) {
    uint32_t sign_exponent = fpu->st[physical].sign_exponent;
    return (Plain){fpu->st[physical].significand, (int32_t)(sign_exponent & EXPONENT),
                   sign_exponent & SIGN};
}

static void pop(FpuState *fpu) {
    fpu->tags |= (uint16_t)(X87_TAG_EMPTY << (2 * physical_of(fpu, 0)));
    fpu->status = (uint16_t)((fpu->status & ~X87_TOP) | physical_of(fpu, 1) << X87_TOP_SHIFT);
}

/* From memory: false for what is no plain number. */
static bool plain_from_32(uint32_t bits, Plain *value) {
    int32_t exponent = (int32_t)(bits >> 23 & 0xFF);
    *value =
        (Plain){TOP_BIT | (uint64_t)bits << 40, exponent - 127 + EXPONENT_BIAS, bits >> 16 & SIGN};
    if ((bits & 0x7FFFFFFF) == 0)
        *value = (Plain){0, 0, bits >> 16 & SIGN};
    return exponent != 0xFF && (exponent != 0 || value->significand == 0);
}
static bool plain_from_64(uint64_t bits, Plain *value) {
    int32_t exponent = (int32_t)(bits >> 52 & 0x7FF);
    uint32_t sign = (uint32_t)(bits >> 48) & SIGN;
    *value = (Plain){TOP_BIT | bits << 11, exponent - 1023 + EXPONENT_BIAS, sign};
    if (bits << 1 == 0)
        *value = (Plain){0, 0, sign};
    return exponent != 0x7FF && (exponent != 0 || value->significand == 0);
}
static Plain plain_from_integer(int64_t integer) {
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    if (magnitude == 0)
        return (Plain){0, 0, 0};
    int zeros = __builtin_clzll(magnitude);
    return (Plain){magnitude << zeros, EXPONENT_BIAS + 63 - zeros, integer < 0 ? SIGN : 0};
}

/* The memory operand of D8h, DAh, DCh or DEh. */
static bool plain_from_memory(unsigned opcode, uint64_t bits, Plain *value) {
    switch (opcode & 7) {
    case 0:
        return plain_from_32((uint32_t)bits, value);
    case 4:
        return plain_from_64(bits, value);
    case 2:
        *value = plain_from_integer((int32_t)bits);
        return true;
    default:
        *value = plain_from_integer((int16_t)bits);
        return true;
    }
}

/* --- arithmetic --- */

/* Rounds what has 'low' below its significand to nearest; false if it leaves the format. */
static bool round_plain(const FpuState *fpu, Plain *value, uint64_t low, uint32_t *raised) {
    static const uint8_t dropped[4] = {40, 0, 11, 0}; /* by PC; 01 is taken for 64 bits */
    unsigned shift = dropped[fpu->control >> 8 & 3];
    uint64_t high = value->significand, unit = UINT64_C(1) << shift;
    if (shift != 0) {
        low = high << (64 - shift) | low >> shift | ((low << (64 - shift)) != 0);
        high = high >> shift << shift;
    }
    bool up = low > TOP_BIT || (low == TOP_BIT && (high & unit));
    if (up) {
        high += unit;
        if (high < unit) {
            high = TOP_BIT;
            value->exponent++;
        }
    }
    value->significand = high;
    *raised = (low != 0 ? FLOAT_INEXACT : 0) | (up ? X87_C1 : 0u);
    return value->exponent > 0 && value->exponent < EXPONENT;
}

/* a + b, |a| >= |b|; what is lost below 128 bits stands in the lowest bit. */
static bool add_plain(Plain *a, const Plain *b, uint64_t *rest) {
    int32_t distance = a->exponent - b->exponent;
    uint64_t high = 0, low = 1;
    if (distance == 0)
        high = b->significand, low = 0;
    else if (distance < 64)
        high = b->significand >> distance, low = b->significand << (64 - distance);
    else if (distance < 66)
        low = b->significand >> (distance - 64) | (distance == 65 ? b->significand & 1 : 0);
    if (a->sign == b->sign) {
        a->significand += high;
        if (a->significand < high) {
            low = a->significand << 63 | low >> 1 | (low & 1);
            a->significand = a->significand >> 1 | TOP_BIT;
            a->exponent++;
        }
        *rest = low;
        return true;
    }
    high = a->significand - high - (low != 0);
    low = 0 - low;
    if (high == 0) {
        high = low;
        low = 0;
        a->exponent -= 64;
    }
    if (high == 0) /* the sign of this zero is the handler's affair */
        return false;
    int zeros = __builtin_clzll(high);
    if (zeros != 0) {
        high = high << zeros | low >> (64 - zeros);
        low <<= zeros;
        a->exponent -= zeros;
    }
    a->significand = high;
    *rest = low;
    return true;
}

static bool sum_plain(Plain *a, Plain b, uint64_t *rest) {
    if (a->exponent < b.exponent || (a->exponent == b.exponent && a->significand < b.significand)) {
        Plain other = *a;
        *a = b;
        b = other;
    }
    return add_plain(a, &b, rest);
}

static void multiply_plain(Plain *a, const Plain *b, uint64_t *rest) {
    Wide product = (Wide)a->significand * b->significand;
    a->exponent += b->exponent - EXPONENT_BIAS + 1;
    if (!(product >> 127)) {
        product <<= 1;
        a->exponent--;
    }
    a->significand = (uint64_t)(product >> 64);
    *rest = (uint64_t)product;
    a->sign ^= b->sign;
}

static void divide_plain(Plain *a, const Plain *b, uint64_t *rest) {
    bool below = a->significand < b->significand;
    Wide dividend = (Wide)a->significand << (below ? 64 : 63);
    uint64_t quotient = (uint64_t)(dividend / b->significand);
    uint64_t remainder = (uint64_t)(dividend - (Wide)quotient * b->significand);
    uint64_t missing = b->significand - remainder;
    *rest = remainder == 0        ? 0
            : remainder > missing ? TOP_BIT | 1
            : remainder < missing ? 1
                                  : TOP_BIT;
    a->exponent += EXPONENT_BIAS - b->exponent - below;
    a->significand = quotient;
    a->sign ^= b->sign;
}

/* The register field of D8h, DAh, DCh, DEh. */
enum { ADD, MULTIPLY, COMPARE, COMPARE_POP, SUBTRACT, SUBTRACT_REVERSED, DIVIDE, DIVIDE_REVERSED };

/* ST(0) op b to a register. False: nothing was done. */
static bool calculate(FpuState *fpu, unsigned operation, Plain b, unsigned destination) {
    unsigned top = physical_of(fpu, 0);
    if (tag_of(fpu, top) != X87_TAG_VALID || b.significand == 0 || (fpu->control & ROUNDING))
        return false;
    Plain a = get_plain(fpu, top);
    uint64_t rest;
    uint32_t raised;
    if (operation == SUBTRACT_REVERSED || operation == DIVIDE_REVERSED) {
        Plain other = a;
        a = b;
        b = other;
    }
    if (operation == MULTIPLY) {
        multiply_plain(&a, &b, &rest);
    } else if (operation >= DIVIDE) {
        divide_plain(&a, &b, &rest);
    } else {
        if (operation != ADD)
            b.sign ^= SIGN;
        if (!sum_plain(&a, b, &rest))
            return false;
    }
    if (!round_plain(fpu, &a, rest, &raised))
        return false;
    fpu->st[destination].significand = a.significand;
    fpu->st[destination].sign_exponent = (uint16_t)(a.sign | (uint32_t)a.exponent);
    set_tag(fpu, destination, X87_TAG_VALID);
    fpu->status = (uint16_t)((fpu->status & ~X87_C1) | raised);
    return true;
}

void x87_fast_calculate_register(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned other = physical_of(fpu, a & 7), opcode = a >> 8;
    unsigned destination = opcode == 0xD8 ? physical_of(fpu, 0) : other;
    if (tag_of(fpu, other) != X87_TAG_VALID ||
        !calculate(fpu, a >> 3 & 7, get_plain(fpu, other), destination))
        x87_run_loaded(cpu, a, low, high);
    else if (opcode == 0xDE)
        pop(fpu);
}

/* --- comparisons --- */

static bool is_number(unsigned tag) {
    return tag <= X87_TAG_ZERO;
}

static unsigned find_conditions(const Plain *a, const Plain *b) {
    if ((a->significand | b->significand) == 0)
        return X87_C3;
    bool a_negative = a->sign && a->significand != 0, b_negative = b->sign && b->significand != 0;
    if (a_negative != b_negative)
        return a_negative ? X87_C0 : 0;
    if (a->exponent == b->exponent && a->significand == b->significand)
        return X87_C3;
    bool less =
        a->exponent != b->exponent ? a->exponent < b->exponent : a->significand < b->significand;
    return less != a_negative ? X87_C0 : 0;
}

/* ST(0) with b; false if it is no number. */
static bool compare(FpuState *fpu, const Plain *b) {
    unsigned top = physical_of(fpu, 0);
    if (!is_number(tag_of(fpu, top)))
        return false;
    Plain a = get_plain(fpu, top);
    fpu->status = (uint16_t)((fpu->status & ~X87_CONDITIONS) | find_conditions(&a, b));
    return true;
}

void x87_fast_calculate_memory(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned operation = a >> 3 & 7;
    Plain b;
    bool done = plain_from_memory(a >> 8, low, &b);
    if (operation == COMPARE || operation == COMPARE_POP)
        done = done && compare(fpu, &b);
    else
        done = done && calculate(fpu, operation, b, physical_of(fpu, 0));
    if (!done)
        x87_run_loaded(cpu, a, low, high);
    else if (operation == COMPARE_POP)
        pop(fpu);
}

/* FCOM, FUCOM and their popping forms. */
static unsigned count_pops(uint32_t a) {
    unsigned opcode = a >> 8, field = a >> 3 & 7;
    if (a == 0xDAE9 || a == 0xDED9)
        return 2;
    return opcode == 0xDD ? field == 5 : field == 3 || opcode == 0xDE;
}

void x87_fast_compare_register(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned other = physical_of(fpu, a & 7);
    Plain b = get_plain(fpu, other);
    if (!is_number(tag_of(fpu, other)) || !compare(fpu, &b)) {
        x87_run_loaded(cpu, a, low, high);
        return;
    }
    for (unsigned pops = count_pops(a); pops > 0; pops--)
        pop(fpu);
}

/* FCOMI and its like. C1 is cleared; the other conditions stay. */
void x87_fast_compare_flags(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned top = physical_of(fpu, 0), other = physical_of(fpu, a & 7);
    if (!is_number(tag_of(fpu, top)) || !is_number(tag_of(fpu, other))) {
        x87_run_loaded(cpu, a, low, high);
        return;
    }
    Plain first = get_plain(fpu, top), b = get_plain(fpu, other);
    unsigned conditions = find_conditions(&first, &b);
    fpu->status &= (uint16_t)~X87_C1;
    cpu_set_status_flags(cpu, conditions == X87_C3 ? FLAG_ZF : conditions == X87_C0 ? FLAG_CF : 0);
    if (a >> 8 == 0xDF)
        pop(fpu);
}

/* --- moves --- */

/* False: no register is free. */
static bool push(FpuState *fpu, uint64_t significand, uint32_t sign_exponent, unsigned tag) {
    unsigned free = physical_of(fpu, 7);
    if (tag_of(fpu, free) != X87_TAG_EMPTY)
        return false;
    fpu->st[free].significand = significand;
    fpu->st[free].sign_exponent = (uint16_t)sign_exponent;
    set_tag(fpu, free, tag);
    fpu->status = (uint16_t)((fpu->status & ~(X87_TOP | X87_C1)) | free << X87_TOP_SHIFT);
    return true;
}

static bool push_plain(FpuState *fpu, const Plain *value) {
    return push(fpu, value->significand, value->sign | (uint32_t)value->exponent,
                value->significand == 0 ? X87_TAG_ZERO : X87_TAG_VALID);
}

void x87_fast_load_float32(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    Plain value;
    if (!plain_from_32((uint32_t)low, &value) || !push_plain(&cpu->state.fpu, &value))
        x87_run_loaded(cpu, a, low, high);
}

void x87_fast_load_float64(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    Plain value;
    if (!plain_from_64(low, &value) || !push_plain(&cpu->state.fpu, &value))
        x87_run_loaded(cpu, a, low, high);
}

void x87_fast_load_integer(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    unsigned opcode = a >> 8;
    int64_t integer = opcode == 0xDB                        ? (int32_t)low
                      : opcode == 0xDF && (a >> 3 & 7) == 0 ? (int16_t)low
                                                            : (int64_t)low;
    Plain value = plain_from_integer(integer);
    if (!push_plain(&cpu->state.fpu, &value))
        x87_run_loaded(cpu, a, low, high);
}

void x87_fast_load_register(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned from = physical_of(fpu, a & 7), tag = tag_of(fpu, from);
    if (tag == X87_TAG_EMPTY ||
        !push(fpu, fpu->st[from].significand, fpu->st[from].sign_exponent, tag))
        x87_run_loaded(cpu, a, low, high);
}

/* FST and FSTP ST(i). */
void x87_fast_store_register(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned top = physical_of(fpu, 0), to = physical_of(fpu, a & 7), tag = tag_of(fpu, top);
    if (tag == X87_TAG_EMPTY) {
        x87_run_loaded(cpu, a, low, high);
        return;
    }
    fpu->st[to].significand = fpu->st[top].significand;
    fpu->st[to].sign_exponent = fpu->st[top].sign_exponent;
    set_tag(fpu, to, tag);
    fpu->status &= (uint16_t)~X87_C1;
    if ((a & 0x38) == 0x18)
        pop(fpu);
}

void x87_fast_exchange(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high) {
    FpuState *fpu = &cpu->state.fpu;
    unsigned top = physical_of(fpu, 0), other = physical_of(fpu, a & 7);
    unsigned tag = tag_of(fpu, top), other_tag = tag_of(fpu, other);
    if (tag == X87_TAG_EMPTY || other_tag == X87_TAG_EMPTY) {
        x87_run_loaded(cpu, a, low, high);
        return;
    }
    uint64_t significand = fpu->st[top].significand;
    uint16_t sign_exponent = fpu->st[top].sign_exponent;
    fpu->st[top].significand = fpu->st[other].significand;
    fpu->st[top].sign_exponent = fpu->st[other].sign_exponent;
    fpu->st[other].significand = significand;
    fpu->st[other].sign_exponent = sign_exponent;
    set_tag(fpu, top, other_tag);
    set_tag(fpu, other, tag);
    fpu->status &= (uint16_t)~X87_C1;
}

/* --- stores --- */

static uint32_t end_store(const FpuState *fpu, uint32_t raised, bool pops) {
    FpuState after = {.status = (uint16_t)((fpu->status & ~X87_C1) | raised), .tags = fpu->tags};
    if (pops)
        pop(&after);
    return after.status | (uint32_t)after.tags << 16;
}

/* 'bits' of the significand, without the first, and the bias of the format. */
static bool to_float(const FpuState *fpu, unsigned bits, int32_t bias, X87Store *store,
                     uint32_t *raised) {
    unsigned top = physical_of(fpu, 0), tag = tag_of(fpu, top), shift = 63 - bits;
    Plain value = get_plain(fpu, top);
    uint64_t sign = (uint64_t)(value.sign != 0);
    unsigned sign_bit = bits + (bits == 52 ? 11 : 8);
    *raised = 0;
    store->low = sign << sign_bit;
    if (tag == X87_TAG_ZERO)
        return true;
    if (tag != X87_TAG_VALID || (fpu->control & ROUNDING))
        return false;
    uint64_t unit = UINT64_C(1) << shift, low = value.significand << (64 - shift);
    uint64_t high = value.significand >> shift << shift;
    bool up = low > TOP_BIT || (low == TOP_BIT && (high & unit));
    if (up && (high += unit) < unit) {
        high = TOP_BIT;
        value.exponent++;
    }
    int32_t exponent = value.exponent - EXPONENT_BIAS + bias;
    *raised = (low != 0 ? FLOAT_INEXACT : 0) | (up ? X87_C1 : 0u);
    store->low |= (uint64_t)exponent << bits | (high & ~TOP_BIT) >> shift;
    return exponent > 0 && exponent < 2 * bias + 1;
}

static bool to_integer(const FpuState *fpu, unsigned size, bool truncate, X87Store *store,
                       uint32_t *raised) {
    unsigned top = physical_of(fpu, 0), tag = tag_of(fpu, top), mode = fpu->control & ROUNDING;
    Plain value = get_plain(fpu, top);
    truncate |= mode == ROUNDING;
    *raised = 0;
    store->low = 0;
    if (tag == X87_TAG_ZERO)
        return true;
    int32_t exponent = value.exponent - EXPONENT_BIAS;
    if (tag != X87_TAG_VALID || (!truncate && mode != 0) || exponent < -1 ||
        exponent > (int32_t)(8 * size) - 3)
        return false;
    unsigned shift = 63 - (unsigned)exponent; /* 64 at most */
    uint64_t whole = shift == 64 ? 0 : value.significand >> shift;
    uint64_t low = shift == 64 ? value.significand : value.significand << (64 - shift);
    bool up = !truncate && (low > TOP_BIT || (low == TOP_BIT && (whole & 1)));
    whole += up;
    store->low = value.sign != 0 ? 0 - whole : whole;
    *raised = (low != 0 ? FLOAT_INEXACT : 0) | (up ? X87_C1 : 0u);
    return true;
}

/* Tries to; false leaves it to the exact functions. */
static bool prepare(const FpuState *fpu, uint32_t a, X87Store *store) {
    unsigned opcode = a >> 8, field = a >> 3 & 7;
    bool pops = field == 3 || field == 7, truncate = field == 1;
    uint32_t raised = 0;
    bool done;
    if (opcode == 0xD9)
        done = to_float(fpu, 23, 127, store, &raised);
    else if (opcode == 0xDD && !truncate)
        done = to_float(fpu, 52, 1023, store, &raised);
    else if (opcode == 0xDB && field == 7)
        return false;
    else
        done = to_integer(fpu,
                          opcode == 0xDB                 ? 4
                          : opcode == 0xDD || field == 7 ? 8
                                                         : 2,
                          truncate, store, &raised);
    if (done)
        store->status_and_tags = end_store(fpu, raised, pops || truncate);
    return done;
}

X87Store x87_prepare_store(Cpu *cpu, uint32_t a) {
    FpuState *fpu = &cpu->state.fpu;
    X87Store store = {0};
    if (prepare(fpu, a, &store))
        return store;
    uint16_t status = fpu->status, tags = fpu->tags;
    x87_convert_for_store(cpu, a, &store);
    store.status_and_tags = fpu->status | (uint32_t)fpu->tags << 16;
    fpu->status = status;
    fpu->tags = tags;
    return store;
}

/* The x87 register stack: TOP, tags, and registers by number. SDM vol. 1 8.1.2, 8.1.7. */
#include "x87_internal.h"

unsigned x87_get_top(const FpuState *fpu) {
    return fpu->status >> X87_TOP_SHIFT & 7;
}

void x87_set_top(FpuState *fpu, unsigned top) {
    fpu->status = (uint16_t)((fpu->status & ~X87_TOP) | (top & 7) << X87_TOP_SHIFT);
}

unsigned x87_get_tag(const FpuState *fpu, unsigned physical) {
    return fpu->tags >> (2 * physical) & 3;
}

void x87_set_tag(FpuState *fpu, unsigned physical, unsigned tag) {
    fpu->tags = (uint16_t)((fpu->tags & ~(3u << (2 * physical))) | tag << (2 * physical));
}

unsigned x87_classify(Float80 value) {
    unsigned exponent = value.sign_exponent & 0x7FFF;
    if (exponent == 0)
        return value.significand == 0 ? X87_TAG_ZERO : X87_TAG_SPECIAL;
    bool normal = exponent != 0x7FFF && value.significand >> 63;
    return normal ? X87_TAG_VALID : X87_TAG_SPECIAL;
}

void x87_settle_tags(FpuState *fpu) {
    unsigned tags = 0;
    for (unsigned i = 0; i < 8; i++) {
        bool empty = x87_get_tag(fpu, i) == X87_TAG_EMPTY;
        tags |= (empty ? X87_TAG_EMPTY : x87_classify(x87_get_physical(fpu, i))) << (2 * i);
    }
    fpu->tags = (uint16_t)tags;
}

static unsigned physical_of(const FpuState *fpu, unsigned index) {
    return (x87_get_top(fpu) + index) & 7;
}

Float80 x87_get_physical(const FpuState *fpu, unsigned physical) {
    return (Float80){fpu->st[physical].significand, fpu->st[physical].sign_exponent};
}

bool x87_is_empty(const FpuState *fpu, unsigned index) {
    return x87_get_tag(fpu, physical_of(fpu, index)) == X87_TAG_EMPTY;
}

Float80 x87_get(const FpuState *fpu, unsigned index) {
    return x87_get_physical(fpu, physical_of(fpu, index));
}

void x87_set(FpuState *fpu, unsigned index, Float80 value) {
    unsigned physical = physical_of(fpu, index);
    fpu->st[physical].significand = value.significand;
    fpu->st[physical].sign_exponent = value.sign_exponent;
    x87_set_tag(fpu, physical, x87_classify(value));
}

void x87_pop(FpuState *fpu) {
    unsigned top = x87_get_top(fpu);
    x87_set_tag(fpu, top, X87_TAG_EMPTY);
    x87_set_top(fpu, top + 1);
}

uint64_t fpu_get_mmx(const FpuState *fpu, unsigned index) {
    return fpu->st[index & 7].significand;
}

void fpu_set_mmx(FpuState *fpu, unsigned index, uint64_t value) {
    fpu->st[index & 7].significand = value;
    fpu->st[index & 7].sign_exponent = 0xFFFF;
}

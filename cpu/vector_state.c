/* EMMS, PTEST, and the instructions that save and restore state: FXSAVE, FXRSTOR, LDMXCSR, STMXCSR.
 */
#include "little_endian.h"
#include "vector_internal.h"
#include "x87_internal.h"

uint32_t vector_mxcsr_mask(const Cpu *cpu) {
    enum { MXCSR_BITS = 0xFFFF, MXCSR_DAZ = 1 << 6 };
    return cpu_has(cpu, FEATURE_SSE2) ? MXCSR_BITS : MXCSR_BITS & ~MXCSR_DAZ;
}

/* SDM vol. 3A table 13-1: TOP becomes 0 too. */
HelperResult vector_empty_mmx(Cpu *cpu, VectorOperation *operation) {
    (void)operation;
    x87_set_top(&cpu->state.fpu, 0);
    cpu->state.fpu.tags = 0xFFFF;
    return HELPER_NEXT;
}

HelperResult vector_test(Cpu *cpu, VectorOperation *operation) {
    uint64_t both = 0, only_b = 0;
    for (unsigned i = 0; i < 2; i++) {
        both |= operation->a.half[i] & operation->b.half[i];
        only_b |= ~operation->a.half[i] & operation->b.half[i];
    }
    cpu_set_status_flags(cpu, (both == 0 ? FLAG_ZF : 0) | (only_b == 0 ? FLAG_CF : 0));
    return HELPER_NEXT;
}

/* The FXSAVE area: SDM vol. 1 table 10-2. */
enum {
    FX_CONTROL = 0,
    FX_STATUS = 2,
    FX_TAGS = 4, /* one bit a register: not empty */
    FX_OPCODE = 6,
    FX_IP = 8,
    FX_CS = 12,
    FX_DP = 16,
    FX_DS = 20,
    FX_MXCSR = 24,
    FX_MXCSR_MASK = 28,
    FX_REGISTERS = 32, /* in stack order, 16 bytes each */
    FX_XMM = 160,
    FX_USED = 288, /* without XMM8 to XMM15 */
    FX_SIZE = 512,
};

static void write_fx_area(const Cpu *cpu, uint8_t *area) {
    const FpuState *fpu = &cpu->state.fpu;
    unsigned tags = 0;
    store_le16(area + FX_CONTROL, fpu->control);
    store_le16(area + FX_STATUS, fpu->status);
    store_le16(area + FX_OPCODE, fpu->opcode);
    store_le32(area + FX_IP, fpu->ip);
    store_le16(area + FX_CS, fpu->cs);
    store_le32(area + FX_DP, fpu->dp);
    store_le16(area + FX_DS, fpu->ds);
    store_le32(area + FX_MXCSR, fpu->mxcsr);
    store_le32(area + FX_MXCSR_MASK, vector_mxcsr_mask(cpu));
    for (unsigned i = 0; i < 8; i++) {
        Float80 value = x87_get(fpu, i);
        store_le64(area + FX_REGISTERS + 16 * i, value.significand);
        store_le16(area + FX_REGISTERS + 16 * i + 8, value.sign_exponent);
        tags |= (x87_get_tag(fpu, i) != X87_TAG_EMPTY) << i;
        for (unsigned j = 0; j < 16; j++)
            area[FX_XMM + 16 * i + j] = fpu->xmm[i][j];
    }
    area[FX_TAGS] = (uint8_t)tags;
}

static void read_fx_area(Cpu *cpu, const uint8_t *area) {
    FpuState *fpu = &cpu->state.fpu;
    fpu->control = (load_le16(area + FX_CONTROL) & X87_CONTROL_MASK) | X87_CONTROL_FIXED;
    fpu->status = load_le16(area + FX_STATUS);
    fpu->opcode = load_le16(area + FX_OPCODE) & 0x7FF;
    fpu->ip = load_le32(area + FX_IP);
    fpu->cs = load_le16(area + FX_CS);
    fpu->dp = load_le32(area + FX_DP);
    fpu->ds = load_le16(area + FX_DS);
    for (unsigned i = 0; i < 8; i++) {
        struct FpuRegister *target = &fpu->st[(x87_get_top(fpu) + i) & 7];
        target->significand = load_le64(area + FX_REGISTERS + 16 * i);
        target->sign_exponent = load_le16(area + FX_REGISTERS + 16 * i + 8);
    }
    for (unsigned i = 0; i < 8; i++) {
        bool empty = (area[FX_TAGS] >> i & 1) == 0;
        x87_set_tag(fpu, i, empty ? X87_TAG_EMPTY : x87_classify(x87_get_physical(fpu, i)));
    }
    if (cpu_has(cpu, FEATURE_SSE)) {
        fpu->mxcsr = load_le32(area + FX_MXCSR);
        for (unsigned i = 0; i < 8 * 16; i++)
            fpu->xmm[i / 16][i % 16] = area[FX_XMM + i];
    }
    x87_update_summary(cpu);
}

/* The checks of the whole area: limit, then alignment. */
static bool check_fx_area(Cpu *cpu, const VectorOperation *operation, bool write) {
    uint32_t linear;
    if (!cpu_check_segment(cpu, operation->segment, operation->offset, FX_SIZE, write, &linear))
        return false;
    if ((linear & 15) != 0) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    return true;
}

static HelperResult save_fx(Cpu *cpu, const VectorOperation *operation) {
    uint8_t area[FX_USED] = {0};
    unsigned used = cpu_has(cpu, FEATURE_SSE) ? FX_USED : FX_XMM;
    if (!check_fx_area(cpu, operation, true) ||
        !x87_check_write(cpu, operation->segment, operation->offset, FX_SIZE))
        return HELPER_FAULT;
    write_fx_area(cpu, area);
    for (unsigned i = 0; i < used; i += 8) {
        uint64_t word = load_le64(area + i);
        if (!cpu_write(cpu, operation->segment, operation->offset + i, 8, word))
            return HELPER_FAULT;
    }
    return HELPER_NEXT;
}

static HelperResult restore_fx(Cpu *cpu, const VectorOperation *operation) {
    uint8_t area[FX_USED];
    if (!check_fx_area(cpu, operation, false))
        return HELPER_FAULT;
    for (unsigned i = 0; i < FX_USED; i += 8) {
        uint64_t word;
        if (!cpu_read(cpu, operation->segment, operation->offset + i, 8, &word))
            return HELPER_FAULT;
        store_le64(area + i, word);
    }
    if (cpu_has(cpu, FEATURE_SSE) && load_le32(area + FX_MXCSR) & ~vector_mxcsr_mask(cpu))
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    read_fx_area(cpu, area);
    return HELPER_NEXT;
}

static HelperResult load_mxcsr(Cpu *cpu, const VectorOperation *operation) {
    uint64_t value;
    if (!cpu_read(cpu, operation->segment, operation->offset, 4, &value))
        return HELPER_FAULT;
    if (value & ~(uint64_t)vector_mxcsr_mask(cpu))
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->state.fpu.mxcsr = (uint32_t)value;
    return HELPER_NEXT;
}

static HelperResult store_mxcsr(Cpu *cpu, const VectorOperation *operation) {
    uint32_t value = cpu->state.fpu.mxcsr;
    bool stored = cpu_write(cpu, operation->segment, operation->offset, 4, value);
    return stored ? HELPER_NEXT : HELPER_FAULT;
}

/* 0F AE /0 to /3. FXSAVE and FXRSTOR belong to the x87 as far as CR0.EM goes; the other two are
 * SSE. */
HelperResult vector_fx_group(Cpu *cpu, VectorOperation *operation) {
    unsigned field = operation->modrm >> 3 & 7;
    bool sse = field >= 2;
    if (!operation->memory || field > 3)
        return cpu_raise(cpu, EXCEPTION_UD);
    if (sse &&
        (!cpu_has(cpu, FEATURE_SSE) || cpu->state.cr0 & CR0_EM || !(cpu->state.cr4 & CR4_OSFXSR)))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cr0 & (CR0_EM | CR0_TS))
        return cpu_raise(cpu, EXCEPTION_NM);
    switch (field) {
    case 0:
        return save_fx(cpu, operation);
    case 1:
        return restore_fx(cpu, operation);
    case 2:
        return load_mxcsr(cpu, operation);
    default:
        return store_mxcsr(cpu, operation);
    }
}

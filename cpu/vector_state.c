/* EMMS, PTEST, and the instructions that save and restore state: FXSAVE, FXRSTOR, LDMXCSR, STMXCSR.
 */
#include "fx_image.h"
#include "little_endian.h"
#include "vector_internal.h"
#include "x87_internal.h"
#include <string.h>

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

static void write_fx_area(const Cpu *cpu, uint8_t *area) {
    const FpuState *fpu = &cpu->state.fpu;
    fx_image_write_x87(fpu, fpu->mxcsr, vector_mxcsr_mask(cpu), area);
    fx_image_write_xmm(fpu, area);
}

static void read_fx_area(Cpu *cpu, const uint8_t *area) {
    FpuState *fpu = &cpu->state.fpu;
    fx_image_read_x87(fpu, area);
    fx_image_read_pointers(fpu, area);
    if (cpu_has(cpu, FEATURE_SSE)) {
        fpu->mxcsr = load_le32(area + FX_IMAGE_MXCSR);
        fx_image_read_xmm(fpu, area);
    }
    x87_update_summary(cpu);
}

/* The checks of the whole area: limit, then alignment, of which the checked kind (#AC) looks at
 * words of 4 bytes: SDM vol. 2, FXSAVE, leaves it open. */
static bool check_fx_area(Cpu *cpu, const VectorOperation *operation, bool write,
                          uint32_t *linear) {
    if (!cpu_check_segment(cpu, operation->segment, operation->offset, FX_IMAGE_SIZE, write,
                           linear))
        return false;
    if (!cpu_check_alignment(cpu, *linear, 4))
        return false;
    if ((*linear & 15) != 0) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    return true;
}

static HelperResult save_fx(Cpu *cpu, const VectorOperation *operation) {
    uint8_t area[FX_IMAGE_USED] = {0};
    unsigned used = cpu_has(cpu, FEATURE_SSE) ? FX_IMAGE_USED : FX_IMAGE_XMM;
    uint32_t linear;
    if (!check_fx_area(cpu, operation, true, &linear) ||
        !x87_check_write(cpu, operation->segment, operation->offset, FX_IMAGE_SIZE))
        return HELPER_FAULT;
    write_fx_area(cpu, area);
    uint8_t *host = x87_find_memory(cpu, linear, used, true);
    if (host != NULL) {
        memcpy(host, area, used);
        return HELPER_NEXT;
    }
    for (unsigned i = 0; i < used; i += 8) {
        uint64_t word = load_le64(area + i);
        if (!cpu_write(cpu, operation->segment, operation->offset + i, 8, word))
            return HELPER_FAULT;
    }
    return HELPER_NEXT;
}

static HelperResult restore_fx(Cpu *cpu, const VectorOperation *operation) {
    uint8_t area[FX_IMAGE_SIZE]; /* its end holds nothing, but has to be there */
    uint32_t linear;
    if (!check_fx_area(cpu, operation, false, &linear))
        return HELPER_FAULT;
    const uint8_t *host = x87_find_memory(cpu, linear, FX_IMAGE_SIZE, false);
    if (host != NULL)
        memcpy(area, host, FX_IMAGE_USED);
    for (unsigned i = 0; i < FX_IMAGE_SIZE && host == NULL; i += 8) {
        uint64_t word;
        if (!cpu_read(cpu, operation->segment, operation->offset + i, 8, &word))
            return HELPER_FAULT;
        store_le64(area + i, word);
    }
    if (cpu_has(cpu, FEATURE_SSE) && load_le32(area + FX_IMAGE_MXCSR) & ~vector_mxcsr_mask(cpu))
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

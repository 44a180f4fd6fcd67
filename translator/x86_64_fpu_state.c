/* Handing the guest's FPU state to the host's registers and taking it back.
 *
 * While translated code runs, XMM0 to XMM7, MXCSR and the x87 may hold the guest's (cpu->fpu_live).
 * Code that came from a compiler may run then only if it touches general registers alone, as this
 * file does until the state is saved; whoever goes on to other code calls x86_fpu_save() or
 * x86_fpu_suspend() before. */
#include "fx_image.h"
#include "little_endian.h"
#include "x86_64_internal.h"
#include "x87.h"

#if defined(__x86_64__)

/* What C code expects: round to nearest, all exceptions masked, an empty x87 stack. */
static const uint32_t host_mxcsr = 0x1F80;
static const uint16_t host_control = 0x037F;

static void store_sse_registers(uint8_t *to) {
    __asm__ volatile("movaps %%xmm0, 0(%0)\n\tmovaps %%xmm1, 16(%0)\n\t"
                     "movaps %%xmm2, 32(%0)\n\tmovaps %%xmm3, 48(%0)\n\t"
                     "movaps %%xmm4, 64(%0)\n\tmovaps %%xmm5, 80(%0)\n\t"
                     "movaps %%xmm6, 96(%0)\n\tmovaps %%xmm7, 112(%0)"
                     :
                     : "r"(to)
                     : "memory");
}

static void load_sse_registers(const uint8_t *from) {
    __asm__ volatile("movaps 0(%0), %%xmm0\n\tmovaps 16(%0), %%xmm1\n\t"
                     "movaps 32(%0), %%xmm2\n\tmovaps 48(%0), %%xmm3\n\t"
                     "movaps 64(%0), %%xmm4\n\tmovaps 80(%0), %%xmm5\n\t"
                     "movaps 96(%0), %%xmm6\n\tmovaps 112(%0), %%xmm7"
                     :
                     : "r"(from)
                     : "memory");
}

static void save_sse(FpuState *fpu) {
    store_sse_registers(fpu->xmm[0]);
    __asm__ volatile("stmxcsr %0" : "=m"(fpu->mxcsr));
}

static void load_sse(const FpuState *fpu) {
    load_sse_registers(fpu->xmm[0]);
    __asm__ volatile("ldmxcsr %0" : : "m"(fpu->mxcsr));
}

/* MXCSR with exceptions unmasked never reaches the host: only x87 code runs then. */
enum { MXCSR_MASKS = 0x1F80, MXCSR_BITS = 0xFFFF };

/* XMM8 to XMM15 get whatever stands on the stack: nobody's they are, and clearing them took as long
 * as a sine. */
static void load_all(Cpu *cpu) {
    _Alignas(16) uint8_t image[FX_IMAGE_SIZE];
    const FpuState *fpu = &cpu->state.fpu;
    fx_image_write_x87(fpu, (fpu->mxcsr | MXCSR_MASKS) & MXCSR_BITS, 0, image);
    load_sse_registers(fpu->xmm[0]);
    store_sse_registers(image + FX_IMAGE_XMM); /* as wide as FXRSTOR reads them */
    __asm__ volatile("fxrstor %0" : : "m"(image) : "memory");
}

static void save_all(FpuState *fpu) {
    _Alignas(16) uint8_t image[FX_IMAGE_SIZE];
    __asm__ volatile("fxsave %0\n\temms" : "=m"(image) : : "memory");
    __asm__ volatile("ldmxcsr %0" : : "m"(host_mxcsr));
    fx_image_read_x87(fpu, image);
    fx_image_read_xmm(fpu, image);
    if ((fpu->mxcsr & MXCSR_MASKS) == MXCSR_MASKS) /* else no SSE instruction has run */
        fpu->mxcsr = load_le32(image + FX_IMAGE_MXCSR);
    if (fpu->control != host_control)
        __asm__ volatile("fldcw %0" : : "m"(host_control));
}

void x86_fpu_save(Cpu *cpu) {
    if (cpu->fpu_live == FPU_LIVE_ALL) {
        save_all(&cpu->state.fpu);
    } else if (cpu->fpu_live == FPU_LIVE_SSE) {
        save_sse(&cpu->state.fpu);
        __asm__ volatile("ldmxcsr %0" : : "m"(host_mxcsr));
    }
    cpu->fpu_live = FPU_LIVE_NONE;
}

void x86_fpu_load(Cpu *cpu, uint32_t wanted) {
    if (wanted <= cpu->fpu_live)
        return;
    if (cpu->fpu_live == FPU_LIVE_SSE)
        save_sse(&cpu->state.fpu);
    if (wanted == FPU_LIVE_ALL)
        load_all(cpu);
    else
        load_sse(&cpu->state.fpu);
    cpu->fpu_live = wanted;
}

#else

void x86_fpu_save(Cpu *cpu) {
    (void)cpu;
}
void x86_fpu_load(Cpu *cpu, uint32_t wanted) {
    (void)cpu, (void)wanted;
}

#endif

void x86_fpu_suspend(Cpu *cpu) {
    if (cpu->fpu_live == FPU_LIVE_NONE)
        return;
    cpu->fpu_suspended = cpu->fpu_live;
    x86_fpu_save(cpu);
}

void x86_fpu_resume(Cpu *cpu) {
    uint32_t suspended = cpu->fpu_suspended;
    cpu->fpu_suspended = FPU_LIVE_NONE;
    x86_fpu_load(cpu, suspended);
}

static void set_data_selector(Cpu *cpu, unsigned segment) {
    cpu->state.fpu.ds = cpu->state.segment[segment].selector;
}

static void set_instruction(Cpu *cpu, uint32_t eip, uint16_t opcode) {
    FpuState *fpu = &cpu->state.fpu;
    fpu->ip = eip;
    fpu->cs = cpu->state.segment[SEG_CS].selector;
    if (x87_follows_opcode(cpu)) /* no exception is unmasked in translated code */
        fpu->opcode = opcode;
}

void x86_fpu_set_pointers(Cpu *cpu, uint16_t opcode) {
    set_instruction(cpu, cpu->state.eip, opcode);
}

void x86_fpu_take_pointers(Cpu *cpu, const JitBackend *backend, uint32_t number) {
    if (number == 0)
        return;
    const Site *site = &backend->sites[number];
    set_instruction(cpu, site->eip, site->x87_opcode);
    if (site->segment < SEG_COUNT)
        set_data_selector(cpu, site->segment);
}

void x86_fpu_settle_pointers(Cpu *cpu, const JitBackend *backend) {
    if (cpu->fpu_segment != 0)
        set_data_selector(cpu, cpu->fpu_segment - 1);
    x86_fpu_take_pointers(cpu, backend, cpu->fpu_site);
    cpu->fpu_site = cpu->fpu_segment = 0;
}

/* Runs single MMX and SSE instructions on an x86-64 host and by our helpers, from the same state.
 */
#ifndef REPRISE_VECTOR_HOST_FIXTURE_H
#define REPRISE_VECTOR_HOST_FIXTURE_H

#include "fpu_fixture.h"
#include "insn.h"
#include "vector_float.h"
#include "vector_internal.h"
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

typedef struct VectorState {
    uint64_t xmm[8][2];
    uint64_t mm[8];
    uint32_t eax, ecx, edx, mxcsr;
    uint64_t flags;
    uint8_t memory[16] __attribute__((aligned(16)));
} VectorState;

_Static_assert(offsetof(VectorState, mm) == 128, "run_host() knows the layout");
_Static_assert(offsetof(VectorState, eax) == 192 && offsetof(VectorState, flags) == 208,
               "run_host() knows the layout");

/* An encoding without its prefix bytes. */
typedef struct Encoding {
    unsigned map, prefix, opcode;
} Encoding;

/* Loads everything, calls the instruction, stores everything. The operand in memory is at RSI. */
static inline void run_host_at(uint8_t *code, VectorState *state, uint8_t *operand) {
    register uint8_t *target __asm__("r8") = code;
    __asm__ volatile("sub $128, %%rsp\n"
                     "ldmxcsr 204(%%rdi)\n"
                     "movdqu 0(%%rdi), %%xmm0\n movdqu 16(%%rdi), %%xmm1\n movdqu 32(%%rdi), "
                     "%%xmm2\n movdqu 48(%%rdi), %%xmm3\n"
                     "movdqu 64(%%rdi), %%xmm4\n movdqu 80(%%rdi), %%xmm5\n movdqu 96(%%rdi), "
                     "%%xmm6\n movdqu 112(%%rdi), %%xmm7\n"
                     "movq 128(%%rdi), %%mm0\n movq 136(%%rdi), %%mm1\n movq 144(%%rdi), %%mm2\n "
                     "movq 152(%%rdi), %%mm3\n"
                     "movq 160(%%rdi), %%mm4\n movq 168(%%rdi), %%mm5\n movq 176(%%rdi), %%mm6\n "
                     "movq 184(%%rdi), %%mm7\n"
                     "mov 192(%%rdi), %%eax\n mov 196(%%rdi), %%ecx\n mov 200(%%rdi), %%edx\n"
                     "push 208(%%rdi)\n popfq\n"
                     "call *%%r8\n"
                     "pushfq\n pop 208(%%rdi)\n"
                     "mov %%eax, 192(%%rdi)\n mov %%ecx, 196(%%rdi)\n mov %%edx, 200(%%rdi)\n"
                     "movdqu %%xmm0, 0(%%rdi)\n movdqu %%xmm1, 16(%%rdi)\n movdqu %%xmm2, "
                     "32(%%rdi)\n movdqu %%xmm3, 48(%%rdi)\n"
                     "movdqu %%xmm4, 64(%%rdi)\n movdqu %%xmm5, 80(%%rdi)\n movdqu %%xmm6, "
                     "96(%%rdi)\n movdqu %%xmm7, 112(%%rdi)\n"
                     "movq %%mm0, 128(%%rdi)\n movq %%mm1, 136(%%rdi)\n movq %%mm2, 144(%%rdi)\n "
                     "movq %%mm3, 152(%%rdi)\n"
                     "movq %%mm4, 160(%%rdi)\n movq %%mm5, 168(%%rdi)\n movq %%mm6, 176(%%rdi)\n "
                     "movq %%mm7, 184(%%rdi)\n"
                     "stmxcsr 204(%%rdi)\n"
                     "emms\n"
                     "movl $0x1F80, -4(%%rsp)\n ldmxcsr -4(%%rsp)\n"
                     "add $128, %%rsp\n"
                     :
                     : "D"(state), "S"(operand), "r"(target)
                     : "rax", "rcx", "rdx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                       "xmm5", "xmm6", "xmm7", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
                       "st(6)", "st(7)");
}

static inline void run_host(uint8_t *code, VectorState *state) {
    run_host_at(code, state, state->memory);
}

static inline HelperResult run_ours(FpuFixture *fixture, const Encoding *encoding, unsigned modrm,
                                    unsigned immediate, VectorState *state) {
    CpuState *cpu = &fixture->cpu->state;
    uint8_t *operand = fixture_operand(fixture);
    memcpy(operand, state->memory, 16);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(cpu->fpu.xmm[i], state->xmm[i], 16);
        fpu_set_mmx(&cpu->fpu, i, state->mm[i]);
    }
    cpu->gpr[REG_EAX] = state->eax;
    cpu->gpr[REG_ECX] = state->ecx;
    cpu->gpr[REG_EDX] = state->edx;
    cpu->fpu.mxcsr = state->mxcsr;
    cpu_set_status_flags(fixture->cpu, (uint32_t)state->flags);
    fixture->cpu->exception.vector = EXCEPTION_NONE;
    uint32_t a = encoding->map << 24 | encoding->prefix << 16 | encoding->opcode << 8 | modrm;
    HelperResult result =
        helper_vector(fixture->cpu, a, SEG_DS | immediate << 8, OPERAND_ADDRESS, 0);
    memcpy(state->memory, operand, 16);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(state->xmm[i], cpu->fpu.xmm[i], 16);
        state->mm[i] = fpu_get_mmx(&cpu->fpu, i);
    }
    state->eax = (uint32_t)cpu->gpr[REG_EAX];
    state->ecx = (uint32_t)cpu->gpr[REG_ECX];
    state->edx = (uint32_t)cpu->gpr[REG_EDX];
    state->mxcsr = cpu->fpu.mxcsr;
    state->flags = (state->flags & ~(uint64_t)FLAG_STATUS) | cpu_get_status_flags(fixture->cpu);
    return result;
}

static inline uint64_t random_lanes(uint64_t *seed) {
    switch (random_below(seed, 4)) {
    case 0:
        return random_runs(seed);
    case 1:
        return random_float64(seed);
    case 2:
        return random_u64(seed) & random_u64(seed) & UINT64_C(0x8181818181818181);
    default:
        return random_float32(seed) | (uint64_t)random_float32(seed) << 32;
    }
}

static inline void make_state(uint64_t *seed, VectorState *state) {
    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < 8; i++) {
        state->xmm[i][0] = random_lanes(seed);
        state->xmm[i][1] = random_lanes(seed);
        state->mm[i] = random_lanes(seed);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t lanes = random_lanes(seed);
        memcpy(state->memory + 8 * i, &lanes, 8);
    }
    if (random_below(seed, 4) == 0) /* small shift counts, equal operands */
        state->xmm[1][0] = state->mm[1] = random_below(seed, 70);
    if (random_below(seed, 4) == 0)
        memcpy(state->xmm[2], state->xmm[0], 16);
    if (random_below(seed, 4) == 0) /* strings */
        memset(state->xmm[1], random_below(seed, 3), random_below(seed, 16));
    state->eax = random_below(seed, 2) ? (uint32_t)random_u64(seed) : random_below(seed, 40) - 20;
    state->ecx = (uint32_t)random_lanes(seed);
    state->edx = random_below(seed, 2) ? (uint32_t)random_u64(seed) : random_below(seed, 40) - 20;
    state->mxcsr = 0x1F80 | random_below(seed, 4) << 13 |
                   (random_below(seed, 3) == 0 ? 0x8000 : 0) |
                   (random_below(seed, 3) == 0 ? 0x40 : 0) |
                   (random_below(seed, 4) == 0 ? random_below(seed, 64) : 0);
    state->flags = 0x202 | (random_u64(seed) & FLAG_STATUS);
}

static inline void print_state(const char *name, const VectorState *state) {
    printf("%s: mxcsr %04x flags %03x eax %08x ecx %08x edx %08x\n", name, state->mxcsr,
           (unsigned)state->flags & FLAG_STATUS, state->eax, state->ecx, state->edx);
    for (unsigned i = 0; i < 3; i++)
        printf("  xmm%u %016llx%016llx mm%u %016llx\n", i, (unsigned long long)state->xmm[i][1],
               (unsigned long long)state->xmm[i][0], i, (unsigned long long)state->mm[i]);
    printf("  mem");
    for (unsigned i = 16; i-- > 0;)
        printf("%02x", state->memory[i]);
    printf("\n");
}

static inline unsigned write_bytes(const Encoding *encoding, unsigned modrm, unsigned immediate,
                                   uint8_t *bytes) {
    unsigned count = 0;
    if (encoding->prefix != 0)
        bytes[count++] = (uint8_t)encoding->prefix;
    bytes[count++] = 0x0F;
    if (encoding->map != 1)
        bytes[count++] = encoding->map == 2 ? 0x38 : 0x3A;
    bytes[count++] = (uint8_t)encoding->opcode;
    bytes[count++] = (uint8_t)modrm;
    bytes[count++] = (uint8_t)immediate;
    return count;
}

/* Does the decoder take it for an MMX or SSE instruction? Length and feature are then its own. */
static inline bool is_vector(const Encoding *encoding, unsigned modrm, unsigned *length,
                             unsigned *feature) {
    uint8_t bytes[16] = {0};
    Insn insn;
    unsigned count = write_bytes(encoding, modrm, 0, bytes);
    if (insn_decode(bytes, count + 1, DECODE_32, &insn) != DECODE_OK)
        return false;
    *length = insn.length;
    *feature = insn.row->feature;
    return insn.map == encoding->map && insn.opcode == encoding->opcode &&
           insn.mandatory == encoding->prefix && (insn.row->attributes & (ROW_MMX | ROW_SSE)) != 0;
}

/* Not comparable: approximations are ours by rule; EMMS, MASKMOVQ and the FXSAVE group have tests
 * of their own. */
static inline bool is_excepted(const Encoding *encoding) {
    return encoding->map == 1 &&
           (encoding->opcode == 0x52 || encoding->opcode == 0x53 || encoding->opcode == 0x77 ||
            encoding->opcode == 0xAE || encoding->opcode == 0xF7);
}

/* Has the host this instruction? */
static inline bool has_feature(unsigned feature) {
    __builtin_cpu_init();
    switch (feature) {
    case FEATURE_SSE3:
        return __builtin_cpu_supports("sse3");
    case FEATURE_SSSE3:
        return __builtin_cpu_supports("ssse3");
    case FEATURE_SSE41:
        return __builtin_cpu_supports("sse4.1");
    case FEATURE_SSE42:
        return __builtin_cpu_supports("sse4.2");
    case FEATURE_AES:
        return __builtin_cpu_supports("aes");
    case FEATURE_PCLMUL:
        return __builtin_cpu_supports("pclmul");
    case FEATURE_3DNOW: /* no processor of today's */
    case FEATURE_3DNOWEXT:
        return false;
    default:
        return true;
    }
}

static inline bool is_equal(const VectorState *a, const VectorState *b) {
    return memcmp(a->xmm, b->xmm, sizeof a->xmm) == 0 && memcmp(a->mm, b->mm, sizeof a->mm) == 0 &&
           a->eax == b->eax && a->ecx == b->ecx && a->edx == b->edx && a->mxcsr == b->mxcsr &&
           ((a->flags ^ b->flags) & FLAG_STATUS) == 0 && memcmp(a->memory, b->memory, 16) == 0;
}

#endif

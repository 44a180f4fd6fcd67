/* The x86-64 emitters as jit_backend.c sees them: from a lifted block to host code. */
#include "cpu_feature.h"
#include "x86_64_internal.h"
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static bool host_has_popcnt(void) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx >> 23 & 1) != 0;
#else
    return false;
#endif
}

static bool host_has_bmi2(void) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx >> 8 & 1) != 0;
#else
    return false;
#endif
}

static uint64_t find_features(void) {
    uint64_t features = 0;
#if defined(__x86_64__)
    /* CPUID leaf 1 (SDM vol. 2A table 3-10, 3-11); x86-64 itself includes SSE2. */
    static const struct {
        uint8_t bit, feature;
    } of_ecx[] = {{0, FEATURE_SSE3},   {1, FEATURE_PCLMUL}, {9, FEATURE_SSSE3},
                  {19, FEATURE_SSE41}, {20, FEATURE_SSE42}, {25, FEATURE_AES}};
    unsigned eax, ebx, ecx = 0, edx;
    features = FEATURE_BIT(FEATURE_MMX) | FEATURE_BIT(FEATURE_MMX_INTEGER) |
               FEATURE_BIT(FEATURE_SSE) | FEATURE_BIT(FEATURE_SSE2);
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        for (unsigned i = 0; i < sizeof of_ecx / sizeof of_ecx[0]; i++)
            if (ecx >> of_ecx[i].bit & 1)
                features |= FEATURE_BIT(of_ecx[i].feature);
#endif
    return features;
}

static void begin(Translation *translation, JitBackend *backend, const BlockKey *key) {
    memset(translation, 0, offsetof(Translation, slow));
    translation->slow_count = translation->stub_count = translation->link_count = 0;
    translation->fpu_check_count = translation->side_exit_count = 0;
    translation->fpu_live = FPU_LIVE_NONE;
    x86_fpu_forget_pointers(translation);
    translation->failed = false;
    translation->backend = backend;
    translation->lifted = &backend->translator->lifted;
    translation->context = context_table_get(backend->translator->contexts, key->context);
    translation->key = *key;
    translation->assembler =
        (Assembler){.code = backend->next, .end = backend->writable + backend->buffer_bytes};
    translation->link_first = backend->link_count;
    translation->site_first = backend->site_count;
    translation->flags = *flag_state_get(backend->flag_states, key->flag_state);
    translation->located = FLAG_GROUP_ALL;
    translation->changes_often = jit_changes_often(backend, key);
    translation->corrupt_uop = jit_corrupt_uop(backend);
    translation->uop = &translation->lifted->uop[0];
}

/* A micro-op spoilt on purpose: a register that it writes is one more. */
static void emit_corruption(Translation *translation) {
    unsigned reg = host_register(translation->uop->dst) & 15;
    if (translation->uop->code == translation->corrupt_uop &&
        translation->uop->dst_kind == UOPERAND_REG)
        asm_lea(&translation->assembler, 4, reg, host_mem(reg, 1));
}

static void emit_block(Translation *translation) {
    bool no_flag_states = translation->backend->translator->options.no_flag_states;
    x86_find_shared_checks(translation);
    x86_emit_poll(translation);
    x86_fpu_begin_block(translation);
    const UopBlock *lifted = translation->lifted;
    for (unsigned i = 0; i < lifted->uop_count && !translation->failed; i++) {
        translation->uop = &lifted->uop[i];
        x86_emit_uop(translation, translation->uop);
        emit_corruption(translation);
        if (no_flag_states)
            x86_flags_to_memory(translation);
    }
    translation->hot_end = translation->assembler.code;
    x86_emit_slow_paths(translation);
    x86_emit_unshared_exits(translation);
    x86_emit_side_exits(translation);
    x86_fpu_emit_stubs(translation);
    x86_emit_stubs(translation);
}

static JitCode emitted(const Translation *translation) {
    return jit_code(translation->failed || translation->assembler.overflow,
                    translation->assembler.code, translation->hot_end, translation->link_count);
}

static JitCode emit_for_key(JitBackend *backend, const BlockKey *key) {
    begin(backend->translation, backend, key);
    emit_block(backend->translation);
    return emitted(backend->translation);
}

static uint8_t *emit_adapter(JitBackend *backend, const BlockKey *key, const uint8_t *target) {
    Translation *translation = backend->translation;
    begin(translation, backend, key);
    x86_flags_to_memory(translation);
    asm_patch(asm_jmp(&translation->assembler), target);
    return emitted(translation).end;
}

#if defined(__x86_64__)
/* Processors do; QEMU's user mode may not. */
static bool sees_changes(JitBackend *backend) {
    typedef uint32_t Function(void);
    uint32_t seen = 0;
    for (uint32_t number = 1; number <= 2; number++) {
        Assembler assembler = {.code = backend->writable, .end = backend->writable + 64};
        asm_mov_imm(&assembler, 4, host_reg(HOST_RAX), number);
        asm_byte(&assembler, 0xC3); /* RET */
        seen = ((Function *)(uintptr_t)jit_executable(backend, backend->writable))();
    }
    return seen == 2;
}
#endif

static uint8_t *prepare(JitBackend *backend) {
    backend->translation = calloc(1, sizeof(Translation));
    if (backend->translation == NULL)
        return NULL;
    backend->has_popcnt = host_has_popcnt();
    x86_find_host_extensions(backend);
    x86_fill_decimal_table(backend);
    backend->has_shrx = host_has_bmi2() && !backend->translator->options.no_bmi2;
    Assembler assembler = {.code = backend->writable,
                           .end = backend->writable + backend->buffer_bytes};
    x86_emit_trampolines(backend, &assembler);
    return assembler.code;
}

static void destroy(JitBackend *backend) {
    free(backend->translation);
}

static void patch(JitBackend *backend, uint8_t *site, const uint8_t *target) {
    (void)backend;
    asm_patch(site, target);
}

/* This kind of host looks for itself. */
static void code_written(JitBackend *backend, const uint8_t *start, const uint8_t *end) {
    (void)backend, (void)start, (void)end;
}

const JitHost x86_64_host = {
    .name = "x86-64",
    .listing = 64,
#if defined(__x86_64__)
    .runs_here = true,
    .sees_changes = sees_changes,
#endif
    .has_fpu = true,
    .has_far_returns = true,
    .find_features = find_features,
    .prepare = prepare,
    .destroy = destroy,
    .emit_block = emit_for_key,
    .emit_adapter = emit_adapter,
    .patch = patch,
    .code_written = code_written,
};

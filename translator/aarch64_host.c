/* The AArch64 emitters as jit_backend.c sees them: from a lifted block to host code. */
#include "aarch64_internal.h"
#include "disassemble.h"
#include <stdlib.h>
#include <string.h>

static void begin(ArmTranslation *translation, JitBackend *backend, const BlockKey *key) {
    memset(translation, 0, offsetof(ArmTranslation, slow));
    translation->backend = backend;
    translation->lifted = &backend->translator->lifted;
    translation->context = context_table_get(backend->translator->contexts, key->context);
    translation->key = *key;
    translation->assembler =
        (ArmAssembler){.code = backend->next, .end = backend->writable + backend->buffer_bytes};
    translation->link_first = backend->link_count;
    translation->flags = *flag_state_get(backend->flag_states, key->flag_state);
    translation->changes_often = jit_changes_often(backend, key);
    translation->corrupt_uop = jit_corrupt_uop(backend);
    translation->uop = &translation->lifted->uop[0];
    arm_forget_x87_pointers(translation);
}

/* A micro-op spoilt on purpose: a register that it writes is one more. */
static void emit_corruption(ArmTranslation *translation) {
    const Uop *uop = translation->uop;
    if (uop->code != translation->corrupt_uop || uop->dst_kind != UOPERAND_REG)
        return;
    unsigned reg = arm_register(uop->dst);
    arm_sum_imm(&translation->assembler, false, ARM_ADD, reg, reg, 1);
}

static void emit(ArmTranslation *translation) {
    bool no_flag_states = translation->backend->translator->options.no_flag_states;
    const UopBlock *lifted = translation->lifted;
    arm_find_shared_checks(translation);
    arm_emit_poll(translation);
    for (unsigned i = 0; i < lifted->uop_count && !translation->failed; i++) {
        translation->uop = &lifted->uop[i];
        arm_emit_uop(translation, translation->uop);
        emit_corruption(translation);
        if (no_flag_states)
            arm_flags_to_memory(translation);
    }
    translation->hot_end = translation->assembler.code;
    arm_emit_slow_paths(translation);
    arm_emit_unshared_exits(translation);
    arm_emit_detours(translation);
    arm_emit_stubs(translation);
}

static JitCode emitted(const ArmTranslation *translation) {
    return jit_code(translation->failed || translation->assembler.overflow,
                    translation->assembler.code, translation->hot_end, translation->link_count);
}

static JitCode emit_block(JitBackend *backend, const BlockKey *key) {
    begin(backend->arm_translation, backend, key);
    emit(backend->arm_translation);
    return emitted(backend->arm_translation);
}

static uint8_t *emit_adapter(JitBackend *backend, const BlockKey *key, const uint8_t *target) {
    ArmTranslation *translation = backend->arm_translation;
    begin(translation, backend, key);
    arm_flags_to_memory(translation);
    arm_land(translation, arm_branch(&translation->assembler), target);
    return emitted(translation).end;
}

/* The instruction caches of this kind of host do not look for themselves. */
static void code_written(JitBackend *backend, const uint8_t *start, const uint8_t *end) {
#if defined(__aarch64__)
    char *first = (char *)(uintptr_t)jit_executable(backend, start);
    __builtin___clear_cache(first, first + (end - start));
#else
    (void)backend, (void)start, (void)end;
#endif
}

#if defined(__aarch64__)
static bool sees_changes(JitBackend *backend) {
    typedef uint32_t Function(void);
    uint32_t seen = 0;
    for (uint32_t number = 1; number <= 2; number++) {
        ArmAssembler assembler = {.code = backend->writable, .end = backend->writable + 64};
        arm_mov_imm(&assembler, 0, number);
        arm_return(&assembler);
        code_written(backend, backend->writable, assembler.code);
        seen = ((Function *)(uintptr_t)jit_executable(backend, backend->writable))();
    }
    return seen == 2;
}
#endif

static uint8_t *prepare(JitBackend *backend) {
    backend->arm_translation = calloc(1, sizeof(ArmTranslation));
    backend->kept_uops = calloc(KEPT_UOP_COUNT, sizeof(Uop));
    if (backend->arm_translation == NULL || backend->kept_uops == NULL)
        return NULL;
    ArmAssembler assembler = {.code = backend->writable,
                              .end = backend->writable + backend->buffer_bytes};
    arm_emit_trampolines(backend, &assembler);
    return assembler.code;
}

static void destroy(JitBackend *backend) {
    free(backend->arm_translation);
    free(backend->kept_uops);
}

static void patch(JitBackend *backend, uint8_t *site, const uint8_t *target) {
    arm_patch(site, target);
    code_written(backend, site, site + 4);
}

/* What has no emitter is done in C. */
static uint64_t find_features(void) {
    return UINT64_MAX;
}

const JitHost aarch64_host = {
    .name = "aarch64",
    .listing = DISASSEMBLE_AARCH64,
    .has_fpu = true,
    .find_features = find_features,
#if defined(__aarch64__)
    .runs_here = true,
    .sees_changes = sees_changes,
#endif
    .prepare = prepare,
    .destroy = destroy,
    .emit_block = emit_block,
    .emit_adapter = emit_adapter,
    .patch = patch,
    .code_written = code_written,
};

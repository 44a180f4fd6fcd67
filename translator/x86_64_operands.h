/* The operands of a micro-op as the emitters see them, and what each emitter says of flags. */
#ifndef REPRISE_X86_64_OPERANDS_H
#define REPRISE_X86_64_OPERANDS_H

#include "x86_64_internal.h"

static inline HostOperand x86_guest_memory(const Translation *translation) {
    return translation->memory;
}

static inline bool x86_dst_is_memory(const Uop *uop) {
    return uop->dst_kind == UOPERAND_MEM;
}
static inline bool x86_src_is_memory(const Uop *uop) {
    return uop->src_kind == UOPERAND_MEM;
}

/* The destination as a host operand: memory must have been begun. */
static inline HostOperand x86_dst_operand(const Translation *translation, const Uop *uop) {
    return x86_dst_is_memory(uop) ? x86_guest_memory(translation)
                                  : host_reg(host_register(uop->dst));
}

static inline HostOperand x86_src_operand(const Translation *translation, const Uop *uop) {
    return x86_src_is_memory(uop) ? x86_guest_memory(translation)
                                  : host_reg(host_register(uop->src));
}

/* The memory operand, if there is one, is looked up; flags that must survive are saved. */
static inline void x86_begin_operands(Translation *translation, const Uop *uop) {
    bool reads_dst = uop_info[uop->code].traits & UOP_READS_DST,
         writes_dst = uop_info[uop->code].traits & UOP_WRITES_DST;
    if (x86_dst_is_memory(uop))
        x86_memory_begin(translation,
                         !writes_dst ? SITE_READ
                         : reads_dst ? SITE_MODIFY
                                     : SITE_WRITE,
                         uop->size);
    else if (x86_src_is_memory(uop))
        x86_memory_begin(translation, SITE_READ, uop->src_size ? uop->src_size : uop->size);
}

static inline void x86_end_operands(Translation *translation, const Uop *uop) {
    if (uop_has_memory(uop))
        x86_memory_end(translation);
}

static inline void x86_writes_register(Translation *translation, unsigned ureg) {
    x86_flags_before_register_write(translation, ureg);
}

/* A host instruction that sets exactly uop->flags_written and keeps the other groups. */
static inline void x86_sets_flags(Translation *translation, const Uop *uop) {
    x86_flags_written(translation, uop->flags_written);
}

static inline bool x86_flags_are_needed(const Uop *uop) {
    return (uop->flags_written & uop->flags_needed) != 0;
}

/* Group sets that a source can be told for: only where somebody may still want them. */
static inline void x86_locate_flags(Translation *translation, const Uop *uop, FlagSource source) {
    if (x86_flags_are_needed(uop))
        x86_flags_locate(translation, uop->flags_written, source);
}

static inline bool x86_is_temporary(unsigned ureg) {
    return ureg >= UREG_T0;
}

#endif

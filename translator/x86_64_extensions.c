/* Host code for what came with extensions of the instruction set, and is one instruction of hosts
 * that have it, too. On others the guest's instruction is run alone, by the portable backend. */
#include "x86_64_internal.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

void x86_find_host_extensions(JitBackend *backend) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        backend->has_crc32 = (ecx >> 20 & 1) != 0; /* SSE4.2 */
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        backend->has_adx = (ebx >> 19 & 1) != 0;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
        backend->has_lzcnt = (ecx >> 5 & 1) != 0; /* ABM */
#else
    (void)backend;
#endif
}

static void step_alone(Translation *translation) {
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    x86_emit_leave(translation, -1, LEAVE_STEP, x86_add_site(translation, SITE_OTHER, 0, 0));
}

/* [66h] prefix [REX] 0F 38 opcode: registers alone. */
static void emit_0f38(Assembler *assembler, unsigned size, unsigned prefix, unsigned opcode,
                      unsigned reg, unsigned rm) {
    unsigned rex = (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
    if (size == 2)
        asm_byte(assembler, 0x66);
    asm_byte(assembler, prefix);
    if (rex != 0)
        asm_byte(assembler, 0x40 | rex);
    asm_byte(assembler, 0x0F);
    asm_byte(assembler, 0x38);
    asm_byte(assembler, opcode);
    asm_byte(assembler, 0xC0 | (reg & 7) << 3 | (rm & 7));
}

/* crc32 dst, src, which is a temporary */
void x86_emit_crc32(Translation *translation, const Uop *uop) {
    if (!translation->backend->has_crc32) {
        step_alone(translation);
        return;
    }
    x86_flags_before_register_write(translation, uop->dst);
    emit_0f38(&translation->assembler, uop->src_size, 0xF2, uop->src_size == 1 ? 0xF0 : 0xF1,
              host_register(uop->dst), host_register(uop->src));
}

/* adcx or adox dst, src, which is a temporary */
void x86_emit_add_with_flag(Translation *translation, const Uop *uop) {
    if (!translation->backend->has_adx) {
        step_alone(translation);
        return;
    }
    x86_flags_before_register_write(translation, uop->dst);
    x86_flags_to_host(translation, uop->flags_read);
    emit_0f38(&translation->assembler, 4, uop->code == UOP_ADCX ? 0x66 : 0xF3, 0xF6,
              host_register(uop->dst), host_register(uop->src));
    x86_flags_written(translation, uop->flags_written);
}

/* lzcnt dst, src. Of the flags that it leaves CF is as it should be. */
void x86_emit_lzcnt(Translation *translation, const Uop *uop) {
    if (!translation->backend->has_lzcnt) {
        step_alone(translation);
        return;
    }
    bool memory = uop->src_kind == UOPERAND_MEM;
    if (memory)
        x86_memory_begin(translation, SITE_READ, uop->size);
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    x86_flags_before_register_write(translation, uop->dst);
    asm_reg_rm(&translation->assembler, uop->size, 0xF30FBD, host_register(uop->dst),
               memory ? translation->memory : host_reg(host_register(uop->src)));
    x86_flags_written(translation, FLAG_GROUP_C);
    translation->in_host = FLAG_GROUP_C;
    x86_flags_locate(
        translation, FLAG_GROUP_ALL,
        (FlagSource){.kind = FLAG_SOURCE_LZCNT, .size = uop->size, .a = flag_register(uop->dst)});
    if (memory)
        x86_memory_end(translation);
}

/* rol dst, 8 */
void x86_emit_swap_word(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, uop->flags_needed);
    x86_flags_before_register_write(translation, uop->dst);
    asm_shift_imm(&translation->assembler, 2, SHIFT_ROL, host_reg(host_register(uop->dst)), 8);
}

/* What the files of the x86-64 backend share. */
#ifndef REPRISE_X86_64_INTERNAL_H
#define REPRISE_X86_64_INTERNAL_H

#include "jit_internal.h"
#include "shared_checks.h"
#include "x86_64_assembler.h"
#include "x86_64_registers.h"

/* A memory access whose slow path is still to be emitted. */
typedef struct SlowPath {
    uint8_t *miss_site, *unaligned_site, *limit_site; /* jumps to it; NULL if there is none */
    uint8_t *operation, *operation_end;               /* the host instructions that use RBP */
    uint32_t site;
    const Uop *uop;
} SlowPath;

/* A check for that whose stub is still to be emitted. */
typedef struct FpuCheck {
    uint8_t *jump_site, *back;
    uint32_t need;
} FpuCheck;

/* An exit whose stub is still to be emitted. */
typedef struct Stub {
    uint8_t *jump_site;
    uint32_t leave; /* LEAVE_* | number << 8 */
    uint32_t eip;   /* written to state.eip, for LEAVE_LINK */
} Stub;

enum { FPU_CHECK_MAX = UOP_PATH_INSNS + 1 };

/* A conditional jump that leaves a path before its end. */
typedef struct SideExit {
    uint8_t *jump_site;
    uint32_t link;
    uint8_t uncounted; /* instructions behind it */
} SideExit;

/* One block on its way to host code. */
typedef struct Translation {
    JitBackend *backend;
    Assembler assembler;
    const UopBlock *lifted;
    const Context *context;
    BlockKey key;
    const Uop *uop;     /* the present one */
    HostOperand memory; /* and its memory operand, once that was looked up */
    /* Where the flags are: groups valid in the host's flags, groups with another place, and that
     * place. */
    uint8_t in_host, located;
    unsigned extended;      /* a micro-op that the load before it did; 0: none */
    uint8_t byte_registers; /* general registers that are known to hold less than 256 */
    FlagOperand af_count; /* the last writer of group S in the host's flags was a shift by so much:
                             AF is not by our rule then */
    FlagState flags;
    SlowPath slow[SLOW_PATH_MAX];
    unsigned slow_count;
    Stub stub[STUB_MAX];
    unsigned stub_count;
    SideExit side_exit[SIDE_EXIT_MAX];
    unsigned side_exit_count;
    SharedChecks shared;
    FpuCheck fpu_check[FPU_CHECK_MAX];
    unsigned fpu_check_count;
    unsigned fpu_live;                  /* FPU_LIVE_*: at least so much, here */
    uint8_t x87_segment;                /* of the last x87 memory operand here; SEG_COUNT: none */
    uint32_t x87_site, x87_site_stored; /* the last x87 instruction, and what cpu->fpu_site holds */
    uint32_t site_first;
    uint32_t link_first; /* number of the first link record */
    unsigned link_count;
    unsigned corrupt_uop; /* UOP_COUNT: none */
    bool changes_often;   /* the page does: what its code leaves behind must not pile up */
    bool failed;          /* a table is full: flush and start over */
    uint8_t *hot_end;     /* behind it: slow paths and stubs */
} Translation;

/* x86_64_flags.c */

enum { X86_AF_COUNT_SLOT = 3 }; /* cpu->flag_slot that holds the count of the last shift by CL */

/* Groups that somebody may want just before the present micro-op. */
uint8_t x86_flags_wanted_before(const Translation *translation);
/* Host flags will be lost: groups in 'needed' that stand nowhere else are saved (without touching
 * host flags). */
void x86_flags_before_clobber(Translation *translation, uint8_t needed);
/* Host flags will be lost, and CF will be wanted back soon after: it gets a place in a register, if
 * there is one, since an image in memory takes long to come back. */
void x86_flags_keep_carry(Translation *translation);
/* As x86_flags_before_clobber(); and then they count as lost. */
void x86_flags_clobber(Translation *translation, uint8_t needed);
/* Brings all of 'groups' to the host's flags (scratch: R8; RBP is kept), AF as our rules have it.
 */
void x86_flags_to_host(Translation *translation, uint8_t groups);
/* Makes the host's flags decide 'condition': x86_flags_to_host() with shortcuts. Gives the
 * condition to test. */
unsigned x86_flags_condition_to_host(Translation *translation, unsigned condition);
/* Puts all groups into state.flags_image. Host flags are lost. */
void x86_flags_to_memory(Translation *translation);
/* The micro-op is about to change this guest register: sources that need its value get it kept
 * elsewhere. To be called before flags are brought to the host's, since it may lose those. */
void x86_flags_before_register_write(Translation *translation, unsigned ureg);
/* Host flags now hold 'groups' as the guest instruction left them; those have no other place. */
void x86_flags_written(Translation *translation, uint8_t groups);
/* These groups can be recomputed from this source. */
void x86_flags_locate(Translation *translation, uint8_t groups, FlagSource source);
/* Keeps the value of a host register for a source; false if the place for it is taken. */
bool x86_flags_keep(Translation *translation, unsigned ureg, FlagOperand *kept);
bool x86_flags_kept_is_free(const Translation *translation, uint8_t needed);
/* Number of the state as it is now: every group must be located. */
uint32_t x86_flags_number(Translation *translation);

static inline FlagOperand flag_register(unsigned ureg) {
    return (FlagOperand){.kind = FLAG_OPERAND_REGISTER, .number = (uint8_t)ureg};
}
static inline FlagOperand flag_kept(void) {
    return (FlagOperand){.kind = FLAG_OPERAND_KEPT};
}
static inline FlagOperand flag_imm(uint32_t value) {
    return (FlagOperand){.kind = FLAG_OPERAND_IMM, .value = value};
}

/* x86_64_memory.c */

/* Emits address, checks and look-up for the memory operand of the present micro-op, which
 * translation->memory names then: RBP is its host address, or another register plus a constant.
 * Saves flags. */
void x86_memory_begin(Translation *translation, unsigned kind, unsigned size);
/* The host instructions since x86_memory_begin() were all that use RBP. */
void x86_memory_end(Translation *translation);
/* RBP or another host register = offset of the address (no segment). */
void x86_emit_offset(Translation *translation, unsigned host_reg, const UopAddress *address);
void x86_emit_slow_paths(Translation *translation);
/* After x86_memory_begin(): an address that is no multiple of the size leaves for a single step. */
void x86_memory_require_alignment(Translation *translation);

/* The entry in the TLB table for SITE_* accesses of the page whose number is in a register, or of
 * this page. */
HostOperand x86_tlb_entry(const Translation *translation, unsigned kind, unsigned page_register);
HostOperand x86_tlb_entry_of_page(const Translation *translation, unsigned kind, uint32_t page);
/* Host register 'page' = page number of the address in another one. */
void x86_emit_page_number(Translation *translation, unsigned page, unsigned address);

/* x86_64_shared.c */
/* Which memory operands share a check: once, before the block is emitted. */
void x86_find_shared_checks(Translation *translation);
/* Makes translation->memory the present micro-op's operand; false: it must be checked. */
bool x86_emit_shared_operand(Translation *translation);
void x86_emit_unshared_exits(Translation *translation);

/* x86_64_exits.c */
/* A new link, with the flags as they are here; and the jump that it patches. */
uint32_t x86_add_link(Translation *translation, uint32_t eip, uint16_t limit);
void x86_emit_link_jump(Translation *translation, int condition, uint32_t link);
uint32_t x86_add_site(Translation *translation, unsigned kind, unsigned size, unsigned segment);
/* What FIP, FCS, FDS and FOP are after this UOP_X87. */
uint32_t x86_add_x87_site(Translation *translation, const Uop *uop);
void x86_emit_poll(Translation *translation);
/* Jump (condition COND_*, or -1 for always) to another place of the guest. */
void x86_emit_link(Translation *translation, int condition, uint32_t eip);
/* Before a jump to that place, and what decides about it, is emitted. */
void x86_settle_flags(Translation *translation, uint32_t target);
void x86_emit_indirect(Translation *translation, unsigned host_reg);
/* To T1:T0 in real mode, with CS loaded already. */
void x86_emit_far_indirect(Translation *translation);
void x86_emit_leave(Translation *translation, int condition, unsigned reason, uint32_t number);
void x86_emit_helper(Translation *translation, const Uop *uop);
void x86_emit_side_exits(Translation *translation);
void x86_emit_stubs(Translation *translation);

/* x86_64_fpu.c */
void x86_emit_x87(Translation *translation, const Uop *uop);
void x86_emit_vector(Translation *translation, const Uop *uop);
void x86_fpu_begin_block(Translation *translation);
/* FIP and the others are in place: no x87 instruction ran since. */
void x86_fpu_forget_pointers(Translation *translation);
void x86_fpu_after_helper(Translation *translation, const Uop *uop);
/* Before the block is left: where FIP, FDP and FOP come from. */
void x86_fpu_emit_pointers(Translation *translation);
void x86_fpu_emit_stubs(Translation *translation);

/* x86_64_system.c: one function a micro-op. */
void x86_emit_read_eflags(Translation *translation, const Uop *uop);
void x86_emit_write_eflags(Translation *translation, const Uop *uop);
void x86_emit_cli(Translation *translation, const Uop *uop);
void x86_emit_sti(Translation *translation, const Uop *uop);
void x86_emit_load_sreg(Translation *translation, const Uop *uop);
void x86_emit_cmpxchg8b(Translation *translation, const Uop *uop);
/* Calls a quick function; flags were saved before. */
void x86_emit_quick_call(Translation *translation, unsigned function, uint32_t argument);
/* A helper that has a quick form: false if it has none. */
bool x86_emit_quick_helper(Translation *translation, const Uop *uop);

void x86_emit_read_state(Translation *translation, const Uop *uop);
void x86_emit_read_dr(Translation *translation, const Uop *uop);

/* x86_64_extensions.c */
void x86_find_host_extensions(JitBackend *backend);
void x86_emit_crc32(Translation *translation, const Uop *uop);
void x86_emit_add_with_flag(Translation *translation, const Uop *uop); /* ADCX, ADOX */
void x86_emit_lzcnt(Translation *translation, const Uop *uop);
void x86_emit_swap_word(Translation *translation, const Uop *uop);

/* x86_64_uops.c */
void x86_emit_uop(Translation *translation, const Uop *uop);

/* x86_64_string.c */
/* Before the call of a helper, the flags being in memory: what does a short REP string without it.
 * Gives the jump over the call, to be patched; NULL if nothing was emitted. */
uint8_t *x86_emit_short_string(Translation *translation, const Uop *uop);

/* x86_64_clock.c: the same for RDTSC. */
uint8_t *x86_emit_read_tsc(Translation *translation, const Uop *uop);

/* x86_64_moves.c */
void x86_emit_mov(Translation *translation, const Uop *uop);
void x86_emit_extend(Translation *translation, const Uop *uop);
void x86_emit_lea(Translation *translation, const Uop *uop);
void x86_emit_fetch(Translation *translation, const Uop *uop);
void x86_emit_xchg(Translation *translation, const Uop *uop);
void x86_emit_check_write(Translation *translation, const Uop *uop);
void x86_emit_bswap(Translation *translation, const Uop *uop);
void x86_emit_cwd(Translation *translation, const Uop *uop);
void x86_emit_step(Translation *translation, const Uop *uop);

/* x86_64_arithmetic.c */
void x86_emit_alu(Translation *translation, const Uop *uop);
void x86_emit_inc(Translation *translation, const Uop *uop);
void x86_emit_neg(Translation *translation, const Uop *uop);
void x86_emit_mul(Translation *translation, const Uop *uop);
void x86_emit_imul2(Translation *translation, const Uop *uop);

/* x86_64_shifts.c */
void x86_emit_shift(Translation *translation, const Uop *uop);
void x86_emit_double_shift(Translation *translation, const Uop *uop);

/* x86_64_bits.c */
void x86_emit_bit_test(Translation *translation, const Uop *uop);
void x86_emit_bit_scan(Translation *translation, const Uop *uop);
void x86_emit_popcnt(Translation *translation, const Uop *uop);
void x86_emit_bit_address(Translation *translation, const Uop *uop);

/* x86_64_divide.c */
void x86_emit_div(Translation *translation, const Uop *uop);
void x86_emit_idiv(Translation *translation, const Uop *uop);

/* x86_64_decimal.c */
void x86_fill_decimal_table(JitBackend *backend);
void x86_emit_adjust(Translation *translation, const Uop *uop); /* DAA, DAS, AAA, AAS */
void x86_emit_aam(Translation *translation, const Uop *uop);
void x86_emit_aad(Translation *translation, const Uop *uop);

/* x86_64_trampolines.c */
/* The stub for stores of this size at this privilege. */
uint8_t *x86_store_stub(const JitBackend *backend, bool user, unsigned size);
void x86_emit_trampolines(JitBackend *backend, Assembler *assembler);

/* Small shorthands for what every emitter does. */
static inline HostOperand cpu_mem(int32_t offset) {
    return host_mem(HOST_CPU, offset - HOST_CPU_BIAS);
}

#endif

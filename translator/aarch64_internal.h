/* What the files of the AArch64 emitters share. */
#ifndef REPRISE_AARCH64_INTERNAL_H
#define REPRISE_AARCH64_INTERNAL_H

#include "aarch64_assembler.h"
#include "aarch64_registers.h"
#include "jit_internal.h"
#include "shared_checks.h"

/* A memory access whose slow path is still to be emitted. */
typedef struct ArmSlowPath {
    uint8_t *miss_site, *unaligned_site, *limit_site; /* jumps to it; NULL if there is none */
    uint8_t *operation, *operation_end;               /* the instructions that use ARM_HOST */
    uint32_t site;
    uint8_t address; /* the register with the linear address */
    const Uop *uop;
} ArmSlowPath;

/* An exit whose stub is still to be emitted. */
typedef struct ArmStub {
    uint8_t *jump_site;
    uint32_t leave;    /* LEAVE_* | number << 8 */
    uint8_t uncounted; /* instructions behind it, which are given back */
} ArmStub;

/* Code behind the block for what is rare, which comes back. */
typedef struct ArmDetour {
    uint8_t *jump_site, *back;
    uint32_t argument;
    uint8_t kind; /* ARM_DETOUR_* */
    bool memory;  /* VECTOR: the operand is in ARM_VECTOR_SOURCE */
} ArmDetour;

enum {
    ARM_DETOUR_LOAD_FPU,  /* the guest's SSE state is to be live */
    ARM_DETOUR_ENTER_MMX, /* TOP and tags are to be MMX's */
    ARM_DETOUR_VECTOR,    /* argument: a kept micro-op, to be done in C */
};
enum { ARM_DETOUR_MAX = 2 * UOP_BLOCK_UOPS };

/* How to tell whether a condition holds. */
typedef struct ArmTest {
    enum { ARM_TEST_FLAGS, ARM_TEST_ZERO, ARM_TEST_BIT } kind;
    uint8_t condition; /* FLAGS: of the host's flags */
    uint8_t reg, bit;  /* ZERO: the register is 0; BIT: that bit is set */
    bool inverted;     /* ZERO, BIT: it is not */
} ArmTest;

/* One block on its way to host code. The guest's flags never stay in the host's from one micro-op
 * to the next: 'flags' always has a source for each group. */
typedef struct ArmTranslation {
    JitBackend *backend;
    ArmAssembler assembler;
    const UopBlock *lifted;
    const Context *context;
    BlockKey key;
    const Uop *uop; /* the present one */
    FlagState flags;
    uint8_t *hot_end;
    uint32_t link_first;
    unsigned link_count, slow_count, stub_count;
    unsigned corrupt_uop;  /* UOP_COUNT: none */
    uint32_t places_taken; /* by the present micro-op: kept registers, slots from bit 16 on */
    bool changes_often, failed;
    bool fpu_live, mmx_entered;         /* aarch64_vector.c: here, whatever came before */
    uint8_t x87_segment;                /* of the last x87 memory operand here; SEG_COUNT: none */
    uint32_t x87_site, x87_site_stored; /* as in x86_64_internal.h */
    uint8_t mmx_written;                /* MMX registers whose exponent and tag are in place */
    unsigned detour_count;
    uint8_t
        memory_base; /* of the present memory operand, once it was begun: its host address ... */
    uint32_t memory_offset; /* ... less this */
    ArmSlowPath slow[SLOW_PATH_MAX];
    ArmStub stub[STUB_MAX];
    ArmDetour detour[ARM_DETOUR_MAX];
    SharedChecks shared;
} ArmTranslation;

/* aarch64_flags.c */

/* Groups that somebody may want just before the present micro-op. */
uint8_t arm_flags_wanted_before(const ArmTranslation *translation);
/* At the start of an emitter that keeps operands: sees to it that there is room for some. */
void arm_flags_make_room(ArmTranslation *translation);
/* Keeps the value of a host register as an operand. */
FlagOperand arm_flags_keep(ArmTranslation *translation, unsigned reg);
/* Keeps whether a condition of the host's flags holds, 1 or 0; flags stay. */
FlagOperand arm_flags_keep_condition(ArmTranslation *translation, ArmCondition condition);
/* The micro-op is about to change this guest register: sources get its value kept. Clobbers
 * ARM_SCRATCH. */
void arm_flags_before_register_write(ArmTranslation *translation, unsigned ureg);
/* The groups have this source; those that nobody needs have none. */
void arm_flags_set(ArmTranslation *translation, uint8_t groups, FlagSource source);
static inline bool arm_flags_are_needed(const Uop *uop) {
    return (uop->flags_written & uop->flags_needed) != 0;
}
/* Before the memory operand of a micro-op that looks at a condition is begun: from then on it takes
 * no call. */
void arm_flags_settle(ArmTranslation *translation, unsigned condition);
/* The condition from where the flags are; clobbers the scratch registers, ARM_RESULT and
 * ARM_SOURCE. */
ArmTest arm_flags_test(ArmTranslation *translation, unsigned condition);
/* d = 1 or 0; or, for a link, the jump that is taken if it holds. */
void arm_test_set(ArmTranslation *translation, ArmTest test, unsigned d);
uint8_t *arm_test_branch(ArmTranslation *translation, ArmTest test);
/* Host flags such that C is CF, or its opposite. The caller has settled condition 2. */
void arm_flags_carry_to_host(ArmTranslation *translation, bool inverted);
/* All groups to state.flags_image. */
void arm_flags_to_memory(ArmTranslation *translation);
void arm_flags_are_in_memory(ArmTranslation *translation);
uint32_t arm_flags_number(ArmTranslation *translation);

/* aarch64_memory.c */
/* Address, checks and look-up for the memory operand of the present micro-op, which the functions
 * below then access. What follows up to arm_memory_end() is emitted twice where it stores, so it
 * has no jumps. */
void arm_memory_begin(ArmTranslation *translation, unsigned kind, unsigned size);
void arm_memory_end(ArmTranslation *translation);
void arm_emit_offset(ArmTranslation *translation, unsigned d, const UopAddress *address);
void arm_emit_slow_paths(ArmTranslation *translation);
/* The register with the TLB's table for this kind of access. */
unsigned arm_table_register(const ArmTranslation *translation, unsigned kind);
/* The operand at an offset: loads and stores, as those of the assembler. */
void arm_load_memory(ArmTranslation *translation, unsigned size, unsigned t, unsigned offset);
void arm_load_memory_signed(ArmTranslation *translation, unsigned size, unsigned t,
                            unsigned offset);
void arm_store_memory(ArmTranslation *translation, unsigned size, unsigned t, unsigned offset);
void arm_load_memory_vector(ArmTranslation *translation, unsigned size, unsigned t,
                            unsigned offset);
void arm_store_memory_vector(ArmTranslation *translation, unsigned size, unsigned t,
                             unsigned offset);

/* aarch64_shared.c */
void arm_find_shared_checks(ArmTranslation *translation);
/* In arm_memory_begin(): true if the operand shares a check, which is done then. */
bool arm_emit_shared_operand(ArmTranslation *translation, unsigned size);
void arm_emit_unshared_exits(ArmTranslation *translation);

/* aarch64_exits.c */
uint32_t arm_add_site(ArmTranslation *translation, unsigned kind, unsigned size, unsigned segment);
void arm_emit_poll(ArmTranslation *translation);
/* A jump that was emitted leaves for another place of the guest, or for a reason. */
void arm_add_link(ArmTranslation *translation, uint8_t *jump_site, uint32_t eip);
/* A link with this limit in its key, and behind the block the jump there, which was not emitted. */
uint32_t arm_new_link(ArmTranslation *translation, uint32_t eip, uint16_t limit);
void arm_emit_link_stub(ArmTranslation *translation, uint32_t number);
void arm_add_leave(ArmTranslation *translation, uint8_t *jump_site, unsigned reason,
                   uint32_t number);
void arm_settle_flags(ArmTranslation *translation, uint32_t target);
void arm_emit_indirect(ArmTranslation *translation, unsigned target);
void arm_emit_helper(ArmTranslation *translation, const Uop *uop);
/* The portable backend's function for a micro-op without memory operand, or a single step. */
void arm_emit_portable(ArmTranslation *translation, const Uop *uop);
void arm_emit_stubs(ArmTranslation *translation);
/* A jump that was emitted goes to a detour, which comes back here. */
void arm_add_detour(ArmTranslation *translation, uint8_t *jump_site, unsigned kind,
                    uint32_t argument);
void arm_emit_detours(ArmTranslation *translation);
/* Jumps to a trampoline with a site in ARM_LEAVE. */
void arm_emit_call(ArmTranslation *translation, const uint8_t *trampoline, uint64_t argument);

/* aarch64_uops.c */
void arm_emit_uop(ArmTranslation *translation, const Uop *uop);
/* The operand's value, of 'size' bytes: in a guest's register, upper bits whatever they are, or in
 * 'scratch'. Memory has been begun. */
unsigned arm_read_src(ArmTranslation *translation, const Uop *uop, unsigned size, unsigned scratch);
unsigned arm_read_register(ArmTranslation *translation, unsigned ureg, unsigned size,
                           unsigned scratch);
void arm_write_register(ArmTranslation *translation, unsigned ureg, unsigned size, unsigned value);
void arm_begin_operands(ArmTranslation *translation, const Uop *uop);
void arm_end_operands(ArmTranslation *translation, const Uop *uop);

/* What emitters of results share: aarch64_arithmetic.c */

/* The first operand's value; memory is loaded into ARM_VALUE. */
unsigned arm_read_dst(ArmTranslation *translation, const Uop *uop);
/* Where the result is best computed. */
unsigned arm_result_register(const Uop *uop);
void arm_write_dst(ArmTranslation *translation, const Uop *uop, unsigned value);
/* The result as an operand of a flag source, after it was written. */
FlagOperand arm_result_operand(ArmTranslation *translation, const Uop *uop, unsigned value);
/* Sources get what they need of the register that the result goes to. */
void arm_keep_flags_of_dst(ArmTranslation *translation, const Uop *uop);
static inline FlagSource arm_carry_source(FlagOperand a) {
    return (FlagSource){.kind = FLAG_SOURCE_CARRY, .size = 1, .a = a};
}

/* aarch64_arithmetic.c, aarch64_shifts.c, aarch64_divide.c: one function a micro-op, or several. */
void arm_emit_alu(ArmTranslation *translation, const Uop *uop);
void arm_emit_step_by_one(ArmTranslation *translation, const Uop *uop);
void arm_emit_negate(ArmTranslation *translation, const Uop *uop);
void arm_emit_carry_sum(ArmTranslation *translation, const Uop *uop);
void arm_emit_multiply(ArmTranslation *translation, const Uop *uop);
void arm_emit_multiply_two(ArmTranslation *translation, const Uop *uop);
void arm_emit_divide(ArmTranslation *translation, const Uop *uop);
void arm_emit_shift(ArmTranslation *translation, const Uop *uop);
void arm_emit_rotate(ArmTranslation *translation, const Uop *uop);
void arm_emit_rotate_carry(ArmTranslation *translation, const Uop *uop);
void arm_emit_double_shift(ArmTranslation *translation, const Uop *uop);
void arm_emit_bit_test(ArmTranslation *translation, const Uop *uop);
void arm_emit_bit_scan(ArmTranslation *translation, const Uop *uop);

/* aarch64_system.c */
void arm_emit_read_eflags(ArmTranslation *translation, const Uop *uop);
void arm_emit_write_eflags(ArmTranslation *translation, const Uop *uop);
void arm_emit_cli(ArmTranslation *translation, const Uop *uop);
void arm_emit_sti(ArmTranslation *translation, const Uop *uop);
void arm_emit_read_sreg(ArmTranslation *translation, const Uop *uop);
void arm_emit_load_real_sreg(ArmTranslation *translation, const Uop *uop);
void arm_emit_load_sreg(ArmTranslation *translation, const Uop *uop);
void arm_emit_read_state(ArmTranslation *translation, const Uop *uop);

/* aarch64_vector.c, aarch64_vector_float.c */
void arm_emit_vector(ArmTranslation *translation, const Uop *uop);
/* After what C may have done to the FPU's state. */
void arm_forget_fpu(ArmTranslation *translation);
/* Calls C to do a kept micro-op; a memory operand is in ARM_VECTOR_SOURCE. */
void arm_emit_vector_call(ArmTranslation *translation, uint32_t number, bool memory);
/* FPCR and FPSR by the MXCSR in a register; clobbers the scratch registers. */
void arm_emit_rounding(ArmAssembler *assembler, unsigned mxcsr);
/* d = MXCSR, while SSE state is live; clobbers ARM_SCRATCH. */
void arm_emit_read_mxcsr(ArmAssembler *assembler, unsigned d);

/* aarch64_x87.c */
void arm_emit_x87(ArmTranslation *translation, const Uop *uop);
/* FIP and the others are in place: no x87 instruction ran since. */
void arm_forget_x87_pointers(ArmTranslation *translation);
/* Before the block is left: where FIP, FDP and FOP come from. */
void arm_emit_x87_pointers(ArmTranslation *translation);

/* aarch64_trampolines.c */
void arm_emit_trampolines(JitBackend *backend, ArmAssembler *assembler);
/* slow_access for stores: what lies beside the code of its page is found there, without C. */
const uint8_t *arm_store_stub(const JitBackend *backend, bool user, unsigned size);

/* Loads and stores of the Cpu's fields. */
static inline void arm_load_cpu(ArmTranslation *translation, unsigned size, unsigned t,
                                int32_t offset) {
    arm_load(&translation->assembler, size, t, ARM_CPU, (uint32_t)offset);
}
static inline void arm_store_cpu(ArmTranslation *translation, unsigned size, unsigned t,
                                 int32_t offset) {
    arm_store(&translation->assembler, size, t, ARM_CPU, (uint32_t)offset);
}

/* Makes a jump within the block go there. */
static inline void arm_land(ArmTranslation *translation, uint8_t *site, const uint8_t *target) {
    if (!arm_patch(site, target))
        translation->failed = true;
}
static inline void arm_land_here(ArmTranslation *translation, uint8_t *site) {
    arm_land(translation, site, translation->assembler.code);
}

static inline FlagOperand flag_register(unsigned ureg) {
    return (FlagOperand){.kind = FLAG_OPERAND_REGISTER, .number = (uint8_t)ureg};
}
static inline FlagOperand flag_imm(uint32_t value) {
    return (FlagOperand){.kind = FLAG_OPERAND_IMM, .value = value};
}

#endif

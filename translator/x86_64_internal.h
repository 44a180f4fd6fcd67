/* What the files of the x86-64 backend share. */
#ifndef REPRISE_X86_64_INTERNAL_H
#define REPRISE_X86_64_INTERNAL_H

#include "flag_state.h"
#include "timeless_device.h"
#include "x86_64_assembler.h"
#include "x86_64_backend.h"
#include "x86_64_registers.h"

/* A place in translated code where the guest can be interrupted: enough to tell its exact state. */
typedef struct Site {
    uint32_t eip;
    uint16_t flag_state;
    uint8_t uncounted; /* instructions of the block that the counter has taken off, but that are not
                          completed here */
    uint8_t size;      /* of the memory access */
    uint8_t segment;
    uint8_t kind; /* SITE_* */
    uint8_t insn_length;
    uint8_t aligned;     /* a multiple of 16, or the instruction is run alone, for its #GP */
    uint16_t x87_opcode; /* of an x87 instruction: FOP */
    uint16_t unused;
    uint32_t x87_site; /* the x87 instruction of this block before this place; 0: none */
    const Block *block;
} Site;

enum { SITE_READ, SITE_WRITE, SITE_MODIFY, SITE_OTHER };

enum { STORE_STUB_SIZES = 6 };

enum { SITE_COUNT = 1 << 20, INDIRECT_ENTRIES = 1 << 16 };
enum { INDIRECT_LISTED = 1 /* and 2: in indirect_used[0], [1] */, INDIRECT_GLOBAL = 4 };

/* One entry of the table that indirect jumps look into. */
typedef struct IndirectEntry {
    uint64_t tag; /* EIP | context << 32 | flag state << 48; 0: empty (context 0 is not used) */
    const void *host_code;
} IndirectEntry;

/* One target is reached with several flag states, and other code segments have targets at the same
 * EIP: they must not fight for one entry. Less than 2^24, as a displacement. */
static inline uint32_t x86_indirect_salt(uint32_t context, uint32_t flag_state) {
    return (context * 0x85EBCA77u ^ flag_state * 0x9E3779B1u) >> 8;
}

/* A link's exit code tells its number; the table finds the link. */
typedef struct LinkRecord {
    Block *block;
    uint32_t index; /* of the link in the block */
    uint32_t eip;   /* where it goes */
    uint16_t flag_state;
    uint16_t limit; /* of its key */
} LinkRecord;

enum { LINK_COUNT = 1 << 20 };

struct Translation;

/* Code that sanitizers have put their calls into touches every register of the host. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define X86_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define X86_IS_SANITIZED 1
#endif
#ifndef X86_IS_SANITIZED
#define X86_IS_SANITIZED 0
#endif

enum { X86_DECIMAL_CASES = 1024 }; /* AL, CF, AF */

/* What needs C but neither the guest's general registers nor its exact state, and cannot fail but
 * by doing nothing: false. */
typedef bool X86QuickFunction(Cpu *cpu, uint32_t argument, uint32_t t0);
enum {
    X86_QUICK_LOAD_SEGMENT,
    X86_QUICK_VERIFY_SEGMENT,
    X86_QUICK_APPROXIMATE, /* argument: X86_APPROXIMATE_*; cpu->bounce */
    X86_QUICK_COUNT
};
enum { X86_APPROXIMATE_ROOT = 1, X86_APPROXIMATE_SCALAR = 2 };

struct X86Backend {
    Translator *translator;
    struct Translation *translation; /* workspace */
    TimelessDevice device;           /* that the store under way goes to, of x86_slow_flush() */
    bool has_popcnt, has_lzcnt, has_crc32, has_adx;
    uint32_t decimal[4][X86_DECIMAL_CASES]; /* x86_64_decimal.c */
    bool has_shrx;                          /* BMI2 */
    bool full; /* the buffer or a table: everything must be flushed before more is translated */
    uint8_t *writable;         /* the buffer, mapped twice: here to write ... */
    const uint8_t *executable; /* ... and here to run */
    size_t buffer_bytes;
    uint8_t *start; /* of translations, behind the trampolines */
    uint8_t *next;  /* free from here */
    FlagStateTable *flag_states;
    Site *sites;
    uint32_t site_count;
    LinkRecord *links;
    uint32_t link_count;
    IndirectEntry *indirect;
    /* Entries that are not empty, so that forgetting costs what was used: those whose target's page
     * was local or global when they were entered. */
    uint32_t *indirect_used[2];
    uint32_t indirect_used_count[2];
    uint8_t *indirect_state; /* of each entry: INDIRECT_* */
    /* Trampolines, in the writable mapping: x86_64_trampolines.c */
    uint8_t *enter;       /* called from C: x86_backend_run */
    uint8_t *exit;        /* ESI... : reason in R8, spills everything and returns to C */
    uint8_t *slow_access; /* R8: site, EBP: linear address. Gives the host address in RBP, R8 not 0
                             if it is the bounce buffer */
    /* The same for stores: what lies beside the code of its page is found here, without C. By
     * privilege and size of the access (x86_store_stub). */
    uint8_t *slow_store[2][STORE_STUB_SIZES];
    uint8_t *flush_bounce; /* R8: site: the bounce buffer to guest memory; keeps host flags */
    uint8_t *helper;       /* R8: site | helper << 32 */
    uint8_t *load_fpu;     /* R8: FPU_LIVE_*, so much at least is live then */
    uint8_t *materialize;  /* R8: flag state: computes state.flags_image */
    /* EBP: the function's argument, R10: T0. Keep all but host flags; ZF: nothing was done. */
    uint8_t *quick[X86_QUICK_COUNT];
};

/* Why code left, in R8D on the way to the exit trampoline: the low byte is one of these, the rest a
 * number. */
enum {
    LEAVE_LINK,         /* number: link record */
    LEAVE_INDIRECT,     /* number: flag state; EIP in T0 */
    LEAVE_POLL,         /* number: site */
    LEAVE_STEP,         /* number: site */
    LEAVE_FAULT,        /* number: site; cpu->exception is set */
    LEAVE_LOOK,         /* state.eip, count and flags are set already (a helper did it) */
    LEAVE_EXIT,         /* number: site whose eip is where to go on: the run loop must look */
    LEAVE_HELPER_FAULT, /* as LEAVE_LOOK, with cpu->exception */
};

/* A memory access whose slow path is still to be emitted. */
typedef struct SlowPath {
    uint8_t *miss_site, *unaligned_site, *limit_site; /* jumps to it; NULL if there is none */
    uint8_t *operation, *operation_end;               /* the host instructions that use RBP */
    uint32_t site;
    const Uop *uop;
} SlowPath;

/* How much of the guest's FPU state stands in the host's registers: cpu->fpu_live. */
enum {
    FPU_LIVE_NONE,
    FPU_LIVE_SSE, /* XMM0 to XMM7 and MXCSR */
    FPU_LIVE_ALL, /* and the x87 */
};

/* A check for that whose stub is still to be emitted. */
typedef struct FpuCheck {
    uint8_t *jump_site, *back;
    uint32_t need;
} FpuCheck;

/* Memory operands with one check for all: x86_64_shared.c. */
typedef struct SharedAccess {
    uint8_t group;  /* 0: checked for itself */
    int16_t offset; /* from the start of the group's span */
} SharedAccess;

typedef struct SharedGroup {
    uint16_t first; /* micro-op */
    uint16_t last;
    bool writes;       /* some of them do */
    uint8_t host;      /* register with the host's address of the span's start, or HOST_RSP: that
                          is in cpu->shared_host */
    uint8_t uncounted; /* instructions not yet done at the check */
    int32_t low, high; /* the span, from the sum of the registers at the first member */
    uint32_t link;     /* number of the link to the rest of the block, unshared */
    uint8_t *crossing_site, *miss_site;
} SharedGroup;

enum { SHARED_GROUP_MAX = CPU_SHARED_HOSTS };

/* An exit whose stub is still to be emitted. */
typedef struct Stub {
    uint8_t *jump_site;
    uint32_t leave; /* LEAVE_* | number << 8 */
    uint32_t eip;   /* written to state.eip, for LEAVE_LINK */
} Stub;

enum {
    SLOW_PATH_MAX = UOP_BLOCK_UOPS,
    STUB_MAX = 4 * UOP_PATH_INSNS + 16,
    SIDE_EXIT_MAX = 2 * UOP_PATH_INSNS,
    FPU_CHECK_MAX = UOP_PATH_INSNS + 1
};

/* A conditional jump that leaves a path before its end. */
typedef struct SideExit {
    uint8_t *jump_site;
    uint32_t link;
    uint8_t uncounted; /* instructions behind it */
} SideExit;

/* One block on its way to host code. */
typedef struct Translation {
    X86Backend *backend;
    Assembler assembler;
    const UopBlock *lifted;
    const Context *context;
    BlockKey key;
    const Uop *uop;     /* the present one */
    HostOperand memory; /* and its memory operand, once that was looked up */
    /* Where the flags are: groups valid in the host's flags, groups with another place, and that
     * place. */
    uint8_t in_host, located;
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
    SharedAccess shared[UOP_BLOCK_UOPS];
    uint8_t shared_traits[UOP_BLOCK_UOPS], shared_writes[UOP_BLOCK_UOPS]; /* x86_64_shared.c */
    SharedGroup group[SHARED_GROUP_MAX];
    unsigned group_count;
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

/* x86_64_fpu_state.c */
void x86_fpu_save(Cpu *cpu);
void x86_fpu_load(Cpu *cpu, uint32_t wanted);
/* What x86_fpu_suspend() took away is live again. */
void x86_fpu_resume(Cpu *cpu);
/* FIP, FCS, FDS and FOP as this x87 instruction's site tells them; 0: they are in place. */
void x86_fpu_take_pointers(Cpu *cpu, const X86Backend *backend, uint32_t site);
/* The same from cpu->fpu_site and fpu_segment. */
void x86_fpu_settle_pointers(Cpu *cpu, const X86Backend *backend);

/* FIP, FCS and FOP: an x87 instruction without memory operand at state.eip has completed. */
void x86_fpu_set_pointers(Cpu *cpu, uint16_t opcode);

/* x86_64_fpu_functions.c */
/* Before a full helper: if it is a transcendental instruction and the x87 is live, this may do it.
 * False: it did nothing, but may have saved the state. */
bool x86_fpu_run_function(Cpu *cpu, const HelperInfo *helper);

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
void x86_find_host_extensions(X86Backend *backend);
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

/* x86_64_divide.c */
void x86_emit_div(Translation *translation, const Uop *uop);
void x86_emit_idiv(Translation *translation, const Uop *uop);

/* x86_64_decimal.c */
void x86_fill_decimal_table(X86Backend *backend);
void x86_emit_adjust(Translation *translation, const Uop *uop); /* DAA, DAS, AAA, AAS */
void x86_emit_aam(Translation *translation, const Uop *uop);
void x86_emit_aad(Translation *translation, const Uop *uop);

/* x86_64_trampolines.c */
/* The stub for stores of this size at this privilege. */
uint8_t *x86_store_stub(const X86Backend *backend, bool user, unsigned size);
void x86_emit_trampolines(X86Backend *backend, Assembler *assembler);

/* x86_64_backend.c */

/* Would the run loop do anything but enter the block at state.eip? */
bool x86_wants_run_loop(const Cpu *cpu);
/* After a helper that ended its block: the translated code to go on with, if nothing wants the run
 * loop; else NULL. */
const void *x86_find_next(Cpu *cpu);
/* A segment register was loaded: what translated code compares offsets with. */
void x86_update_segment_limit(Cpu *cpu, unsigned segment);
/* The same for all. */
void x86_update_segment_limits(Cpu *cpu);

/* x86_64_slow.c: called from the trampolines. */

extern X86QuickFunction *const x86_quick_functions[X86_QUICK_COUNT];
enum { SLOW_PLAIN, SLOW_BOUNCE, SLOW_FAULT, SLOW_STEP };
typedef struct SlowResult {
    uint64_t address;
    uint64_t outcome; /* SLOW_* */
} SlowResult;
SlowResult x86_slow_access(Cpu *cpu, uint32_t linear, uint32_t site);
void x86_slow_flush(Cpu *cpu, uint32_t site);
/* What follows a helper: 'leave' is 0, and the block goes on; or 'next' is where to go on; or the
 * exit takes 'leave'. */
typedef struct HelperEnd {
    uint64_t leave;
    const void *next;
} HelperEnd;
HelperEnd x86_slow_helper(Cpu *cpu, uint64_t site_and_helper);
void x86_slow_materialize(Cpu *cpu, uint32_t flag_state);

static inline const void *x86_executable(const X86Backend *backend, const uint8_t *writable) {
    return backend->executable + (writable - backend->writable);
}

static inline uint8_t *x86_writable(const X86Backend *backend, const void *executable) {
    return backend->writable + ((const uint8_t *)executable - backend->executable);
}

/* Small shorthands for what every emitter does. */
#define CPU_OFFSET(member) ((int32_t)offsetof(Cpu, member))
static inline HostOperand cpu_mem(int32_t offset) {
    return host_mem(HOST_CPU, offset - HOST_CPU_BIAS);
}

#endif

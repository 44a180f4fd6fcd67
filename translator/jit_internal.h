/* What translating for any host has in common: jit_backend.c, jit_slow.c, and what the emitters of
 * each host need of them. */
#ifndef REPRISE_JIT_INTERNAL_H
#define REPRISE_JIT_INTERNAL_H

#include "flag_state.h"
#include "jit_backend.h"
#include "timeless_device.h"

/* Where what is no guest register stands in cpu->host_slot while C has control. */
enum { JIT_SLOT_KEPT = FLAG_KEPT_SLOT, JIT_SLOT_T0 = 10, JIT_SLOT_T1 = 11 };

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
    uint16_t then;       /* of a segment load: UOP_THEN_* */
    uint32_t x87_site;   /* the x87 instruction of this block before this place; 0: none */
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
static inline uint32_t jit_indirect_salt(uint32_t context, uint32_t flag_state) {
    return (context * 0x85EBCA77u ^ flag_state * 0x9E3779B1u) >> 8;
}

/* Far returns of real mode are looked up by selector and offset as one EIP, in the context that has
 * its code segment at 0, where no other jump goes that far. 0: there is no room for it. */
static inline uint32_t jit_far_context(ContextTable *contexts, uint32_t context) {
    return context_table_change(contexts, context, UOP_FAR);
}

/* A link's exit code tells its number; the table finds the link. */
typedef struct LinkRecord {
    Block *block;
    uint32_t index; /* of the link in the block */
    uint32_t eip;   /* where it goes */
    uint16_t flag_state;
    uint16_t limit;  /* of its key */
    uint32_t change; /* of the context: context_table_change() */
    uint8_t *site;   /* the jump, in the writable mapping, for JitHost.patch; */
    uint8_t *stub;   /* and where it goes while it is not linked */
} LinkRecord;

enum { LINK_COUNT = 1 << 20, KEPT_UOP_COUNT = 1 << 16 };

/* How much a block may add to the tables; and when translations of a page die so often that what
 * they leave behind must not pile up. */
enum {
    SLOW_PATH_MAX = UOP_BLOCK_UOPS,
    STUB_MAX = 4 * UOP_PATH_INSNS + 16,
    SIDE_EXIT_MAX = 2 * UOP_PATH_INSNS,
    DEATHS_OFTEN = 16,
};

/* Code that sanitizers have put their calls into touches every register of the host. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define JIT_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JIT_IS_SANITIZED 1
#endif
#ifndef JIT_IS_SANITIZED
#define JIT_IS_SANITIZED 0
#endif

enum { X86_DECIMAL_CASES = 1024 }; /* AL, CF, AF */

/* What needs C but neither the guest's general registers nor its exact state, and cannot fail but
 * by doing nothing: false. */
typedef bool JitQuickFunction(Cpu *cpu, uint32_t argument, uint32_t t0);
enum {
    JIT_QUICK_LOAD_SEGMENT,
    JIT_QUICK_VERIFY_SEGMENT,
    JIT_QUICK_APPROXIMATE, /* argument: JIT_APPROXIMATE_*; cpu->bounce */
    JIT_QUICK_COUNT
};
enum { JIT_APPROXIMATE_ROOT = 1, JIT_APPROXIMATE_SCALAR = 2 };

struct JitBackend;

/* What a host's emitters make of a block: where its code ends in the writable mapping, and of that
 * the part that is run unless something special happens; how many links it has. 'end' is NULL where
 * the buffer or a table is full. */
typedef struct JitCode {
    uint8_t *end, *hot_end;
    unsigned link_count;
} JitCode;

/* The emitters of one kind of host. */
typedef struct JitHost {
    const char *name;
    unsigned listing; /* what disassemble() takes for its code */
    bool runs_here;
    bool has_fpu;                    /* emits UOP_X87 and UOP_VECTOR */
    bool has_far_returns;            /* emits UOP_JMP_INDIRECT with UOP_FAR */
    uint64_t (*find_features)(void); /* FEATURE_BITs whose vector instructions it does */
    /* Runs a few instructions from the buffer, changes them, and runs them again: does this host
     * execute what was written through the other mapping? NULL: it does. */
    bool (*sees_changes)(struct JitBackend *backend);
    /* Emits the trampolines, from backend->writable on; gives where they end. NULL: no memory. */
    uint8_t *(*prepare)(struct JitBackend *backend);
    void (*destroy)(struct JitBackend *backend);
    /* Emits translator->lifted, from backend->next on. */
    JitCode (*emit_block)(struct JitBackend *backend, const BlockKey *key);
    /* Emits from backend->next on what brings the flags from the key's flag state to memory and
     * goes on at 'target' (writable mapping). Gives where it ends; NULL: no room. */
    uint8_t *(*emit_adapter)(struct JitBackend *backend, const BlockKey *key,
                             const uint8_t *target);
    /* Makes the jump at a link's site go to 'target'; both in the writable mapping. */
    void (*patch)(struct JitBackend *backend, uint8_t *site, const uint8_t *target);
    /* Code from 'start' to 'end' (writable mapping) is new. */
    void (*code_written)(struct JitBackend *backend, const uint8_t *start, const uint8_t *end);
} JitHost;

extern const JitHost x86_64_host, aarch64_host;

struct JitBackend {
    Translator *translator;
    const JitHost *host;
    struct Translation *translation;        /* workspace of x86_64_host */
    struct ArmTranslation *arm_translation; /* and of aarch64_host */
    TimelessDevice device; /* that the store under way goes to, of jit_slow_flush() */
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
    uint8_t *enter;       /* called from C: jit_backend_run */
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
    uint8_t *portable;     /* as 'helper', with a number of kept_uops: aarch64_host's */
    uint8_t *vector;       /* the same, for an instruction that fails by its operand in memory
                              alone, which is in cpu->bounce */
    uint8_t *enter_mmx;
    uint8_t *x87, *x87_store; /* call an X87Entry, or prepare a store */
    Uop *kept_uops;           /* of translations that have them run by the portable backend */
    uint32_t kept_uop_count;
    /* EBP: the function's argument, R10: T0. Keep all but host flags; ZF: nothing was done. */
    uint8_t *quick[JIT_QUICK_COUNT];
};

/* The link made last is that of this UOP_JMP. */
static inline void jit_note_change(JitBackend *backend, const Uop *uop) {
    if (uop->imm2 != UOP_SAME_CONTEXT)
        backend->links[backend->link_count - 1].change = uop->imm2;
}

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
    LEAVE_SEGMENT,      /* number: site of a load of a segment register that changes the context */
    LEAVE_FAR, /* as LEAVE_INDIRECT, to another code segment, whose selector is in T0's upper half
                */
};

/* How much of the guest's FPU state stands in the host's registers: cpu->fpu_live. */
enum {
    FPU_LIVE_NONE,
    FPU_LIVE_SSE, /* XMM0 to XMM7 and MXCSR */
    FPU_LIVE_ALL, /* and the x87 */
};

/* x86_64_fpu_state.c */
void x86_fpu_save(Cpu *cpu);
void x86_fpu_load(Cpu *cpu, uint32_t wanted);
/* What x86_fpu_suspend() took away is live again. */
void x86_fpu_resume(Cpu *cpu);
/* FIP, FCS, FDS and FOP as this x87 instruction's site tells them; 0: they are in place. */
void x86_fpu_take_pointers(Cpu *cpu, const JitBackend *backend, uint32_t site);
/* The same from cpu->fpu_site and fpu_segment. */
void x86_fpu_settle_pointers(Cpu *cpu, const JitBackend *backend);

/* FIP, FCS and FOP: an x87 instruction without memory operand at state.eip has completed. */
void x86_fpu_set_pointers(Cpu *cpu, uint16_t opcode);

/* x86_64_fpu_functions.c */
/* Before a full helper: if it is a transcendental instruction and the x87 is live, this may do it.
 * False: it did nothing, but may have saved the state. */
bool x86_fpu_run_function(Cpu *cpu, const HelperInfo *helper);

/* jit_backend.c */

/* Do translations of this block's page die so often that what they leave behind must not pile up?
 */
bool jit_changes_often(const JitBackend *backend, const BlockKey *key);
/* The micro-op that is spoilt on purpose; UOP_COUNT: none. */
unsigned jit_corrupt_uop(const JitBackend *backend);
/* What a host's emitters give; 'failed': the buffer or a table was full. */
static inline JitCode jit_code(bool failed, uint8_t *end, uint8_t *hot_end, unsigned link_count) {
    return failed ? (JitCode){0} : (JitCode){end, hot_end, link_count};
}

/* Would the run loop do anything but enter the block at state.eip? */
bool jit_wants_run_loop(const Cpu *cpu);
/* After a helper that ended its block: the translated code to go on with, if nothing wants the run
 * loop; else NULL. */
const void *jit_find_next(Cpu *cpu);
/* A segment register was loaded: what translated code compares offsets with. */
void jit_update_segment_limit(Cpu *cpu, unsigned segment);
/* The same for all. */
void jit_update_segment_limits(Cpu *cpu);

/* jit_slow.c: called from the trampolines. */

extern JitQuickFunction *const jit_quick_functions[JIT_QUICK_COUNT];
enum { SLOW_PLAIN, SLOW_BOUNCE, SLOW_FAULT, SLOW_STEP };
typedef struct SlowResult {
    uint64_t address;
    uint64_t outcome; /* SLOW_* */
} SlowResult;
SlowResult jit_slow_access(Cpu *cpu, uint32_t linear, uint32_t site);
void jit_slow_flush(Cpu *cpu, uint32_t site);
/* What follows a helper: 'leave' is 0, and the block goes on; or 'next' is where to go on; or the
 * exit takes 'leave'. */
typedef struct HelperEnd {
    uint64_t leave;
    const void *next;
} HelperEnd;
HelperEnd jit_slow_helper(Cpu *cpu, uint64_t site_and_helper);
/* The same for a micro-op without memory operand that the portable backend runs. */
HelperEnd jit_slow_portable(Cpu *cpu, uint64_t site_and_uop);
void jit_slow_materialize(Cpu *cpu, uint32_t flag_state);
/* Does a kept UOP_VECTOR. */
void jit_slow_vector(Cpu *cpu, uint32_t uop);
void jit_slow_enter_mmx(Cpu *cpu, uint32_t unused);
/* Prepares an x87 store in cpu->fpu_stored and fpu_status_and_tags. */
void jit_slow_x87_store(Cpu *cpu, uint32_t a);

static inline const void *jit_executable(const JitBackend *backend, const uint8_t *writable) {
    return backend->executable + (writable - backend->writable);
}

static inline uint8_t *jit_writable(const JitBackend *backend, const void *executable) {
    return backend->writable + ((const uint8_t *)executable - backend->executable);
}

#define CPU_OFFSET(member) ((int32_t)offsetof(Cpu, member))

#endif

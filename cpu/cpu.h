/* The guest processor: its architectural state, and what translated code needs at hand. */
#ifndef REPRISE_CPU_H
#define REPRISE_CPU_H

#include "clock.h"
#include "cpu_feature.h"
#include "device.h"
#include "field.h"
#include "msr_map.h"
#include "port_map.h"
#include "tlb.h"
#include "trace.h"
#include "wire.h"
#include <stdbool.h>
#include <stdint.h>

enum { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI, GPR_COUNT = 16 };
enum {
    SEG_ES,
    SEG_CS,
    SEG_SS,
    SEG_DS,
    SEG_FS,
    SEG_GS,
    SEG_COUNT,
    SEG_LDTR = SEG_COUNT,
    SEG_TR,
    SEG_ALL
};

/* EFLAGS, SDM vol. 1 3.4.3. */
enum {
    FLAG_CF = 1 << 0,
    FLAG_1 = 1 << 1, /* always set */
    FLAG_PF = 1 << 2,
    FLAG_AF = 1 << 4,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_TF = 1 << 8,
    FLAG_IF = 1 << 9,
    FLAG_DF = 1 << 10,
    FLAG_OF = 1 << 11,
    FLAG_IOPL = 3 << 12,
    FLAG_NT = 1 << 14,
    FLAG_RF = 1 << 16,
    FLAG_VM = 1 << 17,
    FLAG_AC = 1 << 18,
    FLAG_VIF = 1 << 19,
    FLAG_VIP = 1 << 20,
    FLAG_ID = 1 << 21,
    FLAG_STATUS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

enum {
    CR0_PE = 1u << 0,
    CR0_MP = 1u << 1,
    CR0_EM = 1u << 2,
    CR0_TS = 1u << 3,
    CR0_ET = 1u << 4,
    CR0_NE = 1u << 5,
    CR0_WP = 1u << 16,
    CR0_AM = 1u << 18,
    CR0_NW = 1u << 29,
    CR0_CD = 1u << 30,
    CR0_PG = 1u << 31,
};
enum {
    CR4_VME = 1 << 0,
    CR4_PVI = 1 << 1,
    CR4_TSD = 1 << 2,
    CR4_DE = 1 << 3,
    CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5,
    CR4_MCE = 1 << 6,
    CR4_PGE = 1 << 7,
    CR4_PCE = 1 << 8,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_UMIP = 1 << 11,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
};

/* Exceptions, SDM vol. 3A 6.15. */
enum {
    EXCEPTION_DE = 0,
    EXCEPTION_DB = 1,
    EXCEPTION_NMI = 2,
    EXCEPTION_BP = 3,
    EXCEPTION_OF = 4,
    EXCEPTION_BR = 5,
    EXCEPTION_UD = 6,
    EXCEPTION_NM = 7,
    EXCEPTION_DF = 8,
    EXCEPTION_TS = 10,
    EXCEPTION_NP = 11,
    EXCEPTION_SS = 12,
    EXCEPTION_GP = 13,
    EXCEPTION_PF = 14,
    EXCEPTION_MF = 16,
    EXCEPTION_AC = 17,
    EXCEPTION_MC = 18,
    EXCEPTION_XM = 19,
    EXCEPTION_NONE = 0xFF,
};

/* A segment register: the visible selector and the hidden descriptor cache. */
typedef struct Segment {
    uint16_t selector;
    uint16_t access; /* descriptor bits 40 to 55: type 3:0, S 4, DPL 6:5, P 7, (limit 19:16 zeroed),
                        AVL 12, L 13, D/B 14, G 15 */
    uint32_t base;
    uint32_t limit; /* in bytes, granularity applied */
    uint32_t
        kind; /* SEGMENT_*: derived from the above by segment_classify(), part of the block key */
} Segment;

enum {
    SEGMENT_GENERIC, /* every access is checked against type and limit */
    SEGMENT_FLAT,    /* readable and writable, base 0, limit 4G: nothing to do. CS: readable code,
                        stores through it are still refused */
    SEGMENT_REAL
}; /* readable and writable, expand-up, limit FFFFh, base a multiple of 16: a 16-bit aligned access
      cannot fail */
enum {
    ACCESS_TYPE = 0xF,
    ACCESS_A = 1,
    ACCESS_RW = 2,
    ACCESS_EC = 4,
    ACCESS_CODE = 8,
    ACCESS_S = 0x10,
    ACCESS_DPL = 0x60,
    ACCESS_P = 0x80,
    ACCESS_L = 0x2000,
    ACCESS_DB = 0x4000,
    ACCESS_G = 0x8000
};
#define ACCESS_DPL_OF(access) (((access) >> 5) & 3)

typedef struct DescriptorTable {
    uint32_t base;
    uint32_t limit; /* 16 bits used */
} DescriptorTable;

/* x87 and SSE state. x87 registers are kept by physical number (register i is not ST(i)); MMX
 * registers are their low halves. */
typedef struct FpuState {
    struct FpuRegister {
        uint64_t significand;
        uint16_t sign_exponent;
        uint16_t unused[3];
    } st[8];
    uint16_t control;
    uint16_t status; /* TOP in bits 13:11 kept up to date */
    uint16_t tags;   /* full 16-bit tag word: 00 valid, 01 zero, 10 special, 11 empty */
    uint16_t opcode; /* FOP, 11 bits */
    uint32_t ip, dp; /* FIP, FDP */
    uint16_t cs, ds; /* FCS, FDS */
    uint32_t mxcsr;
    uint8_t unused[8];
    _Alignas(16) uint8_t xmm[16][16];
} FpuState;

enum { MACHINE_CHECK_BANKS = 5, PERFORMANCE_GENERAL = 2, PERFORMANCE_FIXED = 3 };

/* Everything that the guest could ever read back. Plain data, described by cpu_fields. */
typedef struct CpuState {
    uint64_t gpr[GPR_COUNT]; /* 32-bit guests: upper halves are zero */
    uint32_t eip;
    uint32_t
        eflags; /* the system bits alone; status bits and DF stand below: use cpu_get_eflags() */
    uint16_t flags_image; /* status flags as LAHF and SETO leave them in AX: SF ZF AF PF CF in bits
                             15:8, OF in bit 0 */
    uint16_t
        waits_for_startup; /* after RESET or INIT of any processor but the first; halted, too */
    int32_t direction;     /* DF as a step: +1 or -1 */
    uint32_t cr0, cr2, cr3, cr4;
    uint32_t cr8;
    uint32_t cpl; /* 3 in v8086 mode, 0 in real mode */
    uint32_t dr[8];
    Segment segment[SEG_ALL]; /* ES CS SS DS FS GS LDTR TR */
    DescriptorTable gdtr, idtr;
    uint64_t star; /* of SYSCALL: EIP, and the selectors for both ways */
    FpuState fpu;
    uint64_t tsc_offset; /* TSC = clock in TSC ticks + this */
    uint64_t tsc_adjust; /* what software added to it */
    uint64_t efer, pat, misc_enable;
    uint32_t smm;             /* in system management mode */
    uint32_t smm_nmi_blocked; /* nmi_blocked as RSM brings it back */
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t mtrr_fixed[11], mtrr_base[8], mtrr_mask[8], mtrr_def_type;
    uint64_t pdpte[4];
    uint32_t halted;           /* in HLT (or in shutdown, see below) until an interrupt */
    uint32_t shutdown;         /* triple fault: only RESET, INIT or NMI help */
    uint32_t interrupt_shadow; /* SHADOW_*: after STI, or after MOV SS and POP SS */
    uint32_t nmi_pending, nmi_blocked, intr_level, smi_pending;
    uint32_t smbase; /* where the next SMI saves the state */
    uint32_t init_pending;
    uint32_t ferr;               /* the FERR# pin */
    uint32_t pending_debug;      /* DR6 bits of a debug trap due after this instruction */
    uint32_t ignne;              /* the IGNNE# pin */
    uint64_t microcode_revision; /* IA32_BIOS_SIGN_ID, as CPUID or software left it */
    uint64_t tsc_aux;
    uint64_t random_state;     /* of RDRAND's generator: the next number follows from it */
    uint32_t test_register[8]; /* TR3 to TR7 of the 386 and 486 */
    uint64_t machine_check_status, machine_check_control;  /* IA32_MCG_* */
    uint64_t machine_check_banks[4 * MACHINE_CHECK_BANKS]; /* control, status, address, misc */
    /* Counters as they were when 'performance_since' instructions were done, at that tick of the
     * TSC's clock. On a Pentium the first select register is its CESR. */
    uint64_t performance_counters[PERFORMANCE_GENERAL + PERFORMANCE_FIXED];
    uint64_t performance_since, performance_since_tick;
    uint64_t performance_select[PERFORMANCE_GENERAL];
    uint64_t performance_fixed_control, performance_global_control, performance_status;
    uint64_t unused3;
    uint64_t instruction_count; /* instructions completed and exceptions delivered; exact at every
                                   callback and exit */
} CpuState;

enum { SHADOW_STI = 1, SHADOW_MOV_SS = 2 };

enum { CPU_SHARED_HOSTS = 48 };

extern const FieldTable cpu_fields;
/* The processor among the machine's devices: 'device' is the Cpu, 'state' its CpuState. */
extern const DeviceClass cpu_class;

/* Feature bits as CPUID reports them; a model is a row of cpu/cpu_models.c. */
typedef struct CpuModel CpuModel;

/* An exception on its way from the place that found it to cpu_deliver_exception(). */
typedef struct PendingException {
    uint8_t vector; /* EXCEPTION_NONE: none */
    bool has_error_code;
    uint32_t error_code;
    uint32_t cr2; /* page faults */
} PendingException;

/* A processor. 'state' first, so that translated code reaches everything by small offsets from one
 * register; the TLB last, since its tables are large. Allocated by cpu_create() as one mapping. */
typedef struct Cpu {
    CpuState state;

    /* Scratch of the running translated code; nothing here is guest state between instructions. */
    uint32_t flag_slot[4];  /* operands that a flag source kept (translator/flag_state.h) */
    uint16_t flag_image[4]; /* further places like state.flags_image; the first is not used */
    uint64_t host_slot[16]; /* host registers while a helper or the run loop has control */
    uint64_t shared_host[CPU_SHARED_HOSTS]; /* where operands that share a check begin, within a
                                               block (translator/x86_64_shared.c) */
    int64_t segment_limit[2][SEG_COUNT]; /* highest offset that may be read, written; -1: none, or
                                            not to be told by one number */
    uint64_t segment_seen[SEG_COUNT];    /* limit and access rights that this was computed from */
    _Alignas(16) uint8_t bounce[16];     /* stands for guest memory that has no one host address */
    const void *materialize_flags; /* trampoline of translated code, called through memory so that
                                      such code can be copied */
    void *indirect_table;          /* where translated code looks up targets of indirect jumps */
    uint32_t helper_a, helper_b;
    /* Which of the guest's FPU state stands in the host's own registers
     * (translator/x86_64_fpu_state.c), and what has to be brought back there before translated code
     * goes on. */
    uint32_t fpu_live, fpu_suspended;
    /* FIP, FCS and FOP are still to be taken from this x87 instruction, FDS from this segment
     * register (SEG_* + 1); 0: they are in place. */
    uint32_t fpu_site, fpu_segment;
    /* An x87 store under way: the value, and what status and tags will be (cpu/x87_fast.h). */
    uint64_t fpu_stored[2];
    uint32_t fpu_status_and_tags, unused;
    uint64_t count_end; /* state.instruction_count at which the run loop wants control */
    uint32_t
        next_eip; /* on entry of a helper: the instruction after this one (state.eip is this one) */
    uint32_t result; /* what a helper hands back to the following micro-ops as T0 */
    PendingException exception;

    int64_t budget; /* instructions left before the run loop wants control; R15's home */
    uint32_t iterations_allowed; /* for REP strings: how many may run before the run loop wants
                                    control, at least 1 */
    uint32_t
        iterations; /* how many of them completed in this call; each counts as one instruction */
    /* For RDTSC in translated code: when the host's counter shows 'start' + n, n less than 'limit',
     * the guest's is 'value' + n * 'rate' / 2^32 + state.tsc_offset. 'limit' 0: ask a helper, which
     * sets this where it can; the run loop forgets it. */
    struct {
        uint64_t start, limit, rate, value;
    } tsc_line;

    uint32_t code_changed; /* a store hit translated code since this was last cleared */
    uint32_t break_after;  /* somebody wants the run loop after this instruction (a timer was armed
                              nearer, a wire moved) */

    PhysicalMap *map;
    PortMap *ports;
    MsrMap msrs; /* registers of chips beside the core */
    VirtualClock *clock;
    Trace *trace;
    uint8_t number; /* initial APIC ID; 0: the bootstrap processor */
    const CpuModel *model;
    CpuModel *own_model;  /* what 'model' points to: each processor has its own copy */
    uint64_t features[4]; /* see cpu_model.h: what CPUID reports and #UD depends on */

    /* The interrupt controller's acknowledge cycle: gives the vector. */
    int (*acknowledge_interrupt)(void *opaque);
    void *acknowledge_opaque;
    /* Told of each INT n in real-address and v8086 mode before it is delivered; NULL: nobody asks.
     */
    void (*software_interrupt)(void *opaque, uint8_t vector);
    void *software_interrupt_opaque;
    /* PAUSE tells of a loop that waits: when the last one was (instruction count), and how many
     * before it came close behind each other. 'pauses_looked_at' is set by who wants the run loop
     * after every so many of them; 0: nobody does. */
    uint64_t paused_at;
    uint32_t pauses, pauses_looked_at;
    uint64_t outside_accesses;  /* how often ports, devices in memory, clocks and counters were
                                   looked at: what a program can learn but by memory */
    Wire ferr;                  /* to IRQ 13 */
    Wire smiact;                /* to the host bridge: accesses are system management mode's */
    Wire performance_interrupt; /* to the local APIC: a counter overflowed */
    Wire tsc_changed;           /* to the same: software moved the TSC */
    /* The instruction count at which the run loop is to call performance_settle(). */
    uint64_t performance_alarm;
    struct CpuDebugger *debugger; /* cpu_debugger.h; NULL: nobody debugs the guest */
    void *translator; /* whose CPU this is: reached by the functions that translated code calls */

    /* By CpuidWord, of the features in 'cpuid_words_of': programs that time by RDTSC run CPUID in
     * loops. cpuid.c */
    uint32_t cpuid_words[CPUID_WORDS];
    uint64_t cpuid_words_of;

    Tlb tlb;
} Cpu;

/* 'model' is copied. */
Cpu *cpu_create(PhysicalMap *map, PortMap *ports, VirtualClock *clock, Trace *trace,
                const CpuModel *model, Error *error);
void cpu_destroy(Cpu *cpu);

/* Makes it a further processor, which waits after RESET for cpu_start_up(). */
void cpu_set_number(Cpu *cpu, uint8_t number);
/* A STARTUP message (SDM vol. 3A 8.4.3): a processor that waits for one begins in real mode at the
 * start of this 4K page. 'cpu' is a Cpu. */
void cpu_start_up(void *cpu, uint8_t page);

/* The RESET pin: SDM vol. 3A table 9-1. 'init': the INIT pin, which keeps the FPU, MTRRs and
 * caches. */
void cpu_reset(Cpu *cpu, bool init);

/* EFLAGS as the manual draws it (VM and RF included), and writing all of it back, unchecked. */
uint32_t cpu_get_eflags(const Cpu *cpu);
void cpu_set_eflags(Cpu *cpu, uint32_t eflags);

/* Only the six status flags, in EFLAGS layout. */
static inline uint32_t cpu_get_status_flags(const Cpu *cpu) {
    return (cpu->state.flags_image >> 8 & (FLAG_STATUS & 0xFF)) | (cpu->state.flags_image & 1u)
                                                                      << 11;
}
static inline void cpu_set_status_flags(Cpu *cpu, uint32_t flags) {
    cpu->state.flags_image = (uint16_t)(((flags & (FLAG_STATUS & 0xFF)) | FLAG_1) << 8 |
                                        (flags >> 11 & 1)); /* as LAHF: bit 1 set */
}

static inline bool cpu_is_protected(const Cpu *cpu) {
    return (cpu->state.cr0 & CR0_PE) != 0;
}
static inline bool cpu_is_v8086(const Cpu *cpu) {
    return (cpu->state.eflags & FLAG_VM) != 0;
}

/* Virtual interrupts are on and one is pending, where VME or PVI gives both a meaning: whoever
 * returned here should have delivered it. The next instruction is #GP(0), as Bochs has it. */
static inline bool cpu_has_inconsistent_vip(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    if ((state->eflags & (FLAG_VIF | FLAG_VIP)) != (FLAG_VIF | FLAG_VIP) || state->cpl != 3)
        return false;
    return (state->cr4 & (cpu_is_v8086(cpu) ? CR4_VME : CR4_PVI)) != 0;
}
/* Real mode or v8086 mode: segments are selector * 16. */
static inline bool cpu_is_real_addressing(const Cpu *cpu) {
    return !cpu_is_protected(cpu) || cpu_is_v8086(cpu);
}

/* Before a helper: how many iterations of a REP string may run; one at a time while
 * single-stepping. */
static inline void cpu_allow_iterations(Cpu *cpu) {
    uint64_t left = cpu->count_end - cpu->state.instruction_count;
    cpu->iterations_allowed = cpu->state.eflags & FLAG_TF ? 1
                              : left > UINT32_MAX         ? UINT32_MAX
                              : left > 0                  ? (uint32_t)left
                                                          : 1;
    cpu->iterations = 0;
}

/* Input pins. */
void cpu_set_intr(void *cpu, int line, int level);
void cpu_set_nmi(void *cpu, int line, int level);
void cpu_set_init(void *cpu, int line, int level);
void cpu_set_smi(void *cpu, int line, int level);

/* Would an interrupt be taken before the next instruction? (INTR and IF, NMI or SMI, and no
 * shadow.) */
bool cpu_has_deliverable_interrupt(const Cpu *cpu);
/* The same whether there is a shadow or not: is there anything that one would hold back? */
bool cpu_wants_interrupt(const Cpu *cpu);

/* After the state was replaced (a restore, a test's set-up): hands the control registers to the TLB
 * and derives what is kept twice. Drops all TLB entries; a checkpoint's own are loaded after this.
 */
void cpu_state_restored(Cpu *cpu);

/* The time-stamp counter as RDTSC gives it. */
uint64_t cpu_read_tsc(const Cpu *cpu);

/* After the features were chosen: gathers the words of CPUID. cpuid.c */
void cpuid_prepare(Cpu *cpu);
/* The features as CPUID(1).EDX shows them with the local APIC enabled. cpuid.c */
uint32_t cpuid_features(const Cpu *cpu);

/* Does this processor have the feature (FEATURE_* of cpu_feature.h)? */
static inline bool cpu_has(const Cpu *cpu, unsigned feature) {
    return (cpu->features[0] >> feature & 1) != 0;
}

#endif

/* See oracle_host.h. */
#define _GNU_SOURCE
#include "oracle_host.h"
#include "cpu_feature.h"
#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__)

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { USER_CS64 = 0x33, FLAG_ALIGNMENT_CHECK = 1 << 18, TRAP_PAGE_FAULT = 14 };

/* How oracle_enter gets into the case: laid out for the assembly. */
typedef struct Passage {
    uint64_t rsp;        /* 0: kept for the way back */
    uint32_t gpr[8];     /* 8 */
    uint32_t mxcsr;      /* 40 */
    uint16_t segment[6]; /* 44 */
    uint64_t frame[5];   /* 56: RIP, CS, RFLAGS, RSP, SS, as IRETQ pops them */
    uint8_t fpu[112];    /* 96 */
    uint8_t xmm[8][16];  /* 208 */
} Passage;
_Static_assert(offsetof(Passage, segment) == 44 && offsetof(Passage, frame) == 56 &&
                   offsetof(Passage, fpu) == 96 && offsetof(Passage, xmm) == 208,
               "as oracle_enter has it");

void oracle_enter(Passage *passage);
/* Where a signal's handler sends the process, RSP restored. */
void oracle_return(void);
__asm__(".text\n"
        "oracle_enter:\n"
        "    push %rbx\n    push %rbp\n    push %r12\n    push %r13\n    push %r14\n    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    frstor 96(%rdi)\n"
        "    ldmxcsr 40(%rdi)\n"
        "    movups 208(%rdi), %xmm0\n    movups 224(%rdi), %xmm1\n"
        "    movups 240(%rdi), %xmm2\n    movups 256(%rdi), %xmm3\n"
        "    movups 272(%rdi), %xmm4\n    movups 288(%rdi), %xmm5\n"
        "    movups 304(%rdi), %xmm6\n    movups 320(%rdi), %xmm7\n"
        "    lea 56(%rdi), %rsp\n"
        "    mov 44(%rdi), %es\n    mov 50(%rdi), %ds\n"
        "    mov 52(%rdi), %fs\n    mov 54(%rdi), %gs\n"
        "    mov 8(%rdi), %eax\n    mov 12(%rdi), %ecx\n    mov 16(%rdi), %edx\n"
        "    mov 20(%rdi), %ebx\n    mov 28(%rdi), %ebp\n    mov 32(%rdi), %esi\n"
        "    mov 36(%rdi), %edi\n"
        "    iretq\n"
        "oracle_return:\n"
        "    fninit\n"
        "    movl $0x1F80, -8(%rsp)\n    ldmxcsr -8(%rsp)\n"
        "    xor %eax, %eax\n"
        "    mov %eax, %ds\n    mov %eax, %es\n    mov %eax, %gs\n"
        "    pop %r15\n    pop %r14\n    pop %r13\n    pop %r12\n    pop %rbp\n    pop %rbx\n"
        "    ret\n");

/* A signal handler has no argument of ours. */
static struct {
    Passage *passage; /* NULL: not in a case */
    OracleState *state;
    uint64_t fs_base;
} running;

/* Before this the C library's thread pointer is what the case left in FS. */
static inline void restore_thread(uint64_t fs_base) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_arch_prctl), "D"((long)ARCH_SET_FS), "S"(fs_base)
                     : "rcx", "r11", "memory");
}

static inline void allow_misaligned(void) {
    __asm__ volatile("pushfq\n andl %0, (%%rsp)\n popfq" : : "i"(~FLAG_ALIGNMENT_CHECK) : "cc");
}

static void read_segments(OracleState *state, uint64_t selectors) {
    uint16_t es, ds, fs, gs;
    __asm__ volatile("mov %%es, %0\n mov %%ds, %1\n mov %%fs, %2\n mov %%gs, %3"
                     : "=r"(es), "=r"(ds), "=r"(fs), "=r"(gs));
    const uint16_t segment[6] = {es, (uint16_t)selectors, (uint16_t)(selectors >> 48), ds, fs, gs};
    memcpy(state->segment, segment, sizeof(segment));
}

static void read_fpu(OracleState *state, const struct _libc_fpstate *fpu) {
    state->control = fpu->cwd;
    state->status = fpu->swd;
    state->tags = fpu->ftw & 0xFF;
    state->opcode = fpu->fop & 0x7FF;
    state->ip = (uint32_t)fpu->rip;
    state->dp = (uint32_t)fpu->rdp;
    state->mxcsr = fpu->mxcsr;
    for (unsigned i = 0; i < 8; i++) {
        memcpy(state->st[i], &fpu->_st[i], 10);
        memcpy(state->xmm[i], &fpu->_xmm[i], 16);
    }
}

static void on_signal(int number, siginfo_t *info, void *opaque) {
    uint16_t fs;
    __asm__ volatile("mov %%fs, %0" : "=r"(fs));
    allow_misaligned();
    (void)number;
    (void)info;
    static const unsigned order[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                      REG_RSP, REG_RBP, REG_RSI, REG_RDI};
    mcontext_t *context = &((ucontext_t *)opaque)->uc_mcontext;
    greg_t *registers = context->gregs;
    OracleState *state = running.state;
    if (running.passage == NULL)
        abort();
    read_segments(state, (uint64_t)registers[REG_CSGSFS]);
    restore_thread(running.fs_base);
    state->vector = (uint32_t)registers[REG_TRAPNO];
    state->error_code = (uint32_t)registers[REG_ERR];
    if (state->vector == TRAP_PAGE_FAULT)
        state->cr2 = (uint32_t)registers[REG_CR2];
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = (uint32_t)registers[order[i]];
    state->eip = (uint32_t)registers[REG_RIP];
    state->eflags = (uint32_t)registers[REG_EFL];
    read_fpu(state, context->fpregs);
    registers[REG_RIP] = (greg_t)(uintptr_t)oracle_return;
    registers[REG_RSP] = (greg_t)running.passage->rsp;
    registers[REG_EFL] = 0x202;
    registers[REG_CSGSFS] = (greg_t)((uint64_t)ORACLE_DS << 48 | USER_CS64);
    running.passage = NULL;
}

static uint32_t read_cpuid_word(CpuidWord word) {
    static const struct {
        uint32_t leaf;
        uint8_t reg; /* EAX EBX ECX EDX */
    } places[] = {
        [CPUID_1_EDX] = {1, 3},
        [CPUID_1_ECX] = {1, 2},
        [CPUID_7_EBX] = {7, 1},
        [CPUID_7_ECX] = {7, 2},
        [CPUID_80000001_EDX] = {0x80000001, 3},
        [CPUID_80000001_ECX] = {0x80000001, 2},
    };
    unsigned registers[4] = {0};
    if (!__get_cpuid_count(places[word].leaf, 0, &registers[0], &registers[1], &registers[2],
                           &registers[3]))
        return 0;
    return registers[places[word].reg];
}

/* MONITOR is #UD at CPL 3 whether it is there or not. */
static uint64_t find_features(void) {
    static const struct {
        uint8_t word, bit;
    } places[FEATURE_COUNT] = {
#define FEATURE(name, text, word, bit) [FEATURE_##name] = {CPUID_##word, bit},
#include "cpu_features.def"
#undef FEATURE
    };
    uint64_t features = FEATURE_BIT(FEATURE_386) | FEATURE_BIT(FEATURE_486) |
                        FEATURE_BIT(FEATURE_CPUID) | FEATURE_BIT(FEATURE_NOPL) |
                        FEATURE_BIT(FEATURE_RDPMC) | FEATURE_BIT(FEATURE_MMX_INTEGER) |
                        FEATURE_BIT(FEATURE_MONITOR);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (places[i].word != CPUID_NONE &&
            (read_cpuid_word((CpuidWord)places[i].word) >> places[i].bit & 1) != 0)
            features |= FEATURE_BIT(i);
    return features;
}

static void identify(OracleHost *host) {
    unsigned eax, ebx = 0, ecx, edx, vendor = 0;
    __get_cpuid(0, &eax, &vendor, &ecx, &edx);
    host->is_intel = vendor == signature_INTEL_ebx;
    /* The rules at the head of flags.h are those of an Intel processor, but not of all of them. */
    host->has_our_undefined_flags = host->is_intel && getenv("REPRISE_UNDEFINED_FLAGS") != NULL;
    /* Only AMD's FRSTOR and FNSAVE keep FIP, FDP and FOP where no exception is pending, XSAVE
     * stores zeroes; newer Intel processors have FDP and FOP only of unmasked exceptions. */
    host->has_pointers = host->is_intel;
    host->has_opcode = !host->is_intel;
    host->has_data_pointer =
        !host->is_intel || (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && !(ebx >> 6 & 1));
    host->features = find_features();
}

static bool make_ldt(void) {
    for (unsigned i = 0; i < ORACLE_LDT_COUNT; i++) {
        const OracleDescriptor *from = &oracle_descriptors[i];
        struct user_desc to = {.entry_number = i,
                               .base_addr = from->base,
                               .limit = from->limit,
                               .seg_32bit = from->wide,
                               .contents = from->type >> 2 & 3,
                               .read_exec_only = (from->type >> 1 & 1) == 0,
                               .limit_in_pages = from->pages,
                               .seg_not_present = from->absent,
                               .useable = 1};
        if (syscall(SYS_modify_ldt, 0x11, &to, sizeof(to)) != 0)
            return false;
    }
    return true;
}

/* The pages at ORACLE_BASE, all present, so that no fault is left for the system to resolve
 * quietly; and all of them once more, where they can be written whatever their rights are there. */
static bool make_memory(OracleHost *host) {
    int file = memfd_create("oracle", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, ORACLE_BYTES) != 0)
        return false;
    host->memory = mmap(NULL, ORACLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    bool made = host->memory != MAP_FAILED;
    for (uint32_t at = 0; made && at < ORACLE_BYTES; at += ORACLE_PAGE) {
        void *wanted = (void *)(uintptr_t)(ORACLE_BASE + at);
        int rights = ORACLE_BASE + at == ORACLE_READ_ONLY ? PROT_READ : PROT_READ | PROT_WRITE;
        if (at < ORACLE_CODE_BYTES)
            rights |= PROT_EXEC;
        if (oracle_is_mapped(ORACLE_BASE + at))
            made = mmap(wanted, ORACLE_PAGE, rights,
                        MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, file, at) == wanted;
    }
    close(file);
    return made;
}

bool oracle_host_open(OracleHost *host) {
    enum { STACK_BYTES = 256 * 1024 }; /* frames with all of AVX-512's state */
    static const int signals[] = {SIGFPE, SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    memset(host, 0, sizeof(*host));
    stack_t alternate = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    if (alternate.ss_sp == NULL || sigaltstack(&alternate, NULL) != 0 || !make_memory(host))
        return false;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    identify(host);
    host->has_ldt = make_ldt();
    return syscall(SYS_arch_prctl, ARCH_GET_FS, &running.fs_base) == 0;
}

void oracle_host_close(OracleHost *host) {
    stack_t none = {.ss_flags = SS_DISABLE}, old = {0};
    munmap(host->memory, ORACLE_BYTES);
    munmap((void *)(uintptr_t)ORACLE_BASE, ORACLE_BYTES);
    sigaltstack(&none, &old);
    free(old.ss_sp);
}

bool oracle_host_run(OracleHost *host, const OracleInput *input, OracleState *state) {
    static Passage passage;
    (void)host;
    passage.mxcsr = input->mxcsr;
    memcpy(passage.gpr, input->gpr, sizeof(passage.gpr));
    memcpy(passage.segment, input->segment, sizeof(passage.segment));
    memcpy(passage.fpu, input->fpu, sizeof(input->fpu));
    memcpy(passage.xmm, input->xmm, sizeof(passage.xmm));
    passage.frame[0] = input->eip;
    passage.frame[1] = input->segment[1];
    passage.frame[2] = input->eflags;
    passage.frame[3] = input->gpr[4];
    passage.frame[4] = input->segment[2];
    memset(state, 0, sizeof(*state));
    running.state = state;
    running.passage = &passage;
    oracle_enter(&passage);
    return (state->segment[1] & 3) == 3 && state->segment[1] != USER_CS64;
}

#else

bool oracle_host_open(OracleHost *host) {
    memset(host, 0, sizeof(*host));
    return false;
}

void oracle_host_close(OracleHost *host) {
    (void)host;
}

bool oracle_host_run(OracleHost *host, const OracleInput *input, OracleState *state) {
    (void)host;
    (void)input;
    (void)state;
    return false;
}

#endif

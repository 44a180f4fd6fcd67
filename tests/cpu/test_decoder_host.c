/* The decoder and its flag masks against the processor that this runs on.
 *
 * An instruction is put right before the end of a page behind which nothing is mapped, and is
 * jumped to in a 32-bit or a 16-bit code segment. What comes back is always a signal, and its kind
 * tells:
 *
 *   SIGILL                                  there is no such instruction
 *   a page fault for the byte behind, with
 *     EIP at the start                      the instruction is longer
 *     EIP at the page's end                 it ran, and was exactly that long
 *   anything else                           it is an instruction, and faulted or jumped
 *
 * DS and ES are null and ESP points nowhere, so no instruction reaches memory; a seccomp filter
 * turns system calls from such code, which a string may hold or a jump may find, into signals. Only
 * on x86-64 Linux, loaded above 4 GiB. */
#define _GNU_SOURCE
#include <check.h>
#include <stdlib.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__)

#include "cpu.h"
#include "cpu_feature.h"
#include "insn.h"
#include "suite_run.h"
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    STRING_LENGTH = 16,
    SHORT_RUN = 100000,
    LONG_RUN = 3000000,
    REPORTED_MAX = 20,
    CODE_ADDRESS = 0x10000000, /* below 4 GiB, where nothing else is */
    USER32_CS = 0x23,          /* Linux's selector for 32-bit code */
    LDT_CS = 7,                /* the first entry of the LDT, at CPL 3 */
    STACK_NOWHERE = 0x20000000,
};

/* ---- Running an instruction ---- */

typedef struct Registers {
    uint32_t gpr[8];
    uint32_t eflags;
} Registers;

/* Laid out for the assembly in enter(). */
typedef struct Entry {
    Registers registers;
    uint32_t offset;
    uint16_t selector;
} Entry;

typedef enum Outcome {
    OUTCOME_COMPLETED,
    OUTCOME_FAULTED,
    OUTCOME_UNDEFINED,
    OUTCOME_LONGER
} Outcome;

typedef struct Host {
    uint8_t *code; /* the page, writable */
    unsigned long fs_base;
    sigjmp_buf back;
    volatile sig_atomic_t inside;
    int signal;
    uint64_t rip, address, trap;
    Registers registers;
} Host;

/* A signal handler has no argument of ours. */
static Host host;

__attribute__((no_stack_protector)) static void on_signal(int number, siginfo_t *info,
                                                          void *context) {
    (void)info;
    /* The instruction may have loaded FS, which is the thread's own: restore it before any library
     * call. */
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"(host.fs_base)
                     : "rcx", "r11", "memory");
    if (!host.inside) {
        if (number == SIGALRM) {
            return;
        }
        abort();
    }
    const greg_t *from = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const int order[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                 REG_RSP, REG_RBP, REG_RSI, REG_RDI};
    for (int i = 0; i < 8; i++) {
        host.registers.gpr[i] = (uint32_t)from[order[i]];
    }
    host.registers.eflags = (uint32_t)from[REG_EFL];
    host.signal = number;
    host.rip = (uint64_t)from[REG_RIP];
    host.address = (uint64_t)from[REG_CR2];
    host.trap = (uint64_t)from[REG_TRAPNO];
    host.inside = 0;
    siglongjmp(host.back, 1);
}

/* Loads the registers and flags and jumps. */
__attribute__((noreturn)) static void enter(const Entry *entry) {
    host.inside = 1;
    __asm__ volatile("mov %0, %%r15\n\t"
                     "xor %%eax, %%eax\n\t"
                     "mov %%eax, %%ds\n\t"
                     "mov %%eax, %%es\n\t"
                     "mov 32(%%r15), %%eax\n\t"
                     "push %%rax\n\t"
                     "popfq\n\t"
                     "mov 0(%%r15), %%eax\n\t"
                     "mov 4(%%r15), %%ecx\n\t"
                     "mov 8(%%r15), %%edx\n\t"
                     "mov 12(%%r15), %%ebx\n\t"
                     "mov 20(%%r15), %%ebp\n\t"
                     "mov 24(%%r15), %%esi\n\t"
                     "mov 28(%%r15), %%edi\n\t"
                     "mov 16(%%r15), %%esp\n\t"
                     "ljmp *36(%%r15)"
                     :
                     : "r"(entry)
                     : "memory");
    __builtin_unreachable();
}

/* Returns after the signal. */
static void enter_and_return(const Entry *entry) {
    if (sigsetjmp(host.back, 0) == 0) {
        enter(entry);
    }
    __asm__ volatile("fninit; cld");
}

static Outcome run_once(DecodeMode mode, const uint8_t *bytes, unsigned length,
                        const Registers *registers) {
    uint32_t start = (mode == DECODE_32 ? CODE_ADDRESS : 0) + PAGE_SIZE - length;
    memset(host.code + PAGE_SIZE - 64, 0xCC, 64);
    memcpy(host.code + PAGE_SIZE - length, bytes, length);
    Entry entry = {*registers, start, mode == DECODE_32 ? USER32_CS : LDT_CS};
    enter_and_return(&entry);
    if (host.signal == SIGILL && host.rip == start) {
        return OUTCOME_UNDEFINED;
    }
    if (host.signal != SIGSEGV || host.trap != EXCEPTION_PF ||
        host.address != CODE_ADDRESS + PAGE_SIZE) {
        return OUTCOME_FAULTED;
    }
    return host.rip == start            ? OUTCOME_LONGER
           : host.rip == start + length ? OUTCOME_COMPLETED
                                        : OUTCOME_FAULTED;
}

/* Again where only the alarm came, which is there for instructions that loop. */
static Outcome run(DecodeMode mode, const uint8_t *bytes, unsigned length,
                   const Registers *registers) {
    Outcome outcome = OUTCOME_FAULTED;
    for (int i = 0; i < 3; i++) {
        outcome = run_once(mode, bytes, length, registers);
        if (host.signal != SIGALRM) {
            break;
        }
    }
    return outcome;
}

/* Every system call by a door of 32-bit code becomes SIGSYS. */
static bool forbid_system_calls(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* False where the kernel grants no 16-bit segment, no fixed page, no filter. */
static bool prepare_host(void) {
    if ((uintptr_t)&host <= UINT32_MAX) {
        return false; /* 32-bit code could jump into this program */
    }
    int file = memfd_create("code", 0);
    if (file < 0 || ftruncate(file, PAGE_SIZE) != 0) {
        return false;
    }
    host.code = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *fixed = mmap((void *)(uintptr_t)CODE_ADDRESS, PAGE_SIZE, PROT_READ | PROT_EXEC,
                       MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
    close(file);
    struct user_desc segment = {
        .entry_number = 0, .base_addr = CODE_ADDRESS, .limit = 0xFFFF, .contents = 2};
    if (host.code == MAP_FAILED || fixed != (void *)(uintptr_t)CODE_ADDRESS ||
        syscall(SYS_modify_ldt, 1, &segment, sizeof segment) != 0 ||
        syscall(SYS_arch_prctl, ARCH_GET_FS, &host.fs_base) != 0) {
        return false;
    }
    static uint8_t stack[256 * 1024];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    return sigaltstack(&alternate, NULL) == 0 && forbid_system_calls();
}

/* In the test's own process: Check's parent has another use for SIGALRM. */
static void catch_signals(void) {
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    static const int signals[] = {SIGILL, SIGSEGV, SIGTRAP, SIGBUS, SIGFPE, SIGALRM, SIGSYS};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        ck_assert_int_eq(sigaction(signals[i], &action, NULL), 0);
    }
    struct itimerval every = {{0, 20000}, {0, 20000}};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
}

/* ---- Random instructions ---- */

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 8;
}

static void make_string(uint64_t *random, uint8_t bytes[STRING_LENGTH]) {
    static const uint8_t prefixes[] = {0x66, 0xF2, 0xF3, 0x67, 0x66, 0xF2, 0xF3, 0x26,
                                       0x2E, 0x36, 0x3E, 0x64, 0x65, 0xF0, 0x66, 0xF3};
    for (int i = 0; i < STRING_LENGTH; i++) {
        bytes[i] = (uint8_t)next_random(random);
    }
    uint64_t choice = next_random(random);
    unsigned count = choice % 64 == 0 ? choice >> 6 & 15
                     : choice % 8 < 4 ? 0
                     : choice % 8 < 7 ? 1
                                      : choice >> 6 & 3;
    unsigned at = 0;
    while (at < count) {
        bytes[at++] = prefixes[next_random(random) & 15];
    }
    if ((choice >> 12 & 7) < 3 && at + 1 < STRING_LENGTH) {
        bytes[at++] = 0x0F;
        if ((choice >> 15 & 7) == 0) {
            bytes[at] = choice >> 18 & 1 ? 0x38 : 0x3A;
        }
    }
    if (choice >> 20 & 1 && at + 1 < STRING_LENGTH) {
        bytes[at + 1] |= 0xC0; /* registers complete */
    }
}

static void make_registers(uint64_t *random, Registers *registers) {
    for (int i = 0; i < 8; i++) {
        registers->gpr[i] = (uint32_t)next_random(random) >> (next_random(random) & 31);
    }
    registers->gpr[REG_ESP] = STACK_NOWHERE;
    registers->eflags = (uint32_t)next_random(random) & (FLAG_STATUS | FLAG_DF);
    registers->eflags |= FLAG_1 | FLAG_IF;
}

/* ---- What must agree ---- */

/* Instructions that a user program cannot try: they call the kernel, are another processor's, or
 * depend on its settings. */
static bool is_untestable(const Insn *insn) {
    switch (insn->code) {
    case INSN_INT:
    case INSN_SYSENTER:
    case INSN_SYSCALL:
    case INSN_SYSRET:
    case INSN_SYSEXIT:
    case INSN_RSM:
    case INSN_UD0:
    case INSN_UD1:
    case INSN_UD2:
    case INSN_MOV_TR:
    case INSN_MONITOR:
    case INSN_MWAIT:
    case INSN_CLAC:
    case INSN_STAC:
    case INSN_INVPCID:
    case INSN_RDTSCP:
    case INSN_RDRAND:
    case INSN_RDSEED:
    case INSN_ADCX:
    case INSN_ADOX:
    case INSN_CLFLUSHOPT:
    case INSN_CLWB:
    case INSN_MOVBE: /* and other features that not every host has */
    case INSN_PREFETCH:
    case INSN_PREFETCHW:
        return true;
    default:
        return insn->map == 1 && insn->opcode >= 0x0D && insn->opcode <= 0x0F; /* 3DNow! */
    }
}

/* Being too long, or undefined: AMD's processors see the latter first where they need no ModRM byte
 * for it. */
static bool is_undefined_anyway(const Insn *insn) {
    bool by_opcode = insn->map == 1 && (insn->opcode == 0xFF || insn->opcode == 0xB9 ||
                                        insn->opcode == 0x24 || insn->opcode == 0x26);
    return by_opcode || (insn->row != NULL && insn->row->code == INSN_INVALID);
}

/* Reads the page that it stands in to its end, and so faults where a longer instruction does. */
static bool reads_code(const Insn *insn) {
    return (insn->row->attributes & ROW_STRING) && (insn->prefixes & PREFIX_SEGMENT);
}

static const char *check_length(DecodeMode mode, DecodeStatus status, const Insn *insn,
                                const uint8_t *bytes, const Registers *registers) {
    if (status == DECODE_TOO_LONG) {
        return run(mode, bytes, STRING_LENGTH, registers) == OUTCOME_FAULTED ||
                       is_undefined_anyway(insn)
                   ? NULL
                   : "the processor does not find it too long";
    }
    if (status == DECODE_INVALID) {
        bool by_lock =
            insn->code != INSN_INVALID && insn->prefixes & PREFIX_LOCK && insn->code != INSN_MOV_CR;
        return !by_lock || run(mode, bytes, STRING_LENGTH - 1, registers) != OUTCOME_COMPLETED
                   ? NULL
                   : "the processor allows LOCK";
    }
    if (reads_code(insn)) {
        return NULL;
    }
    Outcome outcome = run(mode, bytes, insn->length, registers);
    if (outcome == OUTCOME_UNDEFINED || outcome == OUTCOME_LONGER) {
        return outcome == OUTCOME_LONGER ? "the processor finds it longer"
                                         : "the processor finds it undefined";
    }
    if (insn->length > 1 && run(mode, bytes, insn->length - 1u, registers) != OUTCOME_LONGER) {
        return "the processor finds it shorter";
    }
    return NULL;
}

/* With a count of zero all flags stay, though the row says that they are written. */
static bool has_zero_count(const Insn *insn, const Registers *registers) {
    if (insn->row->attributes & ROW_STRING) {
        return true; /* all that completes here: others reach memory */
    }
    switch (insn->code) {
    case INSN_SHL:
    case INSN_SHR:
    case INSN_SAR:
    case INSN_ROL:
    case INSN_ROR:
    case INSN_RCL:
    case INSN_RCR:
    case INSN_SHLD:
    case INSN_SHRD: {
        const Operand *count = &insn->operand[insn->operand_count - 1];
        unsigned value = count->kind == OPERAND_ONE   ? 1
                         : count->kind == OPERAND_IMM ? insn->immediate
                                                      : registers->gpr[REG_ECX];
        return (value & 31) == 0;
    }
    default:
        return false;
    }
}

/* An instruction that completes must leave alone what its row says that it does not write, and must
 * give the same result whatever the flags are that its row says it does not read. */
static const char *check_flags(DecodeMode mode, const Insn *insn, const uint8_t *bytes,
                               const Registers *registers) {
    const OpcodeRow *row = insn->row;
    if (run(mode, bytes, insn->length, registers) != OUTCOME_COMPLETED ||
        has_zero_count(insn, registers)) {
        return NULL;
    }
    Registers first = host.registers;
    uint32_t touched = row->flags_written | row->flags_undefined;
    if (((first.eflags ^ registers->eflags) & FLAG_STATUS & ~touched) != 0) {
        return "it writes a flag that its row does not name";
    }
    if (row->attributes & (ROW_X87 | ROW_MMX | ROW_SSE)) {
        return NULL; /* their registers are not the same from run to run */
    }
    Registers other = *registers;
    other.eflags ^= FLAG_STATUS & ~row->flags_read;
    if (run(mode, bytes, insn->length, &other) != OUTCOME_COMPLETED) {
        return host.signal == SIGALRM ? NULL : "it depends on a flag that its row does not name";
    }
    uint32_t defined = row->flags_written & ~row->flags_undefined & FLAG_STATUS;
    if (memcmp(first.gpr, host.registers.gpr, sizeof first.gpr) != 0 ||
        ((first.eflags ^ host.registers.eflags) & defined) != 0) {
        return "its result depends on a flag that its row does not name";
    }
    return NULL;
}

static void report(DecodeMode mode, const Insn *insn, DecodeStatus status, const uint8_t *bytes,
                   const char *fault) {
    char text[128] = "";
    if (status == DECODE_OK) {
        insn_format(insn, 0, text, sizeof text);
    }
    fprintf(stderr, "%d-bit ", mode == DECODE_16 ? 16 : 32);
    for (int i = 0; i < STRING_LENGTH; i++) {
        fprintf(stderr, "%02x", bytes[i]);
    }
    fprintf(stderr, ": '%s' of %u bytes (status %d): %s\n", text, insn->length, (int)status, fault);
}

static bool reads_counter(const Insn *insn) {
    return insn->code == INSN_RDTSC || insn->code == INSN_RDPMC || insn->code == INSN_CPUID;
}

static void run_strings(DecodeMode mode, uint64_t random) {
    long strings = getenv("REPRISE_LONG") != NULL ? LONG_RUN : SHORT_RUN;
    unsigned failures = 0;
    catch_signals();
    for (long i = 0; i < strings / 2 && failures < REPORTED_MAX; i++) {
        uint8_t bytes[STRING_LENGTH];
        Registers registers;
        Insn insn;
        make_string(&random, bytes);
        make_registers(&random, &registers);
        DecodeStatus status = insn_decode(bytes, STRING_LENGTH, mode, &insn);
        if (is_untestable(&insn)) {
            continue;
        }
        const char *fault = check_length(mode, status, &insn, bytes, &registers);
        if (fault == NULL && status == DECODE_OK && !reads_counter(&insn)) {
            fault = check_flags(mode, &insn, bytes, &registers);
        }
        if (fault != NULL) {
            report(mode, &insn, status, bytes, fault);
            failures++;
        }
    }
    ck_assert_uint_eq(failures, 0);
}

START_TEST(processor_agrees_in_16_bit_code) {
    run_strings(DECODE_16, 0x9E3779B97F4A7C15);
}
END_TEST

START_TEST(processor_agrees_in_32_bit_code) {
    run_strings(DECODE_32, 0xD1B54A32D192ED03);
}
END_TEST

static bool has_features(void) {
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
}

int main(void) {
    if (!has_features() || !prepare_host()) {
        return 77;
    }
    Suite *suite = suite_create("decoder_host");
    TCase *tests = tcase_create("random");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, processor_agrees_in_16_bit_code);
    tcase_add_test(tests, processor_agrees_in_32_bit_code);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#else

int main(void) {
    return 77;
}

#endif

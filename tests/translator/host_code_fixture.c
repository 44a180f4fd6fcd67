/* See host_code_fixture.h. */
#define _GNU_SOURCE
#include "host_code_fixture.h"
#include <string.h>

typedef struct CodeWriter {
    uint8_t *at;
} CodeWriter;

static void put_32(CodeWriter *writer, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        *writer->at++ = (uint8_t)(value >> 8 * i);
}

/* An instruction whose operand is memory at a fixed address. */
static void put_insn(CodeWriter *writer, const char *bytes, size_t count, uint32_t address) {
    memcpy(writer->at, bytes, count);
    writer->at += count;
    put_32(writer, address);
}
#define PUT(bytes, address) put_insn(&writer, bytes, sizeof(bytes) - 1, address)

#define INPUT(field) (ORACLE_INPUT + (uint32_t)offsetof(OracleInput, field))
#define OUTPUT(field) (ORACLE_OUTPUT + (uint32_t)offsetof(OracleOutput, field))

static void write_load(uint8_t *at) {
    CodeWriter writer = {at};
    PUT("\xDD\x25", INPUT(fpu));       /* frstor [fpu] */
    PUT("\x0F\xAE\x15", INPUT(mxcsr)); /* ldmxcsr [mxcsr] */
    for (unsigned i = 0; i < 8; i++) { /* movups xmm_i, [xmm + 16 i] */
        const uint8_t insn[] = {0x0F, 0x10, (uint8_t)(0x05 | i << 3)};
        put_insn(&writer, (const char *)insn, 3, INPUT(xmm) + 16 * i);
    }
    PUT("\xBC", INPUT(eflags));     /* mov esp, eflags */
    *writer.at++ = 0x9D;            /* popfd */
    *writer.at++ = 0x61;            /* popad */
    PUT("\x8B\x25", INPUT(esp));    /* mov esp, [esp] */
    PUT("\xFF\x25", INPUT(target)); /* jmp [target] */
}

static uint8_t *write_store(uint8_t *at) {
    CodeWriter writer = {at};
    for (unsigned i = 0; i < 8; i++) { /* mov [gpr + 4 i], reg_i */
        const uint8_t insn[] = {0x89, (uint8_t)(0x05 | i << 3)};
        put_insn(&writer, (const char *)insn, 2, OUTPUT(gpr) + 4 * i);
    }
    PUT("\xBC", ORACLE_OUTPUT_STACK);  /* mov esp, stack */
    *writer.at++ = 0x9C;               /* pushfd */
    PUT("\x8F\x05", OUTPUT(eflags));   /* pop dword [eflags] */
    for (unsigned i = 0; i < 8; i++) { /* movups [xmm + 16 i], xmm_i */
        const uint8_t insn[] = {0x0F, 0x11, (uint8_t)(0x05 | i << 3)};
        put_insn(&writer, (const char *)insn, 3, OUTPUT(xmm) + 16 * i);
    }
    PUT("\x0F\xAE\x1D", OUTPUT(mxcsr)); /* stmxcsr [mxcsr] */
    PUT("\xDD\x35", OUTPUT(fpu));       /* fnsave [fpu] */
    return writer.at;
}

static void write_fault(uint8_t *at) {
    CodeWriter writer = {at};
    PUT("\x8F\x05", OUTPUT(fault_eip)); /* pop dword [fault_eip] */
    memcpy(writer.at,
           "\x8D\x64\x24\x04" /* lea esp, [esp + 4] */
           "\x9D",            /* popfd */
           5);
    writer.at += 5;
    PUT("\xE9", ORACLE_STORE - (ORACLE_FAULT + 6 + 5 + 5)); /* jmp store */
}

void oracle_write_frame(uint8_t *memory) {
    memset(memory, 0xF4, ORACLE_CODE - ORACLE_BASE);
    write_load(memory + (ORACLE_LOAD - ORACLE_BASE));
    write_store(memory + (ORACLE_STORE - ORACLE_BASE));
    write_fault(memory + (ORACLE_FAULT - ORACLE_BASE));
}

#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__)

#include <immintrin.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { USER_CS = 0x33, USER32_CS = 0x23, USER_DS = 0x2B, DIVIDE_ERROR = 0 };

/* Where oracle_enter keeps the stack pointer, and where it jumps: laid out for the assembly. */
typedef struct Passage {
    uint64_t rsp;
    uint32_t offset;
    uint16_t selector;
} Passage;

enum { PASSAGE = ORACLE_OUTPUT + 0xF00, RETURN_64 = ORACLE_BASE + 0xC00 };

/* Saves what a callee keeps, and jumps into 32-bit code; that comes back to RETURN_64. */
void oracle_enter(Passage *passage);
__asm__(".text\n"
        "oracle_enter:\n"
        "    push %rbx\n    push %rbp\n    push %r12\n    push %r13\n    push %r14\n    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov $0x2B, %eax\n"
        "    mov %eax, %ds\n"
        "    mov %eax, %es\n"
        "    ljmp *8(%rdi)\n");

/* A signal handler has no argument of ours. */
static struct {
    sigjmp_buf back;
    HostCode *running;
    int signal;
    uint32_t eip;
} host_signal;

static void on_signal(int number, siginfo_t *info, void *opaque) {
    greg_t *registers = ((ucontext_t *)opaque)->uc_mcontext.gregs;
    (void)info;
    if (host_signal.running == NULL)
        abort();
    host_signal.eip = (uint32_t)registers[REG_RIP];
    host_signal.signal = number;
    if (number == SIGFPE && registers[REG_TRAPNO] == DIVIDE_ERROR) {
        memcpy(host_signal.running->memory + (OUTPUT(fault_eip) - ORACLE_BASE), &host_signal.eip,
               4);
        registers[REG_RIP] = ORACLE_STORE;
        return;
    }
    siglongjmp(host_signal.back, 1);
}

static void write_return(uint8_t *memory) {
    static const uint8_t far_jump[] = {
        0xEA, RETURN_64 & 0xFF, RETURN_64 >> 8 & 0xFF, RETURN_64 >> 16, 0, USER_CS, 0};
    memcpy(write_store(memory + (ORACLE_STORE - ORACLE_BASE)), far_jump, sizeof(far_jump));
    static const uint8_t tail[] = {0xFC, 0x41, 0x5F, 0x41, 0x5E, 0x41,
                                   0x5D, 0x41, 0x5C, 0x5D, 0x5B, 0xC3};
    CodeWriter writer = {memory + (RETURN_64 - ORACLE_BASE)};
    PUT("\x48\x8B\x24\x25", PASSAGE);      /* mov rsp, [passage.rsp] */
    memcpy(writer.at, tail, sizeof(tail)); /* cld; pop r15 r14 r13 r12 rbp rbx; ret */
}

bool host_code_open(HostCode *host) {
    void *wanted = (void *)(uintptr_t)ORACLE_BASE;
    static uint8_t stack[64 * 1024];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    host->memory = mmap(wanted, ORACLE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (host->memory != wanted || sigaltstack(&alternate, NULL) != 0)
        return false;
    static const int signals[] = {SIGFPE, SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    oracle_write_frame(host->memory);
    write_return(host->memory);
    return true;
}

void host_code_close(HostCode *host) {
    munmap(host->memory, ORACLE_BYTES);
}

bool host_code_run(HostCode *host, int *signal, uint32_t *eip) {
    Passage *passage = (Passage *)(host->memory + (PASSAGE - ORACLE_BASE));
    unsigned mxcsr = _mm_getcsr();
    *passage = (Passage){0, ORACLE_LOAD, USER32_CS};
    bool completed = sigsetjmp(host_signal.back, 0) == 0;
    if (completed) {
        host_signal.running = host;
        oracle_enter(passage);
    }
    host_signal.running = NULL;
    __asm__ volatile("fninit; cld");
    _mm_setcsr(mxcsr);
    *signal = host_signal.signal;
    *eip = host_signal.eip;
    return completed;
}

#else

bool host_code_open(HostCode *host) {
    (void)host;
    return false;
}

void host_code_close(HostCode *host) {
    (void)host;
}

bool host_code_run(HostCode *host, int *signal, uint32_t *eip) {
    (void)host;
    (void)signal;
    (void)eip;
    return false;
}

#endif

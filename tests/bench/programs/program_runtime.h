/* What the benchmark programs run on instead of a C library: start, system calls, checksums.
 *
 * The programs are static IA-32 ELF files without any library, so that neither a 32-bit compiler
 * installation nor a distribution of the guest's is needed, and the same file runs natively. */
#ifndef PROGRAM_RUNTIME_H
#define PROGRAM_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

enum { FULL_SCALE = 16, CHECKSUM_START = 0x811c9dc5 };

/* Numbers of Linux's IA-32 system calls (arch/x86/entry/syscalls/syscall_32.tbl). */
enum SystemCall {
    CALL_EXIT = 1,
    CALL_FORK = 2,
    CALL_READ = 3,
    CALL_WRITE = 4,
    CALL_EXECVE = 11,
    CALL_LSEEK = 19,
    CALL_GETPID = 20,
    CALL_KILL = 37,
    CALL_PIPE = 42,
    CALL_IOCTL = 54,
    CALL_DUP2 = 63,
    CALL_GETPPID = 64,
    CALL_SIGACTION = 67,
    CALL_REBOOT = 88,
    CALL_MMAP = 90,
    CALL_MUNMAP = 91,
    CALL_WAIT4 = 114,
    CALL_MPROTECT = 125,
    CALL_SCHED_YIELD = 158,
    CALL_FUTEX = 240,
    CALL_MEMFD_CREATE = 356,
};

enum { MAP_READ = 1, MAP_WRITE = 2, MAP_EXECUTE = 4 };

/* Each program defines it: does `scale` sixteenths of the work, returns a checksum of the results.
 * The programs that make processes of their own file find its path in argv[0]. */
uint32_t benchmark(uint32_t scale, char **argv);

/* A system call the way a C library makes it: through the kernel's entry point, by SYSENTER where
 * the processor has it. A negative result is an error number. */
long system_call(enum SystemCall call, long first, long second, long third, long fourth);

/* Private zeroed memory; ends the program if there is none. */
void *map_memory(size_t size, int protection);

/* The same, shared with the processes that are forked afterwards. */
void *map_shared_memory(size_t size);

/* Writes the text and ends the program with status 1. */
_Noreturn void fail(const char *text);

void write_text(const char *text);

/* Used by the compiler as well. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

/* `full` repetitions at full scale; never none. */
static inline uint32_t scaled(uint32_t full, uint32_t scale) {
    uint32_t count = (uint32_t)((uint64_t)full * scale / FULL_SCALE);
    return count ? count : 1;
}

/* Marsaglia's xorshift; the state must not be 0. */
static inline uint32_t random_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Fills memory with bytes of random_next(), the same at every call. */
static inline void fill_random(void *to, size_t size) {
    uint8_t *bytes = to;
    uint32_t state = 1;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)random_next(&state);
    }
}

static inline uint32_t checksum_add(uint32_t sum, uint32_t value) {
    return (sum ^ value) * 16777619u;
}

/* Adds the value to 2^-20: what processors that differ in the last bits agree on. */
static inline uint32_t checksum_add_real(uint32_t sum, double value) {
    return checksum_add(sum, (uint32_t)(int32_t)(value * 1048576.0));
}

#endif

#include "program_runtime.h"

enum { AUXILIARY_END = 0, AUXILIARY_ENTRY_POINT = 32 /* AT_SYSINFO */ };

/* Address of the kernel's __kernel_vsyscall, or of our own INT 80h. */
static uintptr_t entry_point;

__asm__(".globl _start\n"
        "_start:\n"
        "    xorl %ebp, %ebp\n"
        "    movl %esp, %eax\n"
        "    andl $-16, %esp\n"
        "    subl $12, %esp\n"
        "    pushl %eax\n"
        "    call program_start\n"
        ".globl software_interrupt\n"
        "software_interrupt:\n"
        "    int $0x80\n"
        "    ret\n");

void software_interrupt(void);
_Noreturn void program_start(uint32_t *stack);

long system_call(enum SystemCall call, long first, long second, long third, long fourth) {
    long result;
    __asm__ volatile("call *%1"
                     : "=a"(result)
                     : "m"(entry_point), "0"(call), "b"(first), "c"(second), "d"(third), "S"(fourth)
                     : "memory", "cc");
    return result;
}

static void *map_anonymous(size_t size, int protection, uint32_t kind) {
    enum { ANONYMOUS = 0x20, MOST_NEGATIVE_ERROR = -4095 };
    uint32_t arguments[6] = {0, size, (uint32_t)protection, ANONYMOUS | kind, (uint32_t)-1, 0};
    long address = system_call(CALL_MMAP, (long)arguments, 0, 0, 0);
    if ((unsigned long)address >= (unsigned long)MOST_NEGATIVE_ERROR) {
        fail("no memory\n");
    }
    return (void *)address;
}

void *map_memory(size_t size, int protection) {
    enum { PRIVATE = 2 };
    return map_anonymous(size, protection, PRIVATE);
}

void *map_shared_memory(size_t size) {
    enum { SHARED = 1 };
    return map_anonymous(size, MAP_READ | MAP_WRITE, SHARED);
}

void *memcpy(void *to, const void *from, size_t size) {
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memset(void *to, int value, size_t size) {
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return result;
}

void write_text(const char *text) {
    size_t length = 0;
    while (text[length]) {
        length++;
    }
    system_call(CALL_WRITE, 1, (long)text, (long)length, 0);
}

_Noreturn static void exit_program(int status) {
    for (;;) {
        system_call(CALL_EXIT, status, 0, 0, 0);
    }
}

_Noreturn void fail(const char *text) {
    write_text(text);
    exit_program(1);
}

static void write_checksum(uint32_t checksum) {
    char text[] = "checksum=00000000\n";
    for (int digit = 0; digit < 8; digit++) {
        text[9 + digit] = "0123456789ABCDEF"[checksum >> (28 - 4 * digit) & 15];
    }
    write_text(text);
}

static void find_entry_point(char **environment) {
    entry_point = (uintptr_t)software_interrupt;
    while (*environment) {
        environment++;
    }
    for (uint32_t *pair = (uint32_t *)(environment + 1); pair[0] != AUXILIARY_END; pair += 2) {
        if (pair[0] == AUXILIARY_ENTRY_POINT) {
            entry_point = pair[1];
        }
    }
}

/* The stack as the kernel leaves it: argc, argv, 0, environment, 0, auxiliary vector. */
_Noreturn void program_start(uint32_t *stack) {
    char **argv = (char **)(stack + 1);
    find_entry_point(argv + stack[0] + 1);
    uint32_t scale = 0;
    for (const char *digit = stack[0] > 1 ? argv[1] : "16"; *digit; digit++) {
        scale = scale * 10 + (uint32_t)(*digit - '0');
    }
    write_checksum(benchmark(scale, argv));
    exit_program(0);
}

/* Signals: sent to the process itself, and made by writing to a protected page, which the handler
 * opens, as garbage collectors do. */
#include "program_runtime.h"

enum { SENT = 60000, FAULTS = 40000, PAGE_BYTES = 4096, USER_SIGNAL = 10, SEGMENT_SIGNAL = 11 };

/* struct old_sigaction of IA-32 Linux (arch/x86/include/uapi/asm/signal.h). */
typedef struct {
    void (*handler)(int);
    uint32_t mask;
    uint32_t flags;
    void (*restorer)(void);
} SignalAction;

static uint32_t volatile received;
static uint8_t volatile *page;

static void protect(int protection) {
    system_call(CALL_MPROTECT, (long)page, PAGE_BYTES, protection, 0);
}

static void handle(int number) {
    received++;
    if (number == SEGMENT_SIGNAL) {
        protect(MAP_READ | MAP_WRITE);
    }
}

static void catch_signal(int number) {
    SignalAction action = {.handler = handle};
    if (system_call(CALL_SIGACTION, number, (long)&action, 0, 0)) {
        fail("no signal\n");
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    catch_signal(USER_SIGNAL);
    catch_signal(SEGMENT_SIGNAL);
    page = map_memory(PAGE_BYTES, MAP_READ | MAP_WRITE);
    long self = system_call(CALL_GETPID, 0, 0, 0, 0);
    for (uint32_t left = scaled(SENT, scale); left; left--) {
        system_call(CALL_KILL, self, USER_SIGNAL, 0, 0);
    }
    for (uint32_t left = scaled(FAULTS, scale); left; left--) {
        protect(MAP_READ);
        page[left % PAGE_BYTES]++;
    }
    return checksum_add(received, page[1]);
}

/* Two processes that send each other messages through pipes. */
#include "program_runtime.h"

enum { REPETITIONS = 20000, READ_END = 0, WRITE_END = 1, MESSAGE_WORDS = 16 };

static void transfer(enum SystemCall call, int end, uint32_t *message) {
    long size = MESSAGE_WORDS * sizeof *message;
    if (system_call(call, end, (long)message, size, 0) != size) {
        fail("the pipe broke\n");
    }
}

_Noreturn static void answer(int from, int to, uint32_t count) {
    uint32_t message[MESSAGE_WORDS];
    for (; count; count--) {
        transfer(CALL_READ, from, message);
        for (size_t i = 0; i < MESSAGE_WORDS; i++) {
            message[i] = message[i] * 33 + 1;
        }
        transfer(CALL_WRITE, to, message);
    }
    for (;;) {
        system_call(CALL_EXIT, 0, 0, 0, 0);
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    int there[2];
    int back[2];
    if (system_call(CALL_PIPE, (long)there, 0, 0, 0) ||
        system_call(CALL_PIPE, (long)back, 0, 0, 0)) {
        fail("no pipe\n");
    }
    uint32_t count = scaled(REPETITIONS, scale);
    long child = system_call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        answer(there[READ_END], back[WRITE_END], count);
    }
    uint32_t message[MESSAGE_WORDS];
    for (uint32_t i = 0; i < MESSAGE_WORDS; i++) {
        message[i] = i;
    }
    for (; count; count--) {
        transfer(CALL_WRITE, there[WRITE_END], message);
        transfer(CALL_READ, back[READ_END], message);
    }
    system_call(CALL_WAIT4, child, 0, 0, 0);
    uint32_t sum = CHECKSUM_START;
    for (size_t i = 0; i < MESSAGE_WORDS; i++) {
        sum = checksum_add(sum, message[i]);
    }
    return sum;
}

/* Processes that are made, write to a page of theirs, and end. */
#include "program_runtime.h"

enum { REPETITIONS = 1600, PRIVATE_WORDS = 16384 };

static uint32_t words[PRIVATE_WORDS];

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    for (size_t i = 0; i < PRIVATE_WORDS; i++) {
        words[i] = i;
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        long child = system_call(CALL_FORK, 0, 0, 0, 0);
        if (child == 0) {
            words[left % PRIVATE_WORDS] = left;
            system_call(CALL_EXIT, (long)(left & 0x7f), 0, 0, 0);
        }
        int status = -1;
        if (system_call(CALL_WAIT4, child, (long)&status, 0, 0) != child) {
            fail("wait4 failed\n");
        }
        sum = checksum_add(sum, (uint32_t)status);
    }
    return sum;
}

/* Short system calls in a loop. */
#include "program_runtime.h"

enum { REPETITIONS = 400000 };

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    long process = system_call(CALL_GETPID, 0, 0, 0, 0);
    uint32_t equal = 0;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        equal += system_call(CALL_GETPID, 0, 0, 0, 0) == process;
        system_call(CALL_GETPPID, 0, 0, 0, 0);
    }
    return equal;
}

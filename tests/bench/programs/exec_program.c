/* Processes that load and start this file again, to end with a status of their own. */
#include "program_runtime.h"

enum { REPETITIONS = 320, CHILD = 9999 };

/* A scale of CHILD tells the program that it is the child. */
uint32_t benchmark(uint32_t scale, char **argv) {
    static char child_scale[] = "9999";
    if (scale == CHILD) {
        system_call(CALL_EXIT, 42, 0, 0, 0);
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        long child = system_call(CALL_FORK, 0, 0, 0, 0);
        if (child == 0) {
            char *arguments[] = {argv[0], child_scale, NULL};
            system_call(CALL_EXECVE, (long)argv[0], (long)arguments, (long)(arguments + 2), 0);
            fail("execve failed\n");
        }
        int status = -1;
        if (system_call(CALL_WAIT4, child, (long)&status, 0, 0) != child) {
            fail("wait4 failed\n");
        }
        sum = checksum_add(sum, (uint32_t)status);
    }
    return sum;
}

/* Files in memory: written and read in pieces of several sizes, sought in, and asked for their
 * state. */
#include "program_runtime.h"

enum { FILE_BYTES = 65536, REPETITIONS = 360, FILE_SET = 0, SMALL_BYTES = 64, LARGE_BYTES = 8192 };

static uint8_t buffer[LARGE_BYTES];

static void transfer_all(enum SystemCall call, long file, long piece) {
    system_call(CALL_LSEEK, file, 0, FILE_SET, 0);
    for (long done = 0; done < FILE_BYTES; done += piece) {
        if (system_call(call, file, (long)buffer, piece, 0) != piece) {
            fail("no transfer\n");
        }
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    long file = system_call(CALL_MEMFD_CREATE, (long)"bench", 0, 0, 0);
    if (file < 0) {
        fail("no file\n");
    }
    fill_random(buffer, sizeof buffer);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        buffer[left % SMALL_BYTES]++;
        transfer_all(CALL_WRITE, file, left % 4 ? LARGE_BYTES : SMALL_BYTES);
        transfer_all(CALL_READ, file, left % 3 ? LARGE_BYTES : SMALL_BYTES);
        for (long at = 0; at < FILE_BYTES; at += 1024) {
            system_call(CALL_LSEEK, file, at, FILE_SET, 0);
            system_call(CALL_READ, file, (long)buffer, 4, 0);
            sum = checksum_add(sum, buffer[0] | buffer[3] << 8);
        }
    }
    return sum;
}

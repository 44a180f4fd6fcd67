/* 8- and 16-bit arithmetic in parts of registers, as compilers of 16-bit days and assembly
 * programmers wrote it: AH beside AL, results read back as a whole. */
#include "program_runtime.h"

enum { BYTES = 4096, REPETITIONS = 36000 };

static uint8_t bytes[BYTES];

/* Two sums modulo 256 in BL and BH, a 16-bit mix of them in DX. */
static uint32_t mix(uint32_t state) {
    const uint8_t *from = bytes;
    uint32_t count = BYTES / 2;
    uint32_t wide = 0;
    uint32_t words = 0x1234;
    __asm__ volatile("1:\n"
                     "    movw (%[from]), %%ax\n"
                     "    addb %%al, %%bl\n"
                     "    adcb %%ah, %%bh\n"
                     "    xorb %%bl, %%ah\n"
                     "    rolb $1, %%al\n"
                     "    xchgb %%al, %%ah\n"
                     "    addw %%ax, %%dx\n"
                     "    incb %%dh\n"
                     "    subb %%dl, %%bh\n"
                     "    rorw $3, %%dx\n"
                     "    sbbw $0, %%dx\n"
                     "    movzbl %%bh, %%eax\n"
                     "    addl %%eax, %[wide]\n"
                     "    movb %%dl, %%ah\n"
                     "    addl %%eax, %[wide]\n"
                     "    addl $2, %[from]\n"
                     "    decl %[count]\n"
                     "    jnz 1b\n"
                     : [from] "+S"(from), [count] "+c"(count), [wide] "+D"(wide), "+b"(state),
                       "+d"(words)
                     :
                     : "eax", "cc", "memory");
    return state ^ wide;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_random(bytes, sizeof bytes);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        sum = checksum_add(sum, mix(left));
    }
    return sum;
}

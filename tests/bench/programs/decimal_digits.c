/* Decimal arithmetic by the instructions made for it: packed (DAA, DAS) and unpacked (AAA, AAS,
 * AAM, AAD) digits. */
#include "program_runtime.h"

enum { DIGIT_PAIRS = 16, REPETITIONS = 1000000 };

static uint8_t first[DIGIT_PAIRS];
static uint8_t second[DIGIT_PAIRS];

/* to += from, packed; returns the carry. */
static uint32_t add_packed(uint8_t *to, const uint8_t *from) {
    uint32_t count = DIGIT_PAIRS;
    uint32_t carry;
    __asm__ volatile("    clc\n"
                     "1:  movb (%[to]), %%al\n"
                     "    adcb (%[from]), %%al\n"
                     "    daa\n"
                     "    movb %%al, (%[to])\n"
                     "    leal 1(%[to]), %[to]\n"
                     "    leal 1(%[from]), %[from]\n"
                     "    decl %[count]\n"
                     "    jnz 1b\n"
                     "    sbbl %%eax, %%eax\n"
                     : [to] "+D"(to), [from] "+S"(from), [count] "+c"(count), "=&a"(carry)
                     :
                     : "cc", "memory");
    return carry & 1;
}

/* to -= from, packed; returns the borrow. */
static uint32_t subtract_packed(uint8_t *to, const uint8_t *from) {
    uint32_t count = DIGIT_PAIRS;
    uint32_t borrow;
    __asm__ volatile("    clc\n"
                     "1:  movb (%[to]), %%al\n"
                     "    sbbb (%[from]), %%al\n"
                     "    das\n"
                     "    movb %%al, (%[to])\n"
                     "    leal 1(%[to]), %[to]\n"
                     "    leal 1(%[from]), %[from]\n"
                     "    decl %[count]\n"
                     "    jnz 1b\n"
                     "    sbbl %%eax, %%eax\n"
                     : [to] "+D"(to), [from] "+S"(from), [count] "+c"(count), "=&a"(borrow)
                     :
                     : "cc", "memory");
    return borrow & 1;
}

/* The digits of both numbers' bytes multiplied, added and subtracted one by one. */
static uint32_t combine_unpacked(const uint8_t *left, const uint8_t *right) {
    uint32_t sum = 0;
    uint32_t count = DIGIT_PAIRS;
    __asm__ volatile("1:  movb (%[left]), %%al\n"
                     "    andb $15, %%al\n"
                     "    movb (%[right]), %%dl\n"
                     "    andb $15, %%dl\n"
                     "    mulb %%dl\n"
                     "    aam\n"
                     "    addb %%dl, %%al\n"
                     "    aaa\n"
                     "    subb $3, %%al\n"
                     "    aas\n"
                     "    movzwl %%ax, %%edx\n"
                     "    aad\n"
                     "    addb %%al, %%dl\n"
                     "    roll $3, %[sum]\n"
                     "    addl %%edx, %[sum]\n"
                     "    incl %[left]\n"
                     "    incl %[right]\n"
                     "    decl %[count]\n"
                     "    jnz 1b\n"
                     : [left] "+S"(left), [right] "+D"(right), [count] "+c"(count), [sum] "+b"(sum)
                     :
                     : "eax", "edx", "cc", "memory");
    return sum;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    for (size_t i = 0; i < DIGIT_PAIRS; i++) {
        first[i] = (uint8_t)(i * 7 % 10 << 4 | i % 10);
        second[i] = (uint8_t)((i + 3) % 10 << 4 | i * 3 % 10);
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        sum = checksum_add(sum, add_packed(first, second));
        sum = checksum_add(sum, combine_unpacked(first, second));
        sum = checksum_add(sum, left % 3 ? 0 : subtract_packed(second, first));
    }
    return checksum_add(sum, first[0] | first[5] << 8 | first[15] << 16);
}

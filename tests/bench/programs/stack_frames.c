/* Frames as older compilers and assembly programs built them: ENTER with nested levels and LEAVE,
 * PUSHA and POPA, arguments pushed one by one, results taken from the flags, LOOP, XLAT and JECXZ.
 */
#include "program_runtime.h"

enum { REPETITIONS = 8000000 };

uint32_t frame_level(uint32_t value, uint32_t other);
uint32_t frame_mix(uint32_t value, const uint8_t *table);

__asm__(".globl frame_level\n"
        "frame_level:\n"
        "    enter $16, $0\n"
        "    movl 8(%ebp), %eax\n"
        "    movl %eax, -4(%ebp)\n"
        "    pushl 12(%ebp)\n"
        "    pushl -4(%ebp)\n"
        "    call frame_inner\n"
        "    addl $8, %esp\n"
        "    leave\n"
        "    ret\n"
        "frame_inner:\n"
        "    enter $8, $1\n"
        "    pusha\n"
        "    movl 8(%ebp), %eax\n"
        "    movl 12(%ebp), %ecx\n"
        "    andl $7, %ecx\n"
        "    jecxz 2f\n"
        "1:  leal 1(%eax,%eax,2), %eax\n"
        "    loop 1b\n"
        "2:  movl %eax, -8(%ebp)\n"
        "    popa\n"
        "    movl -8(%ebp), %eax\n"
        "    cmpl 12(%ebp), %eax\n"
        "    pushf\n"
        "    popl %edx\n"
        "    andl $1, %edx\n"
        "    addl %edx, %eax\n"
        "    leave\n"
        "    ret\n"
        ".globl frame_mix\n"
        "frame_mix:\n"
        "    pushl %ebx\n"
        "    movl 8(%esp), %eax\n"
        "    movl 12(%esp), %ebx\n"
        "    movl $4, %ecx\n"
        "1:  xlatb\n"
        "    lahf\n"
        "    rorl $9, %eax\n"
        "    sahf\n"
        "    adcb %al, %ah\n"
        "    loop 1b\n"
        "    popl %ebx\n"
        "    ret\n");

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint8_t table[256];
    for (size_t i = 0; i < sizeof table; i++) {
        table[i] = (uint8_t)(i * 167 + 13);
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        sum += frame_level(sum, left);
        sum ^= frame_mix(sum, table);
    }
    return sum;
}

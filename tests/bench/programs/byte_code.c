/* An interpreter of byte code on a stack, dispatched by a jump table. */
#include "program_runtime.h"

enum { REPETITIONS = 240, ITERATIONS = 20000, VARIABLES = 4, STACK_WORDS = 8 };

enum ByteCode { PUSH, LOAD, STORE, ADD, SUBTRACT, MULTIPLY, XOR, SHIFT_RIGHT, JUMP_NOT_ZERO, END };

enum Variable { COUNTER, ACCUMULATOR, MIX };

/* do { mix = (mix * 33 + counter) ^ mix >> 7; accumulator += mix; } while (--counter) */
// clang-format off
static const uint8_t program[] = {
    LOAD, MIX, PUSH, 33, MULTIPLY, LOAD, COUNTER, ADD,
    LOAD, MIX, PUSH, 7, SHIFT_RIGHT, XOR, STORE, MIX,
    LOAD, ACCUMULATOR, LOAD, MIX, ADD, STORE, ACCUMULATOR,
    LOAD, COUNTER, PUSH, 1, SUBTRACT, STORE, COUNTER,
    LOAD, COUNTER, JUMP_NOT_ZERO, 0, END,
};
// clang-format on

static void interpret(const uint8_t *code, uint32_t *variables) {
    uint32_t stack[STACK_WORDS];
    uint32_t *top = stack;
    const uint8_t *next = code;
    for (;;) {
        switch ((enum ByteCode) * next++) {
        case PUSH:
            *top++ = *next++;
            break;
        case LOAD:
            *top++ = variables[*next++];
            break;
        case STORE:
            variables[*next++] = *--top;
            break;
        case ADD:
            top--;
            top[-1] += top[0];
            break;
        case SUBTRACT:
            top--;
            top[-1] -= top[0];
            break;
        case MULTIPLY:
            top--;
            top[-1] *= top[0];
            break;
        case XOR:
            top--;
            top[-1] ^= top[0];
            break;
        case SHIFT_RIGHT:
            top--;
            top[-1] >>= top[0];
            break;
        case JUMP_NOT_ZERO:
            next = *--top ? code + *next : next + 1;
            break;
        case END:
            return;
        }
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t variables[VARIABLES] = {0};
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        variables[COUNTER] = ITERATIONS;
        interpret(program, variables);
    }
    return variables[ACCUMULATOR];
}

/* A fuzz target: what it takes from the fuzzer's bytes, and how it is called. */
#ifndef REPRISE_FUZZ_INPUT_H
#define REPRISE_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

typedef struct FuzzInput {
    const uint8_t *data;
    size_t size, position;
} FuzzInput;

/* The next bytes as a number; 0 once there are no more. */
static inline uint64_t fuzz_number(FuzzInput *input, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && input->position < input->size; i++)
        value |= (uint64_t)input->data[input->position++] << (8 * i);
    return value;
}

/* Each target has these. */
int fuzz_one(const uint8_t *data, size_t size);
void fuzz_clean_up(void);

#endif

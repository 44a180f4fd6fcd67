#include "code_coverage.h"
#include "allocate.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct CoveredCode {
    uint32_t address, size;
    const uint8_t *bytes; /* NULL: not compared */
    uint8_t *executed;    /* one bit a byte */
} CoveredCode;

struct CodeCoverage {
    pthread_mutex_t lock;
    CoveredCode *code;
    size_t count, capacity;
};

CodeCoverage *code_coverage_create(void) {
    CodeCoverage *coverage = allocate_zeroed(sizeof(*coverage));
    pthread_mutex_init(&coverage->lock, NULL);
    return coverage;
}

void code_coverage_destroy(CodeCoverage *coverage) {
    if (coverage == NULL)
        return;
    for (size_t i = 0; i < coverage->count; i++)
        free(coverage->code[i].executed);
    free(coverage->code);
    pthread_mutex_destroy(&coverage->lock);
    free(coverage);
}

void code_coverage_add(CodeCoverage *coverage, uint32_t address, uint32_t size,
                       const uint8_t *bytes) {
    if (size == 0)
        return;
    coverage->code = allocate_grow(coverage->code, &coverage->capacity, coverage->count + 1,
                                   sizeof(*coverage->code));
    coverage->code[coverage->count++] =
        (CoveredCode){address, size, bytes, allocate_zeroed(size / 8 + 1)};
}

/* The part of [address, address + size) that lies in 'code': false if none does. */
static bool clip(const CoveredCode *code, uint32_t address, uint32_t size, uint32_t *first,
                 uint32_t *count) {
    uint64_t end = (uint64_t)address + size, code_end = (uint64_t)code->address + code->size;
    if (address >= code_end || end <= code->address)
        return false;
    *first = address > code->address ? address - code->address : 0;
    *count = (uint32_t)((end < code_end ? end : code_end) - code->address) - *first;
    return true;
}

/* A kernel patches its own code here and there, another program differs nearly everywhere. */
static bool is_same_code(const uint8_t *expected, const uint8_t *found, uint32_t count) {
    uint32_t same = 0;
    for (uint32_t i = 0; i < count; i++)
        same += expected[i] == found[i];
    return same >= (count + 1) / 2;
}

static void note(CoveredCode *code, uint32_t linear, const uint8_t *bytes, uint32_t size) {
    uint32_t first, count;
    if (!clip(code, linear, size, &first, &count))
        return;
    const uint8_t *found = bytes + (code->address + first - linear);
    if (code->bytes != NULL && !is_same_code(code->bytes + first, found, count))
        return;
    for (uint32_t i = first; i < first + count; i++)
        code->executed[i / 8] |= (uint8_t)(1u << i % 8);
}

void code_coverage_note(CodeCoverage *coverage, uint32_t linear, const uint8_t *bytes,
                        uint32_t size) {
    pthread_mutex_lock(&coverage->lock);
    for (size_t i = 0; i < coverage->count; i++)
        note(&coverage->code[i], linear, bytes, size);
    pthread_mutex_unlock(&coverage->lock);
}

static bool has(const CoveredCode *code, uint32_t address, uint32_t size) {
    uint32_t first, count;
    if (!clip(code, address, size, &first, &count))
        return false;
    for (uint32_t i = first; i < first + count; i++)
        if (code->executed[i / 8] >> i % 8 & 1)
            return true;
    return false;
}

bool code_coverage_has(CodeCoverage *coverage, uint32_t address, uint32_t size) {
    bool found = false;
    pthread_mutex_lock(&coverage->lock);
    for (size_t i = 0; i < coverage->count && !found; i++)
        found = has(&coverage->code[i], address, size);
    pthread_mutex_unlock(&coverage->lock);
    return found;
}

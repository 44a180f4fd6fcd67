/* Which code of a guest was ever executed, found out without slowing it: a block is translated when
 * it is about to run for the first time, so whoever notes what is translated knows it. Between the
 * addresses of several programs the bytes decide: code counts where it is what the program's file
 * has there.
 *
 * As coverage by basic blocks always does, code behind an instruction that faulted counts as
 * executed up to the next jump. May be shared by the translators of several threads. */
#ifndef REPRISE_CODE_COVERAGE_H
#define REPRISE_CODE_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct CodeCoverage CodeCoverage;

CodeCoverage *code_coverage_create(void);
/* NULL is allowed. */
void code_coverage_destroy(CodeCoverage *coverage);

/* Code to look at: 'size' bytes at a linear address. 'bytes' are its content, which is not copied
 * and must live as long as the coverage; NULL: whatever runs there counts. Before anything runs. */
void code_coverage_add(CodeCoverage *coverage, uint32_t address, uint32_t size,
                       const uint8_t *bytes);

/* These bytes at a linear address are about to be executed. Any thread. */
void code_coverage_note(CodeCoverage *coverage, uint32_t linear, const uint8_t *bytes,
                        uint32_t size);

/* Was any byte of these executed? Of the code that was added alone. Any thread. */
bool code_coverage_has(CodeCoverage *coverage, uint32_t address, uint32_t size);

#endif

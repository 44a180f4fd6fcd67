/* Where a guest's instructions are executed: of so many instructions the address of one is kept.
 * By instructions and not by the host's time, so a run under -icount has the same profile each
 * time, and one sample in 10,007 costs the guest nothing that it could see. May be shared by the
 * translators of several threads. */
#ifndef REPRISE_CODE_PROFILE_H
#define REPRISE_CODE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

/* A prime, so that no loop's length divides it. */
#define CODE_PROFILE_INTERVAL 10007

typedef struct CodeProfile CodeProfile;

typedef struct CodeSample {
    uint32_t linear;
    uint64_t count; /* 0: free, while the table is filled */
} CodeSample;

CodeProfile *code_profile_create(void);
/* NULL is allowed. */
void code_profile_destroy(CodeProfile *profile);

/* One sample. Any thread. */
void code_profile_add(CodeProfile *profile, uint32_t linear);

/* All addresses, lowest first; belongs to the caller, who frees it. Any thread. */
CodeSample *code_profile_list(CodeProfile *profile, size_t *count);

#endif

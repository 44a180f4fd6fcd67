/* Translating to host code, as the run loop sees it. */
#ifndef REPRISE_JIT_BACKEND_H
#define REPRISE_JIT_BACKEND_H

#include "translator_internal.h"

typedef struct JitBackend JitBackend;

/* Why translated code came back. state.eip, all registers and flags stand in the CPU's state, the
 * count is exact. */
typedef enum JitExit {
    JIT_EXIT_NEXT,  /* go on at state.eip */
    JIT_EXIT_LOOK,  /* the same, after a look at interrupts, key and clock */
    JIT_EXIT_FAULT, /* cpu->exception is to be delivered */
    JIT_EXIT_STEP,  /* the instruction at state.eip must be run by translator_step() */
    JIT_EXIT_POLL,  /* fewer instructions are left than the next block holds */
} JitExit;

/* Is there one for this host? And the name of its kind. */
bool jit_backend_exists(void);
const char *jit_backend_name(const JitBackend *backend);
/* What disassemble() takes for its code. */
unsigned jit_backend_listing(const JitBackend *backend);
/* Does it translate UOP_X87 and UOP_VECTOR? */
bool jit_backend_has_fpu(const JitBackend *backend);
/* Does it emit UOP_JMP_INDIRECT with UOP_FAR? */
bool jit_backend_has_far_returns(const JitBackend *backend);

/* NULL with a message where this host cannot run it. */
JitBackend *jit_backend_create(Translator *translator, Error *error);
void jit_backend_destroy(JitBackend *backend);

/* Translates translator->lifted; the block is in the cache then. NULL: there is no room
 * (jit_backend_is_full()). */
Block *jit_backend_translate(Translator *translator, const BlockKey *key);

bool jit_backend_is_full(const JitBackend *backend);

/* Runs translated code from this block on until it comes back. */
JitExit jit_backend_run(Translator *translator, Block *block);

/* Every translation is gone: reuse the buffer from its start. */
void jit_backend_reset(JitBackend *backend);

/* The mapping of linear pages may have changed, of global ones too or not. */
void jit_backend_forget_indirect(JitBackend *backend, bool global);

/* This block died: indirect jumps do not find it any more. */
void jit_backend_forget_block(JitBackend *backend, Block *block);

/* Where translated code keeps the guest's FPU state in the host's registers (cpu->fpu_live): brings
 * it to the CPU's state, until translated code goes on. Touches no other register. */
void x86_fpu_suspend(Cpu *cpu);

/* Features (FEATURE_BIT) whose vector instructions the host has that these options choose. */
uint64_t jit_backend_host_features(const TranslatorOptions *options);

/* For the cache: this link's site leaves to the run loop again. */
void jit_backend_unlink(void *translator, BlockLink *link);

/* Tells translator->listing of the code that all translations share. */
void jit_backend_list_trampolines(Translator *translator);

#endif

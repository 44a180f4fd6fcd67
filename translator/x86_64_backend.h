/* The x86-64 backend as the run loop sees it. */
#ifndef REPRISE_X86_64_BACKEND_H
#define REPRISE_X86_64_BACKEND_H

#include "translator_internal.h"

typedef struct X86Backend X86Backend;

/* Why translated code came back. state.eip, all registers and flags stand in the CPU's state, the
 * count is exact. */
typedef enum X86Exit {
    X86_EXIT_NEXT,  /* go on at state.eip */
    X86_EXIT_LOOK,  /* the same, after a look at interrupts, key and clock */
    X86_EXIT_FAULT, /* cpu->exception is to be delivered */
    X86_EXIT_STEP,  /* the instruction at state.eip must be run by translator_step() */
    X86_EXIT_POLL,  /* fewer instructions are left than the next block holds */
} X86Exit;

/* NULL with a message where this host cannot run it. */
X86Backend *x86_backend_create(Translator *translator, Error *error);
void x86_backend_destroy(X86Backend *backend);

/* Translates translator->lifted; the block is in the cache then. NULL: there is no room
 * (x86_backend_is_full()). */
Block *x86_backend_translate(Translator *translator, const BlockKey *key);

bool x86_backend_is_full(const X86Backend *backend);

/* Runs translated code from this block on until it comes back. */
X86Exit x86_backend_run(Translator *translator, Block *block);

/* Every translation is gone: reuse the buffer from its start. */
void x86_backend_reset(X86Backend *backend);

/* The mapping of linear pages may have changed, of global ones too or not. */
void x86_backend_forget_indirect(X86Backend *backend, bool global);

/* This block died: indirect jumps do not find it any more. */
void x86_backend_forget_block(X86Backend *backend, Block *block);

/* Where translated code keeps the guest's FPU state in the host's registers (cpu->fpu_live): brings
 * it to the CPU's state, until translated code goes on. Touches no other register. */
void x86_fpu_suspend(Cpu *cpu);

/* Features (FEATURE_BIT) whose vector instructions this host has. */
uint64_t x86_backend_host_features(void);

/* For the cache: this link's site leaves to the run loop again. */
void x86_backend_unlink(void *translator, BlockLink *link);

/* Tells translator->listing of the code that all translations share. */
void x86_backend_list_trampolines(Translator *translator);

#endif

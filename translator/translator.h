/* The translator as the machine sees it: give it a CPU, let it run some instructions. */
#ifndef REPRISE_TRANSLATOR_H
#define REPRISE_TRANSLATOR_H

#include "byte_buffer.h"
#include "code_coverage.h"
#include "code_profile.h"
#include "cpu.h"
#include "error.h"

typedef enum TranslatorBackend { BACKEND_PORTABLE, BACKEND_JIT /* host code */ } TranslatorBackend;

typedef struct TranslatorOptions {
    TranslatorBackend backend;
    size_t buffer_bytes; /* of host code; 0 for the default of 32 MB, 64 KB are the least */
    /* For the matrix of run modes that every test program passes. A guest sees none of them. */
    bool no_chaining;         /* every block returns to the run loop */
    bool no_prepared;         /* the portable backend has one function a micro-op */
    bool no_jump_table;       /* indirect jumps do, and what goes on after a helper */
    bool no_flag_liveness;    /* all flags count as read */
    bool no_flag_states;      /* all flags go to memory after every micro-op */
    bool no_shared_checks;    /* each memory operand has its own TLB check */
    bool no_known_direction;  /* string instructions look at DF when they run */
    bool no_far_links;        /* far jumps and calls always go to helpers */
    bool no_known_pages;      /* each TLB check looks for the page when it is run */
    bool no_single_entry;     /* code that dies soon is translated for each state of flags */
    bool no_revival;          /* what was forgotten by a store is translated anew */
    bool no_fetched_operands; /* code whose operands change is translated with each */
    bool no_side_stores;      /* a store on a page with code always goes through C */
    bool no_page_pairs;       /* accesses over a page's end always ask the TLB in full */
    bool no_bmi2;             /* without the host's BMI2 instructions */
    bool no_inline_strings;   /* REP strings all go to helpers */
    bool no_inline_tsc;       /* RDTSC always goes to its helper */
    bool no_hot_paths;        /* each basic block is translated for itself */
    bool eager_hot_paths;     /* paths are looked for all the time (tests) */
    bool no_inline_fpu;       /* x87, MMX and SSE instructions all go to helpers */
    bool one_insn_blocks;     /* each instruction is a block */
    bool perf_map, jit_dump;  /* names of translations for the host's profiler: code_listing.h */
    CodeCoverage *coverage;   /* is told what is executed; NULL: nobody wants to know */
    CodeProfile *profile;     /* likewise where the instructions go */
    bool flush_blocks;        /* every translation is run once, and forgotten with all others */
    bool force_misses;        /* every memory access takes the slow path */
    uint32_t stress_seed;     /* not 0: random budgets of 1 to 17 instructions */
    bool loose_end; /* an event may come some dozen instructions late, as where the host's clock
                       drives the machine: the last block runs whole */
    bool exact_end; /* the last few instructions before an event are translated too, not run by the
                       portable backend: so that a comparison sees the backend alone */
    const char *foreign_host; /* the emitters of another kind of host, by name: their code is
                                 looked at, not run. NULL: this host's */
    uint8_t corrupt_uop;      /* not 0: the translated form of this micro-op is wrong on purpose, to
                                 prove that lockstep finds it */
} TranslatorOptions;

typedef struct Translator Translator;

/* The fastest backend that this host has. */
TranslatorBackend translator_default_backend(void);

Translator *translator_create(Cpu *cpu, const TranslatorOptions *options, Error *error);
void translator_destroy(Translator *translator);

typedef enum RunExit {
    RUN_BUDGET,   /* that many instructions completed */
    RUN_BREAK,    /* cpu->break_after was set: look at clock and devices, then go on */
    RUN_HALTED,   /* the CPU waits for an interrupt and none can be delivered now */
    RUN_SHUTDOWN, /* triple fault */
} RunExit;

/* Runs at most 'instructions' (> 0) guest instructions; state.instruction_count tells how many
 * completed: never one more, but with the option loose_end, which lets the last block run whole.
 * Interrupts that are deliverable are taken at instruction boundaries in between: at the entry,
 * after whatever may raise or enable one. Exceptions are delivered inside. The whole guest state
 * stands in cpu->state afterwards. */
RunExit translator_run(Translator *translator, int64_t instructions);

/* From now on: option loose_end. */
void translator_set_loose_end(Translator *translator, bool loose);

/* The number of a micro-op by its name in uop.def, for TranslatorOptions.corrupt_uop. */
bool translator_find_uop(const char *name, uint8_t *code);

/* Drops all translations (a restore, a changed option). */
void translator_flush(Translator *translator);

/* Lists every translation that starts at this EIP: where its flags are at entry, guest code, host
 * code of the part that is run unless something special happens, and how many instructions each
 * has. For the golden tests. */
void translator_print_blocks(const Translator *translator, uint32_t eip, ByteBuffer *text);

/* Counters and the state of the buffer, as text for 'info jit'. */
void translator_print_info(const Translator *translator, ByteBuffer *text);

#endif

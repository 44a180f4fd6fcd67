/* What the translator's files share. */
#ifndef REPRISE_TRANSLATOR_INTERNAL_H
#define REPRISE_TRANSLATOR_INTERNAL_H

#include "block_cache.h"
#include "code_listing.h"
#include "context.h"
#include "hot_blocks.h"
#include "hot_path.h"
#include "portable_chain.h"
#include "translator.h"
#include "translator_counters.h"
#include "uop.h"

struct JitBackend;

struct Translator {
    Cpu *cpu;
    TranslatorOptions options;
    BlockCache *cache;
    ContextTable *contexts;
    struct JitBackend *jit; /* NULL: the portable backend */
    PortableChain *chain;   /* of that; NULL elsewhere */
    CodeListing *listing;   /* NULL: nobody profiles */
    uint64_t host_features; /* FEATURE_BIT()s: whose vector instructions the backend takes whole */
    HotPaths *hot_paths;
    UopScratch scratch;
    UopBlock lifted;     /* in scratch, or a hot path's */
    uint16_t next_limit; /* of the key of the block that is run next */
    bool finishes;       /* a run whose loose end was left early, exactly */
    TranslatorCounters counters;
    HotBlocks hot_blocks;
    uint32_t stretches;     /* runs so far: some of them are measured for the hot blocks */
    uint64_t random;        /* of the stress mode */
    uint64_t next_profiled; /* instruction count of the next sample for options.profile */
    size_t portable_bytes;  /* of micro-ops kept by the portable backend since the last flush */
};

/* Where the next instruction is. False: cpu->exception is set (a page fault of the fetch, or #GP
 * beyond the limit of CS). translate.c */
bool translator_fetch_address(Translator *translator, uint32_t *physical);

/* Which way string instructions go in this context: 1 or -1; 0 if translations are not to rely on
 * it. translate.c */
int translator_known_direction(const Translator *translator, const Context *context);

/* What the lifter wants to know of a context. translate.c */
LiftMode translator_lift_mode(const Translator *translator, const Context *context);

/* Lifts the block at state.eip, which lies at 'physical', into translator->lifted: at most
 * 'max_insns' instructions. False: its first instruction runs over the end of the page, or its
 * bytes are no plain memory. translate.c */
bool translator_lift(Translator *translator, uint32_t physical, const Context *context,
                     unsigned max_insns);

/* The same for a place that is not the present one (a look ahead, a link's target). */
bool translator_lift_at(Translator *translator, uint32_t physical, uint32_t eip,
                        const Context *context, unsigned max_insns);

/* The same for the one instruction at 'physical' that runs over its page's end, to this other page
 * (its number). False: it does not, or not for translation. translate.c */
bool translator_lift_across(Translator *translator, uint32_t physical, uint32_t second_page,
                            const Context *context, uint32_t eip);

/* On which physical page (its number) code at this linear address lies, if the TLB knows that and
 * it may be executed: nothing is walked. translate.c */
bool translator_find_page(const Translator *translator, const Context *context, uint32_t linear,
                          uint32_t *physical_page);

/* Pages got their first translation: stores to them are to be noticed. translate.c */

/* Number of the present context; clears everything first if they have run out. translate.c */
uint32_t translator_context(Translator *translator);

/* The translation for this key (second_page is 0 and looked up here), if there is one.
 * translate.c */
Block *translator_find_block(const Translator *translator, const BlockKey *wanted);

/* The same, made if need be; NULL where it cannot be. A full buffer is flushed: every other block,
 * link and number of a flag state is gone then. translate.c */
Block *translator_get_block(Translator *translator, const BlockKey *wanted);
/* NULL also if the buffer is full. */
Block *translator_get_block_unflushed(Translator *translator, const BlockKey *wanted);

/* What translator->lifted holds, at this linear address, is about to be executed: tells the
 * coverage, if there is one. translate.c */
void translator_note_lifted(Translator *translator, const Context *context, uint32_t physical);

/* Drops all translations and counts why. translator.c */
void translator_forget_all(Translator *translator, ForgetReason reason);

/* Runs exactly one instruction at state.eip by the portable backend, wherever its bytes are, with
 * everything that surrounds it: breakpoints, RF, single step, interrupt shadow. step.c */
void translator_step(Translator *translator);

/* Must the next instruction go through translator_step()? An interrupt shadow alone is no reason:
 * the run loop runs one instruction then. */
bool translator_must_step(const Translator *translator);

/* Before a block is entered: there is nothing that the shadow would hold back, and no breakpoint
 * for RF, which its first instruction clears. */
static inline void translator_end_suppression(Cpu *cpu) {
    cpu->state.interrupt_shadow = 0;
    cpu->state.eflags &= ~(uint32_t)FLAG_RF;
}

#endif

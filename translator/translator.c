/* The run loop: from block to block, with interrupts, exceptions and events where they are due. */
#include "translator.h"
#include "cpu_debug.h"
#include "helpers.h"
#include "host_clock.h"
#include "jit_backend.h"
#include "portable.h"
#include "translator_internal.h"
#include <stdlib.h>
#include <string.h>

TranslatorBackend translator_default_backend(void) {
    return jit_backend_exists() ? BACKEND_JIT : BACKEND_PORTABLE;
}

/* Translated code may have left guest values in registers that compiled code is free to use. */
static void before_device(void *opaque) {
    Translator *translator = opaque;
    x86_fpu_suspend(translator->cpu);
}

static void on_device_access(void *opaque) {
    Translator *translator = opaque;
    translator->cpu->outside_accesses++;
    before_device(translator);
}

static void note_forgotten(Translator *translator, bool any, ForgetReason reason) {
    translator->counters.forgotten[reason] += any;
    translator->cpu->code_changed |= any;
}

/* A page gets its first code, or lost the last: store entries are of another kind then. */
static void on_code_appears(void *opaque, uint32_t page) {
    Translator *translator = opaque;
    tlb_drop_page_writes(&translator->cpu->tlb, page);
}

/* A store into translated code: forget what was translated from there. A page that holds code takes
 * this path at every store. */
static void on_code_changes(void *opaque, uint32_t address, uint32_t size) {
    Translator *translator = opaque;
    before_device(translator);
    bool any = block_cache_invalidate(translator->cache, address, size);
    if (any)
        hot_paths_forget(translator->hot_paths, address, size);
    note_forgotten(translator, any, FORGOTTEN_BY_STORE);
}

static void on_layout_changed(void *opaque, uint32_t first_page, uint32_t pages) {
    Translator *translator = opaque;
    before_device(translator);
    /* A20 changes which physical page an address means, not what is in any of them: translations
     * are kept. */
    if (pages != PHYSICAL_PAGES)
        for (uint32_t page = first_page; page < first_page + pages; page++)
            note_forgotten(
                translator,
                block_cache_invalidate_changed(translator->cache, page << PAGE_BITS, PAGE_SIZE),
                FORGOTTEN_BY_LAYOUT);
    tlb_flush_all(&translator->cpu->tlb);
}

static void on_dirty_cleared(void *opaque) {
    Translator *translator = opaque;
    tlb_drop_writes(&translator->cpu->tlb);
}

static void on_tlb_flushed(void *opaque, TlbLoss loss, uint32_t page) {
    Translator *translator = opaque;
    portable_chain_forget(translator->chain);
    before_device(translator);
    if (loss == TLB_LOST_PAGE)
        block_cache_suspend_page(translator->cache, page);
    else
        block_cache_suspend_crossing(translator->cache, loss == TLB_LOST_ALL);
    if (translator->jit != NULL)
        jit_backend_forget_indirect(translator->jit, loss != TLB_LOST_LOCAL);
}

static void on_unlink(void *opaque, BlockLink *link) {
    Translator *translator = opaque;
    translator->counters.unlinks++;
    if (translator->jit != NULL)
        jit_backend_unlink(translator, link);
}

static void on_killed(void *opaque, Block *block) {
    Translator *translator = opaque;
    portable_chain_forget(translator->chain);
    if (translator->jit != NULL)
        jit_backend_forget_block(translator->jit, block);
}

static bool start_listing(Translator *translator, Error *error) {
    const TranslatorOptions *options = &translator->options;
    if (!options->perf_map && !options->jit_dump)
        return true;
    if (translator->jit == NULL)
        return error_set(error, "-perfmap and -jitdump want -accel jit: nothing is translated");
    translator->listing = code_listing_create(options->perf_map, options->jit_dump, error);
    if (translator->listing == NULL)
        return false;
    jit_backend_list_trampolines(translator);
    return true;
}

Translator *translator_create(Cpu *cpu, const TranslatorOptions *options, Error *error) {
    Translator *translator = calloc(1, sizeof(*translator));
    if (translator == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    translator->cpu = cpu;
    translator->options = *options;
    translator->random = options->stress_seed;
    translator->host_features =
        options->backend == BACKEND_JIT ? jit_backend_host_features(options) : UINT64_MAX;
    translator->contexts = context_table_create();
    translator->hot_paths = hot_paths_create(error);
    BlockCacheHooks cache_hooks = {translator, on_unlink, on_killed};
    translator->cache = block_cache_create(cpu->map, &cache_hooks, error);
    if (translator->cache != NULL && options->backend == BACKEND_JIT)
        translator->jit = jit_backend_create(translator, error);
    if (options->backend != BACKEND_JIT)
        translator->chain = calloc(1, sizeof(*translator->chain));
    portable_chain_forget(translator->chain); /* nothing is of the first generation */
    if (translator->contexts == NULL || translator->hot_paths == NULL ||
        translator->cache == NULL || (options->backend == BACKEND_JIT && translator->jit == NULL) ||
        !start_listing(translator, error)) {
        translator_destroy(translator);
        return NULL;
    }
    const PhysicalMapHooks hooks = {
        .opaque = translator,
        .code_appears = on_code_appears,
        .code_disappeared = on_code_appears,
        .code_changes = on_code_changes,
        .layout_changed = on_layout_changed,
        .dirty_cleared = on_dirty_cleared,
        .before_device = on_device_access,
    };
    physical_map_add_hooks(cpu->map, &hooks);
    cpu->tlb.flushed = on_tlb_flushed;
    cpu->tlb.flushed_opaque = translator;
    cpu->translator = translator;
    return translator;
}

void translator_destroy(Translator *translator) {
    if (translator == NULL)
        return;
    if (translator->cpu->translator == translator) {
        physical_map_remove_hooks(translator->cpu->map, translator);
        translator->cpu->tlb.flushed = NULL;
        translator->cpu->translator = NULL;
    }
    jit_backend_destroy(translator->jit);
    free(translator->chain);
    code_listing_destroy(translator->listing);
    block_cache_destroy(translator->cache);
    context_table_destroy(translator->contexts);
    hot_paths_destroy(translator->hot_paths);
    free(translator);
}

bool translator_find_uop(const char *name, uint8_t *code) {
    for (unsigned i = 0; i < UOP_COUNT; i++)
        if (strcmp(uop_info[i].name, name) == 0) {
            *code = (uint8_t)i;
            return true;
        }
    return false;
}

void translator_forget_all(Translator *translator, ForgetReason reason) {
    portable_chain_forget(translator->chain);
    translator->counters.forgotten[reason]++;
    translator->portable_bytes = 0;
    block_cache_clear(translator->cache);
    hot_paths_clear(translator->hot_paths);
    if (translator->jit != NULL)
        jit_backend_reset(translator->jit);
}

void translator_flush(Translator *translator) {
    translator_forget_all(translator, FORGOTTEN_ON_REQUEST);
}

static void deliver_fault(Translator *translator) {
    translator->counters.faults++;
    cpu_deliver_exception(translator->cpu);
}

/* Runs a shorter, uncached translation by the portable backend: fewer instructions are left than
 * the block holds. */
static void run_short(Translator *translator, uint32_t physical, uint32_t context_number,
                      uint64_t left) {
    const Context *context = context_table_get(translator->contexts, context_number);
    unsigned limit = left < UOP_BLOCK_INSNS ? (unsigned)left : UOP_BLOCK_INSNS;
    if (!translator_lift(translator, physical, context, limit)) {
        translator_step(translator);
        return;
    }
    translator_note_lifted(translator, context, physical);
    if (portable_run(translator->cpu, &translator->lifted) == PORTABLE_FAULT)
        deliver_fault(translator);
}

/* Are blocks to be run one by one, with a look at everything in between? */
static bool runs_alone(const Translator *translator) {
    const TranslatorOptions *options = &translator->options;
    return options->no_chaining || options->flush_blocks || options->stress_seed != 0 ||
           options->profile != NULL || (translator->cpu->trace->mask & (TRACE_EXEC | TRACE_CPU));
}

static void run_portable_block(Translator *translator, Block *block) {
    PortableChain *chain = runs_alone(translator) ? NULL : translator->chain;
    if (portable_run_chain(translator->cpu, chain, block, &translator->counters.block_entries) ==
        PORTABLE_FAULT)
        deliver_fault(translator);
}

static void run_jit_block(Translator *translator, Block *block) {
    switch (jit_backend_run(translator, block)) {
    case JIT_EXIT_FAULT:
        deliver_fault(translator);
        break;
    case JIT_EXIT_STEP:
        translator_step(translator);
        break;
    default:
        break;
    }
}

static void trace_entry(const Translator *translator) {
    const CpuState *state = &translator->cpu->state;
    trace_print(translator->cpu->trace, "Trace: %llu [%08X/%08X]\n",
                (unsigned long long)state->instruction_count, state->segment[SEG_CS].base,
                state->eip);
}

/* Fewer instructions are left than the block holds. */
static void run_end(Translator *translator, BlockKey *key, const Block *block, uint64_t left) {
    bool shorter = translator->options.stress_seed != 0 || translator->options.exact_end;
    bool loose = translator->options.loose_end && !translator->finishes;
    if (translator->jit == NULL || !(shorter || loose)) {
        run_short(translator, key->physical, key->context, left);
    } else if (shorter) {
        key->limit = (uint16_t)left; /* wanted are shorter translations of the backend itself */
        run_jit_block(translator, translator_get_block(translator, key));
    } else {
        translator->cpu->count_end += block->insn_count - left;
        run_jit_block(translator, translator_get_block(translator, key));
    }
}

/* So far may be run that the instruction of the next sample lies in the next block. */
static uint64_t profile_limit(Translator *translator, uint64_t limit) {
    uint64_t now = translator->cpu->state.instruction_count;
    if (translator->options.profile == NULL)
        return limit;
    if (translator->next_profiled < now) /* it was run by other ways */
        translator->next_profiled = now;
    uint64_t to_next = translator->next_profiled - now;
    return to_next >= limit ? limit : to_next > 0 ? to_next : 1;
}

/* 'insns' from here on are run next, from one basic block's start. */
static void profile_block(Translator *translator, uint64_t insns) {
    const CpuState *state = &translator->cpu->state;
    if (translator->options.profile == NULL ||
        translator->next_profiled - state->instruction_count >= insns)
        return;
    code_profile_add(translator->options.profile, state->segment[SEG_CS].base + state->eip);
    translator->next_profiled += CODE_PROFILE_INTERVAL;
}

/* One block, or one instruction where it must be: in an interrupt shadow that holds something back,
 * which is looked at after it. */
static void run_once(Translator *translator, uint64_t left) {
    Cpu *cpu = translator->cpu;
    uint16_t limit = translator->next_limit;
    translator->next_limit = 0;
    if (translator->options.flush_blocks)
        translator_flush(translator);
    if (translator_must_step(translator)) {
        translator_step(translator);
        return;
    }
    uint32_t physical;
    if (!translator_fetch_address(translator, &physical)) {
        if (cpu_execution_breakpoints(cpu) != 0)
            translator_step(translator); /* a breakpoint there comes first: SDM table 6-2 */
        else
            deliver_fault(translator);
        return;
    }
    BlockKey key = {.physical = physical,
                    .eip = cpu->state.eip,
                    .context = translator_context(translator),
                    .limit = limit};
    if (hot_paths_sample(translator, &key, left))
        return;
    uint64_t stretch = profile_limit(translator, hot_paths_limit(translator, left));
    if (cpu->state.interrupt_shadow && cpu_wants_interrupt(cpu)) {
        key.limit = 1;
        left = stretch = 1;
    }
    cpu->count_end = cpu->state.instruction_count + stretch;
    Block *block = translator_get_block(translator, &key);
    translator->counters.block_entries++;
    if (cpu->trace->mask & TRACE_EXEC)
        trace_entry(translator);
    if (block == NULL) {
        translator_step(translator);
        return;
    }
    translator_end_suppression(cpu);
    profile_block(translator, block->insn_count < left ? block->insn_count : left);
    if (translator->jit != NULL && stretch < block->insn_count && block->insn_count <= left) {
        cpu->count_end = cpu->state.instruction_count + block->insn_count;
        run_jit_block(translator, block);
    } else if (block->insn_count > left) {
        run_end(translator, &key, block, left);
    } else if (translator->jit != NULL) {
        run_jit_block(translator, block);
    } else {
        run_portable_block(translator, block);
    }
}

/* The stress mode's budget: 1 to 17 instructions at a time. */
static uint64_t stress(Translator *translator, uint64_t left) {
    translator->random = translator->random * 6364136223846793005u + 1442695040888963407u;
    uint64_t budget = (translator->random >> 33) % 17 + 1;
    return budget < left ? budget : left;
}

static RunExit run_until_break(Translator *translator, int64_t instructions) {
    Cpu *cpu = translator->cpu;
    CpuState *state = &cpu->state;
    uint64_t end = state->instruction_count + (uint64_t)instructions;
    cpu->break_after = 0;
    cpu->count_end = state->instruction_count;
    translator->finishes = false;
    for (;;) {
        block_cache_free_dead(translator->cache);
        if (state->init_pending && !state->smm) /* INIT waits for RSM: SDM vol. 3C 31.3 */
            cpu_reset(cpu, true);
        if (state->pending_debug && !(state->interrupt_shadow & SHADOW_MOV_SS))
            cpu_deliver_debug_trap(cpu, state->pending_debug);
        if (!state->interrupt_shadow && cpu_has_deliverable_interrupt(cpu)) {
            translator->counters.interrupts++;
            cpu_deliver_interrupt(cpu);
            if (state->pending_debug) /* its pushes met a breakpoint */
                cpu_deliver_debug_trap(cpu, state->pending_debug);
        }
        if (state->shutdown)
            return RUN_SHUTDOWN;
        if (state->halted)
            return RUN_HALTED;
        if (cpu->break_after)
            return RUN_BREAK;
        if (state->instruction_count >= end) {
            if (translator->finishes || state->instruction_count >= cpu->count_end)
                return RUN_BUDGET;
            /* The last block was to run whole, beyond the end, and was left on the way. If it was
             * left behind STI, that told of no shadow, for there was more to run: it is run. */
            translator->finishes = true;
            end = cpu->count_end;
        }
        uint64_t left = end - state->instruction_count;
        if (translator->options.stress_seed != 0)
            left = stress(translator, left);
        cpu->count_end = state->instruction_count + left;
        run_once(translator, left);
    }
}

/* Asking for the time costs as much as a short stretch: one of so many is measured. */
#define MEASURED_STRETCH 16

/* How many stretches pass between two looks for pages without code. */
#define IDLE_STRETCHES 1024

RunExit translator_run(Translator *translator, int64_t instructions) {
    if (translator->stretches % IDLE_STRETCHES == 0)
        block_cache_release_idle(translator->cache);
    if (++translator->stretches % MEASURED_STRETCH != 0)
        return run_until_break(translator, instructions);
    const CpuState *state = &translator->cpu->state;
    int64_t start_ns = host_clock_ns();
    RunExit exit = run_until_break(translator, instructions);
    hot_blocks_add(&translator->hot_blocks, state->segment[SEG_CS].base, state->eip,
                   (uint64_t)(host_clock_ns() - start_ns));
    return exit;
}

void translator_set_loose_end(Translator *translator, bool loose) {
    translator->options.loose_end = loose;
}

void translator_print_info(const Translator *translator, ByteBuffer *text) {
    byte_buffer_print(text, "backend: %s\n",
                      translator->jit != NULL ? jit_backend_name(translator->jit) : "portable");
    byte_buffer_print(text, "%-32s %u\n", "blocks in the cache",
                      (unsigned)block_cache_block_count(translator->cache));
    translator_counters_print(&translator->counters, translator->cpu, text);
    hot_blocks_print(&translator->hot_blocks, text);
}

/* See portable_chain.h. What changes a context - modes, segments, privilege, breakpoints - leaves
 * its block to the run loop (PORTABLE_LOOK), but for CLD, STD and far jumps of real mode. */
#include "portable_chain.h"

static ChainEntry *find_entry(PortableChain *chain, uint32_t eip, uint32_t context) {
    return &chain->entry[(eip ^ eip >> 12 ^ context * 0x9E3779B1u >> 20) % CHAIN_ENTRIES];
}

/* A block whose page's mapping is watched from now on. */
static void remember(Cpu *cpu, PortableChain *chain, Block *block) {
    const BlockKey *key = &block->key;
    if (key->limit != 0 || key->second_page != 0)
        return;
    tlb_note_code(&cpu->tlb, cpu->state.segment[SEG_CS].base + key->eip);
    *find_entry(chain, key->eip, key->context) =
        (ChainEntry){key->eip, key->context, chain->generation, block};
}

static bool wants_run_loop(const Cpu *cpu, int direction, uint32_t cs_base) {
    const CpuState *state = &cpu->state;
    return cpu->break_after | cpu->code_changed | state->pending_debug | state->init_pending |
               state->interrupt_shadow | (state->direction != direction) |
               (state->segment[SEG_CS].base != cs_base) ||
           cpu_wants_interrupt(cpu);
}

PortableExit portable_run_chain(Cpu *cpu, PortableChain *chain, Block *block,
                                uint64_t *block_entries) {
    if (chain == NULL)
        return portable_run(cpu, block->uops);
    const CpuState *state = &cpu->state;
    uint32_t context = block->key.context;
    int direction = state->direction;
    uint32_t cs_base = state->segment[SEG_CS].base;
    remember(cpu, chain, block);
    uint64_t generation = chain->generation;
    for (;;) {
        PortableExit exit = portable_run(cpu, block->uops);
        if (exit != PORTABLE_NEXT || chain->generation != generation ||
            wants_run_loop(cpu, direction, cs_base))
            return exit;
        const ChainEntry *entry = find_entry(chain, state->eip, context);
        if (entry->eip != state->eip || entry->context != context ||
            entry->generation != generation ||
            state->instruction_count + entry->block->insn_count > cpu->count_end)
            return exit;
        block = entry->block;
        ++*block_entries;
    }
}

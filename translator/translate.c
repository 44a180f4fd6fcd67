/* From an address to a translation: fetching, lifting, entering it in the cache. */
#include "disassemble.h"
#include "flag_state.h"
#include "helpers.h"
#include "translator_internal.h"
#include "x86_64_backend.h"
#include <stdlib.h>
#include <string.h>

bool translator_fetch_address(Translator *translator, uint32_t *physical) {
    Cpu *cpu = translator->cpu;
    const Segment *cs = &cpu->state.segment[SEG_CS];
    if (cpu->state.eip > cs->limit) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    PageFault fault;
    uint32_t linear = cs->base + cpu->state.eip;
    if (!tlb_translate(&cpu->tlb, linear, ACCESS_FETCH, cpu->state.cpl == 3, physical, &fault)) {
        cpu_raise_page_fault(cpu, &fault);
        return false;
    }
    return true;
}

/* How many of the 'available' bytes from a linear address on lie before the next armed execution
 * breakpoint: 0 if there is one right here. */
static size_t bytes_to_breakpoint(const Context *context, uint32_t linear, size_t available) {
    unsigned armed = context_breakpoints(context);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t distance = context->breakpoint[i] - linear;
        if ((armed >> i & 1) && distance < available)
            available = distance;
    }
    return available;
}

bool translator_lift_at(Translator *translator, uint32_t physical, uint32_t eip,
                        const Context *context, unsigned max_insns) {
    const PhysicalPage *page = &physical_map_pages(translator->cpu->map)[physical >> PAGE_BITS];
    if (page->read == NULL)
        return false;
    uint32_t offset = physical & PAGE_OFFSET_MASK;
    size_t available = PAGE_SIZE - offset;
    uint64_t to_limit = (uint64_t)context->cs_limit + 1 - eip;
    bool limit_ends = to_limit < available;
    if (limit_ends)
        available = (size_t)to_limit;
    if (context_breakpoints(context) != 0) {
        size_t before = bytes_to_breakpoint(context, context->cs_base + eip, available);
        if (before == 0)
            return false;
        limit_ends = limit_ends && before == available;
        available = before;
    }
    LiftMode mode =
        context_lift_mode(context, translator->cpu->features[0], translator->host_features);
    translator->lifted.insn = translator->scratch.insn;
    translator->lifted.uop = translator->scratch.uop;
    LiftStatus status = lift_block(&translator->lifted, &mode, page->read + offset, available,
                                   limit_ends, eip, max_insns);
    if (status != LIFT_OK)
        return false;
    uop_block_find_needed_flags(&translator->lifted, translator->options.no_flag_liveness);
    return true;
}

bool translator_lift(Translator *translator, uint32_t physical, const Context *context,
                     unsigned max_insns) {
    return translator_lift_at(translator, physical, translator->cpu->state.eip, context, max_insns);
}

uint32_t translator_context(Translator *translator) {
    uint32_t number = context_table_number(translator->contexts, translator->cpu);
    if (number == 0) {
        translator_flush(translator);
        context_table_clear(translator->contexts);
        number = context_table_number(translator->contexts, translator->cpu);
    }
    return number;
}

/* One allocation that holds a copy of the lifted block. */
static const UopBlock *copy_lifted(const UopBlock *lifted) {
    size_t insn_bytes = lifted->insn_count * sizeof(UopInsn),
           uop_bytes = lifted->uop_count * sizeof(Uop);
    UopBlock *copy = malloc(sizeof(*copy) + uop_bytes + insn_bytes);
    if (copy == NULL)
        abort();
    *copy = *lifted;
    copy->uop = (Uop *)(copy + 1);
    copy->insn = (UopInsn *)(copy->uop + lifted->uop_count);
    memcpy(copy->uop, lifted->uop, uop_bytes);
    memcpy(copy->insn, lifted->insn, insn_bytes);
    return copy;
}

static Block *add_portable_block(Translator *translator, const BlockKey *key) {
    const UopBlock *lifted = &translator->lifted;
    bool page_is_new;
    Block *block =
        block_cache_add(translator->cache, key, lifted->next_eip - lifted->eip, 0, &page_is_new);
    block->insn_count = lifted->insn_count;
    block->uops = copy_lifted(lifted);
    if (page_is_new)
        tlb_drop_page_writes(&translator->cpu->tlb, key->physical >> PAGE_BITS);
    return block;
}

static unsigned guest_bits(const Translator *translator, const BlockKey *key) {
    return context_table_get(translator->contexts, key->context)->mode & CONTEXT_CODE32 ? 32 : 16;
}

static const uint8_t *guest_code(const Translator *translator, uint32_t physical) {
    const uint8_t *page = physical_map_pages(translator->cpu->map)[physical >> PAGE_BITS].read;
    return page == NULL ? NULL : page + (physical & PAGE_OFFSET_MASK);
}

/* What -d in_asm, op and out_asm show of a new translation. */
static void trace_translation(Translator *translator, const BlockKey *key, const Block *block) {
    Trace *trace = translator->cpu->trace;
    const UopBlock *lifted = &translator->lifted;
    ByteBuffer text = {0};
    if (trace->mask & TRACE_IN_ASM) {
        byte_buffer_print(&text, "IN: %08X\n", key->eip);
        disassemble(guest_code(translator, key->physical), lifted->next_eip - lifted->eip, key->eip,
                    guest_bits(translator, key), &text);
    }
    if (trace->mask & TRACE_OP) {
        byte_buffer_print(&text, "OP:\n");
        uop_block_print(lifted, &text);
    }
    if ((trace->mask & TRACE_OUT_ASM) && block != NULL && block->host_code != NULL) {
        byte_buffer_print(&text, "OUT: [size=%u]\n", block->host_bytes);
        disassemble(block->host_code, block->host_bytes, (uint64_t)(uintptr_t)block->host_code, 64,
                    &text);
    }
    if (text.size > 0)
        trace_print(trace, "%s\n", (const char *)text.data);
    byte_buffer_free(&text);
}

typedef struct BlockListing {
    const Translator *translator;
    ByteBuffer *text;
} BlockListing;

static void print_block(const Block *block, void *opaque) {
    BlockListing *listing = opaque;
    ByteBuffer *text = listing->text;
    byte_buffer_print(text, "block %08X, flags at entry: %s\n", block->key.eip,
                      block->key.flag_state == FLAG_STATE_IN_MEMORY
                          ? "in memory"
                          : "recomputable from registers");
    const uint8_t *code = guest_code(listing->translator, block->key.physical);
    unsigned guest = disassemble(code, block->byte_count, block->key.eip,
                                 guest_bits(listing->translator, &block->key), text);
    byte_buffer_print(text, "host:\n");
    unsigned host = disassemble(block->host_code, block->hot_bytes, 0, 64, text);
    byte_buffer_print(text, "%u guest instructions, %u host instructions\n\n", guest, host);
}

void translator_print_blocks(const Translator *translator, uint32_t eip, ByteBuffer *text) {
    BlockListing listing = {translator, text};
    if (translator->x86 != NULL)
        block_cache_visit(translator->cache, eip, print_block, &listing);
}

Block *translator_get_block(Translator *translator, const BlockKey *key) {
    translator->counters.lookups++;
    Block *block = block_cache_find(translator->cache, key);
    if (block != NULL)
        return block;
    const Context *context = context_table_get(translator->contexts, key->context);
    unsigned max_insns =
        key->limit != 0 && key->limit < UOP_BLOCK_INSNS ? key->limit : UOP_BLOCK_INSNS;
    if (!translator_lift_at(translator, key->physical, key->eip, context, max_insns))
        return NULL;
    translator->counters.translations++;
    translator->counters.guest_bytes += translator->lifted.next_eip - translator->lifted.eip;
    if (translator->x86 == NULL) {
        block = add_portable_block(translator, key);
    } else {
        block = x86_backend_translate(translator, key);
        bool full = block == NULL && x86_backend_is_full(translator->x86);
        if (full && key->flag_state == FLAG_STATE_IN_MEMORY) {
            /* Numbers of flag states go with the flush: only the run loop's own entries can go on.
             */
            translator_flush(translator);
            block = x86_backend_translate(translator, key);
        }
    }
    if (translator->cpu->trace->mask)
        trace_translation(translator, key, block);
    return block;
}

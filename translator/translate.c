/* From an address to a translation: fetching, lifting, entering it in the cache. */
#include "cpu_debugger.h"
#include "disassemble.h"
#include "flag_state.h"
#include "helpers.h"
#include "host_clock.h"
#include "insn.h"
#include "jit_backend.h"
#include "portable_quick.h"
#include "translator_internal.h"
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

int translator_known_direction(const Translator *translator, const Context *context) {
    return translator->options.no_known_direction ? 0 : context_direction(context);
}

LiftMode translator_lift_mode(const Translator *translator, const Context *context) {
    LiftMode mode =
        context_lift_mode(context, translator->cpu->features[0], translator->host_features);
    if (translator->options.no_inline_fpu ||
        (translator->jit != NULL && !jit_backend_has_fpu(translator->jit)))
        mode.ready_units = 0;
    mode.real_code = mode.real_code && !translator->options.no_far_links;
    mode.real_returns =
        mode.real_code && (translator->jit == NULL || jit_backend_has_far_returns(translator->jit));
    mode.direction = (int8_t)translator_known_direction(translator, context);
    return mode;
}

static void find_needed_flags(Translator *translator) {
    const TranslatorOptions *options = &translator->options;
    uop_block_find_needed_flags(&translator->lifted,
                                options->no_flag_liveness || options->no_flag_states);
}

/* How many of the 'available' bytes from a linear address on lie before the next armed execution
 * breakpoint: 0 if there is one right here. */
static size_t bytes_to_breakpoint(const Cpu *cpu, const Context *context, uint32_t linear,
                                  size_t available) {
    unsigned armed = context_breakpoints(context);
    if (context->stop_set != 0)
        available = cpu_bytes_to_stop(cpu, linear, (uint32_t)available);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t distance = context->breakpoint[i] - linear;
        if ((armed >> i & 1) && distance < available)
            available = distance;
    }
    return available;
}

bool translator_lift_at(Translator *translator, uint32_t physical, uint32_t eip,
                        const Context *context, unsigned max_insns) {
    const PhysicalPage page = physical_map_page(translator->cpu->map, physical >> PAGE_BITS);
    if (page.read == NULL)
        return false;
    uint32_t offset = physical & PAGE_OFFSET_MASK;
    size_t available = PAGE_SIZE - offset;
    uint64_t to_limit = (uint64_t)context->cs_limit + 1 - eip;
    bool limit_ends = to_limit < available;
    if (limit_ends)
        available = (size_t)to_limit;
    if (context_breakpoints(context) != 0 || context->stop_set != 0) {
        size_t before =
            bytes_to_breakpoint(translator->cpu, context, context->cs_base + eip, available);
        if (before == 0)
            return false;
        limit_ends = limit_ends && before == available;
        available = before;
    }
    LiftMode mode = translator_lift_mode(translator, context);
    /* Always, whoever runs it: what a translation fetches is not marked as code, so nothing would
     * stop another one at a store to it. */
    if (translator->jit != NULL && !translator->options.no_fetched_operands) {
        mode.stored = physical_map_code_bytes(translator->cpu->map, physical >> PAGE_BITS);
        mode.page_offset = offset;
        mode.stored_end = mode.stored == NULL ? 0 : code_bytes_stored_end(mode.stored);
    }
    translator->lifted.insn = translator->scratch.insn;
    translator->lifted.uop = translator->scratch.uop;
    LiftStatus status = lift_block(&translator->lifted, &mode, page.read + offset, available,
                                   limit_ends, eip, max_insns);
    if (status != LIFT_OK)
        return false;
    find_needed_flags(translator);
    return true;
}

bool translator_lift(Translator *translator, uint32_t physical, const Context *context,
                     unsigned max_insns) {
    return translator_lift_at(translator, physical, translator->cpu->state.eip, context, max_insns);
}

uint32_t translator_context(Translator *translator) {
    uint32_t number = context_table_number(translator->contexts, translator->cpu);
    if (number == 0) {
        translator_forget_all(translator, FORGOTTEN_CONTEXTS);
        context_table_clear(translator->contexts);
        number = context_table_number(translator->contexts, translator->cpu);
    }
    return number;
}

bool translator_lift_across(Translator *translator, uint32_t physical, uint32_t second_page,
                            const Context *context, uint32_t eip) {
    const PhysicalMap *map = translator->cpu->map;
    const uint8_t *first = physical_map_page(map, physical >> PAGE_BITS).read;
    const uint8_t *second = physical_map_page(map, second_page).read;
    if (first == NULL || second == NULL ||
        bytes_to_breakpoint(translator->cpu, context, context->cs_base + eip, 1) == 0)
        return false;
    uint64_t to_limit = (uint64_t)context->cs_limit + 1 - eip;
    uint8_t bytes[INSN_LENGTH_MAX];
    size_t wanted = to_limit < sizeof(bytes) ? (size_t)to_limit : sizeof(bytes);
    size_t offset = physical & PAGE_OFFSET_MASK, on_first = PAGE_SIZE - offset;
    if (on_first >= wanted)
        return false;
    memcpy(bytes, first + offset, on_first);
    memcpy(bytes + on_first, second, wanted - on_first);
    LiftMode mode = translator_lift_mode(translator, context);
    translator->lifted.insn = translator->scratch.insn;
    translator->lifted.uop = translator->scratch.uop;
    lift_block(&translator->lifted, &mode, bytes, wanted, true, eip, 1);
    find_needed_flags(translator);
    return true;
}

bool translator_find_page(const Translator *translator, const Context *context, uint32_t linear,
                          uint32_t *physical_page) {
    const TlbWalked *walked = &translator->cpu->tlb.walked[linear >> PAGE_BITS];
    bool user = context_cpl(context) == 3;
    *physical_page = walked->physical_page;
    return (walked->rights & TLB_RIGHT_VALID) && !(walked->rights & TLB_RIGHT_NO_EXECUTE) &&
           (!user || (walked->rights & TLB_RIGHT_USER));
}

/* An instruction at the key's place would run over its page's end: the key of its own block, if the
 * TLB knows the next page. */
static bool find_second_page(const Translator *translator, const Context *context, BlockKey *key) {
    uint32_t linear = context->cs_base + key->eip, second_page;
    if ((linear & PAGE_OFFSET_MASK) <= PAGE_SIZE - INSN_LENGTH_MAX ||
        !translator_find_page(translator, context, linear + INSN_LENGTH_MAX, &second_page))
        return false;
    key->second_page = second_page + 1;
    return true;
}

/* One allocation that holds a copy of the lifted block. */
static const UopBlock *copy_lifted(const UopBlock *lifted, bool prepared) {
    size_t insn_bytes = lifted->insn_count * sizeof(UopInsn),
           uop_bytes = lifted->uop_count * sizeof(Uop);
    size_t quick_bytes = lifted->uop_count * sizeof(QuickOp);
    UopBlock *copy = malloc(sizeof(*copy) + quick_bytes + uop_bytes + insn_bytes);
    if (copy == NULL)
        abort();
    *copy = *lifted;
    QuickOp *quick = (QuickOp *)(copy + 1);
    copy->uop = (Uop *)(quick + lifted->uop_count);
    copy->insn = (UopInsn *)(copy->uop + lifted->uop_count);
    memcpy(copy->uop, lifted->uop, uop_bytes);
    memcpy(copy->insn, lifted->insn, insn_bytes);
    copy->quick = prepared ? quick : NULL;
    if (prepared)
        portable_prepare(copy, quick);
    return copy;
}

/* What the portable backend keeps is bounded as the other's buffer is: a guest that runs the same
 * code by ever other code segments would fill all memory. */
#define PORTABLE_BYTES_MAX (128u << 20)

static Block *add_portable_block(Translator *translator, const BlockKey *key) {
    const UopBlock *lifted = &translator->lifted;
    size_t bytes = sizeof(Block) + sizeof(UopBlock) +
                   lifted->uop_count * (sizeof(Uop) + sizeof(QuickOp)) +
                   lifted->insn_count * sizeof(UopInsn);
    if (translator->portable_bytes + bytes > PORTABLE_BYTES_MAX)
        translator_forget_all(translator, FORGOTTEN_BUFFER_FULL);
    translator->portable_bytes += bytes;
    Block *block = block_cache_add(translator->cache, key, lifted->next_eip - lifted->eip, 0, NULL);
    block->insn_count = lifted->insn_count;
    block->uops = copy_lifted(lifted, !translator->options.no_prepared);
    return block;
}

static unsigned guest_bits(const Translator *translator, const BlockKey *key) {
    return context_table_get(translator->contexts, key->context)->mode & CONTEXT_CODE32 ? 32 : 16;
}

static const uint8_t *guest_code(const Translator *translator, uint32_t physical) {
    const uint8_t *page = physical_map_page(translator->cpu->map, physical >> PAGE_BITS).read;
    return page == NULL ? NULL : page + (physical & PAGE_OFFSET_MASK);
}

/* Listings show of an instruction over a page's end what lies before it. */
static uint32_t bytes_on_page(uint32_t physical, uint32_t bytes) {
    uint32_t to_end = PAGE_SIZE - (physical & PAGE_OFFSET_MASK);
    return bytes < to_end ? bytes : to_end;
}

/* What -d in_asm, op and out_asm show of a new translation. */
static void trace_translation(Translator *translator, const BlockKey *key, const Block *block) {
    Trace *trace = translator->cpu->trace;
    const UopBlock *lifted = &translator->lifted;
    ByteBuffer text = {0};
    if (trace->mask & TRACE_IN_ASM) {
        byte_buffer_print(&text, "IN: %08X\n", key->eip);
        disassemble(guest_code(translator, key->physical),
                    bytes_on_page(key->physical, lifted->next_eip - lifted->eip), key->eip,
                    guest_bits(translator, key), &text);
    }
    if (trace->mask & TRACE_OP) {
        byte_buffer_print(&text, "OP:\n");
        uop_block_print(lifted, &text);
    }
    if ((trace->mask & TRACE_OUT_ASM) && block != NULL && block->host_code != NULL) {
        byte_buffer_print(&text, "OUT: [size=%u]\n", block->host_bytes);
        disassemble(block->host_code, block->host_bytes, (uint64_t)(uintptr_t)block->host_code,
                    jit_backend_listing(translator->jit), &text);
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
    unsigned guest =
        disassemble(code, bytes_on_page(block->key.physical, block->byte_count), block->key.eip,
                    guest_bits(listing->translator, &block->key), text);
    byte_buffer_print(text, "host:\n");
    unsigned host = disassemble(block->host_code, block->hot_bytes, 0,
                                jit_backend_listing(listing->translator->jit), text);
    byte_buffer_print(text, "%u guest instructions, %u host instructions\n\n", guest, host);
}

void translator_print_blocks(const Translator *translator, uint32_t eip, ByteBuffer *text) {
    BlockListing listing = {translator, text};
    if (translator->jit != NULL)
        block_cache_visit(translator->cache, eip, print_block, &listing);
}

void translator_note_lifted(Translator *translator, const Context *context, uint32_t physical) {
    const UopBlock *lifted = &translator->lifted;
    const uint8_t *code = guest_code(translator, physical);
    if (translator->options.coverage == NULL || code == NULL)
        return;
    code_coverage_note(translator->options.coverage, context->cs_base + lifted->eip, code,
                       bytes_on_page(physical, lifted->next_eip - lifted->eip));
}

/* Lifts the block of this key; if its first instruction runs over the page's end, completes the
 * key. */
static bool lift_for_key(Translator *translator, const Context *context, BlockKey *key) {
    unsigned max_insns = translator->options.one_insn_blocks ? 1 : UOP_BLOCK_INSNS;
    if (key->limit != 0 && key->limit < max_insns)
        max_insns = key->limit;
    if (hot_path_lift(translator, key)) {
        translator->lifted.holes.count = 0; /* all of its bytes count as code */
        find_needed_flags(translator);
        return true;
    }
    bool good = translator_lift_at(translator, key->physical, key->eip, context, max_insns) ||
                (find_second_page(translator, context, key) &&
                 translator_lift_across(translator, key->physical, key->second_page - 1, context,
                                        key->eip));
    if (good)
        translator_note_lifted(translator, context, key->physical);
    return good;
}

Block *translator_find_block(const Translator *translator, const BlockKey *wanted) {
    Block *block = block_cache_find(translator->cache, wanted);
    BlockKey key = *wanted;
    if (block == NULL &&
        find_second_page(translator, context_table_get(translator->contexts, key.context), &key))
        block = block_cache_find(translator->cache, &key);
    return block;
}

static Block *make_block(Translator *translator, const BlockKey *wanted, bool may_flush) {
    Block *block;
    BlockKey complete = *wanted, *key = &complete;
    const Context *context = context_table_get(translator->contexts, key->context);
    if (!lift_for_key(translator, context, key))
        return NULL;
    translator->counters.translations++;
    translator->counters.guest_bytes += translator->lifted.next_eip - translator->lifted.eip;
    if (translator->jit == NULL) {
        block = add_portable_block(translator, key);
    } else {
        block = jit_backend_translate(translator, key);
        bool full = block == NULL && jit_backend_is_full(translator->jit);
        if (full && may_flush) {
            translator_forget_all(translator, FORGOTTEN_BUFFER_FULL);
            block = jit_backend_translate(translator, key);
        }
    }
    if (translator->cpu->trace->mask)
        trace_translation(translator, key, block);
    return block;
}

/* One that was forgotten, if its bytes stand there again. */
static Block *revive_block(Translator *translator, const BlockKey *wanted) {
    if (translator->jit == NULL || translator->options.no_revival)
        return NULL;
    BlockKey key = *wanted;
    Block *block = block_cache_revive(translator->cache, &key);
    if (block == NULL &&
        find_second_page(translator, context_table_get(translator->contexts, key.context), &key))
        block = block_cache_revive(translator->cache, &key);
    translator->counters.revivals += block != NULL;
    return block;
}

static Block *get_block(Translator *translator, const BlockKey *wanted, bool may_flush) {
    translator->counters.lookups++;
    Block *block = translator_find_block(translator, wanted);
    if (block == NULL)
        block = revive_block(translator, wanted);
    if (block == NULL) {
        int64_t start_ns = host_clock_ns();
        block = make_block(translator, wanted, may_flush);
        translator->counters.translation_ns += (uint64_t)(host_clock_ns() - start_ns);
    }
    return block;
}

Block *translator_get_block(Translator *translator, const BlockKey *wanted) {
    return get_block(translator, wanted, true);
}

Block *translator_get_block_unflushed(Translator *translator, const BlockKey *wanted) {
    return get_block(translator, wanted, false);
}

/* Translating to host code, whatever the host: the buffer, joining blocks, running them. What is
 * emitted is the affair of a JitHost. */
#include "jit_backend.h"
#include "cpu_feature.h"
#include "helpers.h"
#include "host_pages.h"
#include "insn.h"
#include "jit_internal.h"
#include "linear.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_BUFFER_BYTES = 32 << 20,
    MINIMUM_BUFFER_BYTES = 64 << 10,
    BLOCK_BYTES_MAX = 256 << 10,
    VARIANTS_MAX = 12,
};

/* The buffer is mapped twice, writable here and executable there: never both at once in one
 * mapping. */
static bool map_buffer(JitBackend *backend, size_t bytes, Error *error) {
    void *writable, *executable;
    host_pages_map_code(bytes, &writable, &executable);
    backend->buffer_bytes = bytes;
    backend->writable = writable;
    backend->executable = executable;
    if (backend->writable == NULL || backend->executable == NULL)
        return error_set(error, "cannot map the translation buffer (is executable memory "
                                "forbidden?): try -accel interp");
    return true;
}

/* QEMU's user mode before version 8.1 notices changes of code through the mapping alone that runs
 * it. */
static bool map_once(JitBackend *backend, Error *error) {
    if (!host_pages_make_executable(backend->writable, backend->buffer_bytes))
        return error_set(error, "cannot make the translation buffer executable: try -accel interp");
    host_pages_unmap((void *)(uintptr_t)backend->executable, backend->buffer_bytes);
    backend->executable = backend->writable;
    return true;
}

static bool make_tables(JitBackend *backend, Error *error) {
    backend->flag_states = flag_state_table_create();
    backend->sites = host_pages_map(SITE_COUNT * sizeof(Site));
    backend->links = host_pages_map(LINK_COUNT * sizeof(LinkRecord));
    backend->indirect = host_pages_map(INDIRECT_ENTRIES * sizeof(IndirectEntry));
    for (unsigned i = 0; i < 2; i++)
        backend->indirect_used[i] = host_pages_map(INDIRECT_ENTRIES * sizeof(uint32_t));
    backend->indirect_state = host_pages_map(INDIRECT_ENTRIES);
    if (backend->flag_states == NULL || backend->sites == NULL || backend->links == NULL ||
        backend->indirect == NULL || backend->indirect_used[0] == NULL ||
        backend->indirect_used[1] == NULL || backend->indirect_state == NULL)
        return error_set(error, "out of memory for the tables of the translator");
    return true;
}

static const JitHost *const hosts[] = {&x86_64_host, &aarch64_host};

static const JitHost *find_host(const TranslatorOptions *options) {
    for (unsigned i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (options->foreign_host != NULL ? strcmp(options->foreign_host, hosts[i]->name) == 0
                                          : hosts[i]->runs_here && host_pages_run_code())
            return hosts[i];
    return NULL;
}

uint64_t jit_backend_host_features(const TranslatorOptions *options) {
    const JitHost *host = find_host(options);
    return host != NULL ? host->find_features() : 0;
}

bool jit_backend_exists(void) {
    return find_host(&(TranslatorOptions){0}) != NULL;
}

const char *jit_backend_name(const JitBackend *backend) {
    return backend->host->name;
}

unsigned jit_backend_listing(const JitBackend *backend) {
    return backend->host->listing;
}

bool jit_backend_has_fpu(const JitBackend *backend) {
    return backend->host->has_fpu;
}

bool jit_backend_has_far_returns(const JitBackend *backend) {
    return backend->host->has_far_returns;
}

JitBackend *jit_backend_create(Translator *translator, Error *error) {
    const JitHost *host = find_host(&translator->options);
    if (host == NULL) {
        error_set(error, "-accel jit has no translator for this host: use -accel interp");
        return NULL;
    }
    JitBackend *backend = calloc(1, sizeof(*backend));
    if (backend == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    size_t bytes = translator->options.buffer_bytes;
    if (bytes == 0)
        bytes = DEFAULT_BUFFER_BYTES;
    if (bytes < MINIMUM_BUFFER_BYTES)
        bytes = MINIMUM_BUFFER_BYTES;
    backend->translator = translator;
    backend->host = host;
    bool ready = map_buffer(backend, bytes, error) && make_tables(backend, error);
    if (ready && host->sees_changes != NULL && !host->sees_changes(backend))
        ready = map_once(backend, error);
    if (!ready) {
        jit_backend_destroy(backend);
        return NULL;
    }
    backend->start = backend->next = host->prepare(backend);
    if (backend->start == NULL) {
        error_set(error, "out of memory");
        jit_backend_destroy(backend);
        return NULL;
    }
    host->code_written(backend, backend->writable, backend->start);
    translator->cpu->indirect_table = backend->indirect;
    translator->cpu->materialize_flags = jit_executable(backend, backend->materialize);
    return backend;
}

void jit_backend_destroy(JitBackend *backend) {
    if (backend == NULL)
        return;
    host_pages_unmap(backend->writable, backend->buffer_bytes);
    if (backend->executable != backend->writable)
        host_pages_unmap((void *)(uintptr_t)backend->executable, backend->buffer_bytes);
    host_pages_unmap(backend->sites, SITE_COUNT * sizeof(Site));
    host_pages_unmap(backend->links, LINK_COUNT * sizeof(LinkRecord));
    host_pages_unmap(backend->indirect, INDIRECT_ENTRIES * sizeof(IndirectEntry));
    for (unsigned i = 0; i < 2; i++)
        host_pages_unmap(backend->indirect_used[i], INDIRECT_ENTRIES * sizeof(uint32_t));
    host_pages_unmap(backend->indirect_state, INDIRECT_ENTRIES);
    flag_state_table_destroy(backend->flag_states);
    backend->host->destroy(backend);
    free(backend);
}

static void forget_listed(JitBackend *backend, unsigned list, bool global) {
    for (uint32_t i = 0; i < backend->indirect_used_count[list]; i++) {
        uint32_t index = backend->indirect_used[list][i];
        backend->indirect_state[index] &= (uint8_t) ~(INDIRECT_LISTED << list);
        if (global || !(backend->indirect_state[index] & INDIRECT_GLOBAL))
            backend->indirect[index] = (IndirectEntry){0};
    }
    backend->indirect_used_count[list] = 0;
}

void jit_backend_forget_indirect(JitBackend *backend, bool global) {
    forget_listed(backend, 0, global);
    if (global)
        forget_listed(backend, 1, true);
}

void jit_backend_reset(JitBackend *backend) {
    backend->next = backend->start;
    backend->full = false;
    backend->site_count = backend->link_count = backend->kept_uop_count = 0;
    flag_state_table_clear(backend->flag_states);
    jit_backend_forget_indirect(backend, true);
}

/* --- translating --- */

void jit_backend_list_trampolines(Translator *translator) {
    const JitBackend *backend = translator->jit;
    code_listing_add(translator->listing, backend->executable,
                     (size_t)(backend->start - backend->writable), "reprise_trampolines");
}

static void list_block(const Translator *translator, const Block *block) {
    char name[48];
    uint32_t eip = block->key.eip;
    const Context *context = context_table_get(translator->contexts, block->key.context);
    snprintf(name, sizeof(name), "guest_%08X_at_%08X", context->cs_base + eip, eip);
    code_listing_add(translator->listing, block->host_code, block->host_bytes, name);
}

static Block *enter_block(JitBackend *backend, const BlockKey *key, const JitCode *code,
                          uint32_t site_first, uint32_t link_first) {
    Translator *translator = backend->translator;
    const UopBlock *lifted = &translator->lifted;
    Block *block = block_cache_add(translator->cache, key, lifted->next_eip - lifted->eip,
                                   code->link_count, &lifted->holes);
    block->insn_count = lifted->insn_count;
    block->host_code = jit_executable(backend, backend->next);
    block->host_bytes = (uint32_t)(code->end - backend->next);
    block->hot_bytes = (uint32_t)(code->hot_end - backend->next);
    for (unsigned i = 0; i < code->link_count; i++) {
        LinkRecord *record = &backend->links[link_first + i];
        record->block = block;
        block->links[record->index].site = record->site;
        block->links[record->index].stub = record->stub;
    }
    for (uint32_t i = site_first; i < backend->site_count; i++)
        backend->sites[i].block = block;
    backend->host->code_written(backend, backend->next, code->end);
    translator->counters.host_bytes += (uint64_t)(code->end - backend->next);
    backend->next = code->end;
    if (translator->listing != NULL)
        list_block(translator, block);
    return block;
}

/* In a small buffer a block may turn out not to fit: a quarter is room for most. */
static size_t spare_bytes(const JitBackend *backend) {
    size_t quarter = backend->buffer_bytes / 4;
    return quarter < BLOCK_BYTES_MAX ? quarter : BLOCK_BYTES_MAX;
}

static bool is_nearly_full(const JitBackend *backend) {
    return backend->next + spare_bytes(backend) > backend->writable + backend->buffer_bytes ||
           backend->site_count + SLOW_PATH_MAX > SITE_COUNT ||
           backend->link_count + STUB_MAX > LINK_COUNT;
}

bool jit_changes_often(const JitBackend *backend, const BlockKey *key) {
    return block_cache_page_deaths(backend->translator->cache, key->physical >> PAGE_BITS) >=
           DEATHS_OFTEN;
}

unsigned jit_corrupt_uop(const JitBackend *backend) {
    unsigned uop = backend->translator->options.corrupt_uop;
    return uop != 0 ? uop : UOP_COUNT;
}

Block *jit_backend_translate(Translator *translator, const BlockKey *key) {
    JitBackend *backend = translator->jit;
    uint32_t site_first = backend->site_count, link_first = backend->link_count;
    if (is_nearly_full(backend)) {
        backend->full = true;
        return NULL;
    }
    const JitCode code = backend->host->emit_block(backend, key);
    if (code.end == NULL) {
        backend->full = true;
        return NULL;
    }
    return enter_block(backend, key, &code, site_first, link_first);
}

bool jit_backend_is_full(const JitBackend *backend) {
    return backend->full;
}

/* --- joining --- */

void jit_backend_unlink(void *translator, BlockLink *link) {
    JitBackend *backend = ((Translator *)translator)->jit;
    backend->host->patch(backend, link->site, link->stub);
}

/* Where 'eip' of the present code segment lies, if the TLB knows: nothing is walked. */
static bool find_target(const Translator *translator, const Context *context, uint32_t eip,
                        uint32_t *physical) {
    uint32_t page, linear = context->cs_base + eip;
    if (eip > context->cs_limit || !translator_find_page(translator, context, linear, &page))
        return false;
    *physical = page << PAGE_BITS | (linear & PAGE_OFFSET_MASK);
    return true;
}

/* Code that brings the flags from 'flag_state' to memory and goes on in the block that expects them
 * there: for targets that are entered with too many different states. */
static const uint8_t *make_adapter(JitBackend *backend, uint32_t flag_state, Block *target) {
    const uint8_t *known = block_find_adapter(target, flag_state);
    if (known != NULL)
        return known;
    BlockKey key = target->key;
    key.flag_state = (uint16_t)flag_state;
    uint8_t *end =
        backend->host->emit_adapter(backend, &key, jit_writable(backend, target->host_code));
    if (end == NULL) {
        backend->full = true;
        return NULL;
    }
    const uint8_t *adapter = backend->next;
    backend->host->code_written(backend, adapter, end);
    backend->next = end;
    block_add_adapter(target, flag_state, adapter);
    return adapter;
}

static bool changes_often(const Translator *translator, uint32_t physical) {
    return !translator->options.no_single_entry &&
           block_cache_page_deaths(translator->cache, physical >> PAGE_BITS) >= DEATHS_OFTEN;
}

/* The block at this place that is entered with these flags, and where (in the writable mapping) to
 * enter it. One that is soon to die is not worth a translation for each way to come from outside.
 */
static Block *find_entry(Translator *translator, BlockKey *key, bool from_outside,
                         const uint8_t **entry) {
    JitBackend *backend = translator->jit;
    if (is_nearly_full(backend))
        return NULL;
    uint16_t flag_state = key->flag_state;
    if (from_outside && key->limit == 0 && changes_often(translator, key->physical))
        key->flag_state = FLAG_STATE_IN_MEMORY;
    Block *block = translator_find_block(translator, key);
    if (block == NULL) {
        if (block_cache_count_variants(translator->cache, key) >= VARIANTS_MAX)
            key->flag_state = FLAG_STATE_IN_MEMORY;
        block = translator_get_block_unflushed(translator, key);
    }
    if (block == NULL)
        return NULL;
    *entry = key->flag_state != flag_state ? make_adapter(backend, flag_state, block)
                                           : jit_writable(backend, block->host_code);
    return *entry == NULL ? NULL : block;
}

static bool may_join(const Translator *translator) {
    const TranslatorOptions *options = &translator->options;
    return !options->no_chaining && !options->flush_blocks &&
           !(translator->cpu->trace->mask & (TRACE_EXEC | TRACE_CPU)) &&
           !translator->cpu->code_changed;
}

static bool may_enter_indirect(const Translator *translator) {
    return !translator->options.no_jump_table && may_join(translator);
}

/* Whether the page of this linear address keeps its mapping when CR3 is written. The TLB tells when
 * the mapping goes. */
static bool rely_on_page(Translator *translator, uint32_t linear) {
    Tlb *tlb = &translator->cpu->tlb;
    tlb_note_code(tlb, linear);
    return (tlb->walked[linear >> PAGE_BITS].rights & TLB_RIGHT_GLOBAL) != 0;
}

/* The same for a block, which may end on the page after. */
static bool rely_on_block(Translator *translator, const Block *block, uint32_t linear) {
    bool global = rely_on_page(translator, linear);
    if (block->key.second_page != 0)
        global &= rely_on_page(translator, linear + INSN_LENGTH_MAX);
    return global;
}

/* A suspended link's target: does it still lie there? */
static bool is_still_target(const Translator *translator, const Context *context,
                            const Block *target, uint32_t physical) {
    uint32_t second;
    return target->key.physical == physical &&
           (target->key.second_page == 0 ||
            (translator_find_page(translator, context,
                                  context->cs_base + target->key.eip + INSN_LENGTH_MAX, &second) &&
             second == target->key.second_page - 1));
}

/* Joins the link to its target. Gives where it goes now, in the writable mapping; NULL if it cannot
 * be joined. */
static const uint8_t *join_link(Translator *translator, const LinkRecord *record) {
    Block *source = record->block;
    uint32_t physical;
    if (!may_join(translator) || source->dead)
        return NULL;
    BlockLink *link = &source->links[record->index];
    uint32_t context_number =
        context_table_change(translator->contexts, source->key.context, record->change);
    if (context_number == 0)
        return NULL;
    const Context *context = context_table_get(translator->contexts, context_number);
    if (!find_target(translator, context, record->eip, &physical))
        return NULL;
    uint32_t linear = context->cs_base + record->eip;
    if (link->target != NULL) {
        if (is_still_target(translator, context, link->target, physical)) {
            link->is_global = rely_on_block(translator, link->target, linear);
            block_cache_resume(translator->cache, link);
            translator->jit->host->patch(translator->jit, link->site, link->entry);
            return link->entry;
        }
        block_cache_unlink(translator->cache, link);
    }
    BlockKey key = {.physical = physical,
                    .eip = record->eip,
                    .context = context_number,
                    .flag_state = record->flag_state,
                    .limit = record->limit};
    const uint8_t *entry;
    const Context *own = context_table_get(translator->contexts, source->key.context);
    bool from_outside = (own->cs_base + source->key.eip) >> PAGE_BITS != linear >> PAGE_BITS;
    Block *target = find_entry(translator, &key, from_outside, &entry);
    if (target == NULL || source->dead)
        return NULL;
    link->entry = entry;
    link->linear_page = linear >> PAGE_BITS;
    link->crosses_page = from_outside || target->key.second_page != 0;
    if (link->crosses_page)
        link->is_global = rely_on_block(translator, target, linear);
    block_cache_link(translator->cache, link, target);
    translator->jit->host->patch(translator->jit, link->site, entry);
    translator->counters.links++;
    return entry;
}

static uint64_t indirect_tag(uint32_t eip, uint32_t context_number, uint32_t flag_state) {
    return eip | (uint64_t)(context_number | flag_state << 16) << 32;
}

static IndirectEntry *find_indirect(const JitBackend *backend, uint32_t eip, uint32_t context,
                                    uint32_t flag_state) {
    return &backend
                ->indirect[(eip + jit_indirect_salt(context, flag_state)) & (INDIRECT_ENTRIES - 1)];
}

static void note_indirect(Block *block, uint32_t index) {
    for (unsigned i = 0; i < block->indirect_count && i < BLOCK_INDIRECT; i++)
        if (block->indirect[i] == index)
            return;
    if (block->indirect_count < BLOCK_INDIRECT)
        block->indirect[block->indirect_count] = index;
    if (block->indirect_count <= BLOCK_INDIRECT)
        block->indirect_count++;
}

/* As far returns of real mode find it. */
static uint32_t far_eip(const Translator *translator, const BlockKey *key) {
    return context_table_get(translator->contexts, key->context)->cs_base << 12 |
           (key->eip & 0xFFFF);
}

void jit_backend_forget_block(JitBackend *backend, Block *block) {
    const uint64_t place = (UINT64_C(1) << 48) - 1; /* of a tag: EIP and context */
    uint64_t tag = indirect_tag(block->key.eip, block->key.context, 0);
    uint32_t far = far_eip(backend->translator, &block->key);
    if (block->indirect_count > BLOCK_INDIRECT)
        jit_backend_forget_indirect(backend, true);
    for (unsigned i = 0; i < block->indirect_count && i < BLOCK_INDIRECT; i++) {
        IndirectEntry *entry = &backend->indirect[block->indirect[i]];
        if ((entry->tag & place) == tag || (uint32_t)entry->tag == far)
            *entry = (IndirectEntry){0};
    }
    block->indirect_count = 0;
}

/* From now on a jump to this EIP, as looked up in this context, that finds its flags like this goes
 * to that code of the block. */
static void enter_as(Translator *translator, Block *block, uint32_t eip, uint32_t context,
                     uint32_t flag_state, const void *host_code) {
    JitBackend *backend = translator->jit;
    const BlockKey *key = &block->key;
    IndirectEntry *entry = find_indirect(backend, eip, context, flag_state);
    uint64_t tag = indirect_tag(eip, context, flag_state);
    if (entry->tag == tag && entry->host_code == host_code)
        return;
    *entry = (IndirectEntry){.tag = tag, .host_code = host_code};
    uint32_t index = (uint32_t)(entry - backend->indirect);
    note_indirect(block, index);
    uint32_t cs_base = context_table_get(translator->contexts, key->context)->cs_base;
    unsigned list = rely_on_block(translator, block, cs_base + key->eip);
    uint8_t *state = &backend->indirect_state[index];
    *state = (uint8_t)((*state & ~INDIRECT_GLOBAL) | (list != 0 ? INDIRECT_GLOBAL : 0));
    if (!(*state & INDIRECT_LISTED << list)) {
        *state |= (uint8_t)(INDIRECT_LISTED << list);
        backend->indirect_used[list][backend->indirect_used_count[list]++] = index;
    }
}

static void enter_indirect(Translator *translator, Block *block, uint32_t flag_state,
                           const void *host_code) {
    enter_as(translator, block, block->key.eip, block->key.context, flag_state, host_code);
}

/* The same for far returns. */
static void enter_far(Translator *translator, Block *block, uint32_t flag_state,
                      const void *host_code) {
    uint32_t context = jit_far_context(translator->contexts, block->key.context);
    if (context != 0)
        enter_as(translator, block, far_eip(translator, &block->key), context, flag_state,
                 host_code);
}

/* The same for the place that an indirect jump or a far return goes to now; gives that code or
 * NULL. */
static const void *join_indirect(Translator *translator, uint32_t context_number, uint32_t eip,
                                 uint32_t flag_state, bool far) {
    uint32_t physical;
    if (!may_enter_indirect(translator) || context_number == 0 ||
        !find_target(translator, context_table_get(translator->contexts, context_number), eip,
                     &physical))
        return NULL;
    BlockKey key = {.physical = physical,
                    .eip = eip,
                    .context = context_number,
                    .flag_state = (uint16_t)flag_state};
    const uint8_t *entry;
    Block *target = find_entry(translator, &key, true, &entry);
    if (target == NULL)
        return NULL;
    const void *host_code = jit_executable(translator->jit, entry);
    (far ? enter_far : enter_indirect)(translator, target, flag_state, host_code);
    return host_code;
}

/* --- running --- */

enum { SEGMENT_SEEN = 1 << 16 }; /* tells from a segment not looked at yet */

static uint64_t find_seen(const Segment *segment) {
    return (uint64_t)segment->limit << 32 | SEGMENT_SEEN | segment->access;
}

/* What translated code compares offsets with where a segment needs that. */
static void set_segment_limit(Cpu *cpu, unsigned s) {
    const Segment *segment = &cpu->state.segment[s];
    cpu->segment_seen[s] = find_seen(segment);
    bool present = (segment->access & ACCESS_P) != 0;
    bool code = (segment->access & ACCESS_CODE) != 0;
    bool up = code || !(segment->access & ACCESS_EC); /* expand-down limits go the slow way */
    bool readable = present && up && (!code || (segment->access & ACCESS_RW));
    bool writable = present && up && !code && (segment->access & ACCESS_RW);
    cpu->segment_limit[0][s] = readable ? (int64_t)segment->limit : -1;
    cpu->segment_limit[1][s] = writable ? (int64_t)segment->limit : -1;
}

void jit_update_segment_limit(Cpu *cpu, unsigned s) {
    if (cpu->segment_seen[s] != find_seen(&cpu->state.segment[s]))
        set_segment_limit(cpu, s);
}

void jit_update_segment_limits(Cpu *cpu) {
    for (unsigned s = 0; s < SEG_COUNT; s++)
        jit_update_segment_limit(cpu, s);
}

static void set_flags(Cpu *cpu, const JitBackend *backend, uint32_t flag_state) {
    if (flag_state != FLAG_STATE_IN_MEMORY)
        cpu_set_status_flags(
            cpu, flag_state_evaluate(flag_state_get(backend->flag_states, flag_state), cpu));
}

static void restore_site(Cpu *cpu, const JitBackend *backend, uint32_t number) {
    const Site *site = &backend->sites[number];
    cpu->state.eip = site->eip;
    cpu->state.instruction_count = cpu->count_end - (uint64_t)(cpu->budget + site->uncounted);
    set_flags(cpu, backend, site->flag_state);
    x86_fpu_take_pointers(cpu, backend, site->x87_site);
}

static JitExit finish(Translator *translator, uint32_t leave) {
    Cpu *cpu = translator->cpu;
    JitBackend *backend = translator->jit;
    uint32_t number = leave >> 8;
    x86_fpu_settle_pointers(cpu, backend);
    switch (leave & 0xFF) {
    case LEAVE_LINK:
        cpu->state.eip = backend->links[number].eip;
        cpu->state.instruction_count = cpu->count_end - (uint64_t)cpu->budget;
        set_flags(cpu, backend, backend->links[number].flag_state);
        translator->next_limit = backend->links[number].limit;
        return JIT_EXIT_NEXT;
    case LEAVE_INDIRECT:
        cpu->state.eip = (uint32_t)cpu->host_slot[JIT_SLOT_T0];
        cpu->state.instruction_count = cpu->count_end - (uint64_t)cpu->budget;
        set_flags(cpu, backend, number);
        return JIT_EXIT_NEXT;
    case LEAVE_FAR:
        cpu->state.eip = (uint32_t)cpu->host_slot[JIT_SLOT_T0] & 0xFFFF;
        cpu->state.instruction_count = cpu->count_end - (uint64_t)cpu->budget;
        set_flags(cpu, backend, number);
        return JIT_EXIT_NEXT;
    case LEAVE_LOOK:
    case LEAVE_SEGMENT: /* is done, or its fault delivered */
        return JIT_EXIT_LOOK;
    case LEAVE_HELPER_FAULT:
        return JIT_EXIT_FAULT;
    default:
        restore_site(cpu, backend, number);
        return (leave & 0xFF) == LEAVE_FAULT  ? JIT_EXIT_FAULT
               : (leave & 0xFF) == LEAVE_STEP ? JIT_EXIT_STEP
               : (leave & 0xFF) == LEAVE_POLL ? JIT_EXIT_POLL
                                              : JIT_EXIT_LOOK;
    }
}

bool jit_wants_run_loop(const Cpu *cpu) {
    const Translator *translator = cpu->translator;
    const CpuState *state = &cpu->state;
    /* Mostly nothing of all that could be a reason is there. */
    const uint32_t special_flags = FLAG_TF | FLAG_RF | FLAG_AC | FLAG_VIP;
    uint32_t events = cpu->break_after | cpu->code_changed | state->halted | state->shutdown |
                      state->init_pending | state->smi_pending | state->nmi_pending |
                      state->pending_debug | state->intr_level | (state->eflags & special_flags);
    if (events == 0)
        return state->instruction_count >= cpu->count_end || !may_enter_indirect(translator);
    return cpu->break_after || cpu->code_changed || state->halted || state->shutdown ||
           state->init_pending || state->instruction_count >= cpu->count_end ||
           translator_must_step(translator) || cpu_wants_interrupt(cpu) ||
           !may_enter_indirect(translator);
}

const void *jit_find_next(Cpu *cpu) {
    Translator *translator = cpu->translator;
    if (jit_wants_run_loop(cpu))
        return NULL;
    uint32_t context = context_table_number(translator->contexts, cpu), eip = cpu->state.eip;
    const IndirectEntry *entry = find_indirect(translator->jit, eip, context, FLAG_STATE_IN_MEMORY);
    const void *host_code = entry->host_code;
    if (entry->tag != indirect_tag(eip, context, FLAG_STATE_IN_MEMORY))
        host_code = join_indirect(translator, context, eip, FLAG_STATE_IN_MEMORY, false);
    if (host_code == NULL)
        return NULL;
    translator_end_suppression(cpu);
    cpu->budget = (int64_t)(cpu->count_end - cpu->state.instruction_count);
    jit_update_segment_limits(cpu);
    return host_code;
}

/* What a load of a segment register is part of. */
static void finish_segment_load(Cpu *cpu, unsigned then) {
    CpuState *state = &cpu->state;
    unsigned size = then >> 4 & 0xF, reg = then >> 8 & 0xF;
    if ((then & UOP_THEN_MASK) == UOP_THEN_POP)
        stack_set_pointer(cpu, (uint32_t)state->gpr[REG_ESP] + size);
    else if ((then & UOP_THEN_MASK) == UOP_THEN_MOVE && size == 2)
        state->gpr[reg] =
            (state->gpr[reg] & ~UINT64_C(0xFFFF)) | (uint16_t)cpu->host_slot[JIT_SLOT_T1];
    else if ((then & UOP_THEN_MASK) == UOP_THEN_MOVE)
        state->gpr[reg] = (uint32_t)cpu->host_slot[JIT_SLOT_T1];
}

/* Most often the segment has another kind now, that is, another context. */
static const void *load_segment(Translator *translator, uint32_t number) {
    Cpu *cpu = translator->cpu;
    const Site *site = &translator->jit->sites[number];
    x86_fpu_settle_pointers(cpu, translator->jit);
    restore_site(cpu, translator->jit, number);
    cpu->next_eip = site->eip + site->insn_length;
    uint32_t selector = (uint32_t)cpu->host_slot[JIT_SLOT_T0];
    if (helper_load_segment(cpu, site->segment, 0, selector, 0) == HELPER_FAULT) {
        translator->counters.faults++;
        cpu_deliver_exception(cpu);
    } else {
        finish_segment_load(cpu, site->then);
        cpu->state.eip = cpu->next_eip;
        cpu->state.instruction_count++;
    }
    return jit_find_next(cpu);
}

/* Joins what was left by a jump, and gives the code to go on with; NULL if the run loop is needed.
 * The context may be another one than that of the block that was entered: see jit_find_next(). */
static const void *follow(Translator *translator, uint32_t leave) {
    Cpu *cpu = translator->cpu;
    JitBackend *backend = translator->jit;
    uint32_t number = leave >> 8;
    if ((leave & 0xFF) == LEAVE_INDIRECT || (leave & 0xFF) == LEAVE_FAR) {
        bool far = (leave & 0xFF) == LEAVE_FAR;
        uint32_t context_number = context_table_number(translator->contexts, cpu);
        uint32_t target = (uint32_t)cpu->host_slot[JIT_SLOT_T0];
        return join_indirect(translator, context_number, far ? target & 0xFFFF : target, number,
                             far);
    }
    if ((leave & 0xFF) == LEAVE_EXIT) {
        x86_fpu_settle_pointers(cpu, backend);
        restore_site(cpu, backend, number);
        return jit_find_next(cpu);
    }
    if ((leave & 0xFF) == LEAVE_SEGMENT)
        return load_segment(translator, number);
    if ((leave & 0xFF) != LEAVE_LINK)
        return NULL;
    const uint8_t *entry = join_link(translator, &backend->links[number]);
    return entry == NULL ? NULL : jit_executable(backend, entry);
}

static const LeaveReason leave_reasons[] = {
    [LEAVE_LINK] = LEFT_FOR_JUMP,         [LEAVE_INDIRECT] = LEFT_FOR_INDIRECT_JUMP,
    [LEAVE_POLL] = LEFT_FOR_POLL,         [LEAVE_STEP] = LEFT_FOR_STEP,
    [LEAVE_FAULT] = LEFT_FOR_FAULT,       [LEAVE_LOOK] = LEFT_FOR_LOOK,
    [LEAVE_EXIT] = LEFT_FOR_LOOK,         [LEAVE_HELPER_FAULT] = LEFT_FOR_FAULT,
    [LEAVE_FAR] = LEFT_FOR_INDIRECT_JUMP, [LEAVE_SEGMENT] = LEFT_FOR_LOOK,
};

/* A fault is delivered, or an instruction run alone: what the run loop would do next, without it.
 * Gives where to go on; NULL if the run loop is needed, which then has nothing left to do of this.
 */
static const void *do_for_run_loop(Translator *translator, JitExit exit) {
    if (exit == JIT_EXIT_STEP) {
        translator_step(translator);
    } else {
        translator->counters.faults++;
        cpu_deliver_exception(translator->cpu);
    }
    return jit_find_next(translator->cpu);
}

JitExit jit_backend_run(Translator *translator, Block *block) {
    typedef uint32_t EnterFunction(Cpu * cpu, const void *host_code);
    Cpu *cpu = translator->cpu;
    JitBackend *backend = translator->jit;
    if (may_enter_indirect(translator) && block->key.limit == 0)
        enter_indirect(translator, block, FLAG_STATE_IN_MEMORY, block->host_code);
    cpu->budget = (int64_t)(cpu->count_end - cpu->state.instruction_count);
    cpu->code_changed = 0;
    jit_update_segment_limits(cpu);
    EnterFunction *enter = (EnterFunction *)(uintptr_t)jit_executable(backend, backend->enter);
    const void *host_code = block->host_code;
    uint32_t leave;
    do {
        leave = enter(cpu, host_code);
        translator->counters.leaves[leave_reasons[leave & 0xFF]]++;
        host_code = follow(translator, leave);
        if (host_code == NULL) {
            JitExit exit = finish(translator, leave);
            if (exit != JIT_EXIT_STEP && exit != JIT_EXIT_FAULT)
                return exit;
            host_code = do_for_run_loop(translator, exit);
            if (host_code == NULL)
                return JIT_EXIT_LOOK;
        }
    } while (!cpu->break_after);
    return finish(translator, leave);
}

/* The x86-64 backend: its buffer, from lifted block to host code, running it and joining blocks. */
#define _GNU_SOURCE
#include "x86_64_backend.h"
#include "cpu_feature.h"
#include "x86_64_internal.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum {
    DEFAULT_BUFFER_BYTES = 64 << 20,
    MINIMUM_BUFFER_BYTES = 1 << 20,
    BLOCK_BYTES_MAX = 256 << 10,
    VARIANTS_MAX = 12
};

/* The buffer is mapped twice, writable here and executable there: never both at once in one
 * mapping. */
static bool map_buffer(X86Backend *backend, size_t bytes, Error *error) {
    int file = memfd_create("reprise-code", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)bytes) != 0) {
        if (file >= 0)
            close(file);
        return error_set(error, "cannot make the translation buffer");
    }
    void *writable = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *executable = mmap(NULL, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    close(file);
    backend->buffer_bytes = bytes;
    backend->writable = writable == MAP_FAILED ? NULL : writable;
    backend->executable = executable == MAP_FAILED ? NULL : executable;
    if (backend->writable == NULL || backend->executable == NULL)
        return error_set(error, "cannot map the translation buffer (is executable memory "
                                "forbidden?): try -accel interp");
    return true;
}

static void *map_table(size_t bytes) {
    void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return table == MAP_FAILED ? NULL : table;
}

static bool make_tables(X86Backend *backend, Error *error) {
    backend->flag_states = flag_state_table_create();
    backend->translation = calloc(1, sizeof(Translation));
    backend->sites = map_table(SITE_COUNT * sizeof(Site));
    backend->links = map_table(LINK_COUNT * sizeof(LinkRecord));
    backend->indirect = map_table(INDIRECT_ENTRIES * sizeof(IndirectEntry));
    backend->indirect_used = map_table(INDIRECT_ENTRIES * sizeof(uint32_t));
    if (backend->flag_states == NULL || backend->translation == NULL || backend->sites == NULL ||
        backend->links == NULL || backend->indirect == NULL || backend->indirect_used == NULL)
        return error_set(error, "out of memory for the tables of the translator");
    return true;
}

X86Backend *x86_backend_create(Translator *translator, Error *error) {
#if !defined(__x86_64__)
    error_set(error, "-accel jit needs an x86-64 host here: use -accel interp");
    return NULL;
#endif
    X86Backend *backend = calloc(1, sizeof(*backend));
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
    if (!map_buffer(backend, bytes, error) || !make_tables(backend, error)) {
        x86_backend_destroy(backend);
        return NULL;
    }
    Assembler assembler = {.code = backend->writable, .end = backend->writable + bytes};
    x86_emit_trampolines(backend, &assembler);
    backend->start = backend->next = assembler.code;
    translator->cpu->indirect_table = backend->indirect;
    translator->cpu->materialize_flags = x86_executable(backend, backend->materialize);
    return backend;
}

static void unmap(void *address, size_t bytes) {
    if (address != NULL)
        munmap(address, bytes);
}

void x86_backend_destroy(X86Backend *backend) {
    if (backend == NULL)
        return;
    unmap(backend->writable, backend->buffer_bytes);
    unmap((void *)backend->executable, backend->buffer_bytes);
    unmap(backend->sites, SITE_COUNT * sizeof(Site));
    unmap(backend->links, LINK_COUNT * sizeof(LinkRecord));
    unmap(backend->indirect, INDIRECT_ENTRIES * sizeof(IndirectEntry));
    unmap(backend->indirect_used, INDIRECT_ENTRIES * sizeof(uint32_t));
    flag_state_table_destroy(backend->flag_states);
    free(backend->translation);
    free(backend);
}

void x86_backend_forget_indirect(X86Backend *backend) {
    for (uint32_t i = 0; i < backend->indirect_used_count; i++)
        backend->indirect[backend->indirect_used[i]] = (IndirectEntry){0};
    backend->indirect_used_count = 0;
}

void x86_backend_reset(X86Backend *backend) {
    backend->next = backend->start;
    backend->full = false;
    backend->site_count = backend->link_count = 0;
    flag_state_table_clear(backend->flag_states);
    x86_backend_forget_indirect(backend);
}

size_t x86_backend_buffer_used(const X86Backend *backend) {
    return (size_t)(backend->next - backend->writable);
}

uint64_t x86_backend_host_features(void) {
    uint64_t features = 0;
#if defined(__x86_64__)
    /* CPUID leaf 1 (SDM vol. 2A table 3-10, 3-11); x86-64 itself includes SSE2. */
    static const struct {
        uint8_t bit, feature;
    } of_ecx[] = {{0, FEATURE_SSE3},   {1, FEATURE_PCLMUL}, {9, FEATURE_SSSE3},
                  {19, FEATURE_SSE41}, {20, FEATURE_SSE42}, {25, FEATURE_AES}};
    unsigned eax, ebx, ecx = 0, edx;
    features = FEATURE_BIT(FEATURE_MMX) | FEATURE_BIT(FEATURE_SSE) | FEATURE_BIT(FEATURE_SSE2);
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        for (unsigned i = 0; i < sizeof of_ecx / sizeof of_ecx[0]; i++)
            if (ecx >> of_ecx[i].bit & 1)
                features |= FEATURE_BIT(of_ecx[i].feature);
#endif
    return features;
}

/* --- translating --- */

static void begin(Translation *translation, X86Backend *backend, const BlockKey *key) {
    memset(translation, 0, offsetof(Translation, slow));
    translation->slow_count = translation->stub_count = translation->link_count = 0;
    translation->fpu_check_count = 0;
    translation->fpu_live = FPU_LIVE_NONE;
    x86_fpu_forget_pointers(translation);
    translation->failed = false;
    translation->backend = backend;
    translation->lifted = &backend->translator->lifted;
    translation->context = context_table_get(backend->translator->contexts, key->context);
    translation->key = *key;
    translation->assembler =
        (Assembler){.code = backend->next, .end = backend->writable + backend->buffer_bytes};
    translation->link_first = backend->link_count;
    translation->flags = *flag_state_get(backend->flag_states, key->flag_state);
    translation->located = FLAG_GROUP_ALL;
    translation->corrupt_uop = backend->translator->options.corrupt_uop;
    if (translation->corrupt_uop == 0)
        translation->corrupt_uop = UOP_COUNT;
    translation->uop = &translation->lifted->uop[0];
}

static void emit_block(Translation *translation) {
    x86_find_shared_checks(translation);
    x86_emit_poll(translation);
    x86_fpu_begin_block(translation);
    const UopBlock *lifted = translation->lifted;
    for (unsigned i = 0; i < lifted->uop_count && !translation->failed; i++) {
        translation->uop = &lifted->uop[i];
        x86_emit_uop(translation, translation->uop);
        if (translation->uop->code == translation->corrupt_uop &&
            translation->uop->dst_kind == UOPERAND_REG)
            asm_lea(&translation->assembler, 4, host_register(translation->uop->dst) & 15,
                    host_mem(host_register(translation->uop->dst) & 15, 1));
    }
    translation->hot_end = translation->assembler.code;
    x86_emit_slow_paths(translation);
    x86_emit_unshared_exits(translation);
    x86_fpu_emit_stubs(translation);
    x86_emit_stubs(translation);
}

/* The site jumps to its stub now, and will again. */
static void set_link_site(BlockLink *link, uint8_t *site) {
    int32_t displacement;
    memcpy(&displacement, site, sizeof(displacement));
    link->site = site;
    link->stub = site + 4 + displacement;
}

static Block *enter_block(Translation *translation) {
    X86Backend *backend = translation->backend;
    Translator *translator = backend->translator;
    const UopBlock *lifted = translation->lifted;
    bool page_is_new;
    Block *block =
        block_cache_add(translator->cache, &translation->key, lifted->next_eip - lifted->eip,
                        translation->link_count, &page_is_new);
    if (page_is_new)
        tlb_drop_page_writes(&translator->cpu->tlb, translation->key.physical >> PAGE_BITS);
    block->insn_count = lifted->insn_count;
    block->host_code = x86_executable(backend, backend->next);
    block->host_bytes = (uint32_t)(translation->assembler.code - backend->next);
    block->hot_bytes = (uint32_t)(translation->hot_end - backend->next);
    for (unsigned i = 0; i < translation->link_count; i++)
        backend->links[translation->link_first + i].block = block;
    for (unsigned i = 0; i < translation->stub_count; i++) {
        const Stub *stub = &translation->stub[i];
        if ((stub->leave & 0xFF) == LEAVE_LINK)
            set_link_site(&block->links[backend->links[stub->leave >> 8].index], stub->jump_site);
    }
    translator->counters.host_bytes += (uint64_t)(translation->assembler.code - backend->next);
    backend->next = translation->assembler.code;
    return block;
}

static bool is_nearly_full(const X86Backend *backend) {
    return backend->next + BLOCK_BYTES_MAX > backend->writable + backend->buffer_bytes ||
           backend->site_count + SLOW_PATH_MAX > SITE_COUNT ||
           backend->link_count + STUB_MAX > LINK_COUNT;
}

Block *x86_backend_translate(Translator *translator, const BlockKey *key) {
    X86Backend *backend = translator->x86;
    Translation *translation = backend->translation;
    if (is_nearly_full(backend)) {
        backend->full = true;
        return NULL;
    }
    begin(translation, backend, key);
    emit_block(translation);
    if (translation->failed || translation->assembler.overflow) {
        backend->full = true;
        return NULL;
    }
    return enter_block(translation);
}

bool x86_backend_is_full(const X86Backend *backend) {
    return backend->full;
}

/* --- joining --- */

void x86_backend_unlink(void *translator, BlockLink *link) {
    (void)translator;
    asm_patch(link->site, link->stub);
}

/* Where 'eip' of the present code segment lies, if the TLB knows: nothing is walked. */
static bool find_target(const Translator *translator, const Context *context, uint32_t eip,
                        uint32_t *physical) {
    const Cpu *cpu = translator->cpu;
    uint32_t linear = context->cs_base + eip;
    const TlbWalked *walked = &cpu->tlb.walked[linear >> PAGE_BITS];
    bool user = context_cpl(context) == 3;
    if (eip > context->cs_limit || !(walked->rights & TLB_RIGHT_VALID) ||
        (walked->rights & TLB_RIGHT_NO_EXECUTE) || (user && !(walked->rights & TLB_RIGHT_USER)))
        return false;
    *physical = walked->physical_page << PAGE_BITS | (linear & PAGE_OFFSET_MASK);
    return true;
}

/* Code that brings the flags from 'flag_state' to memory and goes on in the block that expects them
 * there: for targets that are entered with too many different states. */
static const uint8_t *make_adapter(X86Backend *backend, uint32_t flag_state, const Block *target) {
    Assembler assembler = {.code = backend->next, .end = backend->writable + backend->buffer_bytes};
    asm_mov_imm(&assembler, 4, host_reg(HOST_SCRATCH), flag_state);
    asm_patch(asm_call(&assembler), backend->materialize);
    asm_patch(asm_jmp(&assembler),
              backend->writable + ((const uint8_t *)target->host_code - backend->executable));
    const uint8_t *adapter = backend->next;
    backend->next = assembler.code;
    return adapter;
}

/* The block at this place that is entered with these flags, and where (in the writable mapping) to
 * enter it. */
static Block *find_entry(Translator *translator, BlockKey *key, const uint8_t **entry) {
    X86Backend *backend = translator->x86;
    if (is_nearly_full(backend))
        return NULL;
    uint16_t flag_state = key->flag_state;
    if (block_cache_find(translator->cache, key) == NULL &&
        block_cache_count_variants(translator->cache, key) >= VARIANTS_MAX)
        key->flag_state = FLAG_STATE_IN_MEMORY;
    Block *block = translator_get_block(translator, key);
    if (block == NULL)
        return NULL;
    if (key->flag_state != flag_state)
        *entry = make_adapter(backend, flag_state, block);
    else
        *entry = backend->writable + ((const uint8_t *)block->host_code - backend->executable);
    return block;
}

static bool may_join(const Translator *translator) {
    return !translator->options.no_chaining &&
           !(translator->cpu->trace->mask & (TRACE_EXEC | TRACE_CPU)) &&
           !translator->cpu->code_changed;
}

static void join_link(Translator *translator, const LinkRecord *record) {
    Block *source = record->block;
    uint32_t physical;
    if (!may_join(translator) || source->dead || source->links[record->index].target != NULL)
        return;
    const Context *context = context_table_get(translator->contexts, source->key.context);
    if (!find_target(translator, context, record->eip, &physical))
        return;
    BlockKey key = {.physical = physical,
                    .eip = record->eip,
                    .context = source->key.context,
                    .flag_state = record->flag_state,
                    .limit = record->limit};
    BlockLink *link = &source->links[record->index];
    const uint8_t *entry;
    Block *target = find_entry(translator, &key, &entry);
    if (target == NULL || source->dead)
        return;
    uint32_t source_linear = context->cs_base + source->key.eip,
             target_linear = context->cs_base + record->eip;
    link->crosses_page = source_linear >> PAGE_BITS != target_linear >> PAGE_BITS;
    block_cache_link(translator->cache, link, target);
    asm_patch(link->site, entry);
    translator->counters.links++;
}

static uint64_t indirect_tag(uint32_t eip, uint32_t context_number, uint32_t flag_state) {
    return eip | (uint64_t)(context_number | flag_state << 16) << 32;
}

static IndirectEntry *find_indirect(const X86Backend *backend, uint32_t eip, uint32_t flag_state) {
    return &backend->indirect[(eip + x86_indirect_salt(flag_state)) & (INDIRECT_ENTRIES - 1)];
}

/* From now on a jump to this key's place that finds its flags like this goes to that code. */
static void enter_indirect(X86Backend *backend, const BlockKey *key, uint32_t flag_state,
                           const void *host_code) {
    IndirectEntry *entry = find_indirect(backend, key->eip, flag_state);
    if (entry->tag == 0)
        backend->indirect_used[backend->indirect_used_count++] =
            (uint32_t)(entry - backend->indirect);
    *entry = (IndirectEntry){.tag = indirect_tag(key->eip, key->context, flag_state),
                             .host_code = host_code};
}

static void join_indirect(Translator *translator, uint32_t context_number, uint32_t flag_state) {
    X86Backend *backend = translator->x86;
    uint32_t physical, eip = translator->cpu->state.eip;
    if (!may_join(translator) ||
        !find_target(translator, context_table_get(translator->contexts, context_number), eip,
                     &physical))
        return;
    BlockKey key = {.physical = physical,
                    .eip = eip,
                    .context = context_number,
                    .flag_state = (uint16_t)flag_state};
    const uint8_t *entry;
    if (find_entry(translator, &key, &entry) == NULL)
        return;
    enter_indirect(backend, &key, flag_state, x86_executable(backend, entry));
}

/* --- running --- */

enum { SEGMENT_SEEN = 1 << 16 }; /* tells from a segment not looked at yet */

/* What translated code compares offsets with where a segment needs that. */
void x86_update_segment_limits(Cpu *cpu) {
    for (unsigned s = 0; s < SEG_COUNT; s++) {
        const Segment *segment = &cpu->state.segment[s];
        uint64_t seen = (uint64_t)segment->limit << 32 | SEGMENT_SEEN | segment->access;
        if (cpu->segment_seen[s] == seen)
            continue;
        cpu->segment_seen[s] = seen;
        bool present = (segment->access & ACCESS_P) != 0;
        bool code = (segment->access & ACCESS_CODE) != 0;
        bool up = code || !(segment->access & ACCESS_EC); /* expand-down limits go the slow way */
        bool readable = present && up && (!code || (segment->access & ACCESS_RW));
        bool writable = present && up && !code && (segment->access & ACCESS_RW);
        cpu->segment_limit[0][s] = readable ? (int64_t)segment->limit : -1;
        cpu->segment_limit[1][s] = writable ? (int64_t)segment->limit : -1;
    }
}

static void set_flags(Cpu *cpu, const X86Backend *backend, uint32_t flag_state) {
    if (flag_state != FLAG_STATE_IN_MEMORY)
        cpu_set_status_flags(
            cpu, flag_state_evaluate(flag_state_get(backend->flag_states, flag_state), cpu));
}

static void restore_site(Cpu *cpu, const X86Backend *backend, uint32_t number) {
    const Site *site = &backend->sites[number];
    cpu->state.eip = site->eip;
    cpu->state.instruction_count = cpu->count_end - (uint64_t)(cpu->budget + site->uncounted);
    set_flags(cpu, backend, site->flag_state);
    x86_fpu_take_pointers(cpu, backend, site->x87_site);
}

static X86Exit finish(Translator *translator, uint32_t context_number, uint32_t leave) {
    Cpu *cpu = translator->cpu;
    X86Backend *backend = translator->x86;
    uint32_t number = leave >> 8;
    x86_fpu_settle_pointers(cpu, backend);
    switch (leave & 0xFF) {
    case LEAVE_LINK: {
        const LinkRecord *record = &backend->links[number];
        cpu->state.eip = record->eip;
        cpu->state.instruction_count = cpu->count_end - (uint64_t)cpu->budget;
        set_flags(cpu, backend, record->flag_state);
        translator->next_limit = record->limit;
        join_link(translator, record);
        return X86_EXIT_NEXT;
    }
    case LEAVE_INDIRECT:
        cpu->state.eip = (uint32_t)cpu->host_slot[HOST_R10];
        cpu->state.instruction_count = cpu->count_end - (uint64_t)cpu->budget;
        set_flags(cpu, backend, number);
        join_indirect(translator, context_number, number);
        return X86_EXIT_NEXT;
    case LEAVE_LOOK:
        return X86_EXIT_LOOK;
    case LEAVE_HELPER_FAULT:
        return X86_EXIT_FAULT;
    default:
        restore_site(cpu, backend, number);
        return (leave & 0xFF) == LEAVE_FAULT  ? X86_EXIT_FAULT
               : (leave & 0xFF) == LEAVE_STEP ? X86_EXIT_STEP
               : (leave & 0xFF) == LEAVE_POLL ? X86_EXIT_POLL
                                              : X86_EXIT_LOOK;
    }
}

/* Would the run loop do anything but enter the block at state.eip? */
static bool wants_run_loop(const Translator *translator) {
    const Cpu *cpu = translator->cpu;
    const CpuState *state = &cpu->state;
    return cpu->break_after || cpu->code_changed || state->halted || state->shutdown ||
           state->init_pending || state->interrupt_shadow ||
           state->instruction_count >= cpu->count_end || translator_must_step(translator) ||
           cpu_has_deliverable_interrupt(cpu) || !may_join(translator);
}

const void *x86_find_next(Cpu *cpu) {
    Translator *translator = cpu->translator;
    if (wants_run_loop(translator))
        return NULL;
    uint32_t context = context_table_number(translator->contexts, cpu);
    const IndirectEntry *entry =
        find_indirect(translator->x86, cpu->state.eip, FLAG_STATE_IN_MEMORY);
    if (entry->tag != indirect_tag(cpu->state.eip, context, FLAG_STATE_IN_MEMORY) || context == 0)
        return NULL;
    cpu->budget = (int64_t)(cpu->count_end - cpu->state.instruction_count);
    x86_update_segment_limits(cpu);
    return entry->host_code;
}

X86Exit x86_backend_run(Translator *translator, Block *block) {
    typedef uint32_t EnterFunction(Cpu * cpu, const void *host_code);
    Cpu *cpu = translator->cpu;
    X86Backend *backend = translator->x86;
    uint32_t context_number = block->key.context;
    if (may_join(translator) && block->key.limit == 0)
        enter_indirect(backend, &block->key, FLAG_STATE_IN_MEMORY, block->host_code);
    cpu->budget = (int64_t)(cpu->count_end - cpu->state.instruction_count);
    cpu->code_changed = 0;
    x86_update_segment_limits(cpu);
    EnterFunction *enter = (EnterFunction *)(uintptr_t)x86_executable(backend, backend->enter);
    uint32_t leave = enter(cpu, block->host_code);
    return finish(translator, context_number, leave);
}

/* See hot_path.h. */
#include "hot_path.h"
#include "cpu_debugger.h"
#include "jit_backend.h"
#include "portable.h"
#include "translator_internal.h"
#include <stdlib.h>
#include <string.h>

enum {
    PATHS = 1 << 11,
    PAGE_WORDS = 64,
    PARTS_MAX = 16,
    COPIES_MAX = 8,        /* of a loop */
    INTERVAL = 49999,      /* instructions from sample to sample: no loop's length divides it */
    INTERVAL_EAGER = 211,  /* for tests */
    SAMPLES_WANTED = 4,    /* before a path is recorded */
    RECORDINGS_WANTED = 2, /* of which what they have in common is taken */
    DEATHS_MAX = 512,      /* of blocks on a page, by stores: too often for paths */
    FAILURES_MAX = 3,      /* that often its code was stored into */
    RANGE_MAX = PAGE_SIZE / 2,
};

/* The blocks that were run one after another. */
typedef struct Recording {
    uint8_t count;
    uint8_t loop_start; /* first part of the loop; PARTS_MAX if there is none */
    uint8_t rounds;     /* of the loop before it was left; COPIES_MAX are enough */
    uint8_t unused;
    uint32_t part[PARTS_MAX], end[PARTS_MAX]; /* EIP, and that behind */
} Recording;

typedef struct HotPath {
    uint32_t physical, eip, context; /* of the head; context 0: free */
    uint16_t byte_count;
    uint8_t samples, recordings, failures;
    uint8_t part_count;       /* 0: not recorded yet, or nothing to gain */
    uint8_t copies;           /* of a loop; 0: it is none */
    bool is_settled;          /* nothing is to be recorded here any more */
    uint32_t part[PARTS_MAX]; /* EIP of each basic block */
    Recording recording;      /* what began here so far */
} HotPath;

struct HotPaths {
    uint64_t next_sample; /* instruction count */
    uint64_t
        pages[PAGE_WORDS]; /* a bit for each, by its number's low bits: does a path lie there? */
    UopScratch scratch;
    HotPath path[PATHS];
};

HotPaths *hot_paths_create(Error *error) {
    HotPaths *paths = calloc(1, sizeof(*paths));
    if (paths == NULL)
        error_set(error, "out of memory for the table of hot paths");
    return paths;
}

void hot_paths_destroy(HotPaths *paths) {
    free(paths);
}

void hot_paths_clear(HotPaths *paths) {
    memset(paths->path, 0, sizeof(paths->path));
    memset(paths->pages, 0, sizeof(paths->pages));
}

static uint64_t *page_word(HotPaths *paths, uint32_t physical) {
    return &paths->pages[physical >> PAGE_BITS >> 6 & (PAGE_WORDS - 1)];
}
static uint64_t page_bit(uint32_t physical) {
    return UINT64_C(1) << (physical >> PAGE_BITS & 63);
}

void hot_paths_forget(HotPaths *paths, uint32_t physical, uint32_t size) {
    uint32_t last = physical + size - 1;
    if (!(*page_word(paths, physical) & page_bit(physical)) &&
        !(*page_word(paths, last) & page_bit(last)))
        return;
    for (unsigned i = 0; i < PATHS; i++) {
        HotPath *path = &paths->path[i];
        if (path->part_count == 0 || path->physical > last ||
            path->physical + path->byte_count <= physical)
            continue;
        path->part_count = path->samples = path->recordings = 0;
        path->is_settled = ++path->failures >= FAILURES_MAX;
    }
}

/* --- samples --- */

static bool is_enabled(const Translator *translator) {
    const TranslatorOptions *options = &translator->options;
    return translator->jit != NULL && !options->no_hot_paths && !options->no_chaining &&
           !options->flush_blocks && !options->one_insn_blocks && options->stress_seed == 0 &&
           !(translator->cpu->trace->mask & (TRACE_EXEC | TRACE_CPU));
}

static bool changes_often(const Translator *translator, const BlockKey *key) {
    return block_cache_page_deaths(translator->cache, key->physical >> PAGE_BITS) >= DEATHS_MAX;
}

uint64_t hot_paths_limit(const Translator *translator, uint64_t left) {
    uint64_t now = translator->cpu->state.instruction_count;
    uint64_t next = translator->hot_paths->next_sample;
    if (!is_enabled(translator) || next >= now + left)
        return left;
    return next > now ? next - now : 1;
}

static HotPath *find_slot(HotPaths *paths, const BlockKey *key) {
    uint32_t hash = key->physical * 0x9E3779B1u ^ key->context * 0x85EBCA77u;
    return &paths->path[hash >> 16 & (PATHS - 1)];
}

static bool is_at(const HotPath *path, const BlockKey *key) {
    return path->physical == key->physical && path->eip == key->eip &&
           path->context == key->context && key->context != 0;
}

/* The slot of this place, if it has one: another that has nothing to show loses it bit by bit. */
static HotPath *claim_slot(HotPaths *paths, const BlockKey *key) {
    HotPath *slot = find_slot(paths, key);
    if (is_at(slot, key))
        return slot;
    if (slot->context != 0 && slot->samples != 0) {
        slot->samples--;
        return NULL;
    }
    *slot = (HotPath){.physical = key->physical, .eip = key->eip, .context = key->context};
    return slot;
}

/* --- recording --- */

static bool wants_run_loop(const Translator *translator) {
    const Cpu *cpu = translator->cpu;
    return cpu->break_after || cpu->code_changed || cpu->state.shutdown || cpu->state.halted ||
           cpu->state.init_pending || cpu->state.interrupt_shadow ||
           translator_must_step(translator) || cpu_wants_interrupt(cpu);
}

/* Is the next instruction still code like the head's, on its page? */
static bool is_like_head(Translator *translator, const BlockKey *head, const Context *context) {
    uint32_t page, eip = translator->cpu->state.eip;
    uint32_t linear = context->cs_base + eip, head_linear = context->cs_base + head->eip;
    return linear >> PAGE_BITS == head_linear >> PAGE_BITS && eip <= context->cs_limit &&
           translator_find_page(translator, context, linear, &page) &&
           page == head->physical >> PAGE_BITS &&
           context_table_number(translator->contexts, translator->cpu) == head->context;
}

static uint32_t physical_at(const BlockKey *head, uint32_t eip) {
    return head->physical + (eip - head->eip);
}

/* Runs the block at the present place. False: the path ends with it, or before if '*ran' is false.
 */
static bool run_part(Translator *translator, const BlockKey *head, uint64_t end, bool *ran) {
    Cpu *cpu = translator->cpu;
    uint32_t eip = cpu->state.eip;
    const Context *context = context_table_get(translator->contexts, head->context);
    *ran = false;
    if (wants_run_loop(translator) || !is_like_head(translator, head, context))
        return false;
    /* Its bytes must count as code: nothing else would stop it at a store to what is ahead. */
    const BlockKey key = {.physical = physical_at(head, eip), .eip = eip, .context = head->context};
    if (translator_get_block_unflushed(translator, &key) == NULL ||
        !translator_lift_at(translator, physical_at(head, eip), eip, context, UOP_BLOCK_INSNS) ||
        cpu->state.instruction_count + translator->lifted.insn_count > end)
        return false;
    *ran = true;
    PortableExit exit = portable_run(cpu, &translator->lifted);
    if (exit == PORTABLE_FAULT) {
        translator->counters.faults++;
        cpu_deliver_exception(cpu);
    }
    return exit == PORTABLE_NEXT;
}

static unsigned find_part(const Recording *recording, uint32_t eip) {
    unsigned i = 0;
    while (i < recording->count && recording->part[i] != eip)
        i++;
    return i;
}

/* How often the loop is run before it is left. */
static void count_rounds(Translator *translator, const BlockKey *head, Recording *recording,
                         uint64_t end) {
    unsigned part = recording->loop_start;
    const CpuState *state = &translator->cpu->state;
    bool ran = true;
    for (recording->rounds = 1; recording->rounds < COPIES_MAX;) {
        if (state->eip != recording->part[part] || !run_part(translator, head, end, &ran))
            return;
        part++;
        if (part == recording->count) {
            part = recording->loop_start;
            recording->rounds++;
        }
    }
}

static void record(Translator *translator, const BlockKey *head, uint64_t left,
                   Recording *recording) {
    const CpuState *state = &translator->cpu->state;
    uint64_t end = state->instruction_count + left;
    unsigned insn_count = 0;
    bool ran = true, goes_on = true;
    *recording = (Recording){.loop_start = PARTS_MAX};
    translator->cpu->count_end = end;
    translator->cpu->code_changed = 0;
    translator_end_suppression(translator->cpu);
    while (goes_on && recording->count < PARTS_MAX && insn_count < UOP_PATH_INSNS) {
        uint32_t eip = state->eip;
        unsigned known = find_part(recording, eip);
        if (known < recording->count) {
            recording->loop_start = (uint8_t)known;
            count_rounds(translator, head, recording, end);
            return;
        }
        goes_on = run_part(translator, head, end, &ran);
        if (!ran)
            return;
        recording->part[recording->count] = eip;
        recording->end[recording->count++] = translator->lifted.next_eip;
        insn_count += translator->lifted.insn_count;
    }
}

/* What two recordings from the same place have in common. */
static void intersect(Recording *recording, const Recording *other) {
    unsigned same = 0;
    while (same < recording->count && same < other->count &&
           recording->part[same] == other->part[same])
        same++;
    bool both = same == recording->count && same == other->count &&
                recording->loop_start == other->loop_start;
    recording->count = (uint8_t)same;
    if (!both)
        recording->loop_start = PARTS_MAX;
    if (recording->rounds > other->rounds)
        recording->rounds = other->rounds;
}

/* The parts that make a path with its head at the lowest address. */
static HotPath make_path(const Recording *recording) {
    bool is_loop = recording->loop_start < recording->count;
    unsigned first = is_loop ? recording->loop_start : 0, count = recording->count - first;
    unsigned lowest = 0;
    for (unsigned i = 1; is_loop && i < count; i++)
        if (recording->part[first + i] < recording->part[first + lowest])
            lowest = i;
    uint32_t start = recording->part[first + lowest], end = start;
    HotPath path = {.eip = start, .is_settled = true, .samples = SAMPLES_WANTED};
    for (unsigned i = 0; i < count; i++) {
        unsigned part = first + (lowest + i) % count;
        if (recording->part[part] < start || recording->end[part] - start > RANGE_MAX)
            break; /* the rest is left to others */
        path.part[path.part_count++] = recording->part[part];
        end = recording->end[part] > end ? recording->end[part] : end;
    }
    path.byte_count = (uint16_t)(end - start);
    if (is_loop && path.part_count == count)
        path.copies = recording->rounds;
    if (path.part_count < 2 && path.copies < 2)
        path.part_count = 0;
    return path;
}

static void keep_path(Translator *translator, const BlockKey *head, const Recording *recording) {
    HotPaths *paths = translator->hot_paths;
    if (recording->count == 0)
        return;
    HotPath path = make_path(recording);
    BlockKey key = *head;
    key.physical = path.physical = physical_at(head, path.eip);
    key.eip = path.eip;
    path.context = key.context;
    HotPath *slot = find_slot(paths, &key);
    if (path.part_count == 0 || (is_at(slot, &key) && slot->part_count != 0))
        return;
    if (is_at(slot, &key)) {
        if (slot->failures >= FAILURES_MAX)
            return;
        path.failures = slot->failures;
    }
    *slot = path;
    *page_word(paths, path.physical) |= page_bit(path.physical);
    translator->counters.hot_paths++;
    block_cache_forget_place(translator->cache, &key);
    jit_backend_forget_indirect(translator->jit, true);
}

static bool stops_on_page(const Translator *translator, const Context *context,
                          const BlockKey *key) {
    uint32_t page = (context->cs_base + key->eip) & ~PAGE_OFFSET_MASK;
    return context->stop_set != 0 &&
           cpu_bytes_to_stop(translator->cpu, page, PAGE_SIZE) < PAGE_SIZE;
}

bool hot_paths_sample(Translator *translator, const BlockKey *key, uint64_t left) {
    HotPaths *paths = translator->hot_paths;
    const CpuState *state = &translator->cpu->state;
    uint64_t now = state->instruction_count;
    bool is_eager = translator->options.eager_hot_paths;
    if (!is_enabled(translator) || now + UOP_PATH_INSNS < paths->next_sample)
        return false;
    paths->next_sample = now + (is_eager ? INTERVAL_EAGER : INTERVAL);
    const Context *context = context_table_get(translator->contexts, key->context);
    if (key->limit != 0 || left < UOP_PATH_INSNS || context_breakpoints(context) != 0 ||
        stops_on_page(translator, context, key) || state->interrupt_shadow ||
        changes_often(translator, key))
        return false;
    HotPath *slot = claim_slot(paths, key);
    if (slot == NULL || slot->is_settled || ++slot->samples < (is_eager ? 1 : SAMPLES_WANTED))
        return false;
    Recording recording;
    record(translator, key, left, &recording);
    if (slot->recordings != 0)
        intersect(&recording, &slot->recording);
    slot->recording = recording;
    if (++slot->recordings >= (is_eager ? 1 : RECORDINGS_WANTED)) {
        slot->is_settled = true; /* whatever comes of it */
        keep_path(translator, key, &recording);
    }
    return state->instruction_count != now || translator->cpu->break_after;
}

/* --- lifting --- */

/* The block so far goes on at 'eip' instead of leaving there: a jump to it vanishes, a conditional
 * jump to it is turned round. */
static bool go_on_at(UopBlock *block, uint32_t eip) {
    static const uint8_t opposite[UOP_COUNT] = {
        [UOP_JCC] = UOP_JCC, [UOP_JCXZ] = UOP_JNCXZ, [UOP_JNCXZ] = UOP_JCXZ};
    Uop *last = &block->uop[block->uop_count - 1];
    if (block->uop_count == 0 || last->code != UOP_JMP || last->imm2 != UOP_SAME_CONTEXT)
        return false;
    if (last->imm == eip) {
        block->uop_count--;
        return true;
    }
    Uop *condition = last - 1;
    if (block->uop_count < 2 || opposite[condition->code] == 0 || condition->imm != eip ||
        condition->insn != last->insn)
        return false;
    condition->code = opposite[condition->code];
    condition->condition ^= condition->code == UOP_JCC;
    condition->imm = last->imm;
    block->uop_count--;
    return true;
}

static void append(UopBlock *block, const UopBlock *part) {
    for (unsigned i = 0; i < part->uop_count; i++) {
        Uop *uop = &block->uop[block->uop_count + i];
        *uop = part->uop[i];
        uop->insn = (uint16_t)(uop->insn + block->insn_count);
    }
    for (unsigned i = 0; i < part->insn_count; i++) {
        UopInsn *insn = &block->insn[block->insn_count + i];
        *insn = part->insn[i];
        insn->first_uop = (uint16_t)(insn->first_uop + block->uop_count);
    }
    block->uop_count = (uint16_t)(block->uop_count + part->uop_count);
    block->insn_count = (uint16_t)(block->insn_count + part->insn_count);
}

static bool has_room(const UopBlock *block, unsigned insns, unsigned uops) {
    return block->insn_count + insns <= UOP_PATH_INSNS && block->uop_count + uops <= UOP_BLOCK_UOPS;
}

/* One more time round. False: the path does not go on. */
static bool append_parts(Translator *translator, const BlockKey *key, const HotPath *path,
                         UopBlock *block) {
    const Context *context = context_table_get(translator->contexts, key->context);
    const UopBlock *part = &translator->lifted;
    for (unsigned i = 0; i < path->part_count; i++) {
        uint32_t eip = path->part[i];
        if (!translator_lift_at(translator, physical_at(key, eip), eip, context, UOP_BLOCK_INSNS) ||
            part->next_eip - path->eip > path->byte_count ||
            !has_room(block, part->insn_count, part->uop_count))
            return false;
        if (block->uop_count != 0 && !go_on_at(block, eip))
            return false;
        append(block, part);
    }
    return true;
}

bool hot_path_lift(Translator *translator, const BlockKey *key) {
    HotPaths *paths = translator->hot_paths;
    if (!(*page_word(paths, key->physical) & page_bit(key->physical)))
        return false;
    const HotPath *path = find_slot(paths, key);
    if (!is_at(path, key) || path->part_count == 0 || key->limit != 0 || !is_enabled(translator) ||
        changes_often(translator, key))
        return false;
    UopBlock block = {.insn = paths->scratch.insn, .uop = paths->scratch.uop, .eip = path->eip};
    unsigned copies = 0, insns = 0, uops = 0;
    do {
        unsigned insns_before = block.insn_count, uops_before = block.uop_count;
        if (!append_parts(translator, key, path, &block))
            break;
        insns = block.insn_count - insns_before;
        uops = block.uop_count - uops_before + 1u;
    } while (++copies < path->copies && has_room(&block, insns, uops));
    if (block.insn_count == 0)
        return false;
    block.next_eip = path->eip + path->byte_count;
    translator->lifted = block;
    return true;
}

/* What translated code calls C for: memory that has no inline TLB entry, helpers, flags in memory.
 */
#include <string.h>

#include "approximation.h"
#include "cpu_debug.h"
#include "flags.h"
#include "helpers.h"
#include "jit_internal.h"
#include "little_endian.h"
#include "portable_internal.h"
#include "timeless_device.h"
#include "vector.h"
#include "x87.h"
#include "x87_fast.h"

static JitBackend *backend_of(const Cpu *cpu) {
    return ((Translator *)cpu->translator)->jit;
}

/* The memory that an access reaches, if one host address serves: no page crossed, no callback. */
static uint8_t *plain_memory(const Cpu *cpu, uint32_t physical, bool write) {
    const PhysicalPage page = physical_map_page(cpu->map, physical >> PAGE_BITS);
    uint8_t *host = write ? page.write : page.read;
    return host == NULL ? NULL : host + (physical & PAGE_OFFSET_MASK);
}

/* Does a store there, or the part of it on this page, change translated code? */
static bool meets_code(const Cpu *cpu, uint32_t physical, unsigned size) {
    const PhysicalPage page = physical_map_page(cpu->map, physical >> PAGE_BITS);
    if (page.flags == NULL || !(*page.flags & PAGE_CODE))
        return false;
    uint32_t in_page = PAGE_SIZE - (physical & PAGE_OFFSET_MASK);
    return block_cache_holds_code(backend_of(cpu)->translator->cache, physical,
                                  size < in_page ? size : in_page);
}

/* A device that looks at the clock or at wires must see the exact time and may change everything:
 * that instruction is run alone. So is one that stores into its own block: what follows it there
 * may be another instruction now. */
static bool wants_step(const Cpu *cpu, uint32_t physical, const Site *site, bool write) {
    const PhysicalPage page = physical_map_page(cpu->map, physical >> PAGE_BITS);
    if (page.read == NULL || (write && page.write == NULL)) {
        const MmioRange *range = physical_map_find_mmio(cpu->map, physical);
        return range != NULL && !range->timeless;
    }
    uint32_t in_page = PAGE_SIZE - (physical & PAGE_OFFSET_MASK);
    unsigned size = site->size < in_page ? site->size : in_page;
    return write && meets_code(cpu, physical, size) &&
           (in_page < site->size || block_meets_store(site->block, physical, size));
}

/* One page's part of the access: rights, TLB, and what is special about it. */
static unsigned look_up(Cpu *cpu, uint32_t linear, const Site *site, bool write,
                        uint32_t *physical) {
    PageFault fault;
    AccessKind kind = write ? ACCESS_WRITE : ACCESS_READ;
    if (!tlb_translate(&cpu->tlb, linear, kind, cpu->state.cpl == 3, physical, &fault)) {
        cpu_raise_page_fault(cpu, &fault);
        return SLOW_FAULT;
    }
    /* A data breakpoint traps after its instruction, which is run alone. */
    return wants_step(cpu, *physical, site, write) ||
                   (cpu_watches_data(cpu) && cpu_meets_breakpoint(cpu, linear, site->size, write))
               ? SLOW_STEP
               : SLOW_PLAIN;
}

/* Up to 16 bytes, by eights: as the helpers of such instructions access memory. */
static bool read_bounce(Cpu *cpu, uint32_t linear, unsigned size, bool user) {
    PageFault fault;
    for (unsigned done = 0; done < size; done += 8) {
        unsigned piece = size - done < 8 ? size - done : 8;
        uint64_t value = 0;
        if (!tlb_read(&cpu->tlb, linear + done, piece, user, &value, &fault)) {
            cpu_raise_page_fault(cpu, &fault);
            return false;
        }
        store_le64(cpu->bounce + done, value);
    }
    return true;
}

static SlowResult access_page(Cpu *cpu, uint32_t linear, const Site *site) {
    bool write = site->kind != SITE_READ, user = cpu->state.cpl == 3;
    const Segment *segment = &cpu->state.segment[site->segment];
    uint32_t physical, checked;
    if (site->aligned && linear % 16 != 0)
        return (SlowResult){0, SLOW_STEP};
    if ((segment->kind != SEGMENT_FLAT || site->segment == SEG_CS) &&
        !cpu_check_segment(cpu, site->segment, linear - segment->base, site->size, write, &checked))
        return (SlowResult){0, SLOW_FAULT};
    uint32_t offset = linear & PAGE_OFFSET_MASK;
    bool crosses = offset + site->size > PAGE_SIZE;
    unsigned outcome = look_up(cpu, linear, site, write, &physical);
    if (outcome != SLOW_PLAIN)
        return (SlowResult){0, outcome};
    uint8_t *memory = plain_memory(cpu, physical, write);
    bool into_code = write && meets_code(cpu, physical, site->size);
    if (!crosses && !into_code && memory != NULL &&
        (!write || plain_memory(cpu, physical, false) == memory)) {
        uint8_t *flags = physical_map_page(cpu->map, physical >> PAGE_BITS).flags;
        if (write &&
            flags != NULL) /* a page with code stays without a TLB entry: the TLB did not mark it */
            physical_map_mark_page(cpu->map, flags, PAGE_DIRTY_ALL);
        return (SlowResult){(uint64_t)(uintptr_t)memory, SLOW_PLAIN};
    }
    if (crosses) {
        uint32_t second;
        outcome = look_up(cpu, linear + (PAGE_SIZE - offset), site, write, &second);
        if (outcome != SLOW_PLAIN)
            return (SlowResult){0, outcome};
    }
    if (site->kind != SITE_WRITE && !read_bounce(cpu, linear, site->size, user))
        return (SlowResult){0, SLOW_FAULT};
    cpu->helper_a = linear;
    return (SlowResult){(uint64_t)(uintptr_t)cpu->bounce, SLOW_BOUNCE};
}

/* A walk that finds another page than the TLB had may take away what translated code has already
 * looked up: that instruction is run alone. */
static SlowResult access(Cpu *cpu, uint32_t linear, const Site *site) {
    uint64_t flushes = cpu->tlb.flushes;
    SlowResult result = access_page(cpu, linear, site);
    if (result.outcome <= SLOW_BOUNCE && cpu->tlb.flushes != flushes)
        return (SlowResult){0, SLOW_STEP};
    return result;
}

/* Does any offset of the segment's do that an access of this size can have here? */
static bool is_within_segment(const Segment *segment, uint32_t linear, unsigned size) {
    return segment->kind == SEGMENT_FLAT ||
           (segment->kind == SEGMENT_REAL && linear - segment->base <= 0x10000u - size);
}

/* Where a store goes that lies beside code on its page, if nothing else is special about it: what
 * access_page() would find, by a shorter way. The stack of a DOS program mostly lies so. */
static uint8_t *find_beside_code(Cpu *cpu, uint32_t linear, const Site *site) {
    const uint32_t allowed = TLB_RIGHT_WRITE | TLB_RIGHT_DIRTY;
    const Tlb *tlb = &cpu->tlb;
    const TlbWalked *walked = &tlb->walked[linear >> PAGE_BITS];
    unsigned readable = cpu->state.cpl == 3 ? TLB_USER_READ : TLB_SUPER_READ;
    uint32_t offset = linear & PAGE_OFFSET_MASK;
    if (site->kind == SITE_READ || site->segment == SEG_CS || site->aligned ||
        offset + site->size > PAGE_SIZE || !(walked->filled >> readable & 1) ||
        (walked->rights & allowed) != allowed ||
        !is_within_segment(&cpu->state.segment[site->segment], linear, site->size))
        return NULL;
    const PhysicalPage page = physical_map_page(cpu->map, walked->physical_page);
    if (page.write == NULL || page.write != page.read || page.flags == NULL ||
        !(*page.flags & PAGE_CODE) ||
        block_cache_holds_code(backend_of(cpu)->translator->cache,
                               walked->physical_page << PAGE_BITS | offset, site->size))
        return NULL;
    physical_map_mark_page(cpu->map, page.flags, PAGE_DIRTY_ALL);
    return page.write + offset;
}

/* The two parts of an access over a page's end. */
typedef struct {
    uint8_t *first, *second;
    unsigned first_size, second_size;
} SplitAccess;

/* Finds both parts where the TLB has inline entries for both pages: then nothing else is to be done
 * or looked at, as in translated code. */
static bool find_both_parts(const Cpu *cpu, uint32_t linear, const Site *site,
                            SplitAccess *access) {
    static const unsigned tables[2][2] = {{TLB_SUPER_READ, TLB_SUPER_WRITE},
                                          {TLB_USER_READ, TLB_USER_WRITE}};
    unsigned table = tables[cpu->state.cpl == 3][site->kind != SITE_READ];
    unsigned on_first = PAGE_SIZE - (linear & PAGE_OFFSET_MASK);
    if (on_first >= site->size)
        return false;
    access->first_size = on_first;
    access->second_size = site->size - on_first;
    access->first = tlb_find_plain(&cpu->tlb, table, linear, on_first);
    access->second = tlb_find_plain(&cpu->tlb, table, linear + on_first, access->second_size);
    return access->first != NULL && access->second != NULL;
}

static bool uses_page_pairs(const Cpu *cpu) {
    const TranslatorOptions *options = &backend_of(cpu)->translator->options;
    return !options->no_page_pairs && !options->force_misses;
}

/* An access over a page's end into another page, by a shorter way than access_page(). */
static bool reach_both_pages(Cpu *cpu, uint32_t linear, const Site *site) {
    SplitAccess parts;
    if (!uses_page_pairs(cpu) || site->segment == SEG_CS || site->aligned ||
        !is_within_segment(&cpu->state.segment[site->segment], linear, site->size) ||
        !find_both_parts(cpu, linear, site, &parts))
        return false;
    if (site->kind != SITE_WRITE) {
        memcpy(cpu->bounce, parts.first, parts.first_size);
        memcpy(cpu->bounce + parts.first_size, parts.second, parts.second_size);
    }
    cpu->helper_a = linear;
    return true;
}

static bool flush_both_pages(Cpu *cpu, const Site *site) {
    SplitAccess parts;
    if (!uses_page_pairs(cpu) || !find_both_parts(cpu, cpu->helper_a, site, &parts))
        return false;
    memcpy(parts.first, cpu->bounce, parts.first_size);
    memcpy(parts.second, cpu->bounce + parts.first_size, parts.second_size);
    return true;
}

/* VGA memory, by a shorter way than access_page() and jit_slow_flush() would go. */
static bool reach_timeless_device(Cpu *cpu, uint32_t linear, const Site *site) {
    bool write = site->kind != SITE_READ;
    if (site->segment == SEG_CS || site->aligned ||
        !is_within_segment(&cpu->state.segment[site->segment], linear, site->size))
        return false;
    const TimelessDevice device = timeless_device_find(
        &cpu->tlb, linear, site->size, write ? ACCESS_WRITE : ACCESS_READ, cpu->state.cpl == 3);
    if (device.range == NULL)
        return false;
    physical_map_before_device(cpu->map);
    if (site->kind != SITE_WRITE)
        store_le64(cpu->bounce, timeless_device_read(&device, 0, site->size));
    backend_of(cpu)->device = device;
    cpu->helper_a = linear;
    return true;
}

static const SlowReason slow_reasons[] = {
    [SLOW_PLAIN] = SLOWLY_FILLED,
    [SLOW_BOUNCE] = SLOWLY_BY_PIECES,
    [SLOW_FAULT] = SLOWLY_FAULTED,
    [SLOW_STEP] = SLOWLY_STEPPED,
};

SlowResult jit_slow_access(Cpu *cpu, uint32_t linear, uint32_t number) {
    if (JIT_IS_SANITIZED)
        x86_fpu_suspend(cpu);
    const Site *site = &backend_of(cpu)->sites[number];
    uint8_t *beside = find_beside_code(cpu, linear, site);
    SlowResult result;
    backend_of(cpu)->device.range = NULL;
    if (beside != NULL)
        result = (SlowResult){(uint64_t)(uintptr_t)beside, SLOW_PLAIN};
    else if (reach_both_pages(cpu, linear, site) || reach_timeless_device(cpu, linear, site))
        result = (SlowResult){(uint64_t)(uintptr_t)cpu->bounce, SLOW_BOUNCE};
    else
        result = access(cpu, linear, site);
    SlowReason reason = beside != NULL ? SLOWLY_BESIDE_CODE : slow_reasons[result.outcome];
    backend_of(cpu)->translator->counters.slow[reason]++;
    x86_fpu_resume(cpu);
    return result;
}

void jit_slow_flush(Cpu *cpu, uint32_t number) {
    if (JIT_IS_SANITIZED)
        x86_fpu_suspend(cpu);
    const Site *site = &backend_of(cpu)->sites[number];
    const TimelessDevice *device = &backend_of(cpu)->device;
    if (device->range != NULL) {
        physical_map_before_device(cpu->map);
        timeless_device_write(device, 0, site->size, (uint32_t)load_le(cpu->bounce, site->size));
        x86_fpu_resume(cpu);
        return;
    }
    if (flush_both_pages(cpu, site)) {
        x86_fpu_resume(cpu);
        return;
    }
    bool user = cpu->state.cpl == 3;
    PageFault fault;
    uint32_t code_changed = cpu->code_changed;
    for (unsigned done = 0; done < site->size; done += 8) /* was checked: cannot fault */
        tlb_write(&cpu->tlb, cpu->helper_a + done, site->size - done < 8 ? site->size - done : 8,
                  user, load_le64(cpu->bounce + done), &fault);
    cpu->code_changed = code_changed; /* nothing of this block */
    x86_fpu_resume(cpu);
}

/* Each iteration of a REP string counts as an instruction. */
static uint32_t instructions_done(const Cpu *cpu) {
    return cpu->iterations > 1 ? cpu->iterations : 1;
}

/* After a helper that is done: may the rest of the block run? A REP string takes its iterations off
 * the budget, and may have reached a device. */
static bool may_go_on(Cpu *cpu) {
    cpu->budget -= instructions_done(cpu) - 1;
    bool wanted = cpu->budget < 0 || (cpu->iterations != 0 && cpu->break_after);
    return !cpu->code_changed && !cpu->state.pending_debug && !wanted;
}

/* Mostly there is nothing to do of these. */
static void settle_pointers(Cpu *cpu, const JitBackend *backend) {
    if ((cpu->fpu_site | cpu->fpu_segment) != 0)
        x86_fpu_settle_pointers(cpu, backend);
}
static void save_fpu(Cpu *cpu) {
    if (cpu->fpu_live != FPU_LIVE_NONE)
        x86_fpu_save(cpu);
}
static void resume_fpu(Cpu *cpu) {
    if (cpu->fpu_suspended != FPU_LIVE_NONE)
        x86_fpu_resume(cpu);
}

static bool leaves_fpu_live(const HelperInfo *helper) {
    return (helper->attributes & (HELPER_LEAF | HELPER_ENDS_BLOCK)) == HELPER_LEAF;
}

static HelperResult call_helper(Cpu *cpu, const HelperInfo *helper) {
    if (!leaves_fpu_live(helper)) {
        if (cpu->fpu_live == FPU_LIVE_ALL && x86_fpu_run_function(cpu, helper))
            return HELPER_NEXT;
        save_fpu(cpu);
    }
    return helper->function(cpu, cpu->helper_a, cpu->helper_b,
                            (uint32_t)cpu->host_slot[JIT_SLOT_T0],
                            (uint32_t)cpu->host_slot[JIT_SLOT_T1]);
}

/* After a helper that mostly changes nothing of the block key: is this so now, and does nothing
 * want the run loop? 'before': what the TLB knew of the page before. */
static bool may_stay(Cpu *cpu, const TlbWalked *page, const TlbWalked *before) {
    if (page->rights != before->rights || page->physical_page != before->physical_page ||
        page->rights == 0 || cpu->state.eip != cpu->next_eip || jit_wants_run_loop(cpu))
        return false;
    cpu->budget = (int64_t)(cpu->count_end - cpu->state.instruction_count);
    return true;
}

/* Tells the exit what to do, if the block cannot go on. */
static uint64_t run_helper(Cpu *cpu, const HelperInfo *helper) {
    CpuState *state = &cpu->state;
    uint32_t linear = state->segment[SEG_CS].base + state->eip;
    const TlbWalked *page = &cpu->tlb.walked[linear >> PAGE_BITS];
    const TlbWalked before = *page;
    switch (call_helper(cpu, helper)) {
    case HELPER_NEXT:
        if (may_go_on(cpu))
            return 0;
        state->eip = cpu->next_eip; /* such a helper is the last micro-op of its instruction */
        state->instruction_count += instructions_done(cpu);
        return LEAVE_LOOK;
    case HELPER_JUMP:
        state->instruction_count += instructions_done(cpu);
        if ((helper->attributes & HELPER_MAY_STAY) && may_stay(cpu, page, &before))
            return 0;
        return LEAVE_LOOK;
    case HELPER_AGAIN:
        state->instruction_count += cpu->iterations;
        return LEAVE_LOOK;
    default:
        state->instruction_count += cpu->iterations;
        return LEAVE_HELPER_FAULT;
    }
}

/* What translated code did not put there itself. */
static void settle_flags(Cpu *cpu, const JitBackend *backend, const Site *site) {
    if (site->flag_state != FLAG_STATE_IN_MEMORY)
        cpu_set_status_flags(
            cpu, flag_state_evaluate(flag_state_get(backend->flag_states, site->flag_state), cpu));
}

HelperEnd jit_slow_portable(Cpu *cpu, uint64_t site_and_uop) {
    const JitBackend *backend = backend_of(cpu);
    const Site *site = &backend->sites[(uint32_t)site_and_uop];
    const Uop *uop = &backend->kept_uops[site_and_uop >> 32];
    Portable portable = {.cpu = cpu};
    for (unsigned i = 0; i < 2; i++)
        portable.temporary[i] = (uint32_t)cpu->host_slot[JIT_SLOT_T0 + i];
    settle_flags(cpu, backend, site);
    cpu->state.eip = site->eip;
    cpu->next_eip = site->eip + site->insn_length;
    cpu->state.instruction_count = cpu->count_end - (uint64_t)(cpu->budget + site->uncounted);
    cpu->iterations = 0;
    PortableStep step = portable_table[uop->code](&portable, uop);
    for (unsigned i = 0; i < 2; i++) /* a host address that stands there stays whole */
        if (portable.temporary[i] != (uint32_t)cpu->host_slot[JIT_SLOT_T0 + i])
            cpu->host_slot[JIT_SLOT_T0 + i] = portable.temporary[i];
    return (HelperEnd){.leave = step == STEP_FAULT ? LEAVE_HELPER_FAULT : 0};
}

void jit_slow_vector(Cpu *cpu, uint32_t number) {
    const Uop *uop = &backend_of(cpu)->kept_uops[number];
    vector_run_loaded(cpu, uop->imm, uop->imm2, cpu->bounce);
}

void jit_slow_enter_mmx(Cpu *cpu, uint32_t unused) {
    (void)unused;
    fpu_enter_mmx(&cpu->state.fpu);
}

void jit_slow_x87_store(Cpu *cpu, uint32_t a) {
    X87Store store = x87_prepare_store(cpu, a);
    cpu->fpu_stored[0] = store.low;
    cpu->fpu_stored[1] = store.high;
    cpu->fpu_status_and_tags = store.status_and_tags;
}

HelperEnd jit_slow_helper(Cpu *cpu, uint64_t site_and_helper) {
    JitBackend *backend = backend_of(cpu);
    const Site *site = &backend->sites[(uint32_t)site_and_helper];
    const HelperInfo *helper = &helper_table[site_and_helper >> 32];
    CpuState *state = &cpu->state;
    backend->translator->counters.helper_calls[site_and_helper >> 32]++;
    if (JIT_IS_SANITIZED && leaves_fpu_live(helper))
        x86_fpu_suspend(cpu);
    else if (JIT_IS_SANITIZED)
        x86_fpu_save(cpu);
    settle_pointers(cpu, backend);
    settle_flags(cpu, backend, site);
    state->eip = site->eip;
    cpu->next_eip = site->eip + site->insn_length;
    state->instruction_count = cpu->count_end - (uint64_t)(cpu->budget + site->uncounted);
    cpu_allow_iterations(cpu);
    HelperEnd end = {.leave = run_helper(cpu, helper)};
    if (end.leave == LEAVE_LOOK) {
        save_fpu(cpu);
        end.next = jit_find_next(cpu);
    }
    resume_fpu(cpu);
    return end;
}

void jit_slow_materialize(Cpu *cpu, uint32_t flag_state) {
    if (JIT_IS_SANITIZED)
        x86_fpu_suspend(cpu);
    const FlagState *flags = flag_state_get(backend_of(cpu)->flag_states, flag_state);
    cpu_set_status_flags(cpu, flag_state_evaluate(flags, cpu));
    x86_fpu_resume(cpu);
}

static bool quick_load_segment(Cpu *cpu, uint32_t segment, uint32_t selector) {
    if (JIT_IS_SANITIZED)
        x86_fpu_suspend(cpu);
    bool done = segment_load_quickly(cpu, segment, (uint16_t)selector);
    if (done)
        jit_update_segment_limit(cpu, segment);
    if (JIT_IS_SANITIZED)
        x86_fpu_resume(cpu);
    return done;
}

static bool quick_verify_segment(Cpu *cpu, uint32_t write, uint32_t selector) {
    if (JIT_IS_SANITIZED)
        x86_fpu_suspend(cpu);
    bool done = segment_verify_quickly(cpu, write != 0, (uint16_t)selector);
    if (JIT_IS_SANITIZED)
        x86_fpu_resume(cpu);
    return done;
}

/* General registers and XMM8 are all that it touches. */
static bool quick_approximate(Cpu *cpu, uint32_t kind, uint32_t t0) {
    (void)t0;
    if (JIT_IS_SANITIZED)
        x86_fpu_suspend(cpu);
    for (unsigned at = 0; at < (kind & JIT_APPROXIMATE_SCALAR ? 4 : 16); at += 4)
        store_le32(cpu->bounce + at,
                   approximate((kind & JIT_APPROXIMATE_ROOT) != 0, load_le32(cpu->bounce + at)));
    if (JIT_IS_SANITIZED)
        x86_fpu_resume(cpu);
    return true;
}

JitQuickFunction *const jit_quick_functions[JIT_QUICK_COUNT] = {
    [JIT_QUICK_LOAD_SEGMENT] = quick_load_segment,
    [JIT_QUICK_VERIFY_SEGMENT] = quick_verify_segment,
    [JIT_QUICK_APPROXIMATE] = quick_approximate,
};

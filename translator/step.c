/* One instruction by the portable backend, with all that surrounds it: what translated code leaves
 * out because it is rare.
 *
 * This is the way of an instruction that runs over the end of a page, that lies in no plain memory,
 * that stores into translated code or into a device that looks at the clock, that is
 * single-stepped, and of the last few before an event. */
#include "cpu_debug.h"
#include "cpu_debugger.h"
#include "helpers.h"
#include "portable.h"
#include "translator_internal.h"

bool translator_must_step(const Translator *translator) {
    const Cpu *cpu = translator->cpu;
    const CpuState *state = &cpu->state;
    uint32_t looked_at = FLAG_TF | (cpu_has_breakpoints(cpu) ? FLAG_RF : 0u);
    uint32_t system_flags = state->eflags & looked_at;
    bool alignment = (state->eflags & FLAG_AC) && (state->cr0 & CR0_AM) && state->cpl == 3;
    return system_flags || state->pending_debug || alignment || cpu_has_inconsistent_vip(cpu);
}

/* Execution breakpoints that match, as DR6 bits: SDM vol. 3B 17.2. */
static uint32_t match_breakpoints(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    uint32_t hits = 0, linear = state->segment[SEG_CS].base + state->eip;
    unsigned registers = cpu_execution_breakpoints(cpu);
    for (unsigned i = 0; i < 4; i++)
        if ((registers >> i & 1) && state->dr[i] == linear)
            hits |= 1u << i;
    return hits;
}

/* The bytes at 'physical' and, if the instruction needs them, those on the next page. False: a
 * fault of the second fetch, or beyond the limit. */
static bool lift_across_pages(Translator *translator, uint32_t physical, const Context *context) {
    Cpu *cpu = translator->cpu;
    uint8_t bytes[16];
    uint64_t to_limit = (uint64_t)context->cs_limit + 1 - cpu->state.eip;
    size_t wanted = to_limit < 15 ? (size_t)to_limit : 15;
    size_t first = PAGE_SIZE - (physical & PAGE_OFFSET_MASK);
    bool limit_ends = wanted < 15;
    if (first > wanted)
        first = wanted;
    LiftMode mode = translator_lift_mode(translator, context);
    physical_read_bytes(cpu->map, physical, bytes, first);
    LiftStatus status = lift_block(&translator->lifted, &mode, bytes, first,
                                   limit_ends && first == wanted, cpu->state.eip, 1);
    if (status == LIFT_TRUNCATED) {
        uint32_t second, linear = context->cs_base + cpu->state.eip + (uint32_t)first;
        PageFault fault;
        if (!tlb_translate(&cpu->tlb, linear, ACCESS_FETCH, cpu->state.cpl == 3, &second, &fault)) {
            cpu_raise_page_fault(cpu, &fault);
            return false;
        }
        physical_read_bytes(cpu->map, second, bytes + first, wanted - first);
        lift_block(&translator->lifted, &mode, bytes, wanted, true, cpu->state.eip, 1);
    }
    uop_block_find_needed_flags(&translator->lifted, true);
    return true;
}

static bool is_helper(const Uop *uop, HelperId helper) {
    return uop->code == UOP_HELPER && uop->helper == helper;
}

/* INT n clears TF itself and is not followed by a single-step trap. INTO that is not taken is. */
static bool interrupts(const UopBlock *block, uint32_t flags_before) {
    const Uop *first = &block->uop[0];
    if (first->code == UOP_JCC && is_helper(first + 1, HELPER_ID_software_interrupt))
        return (flags_before & FLAG_OF) != 0;
    return is_helper(first, HELPER_ID_software_interrupt);
}

/* Does the image that this instruction loads into EFLAGS decide about RF? Any other one clears it
 * when it is done: SDM vol. 3B 17.3.1.1. */
static bool loads_resume_flag(const UopBlock *block, bool task_switched) {
    return task_switched || (is_helper(&block->uop[0], HELPER_ID_iret) && block->uop[0].imm == 4);
}

static PortableExit run_one(Translator *translator) {
    uint32_t physical;
    if (cpu_has_inconsistent_vip(translator->cpu)) {
        cpu_raise_error(translator->cpu, EXCEPTION_GP, 0);
        return PORTABLE_FAULT;
    }
    if (!translator_fetch_address(translator, &physical))
        return PORTABLE_FAULT;
    const Context *context =
        context_table_get(translator->contexts, translator_context(translator));
    translator->lifted.insn = translator->scratch.insn;
    translator->lifted.uop = translator->scratch.uop;
    if (!translator_lift(translator, physical, context, 1) &&
        !lift_across_pages(translator, physical, context))
        return PORTABLE_FAULT;
    translator_note_lifted(translator, context, physical);
    return portable_run(translator->cpu, &translator->lifted);
}

void translator_step(Translator *translator) {
    Cpu *cpu = translator->cpu;
    CpuState *state = &cpu->state;
    if (cpu_stops_before(cpu, state->segment[SEG_CS].base + state->eip))
        return;
    translator->counters.single_steps++;
    bool suppressed = (state->eflags & FLAG_RF) || (state->interrupt_shadow & SHADOW_MOV_SS);
    if (cpu_has_breakpoints(cpu) && !suppressed) {
        uint32_t hits = match_breakpoints(cpu);
        if (hits != 0) {
            state->instruction_count++; /* as any exception: see cpu_deliver_exception() */
            cpu_deliver_debug_trap(cpu, hits);
            return;
        }
    }
    bool single_step = (state->eflags & FLAG_TF) != 0;
    bool resume = (state->eflags & FLAG_RF) != 0;
    uint32_t flags_before = cpu_get_status_flags(cpu);
    uint32_t task_before = state->segment[SEG_TR].base;
    state->interrupt_shadow = 0;
    PortableExit exit = run_one(translator);
    if (exit == PORTABLE_FAULT) {
        translator->counters.faults++;
        cpu_deliver_exception(cpu);
        return;
    }
    const Uop *last = &translator->lifted.uop[translator->lifted.uop_count - 1];
    bool task_switched =
        state->segment[SEG_TR].base != task_before && !is_helper(last, HELPER_ID_load_tr);
    if (resume && exit != PORTABLE_AGAIN && !loads_resume_flag(&translator->lifted, task_switched))
        state->eflags &= ~(uint32_t)FLAG_RF;
    /* A task's TF is that task's alone: the other one is not trapped for it (nor is it by Bochs).
     */
    bool steps = single_step && !task_switched && !interrupts(&translator->lifted, flags_before);
    uint32_t trap = state->pending_debug | (steps ? DR6_BS : 0u);
    if (trap != 0 && !(state->interrupt_shadow & SHADOW_MOV_SS)) {
        state->pending_debug = 0;
        cpu_deliver_debug_trap(cpu, trap);
    }
}

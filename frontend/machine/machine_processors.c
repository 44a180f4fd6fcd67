/* See machine_processors.h. */
#include "machine_processors.h"
#include "cpu_model.h"
#include "host_random.h"
#include "local_apic_group.h"
#include "machine_parts.h"
#include "machine_perturb.h"
#include "smm.h"

/* So long is a turn: short enough for processors that wait for each other, long enough for changing
 * turns to cost nothing. */
#define TURN_INSTRUCTIONS 5000

static bool create_processor(Machine *machine, unsigned index, const CpuModel *model,
                             Error *error) {
    const MachineConfig *config = &machine->config;
    Processor *processor = &machine->processor[index];
    Cpu *cpu = processor->cpu =
        cpu_create(machine->memory, machine->ports, &machine->clock, &machine->trace, model, error);
    if (cpu == NULL)
        return false;
    if (index != 0)
        cpu_set_number(cpu, (uint8_t)index);
    if (!config->icount && !host_random_fill(&cpu->state.random_state, 8))
        cpu->state.random_state = (uint64_t)host_clock_ns();
    TranslatorOptions options = config->translator;
    options.loose_end = !config->icount;
    if (index != 0) /* the profiler's file is the first one's */
        options.perf_map = options.jit_dump = false;
    processor->translator = translator_create(cpu, &options, error);
    return processor->translator != NULL;
}

bool machine_create_processors(Machine *machine, Error *error) {
    CpuModel model;
    if (!cpu_model_parse(machine->config.cpu_model, &model, error))
        return false;
    while (machine->processor_count < machine->config.processors) {
        unsigned index = machine->processor_count++;
        if (!create_processor(machine, index, &model, error))
            return false;
    }
    machine->cpu = machine->processor[0].cpu;
    machine->translator = machine->processor[0].translator;
    if (machine->processor_count > 1 && !cpu_has(machine->cpu, FEATURE_APIC))
        return error_set(error, "several processors need a model with a local APIC, not '-cpu %s'",
                         machine->config.cpu_model);
    return true;
}

void machine_destroy_processors(Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++) {
        translator_destroy(machine->processor[i].translator);
        cpu_destroy(machine->processor[i].cpu);
    }
    machine->processor_count = 0;
}

uint64_t machine_count_instructions(const Machine *machine) {
    uint64_t count = 0;
    for (unsigned i = 0; i < machine->processor_count; i++)
        count += machine->processor[i].cpu->state.instruction_count;
    return count;
}

/* The pin that tells the host bridge of system management mode is the running processor's. */
static void select_processor(Machine *machine, unsigned index) {
    const Cpu *before = machine->cpu;
    machine->turn = index;
    machine->cpu = machine->processor[index].cpu;
    machine->translator = machine->processor[index].translator;
    if (before->state.smm != machine->cpu->state.smm)
        smm_update_pins(machine->cpu);
    if (machine->board.local_apics != NULL)
        local_apic_group_select(machine->board.local_apics, index);
}

void machine_set_turn(Machine *machine, unsigned index, uint32_t left) {
    select_processor(machine, index);
    machine->turn_left = left;
}

void machine_reset_processors(Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        cpu_reset(machine->processor[i].cpu, false);
    machine_set_turn(machine, 0, 0);
}

static bool waits(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    return state->halted && !state->init_pending && !state->pending_debug &&
           !cpu_has_deliverable_interrupt(cpu);
}

void machine_take_turn(Machine *machine) {
    if (machine->processor_count == 1 || (machine->turn_left > 0 && !waits(machine->cpu)))
        return;
    for (unsigned i = 1; i <= machine->processor_count; i++) {
        unsigned index = (machine->turn + i) % machine->processor_count;
        if (!waits(machine->processor[index].cpu)) {
            machine_set_turn(machine, index, machine_perturb_turn(machine, TURN_INSTRUCTIONS));
            return;
        }
    }
}

int64_t machine_limit_to_turn(const Machine *machine, int64_t limit) {
    bool shorter = machine->processor_count > 1 && machine->turn_left < limit;
    return !shorter ? limit : machine->turn_left > 0 ? machine->turn_left : 1;
}

void machine_spend_turn(Machine *machine, uint64_t instructions, bool waits) {
    bool over = waits || instructions >= machine->turn_left;
    machine->turn_left = over ? 0 : machine->turn_left - (uint32_t)instructions;
}

void machine_end_turn(void *opaque, int line, int level) {
    Machine *machine = opaque;
    (void)line;
    if (level == 0)
        return;
    machine->turn_left = 0;
    machine->cpu->break_after = 1;
}

bool machine_processors_wait(const Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        if (!waits(machine->processor[i].cpu))
            return false;
    return true;
}

bool machine_processors_halted(const Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        if (!machine->processor[i].cpu->state.halted)
            return false;
    return true;
}

bool machine_processors_interruptible(const Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++) {
        const CpuState *state = &machine->processor[i].cpu->state;
        if (state->eflags & FLAG_IF && !state->waits_for_startup)
            return true;
    }
    return false;
}

void machine_flush_translations(Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        translator_flush(machine->processor[i].translator);
}

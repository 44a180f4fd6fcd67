/* See machine_debug.h. */
#include "machine_debug.h"
#include "cpu_debug.h"
#include "machine_action.h"
#include "machine_parts.h"

#include <string.h>

/* While each step counts no block may run over the end of what was asked for. */
void machine_set_exact(Machine *machine, bool exact) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        translator_set_loose_end(machine->processor[i].translator,
                                 !exact && !machine->config.icount && machine->replay == NULL);
}

static void update_points(Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        cpu_update_breakpoints(machine->processor[i].cpu);
}

void machine_debug_attach(Machine *machine) {
    machine->debug = (MachineDebug){.attached = true};
    for (unsigned i = 0; i < machine->processor_count; i++)
        machine->processor[i].cpu->debugger = &machine->debug.points;
}

void machine_debug_detach(Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        machine->processor[i].cpu->debugger = NULL;
    machine->debug = (MachineDebug){.attached = false};
    update_points(machine);
    machine_set_exact(machine, false);
}

bool machine_debug_add(Machine *machine, const CpuStopPoint *point) {
    bool added = cpu_debugger_add(&machine->debug.points, point);
    update_points(machine);
    return added;
}

bool machine_debug_remove(Machine *machine, const CpuStopPoint *point) {
    bool removed = cpu_debugger_remove(&machine->debug.points, point);
    update_points(machine);
    return removed;
}

MachineStop machine_debug_take_stop(Machine *machine) {
    MachineStop stop = machine->debug.stop;
    machine->debug.stop = (MachineStop){.reason = MACHINE_STOP_NONE};
    return stop;
}

/* After a triple fault the board's reset is still to come. */
static bool go_on(Machine *machine) {
    MachineDebug *debug = &machine->debug;
    machine_history_go_on(machine);
    debug->stop = (MachineStop){.reason = MACHINE_STOP_NONE};
    debug->points.met.kind = CPU_STOP_NONE;
    debug->points.passed_processor = machine->cpu->number;
    debug->points.passed_count = machine->cpu->state.instruction_count;
    if (machine->crash == CRASH_TRIPLE_FAULT && machine->run_state == RUN_STATE_GUEST_PANICKED) {
        machine->crash = CRASH_NONE;
        machine_set_run_state(machine, RUN_STATE_PAUSED);
        machine->reset_requested = true;
        machine_serve_requests(machine);
    }
    return machine_set_run_state(machine, RUN_STATE_RUNNING);
}

bool machine_debug_continue(Machine *machine) {
    machine->debug.stepping = 0;
    machine_set_exact(machine, false);
    return go_on(machine);
}

bool machine_debug_step(Machine *machine, unsigned processor, bool quiet) {
    if (processor >= machine->processor_count)
        return false;
    if (quiet)
        machine_act_numbers(machine, ACTION_QUIET_STEP, &(uint32_t){processor}, 1);
    machine->debug.stepping = processor + 1;
    machine_set_exact(machine, true);
    return go_on(machine);
}

int64_t machine_debug_limit(const Machine *machine, int64_t limit) {
    return machine->debug.stepping == 0 ? limit : 1;
}

bool machine_debug_look(Machine *machine, uint64_t instructions) {
    MachineDebug *debug = &machine->debug;
    unsigned processor = machine->cpu->number;
    if (!debug->attached)
        return false;
    if (debug->points.met.kind != CPU_STOP_NONE) {
        debug->stop = (MachineStop){MACHINE_STOP_POINT, processor, debug->points.met,
                                    debug->points.met_address};
        debug->points.met.kind = CPU_STOP_NONE;
    } else if (debug->stepping == processor + 1 && instructions > 0 &&
               !machine->cpu->state.shutdown) {
        debug->stop = (MachineStop){.reason = MACHINE_STOP_STEP, .processor = processor};
    } else {
        return false;
    }
    debug->stepping = 0;
    machine_set_run_state(machine, RUN_STATE_PAUSED);
    return true;
}

/* ---- Memory ---- */

/* How many bytes from 'address' on lie on its page, and where; NULL: no memory, or none that can be
 * written. */
static uint8_t *find_memory(Machine *machine, MachineView view, uint32_t address, bool write,
                            uint32_t *physical) {
    const Cpu *cpu = machine->processor[view.processor].cpu;
    *physical = address & physical_map_a20_mask(machine->memory);
    if (!view.physical && !tlb_probe(&cpu->tlb, address, physical))
        return NULL;
    const PhysicalPage page = physical_map_page(machine->memory, *physical >> PAGE_BITS);
    uint8_t *host = write && page.write != page.read ? NULL : page.read;
    return host == NULL ? NULL : host + (*physical & PAGE_OFFSET_MASK);
}

static size_t piece_at(uint32_t address, size_t left) {
    size_t on_page = PAGE_SIZE - (address & PAGE_OFFSET_MASK);
    return left < on_page ? left : on_page;
}

bool machine_debug_read(Machine *machine, MachineView view, uint32_t address, void *data,
                        size_t size) {
    for (size_t done = 0, piece; done < size; done += piece) {
        uint32_t at = address + (uint32_t)done, physical;
        piece = piece_at(at, size - done);
        const uint8_t *host = find_memory(machine, view, at, false, &physical);
        if (host == NULL)
            return false;
        memcpy((uint8_t *)data + done, host, piece);
    }
    return true;
}

bool machine_debug_write(Machine *machine, MachineView view, uint32_t address, const void *data,
                         size_t size) {
    uint32_t physical;
    for (size_t done = 0; done < size; done += piece_at(address + (uint32_t)done, size - done))
        if (find_memory(machine, view, address + (uint32_t)done, true, &physical) == NULL)
            return false;
    for (size_t done = 0, piece; done < size; done += piece) {
        uint32_t at = address + (uint32_t)done;
        piece = piece_at(at, size - done);
        find_memory(machine, view, at, true, &physical);
        physical_write_bytes(machine->memory, physical, (const uint8_t *)data + done, piece);
    }
    return true;
}

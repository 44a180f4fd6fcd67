/* Going on, and telling why the machine stopped. */
#include "gdb_session.h"

/* Signals as GDB numbers them. */
enum { SIGNAL_NONE = 0, SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_ABORT = 6, SIGNAL_SEGV = 11 };

static void append_thread(GdbStub *stub, unsigned signal, unsigned processor) {
    stub->selected = processor;
    byte_buffer_print(&stub->payload, "T%02xthread:%x;", signal, processor + 1);
}

static void append_point(GdbStub *stub, const MachineStop *stop) {
    static const char *const names[] = {
        [CPU_STOP_WRITE] = "watch", [CPU_STOP_READ] = "rwatch", [CPU_STOP_ACCESS] = "awatch"};
    append_thread(stub, SIGNAL_TRAP, stop->processor);
    if (stop->point.kind != CPU_STOP_EXECUTE) {
        byte_buffer_print(&stub->payload, "%s:%x;", names[stop->point.kind], stop->address);
        return;
    }
    bool software = false;
    for (unsigned i = 0; i < stub->point_count; i++)
        software |= stub->point[i].type == 0 && stub->point[i].point.address == stop->address;
    if (software ? stub->knows_swbreak : stub->knows_hwbreak)
        byte_buffer_print(&stub->payload, "%s:;", software ? "swbreak" : "hwbreak");
}

/* At the end of a recording, or at the beginning of what is known. */
static void append_end_of_history(GdbStub *stub, const MachineStop *stop) {
    const Replay *replay = stub->machine->replay;
    append_thread(stub, SIGNAL_TRAP, stop->processor);
    byte_buffer_print(&stub->payload, "replaylog:%s;",
                      replay != NULL && replay->end != REPLAY_GOES_ON ? "end" : "begin");
}

static unsigned signal_of_state(const GdbStub *stub, RunState state) {
    if (state == RUN_STATE_GUEST_PANICKED || state == RUN_STATE_INTERNAL_ERROR)
        return SIGNAL_ABORT;
    return stub->interrupted ? SIGNAL_INT : SIGNAL_TRAP;
}

void gdb_append_stop(GdbStub *stub) {
    Machine *machine = stub->machine;
    int status;
    if (machine_has_ended(machine, &status)) {
        byte_buffer_print(&stub->payload, "W%02x", status & 0xFF);
        return;
    }
    MachineStop stop = machine_debug_take_stop(machine);
    if (stop.reason == MACHINE_STOP_POINT)
        append_point(stub, &stop);
    else if (stop.reason == MACHINE_STOP_STEP)
        append_thread(stub, SIGNAL_TRAP, stop.processor);
    else if (stop.reason == MACHINE_STOP_HISTORY)
        append_end_of_history(stub, &stop);
    else if (stop.reason == MACHINE_STOP_TRIPLE)
        append_thread(stub, SIGNAL_SEGV, stop.processor);
    else
        append_thread(stub, signal_of_state(stub, machine->run_state), machine->cpu->number);
    stub->interrupted = false;
}

bool gdb_tell_stop(GdbStub *stub, GdbText *text) {
    (void)text;
    gdb_append_stop(stub);
    return true;
}

/* Where the machine cannot go on (it was powered off) that is where it stops again. */
static bool begin(GdbStub *stub, bool runs) {
    stub->interrupted = false;
    stub->waits = runs;
    if (!runs)
        gdb_append_stop(stub);
    return !runs;
}

/* An address to go on at may follow. */
static bool take_address(GdbStub *stub, GdbText *text) {
    uint64_t address;
    if (text->at == text->end)
        return true;
    if (!gdb_take_number(text, &address) || address > UINT32_MAX)
        return false;
    CpuState *state = &stub->machine->processor[stub->selected].cpu->state;
    state->eip = (uint32_t)address - state->segment[SEG_CS].base;
    return true;
}

static bool step(GdbStub *stub, unsigned processor) {
    return begin(stub, machine_debug_step(stub->machine, processor,
                                          (stub->step_bits & GDB_STEP_NO_IRQ) != 0));
}

bool gdb_continue(GdbStub *stub, GdbText *text) {
    if (take_address(stub, text))
        return begin(stub, machine_debug_continue(stub->machine));
    gdb_fail(stub, GDB_EINVAL);
    return true;
}

bool gdb_step(GdbStub *stub, GdbText *text) {
    if (take_address(stub, text))
        return step(stub, stub->continued < stub->machine->processor_count ? stub->continued
                                                                           : stub->selected);
    gdb_fail(stub, GDB_EINVAL);
    return true;
}

/* ---- Backwards ---- */

static bool go_back(GdbStub *stub, bool (*back)(Machine *machine, Error *error)) {
    Error error = {.set = false};
    stub->interrupted = false;
    if (back(stub->machine, &error))
        gdb_append_stop(stub);
    else
        gdb_fail(stub, GDB_EINVAL);
    return true;
}

bool gdb_continue_back(GdbStub *stub, GdbText *text) {
    (void)text;
    return go_back(stub, machine_history_run_back);
}

bool gdb_step_back(GdbStub *stub, GdbText *text) {
    (void)text;
    return go_back(stub, machine_history_step_back);
}

bool gdb_list_actions(GdbStub *stub, GdbText *text) {
    (void)text;
    gdb_answer(stub, "vCont;c;C;s;S");
    return true;
}

/* "s:1;c": the first action that names a thread or none is its own. A step is one of that processor
 * alone, while the others stand. */
bool gdb_run_actions(GdbStub *stub, GdbText *text) {
    bool steps = false, continues = false;
    unsigned processor = stub->selected;
    while (gdb_take(text, ";")) {
        char action = *text->at;
        uint64_t signal;
        unsigned named = stub->selected;
        bool any = true, with_signal = action == 'C' || action == 'S';
        if (action == '\0' || (action != 'c' && action != 's' && !with_signal))
            break;
        text->at++;
        if ((with_signal && !gdb_take_number(text, &signal)) ||
            (gdb_take(text, ":") && !gdb_take_thread(stub, text, &named, &any)))
            break;
        if ((action == 's' || action == 'S') && !steps && !(any && continues)) {
            steps = true;
            processor = any ? stub->selected : named;
        }
        continues |= action == 'c' || action == 'C';
    }
    if (text->at != text->end || (!steps && !continues)) {
        gdb_fail(stub, GDB_EINVAL);
        return true;
    }
    return steps ? step(stub, processor) : begin(stub, machine_debug_continue(stub->machine));
}

/* The run loop: instructions until the next event, then the events, then whatever came through the
 * door. */
#define _GNU_SOURCE
#include "board_parts.h"
#include "host_file.h"
#include "host_thread.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "performance.h"

#include <string.h>

/* With the host's clock a slice ends early enough for keys and time to get in; with icount the same
 * number only bounds how long the door stays shut, for slices are invisible to the guest. */
#define SLICE_INSTRUCTIONS 200000

/* Halted with nothing armed: look around this often, should a host-side source have no wake-up. */
#define IDLE_NS (100 * 1000000LL)

static void serve_item(Machine *machine, const InputItem *item) {
    uint8_t bytes[1 + INPUT_DOOR_BYTES];
    switch (item->kind) {
    case INPUT_KEY:
        machine_put_key(machine, item->key.key, item->key.down);
        break;
    case INPUT_MOUSE_MOVE:
        machine_act_numbers(machine, ACTION_MOUSE_MOVE,
                            (uint32_t[]){(uint32_t)item->mouse.dx, (uint32_t)item->mouse.dy,
                                         (uint32_t)item->mouse.dz},
                            3);
        break;
    case INPUT_MOUSE_ABSOLUTE:
        machine_act_numbers(machine, ACTION_MOUSE_ABSOLUTE,
                            (uint32_t[]){item->place.x, item->place.y}, 2);
        break;
    case INPUT_MOUSE_BUTTON:
        machine_act_numbers(machine, ACTION_MOUSE_BUTTON, &item->mouse.buttons, 1);
        break;
    case INPUT_JOYSTICK:
        machine_act_numbers(machine, ACTION_JOYSTICK,
                            (uint32_t[]){item->joystick.control, (uint32_t)item->joystick.value},
                            2);
        break;
    case INPUT_SERIAL:
        bytes[0] = item->serial.port;
        memcpy(bytes + 1, item->serial.bytes, item->serial.count);
        machine_act(machine, ACTION_SERIAL, bytes, 1u + item->serial.count);
        break;
    case INPUT_COMMAND:
        item->command.run(item->command.opaque);
        break;
    }
}

void machine_serve_door(Machine *machine) {
    InputItem item;
    machine_serve_held_keys(machine);
    while (input_door_is_waiting(&machine->door) &&
           input_door_take(&machine->door, machine_count_instructions(machine), &item))
        serve_item(machine, &item);
    if (machine->run_state == RUN_STATE_RUNNING && !machine_is_replaying(machine))
        board_serve_network(&machine->board);
    machine_serve_typing(machine);
    machine_deliver_serial(machine);
}

/* Nothing is to be done for so long, but for what comes through the door. */
static void sleep_for(Machine *machine, int64_t sleep_ns) {
    input_door_wait(&machine->door, sleep_ns);
    machine_time_slept(&machine->time, sleep_ns);
}

/* The CPU waits for an interrupt. False: no event will come by itself. */
static bool idle(Machine *machine, bool may_sleep) {
    int64_t due_ns = clock_next_due_ns(&machine->clock);
    bool armed = due_ns != TIMER_NEVER;
    int64_t sleep_ns = armed ? machine_time_skip(&machine->time, due_ns) : IDLE_NS;
    if (sleep_ns > 0) {
        if (!may_sleep && !armed)
            return false;
        sleep_for(machine, sleep_ns);
    }
    recorder_note_idle(machine);
    clock_run_due(&machine->clock);
    return true;
}

/* The program waits by PAUSE. */
static void sleep_in_loop(Machine *machine) {
    int64_t now_ns = machine_time_now_ns(&machine->time);
    int64_t sleep_ns = spin_wait_look(&machine->spin_wait, now_ns);
    int64_t due_ns = clock_next_due_ns(&machine->clock);
    if (due_ns != TIMER_NEVER && sleep_ns > due_ns - now_ns)
        sleep_ns = due_ns - now_ns;
    if (sleep_ns <= 0 || cpu_has_deliverable_interrupt(machine->cpu))
        return;
    sleep_for(machine, sleep_ns);
    recorder_note_idle(machine);
    clock_run_due(&machine->clock);
}

/* Nothing is on its way that could give any processor something to do. */
static bool may_idle(const Machine *machine) {
    return !machine->reset_requested && !machine->shutdown_requested && !machine->panic_requested &&
           !machine->debug_exit_requested &&
           (machine->processor_count == 1 ? !cpu_has_deliverable_interrupt(machine->cpu)
                                          : machine_processors_wait(machine));
}

RunExit machine_run_part(Machine *machine, int64_t budget) {
    const CpuState *state = &machine->cpu->state;
    uint64_t count = state->instruction_count;
    bool measures = !machine_time_is_counted(&machine->time) || machine->time.sliced;
    int64_t start_ns = measures ? host_clock_ns() : 0;
    machine->cpu->tsc_line.limit = 0;
    RunExit exit = translator_run(machine->translator, budget);
    count = state->instruction_count - count;
    if (measures)
        machine_time_measure(&machine->time, count, host_clock_ns() - start_ns);
    machine_spend_turn(machine, count, exit == RUN_HALTED);
    __atomic_store_n(&machine->published_count, machine_count_instructions(machine),
                     __ATOMIC_RELAXED);
    return exit;
}

/* Suspended to RAM: chips go on, the clock's alarm among them. */
static bool sleep_until_woken(Machine *machine, bool may_sleep) {
    bool more = idle(machine, may_sleep);
    machine_serve_requests(machine);
    return more && machine->run_state == RUN_STATE_RUNNING;
}

/* An overflow of a performance counter that interrupts is due at an instruction, not at a time. */
static int64_t stop_at_overflow(const Cpu *cpu, int64_t limit) {
    uint64_t count = cpu->state.instruction_count, alarm = cpu->performance_alarm;
    uint64_t left = alarm > count ? alarm - count : 1;
    return left < (uint64_t)limit ? (int64_t)left : limit;
}

/* A held speed is held by waiting so often that nobody sees or hears it. */
#define HELD_SLICE_NS (2 * 1000000LL)

/* True: virtual time is ahead of the host's where a speed is held, and the thread slept. */
static bool wait_for_host(Machine *machine) {
    int64_t ahead_ns = machine_time_ahead_ns(&machine->time);
    if (ahead_ns < HELD_SLICE_NS / 2)
        return false;
    input_door_wait(&machine->door, ahead_ns);
    return true;
}

static bool run_round(Machine *machine, int64_t limit, bool may_sleep) {
    clock_run_due(&machine->clock);
    machine_serve_requests(machine);
    if (machine->run_state != RUN_STATE_RUNNING)
        return false;
    if (board_is_asleep(&machine->board))
        return sleep_until_woken(machine, may_sleep);
    if (wait_for_host(machine))
        return true;
    machine_take_turn(machine);
    limit = machine_debug_limit(machine, limit);
    int64_t due_ns = clock_next_due_ns(&machine->clock);
    if (limit > SLICE_INSTRUCTIONS)
        limit = SLICE_INSTRUCTIONS;
    limit = machine_time_limit(&machine->time, HELD_SLICE_NS, limit);
    limit = machine_limit_to_turn(machine, stop_at_overflow(machine->cpu, limit));
    uint64_t before = machine->cpu->state.instruction_count;
    recorder_begin_slice(machine);
    RunExit exit = machine_run_part(machine, machine_time_budget(&machine->time, due_ns, limit));
    uint64_t done = machine->cpu->state.instruction_count - before;
    recorder_note_slice(machine, done);
    bool stopped = machine_debug_look(machine, done);
    if (machine->cpu->state.instruction_count >= machine->cpu->performance_alarm)
        performance_settle(machine->cpu);
    clock_run_due(&machine->clock);
    bool more = true;
    polling_loop_look(&machine->polling_loop);
    bool waits = exit == RUN_HALTED || (exit == RUN_BREAK && !machine->time.icount &&
                                        polling_loop_take_proof(&machine->polling_loop));
    if (stopped)
        more = false;
    else if (exit == RUN_SHUTDOWN)
        machine_triple_fault(machine);
    else if (waits && may_idle(machine))
        more = idle(machine, may_sleep);
    else if (exit == RUN_BREAK && !machine->time.icount && machine->processor_count == 1)
        sleep_in_loop(machine);
    machine_tell_trays(machine);
    machine_serve_requests(machine);
    return more && machine->run_state == RUN_STATE_RUNNING;
}

bool machine_run_slice(Machine *machine, int64_t limit, bool may_sleep) {
    if (machine->run_state != RUN_STATE_RUNNING)
        return false;
    if (machine_is_replaying(machine))
        return replay_run_slice(machine, limit);
    recorder_begin_round(machine);
    bool more = run_round(machine, limit, may_sleep);
    recorder_end_round(machine);
    return more;
}

#define THROTTLE_RUN_NS (2 * 1000000LL)

/* The guest waits in proportion to what it ran. What it is told of time goes slower as well: a wait
 * that long is left out of it (MACHINE_TIME_STALL_NS). */
static void wait_throttled(Machine *machine, int64_t ran_ns) {
    int64_t percent = __atomic_load_n(&machine->throttle_percent, __ATOMIC_RELAXED);
    if (ran_ns > THROTTLE_RUN_NS)
        ran_ns = THROTTLE_RUN_NS; /* it was idle */
    int64_t left_ns = percent < 100 ? ran_ns * percent / (100 - percent) : 0;
    int64_t end_ns = host_clock_ns() + left_ns;
    while (left_ns > 0 && machine->run_state == RUN_STATE_RUNNING &&
           !__atomic_load_n(&machine->quit, __ATOMIC_ACQUIRE)) {
        input_door_wait(&machine->door, left_ns);
        machine_serve_door(machine);
        left_ns = end_ns - host_clock_ns();
    }
}

/* A replay that is watched goes by the guest's clock. */
static void pace_replay(Machine *machine) {
    Replay *replay = machine->replay;
    if (replay == NULL || !replay->paced || machine->debug.attached)
        return;
    int64_t now_ns = machine_time_now_ns(&machine->time), host_ns = host_clock_ns();
    int64_t ahead_ns = (now_ns - replay->paced_ns) - (host_ns - replay->paced_host_ns);
    if (replay->paced_host_ns == 0 || ahead_ns < -MACHINE_TIME_BACKLOG_NS) {
        replay->paced_ns = now_ns;
        replay->paced_host_ns = host_ns;
    } else if (ahead_ns > 0 && machine->run_state == RUN_STATE_RUNNING) {
        input_door_wait(&machine->door, ahead_ns);
    }
}

void *machine_thread(void *opaque) {
    Machine *machine = opaque;
    __atomic_store_n(&machine->thread_id, (int)host_thread_number(), __ATOMIC_RELAXED);
    while (!__atomic_load_n(&machine->quit, __ATOMIC_ACQUIRE)) {
        machine_serve_door(machine);
        machine_serve_frame(machine);
        bool throttled = __atomic_load_n(&machine->throttle_percent, __ATOMIC_RELAXED) != 0;
        int64_t start_ns = throttled ? host_clock_ns() : 0;
        if (!machine_run_slice(machine, SLICE_INSTRUCTIONS, true) &&
            machine->run_state != RUN_STATE_RUNNING)
            input_door_wait(&machine->door, -1);
        if (throttled)
            wait_throttled(machine, host_clock_ns() - start_ns);
        pace_replay(machine);
    }
    return NULL;
}

/* Halted with interrupts off while timers go on, a processor would never get anywhere: so many
 * events without an instruction end the run. */
#define ROUNDS_WITHOUT_INSTRUCTION_MAX 100000

uint64_t machine_run_instructions(Machine *machine, uint64_t instructions) {
    uint64_t start = machine_count_instructions(machine);
    uint32_t idle_rounds = 0;
    if (machine->run_state == RUN_STATE_PRELAUNCH)
        machine_set_run_state(machine, RUN_STATE_RUNNING);
    while (machine_count_instructions(machine) - start < instructions) {
        uint64_t before = machine_count_instructions(machine);
        uint64_t left = instructions - (before - start);
        machine_serve_door(machine);
        if (!machine_run_slice(machine, left > INT64_MAX ? INT64_MAX : (int64_t)left, false))
            break;
        idle_rounds = machine_count_instructions(machine) == before ? idle_rounds + 1 : 0;
        if (idle_rounds == ROUNDS_WITHOUT_INSTRUCTION_MAX)
            break;
    }
    return machine_count_instructions(machine) - start;
}

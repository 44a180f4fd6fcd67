/* Start and stop, reset and power off: the run states, and what the guest or a button asks for. */
#include "disk_handover.h"
#include "host_clock.h"
#include "machine_action.h"
#include "machine_parts.h"

RunState machine_run_state(Machine *machine) {
    pthread_mutex_lock(&machine->lock);
    RunState state = machine->run_state;
    pthread_mutex_unlock(&machine->lock);
    return state;
}

static void notify(Machine *machine) {
    if (machine->notify != NULL)
        machine->notify(machine->notify_opaque);
}

/* Where the program ends with the machine, that it stopped is no news. */
static void tell_change(Machine *machine, RunState old, RunState state) {
    if (state == RUN_STATE_RUNNING)
        machine_tell(machine, MACHINE_EVENT_RESUME, MACHINE_CAUSE_NONE);
    else if (old == RUN_STATE_RUNNING &&
             (state != RUN_STATE_SHUTDOWN || machine->config.no_shutdown))
        machine_tell(machine, MACHINE_EVENT_STOP, MACHINE_CAUSE_NONE);
}

/* With -rtc clock=host the clock chip goes on while the machine is paused: it is told at the end.
 */
static void follow_host_clock(Machine *machine, bool was_running, bool runs) {
    if (!machine->config.rtc_runs_on || was_running == runs)
        return;
    int64_t now = host_clock_ns();
    if (runs && machine->paused_host_ns != 0) {
        uint64_t passed = (uint64_t)(now - machine->paused_host_ns);
        const uint32_t numbers[] = {(uint32_t)passed, (uint32_t)(passed >> 32)};
        machine_act_numbers(machine, ACTION_PASS_TIME, numbers, 2);
    }
    machine->paused_host_ns = runs ? 0 : now;
}

bool machine_set_run_state(Machine *machine, RunState state) {
    RunState old = machine->run_state;
    bool allowed = run_state_allows(old, state);
    if (allowed && state != old) {
        follow_host_clock(machine, old == RUN_STATE_RUNNING, state == RUN_STATE_RUNNING);
        machine_time_set_running(&machine->time, state == RUN_STATE_RUNNING);
        pthread_mutex_lock(&machine->lock);
        machine->run_state = state;
        pthread_mutex_unlock(&machine->lock);
        tell_change(machine, old, state);
        notify(machine);
    }
    return allowed;
}

/* The run ends here: the program exits with this status, unless it was asked to stay. */
static void end_machine(Machine *machine, MachineCause cause, int status, bool stay) {
    machine_tell(machine, MACHINE_EVENT_SHUTDOWN, cause);
    machine_set_run_state(machine, RUN_STATE_SHUTDOWN);
    if (stay)
        return;
    pthread_mutex_lock(&machine->lock);
    machine->ended = true;
    machine->exit_status = status;
    pthread_mutex_unlock(&machine->lock);
    notify(machine);
}

bool machine_has_ended(Machine *machine, int *exit_status) {
    pthread_mutex_lock(&machine->lock);
    bool ended = machine->ended;
    *exit_status = machine->exit_status;
    pthread_mutex_unlock(&machine->lock);
    return ended;
}

static void reset_or_end(Machine *machine, MachineCause cause) {
    if (machine->config.no_reboot) {
        end_machine(machine, cause, 0, machine->config.no_shutdown);
    } else {
        board_reset(&machine->board);
        machine_tell(machine, MACHINE_EVENT_RESET, cause);
    }
}

static void serve_panic(Machine *machine) {
    machine->panic_requested = false;
    machine->crash = CRASH_PANIC;
    machine_tell(machine, MACHINE_EVENT_GUEST_PANICKED, MACHINE_CAUSE_GUEST_PANIC);
    machine_set_run_state(machine, RUN_STATE_GUEST_PANICKED);
    if (!machine->config.no_shutdown)
        end_machine(machine, MACHINE_CAUSE_GUEST_PANIC, 0, false);
}

static void serve_wake(Machine *machine) {
    machine->wake_requested = false;
    if (!board_is_asleep(&machine->board))
        return;
    board_wake(&machine->board);
    machine_tell(machine, MACHINE_EVENT_WAKEUP, MACHINE_CAUSE_NONE);
}

void machine_serve_requests(Machine *machine) {
    if (machine->debug_exit_requested) {
        machine->debug_exit_requested = false;
        end_machine(machine, MACHINE_CAUSE_GUEST_SHUTDOWN, machine->debug_exit_status, false);
    }
    if (machine->panic_requested)
        serve_panic(machine);
    if (machine->shutdown_requested) {
        machine->shutdown_requested = false;
        end_machine(machine, MACHINE_CAUSE_GUEST_SHUTDOWN, 0, machine->config.no_shutdown);
    }
    if (machine->reset_requested) {
        machine->reset_requested = false;
        reset_or_end(machine, MACHINE_CAUSE_GUEST_RESET);
    }
    if (machine->wake_requested)
        serve_wake(machine);
}

void machine_triple_fault(Machine *machine) {
    if (machine->stops_at_triple_fault || machine->debug.attached) {
        machine->debug.stop = (MachineStop){MACHINE_STOP_TRIPLE, machine->cpu->number, {0}, 0};
        machine->debug.stepping = 0;
        machine->crash = CRASH_TRIPLE_FAULT;
        machine_set_run_state(machine, RUN_STATE_GUEST_PANICKED);
    } else {
        machine->reset_requested = true; /* the board turns a processor's shutdown into a reset */
    }
}

/* Chips drive these in the middle of an instruction: it completes, then the run loop looks. */
void machine_reset_pin(void *opaque, int line, int level) {
    Machine *machine = opaque;
    (void)line;
    if (level == 0)
        return;
    machine->reset_requested = true;
    machine->cpu->break_after = 1;
}

void machine_power_off(void *opaque) {
    Machine *machine = opaque;
    machine->shutdown_requested = true;
    machine->cpu->break_after = 1;
}

void machine_panic(void *opaque) {
    Machine *machine = opaque;
    machine->panic_requested = true;
    machine->cpu->break_after = 1;
}

void machine_debug_exit(void *opaque, int status) {
    Machine *machine = opaque;
    machine->debug_exit_requested = true;
    machine->debug_exit_status = status & 0xFF; /* what a process can report */
    machine->cpu->break_after = 1;
}

void machine_suspend(void *opaque) {
    Machine *machine = opaque;
    machine->cpu->break_after = 1;
    machine_tell(machine, MACHINE_EVENT_SUSPEND, MACHINE_CAUSE_NONE);
}

void machine_wake_pin(void *opaque) {
    Machine *machine = opaque;
    machine->wake_requested = true;
}

typedef struct StateChange {
    Machine *machine;
    RunState wanted;
    bool done;
} StateChange;

static void change_state(void *opaque) {
    StateChange *change = opaque;
    change->done = machine_set_run_state(change->machine, change->wanted);
}

static bool request_state(Machine *machine, RunState wanted, const char *what, Error *error) {
    StateChange change = {.machine = machine, .wanted = wanted};
    machine_call(machine, change_state, &change);
    return change.done || error_set(error, "cannot %s a machine in state '%s'", what,
                                    run_state_name(machine_run_state(machine)));
}

static void stop_if_running(void *opaque) {
    StateChange *change = opaque;
    RunState state = change->machine->run_state;
    change->done = true;
    if (state == RUN_STATE_RUNNING || state == RUN_STATE_PRELAUNCH)
        change_state(change);
}

/* Stopping what does not run is no error: it stays as it is. */
bool machine_stop(Machine *machine, Error *error) {
    StateChange change = {.machine = machine, .wanted = RUN_STATE_PAUSED};
    if (machine_run_state(machine) == RUN_STATE_PRELAUNCH)
        return true;
    machine_call(machine, stop_if_running, &change);
    return change.done || error_set(error, "cannot stop the machine");
}

bool machine_continue(Machine *machine, Error *error) {
    RunState state = machine_run_state(machine);
    if (state == RUN_STATE_INMIGRATE)
        return error_set(error, "the machine waits for its state (-incoming)");
    if (state == RUN_STATE_SAVE_VM)
        return error_set(error, "There is a dump in process, please wait.");
    if (state == RUN_STATE_FINISH_MIGRATE)
        return error_set(error, "the machine is about to go on in another process");
    if (state == RUN_STATE_SHUTDOWN || state == RUN_STATE_INTERNAL_ERROR ||
        state == RUN_STATE_GUEST_PANICKED)
        return error_set(error, "Resetting the Virtual Machine is required");
    return machine_take_disks(machine, error) &&
           request_state(machine, RUN_STATE_RUNNING, "continue", error);
}

void machine_press_reset(Machine *machine) {
    reset_or_end(machine, MACHINE_CAUSE_HOST_RESET);
    if (machine->config.no_reboot)
        return;
    machine->crash = CRASH_NONE;
    if (machine->run_state == RUN_STATE_SHUTDOWN ||
        machine->run_state == RUN_STATE_INTERNAL_ERROR ||
        machine->run_state == RUN_STATE_GUEST_PANICKED)
        machine_set_run_state(machine, RUN_STATE_PAUSED);
}

static void press_reset(void *opaque) {
    machine_act(opaque, ACTION_RESET, NULL, 0);
}

void machine_reset(Machine *machine) {
    machine_call(machine, press_reset, machine);
}

static void press_power_button(void *opaque) {
    Machine *machine = opaque;
    machine_act(machine, ACTION_POWER_BUTTON, NULL, 0);
    machine_tell(machine, MACHINE_EVENT_POWERDOWN, MACHINE_CAUSE_NONE);
}

static void press_sleep_button(void *opaque) {
    machine_act(opaque, ACTION_SLEEP_BUTTON, NULL, 0);
}

void machine_sleep_button(Machine *machine) {
    machine_call(machine, press_sleep_button, machine);
}

static void wake_up(void *opaque) {
    machine_act(opaque, ACTION_WAKE, NULL, 0);
}

void machine_wake_up(Machine *machine) {
    machine_call(machine, wake_up, machine);
}

void machine_power_down(Machine *machine) {
    machine_call(machine, press_power_button, machine);
}

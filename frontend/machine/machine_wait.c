/* See machine_wait.h. */
#include "machine_wait.h"
#include "machine_action.h"
#include "machine_hang.h"
#include "machine_parts.h"

typedef struct Wait {
    Machine *machine;
    int64_t deadline_ns, poll_ns;
    uint64_t last_instruction; /* ends the wait as met; UINT64_MAX: none */
    bool (*met)(void *opaque);
    void *opaque;
    bool input_comes; /* a guest that takes interrupts does not hang */
} Wait;

static void poll_is_due(void *opaque) {
    WaitPoll *poll = opaque;
    poll->due = true;
}

void machine_wait_init(Machine *machine) {
    timer_init(&machine->poll.timer, &machine->clock, "wait", &machine->poll.due_ns, poll_is_due,
               &machine->poll);
    machine->poll.seen_stride = UINT64_MAX;
}

void machine_set_watch(Machine *machine, const MachineWatch *watch) {
    machine->watch = *watch;
}

void machine_watch_anew(Machine *machine) {
    machine->poll.seen_stride = UINT64_MAX;
}

MachineCrash machine_get_crash(const Machine *machine) {
    return machine->crash;
}

void machine_stop_at_triple_fault(Machine *machine, bool stop) {
    machine_act_numbers(machine, ACTION_TRIPLE_FAULT, (uint32_t[]){stop}, 1);
}

int64_t machine_guest_time_ns(Machine *machine) {
    return clock_now_ns(&machine->clock);
}

void machine_revive(Machine *machine) {
    machine->crash = CRASH_NONE;
    pthread_mutex_lock(&machine->lock);
    machine->ended = false;
    pthread_mutex_unlock(&machine->lock);
    if (machine->run_state != RUN_STATE_RUNNING) {
        machine_set_run_state(machine, RUN_STATE_PAUSED);
        machine_set_run_state(machine, RUN_STATE_RUNNING);
    }
}

/* How far the next slice may go: to the wait's last instruction, and to the next stride. */
static int64_t find_limit(const Wait *wait) {
    uint64_t count = machine_count_instructions(wait->machine);
    uint64_t limit = wait->last_instruction - count;
    uint64_t stride = wait->machine->watch.stride;
    if (stride != 0 && limit > stride - count % stride)
        limit = stride - count % stride;
    return limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
}

/* A processor that is halted stays at one count: it is told once. */
static void tell_stride(Machine *machine) {
    const MachineWatch *watch = &machine->watch;
    uint64_t count = machine_count_instructions(machine);
    if (watch->stride == 0 || count % watch->stride != 0 || machine->poll.seen_stride == count)
        return;
    machine->poll.seen_stride = count;
    watch->stride_done(watch->opaque);
}

/* Runs to the next look at the condition. False: the wait ends with '*end' before. */
static bool run_to_poll(const Wait *wait, WaitEnd *end) {
    Machine *machine = wait->machine;
    int64_t left_ns = wait->deadline_ns - clock_now_ns(&machine->clock);
    int64_t step_ns = wait->poll_ns < left_ns ? wait->poll_ns : left_ns;
    machine->poll.due = false;
    timer_arm(&machine->poll.timer, clock_now_ns(&machine->clock) + step_ns);
    while (!machine->poll.due) {
        if (machine->watch.interrupted != NULL &&
            machine->watch.interrupted(machine->watch.opaque)) {
            *end = WAIT_INTERRUPTED;
            return false;
        }
        machine_serve_door(machine);
        machine_run_slice(machine, find_limit(wait), false);
        tell_stride(machine);
        if (machine->run_state != RUN_STATE_RUNNING) {
            *end = machine->crash != CRASH_NONE ? WAIT_CRASHED : WAIT_ENDED;
            return false;
        }
        if (machine_count_instructions(machine) >= wait->last_instruction) {
            *end = WAIT_MET;
            return false;
        }
    }
    return true;
}

static bool is_hung(const Wait *wait) {
    if (wait->met == NULL && wait->last_instruction == UINT64_MAX)
        return false;
    return !(wait->input_comes && machine_processors_interruptible(wait->machine)) &&
           machine_find_hang(wait->machine, NULL);
}

static WaitEnd run_to_end(const Wait *wait) {
    Machine *machine = wait->machine;
    WaitEnd end;
    machine_observer_resume(machine);
    if (machine->run_state == RUN_STATE_PRELAUNCH)
        machine_set_run_state(machine, RUN_STATE_RUNNING);
    for (;;) {
        if (wait->met != NULL && wait->met(wait->opaque))
            return WAIT_MET;
        if (machine->run_state != RUN_STATE_RUNNING)
            return machine->crash != CRASH_NONE ? WAIT_CRASHED : WAIT_ENDED;
        if (clock_now_ns(&machine->clock) >= wait->deadline_ns)
            return WAIT_TIMED_OUT;
        if (is_hung(wait))
            return WAIT_HUNG;
        if (!run_to_poll(wait, &end)) {
            /* What came last may be what was waited for. */
            bool last = end != WAIT_INTERRUPTED && wait->met != NULL && wait->met(wait->opaque);
            return last ? WAIT_MET : end;
        }
    }
}

static WaitEnd run_wait(const Wait *wait) {
    WaitEnd end = run_to_end(wait);
    timer_cancel(&wait->machine->poll.timer);
    return end;
}

WaitEnd machine_run_until(Machine *machine, int64_t deadline_ns, int64_t poll_ns,
                          bool (*met)(void *opaque), void *opaque) {
    Wait wait = {
        .machine = machine,
        .deadline_ns = deadline_ns,
        .poll_ns = poll_ns,
        .last_instruction = UINT64_MAX,
        .met = met,
        .opaque = opaque,
    };
    return run_wait(&wait);
}

WaitEnd machine_run_with(Machine *machine, int64_t step_ns, bool (*step)(void *opaque),
                         void *opaque) {
    Wait wait = {
        .machine = machine,
        .deadline_ns = INT64_MAX,
        .poll_ns = step_ns,
        .last_instruction = UINT64_MAX,
        .met = step,
        .opaque = opaque,
        .input_comes = true,
    };
    return run_wait(&wait);
}

/* So often a run of instructions looks whether the guest hangs. */
#define HANG_POLL_NS (10 * 1000000LL)

WaitEnd machine_run_exactly(Machine *machine, uint64_t instructions, int64_t deadline_ns) {
    if (instructions == 0)
        return WAIT_MET;
    Wait wait = {
        .machine = machine,
        .deadline_ns = deadline_ns,
        .poll_ns = HANG_POLL_NS,
        .last_instruction = machine_count_instructions(machine) + instructions,
    };
    return run_wait(&wait);
}

#include "machine_time.h"

static const Field machine_time_field_rows[] = {
    FIELD(MachineTimeState, U64, base_ns),
    FIELD(MachineTimeState, U64, base_count),
    FIELD_END,
};
static const FieldTable machine_time_fields = {"machine-time", 2, sizeof(MachineTimeState),
                                               machine_time_field_rows};

/* From now on both clocks go on together. */
static void start_anew(MachineTime *time) {
    if (time->sliced) {
        time->target_ns = time->state.base_ns;
        time->host_seen_ns = host_ticks_ns(&time->ticks);
        return;
    }
    time->host_start_ns = time->host_seen_ns = time->held_host_ns = host_ticks_ns(&time->ticks);
    time->leapt_ns = 0;
    time->held_ns = time->state.base_ns;
}

static void machine_time_restored(void *opaque) {
    start_anew(opaque);
}

static const DeviceClass machine_time_class = {
    .name = "machine-time",
    .fields = &machine_time_fields,
    .restored = machine_time_restored,
};

/* The host's clock without what this thread was kept from running beyond 'allowed_ns'. */
static int64_t see_host_clock(MachineTime *time, int64_t allowed_ns) {
    int64_t host = host_ticks_ns(&time->ticks);
    int64_t gap = host - time->host_seen_ns;
    if (gap > allowed_ns)
        time->host_start_ns += gap - allowed_ns;
    time->host_seen_ns = host;
    return host;
}

static int64_t counted_ns(const MachineTime *time) {
    uint64_t count = time->count(time->machine) - time->state.base_count;
    unsigned __int128 ns = (unsigned __int128)count * time->pace.ns;
    if (time->pace.instructions > 1)
        ns /= time->pace.instructions;
    return time->state.base_ns + (int64_t)ns;
}

int64_t machine_time_now_ns(MachineTime *time) {
    if (machine_time_is_counted(time))
        return counted_ns(time);
    if (!time->running || time->follows)
        return time->state.base_ns;
    int64_t host = see_host_clock(time, MACHINE_TIME_STALL_NS);
    return time->state.base_ns + (host - time->host_start_ns);
}

/* The host's clock as it goes on, without what see_host_clock() leaves out: a line is much shorter
 * than that. */
static bool find_line(void *opaque, ClockLine *line) {
    const MachineTime *time = opaque;
    const HostTicks *ticks = &time->ticks;
    if (machine_time_is_counted(time) || !time->running || time->follows || !ticks->usable ||
        ticks->limit == 0)
        return false;
    *line = (ClockLine){ticks->start, ticks->limit, ticks->rate,
                        time->state.base_ns + (ticks->start_ns - time->host_start_ns)};
    return true;
}

int64_t machine_time_ahead_ns(MachineTime *time) {
    if (time->icount || time->sliced || time->follows || !machine_time_is_counted(time))
        return 0;
    int64_t guest_ns = counted_ns(time) - time->held_ns;
    int64_t ahead_ns = guest_ns - (host_ticks_ns(&time->ticks) - time->held_host_ns);
    if (ahead_ns < -MACHINE_TIME_BACKLOG_NS) {
        time->held_host_ns += -MACHINE_TIME_BACKLOG_NS - ahead_ns;
        ahead_ns = -MACHINE_TIME_BACKLOG_NS;
    }
    return ahead_ns;
}

void machine_time_slept(MachineTime *time, int64_t nanoseconds) {
    if (time->icount || !time->running)
        return;
    if (time->sliced) {
        time->slept_ns += nanoseconds;
    } else if (machine_time_is_counted(time)) {
        int64_t behind_ns = -machine_time_ahead_ns(time);
        if (behind_ns > 0)
            time->state.base_ns += behind_ns < nanoseconds ? behind_ns : nanoseconds;
    } else {
        int64_t seen_ns = time->host_seen_ns, start_ns = time->host_start_ns;
        int64_t passed_ns = see_host_clock(time, nanoseconds + MACHINE_TIME_STALL_NS) - seen_ns;
        passed_ns -= time->host_start_ns - start_ns; /* what does not count */
        int64_t made_up_ns = passed_ns < time->leapt_ns ? passed_ns : time->leapt_ns;
        time->host_start_ns += made_up_ns;
        time->leapt_ns -= made_up_ns;
    }
}

/* With the host's clock: see MACHINE_TIME_LEAP_NS. */
static int64_t leap_or_sleep(MachineTime *time, int64_t left_ns) {
    bool leaps = time->running && !time->follows && left_ns <= MACHINE_TIME_LEAP_NS &&
                 time->leapt_ns + left_ns <= MACHINE_TIME_LEAPT_MAX_NS;
    if (!leaps)
        return left_ns + time->leapt_ns;
    time->host_start_ns -= left_ns;
    time->leapt_ns += left_ns;
    return 0;
}

static int64_t read_clock(void *opaque) {
    return machine_time_now_ns(opaque);
}

void machine_time_init(MachineTime *time, VirtualClock *clock,
                       uint64_t (*count)(const void *machine), const void *machine, bool icount,
                       InstructionPace pace, DeviceList *devices) {
    *time = (MachineTime){.icount = icount,
                          .pace = pace,
                          .count = count,
                          .machine = machine,
                          .ns_per_instruction = 10.0};
    host_ticks_init(&time->ticks);
    clock->source = read_clock;
    clock->line = find_line;
    clock->source_opaque = time;
    device_list_add(devices, &machine_time_class, "time", time, &time->state);
}

void machine_time_settle(MachineTime *time) {
    if (time->icount)
        return;
    time->state.base_ns = machine_time_now_ns(time);
    time->state.base_count = time->count(time->machine);
    if (!time->sliced && !time->follows)
        start_anew(time);
}

void machine_time_set_pace(MachineTime *time, InstructionPace pace) {
    machine_time_settle(time);
    time->pace = pace;
    time->sliced = false;
    if (time->slices_wanted)
        machine_time_begin_slices(time);
}

void machine_time_set_running(MachineTime *time, bool running) {
    if (!time->follows) /* what a replay is stopped for was not there */
        machine_time_settle(time);
    time->running = running;
    if (time->sliced)
        time->host_seen_ns = host_ticks_ns(&time->ticks);
}

/* An event is due once that many instructions more have completed. */
static int64_t count_until(const MachineTime *time, int64_t due_ns) {
    uint64_t done = time->count(time->machine) - time->state.base_count;
    unsigned __int128 ns = (unsigned __int128)(due_ns - time->state.base_ns);
    unsigned __int128 count = (ns * time->pace.instructions + time->pace.ns - 1) / time->pace.ns;
    return count - done > INT64_MAX ? INT64_MAX : (int64_t)(count - done);
}

int64_t machine_time_budget(MachineTime *time, int64_t due_ns, int64_t limit) {
    if (due_ns == TIMER_NEVER)
        return limit;
    int64_t left_ns = due_ns - machine_time_now_ns(time);
    if (left_ns <= 0)
        return 1;
    int64_t budget;
    if (machine_time_is_counted(time))
        budget = count_until(time, due_ns);
    else if ((double)left_ns / time->ns_per_instruction >= (double)limit)
        budget = limit;
    else
        budget = (int64_t)((double)left_ns / time->ns_per_instruction) + 1;
    return budget < limit ? budget : limit;
}

int64_t machine_time_limit(const MachineTime *time, int64_t nanoseconds, int64_t limit) {
    if (time->icount || time->sliced || !machine_time_is_counted(time))
        return limit;
    int64_t most =
        clock_scale(nanoseconds, (int64_t)time->pace.instructions, (int64_t)time->pace.ns);
    return most < 1 ? 1 : most < limit ? most : limit;
}

int64_t machine_time_skip(MachineTime *time, int64_t due_ns) {
    int64_t left_ns = due_ns - machine_time_now_ns(time);
    if (left_ns <= 0)
        return 0;
    if (time->sliced)
        return left_ns;
    if (!machine_time_is_counted(time))
        return leap_or_sleep(time, left_ns);
    int64_t ahead_ns = machine_time_ahead_ns(time);
    int64_t free_ns = time->icount ? left_ns : ahead_ns < 0 ? -ahead_ns : 0;
    if (free_ns > left_ns)
        free_ns = left_ns;
    time->state.base_ns += free_ns;
    return left_ns > free_ns ? left_ns + ahead_ns : 0;
}

void machine_time_measure(MachineTime *time, uint64_t instructions, int64_t nanoseconds) {
    if (instructions < 100 || nanoseconds <= 0)
        return; /* too short to tell */
    double measured = (double)nanoseconds / (double)instructions;
    time->ns_per_instruction += (measured - time->ns_per_instruction) / 8;
}

/* ---- Slices, and replays of them ---- */

/* A slice's pace is told as nanoseconds for so many instructions. */
#define SLICE_PACE_INSTRUCTIONS 65536

/* Where the clock is ahead of the host's, instructions take less of it: it must not go back. */
static void choose_pace(MachineTime *time, int64_t ahead_ns) {
    double share = ahead_ns <= 50000 ? 1.0 : ahead_ns <= 1000000 ? 0.5 : 0.125;
    double wanted = time->ns_per_instruction * share * SLICE_PACE_INSTRUCTIONS;
    double present = (double)time->pace.ns;
    if (wanted < 1)
        wanted = 1;
    if (wanted > present * 1.1 || wanted < present * 0.9) /* a change has to be recorded */
        time->pace = (InstructionPace){(uint64_t)wanted, SLICE_PACE_INSTRUCTIONS};
}

void machine_time_begin_slices(MachineTime *time) {
    time->slices_wanted = true;
    if (machine_time_is_counted(time))
        return;
    machine_time_settle(time);
    time->sliced = true;
    time->slept_ns = 0;
    start_anew(time);
    choose_pace(time, 0);
}

void machine_time_end_slices(MachineTime *time) {
    time->slices_wanted = false;
    if (!time->sliced)
        return;
    machine_time_settle(time);
    time->sliced = false;
    time->pace = (InstructionPace){0, 0};
    start_anew(time);
}

void machine_time_sync(MachineTime *time) {
    if (!time->sliced || !time->running)
        return;
    int64_t host = host_ticks_ns(&time->ticks);
    int64_t gap = host - time->host_seen_ns, allowed = time->slept_ns + MACHINE_TIME_STALL_NS;
    time->target_ns += gap < allowed ? gap : allowed;
    time->host_seen_ns = host;
    time->slept_ns = 0;
    machine_time_settle(time);
    int64_t ahead_ns = time->state.base_ns - time->target_ns;
    if (ahead_ns < 0)
        time->state.base_ns = time->target_ns;
    choose_pace(time, ahead_ns);
}

void machine_time_follow(MachineTime *time, bool follows) {
    if (!follows)
        machine_time_settle(time);
    time->follows = follows;
    start_anew(time);
}

void machine_time_adjust(MachineTime *time, int64_t nanoseconds, const InstructionPace *pace) {
    machine_time_settle(time);
    time->state.base_ns += nanoseconds;
    if (pace != NULL)
        time->pace = *pace;
}

#include "machine_time.h"

static const Field machine_time_field_rows[] = {
    FIELD(MachineTimeState, U64, base_ns),
    FIELD_END,
};
static const FieldTable machine_time_fields = {"machine-time", 1, sizeof(MachineTimeState),
                                               machine_time_field_rows};

static void machine_time_restored(void *opaque) {
    MachineTime *time = opaque;
    time->host_start_ns = time->host_seen_ns = host_clock_ns();
}

static const DeviceClass machine_time_class = {
    .name = "machine-time",
    .fields = &machine_time_fields,
    .restored = machine_time_restored,
};

/* The host's clock without what this thread was kept from running beyond 'allowed_ns'. */
static int64_t see_host_clock(MachineTime *time, int64_t allowed_ns) {
    int64_t host = host_clock_ns();
    int64_t gap = host - time->host_seen_ns;
    if (gap > allowed_ns)
        time->host_start_ns += gap - allowed_ns;
    time->host_seen_ns = host;
    return host;
}

int64_t machine_time_now_ns(MachineTime *time) {
    if (time->icount)
        return time->state.base_ns + (int64_t)(time->cpu->state.instruction_count << time->shift);
    if (!time->running)
        return time->state.base_ns;
    int64_t host = see_host_clock(time, MACHINE_TIME_STALL_NS);
    return time->state.base_ns + (host - time->host_start_ns);
}

void machine_time_slept(MachineTime *time, int64_t nanoseconds) {
    if (!time->icount && time->running)
        see_host_clock(time, nanoseconds + MACHINE_TIME_STALL_NS);
}

static int64_t read_clock(void *opaque) {
    return machine_time_now_ns(opaque);
}

void machine_time_init(MachineTime *time, VirtualClock *clock, const Cpu *cpu, bool icount,
                       unsigned shift, DeviceList *devices) {
    *time = (MachineTime){.icount = icount, .shift = shift, .cpu = cpu, .ns_per_instruction = 10.0};
    clock->source = read_clock;
    clock->source_opaque = time;
    device_list_add(devices, &machine_time_class, "time", time, &time->state);
}

void machine_time_settle(MachineTime *time) {
    if (time->icount)
        return;
    time->state.base_ns = machine_time_now_ns(time);
    time->host_start_ns = time->host_seen_ns = host_clock_ns();
}

void machine_time_set_running(MachineTime *time, bool running) {
    machine_time_settle(time);
    time->running = running;
}

int64_t machine_time_budget(MachineTime *time, int64_t due_ns, int64_t limit) {
    if (due_ns == TIMER_NEVER)
        return limit;
    int64_t left_ns = due_ns - machine_time_now_ns(time);
    if (left_ns <= 0)
        return 1;
    int64_t budget;
    if (time->icount)
        budget = ((left_ns - 1) >> time->shift) + 1; /* the event is due once that many completed */
    else if ((double)left_ns / time->ns_per_instruction >= (double)limit)
        budget = limit;
    else
        budget = (int64_t)((double)left_ns / time->ns_per_instruction) + 1;
    return budget < limit ? budget : limit;
}

int64_t machine_time_skip(MachineTime *time, int64_t due_ns) {
    int64_t left_ns = due_ns - machine_time_now_ns(time);
    if (left_ns <= 0)
        return 0;
    if (!time->icount)
        return left_ns;
    time->state.base_ns += left_ns;
    return 0;
}

void machine_time_measure(MachineTime *time, uint64_t instructions, int64_t nanoseconds) {
    if (instructions < 100 || nanoseconds <= 0)
        return; /* too short to tell */
    double measured = (double)nanoseconds / (double)instructions;
    time->ns_per_instruction += (measured - time->ns_per_instruction) / 8;
}

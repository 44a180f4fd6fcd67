/* See machine_history.h. */
#include "machine_history.h"
#include "machine_parts.h"

#include <stdlib.h>

/* A checkpoint is taken after so much of the host's time, so that going back costs little more;
 * once there are too many, every other one goes and the time between two doubles. */
#define POINTS 48
#define INTERVAL_NS (200 * 1000000LL)
/* A log that has grown so far is forgotten, with all before. */
#define LOG_BYTES (256u << 20)

typedef struct HistoryPoint {
    Checkpoint *checkpoint;
    size_t record; /* of the log, with which it goes on */
    uint64_t count;
    InstructionPace pace;
} HistoryPoint;

struct MachineHistory {
    Machine *machine;
    bool is_live; /* the log grows by what the machine does */
    Recorder recorder;
    const ByteBuffer *log;
    Replay replay; /* of one that is live: while it is in its past */
    HistoryPoint point[POINTS];
    unsigned count;
    int64_t interval_ns, taken_ns; /* host's clock */
    bool searches;                 /* no checkpoints meanwhile */
};

/* ---- Checkpoints ---- */

static void free_points(MachineHistory *history) {
    for (unsigned i = 0; i < history->count; i++)
        checkpoint_free(history->point[i].checkpoint);
    history->count = 0;
}

static void thin_out(MachineHistory *history) {
    unsigned kept = 1;
    for (unsigned i = 1; i < history->count; i++) {
        if (i % 2 == 0)
            history->point[kept++] = history->point[i];
        else
            checkpoint_free(history->point[i].checkpoint);
    }
    history->count = kept;
    history->interval_ns *= 2;
}

static bool take_point(MachineHistory *history, size_t record, Error *error) {
    Machine *machine = history->machine;
    if (history->count == POINTS)
        thin_out(history);
    Checkpoint *checkpoint = machine_checkpoint(machine, error);
    if (checkpoint == NULL)
        return false;
    history->point[history->count++] =
        (HistoryPoint){checkpoint, record, machine_count_instructions(machine), machine->time.pace};
    history->taken_ns = host_clock_ns();
    return true;
}

/* From here on, with nothing before. */
static void start_anew(MachineHistory *history) {
    free_points(history);
    history->recorder.log.size = 0;
    history->recorder.is_broken = false;
    recorder_resume(history->machine, &history->recorder);
    history->recorder.pace = (InstructionPace){0, 0};
    take_point(history, 0, NULL);
}

static bool is_due(const MachineHistory *history, size_t record) {
    return !history->searches &&
           (history->count == 0 || record > history->point[history->count - 1].record) &&
           host_clock_ns() - history->taken_ns > history->interval_ns;
}

static void round_done(void *opaque) {
    MachineHistory *history = opaque;
    if (history->recorder.is_broken || history->recorder.log.size > LOG_BYTES)
        start_anew(history);
    else if (is_due(history, history->recorder.log.size))
        take_point(history, history->recorder.log.size, NULL);
}

static void before_round(void *opaque) {
    MachineHistory *history = opaque;
    size_t record = history->machine->replay->next;
    if (is_due(history, record))
        take_point(history, record, NULL);
}

/* ---- Beginning and end ---- */

static bool has_network(const Machine *machine) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        if (machine->board.network_card[i].user != NULL)
            return true;
    return false;
}

bool machine_history_begin(Machine *machine, Error *error) {
    if (machine->history != NULL)
        return true;
    if (machine->recorder != NULL)
        return error_set(error, "a run that is recorded has no way back; replay the recording");
    if (has_network(machine) && machine->replay == NULL)
        return error_set(error,
                         "a machine with a network has no way back (-nic none takes it away)");
    MachineHistory *history = calloc(1, sizeof(*history));
    if (history == NULL)
        return error_set(error, "no memory for a history");
    *history = (MachineHistory){.machine = machine, .interval_ns = INTERVAL_NS};
    machine->history = history;
    history->is_live = machine->replay == NULL;
    if (history->is_live) {
        recorder_begin(machine, &history->recorder);
        history->recorder.round_done = round_done;
        history->recorder.opaque = history;
        history->log = &history->recorder.log;
    } else {
        history->log = machine->replay->log;
        machine->replay->before_round = before_round;
        machine->replay->opaque = history;
    }
    if (take_point(history, history->is_live ? 0 : replay_position(machine).record, error))
        return true;
    machine_history_end(machine);
    return false;
}

void machine_history_end(Machine *machine) {
    MachineHistory *history = machine->history;
    if (history == NULL)
        return;
    if (history->is_live) {
        if (machine->replay != NULL)
            replay_end(machine);
        machine->recorder = &history->recorder;
        recorder_end(machine);
        byte_buffer_free(&history->recorder.log);
    } else if (machine->replay != NULL) {
        machine->replay->before_round = NULL;
    }
    free_points(history);
    free(history);
    machine->history = NULL;
}

bool machine_history_reach_present(Machine *machine) {
    MachineHistory *history = machine->history;
    if (history == NULL || !history->is_live || machine->replay == NULL || history->searches)
        return false;
    replay_end(machine);
    recorder_resume(machine, &history->recorder);
    return true;
}

bool machine_history_change(Machine *machine) {
    MachineHistory *history = machine->history;
    if (machine->replay != NULL)
        return false;
    if (history != NULL)
        history->recorder.is_broken = true; /* the next round begins anew */
    return true;
}

void machine_history_go_on(Machine *machine) {
    MachineHistory *history = machine->history;
    if (history != NULL && machine->replay == NULL && history->recorder.is_broken)
        start_anew(history);
}

/* ---- Going back ---- */

static bool return_to(MachineHistory *history, unsigned index, Error *error) {
    Machine *machine = history->machine;
    const HistoryPoint *point = &history->point[index];
    if (!machine_restore(machine, point->checkpoint, error))
        return false;
    machine->recorder = NULL;
    machine->time.pace = point->pace;
    Replay *replay = machine->replay != NULL ? machine->replay : &history->replay;
    if (history->is_live)
        *replay = (Replay){.before_round = before_round, .opaque = history};
    replay->in_slice = false;
    replay_begin(machine, replay, history->log, point->record);
    machine_debug_take_stop(machine);
    if (machine->run_state != RUN_STATE_RUNNING && !machine_debug_continue(machine))
        return error_set(error, "the machine does not run from where it was");
    machine->debug.points.passed_count = UINT64_MAX; /* what stands there is met, each time */
    return true;
}

static bool begin_search(Machine *machine, Error *error) {
    MachineHistory *history = machine->history;
    if (history == NULL)
        return error_set(error, "nothing is known of what was before");
    if (history->recorder.is_broken)
        start_anew(history);
    history->searches = true;
    return true;
}

static void end_search(Machine *machine) {
    machine->history->searches = false;
    machine->debug.stepping = 0;
    if (machine->run_state == RUN_STATE_RUNNING)
        machine_set_run_state(machine, RUN_STATE_PAUSED);
}

typedef enum Reached { REACHED_COUNT, REACHED_STOP, REACHED_END } Reached;

/* Forwards to this count of instructions, or to the first thing that is met before it. */
static Reached replay_to(Machine *machine, uint64_t count) {
    if (machine->run_state != RUN_STATE_RUNNING && !machine_debug_continue(machine))
        return REACHED_END;
    for (;;) {
        uint64_t now = machine_count_instructions(machine);
        if (now >= count)
            return REACHED_COUNT;
        replay_run_slice(machine, count - now > INT64_MAX ? INT64_MAX : (int64_t)(count - now));
        if (machine->debug.stop.reason == MACHINE_STOP_POINT)
            return REACHED_STOP;
        if (machine->replay->end != REPLAY_GOES_ON)
            return REACHED_END;
        if (machine->run_state != RUN_STATE_RUNNING && !machine_debug_continue(machine))
            return REACHED_END;
    }
}

/* Likewise, past whatever is met on the way. */
static Reached replay_past_stops(Machine *machine, uint64_t count) {
    Reached reached;
    while ((reached = replay_to(machine, count)) == REACHED_STOP)
        continue;
    return reached;
}

/* The last point from which something leads to before this count; false: there is none. */
static bool find_point(const MachineHistory *history, uint64_t count, unsigned *index) {
    for (*index = history->count; *index > 0; (*index)--)
        if (history->point[*index - 1].count < count)
            return (*index)--, true;
    return false;
}

static bool stand_at_beginning(Machine *machine, Error *error) {
    bool good = return_to(machine->history, 0, error);
    end_search(machine);
    machine->debug.stop =
        (MachineStop){.reason = MACHINE_STOP_HISTORY, .processor = machine->cpu->number};
    return good;
}

bool machine_history_step_back(Machine *machine, Error *error) {
    unsigned index;
    uint64_t count = machine_count_instructions(machine);
    if (!begin_search(machine, error))
        return false;
    if (!find_point(machine->history, count, &index))
        return stand_at_beginning(machine, error);
    bool good = return_to(machine->history, index, error) &&
                (replay_past_stops(machine, count - 1) == REACHED_COUNT ||
                 error_set(error, "the way back is lost: the run did not repeat itself"));
    end_search(machine);
    machine->debug.stop =
        (MachineStop){.reason = MACHINE_STOP_STEP, .processor = machine->cpu->number};
    return good;
}

/* The last thing that was met: the how-manieth from a point on, and where. */
typedef struct Meeting {
    unsigned number; /* from 1; 0: nothing was met */
    MachineStop stop;
    uint64_t count; /* to stand at */
} Meeting;

static Meeting find_last(Machine *machine, uint64_t end) {
    Meeting last = {.number = 0};
    unsigned number = 0;
    while (replay_to(machine, end) == REACHED_STOP) {
        bool executes = machine->debug.stop.point.kind == CPU_STOP_EXECUTE;
        uint64_t count = machine_count_instructions(machine) - !executes;
        number++;
        if (count < end)
            last = (Meeting){number, machine->debug.stop, count};
    }
    return last;
}

/* Once more from the point on, to exactly there. */
static bool stand_at(Machine *machine, unsigned index, const Meeting *meeting, Error *error) {
    if (!return_to(machine->history, index, error))
        return false;
    if (meeting->stop.point.kind != CPU_STOP_EXECUTE) {
        replay_past_stops(machine, meeting->count);
    } else {
        for (unsigned i = 0; i < meeting->number; i++)
            if (replay_to(machine, UINT64_MAX) != REACHED_STOP)
                return error_set(error, "the way back is lost: the run did not repeat itself");
    }
    end_search(machine);
    machine->debug.stop = meeting->stop;
    return true;
}

bool machine_history_run_back(Machine *machine, Error *error) {
    MachineHistory *history = machine->history;
    unsigned index;
    uint64_t end = machine_count_instructions(machine);
    if (!begin_search(machine, error))
        return false;
    while (find_point(history, end, &index)) {
        if (!return_to(history, index, error))
            break;
        Meeting meeting = find_last(machine, end);
        if (meeting.number != 0)
            return stand_at(machine, index, &meeting, error);
        end = history->point[index].count;
    }
    return !error->set && stand_at_beginning(machine, error);
}

/* ---- Flags ---- */

/* So many instructions are looked at one by one first; then ever more, further back. */
#define FIRST_WINDOW 1024
#define WINDOW_GROWS 8

/* Instruction by instruction to 'end': before which one the flags changed last; false: before none
 * of them. */
static bool find_change(Machine *machine, const Cpu *cpu, uint32_t flags, uint64_t end,
                        uint64_t *count) {
    bool found = false;
    uint32_t value = cpu_get_eflags(cpu) & flags;
    for (;;) {
        uint64_t before = machine_count_instructions(machine);
        if (before >= end || replay_past_stops(machine, before + 1) != REACHED_COUNT)
            return found;
        if ((cpu_get_eflags(cpu) & flags) == value)
            continue;
        value = cpu_get_eflags(cpu) & flags;
        *count = before;
        found = true;
    }
}

bool machine_history_last_flag(Machine *machine, uint32_t flags, Error *error) {
    MachineHistory *history = machine->history;
    const Cpu *cpu = machine->cpu;
    uint64_t end = machine_count_instructions(machine), window = FIRST_WINDOW, count;
    if (!begin_search(machine, error))
        return false;
    for (; end > history->point[0].count; window *= WINDOW_GROWS) {
        unsigned index = 0;
        uint64_t start =
            end - history->point[0].count > window ? end - window : history->point[0].count;
        find_point(history, start + 1, &index);
        if (!return_to(history, index, error))
            return false;
        replay_past_stops(machine, start);
        if (find_change(machine, cpu, flags, end, &count)) {
            bool good = return_to(history, index, error);
            replay_past_stops(machine, count);
            end_search(machine);
            machine->debug.stop =
                (MachineStop){.reason = MACHINE_STOP_STEP, .processor = machine->cpu->number};
            return good;
        }
        end = start;
    }
    return stand_at_beginning(machine, error);
}

/* See machine_replay.h. A round here does what machine_run_slice() did, with its outcomes given. */
#include "machine_replay.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_record.h"
#include "machine_snapshot.h"
#include "performance.h"

/* ---- The network ---- */

/* Frames that entered in this part of the round, after so many of its instructions. */
static void deliver_frames(Machine *machine, RecordPart part, uint64_t instructions) {
    Replay *replay = machine->replay;
    Record record;
    for (size_t next = replay->next; record_read(replay->log, &next, &record);
         replay->next = next) {
        if (record.kind != RECORD_FRAME || (record.action & 7) != part ||
            record.instructions != instructions)
            return;
        unsigned card = record.action >> 3;
        NetworkLink *link =
            card < MACHINE_NETWORK_CARDS ? machine->board.network_card[card].link : NULL;
        if (link != NULL)
            network_link_deliver(link, record.bytes, record.size);
        replay->actions++;
    }
}

/* What the guest sends may have been answered at once. */
static void guest_sent(void *opaque, const uint8_t *frame, size_t size) {
    const struct ReplayedCard *card = opaque;
    Machine *machine = card->machine;
    Replay *replay = machine->replay;
    (void)frame;
    (void)size;
    if (replay != NULL && replay->in_slice)
        deliver_frames(machine, PART_SLICE,
                       machine_count_instructions(machine) - replay->slice_start);
}

static void take_network(Machine *machine, Replay *replay) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        BoardNetworkCard *card = &machine->board.network_card[i];
        if (card->link == NULL || card->user != NULL)
            continue;
        replay->card[i] = (struct ReplayedCard){machine, i};
        NetworkBackEndPort port = {.send = guest_sent, .opaque = &replay->card[i]};
        network_link_attach_back_end(card->link, &port);
    }
}

/* ---- Rounds ---- */

void replay_begin(Machine *machine, Replay *replay, const ByteBuffer *log, size_t record) {
    replay->log = log;
    replay->next = record;
    replay->in_slice = false;
    replay->end = REPLAY_GOES_ON;
    machine_time_follow(&machine->time, true);
    machine->replay = replay;
    take_network(machine, replay);
    machine_set_exact(machine, true);
}

void replay_end(Machine *machine) {
    machine->replay = NULL;
    machine_time_follow(&machine->time, false);
    machine_set_exact(machine, false);
}

ReplayPosition replay_position(const Machine *machine) {
    const Replay *replay = machine->replay;
    return (ReplayPosition){.record = replay->in_slice ? replay->slice : replay->next,
                            .done = replay->in_slice ? replay->slice_done : 0,
                            .count = machine_count_instructions(machine),
                            .in_slice = replay->in_slice};
}

static bool stop_at(Machine *machine, ReplayEnd end) {
    machine->replay->end = end;
    machine->debug.stop =
        (MachineStop){.reason = MACHINE_STOP_HISTORY, .processor = machine->cpu->number};
    machine_set_run_state(machine, RUN_STATE_PAUSED);
    return false;
}

static bool diverge(Machine *machine, const char *what) {
    error_set(&machine->replay->error, "the replay leaves the recording at instruction %llu: %s",
              (unsigned long long)machine_count_instructions(machine), what);
    return stop_at(machine, REPLAY_DIVERGED);
}

static void take_time(Machine *machine, const Record *record) {
    machine_time_adjust(&machine->time, record->time_ns, record->has_pace ? &record->pace : NULL);
}

static bool check_hash(Machine *machine, const Record *record) {
    uint64_t hash;
    if (record->kind == RECORD_CHECK) {
        hash = recorder_hash_processors(machine);
    } else {
        take_time(machine, record);
        hash = machine_state_hash(machine);
    }
    machine->replay->checks++;
    return (hash == record->hash && record->instructions == machine_count_instructions(machine)) ||
           diverge(machine, record->kind == RECORD_CHECK ? "the processor's state is another"
                                                         : "the state at the end is another");
}

/* What the next record says; rounds are begun. False: the machine stopped. */
static bool take_record(Machine *machine) {
    Replay *replay = machine->replay;
    Record record;
    size_t at = replay->next;
    if (!record_read(replay->log, &replay->next, &record))
        return !machine_history_reach_present(machine) && stop_at(machine, REPLAY_CUT_SHORT);
    switch (record.kind) {
    case RECORD_ACTION:
        replay->actions++;
        machine_action_perform(machine, record.action, record.bytes, record.size);
        return true;
    case RECORD_CHECK:
        return check_hash(machine, &record);
    case RECORD_END:
        if (!check_hash(machine, &record))
            return false;
        at = replay->next;
        if (record_read(replay->log, &at, &record) && record.kind == RECORD_BREAK)
            return true;
        return stop_at(machine, REPLAY_AT_END);
    case RECORD_BREAK:
        error_set(&replay->error, "the recording ends where the machine was changed by '%.*s'",
                  (int)(record.size < 100 ? record.size : 100), (const char *)record.bytes);
        return stop_at(machine, REPLAY_AT_BREAK);
    case RECORD_FRAME: {
        if ((record.action & 7) != PART_BETWEEN)
            return diverge(machine, "the guest did not ask for a frame of the network");
        replay->next = at;
        deliver_frames(machine, PART_BETWEEN, 0);
        return true;
    }
    case RECORD_IDLE:
        return diverge(machine, "it does not wait");
    default:
        break;
    }
    take_time(machine, &record);
    clock_run_due(&machine->clock);
    deliver_frames(machine, PART_EVENTS, 0);
    machine_serve_requests(machine);
    if (record.kind == RECORD_SLICE) {
        machine_take_turn(machine);
        replay->slice_start = machine_count_instructions(machine);
        replay->in_slice = true;
        replay->slice = at;
        replay->slice_done = 0;
        replay->slice_left = record.instructions;
    } else {
        /* A round without instructions may have waited: a machine that is suspended to RAM. */
        size_t next = replay->next;
        if (record_read(replay->log, &next, &record) && record.kind == RECORD_IDLE) {
            replay->next = next;
            take_time(machine, &record);
            clock_run_due(&machine->clock);
            deliver_frames(machine, PART_IDLE_EVENTS, 0);
        }
        machine_serve_requests(machine);
    }
    return true;
}

/* All of the slice's instructions are done. */
static bool finish_slice(Machine *machine, RunExit exit) {
    Replay *replay = machine->replay;
    Record record;
    replay->in_slice = false;
    if (machine->cpu->state.instruction_count >= machine->cpu->performance_alarm)
        performance_settle(machine->cpu);
    clock_run_due(&machine->clock);
    deliver_frames(machine, PART_LATE_EVENTS, 0);
    size_t next = replay->next;
    if (exit == RUN_SHUTDOWN)
        machine_triple_fault(machine);
    else if (record_read(replay->log, &next, &record) && record.kind == RECORD_IDLE) {
        replay->next = next;
        take_time(machine, &record);
        clock_run_due(&machine->clock);
        deliver_frames(machine, PART_IDLE_EVENTS, 0);
    }
    machine_serve_requests(machine);
    return machine->run_state == RUN_STATE_RUNNING;
}

bool replay_run_slice(Machine *machine, int64_t limit) {
    Replay *replay = machine->replay;
    if (!replay->in_slice && replay->before_round != NULL)
        replay->before_round(replay->opaque);
    while (!replay->in_slice) {
        if (!take_record(machine))
            return machine->replay == NULL; /* the present is reached */
        if (machine->run_state != RUN_STATE_RUNNING)
            return false;
    }
    limit = machine_debug_limit(machine, limit);
    if ((uint64_t)limit > replay->slice_left)
        limit = (int64_t)replay->slice_left;
    uint64_t before = machine->cpu->state.instruction_count;
    RunExit exit = machine_run_part(machine, limit);
    uint64_t done = machine->cpu->state.instruction_count - before;
    replay->slice_done += done;
    replay->slice_left -= done;
    if (machine_debug_look(machine, done))
        return false;
    if (replay->slice_left == 0)
        return finish_slice(machine, exit);
    if (exit == RUN_HALTED || exit == RUN_SHUTDOWN)
        return diverge(machine, "it halts");
    return true;
}

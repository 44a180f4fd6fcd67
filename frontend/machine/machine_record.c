/* See machine_record.h. */
#include "machine_record.h"
#include "machine_parts.h"
#include "machine_snapshot.h"

#include <string.h>

static Recorder *recorder_of(const Machine *machine) {
    Recorder *recorder = machine->recorder;
    return recorder == NULL || recorder->is_broken ? NULL : recorder;
}

/* What a replay takes for the present time and pace is from now on what the machine has. */
static Record tell_time(Machine *machine, Recorder *recorder, RecordKind kind) {
    MachineTime *time = &machine->time;
    bool is_first = recorder->pace.ns == 0; /* a replay begins with the machine's state */
    MachineTime shadow = {.state = recorder->time,
                          .pace = is_first ? time->pace : recorder->pace,
                          .count = time->count,
                          .machine = time->machine};
    Record record = {.kind = kind};
    record.time_ns = machine_time_now_ns(time) - machine_time_now_ns(&shadow);
    record.has_pace = time->pace.ns != recorder->pace.ns ||
                      time->pace.instructions != recorder->pace.instructions;
    record.pace = time->pace;
    machine_time_settle(time);
    recorder->time = time->state;
    recorder->pace = time->pace;
    return record;
}

/* ---- The network ---- */

static void saw_frame(void *opaque, const uint8_t *frame, size_t size, int64_t now_ns) {
    const struct RecordedCard *card = opaque;
    Recorder *recorder = recorder_of(card->machine);
    (void)now_ns;
    if (recorder == NULL)
        return;
    Record record = {.kind = RECORD_FRAME,
                     .action = (uint8_t)(card->index << 3 | recorder->part),
                     .bytes = frame,
                     .size = size};
    if (recorder->part == PART_SLICE)
        record.instructions = machine_count_instructions(card->machine) - recorder->slice_start;
    record_append(recorder->in_round ? &recorder->inner : &recorder->log, &record);
}

static void watch_network(Machine *machine, Recorder *recorder, bool watch) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        NetworkLink *link = machine->board.network_card[i].link;
        if (link == NULL)
            continue;
        recorder->card[i] = (struct RecordedCard){machine, i};
        NetworkObserver observer = {watch ? saw_frame : NULL, &recorder->card[i]};
        network_link_set_recorder(link, &observer);
    }
}

/* ---- The run loop ---- */

void recorder_resume(Machine *machine, Recorder *recorder) {
    recorder->time = machine->time.state;
    recorder->pace = machine->time.pace;
    recorder->in_round = false;
    recorder->inner.size = 0; /* of a round that was not to its end */
    recorder->part = PART_BETWEEN;
    machine->recorder = recorder;
    watch_network(machine, recorder, true);
}

void recorder_begin(Machine *machine, Recorder *recorder) {
    *recorder = (Recorder){.log = {.data = NULL}};
    machine_time_begin_slices(&machine->time);
    machine_time_settle(&machine->time);
    recorder_resume(machine, recorder);
    recorder->pace = (InstructionPace){0, 0}; /* the first record tells it */
}

void recorder_end(Machine *machine) {
    watch_network(machine, machine->recorder, false);
    byte_buffer_free(&machine->recorder->inner);
    machine->recorder = NULL;
    machine_time_end_slices(&machine->time);
}

void recorder_begin_round(Machine *machine) {
    machine_time_sync(&machine->time);
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL)
        return;
    recorder->round = tell_time(machine, recorder, RECORD_EVENTS);
    recorder->in_round = true;
    recorder->part = PART_EVENTS;
}

void recorder_begin_slice(Machine *machine) {
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL)
        return;
    recorder->part = PART_SLICE;
    recorder->slice_start = machine_count_instructions(machine);
}

static void append_round(Recorder *recorder) {
    if (!recorder->in_round)
        return;
    record_append(&recorder->log, &recorder->round);
    byte_buffer_append(&recorder->log, recorder->inner.data, recorder->inner.size);
    recorder->inner.size = 0;
    recorder->in_round = false;
}

void recorder_note_slice(Machine *machine, uint64_t instructions) {
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL || !recorder->in_round)
        return;
    recorder->round.kind = RECORD_SLICE;
    recorder->round.instructions = instructions;
    recorder->part = PART_LATE_EVENTS;
    append_round(recorder);
}

void recorder_note_idle(Machine *machine) {
    machine_time_sync(&machine->time);
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL)
        return;
    append_round(recorder);
    Record record = tell_time(machine, recorder, RECORD_IDLE);
    record_append(&recorder->log, &record);
    recorder->part = PART_IDLE_EVENTS;
}

void recorder_end_round(Machine *machine) {
    Recorder *recorder = machine->recorder;
    if (recorder == NULL)
        return;
    if (!recorder->is_broken)
        append_round(recorder);
    recorder->part = PART_BETWEEN;
    if (recorder->round_done != NULL)
        recorder->round_done(recorder->opaque);
}

void recorder_note_action(Machine *machine, uint8_t action, const void *bytes, size_t size) {
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL)
        return;
    Record record = {.kind = RECORD_ACTION, .action = action, .bytes = bytes, .size = size};
    record_append(&recorder->log, &record);
}

uint64_t recorder_hash_processors(const Machine *machine) {
    uint64_t hash = 0;
    for (unsigned i = 0; i < machine->processor_count; i++)
        hash = hash * 0x9E3779B97F4A7C15u +
               field_table_hash(&cpu_fields, &machine->processor[i].cpu->state);
    return hash;
}

void recorder_note_end(Machine *machine) {
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL)
        return;
    Record record = tell_time(machine, recorder, RECORD_END);
    record.instructions = machine_count_instructions(machine);
    record.hash = machine_state_hash(machine);
    record_append(&recorder->log, &record);
}

void recorder_break(Machine *machine, const char *why) {
    Recorder *recorder = recorder_of(machine);
    if (recorder == NULL)
        return;
    recorder_note_end(machine);
    Record record = {.kind = RECORD_BREAK, .bytes = (const uint8_t *)why, .size = strlen(why)};
    record_append(&recorder->log, &record);
    recorder->is_broken = true;
    if (recorder->round_done != NULL)
        recorder->round_done(recorder->opaque);
}

/* See script_recording.h. */
#include "script_recording.h"
#include "allocate.h"
#include "machine_parts.h"
#include "machine_recording.h"
#include "options.h"
#include "recording_description.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A run that goes on for days is not kept whole. */
#define LOG_BYTES (64u << 20)

struct RecordingPlace {
    atomic_int users;
    RecordingPlace *before; /* NULL: the run began here */
    char *snapshot;         /* of the first: NULL begins with the machine as it was made */
    ByteBuffer log;         /* from there to here */
    size_t size;            /* of all logs to here */
    bool is_broken;         /* by something that cannot be replayed */
    MachineTimeState time;  /* as the recorder knew them here */
    InstructionPace pace;
};

struct ScriptRecording {
    Machine *machine;
    Settings *settings;
    Recorder recorder;
    RecordingPlace *start;
    char shift[32]; /* of icount, as its option has it */
    char perturbation[PERTURBATION_TEXT_BYTES];
};

static RecordingPlace *hold(RecordingPlace *place) {
    if (place != NULL)
        atomic_fetch_add(&place->users, 1);
    return place;
}

void recording_place_release(RecordingPlace *place) {
    while (place != NULL && atomic_fetch_sub(&place->users, 1) == 1) {
        RecordingPlace *before = place->before;
        byte_buffer_free(&place->log);
        free(place->snapshot);
        free(place);
        place = before;
    }
}

static RecordingPlace *make_place(RecordingPlace *before, const Recorder *recorder) {
    RecordingPlace *place = allocate_zeroed(sizeof(*place));
    atomic_init(&place->users, 1);
    place->before = before;
    place->time = recorder->time;
    place->pace = recorder->pace;
    place->is_broken = recorder->is_broken;
    place->size = before != NULL ? before->size : 0;
    return place;
}

static void round_done(void *opaque) {
    ScriptRecording *recording = opaque;
    Recorder *recorder = &recording->recorder;
    if (!recorder->is_broken && recording->start->size + recorder->log.size > LOG_BYTES)
        recorder_break(recording->machine, "its length");
}

static ScriptRecording *make_recording(Machine *machine, Settings *settings) {
    ScriptRecording *recording = allocate_zeroed(sizeof(*recording));
    recording->machine = machine;
    recording->settings = settings;
    snprintf(recording->shift, sizeof(recording->shift), "shift=%u", machine->config.icount_shift);
    perturbation_print(&machine->config.perturbation, recording->perturbation);
    recorder_begin(machine, &recording->recorder);
    recording->recorder.round_done = round_done;
    recording->recorder.opaque = recording;
    return recording;
}

/* The first record says what a replay has to find there. */
static void begin_at(ScriptRecording *recording, const char *snapshot) {
    Machine *machine = recording->machine;
    Recorder *recorder = &recording->recorder;
    recording->start = make_place(NULL, recorder);
    recording->start->snapshot = snapshot != NULL ? strdup(snapshot) : NULL;
    Record check = {.kind = RECORD_CHECK,
                    .instructions = machine_count_instructions(machine),
                    .hash = recorder_hash_processors(machine)};
    record_append(&recorder->log, &check);
}

ScriptRecording *script_recording_begin(Machine *machine, Settings *settings) {
    if (!machine->config.icount)
        return NULL;
    ScriptRecording *recording = make_recording(machine, settings);
    begin_at(recording, settings->load_snapshot);
    return recording;
}

void script_recording_free(ScriptRecording *recording) {
    if (recording == NULL)
        return;
    if (recording->machine->recorder == &recording->recorder)
        recorder_end(recording->machine);
    byte_buffer_free(&recording->recorder.log);
    recording_place_release(recording->start);
    free(recording);
}

/* The recorder notes what comes from now on, whatever it noted before. */
static void resume(ScriptRecording *recording) {
    Recorder *recorder = &recording->recorder;
    recorder->log.size = 0;
    recorder->is_broken = false;
    recorder->inner.size = 0;
    recorder_resume(recording->machine, recorder);
}

void script_recording_load(ScriptRecording *recording, const char *snapshot) {
    if (recording == NULL)
        return;
    recording_place_release(recording->start);
    resume(recording);
    recording->recorder.pace = (InstructionPace){0, 0};
    begin_at(recording, snapshot);
    machine_stop_at_triple_fault(recording->machine, recording->machine->stops_at_triple_fault);
}

RecordingPlace *script_recording_mark(ScriptRecording *recording) {
    if (recording == NULL)
        return NULL;
    Recorder *recorder = &recording->recorder;
    RecordingPlace *place = make_place(recording->start, recorder);
    place->log = recorder->log;
    place->size += recorder->log.size;
    recorder->log = (ByteBuffer){.data = NULL};
    recording->start = place;
    return hold(place);
}

/* What the log says so far leads to the machine's present state, but for how it takes triple
 * faults. */
static void go_on_from(ScriptRecording *recording, RecordingPlace *place) {
    Machine *machine = recording->machine;
    recording->start = hold(place);
    recording->recorder.time = place->time;
    recording->recorder.pace = place->pace;
    machine_stop_at_triple_fault(machine, machine->stops_at_triple_fault);
    recording->recorder.is_broken = place->is_broken;
}

void script_recording_return(ScriptRecording *recording, RecordingPlace *place) {
    if (recording == NULL || place == NULL)
        return;
    recording_place_release(recording->start);
    resume(recording);
    go_on_from(recording, place);
}

ScriptRecording *script_recording_follow(RecordingPlace *place, Machine *clone,
                                         Settings *settings) {
    if (place == NULL)
        return NULL;
    ScriptRecording *recording = make_recording(clone, settings);
    go_on_from(recording, place);
    return recording;
}

/* ---- Writing ---- */

/* The command line with what scripts set besides, and the snapshot. */
static bool describe(const ScriptRecording *recording, const char *snapshot,
                     RecordingDescription *description, Error *error) {
    RecordingDescription given;
    bool perturbed = recording->machine->config.perturbation.wanted;
    const char *const clock[] = {"-icount", recording->shift, "-debugcon",
                                 "null",    "-perturb",       recording->perturbation};
    unsigned count = perturbed ? 6 : 4;
    if (!recording_describe(recording->settings, &given, error))
        return false;
    if (given.word_count + 8 > RECORDING_WORDS)
        return error_set(error, "the command line is too long to be recorded");
    *description = given;
    memcpy(description->word, clock, count * sizeof(clock[0]));
    memcpy(description->word + count, given.word, given.word_count * sizeof(given.word[0]));
    description->word_count += count;
    if (snapshot == NULL)
        return true;
    description->word[description->word_count++] = "-loadvm";
    description->word[description->word_count++] = snapshot;
    return true;
}

static bool append_parts(RecordingWriter *writer, const RecordingPlace *place) {
    return place == NULL ||
           (append_parts(writer, place->before) &&
            (place->log.size == 0 || recording_append(writer, place->log.data, place->log.size)));
}

static bool write_file(ScriptRecording *recording, const RecordingDescription *description,
                       const char *path, Error *error) {
    ByteBuffer state = {.data = NULL};
    const ByteBuffer *log = &recording->recorder.log;
    machine_describe_start(recording->machine, &state);
    RecordingWriter *writer = recording_create(path, description, &state, error);
    byte_buffer_free(&state);
    bool good = writer != NULL && ((append_parts(writer, recording->start) &&
                                    recording_append(writer, log->data, log->size)) ||
                                   error_set(error, "cannot write '%s'", path));
    recording_close(writer);
    return good;
}

bool script_recording_write(ScriptRecording *recording, const char *path, Error *error) {
    RecordingDescription description;
    if (recording == NULL)
        return false;
    const RecordingPlace *first = recording->start;
    while (first->before != NULL)
        first = first->before;
    if (!describe(recording, first->snapshot, &description, error))
        return false;
    Recorder *recorder = &recording->recorder;
    Recorder before = *recorder;
    if (!recorder->is_broken)
        recorder_note_end(recording->machine);
    bool good = write_file(recording, &description, path, error);
    if (!recorder->is_broken) { /* the run may go on */
        recorder->log.size = before.log.size;
        recorder->time = before.time;
        recorder->pace = before.pace;
    }
    return good;
}

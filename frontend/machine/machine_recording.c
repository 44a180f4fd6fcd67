/* See machine_recording.h. */
#include "machine_recording.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "snapshot_fingerprint.h"

#include <stdio.h>
#include <stdlib.h>

/* The log goes to the file so often: what a kill may cost. */
#define FLUSH_BYTES (64u << 10)
#define FLUSH_NS (250 * 1000000LL)

struct MachineRecording {
    Machine *machine;
    Recorder recorder;
    RecordingWriter *writer;
    int64_t flushed_ns; /* host's clock */
    bool told;          /* that writing failed */
};

static void flush(MachineRecording *recording) {
    ByteBuffer *log = &recording->recorder.log;
    if (!recording_append(recording->writer, log->data, log->size) && !recording->told) {
        fprintf(stderr, "reprise: the recording ends here: it cannot be written any more\n");
        recording->told = true;
    }
    log->size = 0;
    recording->flushed_ns = host_clock_ns();
}

/* Each piece ends with what the processors were: a replay that goes astray is found there. */
static void round_done(void *opaque) {
    MachineRecording *recording = opaque;
    Recorder *recorder = &recording->recorder;
    if (recorder->log.size < FLUSH_BYTES &&
        (recorder->log.size == 0 || host_clock_ns() - recording->flushed_ns < FLUSH_NS))
        return;
    if (!recorder->is_broken) {
        Record check = {.kind = RECORD_CHECK,
                        .instructions = machine_count_instructions(recording->machine),
                        .hash = recorder_hash_processors(recording->machine)};
        record_append(&recorder->log, &check);
    }
    flush(recording);
}

void machine_describe_start(Machine *machine, ByteBuffer *state) {
    ByteBuffer text = {.data = NULL};
    snapshot_fingerprint(machine, &text);
    byte_buffer_append_le(state, text.size, 4);
    byte_buffer_append(state, text.data, text.size);
    byte_buffer_free(&text);
}

void machine_save_start(Machine *machine, ByteBuffer *state) {
    machine_describe_start(machine, state);
    machine_save(machine, state);
}

MachineRecording *machine_recording_begin(Machine *machine, const char *path,
                                          const RecordingDescription *description, Error *error) {
    ByteBuffer state = {.data = NULL};
    MachineRecording *recording = calloc(1, sizeof(*recording));
    if (recording == NULL)
        return NULL;
    recording->machine = machine;
    recorder_begin(machine, &recording->recorder);
    machine_save_start(machine, &state);
    recording->writer = recording_create(path, description, &state, error);
    byte_buffer_free(&state);
    if (recording->writer == NULL) {
        recorder_end(machine);
        free(recording);
        return NULL;
    }
    recording->flushed_ns = host_clock_ns();
    recording->recorder.round_done = round_done;
    recording->recorder.opaque = recording;
    return recording;
}

void machine_recording_end(MachineRecording *recording) {
    if (recording == NULL)
        return;
    if (recording->machine->recorder == &recording->recorder) {
        recorder_note_end(recording->machine);
        recorder_end(recording->machine);
    }
    flush(recording);
    recording_close(recording->writer);
    byte_buffer_free(&recording->recorder.log);
    free(recording);
}

static bool check_fingerprint(Machine *machine, ByteReader *reader, Error *error) {
    uint32_t size = (uint32_t)byte_reader_read_le(reader, 4);
    if (reader->failed || size > reader->size - reader->position)
        return error_set(error, "the recording's state is cut short");
    ByteBuffer saved = {.data = NULL}, present = {.data = NULL};
    byte_buffer_append(&saved, reader->data + reader->position, size);
    byte_buffer_append(&saved, "", 1);
    reader->position += size;
    snapshot_fingerprint(machine, &present);
    byte_buffer_append(&present, "", 1);
    bool same =
        snapshot_fingerprint_compare((const char *)saved.data, (const char *)present.data, error) ||
        error_prefix(error, "this is not the machine that was recorded: ");
    byte_buffer_free(&saved);
    byte_buffer_free(&present);
    return same;
}

bool machine_recording_has_state(const Recording *recording) {
    ByteReader reader = {.data = recording->state.data, .size = recording->state.size};
    uint32_t size = (uint32_t)byte_reader_read_le(&reader, 4);
    return !reader.failed && size < reader.size - reader.position;
}

bool machine_replay_recording(Machine *machine, const Recording *recording, Replay *replay,
                              Error *error) {
    ByteReader reader = {.data = recording->state.data, .size = recording->state.size};
    if (!check_fingerprint(machine, &reader, error) ||
        (reader.position < reader.size && !machine_load(machine, &reader, error)))
        return false;
    *replay = (Replay){.paced = replay->paced};
    replay_begin(machine, replay, &recording->log, 0);
    return true;
}

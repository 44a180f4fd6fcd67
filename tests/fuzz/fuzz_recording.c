/* Hostile recordings: read, and replayed for a while.
 *
 * The fuzzer's bytes are a list of changes to a good recording. Most are made to the state and the
 * log within, which are then written as a recording again, so that its checksums are right; others
 * to the bytes of the file. A recording that is refused leaves the machine as it was. */
#include "fuzz_input.h"
#include "fuzz_machine.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_recording.h"
#include "machine_snapshot.h"
#include "recording_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGES_MAX 5
#define RUN_INSTRUCTIONS 20000

static struct {
    char folder[64], path[96];
    Machine *machine;
    ByteBuffer fresh; /* its state at the start */
    Recording good;
    uint8_t *bytes; /* the good file */
    size_t size;
} fixture;

static void die(const char *what, const Error *error) {
    fprintf(stderr, "fuzz_recording: %s: %s\n", what, error->message);
    abort();
}

static Machine *make_machine(void) {
    MachineConfig config;
    fuzz_machine_config(&config, BACKEND_PORTABLE);
    return fuzz_machine_create(&config);
}

static void act(Machine *machine, unsigned round) {
    static const uint8_t bytes[] = {0, 'a', 'b', 'c'};
    machine_act_numbers(machine, ACTION_KEY, (uint32_t[]){30 + round, round % 2}, 2);
    machine_act(machine, ACTION_SERIAL, bytes, sizeof(bytes));
    if (round == 5)
        machine_act(machine, ACTION_RESET, NULL, 0);
}

static void record(Machine *machine) {
    Error error = {.set = false};
    RecordingDescription description = {.word = {"-m", "1"}, .word_count = 2};
    machine_run_instructions(machine, 100000);
    MachineRecording *recording =
        machine_recording_begin(machine, fixture.path, &description, &error);
    if (recording == NULL)
        die("recording", &error);
    for (unsigned round = 0; round < 12; round++) {
        machine_run_instructions(machine, 5000);
        act(machine, round);
    }
    machine_recording_end(recording);
}

static void read_file(void) {
    int file = open(fixture.path, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0)
        abort();
    fixture.size = (size_t)status.st_size;
    fixture.bytes = malloc(fixture.size);
    if (fixture.bytes == NULL || read(file, fixture.bytes, fixture.size) != (ssize_t)fixture.size)
        abort();
    close(file);
}

static void prepare(void) {
    Error error = {.set = false};
    snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/fuzz-recording-XXXXXX");
    if (mkdtemp(fixture.folder) == NULL)
        abort();
    snprintf(fixture.path, sizeof(fixture.path), "%s/run", fixture.folder);
    fixture.machine = make_machine();
    machine_save(fixture.machine, &fixture.fresh);
    record(fixture.machine);
    read_file();
    if (!recording_read(&fixture.good, fixture.path, &error))
        die("read", &error);
}

/* ---- Changes ---- */

static void repeat(ByteBuffer *bytes, size_t first, size_t size) {
    ByteBuffer part = {.data = NULL};
    byte_buffer_append(&part, bytes->data + first, size);
    byte_buffer_append(bytes, part.data, part.size);
    byte_buffer_free(&part);
}

static void change(FuzzInput *input, ByteBuffer *bytes) {
    unsigned changes = (unsigned)(fuzz_number(input, 1) % CHANGES_MAX);
    for (unsigned i = 0; i < changes && bytes->size > 0; i++) {
        size_t place = (size_t)(fuzz_number(input, 3) % bytes->size);
        unsigned how = (unsigned)(fuzz_number(input, 1) % 8);
        if (how == 0)
            bytes->size = place;
        else if (how == 1 && bytes->size < 4 * fixture.good.log.size)
            repeat(bytes, place / 2, (bytes->size - place / 2) / 2);
        else
            bytes->data[place] = (uint8_t)fuzz_number(input, 1);
    }
}

static void write_bytes(const ByteBuffer *bytes) {
    int file = open(fixture.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes->data, bytes->size) != (ssize_t)bytes->size)
        abort();
    close(file);
}

static void write_changed(FuzzInput *input) {
    ByteBuffer state = {.data = NULL}, log = {.data = NULL};
    Error error = {.set = false};
    byte_buffer_append(&state, fixture.good.state.data, fixture.good.state.size);
    byte_buffer_append(&log, fixture.good.log.data, fixture.good.log.size);
    if (fuzz_number(input, 1) % 4 == 0)
        change(input, &state);
    change(input, &log);
    unlink(fixture.path);
    RecordingWriter *writer =
        recording_create(fixture.path, &fixture.good.description, &state, &error);
    if (writer == NULL || !recording_append(writer, log.data, log.size))
        die("write", &error);
    recording_close(writer);
    byte_buffer_free(&state);
    byte_buffer_free(&log);
}

static void write_file(FuzzInput *input) {
    ByteBuffer bytes = {.data = NULL};
    byte_buffer_append(&bytes, fixture.bytes, fixture.size);
    change(input, &bytes);
    write_bytes(&bytes);
    byte_buffer_free(&bytes);
}

static void replay(void) {
    Recording recording = {.is_damaged = false};
    Replay replay_state = {.paced = false};
    Error error = {.set = false};
    if (recording_read(&recording, fixture.path, &error)) {
        if (machine_replay_recording(fixture.machine, &recording, &replay_state, &error)) {
            machine_run_instructions(fixture.machine, RUN_INSTRUCTIONS);
            replay_end(fixture.machine);
        } else if (!error.set) {
            die("refused without a message", &error);
        }
        recording_free(&recording);
    } else if (!error.set) {
        die("not read without a message", &error);
    }
}

static void restore_machine(void) {
    Error error = {.set = false};
    ByteReader reader = {.data = fixture.fresh.data, .size = fixture.fresh.size};
    if (!machine_load(fixture.machine, &reader, &error))
        die("restore", &error);
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    if (fixture.machine == NULL)
        prepare();
    if (fuzz_number(&input, 1) % 4 == 0)
        write_file(&input);
    else
        write_changed(&input);
    replay();
    restore_machine();
    return 0;
}

void fuzz_clean_up(void) {
    unlink(fixture.path);
    rmdir(fixture.folder);
    recording_free(&fixture.good);
    byte_buffer_free(&fixture.fresh);
    free(fixture.bytes);
    machine_destroy(fixture.machine);
}

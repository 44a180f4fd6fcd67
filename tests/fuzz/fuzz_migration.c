/* Hostile migration streams: a machine takes them, and runs on where they were good to the end.
 *
 * The fuzzer's bytes are a list of changes to a good stream: single bytes, record headers, records
 * that are repeated, left out or exchanged, and cuts; the pieces in which it comes are chosen, too.
 * In a quarter of the cases they are the stream itself. */
#include "fuzz_input.h"
#include "fuzz_machine.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "migration_arrival.h"
#include "migration_departure.h"
#include "migration_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_MAX 6
#define RECORDS_MAX 256
#define RUN_INSTRUCTIONS 3000

static struct {
    Machine *machine;
    ByteBuffer fresh;  /* its state at the start */
    ByteBuffer stream; /* the good one */
    size_t record[RECORDS_MAX + 1];
    unsigned records; /* where each begins; behind the last, the end */
    char image[64];
} fixture;

static void die(const char *what, const Error *error) {
    fprintf(stderr, "fuzz_migration: %s: %s\n", what, error->message);
    abort();
}

static void make_image(void) {
    static const uint8_t zeros[1474560];
    snprintf(fixture.image, sizeof(fixture.image), "/tmp/fuzz-migration-XXXXXX");
    int file = mkstemp(fixture.image);
    if (file < 0 || write(file, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
        abort();
    close(file);
}

static Machine *make_machine(void) {
    MachineConfig config;
    fuzz_machine_config(&config, BACKEND_PORTABLE);
    config.ide[0] = (DriveConfig){.present = true,
                                  .file = fixture.image,
                                  .format = "raw",
                                  .snapshot = true,
                                  .boot_index = -1};
    return fuzz_machine_create(&config);
}

static void find_records(void) {
    size_t at = MIGRATION_HEADER_BYTES + load_le32(fixture.stream.data + MIGRATION_MAGIC_BYTES + 8);
    while (at < fixture.stream.size && fixture.records < RECORDS_MAX) {
        fixture.record[fixture.records++] = at;
        at += MIGRATION_RECORD_HEADER_BYTES + load_le32(fixture.stream.data + at + 4);
    }
    fixture.record[fixture.records] = at;
}

static void prepare(void) {
    Error error = {.set = false};
    make_image();
    Machine *machine = fixture.machine = make_machine();
    remove(fixture.image);
    machine_save(machine, &fixture.fresh);
    machine_run_instructions(machine, 2000000);
    uint32_t flags = MIGRATION_FLAG_ANSWERS | MIGRATION_FLAG_DISKS;
    MigrationDeparture *departure = migration_departure_create(machine, flags);
    if (!migration_departure_begin(departure, &fixture.stream, &error))
        die("begin", &error);
    while (migration_departure_next(departure, &fixture.stream, &error)) {
    }
    if (!migration_departure_stop(departure, &error))
        die("stop", &error);
    migration_departure_finish(departure, &fixture.stream);
    migration_put_record(&fixture.stream, MIGRATION_COMMIT, NULL, 0);
    migration_departure_end(departure);
    if (!migration_departure_return(departure, &error))
        die("return", &error);
    migration_departure_free(departure);
    find_records();
}

/* ---- Changes ---- */

static void append_record(ByteBuffer *out, unsigned number) {
    byte_buffer_append(out, fixture.stream.data + fixture.record[number],
                       fixture.record[number + 1] - fixture.record[number]);
}

/* Records in another order than theirs: one is left out, repeated, or comes too early. */
static void shuffle(FuzzInput *input, ByteBuffer *out) {
    unsigned odd = fuzz_number(input, 2) % fixture.records, how = fuzz_number(input, 1) % 4;
    unsigned other = fuzz_number(input, 2) % fixture.records;
    byte_buffer_append(out, fixture.stream.data, fixture.record[0]);
    for (unsigned i = 0; i < fixture.records; i++) {
        if (how != 0 && i == odd)
            append_record(out, other);
        if (how > 1 || i != odd)
            append_record(out, i);
    }
}

/* Mostly where it matters: in headers, and in the first bytes of contents. */
static size_t choose_place(FuzzInput *input, const ByteBuffer *stream) {
    size_t start = fixture.record[fuzz_number(input, 2) % fixture.records];
    switch (fuzz_number(input, 1) % 4) {
    case 0:
        start = fuzz_number(input, 2) % fixture.record[0];
        break;
    case 1:
        start += fuzz_number(input, 1) % 32;
        break;
    case 2:
        start += fuzz_number(input, 2);
        break;
    default:
        start += fuzz_number(input, 1) % MIGRATION_RECORD_HEADER_BYTES;
        break;
    }
    return start % stream->size;
}

static void change(FuzzInput *input, ByteBuffer *stream) {
    unsigned changes = fuzz_number(input, 1) % (CHANGES_MAX + 1);
    for (unsigned i = 0; i < changes && stream->size > 0; i++) {
        size_t place = choose_place(input, stream);
        unsigned how = fuzz_number(input, 1) % 16;
        if (how == 0)
            stream->size = place;
        else
            stream->data[place] = fuzz_number(input, 1);
    }
}

static void make_stream(FuzzInput *input, ByteBuffer *stream) {
    unsigned kind = fuzz_number(input, 1) % 4;
    if (kind == 0)
        byte_buffer_append(stream, input->data + input->position, input->size - input->position);
    else if (kind == 1)
        shuffle(input, stream);
    else
        byte_buffer_append(stream, fixture.stream.data, fixture.stream.size);
    if (kind != 0)
        change(input, stream);
}

static void restore_machine(void) {
    Error error = {.set = false};
    ByteReader reader = {.data = fixture.fresh.data, .size = fixture.fresh.size};
    fixture.machine->crash = CRASH_NONE;
    if (!machine_load(fixture.machine, &reader, &error))
        die("restore", &error);
    if (fixture.machine->run_state != RUN_STATE_RUNNING &&
        !machine_set_run_state(fixture.machine, RUN_STATE_PAUSED))
        machine_set_run_state(fixture.machine, RUN_STATE_PRELAUNCH);
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    Error error = {.set = false};
    ByteBuffer stream = {.data = NULL};
    if (fixture.machine == NULL)
        prepare();
    size_t piece = fuzz_number(&input, 2) % 5000 + 1;
    if (fuzz_number(&input, 1) % 2 == 0)
        piece = 1 << 20;
    make_stream(&input, &stream);
    MigrationArrival *arrival = migration_arrival_create(fixture.machine);
    bool good = true;
    for (size_t at = 0; at < stream.size && good; at += piece)
        good = migration_arrival_take(arrival, stream.data + at,
                                      stream.size - at < piece ? stream.size - at : piece, &error);
    if (good == error.set)
        die("an error without a message, or the other way round", &error);
    if (migration_arrival_phase(arrival) == MIGRATION_COMMITTED)
        machine_run_instructions(fixture.machine, RUN_INSTRUCTIONS);
    migration_arrival_free(arrival);
    byte_buffer_free(&stream);
    restore_machine();
    return 0;
}

void fuzz_clean_up(void) {
    machine_destroy(fixture.machine);
    byte_buffer_free(&fixture.fresh);
    byte_buffer_free(&fixture.stream);
}

/* Hostile snapshot files: opened, read, loaded into a machine that then runs on.
 *
 * The fuzzer's bytes are a list of changes to a good file. Changes are made behind the checksums,
 * which are then put right, so that what decodes the contents is reached. A load that fails must
 * leave the machine as it was. */
#include "fuzz_input.h"
#include "fuzz_machine.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "snapshot_chunk.h"
#include "snapshot_file_internal.h"
#include "snapshot_of_machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGES_MAX 4
#define RUN_INSTRUCTIONS 3000
#define BASE_SNAPSHOTS 3

static struct {
    char folder[64], path[96], image[96];
    uint8_t *base; /* the good file */
    size_t base_size;
    Machine *machines[2]; /* one for each backend */
    ByteBuffer fresh;     /* their state at the start */
} fixture;

static void die(const char *what, const Error *error) {
    fprintf(stderr, "fuzz_snapshot_file: %s: %s\n", what, error->message);
    abort();
}

/* ---- The good file ---- */

static Machine *make_machine(TranslatorBackend backend) {
    MachineConfig config;
    fuzz_machine_config(&config, backend);
    config.snapshots_path = fixture.path;
    config.floppy[0].file = fixture.image;
    config.floppy[0].format = "raw";
    config.floppy[0].snapshot = true;
    config.ide[0] = config.floppy[0];
    config.ide[0].present = true;
    config.ide[2] = (DriveConfig){.present = true, .is_cd = true, .boot_index = -1};
    return fuzz_machine_create(&config);
}

static void make_image(void) {
    static uint8_t zeros[1474560];
    int file = open(fixture.image, O_CREAT | O_WRONLY, 0666);
    if (file < 0 || write(file, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
        abort();
    close(file);
}

static void save_base(void) {
    static const char *const names[BASE_SNAPSHOTS] = {"a", "b", "c"};
    static const uint64_t instructions[BASE_SNAPSHOTS] = {100000, 2000000, 3000000};
    Machine *machine = fixture.machines[0];
    Error error = {.set = false};
    for (unsigned i = 0; i < BASE_SNAPSHOTS; i++) {
        machine_run_instructions(machine, instructions[i]);
        block_write(machine->board.drive[0].medium, i * 70000, names, sizeof(names), &error);
        serial_feed_add(&machine->serial_feed[0], (const uint8_t *)"serial", 6);
        if (!machine_save_snapshot(machine, names[i], &error))
            die("save", &error);
    }
    SnapshotFile *file = snapshot_file_open(fixture.path, SNAPSHOT_WRITE, &error);
    SnapshotRecord record = {.kind = 1, .size = sizeof(fixture.folder), .owner = 1};
    if (file == NULL || !snapshot_file_append_record(file, &record, fixture.folder, &error))
        die("record", &error);
    snapshot_file_close(file);
}

static void read_base(void) {
    int file = open(fixture.path, O_RDONLY);
    struct stat status;
    fstat(file, &status);
    fixture.base_size = (size_t)status.st_size;
    fixture.base = malloc(fixture.base_size);
    if (read(file, fixture.base, fixture.base_size) != (ssize_t)fixture.base_size)
        abort();
    close(file);
}

static void set_up(void) {
    const char *shared_memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(fixture.folder, sizeof(fixture.folder), "%s/fuzz-snapshot-XXXXXX", shared_memory);
    if (mkdtemp(fixture.folder) == NULL)
        abort();
    snprintf(fixture.path, sizeof(fixture.path), "%s/s", fixture.folder);
    snprintf(fixture.image, sizeof(fixture.image), "%s/i", fixture.folder);
    make_image();
    fixture.machines[0] = make_machine(BACKEND_PORTABLE);
    fixture.machines[1] = make_machine(translator_default_backend());
    save_base();
    read_base();
    machine_save(fixture.machines[0], &fixture.fresh);
}

void fuzz_clean_up(void) {
    machine_destroy(fixture.machines[0]);
    machine_destroy(fixture.machines[1]);
    byte_buffer_free(&fixture.fresh);
    free(fixture.base);
    unlink(fixture.path);
    unlink(fixture.image);
    rmdir(fixture.folder);
}

/* ---- Changes ---- */

static void change_byte(FuzzInput *input, uint8_t *bytes, size_t size) {
    static const uint64_t interesting[] = {0,          1,        0x7F,       0xFF,      0xFFFF,
                                           0x7FFFFFFF, 1u << 31, UINT32_MAX, INT64_MAX, UINT64_MAX,
                                           16,         4096,     1ull << 32, 1ull << 36};
    if (size == 0)
        return;
    size_t at = fuzz_number(input, 4) % size;
    unsigned how = (unsigned)fuzz_number(input, 1);
    unsigned width = 1u << (how & 3);
    uint64_t value = fuzz_number(input, 8);
    if (width > size - at)
        width = 1;
    if (how & 4)
        value = interesting[value % (sizeof(interesting) / sizeof(interesting[0]))];
    else if (how & 8)
        value ^= load_le(bytes + at, width);
    store_le(bytes + at, width, value);
}

static void change_file_byte(FuzzInput *input, int file, size_t size) {
    uint8_t byte;
    off_t at = (off_t)(fuzz_number(input, 4) % size);
    if (pread(file, &byte, 1, at) != 1)
        return;
    byte ^= (uint8_t)(fuzz_number(input, 1) | 1);
    if (pwrite(file, &byte, 1, at) != 1)
        abort();
}

/* A chunk of pages, a map or a record, by number. */
static FilePlace *choose_place(FuzzInput *input, SnapshotDirectory *directory) {
    uint64_t number = fuzz_number(input, 2);
    if (number % 2 == 0 && directory->chunk_count > 0)
        return &directory->chunks[number / 2 % directory->chunk_count].place;
    if (directory->count == 0)
        return NULL;
    SnapshotEntry *entry = &directory->entries[number / 2 % directory->count];
    return entry->stream_count == 0 ? NULL : &entry->streams[number / 16 % entry->stream_count].map;
}

/* What is stored in a chunk, or its header: both checksums are put right. */
static void change_chunk(FuzzInput *input, SnapshotFile *file, bool header_too) {
    FilePlace *place = choose_place(input, &file->directory);
    SnapshotChunk chunk;
    Error ignored = {.set = false};
    uint8_t header[CHUNK_HEADER_BYTES];
    if (place == NULL || place->bytes == 0 || place->bytes > 1 << 20)
        return;
    uint8_t *bytes = malloc(place->bytes);
    if (chunk_read_bytes(file->file, place->offset, bytes, place->bytes, &ignored) &&
        chunk_decode_header(&chunk, bytes) && chunk.stored_bytes <= place->bytes - 48) {
        uint8_t *stored = bytes + CHUNK_HEADER_BYTES;
        change_byte(input, stored, chunk.stored_bytes);
        store_le32(bytes + 16, chunk_checksum(0, stored, chunk.stored_bytes));
        if (header_too)
            change_byte(input, bytes, 44);
        store_le32(bytes + 44, chunk_checksum(0, bytes, 44));
        memcpy(header, bytes, sizeof(header));
        if (!chunk_write_bytes(file->file, place->offset, bytes, place->bytes, &ignored))
            abort();
    }
    free(bytes);
}

/* The directory with some bytes changed, as its newest version. */
static void change_directory(FuzzInput *input, SnapshotFile *file) {
    ByteBuffer bytes = {.data = NULL};
    SnapshotChunk chunk = {.kind = CHUNK_DIRECTORY};
    FilePlace place;
    Error ignored = {.set = false};
    snapshot_directory_encode(&file->directory, &bytes);
    for (uint64_t changes = fuzz_number(input, 1) % 4 + 1; changes > 0; changes--)
        change_byte(input, bytes.data, bytes.size);
    if (snapshot_file_append_chunk(file, &chunk, bytes.data, bytes.size, true, &place, &ignored))
        snapshot_file_write_superblock(file->file, ++file->sequence, place, file->end, &ignored);
    byte_buffer_free(&bytes);
}

/* The contents of a stream: above all the state of the machine and of its disks. */
static void change_stream(FuzzInput *input, SnapshotFile *file) {
    SnapshotDirectory *directory = &file->directory;
    Error ignored = {.set = false};
    if (directory->count == 0)
        return;
    const SnapshotEntry *entry = &directory->entries[fuzz_number(input, 1) % directory->count];
    if (entry->stream_count == 0)
        return;
    uint64_t id = entry->info.id, size;
    const char *streams[] = {"machine", "machine", "disks", "disk contents"};
    const char *stream = streams[fuzz_number(input, 1) % 4];
    SnapshotImage *image = snapshot_file_read(file, id, &ignored);
    uint8_t *content = image != NULL ? snapshot_image_copy(image, stream, &size) : NULL;
    if (content != NULL) {
        for (uint64_t changes = fuzz_number(input, 1) % 8 + 1; changes > 0; changes--)
            change_byte(input, content, (size_t)size);
        uint64_t cut = fuzz_number(input, 1) == 7 ? fuzz_number(input, 4) % (size + 1) : size;
        snapshot_file_put_stream(file, id, stream, content, cut, NULL, &ignored);
        snapshot_file_commit(file, &ignored);
    }
    free(content);
    snapshot_image_free(image);
}

static void change_map(FuzzInput *input, SnapshotFile *file) {
    SnapshotDirectory *directory = &file->directory;
    SnapshotChunk chunk = {.kind = CHUNK_MAP};
    Error ignored = {.set = false};
    if (directory->count == 0)
        return;
    SnapshotEntry *entry = &directory->entries[fuzz_number(input, 1) % directory->count];
    if (entry->stream_count == 0)
        return;
    StreamEntry *stream = &entry->streams[fuzz_number(input, 1) % entry->stream_count];
    uint64_t pages = snapshot_stream_pages(stream->size);
    uint32_t *numbers = snapshot_file_read_map(file, stream, &ignored);
    ByteBuffer map = {.data = NULL};
    if (numbers == NULL)
        return;
    if (pages > 0)
        numbers[fuzz_number(input, 4) % pages] = (uint32_t)fuzz_number(input, 4);
    snapshot_map_encode(numbers, pages, &map);
    free(numbers);
    if (fuzz_number(input, 1) & 1)
        change_byte(input, map.data, map.size);
    file->changed = true;
    if (!snapshot_file_append_chunk(file, &chunk, map.data, map.size, true, &stream->map,
                                    &ignored) ||
        !snapshot_file_commit(file, &ignored))
        snapshot_file_revert(file);
    byte_buffer_free(&map);
}

static void change_superblock(FuzzInput *input, int file) {
    uint8_t block[SNAPSHOT_SUPERBLOCK_BYTES];
    Error ignored = {.set = false};
    uint64_t at = fuzz_number(input, 1) % 2 * SNAPSHOT_SUPERBLOCK_DISTANCE;
    if (!chunk_read_bytes(file, at, block, sizeof(block), &ignored))
        return;
    change_byte(input, block, 48);
    store_le32(block + 508, chunk_checksum(0, block, 508));
    if (!chunk_write_bytes(file, at, block, sizeof(block), &ignored))
        abort();
}

enum {
    CHANGE_FILE,
    CHANGE_LENGTH,
    CHANGE_SUPERBLOCK,
    CHANGE_DIRECTORY,
    CHANGE_CHUNK,
    CHANGE_MAP,
    CHANGE_STREAM,
};
/* The deeper, the more often. */
static const uint8_t changes[16] = {
    CHANGE_FILE,   CHANGE_LENGTH, CHANGE_SUPERBLOCK, CHANGE_DIRECTORY,
    CHANGE_CHUNK,  CHANGE_CHUNK,  CHANGE_MAP,        CHANGE_DIRECTORY,
    CHANGE_STREAM, CHANGE_STREAM, CHANGE_STREAM,     CHANGE_STREAM,
    CHANGE_STREAM, CHANGE_STREAM, CHANGE_STREAM,     CHANGE_STREAM,
};

static void make_change(FuzzInput *input) {
    unsigned kind = changes[fuzz_number(input, 1) % 16];
    Error ignored = {.set = false};
    struct stat status;
    SnapshotFile *file = kind >= CHANGE_DIRECTORY
                             ? snapshot_file_open(fixture.path, SNAPSHOT_WRITE, &ignored)
                             : NULL;
    int plain = open(fixture.path, O_RDWR);
    if (plain < 0 || fstat(plain, &status) != 0)
        abort();
    if (kind == CHANGE_FILE && status.st_size > 0)
        change_file_byte(input, plain, (size_t)status.st_size);
    else if (kind == CHANGE_LENGTH &&
             ftruncate(plain, (off_t)(fuzz_number(input, 4) % ((uint64_t)status.st_size + 1))) != 0)
        abort();
    else if (kind == CHANGE_SUPERBLOCK)
        change_superblock(input, plain);
    else if (file != NULL && kind == CHANGE_DIRECTORY)
        change_directory(input, file);
    else if (file != NULL && kind == CHANGE_CHUNK)
        change_chunk(input, file, (fuzz_number(input, 1) & 1) != 0);
    else if (file != NULL && kind == CHANGE_MAP)
        change_map(input, file);
    else if (file != NULL)
        change_stream(input, file);
    close(plain);
    snapshot_file_close(file);
}

/* ---- What must not crash ---- */

static void read_everything(void) {
    Error error = {.set = false};
    SnapshotFile *file = snapshot_file_open(fixture.path, SNAPSHOT_READ, &error);
    if (file == NULL) {
        if (!error.set || strchr(error.message, '\n') != NULL)
            die("no message", &error);
        return;
    }
    for (size_t i = 0; i < snapshot_file_record_count(file); i++) {
        uint8_t *data = malloc(snapshot_file_record(file, i)->size + 1);
        Error ignored = {.set = false};
        snapshot_file_read_record(file, i, data, &ignored);
        free(data);
    }
    snapshot_file_close(file);
}

static void load_one(Machine *machine, const char *name) {
    Error error = {.set = false};
    uint64_t before = machine_state_hash(machine);
    if (machine_load_snapshot(machine, name, &error)) {
        machine->run_state = RUN_STATE_RUNNING;
        machine_run_instructions(machine, RUN_INSTRUCTIONS);
        ByteReader reader = {.data = fixture.fresh.data, .size = fixture.fresh.size};
        if (!machine_load(machine, &reader, &error))
            die("going back", &error);
        return;
    }
    if (!error.set || strchr(error.message, '\n') != NULL)
        die("no message", &error);
    if (machine_state_hash(machine) != before)
        die("half a load", &error);
}

int fuzz_one(const uint8_t *data, size_t size) {
    static bool is_set_up;
    if (!is_set_up)
        set_up();
    is_set_up = true;
    FuzzInput input = {data, size, 0};
    int file = open(fixture.path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    if (file < 0 || write(file, fixture.base, fixture.base_size) != (ssize_t)fixture.base_size)
        abort();
    close(file);
    for (uint64_t changes = fuzz_number(&input, 1) % CHANGES_MAX + 1; changes > 0; changes--)
        make_change(&input);
    read_everything();
    const char *names[BASE_SNAPSHOTS] = {"a", "b", "c"};
    uint64_t choice = fuzz_number(&input, 1);
    load_one(fixture.machines[choice / 8 % 2], names[choice % BASE_SNAPSHOTS]);
    ByteBuffer text = {.data = NULL};
    Error ignored = {.set = false};
    machine_list_snapshots(fixture.machines[0], &text, &ignored);
    byte_buffer_free(&text);
    return 0;
}

#include "snapshot_of_machine.h"
#include "allocate.h"
#include "disk_logs.h"
#include "disk_point.h"
#include "disk_state.h"
#include "host_clock.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_state.h"
#include "scratch_memory.h"
#include "snapshot_file.h"
#include "snapshot_fingerprint.h"
#include "snapshot_memory.h"
#include "snapshot_picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Streams: these, and a region of memory each under "memory NAME". */
#define STREAM_STATE "machine"
#define STREAM_DISKS "disks"
#define STREAM_DISK_UNITS "disk contents"

#define DEFAULT_FILE "reprise"
#define FILE_SUFFIX ".snapshots"

static const char *find_image(const MachineConfig *config) {
    for (int i = 0; i < MACHINE_IDE_DRIVES; i++) {
        const DriveConfig *drive = &config->ide[i];
        if (drive->present && !drive->is_cd && !drive->read_only && drive->file != NULL)
            return drive->file;
    }
    for (int i = 0; i < MACHINE_PCI_DISKS; i++) {
        const DriveConfig *drive = &config->pci_disk[i].drive;
        if (drive->present && !drive->is_cd && !drive->read_only && drive->file != NULL)
            return drive->file;
    }
    for (int i = 0; i < MACHINE_FLOPPIES; i++)
        if (config->floppy[i].present && config->floppy[i].file != NULL)
            return config->floppy[i].file;
    return DEFAULT_FILE;
}

char *machine_snapshots_path(const Machine *machine) {
    const char *given = machine->config.snapshots_path;
    const char *image = given != NULL ? given : find_image(&machine->config);
    const char *suffix = given != NULL ? "" : FILE_SUFFIX;
    size_t size = strlen(image) + strlen(suffix) + 1;
    char *path = allocate_zeroed(size);
    snprintf(path, size, "%s%s", image, suffix);
    return path;
}

/* A file that keeps what a disk image held is open as long as the machine is. */
static SnapshotFile *open_file(Machine *machine, SnapshotMode mode, Error *error) {
    char *path = machine_snapshots_path(machine);
    SnapshotFile *file = disk_logs_find_file(machine, path);
    if (file == NULL && mode == SNAPSHOT_CREATE && disk_logs_are_needed(machine))
        file = disk_logs_open_file(machine, path, mode, error);
    else if (file == NULL)
        file = snapshot_file_open(path, mode, error);
    free(path);
    return file;
}

/* Forgets what was not committed. */
static void close_file(Machine *machine, SnapshotFile *file) {
    if (disk_logs_hold_file(machine, file))
        snapshot_file_revert(file);
    else
        snapshot_file_close(file);
}

static const SnapshotInfo *find(const SnapshotFile *file, const char *name, Error *error) {
    const SnapshotInfo *info = snapshot_file_find(file, name);
    if (info == NULL)
        error_set(error, "there is no snapshot '%s' in %s", name, snapshot_file_path(file));
    return info;
}

/* ---- Saving ---- */

static void describe_media(const Machine *machine, ByteBuffer *text) {
    for (int i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &machine->board.drive[i];
        if (!drive->present)
            continue;
        if (drive->medium == NULL)
            byte_buffer_print(text, "%s: empty\n", drive->id);
        else
            byte_buffer_print(text, "%s: %s (%s%s)\n", drive->id, block_path(drive->medium),
                              block_format(drive->medium),
                              drive->snapshot                     ? ", writes are temporary"
                              : block_is_read_only(drive->medium) ? ", read-only"
                                                                  : "");
    }
}

static uint64_t add_snapshot(SnapshotFile *file, const Machine *machine, const char *name,
                             Error *error) {
    ByteBuffer fingerprint = {.data = NULL}, media = {.data = NULL};
    snapshot_fingerprint(machine, &fingerprint);
    describe_media(machine, &media);
    SnapshotInfo info = {
        .parent = machine->snapshot_id,
        .date_seconds = time(NULL),
        .clock_ns = clock_now_ns(&machine->clock),
        .instructions = machine_count_instructions(machine),
        .name = (char *)name,
        .fingerprint = (char *)fingerprint.data,
        .media = (char *)media.data,
    };
    uint64_t id = snapshot_file_add(file, &info, error);
    byte_buffer_free(&fingerprint);
    byte_buffer_free(&media);
    return id;
}

/* The contents of disks become pages of a stream of their own, so that equal ones are stored once
 * however they lie on the disk. */
typedef struct DiskUnits {
    uint8_t *bytes;
    uint64_t size, room;
} DiskUnits;

static bool put_unit(void *opaque, const uint8_t *unit, uint64_t *reference, Error *error) {
    DiskUnits *units = opaque;
    if (units->size == units->room)
        return error_set(error, "the disks hold more than they did");
    *reference = units->size / DISK_STATE_UNIT_BYTES;
    memcpy(units->bytes + units->size, unit, DISK_STATE_UNIT_BYTES);
    units->size += DISK_STATE_UNIT_BYTES;
    return true;
}

static bool put_disks(SnapshotFile *file, uint64_t id, Machine *machine, Error *error) {
    ByteBuffer disks = {.data = NULL};
    DiskUnits units = {.room = disk_state_contents_bound(machine)};
    DiskUnitSink sink = {.put = put_unit, .opaque = &units, .file = file};
    if (units.room > 0 && (units.bytes = scratch_memory_map((size_t)units.room, error)) == NULL)
        return false;
    bool good =
        disk_state_save(machine, &disks, &sink, error) &&
        snapshot_file_put_stream(file, id, STREAM_DISKS, disks.data, disks.size, NULL, error) &&
        snapshot_file_put_stream(file, id, STREAM_DISK_UNITS, units.bytes, units.size, NULL, error);
    byte_buffer_free(&disks);
    scratch_memory_unmap(units.bytes, (size_t)units.room);
    return good;
}

static bool put_state(SnapshotFile *file, uint64_t id, Machine *machine, Error *error) {
    ByteBuffer state = {.data = NULL};
    machine_state_save(machine, &state);
    bool good =
        snapshot_file_put_stream(file, id, STREAM_STATE, state.data, state.size, NULL, error);
    byte_buffer_free(&state);
    return good;
}

static void make_name(char *name, size_t size) {
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(name, size, "vm-%Y%m%d%H%M%S", &local);
}

bool machine_save_snapshot(Machine *machine, const char *name, Error *error) {
    char made[32];
    if (name == NULL || *name == 0) {
        make_name(made, sizeof(made));
        name = made;
    }
    SnapshotFile *file = open_file(machine, SNAPSHOT_CREATE, error);
    if (file == NULL)
        return false;
    const SnapshotInfo *old = snapshot_file_find(file, name);
    bool replaced = old != NULL;
    bool ready = disk_logs_add_media(machine, file, error) &&
                 (!replaced || disk_log_hand_on(file, old->id, error));
    uint64_t id = ready ? add_snapshot(file, machine, name, error) : 0;
    bool good = id != 0 && put_disks(file, id, machine, error) &&
                put_state(file, id, machine, error) &&
                snapshot_put_memory(file, id, machine->memory, error) &&
                snapshot_put_picture(file, id, machine, error) && snapshot_file_commit(file, error);
    if (good) {
        machine->snapshot_id = id;
        disk_logs_renew(machine, file);
    }
    if (good && replaced)
        snapshot_file_compact(file);
    close_file(machine, file);
    return good;
}

/* ---- Loading ---- */

static bool check_machine(const Machine *machine, const SnapshotInfo *info, Error *error) {
    ByteBuffer present = {.data = NULL};
    snapshot_fingerprint(machine, &present);
    bool same = snapshot_fingerprint_compare(info->fingerprint, (const char *)present.data, error);
    byte_buffer_free(&present);
    return same || error_prefix(error, "snapshot '%s' is of another machine: ", info->name);
}

static bool get_unit(void *opaque, uint64_t reference, uint8_t *unit, Error *error) {
    const SnapshotImage *image = opaque;
    if (reference >= snapshot_image_size(image, STREAM_DISK_UNITS) / DISK_STATE_UNIT_BYTES)
        return error_set(error, "the snapshot's disks are damaged");
    const uint8_t *content =
        snapshot_image_page(image, snapshot_image_find(image, STREAM_DISK_UNITS), reference);
    if (content != NULL)
        memcpy(unit, content, DISK_STATE_UNIT_BYTES);
    else
        memset(unit, 0, DISK_STATE_UNIT_BYTES);
    return true;
}

static bool load_disks(Machine *machine, const SnapshotImage *image, SnapshotFile *file,
                       uint64_t id, Error *error) {
    uint64_t size;
    uint8_t *disks = snapshot_image_copy(image, STREAM_DISKS, &size);
    if (disks == NULL)
        return error_set(error, "the snapshot has no disks");
    ByteReader reader = {.data = disks, .size = size};
    DiskUnitSource source = {
        .get = get_unit, .opaque = (void *)image, .file = file, .snapshot = id};
    bool good = disk_state_load(machine, &reader, &source, error);
    free(disks);
    return good;
}

static bool load_state(Machine *machine, const SnapshotImage *image, Error *error) {
    uint64_t size;
    uint8_t *state = snapshot_image_copy(image, STREAM_STATE, &size);
    if (state == NULL)
        return error_set(error, "the snapshot has no state of the machine");
    ByteReader reader = {.data = state, .size = size};
    bool good = machine_state_load(machine, &reader, error);
    free(state);
    return good;
}

/* The memory comes last: it cannot fail. The state cannot be taken back, the disks can. */
static bool take_over(Machine *machine, const SnapshotImage *image, SnapshotFile *file, uint64_t id,
                      Error *error) {
    if (!snapshot_check_memory(image, machine->memory, error))
        return false;
    DiskPoint *before = disk_point_take(machine, error);
    if (before == NULL)
        return false;
    bool good = load_disks(machine, image, file, id, error);
    if (good && !load_state(machine, image, error)) {
        Error ignored = {.set = false};
        disk_point_return(machine, before, &ignored);
        good = false;
    }
    disk_point_free(before);
    if (!good)
        return false;
    machine_flush_translations(machine);
    snapshot_load_memory(image, machine->memory);
    return true;
}

/* Whether loading changes image files, whose past the snapshot file then has to keep. */
static bool writes_images(const Machine *machine, const SnapshotImage *image) {
    uint64_t size;
    uint8_t *disks = snapshot_image_copy(image, STREAM_DISKS, &size);
    ByteReader reader = {.data = disks, .size = disks != NULL ? size : 0};
    bool writes = disk_state_writes_images(machine, &reader);
    free(disks);
    return writes;
}

/* By the host's clock, which told when it was saved. What was a pause of the machine before is none
 * of what it is now. */
static void catch_up(Machine *machine, int64_t saved_seconds) {
    int64_t passed = (int64_t)time(NULL) - saved_seconds;
    if (machine->paused_host_ns != 0)
        machine->paused_host_ns = host_clock_ns();
    if (!machine->config.rtc_catches_up || passed <= 0 || passed > INT64_MAX / 4 / NS_PER_SECOND)
        return;
    uint64_t ns = (uint64_t)passed * NS_PER_SECOND;
    const uint32_t numbers[] = {(uint32_t)ns, (uint32_t)(ns >> 32)};
    machine_act_numbers(machine, ACTION_PASS_TIME, numbers, 2);
}

static bool load_from(Machine *machine, SnapshotFile *file, const char *name, bool *needs_writing,
                      Error *error) {
    const SnapshotInfo *info = find(file, name, error);
    uint64_t id = info != NULL ? info->id : 0; /* loading may move what 'info' points to */
    int64_t saved_seconds = info != NULL ? info->date_seconds : 0;
    bool good = info != NULL && check_machine(machine, info, error);
    SnapshotImage *image = good ? snapshot_file_read(file, id, error) : NULL;
    *needs_writing =
        image != NULL && !disk_logs_hold_file(machine, file) && writes_images(machine, image);
    good = image != NULL && !*needs_writing && take_over(machine, image, file, id, error);
    if (good) {
        machine->snapshot_id = id;
        catch_up(machine, saved_seconds);
    }
    snapshot_image_free(image);
    return good;
}

bool machine_load_snapshot(Machine *machine, const char *name, Error *error) {
    machine_changed_otherwise(machine, "loadvm");
    SnapshotFile *file = open_file(machine, SNAPSHOT_READ, error);
    if (file == NULL)
        return false;
    bool needs_writing;
    bool good = load_from(machine, file, name, &needs_writing, error);
    close_file(machine, file);
    if (!needs_writing)
        return good;
    char *path = machine_snapshots_path(machine);
    file = disk_logs_open_file(machine, path, SNAPSHOT_WRITE, error);
    free(path);
    return file != NULL && load_from(machine, file, name, &needs_writing, error);
}

bool machine_delete_snapshot(Machine *machine, const char *name, Error *error) {
    SnapshotFile *file = open_file(machine, SNAPSHOT_WRITE, error);
    if (file == NULL)
        return false;
    const SnapshotInfo *info = find(file, name, error);
    uint64_t id = info != NULL ? info->id : 0, parent = info != NULL ? info->parent : 0;
    bool good = info != NULL && disk_log_hand_on(file, id, error) &&
                snapshot_file_remove(file, id, error) && snapshot_file_commit(file, error);
    if (good) {
        disk_logs_renew(machine, file);
        snapshot_file_compact(file);
        if (machine->snapshot_id == id)
            machine->snapshot_id = parent;
    }
    close_file(machine, file);
    return good;
}

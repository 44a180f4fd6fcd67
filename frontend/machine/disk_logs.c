#include "disk_logs.h"
#include "allocate.h"
#include "disk_identity.h"
#include "disk_media.h"
#include "host_file.h"
#include "machine_parts.h"
#include "snapshot_of_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An open file; they are few. */
typedef struct OpenFile {
    struct OpenFile *next;
    SnapshotFile *file;
} OpenFile;

struct DiskLogs {
    OpenFile *files;
    DiskLog *logs;
};

static DiskLogs *logs_of(Machine *machine) {
    if (machine->board.disk_logs == NULL)
        machine->board.disk_logs = allocate_zeroed(sizeof(DiskLogs));
    return machine->board.disk_logs;
}

SnapshotFile *disk_logs_find_file(Machine *machine, const char *path) {
    for (const OpenFile *open = logs_of(machine)->files; open != NULL; open = open->next)
        if (strcmp(snapshot_file_path(open->file), path) == 0 ||
            disk_media_same_file(snapshot_file_path(open->file), path))
            return open->file;
    return NULL;
}

bool disk_logs_hold_file(Machine *machine, const SnapshotFile *file) {
    for (const OpenFile *open = logs_of(machine)->files; open != NULL; open = open->next)
        if (open->file == file)
            return true;
    return false;
}

static bool is_written(const BlockNode *medium) {
    return medium != NULL && block_writes_image(medium);
}

bool disk_logs_are_needed(const Machine *machine) {
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        if (is_written(machine->board.drive[i].medium))
            return true;
    return false;
}

static bool attach(Machine *machine, SnapshotFile *file, BlockNode *medium, bool add,
                   Error *error) {
    return disk_logs_find(machine, file, medium) != NULL ||
           disk_log_attach(file, medium, add, &logs_of(machine)->logs, error);
}

static bool attach_all(Machine *machine, SnapshotFile *file, bool add, Error *error) {
    bool good = true;
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++) {
        BlockNode *medium = machine->board.drive[i].medium;
        if (is_written(medium))
            good = attach(machine, file, medium, add, error);
    }
    return good || error_prefix(error, "%s: ", snapshot_file_path(file));
}

SnapshotFile *disk_logs_open_file(Machine *machine, const char *path, SnapshotMode mode,
                                  Error *error) {
    DiskLogs *logs = logs_of(machine);
    SnapshotFile *file = disk_logs_find_file(machine, path);
    if (file != NULL)
        return file;
    file = snapshot_file_open(path, mode, error);
    if (file == NULL)
        return NULL;
    OpenFile *open = allocate_zeroed(sizeof(*open));
    *open = (OpenFile){logs->files, file};
    logs->files = open;
    return attach_all(machine, file, false, error) ? file : NULL;
}

bool disk_logs_add_media(Machine *machine, SnapshotFile *file, Error *error) {
    return attach_all(machine, file, true, error);
}

void disk_logs_renew(Machine *machine, SnapshotFile *file) {
    for (DiskLog *log = logs_of(machine)->logs; log != NULL; log = disk_log_next(log))
        if (disk_log_file(log) == file)
            disk_log_renew(log);
}

DiskLog *disk_logs_find(Machine *machine, const SnapshotFile *file, const BlockNode *medium) {
    for (DiskLog *log = logs_of(machine)->logs; log != NULL; log = disk_log_next(log))
        if (disk_log_file(log) == file && disk_log_medium(log) == medium)
            return log;
    return NULL;
}

DiskLog *disk_logs_first(Machine *machine) {
    return logs_of(machine)->logs;
}

/* A file that is there and not open yet. */
static bool watch_by(Machine *machine, const char *path, BlockNode *medium, Error *error) {
    if (access(path, F_OK) != 0 || disk_logs_find_file(machine, path) != NULL)
        return true;
    SnapshotFile *file = disk_logs_open_file(machine, path, SNAPSHOT_WRITE, error);
    return (file != NULL && attach(machine, file, medium, false, error)) ||
           error_prefix(error, "%s cannot be written without the snapshots that need it: ",
                        block_path(medium));
}

/* A file that cannot be read now says nothing. */
static bool check_whole(const char *path, const BlockNode *medium, Error *error) {
    SnapshotFile *file =
        access(path, F_OK) == 0 ? snapshot_file_open(path, SNAPSHOT_READ, NULL) : NULL;
    bool good = file == NULL || disk_log_check_whole(file, medium, error);
    snapshot_file_close(file);
    return good;
}

bool disk_logs_watch(Machine *machine, BlockNode *medium, Error *error) {
    bool good = true;
    char beside[DISK_PATH_BYTES + 16];
    snprintf(beside, sizeof(beside), "%s%s", block_path(medium), DISK_SNAPSHOTS_SUFFIX);
    if (!is_written(medium))
        return check_whole(beside, medium, error);
    for (OpenFile *open = logs_of(machine)->files; open != NULL && good; open = open->next)
        good = attach(machine, open->file, medium, false, error);
    char *own = machine_snapshots_path(machine);
    good =
        good && watch_by(machine, own, medium, error) && watch_by(machine, beside, medium, error);
    free(own);
    return good;
}

void disk_logs_close(Machine *machine) {
    DiskLogs *logs = logs_of(machine);
    while (logs->logs != NULL)
        disk_log_detach(logs->logs);
    for (OpenFile *open; (open = logs->files) != NULL;) {
        logs->files = open->next;
        snapshot_file_close(open->file);
        free(open);
    }
    free(logs);
    machine->board.disk_logs = NULL;
}

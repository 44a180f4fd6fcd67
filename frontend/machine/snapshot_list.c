/* 'info snapshots': what is in a machine's snapshot file, as tables for people. */
#include "disk_logs.h"
#include "host_file.h"
#include "machine_parts.h"
#include "snapshot_file.h"
#include "snapshot_of_machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void print_size(ByteBuffer *text, uint64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    double value = (double)bytes;
    char number[32];
    for (; value >= 1000 && unit < 4; unit++)
        value /= 1024;
    snprintf(number, sizeof(number), "%.3g %s", value, units[unit]);
    byte_buffer_print(text, "%9s", number);
}

static void print_times(ByteBuffer *text, const SnapshotInfo *info) {
    time_t date = (time_t)info->date_seconds;
    struct tm local = {.tm_sec = 0};
    char when[32] = "?";
    int64_t seconds = info->clock_ns / NS_PER_SECOND;
    if (localtime_r(&date, &local) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    byte_buffer_print(text, "%21s   %02d:%02d:%02d.%03d", when, (int)(seconds / 3600),
                      (int)(seconds / 60 % 60), (int)(seconds % 60),
                      (int)(info->clock_ns / 1000000 % 1000));
}

static void print_row(const SnapshotFile *file, const SnapshotInfo *info, bool is_current,
                      ByteBuffer *text) {
    const SnapshotInfo *parent = snapshot_file_find_id(file, info->parent);
    byte_buffer_print(text, "%-9llu %-16s", (unsigned long long)info->id, info->name);
    print_size(text, info->bytes);
    print_times(text, info);
    byte_buffer_print(text, "  %13llu  %s%s\n", (unsigned long long)info->instructions,
                      parent != NULL ? parent->name : "-", is_current ? " (now here)" : "");
}

static SnapshotFile *open_to_read(Machine *machine, Error *error) {
    char *path = machine_snapshots_path(machine);
    SnapshotFile *file = disk_logs_find_file(machine, path);
    if (file == NULL)
        file = snapshot_file_open(path, SNAPSHOT_READ, error);
    free(path);
    return file;
}

static void close_again(Machine *machine, SnapshotFile *file) {
    if (!disk_logs_hold_file(machine, file))
        snapshot_file_close(file);
}

static bool has_no_file(const Machine *machine) {
    char *path = machine_snapshots_path(machine);
    bool missing = access(path, F_OK) != 0 && errno == ENOENT;
    free(path);
    return missing;
}

static void print_table(const Machine *machine, const SnapshotFile *file, ByteBuffer *text) {
    byte_buffer_print(text, "List of snapshots in %s:\n%-9s %-16s%9s%21s%15s%15s  %s\n",
                      snapshot_file_path(file), "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK",
                      "ICOUNT", "PARENT");
    for (size_t i = 0; i < snapshot_file_count(file); i++) {
        const SnapshotInfo *info = snapshot_file_info(file, i);
        print_row(file, info, info->id == machine->snapshot_id, text);
    }
}

bool machine_list_snapshots(Machine *machine, ByteBuffer *text, Error *error) {
    SnapshotFile *file = has_no_file(machine) ? NULL : open_to_read(machine, error);
    if (error->set)
        return false;
    if (file == NULL || snapshot_file_count(file) == 0)
        byte_buffer_print(text, "There is no snapshot available.\n");
    else
        print_table(machine, file, text);
    if (file != NULL)
        close_again(machine, file);
    return true;
}

void machine_visit_snapshots(Machine *machine,
                             void (*visit)(void *opaque, const char *name, int64_t date_seconds),
                             void *opaque) {
    Error error = {.set = false};
    SnapshotFile *file = has_no_file(machine) ? NULL : open_to_read(machine, &error);
    if (file == NULL)
        return;
    for (size_t i = 0; i < snapshot_file_count(file); i++) {
        const SnapshotInfo *info = snapshot_file_info(file, i);
        visit(opaque, info->name, info->date_seconds);
    }
    close_again(machine, file);
}

bool machine_describe_snapshot(Machine *machine, const char *name, ByteBuffer *text, Error *error) {
    SnapshotFile *file = open_to_read(machine, error);
    if (file == NULL)
        return false;
    const SnapshotInfo *info = snapshot_file_find(file, name);
    if (info == NULL) {
        error_set(error, "there is no snapshot '%s' in %s", name, snapshot_file_path(file));
    } else {
        print_row(file, info, info->id == machine->snapshot_id, text);
        byte_buffer_print(text, "\n%s\n%s", info->media, info->fingerprint);
    }
    close_again(machine, file);
    return !error->set;
}

/* The machine's move: migrate and what belongs to it, info migrate. */
#include "migration.h"
#include "monitor_command.h"

#include <stdlib.h>
#include <string.h>

static bool find(Monitor *monitor, Migration **migration, Error *error) {
    *migration = monitor->host->migration;
    return *migration != NULL || error_set(error, "there is no migration here");
}

bool monitor_migrate(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    MigrationRequest request = {.file = -1};
    if (!find(monitor, &migration, error))
        return false;
    for (const char *word; (word = monitor_next_word(&arguments)) != NULL;) {
        if (strcmp(word, "-b") == 0 || strcmp(word, "-i") == 0)
            request.disks = true;
        else if (strcmp(word, "-d") != 0)
            request.address = word;
    }
    if (request.address == NULL)
        return error_set(error, "migrate: uri expected");
    return migration_start(migration, &request, error) || error_prefix(error, "Error: ");
}

bool monitor_migrate_cancel(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    (void)arguments;
    if (!find(monitor, &migration, error))
        return false;
    migration_cancel(migration);
    return true;
}

bool monitor_migrate_incoming(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    MigrationRequest request = {.address = monitor_next_word(&arguments), .file = -1};
    if (request.address == NULL)
        return error_set(error, "migrate_incoming: uri expected");
    return find(monitor, &migration, error) &&
           (migration_receive(migration, &request, error) || error_prefix(error, "Error: "));
}

static const MigrationParameterRow *find_row(const MigrationParameterRow *rows, const char *name,
                                             Error *error) {
    for (const MigrationParameterRow *row = rows; row->name != NULL; row++)
        if (name != NULL && strcmp(row->name, name) == 0)
            return row;
    error_set(error, "%s: there is no '%s'",
              rows == migration_parameter_rows ? "migrate_set_parameter" : "migrate_set_capability",
              name != NULL ? name : "");
    return NULL;
}

/* A bandwidth is in megabytes if nothing else is said, as QEMU's monitor has it. */
static bool read_value(const MigrationParameterRow *row, const char *text, int64_t *value,
                       Error *error) {
    static const char suffixes[] = "BKMGT";
    bool is_size = strcmp(row->name, "max-bandwidth") == 0;
    char *end = NULL;
    long long number = text != NULL ? strtoll(text, &end, 10) : -1;
    unsigned shift = is_size ? 20 : 0;
    const char *suffix = is_size && end != NULL && *end != '\0' ? strchr(suffixes, *end) : NULL;
    if (suffix != NULL) {
        shift = 10 * (unsigned)(suffix - suffixes);
        end++;
    }
    if (text == NULL || end == text || *end != '\0' || number > row->most >> shift ||
        number << shift < row->least)
        return error_set(error, "%s: a number from %lld to %lld is expected", row->name,
                         (long long)row->least, (long long)row->most);
    *value = (int64_t)number << shift;
    return true;
}

bool monitor_migrate_set_parameter(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    const MigrationParameterRow *row =
        find_row(migration_parameter_rows, monitor_next_word(&arguments), error);
    if (row == NULL || !find(monitor, &migration, error))
        return false;
    MigrationParameters parameters = migration_parameters(migration);
    if (!read_value(row, monitor_next_word(&arguments), migration_parameter(&parameters, row),
                    error))
        return false;
    migration_set_parameters(migration, &parameters);
    return true;
}

bool monitor_migrate_set_capability(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    const char *name = monitor_next_word(&arguments), *state = monitor_next_word(&arguments);
    const MigrationParameterRow *row = find_row(migration_capability_rows, name, error);
    if (row == NULL || !find(monitor, &migration, error))
        return false;
    if (state == NULL || (strcmp(state, "on") != 0 && strcmp(state, "off") != 0))
        return error_set(error, "migrate_set_capability: on or off is expected");
    MigrationParameters parameters = migration_parameters(migration);
    *migration_parameter(&parameters, row) = strcmp(state, "on") == 0;
    migration_set_parameters(migration, &parameters);
    return true;
}

bool monitor_info_migrate_capabilities(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    (void)arguments;
    if (!find(monitor, &migration, error))
        return false;
    MigrationParameters parameters = migration_parameters(migration);
    for (const MigrationParameterRow *row = migration_capability_rows; row->name != NULL; row++)
        monitor_print(monitor, "%s: %s\n", row->name,
                      *migration_parameter(&parameters, row) != 0 ? "on" : "off");
    return true;
}

bool monitor_info_migrate_parameters(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    (void)arguments;
    if (!find(monitor, &migration, error))
        return false;
    MigrationParameters parameters = migration_parameters(migration);
    for (const MigrationParameterRow *row = migration_parameter_rows; row->name != NULL; row++)
        monitor_print(monitor, "%s: %lld%s\n", row->name,
                      (long long)*migration_parameter(&parameters, row), row->unit);
    return true;
}

static void print_memory(Monitor *monitor, const MigrationInfo *info) {
    monitor_print(monitor, "transferred ram: %llu kbytes\n", (unsigned long long)info->sent >> 10);
    monitor_print(monitor, "remaining ram: %llu kbytes\n",
                  (unsigned long long)info->ram_left >> 10);
    monitor_print(monitor, "total ram: %llu kbytes\n", (unsigned long long)info->ram_total >> 10);
    monitor_print(monitor, "duplicate: %llu pages\n", (unsigned long long)info->zero_pages);
    monitor_print(monitor, "normal: %llu pages\n", (unsigned long long)info->pages);
    monitor_print(monitor, "dirty sync count: %llu\n", (unsigned long long)info->rounds);
    monitor_print(monitor, "throughput: %.2f mbps\n", info->megabits);
    if (info->throttle_percent != 0)
        monitor_print(monitor, "cpu throttle percentage: %u\n", info->throttle_percent);
    if (info->sends_disks)
        monitor_print(monitor, "transferred disk: %llu of %llu kbytes\n",
                      (unsigned long long)info->disk_sent >> 10,
                      (unsigned long long)info->disk_total >> 10);
}

bool monitor_info_migrate(Monitor *monitor, char *arguments, Error *error) {
    Migration *migration;
    (void)arguments;
    if (!find(monitor, &migration, error))
        return false;
    MigrationInfo info = migration_info(migration);
    if (!info.tried)
        return true;
    monitor_print(monitor, "Migration status: %s%s%s%s\n", info.status, info.error.set ? " (" : "",
                  info.error.message, info.error.set ? ")" : "");
    monitor_print(monitor, "total time: %lld ms\n", (long long)info.total_ms);
    if (info.incoming)
        return true;
    if (strcmp(info.status, "completed") == 0)
        monitor_print(monitor, "downtime: %lld ms\n", (long long)info.downtime_ms);
    else
        monitor_print(monitor, "expected downtime: %lld ms\n",
                      (long long)info.expected_downtime_ms);
    print_memory(monitor, &info);
    return true;
}

/* Snapshots: which file they are in, and which one to start from. */
#include "migration_channel.h"
#include "options.h"

#include <string.h>

bool option_snapshots(Settings *settings, const char *argument, Error *error) {
    settings->machine.snapshots_path = settings_keep_string(settings, argument);
    return *argument != 0 || error_set(error, "name a file");
}

bool option_load_snapshot(Settings *settings, const char *argument, Error *error) {
    settings->load_snapshot = settings_keep_string(settings, argument);
    return *argument != 0 || error_set(error, "name a snapshot");
}

bool option_incoming(Settings *settings, const char *argument, Error *error) {
    settings->incoming = argument;
    settings->machine.incoming = true;
    return strcmp(argument, "defer") == 0 || migration_channel_check(argument, error);
}

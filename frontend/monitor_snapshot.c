/* Snapshots: savevm, loadvm, delvm, info snapshots. */
#include "monitor_command.h"
#include "snapshot_of_machine.h"

bool monitor_save_snapshot(Monitor *monitor, char *arguments, Error *error) {
    return machine_save_snapshot(monitor->machine, monitor_next_word(&arguments), error) ||
           error_prefix(error, "Error: ");
}

bool monitor_load_snapshot(Monitor *monitor, char *arguments, Error *error) {
    char *name = monitor_next_word(&arguments);
    if (name == NULL)
        return error_set(error, "loadvm: name expected");
    return machine_load_snapshot(monitor->machine, name, error) || error_prefix(error, "Error: ");
}

bool monitor_delete_snapshot(Monitor *monitor, char *arguments, Error *error) {
    char *name = monitor_next_word(&arguments);
    if (name == NULL)
        return error_set(error, "delvm: name expected");
    return machine_delete_snapshot(monitor->machine, name, error) || error_prefix(error, "Error: ");
}

bool monitor_info_snapshots(Monitor *monitor, char *arguments, Error *error) {
    char *name = monitor_next_word(&arguments);
    bool good = name == NULL
                    ? machine_list_snapshots(monitor->machine, &monitor->output, error)
                    : machine_describe_snapshot(monitor->machine, name, &monitor->output, error);
    return good || error_prefix(error, "Error: ");
}

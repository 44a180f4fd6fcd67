/* Run control, help, and the end. */
#include "machine_action.h"
#include "machine_parts.h"
#include "monitor_command.h"

#include <string.h>

bool monitor_stop(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    return machine_stop(monitor->machine, error);
}

bool monitor_continue(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    return machine_continue(monitor->machine, error) || error_prefix(error, "Error: ");
}

bool monitor_reset(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    machine_reset(monitor->machine);
    return true;
}

bool monitor_power_down(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    machine_power_down(monitor->machine);
    return true;
}

bool monitor_sleep(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    machine_sleep_button(monitor->machine);
    return true;
}

bool monitor_wake_up(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    machine_wake_up(monitor->machine);
    return true;
}

bool monitor_quit(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    monitor->host->quit(monitor->host->quit_opaque);
    return true;
}

bool monitor_nmi(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    return machine_act(monitor->machine, ACTION_NMI, NULL, 0);
}

bool monitor_log(Monitor *monitor, char *arguments, Error *error) {
    char *list = monitor_next_word(&arguments);
    Trace *trace = &monitor->machine->trace;
    if (list == NULL)
        return error_set(error, "log: categories expected, or 'none'");
    Trace parsed = {.output = trace->output};
    if (strcmp(list, "none") != 0 && !trace_parse(&parsed, list, error))
        return false;
    trace->mask = parsed.mask;
    machine_flush_translations(monitor->machine);
    return true;
}

bool monitor_info(Monitor *monitor, char *arguments, Error *error) {
    if (arguments[strspn(arguments, " \t")] != '\0')
        return monitor_run_command(monitor, monitor_info_commands, "info ", arguments, error);
    char help[] = "info";
    return monitor_help(monitor, help, error);
}

static void print_help(Monitor *monitor, const char *prefix, const MonitorCommand *command) {
    monitor_print(monitor, "%s%s%s%s %s -- %s\n", prefix, command->name,
                  command->short_name != NULL ? "|" : "",
                  command->short_name != NULL ? command->short_name : "", command->parameters,
                  command->help);
}

static bool print_table(Monitor *monitor, const char *prefix, const MonitorCommand *table,
                        const char *name) {
    bool found = false;
    for (const MonitorCommand *command = table; command->name != NULL; command++) {
        if (name == NULL || strcmp(command->name, name) == 0 ||
            (command->short_name != NULL && strcmp(command->short_name, name) == 0)) {
            print_help(monitor, prefix, command);
            found = true;
        }
    }
    return found;
}

bool monitor_help(Monitor *monitor, char *arguments, Error *error) {
    char *name = monitor_next_word(&arguments);
    if (name != NULL && strcmp(name, "info") == 0) {
        char *topic = monitor_next_word(&arguments);
        print_table(monitor, "info ", monitor_info_commands, topic);
        return true;
    }
    return print_table(monitor, "", monitor_commands, name) ||
           error_set(error, "there is no command '%s'", name);
}

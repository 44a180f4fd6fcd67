#include "key_values.h"
#include "options.h"
#include "trace.h"

#include <string.h>

bool option_help(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->show_help = true;
    return true;
}

bool option_version(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->show_version = true;
    return true;
}

bool option_trace(Settings *settings, const char *argument, Error *error) {
    Trace trace = {.mask = settings->machine.trace_mask};
    if (!trace_parse(&trace, argument, error))
        return false;
    settings->machine.trace_mask = trace.mask;
    return true;
}

bool option_trace_file(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->trace_file = argument;
    return true;
}

bool option_pid_file(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->pid_file = argument;
    return true;
}

bool option_daemonize(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    return settings->daemonize = true;
}

bool option_perf_map(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.translator.perf_map = true;
    return true;
}

bool option_jit_dump(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.translator.jit_dump = true;
    return true;
}

bool option_sandbox(Settings *settings, const char *argument, Error *error) {
    bool on = strncmp(argument, "on", 2) == 0 && (argument[2] == '\0' || argument[2] == ',');
    bool off = strcmp(argument, "off") == 0;
    settings->sandbox = on;
    return on || off || error_set(error, "takes on or off, not '%s'", argument);
}

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

bool option_accept_anything(Settings *settings, const char *argument, Error *error) {
    (void)settings;
    (void)argument;
    (void)error;
    return true;
}

/* Properties whose usual values describe this machine already. */
bool option_global(Settings *settings, const char *argument, Error *error) {
    static const char *const known[] = {"PIIX4_PM.disable_s3=", "PIIX4_PM.disable_s4=",
                                        "kvm-pit.lost_tick_policy=", "isa-fdc.fdtypeA="};
    (void)settings;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strncmp(argument, known[i], strlen(known[i])) == 0)
            return true;
    }
    return error_set(error, "unknown property '%s'", argument);
}

bool option_sandbox(Settings *settings, const char *argument, Error *error) {
    bool on = strncmp(argument, "on", 2) == 0 && (argument[2] == '\0' || argument[2] == ',');
    bool off = strcmp(argument, "off") == 0;
    settings->sandbox = on;
    return on || off || error_set(error, "takes on or off, not '%s'", argument);
}

bool option_not_here(Settings *settings, const char *argument, Error *error) {
    (void)settings;
    (void)argument;
    return error_set(error, "this option is not in this version");
}

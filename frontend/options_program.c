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

bool option_accept_anything(Settings *settings, const char *argument, Error *error) {
    (void)settings;
    (void)argument;
    (void)error;
    return true;
}

/* "PIIX4_PM.disable_s3=1", as libvirt writes it; 'found' tells whether it is such a property. */
static bool set_sleep_state(Settings *settings, const char *argument, bool *found, Error *error) {
    KeyValues values = {.items = NULL};
    MachineConfig *machine = &settings->machine;
    bool good = key_values_parse(&values, argument, NULL, error);
    *found = good && (key_values_get(&values, "PIIX4_PM.disable_s3") != NULL ||
                      key_values_get(&values, "PIIX4_PM.disable_s4") != NULL);
    good = good &&
           key_values_get_bool(&values, "PIIX4_PM.disable_s3", machine->no_suspend_to_ram,
                               &machine->no_suspend_to_ram, error) &&
           key_values_get_bool(&values, "PIIX4_PM.disable_s4", machine->no_suspend_to_disk,
                               &machine->no_suspend_to_disk, error);
    key_values_free(&values);
    return good;
}

/* "isa-fdc.bootindexA=1": where the BIOS tries the drive. */
static bool set_floppy_order(Settings *settings, const char *argument, bool *found, Error *error) {
    static const char *const names[MACHINE_FLOPPIES] = {"isa-fdc.bootindexA", "isa-fdc.bootindexB"};
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, NULL, error);
    *found = false;
    for (int i = 0; good && i < MACHINE_FLOPPIES; i++) {
        uint64_t place = 0;
        if (key_values_get(&values, names[i]) == NULL)
            continue;
        *found = true;
        good = key_values_get_number(&values, names[i], 0, &place, error) &&
               (place <= INT32_MAX || error_set(error, "the place is too large"));
        settings->floppy_boots[i] = true;
        settings->floppy_boot_index[i] = (int)place;
    }
    key_values_free(&values);
    return good;
}

/* Of other properties those whose usual values describe this machine already. */
bool option_global(Settings *settings, const char *argument, Error *error) {
    static const char *const known[] = {"kvm-pit.lost_tick_policy=", "isa-fdc.fdtypeA="};
    bool found;
    if (!set_sleep_state(settings, argument, &found, error))
        return false;
    if (found)
        return true;
    if (!set_floppy_order(settings, argument, &found, error))
        return false;
    if (found)
        return true;
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

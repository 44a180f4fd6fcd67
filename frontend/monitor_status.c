/* 'info' about the program and the run. */
#include "machine_parts.h"
#include "monitor_command.h"

bool monitor_info_status(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    RunState state = machine_run_state(monitor->machine);
    if (state == RUN_STATE_RUNNING && board_is_asleep(&monitor->machine->board)) {
        monitor_print(monitor, "VM status: paused (suspended)\n");
        return true;
    }
    monitor_print(monitor, "VM status: %s", state == RUN_STATE_RUNNING ? "running" : "paused");
    if (state != RUN_STATE_RUNNING && state != RUN_STATE_PAUSED)
        monitor_print(monitor, " (%s)", run_state_name(state));
    monitor_print(monitor, "\n");
    return true;
}

bool monitor_info_version(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    monitor_print(monitor, "7.2.0Reprise %s\n", monitor->host->version);
    return true;
}

bool monitor_info_name(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    const char *name = monitor->machine->config.name;
    if (name != NULL)
        monitor_print(monitor, "%s\n", name);
    return true;
}

bool monitor_info_jit(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    Machine *machine = monitor->machine;
    translator_print_info(machine->translator, &monitor->output);
    monitor_print(monitor, "instructions        %llu\n",
                  (unsigned long long)machine_count_instructions(machine));
    monitor_print(monitor, "virtual time        %lld ns\n",
                  (long long)clock_now_ns(&machine->clock));
    return true;
}

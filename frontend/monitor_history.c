/* Going back, where the machine's past is known: while a debugger is here, and in a replay. */
#include "machine_parts.h"
#include "monitor_command.h"
#include "monitor_expression.h"

#include <string.h>
#include <strings.h>

static void tell_place(Monitor *monitor) {
    Machine *machine = monitor->machine;
    MachineStop stop = machine_debug_take_stop(machine);
    const CpuState *state = &machine->cpu->state;
    if (stop.reason == MACHINE_STOP_HISTORY)
        monitor_print(monitor, "nothing is known of what was before\n");
    monitor_print(monitor, "CPU#%u at %04x:%08x, after %llu instructions\n", machine->cpu->number,
                  state->segment[SEG_CS].selector, (unsigned)state->eip,
                  (unsigned long long)machine_count_instructions(machine));
}

static bool begin(Monitor *monitor, Error *error) {
    Machine *machine = monitor->machine;
    if (machine->run_state == RUN_STATE_RUNNING)
        return error_set(error, "the machine runs; 'stop' first");
    if (!machine->debug.attached)
        machine_debug_attach(machine);
    return machine_history_begin(machine, error);
}

bool monitor_reverse_step(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    if (!begin(monitor, error) || !machine_history_step_back(monitor->machine, error))
        return false;
    tell_place(monitor);
    return true;
}

bool monitor_last_write(Monitor *monitor, char *arguments, Error *error) {
    uint64_t address;
    const char *at = arguments;
    Machine *machine = monitor->machine;
    if (!monitor_evaluate_expression(&at, monitor_cpu(monitor), &address, error) ||
        !begin(monitor, error))
        return false;
    CpuStopPoint point = {CPU_STOP_WRITE, (uint32_t)address, 4};
    if (!machine_debug_add(machine, &point))
        return error_set(error, "too much is watched already");
    bool good = machine_history_run_back(machine, error);
    machine_debug_remove(machine, &point);
    if (good)
        tell_place(monitor);
    return good;
}

typedef struct FlagName {
    const char *name;
    uint32_t bits;
} FlagName;

static const FlagName flag_names[] = {
    {"cf", FLAG_CF},   {"pf", FLAG_PF}, {"af", FLAG_AF}, {"zf", FLAG_ZF}, {"sf", FLAG_SF},
    {"tf", FLAG_TF},   {"if", FLAG_IF}, {"df", FLAG_DF}, {"of", FLAG_OF}, {"iopl", FLAG_IOPL},
    {"nt", FLAG_NT},   {"rf", FLAG_RF}, {"vm", FLAG_VM}, {"ac", FLAG_AC}, {"vif", FLAG_VIF},
    {"vip", FLAG_VIP}, {"id", FLAG_ID}};

bool monitor_last_flag(Monitor *monitor, char *arguments, Error *error) {
    const char *name = monitor_next_word(&arguments);
    const FlagName *flag = NULL;
    for (size_t i = 0; name != NULL && i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
        if (strcasecmp(name, flag_names[i].name) == 0)
            flag = &flag_names[i];
    if (flag == NULL)
        return error_set(error, "last-flag: a flag expected, as zf, cf, if");
    if (!begin(monitor, error) || !machine_history_last_flag(monitor->machine, flag->bits, error))
        return false;
    tell_place(monitor);
    return true;
}

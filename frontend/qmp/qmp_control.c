/* Run control: status, stop and go, reset, power, the end; and the human monitor's commands. */
#include "qmp_server.h"

#include <string.h>

bool qmp_query_status(QmpCall *call) {
    RunState state = call->machine != NULL ? machine_run_state(call->machine) : RUN_STATE_PRELAUNCH;
    const char *name = run_state_name(state);
    bool running = state == RUN_STATE_RUNNING;
    if (running && board_is_asleep(&call->machine->board))
        name = "suspended";
    call->result = qmp_pack("status:s singlestep:b running:b", name, false, running);
    return true;
}

bool qmp_stop(QmpCall *call) {
    return machine_stop(call->machine, &call->error);
}

bool qmp_cont(QmpCall *call) {
    if (machine_run_state(call->machine) == RUN_STATE_INMIGRATE)
        return migration_start_afterwards(call->program->migration), true;
    return machine_continue(call->machine, &call->error);
}

bool qmp_quit(QmpCall *call) {
    program_quit_for(call->program, MACHINE_CAUSE_HOST_QUIT);
    return true;
}

bool qmp_system_reset(QmpCall *call) {
    machine_reset(call->machine);
    return true;
}

bool qmp_system_powerdown(QmpCall *call) {
    machine_power_down(call->machine);
    return true;
}

bool qmp_system_wakeup(QmpCall *call) {
    if (!board_is_asleep(&call->machine->board))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Unable to wake up: guest is not in suspended state");
    machine_wake_up(call->machine);
    return true;
}

bool qmp_inject_nmi(QmpCall *call) {
    board_set_nmi(&call->machine->board, 1);
    board_set_nmi(&call->machine->board, 0);
    return true;
}

bool qmp_set_action(QmpCall *call) {
    const char *reboot = qmp_get_string(call, "reboot");
    const char *shutdown = qmp_get_string(call, "shutdown");
    if (reboot != NULL)
        call->machine->config.no_reboot = strcmp(reboot, "shutdown") == 0;
    if (shutdown != NULL)
        call->machine->config.no_shutdown = strcmp(shutdown, "pause") == 0;
    return true;
}

static void copy_lines(const ByteBuffer *from, ByteBuffer *to) {
    for (size_t i = 0; i < from->size; i++) {
        if (from->data[i] == '\n')
            byte_buffer_append(to, "\r", 1);
        byte_buffer_append(to, &from->data[i], 1);
    }
}

bool qmp_human_monitor_command(QmpCall *call) {
    int64_t processor = qmp_get_int(call, "cpu-index", 0);
    if (processor < 0 || processor >= call->machine->processor_count)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'cpu-index' expects a CPU number");
    Monitor monitor;
    ByteBuffer text = {.data = NULL};
    monitor_init(&monitor, &call->program->monitor_host, NULL);
    monitor.processor = (unsigned)processor;
    monitor_run_line(&monitor, qmp_get_string(call, "command-line"));
    copy_lines(&monitor.output, &text);
    call->result = json_object_new_string_len((const char *)text.data, (int)text.size);
    byte_buffer_free(&text);
    monitor_destroy(&monitor);
    return true;
}

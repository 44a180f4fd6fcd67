#include "host_file.h"
#include "qmp.h"
#include "qmp_block.h"
#include "qmp_migrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const QmpCommand *qmp_command_find(const char *name) {
    for (const QmpCommand *command = qmp_commands; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

bool qmp_fail(QmpCall *call, const char *class, const char *format, ...) {
    char message[sizeof(call->error.message)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    call->error_class = class;
    return error_set(&call->error, "%s", message);
}

json_object *qmp_get(const QmpCall *call, const char *name) {
    return json_object_object_get(call->arguments, name);
}

const char *qmp_get_string(const QmpCall *call, const char *name) {
    json_object *value = qmp_get(call, name);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

bool qmp_get_bool(const QmpCall *call, const char *name, bool otherwise) {
    json_object *value = qmp_get(call, name);
    return value != NULL ? json_object_get_boolean(value) : otherwise;
}

int64_t qmp_get_int(const QmpCall *call, const char *name, int64_t otherwise) {
    json_object *value = qmp_get(call, name);
    return value != NULL ? json_object_get_int64(value) : otherwise;
}

static void broadcast(QmpServer *server, json_object *event) {
    for (int i = 0; i < server->session_count; i++)
        qmp_session_send_event(&server->session[i], event);
    json_object_put(event);
}

void qmp_send_event(QmpServer *server, const char *name, json_object *data) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (server->waiting_events == NULL)
        server->waiting_events = json_object_new_array();
    json_object_array_add(server->waiting_events,
                          qmp_event_create(name, data, now.tv_sec, now.tv_nsec / 1000));
}

json_object *qmp_event_create(const char *name, json_object *data, int64_t seconds,
                              int64_t microseconds) {
    return qmp_pack("timestamp:o event:s data:o",
                    qmp_pack("seconds:i microseconds:i", seconds, microseconds), name, data);
}

static const struct {
    const char *name;
    bool has_cause;
} machine_events[] = {
    [MACHINE_EVENT_RESUME] = {"RESUME", false},
    [MACHINE_EVENT_STOP] = {"STOP", false},
    [MACHINE_EVENT_RESET] = {"RESET", true},
    [MACHINE_EVENT_SHUTDOWN] = {"SHUTDOWN", true},
    [MACHINE_EVENT_POWERDOWN] = {"POWERDOWN", false},
    [MACHINE_EVENT_SUSPEND] = {"SUSPEND", false},
    [MACHINE_EVENT_WAKEUP] = {"WAKEUP", false},
    [MACHINE_EVENT_GUEST_PANICKED] = {"GUEST_PANICKED", false},
    [MACHINE_EVENT_DEVICE_DELETED] = {"DEVICE_DELETED", false},
    [MACHINE_EVENT_TRAY] = {"DEVICE_TRAY_MOVED", false},
};

static json_object *describe(const QmpServer *server, const MachineEvent *event) {
    char device[128];
    if (machine_events[event->kind].has_cause)
        return qmp_pack("guest:b reason:s", machine_cause_is_guest(event->cause),
                        machine_cause_name(event->cause));
    if (event->kind == MACHINE_EVENT_GUEST_PANICKED)
        return qmp_pack("action:s", "pause");
    if (event->kind == MACHINE_EVENT_DEVICE_DELETED) {
        snprintf(device, sizeof(device), "/machine/peripheral/%s", event->device);
        return qmp_pack("device:s path:s", event->device, device);
    }
    if (event->kind != MACHINE_EVENT_TRAY)
        return NULL;
    const Board *board = &server->program->machine->board; /* names of drives never change */
    qmp_drive_device(board, &board->drive[event->drive], device, sizeof(device));
    return qmp_pack("device:s id:s tray-open:b", qmp_drive_backend(&board->drive[event->drive]),
                    device, event->is_open);
}

void qmp_serve_events(QmpServer *server) {
    MachineEvent event;
    json_object *waiting = server->waiting_events;
    server->waiting_events = NULL;
    for (size_t i = 0; waiting != NULL && i < json_object_array_length(waiting); i++)
        broadcast(server, json_object_get(json_object_array_get_idx(waiting, i)));
    json_object_put(waiting);
    while (server->program->machine != NULL &&
           machine_take_event(server->program->machine, &event)) {
        broadcast(server,
                  qmp_event_create(machine_events[event.kind].name, describe(server, &event),
                                   event.seconds, event.microseconds));
    }
}

static void serve(void *part) {
    qmp_dump_serve(part);
    qmp_jobs_serve(part);
    qmp_serve_events(part);
}

static void close_part(void *part) {
    QmpServer *server = part;
    for (int i = 0; i < server->session_count; i++)
        qmp_session_close(&server->session[i]);
    qmp_dump_free(server);
    qmp_jobs_free(server);
    qmp_bitmaps_free(server);
    qmp_graph_free(server);
    json_object_put(server->waiting_events);
    for (int i = 0; i < QMP_FILES; i++) {
        if (server->file[i].name != NULL)
            close(server->file[i].fd);
        free(server->file[i].name);
    }
    free(server);
}

static void *open_part(Program *program, Error *error) {
    QmpServer *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        error_set(error, "no memory for QMP");
        return NULL;
    }
    server->program = program;
    const Settings *settings = program->settings;
    qmp_graph_init(server);
    for (int i = 0; i < settings->monitor_count; i++) {
        if (program->monitor_device[i] != NULL && settings->monitor_is_control[i] &&
            qmp_session_open(&server->session[server->session_count], server,
                             program->monitor_device[i], settings->monitor_is_pretty[i]))
            server->session_count++;
    }
    qmp_migration_observe(server);
    return server;
}

const ProgramPart qmp_program_part = {open_part, serve, close_part};

/* One client: reads messages, answers them, and greets whoever comes next. */
#include "qmp_server.h"
#include "version.h"

#include <string.h>

/* Longer messages and deeper ones are refused: the longest that clients send are some kilobytes. */
#define MESSAGE_BYTES_MAX (1u << 20)
#define DEPTH_MAX 64

void qmp_session_send(QmpSession *session, json_object *message) {
    int style = session->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
                                : JSON_C_TO_STRING_SPACED;
    size_t size;
    const char *text =
        json_object_to_json_string_length(message, style | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
    ByteBuffer line = {.data = NULL};
    byte_buffer_append(&line, text, size);
    byte_buffer_append(&line, "\r\n", 2);
    character_device_send(session->device, line.data, line.size);
    byte_buffer_free(&line);
    json_object_put(message);
}

void qmp_session_send_event(QmpSession *session, json_object *event) {
    if (session->negotiated)
        qmp_session_send(session, json_object_get(event));
}

static void greet(void *opaque) {
    QmpSession *session = opaque;
    QmpCall call = {.server = session->server};
    session->negotiated = false;
    session->message_bytes = 0;
    json_tokener_reset(session->tokener);
    qmp_query_version(&call);
    qmp_session_send(session, qmp_pack("QMP:o", qmp_pack("version:o capabilities:o", call.result,
                                                         json_object_new_array())));
}

static void forget(void *opaque) {
    QmpSession *session = opaque;
    session->negotiated = false;
}

static void run_on_machine(void *opaque) {
    void **both = opaque;
    QmpCall *call = both[0];
    const QmpCommand *command = both[1];
    if (!command->run(call))
        call->error.set = true;
}

static bool run_command(QmpCall *call, const QmpCommand *command) {
    char message[256];
    if (!qmp_members_check(command->arguments, call->arguments, message, sizeof(message)))
        return qmp_fail(call, QMP_GENERIC_ERROR, "%s", message);
    if (command->place != QMP_ANYWHERE && call->machine == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "there is no machine ('-machine none')");
    if (command->place != QMP_ON_MACHINE)
        return command->run(call);
    void *both[] = {call, (void *)(uintptr_t)command};
    machine_call(call->machine, run_on_machine, both);
    return !call->error.set;
}

bool qmp_capabilities(QmpCall *call) {
    json_object *enable = qmp_get(call, "enable");
    if (call->session->negotiated)
        return qmp_fail(call, QMP_COMMAND_NOT_FOUND,
                        "Capabilities negotiation is already complete, command ignored");
    if (enable != NULL && json_object_array_length(enable) > 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Capability oob is not available");
    return call->session->negotiated = true;
}

/* The message is an object with "execute" and nothing that does not belong there. */
static bool check_message(QmpCall *call, json_object *message) {
    if (!json_object_is_type(message, json_type_object))
        return qmp_fail(call, QMP_GENERIC_ERROR, "QMP input must be a JSON object");
    json_object_object_foreach(message, name, value) {
        bool known = strcmp(name, "execute") == 0 || strcmp(name, "arguments") == 0 ||
                     strcmp(name, "id") == 0;
        if (!known)
            return qmp_fail(call, QMP_GENERIC_ERROR, "QMP input member '%.100s' is unexpected",
                            name);
        if (strcmp(name, "execute") == 0 && !json_object_is_type(value, json_type_string))
            return qmp_fail(call, QMP_GENERIC_ERROR, "QMP input member 'execute' must be a string");
        if (strcmp(name, "arguments") == 0 && !json_object_is_type(value, json_type_object))
            return qmp_fail(call, QMP_GENERIC_ERROR,
                            "QMP input member 'arguments' must be an object");
    }
    return json_object_object_get(message, "execute") != NULL ||
           qmp_fail(call, QMP_GENERIC_ERROR, "QMP input lacks member 'execute'");
}

static bool execute(QmpCall *call, json_object *message) {
    if (!check_message(call, message))
        return false;
    const char *name = json_object_get_string(json_object_object_get(message, "execute"));
    const QmpCommand *command = qmp_command_find(name);
    if (!call->session->negotiated && strcmp(name, "qmp_capabilities") != 0)
        return qmp_fail(call, QMP_COMMAND_NOT_FOUND,
                        "Expecting capabilities negotiation with 'qmp_capabilities'");
    if (command == NULL)
        return qmp_fail(call, QMP_COMMAND_NOT_FOUND, "The command %.100s has not been found", name);
    return run_command(call, command);
}

static json_object *error_answer(const QmpCall *call) {
    return qmp_pack("error:o",
                    qmp_pack("class:s desc:s",
                             call->error_class != NULL ? call->error_class : QMP_GENERIC_ERROR,
                             call->error.message));
}

static void serve_message(QmpSession *session, json_object *message) {
    QmpServer *server = session->server;
    QmpCall call = {.server = server,
                    .session = session,
                    .program = server->program,
                    .machine = server->program->machine};
    json_object *given = json_object_is_type(message, json_type_object)
                             ? json_object_object_get(message, "arguments")
                             : NULL;
    call.arguments = given != NULL ? json_object_get(given) : json_object_new_object();
    bool good = execute(&call, message);
    qmp_serve_events(server); /* what the command caused comes before its answer, as QEMU has it */
    json_object *answer;
    if (good)
        answer = qmp_pack("return:o", call.result != NULL ? call.result : json_object_new_object());
    else
        answer = error_answer(&call);
    if (!good && call.result != NULL)
        json_object_put(call.result);
    json_object *id = json_object_is_type(message, json_type_object)
                          ? json_object_object_get(message, "id")
                          : NULL;
    if (id != NULL)
        json_object_object_add(answer, "id", json_object_get(id));
    json_object_put(call.arguments);
    qmp_session_send(session, answer);
}

static void fail_message(QmpSession *session, const char *why) {
    json_tokener_reset(session->tokener);
    session->message_bytes = 0;
    qmp_session_send(session,
                     qmp_pack("error:o", qmp_pack("class:s desc:s", QMP_GENERIC_ERROR, why)));
}

/* A byte that no JSON text has: clients send it to be sure where the next message begins. */
#define RESET_BYTE 0xFF

void qmp_session_receive(void *opaque, const uint8_t *data, size_t size) {
    QmpSession *session = opaque;
    size_t at = 0;
    while (at < size) {
        if (session->message_bytes == 0 && strchr(" \t\r\n", data[at]) != NULL && data[at] != 0) {
            at++;
            continue;
        }
        if (data[at] == RESET_BYTE) {
            json_tokener_reset(session->tokener);
            session->message_bytes = 0;
            at++;
            continue;
        }
        const uint8_t *reset = memchr(data + at, RESET_BYTE, size - at);
        size_t part = reset != NULL ? (size_t)(reset - data) - at : size - at;
        json_object *message =
            json_tokener_parse_ex(session->tokener, (const char *)data + at, (int)part);
        enum json_tokener_error problem = json_tokener_get_error(session->tokener);
        if (problem == json_tokener_continue) {
            session->message_bytes += part;
            at += part;
            if (session->message_bytes > MESSAGE_BYTES_MAX)
                fail_message(session, "JSON parse error, the message is too long");
            continue;
        }
        if (problem != json_tokener_success) {
            /* What is left of the line goes with it. */
            const uint8_t *end = memchr(data + at, '\n', size - at);
            at = end != NULL ? (size_t)(end - data) + 1 : size;
            fail_message(session, "JSON parse error, invalid syntax");
            continue;
        }
        at += json_tokener_get_parse_end(session->tokener);
        session->message_bytes = 0;
        serve_message(session, message);
        json_object_put(message);
    }
}

bool qmp_session_open(QmpSession *session, QmpServer *server, CharacterDevice *device,
                      bool pretty) {
    *session = (QmpSession){.server = server, .device = device, .pretty = pretty};
    session->tokener = json_tokener_new_ex(DEPTH_MAX);
    if (session->tokener == NULL)
        return false;
    json_tokener_set_flags(session->tokener, JSON_TOKENER_VALIDATE_UTF8);
    CharacterClient client = {.received = qmp_session_receive,
                              .connected = greet,
                              .disconnected = forget,
                              .opaque = session};
    character_device_set_client(device, &client);
    return true;
}

void qmp_session_close(QmpSession *session) {
    CharacterClient nobody = {.received = NULL};
    character_device_set_client(session->device, &nobody);
    json_tokener_free(session->tokener);
}

/* Keys and mouse: send-key, input-send-event. */
#include "qmp_server.h"
#include "typist.h"

#include <string.h>

#define HOLD_MS 100
#define HOLD_MS_MAX 60000

static const struct {
    const char *name;
    uint16_t set1; /* of scan codes */
} keys[] = {
#define KEY_ROW(id, name, set1, set2, set3) {name, set1},
    KEYBOARD_KEYS(KEY_ROW)
#undef KEY_ROW
};
#define KEYS (int)(sizeof(keys) / sizeof(keys[0]))

/* A number is a code of set 1 whose bit 7 stands for E0h before it. */
static int find_number(int64_t number) {
    uint16_t code = (uint16_t)((number & 0x7F) | (number & 0x80 ? 0xE000 : 0));
    for (int key = 0; key < KEYS; key++)
        if (number > 0 && number <= 0xFF && keys[key].set1 == code)
            return key;
    return -1;
}

static int find_name(const char *name) {
    for (int key = 0; key < KEYS; key++)
        if (strcmp(keys[key].name, name) == 0)
            return key;
    return -1;
}

/* {"type": "number", "data": 29} or {"type": "qcode", "data": "ctrl"} */
static bool read_key(QmpCall *call, json_object *value, int *key) {
    json_object *data = json_object_object_get(value, "data");
    json_object *type = json_object_object_get(value, "type");
    bool is_number = strcmp(json_object_get_string(type), "number") == 0;
    if (!json_object_is_type(data, is_number ? json_type_int : json_type_string))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Invalid parameter type for 'data', expected: %s",
                        is_number ? "integer" : "string");
    *key = is_number ? find_number(json_object_get_int64(data))
                     : find_name(json_object_get_string(data));
    return *key >= 0 ||
           qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'data' does not accept value '%.60s'",
                    json_object_get_string(data));
}

bool qmp_send_key(QmpCall *call) {
    json_object *list = qmp_get(call, "keys");
    size_t count = json_object_array_length(list);
    int64_t hold_ms = qmp_get_int(call, "hold-time", HOLD_MS);
    int pressed[TYPIST_MOST_KEYS];
    if (count > TYPIST_MOST_KEYS)
        return qmp_fail(call, QMP_GENERIC_ERROR, "at most %d keys are pressed together",
                        TYPIST_MOST_KEYS);
    if (hold_ms < 0 || hold_ms > HOLD_MS_MAX)
        return qmp_fail(call, QMP_GENERIC_ERROR, "keys are held for 0 to %d ms", HOLD_MS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!read_key(call, json_object_array_get_idx(list, i), &pressed[i]))
            return false;
    return count == 0 ||
           machine_press_keys(call->machine, pressed, (int)count, (uint32_t)hold_ms) ||
           qmp_fail(call, QMP_GENERIC_ERROR, "too many keys wait to be typed");
}

/* What an event of each kind brings. */
typedef struct InputEventRow {
    const char *kind;
    const char *members; /* of "data" */
    bool (*send)(QmpCall *call, json_object *data);
} InputEventRow;

static bool get_bool(json_object *data, const char *name) {
    return json_object_get_boolean(json_object_object_get(data, name));
}

static const char *get_string(json_object *data, const char *name) {
    return json_object_get_string(json_object_object_get(data, name));
}

static bool fail_full(QmpCall *call) {
    return qmp_fail(call, QMP_GENERIC_ERROR, "too much input waits already");
}

static bool send_key_event(QmpCall *call, json_object *data) {
    int key;
    return read_key(call, json_object_object_get(data, "key"), &key) &&
           (machine_send_key(call->machine, key, get_bool(data, "down")) || fail_full(call));
}

/* A wheel turns by one step when its "button" goes down. */
static const struct {
    const char *name;
    uint32_t button;
    int32_t wheel;
} buttons[] = {
    {"left", 1, 0}, {"right", 2, 0}, {"middle", 4, 0}, {"wheel-up", 0, -1}, {"wheel-down", 0, 1}};

static bool send_button(QmpCall *call, json_object *data) {
    bool down = get_bool(data, "down");
    uint32_t *held = &call->server->mouse_buttons;
    for (size_t i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++) {
        if (strcmp(buttons[i].name, get_string(data, "button")) != 0)
            continue;
        if (buttons[i].wheel != 0)
            return !down || machine_send_mouse_move(call->machine, 0, 0, buttons[i].wheel) ||
                   fail_full(call);
        *held = down ? *held | buttons[i].button : *held & ~buttons[i].button;
        return machine_send_mouse_buttons(call->machine, *held) || fail_full(call);
    }
    return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'button' does not accept value '%.60s'",
                    get_string(data, "button"));
}

static bool send_move(QmpCall *call, json_object *data) {
    const char *axis = get_string(data, "axis");
    int64_t value = json_object_get_int64(json_object_object_get(data, "value"));
    int32_t steps = (int32_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
    bool is_x = strcmp(axis, "x") == 0;
    if (!is_x && strcmp(axis, "y") != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'axis' does not accept value '%.60s'",
                        axis);
    return machine_send_mouse_move(call->machine, is_x ? steps : 0, is_x ? 0 : steps, 0) ||
           fail_full(call);
}

static bool send_place(QmpCall *call) {
    QmpServer *server = call->server;
    if (!server->place_changed)
        return true;
    server->place_changed = false;
    return machine_send_mouse_absolute(call->machine, server->place[0], server->place[1]) ||
           fail_full(call);
}

/* Both axes move at once. */
static bool move_place(QmpCall *call, json_object *data) {
    const char *axis = get_string(data, "axis");
    int64_t value = json_object_get_int64(json_object_object_get(data, "value"));
    bool is_x = strcmp(axis, "x") == 0;
    if (!is_x && strcmp(axis, "y") != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'axis' does not accept value '%.60s'",
                        axis);
    value = value < 0 ? 0 : value > MACHINE_PLACE_MOST ? MACHINE_PLACE_MOST : value;
    call->server->place[is_x ? 0 : 1] = (uint32_t)value;
    call->server->place_changed = true;
    return true;
}

static const InputEventRow event_rows[] = {
    {"key", "down:bool key:KeyValue", send_key_event},
    {"btn", "down:bool button:str", send_button},
    {"rel", "axis:str value:int", send_move},
    {"abs", "axis:str value:int", move_place},
};

static bool send_event(QmpCall *call, json_object *event, bool only_check) {
    const char *kind = get_string(event, "type");
    json_object *data = json_object_object_get(event, "data");
    for (size_t i = 0; i < sizeof(event_rows) / sizeof(event_rows[0]); i++) {
        char message[256];
        if (strcmp(event_rows[i].kind, kind) != 0 ||
            (event_rows[i].send == move_place && !machine_may_take_places(call->machine)))
            continue;
        if (!json_object_is_type(data, json_type_object))
            return qmp_fail(call, QMP_GENERIC_ERROR,
                            "Invalid parameter type for 'data', expected: object");
        if (!qmp_members_check(event_rows[i].members, data, message, sizeof(message)))
            return qmp_fail(call, QMP_GENERIC_ERROR, "%s", message);
        if (only_check)
            return true;
        return (event_rows[i].send == move_place || send_place(call)) &&
               event_rows[i].send(call, data);
    }
    return qmp_fail(call, QMP_GENERIC_ERROR, "Input handler not found for event type %s", kind);
}

/* All are looked at before the first is sent. */
bool qmp_input_send_event(QmpCall *call) {
    json_object *events = qmp_get(call, "events");
    size_t count = json_object_array_length(events);
    for (size_t i = 0; i < 2 * count; i++)
        if (!send_event(call, json_object_array_get_idx(events, i % count), i < count))
            return false;
    return send_place(call);
}

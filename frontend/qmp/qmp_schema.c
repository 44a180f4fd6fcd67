/* What commands, events and types there are, told from the tables. */
#include "qmp_command.h"

#include <stdio.h>
#include <string.h>

bool qmp_query_commands(QmpCall *call) {
    call->result = json_object_new_array();
    for (const QmpCommand *command = qmp_commands; command->name != NULL; command++)
        json_object_array_add(call->result, qmp_pack("name:s", command->name));
    return true;
}

static const struct {
    const char *name, *json_type;
} builtins[] = {{"str", "string"},   {"int", "int"},   {"number", "number"},
                {"bool", "boolean"}, {"any", "value"}, {"null", "null"}};

#define EMPTY_TYPE "q_empty"

/* The answer, and the lists of things that it names already. */
typedef struct Schema {
    json_object *entries;
    json_object *lists;
} Schema;

static void add_list(Schema *schema, const char *element) {
    char name[QMP_WORD_BYTES + 2];
    snprintf(name, sizeof(name), "[%s]", element);
    if (json_object_object_get_ex(schema->lists, name, NULL))
        return;
    json_object_object_add(schema->lists, name, json_object_new_boolean(1));
    json_object_array_add(schema->entries,
                          qmp_pack("name:s meta-type:s element-type:s", name, "array", element));
}

static void add_object(Schema *schema, const char *name, const char *members) {
    json_object *list = json_object_new_array();
    QmpMember member;
    while (qmp_member_next(&members, &member)) {
        char type[QMP_WORD_BYTES + 2];
        snprintf(type, sizeof(type), member.is_list ? "[%s]" : "%s", member.type);
        if (member.is_list)
            add_list(schema, member.type);
        json_object *entry = qmp_pack("name:s type:s", member.name, type);
        if (member.optional)
            json_object_object_add(entry, "default", NULL);
        json_object_array_add(list, entry);
    }
    json_object_array_add(schema->entries,
                          qmp_pack("name:s meta-type:s members:o", name, "object", list));
}

static void add_enumeration(Schema *schema, const char *name, const char *values) {
    json_object *members = json_object_new_array();
    json_object *list = json_object_new_array();
    char value[QMP_WORD_BYTES];
    while (qmp_value_next(&values, value)) {
        json_object_array_add(members, qmp_pack("name:s", value));
        json_object_array_add(list, json_object_new_string(value));
    }
    json_object_array_add(schema->entries, qmp_pack("name:s meta-type:s members:o values:o", name,
                                                    "enum", members, list));
}

/* The name of the type of arguments or data, which is made where there are any. */
static const char *add_members(Schema *schema, const char *owner, const char *members, char *name,
                               size_t size) {
    if (*members == '\0')
        return EMPTY_TYPE;
    snprintf(name, size, "q_obj_%s-arg", owner);
    add_object(schema, name, members);
    return name;
}

static json_object *split(const char *words) {
    json_object *list = json_object_new_array();
    char word[QMP_WORD_BYTES];
    while (qmp_value_next(&words, word))
        json_object_array_add(list, json_object_new_string(word));
    return list;
}

static void add_command(Schema *schema, const QmpCommand *command) {
    char name[2 * QMP_WORD_BYTES];
    char element[QMP_WORD_BYTES];
    const char *result = *command->result != '\0' ? command->result : EMPTY_TYPE;
    if (*result == '[') {
        snprintf(element, sizeof(element), "%.*s", (int)strlen(result) - 2, result + 1);
        add_list(schema, element);
    }
    const char *arguments =
        add_members(schema, command->name, command->arguments, name, sizeof(name));
    json_object_array_add(
        schema->entries,
        qmp_pack("name:s meta-type:s arg-type:s ret-type:s features:o allow-oob:b", command->name,
                 "command", arguments, result,
                 command->features != NULL ? split(command->features) : NULL, false));
}

static void add_event(Schema *schema, const QmpEventInfo *event) {
    char name[2 * QMP_WORD_BYTES];
    const char *data = add_members(schema, event->name, event->data, name, sizeof(name));
    json_object_array_add(schema->entries,
                          qmp_pack("name:s meta-type:s arg-type:s", event->name, "event", data));
}

bool qmp_query_schema(QmpCall *call) {
    Schema schema = {json_object_new_array(), json_object_new_object()};
    for (const QmpCommand *command = qmp_commands; command->name != NULL; command++)
        add_command(&schema, command);
    for (const QmpEventInfo *event = qmp_events; event->name != NULL; event++)
        add_event(&schema, event);
    for (const QmpType *type = qmp_types; type->name != NULL; type++) {
        if (type->members[0] == '=')
            add_enumeration(&schema, type->name, type->members + 1);
        else
            add_object(&schema, type->name, type->members);
    }
    add_object(&schema, EMPTY_TYPE, "");
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        json_object_array_add(schema.entries,
                              qmp_pack("name:s meta-type:s json-type:s", builtins[i].name,
                                       "builtin", builtins[i].json_type));
    json_object_put(schema.lists);
    call->result = schema.entries;
    return true;
}

#include "qmp_types.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Objects within objects: a type of the table that contains itself would otherwise let a client
 * choose how deep. */
#define DEPTH_MAX 16

const QmpType *qmp_type_find(const char *name) {
    for (const QmpType *type = qmp_types; type->name != NULL; type++)
        if (strcmp(type->name, name) == 0)
            return type;
    return NULL;
}

static bool next_word(const char **text, char word[QMP_WORD_BYTES]) {
    *text += strspn(*text, " ");
    size_t length = strcspn(*text, " ");
    if (length == 0)
        return false;
    snprintf(word, QMP_WORD_BYTES, "%.*s", (int)length, *text);
    *text += length;
    return true;
}

bool qmp_value_next(const char **values, char value[QMP_WORD_BYTES]) {
    return next_word(values, value);
}

bool qmp_member_next(const char **members, QmpMember *member) {
    char word[QMP_WORD_BYTES];
    *member = (QmpMember){.optional = false};
    if (!next_word(members, word) || strcmp(word, "...") == 0)
        return false;
    const char *name = word;
    member->optional = *name == '*';
    name += member->optional;
    const char *type = strchr(name, ':');
    if (type == NULL)
        return false;
    snprintf(member->name, sizeof(member->name), "%.*s", (int)(type - name), name);
    type++;
    member->is_list = *type == '[';
    type += member->is_list;
    snprintf(member->type, sizeof(member->type), "%.*s", (int)strcspn(type, "]"), type);
    return true;
}

bool qmp_members_are_open(const char *members) {
    size_t length = strlen(members);
    return length >= 3 && strcmp(members + length - 3, "...") == 0;
}

typedef struct Check {
    char *message;
    size_t size;
    unsigned depth;
} Check;

static bool check_members(Check *check, const char *members, json_object *object);

static const struct {
    const char *name;
    enum json_type type;
} builtins[] = {{"str", json_type_string}, {"int", json_type_int}, {"bool", json_type_boolean}};

static bool fail_type(Check *check, const char *name, const char *expected) {
    snprintf(check->message, check->size, "Invalid parameter type for '%s', expected: %s", name,
             expected);
    return false;
}

static bool check_enumeration(Check *check, const char *name, const char *values,
                              json_object *given) {
    char value[QMP_WORD_BYTES];
    if (!json_object_is_type(given, json_type_string))
        return fail_type(check, name, "string");
    while (qmp_value_next(&values, value))
        if (strcmp(value, json_object_get_string(given)) == 0)
            return true;
    snprintf(check->message, check->size, "Parameter '%s' does not accept value '%.100s'", name,
             json_object_get_string(given));
    return false;
}

static bool check_one(Check *check, const char *name, const char *type_name, json_object *given) {
    if (strcmp(type_name, "any") == 0)
        return true;
    if (strcmp(type_name, "number") == 0)
        return json_object_is_type(given, json_type_int) ||
               json_object_is_type(given, json_type_double) || fail_type(check, name, "number");
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (strcmp(builtins[i].name, type_name) == 0)
            return json_object_is_type(given, builtins[i].type) ||
                   fail_type(check, name,
                             builtins[i].type == json_type_string    ? "string"
                             : builtins[i].type == json_type_boolean ? "boolean"
                                                                     : "integer");
    const QmpType *type = qmp_type_find(type_name);
    if (type == NULL)
        return fail_type(check, name, type_name);
    if (type->members[0] == '=')
        return check_enumeration(check, name, type->members + 1, given);
    return (json_object_is_type(given, json_type_object) && check->depth < DEPTH_MAX)
               ? check_members(check, type->members, given)
               : fail_type(check, name, "object");
}

static bool check_value(Check *check, const QmpMember *member, json_object *given) {
    if (!member->is_list)
        return check_one(check, member->name, member->type, given);
    if (!json_object_is_type(given, json_type_array))
        return fail_type(check, member->name, "array");
    for (size_t i = 0; i < json_object_array_length(given); i++)
        if (!check_one(check, member->name, member->type, json_object_array_get_idx(given, i)))
            return false;
    return true;
}

static bool is_member(const char *members, const char *name) {
    QmpMember member;
    while (qmp_member_next(&members, &member))
        if (strcmp(member.name, name) == 0)
            return true;
    return false;
}

static bool check_members(Check *check, const char *members, json_object *object) {
    QmpMember member;
    check->depth++;
    for (const char *rest = members; qmp_member_next(&rest, &member);) {
        json_object *given;
        bool there = json_object_object_get_ex(object, member.name, &given);
        if (!there && !member.optional) {
            snprintf(check->message, check->size, "Parameter '%s' is missing", member.name);
            return false;
        }
        if (there && !check_value(check, &member, given))
            return false;
    }
    json_object_object_foreach(object, name, value) {
        (void)value;
        if (qmp_members_are_open(members) || is_member(members, name))
            continue;
        snprintf(check->message, check->size, "Parameter '%.100s' is unexpected", name);
        return false;
    }
    check->depth--;
    return true;
}

bool qmp_members_check(const char *members, json_object *object, char *message, size_t size) {
    Check check = {message, size, 0};
    return check_members(&check, members, object);
}

json_object *qmp_pack(const char *members, ...) {
    json_object *object = json_object_new_object();
    QmpMember member;
    va_list arguments;
    va_start(arguments, members);
    while (qmp_member_next(&members, &member)) {
        json_object *value = NULL;
        const char *text;
        switch (member.type[0]) {
        case 'b':
            value = json_object_new_boolean(va_arg(arguments, int));
            break;
        case 'i':
            value = json_object_new_int64(va_arg(arguments, int64_t));
            break;
        case 'n':
            value = json_object_new_double(va_arg(arguments, double));
            break;
        case 's':
            text = va_arg(arguments, const char *);
            value = text != NULL ? json_object_new_string(text) : NULL;
            break;
        default:
            value = va_arg(arguments, json_object *);
            break;
        }
        if (value != NULL)
            json_object_object_add(object, member.name, value);
    }
    va_end(arguments);
    return object;
}

#include "key_values.h"

#ifdef REPRISE_HAVE_JSON

#include <json.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_KEY 128

static bool add_object(KeyValues *values, const char *prefix, json_object *object, Error *error);

static bool add_list(KeyValues *values, const char *key, json_object *list, Error *error);

static bool add_member(KeyValues *values, const char *key, json_object *value, Error *error) {
    switch (json_object_get_type(value)) {
    case json_type_null:
        return true;
    case json_type_boolean:
        key_values_set(values, key, json_object_get_boolean(value) ? "on" : "off");
        return true;
    case json_type_object:
        return add_object(values, key, value, error);
    case json_type_array:
        return add_list(values, key, value, error);
    default: /* strings and numbers */
        key_values_set(values, key, json_object_get_string(value));
        return true;
    }
}

static bool add_list(KeyValues *values, const char *key, json_object *list, Error *error) {
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        char numbered[LONGEST_KEY];
        if (snprintf(numbered, sizeof(numbered), "%s.%zu", key, i) >= (int)sizeof(numbered))
            return error_set(error, "a name in the JSON value is too long");
        if (!add_member(values, numbered, json_object_array_get_idx(list, i), error))
            return false;
    }
    return true;
}

static bool add_object(KeyValues *values, const char *prefix, json_object *object, Error *error) {
    json_object_object_foreach(object, name, value) {
        char key[LONGEST_KEY];
        int length = snprintf(key, sizeof(key), "%s%s%s", prefix, *prefix ? "." : "", name);
        if (length >= (int)sizeof(key) || *name == '\0')
            return error_set(error, "a name in the JSON value is empty or too long");
        if (!add_member(values, key, value, error))
            return false;
    }
    return true;
}

bool key_values_parse_json(KeyValues *values, const char *text, Error *error) {
    json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    json_object *object = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    enum json_tokener_error problem = json_tokener_get_error(tokener);
    bool good;
    if (problem != json_tokener_success)
        good =
            error_set(error, "the JSON value cannot be read: %s", json_tokener_error_desc(problem));
    else if (json_object_get_type(object) != json_type_object)
        good = error_set(error, "the JSON value is no object");
    else
        good = add_object(values, "", object, error);
    json_object_put(object);
    json_tokener_free(tokener);
    return good;
}

#else

bool key_values_parse_json(KeyValues *values, const char *text, Error *error) {
    (void)values;
    (void)text;
    return error_set(error, "this build reads no JSON values; write key=value,...");
}

#endif

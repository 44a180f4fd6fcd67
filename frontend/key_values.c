#include "key_values.h"
#include "nearest_name.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void key_values_set(KeyValues *values, const char *key, const char *value) {
    if (values->count == values->capacity) {
        values->capacity = values->capacity == 0 ? 8 : values->capacity * 2;
        values->items = realloc(values->items, (size_t)values->capacity * sizeof(KeyValue));
    }
    values->items[values->count++] = (KeyValue){.key = strdup(key), .value = strdup(value)};
}

void key_values_free(KeyValues *values) {
    for (int i = 0; i < values->count; i++) {
        free(values->items[i].key);
        free(values->items[i].value);
    }
    free(values->items);
    *values = (KeyValues){.items = NULL};
}

/* Copies up to the next single comma, with ',,' as ','; returns what follows that comma, or NULL at
 * the end. */
static const char *take_part(const char *text, char *part) {
    while (*text != '\0') {
        if (*text == ',') {
            if (text[1] != ',') {
                *part = '\0';
                return text + 1;
            }
            text++;
        }
        *part++ = *text++;
    }
    *part = '\0';
    return NULL;
}

static bool add_part(KeyValues *values, char *part, const char *implied_key, Error *error) {
    char *equals = strchr(part, '=');
    if (implied_key != NULL && (equals == NULL || equals == part)) {
        key_values_set(values, implied_key, part);
    } else if (equals == part || *part == '\0') {
        return error_set(error, "a name is missing before '=' or ','");
    } else if (equals != NULL) {
        *equals = '\0';
        key_values_set(values, part, equals + 1);
    } else if (strncmp(part, "no", 2) == 0 && part[2] != '\0') {
        key_values_set(values, part + 2, "off");
    } else {
        key_values_set(values, part, "on");
    }
    return true;
}

bool key_values_parse(KeyValues *values, const char *text, const char *implied_key, Error *error) {
    if (*text == '{')
        return key_values_parse_json(values, text, error);
    char *part = malloc(strlen(text) + 1);
    bool good = true;
    while (good && text != NULL && *text != '\0') {
        text = take_part(text, part);
        good = add_part(values, part, implied_key, error);
        implied_key = NULL;
    }
    free(part);
    return good;
}

const char *key_values_get(KeyValues *values, const char *key) {
    const char *last = NULL;
    for (int i = 0; i < values->count; i++) {
        if (strcmp(values->items[i].key, key) == 0) {
            values->items[i].used = true;
            last = values->items[i].value;
        }
    }
    return last;
}

const char *key_values_get_nth(KeyValues *values, const char *key, unsigned number) {
    char numbered[128];
    unsigned seen = 0;
    for (int i = 0; i < values->count; i++) {
        if (strcmp(values->items[i].key, key) == 0 && seen++ == number) {
            values->items[i].used = true;
            return values->items[i].value;
        }
    }
    snprintf(numbered, sizeof(numbered), "%s.%u", key, number - seen);
    const char *value = key_values_get(values, numbered);
    if (value != NULL)
        return value;
    snprintf(numbered, sizeof(numbered), "%s.%u.str", key, number - seen);
    return key_values_get(values, numbered);
}

bool key_values_get_bool(KeyValues *values, const char *key, bool otherwise, bool *result,
                         Error *error) {
    static const char *const words[2][5] = {{"off", "no", "false", "n", "0"},
                                            {"on", "yes", "true", "y", "1"}};
    const char *value = key_values_get(values, key);
    *result = otherwise;
    if (value == NULL)
        return true;
    for (int i = 0; i < 10; i++) {
        if (strcmp(value, words[i / 5][i % 5]) == 0) {
            *result = i >= 5;
            return true;
        }
    }
    return error_set(error, "'%s' takes on or off, not '%s'", key, value);
}

bool parse_number(const char *text, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && strchr(text, '-') == NULL;
}

/* The shift of a binary suffix; -1 if the letter is none. */
static int suffix_shift(char letter) {
    switch (letter) {
    case 'b':
    case 'B':
        return 0;
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    case 't':
    case 'T':
        return 40;
    default:
        return -1;
    }
}

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes) {
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    double number = strtod(text, &end);
    double scale = (double)unit;
    if (*end != '\0') {
        int shift = suffix_shift(*end);
        if (shift < 0)
            return false;
        scale = (double)(1ull << shift);
        end++;
        if (*end == 'i' || *end == 'I')
            end++;
        if (shift > 0 && (*end == 'b' || *end == 'B'))
            end++;
    }
    if (*end != '\0' || !isfinite(number) || number * scale >= 18e18)
        return false;
    *bytes = (uint64_t)(number * scale);
    return true;
}

bool key_values_get_number(KeyValues *values, const char *key, uint64_t otherwise, uint64_t *result,
                           Error *error) {
    const char *value = key_values_get(values, key);
    *result = otherwise;
    return value == NULL || parse_number(value, result) ||
           error_set(error, "'%s' takes a number, not '%s'", key, value);
}

bool key_values_get_size(KeyValues *values, const char *key, uint64_t otherwise, uint64_t *result,
                         Error *error) {
    const char *value = key_values_get(values, key);
    *result = otherwise;
    return value == NULL || parse_size(value, 1, result) ||
           error_set(error, "'%s' takes a size such as 64M, not '%s'", key, value);
}

static const char *find_nearest_word(const char *wanted, const char *words, char *word,
                                     size_t word_size) {
    NearestName nearest = {.wanted = wanted};
    char *copy = strdup(words);
    char *rest = NULL;
    for (char *name = strtok_r(copy, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
        nearest_name_consider(&nearest, name);
    const char *best = nearest_name_get(&nearest);
    if (best != NULL)
        snprintf(word, word_size, "%s", best);
    free(copy);
    return best == NULL ? NULL : word;
}

bool key_values_check_used(const KeyValues *values, const char *known, Error *error) {
    char word[64];
    for (int i = 0; i < values->count; i++) {
        if (values->items[i].used)
            continue;
        const char *key = values->items[i].key;
        if (find_nearest_word(key, known, word, sizeof(word)) != NULL)
            return error_set(error, "unknown setting '%s'; did you mean '%s'?", key, word);
        return error_set(error, "unknown setting '%s'; known are: %s", key, known);
    }
    return true;
}

bool key_is_among(const char *word, const char *words) {
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* The one form that every option's value takes inside: an ordered dictionary of strings, from
 * 'key=value,...'. */
#ifndef REPRISE_KEY_VALUES_H
#define REPRISE_KEY_VALUES_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct KeyValue {
    char *key;
    char *value;
    bool used; /* somebody asked for it; key_values_check_used() complains about the rest */
} KeyValue;

typedef struct KeyValues {
    KeyValue *items;
    int count, capacity;
} KeyValues;

/* Parses 'key=value,key=value'. Two commas in a value stand for one. A first part without '=' is
 * the value of 'implied_key' where that is not NULL; elsewhere 'flag' means flag=on and 'noflag'
 * flag=off. A key that appears twice keeps its last value. A text that begins with '{' is JSON. */
bool key_values_parse(KeyValues *values, const char *text, const char *implied_key, Error *error);
/* A JSON object, as libvirt writes option values: {"driver":"ide-hd","unit":0}. Objects within it
 * become dotted keys ("file.filename"), lists numbered ones ("hostfwd.0"), true and false on and
 * off; what is null is left out. */
bool key_values_parse_json(KeyValues *values, const char *text, Error *error);
void key_values_free(KeyValues *values);

/* Keeps what the key had before for key_values_get_nth(). */
void key_values_set(KeyValues *values, const char *key, const char *value);

/* The value, or NULL; it belongs to the dictionary. */
const char *key_values_get(KeyValues *values, const char *key);
/* The value that a key has for the n-th time, or of "key.n" and "key.n.str" (lists in JSON). */
const char *key_values_get_nth(KeyValues *values, const char *key, unsigned number);

/* The same as bool (on, off, yes, no, true, false), as number with base prefix, as size with suffix
 * K, M, G or T. What is absent gives 'otherwise'; what cannot be read is an error that names the
 * key. */
bool key_values_get_bool(KeyValues *values, const char *key, bool otherwise, bool *result,
                         Error *error);
bool key_values_get_number(KeyValues *values, const char *key, uint64_t otherwise, uint64_t *result,
                           Error *error);
bool key_values_get_size(KeyValues *values, const char *key, uint64_t otherwise, uint64_t *result,
                         Error *error);

/* An error if a key was given that nobody asked for; names the nearest of 'known' (separated by
 * spaces). */
bool key_values_check_used(const KeyValues *values, const char *known, Error *error);

/* Whether 'words', which spaces separate, have the word. */
bool key_is_among(const char *word, const char *words);

/* "512", "64M", "1.5G": a number of 'unit' bytes where no suffix stands. */
bool parse_size(const char *text, uint64_t unit, uint64_t *bytes);
/* Decimal, 0x hexadecimal or 0 octal, nothing after it. */
bool parse_number(const char *text, uint64_t *number);

#endif

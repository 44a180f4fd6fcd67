/* What the two directions of lua_transfer share: the format, and where the baseline is kept.
 *
 *     number of objects, their shells
 *     number of bodies, then of each: the object's number and its content
 *     number of metatables, then of each: the object's number and a value
 *     number of changed fields, then of each: table, key, value
 *     number of values, the values
 *
 * Shells come first, so that content can name any object; and nothing is nested, so that a list of
 * a million links needs no stack. Numbers are little-endian, of 4 bytes. */
#ifndef REPRISE_LUA_TRANSFER_INTERNAL_H
#define REPRISE_LUA_TRANSFER_INTERNAL_H

typedef enum ValueTag {
    VALUE_NIL,
    VALUE_FALSE,
    VALUE_TRUE,
    VALUE_INTEGER,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_OBJECT, /* then its number */
} ValueTag;

typedef enum ShellTag {
    SHELL_TABLE,    /* body: number of pairs, then keys and values */
    SHELL_FUNCTION, /* then its code; body: number of upvalues, then cells */
    SHELL_NAMED,    /* then its name in the baseline; no body */
    SHELL_HOOK,     /* then what the hook wrote; no body */
} ShellTag;

/* Fields of the registry. Object to name, name to object; table to a copy of its first fields. */
#define BASELINE_NAMES "reprise.baseline.names"
#define BASELINE_OBJECTS "reprise.baseline.objects"
#define BASELINE_FIELDS "reprise.baseline.fields"

#endif

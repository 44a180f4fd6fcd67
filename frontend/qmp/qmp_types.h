/* What goes over the wire: every type of arguments and answers by name, in one table, from which
 * arguments are checked and query-qmp-schema is made. */
#ifndef REPRISE_QMP_TYPES_H
#define REPRISE_QMP_TYPES_H

#include <json.h>
#include <stdbool.h>

/* 'members' is, for an object, a list "name:type *optional:type many:[type]", where "..." stands
 * for more that its reader checks; for an enumeration "=value value value". Besides the types of
 * the table there are str, int, number, bool and any. */
typedef struct QmpType {
    const char *name;
    const char *members;
} QmpType;

/* Ends with a row without name. qmp_type_table.c */
extern const QmpType qmp_types[];
const QmpType *qmp_type_find(const char *name);

#define QMP_WORD_BYTES 64

typedef struct QmpMember {
    char name[QMP_WORD_BYTES];
    char type[QMP_WORD_BYTES]; /* without the brackets of a list */
    bool optional, is_list;
} QmpMember;

/* Reads the next of an object's members and moves on; false at the end, or at "...". */
bool qmp_member_next(const char **members, QmpMember *member);
/* Reads the next value of an enumeration; '*values' is first behind the "=". */
bool qmp_value_next(const char **values, char value[QMP_WORD_BYTES]);
/* Whether more members than those listed are allowed. */
bool qmp_members_are_open(const char *members);

/* Whether 'object' has the members, and no others; else 'message' says what is wrong, in QEMU's
 * words. */
bool qmp_members_check(const char *members, json_object *object, char *message, size_t size);

/* Makes an object: 'members' is "name:b name:i name:s name:n name:o" for bool, int64_t, a string,
 * a double and another object, which follow as arguments. What is NULL is left out. */
json_object *qmp_pack(const char *members, ...);

#endif

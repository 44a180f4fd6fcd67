/* Field tables: the one description of a device's State.
 *
 * Snapshot, restore, state hash, 'info' and a test's state diff all walk the same table. A State
 * holds plain data: no pointers, padding zeroed. field_table_find_gap() names the first byte that
 * no field covers (a test fails on it). */
#ifndef REPRISE_FIELD_H
#define REPRISE_FIELD_H

#include "byte_buffer.h"
#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FieldType {
    FIELD_U8, /* bool counts as U8 */
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,    /* int64_t too */
    FIELD_BYTES,  /* opaque memory: a sector buffer, a palette */
    FIELD_STRUCT, /* 'table' describes each of 'count' elements */
    FIELD_PAD,    /* named padding: always written as zero */
} FieldType;

struct FieldTable;

typedef struct Field {
    const char *name;
    FieldType type;
    uint32_t offset;
    uint32_t element_size; /* bytes of one element */
    uint32_t count;        /* elements; 1 for a scalar */
    const struct FieldTable *table;
} Field;

typedef struct FieldTable {
    const char *name;
    uint32_t version; /* raised whenever the meaning of a field changes */
    uint32_t state_size;
    const Field *fields; /* ends with a NULL name */
} FieldTable;

#define FIELD_OFFSET_(state, member) ((uint32_t)offsetof(state, member))
#define FIELD_MEMBER_(state, member) (((state *)0)->member)

/* One row: FIELD(PitState, U16, latch) for a scalar, FIELD_ARRAY(FdcState, U8, fifo) for an array
 * of scalars, FIELD_BYTES_OF(VgaState, palette), FIELD_STRUCTS(PitState, channel,
 * &pit_channel_fields) for an array of structs. */
#define FIELD(state, type, member)                                                                 \
    {                                                                                              \
#member, FIELD_##type, FIELD_OFFSET_(state, member), sizeof(FIELD_MEMBER_(state, member)), \
            1, NULL                                                                                \
    }
#define FIELD_ARRAY(state, type, member)                                                           \
    {                                                                                              \
#member, FIELD_##type, FIELD_OFFSET_(state, member),                                       \
            sizeof(FIELD_MEMBER_(state, member)[0]),                                               \
            sizeof(FIELD_MEMBER_(state, member)) / sizeof(FIELD_MEMBER_(state, member)[0]), NULL   \
    }
#define FIELD_BYTES_OF(state, member)                                                              \
    {                                                                                              \
#member, FIELD_BYTES, FIELD_OFFSET_(state, member), sizeof(FIELD_MEMBER_(state, member)),  \
            1, NULL                                                                                \
    }
#define FIELD_STRUCTS(state, member, table_of_element)                                             \
    {                                                                                              \
#member, FIELD_STRUCT, FIELD_OFFSET_(state, member),                                       \
            sizeof(FIELD_MEMBER_(state, member)[0]),                                               \
            sizeof(FIELD_MEMBER_(state, member)) / sizeof(FIELD_MEMBER_(state, member)[0]),        \
            table_of_element                                                                       \
    }
#define FIELD_ONE_STRUCT(state, member, table_of_element)                                          \
    {                                                                                              \
#member, FIELD_STRUCT, FIELD_OFFSET_(state, member), sizeof(FIELD_MEMBER_(state, member)), \
            1, table_of_element                                                                    \
    }
#define FIELD_PADDING(state, member)                                                               \
    {                                                                                              \
#member, FIELD_PAD, FIELD_OFFSET_(state, member), sizeof(FIELD_MEMBER_(state, member)), 1, \
            NULL                                                                                   \
    }
#define FIELD_END                                                                                  \
    { NULL, FIELD_U8, 0, 0, 0, NULL }

/* Appends the state, field by field, little-endian on every host, headed by the table's name and
 * version. */
void field_table_save(const FieldTable *table, const void *state, ByteBuffer *buffer);

/* Reads what field_table_save() wrote. On a mismatch or a cut buffer the state is untouched and
 * 'error' says why. */
bool field_table_load(const FieldTable *table, void *state, ByteReader *reader, Error *error);

/* 64-bit hash of the state through the table (the same on every host). */
uint64_t field_table_hash(const FieldTable *table, const void *state);

/* Offset of the first byte of State that no field covers, or that two cover; -1 if every byte is
 * covered once. */
int64_t field_table_find_gap(const FieldTable *table);

/* Writes "name = value" lines for all fields (BYTES as a hash), for 'info' and for state diffs. */
void field_table_print(const FieldTable *table, const void *state, ByteBuffer *text);

/* The first field in which two states differ, as "name[3].sub: a != b", into 'text'; false if they
 * are equal. */
bool field_table_diff(const FieldTable *table, const void *a, const void *b, char *text,
                      size_t text_size);

#endif

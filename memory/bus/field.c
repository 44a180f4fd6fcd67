#include "field.h"
#include "allocate.h"
#include "little_endian.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a scalar; 0 for the types that are none. */
static unsigned scalar_size(FieldType type) {
    static const unsigned sizes[] = {
        [FIELD_U8] = 1,  [FIELD_U16] = 2, [FIELD_U32] = 4,
        [FIELD_U64] = 8, [FIELD_PAD] = 0, /* and BYTES, STRUCT */
    };
    return sizes[type];
}

/* A scalar of the State, which is in the host's byte order. */
static uint64_t scalar_get(const void *from, unsigned size) {
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1:
        return *(const uint8_t *)from;
    case 2:
        memcpy(&u16, from, sizeof u16);
        return u16;
    case 4:
        memcpy(&u32, from, sizeof u32);
        return u32;
    default:
        memcpy(&u64, from, sizeof u64);
        return u64;
    }
}

static void scalar_put(void *to, unsigned size, uint64_t value) {
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (size) {
    case 1:
        *(uint8_t *)to = (uint8_t)value;
        break;
    case 2:
        memcpy(to, &u16, sizeof u16);
        break;
    case 4:
        memcpy(to, &u32, sizeof u32);
        break;
    default:
        memcpy(to, &value, sizeof value);
        break;
    }
}

static const uint8_t *element_at(const Field *field, const void *state, uint32_t index) {
    return (const uint8_t *)state + field->offset + (size_t)index * field->element_size;
}

static void save_fields(const FieldTable *table, const void *state, ByteBuffer *buffer) {
    for (const Field *field = table->fields; field->name != NULL; field++) {
        if (field->type == FIELD_PAD)
            continue;
        if (field->type == FIELD_STRUCT)
            byte_buffer_append_le(buffer, field->table->version, 4);
        for (uint32_t i = 0; i < field->count; i++) {
            const uint8_t *element = element_at(field, state, i);
            if (field->type == FIELD_STRUCT)
                save_fields(field->table, element, buffer);
            else if (field->type == FIELD_BYTES)
                byte_buffer_append(buffer, element, field->element_size);
            else
                byte_buffer_append_le(buffer, scalar_get(element, field->element_size),
                                      field->element_size);
        }
    }
}

void field_table_save(const FieldTable *table, const void *state, ByteBuffer *buffer) {
    size_t length = strlen(table->name);
    byte_buffer_append_le(buffer, length, 2);
    byte_buffer_append(buffer, table->name, length);
    byte_buffer_append_le(buffer, table->version, 4);
    save_fields(table, state, buffer);
}

static bool check_version(const FieldTable *table, ByteReader *reader, Error *error) {
    uint32_t version = (uint32_t)byte_reader_read_le(reader, 4);
    if (reader->failed)
        return error_set(error, "saved state of %s is cut", table->name);
    if (version != table->version)
        return error_set(error, "saved state of %s has version %u, not %u", table->name, version,
                         table->version);
    return true;
}

static bool load_fields(const FieldTable *table, void *state, ByteReader *reader, Error *error) {
    for (const Field *field = table->fields; field->name != NULL; field++) {
        if (field->type == FIELD_PAD)
            continue;
        if (field->type == FIELD_STRUCT && !check_version(field->table, reader, error))
            return false;
        for (uint32_t i = 0; i < field->count; i++) {
            uint8_t *element = (uint8_t *)state + field->offset + (size_t)i * field->element_size;
            if (field->type == FIELD_STRUCT) {
                if (!load_fields(field->table, element, reader, error))
                    return false;
            } else if (field->type == FIELD_BYTES) {
                byte_reader_read(reader, element, field->element_size);
            } else {
                scalar_put(element, field->element_size,
                           byte_reader_read_le(reader, field->element_size));
            }
        }
        if (reader->failed)
            return error_set(error, "saved state of %s is cut at %s", table->name, field->name);
    }
    return true;
}

bool field_table_load(const FieldTable *table, void *state, ByteReader *reader, Error *error) {
    char name[64];
    size_t length = byte_reader_read_le(reader, 2);
    if (length >= sizeof name || !byte_reader_read(reader, name, length))
        return error_set(error, "saved state of %s is cut or damaged", table->name);
    name[length] = 0;
    if (strcmp(name, table->name) != 0)
        return error_set(error, "saved state is that of %s, not of %s", name, table->name);
    if (!check_version(table, reader, error))
        return false;
    /* Zeroed, so that padding is too. */
    void *copy = allocate_zeroed(table->state_size);
    bool loaded = load_fields(table, copy, reader, error);
    if (loaded)
        memcpy(state, copy, table->state_size);
    free(copy);
    return loaded;
}

/* One step of a multiply-and-fold hash: good spread at one multiplication for eight bytes. */
static uint64_t hash_mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9FB21C651E98DF25u;
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *data, size_t size) {
    while (size >= 8) {
        hash = hash_mix(hash, load_le64(data));
        data += 8;
        size -= 8;
    }
    return size > 0 ? hash_mix(hash, load_le(data, (unsigned)size)) : hash;
}

static uint64_t hash_fields(const FieldTable *table, const void *state, uint64_t hash) {
    for (const Field *field = table->fields; field->name != NULL; field++) {
        if (field->type == FIELD_PAD)
            continue;
        for (uint32_t i = 0; i < field->count; i++) {
            const uint8_t *element = element_at(field, state, i);
            if (field->type == FIELD_STRUCT)
                hash = hash_fields(field->table, element, hash);
            else if (field->type == FIELD_BYTES)
                hash = hash_bytes(hash, element, field->element_size);
            else
                hash = hash_mix(hash, scalar_get(element, field->element_size));
        }
    }
    return hash;
}

uint64_t field_table_hash(const FieldTable *table, const void *state) {
    uint64_t hash = hash_bytes(table->version, (const uint8_t *)table->name, strlen(table->name));
    return hash_fields(table, state, hash);
}

/* Marks what one field covers. Offset of what is wrong with it, or -1. */
static int64_t cover_field(const FieldTable *table, const Field *field, uint8_t *covered) {
    unsigned size = scalar_size(field->type);
    uint64_t bytes = (uint64_t)field->element_size * field->count;
    if ((size != 0 && size != field->element_size) || field->offset + bytes > table->state_size)
        return field->offset;
    if (field->type == FIELD_STRUCT) {
        if (field->table == NULL || field->table->state_size != field->element_size)
            return field->offset;
        int64_t gap = field_table_find_gap(field->table);
        if (gap >= 0)
            return field->offset + gap;
    }
    for (uint64_t i = 0; i < bytes; i++) {
        if (covered[field->offset + i])
            return (int64_t)(field->offset + i);
        covered[field->offset + i] = 1;
    }
    return -1;
}

int64_t field_table_find_gap(const FieldTable *table) {
    uint8_t *covered = allocate_zeroed(table->state_size);
    int64_t gap = -1;
    for (const Field *field = table->fields; gap < 0 && field->name != NULL; field++)
        gap = cover_field(table, field, covered);
    for (uint32_t i = 0; gap < 0 && i < table->state_size; i++)
        if (!covered[i])
            gap = i;
    free(covered);
    return gap;
}

/* "part[3]." or "part.": what stands before the names of an inner struct's fields. */
static void join_path(char *inner, size_t size, const char *path, const Field *field,
                      uint32_t index) {
    if (field->count == 1)
        snprintf(inner, size, "%s%s.", path, field->name);
    else
        snprintf(inner, size, "%s%s[%u].", path, field->name, index);
}

static void print_values(const Field *field, const void *state, const char *path,
                         ByteBuffer *text) {
    byte_buffer_print(text, "%s%s =", path, field->name);
    for (uint32_t i = 0; i < field->count; i++) {
        const uint8_t *element = element_at(field, state, i);
        if (field->type == FIELD_BYTES)
            byte_buffer_print(text, " %u bytes, hash %016llx", field->element_size,
                              (unsigned long long)hash_bytes(0, element, field->element_size));
        else
            byte_buffer_print(text, " 0x%llx",
                              (unsigned long long)scalar_get(element, field->element_size));
    }
    byte_buffer_print(text, "\n");
}

static void print_fields(const FieldTable *table, const void *state, const char *path,
                         ByteBuffer *text) {
    for (const Field *field = table->fields; field->name != NULL; field++) {
        if (field->type != FIELD_STRUCT && field->type != FIELD_PAD)
            print_values(field, state, path, text);
        for (uint32_t i = 0; field->type == FIELD_STRUCT && i < field->count; i++) {
            char inner[256];
            join_path(inner, sizeof inner, path, field, i);
            print_fields(field->table, element_at(field, state, i), inner, text);
        }
    }
}

void field_table_print(const FieldTable *table, const void *state, ByteBuffer *text) {
    print_fields(table, state, "", text);
}

typedef struct DiffText {
    char *text;
    size_t size;
} DiffText;

/* 'index' is the element, or the byte of a BYTES field; negative where there is only one. */
static void diff_write(const DiffText *out, const char *path, const Field *field, int64_t index,
                       uint64_t a, uint64_t b) {
    char subscript[24] = "";
    if (index >= 0)
        snprintf(subscript, sizeof subscript, "[%lld]", (long long)index);
    snprintf(out->text, out->size, "%s%s%s: 0x%llx != 0x%llx", path, field->name, subscript,
             (unsigned long long)a, (unsigned long long)b);
}

static bool diff_bytes(const Field *field, const uint8_t *a, const uint8_t *b, const char *path,
                       const DiffText *out) {
    for (uint32_t i = 0; i < field->element_size; i++)
        if (a[i] != b[i]) {
            diff_write(out, path, field, i, a[i], b[i]);
            return true;
        }
    return false;
}

static bool diff_fields(const FieldTable *table, const void *a, const void *b, const char *path,
                        const DiffText *out);

static bool diff_element(const Field *field, const void *a, const void *b, uint32_t index,
                         const char *path, const DiffText *out) {
    const uint8_t *in_a = element_at(field, a, index), *in_b = element_at(field, b, index);
    if (field->type == FIELD_BYTES)
        return diff_bytes(field, in_a, in_b, path, out);
    if (field->type == FIELD_STRUCT) {
        char inner[256];
        join_path(inner, sizeof inner, path, field, index);
        return diff_fields(field->table, in_a, in_b, inner, out);
    }
    uint64_t value_a = scalar_get(in_a, field->element_size);
    uint64_t value_b = scalar_get(in_b, field->element_size);
    if (value_a == value_b)
        return false;
    diff_write(out, path, field, field->count == 1 ? -1 : (int64_t)index, value_a, value_b);
    return true;
}

static bool diff_fields(const FieldTable *table, const void *a, const void *b, const char *path,
                        const DiffText *out) {
    for (const Field *field = table->fields; field->name != NULL; field++)
        for (uint32_t i = 0; field->type != FIELD_PAD && i < field->count; i++)
            if (diff_element(field, a, b, i, path, out))
                return true;
    return false;
}

bool field_table_diff(const FieldTable *table, const void *a, const void *b, char *text,
                      size_t text_size) {
    const DiffText out = {text, text_size};
    return diff_fields(table, a, b, "", &out);
}

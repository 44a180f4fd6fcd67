#include "device.h"
#include "allocate.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_MAXIMUM (sizeof((DeviceList *)0)->entries / sizeof(DeviceEntry))

void device_list_add(DeviceList *list, const DeviceClass *device_class, const char *id,
                     void *device, void *state) {
    assert((size_t)list->count < DEVICES_MAXIMUM);
    for (int i = 0; i < list->count; i++)
        assert(strcmp(list->entries[i].id, id) != 0);
    list->entries[list->count++] = (DeviceEntry){device_class, id, device, state};
}

void device_list_reset(DeviceList *list) {
    for (int i = 0; i < list->count; i++) {
        const DeviceEntry *entry = &list->entries[i];
        if (entry->device_class->reset != NULL)
            entry->device_class->reset(entry->device);
    }
}

void device_list_save(const DeviceList *list, ByteBuffer *buffer) {
    byte_buffer_append_le(buffer, (uint64_t)list->count, 4);
    for (int i = 0; i < list->count; i++) {
        const DeviceEntry *entry = &list->entries[i];
        size_t length = strlen(entry->id);
        byte_buffer_append_le(buffer, length, 2);
        byte_buffer_append(buffer, entry->id, length);
        field_table_save(entry->device_class->fields, entry->state, buffer);
    }
}

/* Reads one device's state into 'copy', which is as large as its State. */
static bool load_one(const DeviceEntry *entry, void *copy, ByteReader *reader, Error *error) {
    char id[64];
    size_t length = byte_reader_read_le(reader, 2);
    if (length >= sizeof id || !byte_reader_read(reader, id, length))
        return error_set(error, "the saved state is cut or damaged before device %s", entry->id);
    id[length] = 0;
    if (strcmp(id, entry->id) != 0)
        return error_set(error, "the saved state holds device %s where this machine has %s", id,
                         entry->id);
    if (!field_table_load(entry->device_class->fields, copy, reader, error))
        return error_prefix(error, "%s: ", entry->id);
    return true;
}

bool device_list_load(DeviceList *list, ByteReader *reader, Error *error) {
    void *copies[DEVICES_MAXIMUM] = {NULL};
    uint64_t count = byte_reader_read_le(reader, 4);
    bool loaded = !reader->failed && count == (uint64_t)list->count;
    if (reader->failed)
        error_set(error, "the saved state is cut before its devices");
    else if (!loaded)
        error_set(error, "the saved state holds %u devices, this machine has %d", (unsigned)count,
                  list->count);
    for (int i = 0; loaded && i < list->count; i++) {
        copies[i] = allocate_zeroed(list->entries[i].device_class->fields->state_size);
        loaded = load_one(&list->entries[i], copies[i], reader, error);
    }
    for (int i = 0; loaded && i < list->count; i++)
        memcpy(list->entries[i].state, copies[i],
               list->entries[i].device_class->fields->state_size);
    for (int i = 0; loaded && i < list->count; i++)
        if (list->entries[i].device_class->restored != NULL)
            list->entries[i].device_class->restored(list->entries[i].device);
    for (int i = 0; i < list->count; i++)
        free(copies[i]);
    return loaded;
}

uint64_t device_list_hash(const DeviceList *list) {
    uint64_t hash = 0;
    for (int i = 0; i < list->count; i++) {
        const DeviceEntry *entry = &list->entries[i];
        hash = hash * 0x9E3779B97F4A7C15u +
               field_table_hash(entry->device_class->fields, entry->state);
    }
    return hash;
}

/* What every device offers to the machine: a name, its state by field table, reset, and what to do
 * after a restore. */
#ifndef REPRISE_DEVICE_H
#define REPRISE_DEVICE_H

#include "byte_buffer.h"
#include "field.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct DeviceClass {
    const char *name; /* QEMU's name where it has one: "isa-fdc", "VGA" */
    const FieldTable *fields;
    void (*reset)(void *device);    /* the RESET pin; may be NULL */
    void (*restored)(void *device); /* State was replaced: derive what Host keeps from it. Timers
                                       are requeued after. May be NULL */
} DeviceClass;

typedef struct DeviceEntry {
    const DeviceClass *device_class;
    const char *id; /* unique in the machine: "pit", "ide0" */
    void *device;   /* the whole device, State and Host */
    void *state;    /* its State */
} DeviceEntry;

/* All devices of a machine in the order in which they were plugged in, which is the order of reset,
 * save and hash. */
typedef struct DeviceList {
    DeviceEntry entries[128];
    int count;
} DeviceList;

void device_list_add(DeviceList *list, const DeviceClass *device_class, const char *id,
                     void *device, void *state);
void device_list_reset(DeviceList *list);
void device_list_save(const DeviceList *list, ByteBuffer *buffer);
/* Loads what device_list_save() wrote into the same set of devices: all of them or, on any error,
 * none. */
bool device_list_load(DeviceList *list, ByteReader *reader, Error *error);
uint64_t device_list_hash(const DeviceList *list);

#endif

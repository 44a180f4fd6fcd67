/* What a device is given to plug itself in: the clock, the ports, memory, and the list that saves
 * and resets it. */
#ifndef REPRISE_DEVICE_CONTEXT_H
#define REPRISE_DEVICE_CONTEXT_H

#include "clock.h"
#include "device.h"
#include "error.h"
#include "physical_map.h"
#include "port_map.h"
#include "trace.h"
#include "wire.h"

/* By convention a chip 'foo' is made by
 *     Foo *foo_create(const DeviceContext *context, <its wires and options>, Error *error);
 * which allocates it zeroed, binds its timers, claims its ports and adds it to the device list;
 * NULL on error. foo_destroy() frees it. Output pins are Wires handed to create; input pins are
 * functions of the form void foo_set_pin(void *foo, int line, int level); so that a Wire can point
 * to them. */
typedef struct DeviceContext {
    VirtualClock *clock;
    PortMap *ports;
    PhysicalMap *memory;
    DeviceList *devices;
    Trace *trace;
} DeviceContext;

#endif

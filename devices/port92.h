/* System control port A of the PS/2, at port 92h: the fast A20 gate and the fast reset. */
#ifndef REPRISE_PORT92_H
#define REPRISE_PORT92_H

#include "device_context.h"

typedef struct Port92 Port92;

/* 'a20': level 1 opens the gate. 'reset' (of the processor) is pulsed. */
Port92 *port92_create(const DeviceContext *context, const Wire *a20, const Wire *reset,
                      Error *error);
void port92_destroy(Port92 *port);

#endif

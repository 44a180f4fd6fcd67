/* The gate that keeps address bit 20 at 0. The keyboard controller and port 92h both move this one
 * latch, and both read it: software that knows only one of them always finds what it expects. */
#ifndef REPRISE_A20_GATE_H
#define REPRISE_A20_GATE_H

#include "device_context.h"

typedef struct A20Gate A20Gate;

A20Gate *a20_gate_create(const DeviceContext *context);
void a20_gate_destroy(A20Gate *gate);

/* Level 1 opens the gate. 'line' is ignored. */
void a20_gate_set_pin(void *gate, int line, int level);

#endif

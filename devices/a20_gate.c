#include "a20_gate.h"
#include "allocate.h"
#include <stdlib.h>

typedef struct A20GateState {
    uint8_t open;
} A20GateState;

static const Field a20_gate_state_fields[] = {
    FIELD(A20GateState, U8, open),
    FIELD_END,
};

static const FieldTable a20_gate_fields = {"a20-gate", 1, sizeof(A20GateState),
                                           a20_gate_state_fields};

struct A20Gate {
    A20GateState state;
    PhysicalMap *memory;
};

void a20_gate_set_pin(void *opaque, int line, int level) {
    A20Gate *gate = opaque;
    (void)line;
    gate->state.open = level != 0;
    physical_map_set_a20(gate->memory, gate->state.open);
}

static void a20_gate_reset(void *gate) {
    a20_gate_set_pin(gate, 0, 1);
}

static void a20_gate_restored(void *opaque) {
    A20Gate *gate = opaque;
    physical_map_set_a20(gate->memory, gate->state.open);
}

static const DeviceClass a20_gate_class = {
    "a20-gate",
    &a20_gate_fields,
    a20_gate_reset,
    a20_gate_restored,
};

A20Gate *a20_gate_create(const DeviceContext *context) {
    A20Gate *gate = allocate_zeroed(sizeof *gate);
    gate->memory = context->memory;
    device_list_add(context->devices, &a20_gate_class, "a20", gate, &gate->state);
    a20_gate_reset(gate);
    return gate;
}

void a20_gate_destroy(A20Gate *gate) {
    free(gate);
}

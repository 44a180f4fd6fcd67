#include "parallel.h"
#include "allocate.h"
#include <stdlib.h>

enum {
    REGISTER_DATA = 0,
    REGISTER_STATUS = 1,
    REGISTER_CONTROL = 2,
    REGISTERS = 3,
};

enum {
    STATUS_UNUSED = 0x07,
    STATUS_NO_ERROR = 0x08,
    STATUS_SELECTED = 0x10,
    STATUS_PAPER_OUT = 0x20,
    STATUS_NOT_ACKNOWLEDGE = 0x40,
    STATUS_NOT_BUSY = 0x80,
    CONTROL_STROBE = 0x01,
    CONTROL_INTERRUPT = 0x10,
    CONTROL_INPUT = 0x20,
    CONTROL_WRITABLE = 0x3F,
    CONTROL_UNUSED = 0xC0,
};

/* How long after the strobe the printer's ACK# interrupts. */
#define ACKNOWLEDGE_NS 10000

typedef struct ParallelState {
    int64_t ready_due_ns;
    int64_t acknowledge_ns; /* when the last byte's ACK# comes */
    uint8_t data, control;
    uint8_t acknowledging; /* a byte was taken, and no reading of the status told so yet */
    uint8_t padding[5];
} ParallelState;

static const Field parallel_state_fields[] = {
    FIELD(ParallelState, U64, ready_due_ns),
    FIELD(ParallelState, U64, acknowledge_ns),
    FIELD(ParallelState, U8, data),
    FIELD(ParallelState, U8, control),
    FIELD(ParallelState, U8, acknowledging),
    FIELD_PADDING(ParallelState, padding),
    FIELD_END,
};

static const FieldTable parallel_fields = {"parallel", 3, sizeof(ParallelState),
                                           parallel_state_fields};

struct ParallelPort {
    ParallelState state;
    const VirtualClock *clock;
    ParallelOptions options;
    Timer ready;
};

static void parallel_ready_due(void *opaque) {
    ParallelPort *port = opaque;
    if (port->state.control & CONTROL_INTERRUPT)
        wire_pulse(&port->options.irq);
}

/* BIOSes wait for ACK# low with a time limit of seconds, and give up if they come too late for the
 * pulse of a few microseconds. So it lasts until somebody has seen it: the first reading of the
 * status after the strobe. */
static uint8_t parallel_status(ParallelPort *port) {
    if (port->options.write == NULL) /* nothing pulls the lines: busy, out of paper, not selected */
        return STATUS_UNUSED | STATUS_NOT_ACKNOWLEDGE | STATUS_PAPER_OUT | STATUS_NO_ERROR;
    uint8_t status = STATUS_UNUSED | STATUS_NO_ERROR | STATUS_SELECTED;
    if (!port->state.acknowledging)
        return status | STATUS_NOT_BUSY | STATUS_NOT_ACKNOWLEDGE;
    if (port->state.control & CONTROL_STROBE)
        return status | STATUS_NOT_ACKNOWLEDGE;
    port->state.acknowledging = 0;
    return status;
}

static uint32_t parallel_read(void *opaque, uint32_t offset, unsigned size) {
    ParallelPort *port = opaque;
    (void)size;
    if (offset == REGISTER_DATA) /* turned round, the lines are not driven */
        return port->state.control & CONTROL_INPUT ? 0xFF : port->state.data;
    return offset == REGISTER_STATUS ? parallel_status(port) : port->state.control | CONTROL_UNUSED;
}

/* An event only where somebody would hear of it: programs print millions of bytes. */
static void parallel_arm_acknowledge(ParallelPort *port) {
    if ((port->state.control & CONTROL_INTERRUPT) &&
        port->state.acknowledge_ns > clock_now_ns(port->clock))
        timer_arm(&port->ready, port->state.acknowledge_ns);
}

static void parallel_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    ParallelPort *port = opaque;
    ParallelState *state = &port->state;
    (void)size;
    if (offset == REGISTER_DATA)
        state->data = (uint8_t)value;
    if (offset != REGISTER_CONTROL)
        return;
    bool strobes = (value & CONTROL_STROBE) && !(state->control & CONTROL_STROBE);
    state->control = value & CONTROL_WRITABLE;
    if (strobes && port->options.write != NULL) {
        port->options.write(port->options.opaque, state->data);
        state->acknowledging = 1;
        state->acknowledge_ns = clock_now_ns(port->clock) + ACKNOWLEDGE_NS;
    }
    parallel_arm_acknowledge(port);
}

static void parallel_reset(void *opaque) {
    ParallelPort *port = opaque;
    timer_cancel(&port->ready);
    port->state.acknowledge_ns = 0;
    port->state.data = 0;
    port->state.control = 0;
    port->state.acknowledging = 0;
}

static const DeviceClass parallel_class = {"isa-parallel", &parallel_fields, parallel_reset, NULL};

ParallelPort *parallel_create(const DeviceContext *context, const ParallelOptions *options,
                              Error *error) {
    ParallelPort *port = allocate_zeroed(sizeof *port);
    const PortRange range = {"parallel",    options->port,  REGISTERS, PORT_8,
                             parallel_read, parallel_write, port};
    if (!port_map_add(context->ports, &range, error)) {
        free(port);
        return NULL;
    }
    port->clock = context->clock;
    port->options = *options;
    timer_init(&port->ready, context->clock, "parallel ready", &port->state.ready_due_ns,
               parallel_ready_due, port);
    device_list_add(context->devices, &parallel_class, options->id, port, &port->state);
    return port;
}

void parallel_destroy(ParallelPort *port) {
    free(port);
}

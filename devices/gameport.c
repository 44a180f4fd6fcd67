#include "gameport.h"
#include "allocate.h"
#include <stdlib.h>

enum { PORT = 0x200, PORTS = 8, AXIS_MAX = 255 };

/* A write lets the capacitors charge; a bit falls after 24.2 us + 0.011 us an ohm, of 0 to 100
 * kiloohms (adapter's manual). */
#define LEAST_NS 24200
#define OHM_NS 11
#define OHMS 100000

typedef struct GameportState {
    int64_t end_ns[GAMEPORT_AXES];   /* when each one-shot is over */
    int16_t position[GAMEPORT_AXES]; /* GAMEPORT_UNPLUGGED or 0 to AXIS_MAX */
    uint8_t buttons;                 /* a bit each, set while down */
    uint8_t padding[7];
} GameportState;

static const Field gameport_rows[] = {
    FIELD_ARRAY(GameportState, U64, end_ns),
    FIELD_ARRAY(GameportState, U16, position),
    FIELD(GameportState, U8, buttons),
    FIELD_PADDING(GameportState, padding),
    FIELD_END,
};

static const FieldTable gameport_fields = {"gameport", 1, sizeof(GameportState), gameport_rows};

struct Gameport {
    GameportState state;
    const VirtualClock *clock;
};

/* Bits 0 to 3 the one-shots, 4 to 7 the buttons, low while down. An axis without a joystick never
 * gets there. */
static uint32_t gameport_read(void *opaque, uint32_t offset, unsigned size) {
    const Gameport *port = opaque;
    int64_t now_ns = clock_now_ns(port->clock);
    uint32_t value = (uint32_t)(~port->state.buttons & 15) << 4;
    (void)offset, (void)size;
    for (unsigned axis = 0; axis < GAMEPORT_AXES; axis++)
        if (now_ns < port->state.end_ns[axis])
            value |= 1u << axis;
    return value;
}

static void gameport_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Gameport *port = opaque;
    int64_t now_ns = clock_now_ns(port->clock);
    (void)offset, (void)size, (void)value;
    for (unsigned axis = 0; axis < GAMEPORT_AXES; axis++) {
        int64_t position = port->state.position[axis];
        bool charges = now_ns < port->state.end_ns[axis];
        if (position < 0)
            port->state.end_ns[axis] = TIMER_NEVER;
        else if (!charges)
            port->state.end_ns[axis] = now_ns + LEAST_NS + position * OHMS / AXIS_MAX * OHM_NS;
    }
}

void gameport_set_axis(Gameport *port, unsigned axis, int position) {
    if (axis >= GAMEPORT_AXES)
        return;
    if (port->state.position[axis] < 0) /* it charges from now on */
        port->state.end_ns[axis] = 0;
    port->state.position[axis] = (int16_t)(position < 0          ? GAMEPORT_UNPLUGGED
                                           : position > AXIS_MAX ? AXIS_MAX
                                                                 : position);
}

void gameport_set_button(Gameport *port, unsigned button, bool down) {
    if (button >= GAMEPORT_BUTTONS)
        return;
    uint8_t bit = (uint8_t)(1u << button);
    port->state.buttons = down ? port->state.buttons | bit : port->state.buttons & (uint8_t)~bit;
}

static const DeviceClass gameport_class = {"gameport", &gameport_fields, NULL, NULL};

Gameport *gameport_create(const DeviceContext *context, Error *error) {
    Gameport *port = allocate_zeroed(sizeof *port);
    const PortRange range = {"gameport", PORT, PORTS, PORT_8, gameport_read, gameport_write, port};
    if (!port_map_add(context->ports, &range, error)) {
        free(port);
        return NULL;
    }
    port->clock = context->clock;
    for (unsigned axis = 0; axis < GAMEPORT_AXES; axis++)
        port->state.position[axis] = GAMEPORT_UNPLUGGED;
    device_list_add(context->devices, &gameport_class, "gameport", port, &port->state);
    return port;
}

void gameport_destroy(Gameport *port) {
    free(port);
}

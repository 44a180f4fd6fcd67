#include "ps2_mouse.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum {
    CODE_ACKNOWLEDGE = 0xFA,
    CODE_ERROR = 0xFC,
    CODE_RESEND = 0xFE,
    CODE_TEST_PASSED = 0xAA,
};

enum {
    COMMAND_SCALING_1_1 = 0xE6,
    COMMAND_SCALING_2_1 = 0xE7,
    COMMAND_RESOLUTION = 0xE8,
    COMMAND_STATUS = 0xE9,
    COMMAND_STREAM = 0xEA,
    COMMAND_READ_DATA = 0xEB,
    COMMAND_LEAVE_WRAP = 0xEC,
    COMMAND_WRAP = 0xEE,
    COMMAND_REMOTE = 0xF0,
    COMMAND_IDENTIFY = 0xF2,
    COMMAND_RATE = 0xF3,
    COMMAND_ENABLE = 0xF4,
    COMMAND_DISABLE = 0xF5,
    COMMAND_DEFAULT = 0xF6,
    COMMAND_RESEND = 0xFE,
    COMMAND_RESET = 0xFF,
};

enum { ID_STANDARD = 0, ID_WHEEL = 3, ID_EXPLORER = 4 };

/* Byte 1 of a packet, besides the buttons in bits 0 to 2. */
enum {
    PACKET_ALWAYS = 0x08,
    PACKET_X_NEGATIVE = 0x10,
    PACKET_Y_NEGATIVE = 0x20,
};

#define LONGEST_PACKET 4
#define DEFAULT_RATE 100
/* Movement that no packet has told yet is bounded, so that a guest that does not listen gets no
 * leap later. */
#define PENDING_LIMIT 4096

typedef struct Ps2MouseState {
    int64_t sample_due_ns;
    int32_t dx, dy, dz; /* not told yet; y upwards, as packets have it */
    uint8_t buttons, told_buttons;
    uint8_t enabled; /* data reporting */
    uint8_t remote, wrap;
    uint8_t id;
    uint8_t rate;
    uint8_t resolution;
    uint8_t scaling_2_1;
    uint8_t command;  /* that waits for its parameter; 0: none */
    uint8_t rates[2]; /* the two before the present one: the knock */
    uint8_t last_packet[LONGEST_PACKET];
    uint8_t last_packet_size; /* 0: the last thing sent was an answer */
    uint8_t padding[3];
    Ps2Queue queue;
    uint8_t padding_end[4];
} Ps2MouseState;

static const Field ps2_mouse_state_fields[] = {
    FIELD(Ps2MouseState, U64, sample_due_ns),
    FIELD(Ps2MouseState, U32, dx),
    FIELD(Ps2MouseState, U32, dy),
    FIELD(Ps2MouseState, U32, dz),
    FIELD(Ps2MouseState, U8, buttons),
    FIELD(Ps2MouseState, U8, told_buttons),
    FIELD(Ps2MouseState, U8, enabled),
    FIELD(Ps2MouseState, U8, remote),
    FIELD(Ps2MouseState, U8, wrap),
    FIELD(Ps2MouseState, U8, id),
    FIELD(Ps2MouseState, U8, rate),
    FIELD(Ps2MouseState, U8, resolution),
    FIELD(Ps2MouseState, U8, scaling_2_1),
    FIELD(Ps2MouseState, U8, command),
    FIELD_BYTES_OF(Ps2MouseState, rates),
    FIELD_BYTES_OF(Ps2MouseState, last_packet),
    FIELD(Ps2MouseState, U8, last_packet_size),
    FIELD_PADDING(Ps2MouseState, padding),
    FIELD_ONE_STRUCT(Ps2MouseState, queue, &ps2_queue_fields),
    FIELD_PADDING(Ps2MouseState, padding_end),
    FIELD_END,
};

static const FieldTable ps2_mouse_fields = {"ps2-mouse", 1, sizeof(Ps2MouseState),
                                            ps2_mouse_state_fields};

struct Ps2Mouse {
    Ps2MouseState state;
    const VirtualClock *clock;
    Wire waiting;
    Timer sample;
};

static void mouse_signal(Ps2Mouse *mouse) {
    wire_set(&mouse->waiting, !ps2_queue_is_empty(&mouse->state.queue));
}

/* --- packets -----------------------------------------------------------------------------------
 */

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* Technical reference, 'Scaling': 2:1 in stream mode maps small movements as below, others are
 * doubled. */
static int32_t scale_2_1(int32_t count) {
    static const int32_t scaled[] = {0, 1, 1, 3, 6, 9};
    int32_t size = count < 0 ? -count : count;
    size = size < 6 ? scaled[size] : 2 * size;
    return count < 0 ? -size : size;
}

static unsigned mouse_packet_size(const Ps2MouseState *state) {
    return state->id == ID_STANDARD ? 3 : 4;
}

/* Builds the packet of what was not told yet, as far as it fits one. */
static void mouse_build_packet(Ps2MouseState *state, bool scaled, uint8_t packet[LONGEST_PACKET]) {
    int32_t dx = clamp(state->dx, -255, 255), dy = clamp(state->dy, -255, 255),
            dz = clamp(state->dz, -8, 7);
    state->dx -= dx;
    state->dy -= dy;
    state->dz -= state->id == ID_STANDARD ? state->dz : dz;
    if (scaled) {
        dx = clamp(scale_2_1(dx), -255, 255);
        dy = clamp(scale_2_1(dy), -255, 255);
    }
    packet[0] = PACKET_ALWAYS | (state->buttons & 7);
    packet[0] |= (dx < 0 ? PACKET_X_NEGATIVE : 0) | (dy < 0 ? PACKET_Y_NEGATIVE : 0);
    packet[1] = (uint8_t)dx;
    packet[2] = (uint8_t)dy;
    packet[3] = (uint8_t)dz;
    if (state->id == ID_EXPLORER) /* buttons 4 and 5 above a four-bit wheel */
        packet[3] =
            (uint8_t)((dz & 15) | (state->buttons & (PS2_MOUSE_SIDE | PS2_MOUSE_EXTRA)) << 1);
    state->told_buttons = state->buttons;
    memcpy(state->last_packet, packet, LONGEST_PACKET);
    state->last_packet_size = (uint8_t)mouse_packet_size(state);
}

static bool mouse_has_news(const Ps2MouseState *state) {
    return state->dx != 0 || state->dy != 0 || state->dz != 0 ||
           state->buttons != state->told_buttons;
}

/* In stream mode a packet goes out at most once a sample period, and only when there is something
 * to tell. */
static void mouse_stream(Ps2Mouse *mouse) {
    Ps2MouseState *state = &mouse->state;
    uint8_t packet[LONGEST_PACKET];
    if (!state->enabled || state->remote || state->wrap || !mouse_has_news(state) ||
        timer_is_armed(&mouse->sample))
        return;
    if (ps2_queue_room(&state->queue) >= mouse_packet_size(state)) {
        mouse_build_packet(state, state->scaling_2_1, packet);
        ps2_queue_put(&state->queue, packet, mouse_packet_size(state));
        mouse_signal(mouse);
    }
    int64_t period = NS_PER_SECOND / (state->rate != 0 ? state->rate : DEFAULT_RATE);
    timer_arm(&mouse->sample, clock_now_ns(mouse->clock) + period);
}

static void mouse_sample_due(void *opaque) {
    mouse_stream(opaque);
}

/* --- movements ---------------------------------------------------------------------------------
 */

/* The sum of a bounded value and a host's event, which may be anything. */
static int32_t accumulate(int32_t pending, int64_t moved) {
    int64_t sum = pending + moved;
    return (int32_t)(sum < -PENDING_LIMIT  ? -PENDING_LIMIT
                     : sum > PENDING_LIMIT ? PENDING_LIMIT
                                           : sum);
}

void ps2_mouse_move(Ps2Mouse *mouse, int dx, int dy, int dz) {
    Ps2MouseState *state = &mouse->state;
    if (!state->enabled)
        return;
    state->dx = accumulate(state->dx, dx);
    state->dy = accumulate(state->dy, -(int64_t)dy);
    if (state->id != ID_STANDARD)
        state->dz = accumulate(state->dz, dz);
    mouse_stream(mouse);
}

void ps2_mouse_set_buttons(Ps2Mouse *mouse, unsigned buttons) {
    uint8_t known = PS2_MOUSE_LEFT | PS2_MOUSE_RIGHT | PS2_MOUSE_MIDDLE;
    if (mouse->state.id == ID_EXPLORER)
        known |= PS2_MOUSE_SIDE | PS2_MOUSE_EXTRA;
    mouse->state.buttons = (uint8_t)buttons & known;
    mouse_stream(mouse);
}

void ps2_mouse_poke(Ps2Mouse *mouse) {
    Ps2MouseState *state = &mouse->state;
    uint8_t packet[LONGEST_PACKET];
    if (!state->enabled || state->remote || state->wrap ||
        ps2_queue_room(&state->queue) < mouse_packet_size(state))
        return;
    mouse_build_packet(state, state->scaling_2_1, packet);
    ps2_queue_put(&state->queue, packet, mouse_packet_size(state));
    mouse_signal(mouse);
}

unsigned ps2_mouse_buttons(const Ps2Mouse *mouse) {
    return mouse->state.buttons;
}

bool ps2_mouse_is_enabled(const Ps2Mouse *mouse) {
    return mouse->state.enabled != 0;
}

bool ps2_mouse_is_idle(const Ps2Mouse *mouse) {
    return ps2_queue_is_empty(&mouse->state.queue) && !mouse_has_news(&mouse->state);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static void mouse_forget_movement(Ps2MouseState *state) {
    state->dx = state->dy = state->dz = 0;
    state->told_buttons = state->buttons;
    ps2_queue_clear_events(&state->queue);
}

static void mouse_set_defaults(Ps2MouseState *state) {
    state->enabled = 0;
    state->remote = 0;
    state->wrap = 0;
    state->rate = DEFAULT_RATE;
    state->resolution = 2;
    state->scaling_2_1 = 0;
    state->command = 0;
    mouse_forget_movement(state);
}

/* Sample rates 200, 100, 80 ask for the wheel; 200, 200, 80 for five buttons. */
static void mouse_set_rate(Ps2MouseState *state, uint8_t rate) {
    state->rate = rate;
    if (state->rates[0] == 200 && state->rates[1] == 100 && rate == 80)
        state->id = ID_WHEEL;
    if (state->rates[0] == 200 && state->rates[1] == 200 && rate == 80)
        state->id = ID_EXPLORER;
    state->rates[0] = state->rates[1];
    state->rates[1] = rate;
}

static void mouse_take_parameter(Ps2MouseState *state, uint8_t value) {
    bool valid = true;
    if (state->command == COMMAND_RATE && value != 0)
        mouse_set_rate(state, value);
    else if (state->command == COMMAND_RESOLUTION && value <= 3)
        state->resolution = value;
    else
        valid = false;
    state->command = 0;
    ps2_queue_answer(&state->queue, valid ? CODE_ACKNOWLEDGE : CODE_ERROR);
}

static void mouse_answer_status(Ps2MouseState *state) {
    uint8_t buttons = (uint8_t)((state->buttons & PS2_MOUSE_LEFT) << 2 |
                                (state->buttons & PS2_MOUSE_MIDDLE) >> 1 |
                                (state->buttons & PS2_MOUSE_RIGHT) >> 1);
    ps2_queue_answer(&state->queue, (uint8_t)(state->remote << 6 | state->enabled << 5 |
                                              state->scaling_2_1 << 4 | buttons));
    ps2_queue_answer(&state->queue, state->resolution);
    ps2_queue_answer(&state->queue, state->rate);
}

static void mouse_answer_packet(Ps2MouseState *state) {
    uint8_t packet[LONGEST_PACKET];
    mouse_build_packet(state, false, packet);
    for (unsigned i = 0; i < mouse_packet_size(state); i++)
        ps2_queue_answer(&state->queue, packet[i]);
}

static void mouse_resend(Ps2MouseState *state) {
    if (state->last_packet_size == 0)
        ps2_queue_answer(&state->queue, state->queue.last_sent);
    for (unsigned i = 0; i < state->last_packet_size; i++)
        ps2_queue_answer(&state->queue, state->last_packet[i]);
}

/* Commands whose only answer is the acknowledgement; false if it is none of them. */
static bool mouse_take_setting(Ps2MouseState *state, uint8_t command) {
    switch (command) {
    case COMMAND_SCALING_1_1:
    case COMMAND_SCALING_2_1:
        state->scaling_2_1 = command == COMMAND_SCALING_2_1;
        return true;
    case COMMAND_RESOLUTION:
    case COMMAND_RATE:
        state->command = command;
        return true;
    case COMMAND_STREAM:
    case COMMAND_REMOTE:
        state->remote = command == COMMAND_REMOTE;
        return true;
    case COMMAND_WRAP:
    case COMMAND_LEAVE_WRAP:
        state->wrap = command == COMMAND_WRAP;
        return true;
    case COMMAND_ENABLE:
    case COMMAND_DISABLE:
        state->enabled = command == COMMAND_ENABLE;
        mouse_forget_movement(state);
        return true;
    case COMMAND_DEFAULT:
        mouse_set_defaults(state);
        return true;
    default:
        return false;
    }
}

/* A command ends the packet that is on its way. */
static void mouse_take_command(Ps2MouseState *state, uint8_t command) {
    Ps2Queue *queue = &state->queue;
    ps2_queue_clear(queue);
    if (command == COMMAND_RESEND) {
        mouse_resend(state);
        return;
    }
    state->last_packet_size = 0;
    if (mouse_take_setting(state, command)) {
        ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
        return;
    }
    switch (command) {
    case COMMAND_STATUS:
        ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
        mouse_answer_status(state);
        break;
    case COMMAND_READ_DATA:
        ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
        mouse_answer_packet(state);
        break;
    case COMMAND_IDENTIFY:
        ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
        ps2_queue_answer(queue, state->id);
        break;
    case COMMAND_RESET:
        mouse_set_defaults(state);
        state->id = ID_STANDARD;
        ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
        ps2_queue_answer(queue, CODE_TEST_PASSED);
        ps2_queue_answer(queue, ID_STANDARD);
        break;
    default:
        ps2_queue_answer(queue, CODE_RESEND);
        break;
    }
}

/* --- the cable ---------------------------------------------------------------------------------
 */

static void mouse_write(void *opaque, uint8_t byte) {
    Ps2Mouse *mouse = opaque;
    Ps2MouseState *state = &mouse->state;
    if (state->wrap && byte != COMMAND_RESET && byte != COMMAND_LEAVE_WRAP)
        ps2_queue_answer(&state->queue, byte);
    else if (state->command != 0)
        mouse_take_parameter(state, byte);
    else
        mouse_take_command(state, byte);
    mouse_signal(mouse);
    mouse_stream(mouse);
}

static bool mouse_is_waiting(const void *opaque) {
    const Ps2Mouse *mouse = opaque;
    return !ps2_queue_is_empty(&mouse->state.queue);
}

static uint8_t mouse_take(void *opaque) {
    Ps2Mouse *mouse = opaque;
    return ps2_queue_take(&mouse->state.queue);
}

Ps2Port ps2_mouse_connect(Ps2Mouse *mouse, const Wire *waiting) {
    mouse->waiting = *waiting;
    return (Ps2Port){mouse, mouse_is_waiting, mouse_take, mouse_write};
}

/* --- the device --------------------------------------------------------------------------------
 */

static void ps2_mouse_reset(void *opaque) {
    Ps2Mouse *mouse = opaque;
    mouse_set_defaults(&mouse->state);
    mouse->state.id = ID_STANDARD;
    mouse->state.rates[0] = mouse->state.rates[1] = 0;
    mouse->state.last_packet_size = 0;
    ps2_queue_clear(&mouse->state.queue);
    timer_cancel(&mouse->sample);
    mouse_signal(mouse);
}

static void ps2_mouse_restored(void *opaque) {
    Ps2Mouse *mouse = opaque;
    ps2_queue_restored(&mouse->state.queue);
    if (mouse->state.last_packet_size > LONGEST_PACKET)
        mouse->state.last_packet_size = LONGEST_PACKET;
}

static const DeviceClass ps2_mouse_class = {
    "ps2-mouse",
    &ps2_mouse_fields,
    ps2_mouse_reset,
    ps2_mouse_restored,
};

Ps2Mouse *ps2_mouse_create(const DeviceContext *context, Error *error) {
    (void)error;
    Ps2Mouse *mouse = allocate_zeroed(sizeof *mouse);
    mouse->clock = context->clock;
    timer_init(&mouse->sample, context->clock, "mouse sample", &mouse->state.sample_due_ns,
               mouse_sample_due, mouse);
    device_list_add(context->devices, &ps2_mouse_class, "mouse", mouse, &mouse->state);
    ps2_mouse_reset(mouse);
    return mouse;
}

void ps2_mouse_destroy(Ps2Mouse *mouse) {
    free(mouse);
}

#include "vmware_port.h"
#include "allocate.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

enum {
    COMMAND_GET_PLACE = 4,
    COMMAND_GET_SELECTION_LENGTH = 6,
    COMMAND_GET_NEXT_PIECE = 7,
    COMMAND_SET_SELECTION_LENGTH = 8,
    COMMAND_SET_NEXT_PIECE = 9,
    COMMAND_GET_VERSION = 10,
    COMMAND_GET_MEMORY = 20,
    COMMAND_POINTER_DATA = 39,
    COMMAND_POINTER_STATUS = 40,
    COMMAND_POINTER = 41,
    COMMAND_GET_CLOCKS = 45,
    COMMAND_POINTER_RESTRICT = 86,
    COMMAND_MASK = 0xFFFF,
};
enum { PORT_VERSION = 6, PRODUCT = 2 };

/* Parameters of COMMAND_POINTER. */
#define POINTER_READ_ID 0x45414552u
#define POINTER_DISABLE 0x000000F5u
#define POINTER_RELATIVE 0x4C455252u
#define POINTER_ABSOLUTE 0x53424152u
#define POINTER_ID 0x3442554Au
#define NOTHING UINT32_MAX

enum { STATUS_GOOD = 0, STATUS_ERROR = 0xFFFF };

/* An event: flags and buttons, x, y, wheel. */
enum { EVENT_WORDS = 4, EVENTS = 64, WORDS = EVENTS * EVENT_WORDS };
enum {
    EVENT_RELATIVE = 0x10000,
    EVENT_LEFT = 0x20,
    EVENT_RIGHT = 0x10,
    EVENT_MIDDLE = 0x08,
};

/* A driver that takes one event for each interrupt gets as many as it needs. */
#define POKE_NS 10000000LL

typedef struct VmwarePortState {
    int64_t poke_due_ns;
    uint32_t queue[WORDS]; /* a ring */
    uint32_t x, y;
    uint32_t buttons;                  /* as events tell them */
    uint32_t offered_size, offered_at; /* of the host's text; the guest has read so much */
    uint32_t copied_size, copied_at;   /* of the guest's; so much has come */
    uint16_t first, count;             /* of 'queue' */
    uint16_t status;
    uint8_t absolute; /* events tell places */
    uint8_t padding[5];
    uint8_t offered[VMWARE_SELECTION_BYTES];
    uint8_t copied[VMWARE_SELECTION_BYTES];
} VmwarePortState;

static const Field state_fields[] = {
    FIELD(VmwarePortState, U64, poke_due_ns),
    FIELD_ARRAY(VmwarePortState, U32, queue),
    FIELD(VmwarePortState, U32, x),
    FIELD(VmwarePortState, U32, y),
    FIELD(VmwarePortState, U32, buttons),
    FIELD(VmwarePortState, U32, offered_size),
    FIELD(VmwarePortState, U32, offered_at),
    FIELD(VmwarePortState, U32, copied_size),
    FIELD(VmwarePortState, U32, copied_at),
    FIELD(VmwarePortState, U16, first),
    FIELD(VmwarePortState, U16, count),
    FIELD(VmwarePortState, U16, status),
    FIELD(VmwarePortState, U8, absolute),
    FIELD_PADDING(VmwarePortState, padding),
    FIELD_BYTES_OF(VmwarePortState, offered),
    FIELD_BYTES_OF(VmwarePortState, copied),
    FIELD_END,
};
static const FieldTable vmware_port_fields = {"VMware port", 1, sizeof(VmwarePortState),
                                              state_fields};

struct VmwarePort {
    VmwarePortState state;
    VmwarePortOptions options;
    VirtualClock *clock;
    Timer poke;
    bool used;       /* atomic: a copy of what the mode says */
    bool wants_text; /* atomic */
};

/* --- the queue ---------------------------------------------------------------------------------
 */

static void note_use(VmwarePort *port) {
    const VmwarePortState *state = &port->state;
    __atomic_store_n(&port->used, state->absolute && state->status == STATUS_GOOD,
                     __ATOMIC_RELAXED);
}

bool vmware_port_is_used(const VmwarePort *port) {
    return __atomic_load_n(&port->used, __ATOMIC_RELAXED);
}

bool vmware_port_wants_text(const VmwarePort *port) {
    return __atomic_load_n(&port->wants_text, __ATOMIC_RELAXED);
}

bool vmware_port_is_idle(const VmwarePort *port) {
    return port->state.count == 0;
}

static void interrupt(VmwarePort *port) {
    if (ps2_mouse_is_idle(port->options.mouse))
        ps2_mouse_poke(port->options.mouse);
    if (!timer_is_armed(&port->poke))
        timer_arm(&port->poke, clock_now_ns(port->clock) + POKE_NS);
}

static void poke_due(void *opaque) {
    VmwarePort *port = opaque;
    if (port->state.count > 0 && vmware_port_is_used(port))
        interrupt(port);
}

static void put_word(VmwarePortState *state, uint32_t word) {
    state->queue[(state->first + state->count++) % WORDS] = word;
}

static uint32_t *last_event(VmwarePortState *state, unsigned word) {
    return &state->queue[(state->first + state->count - EVENT_WORDS + word) % WORDS];
}

/* Places that nobody has read yet give way to the newest one, or it would come late. */
static bool join_event(VmwarePortState *state, const uint32_t *event) {
    if (state->count < EVENT_WORDS || state->count % EVENT_WORDS != 0 ||
        *last_event(state, 0) != event[0] || event[3] != 0 || *last_event(state, 3) != 0)
        return false;
    bool is_relative = (event[0] & EVENT_RELATIVE) != 0;
    for (unsigned i = 1; i <= 2; i++)
        *last_event(state, i) = event[i] + (is_relative ? *last_event(state, i) : 0);
    return true;
}

static void tell(VmwarePort *port, uint32_t flags, uint32_t x, uint32_t y, uint32_t wheel) {
    VmwarePortState *state = &port->state;
    const uint32_t event[EVENT_WORDS] = {state->buttons | flags, x, y, wheel};
    if (!vmware_port_is_used(port))
        return;
    if (!join_event(state, event)) {
        if (state->count + EVENT_WORDS > WORDS)
            return;
        for (unsigned i = 0; i < EVENT_WORDS; i++)
            put_word(state, event[i]);
    }
    interrupt(port);
}

void vmware_port_place(VmwarePort *port, uint32_t x, uint32_t y) {
    VmwarePortState *state = &port->state;
    x = x < VMWARE_PLACE_MOST ? x : VMWARE_PLACE_MOST;
    y = y < VMWARE_PLACE_MOST ? y : VMWARE_PLACE_MOST;
    if (x == state->x && y == state->y)
        return;
    state->x = x;
    state->y = y;
    tell(port, 0, x, y, 0);
}

/* As a PS/2 mouse has them, but for the axes: these events have y upwards. */
void vmware_port_move(VmwarePort *port, int32_t dx, int32_t dy, int32_t dz) {
    if (dx != 0 || dy != 0)
        tell(port, EVENT_RELATIVE, (uint32_t)dx, 0u - (uint32_t)dy, 0);
    if (dz != 0)
        tell(port, 0, port->state.x, port->state.y, (uint32_t)dz);
}

void vmware_port_set_buttons(VmwarePort *port, uint32_t buttons) {
    uint32_t told = (buttons & 1 ? EVENT_LEFT : 0u) | (buttons & 2 ? EVENT_RIGHT : 0u) |
                    (buttons & 4 ? EVENT_MIDDLE : 0u);
    if (port->state.buttons == told)
        return;
    port->state.buttons = told;
    tell(port, 0, port->state.x, port->state.y, 0);
}

uint32_t vmware_port_buttons(const VmwarePort *port) {
    uint32_t told = port->state.buttons;
    return (told & EVENT_LEFT ? 1u : 0u) | (told & EVENT_RIGHT ? 2u : 0u) |
           (told & EVENT_MIDDLE ? 4u : 0u);
}

/* --- calls -------------------------------------------------------------------------------------
 */

static void set_error(VmwarePort *port) {
    port->state.status = STATUS_ERROR;
    port->state.first = port->state.count = 0;
    note_use(port);
}

static void read_data(VmwarePort *port, VmwareRegisters *registers) {
    VmwarePortState *state = &port->state;
    uint32_t *words[] = {&registers->eax, &registers->ebx, &registers->ecx,
                         &registers->edx, &registers->esi, &registers->edi};
    uint32_t wanted = registers->ebx;
    if (wanted == 0 || wanted > sizeof(words) / sizeof(words[0]) || wanted > state->count) {
        set_error(port);
        registers->eax = NOTHING;
        return;
    }
    for (uint32_t i = 0; i < wanted; i++)
        *words[i] = state->queue[(state->first + i) % WORDS];
    state->first = (uint16_t)((state->first + wanted) % WORDS);
    state->count = (uint16_t)(state->count - wanted);
}

static void command_pointer(VmwarePort *port, uint32_t parameter) {
    VmwarePortState *state = &port->state;
    switch (parameter) {
    case POINTER_READ_ID:
        state->first = state->count = 0;
        state->status = STATUS_GOOD;
        put_word(state, POINTER_ID);
        break;
    case POINTER_ABSOLUTE:
        state->absolute = true;
        break;
    case POINTER_RELATIVE:
        state->absolute = false;
        state->first = state->count = 0;
        break;
    case POINTER_DISABLE:
        state->absolute = false;
        set_error(port);
        break;
    default:
        break;
    }
    note_use(port);
}

static uint32_t next_piece(VmwarePortState *state) {
    uint8_t piece[4] = {0};
    for (unsigned i = 0; i < sizeof(piece) && state->offered_at < state->offered_size; i++)
        piece[i] = state->offered[state->offered_at++];
    return load_le32(piece);
}

static void finish_copy(VmwarePort *port) {
    VmwarePortState *state = &port->state;
    if (port->options.copied != NULL)
        port->options.copied(port->options.opaque, state->copied, state->copied_size);
    state->copied_size = state->copied_at = 0;
}

static void begin_copy(VmwarePortState *state, uint32_t size) {
    state->copied_size = size <= VMWARE_SELECTION_BYTES ? size : 0;
    state->copied_at = 0;
}

static void take_piece(VmwarePort *port, uint32_t piece) {
    VmwarePortState *state = &port->state;
    uint8_t bytes[4];
    store_le32(bytes, piece);
    for (unsigned i = 0; i < sizeof(bytes) && state->copied_at < state->copied_size; i++)
        state->copied[state->copied_at++] = bytes[i];
    if (state->copied_size > 0 && state->copied_at == state->copied_size)
        finish_copy(port);
}

/* A text is offered once: all ones tell that there is none that is new. */
static uint32_t selection_length(VmwarePortState *state) {
    uint32_t size =
        state->offered_at == 0 && state->offered_size > 0 ? state->offered_size : NOTHING;
    state->offered_at = 0;
    return size;
}

static void call_clipboard(VmwarePort *port, unsigned command, VmwareRegisters *registers) {
    VmwarePortState *state = &port->state;
    uint32_t parameter = registers->ebx;
    registers->eax = port->options.no_clipboard ? NOTHING : 0;
    if (port->options.no_clipboard)
        return;
    if (command == COMMAND_GET_SELECTION_LENGTH) {
        __atomic_store_n(&port->wants_text, true, __ATOMIC_RELAXED);
        registers->eax = selection_length(state);
    } else if (command == COMMAND_GET_NEXT_PIECE) {
        registers->eax = next_piece(state);
    } else if (command == COMMAND_SET_SELECTION_LENGTH) {
        begin_copy(state, parameter);
    } else {
        take_piece(port, parameter);
    }
    if (command == COMMAND_GET_NEXT_PIECE && state->offered_at == state->offered_size)
        state->offered_size = state->offered_at = 0;
}

void vmware_port_call(VmwarePort *port, VmwareRegisters *registers) {
    VmwarePortState *state = &port->state;
    unsigned command = registers->ecx & COMMAND_MASK;
    switch (command) {
    case COMMAND_GET_VERSION:
        registers->eax = PORT_VERSION;
        registers->ebx = VMWARE_MAGIC;
        registers->ecx = PRODUCT;
        break;
    case COMMAND_GET_MEMORY:
        registers->eax = (uint32_t)port->options.ram_bytes;
        registers->ebx = 0x1177;
        break;
    case COMMAND_GET_PLACE:
        registers->eax = state->x << 16 | state->y;
        break;
    case COMMAND_GET_SELECTION_LENGTH:
    case COMMAND_GET_NEXT_PIECE:
    case COMMAND_SET_SELECTION_LENGTH:
    case COMMAND_SET_NEXT_PIECE:
        call_clipboard(port, command, registers);
        break;
    case COMMAND_POINTER_DATA:
        read_data(port, registers);
        break;
    case COMMAND_POINTER_STATUS:
        registers->eax = (uint32_t)state->status << 16 | state->count;
        break;
    case COMMAND_POINTER:
        command_pointer(port, registers->ebx);
        registers->eax = 0;
        break;
    case COMMAND_POINTER_RESTRICT:
        registers->eax = 0;
        break;
    case COMMAND_GET_CLOCKS: /* Linux, which else measures them, complains without */
        registers->eax = (uint32_t)port->options.tsc_hz;
        registers->ebx = (uint32_t)(port->options.tsc_hz >> 32);
        registers->ecx = port->options.apic_hz;
        break;
    default:
        registers->eax = NOTHING;
        break;
    }
}

void vmware_port_offer(VmwarePort *port, const uint8_t *text, size_t size) {
    VmwarePortState *state = &port->state;
    if (port->options.no_clipboard)
        return;
    state->offered_size = (uint32_t)(size < VMWARE_SELECTION_BYTES ? size : VMWARE_SELECTION_BYTES);
    state->offered_at = 0;
    memset(state->offered, 0, sizeof(state->offered));
    memcpy(state->offered, text, state->offered_size);
}

/* --- the device --------------------------------------------------------------------------------
 */

static void reset(void *opaque) {
    VmwarePort *port = opaque;
    timer_cancel(&port->poke);
    memset(&port->state, 0, sizeof(port->state));
    port->state.poke_due_ns = TIMER_NEVER;
    port->state.status = STATUS_ERROR;
    __atomic_store_n(&port->wants_text, false, __ATOMIC_RELAXED);
    note_use(port);
}

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    VmwarePort *port = opaque;
    VmwarePortState *state = &port->state;
    state->first %= WORDS;
    if (state->count > WORDS)
        state->count = WORDS;
    if (state->offered_size > VMWARE_SELECTION_BYTES)
        state->offered_size = VMWARE_SELECTION_BYTES;
    if (state->offered_at > state->offered_size)
        state->offered_at = state->offered_size;
    if (state->copied_size > VMWARE_SELECTION_BYTES)
        state->copied_size = VMWARE_SELECTION_BYTES;
    if (state->copied_at > state->copied_size)
        state->copied_at = state->copied_size;
    note_use(port);
}

static const DeviceClass device_class = {"VMware port", &vmware_port_fields, reset, restored};

VmwarePort *vmware_port_create(const DeviceContext *context, const VmwarePortOptions *options) {
    VmwarePort *port = allocate_zeroed(sizeof(*port));
    port->options = *options;
    port->clock = context->clock;
    timer_init(&port->poke, context->clock, "vmmouse", &port->state.poke_due_ns, poke_due, port);
    device_list_add(context->devices, &device_class, "vmport", port, &port->state);
    reset(port);
    return port;
}

void vmware_port_destroy(VmwarePort *port) {
    free(port);
}

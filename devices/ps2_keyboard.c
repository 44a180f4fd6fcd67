#include "ps2_keyboard.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum {
    CODE_ACKNOWLEDGE = 0xFA,
    CODE_RESEND = 0xFE,
    CODE_ECHO = 0xEE,
    CODE_TEST_PASSED = 0xAA,
    CODE_BREAK = 0xF0,
    CODE_EXTENDED = 0xE0,
    OVERRUN_SET_1 = 0xFF,
    OVERRUN_SETS_2_3 = 0x00,
};

enum {
    COMMAND_LEDS = 0xED,
    COMMAND_ECHO = 0xEE,
    COMMAND_SCAN_SET = 0xF0,
    COMMAND_IDENTIFY = 0xF2,
    COMMAND_TYPEMATIC = 0xF3,
    COMMAND_ENABLE = 0xF4,
    COMMAND_DISABLE = 0xF5,
    COMMAND_DEFAULT = 0xF6,
    COMMAND_ALL_TYPEMATIC = 0xF7,
    COMMAND_ALL_MAKE_BREAK = 0xF8,
    COMMAND_ALL_MAKE = 0xF9,
    COMMAND_ALL_TYPEMATIC_MAKE_BREAK = 0xFA,
    COMMAND_KEY_TYPEMATIC = 0xFB,
    COMMAND_KEY_MAKE_BREAK = 0xFC,
    COMMAND_KEY_MAKE = 0xFD,
    COMMAND_RESEND = 0xFE,
    COMMAND_RESET = 0xFF,
};

/* What a key of set 3 sends besides its make code. */
enum { KEY_BREAKS = 1, KEY_REPEATS = 2 };

/* How Print Screen was sent when it went down, so that its break code matches. */
enum { PRINT_PLAIN, PRINT_UNSHIFTED, PRINT_SYSRQ };

#define NO_KEY 0xFFFF
#define DEFAULT_TYPEMATIC 0x2B /* 10.9 characters a second after 500 ms */

typedef struct Ps2KeyboardState {
    int64_t repeat_due_ns;
    uint16_t repeating_key;
    uint8_t scan_set; /* 1 to 3 */
    uint8_t scanning;
    uint8_t leds;
    uint8_t typematic;
    uint8_t command; /* that waits for its parameter; 0: none */
    uint8_t print_form;
    uint8_t key_types[256]; /* of set 3, by code */
    uint8_t down[32];       /* a bit a key */
    Ps2Queue queue;
    uint8_t padding[4];
} Ps2KeyboardState;

static const Field ps2_keyboard_state_fields[] = {
    FIELD(Ps2KeyboardState, U64, repeat_due_ns),
    FIELD(Ps2KeyboardState, U16, repeating_key),
    FIELD(Ps2KeyboardState, U8, scan_set),
    FIELD(Ps2KeyboardState, U8, scanning),
    FIELD(Ps2KeyboardState, U8, leds),
    FIELD(Ps2KeyboardState, U8, typematic),
    FIELD(Ps2KeyboardState, U8, command),
    FIELD(Ps2KeyboardState, U8, print_form),
    FIELD_BYTES_OF(Ps2KeyboardState, key_types),
    FIELD_BYTES_OF(Ps2KeyboardState, down),
    FIELD_ONE_STRUCT(Ps2KeyboardState, queue, &ps2_queue_fields),
    FIELD_PADDING(Ps2KeyboardState, padding),
    FIELD_END,
};

static const FieldTable ps2_keyboard_fields = {
    "ps2-keyboard",
    1,
    sizeof(Ps2KeyboardState),
    ps2_keyboard_state_fields,
};

struct Ps2Keyboard {
    Ps2KeyboardState state;
    const VirtualClock *clock;
    Wire waiting;
    Timer repeat;
};

_Static_assert(KEYBOARD_KEY_COUNT <= 8 * sizeof(((Ps2KeyboardState *)0)->down),
               "a bit for every key");

/* --- sequences ---------------------------------------------------------------------------------
 */

typedef struct Sequence {
    uint8_t bytes[16];
    unsigned count;
} Sequence;

static void sequence_byte(Sequence *sequence, unsigned byte) {
    sequence->bytes[sequence->count++] = (uint8_t)byte;
}

static void sequence_make(Sequence *sequence, uint16_t code) {
    if (code > 0xFF)
        sequence_byte(sequence, CODE_EXTENDED);
    sequence_byte(sequence, code & 0xFF);
}

static void sequence_break(Sequence *sequence, uint16_t code, unsigned set) {
    if (code > 0xFF)
        sequence_byte(sequence, CODE_EXTENDED);
    if (set == 1) {
        sequence_byte(sequence, (code & 0xFF) | 0x80);
    } else {
        sequence_byte(sequence, CODE_BREAK);
        sequence_byte(sequence, code & 0xFF);
    }
}

static bool is_down(const Ps2KeyboardState *state, int key) {
    return (state->down[key / 8] >> (key % 8) & 1) != 0;
}

static bool either_is_down(const Ps2KeyboardState *state, int left, int right) {
    return is_down(state, left) || is_down(state, right);
}

static uint16_t key_code(int key, unsigned set) {
    return keyboard_key_info(key)->code[set - 1];
}

/* Pause sends press and release at once: with Ctrl it is Break, else Ctrl and Num Lock behind the
 * prefix E1h. */
static void sequence_pause(Sequence *sequence, const Ps2KeyboardState *state, bool down) {
    static const uint8_t pause_set_1[] = {0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5};
    static const uint8_t pause_set_2[] = {0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77};
    unsigned set = state->scan_set;
    if (!down)
        return;
    if (either_is_down(state, KEYBOARD_KEY_CTRL, KEYBOARD_KEY_CTRL_R)) {
        sequence_make(sequence, key_code(KEYBOARD_KEY_PAUSE, set));
        sequence_break(sequence, key_code(KEYBOARD_KEY_PAUSE, set), set);
        return;
    }
    sequence->count = set == 1 ? sizeof pause_set_1 : sizeof pause_set_2;
    memcpy(sequence->bytes, set == 1 ? pause_set_1 : pause_set_2, sequence->count);
}

/* Print Screen pretends that Shift is down, unless it or Ctrl is; with Alt it is SysRq. */
static void sequence_print(Sequence *sequence, Ps2KeyboardState *state, bool down) {
    unsigned set = state->scan_set;
    uint16_t shift = 0xE000 | key_code(KEYBOARD_KEY_SHIFT, set);
    if (down) {
        state->print_form = PRINT_UNSHIFTED;
        if (either_is_down(state, KEYBOARD_KEY_ALT, KEYBOARD_KEY_ALT_R))
            state->print_form = PRINT_SYSRQ;
        else if (either_is_down(state, KEYBOARD_KEY_SHIFT, KEYBOARD_KEY_SHIFT_R) ||
                 either_is_down(state, KEYBOARD_KEY_CTRL, KEYBOARD_KEY_CTRL_R))
            state->print_form = PRINT_PLAIN;
    }
    int key = state->print_form == PRINT_SYSRQ ? KEYBOARD_KEY_SYSRQ : KEYBOARD_KEY_PRINT;
    if (down) {
        if (state->print_form == PRINT_UNSHIFTED)
            sequence_make(sequence, shift);
        sequence_make(sequence, key_code(key, set));
        return;
    }
    sequence_break(sequence, key_code(key, set), set);
    if (state->print_form == PRINT_UNSHIFTED)
        sequence_break(sequence, shift, set);
}

static void sequence_key(Sequence *sequence, Ps2KeyboardState *state, int key, bool down) {
    unsigned set = state->scan_set;
    uint16_t code = key_code(key, set);
    sequence->count = 0;
    if (set != 3 && key == KEYBOARD_KEY_PAUSE)
        sequence_pause(sequence, state, down);
    else if (set != 3 && key == KEYBOARD_KEY_PRINT)
        sequence_print(sequence, state, down);
    else if (code == 0)
        return;
    else if (down)
        sequence_make(sequence, code);
    else if (set != 3 || (state->key_types[code & 0xFF] & KEY_BREAKS))
        sequence_break(sequence, code, set);
}

static bool key_repeats(const Ps2KeyboardState *state, int key) {
    if (state->scan_set != 3)
        return key != KEYBOARD_KEY_PAUSE;
    return (state->key_types[key_code(key, 3) & 0xFF] & KEY_REPEATS) != 0;
}

/* --- typematic ---------------------------------------------------------------------------------
 */

/* Technical reference, 'Set Typematic Rate/Delay': period = (8 + A) * 2^B * 4.17 ms, delay = (C +
 * 1) * 250 ms. */
static int64_t typematic_period_ns(uint8_t typematic) {
    return (8 + (typematic & 7LL)) * (1LL << (typematic >> 3 & 3)) * 4170000LL;
}

static int64_t typematic_delay_ns(uint8_t typematic) {
    return ((typematic >> 5 & 3) + 1) * 250000000LL;
}

static void keyboard_stop_repeat(Ps2Keyboard *keyboard) {
    keyboard->state.repeating_key = NO_KEY;
    timer_cancel(&keyboard->repeat);
}

static void keyboard_signal(Ps2Keyboard *keyboard) {
    wire_set(&keyboard->waiting, !ps2_queue_is_empty(&keyboard->state.queue));
}

static void keyboard_repeat_due(void *opaque) {
    Ps2Keyboard *keyboard = opaque;
    Ps2KeyboardState *state = &keyboard->state;
    if (state->repeating_key >= KEYBOARD_KEY_COUNT)
        return;
    Sequence sequence;
    sequence_key(&sequence, state, state->repeating_key, true);
    ps2_queue_put(&state->queue, sequence.bytes, sequence.count);
    keyboard_signal(keyboard);
    timer_arm(&keyboard->repeat,
              clock_now_ns(keyboard->clock) + typematic_period_ns(state->typematic));
}

/* --- keys --------------------------------------------------------------------------------------
 */

void ps2_keyboard_set_key(Ps2Keyboard *keyboard, int key, bool down) {
    Ps2KeyboardState *state = &keyboard->state;
    if (keyboard_key_info(key) == NULL || is_down(state, key) == down)
        return;
    Sequence sequence;
    state->down[key / 8] ^= (uint8_t)(1u << (key % 8));
    if (!down && key == state->repeating_key)
        keyboard_stop_repeat(keyboard);
    if (!state->scanning)
        return;
    sequence_key(&sequence, state, key, down);
    if (!ps2_queue_put(&state->queue, sequence.bytes, sequence.count))
        ps2_queue_put_overrun(&state->queue,
                              state->scan_set == 1 ? OVERRUN_SET_1 : OVERRUN_SETS_2_3);
    if (down && key_repeats(state, key)) {
        state->repeating_key = (uint16_t)key;
        timer_arm(&keyboard->repeat,
                  clock_now_ns(keyboard->clock) + typematic_delay_ns(state->typematic));
    } else if (down) {
        keyboard_stop_repeat(keyboard);
    }
    keyboard_signal(keyboard);
}

unsigned ps2_keyboard_room(const Ps2Keyboard *keyboard) {
    return ps2_queue_room(&keyboard->state.queue);
}

bool ps2_keyboard_is_idle(const Ps2Keyboard *keyboard) {
    return ps2_queue_is_empty(&keyboard->state.queue);
}

bool ps2_keyboard_is_scanning(const Ps2Keyboard *keyboard) {
    return keyboard->state.scanning != 0;
}

bool ps2_keyboard_is_down(const Ps2Keyboard *keyboard, int key) {
    return keyboard_key_info(key) != NULL && is_down(&keyboard->state, key);
}

uint8_t ps2_keyboard_leds(const Ps2Keyboard *keyboard) {
    return keyboard->state.leds;
}

/* --- commands ----------------------------------------------------------------------------------
 */

/* Technical reference, table 'Scan Code Set 3': ranges of codes and their types after a reset;
 * others are typematic. */
static void keyboard_default_types(Ps2KeyboardState *state) {
    static const struct {
        uint8_t code, type;
    } exceptions[] = {
        {0x11, KEY_BREAKS}, {0x12, KEY_BREAKS}, {0x14, KEY_BREAKS}, {0x19, KEY_BREAKS},
        {0x59, KEY_BREAKS}, {0x39, 0},          {0x58, 0},          {0x07, 0},
        {0x08, 0},          {0x0F, 0},          {0x17, 0},          {0x1F, 0},
        {0x27, 0},          {0x2F, 0},          {0x37, 0},          {0x3F, 0},
        {0x47, 0},          {0x4F, 0},          {0x56, 0},          {0x5E, 0},
        {0x57, 0},          {0x5F, 0},          {0x62, 0},          {0x65, 0},
        {0x67, 0},          {0x69, 0},          {0x6B, 0},          {0x6C, 0},
        {0x6D, 0},          {0x6E, 0},          {0x6F, 0},          {0x70, 0},
        {0x71, 0},          {0x72, 0},          {0x73, 0},          {0x74, 0},
        {0x75, 0},          {0x76, 0},          {0x77, 0},          {0x79, 0},
        {0x7A, 0},          {0x7D, 0},          {0x7E, 0},          {0x84, 0},
    };
    memset(state->key_types, KEY_REPEATS, sizeof state->key_types);
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        state->key_types[exceptions[i].code] = exceptions[i].type;
}

static void keyboard_set_defaults(Ps2Keyboard *keyboard) {
    Ps2KeyboardState *state = &keyboard->state;
    keyboard_stop_repeat(keyboard);
    ps2_queue_clear(&state->queue);
    state->scan_set = 2;
    state->typematic = DEFAULT_TYPEMATIC;
    state->command = 0;
    keyboard_default_types(state);
}

static void keyboard_set_all_types(Ps2KeyboardState *state, uint8_t type) {
    memset(state->key_types, type, sizeof state->key_types);
}

/* The parameter of the command that waits. */
static void keyboard_take_parameter(Ps2KeyboardState *state, uint8_t value) {
    Ps2Queue *queue = &state->queue;
    uint8_t command = state->command;
    state->command = 0;
    ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
    switch (command) {
    case COMMAND_LEDS:
        state->leds = value & 7;
        break;
    case COMMAND_TYPEMATIC:
        state->typematic = value & 0x7F;
        break;
    case COMMAND_SCAN_SET:
        if (value == 0)
            ps2_queue_answer(queue, state->scan_set);
        else if (value <= 3)
            state->scan_set = value;
        break;
    default: /* the keys whose type changes follow one by one, up to the next command */
        state->key_types[value] = command == COMMAND_KEY_TYPEMATIC    ? KEY_REPEATS
                                  : command == COMMAND_KEY_MAKE_BREAK ? KEY_BREAKS
                                                                      : 0;
        state->command = command;
        break;
    }
}

static void keyboard_identify(Ps2Queue *queue) {
    ps2_queue_answer(queue, 0xAB);
    ps2_queue_answer(queue, 0x83);
}

static void keyboard_reset_by_command(Ps2Keyboard *keyboard) {
    keyboard_set_defaults(keyboard);
    keyboard->state.scanning = 1;
    keyboard->state.leds = 0;
    ps2_queue_answer(&keyboard->state.queue, CODE_ACKNOWLEDGE);
    ps2_queue_answer(&keyboard->state.queue, CODE_TEST_PASSED);
}

static void keyboard_enable(Ps2Keyboard *keyboard, bool enable, bool defaults) {
    if (defaults)
        keyboard_set_defaults(keyboard);
    keyboard_stop_repeat(keyboard);
    ps2_queue_clear_events(&keyboard->state.queue);
    keyboard->state.scanning = enable;
}

static void keyboard_take_command(Ps2Keyboard *keyboard, uint8_t command) {
    Ps2KeyboardState *state = &keyboard->state;
    Ps2Queue *queue = &state->queue;
    state->command = 0;
    switch (command) {
    case COMMAND_ECHO:
        ps2_queue_answer(queue, CODE_ECHO);
        return;
    case COMMAND_RESEND:
        ps2_queue_answer(queue, queue->last_sent);
        return;
    case COMMAND_RESET:
        keyboard_reset_by_command(keyboard);
        return;
    case COMMAND_LEDS:
    case COMMAND_SCAN_SET:
    case COMMAND_TYPEMATIC:
    case COMMAND_KEY_TYPEMATIC:
    case COMMAND_KEY_MAKE_BREAK:
    case COMMAND_KEY_MAKE:
        state->command = command;
        break;
    case COMMAND_IDENTIFY:
        ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
        keyboard_identify(queue);
        return;
    case COMMAND_ENABLE:
        keyboard_enable(keyboard, true, false);
        break;
    case COMMAND_DISABLE:
        keyboard_enable(keyboard, false, true);
        break;
    case COMMAND_DEFAULT:
        keyboard_enable(keyboard, true, true);
        break;
    case COMMAND_ALL_TYPEMATIC:
        keyboard_set_all_types(state, KEY_REPEATS);
        break;
    case COMMAND_ALL_MAKE_BREAK:
        keyboard_set_all_types(state, KEY_BREAKS);
        break;
    case COMMAND_ALL_MAKE:
        keyboard_set_all_types(state, 0);
        break;
    case COMMAND_ALL_TYPEMATIC_MAKE_BREAK:
        keyboard_set_all_types(state, KEY_REPEATS | KEY_BREAKS);
        break;
    default:
        ps2_queue_answer(queue, CODE_RESEND);
        return;
    }
    ps2_queue_answer(queue, CODE_ACKNOWLEDGE);
}

/* --- the cable ---------------------------------------------------------------------------------
 */

/* A byte that is a command is one, even where a parameter was due. */
static void keyboard_write(void *opaque, uint8_t byte) {
    Ps2Keyboard *keyboard = opaque;
    if (keyboard->state.command != 0 && byte < COMMAND_LEDS)
        keyboard_take_parameter(&keyboard->state, byte);
    else
        keyboard_take_command(keyboard, byte);
    keyboard_signal(keyboard);
}

static bool keyboard_is_waiting(const void *opaque) {
    const Ps2Keyboard *keyboard = opaque;
    return !ps2_queue_is_empty(&keyboard->state.queue);
}

static uint8_t keyboard_take(void *opaque) {
    Ps2Keyboard *keyboard = opaque;
    return ps2_queue_take(&keyboard->state.queue);
}

Ps2Port ps2_keyboard_connect(Ps2Keyboard *keyboard, const Wire *waiting) {
    keyboard->waiting = *waiting;
    return (Ps2Port){keyboard, keyboard_is_waiting, keyboard_take, keyboard_write};
}

/* --- the device --------------------------------------------------------------------------------
 */

/* Power-on: the self-test is over. Keys that are held stay held. */
static void ps2_keyboard_reset(void *opaque) {
    Ps2Keyboard *keyboard = opaque;
    keyboard_set_defaults(keyboard);
    keyboard->state.scanning = 1;
    keyboard->state.leds = 0;
    keyboard_signal(keyboard);
}

static void ps2_keyboard_restored(void *opaque) {
    Ps2Keyboard *keyboard = opaque;
    Ps2KeyboardState *state = &keyboard->state;
    ps2_queue_restored(&state->queue);
    if (state->scan_set < 1 || state->scan_set > 3)
        state->scan_set = 2;
}

static const DeviceClass ps2_keyboard_class = {
    "ps2-kbd",
    &ps2_keyboard_fields,
    ps2_keyboard_reset,
    ps2_keyboard_restored,
};

Ps2Keyboard *ps2_keyboard_create(const DeviceContext *context, Error *error) {
    (void)error;
    Ps2Keyboard *keyboard = allocate_zeroed(sizeof *keyboard);
    keyboard->clock = context->clock;
    timer_init(&keyboard->repeat, context->clock, "keyboard repeat", &keyboard->state.repeat_due_ns,
               keyboard_repeat_due, keyboard);
    device_list_add(context->devices, &ps2_keyboard_class, "keyboard", keyboard, &keyboard->state);
    ps2_keyboard_reset(keyboard);
    return keyboard;
}

void ps2_keyboard_destroy(Ps2Keyboard *keyboard) {
    free(keyboard);
}

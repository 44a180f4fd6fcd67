#include "typist.h"
#include "board_input.h"
#include "character_codes.h"
#include "machine_action.h"
#include "machine_parts.h"
#include <stdio.h>
#include <string.h>

/* A key that repeats does so after 250 ms at the earliest (ps2_keyboard.c): a guest that does not
 * take the press of a combination by then gets its release behind it. */
#define LONGEST_PRESS_NS (200 * 1000000LL)

/* For a system that is never idle: so long it has for a character, and for a line. */
#define CHARACTER_NS (2 * 1000000LL)
#define LINE_NS (20 * 1000000LL)

/* The BIOS data area. */
enum {
    BIOS_HEAD = 0x41A,
    BIOS_TAIL = 0x41C,
    BIOS_BUFFER_START = 0x480,
    BIOS_BUFFER_END = 0x482,
    BIOS_BUFFER_ENTRY = 2,
};

/* --- looking at the guest ----------------------------------------------------------------------
 */

typedef struct BiosBuffer {
    uint16_t head, tail, start, end;
} BiosBuffer;

static uint16_t read_word(Typist *typist, uint32_t address) {
    uint8_t bytes[2];
    physical_read_bytes(typist->machine->memory, address, bytes, sizeof(bytes));
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static BiosBuffer read_bios_buffer(Typist *typist) {
    return (BiosBuffer){read_word(typist, BIOS_HEAD), read_word(typist, BIOS_TAIL),
                        read_word(typist, BIOS_BUFFER_START), read_word(typist, BIOS_BUFFER_END)};
}

/* Whether a BIOS has put one key into its buffer since the tail was noted. What lies there may be
 * anything where no BIOS runs any more. */
static bool bios_has_stored(const BiosBuffer *buffer, uint16_t tail_before) {
    bool sane = buffer->start < buffer->end && (buffer->start & 1) == (buffer->end & 1) &&
                buffer->head >= buffer->start && buffer->head < buffer->end &&
                tail_before >= buffer->start && tail_before < buffer->end;
    uint32_t next = tail_before + BIOS_BUFFER_ENTRY;
    if (next >= buffer->end)
        next = buffer->start;
    return sane && buffer->tail == next;
}

static bool guest_is_idle(const Typist *typist) {
    return machine_processors_halted(typist->machine) && machine_processors_wait(typist->machine);
}

static bool line_is_free(const Typist *typist) {
    return board_keyboard_is_idle(&typist->machine->board);
}

static bool keyboard_listens(const Typist *typist) {
    return board_keyboard_listens(&typist->machine->board);
}

/* --- strokes -----------------------------------------------------------------------------------
 */

static void add_event(TypistStroke *stroke, int key, bool down) {
    stroke->events[stroke->count++] = (TypistEvent){(uint16_t)key, down};
}

static void add_modifier(Typist *typist, TypistStroke *stroke, int key, bool down) {
    if (board_keyboard_is_down(&typist->machine->board, key) != down)
        add_event(stroke, key, down);
}

/* Modifiers stay down from a character that needs them to the next. */
static void add_modifiers(Typist *typist, TypistStroke *stroke, unsigned modifiers) {
    /* What somebody holds, the keys of a shortcut for pasting say, would make other keys of them.
     */
    add_modifier(typist, stroke, KEYBOARD_KEY_CTRL, false);
    add_modifier(typist, stroke, KEYBOARD_KEY_CTRL_R, false);
    add_modifier(typist, stroke, KEYBOARD_KEY_ALT, false);
    add_modifier(typist, stroke, KEYBOARD_KEY_ALT_R, (modifiers & KEYBOARD_ALT_GR) != 0);
    add_modifier(typist, stroke, KEYBOARD_KEY_SHIFT, (modifiers & KEYBOARD_SHIFT) != 0);
}

static bool read_character(const Machine *machine, const char *text, size_t size, size_t *used,
                           KeyboardTyping *typing) {
    uint32_t character = utf8_decode((const uint8_t *)text, size, used);
    return keyboard_layout_type(machine->config.keyboard_layout, character, typing);
}

/* The next key of a text: the next character's, or that behind a dead one. */
static bool make_text_stroke(Typist *typist, TypistStroke *stroke) {
    bool more = typist->typed < typist->typing.count;
    if (!more && typist->next == typist->size) {
        add_modifiers(typist, stroke, 0);
        return stroke->count > 0;
    }
    if (!more) {
        const char *at = typist->text + typist->next;
        size_t left = typist->size - typist->next, used;
        read_character(typist->machine, at, left, &used, &typist->typing);
        typist->next += at[0] == '\r' && left > 1 && at[1] == '\n' ? 2 : used;
        typist->typed = 0;
    }
    int key = (int)typist->typing.strokes[typist->typed].key;
    add_modifiers(typist, stroke, typist->typing.strokes[typist->typed].modifiers);
    add_event(stroke, key, true);
    add_event(stroke, key, false);
    typist->enter = key == KEYBOARD_KEY_RET;
    stroke->read = ++typist->typed == typist->typing.count; /* no program sees a dead key */
    return true;
}

/* The next key of a combination, down or up. */
static bool make_key_stroke(Typist *typist, TypistStroke *stroke) {
    unsigned count = typist->count, number = typist->strokes_made++;
    bool both = typist->actions == (TYPIST_PRESS | TYPIST_RELEASE);
    if (number == (both ? 2 * count : count))
        return false;
    bool down = (typist->actions & TYPIST_PRESS) && number < count;
    unsigned released = both ? number - count : number;
    add_event(stroke, typist->keys[down ? number : count - 1 - released], down);
    if (both && number == count - 1)
        stroke->hold_ns = typist->hold_ns;
    stroke->read = both && number == 2 * count - 1;
    return true;
}

static void enter_phase(Typist *typist, TypistPhase phase) {
    typist->phase = phase;
    typist->since_ns = clock_now_ns(&typist->machine->clock);
}

static void begin_stroke(Typist *typist) {
    typist->stroke = (TypistStroke){.count = 0};
    bool more = typist->text != NULL ? make_text_stroke(typist, &typist->stroke)
                                     : make_key_stroke(typist, &typist->stroke);
    enter_phase(typist, more ? TYPIST_READY : TYPIST_DONE);
}

static void send_key(Typist *typist, int key, bool down) {
    machine_act_numbers(typist->machine, ACTION_KEY, (uint32_t[]){(uint32_t)key, down}, 2);
}

static void send_stroke(Typist *typist) {
    typist->bios_tail = read_word(typist, BIOS_TAIL);
    for (unsigned i = 0; i < typist->stroke.count; i++)
        send_key(typist, typist->stroke.events[i].key, typist->stroke.events[i].down);
    enter_phase(typist, TYPIST_TAKING);
}

/* --- phases: each says whether it is over ------------------------------------------------------
 */

static int64_t phase_ns(const Typist *typist) {
    return clock_now_ns(&typist->machine->clock) - typist->since_ns;
}

/* A combination that the guest does not take in time goes out to its end: its release is what keeps
 * the keyboard from repeating. */
static bool serve_taking(Typist *typist) {
    if (line_is_free(typist))
        return true;
    if (board_keyboard_byte_is_coming(&typist->machine->board) &&
        !board_keyboard_is_served(&typist->machine->board))
        machine_act(typist->machine, ACTION_HASTEN_KEYS, NULL, 0);
    if (typist->text == NULL && typist->actions == (TYPIST_PRESS | TYPIST_RELEASE) &&
        phase_ns(typist) >= LONGEST_PRESS_NS)
        typist->hurried = true;
    return typist->hurried && typist->strokes_made < 2 * typist->count;
}

static bool serve_reading(Typist *typist) {
    BiosBuffer buffer = read_bios_buffer(typist);
    if (bios_has_stored(&buffer, typist->bios_tail))
        return buffer.head == buffer.tail;
    return guest_is_idle(typist) || phase_ns(typist) >= (typist->enter ? LINE_NS : CHARACTER_NS);
}

static bool has_press(const TypistStroke *stroke) {
    for (unsigned i = 0; i < stroke->count; i++)
        if (stroke->events[i].down)
            return true;
    return false;
}

static bool serve_ready(Typist *typist) {
    if (typist->hurried || !has_press(&typist->stroke))
        return board_keyboard_has_room(&typist->machine->board);
    return keyboard_listens(typist) && line_is_free(typist);
}

/* Goes to the next phase if this one is over. */
static bool advance(Typist *typist) {
    switch (typist->phase) {
    case TYPIST_READY:
        if (!serve_ready(typist))
            return false;
        send_stroke(typist);
        return true;
    case TYPIST_TAKING:
        if (!serve_taking(typist))
            return false;
        enter_phase(typist, TYPIST_HOLDING);
        return true;
    case TYPIST_HOLDING:
        if (phase_ns(typist) < typist->stroke.hold_ns && !typist->hurried)
            return false;
        enter_phase(typist, TYPIST_READING);
        return true;
    case TYPIST_READING:
        if (typist->stroke.read && (phase_ns(typist) < typist->pause_ns || !serve_reading(typist)))
            return false;
        begin_stroke(typist);
        return true;
    default:
        return false;
    }
}

/* Nothing stays down that would have been let go. */
static void give_up(Typist *typist) {
    typist->late_phase = typist->phase;
    typist->phase = TYPIST_LATE;
    if (typist->text != NULL) {
        send_key(typist, KEYBOARD_KEY_SHIFT, false);
        send_key(typist, KEYBOARD_KEY_ALT_R, false);
    }
    for (unsigned i = 0; i < typist->count; i++)
        if (typist->actions & TYPIST_RELEASE)
            send_key(typist, typist->keys[i], false);
}

bool typist_step(void *opaque) {
    Typist *typist = opaque;
    while (advance(typist))
        ;
    if (typist->phase < TYPIST_DONE &&
        phase_ns(typist) >= typist->timeout_ns + typist->stroke.hold_ns + typist->pause_ns)
        give_up(typist);
    return typist->phase >= TYPIST_DONE;
}

bool typist_has_pressed(const Typist *typist) {
    unsigned left = typist->strokes_made < typist->count ? typist->count - typist->strokes_made : 0;
    bool typed = typist->next == typist->size && typist->typed == typist->typing.count;
    bool last = typist->text != NULL ? typed : typist->actions & TYPIST_PRESS ? left == 0 : true;
    bool releasing = typist->text == NULL && typist->strokes_made > typist->count;
    return last && (releasing || typist->phase >= TYPIST_TAKING);
}

/* --- beginning and end -------------------------------------------------------------------------
 */

static bool refuse_character(const Machine *machine, const char *text, size_t size, size_t number,
                             Error *error) {
    const KeyboardLayout *layout = machine->config.keyboard_layout;
    const char *name = keyboard_layout_name(layout != NULL ? layout : keyboard_layout_get(0));
    uint8_t byte = (uint8_t)text[0];
    if (size > 1)
        return error_set(error, "no key of the layout %s types '%.*s' (character %zu)", name,
                         (int)size, text, number);
    return error_set(error, "no key types byte %02Xh (character %zu)", byte, number);
}

bool typist_begin_text(Typist *typist, Machine *machine, const char *text, size_t size,
                       int64_t timeout_ns, Error *error) {
    KeyboardTyping typing;
    for (size_t at = 0, number = 1, used; at < size; at += used, number++)
        if (!read_character(machine, text + at, size - at, &used, &typing))
            return refuse_character(machine, text + at, used, number, error);
    *typist = (Typist){.machine = machine, .timeout_ns = timeout_ns, .text = text, .size = size};
    begin_stroke(typist);
    return true;
}

void typist_begin_keys(Typist *typist, Machine *machine, const int *keys, unsigned count,
                       unsigned actions, int64_t hold_ns, int64_t timeout_ns) {
    *typist = (Typist){.machine = machine,
                       .timeout_ns = timeout_ns,
                       .count = count < TYPIST_MOST_KEYS ? count : TYPIST_MOST_KEYS,
                       .actions = actions,
                       .hold_ns = hold_ns};
    memcpy(typist->keys, keys, typist->count * sizeof(keys[0]));
    begin_stroke(typist);
}

/* "'a', character 3 of 20," or "key alt," */
static void name_stroke(const Typist *typist, char *name, size_t size) {
    const TypistStroke *stroke = &typist->stroke;
    const char *key = keyboard_key_info(stroke->events[stroke->count - 1].key)->name;
    char character = typist->next > 0 ? typist->text[typist->next - 1] : ' ';
    if (typist->text == NULL || typist->next == 0)
        snprintf(name, size, "key '%s'", key);
    else if (character > ' ' && stroke->read)
        snprintf(name, size, "'%c' (character %zu of %zu)", character, typist->next, typist->size);
    else
        snprintf(name, size, "key '%s' (character %zu of %zu)", key, typist->next, typist->size);
}

void typist_explain(const Typist *typist, Error *error) {
    char name[64];
    double seconds = (double)typist->timeout_ns / NS_PER_SECOND;
    name_stroke(typist, name, sizeof(name));
    if (typist->late_phase == TYPIST_READING)
        error_set(error,
                  "%s waits in the BIOS's keyboard buffer, and no program has read it within %g s",
                  name, seconds);
    else if (typist->late_phase == TYPIST_TAKING)
        error_set(error, "the guest has not taken %s from the keyboard controller within %g s",
                  name, seconds);
    else if (!keyboard_listens(typist))
        error_set(error, "the guest has turned the keyboard off; %s was not typed within %g s",
                  name, seconds);
    else
        error_set(error,
                  "the guest has not taken earlier keys from the keyboard controller; %s was not "
                  "typed within %g s",
                  name, seconds);
}

bool typist_read_keys(const char *text, int keys[TYPIST_MOST_KEYS], unsigned *count, Error *error) {
    char copy[256], *rest = NULL;
    *count = 0;
    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return error_set(error, "the combination '%.32s...' is too long", text);
    for (char *name = strtok_r(copy, "-", &rest); name != NULL; name = strtok_r(NULL, "-", &rest)) {
        /* QEMU's short form: "<" is the key between left Shift and Z. */
        int key = keyboard_key_find(strcmp(name, "<") == 0 ? "less" : name);
        if (key < 0)
            return error_set(error, "invalid parameter: %s (no key is called so)", name);
        if (*count == TYPIST_MOST_KEYS)
            return error_set(error, "more than %d keys at once", TYPIST_MOST_KEYS);
        keys[(*count)++] = key;
    }
    return *count > 0 || error_set(error, "invalid parameter: %s (it names no key)", text);
}

/* Keys, mouse and joysticks: sendkey, mouse_move, mouse_button, joystick. */
#include "machine_parts.h"
#include "monitor_command.h"
#include "typist.h"

#include <stdlib.h>

#define HOLD_MS 100
#define LONGEST_HOLD_MS 60000

bool monitor_send_key(Monitor *monitor, char *arguments, Error *error) {
    int keys[TYPIST_MOST_KEYS];
    unsigned count;
    char *text = monitor_next_word(&arguments);
    char *hold = monitor_next_word(&arguments);
    long hold_ms = hold != NULL ? strtol(hold, NULL, 0) : HOLD_MS;
    if (text == NULL)
        return error_set(error, "sendkey: string expected");
    if (!typist_read_keys(text, keys, &count, error))
        return false;
    if (hold_ms < 0 || hold_ms > LONGEST_HOLD_MS)
        return error_set(error, "keys are held for 0 to %d ms", LONGEST_HOLD_MS);
    return machine_press_keys(monitor->machine, keys, (int)count, (uint32_t)hold_ms) ||
           error_set(error, "too many keys wait to be typed");
}

static bool read_number(char **arguments, bool optional, int32_t *number) {
    char *word = monitor_next_word(arguments);
    char *end;
    *number = 0;
    if (word == NULL)
        return optional;
    long value = strtol(word, &end, 0);
    *number = value > 100000 ? 100000 : value < -100000 ? -100000 : (int32_t)value;
    return *end == '\0';
}

bool monitor_mouse_move(Monitor *monitor, char *arguments, Error *error) {
    int32_t dx, dy, dz;
    if (!read_number(&arguments, false, &dx) || !read_number(&arguments, false, &dy) ||
        !read_number(&arguments, true, &dz))
        return error_set(error, "mouse_move: two or three numbers expected");
    return machine_send_mouse_move(monitor->machine, dx, dy, dz) ||
           error_set(error, "too much input waits already");
}

/* The monitor counts 2 as the middle button and 4 as the right one, as QEMU's does; the mouse the
 * other way round. */
bool monitor_mouse_button(Monitor *monitor, char *arguments, Error *error) {
    int32_t state;
    if (!read_number(&arguments, false, &state))
        return error_set(error, "mouse_button: a number expected");
    uint32_t buttons =
        ((uint32_t)state & 1) | ((uint32_t)state & 2) << 1 | ((uint32_t)state & 4) >> 1;
    return machine_send_mouse_buttons(monitor->machine, buttons) ||
           error_set(error, "too much input waits already");
}

/* -100 to 100 as the gameport has it. */
static int joystick_position(int32_t value) {
    int32_t position = 128 + value * 128 / 100;
    return position < 0 ? 0 : position > 255 ? 255 : position;
}

bool monitor_joystick(Monitor *monitor, char *arguments, Error *error) {
    int32_t number, x, y, buttons;
    if (!read_number(&arguments, false, &number) || !read_number(&arguments, false, &x) ||
        !read_number(&arguments, false, &y) || !read_number(&arguments, true, &buttons) ||
        number < 0 || number > 1)
        return error_set(error, "joystick: its number (0 or 1), x, y and perhaps buttons expected");
    if (!machine_has_gameport(monitor->machine))
        return error_set(error, "there is no gameport; '-device gameport' plugs one in");
    unsigned first = (unsigned)number * 2;
    return (machine_send_joystick(monitor->machine, first, joystick_position(x)) &&
            machine_send_joystick(monitor->machine, first + 1, joystick_position(y)) &&
            machine_send_joystick_button(monitor->machine, first, (buttons & 1) != 0) &&
            machine_send_joystick_button(monitor->machine, first + 1, (buttons & 2) != 0)) ||
           error_set(error, "too much input waits already");
}

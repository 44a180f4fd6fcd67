/* Keys and the pointer of VNC clients. */
#include "machine_parts.h"
#include "vnc_internal.h"

/* Bits of a pointer event (RFC 6143, 7.5.5), and of machine_send_mouse_buttons(). */
enum { VNC_LEFT = 1, VNC_MIDDLE = 2, VNC_RIGHT = 4, VNC_WHEEL_UP = 8, VNC_WHEEL_DOWN = 16 };
enum { MOUSE_LEFT = 1, MOUSE_RIGHT = 2, MOUSE_MIDDLE = 4 };

void vnc_input_key(VncServer *server, int key, bool down) {
    if (key < 0 || server->machine == NULL || (!down && !server->down[key]))
        return;
    server->down[key] = down;
    machine_send_key(server->machine, key, down);
}

/* Brings the modifiers of letters from what the client holds to 'wanted', or ('back') from there to
 * what it holds. */
static void change_modifiers(VncServer *server, unsigned wanted, bool back) {
    static const struct {
        unsigned modifier;
        KeyboardKey key, other;
    } rows[] = {
        {KEYBOARD_SHIFT, KEYBOARD_KEY_SHIFT, KEYBOARD_KEY_SHIFT_R},
        {KEYBOARD_ALT_GR, KEYBOARD_KEY_ALT_R, KEYBOARD_KEY_ALT_R},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_wanted = (wanted & rows[i].modifier) != 0;
        bool is_held = server->down[rows[i].key] || server->down[rows[i].other];
        if (is_wanted && !is_held)
            machine_send_key(server->machine, rows[i].key, !back);
        if (!is_wanted && server->down[rows[i].key])
            machine_send_key(server->machine, rows[i].key, back);
        if (!is_wanted && server->down[rows[i].other] && rows[i].other != rows[i].key)
            machine_send_key(server->machine, rows[i].other, back);
    }
}

/* A letter that the client has on one key, or made of several itself, and the guest behind a dead
 * one. */
static void type_combination(VncServer *server, uint32_t character) {
    KeyboardTyping typing;
    if (!keyboard_layout_type(server->machine->config.keyboard_layout, character, &typing))
        return;
    for (unsigned i = 0; i < typing.count; i++) {
        change_modifiers(server, typing.strokes[i].modifiers, false);
        machine_send_key(server->machine, typing.strokes[i].key, true);
        machine_send_key(server->machine, typing.strokes[i].key, false);
        change_modifiers(server, typing.strokes[i].modifiers, true);
    }
}

void vnc_input_symbol(VncServer *server, uint32_t symbol, bool down) {
    if (server->machine == NULL)
        return;
    int key = vnc_keys_find(server->machine->config.keyboard_layout, symbol);
    if (key >= 0)
        vnc_input_key(server, key, down);
    else if (down)
        type_combination(server, vnc_keys_character(symbol));
}

void vnc_input_release_all(VncServer *server) {
    for (int key = 0; key < KEYBOARD_KEY_COUNT; key++)
        vnc_input_key(server, key, false);
    if (server->buttons != 0 && server->machine != NULL)
        machine_send_mouse_buttons(server->machine, 0);
    server->buttons = 0;
    server->has_pointer = false;
}

static void take_key(rfbBool down, rfbKeySym symbol, rfbClientPtr client) {
    VncServer *server = client->screen->screenData;
    vnc_input_symbol(server, symbol, down != 0);
}

/* A tablet has the place itself. */
static void send_place(Machine *machine, const rfbScreenInfo *screen, int x, int y) {
    int right = screen->width > 1 ? screen->width - 1 : 1;
    int bottom = screen->height > 1 ? screen->height - 1 : 1;
    x = x < 0 ? 0 : x < right ? x : right;
    y = y < 0 ? 0 : y < bottom ? y : bottom;
    machine_send_mouse_absolute(machine, (uint32_t)((int64_t)x * MACHINE_PLACE_MOST / right),
                                (uint32_t)((int64_t)y * MACHINE_PLACE_MOST / bottom));
}

/* A PS/2 mouse tells movements: the guest's pointer follows by as much as the client's moved. */
static void take_pointer(int bits, int x, int y, rfbClientPtr client) {
    VncServer *server = client->screen->screenData;
    Machine *machine = server->machine;
    if (machine == NULL)
        return;
    int wheel = (bits & VNC_WHEEL_UP ? -1 : 0) + (bits & VNC_WHEEL_DOWN ? 1 : 0);
    int dx = server->has_pointer ? x - server->pointer_x : 0;
    int dy = server->has_pointer ? y - server->pointer_y : 0;
    if (machine_has_absolute_pointer(machine)) {
        send_place(machine, client->screen, x, y);
        dx = dy = 0;
    }
    if (dx != 0 || dy != 0 || wheel != 0)
        machine_send_mouse_move(machine, dx, dy, wheel);
    server->has_pointer = true;
    server->pointer_x = x;
    server->pointer_y = y;
    uint32_t buttons = (bits & VNC_LEFT ? MOUSE_LEFT : 0u) | (bits & VNC_RIGHT ? MOUSE_RIGHT : 0u) |
                       (bits & VNC_MIDDLE ? MOUSE_MIDDLE : 0u);
    if (buttons != server->buttons)
        machine_send_mouse_buttons(machine, buttons);
    server->buttons = buttons;
}

void vnc_input_init(VncServer *server) {
    server->screen->kbdAddEvent = take_key;
    server->screen->ptrAddEvent = take_pointer;
}

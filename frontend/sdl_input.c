/* Keys, mouse and the window's own shortcuts: Ctrl-Alt-G grab, Ctrl-Alt-F full screen, Ctrl-Alt-S
 * screenshot, Ctrl-Alt-M menu, Ctrl-Alt-V paste, Ctrl-Alt and minus, plus or T the processor's
 * speed. */
#include "screenshot.h"
#include "sdl_keys.h"
#include "sdl_window.h"

#include <stdio.h>

static void set_key(Display *display, int key, bool down) {
    if (key < 0 || (!down && !display->down[key]))
        return;
    display->down[key] = down;
    machine_send_key(display->machine, key, down);
}

/* The window lost the keyboard: whatever is down would never come up again for the guest. */
static void release_keys(Display *display) {
    for (int key = 0; key < KEYBOARD_KEY_COUNT; key++)
        set_key(display, key, false);
}

void sdl_input_set_grab(Display *display, bool grab) {
    if (display->grabbed == grab)
        return;
    display->grabbed = grab;
    display->sdl.SetRelativeMouseMode(grab ? SDL_TRUE : SDL_FALSE);
    display->sdl.SetWindowGrab(display->window, grab ? SDL_TRUE : SDL_FALSE);
    sdl_window_update_title(display);
}

/* A name that no file has yet. */
void sdl_input_save_screenshot(Display *display) {
    char path[64], text[sizeof(display->notice)];
    Error error = {.set = false};
    sdl_window_print_name(path, sizeof(path), "png");
    if (screenshot_write(display->machine, path, "png", &error))
        snprintf(text, sizeof(text), " - saved %s", path);
    else
        snprintf(text, sizeof(text), " - %.70s", error.message);
    sdl_window_notice(display, text);
}

static void change_speed(Display *display, MachineSpeed wanted) {
    char text[sizeof(display->notice)];
    Error error = {.set = false};
    if (!machine_change_speed(display->machine, wanted, 0, &error)) {
        snprintf(text, sizeof(text), " - %.70s", error.message);
        sdl_window_notice(display, text);
    } else {
        sdl_window_notice(display, " - Ctrl-Alt and - slower, + faster, T turbo");
    }
}

/* True: the key was ours, and the guest does not see it. */
static bool handle_shortcut(Display *display, const SDL_KeyboardEvent *key) {
    if ((key->keysym.mod & KMOD_CTRL) == 0 || (key->keysym.mod & KMOD_ALT) == 0 ||
        key->type != SDL_KEYDOWN)
        return false;
    switch (key->keysym.scancode) {
    case SDL_SCANCODE_G:
        sdl_input_set_grab(display, !display->grabbed);
        break;
    case SDL_SCANCODE_F:
        sdl_window_set_full_screen(display, !display->settings.full_screen);
        break;
    case SDL_SCANCODE_S:
        sdl_input_save_screenshot(display);
        break;
    case SDL_SCANCODE_MINUS:
    case SDL_SCANCODE_KP_MINUS:
        change_speed(display, MACHINE_SPEED_SLOWER);
        break;
    case SDL_SCANCODE_EQUALS:
    case SDL_SCANCODE_KP_PLUS:
        change_speed(display, MACHINE_SPEED_FASTER);
        break;
    case SDL_SCANCODE_M:
        sdl_menu_toggle(display);
        break;
    case SDL_SCANCODE_V:
        release_keys(display); /* before what is typed, which Ctrl and Alt would change */
        sdl_menu_act(display, WINDOW_PASTE);
        break;
    case SDL_SCANCODE_T:
        change_speed(display, MACHINE_SPEED_TURBO);
        break;
    default:
        return false;
    }
    release_keys(display);
    return true;
}

static void handle_key(Display *display, const SDL_KeyboardEvent *key) {
    if (key->repeat != 0)
        return; /* the guest's keyboard repeats by itself */
    if (!handle_shortcut(display, key))
        set_key(display, sdl_keys_translate(key->keysym.scancode), key->type == SDL_KEYDOWN);
}

static uint32_t button_bit(uint8_t button) {
    return button == SDL_BUTTON_LEFT     ? 1
           : button == SDL_BUTTON_RIGHT  ? 2
           : button == SDL_BUTTON_MIDDLE ? 4
                                         : 0;
}

/* A tablet has the pointer wherever it is over the picture, and needs no grab. True: it is there.
 */
static bool send_place(Display *display, int x, int y) {
    if (display->grabbed || !machine_has_absolute_pointer(display->machine))
        return false;
    int window_width, window_height, width, height;
    SDL_Rect place = sdl_window_place(display);
    display->sdl.GetWindowSize(display->window, &window_width, &window_height);
    display->sdl.GetRendererOutputSize(display->renderer, &width, &height);
    if (window_width <= 0 || window_height <= 0 || place.w <= 1 || place.h <= 1)
        return false;
    int64_t left = (int64_t)x * width / window_width - place.x;
    int64_t top = (int64_t)y * height / window_height - place.y;
    if (left < 0 || left >= place.w || top < 0 || top >= place.h)
        return false;
    machine_send_mouse_absolute(display->machine,
                                (uint32_t)(left * MACHINE_PLACE_MOST / (place.w - 1)),
                                (uint32_t)(top * MACHINE_PLACE_MOST / (place.h - 1)));
    return true;
}

/* The guest does not have the mouse: the left button gives it, or opens the menu on the status
 * line, as the right one does anywhere. */
static void click_window(Display *display, const SDL_MouseButtonEvent *button) {
    int column, row = -1;
    if (sdl_status_height(display) != 0)
        sdl_overlay_find_cell(display, &display->status.overlay, button->x, button->y, &column,
                              &row);
    if (button->button == SDL_BUTTON_RIGHT || row == 0)
        sdl_menu_toggle(display);
    else if (button->button == SDL_BUTTON_LEFT)
        sdl_input_set_grab(display, true);
}

static void handle_button(Display *display, const SDL_MouseButtonEvent *button) {
    bool release =
        button->type == SDL_MOUSEBUTTONUP && (display->buttons & button_bit(button->button));
    if (!display->grabbed && !release && !send_place(display, button->x, button->y)) {
        /* The click that takes the mouse is not the guest's. */
        if (button->type == SDL_MOUSEBUTTONDOWN)
            click_window(display, button);
        return;
    }
    uint32_t bit = button_bit(button->button);
    display->buttons =
        button->type == SDL_MOUSEBUTTONDOWN ? display->buttons | bit : display->buttons & ~bit;
    machine_send_mouse_buttons(display->machine, display->buttons);
}

static void handle_window(Display *display, const SDL_WindowEvent *window) {
    switch (window->event) {
    case SDL_WINDOWEVENT_FOCUS_GAINED:
        sdl_clipboard_note_change(display);
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        release_keys(display);
        sdl_input_set_grab(display, false);
        break;
    case SDL_WINDOWEVENT_RESIZED:
        sdl_settings_note_size(display, window->data1, window->data2);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        sdl_window_draw(display);
        break;
    default:
        break;
    }
}

/* Over the picture of a guest with a tablet its own pointer is the one to look at. */
static void follow_pointer(Display *display, const SDL_MouseMotionEvent *motion) {
    if (display->grabbed) {
        machine_send_mouse_move(display->machine, motion->xrel, motion->yrel, 0);
        return;
    }
    bool is_guests = send_place(display, motion->x, motion->y);
    display->sdl.ShowCursor(is_guests ? SDL_DISABLE : SDL_ENABLE);
}

void sdl_input_handle(Display *display, const SDL_Event *event) {
    sdl_drop_watch(display, event);
    if (sdl_menu_handle(display, event)) {
        display->sdl.ShowCursor(SDL_ENABLE);
        return;
    }
    switch (event->type) {
    case SDL_QUIT:
        display->closed = true;
        break;
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        handle_key(display, &event->key);
        break;
    case SDL_MOUSEMOTION:
        follow_pointer(display, &event->motion);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        handle_button(display, &event->button);
        break;
    case SDL_MOUSEWHEEL:
        if (display->grabbed || machine_has_absolute_pointer(display->machine))
            machine_send_mouse_move(display->machine, 0, 0, -event->wheel.y);
        break;
    case SDL_WINDOWEVENT:
        handle_window(display, &event->window);
        break;
    case SDL_CLIPBOARDUPDATE:
        sdl_clipboard_note_change(display);
        break;
    case SDL_DROPFILE:
    case SDL_DROPCOMPLETE:
        sdl_drop_handle(display, &event->drop);
        break;
    default:
        sdl_joystick_handle(display, event);
        break;
    }
}

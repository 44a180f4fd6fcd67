/* The host's joysticks as those at the guest's gameport: the first two that there are. */
#include "sdl_window.h"

enum { STICKS = 2, AXES_EACH = 2, BUTTONS_EACH = 2 };

void sdl_joystick_open(Display *display) {
    for (int i = 0; i < STICKS; i++)
        display->joystick[i] = -1;
    if (machine_has_gameport(display->machine))
        display->sdl.InitSubSystem(SDL_INIT_JOYSTICK); /* its devices are told by events */
}

static int find_stick(const Display *display, SDL_JoystickID id) {
    for (int i = 0; i < STICKS; i++) {
        if (display->joystick[i] == id)
            return i;
    }
    return -1;
}

static void add_stick(Display *display, int device) {
    int place = find_stick(display, -1);
    SDL_Joystick *stick = place >= 0 ? display->sdl.JoystickOpen(device) : NULL;
    if (stick == NULL)
        return;
    display->joystick[place] = display->sdl.JoystickInstanceID(stick);
    for (int axis = 0; axis < AXES_EACH; axis++)
        machine_send_joystick(display->machine, (unsigned)(place * AXES_EACH + axis), 128);
}

static void remove_stick(Display *display, SDL_JoystickID id) {
    int place = find_stick(display, id);
    if (place >= 0)
        display->joystick[place] = -1;
}

/* With one joystick its third and fourth button are those of the second. */
static void press(Display *display, const SDL_JoyButtonEvent *button) {
    int place = find_stick(display, button->which);
    unsigned number = (unsigned)place * BUTTONS_EACH + button->button;
    if (place >= 0 && number < STICKS * BUTTONS_EACH)
        machine_send_joystick_button(display->machine, number, button->state == SDL_PRESSED);
}

static void move(Display *display, const SDL_JoyAxisEvent *axis) {
    int place = find_stick(display, axis->which);
    if (place >= 0 && axis->axis < AXES_EACH)
        machine_send_joystick(display->machine, (unsigned)(place * AXES_EACH + axis->axis),
                              (axis->value + 32768) / 257);
}

void sdl_joystick_handle(Display *display, const SDL_Event *event) {
    switch (event->type) {
    case SDL_JOYDEVICEADDED:
        add_stick(display, event->jdevice.which);
        break;
    case SDL_JOYDEVICEREMOVED:
        remove_stick(display, event->jdevice.which);
        break;
    case SDL_JOYAXISMOTION:
        move(display, &event->jaxis);
        break;
    case SDL_JOYBUTTONDOWN:
    case SDL_JOYBUTTONUP:
        press(display, &event->jbutton);
        break;
    default:
        break;
    }
}

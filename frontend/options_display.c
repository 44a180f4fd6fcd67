#include "key_values.h"
#include "nearest_name.h"
#include "options.h"
#include "window_settings.h"

#include <string.h>

static bool read_scaling(const char *text, DisplayScaling *scaling, Error *error) {
    return text == NULL || window_settings_find_scaling(text, scaling) ||
           error_set(error, "scaling is smooth, sharp or crt, not '%s'", text);
}

/* Takes the place of a window that was not asked for, as under QEMU. */
static bool take_vnc(Settings *settings, KeyValues *values, Error *error) {
    if (!vnc_spec_parse(&settings->vnc, values, error))
        return false;
    settings->vnc.path = settings_keep_string(settings, settings->vnc.path);
    if (settings->display == DISPLAY_DEFAULT)
        settings->display = DISPLAY_NONE;
    return true;
}

/* QEMU's other displays: those in a window are the window here, those without one none. What they
 * take is about how they draw. */
static bool take_other(Settings *settings, const char *type, KeyValues *values, Error *error) {
    static const struct {
        const char *name;
        DisplayKind kind;
        const char *note; /* NULL: it is what it is meant to be */
    } others[] = {
        {"gtk", DISPLAY_SDL, NULL},
        {"cocoa", DISPLAY_SDL, NULL},
        {"curses", DISPLAY_DEFAULT, "the screen cannot be on the terminal; it is in a window"},
        {"egl-headless", DISPLAY_NONE, "there is no screen but by -vnc"},
        {"dbus", DISPLAY_NONE, "there is no screen but by -vnc"},
        {"spice-app", DISPLAY_NONE, "there is no screen but by -vnc"},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i].name, type) != 0)
            continue;
        for (int key = 0; key < values->count; key++)
            values->items[key].used = true;
        settings->display = others[i].kind;
        if (others[i].note != NULL)
            settings_warn(settings, "%s: %s", type, others[i].note);
        return true;
    }
    return error_set(error, "unknown display '%s'; known are sdl, vnc=HOST:N and none", type);
}

bool option_display(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "type", error);
    const char *type = key_values_get(&values, "type");
    if (good && type != NULL && strcmp(type, "sdl") == 0) {
        settings->display = DISPLAY_SDL;
        bool ignored;
        const char *scaling = key_values_get(&values, "scaling");
        settings->scaling_is_named = scaling != NULL;
        settings->full_screen_is_named = key_values_get(&values, "full-screen") != NULL;
        good = read_scaling(scaling, &settings->scaling, error) &&
               key_values_get_bool(&values, "full-screen", false, &settings->full_screen, error) &&
               key_values_get_bool(&values, "gl", false, &ignored, error) &&
               key_values_get_bool(&values, "show-cursor", false, &ignored, error) &&
               key_values_get_bool(&values, "window-close", true, &ignored, error);
    } else if (good && type != NULL && strcmp(type, "none") == 0) {
        settings->display = DISPLAY_NONE;
    } else if (good && key_values_get(&values, "vnc") != NULL) {
        good = take_vnc(settings, &values, error);
    } else if (good) {
        good = take_other(settings, type != NULL ? type : "", &values, error);
    }
    good = good && key_values_check_used(
                       &values, "type full-screen gl scaling show-cursor window-close", error);
    key_values_free(&values);
    return good;
}

bool option_vnc(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good =
        key_values_parse(&values, argument, "vnc", error) && take_vnc(settings, &values, error);
    key_values_free(&values);
    return good;
}

bool option_full_screen(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->full_screen = settings->full_screen_is_named = true;
    return true;
}

bool option_no_user_config(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->no_user_config = true;
    return true;
}

bool option_vga(Settings *settings, const char *argument, Error *error) {
    static const char *const others[] = {"qxl", "vmware", "virtio"};
    bool cirrus = strcmp(argument, "cirrus") == 0, none = strcmp(argument, "none") == 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(argument, others[i]) != 0)
            continue;
        settings_warn(settings, "there is no %s adapter; 'std' takes its place", argument);
        argument = "std";
    }
    if (!cirrus && !none && strcmp(argument, "std") != 0)
        return error_set(error, "unknown display adapter '%s'; known are std, cirrus and none",
                         argument);
    settings->vga_is_chosen = true;
    settings->machine.has_vga = !none;
    settings->machine.vga.model = cirrus ? VGA_CIRRUS : VGA_STANDARD;
    return true;
}

bool option_no_graphic(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->no_graphic = true;
    return true;
}

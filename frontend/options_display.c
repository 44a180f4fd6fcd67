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
        good = error_set(error, "unknown display '%s'; known are sdl, vnc=HOST:N and none",
                         type != NULL ? type : "");
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
    bool cirrus = strcmp(argument, "cirrus") == 0, none = strcmp(argument, "none") == 0;
    if (!cirrus && !none && strcmp(argument, "std") != 0)
        return error_set(error, "unknown display adapter '%s'; known are std, cirrus and none",
                         argument);
    settings->vga_is_chosen = true;
    if (settings->vga_is_named) /* by -device */
        return none || error_set(error, "there is one display adapter already");
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

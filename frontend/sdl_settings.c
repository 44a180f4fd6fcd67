/* What the user sets in the window, from run to run; the volume. */
#include "sdl_window.h"

enum {
    BY_HAND_AFTER_MS = 500, /* window managers answer a size that we asked for by then */
};

static void set_volume(Display *display) {
    const WindowSettings *settings = &display->settings;
    float share = settings->muted ? 0 : (float)settings->volume / WINDOW_VOLUME_MOST;
    if (display->audio != NULL)
        audio_outputs_set_gain(display->audio, share * share); /* as it is heard */
}

void sdl_settings_init(Display *display, const DisplayOptions *options) {
    WindowSettings *settings = &display->settings;
    display->audio = options->audio;
    display->keeps_settings = options->keeps_settings;
    window_settings_init(settings);
    if (options->keeps_settings)
        window_settings_read(settings);
    display->kept_settings = *settings;
    if (options->scaling_is_named)
        settings->scaling = options->scaling;
    if (options->full_screen_is_named)
        settings->full_screen = options->full_screen;
    display->settings_before = *settings;
    set_volume(display);
}

void sdl_settings_keep(Display *display) {
    if (window_settings_take_choices(&display->kept_settings, &display->settings_before,
                                     &display->settings) &&
        display->keeps_settings)
        window_settings_write(&display->kept_settings);
    display->settings_before = display->settings;
}

void sdl_settings_set_volume(Display *display, int percent, bool muted) {
    if (percent < 0)
        percent = 0;
    if (percent > WINDOW_VOLUME_MOST)
        percent = WINDOW_VOLUME_MOST;
    display->settings.volume = (unsigned)percent;
    display->settings.muted = muted;
    set_volume(display);
}

void sdl_settings_set_size(Display *display, int width, int height) {
    display->sdl.SetWindowSize(display->window, width, height);
    display->sized_ms = display->sdl.GetTicks64();
}

void sdl_settings_note_size(Display *display, int width, int height) {
    bool ours = display->sdl.GetTicks64() - display->sized_ms < BY_HAND_AFTER_MS;
    bool free_size = (display->sdl.GetWindowFlags(display->window) &
                      (SDL_WINDOW_MAXIMIZED | SDL_WINDOW_FULLSCREEN_DESKTOP)) == 0;
    if (ours || !free_size || display->settings.full_screen)
        return;
    display->settings.width = width;
    display->settings.height = height;
}

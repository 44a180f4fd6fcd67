/* What a user has set in the window, kept from run to run in $XDG_CONFIG_HOME/reprise/window: a
 * line "name = value" each. */
#ifndef REPRISE_WINDOW_SETTINGS_H
#define REPRISE_WINDOW_SETTINGS_H

#include <stdbool.h>

/* How the guest's pixels become those of the window. */
typedef enum DisplayScaling {
    DISPLAY_SMOOTH, /* interpolated, as large as fits */
    DISPLAY_SHARP,  /* whole multiples */
    DISPLAY_CRT     /* interpolated, with the dark gaps between a tube's lines */
} DisplayScaling;

enum { WINDOW_VOLUME_MOST = 100 };

typedef struct WindowSettings {
    DisplayScaling scaling;
    bool full_screen, status_line;
    unsigned volume; /* 0 to WINDOW_VOLUME_MOST */
    bool muted;
    int width, height; /* of the window, where the user has given it a size; 0: the guest's */
} WindowSettings;

void window_settings_init(WindowSettings *settings);
/* The name in files and options, "smooth" for example. False: there is none of that name. */
bool window_settings_find_scaling(const char *name, DisplayScaling *scaling);

/* Takes over what the user's file says; what it does not say, or says wrongly, is left. */
void window_settings_read(WindowSettings *settings);
/* Where the file cannot be written nothing happens: it is a convenience. */
void window_settings_write(const WindowSettings *settings);

/* Takes over into 'kept' what differs in 'now' from 'before': a choice. True: there was one. */
bool window_settings_take_choices(WindowSettings *kept, const WindowSettings *before,
                                  const WindowSettings *now);

#endif

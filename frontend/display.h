/* The window that shows the machine's screen. In a build without SDL only '-display none' works. */
#ifndef REPRISE_DISPLAY_H
#define REPRISE_DISPLAY_H

#include "audio_outputs.h"
#include "error.h"
#include "machine.h"
#include "monitor.h"
#include "settings.h"
#include <stdbool.h>

typedef struct Display Display;

/* Settles which display is to be used; an error if a window is wanted and cannot be had. */
bool display_check(Settings *settings, Error *error);

/* What the window begins with, and what it needs to know of the machine. Strings must outlive it.
 */
typedef struct DisplayOptions {
    const char *name;            /* for the title; may be NULL */
    const char *firmware_folder; /* where the font of the menu is looked for first; may be NULL */
    /* What the command line says; the rest is as the user left it. */
    bool scaling_is_named, full_screen_is_named;
    DisplayScaling scaling;
    bool full_screen;
    bool keeps_settings; /* in the user's file, from run to run */
    const MonitorHost *monitor_host;
    const AudioOutputs *audio; /* whose volume the window sets */
} DisplayOptions;

Display *display_open(Machine *machine, const DisplayOptions *options, Error *error);
/* NULL is allowed. */
void display_close(Display *display);

/* Serves the window's events and shows a new picture if there is one. False: the user closed the
 * window. */
bool display_update(Display *display);

/* How long it has time until it is to be served again. */
int display_wait_ms(const Display *display);

#endif

/* What is shown when the program is started with nothing to run: a window with the images that were
 * used last, those that lie about, and the demo disk. */
#ifndef REPRISE_START_PAGE_H
#define REPRISE_START_PAGE_H

#include "error.h"
#include <stdbool.h>

typedef enum StartChoice {
    START_NOTHING, /* there is no start page here: no display, no font; go on without */
    START_QUIT,    /* the window was closed */
    START_DEMO,
    START_IMAGE,
} StartChoice;

#define START_PATH_BYTES 4096

/* Lets the user choose. For START_IMAGE 'path' (of START_PATH_BYTES) is an image or a machine
 * file. */
StartChoice start_page_run(char *path);

#endif

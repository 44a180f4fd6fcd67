/* Where the built-in demo disk lies: beside the program that was built, or where it was installed.
 */
#ifndef REPRISE_DEMO_DISK_H
#define REPRISE_DEMO_DISK_H

#include "error.h"
#include "settings.h"

/* Puts the demo disk into drive A, write-protected. 'program' is argv[0]. */
bool demo_disk_plug_in(Settings *settings, const char *program, Error *error);

#endif

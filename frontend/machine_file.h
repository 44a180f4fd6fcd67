/* A machine in a file: its options, a line each, spelled as on the command line without the dash.
 *
 *     # my Windows 98
 *     name = Windows 98
 *     m = 128
 *     cpu = pentium3
 *     hda = win98.qcow2
 *     drive = file=games.img,if=ide,index=1
 *     no-hpet
 *
 * Lines that begin with '#' or ';' are comments. Names of files are relative to the folder that the
 * machine file is in. */
#ifndef REPRISE_MACHINE_FILE_H
#define REPRISE_MACHINE_FILE_H

#include "error.h"
#include "settings.h"
#include <stdbool.h>

#define MACHINE_FILE_SUFFIX ".reprise"

/* Does the path end as those of machine files do? */
bool machine_file_is_named(const char *path);

/* Takes all options over. An error names file and line. */
bool machine_file_read(Settings *settings, const char *path, Error *error);

#endif

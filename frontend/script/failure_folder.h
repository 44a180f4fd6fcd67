/* What a failing test leaves: one folder with all that helps to find out why.
 *
 *     script.txt       the message, the step, Lua's stack
 *     command.txt      the command that runs just this test again
 *     events.log       what the script did and waited for
 *     screen.png, screen.txt, registers.txt, backtrace.txt, devices.txt, serial0.log, ...
 *                      of the machine; where there are several, in folders named after them
 *     difference.png   where the screen was last compared with a picture in vain: red differs, blue
 *                      was left out */
#ifndef REPRISE_FAILURE_FOLDER_H
#define REPRISE_FAILURE_FOLDER_H

#include "error.h"
#include "event_log.h"
#include "report.h"
#include "script.h"

typedef struct FailureFolder {
    Script *script;
    const EventLog *events;
    const TestResult *result;
    unsigned repetition;   /* 0: none */
    const char *traceback; /* may be NULL */
} FailureFolder;

/* Returns its path, to be freed. A fresh one each time: "NAME", else "NAME-2" and so on. NULL, and
 * an error, where none can be made. */
char *failure_folder_write(const FailureFolder *folder, Error *error);

/* The file of this name that stands 'depth' folders below; of several the first, or the last one.
 * False: there is none. */
bool failure_folder_find(const char *folder, const char *name, unsigned depth, bool last,
                         char *path, size_t size);
/* Removes a folder with all there is in it. */
void failure_folder_remove(const char *folder);

#endif

/* What a recording says of its machine: the command line, and the files that it names. */
#ifndef REPRISE_RECORDING_DESCRIPTION_H
#define REPRISE_RECORDING_DESCRIPTION_H

#include "recording_file.h"
#include "settings.h"

/* Of finished settings. Strings stay theirs. */
bool recording_describe(const Settings *settings, RecordingDescription *description, Error *error);

/* The other way: the words as a command line again, for a machine that shows and serves nothing.
 * Files that are not where they were are looked for beside the recording at 'path'. An error where
 * one is missing or has changed. */
bool recording_make_settings(const RecordingDescription *description, const char *path,
                             Settings *settings, Error *error);

#endif

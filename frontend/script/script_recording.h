/* Each machine of a script is recorded in memory, lightly: under icount a run follows from the
 * command line, or from a snapshot, and from what enters. A failing test's folder gets it as a
 * file.
 *
 * A log is a chain of parts. What a clone or a checkpoint goes on from is the end of a part, which
 * nothing is added to any more and which any number of runs share. */
#ifndef REPRISE_SCRIPT_RECORDING_H
#define REPRISE_SCRIPT_RECORDING_H

#include "error.h"
#include "machine.h"
#include "settings.h"

typedef struct ScriptRecording ScriptRecording;
typedef struct RecordingPlace RecordingPlace;

/* From the machine as it was made, or as it was when its settings' snapshot was loaded. NULL where
 * its run does not repeat. The settings must outlive the recording and those of its clones. */
ScriptRecording *script_recording_begin(Machine *machine, Settings *settings);
/* Before the machine goes. NULL is allowed. */
void script_recording_free(ScriptRecording *recording);

/* The machine became what it was at a snapshot of this name. NULL is allowed. */
void script_recording_load(ScriptRecording *recording, const char *snapshot);

/* Where the run stands, to return to: on the machine's thread. NULL for NULL. */
RecordingPlace *script_recording_mark(ScriptRecording *recording);
void recording_place_release(RecordingPlace *place); /* any thread; NULL is allowed */
/* The machine is what it was there. Both may be NULL. */
void script_recording_return(ScriptRecording *recording, RecordingPlace *place);
/* The recording of a clone that goes on from there: any thread. NULL for NULL. */
ScriptRecording *script_recording_follow(RecordingPlace *place, Machine *clone, Settings *settings);

/* For 'reprise replay': the run so far. False, without an error, where there is none to write. */
bool script_recording_write(ScriptRecording *recording, const char *path, Error *error);

#endif

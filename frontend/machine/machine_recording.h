/* A machine's run as a recording in a file, and a machine that replays one. All functions belong to
 * the machine's thread, or to the caller's while no thread runs it. */
#ifndef REPRISE_MACHINE_RECORDING_H
#define REPRISE_MACHINE_RECORDING_H

#include "error.h"
#include "machine.h"
#include "machine_replay.h"
#include "recording_file.h"

typedef struct MachineRecording MachineRecording;

/* From here on, whatever state the machine is in. The writes to its disks since its start must
 * follow from the description's command line. */
MachineRecording *machine_recording_begin(Machine *machine, const char *path,
                                          const RecordingDescription *description, Error *error);
/* Tells the state at the end, and closes the file. NULL is allowed. */
void machine_recording_end(MachineRecording *recording);

/* What a machine needs beside memory and chips: the state as a recording holds it. */
void machine_save_start(Machine *machine, ByteBuffer *state);
/* The same of a run that began with the machine as it was made. */
void machine_describe_start(Machine *machine, ByteBuffer *state);

/* Whether it begins with a state, and not with the machine as it was made. */
bool machine_recording_has_state(const Recording *recording);

/* A machine that was made by the recording's command line becomes what it was at its start, and
 * replays from then on as it runs. The recording must outlive that. */
bool machine_replay_recording(Machine *machine, const Recording *recording, Replay *replay,
                              Error *error);

#endif

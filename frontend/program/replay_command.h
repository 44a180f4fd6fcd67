/* 'reprise replay FILE [--until INSTRUCTION] [OPTIONS]': runs again what '-record FILE' recorded.
 */
#ifndef REPRISE_REPLAY_COMMAND_H
#define REPRISE_REPLAY_COMMAND_H

#include "error.h"
#include "program.h"

/* The verb's words are gone from 'argv'. Returns the exit status: 0, or 6 where the replay did
 * something else than the recording. */
int replay_command(RepriseMachine *machine, const ProgramPart *part, int argc, char **argv,
                   Error *error);

#endif

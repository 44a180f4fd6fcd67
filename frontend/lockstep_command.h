/* reprise lockstep: compares the backends over a guest's run. */
#ifndef REPRISE_LOCKSTEP_COMMAND_H
#define REPRISE_LOCKSTEP_COMMAND_H

#include "settings.h"

/* 'argv' after the verb: --instructions N, --step N, --keys NAME,NAME... and --corrupt MICRO-OP,
 * then the machine's options. Exit status: 0 they agree, 6 they differ, 1 an error, which is told
 * in 'error'. */
int lockstep_command(Settings *settings, int argc, char **argv, Error *error);

#endif

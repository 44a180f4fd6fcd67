/* After perturbed runs of which some passed and some failed: where do a passing and a failing one
 * part? */
#ifndef REPRISE_FLAKE_HUNT_H
#define REPRISE_FLAKE_HUNT_H

#include "test_run.h"

/* Tells on stderr of each script that is flaky: the seed that fails, and the instruction up to
 * which a passing run has to be like a failing one to fail too. Runs it again for that, some dozen
 * times. Nothing without --perturb. */
void flake_hunt(const TestRun *run, unsigned sources);

#endif

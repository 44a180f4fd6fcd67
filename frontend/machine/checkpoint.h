/* Checkpoints: states of a running machine kept in memory, as many as wanted, to go back to any of
 * them from anywhere. They cost the pages that change (page_history.h) and the states of the
 * chips. All functions belong to the machine's thread. */
#ifndef REPRISE_CHECKPOINT_H
#define REPRISE_CHECKPOINT_H

#include "error.h"
#include "machine.h"

typedef struct Checkpoint Checkpoint;

/* Between two instructions: the whole machine as it is. */
Checkpoint *machine_checkpoint(Machine *machine, Error *error);

/* Makes the machine what it was then: memory, processor, chips, requests in flight, whether it had
 * ended, what the drives held. What it is now is lost. A machine that is stopped stays so. False:
 * nothing was changed. */
bool machine_restore(Machine *machine, Checkpoint *checkpoint, Error *error);

/* In any order, and after the machine's end too. NULL is allowed. */
void checkpoint_free(Checkpoint *checkpoint);

#endif

/* The processors of a machine. One thread runs them in turns of so many instructions, so that a run
 * under icount repeats. Machine.cpu and Machine.translator are those of the one whose turn it is.
 */
#ifndef REPRISE_MACHINE_PROCESSORS_H
#define REPRISE_MACHINE_PROCESSORS_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

struct Machine;

/* As many as machine->config says; the first one has its turn. */
bool machine_create_processors(struct Machine *machine, Error *error);
void machine_destroy_processors(struct Machine *machine);

/* The RESET pin of all; the first one begins. */
void machine_reset_processors(struct Machine *machine);

/* Instructions that all of them completed together: what icount's time follows. */
uint64_t machine_count_instructions(const struct Machine *machine);

/* Gives the next turn, if the present one is over, to the next processor that does not wait. */
void machine_take_turn(struct Machine *machine);
/* At most so many of 'limit' instructions belong to this turn. */
int64_t machine_limit_to_turn(const struct Machine *machine, int64_t limit);
/* So many instructions of the turn were run; 'waits': the processor has nothing more to do. */
void machine_spend_turn(struct Machine *machine, uint64_t instructions, bool waits);

/* Number 'index' has its turn from now on, with so many instructions left (a restore). */
void machine_set_turn(struct Machine *machine, unsigned index, uint32_t left);

/* All are halted, and no interrupt is on its way to any. */
bool machine_processors_wait(const struct Machine *machine);
/* All are halted. */
bool machine_processors_halted(const struct Machine *machine);

/* One of them at least takes maskable interrupts. */
bool machine_processors_interruptible(const struct Machine *machine);

/* Translations of all are dropped. */
void machine_flush_translations(struct Machine *machine);

#endif

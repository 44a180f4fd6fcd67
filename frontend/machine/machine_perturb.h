/* Timings that hardware leaves free, moved as a seed says: when an interrupt arrives, how long a
 * disk takes, where in a second the clock is at power-on, how long each of several processors runs
 * before another does. All of it stays within what guests have to expect, and the same seed gives
 * the same run. */
#ifndef REPRISE_MACHINE_PERTURB_H
#define REPRISE_MACHINE_PERTURB_H

#include <stdint.h>

struct Machine;

/* After the board was made. */
void machine_perturb_init(struct Machine *machine);

/* How many instructions a processor's turn has, where 'usual' are usual. */
uint32_t machine_perturb_turn(const struct Machine *machine, uint32_t usual);

#endif

/* Could this be the state of a processor? For those who load one that was written elsewhere. */
#ifndef REPRISE_CPU_CHECK_H
#define REPRISE_CPU_CHECK_H

#include "cpu.h"
#include "error.h"

/* What no guest can bring about is refused: translated code and helpers rely on it. */
bool cpu_check_state(const CpuState *state, Error *error);

#endif

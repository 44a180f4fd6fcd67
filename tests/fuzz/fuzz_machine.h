/* The machines of those fuzzers that need a whole one. All failures end the process. */
#ifndef REPRISE_FUZZ_MACHINE_H
#define REPRISE_FUZZ_MACHINE_H

#include "machine.h"

/* A small machine in guest time, with a serial and a parallel port. */
void fuzz_machine_config(MachineConfig *config, TranslatorBackend backend);

Machine *fuzz_machine_create(const MachineConfig *config);
/* Its processor halts at once, in place of a BIOS. */
Machine *fuzz_machine_create_halted(MachineConfig *config);

#endif

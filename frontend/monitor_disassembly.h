/* Guest code as assembly, for x/i. */
#ifndef REPRISE_MONITOR_DISASSEMBLY_H
#define REPRISE_MONITOR_DISASSEMBLY_H

#include "monitor.h"

/* Prints 'count' instructions from a virtual or physical address on, in the code size that the
 * processor is in. */
void monitor_disassemble(Monitor *monitor, uint32_t address, uint32_t count, bool physical);

#endif

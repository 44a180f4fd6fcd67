/* In place of monitor_disassembly.c in a build without Capstone. */
#include "monitor_command.h"
#include "monitor_disassembly.h"

void monitor_disassemble(Monitor *monitor, uint32_t address, uint32_t count, bool physical) {
    (void)address, (void)count, (void)physical;
    monitor_print(monitor, "no disassembler: built without Capstone\n");
}

/* Several processors: which of them commands look at. */
#include "key_values.h"
#include "machine_parts.h"
#include "monitor_command.h"

Cpu *monitor_cpu(const Monitor *monitor) {
    return monitor->machine->processor[monitor->processor].cpu;
}

bool monitor_parse_processor(const Monitor *monitor, const char *word, unsigned *number,
                             Error *error) {
    uint64_t index;
    if (word == NULL)
        return true;
    if (!parse_number(word, &index) || index >= monitor->machine->processor_count)
        return error_set(error, "there is no processor '%s'; the last one is %u", word,
                         monitor->machine->processor_count - 1);
    *number = (unsigned)index;
    return true;
}

bool monitor_select_processor(Monitor *monitor, char *arguments, Error *error) {
    const char *word = monitor_next_word(&arguments);
    if (word == NULL)
        return error_set(error, "cpu: the number of a processor expected");
    return monitor_parse_processor(monitor, word, &monitor->processor, error);
}

bool monitor_info_cpus(Monitor *monitor, char *arguments, Error *error) {
    const Machine *machine = monitor->machine;
    (void)arguments;
    (void)error;
    for (unsigned i = 0; i < machine->processor_count; i++) {
        const CpuState *state = &machine->processor[i].cpu->state;
        const char *doing = state->waits_for_startup ? " (waits for a start)"
                            : state->halted          ? " (halted)"
                                                     : "";
        monitor_print(monitor, "%c CPU #%u: pc=0x%08x instructions=%llu%s\n",
                      i == monitor->processor ? '*' : ' ', i,
                      state->segment[SEG_CS].base + state->eip,
                      (unsigned long long)state->instruction_count, doing);
    }
    return true;
}

/* 'speed': the processor's speed, in millions of instructions a second. */
#include "machine_parts.h"
#include "monitor_command.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    MachineSpeed speed;
} named_speeds[] = {
    {"slower", MACHINE_SPEED_SLOWER},
    {"faster", MACHINE_SPEED_FASTER},
    {"turbo", MACHINE_SPEED_TURBO},
    {"full", MACHINE_SPEED_GIVEN},
};

static bool change_by_word(Machine *machine, const char *word, Error *error) {
    for (size_t i = 0; i < sizeof(named_speeds) / sizeof(named_speeds[0]); i++) {
        if (strcmp(named_speeds[i].name, word) == 0)
            return machine_change_speed(machine, named_speeds[i].speed, 0, error);
    }
    char *end;
    double per_second = strtod(word, &end) * 1e6;
    if (end == word || *end != '\0' ||
        !(per_second >= MACHINE_SPEED_LEAST && per_second <= MACHINE_SPEED_MOST))
        return error_set(error,
                         "speed: '%s' is no number from 0.01 to 100000, nor slower, faster, "
                         "turbo or full",
                         word);
    return machine_change_speed(machine, MACHINE_SPEED_GIVEN, (uint64_t)(per_second + 0.5), error);
}

bool monitor_speed(Monitor *monitor, char *arguments, Error *error) {
    const char *word = monitor_next_word(&arguments);
    if (word != NULL && !change_by_word(monitor->machine, word, error))
        return false;
    uint64_t per_second = machine_speed(monitor->machine);
    if (per_second != 0)
        monitor_print(monitor, "held at %g MIPS\n", (double)per_second / 1e6);
    else
        monitor_print(monitor, "full speed\n");
    return true;
}

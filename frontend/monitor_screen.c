/* The screen as a file and as text: screendump, screentext. */
#include "machine_parts.h"
#include "monitor_command.h"
#include "screenshot.h"

#include <string.h>

bool monitor_screendump(Monitor *monitor, char *arguments, Error *error) {
    const char *path = NULL;
    const char *format = NULL;
    for (char *word; (word = monitor_next_word(&arguments)) != NULL;) {
        if (strcmp(word, "-f") == 0)
            format = monitor_next_word(&arguments);
        else if (path == NULL)
            path = word;
        else
            return error_set(error, "screendump: unexpected '%s'", word);
    }
    if (path == NULL)
        return error_set(error, "screendump: string expected");
    return screenshot_write(monitor->machine, path, format, error) ||
           error_prefix(error, "Error: ");
}

bool monitor_screentext(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    return board_get_text(&monitor->machine->board, &monitor->output) ||
           error_set(error, "the screen shows graphics, not text");
}

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

/* Pictures are made when a window or a remote display asks, where something changed. */
bool monitor_info_display(Monitor *monitor, char *arguments, Error *error) {
    const Machine *machine = monitor->machine;
    (void)arguments;
    if (machine->board.vga == NULL)
        return error_set(error, "there is no display adapter");
    int64_t frame_ns = vga_frame_ns(machine->board.vga);
    monitor_print(monitor, "%ux%u at %.2f Hz, %llu pictures shown\n", machine->frame.width,
                  machine->frame.height,
                  frame_ns > 0 ? (double)NS_PER_SECOND / (double)frame_ns : 0,
                  (unsigned long long)machine->frame_number);
    return true;
}

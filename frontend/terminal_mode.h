/* The terminal in raw mode while a guest uses it, and back to what it was however the program ends.
 */
#ifndef REPRISE_TERMINAL_MODE_H
#define REPRISE_TERMINAL_MODE_H

#include <stdbool.h>
#include <termios.h>

typedef struct TerminalMode {
    struct termios before;
    int file_flags;
} TerminalMode;

/* Standard input, which must be a terminal: no echo, no line editing, and without 'signals' Ctrl-C
 * is a byte like any other; output stays cooked. */
void terminal_mode_set_raw(TerminalMode *mode, bool signals);
void terminal_mode_restore(const TerminalMode *mode);

#endif

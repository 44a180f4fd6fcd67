/* The terminal that the program was started in, and pseudo-terminals. */
#ifndef REPRISE_HOST_TERMINAL_H
#define REPRISE_HOST_TERMINAL_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

/* What it was before. */
typedef struct HostTerminal {
    _Alignas(8) char before[120]; /* the system's own structure */
    long flags;
} HostTerminal;

/* Standard input, which must be a terminal: no echo, no line editing, and without 'signals' Ctrl-C
 * is a byte like any other; output stays cooked. */
void host_terminal_set_raw(HostTerminal *terminal, bool signals);
void host_terminal_restore(const HostTerminal *terminal);

/* A terminal that a device talks to: bytes as they come, no echo, no editing. */
void host_terminal_make_plain(int file);

/* How many columns standard error shows; 0: it is no terminal. */
unsigned host_terminal_columns(void);

/* A pseudo-terminal without echo or line discipline; 'path' names its other end. -1: failed. */
int host_terminal_open_pair(char *path, size_t size, Error *error);
/* Opens such an other end. */
int host_terminal_open_other(const char *path);

#endif

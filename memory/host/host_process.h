/* Processes: what the host tells this one, and those that it starts. */
#ifndef REPRISE_HOST_PROCESS_H
#define REPRISE_HOST_PROCESS_H

#include "error.h"
#include "host_poll.h"
#include <stdbool.h>
#include <stdint.h>

/* Makes what asks the program to end (SIGTERM, SIGINT, SIGHUP; Ctrl-C, a closed console) come to
 * '*event', in place of ending it at once. A thread's own business must have begun after this.
 * False: it stays as it was. */
bool host_process_catch_end(HostEvent *event);
/* Was it asked since the last time? */
bool host_process_take_end(const HostEvent *event);
void host_process_release_end(HostEvent *event);

/* Goes on as a process in the background, whose '*ready' is closed with
 * host_process_enter_background() when it is up; the first one ends with its status. */
bool host_process_begin_background(int *ready, Error *error);
void host_process_enter_background(int *ready);

/* A program that runs beside this one; 0: none. */
typedef int64_t HostChild;

/* Starts a shell's command whose input ('reads') or output is '*fd' at this end. */
bool host_process_start_shell(const char *command, bool reads, HostChild *child, int *fd,
                              Error *error);
/* Starts this program once more, with these words from the first one on, NULL behind the last, and
 * without input or output. */
bool host_process_start_self(char *const *words, HostChild *child);
/* Has it ended? 'waits': that is waited for. '*status': what it ended with, -1: by a signal. */
bool host_process_has_ended(HostChild child, bool waits, int *status);
void host_process_kill(HostChild child);
/* Runs a program with one word and waits for it; true: it ended with 0. */
bool host_process_run(const char *program, const char *word);

/* Forbids this process whatever an emulator has no need of, for ever: starting programs, becoming
 * another user, tracing. */
bool host_process_enter_sandbox(Error *error);

/* Opens a network interface for frames of Ethernet; '*name' (room for 32 bytes) is the wanted one,
 * or a pattern as "tap%d", and gets the name. -1: failed. */
int host_process_open_tap(char *name, Error *error);

#endif

/* Signals' handlers set an event. Not run yet. */
#include "host_process.h"

#include <signal.h>
#include <stddef.h>

/* A handler has no argument of ours: this one thing is known to the whole process, as signals are.
 */
static HostEvent caught = {-1, -1};

static void note_signal(int number) {
    (void)number;
    host_event_set(&caught);
}

bool host_process_catch_end(HostEvent *event) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    signal(SIGPIPE, SIG_IGN);
    if (!host_event_create(event, NULL))
        return false;
    caught = *event;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
    return true;
}

bool host_process_take_end(const HostEvent *event) {
    return host_event_take(event);
}

void host_process_release_end(HostEvent *event) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        signal(numbers[i], SIG_DFL);
    host_event_destroy(event);
}

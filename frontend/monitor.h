/* The human monitor: a command line to a running machine, on a socket or the terminal. Commands and
 * their output are those of QEMU's monitor, so that scripts written for it work. */
#ifndef REPRISE_MONITOR_H
#define REPRISE_MONITOR_H

#include "byte_buffer.h"
#include "character_device.h"
#include "error.h"
#include "machine.h"
#include <stdbool.h>

#define MONITOR_LINE_BYTES 4096

struct Migration;

/* What the program lends to its monitors. */
typedef struct MonitorHost {
    Machine *machine;
    const char *version; /* of Reprise */
    void (*quit)(void *opaque);
    void *quit_opaque;
    struct Settings *settings; /* where what is plugged in is noted; NULL: nothing can be */
    /* Where debuggers connect from now on; NULL: nowhere. With quit_opaque. */
    bool (*serve_debugger)(void *opaque, const char *address, Error *error);
    /* The password that VNC clients must know from now on. With quit_opaque. */
    bool (*set_vnc_password)(void *opaque, const char *password, Error *error);
    /* Begins a film of screen and sound in that file; NULL: ends it. With quit_opaque. */
    bool (*record_video)(void *opaque, const char *path, Error *error);
    /* The one that is made; NULL: none is. With quit_opaque. */
    struct VideoRecording *(*video)(void *opaque);
    struct Migration *migration; /* NULL in tests */
} MonitorHost;

typedef struct Monitor {
    const MonitorHost *host;
    Machine *machine;
    CharacterDevice *device; /* NULL in tests, which read 'output' themselves */
    bool echo;               /* a terminal in raw mode: show what is typed */
    bool carriage_returns;   /* lines end with CR LF */
    char line[MONITOR_LINE_BYTES];
    size_t line_length;
    bool line_too_long;
    unsigned processor; /* that commands look at: 'cpu' */
    int escape;         /* how far into an escape sequence of the terminal */
    ByteBuffer output;
} Monitor;

/* Attaches a monitor to a character device; 'device' may be NULL (then text stays in 'output'). */
void monitor_init(Monitor *monitor, const MonitorHost *host, CharacterDevice *device);
void monitor_destroy(Monitor *monitor);

/* Somebody connected: greets, and prompts. */
void monitor_greet(Monitor *monitor);
/* Bytes typed or sent. */
void monitor_receive(Monitor *monitor, const uint8_t *bytes, size_t size);
/* Runs one line, and leaves its output in monitor->output. */
void monitor_run_line(Monitor *monitor, const char *line);

#endif

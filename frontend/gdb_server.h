/* Where debuggers connect: a port of the loopback interface, a unix socket, or standard input and
 * output. One debugger at a time. Belongs to the main thread. */
#ifndef REPRISE_GDB_SERVER_H
#define REPRISE_GDB_SERVER_H

#include "error.h"
#include "event_loop.h"
#include "gdb_stub.h"
#include "monitor.h"

typedef struct GdbServer {
    EventLoop *loop;
    const MonitorHost *monitor_host;
    Monitor monitor; /* for the debugger's 'monitor' command; begins without a device */
    int listener;    /* -1: none */
    int input, output;
    char path[256]; /* of a unix socket that is ours to remove */
    bool standard;  /* input and output are the process's own */
    GdbStub *stub;  /* NULL: no debugger is there */
} GdbServer;

/* 'address' is "tcp:[HOST]:PORT" (no host: 127.0.0.1), "unix:PATH" or "stdio", with or without
 * ",server,nowait", as QEMU's -gdb takes it. */
bool gdb_server_open(GdbServer *server, EventLoop *loop, const MonitorHost *monitor_host,
                     const char *address, Error *error);
/* The debugger is told that its process ended, if it did. */
void gdb_server_close(GdbServer *server);
static inline bool gdb_server_is_open(const GdbServer *server) {
    return server->loop != NULL;
}

/* After each round of the event loop. */
void gdb_server_update(GdbServer *server);

#endif

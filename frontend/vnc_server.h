/* The machine's screen, keyboard and mouse for VNC clients (RFC 6143) and, by WebSocket, browsers.
 * All functions belong to the main thread. */
#ifndef REPRISE_VNC_SERVER_H
#define REPRISE_VNC_SERVER_H

#include "error.h"
#include "event_loop.h"
#include "machine.h"
#include "vnc_spec.h"

typedef struct VncServer VncServer;

/* 'name' (may be NULL) is what clients show. The machine may be NULL: then clients see a black
 * screen. */
VncServer *vnc_server_open(EventLoop *loop, Machine *machine, const VncSpec *spec, const char *name,
                           Error *error);
/* NULL is allowed, here and below. */
void vnc_server_close(VncServer *server);

/* Shows clients what has changed, and takes their input. */
void vnc_server_update(VncServer *server);
/* How long the event loop may wait for something else to do: -1 as long as it likes. */
int vnc_server_wait_ms(const VncServer *server);

/* At most eight bytes count (RFC 6143, 7.2.2); NULL or "": nobody is let in. False if the server
 * was opened without password=on. */
bool vnc_server_set_password(VncServer *server, const char *password, Error *error);

/* From then on (seconds since 1970; INT64_MAX: never) the password lets nobody in. */
bool vnc_server_expire_password(VncServer *server, int64_t when, Error *error);

/* The port that it listens on; 0: a Unix socket. */
int vnc_server_port(const VncServer *server);
unsigned vnc_server_client_count(const VncServer *server);

/* Takes over a socket to a client that connected elsewhere. */
bool vnc_server_add_client(VncServer *server, int fd, Error *error);

#endif

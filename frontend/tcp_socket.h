/* TCP sockets, opened with one line that says what went wrong. */
#ifndef REPRISE_TCP_SOCKET_H
#define REPRISE_TCP_SOCKET_H

#include "error.h"

/* Listens at a port ("4444") of a host's address. An empty host is this machine alone (loopback):
 * who controls a machine can do all that the user can. -1 on error. */
int tcp_socket_listen(const char *host, const char *port, Error *error);

/* Connects; an empty host is this machine. -1 on error. */
int tcp_socket_connect(const char *host, const char *port, Error *error);
/* Does not wait for the other end: the socket, which does not block, can be written to once it is
 * connected or has failed (SO_ERROR). */
int tcp_socket_begin_connect(const char *host, const char *port, Error *error);

#endif

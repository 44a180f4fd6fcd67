/* Unix sockets by path. Both return a file descriptor, or -1 with an error. */
#ifndef REPRISE_UNIX_SOCKET_H
#define REPRISE_UNIX_SOCKET_H

#include "error.h"

/* Replaces a socket that an earlier run left behind; refuses to replace any other file, or a socket
 * in use. */
int unix_socket_listen(const char *path, Error *error);
int unix_socket_connect(const char *path, Error *error);

#endif

/* The system's own interface of sockets, for host_socket.c alone. */
#ifndef REPRISE_HOST_SOCKET_SYSTEM_H
#define REPRISE_HOST_SOCKET_SYSTEM_H

#include "host_file.h"
#ifdef _WIN32
#include "host_windows.h"
#include <afunix.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
typedef int SOCKET;
#endif

/* The socket behind a descriptor. */
SOCKET host_socket_of(int file);
/* A descriptor for a new socket, or -1 with errno set if there is none; not inherited. */
int host_socket_adopt(SOCKET socket);
/* Makes ready what sockets need once. */
void host_socket_prepare(void);
/* Sets errno to why the last call failed. */
void host_socket_note_failure(void);
/* Lets nobody else open a UNIX socket's path: before it is bound. */
bool host_socket_close_path(int file);
/* send() and recv() that do not wait. */
ssize_t host_socket_send_now(SOCKET socket, const void *data, size_t size,
                             const struct sockaddr *to, int to_size);
ssize_t host_socket_receive_now(SOCKET socket, void *data, size_t size);

#endif

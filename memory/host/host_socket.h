/* Sockets: descriptors as files are, closed by close() and not inherited by programs that are
 * started. Sending and receiving never wait, whatever the socket's mode, and raise no signal. What
 * gives a descriptor gives -1 where it fails. */
#ifndef REPRISE_HOST_SOCKET_H
#define REPRISE_HOST_SOCKET_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- Streams ---- */

/* Listens at a port ("4444") of a host's address. An empty host is this machine alone (loopback):
 * who controls a machine can do all that the user can. */
int host_socket_listen_tcp(const char *host, const char *port, Error *error);
/* Connects; an empty host is this machine. */
int host_socket_connect_tcp(const char *host, const char *port, Error *error);
/* Does not wait for the other end: the socket can be written to once it is connected or has failed
 * (host_socket_take_failure()). */
int host_socket_begin_connect_tcp(const char *host, const char *port, Error *error);

/* Replaces a socket that an earlier run left behind; refuses to replace any other file, or a socket
 * in use. Nobody else may open it. */
int host_socket_listen_unix(const char *path, Error *error);
int host_socket_connect_unix(const char *path, Error *error);
/* Bytes of the longest path of such a socket, with the zero at its end. */
size_t host_socket_unix_path_bytes(void);
/* Two that are connected to each other and never wait. */
bool host_socket_pair(int *one, int *other, Error *error);

/* The next one that connects; -1: errno. */
int host_socket_accept(int listener);
/* 0, or what errno would be, of a connection that was begun. */
int host_socket_take_failure(int socket);
/* Small pieces leave at once; nothing where it is no TCP socket. */
void host_socket_hurry(int socket);
/* A connection over a network that carries nothing for so long is broken. */
void host_socket_set_patience(int socket, int milliseconds);
/* Is it connected, and is the other end a process of this host? */
bool host_socket_has_peer(int socket, bool *is_local);
/* Is it a socket at all? One that listens, one for datagrams? */
bool host_socket_examine(int socket, bool *listens, bool *is_datagrams);
/* Nothing more will be sent. */
void host_socket_end_output(int socket);

/* -1: errno, EAGAIN where there is no room or nothing came; 0: closed at the other end. */
ssize_t host_socket_send(int socket, const void *data, size_t size);
ssize_t host_socket_receive(int socket, void *data, size_t size);
/* Waits for bytes, with up to 'most' descriptors that come beside them; '*count': how many. */
ssize_t host_socket_receive_files(int socket, void *data, size_t size, int *files, int most,
                                  int *count);

/* ---- By addresses of IPv4 ---- */

typedef struct HostAddress {
    uint32_t address; /* in this host's order, as the port */
    uint16_t port;
    bool is_set;
} HostAddress;

/* "HOST:PORT"; without a host any address. */
bool host_socket_parse_address(const char *text, HostAddress *address, Error *error);
/* "127.0.0.1" */
bool host_socket_parse_number(const char *text, uint32_t *address);

int host_socket_create(bool datagrams, Error *error);
/* These set errno. */
bool host_socket_bind(int socket, const HostAddress *address);
bool host_socket_listen(int socket);
/* 0: connected; 1: begun; -1. */
int host_socket_begin_connect(int socket, const HostAddress *address);
/* The socket becomes a member of a multicast group, by the interface of this address, or by any if
 * that is 0. */
bool host_socket_join_group(int socket, uint32_t group, uint32_t interface_address);
/* 'to' not set: where it is connected. */
ssize_t host_socket_send_to(int socket, const void *data, size_t size, const HostAddress *to);

#endif

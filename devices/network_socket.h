/* The back end 'socket': frames to other emulators over a stream, each headed by its length in four
 * bytes, the highest first, or as datagrams over UDP, one each; as QEMU's '-netdev socket' has it.
 */
#ifndef REPRISE_NETWORK_SOCKET_H
#define REPRISE_NETWORK_SOCKET_H

#include "byte_buffer.h"
#include "network_back_end.h"
#include "network_host.h"
#include "network_link.h"

typedef struct NetworkSocket NetworkSocket;

NetworkSocket *network_socket_create(const NetworkSocketOptions *options, NetworkHost *host,
                                     NetworkLink *link, Error *error);
void network_socket_destroy(NetworkSocket *socket);

/* For 'info network'. */
void network_socket_print(const NetworkSocket *socket, ByteBuffer *text);

#endif

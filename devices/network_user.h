/* The back end 'user': a private network whose gateway translates the guest's connections into
 * sockets of this process, with servers for DHCP, DNS and TFTP, by libslirp. The library is loaded
 * with the first one; a build without it has network_user_none.c instead. */
#ifndef REPRISE_NETWORK_USER_H
#define REPRISE_NETWORK_USER_H

#include "byte_buffer.h"
#include "network_back_end.h"
#include "network_host.h"
#include "network_link.h"

typedef struct NetworkUser NetworkUser;

/* 'lenient': forwards of ports that are taken are left out, as in a clone. */
NetworkUser *network_user_create(const DeviceContext *context, const NetworkUserOptions *options,
                                 NetworkHost *host, NetworkLink *link, bool lenient, Error *error);
void network_user_destroy(NetworkUser *user);

/* "tcp::2222-:22" begins to be forwarded; "tcp::2222" no longer is. */
bool network_user_add_forward(NetworkUser *user, const char *rule, Error *error);
bool network_user_remove_forward(NetworkUser *user, const char *rule, Error *error);

/* Its connections as a table, and its network as 'info network' shows it. */
void network_user_print_connections(NetworkUser *user, ByteBuffer *text);
void network_user_print(const NetworkUser *user, ByteBuffer *text);

/* What the library wants to be kept; connections to the host are not. */
void network_user_save(NetworkUser *user, ByteBuffer *buffer);
bool network_user_load(NetworkUser *user, ByteReader *reader, Error *error);

#endif

/* The back end 'tap': a network interface of the host (Linux' tuntap.rst), open already or made by
 * name. */
#ifndef REPRISE_NETWORK_TAP_H
#define REPRISE_NETWORK_TAP_H

#include "byte_buffer.h"
#include "network_back_end.h"
#include "network_host.h"
#include "network_link.h"

typedef struct NetworkTap NetworkTap;

NetworkTap *network_tap_create(const NetworkTapOptions *options, NetworkHost *host,
                               NetworkLink *link, Error *error);
void network_tap_destroy(NetworkTap *tap);

/* For 'info network'. */
void network_tap_print(const NetworkTap *tap, ByteBuffer *text);

#endif

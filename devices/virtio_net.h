/* A virtio network card (Virtual I/O Device specification 1.1, chapter 5.1). */
#ifndef REPRISE_VIRTIO_NET_H
#define REPRISE_VIRTIO_NET_H

#include "network_card.h"

extern const NetworkCardModel virtio_net_model;

#endif

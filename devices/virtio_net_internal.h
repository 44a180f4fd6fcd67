/* What the files of the virtio network card share. */
#ifndef REPRISE_VIRTIO_NET_INTERNAL_H
#define REPRISE_VIRTIO_NET_INTERNAL_H

#include "network_card.h"
#include "virtio_pci.h"

enum { VIRTIO_NET_RECEIVE = 0, VIRTIO_NET_TRANSMIT = 1, VIRTIO_NET_CONTROL = 2 };

/* Feature bits (5.1.3). */
enum {
    VIRTIO_NET_CHECKSUM = 0,
    VIRTIO_NET_GUEST_CHECKSUM = 1,
    VIRTIO_NET_ADDRESS = 5,
    VIRTIO_NET_SEGMENTS_TCP4 = 11,
    VIRTIO_NET_SEGMENTS_TCP6 = 12,
    VIRTIO_NET_SEGMENTS_CONGESTION = 13,
    VIRTIO_NET_MERGE_BUFFERS = 15,
    VIRTIO_NET_STATUS = 16,
    VIRTIO_NET_CONTROL_QUEUE = 17,
    VIRTIO_NET_CONTROL_RECEIVE = 18,
    VIRTIO_NET_CONTROL_VLAN = 19,
    VIRTIO_NET_CONTROL_RECEIVE_MORE = 20,
    VIRTIO_NET_CONTROL_ADDRESS = 23,
    VIRTIO_NET_VERSION_1 = 32,
};

/* What stands before each frame (5.1.6). */
enum {
    VIRTIO_NET_HEADER_OLD = 10,
    VIRTIO_NET_HEADER_BYTES = 12,
    VIRTIO_NET_NEEDS_CHECKSUM = 1,
    VIRTIO_NET_CHECKSUM_IS_GOOD = 2,
};

/* Addresses in the filter; of one group and of the other. */
enum { VIRTIO_NET_UNICAST = 0, VIRTIO_NET_MULTICAST = 1, VIRTIO_NET_GROUPS = 2 };
enum { VIRTIO_NET_TABLE_MAX = 32, VIRTIO_NET_VLAN_BYTES = 512 };

typedef struct VirtioNetState {
    uint8_t address[NETWORK_ADDRESS_BYTES];
    uint8_t promiscuous, all_multicast, all_unicast;
    uint8_t no_multicast, no_unicast, no_broadcast;
    uint8_t link_up; /* as the driver knows it */
    uint8_t table_count[VIRTIO_NET_GROUPS];
    uint8_t table_overflowed[VIRTIO_NET_GROUPS]; /* and lets everything of its group through */
    uint8_t table[VIRTIO_NET_GROUPS][VIRTIO_NET_TABLE_MAX][NETWORK_ADDRESS_BYTES];
    uint8_t vlans[VIRTIO_NET_VLAN_BYTES]; /* a bit for each */
} VirtioNetState;

typedef struct VirtioNet {
    VirtioNetState state;
    VirtioPci *transport;
    NetworkLink *link;
    Trace *trace;
    PhysicalMap *memory;
    uint8_t own_address[NETWORK_ADDRESS_BYTES];
    char id[32], transport_id[40];
    VirtioChain chain, further; /* that are worked on, nothing between two */
    uint8_t frame[NETWORK_FRAME_MAX];
} VirtioNet;

static inline unsigned virtio_net_header_bytes(const VirtioNet *card) {
    bool has_count = virtio_pci_has_feature(card->transport, VIRTIO_NET_MERGE_BUFFERS) ||
                     virtio_pci_has_feature(card->transport, VIRTIO_NET_VERSION_1);
    return has_count ? VIRTIO_NET_HEADER_BYTES : VIRTIO_NET_HEADER_OLD;
}

/* virtio_net_filter.c */
void virtio_net_filter_reset(VirtioNet *card);
bool virtio_net_filter_passes(const VirtioNet *card, const uint8_t *frame);
/* Does what the chain asks for; false if it is no command. */
bool virtio_net_control(VirtioNet *card);

/* virtio_net_transmit.c: sends what the chain has, and returns how many bytes that are; -1: it
 * cannot be. */
int64_t virtio_net_transmit(VirtioNet *card);

#endif

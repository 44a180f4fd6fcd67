#include "virtio_net.h"
#include "allocate.h"
#include "little_endian.h"
#include "network_offload.h"
#include "virtio_net_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_NETWORK = 1, PCI_DEVICE_NETWORK = 0x1000, CLASS_ETHERNET = 0x020000, QUEUES = 3 };

/* The device's own registers. */
enum { CONFIG_ADDRESS = 0, CONFIG_STATUS = 6, CONFIG_PAIRS = 8, CONFIG_BYTES = 10 };
enum { STATUS_LINK_UP = 1 };

enum { AT_FLAGS = 0, AT_BUFFERS = 10 };

static const Field field_rows[] = {
    FIELD_ARRAY(VirtioNetState, U8, address),
    FIELD(VirtioNetState, U8, promiscuous),
    FIELD(VirtioNetState, U8, all_multicast),
    FIELD(VirtioNetState, U8, all_unicast),
    FIELD(VirtioNetState, U8, no_multicast),
    FIELD(VirtioNetState, U8, no_unicast),
    FIELD(VirtioNetState, U8, no_broadcast),
    FIELD(VirtioNetState, U8, link_up),
    FIELD_ARRAY(VirtioNetState, U8, table_count),
    FIELD_ARRAY(VirtioNetState, U8, table_overflowed),
    FIELD_BYTES_OF(VirtioNetState, table),
    FIELD_BYTES_OF(VirtioNetState, vlans),
    FIELD_END,
};

static const FieldTable fields = {"virtio-net", 1, sizeof(VirtioNetState), field_rows};

static void read_config(void *opaque, uint8_t *config) {
    const VirtioNet *card = opaque;
    memcpy(config + CONFIG_ADDRESS, card->state.address, NETWORK_ADDRESS_BYTES);
    store_le16(config + CONFIG_STATUS, card->state.link_up ? STATUS_LINK_UP : 0);
    store_le16(config + CONFIG_PAIRS, 1);
}

/* Drivers from before 1.0 write the address here (5.1.4.3). */
static void write_config(void *opaque, unsigned offset, const uint8_t *data, unsigned size) {
    VirtioNet *card = opaque;
    if (virtio_pci_has_feature(card->transport, VIRTIO_NET_VERSION_1))
        return;
    for (unsigned i = 0; i < size && offset + i < NETWORK_ADDRESS_BYTES; i++)
        card->state.address[offset + i] = data[i];
}

/* --- receiving ---------------------------------------------------------------------------------
 */

static bool can_receive(void *opaque) {
    VirtioNet *card = opaque;
    return !virtio_pci_is_ready(card->transport, VIRTIO_NET_RECEIVE) ||
           virtio_pci_has_chain(card->transport, VIRTIO_NET_RECEIVE);
}

/* A driver that may be told so need not look at checksums itself. */
static void fill_header(const VirtioNet *card, const uint8_t *frame, size_t size, uint8_t *header) {
    memset(header, 0, VIRTIO_NET_HEADER_BYTES);
    store_le16(header + AT_BUFFERS, 1);
    if (!virtio_pci_has_feature(card->transport, VIRTIO_NET_GUEST_CHECKSUM))
        return;
    NetworkChecks checks = network_check_frame(frame, size, NETWORK_ADDRESSES_BYTES);
    if (checks.ip == NETWORK_GOOD && checks.transport == NETWORK_GOOD)
        header[AT_FLAGS] = VIRTIO_NET_CHECKSUM_IS_GOOD;
}

/* How many chains beyond the first are needed for so many bytes; -1: there are not enough. */
static int count_further_chains(VirtioNet *card, uint64_t bytes) {
    int count = 0;
    bool enough = bytes == 0;
    while (!enough && virtio_pci_take(card->transport, VIRTIO_NET_RECEIVE, &card->further)) {
        count++;
        uint64_t room = card->further.writable.left;
        bytes -= room < bytes ? room : bytes;
        enough = bytes == 0;
    }
    virtio_pci_put_back(card->transport, VIRTIO_NET_RECEIVE, (unsigned)count);
    return enough ? count : -1;
}

static void fill_chain(VirtioNet *card, const uint8_t **frame, size_t *left, uint32_t before) {
    DmaList *list = &card->chain.writable;
    size_t part = list->left < *left ? (size_t)list->left : *left;
    dma_list_write(list, card->memory, *frame, part);
    virtio_pci_give_back(card->transport, VIRTIO_NET_RECEIVE, &card->chain,
                         before + (uint32_t)part);
    *frame += part;
    *left -= part;
}

/* The first chain has been taken. False: the frame does not fit, and is lost. */
static bool fill_chains(VirtioNet *card, const uint8_t *frame, size_t size) {
    uint8_t header[VIRTIO_NET_HEADER_BYTES];
    unsigned head = virtio_net_header_bytes(card);
    uint64_t room = card->chain.writable.left, needed = head + size;
    int further = 0;
    if (room < needed && room >= head &&
        virtio_pci_has_feature(card->transport, VIRTIO_NET_MERGE_BUFFERS))
        further = count_further_chains(card, needed - room);
    else if (room < needed)
        further = -1;
    if (further < 0) {
        virtio_pci_put_back(card->transport, VIRTIO_NET_RECEIVE, 1);
        return false;
    }
    fill_header(card, frame, size, header);
    store_le16(header + AT_BUFFERS, (uint16_t)(further + 1));
    dma_list_write(&card->chain.writable, card->memory, header, head);
    fill_chain(card, &frame, &size, head);
    for (; further > 0; further--)
        if (virtio_pci_take(card->transport, VIRTIO_NET_RECEIVE, &card->chain))
            fill_chain(card, &frame, &size, 0);
    return true;
}

static void receive(void *opaque, const uint8_t *frame, size_t size) {
    VirtioNet *card = opaque;
    if (!virtio_pci_is_ready(card->transport, VIRTIO_NET_RECEIVE) ||
        !virtio_net_filter_passes(card, frame))
        return;
    virtio_pci_begin(card->transport);
    if (virtio_pci_take(card->transport, VIRTIO_NET_RECEIVE, &card->chain) &&
        !fill_chains(card, frame, size))
        TRACE(card->trace, TRACE_GUEST_ERRORS, "virtio-net: no room for a frame of %zu bytes\n",
              size);
    virtio_pci_end(card->transport, VIRTIO_NET_RECEIVE);
}

static void link_changed(void *opaque, bool up) {
    VirtioNet *card = opaque;
    if (up == card->state.link_up)
        return;
    card->state.link_up = up;
    virtio_pci_config_changed(card->transport);
}

/* --- queues ------------------------------------------------------------------------------------
 */

static int64_t transmit(VirtioNet *card) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < DMA_BURST_REQUESTS && bytes < DMA_BURST_BYTES; i++) {
        if (!virtio_pci_take(card->transport, VIRTIO_NET_TRANSMIT, &card->chain))
            break;
        int64_t sent = virtio_net_transmit(card);
        if (sent < 0) {
            virtio_pci_break(card->transport);
            break;
        }
        virtio_pci_give_back(card->transport, VIRTIO_NET_TRANSMIT, &card->chain, 0);
        bytes += (uint64_t)sent;
    }
    return dma_transfer_ns(bytes);
}

static int64_t obey(VirtioNet *card) {
    for (unsigned i = 0; i < DMA_BURST_REQUESTS; i++) {
        if (!virtio_pci_take(card->transport, VIRTIO_NET_CONTROL, &card->chain))
            break;
        if (!virtio_net_control(card)) {
            virtio_pci_break(card->transport);
            break;
        }
        virtio_pci_give_back(card->transport, VIRTIO_NET_CONTROL, &card->chain, 1);
    }
    return 0;
}

static int64_t work(void *opaque, unsigned queue) {
    VirtioNet *card = opaque;
    if (queue == VIRTIO_NET_TRANSMIT)
        return transmit(card);
    if (queue == VIRTIO_NET_CONTROL)
        return obey(card);
    virtio_pci_rest(card->transport, VIRTIO_NET_RECEIVE);
    network_link_flush(card->link);
    return 0;
}

/* --- reset and making --------------------------------------------------------------------------
 */

static void reset(void *opaque) {
    virtio_net_filter_reset(opaque);
}

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    VirtioNet *card = opaque;
    for (unsigned i = 0; i < VIRTIO_NET_GROUPS; i++)
        if (card->state.table_count[i] > VIRTIO_NET_TABLE_MAX)
            card->state.table_count[i] = 0;
}

static const DeviceClass device_class = {"virtio-net", &fields, reset, restored};

static VirtioPciOptions transport_options(VirtioNet *card, const NetworkCardOptions *options) {
    const uint64_t features =
        1ull << VIRTIO_NET_CHECKSUM | 1ull << VIRTIO_NET_GUEST_CHECKSUM |
        1ull << VIRTIO_NET_ADDRESS | 1ull << VIRTIO_NET_SEGMENTS_TCP4 |
        1ull << VIRTIO_NET_SEGMENTS_TCP6 | 1ull << VIRTIO_NET_SEGMENTS_CONGESTION |
        1ull << VIRTIO_NET_MERGE_BUFFERS | 1ull << VIRTIO_NET_STATUS |
        1ull << VIRTIO_NET_CONTROL_QUEUE | 1ull << VIRTIO_NET_CONTROL_RECEIVE |
        1ull << VIRTIO_NET_CONTROL_VLAN | 1ull << VIRTIO_NET_CONTROL_RECEIVE_MORE |
        1ull << VIRTIO_NET_CONTROL_ADDRESS;
    return (VirtioPciOptions){
        .name = "virtio-net-pci",
        .id = card->transport_id,
        .slot = options->slot,
        .kind = KIND_NETWORK,
        .pci_device = PCI_DEVICE_NETWORK,
        .class_code = CLASS_ETHERNET,
        .features = features,
        .queue_count = QUEUES,
        .stream_queues = 1 << VIRTIO_NET_TRANSMIT,
        .stream_ns = NETWORK_STREAM_NS,
        .config_size = CONFIG_BYTES,
        .rom = options->rom,
        .rom_size = options->rom_size,
        .opaque = card,
        .config_read = read_config,
        .config_write = write_config,
        .work = work,
        .reset = reset,
    };
}

static void *create(const DeviceContext *context, PciBus *bus, const NetworkCardOptions *options,
                    Error *error) {
    VirtioNet *card = allocate_zeroed(sizeof(*card));
    card->link = options->link;
    card->trace = context->trace;
    card->memory = context->memory;
    memcpy(card->own_address, options->address, NETWORK_ADDRESS_BYTES);
    snprintf(card->id, sizeof(card->id), "%s", options->id);
    snprintf(card->transport_id, sizeof(card->transport_id), "%s-pci", card->id);
    const VirtioPciOptions transport = transport_options(card, options);
    card->transport = virtio_pci_create(context, bus, &transport, error);
    if (card->transport == NULL) {
        free(card);
        return NULL;
    }
    device_list_add(context->devices, &device_class, card->id, card, &card->state);
    const NetworkCardPort port = {can_receive, receive, link_changed, card};
    network_link_attach_card(card->link, &port);
    return card;
}

static void destroy(void *opaque) {
    VirtioNet *card = opaque;
    if (card == NULL)
        return;
    virtio_pci_destroy(card->transport);
    free(card);
}

const NetworkCardModel virtio_net_model = {
    .name = "virtio-net-pci",
    .alias = "virtio-net",
    .help = "a virtio network card",
    .rom = "virtio",
    .create = create,
    .destroy = destroy,
};

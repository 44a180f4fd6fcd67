/* Sending by a virtio card: whole frames, checksums that the driver left out, and TCP that is to be
 * cut into segments (5.1.6.2). */
#include "big_endian.h"
#include "internet_checksum.h"
#include "little_endian.h"
#include "network_offload.h"
#include "virtio_net_internal.h"
#include <string.h>

/* Fields of the header. */
enum { AT_FLAGS = 0, AT_KIND = 1, AT_SEGMENT = 4, AT_CHECKSUM_START = 6, AT_CHECKSUM_OFFSET = 8 };
enum { KIND_NONE = 0, KIND_TCP4 = 1, KIND_TCP6 = 4, KIND_CONGESTION = 0x80 };

enum { TYPE_VLAN = 0x8100, UDP_CHECKSUM = 6, TCP_CHECKSUM = 16, TCP_HEADER = 20 };
enum { IP4_CHECKSUM = 10, IP4_ADDRESSES = 12, IP6_ADDRESSES = 8, PROTOCOL_TCP = 6 };
/* Ethernet with a tag, IP and TCP with all options; and all that one datagram can hold. */
enum { HEADERS_MAX = 256, DATAGRAM_MAX = 65536 + HEADERS_MAX, SEGMENTS_MAX = 1024 };

static bool send_whole(VirtioNet *card, const uint8_t *header) {
    DmaList *list = &card->chain.readable;
    size_t size = (size_t)list->left, start = load_le16(header + AT_CHECKSUM_START);
    unsigned offset = load_le16(header + AT_CHECKSUM_OFFSET);
    if (size > sizeof(card->frame))
        return false;
    dma_list_read(list, card->memory, card->frame, size);
    if (header[AT_FLAGS] & VIRTIO_NET_NEEDS_CHECKSUM)
        network_put_checksum(card->frame, size, start, start + offset, 0, offset == UDP_CHECKSUM);
    network_link_send(card->link, card->frame, size);
    return true;
}

/* The driver's sum is that of a header with the length of all: it is made anew without one. */
static void prepare_headers(uint8_t *headers, const NetworkLayout *layout) {
    uint8_t *ip = headers + layout->ip_start;
    uint16_t sum =
        layout->is_ip4 ? internet_sum(ip + IP4_ADDRESSES, 8) : internet_sum(ip + IP6_ADDRESSES, 32);
    store_be16(headers + layout->transport_checksum, internet_sum_add(sum, PROTOCOL_TCP));
    if (layout->is_ip4)
        store_be16(ip + IP4_CHECKSUM, 0);
}

static void send_segment(VirtioNet *card, size_t size, const NetworkLayout *layout,
                         const NetworkSegment *segment) {
    network_fit_segment(card->frame, size, layout, segment, true);
    network_put_checksum(card->frame, size, layout->transport_start, layout->transport_checksum, 0,
                         false);
    if (layout->is_ip4)
        network_put_checksum(card->frame, size, layout->ip_start, layout->ip_start + IP4_CHECKSUM,
                             layout->transport_start - 1u, false);
    network_link_send(card->link, card->frame, size);
}

/* How long the headers are; 0 where they make no sense. The driver says it, too, but need not be
 * right. */
static size_t find_headers(const uint8_t *headers, size_t size, const NetworkLayout *layout) {
    size_t transport = layout->transport_start;
    size_t least = layout->ip_start + (layout->is_ip4 ? 20u : 40u);
    if (transport < least || transport + TCP_HEADER > size)
        return 0;
    size_t end = transport + (size_t)(headers[transport + 12] >> 4) * 4;
    return end >= transport + TCP_HEADER && end <= size ? end : 0;
}

static bool send_segments(VirtioNet *card, const uint8_t *header) {
    DmaList *list = &card->chain.readable;
    uint8_t headers[HEADERS_MAX];
    size_t size = list->left < sizeof(headers) ? (size_t)list->left : sizeof(headers);
    size_t part = load_le16(header + AT_SEGMENT), at = NETWORK_ADDRESSES_BYTES;
    DmaList whole = *list;
    if (list->left > DATAGRAM_MAX || part == 0 || size <= NETWORK_ADDRESSES_BYTES + 2)
        return false;
    dma_list_read(&whole, card->memory, headers, size);
    if (load_be16(headers + at) == TYPE_VLAN)
        at += NETWORK_TAG_BYTES;
    NetworkLayout layout = {.ip_start = (uint16_t)(at + 2),
                            .transport_start = load_le16(header + AT_CHECKSUM_START),
                            .is_ip4 = (header[AT_KIND] & ~KIND_CONGESTION) == KIND_TCP4,
                            .is_tcp = true,
                            .congestion = header[AT_KIND] & KIND_CONGESTION};
    size_t head = find_headers(headers, size, &layout);
    if (head == 0 || head + part > sizeof(card->frame))
        return false;
    layout.transport_checksum = (uint16_t)(layout.transport_start + TCP_CHECKSUM);
    prepare_headers(headers, &layout);
    dma_list_skip(list, head);
    NetworkSegment segment = {.number = 0};
    for (; list->left > 0 && segment.number < SEGMENTS_MAX; segment.number++) {
        size_t now = list->left < part ? (size_t)list->left : part;
        memcpy(card->frame, headers, head);
        dma_list_read(list, card->memory, card->frame + head, now);
        segment.last = list->left == 0;
        send_segment(card, head + now, &layout, &segment);
        segment.position += (uint32_t)now;
    }
    return true;
}

int64_t virtio_net_transmit(VirtioNet *card) {
    uint8_t header[VIRTIO_NET_HEADER_BYTES] = {0};
    unsigned size = virtio_net_header_bytes(card);
    if (card->chain.readable.left < size)
        return -1;
    dma_list_read(&card->chain.readable, card->memory, header, size);
    int64_t bytes = (int64_t)card->chain.readable.left;
    unsigned kind = header[AT_KIND] & ~(unsigned)KIND_CONGESTION;
    bool good = false;
    if (kind == KIND_NONE)
        good = send_whole(card, header);
    else if (kind == KIND_TCP4 || kind == KIND_TCP6)
        good = send_segments(card, header);
    if (!good)
        TRACE(card->trace, TRACE_GUEST_ERRORS, "virtio-net: a frame of kind %u, %lld bytes\n",
              header[AT_KIND], (long long)bytes);
    return bytes;
}

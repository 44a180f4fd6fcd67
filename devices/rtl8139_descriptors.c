/* Rings of descriptors, of which the chip sends and into which it receives (RTL8139C+ data sheet,
 * 6 and 7). */
#include "big_endian.h"
#include "internet_checksum.h"
#include "little_endian.h"
#include "network_offload.h"
#include "rtl8139_internal.h"
#include <string.h>

enum { DESCRIPTOR_BYTES = 16, DESCRIPTORS_MAX = 64, CHECKSUM_BYTES = 4, BURST = 64 };
#define OWN 0x80000000u
#define END_OF_RING 0x40000000u
#define FIRST 0x20000000u
#define LAST 0x10000000u
#define LARGE_SEND 0x08000000u
#define COMMANDS_SENT 0x0FFF0000u /* the driver's wishes, where the chip tells how it went */
#define SUM_IP 0x00040000u
#define SUM_UDP 0x00020000u
#define SUM_TCP 0x00010000u
#define TAG_SENT 0x00020000u     /* in the second word */
#define TAG_RECEIVED 0x00010000u /* likewise */
#define SIZE_SENT 0xFFFFu
#define SIZE_RECEIVED 0x1FFFu
#define PROTOCOL_SHIFT 16 /* what was received: 1 TCP, 2 UDP, 3 another over IP */
#define BAD_IP 0x8000u
#define BAD_UDP 0x4000u
#define BAD_TCP 0x2000u

enum { AT_TYPE = 12, AT_IP = 14, IP_BYTES = 20, TCP_BYTES = 20, UDP_BYTES = 8 };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, TYPE_VLAN = 0x8100 };

typedef struct Descriptor {
    uint32_t status, tag;
    uint64_t buffer;
} Descriptor;

/* The board's memory ends below 4 GB. */
static bool read_descriptor(const Rtl8139 *card, uint64_t ring, uint32_t index,
                            Descriptor *descriptor) {
    uint8_t bytes[DESCRIPTOR_BYTES];
    uint64_t address = ring + (uint64_t)index * DESCRIPTOR_BYTES;
    if (address > UINT32_MAX - DESCRIPTOR_BYTES)
        return false;
    physical_read_bytes(card->context.memory, (uint32_t)address, bytes, sizeof(bytes));
    *descriptor = (Descriptor){load_le32(bytes), load_le32(bytes + 4), load_le64(bytes + 8)};
    return true;
}

static void write_descriptor(const Rtl8139 *card, uint64_t ring, uint32_t index, uint32_t status,
                             uint32_t tag) {
    uint8_t bytes[8];
    store_le32(bytes, status);
    store_le32(bytes + 4, tag);
    physical_write_bytes(card->context.memory, (uint32_t)ring + index * DESCRIPTOR_BYTES, bytes,
                         sizeof(bytes));
}

static uint32_t next_index(uint32_t index, uint32_t status) {
    return status & END_OF_RING || index + 1 >= DESCRIPTORS_MAX ? 0 : index + 1;
}

/* ---- Receiving ---- */

bool rtl8139_descriptor_is_free(const Rtl8139 *card) {
    Descriptor descriptor;
    return read_descriptor(card, card->state.receive_ring, card->state.receive_index,
                           &descriptor) &&
           (descriptor.status & OWN);
}

static uint32_t describe_protocol(const uint8_t *frame, size_t size) {
    if (size < AT_IP + IP_BYTES || load_be16(frame + AT_TYPE) != NETWORK_TYPE_IP4)
        return 0;
    uint8_t protocol = frame[AT_IP + 9];
    NetworkChecks checks = network_check_frame(frame, size, AT_TYPE);
    uint32_t status = protocol == PROTOCOL_TCP ? 1u : protocol == PROTOCOL_UDP ? 2u : 3u;
    status <<= PROTOCOL_SHIFT;
    if (checks.ip == NETWORK_BAD)
        status |= BAD_IP;
    if (checks.transport == NETWORK_BAD)
        status |= protocol == PROTOCOL_TCP ? BAD_TCP : BAD_UDP;
    return status;
}

/* A tag is taken out where the driver wants that; returns the second word. */
static uint32_t take_tag(const Rtl8139 *card, uint8_t *frame, size_t *size) {
    if (!(card->state.cplus & RTL8139_CPLUS_VLAN) || *size < AT_IP + 4 ||
        load_be16(frame + AT_TYPE) != TYPE_VLAN)
        return 0;
    uint32_t tag = TAG_RECEIVED | load_le16(frame + AT_TYPE + 2);
    memmove(frame + AT_TYPE, frame + AT_TYPE + NETWORK_TAG_BYTES,
            *size - AT_TYPE - NETWORK_TAG_BYTES);
    *size -= NETWORK_TAG_BYTES;
    return tag;
}

void rtl8139_descriptor_receive(Rtl8139 *card, const uint8_t *frame, size_t size, uint16_t status) {
    Rtl8139State *state = &card->state;
    Descriptor descriptor;
    uint8_t *copy = card->datagram;
    if (size + CHECKSUM_BYTES > SIZE_RECEIVED ||
        !read_descriptor(card, state->receive_ring, state->receive_index, &descriptor) ||
        !(descriptor.status & OWN))
        return;
    memcpy(copy, frame, size);
    uint32_t tag = take_tag(card, copy, &size);
    store_le32(copy + size, network_frame_checksum(copy, size));
    size_t room = descriptor.status & SIZE_RECEIVED, bytes = size + CHECKSUM_BYTES;
    if (descriptor.buffer <= UINT32_MAX)
        physical_write_bytes(card->context.memory, (uint32_t)descriptor.buffer, copy,
                             bytes < room ? bytes : room);
    /* The bits of the header in the ring, two places further up. */
    uint32_t result = FIRST | LAST | (uint32_t)(status & 0xE000) << 12 | (uint32_t)bytes;
    if (state->cplus & RTL8139_CPLUS_CHECKSUM)
        result |= describe_protocol(copy, size);
    write_descriptor(card, state->receive_ring, state->receive_index,
                     result | (descriptor.status & END_OF_RING), tag);
    state->receive_index = next_index(state->receive_index, descriptor.status);
    rtl8139_raise(card, RTL8139_ISR_RECEIVED);
}

/* ---- Sending ---- */

static void add_tag(uint8_t *frame, size_t *size, uint32_t tag) {
    if (!(tag & TAG_SENT) || *size < AT_IP || *size + NETWORK_TAG_BYTES > NETWORK_FRAME_MAX)
        return;
    memmove(frame + AT_TYPE + NETWORK_TAG_BYTES, frame + AT_TYPE, *size - AT_TYPE);
    store_be16(frame + AT_TYPE, TYPE_VLAN);
    store_le16(frame + AT_TYPE + 2, (uint16_t)tag);
    *size += NETWORK_TAG_BYTES;
}

/* The length of the IP header of what is IPv4; 0: it is not. */
static size_t ip_header(const uint8_t *frame, size_t size) {
    if (size < AT_IP + IP_BYTES || load_be16(frame + AT_TYPE) != NETWORK_TYPE_IP4)
        return 0;
    size_t length = (size_t)(frame[AT_IP] & 0x0F) * 4;
    return length >= IP_BYTES && AT_IP + length <= size ? length : 0;
}

/* The sum of the pseudo header (RFC 9293, 3.1), with or without a length. */
static uint16_t pseudo_sum(const uint8_t *frame, size_t transport_bytes) {
    uint16_t sum = internet_sum(frame + AT_IP + 12, 8);
    sum = internet_sum_add(sum, frame[AT_IP + 9]);
    return internet_sum_add(sum, (uint16_t)transport_bytes);
}

static void put_ip_sum(uint8_t *frame, size_t size, size_t length) {
    store_be16(frame + AT_IP + 10, 0);
    network_put_checksum(frame, size, AT_IP, AT_IP + 10, AT_IP + length - 1, false);
}

static void put_checksums(uint8_t *frame, size_t size, uint32_t wanted) {
    size_t length = ip_header(frame, size), start = AT_IP + length;
    if (length == 0)
        return;
    bool is_tcp = frame[AT_IP + 9] == PROTOCOL_TCP, is_udp = frame[AT_IP + 9] == PROTOCOL_UDP;
    size_t end = AT_IP + load_be16(frame + AT_IP + 2), at = start + (is_tcp ? 16 : 6);
    if (wanted & SUM_IP)
        put_ip_sum(frame, size, length);
    bool sums = (is_tcp && (wanted & SUM_TCP)) || (is_udp && (wanted & SUM_UDP));
    if (!sums || start + (is_tcp ? TCP_BYTES : UDP_BYTES) > size || end > size || end <= at + 2)
        return;
    store_be16(frame + at, pseudo_sum(frame, end - start));
    network_put_checksum(frame, size, start, at, end - 1, is_udp);
}

static void send_segments(Rtl8139 *card, size_t size, uint32_t status, uint32_t tag) {
    uint8_t *whole = card->datagram;
    size_t length = ip_header(whole, size), start = AT_IP + length;
    size_t part = status >> 16 & 0x7FF;
    if (length == 0 || whole[AT_IP + 9] != PROTOCOL_TCP || start + TCP_BYTES > size || part == 0)
        return;
    size_t head = start + (size_t)(whole[start + 12] >> 4) * 4;
    if (head < start + TCP_BYTES || head > size || head + part > NETWORK_FRAME_MAX - 4)
        return;
    const NetworkLayout layout = {.ip_start = AT_IP,
                                  .transport_start = (uint16_t)start,
                                  .transport_checksum = (uint16_t)(start + 16),
                                  .is_ip4 = true,
                                  .is_tcp = true};
    NetworkSegment segment = {.number = 0};
    for (size_t at = head; at < size; at += part, segment.number++) {
        size_t now = size - at < part ? size - at : part, bytes = head + now;
        memcpy(card->frame, whole, head);
        memcpy(card->frame + head, whole + at, now);
        segment.position = (uint32_t)(at - head);
        segment.last = at + now == size;
        network_fit_segment(card->frame, bytes, &layout, &segment, false);
        put_checksums(card->frame, bytes, SUM_IP | SUM_TCP);
        add_tag(card->frame, &bytes, tag);
        rtl8139_send_frame(card, card->frame, bytes);
    }
}

static void send_whole(Rtl8139 *card, size_t size, uint32_t status, uint32_t tag) {
    if (size > NETWORK_FRAME_MAX)
        return;
    memcpy(card->frame, card->datagram, size);
    put_checksums(card->frame, size, status);
    add_tag(card->frame, &size, tag);
    rtl8139_send_frame(card, card->frame, size);
}

/* Where the next frame ends, if all of it is the chip's; its bytes are in 'datagram'. */
static bool gather(Rtl8139 *card, size_t *size, Descriptor *first, uint32_t *count) {
    const Rtl8139State *state = &card->state;
    Descriptor descriptor = {.status = 0};
    uint32_t index = state->transmit_index;
    *size = *count = 0;
    while (*count < DESCRIPTORS_MAX) {
        if (!read_descriptor(card, state->transmit_ring, index, &descriptor) ||
            !(descriptor.status & OWN))
            return false;
        if (*count == 0)
            *first = descriptor;
        size_t bytes = descriptor.status & SIZE_SENT;
        if (*size + bytes <= sizeof(card->datagram) && descriptor.buffer <= UINT32_MAX) {
            physical_read_bytes(card->context.memory, (uint32_t)descriptor.buffer,
                                card->datagram + *size, bytes);
            *size += bytes;
        }
        index = next_index(index, descriptor.status);
        (*count)++;
        if (descriptor.status & LAST)
            return true;
    }
    return true; /* a ring without an end is sent as one frame */
}

/* A size of segments must not be taken for errors and collisions, of which there were none. */
static void give_back(Rtl8139 *card, uint32_t count) {
    Rtl8139State *state = &card->state;
    Descriptor descriptor;
    for (uint32_t i = 0; i < count; i++) {
        if (!read_descriptor(card, state->transmit_ring, state->transmit_index, &descriptor))
            return;
        write_descriptor(card, state->transmit_ring, state->transmit_index,
                         descriptor.status & ~(OWN | COMMANDS_SENT), descriptor.tag);
        state->transmit_index = next_index(state->transmit_index, descriptor.status);
    }
}

bool rtl8139_send_descriptors(Rtl8139 *card) {
    Descriptor first;
    size_t size;
    uint32_t count, sent = 0;
    while (sent < BURST && gather(card, &size, &first, &count)) {
        if (first.status & LARGE_SEND)
            send_segments(card, size, first.status, first.tag);
        else
            send_whole(card, size, first.status, first.tag);
        give_back(card, count);
        sent++;
    }
    if (sent > 0)
        rtl8139_raise(card, RTL8139_ISR_SENT);
    return sent == BURST;
}

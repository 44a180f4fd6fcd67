#include "network_offload.h"
#include "big_endian.h"
#include "internet_checksum.h"

/* Where what stands in headers (RFC 791, 8200, 9293, 768). */
enum {
    IP4_LENGTH = 2,
    IP4_ID = 4,
    IP4_FRAGMENT = 6,
    IP4_PROTOCOL = 9,
    IP4_ADDRESSES = 12,
    IP4_HEADER = 20,
    IP6_LENGTH = 4,
    IP6_HEADER = 40,
    TCP_SEQUENCE = 4,
    TCP_FLAGS = 13,
    TCP_HEADER = 20,
    UDP_LENGTH = 4,
    UDP_CHECKSUM = 6,
    UDP_HEADER = 8,
};
enum { TCP_FIN = 0x01, TCP_PUSH = 0x08, TCP_WINDOW_REDUCED = 0x80 };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static void put_word(uint8_t *frame, size_t size, size_t offset, size_t value) {
    if (offset + 2 <= size)
        store_be16(frame + offset, (uint16_t)value);
}

static uint16_t get_word(const uint8_t *frame, size_t size, size_t offset) {
    return offset + 2 <= size ? load_be16(frame + offset) : 0;
}

void network_put_checksum(uint8_t *frame, size_t size, size_t start, size_t offset, size_t end,
                          bool zero_means_none) {
    size_t limit = end != 0 && end < size ? end + 1 : size;
    if (start >= limit)
        return;
    uint16_t sum = (uint16_t)~internet_sum(frame + start, limit - start);
    put_word(frame, size, offset, sum == 0 && zero_means_none ? 0xFFFF : sum);
}

static void fit_ip(uint8_t *frame, size_t size, const NetworkLayout *layout, uint32_t number) {
    size_t ip = layout->ip_start;
    if (layout->is_ip4) {
        put_word(frame, size, ip + IP4_LENGTH, size - ip);
        put_word(frame, size, ip + IP4_ID, get_word(frame, size, ip + IP4_ID) + number);
    } else {
        put_word(frame, size, ip + IP6_LENGTH, size - ip - IP6_HEADER);
    }
}

static void fit_tcp(uint8_t *tcp, const NetworkLayout *layout, const NetworkSegment *segment) {
    uint8_t gone = 0;
    if (!segment->last)
        gone |= TCP_FIN | TCP_PUSH;
    if (layout->congestion && segment->number > 0)
        gone |= TCP_WINDOW_REDUCED;
    store_be32(tcp + TCP_SEQUENCE, load_be32(tcp + TCP_SEQUENCE) + segment->position);
    tcp[TCP_FLAGS] &= (uint8_t)~gone;
}

void network_fit_segment(uint8_t *frame, size_t size, const NetworkLayout *layout,
                         const NetworkSegment *segment, bool adds_length) {
    size_t transport = layout->transport_start;
    uint16_t length = (uint16_t)(size > transport ? size - transport : 0);
    fit_ip(frame, size, layout, segment->number);
    if (!layout->is_tcp)
        put_word(frame, size, transport + UDP_LENGTH, length);
    else if (transport + TCP_HEADER <= size)
        fit_tcp(frame + transport, layout, segment);
    if (adds_length)
        put_word(frame, size, layout->transport_checksum,
                 internet_sum_add(get_word(frame, size, layout->transport_checksum), length));
}

/* Nothing can be said of fragments, nor of UDP without a sum. */
static NetworkCheck check_transport(const uint8_t *ip, size_t header, size_t size) {
    enum { FRAGMENT = 0x3FFF };
    unsigned protocol = ip[IP4_PROTOCOL];
    size_t total = load_be16(ip + IP4_LENGTH);
    size_t least = protocol == PROTOCOL_TCP ? TCP_HEADER : UDP_HEADER;
    if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) ||
        (load_be16(ip + IP4_FRAGMENT) & FRAGMENT) != 0 || total > size || total < header + least)
        return NETWORK_UNCHECKED;
    if (protocol == PROTOCOL_UDP && load_be16(ip + header + UDP_CHECKSUM) == 0)
        return NETWORK_UNCHECKED;
    uint16_t sum = internet_sum_add(internet_sum(ip + IP4_ADDRESSES, 8), (uint16_t)protocol);
    sum = internet_sum_add(sum, (uint16_t)(total - header));
    sum = internet_sum_add(sum, internet_sum(ip + header, total - header));
    return sum == 0xFFFF ? NETWORK_GOOD : NETWORK_BAD;
}

NetworkChecks network_check_frame(const uint8_t *frame, size_t size, size_t type_offset) {
    NetworkChecks checks = {NETWORK_UNCHECKED, NETWORK_UNCHECKED};
    if (size < type_offset + 2 + IP4_HEADER || load_be16(frame + type_offset) != NETWORK_TYPE_IP4)
        return checks;
    const uint8_t *ip = frame + type_offset + 2;
    size_t left = size - type_offset - 2, header = (size_t)(ip[0] & 0xF) * 4;
    if (ip[0] >> 4 != 4 || header < IP4_HEADER || header > left)
        return checks;
    checks.ip = internet_sum(ip, header) == 0xFFFF ? NETWORK_GOOD : NETWORK_BAD;
    checks.transport = check_transport(ip, header, left);
    return checks;
}

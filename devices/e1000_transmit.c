/* Sending (3.3 and 3.4): descriptors in rings, checksums, VLAN tags, and segments of TCP and UDP.
 *
 * A frame is taken when all of its descriptors are there. So there is no half of a frame to be
 * saved, and what is on its way is in the guest's memory alone. */
#include "big_endian.h"
#include "e1000_internal.h"
#include "little_endian.h"
#include "network_offload.h"
#include <string.h>

/* The command byte of all kinds of descriptors. */
enum {
    COMMAND_END = 1 << 0,
    COMMAND_CHECKSUM = 1 << 2, /* of the first kind */
    COMMAND_SEGMENT = 1 << 2,  /* of the others */
    COMMAND_REPORT = 1 << 3,
    COMMAND_EXTENDED = 1 << 5,
    COMMAND_VLAN = 1 << 6,
    COMMAND_DELAY = 1 << 7,
};
enum { CONTEXT_TCP = 1 << 0, CONTEXT_IP4 = 1 << 1 };
enum { OPTION_IP = 1 << 0, OPTION_TCP = 1 << 1 };
enum { STATUS_DONE = 1 };
enum { CHECKSUM_CONTEXT = 0, SEGMENT_CONTEXT = 1 };

#define SEGMENTS_MAX 1024 /* of one request: more than any driver asks for */

typedef struct Descriptor {
    uint8_t bytes[E1000_DESCRIPTOR_BYTES];
} Descriptor;

/* A frame, or the data of several, as the descriptors have it. */
typedef struct Request {
    uint32_t count; /* of descriptors */
    uint8_t command, options;
    uint8_t sum_start, sum_offset; /* of the first kind */
    uint16_t vlan;
    bool extended, bad;
} Request;

static uint8_t command_of(const Descriptor *descriptor) {
    return descriptor->bytes[11];
}

static bool is_extended(const Descriptor *descriptor) {
    return (command_of(descriptor) & COMMAND_EXTENDED) != 0;
}

static unsigned type_of(const Descriptor *descriptor) {
    return descriptor->bytes[10] >> 4;
}

static bool is_context(const Descriptor *descriptor) {
    return is_extended(descriptor) && type_of(descriptor) == 0;
}

static uint32_t ring_size(const E1000 *card) {
    return card->state.tdlen / E1000_DESCRIPTOR_BYTES;
}

static bool read_descriptor(E1000 *card, uint32_t index, Descriptor *descriptor) {
    uint32_t address;
    if (!e1000_descriptor_address(card->state.tdbal, card->state.tdbah, index, &address))
        return false;
    physical_read_bytes(card->context.memory, address, descriptor->bytes,
                        sizeof(descriptor->bytes));
    return true;
}

static void set_context(E1000 *card, const Descriptor *descriptor) {
    const uint8_t *bytes = descriptor->bytes;
    bool segments = (command_of(descriptor) & COMMAND_SEGMENT) != 0;
    card->state.context[segments ? SEGMENT_CONTEXT : CHECKSUM_CONTEXT] = (E1000Context){
        .ip_start = bytes[0],
        .ip_offset = bytes[1],
        .ip_end = load_le16(bytes + 2),
        .tcp_start = bytes[4],
        .tcp_offset = bytes[5],
        .tcp_end = load_le16(bytes + 6),
        .payload = load_le32(bytes + 8) & 0xFFFFF,
        .command = command_of(descriptor),
        .header = bytes[13],
        .segment = load_le16(bytes + 14),
    };
}

/* Options of checksums count in a frame's first descriptor, the VLAN tag in its last. */
static void add_descriptor(E1000 *card, const Descriptor *descriptor, Request *request) {
    const uint8_t *bytes = descriptor->bytes;
    uint32_t size = load_le32(bytes + 8) & (is_extended(descriptor) ? 0xFFFFF : 0xFFFF);
    if (request->count == 1) {
        request->extended = is_extended(descriptor);
        request->options = bytes[13];
        request->sum_start = bytes[13];
        request->sum_offset = bytes[10];
        request->command = command_of(descriptor);
    }
    if (command_of(descriptor) & COMMAND_END) {
        request->vlan = load_le16(bytes + 14);
        request->command |= command_of(descriptor) & COMMAND_VLAN;
    }
    if (size != 0 && !dma_list_add(&card->list, load_le64(bytes), size))
        request->bad = true;
}

/* False: not all of it is there yet. A ring without an end is thrown away. */
static bool gather(E1000 *card, Request *request) {
    E1000State *state = &card->state;
    uint32_t size = ring_size(card), index = state->tdh;
    *request = (Request){.count = 0};
    dma_list_clear(&card->list);
    while (index != state->tdt) {
        Descriptor descriptor;
        if (!read_descriptor(card, index, &descriptor)) {
            request->bad = true;
            request->count++;
            return true;
        }
        request->count++;
        if (is_context(&descriptor)) {
            set_context(card, &descriptor);
            if (request->count == 1)
                return true;
        } else {
            add_descriptor(card, &descriptor, request);
            if (command_of(&descriptor) & COMMAND_END)
                return true;
        }
        if (request->bad || request->count >= size - 1) {
            request->bad = true;
            return true;
        }
        index = (index + 1) % size;
    }
    return false;
}

/* Whether the whole request is a context, which was taken already. */
static bool is_data(const E1000 *card, const Request *request) {
    return !request->bad && card->list.left > 0;
}

/* --- a frame -----------------------------------------------------------------------------------
 */

static void put_checksums(uint8_t *frame, size_t size, const E1000Context *context,
                          unsigned options) {
    if (options & OPTION_TCP)
        network_put_checksum(frame, size, context->tcp_start, context->tcp_offset, context->tcp_end,
                             !(context->command & CONTEXT_TCP));
    if (options & OPTION_IP)
        network_put_checksum(frame, size, context->ip_start, context->ip_offset, context->ip_end,
                             false);
}

static const E1000Counters sent_counters = {
    .good = E1000_COUNT_SENT,
    .all = E1000_COUNT_ALL_SENT,
    .bytes = E1000_COUNT_SENT_BYTES,
    .all_bytes = E1000_COUNT_ALL_SENT_BYTES,
    .sizes = E1000_COUNT_SENT_64,
    .broadcast = E1000_COUNT_SENT_BROADCAST,
    .multicast = E1000_COUNT_SENT_MULTICAST,
};

/* Within the chip, frames come back from the MAC or the PHY where software asked for it. */
static bool loops_back(const E1000 *card) {
    return (card->state.rctl & E1000_RCTL_LOOPBACK) != 0 ||
           (card->state.phy[E1000_PHY_CONTROL] & E1000_PHY_LOOPBACK) != 0;
}

static void loop_back(E1000 *card, const uint8_t *frame, size_t size) {
    uint8_t copy[E1000_FRAME_MAX + E1000_VLAN_TAG_BYTES];
    memcpy(copy, frame, size);
    if (e1000_can_receive(card))
        e1000_receive(card, copy, size);
}

/* The frame has room for a tag before it, where the addresses go then. */
static void send_frame(E1000 *card, uint8_t *frame, size_t size, const Request *request) {
    enum { ADDRESSES = 12 };
    if ((request->command & COMMAND_VLAN) && (card->state.ctrl & E1000_CTRL_VLAN) &&
        size >= ADDRESSES) {
        memmove(frame - E1000_VLAN_TAG_BYTES, frame, ADDRESSES);
        frame -= E1000_VLAN_TAG_BYTES;
        size += E1000_VLAN_TAG_BYTES;
        store_be16(frame + ADDRESSES, (uint16_t)card->state.vet);
        store_be16(frame + ADDRESSES + 2, request->vlan);
    }
    if (size < E1000_SHORT_FRAME) {
        memset(frame + size, 0, E1000_SHORT_FRAME - size);
        size = E1000_SHORT_FRAME;
    }
    e1000_count_frame(card, &sent_counters, frame, size);
    if (loops_back(card))
        loop_back(card, frame, size);
    else
        network_link_send(card->link, frame, size);
}

static uint8_t *frame_buffer(E1000 *card) {
    return card->frame + E1000_VLAN_TAG_BYTES;
}

static void send_whole(E1000 *card, const Request *request) {
    uint8_t *frame = frame_buffer(card);
    size_t size = (size_t)card->list.left;
    if (size > E1000_FRAME_MAX) {
        TRACE(card->context.trace, TRACE_GUEST_ERRORS, "e1000: a frame of %zu bytes\n", size);
        return;
    }
    dma_list_read(&card->list, card->context.memory, frame, size);
    if (request->extended)
        put_checksums(frame, size, &card->state.context[CHECKSUM_CONTEXT], request->options);
    else if (request->command & COMMAND_CHECKSUM)
        network_put_checksum(frame, size, request->sum_start, request->sum_offset, 0, false);
    send_frame(card, frame, size, request);
}

/* --- segments ----------------------------------------------------------------------------------
 */

static void send_segments(E1000 *card, const Request *request) {
    const E1000Context *context = &card->state.context[SEGMENT_CONTEXT];
    uint8_t header[E1000_HEADER_MAX], *frame = frame_buffer(card);
    const NetworkLayout layout = {.ip_start = context->ip_start,
                                  .transport_start = context->tcp_start,
                                  .transport_checksum = context->tcp_offset,
                                  .is_ip4 = context->command & CONTEXT_IP4,
                                  .is_tcp = context->command & CONTEXT_TCP};
    NetworkSegment segment = {.number = 0};
    uint32_t head = context->header, part = context->segment;
    if (part == 0 || head + part > E1000_FRAME_MAX || card->list.left <= head) {
        TRACE(card->context.trace, TRACE_GUEST_ERRORS, "e1000: segments of %u bytes\n", part);
        return;
    }
    dma_list_read(&card->list, card->context.memory, header, head);
    uint32_t left = (uint32_t)card->list.left;
    if (context->payload < left)
        left = context->payload;
    for (; left > 0 && segment.number < SEGMENTS_MAX; segment.number++) {
        uint32_t now = left < part ? left : part;
        segment.last = now == left;
        memcpy(frame, header, head);
        dma_list_read(&card->list, card->context.memory, frame + head, now);
        network_fit_segment(frame, head + now, &layout, &segment, request->options & OPTION_TCP);
        put_checksums(frame, head + now, context, request->options);
        send_frame(card, frame, head + now, request);
        segment.position += now;
        left -= now;
    }
    e1000_count(card, E1000_COUNT_SEGMENTED, 1);
}

/* --- the ring ----------------------------------------------------------------------------------
 */

/* Descriptors that software wants to hear of are marked, and the head moves on. */
static void give_back(E1000 *card, uint32_t count) {
    E1000State *state = &card->state;
    uint32_t size = ring_size(card);
    bool any = false, delayed = true;
    for (; count > 0; count--) {
        Descriptor descriptor;
        uint32_t address;
        bool there = read_descriptor(card, state->tdh, &descriptor);
        if (there && (command_of(&descriptor) & COMMAND_REPORT)) {
            const uint8_t status = descriptor.bytes[12] | STATUS_DONE;
            e1000_descriptor_address(state->tdbal, state->tdbah, state->tdh, &address);
            physical_write_bytes(card->context.memory, address + 12, &status, 1);
            any = true;
            delayed = delayed && (command_of(&descriptor) & COMMAND_DELAY);
        }
        state->tdh = (state->tdh + 1) % size;
    }
    if (any)
        e1000_descriptor_written(card, delayed);
}

static uint32_t descriptors_left(const E1000 *card) {
    uint32_t size = ring_size(card);
    return (card->state.tdt + size - card->state.tdh) % size;
}

/* TXDCTL says at how many, in eights, software wants to know. */
static void tell_of_low_ring(E1000 *card, uint32_t before) {
    uint32_t threshold = (card->state.txdctl >> 25) * 8, now = descriptors_left(card);
    if (threshold != 0 && before > threshold && now <= threshold)
        e1000_raise(card, E1000_TXD_LOW);
    if (now == 0)
        e1000_raise(card, E1000_TXQE);
}

int64_t e1000_transmit(E1000 *card) {
    E1000State *state = &card->state;
    uint64_t bytes = 0;
    uint32_t size = ring_size(card);
    if (size == 0 || state->tdh >= size || state->tdt >= size)
        return -1;
    uint32_t before = descriptors_left(card);
    bool more = true;
    for (unsigned i = 0; i < DMA_BURST_REQUESTS && bytes < DMA_BURST_BYTES && more; i++) {
        Request request;
        more = gather(card, &request);
        if (!more)
            break;
        bytes += card->list.left + E1000_DESCRIPTOR_BYTES;
        if (is_data(card, &request) && request.extended && (request.command & COMMAND_SEGMENT))
            send_segments(card, &request);
        else if (is_data(card, &request))
            send_whole(card, &request);
        give_back(card, request.count);
        more = state->tdh != state->tdt;
    }
    if (before > 0)
        tell_of_low_ring(card, before);
    return more ? DMA_ACCESS_NS + dma_transfer_ns(bytes) : -1;
}

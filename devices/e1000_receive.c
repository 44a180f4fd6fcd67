/* Receiving (3.2): filters, buffers, and what is told of a frame in its last descriptor. */
#include "big_endian.h"
#include "e1000_internal.h"
#include "internet_checksum.h"
#include "little_endian.h"
#include "network_offload.h"
#include <string.h>

enum { ADDRESSES = 12, CRC_BYTES = 4, NORMAL_MAX = 1518, TAGGED_MAX = 1522 };

/* A descriptor's status and errors (3.2.3). */
enum {
    STATUS_DONE = 1 << 0,
    STATUS_END = 1 << 1,
    STATUS_NO_CHECKSUMS = 1 << 2,
    STATUS_VLAN = 1 << 3,
    STATUS_TCP_CHECKED = 1 << 5,
    STATUS_IP_CHECKED = 1 << 6,
    STATUS_INEXACT = 1 << 7,
};
enum { ERROR_TCP = 1 << 5, ERROR_IP = 1 << 6 };

/* RXCSUM. */
enum { CHECK_IP = 1 << 8, CHECK_TCP = 1 << 9 };

#define ADDRESS_VALID (1u << 31)

/* What stands in the frame's last descriptor. */
typedef struct Report {
    uint16_t checksum, special;
    uint8_t status, errors;
} Report;

/* --- filters -----------------------------------------------------------------------------------
 */

static bool is_own_address(const E1000 *card, const uint8_t *frame) {
    const uint32_t *ra = card->state.ra;
    for (unsigned i = 0; i < 32; i += 2)
        if ((ra[i + 1] & ADDRESS_VALID) && load_le32(frame) == ra[i] &&
            load_le16(frame + 4) == (ra[i + 1] & 0xFFFF))
            return true;
    return false;
}

/* Twelve bits of the address, which ones RCTL says, choose one of 4096 (13.5.1). */
static bool is_in_multicast_table(const E1000 *card, const uint8_t *frame) {
    static const uint8_t shifts[] = {4, 3, 2, 0};
    unsigned hash = load_le16(frame + 4) >> shifts[card->state.rctl >> 12 & 3] & 0xFFF;
    return card->state.mta[hash >> 5] >> (hash & 31) & 1;
}

static bool is_tagged(const E1000 *card, const uint8_t *frame) {
    return load_be16(frame + ADDRESSES) == card->state.vet;
}

static bool passes_vlan_filter(const E1000 *card, const uint8_t *frame) {
    enum { CFI = 1 << 12 };
    uint16_t tag = load_be16(frame + ADDRESSES + 2);
    unsigned vlan = tag & 0xFFF;
    uint32_t rctl = card->state.rctl;
    if (!(rctl & E1000_RCTL_VLAN_FILTER) || !is_tagged(card, frame))
        return true;
    if ((rctl & E1000_RCTL_CFI_FILTER) && !(tag & CFI) != !(rctl & E1000_RCTL_CFI))
        return false;
    return card->state.vfta[vlan >> 5] >> (vlan & 31) & 1;
}

/* '*inexact': software has to look at the address itself. */
static bool passes_filters(const E1000 *card, const uint8_t *frame, bool *inexact) {
    uint32_t rctl = card->state.rctl;
    if (!passes_vlan_filter(card, frame))
        return false;
    if (is_own_address(card, frame) ||
        (network_is_broadcast(frame) && (rctl & E1000_RCTL_BROADCAST)))
        return true;
    *inexact = true;
    if (!network_is_multicast(frame))
        return rctl & E1000_RCTL_ALL_UNICAST;
    return (rctl & E1000_RCTL_ALL_MULTICAST) || is_in_multicast_table(card, frame);
}

/* --- checksums ---------------------------------------------------------------------------------
 */

/* What software wants to have checked. */
static void check(const E1000 *card, const uint8_t *frame, size_t size, Report *report) {
    uint32_t rxcsum = card->state.rxcsum;
    size_t start = rxcsum & 0xFF;
    report->checksum = start < size ? internet_sum(frame + start, size - start) : 0;
    if (!(rxcsum & (CHECK_IP | CHECK_TCP))) {
        report->status |= STATUS_NO_CHECKSUMS;
        return;
    }
    NetworkChecks checks = network_check_frame(
        frame, size, ADDRESSES + (is_tagged(card, frame) ? E1000_VLAN_TAG_BYTES : 0));
    if (checks.ip == NETWORK_UNCHECKED)
        report->status |= STATUS_NO_CHECKSUMS;
    if ((rxcsum & CHECK_IP) && checks.ip != NETWORK_UNCHECKED) {
        report->status |= STATUS_IP_CHECKED;
        report->errors |= checks.ip == NETWORK_BAD ? ERROR_IP : 0;
    }
    if ((rxcsum & CHECK_TCP) && checks.transport != NETWORK_UNCHECKED) {
        report->status |= STATUS_TCP_CHECKED;
        report->errors |= checks.transport == NETWORK_BAD ? ERROR_TCP : 0;
    }
}

/* --- buffers -----------------------------------------------------------------------------------
 */

static uint32_t buffer_bytes(const E1000 *card) {
    uint32_t code = card->state.rctl >> 16 & 3;
    bool larger = card->state.rctl & E1000_RCTL_LARGER_BUFFERS;
    return larger && code != 0 ? 32768u >> code : 2048u >> code;
}

static uint32_t ring_size(const E1000 *card) {
    return card->state.rdlen / E1000_DESCRIPTOR_BYTES;
}

/* Descriptors that software has given. */
static uint32_t descriptors_left(const E1000 *card) {
    uint32_t size = ring_size(card);
    if (size == 0 || card->state.rdh >= size || card->state.rdt >= size)
        return 0;
    return (card->state.rdt + size - card->state.rdh) % size;
}

static uint32_t descriptors_for(const E1000 *card, size_t size) {
    uint32_t bytes = buffer_bytes(card);
    return (uint32_t)(size + bytes - 1) / bytes;
}

static bool takes_long_frames(const E1000 *card) {
    return card->state.rctl & E1000_RCTL_LONG;
}

static bool is_receiving(const E1000 *card) {
    return (card->state.rctl & E1000_RCTL_ENABLE) && e1000_is_master(card);
}

/* A receiver that is off loses what comes. Else either any frame fits, or there never will be more
 * room than now. */
bool e1000_can_receive(const E1000 *card) {
    uint32_t left = descriptors_left(card);
    size_t longest = takes_long_frames(card) ? E1000_FRAME_MAX + CRC_BYTES : TAGGED_MAX;
    if (!is_receiving(card))
        return true;
    return left >= descriptors_for(card, longest) || (left > 0 && left + 1 >= ring_size(card));
}

/* One buffer of the frame, and its descriptor with it. */
static void fill_descriptor(E1000 *card, const uint8_t *data, uint32_t size, const Report *report) {
    E1000State *state = &card->state;
    uint8_t bytes[E1000_DESCRIPTOR_BYTES];
    uint32_t address;
    if (e1000_descriptor_address(state->rdbal, state->rdbah, state->rdh, &address)) {
        physical_read_bytes(card->context.memory, address, bytes, 8);
        uint64_t buffer = load_le64(bytes);
        if (dma_range_is_addressable(buffer, size))
            physical_write_bytes(card->context.memory, (uint32_t)buffer, data, size);
        store_le16(bytes + 8, (uint16_t)size);
        store_le16(bytes + 10, report->checksum);
        bytes[12] = report->status;
        bytes[13] = report->errors;
        store_le16(bytes + 14, report->special);
        physical_write_bytes(card->context.memory, address + 8, bytes + 8, 8);
    }
    state->rdh = (state->rdh + 1) % ring_size(card);
}

static void fill_descriptors(E1000 *card, const uint8_t *data, size_t size, const Report *report) {
    const Report part = {.status = STATUS_DONE};
    uint32_t most = buffer_bytes(card);
    for (; size > most; size -= most, data += most)
        fill_descriptor(card, data, most, &part);
    fill_descriptor(card, data, (uint32_t)size, report);
}

/* RCTL says at which part of the ring software wants to know: a half, a quarter or an eighth. */
static void tell_of_few_descriptors(E1000 *card, uint32_t before) {
    uint32_t threshold = ring_size(card) >> ((card->state.rctl >> 8 & 3) + 1);
    if (before > threshold && descriptors_left(card) <= threshold)
        e1000_raise(card, E1000_RXDMT0);
}

static const E1000Counters received_counters = {
    .good = E1000_COUNT_RECEIVED,
    .all = E1000_COUNT_ALL_RECEIVED,
    .bytes = E1000_COUNT_RECEIVED_BYTES,
    .all_bytes = E1000_COUNT_ALL_RECEIVED_BYTES,
    .sizes = E1000_COUNT_RECEIVED_64,
    .broadcast = E1000_COUNT_RECEIVED_BROADCAST,
    .multicast = E1000_COUNT_RECEIVED_MULTICAST,
};

/* The tag goes to the descriptor, where software wants that. */
static size_t strip_tag(E1000 *card, uint8_t *frame, size_t size, Report *report) {
    if (!is_tagged(card, frame))
        return size;
    if (!(card->state.ctrl & E1000_CTRL_VLAN))
        return size;
    report->status |= STATUS_VLAN;
    report->special = load_be16(frame + ADDRESSES + 2);
    memmove(frame + ADDRESSES, frame + ADDRESSES + E1000_VLAN_TAG_BYTES,
            size - ADDRESSES - E1000_VLAN_TAG_BYTES);
    return size - E1000_VLAN_TAG_BYTES;
}

static bool is_too_long(const E1000 *card, const uint8_t *frame, size_t size) {
    size_t most = is_tagged(card, frame) ? TAGGED_MAX : NORMAL_MAX;
    return size > E1000_FRAME_MAX || (!takes_long_frames(card) && size + CRC_BYTES > most);
}

void e1000_receive(E1000 *card, const uint8_t *original, size_t size) {
    Report report = {.status = STATUS_DONE | STATUS_END};
    uint8_t *frame = card->frame;
    bool inexact = false;
    if (!is_receiving(card))
        return;
    if (is_too_long(card, original, size)) {
        e1000_count(card, E1000_COUNT_OVERSIZE, 1);
        return;
    }
    if (!passes_filters(card, original, &inexact))
        return;
    uint32_t before = descriptors_left(card);
    if (before < descriptors_for(card, size + CRC_BYTES)) {
        e1000_count(card, E1000_COUNT_MISSED, 1);
        e1000_count(card, E1000_COUNT_NO_BUFFER, 1);
        e1000_raise(card, E1000_RXO);
        return;
    }
    e1000_count_frame(card, &received_counters, original, size);
    report.status |= inexact ? STATUS_INEXACT : 0;
    memcpy(frame, original, size);
    check(card, frame, size, &report);
    size = strip_tag(card, frame, size, &report);
    if (!(card->state.rctl & E1000_RCTL_STRIP_CRC)) {
        store_le32(frame + size, network_frame_checksum(original, size));
        size += CRC_BYTES;
    }
    bool was_working = card->working;
    card->working = true;
    fill_descriptors(card, frame, size, &report);
    card->working = was_working;
    tell_of_few_descriptors(card, before);
    e1000_frame_received(card, size);
}

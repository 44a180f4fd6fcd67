/* The initialisation block, and the rings of descriptors in their two sizes and three orders
 * (Am79C970A data sheet, "Buffer Management" and "Initialization Block"). */
#include "little_endian.h"
#include "pcnet_internal.h"
#include <string.h>

enum {
    OWN = 0x8000,
    ERROR = 0x4000,
    LATE_INTERRUPT = 0x1000, /* of descriptors to send: tell when this one is done */
    ADD_CHECKSUM = 0x2000,   /* likewise */
    NO_BUFFER = 0x0400,
    START = 0x0200,
    END = 0x0100,
    OWN_ADDRESS = 0x0040,
    GROUP_ADDRESS = 0x0020,
    BROADCAST = 0x0010,
};
enum {
    STYLE_LANCE = 0,
    STYLE_REORDERED = 3,
    CHECKSUM_BYTES = 4,
    BURST = 64,
    DESCRIPTORS_MAX = 512
};
enum { CSR5_LATE_INTERRUPTS = 0x4000 };

typedef struct Descriptor {
    uint32_t at, buffer, size;
    uint16_t status;
} Descriptor;

static unsigned style(const Pcnet *card) {
    return card->state.bcr[PCNET_BCR_STYLE] & 0xFF;
}

static uint32_t ring_length(const Pcnet *card, unsigned csr) {
    return 0x10000u - card->state.csr[csr];
}

static void read_memory(Pcnet *card, uint32_t address, void *data, size_t size) {
    physical_read_bytes(card->context.memory, address, data, size);
}

static Descriptor read_descriptor(Pcnet *card, uint32_t ring, uint32_t index) {
    uint8_t bytes[16];
    Descriptor descriptor;
    if (style(card) == STYLE_LANCE) {
        descriptor.at = ring + index * 8;
        read_memory(card, descriptor.at, bytes, 8);
        descriptor.buffer = load_le16(bytes) | (uint32_t)bytes[2] << 16;
        descriptor.status = (uint16_t)(bytes[3] << 8);
        descriptor.size = 0x1000u - (load_le16(bytes + 4) & 0xFFFu);
        return descriptor;
    }
    descriptor.at = ring + index * 16;
    read_memory(card, descriptor.at, bytes, 16);
    descriptor.buffer = load_le32(bytes + (style(card) == STYLE_REORDERED ? 8 : 0));
    descriptor.status = load_le16(bytes + 6);
    descriptor.size = 0x1000u - (load_le16(bytes + 4) & 0xFFFu);
    return descriptor;
}

/* The message's length first, then the word with the owner. */
static void give_back(Pcnet *card, const Descriptor *descriptor, uint16_t status, uint32_t length,
                      bool with_length) {
    PhysicalMap *memory = card->context.memory;
    uint8_t bytes[4];
    if (style(card) == STYLE_LANCE) {
        store_le16(bytes, (uint16_t)length);
        if (with_length)
            physical_write_bytes(memory, descriptor->at + 6, bytes, 2);
        bytes[0] = (uint8_t)(status >> 8);
        physical_write_bytes(memory, descriptor->at + 3, bytes, 1);
        return;
    }
    store_le32(bytes, length);
    if (with_length)
        physical_write_bytes(memory, descriptor->at + (style(card) == STYLE_REORDERED ? 0 : 8),
                             bytes, 4);
    store_le16(bytes, status);
    physical_write_bytes(memory, descriptor->at + 6, bytes, 2);
}

/* ---- The initialisation block ---- */

static uint16_t encoded_length(unsigned bits) {
    return (uint16_t)(0x10000u - (1u << (bits > 9 ? 9 : bits)));
}

void pcnet_initialise(Pcnet *card) {
    PcnetState *state = &card->state;
    uint32_t block = state->csr[1] | (uint32_t)state->csr[2] << 16;
    uint8_t bytes[28];
    bool is_wide = state->bcr[PCNET_BCR_STYLE] & 0x0100;
    unsigned address = is_wide ? 4 : 2, filter = is_wide ? 12 : 8, receive, send;
    read_memory(card, block, bytes, is_wide ? 28 : 24);
    if (is_wide) {
        receive = bytes[2] >> 4;
        send = bytes[3] >> 4;
        state->receive_ring = load_le32(bytes + 20);
        state->send_ring = load_le32(bytes + 24);
    } else {
        receive = bytes[19] >> 5;
        send = bytes[23] >> 5;
        state->receive_ring = load_le32(bytes + 16) & 0xFFFFFF;
        state->send_ring = load_le32(bytes + 20) & 0xFFFFFF;
    }
    state->csr[PCNET_CSR_MODE] = load_le16(bytes);
    for (unsigned i = 0; i < 3; i++)
        state->csr[12 + i] = load_le16(bytes + address + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        state->csr[8 + i] = load_le16(bytes + filter + 2 * i);
    state->csr[PCNET_CSR_RECEIVE_LENGTH] = encoded_length(receive);
    state->csr[PCNET_CSR_SEND_LENGTH] = encoded_length(send);
    state->receive_index = state->send_index = 0;
}

/* ---- Receiving ---- */

static bool is_deaf(const Pcnet *card) {
    return !(card->state.csr[0] & PCNET_CSR0_RECEIVES) || !pci_device_is_master(card->pci);
}

static Descriptor next_to_fill(Pcnet *card) {
    PcnetState *state = &card->state;
    state->receive_index %= ring_length(card, PCNET_CSR_RECEIVE_LENGTH);
    return read_descriptor(card, state->receive_ring, state->receive_index);
}

bool pcnet_can_receive(Pcnet *card) {
    return is_deaf(card) || (next_to_fill(card).status & OWN) ||
           (card->state.csr[PCNET_CSR_MODE] & PCNET_MODE_LOOPBACK);
}

/* Why a frame is taken; 0: it is not. */
static uint16_t find_match(const PcnetState *state, const uint8_t *frame) {
    uint16_t mode = state->csr[PCNET_CSR_MODE];
    uint8_t own[NETWORK_ADDRESS_BYTES];
    for (unsigned i = 0; i < 3; i++)
        store_le16(own + 2 * i, state->csr[12 + i]);
    if (network_is_broadcast(frame) && !(mode & PCNET_MODE_NO_BROADCAST))
        return BROADCAST;
    if (network_is_multicast(frame)) {
        uint32_t hash = ~network_frame_checksum(frame, NETWORK_ADDRESS_BYTES) >> 26;
        if (state->csr[8 + hash / 16] >> hash % 16 & 1)
            return GROUP_ADDRESS;
    } else if (memcmp(frame, own, sizeof(own)) == 0 && !(mode & PCNET_MODE_NO_OWN)) {
        return OWN_ADDRESS;
    }
    return mode & PCNET_MODE_ALL ? 1 : 0;
}

static void miss_frame(Pcnet *card) {
    card->state.csr[112]++;
    pcnet_raise(card, PCNET_CSR0_MISSED);
}

/* Over as many buffers as it takes, 'size' bytes of 'frame' in this card's memory. */
static void fill_buffers(Pcnet *card, const uint8_t *frame, size_t size, uint16_t match) {
    PcnetState *state = &card->state;
    uint32_t length = ring_length(card, PCNET_CSR_RECEIVE_LENGTH), used = 0;
    uint16_t first = START;
    for (size_t done = 0; done < size; used++) {
        Descriptor descriptor = next_to_fill(card);
        if (!(descriptor.status & OWN) || used == length) {
            miss_frame(card);
            return;
        }
        size_t now = size - done < descriptor.size ? size - done : descriptor.size;
        physical_write_bytes(card->context.memory, descriptor.buffer, frame + done, now);
        done += now;
        state->receive_index = (state->receive_index + 1) % length;
        uint16_t status = (uint16_t)(first | (match & ~1));
        first = 0;
        if (done == size)
            status |= END;
        else if (!(next_to_fill(card).status & OWN))
            status |= ERROR | NO_BUFFER;
        give_back(card, &descriptor, status, (uint32_t)size, done == size);
    }
    pcnet_raise(card, PCNET_CSR0_RECEIVED);
}

void pcnet_receive(Pcnet *card, const uint8_t *frame, size_t size) {
    uint8_t with_checksum[4096];
    uint16_t match = find_match(&card->state, frame);
    if (is_deaf(card) || match == 0 || size + CHECKSUM_BYTES > sizeof(with_checksum) - 1)
        return;
    memcpy(with_checksum, frame, size);
    store_le32(with_checksum + size, network_frame_checksum(frame, size));
    fill_buffers(card, with_checksum, size + CHECKSUM_BYTES, match);
}

/* ---- Sending ---- */

static void deliver(Pcnet *card, size_t size, bool adds_checksum) {
    uint16_t mode = card->state.csr[PCNET_CSR_MODE];
    if (!adds_checksum && (mode & PCNET_MODE_NO_CHECKSUM))
        size = size > CHECKSUM_BYTES ? size - CHECKSUM_BYTES : 0;
    if (!(mode & PCNET_MODE_LOOPBACK))
        network_link_send(card->link, card->frame, size);
    else if (size >= NETWORK_ADDRESS_BYTES)
        pcnet_receive(card, card->frame, size);
}

/* One frame; false: it is not all there yet. */
static bool send_one(Pcnet *card) {
    PcnetState *state = &card->state;
    uint32_t length = ring_length(card, PCNET_CSR_SEND_LENGTH), index = state->send_index % length;
    Descriptor descriptors[DESCRIPTORS_MAX];
    unsigned count = 0;
    size_t size = 0;
    do {
        if (count == DESCRIPTORS_MAX || count == length)
            break; /* no end: what there is goes */
        descriptors[count] = read_descriptor(card, state->send_ring, index);
        if (!(descriptors[count].status & OWN))
            return false;
        size_t part = descriptors[count].size;
        if (size + part <= sizeof(card->frame)) {
            read_memory(card, descriptors[count].buffer, card->frame + size, part);
            size += part;
        }
        index = (index + 1) % length;
    } while (!(descriptors[count++].status & END));
    if (descriptors[0].status & START)
        deliver(card, size, descriptors[0].status & ADD_CHECKSUM);
    bool tells = !(state->csr[5] & CSR5_LATE_INTERRUPTS);
    for (unsigned i = 0; i < count; i++) {
        tells = tells || (descriptors[i].status & LATE_INTERRUPT);
        give_back(card, &descriptors[i], descriptors[i].status & (uint16_t) ~(OWN | ERROR), 0,
                  true);
    }
    state->send_index = index;
    if (tells)
        pcnet_raise(card, PCNET_CSR0_SENT);
    return true;
}

bool pcnet_send(Pcnet *card) {
    for (unsigned i = 0; i < BURST; i++)
        if (!send_one(card))
            return false;
    return true;
}

/* Which frames a virtio card takes, and the control queue by which its driver says so (5.1.6.5). */
#include "big_endian.h"
#include "little_endian.h"
#include "network_offload.h"
#include "virtio_net_internal.h"
#include <string.h>

enum { CLASS_RECEIVE = 0, CLASS_ADDRESS = 1, CLASS_VLAN = 2 };
enum { ADDRESS_TABLE_SET = 0, ADDRESS_SET = 1 };
enum { VLAN_ADD = 0, VLAN_REMOVE = 1 };
enum { TYPE_VLAN = 0x8100, VLAN_MASK = 0xFFF };
enum { ANSWER_GOOD = 0, ANSWER_BAD = 1 };

void virtio_net_filter_reset(VirtioNet *card) {
    card->state = (VirtioNetState){.promiscuous = 1, .link_up = network_link_is_up(card->link)};
    memcpy(card->state.address, card->own_address, NETWORK_ADDRESS_BYTES);
}

static bool passes_vlan(const VirtioNet *card, const uint8_t *frame) {
    if (!virtio_pci_has_feature(card->transport, VIRTIO_NET_CONTROL_VLAN) ||
        load_be16(frame + NETWORK_ADDRESSES_BYTES) != TYPE_VLAN)
        return true;
    unsigned vlan = load_be16(frame + NETWORK_ADDRESSES_BYTES + 2) & VLAN_MASK;
    return card->state.vlans[vlan / 8] >> vlan % 8 & 1;
}

static bool is_in_table(const VirtioNetState *state, unsigned group, const uint8_t *frame) {
    for (unsigned i = 0; i < state->table_count[group]; i++)
        if (memcmp(state->table[group][i], frame, NETWORK_ADDRESS_BYTES) == 0)
            return true;
    return state->table_overflowed[group];
}

bool virtio_net_filter_passes(const VirtioNet *card, const uint8_t *frame) {
    const VirtioNetState *state = &card->state;
    if (state->promiscuous)
        return true;
    if (!passes_vlan(card, frame))
        return false;
    if (network_is_broadcast(frame))
        return !state->no_broadcast;
    if (network_is_multicast(frame))
        return !state->no_multicast &&
               (state->all_multicast || is_in_table(state, VIRTIO_NET_MULTICAST, frame));
    if (state->no_unicast)
        return false;
    return state->all_unicast || memcmp(state->address, frame, NETWORK_ADDRESS_BYTES) == 0 ||
           is_in_table(state, VIRTIO_NET_UNICAST, frame);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static bool set_switch(VirtioNet *card, unsigned command) {
    VirtioNetState *state = &card->state;
    uint8_t *const switches[] = {&state->promiscuous,  &state->all_multicast, &state->all_unicast,
                                 &state->no_multicast, &state->no_unicast,    &state->no_broadcast};
    uint8_t on;
    if (command >= sizeof(switches) / sizeof(switches[0]) || card->chain.readable.left < 1)
        return false;
    dma_list_read(&card->chain.readable, card->memory, &on, 1);
    *switches[command] = on != 0;
    return true;
}

/* A count and so many addresses. */
static bool read_table(VirtioNet *card, VirtioNetState *state, unsigned group) {
    DmaList *list = &card->chain.readable;
    uint8_t header[4];
    if (list->left < sizeof(header))
        return false;
    dma_list_read(list, card->memory, header, sizeof(header));
    uint32_t count = load_le32(header);
    if (list->left < (uint64_t)count * NETWORK_ADDRESS_BYTES)
        return false;
    state->table_overflowed[group] = count > VIRTIO_NET_TABLE_MAX;
    state->table_count[group] = (uint8_t)(count > VIRTIO_NET_TABLE_MAX ? 0 : count);
    if (count <= VIRTIO_NET_TABLE_MAX)
        dma_list_read(list, card->memory, state->table[group],
                      (size_t)count * NETWORK_ADDRESS_BYTES);
    else
        dma_list_skip(list, (uint64_t)count * NETWORK_ADDRESS_BYTES);
    return true;
}

static bool set_addresses(VirtioNet *card, unsigned command) {
    VirtioNetState state = card->state;
    if (command == ADDRESS_SET) {
        if (card->chain.readable.left < NETWORK_ADDRESS_BYTES)
            return false;
        dma_list_read(&card->chain.readable, card->memory, card->state.address,
                      NETWORK_ADDRESS_BYTES);
        return true;
    }
    if (command != ADDRESS_TABLE_SET || !read_table(card, &state, VIRTIO_NET_UNICAST) ||
        !read_table(card, &state, VIRTIO_NET_MULTICAST))
        return false;
    card->state = state;
    return true;
}

static bool set_vlan(VirtioNet *card, unsigned command) {
    uint8_t number[2];
    if (command > VLAN_REMOVE || card->chain.readable.left < sizeof(number))
        return false;
    dma_list_read(&card->chain.readable, card->memory, number, sizeof(number));
    unsigned vlan = load_le16(number) & VLAN_MASK;
    uint8_t bit = (uint8_t)(1 << vlan % 8);
    if (command == VLAN_ADD)
        card->state.vlans[vlan / 8] |= bit;
    else
        card->state.vlans[vlan / 8] &= (uint8_t)~bit;
    return true;
}

bool virtio_net_control(VirtioNet *card) {
    uint8_t header[2], answer = ANSWER_BAD;
    if (card->chain.readable.left < sizeof(header) || card->chain.writable.left < 1)
        return false;
    dma_list_read(&card->chain.readable, card->memory, header, sizeof(header));
    bool good = false;
    if (header[0] == CLASS_RECEIVE)
        good = set_switch(card, header[1]);
    else if (header[0] == CLASS_ADDRESS)
        good = set_addresses(card, header[1]);
    else if (header[0] == CLASS_VLAN)
        good = set_vlan(card, header[1]);
    if (good)
        answer = ANSWER_GOOD;
    dma_list_write(&card->chain.writable, card->memory, &answer, 1);
    return true;
}

/* Four buffers to send from, and a ring of bytes to receive into (RTL8139D data sheet, 5.4 to 5.8).
 */
#include "little_endian.h"
#include "rtl8139_internal.h"

enum { STATUS_OWN = 0x2000, STATUS_SENT = 0x8000, STATUS_SIZE = 0x1FFF };
enum { HEADER_BYTES = 4, CHECKSUM_BYTES = 4, CAPR_OFFSET = 16, FRAME_MAX = 1518 };

/* 8, 16, 32 or 64 KB. */
static uint32_t ring_bytes(const Rtl8139 *card) {
    return 8192u << (card->state.rcr >> 11 & 3);
}

static uint32_t read_position(const Rtl8139 *card) {
    return (card->state.capr + CAPR_OFFSET) % ring_bytes(card);
}

bool rtl8139_ring_is_empty(const Rtl8139 *card) {
    return card->state.cbr % ring_bytes(card) == read_position(card);
}

bool rtl8139_ring_has_room(const Rtl8139 *card) {
    uint32_t ring = ring_bytes(card);
    uint32_t room = (read_position(card) + ring - card->state.cbr % ring) % ring;
    return rtl8139_ring_is_empty(card) || room > HEADER_BYTES + FRAME_MAX + CHECKSUM_BYTES + 4;
}

/* The ring is RAM of the guest; with WRAP the last frame is in one piece. */
static uint32_t store(Rtl8139 *card, uint32_t at, const void *data, size_t size) {
    uint32_t ring = ring_bytes(card), base = card->state.receive_buffer;
    size_t whole = size;
    if (!(card->state.rcr & RTL8139_RCR_WRAP) && at + size > ring)
        whole = at < ring ? ring - at : 0;
    physical_write_bytes(card->context.memory, base + at, data, whole);
    if (whole < size)
        physical_write_bytes(card->context.memory, base, (const uint8_t *)data + whole,
                             size - whole);
    return whole < size ? (uint32_t)(size - whole) : at + (uint32_t)size;
}

void rtl8139_ring_receive(Rtl8139 *card, const uint8_t *frame, size_t size, uint16_t status) {
    uint32_t ring = ring_bytes(card), at = card->state.cbr % ring;
    uint8_t header[HEADER_BYTES], checksum[CHECKSUM_BYTES];
    if (size > FRAME_MAX)
        return;
    store_le16(header, (uint16_t)(status | 1)); /* ROK */
    store_le16(header + 2, (uint16_t)(size + CHECKSUM_BYTES));
    store_le32(checksum, network_frame_checksum(frame, size));
    at = store(card, at, header, sizeof(header));
    at = store(card, at, frame, size);
    at = store(card, at, checksum, sizeof(checksum));
    card->state.cbr = (uint16_t)((at + 3) / 4 * 4 % ring);
    rtl8139_raise(card, RTL8139_ISR_RECEIVED);
}

void rtl8139_send_buffers(Rtl8139 *card) {
    Rtl8139State *state = &card->state;
    for (unsigned i = 0; i < RTL8139_BUFFERS; i++) {
        uint32_t *status = &state->transmit_status[state->next_buffer];
        size_t size = *status & STATUS_SIZE;
        if ((*status & STATUS_OWN) || !(state->cr & RTL8139_CR_TRANSMIT))
            return;
        if (size > RTL8139_FRAME_MAX)
            size = RTL8139_FRAME_MAX;
        physical_read_bytes(card->context.memory, state->transmit_address[state->next_buffer],
                            card->frame, size);
        *status |= STATUS_OWN | STATUS_SENT;
        state->next_buffer = (uint8_t)((state->next_buffer + 1) % RTL8139_BUFFERS);
        rtl8139_send_frame(card, card->frame, size);
        rtl8139_raise(card, RTL8139_ISR_SENT);
    }
}

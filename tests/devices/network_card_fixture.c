#include "network_card_fixture.h"
#include "allocate.h"
#include "big_endian.h"
#include "internet_checksum.h"
#include "network_offload.h"
#include <stdlib.h>
#include <string.h>

const uint8_t card_address[NETWORK_ADDRESS_BYTES] = {0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF};

static void keep_frame(void *opaque, const uint8_t *frame, size_t size) {
    CardFixture *fixture = opaque;
    CardFrame *kept = &fixture->sent[fixture->sent_count++ % CARD_FRAMES];
    ck_assert_uint_le(size, sizeof(kept->data));
    memcpy(kept->data, frame, size);
    kept->size = size;
}

CardFixture *card_fixture_create(const NetworkCardModel *model) {
    CardFixture *fixture = allocate_zeroed(sizeof(*fixture));
    Error error = {.set = false};
    pci_fixture_init(&fixture->pci);
    fixture->link = network_link_create(&fixture->pci.board->context, "link");
    const NetworkBackEndPort port = {.send = keep_frame, .opaque = fixture};
    network_link_attach_back_end(fixture->link, &port);
    NetworkCardOptions options = {.id = "card", .link = fixture->link, .slot = PCI_FIXTURE_SLOT};
    memcpy(options.address, card_address, sizeof(card_address));
    fixture->model = model;
    fixture->card = model->create(&fixture->pci.board->context, fixture->pci.bus, &options, &error);
    ck_assert_msg(fixture->card != NULL, "%s", error.message);
    pci_fixture_enable(&fixture->pci);
    return fixture;
}

void card_fixture_destroy(CardFixture *fixture) {
    fixture->model->destroy(fixture->card);
    network_link_destroy(fixture->link);
    pci_fixture_end(&fixture->pci);
    free(fixture);
}

void card_make_frame(uint8_t *frame, size_t size, const uint8_t *to, uint16_t type) {
    for (size_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(i * 7 + i / 256);
    memcpy(frame, to, NETWORK_ADDRESS_BYTES);
    memcpy(frame + 6, "\x52\x55\x0A\x00\x02\x02", NETWORK_ADDRESS_BYTES);
    store_be16(frame + NETWORK_ADDRESSES_BYTES, type);
}

size_t card_make_ip4_frame(uint8_t *frame, size_t size, const uint8_t *to, bool is_tcp) {
    enum { IP = 14, TRANSPORT = 34 };
    size_t headers = TRANSPORT + (is_tcp ? 20 : 8);
    card_make_frame(frame, size, to, NETWORK_TYPE_IP4);
    memset(frame + IP, 0, headers - IP);
    frame[IP] = 0x45;
    store_be16(frame + IP + 2, (uint16_t)(size - IP));
    store_be16(frame + IP + 4, 0x1234);
    frame[IP + 8] = 64;
    frame[IP + 9] = is_tcp ? 6 : 17;
    memcpy(frame + IP + 12, "\x0A\x00\x02\x0F\x0A\x00\x02\x02", 8);
    store_be16(frame + TRANSPORT, 1234);
    store_be16(frame + TRANSPORT + 2, 80);
    if (is_tcp) {
        store_be32(frame + TRANSPORT + 4, 0xFFFFFF00);
        frame[TRANSPORT + 12] = 0x50;
        frame[TRANSPORT + 13] = 0x99; /* window reduced, acknowledgement, push, last */
    } else {
        store_be16(frame + TRANSPORT + 4, (uint16_t)(size - TRANSPORT));
    }
    return headers;
}

/* As RFC 1071 says it, and no quicker. */
static uint16_t slow_sum(const uint8_t *data, size_t size, uint32_t sum) {
    for (size_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t transport_sum(const uint8_t *frame, size_t size) {
    uint32_t sum = slow_sum(frame + 26, 8, 0);
    return slow_sum(frame + 34, size - 34, sum + frame[23] + (uint32_t)(size - 34));
}

bool card_checksums_are_good(const uint8_t *frame, size_t size) {
    return slow_sum(frame + 14, 20, 0) == 0xFFFF && transport_sum(frame, size) == 0xFFFF;
}

void card_put_checksums(uint8_t *frame, size_t size) {
    size_t at = frame[23] == 6 ? 34 + 16 : 34 + 6;
    store_be16(frame + 24, 0);
    store_be16(frame + 24, (uint16_t)~slow_sum(frame + 14, 20, 0));
    store_be16(frame + at, 0);
    store_be16(frame + at, (uint16_t)~transport_sum(frame, size));
}

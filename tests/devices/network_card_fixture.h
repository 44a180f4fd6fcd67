/* A board with a PCI bus, a network card in a slot, and a back end that keeps what it is sent. */
#ifndef REPRISE_NETWORK_CARD_FIXTURE_H
#define REPRISE_NETWORK_CARD_FIXTURE_H

#include "network_card.h"
#include "pci_fixture.h"

enum { CARD_FRAMES = 64 };

typedef struct CardFrame {
    uint8_t data[NETWORK_FRAME_MAX];
    size_t size;
} CardFrame;

typedef struct CardFixture {
    PciFixture pci;
    NetworkLink *link;
    const NetworkCardModel *model;
    void *card;
    CardFrame sent[CARD_FRAMES]; /* the last ones */
    unsigned sent_count;
} CardFixture;

extern const uint8_t card_address[NETWORK_ADDRESS_BYTES];

/* With its BARs decoding, and bus mastering on. */
CardFixture *card_fixture_create(const NetworkCardModel *model);
void card_fixture_destroy(CardFixture *fixture);

/* A frame of so many bytes from somebody else, which are all different. */
void card_make_frame(uint8_t *frame, size_t size, const uint8_t *to, uint16_t type);
/* The same with TCP or UDP over IPv4 (addresses at 26, ports at 34) without checksums, and the
 * number of bytes of its headers. */
size_t card_make_ip4_frame(uint8_t *frame, size_t size, const uint8_t *to, bool is_tcp);
/* Both checksums of such a frame are right. */
bool card_checksums_are_good(const uint8_t *frame, size_t size);
void card_put_checksums(uint8_t *frame, size_t size);

#endif

/* A board with a PCI bus, a network card in a slot, and a back end that keeps what it is sent. */
#ifndef REPRISE_NETWORK_CARD_FIXTURE_H
#define REPRISE_NETWORK_CARD_FIXTURE_H

#include "chip_fixture.h"
#include "network_card.h"
#include "pci.h"

enum {
    CARD_SLOT = 4,
    CARD_PORTS = 0xC000,      /* BAR n that is I/O is at CARD_PORTS + n * 0x100 */
    CARD_MEMORY = 0x40000000, /* others at CARD_MEMORY + n * 0x100000 */
    CARD_FRAMES = 64,
};

typedef struct CardFrame {
    uint8_t data[NETWORK_FRAME_MAX];
    size_t size;
} CardFrame;

typedef struct CardFixture {
    ChipFixture *board;
    PciBus *bus;
    Probe irq; /* of the slot's pin INTA# */
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

uint8_t *card_ram(CardFixture *fixture, uint32_t address);
uint32_t card_read(CardFixture *fixture, unsigned bar, uint32_t offset, unsigned size);
void card_write(CardFixture *fixture, unsigned bar, uint32_t offset, unsigned size, uint64_t value);

/* Lets time pass to the next event; false: there is none. */
bool card_next_event(CardFixture *fixture);
void card_run(CardFixture *fixture, int64_t ns);

/* A frame of so many bytes from somebody else, which are all different. */
void card_make_frame(uint8_t *frame, size_t size, const uint8_t *to, uint16_t type);
/* The same with TCP or UDP over IPv4 (addresses at 26, ports at 34) without checksums, and the
 * number of bytes of its headers. */
size_t card_make_ip4_frame(uint8_t *frame, size_t size, const uint8_t *to, bool is_tcp);
/* Both checksums of such a frame are right. */
bool card_checksums_are_good(const uint8_t *frame, size_t size);
void card_put_checksums(uint8_t *frame, size_t size);

#endif

/* What all network cards have in common for those who plug them in, and what most of them compute
 * from a frame. */
#ifndef REPRISE_NETWORK_CARD_H
#define REPRISE_NETWORK_CARD_H

#include "network_link.h"

struct PciBus;

/* A card that has sent looks for more to send so much later, not at once: drivers queue meanwhile,
 * and take answers and interrupts by the dozen. The first frame of a stream goes without delay. */
#define NETWORK_STREAM_NS 100000

typedef struct NetworkCardOptions {
    const char *id; /* names its State; copied by the card if it keeps it */
    NetworkLink *link;
    uint8_t address[NETWORK_ADDRESS_BYTES];
    unsigned slot;    /* on the PCI bus */
    uint16_t io_base; /* on the ISA bus */
    Wire irq;         /* on the ISA bus */
    /* The ROM to boot by, or NULL; stays as long as the card. */
    const uint8_t *rom;
    uint32_t rom_size;
} NetworkCardOptions;

typedef struct NetworkCardModel {
    const char *name;  /* as '-device' and '-nic model=' have it */
    const char *alias; /* another one, or NULL */
    const char *help;
    bool is_isa;
    const char *rom; /* what firmware packages call its ROM: pxe-NAME.rom; NULL: they have none */
    void *(*create)(const DeviceContext *context, struct PciBus *bus,
                    const NetworkCardOptions *options, Error *error);
    void (*destroy)(void *card); /* NULL is allowed */
} NetworkCardModel;

/* The CRC of an Ethernet frame (IEEE 802.3, 3.2.9), as it is sent: lowest byte first. */
uint32_t network_frame_checksum(const uint8_t *data, size_t size);
/* Bits 31 to 26 of the same over a multicast address, before the last complement: the bit of the
 * 64 in a hash filter, as most chips compute it. */
unsigned network_multicast_hash(const uint8_t *address);

static inline bool network_is_broadcast(const uint8_t *frame) {
    return (frame[0] & frame[1] & frame[2] & frame[3] & frame[4] & frame[5]) == 0xFF;
}
static inline bool network_is_multicast(const uint8_t *frame) {
    return frame[0] & 1;
}

#endif

/* What the files of the PCnet share. Names and numbers of registers are those of the Am79C970A data
 * sheet. */
#ifndef REPRISE_PCNET_INTERNAL_H
#define REPRISE_PCNET_INTERNAL_H

#include "pci.h"
#include "pcnet.h"

enum { PCNET_CSRS = 128, PCNET_BCRS = 32, PCNET_PROM_BYTES = 16 };

enum {
    PCNET_CSR0_INIT = 0x0001,
    PCNET_CSR0_START = 0x0002,
    PCNET_CSR0_STOP = 0x0004,
    PCNET_CSR0_DEMAND = 0x0008,
    PCNET_CSR0_SENDS = 0x0010,
    PCNET_CSR0_RECEIVES = 0x0020,
    PCNET_CSR0_ENABLE = 0x0040,
    PCNET_CSR0_INTERRUPT = 0x0080,
    PCNET_CSR0_INITIALISED = 0x0100,
    PCNET_CSR0_SENT = 0x0200,
    PCNET_CSR0_RECEIVED = 0x0400,
    PCNET_CSR0_MISSED = 0x1000,
    PCNET_CSR0_EVENTS = 0x7F00,
    PCNET_CSR0_ERRORS = 0x7800,
    PCNET_CSR0_ERROR = 0x8000,
};

enum {
    PCNET_MODE_NO_RECEIVE = 0x0001,
    PCNET_MODE_NO_SEND = 0x0002,
    PCNET_MODE_LOOPBACK = 0x0004,
    PCNET_MODE_NO_CHECKSUM = 0x0008,
    PCNET_MODE_NO_OWN = 0x2000,
    PCNET_MODE_NO_BROADCAST = 0x4000,
    PCNET_MODE_ALL = 0x8000,
};

enum { PCNET_CSR_MODE = 15, PCNET_CSR_RECEIVE_LENGTH = 76, PCNET_CSR_SEND_LENGTH = 78 };
enum { PCNET_BCR_BUS = 18, PCNET_BCR_STYLE = 20, PCNET_BUS_DOUBLE = 0x0080 };

typedef struct PcnetState {
    int64_t send_ns;
    uint32_t receive_ring, send_ring;
    uint32_t receive_index, send_index;
    uint16_t csr[PCNET_CSRS];
    uint16_t bcr[PCNET_BCRS];
    uint16_t rap;
    uint8_t demanded; /* the driver tells what there is to send: no need to look */
    uint8_t padding[5];
} PcnetState;

typedef struct Pcnet {
    PcnetState state;
    DeviceContext context;
    NetworkLink *link;
    PciDevice *pci;
    Timer send;
    uint8_t prom[PCNET_PROM_BYTES];
    char id[32];
    uint8_t frame[NETWORK_FRAME_MAX];
} Pcnet;

void pcnet_raise(Pcnet *card, uint16_t events);

/* pcnet_rings.c */
void pcnet_initialise(Pcnet *card);
bool pcnet_can_receive(Pcnet *card);
void pcnet_receive(Pcnet *card, const uint8_t *frame, size_t size);
/* Sends what the rings hold, a bounded part of it; false: nothing is left. */
bool pcnet_send(Pcnet *card);

#endif

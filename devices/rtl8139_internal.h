/* What the files of the RTL8139 share. Names are those of Realtek's data sheets (RTL8139D(L),
 * RTL8139C+). */
#ifndef REPRISE_RTL8139_INTERNAL_H
#define REPRISE_RTL8139_INTERNAL_H

#include "pci.h"
#include "rtl8139.h"

enum { RTL8139_BUFFERS = 4, RTL8139_REGISTERS = 256, RTL8139_FRAME_MAX = 8192 };

enum {
    RTL8139_CR_EMPTY = 0x01,
    RTL8139_CR_TRANSMIT = 0x04,
    RTL8139_CR_RECEIVE = 0x08,
    RTL8139_CR_RESET = 0x10,
};

enum {
    RTL8139_ISR_RECEIVED = 0x0001,
    RTL8139_ISR_SENT = 0x0004,
    RTL8139_ISR_RECEIVE_FULL = 0x0010,
    RTL8139_ISR_LINK = 0x0020,
    RTL8139_ISR_NO_DESCRIPTOR = 0x0080, /* to send */
    RTL8139_ISR_SOFTWARE = 0x0100,
    RTL8139_ISR_TIME = 0x4000,
};

enum {
    RTL8139_RCR_ALL = 0x01,
    RTL8139_RCR_OWN = 0x02,
    RTL8139_RCR_MULTICAST = 0x04,
    RTL8139_RCR_BROADCAST = 0x08,
    RTL8139_RCR_WRAP = 0x80, /* the last frame goes on behind the ring */
};

enum {
    RTL8139_CPLUS_TRANSMIT = 0x01,
    RTL8139_CPLUS_RECEIVE = 0x02,
    RTL8139_CPLUS_CHECKSUM = 0x20,
    RTL8139_CPLUS_VLAN = 0x40,
};

enum { RTL8139_TCR_LOOPBACK = 0x00060000 };

/* Of the 93C46, a serial EEPROM of 64 words. */
typedef struct Rtl8139Eeprom {
    uint16_t shift; /* what came in, or what is to go out */
    uint8_t bits;   /* of it */
    uint8_t phase, pins, output;
    uint8_t padding[2];
} Rtl8139Eeprom;

typedef struct Rtl8139State {
    int64_t transmit_ns;
    int64_t timer_ns, timer_start_ns;
    uint64_t receive_ring, transmit_ring, priority_ring; /* of descriptors */
    uint32_t transmit_status[RTL8139_BUFFERS], transmit_address[RTL8139_BUFFERS];
    uint32_t receive_buffer, tcr, rcr, timer_interval, missed;
    uint32_t receive_index, transmit_index; /* of descriptors */
    uint16_t capr, cbr, imr, isr, cplus, phy_control, phy_advertised, multiple_interrupt;
    uint8_t address[NETWORK_ADDRESS_BYTES];
    uint8_t multicast[8];
    uint8_t cr, command_93c46, config[6], media;
    uint8_t next_buffer, polled;
    uint8_t is_cplus; /* that register was written */
    uint8_t padding[2];
    Rtl8139Eeprom eeprom;
} Rtl8139State;

typedef struct Rtl8139 {
    Rtl8139State state;
    DeviceContext context;
    NetworkLink *link;
    PciDevice *pci;
    Timer transmit, timer;
    uint16_t eeprom_words[64];
    char id[32];
    uint8_t frame[NETWORK_FRAME_MAX];
    uint8_t datagram[65536 + 64];
} Rtl8139;

void rtl8139_raise(Rtl8139 *card, uint16_t bits);

/* rtl8139_buffers.c: the ways of the RTL8139. */
bool rtl8139_ring_has_room(const Rtl8139 *card);
void rtl8139_ring_receive(Rtl8139 *card, const uint8_t *frame, size_t size, uint16_t status);
bool rtl8139_ring_is_empty(const Rtl8139 *card);
void rtl8139_send_buffers(Rtl8139 *card);

/* rtl8139_descriptors.c: those of the RTL8139C+. */
bool rtl8139_descriptor_is_free(const Rtl8139 *card);
void rtl8139_descriptor_receive(Rtl8139 *card, const uint8_t *frame, size_t size, uint16_t status);
/* False: there was nothing to send. */
bool rtl8139_send_descriptors(Rtl8139 *card);

/* A frame leaves, or comes back where the chip is in loopback. */
void rtl8139_send_frame(Rtl8139 *card, const uint8_t *frame, size_t size);

/* rtl8139_eeprom.c */
void rtl8139_eeprom_fill(uint16_t *words, const uint8_t *address);
/* The pins as the register 93C46CR has them. */
void rtl8139_eeprom_set_pins(Rtl8139Eeprom *eeprom, const uint16_t *words, uint8_t pins);

#endif

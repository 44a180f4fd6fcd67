/* What the files of the 82540EM share. Sections are those of the developer's manual (317453). */
#ifndef REPRISE_E1000_INTERNAL_H
#define REPRISE_E1000_INTERNAL_H

#include "dma_list.h"
#include "e1000.h"
#include "pci.h"

typedef struct E1000 E1000;

enum {
    E1000_MEMORY_BYTES = 128 << 10,
    E1000_MAC_BYTES = 6,
    E1000_EEPROM_WORDS = 64,
    E1000_PHY_REGISTERS = 32,
    E1000_DESCRIPTOR_BYTES = 16,
    E1000_HEADER_MAX = 255,  /* HDRLEN has 8 bits */
    E1000_FRAME_MAX = 16288, /* jumbo frames, without CRC */
    E1000_SHORT_FRAME = 60,  /* shorter ones are padded to this */
    E1000_VLAN_TAG_BYTES = 4,
};

/* CTRL (13.4.1). */
enum {
    E1000_CTRL_RESET = 1 << 26,
    E1000_CTRL_VLAN = 1 << 30,
    E1000_CTRL_PHY_RESET = 1u << 31,
};

/* Causes of interrupts (13.4.17). */
enum {
    E1000_TXDW = 1 << 0,   /* a transmit descriptor was written back */
    E1000_TXQE = 1 << 1,   /* nothing to transmit */
    E1000_LSC = 1 << 2,    /* the link's state changed */
    E1000_RXDMT0 = 1 << 4, /* few receive descriptors are left */
    E1000_RXO = 1 << 6,    /* a frame was lost */
    E1000_RXT0 = 1 << 7,   /* frames were received */
    E1000_MDAC = 1 << 9,   /* an access to the PHY is done */
    E1000_TXD_LOW = 1 << 15,
    E1000_SRPD = 1 << 16, /* a small frame was received */
};

/* RCTL (13.4.22). */
enum {
    E1000_RCTL_ENABLE = 1 << 1,
    E1000_RCTL_BAD_FRAMES = 1 << 2,
    E1000_RCTL_ALL_UNICAST = 1 << 3,
    E1000_RCTL_ALL_MULTICAST = 1 << 4,
    E1000_RCTL_LONG = 1 << 5,
    E1000_RCTL_LOOPBACK = 3 << 6,
    E1000_RCTL_BROADCAST = 1 << 15,
    E1000_RCTL_VLAN_FILTER = 1 << 18,
    E1000_RCTL_CFI_FILTER = 1 << 19,
    E1000_RCTL_CFI = 1 << 20,
    E1000_RCTL_LARGER_BUFFERS = 1 << 25,
    E1000_RCTL_STRIP_CRC = 1 << 26,
};

enum { E1000_TCTL_ENABLE = 1 << 1, E1000_TCTL_PAD = 1 << 3 };

/* Statistics (13.7), by register: (offset - 4000h) / 4. */
enum {
    E1000_COUNT_MISSED = 0x10 / 4,
    E1000_COUNT_RECEIVED_64 = 0x5C / 4, /* then up to 127, 255, 511, 1023, and above */
    E1000_COUNT_RECEIVED = 0x74 / 4,
    E1000_COUNT_RECEIVED_BROADCAST = 0x78 / 4,
    E1000_COUNT_RECEIVED_MULTICAST = 0x7C / 4,
    E1000_COUNT_SENT = 0x80 / 4,
    E1000_COUNT_RECEIVED_BYTES = 0x88 / 4, /* two registers each */
    E1000_COUNT_SENT_BYTES = 0x90 / 4,
    E1000_COUNT_NO_BUFFER = 0xA0 / 4,
    E1000_COUNT_UNDERSIZE = 0xA4 / 4,
    E1000_COUNT_OVERSIZE = 0xAC / 4,
    E1000_COUNT_ALL_RECEIVED_BYTES = 0xC0 / 4,
    E1000_COUNT_ALL_SENT_BYTES = 0xC8 / 4,
    E1000_COUNT_ALL_RECEIVED = 0xD0 / 4,
    E1000_COUNT_ALL_SENT = 0xD4 / 4,
    E1000_COUNT_SENT_64 = 0xD8 / 4, /* likewise */
    E1000_COUNT_SENT_MULTICAST = 0xF0 / 4,
    E1000_COUNT_SENT_BROADCAST = 0xF4 / 4,
    E1000_COUNT_SEGMENTED = 0xF8 / 4,
};

/* PHY registers (13.7 of the PHY's chapter; IEEE 802.3 clause 22). */
enum { E1000_PHY_CONTROL = 0, E1000_PHY_STATUS = 1 };
enum { E1000_PHY_LOOPBACK = 1 << 14 };

/* The PHY knows its partner, and the cable is in. */
enum { E1000_PHY_LINK = 1 << 2, E1000_PHY_NEGOTIATED = 1 << 5 };

/* Each with a due time in the state. */
typedef enum E1000Timer {
    E1000_TIMER_TRANSMIT,          /* descriptors are looked at */
    E1000_TIMER_RECEIVE_DELAY,     /* RDTR */
    E1000_TIMER_RECEIVE_ABSOLUTE,  /* RADV */
    E1000_TIMER_TRANSMIT_DELAY,    /* TIDV */
    E1000_TIMER_TRANSMIT_ABSOLUTE, /* TADV */
    E1000_TIMER_THROTTLE,          /* ITR */
    E1000_TIMER_LINK,              /* negotiation is done */
    E1000_TIMERS
} E1000Timer;

/* What a context descriptor says (3.3.6). */
typedef struct E1000Context {
    uint8_t ip_start, ip_offset;   /* where the IP header is, and its checksum in the frame */
    uint16_t ip_end;               /* last byte that is summed; 0: the frame's end */
    uint8_t tcp_start, tcp_offset; /* the same of TCP's or UDP's checksum */
    uint16_t tcp_end;
    uint32_t payload; /* bytes to be cut into segments */
    uint16_t segment; /* bytes in each */
    uint8_t header;   /* bytes before them */
    uint8_t command;
} E1000Context;

/* The EEPROM behind the four wires of EECD. */
typedef struct E1000Eeprom {
    uint16_t words[E1000_EEPROM_WORDS];
    uint32_t shifted;  /* bits that came in since chip select, from the start bit on */
    uint16_t output;   /* bits that are to go out, the first uppermost */
    uint8_t in_count;  /* how many came in */
    uint8_t out_count; /* how many went out of this word */
    uint8_t address;
    uint8_t phase;
    uint8_t may_write;
    uint8_t pins; /* of EECD as they were */
} E1000Eeprom;

typedef struct E1000State {
    int64_t due_ns[E1000_TIMERS];
    int64_t quiet_until_ns; /* no interrupt before */
#define E1000_REGISTER(name, offset, reset, writable, read, write) uint32_t name;
#define E1000_REGISTERS(name, offset, count, writable, read, write) uint32_t name[count];
#include "e1000_registers.def"
#undef E1000_REGISTER
#undef E1000_REGISTERS
    uint32_t io_address;     /* which register the I/O window shows */
    E1000Context context[2]; /* for checksums, and for segments */
    E1000Eeprom eeprom;
    uint16_t phy[E1000_PHY_REGISTERS];
    uint8_t link_down; /* the cable is out */
    uint8_t pin;       /* the interrupt's level */
    uint8_t padding[6];
} E1000State;

struct E1000 {
    E1000State state;
    DeviceContext context;
    PciDevice *pci;
    NetworkLink *link;
    char id[32];
    Timer timers[E1000_TIMERS];
    bool working; /* its own registers are deaf to its own DMA */
    DmaList list; /* of the frame that is sent, nothing between two */
    uint8_t frame[E1000_VLAN_TAG_BYTES + E1000_FRAME_MAX + E1000_VLAN_TAG_BYTES];
};

/* e1000.c */
/* There may be something to send, or room for what waits. */
void e1000_want_transmit(E1000 *card);
void e1000_want_frames(E1000 *card);
void e1000_arm(E1000 *card, E1000Timer timer, int64_t ns);
void e1000_cancel(E1000 *card, E1000Timer timer);
/* CTRL.RST: all but the EEPROM's contents. */
void e1000_reset_chip(E1000 *card);
bool e1000_is_master(const E1000 *card);
bool e1000_has_link(const E1000 *card);
/* A counter goes on, and stays at its end. */
void e1000_count(E1000 *card, unsigned counter, uint32_t by);
/* Those of all frames: how many, of which size, to how many. 'first': of the counter by size. */
typedef struct E1000Counters {
    uint8_t good, all, bytes, all_bytes, sizes, broadcast, multicast;
} E1000Counters;
void e1000_count_frame(E1000 *card, const E1000Counters *counters, const uint8_t *frame,
                       size_t size);

/* e1000_registers.c */
uint32_t e1000_register_read(void *card, uint32_t offset, unsigned size);
void e1000_register_write(void *card, uint32_t offset, unsigned size, uint32_t value);
uint32_t e1000_window_read(void *card, uint32_t offset, unsigned size);
void e1000_window_write(void *card, uint32_t offset, unsigned size, uint32_t value);
void e1000_registers_reset(E1000 *card);
extern const FieldTable e1000_fields;

/* e1000_interrupt.c */
void e1000_raise(E1000 *card, uint32_t causes);
/* Masks or causes changed. */
void e1000_update_interrupt(E1000 *card);
void e1000_frame_received(E1000 *card, size_t size);
void e1000_descriptor_written(E1000 *card, bool delayed);
void e1000_interrupt_timer(E1000 *card, E1000Timer timer);

/* e1000_eeprom.c */
void e1000_eeprom_fill(E1000Eeprom *eeprom, const uint8_t *mac);
uint32_t e1000_eeprom_read_pins(const E1000 *card);
void e1000_eeprom_write_pins(E1000 *card, uint32_t value);
uint16_t e1000_eeprom_word(const E1000 *card, uint32_t address);

/* e1000_phy.c */
void e1000_phy_reset(E1000 *card);
uint32_t e1000_phy_access(E1000 *card, uint32_t mdic);
void e1000_phy_negotiated(E1000 *card);
void e1000_phy_set_cable(E1000 *card, bool plugged);

/* e1000_transmit.c: sends what is queued, but not too much in one go, and returns how long that
 * took; -1: nothing is left to send. */
int64_t e1000_transmit(E1000 *card);

/* e1000_receive.c */
bool e1000_can_receive(const E1000 *card);
void e1000_receive(E1000 *card, const uint8_t *frame, size_t size);

/* A descriptor's place in a ring that begins at 'base'; false: a 32-bit bus does not reach it. */
static inline bool e1000_descriptor_address(uint32_t low, uint32_t high, uint32_t index,
                                            uint32_t *address) {
    uint64_t at = low + (uint64_t)index * E1000_DESCRIPTOR_BYTES;
    *address = (uint32_t)at;
    return high == 0 && at <= UINT32_MAX - (E1000_DESCRIPTOR_BYTES - 1);
}

#endif

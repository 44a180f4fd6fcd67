/* The 82540EM as its driver sees it, with honest and with hostile rings. */
#include "big_endian.h"
#include "e1000.h"
#include "little_endian.h"
#include "network_card_fixture.h"
#include <string.h>

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    MDIC = 0x0020,
    VET = 0x0038,
    ICR = 0x00C0,
    ITR = 0x00C4,
    ICS = 0x00C8,
    IMS = 0x00D0,
    IMC = 0x00D8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    RDBAL = 0x2800,
    RDBAH = 0x2804,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    RADV = 0x282C,
    TDBAL = 0x3800,
    TDBAH = 0x3804,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    TIDV = 0x3820,
    GPRC = 0x4074,
    GPTC = 0x4080,
    GOTCL = 0x4090,
    MPC = 0x4010,
    ROC = 0x40AC,
    TSCTC = 0x40F8,
    RXCSUM = 0x5000,
    MTA = 0x5200,
    RA = 0x5400,
    VFTA = 0x5600,
};
enum { RECEIVE_RING = 0x10000, TRANSMIT_RING = 0x11000, BUFFERS = 0x20000, DATA = 0x80000 };
enum { RING_ENTRIES = 8, BUFFER_BYTES = 0x4000 };
enum { TXDW = 1, LSC = 4, RXDMT0 = 0x10, RXO = 0x40, RXT0 = 0x80, ANY = 0x1FFFF };
enum { RECEIVE = 2, PROMISCUOUS = 8, MULTICAST = 0x10, LONG = 0x20, BROADCAST = 0x8000 };
enum { VLAN_FILTER = 0x40000, STRIP_CRC = 0x4000000, LINK_MS = 20 };
enum { END = 1, CHECKSUM = 4, SEGMENT = 4, REPORT = 8, EXTENDED = 0x20, VLAN = 0x40, DELAY = 0x80 };

static CardFixture *fixture;
static unsigned given; /* transmit descriptors */
static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t group[6] = {0x01, 0x00, 0x5E, 0x01, 0x02, 0x03};
static const uint8_t other[6] = {0x52, 0x54, 0x00, 0x11, 0x22, 0x33};

static uint32_t get(uint32_t offset) {
    return pci_fixture_read(&fixture->pci, 0, offset, 4);
}

static void put(uint32_t offset, uint32_t value) {
    pci_fixture_write(&fixture->pci, 0, offset, 4, value);
}

static void start_rings(void) {
    for (unsigned i = 0; i < RING_ENTRIES; i++)
        store_le64(pci_fixture_ram(&fixture->pci, RECEIVE_RING + i * 16),
                   BUFFERS + i * BUFFER_BYTES);
    put(RDBAL, RECEIVE_RING);
    put(RDLEN, RING_ENTRIES * 16);
    put(RDT, RING_ENTRIES - 1);
    put(TDBAL, TRANSMIT_RING);
    put(TDLEN, RING_ENTRIES * 16);
    put(TCTL, 0xA);
    given = 0;
}

static void set_up(void) {
    fixture = card_fixture_create(&e1000_model);
    pci_fixture_run(&fixture->pci, LINK_MS * 1000000);
    start_rings();
    put(RCTL, RECEIVE | BROADCAST);
    get(ICR);
    put(IMS, ANY);
}

static void tear_down(void) {
    card_fixture_destroy(fixture);
}

static void run_all(void) {
    while (pci_fixture_next_event(&fixture->pci))
        ;
}

/* --- what stands behind the registers ---------------------------------------------------------
 */

static uint16_t eeprom_by_register(unsigned address) {
    put(EERD, 1 | address << 8);
    uint32_t value = get(EERD);
    ck_assert(value & 0x10);
    return (uint16_t)(value >> 16);
}

static void clock_in(unsigned bits, unsigned count) {
    for (unsigned i = count; i-- > 0;) {
        uint32_t pins = 2 | (bits >> i & 1) << 2;
        put(EECD, pins);
        put(EECD, pins | 1);
        put(EECD, pins);
    }
}

static uint16_t clock_out(void) {
    uint16_t word = 0;
    for (unsigned i = 0; i < 16; i++) {
        put(EECD, 2 | 1);
        word = (uint16_t)(word << 1 | (get(EECD) >> 3 & 1));
        put(EECD, 2);
    }
    return word;
}

static uint16_t eeprom_by_wires(unsigned address) {
    put(EECD, 0);
    put(EECD, 2);
    clock_in(6, 3);
    clock_in(address, 6);
    ck_assert_uint_eq(get(EECD) & 8, 0);
    return clock_out();
}

START_TEST(eeprom_is_read) {
    uint16_t sum = 0;
    for (unsigned i = 0; i < 64; i++) {
        uint16_t word = eeprom_by_register(i);
        sum = (uint16_t)(sum + word);
        ck_assert_uint_eq(eeprom_by_wires(i), word);
    }
    ck_assert_uint_eq(sum, 0xBABA);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(eeprom_by_register(i), load_le16(card_address + 2 * i));
    eeprom_by_wires(0);
    ck_assert_uint_eq(clock_out(), eeprom_by_register(1)); /* and on to the next word */
    put(EECD, 0x40);
    ck_assert_uint_eq(get(EECD) & 0x1C0, 0x1C0); /* asked for, granted, present */
    ck_assert_uint_eq(get(RA), load_le32(card_address));
    ck_assert_uint_eq(get(RA + 4), load_le16(card_address + 4) | 1u << 31);
}
END_TEST

static void write_eeprom(unsigned address, uint16_t word) {
    put(EECD, 0);
    put(EECD, 2);
    clock_in(5, 3);
    clock_in(address, 6);
    clock_in(word, 16);
    put(EECD, 0);
    put(EECD, 2);
    ck_assert_uint_ne(get(EECD) & 8, 0); /* done */
    put(EECD, 0);
}

static void allow_writing(bool allowed) {
    put(EECD, 2);
    clock_in(4, 3);
    clock_in(allowed ? 0x30 : 0, 6);
    put(EECD, 0);
}

START_TEST(eeprom_is_written) {
    write_eeprom(5, 0x1357);
    ck_assert_uint_eq(eeprom_by_register(5), 0xFFFF);
    allow_writing(true);
    write_eeprom(5, 0x1357);
    ck_assert_uint_eq(eeprom_by_register(5), 0x1357);
    allow_writing(false);
    write_eeprom(5, 0);
    ck_assert_uint_eq(eeprom_by_register(5), 0x1357);
    put(CTRL, 1 << 26);
    ck_assert_uint_eq(eeprom_by_register(5), 0x1357);
}
END_TEST

static uint16_t phy_read(unsigned number) {
    put(MDIC, 2u << 26 | 1 << 21 | number << 16);
    uint32_t value = get(MDIC);
    ck_assert_uint_eq(value >> 28, 1);
    return (uint16_t)value;
}

static void phy_write(unsigned number, uint16_t value) {
    put(MDIC, 1u << 26 | 1 << 21 | number << 16 | value);
}

START_TEST(phy_negotiates) {
    ck_assert_uint_eq(phy_read(2), 0x0141);
    ck_assert_uint_eq(phy_read(3) & 0xFFF0, 0x0C20);
    ck_assert_uint_eq(phy_read(1) & 0x24, 0x24);
    ck_assert_uint_eq(get(STATUS) & 2, 2);
    phy_write(0, 0x9140); /* reset */
    ck_assert_uint_eq(phy_read(1) & 0x24, 0);
    ck_assert_uint_eq(get(STATUS) & 2, 0);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    pci_fixture_run(&fixture->pci, LINK_MS * 1000000);
    ck_assert_uint_eq(phy_read(1) & 0x24, 0x24);
    ck_assert_uint_eq(phy_read(17) & 0xAC00, 0xAC00);
    ck_assert_uint_eq(phy_read(10) & 0x3000, 0x3000);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    ck_assert_uint_eq(get(ICR), LSC);
    put(MDIC, 2u << 26 | 2 << 21);
    ck_assert_uint_eq(get(MDIC) >> 28, 5); /* nobody has that address */
}
END_TEST

START_TEST(cable_is_taken_out) {
    network_link_set_up(fixture->link, false);
    ck_assert_uint_eq(get(ICR), LSC);
    ck_assert_uint_eq(get(STATUS) & 2, 0);
    phy_write(0, 0x1340);
    pci_fixture_run(&fixture->pci, LINK_MS * 1000000);
    ck_assert_uint_eq(get(STATUS) & 2, 0);
    network_link_set_up(fixture->link, true);
    pci_fixture_run(&fixture->pci, LINK_MS * 1000000);
    ck_assert_uint_eq(get(STATUS) & 2, 2);
    ck_assert_uint_eq(get(ICR), LSC);
}
END_TEST

START_TEST(registers_hold_their_bits) {
    put(RDLEN, UINT32_MAX);
    ck_assert_uint_eq(get(RDLEN), 0x000FFF80);
    put(RDBAL, UINT32_MAX);
    ck_assert_uint_eq(get(RDBAL), 0xFFFFFFF0);
    put(RA + 12, UINT32_MAX);
    ck_assert_uint_eq(get(RA + 12), 0x8003FFFF);
    put(MTA + 508, 0x12345678);
    ck_assert_uint_eq(get(MTA + 508), 0x12345678);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, 0, MTA + 509, 1), 0x56);
    put(0x1000, 16);
    ck_assert_uint_eq(get(0x1000), 16 | 48 << 16);
    ck_assert_uint_eq(get(0x1FFFC), 0);
    put(0x1FFFC, 1);
    port_map_write(fixture->pci.board->context.ports, PCI_FIXTURE_PORTS + 0x100, 4, VET);
    port_map_write(fixture->pci.board->context.ports, PCI_FIXTURE_PORTS + 0x104, 4, 0x88A8);
    ck_assert_uint_eq(get(VET), 0x88A8);
    ck_assert_uint_eq(
        port_map_read(fixture->pci.board->context.ports, PCI_FIXTURE_PORTS + 0x104, 4), 0x88A8);
    put(CTRL, 1 << 26);
    ck_assert_uint_eq(get(VET), 0x8100);
    ck_assert_uint_eq(get(MTA + 508), 0);
}
END_TEST

/* --- sending -----------------------------------------------------------------------------------
 */

static uint8_t *next_descriptor(void) {
    uint8_t *descriptor = pci_fixture_ram(&fixture->pci, TRANSMIT_RING + given % RING_ENTRIES * 16);
    memset(descriptor, 0, 16);
    given++;
    return descriptor;
}

static void give_data(uint32_t address, uint32_t size, unsigned command) {
    uint8_t *descriptor = next_descriptor();
    store_le64(descriptor, address);
    store_le32(descriptor + 8, size | command << 24);
}

static void give_extended(uint32_t address, uint32_t size, unsigned command, unsigned options) {
    give_data(address, size | 1 << 20, command | EXTENDED);
    pci_fixture_ram(&fixture->pci, TRANSMIT_RING + (given - 1) % RING_ENTRIES * 16)[13] =
        (uint8_t)options;
}

static void give_context(unsigned command, size_t headers, unsigned payload, unsigned segment) {
    uint8_t *descriptor = next_descriptor();
    descriptor[0] = 14;
    descriptor[1] = 24;
    store_le16(descriptor + 2, 33);
    descriptor[4] = 34;
    descriptor[5] = (uint8_t)(command & 1 ? 34 + 16 : 34 + 6);
    store_le32(descriptor + 8, payload | (command | EXTENDED) << 24);
    descriptor[13] = (uint8_t)headers;
    store_le16(descriptor + 14, (uint16_t)segment);
}

static void send(void) {
    put(TDT, given % RING_ENTRIES);
    run_all();
}

static const CardFrame *last_sent(unsigned before) {
    ck_assert_uint_gt(fixture->sent_count, before);
    return &fixture->sent[(fixture->sent_count - 1 - before) % CARD_FRAMES];
}

START_TEST(frames_are_sent) {
    card_make_frame(pci_fixture_ram(&fixture->pci, DATA), 1000, other, 0x1234);
    give_data(DATA, 300, 0);
    put(TDT, 1);
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 0); /* the rest is to come */
    give_data(DATA + 300, 700, END | REPORT);
    give_data(DATA, 20, END);
    put(TDT, 3);
    ck_assert_uint_eq(fixture->sent_count, 0); /* it takes time */
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 2);
    ck_assert_uint_eq(last_sent(1)->size, 1000);
    ck_assert_mem_eq(last_sent(1)->data, pci_fixture_ram(&fixture->pci, DATA), 1000);
    ck_assert_uint_eq(last_sent(0)->size, 60);
    ck_assert_uint_eq(last_sent(0)->data[59], 0);
    ck_assert_uint_eq(pci_fixture_ram(&fixture->pci, TRANSMIT_RING)[12], 0);
    ck_assert_uint_eq(pci_fixture_ram(&fixture->pci, TRANSMIT_RING)[16 + 12], 1);
    ck_assert_uint_eq(pci_fixture_ram(&fixture->pci, TRANSMIT_RING)[32 + 12], 0);
    ck_assert_uint_eq(get(TDH), 3);
    ck_assert_uint_eq(get(ICR) & TXDW, TXDW);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    ck_assert_uint_eq(get(GPTC), 2);
    ck_assert_uint_eq(get(GPTC), 0);
    ck_assert_uint_eq(get(GOTCL), 1004 + 64);
}
END_TEST

START_TEST(checksums_are_filled_in) {
    for (unsigned is_tcp = 0; is_tcp < 2; is_tcp++) {
        uint8_t *frame = pci_fixture_ram(&fixture->pci, DATA), copy[701];
        card_make_ip4_frame(frame, 701, other, is_tcp);
        /* Software leaves the sum of the pseudo header. */
        memcpy(copy, frame, sizeof(copy));
        card_put_checksums(copy, sizeof(copy));
        uint32_t pseudo = 0x0A00 + 0x020F + 0x0A00 + 0x0202 + frame[23] + (701 - 34);
        store_be16(frame + (is_tcp ? 50 : 40), (uint16_t)pseudo);
        give_context(2 | is_tcp, 0, 0, 0);
        give_extended(DATA, 60, 0, 3);
        give_extended(DATA + 60, 641, END | REPORT, 0);
        send();
        ck_assert_uint_eq(last_sent(0)->size, 701);
        ck_assert_mem_eq(last_sent(0)->data, copy, 701);
    }
    /* The way of the first kind of descriptors: from 14 on, to 24. */
    card_make_ip4_frame(pci_fixture_ram(&fixture->pci, DATA), 34, other, true);
    give_data(DATA, 34 | 24 << 16, END | CHECKSUM);
    pci_fixture_ram(&fixture->pci, TRANSMIT_RING + (given - 1) % RING_ENTRIES * 16)[13] = 14;
    send();
    uint32_t sum = 0;
    for (unsigned i = 14; i < 34; i += 2)
        sum += load_be16(last_sent(0)->data + i);
    ck_assert_uint_eq((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
}
END_TEST

static void check_segments(bool is_tcp, unsigned payload, unsigned segment) {
    uint8_t *frame = pci_fixture_ram(&fixture->pci, DATA);
    size_t headers = card_make_ip4_frame(frame, 54 + payload, other, is_tcp);
    unsigned first = fixture->sent_count, count = (payload + segment - 1) / segment;
    uint32_t pseudo = 0x0A00 + 0x020F + 0x0A00 + 0x0202 + frame[23];
    store_be16(frame + (is_tcp ? 50 : 40), (uint16_t)pseudo);
    give_context(SEGMENT | 2 | is_tcp, headers, payload, segment);
    give_extended(DATA, (uint32_t)headers, SEGMENT, 3);
    give_extended(DATA + (uint32_t)headers, payload, SEGMENT | END | REPORT, 0);
    send();
    ck_assert_uint_eq(fixture->sent_count - first, count);
    for (unsigned i = 0; i < count; i++) {
        const CardFrame *sent = &fixture->sent[(first + i) % CARD_FRAMES];
        unsigned part = i == count - 1 ? payload - i * segment : segment;
        ck_assert_uint_eq(sent->size, headers + part);
        ck_assert_uint_eq(load_be16(sent->data + 16), sent->size - 14);
        ck_assert_uint_eq(load_be16(sent->data + 18), 0x1234 + i);
        ck_assert_mem_eq(sent->data + headers, frame + headers + i * segment, part);
        ck_assert(card_checksums_are_good(sent->data, sent->size));
        if (is_tcp) {
            ck_assert_uint_eq(load_be32(sent->data + 38), 0xFFFFFF00 + i * segment);
            ck_assert_uint_eq(sent->data[47], i == count - 1 ? 0x99 : 0x90);
        } else {
            ck_assert_uint_eq(load_be16(sent->data + 38), sent->size - 34);
        }
    }
    ck_assert_uint_eq(get(TSCTC), 1);
}

START_TEST(segments_are_cut) {
    check_segments(true, 5000, 1460);
    check_segments(true, 2920, 1460);
    check_segments(false, 4051, 1000);
    check_segments(true, 9, 1460);
}
END_TEST

START_TEST(tags_are_inserted) {
    card_make_frame(pci_fixture_ram(&fixture->pci, DATA), 100, other, 0x0800);
    give_data(DATA, 100, END | VLAN);
    store_le16(pci_fixture_ram(&fixture->pci, TRANSMIT_RING + 14), 0x2123);
    send();
    ck_assert_uint_eq(last_sent(0)->size, 100);
    put(CTRL, get(CTRL) | 1 << 30);
    give_data(DATA, 100, END | VLAN);
    store_le16(pci_fixture_ram(&fixture->pci, TRANSMIT_RING + 16 + 14), 0x2123);
    send();
    const CardFrame *sent = last_sent(0);
    ck_assert_uint_eq(sent->size, 104);
    ck_assert_uint_eq(load_be32(sent->data + 12), 0x81002123);
    ck_assert_mem_eq(sent->data, pci_fixture_ram(&fixture->pci, DATA), 12);
    ck_assert_mem_eq(sent->data + 16, pci_fixture_ram(&fixture->pci, DATA + 12), 88);
}
END_TEST

/* --- receiving ---------------------------------------------------------------------------------
 */

static void deliver_to(const uint8_t *to, size_t size, uint16_t type) {
    uint8_t frame[NETWORK_FRAME_MAX];
    card_make_frame(frame, size, to, type);
    ck_assert(network_link_deliver(fixture->link, frame, size));
    run_all();
}

static bool arrives(const uint8_t *to) {
    uint32_t before = get(RDH);
    put(RDT, (before + RING_ENTRIES - 1) % RING_ENTRIES);
    deliver_to(to, 100, 0x1234);
    return get(RDH) != before;
}

/* The check value of CRC-32. */
START_TEST(frame_checksum_is_the_known_one) {
    ck_assert_uint_eq(network_frame_checksum((const uint8_t *)"123456789", 9), 0xCBF43926);
}
END_TEST

START_TEST(frames_are_received) {
    uint8_t frame[200];
    card_make_frame(frame, sizeof(frame), card_address, 0x1234);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    run_all();
    const uint8_t *descriptor = pci_fixture_ram(&fixture->pci, RECEIVE_RING);
    ck_assert_uint_eq(get(RDH), 1);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS), frame, sizeof(frame));
    ck_assert_uint_eq(load_le16(descriptor + 8), 204);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, BUFFERS + 200)),
                      network_frame_checksum(frame, sizeof(frame)));
    ck_assert_uint_eq(descriptor[12], 1 | 2 | 4);
    ck_assert_uint_eq(descriptor[13], 0);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    ck_assert_uint_eq(get(ICR), RXT0);
    ck_assert_uint_eq(get(GPRC), 1);
    put(RCTL, get(RCTL) | STRIP_CRC);
    deliver_to(card_address, 200, 0x1234);
    ck_assert_uint_eq(load_le16(descriptor + 16 + 8), 200);
}
END_TEST

START_TEST(filters_let_through) {
    ck_assert(arrives(card_address));
    ck_assert(arrives(everybody));
    ck_assert(!arrives(other));
    ck_assert(!arrives(group));
    put(RCTL, RECEIVE);
    ck_assert(!arrives(everybody));
    put(RCTL, RECEIVE | PROMISCUOUS);
    ck_assert(arrives(other));
    ck_assert(!arrives(group));
    put(RCTL, RECEIVE | MULTICAST);
    ck_assert(arrives(group));
    ck_assert(arrives(everybody));
    put(RCTL, RECEIVE);
    /* Bits 47 to 36 of the address choose: 030h of 02-03. */
    put(MTA + 4 * (0x030 >> 5), 1u << (0x030 & 31));
    ck_assert(arrives(group));
    put(RCTL, RECEIVE | 3 << 12); /* now bits 43 to 32: 302h */
    ck_assert(!arrives(group));
    put(MTA + 4 * (0x302 >> 5), 1u << (0x302 & 31));
    ck_assert(arrives(group));
    put(RA + 8, load_le32(other));
    put(RA + 12, load_le16(other + 4) | 1u << 31);
    ck_assert(arrives(other));
    put(RCTL, 0);
    ck_assert(!arrives(card_address));
}
END_TEST

START_TEST(tags_are_stripped_and_filtered) {
    uint8_t frame[100];
    const uint8_t *descriptor = pci_fixture_ram(&fixture->pci, RECEIVE_RING);
    card_make_frame(frame, sizeof(frame), card_address, 0x8100);
    store_be16(frame + 14, 0x2123);
    put(CTRL, get(CTRL) | 1 << 30);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(load_le16(descriptor + 8), 100);
    ck_assert_uint_eq(descriptor[12] & 8, 8);
    ck_assert_uint_eq(load_le16(descriptor + 14), 0x2123);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS), frame, 12);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + 12), frame + 16, 84);
    put(RCTL, get(RCTL) | VLAN_FILTER);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(get(RDH), 1);
    put(VFTA + 4 * (0x123 >> 5), 1u << (0x123 & 31));
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(get(RDH), 2);
}
END_TEST

START_TEST(checksums_are_checked) {
    uint8_t frame[301];
    const uint8_t *descriptor = pci_fixture_ram(&fixture->pci, RECEIVE_RING);
    put(RXCSUM, 0x30E);
    for (unsigned is_tcp = 0; is_tcp < 2; is_tcp++) {
        card_make_ip4_frame(frame, sizeof(frame), card_address, is_tcp);
        card_put_checksums(frame, sizeof(frame));
        ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
        frame[300] ^= 1;
        ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
        frame[300] ^= 1;
        frame[22] ^= 1; /* time to live */
        ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
        run_all();
        put(RDT, (get(RDT) + 3) % RING_ENTRIES);
    }
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_uint_eq(descriptor[16 * i + 12], 0x63);
        ck_assert_uint_eq(descriptor[16 * i + 13], i % 3 == 0 ? 0 : i % 3 == 1 ? 0x20 : 0x40);
    }
    ck_assert_uint_eq(load_le16(descriptor + 10) != 0, 1);
}
END_TEST

START_TEST(long_frames_take_several_buffers) {
    uint8_t frame[9000];
    card_make_frame(frame, sizeof(frame), card_address, 0x1234);
    deliver_to(card_address, 1600, 0x1234);
    ck_assert_uint_eq(get(RDH), 0);
    ck_assert_uint_eq(get(ROC), 1);
    put(RCTL, RECEIVE | LONG);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(get(RDH), 5);
    for (unsigned i = 0; i < 5; i++) {
        const uint8_t *descriptor = pci_fixture_ram(&fixture->pci, RECEIVE_RING + 16 * i);
        ck_assert_uint_eq(load_le16(descriptor + 8), i < 4 ? 2048 : 9004 - 4 * 2048);
        ck_assert_uint_eq(descriptor[12] & 3, i < 4 ? 1 : 3);
        if (i < 4)
            ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + i * BUFFER_BYTES),
                             frame + i * 2048, 2048);
    }
    put(RDT, 4);
    put(RCTL, RECEIVE | LONG | 1 << 25 | 1 << 16); /* buffers of 16 KB */
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(get(RDH), 6);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + 5 * BUFFER_BYTES), frame,
                     sizeof(frame));
}
END_TEST

START_TEST(frames_wait_for_descriptors) {
    for (unsigned i = 0; i < 10; i++)
        deliver_to(card_address, 100 + i, 0x1234);
    ck_assert_uint_eq(get(RDH), RING_ENTRIES - 1);
    ck_assert_uint_eq(get(ICR), RXT0 | RXDMT0);
    put(RDT, 1);
    run_all();
    ck_assert_uint_eq(get(RDH), 1);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, RECEIVE_RING + 8)), 100 + 8 + 4);
    put(RDT, 4);
    run_all();
    ck_assert_uint_eq(get(RDH), 2);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, RECEIVE_RING + 16 + 8)),
                      100 + 9 + 4);
}
END_TEST

/* --- interrupts --------------------------------------------------------------------------------
 */

START_TEST(interrupts_are_delayed) {
    int64_t start = fixture->pci.board->clock.stopped_ns;
    put(RDTR, 100);
    put(RADV, 150);
    uint8_t frame[100];
    card_make_frame(frame, sizeof(frame), card_address, 0x1234);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS + 90 * 1024);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    ck_assert_int_eq(fixture->pci.board->clock.stopped_ns, start + NETWORK_LATENCY_NS + 150 * 1024);
    ck_assert_uint_eq(get(ICR), RXT0);
    put(TIDV, 100);
    give_data(DATA, 100, END | REPORT | DELAY);
    put(TDT, 1);
    start = fixture->pci.board->clock.stopped_ns;
    pci_fixture_run(&fixture->pci, 50 * 1024);
    ck_assert_uint_eq(pci_fixture_ram(&fixture->pci, TRANSMIT_RING)[12], 1);
    ck_assert_uint_eq(get(ICR) & TXDW, 0);
    run_all();
    ck_assert_uint_eq(get(ICR) & TXDW, TXDW);
}
END_TEST

START_TEST(interrupts_are_throttled) {
    put(ITR, 1000); /* 256 us */
    put(ICS, RXT0);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    get(ICR);
    put(ICS, RXT0);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    pci_fixture_run(&fixture->pci, 255 * 1000);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    pci_fixture_run(&fixture->pci, 2 * 1000);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    put(IMC, RXT0);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    ck_assert_uint_eq(get(ICR), RXT0);
}
END_TEST

START_TEST(frames_come_back_within_the_chip) {
    phy_write(0, 0x4140);
    card_make_frame(pci_fixture_ram(&fixture->pci, DATA), 500, card_address, 0x1234);
    give_data(DATA, 500, END | REPORT);
    send();
    ck_assert_uint_eq(fixture->sent_count, 0);
    ck_assert_uint_eq(get(RDH), 1);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS), pci_fixture_ram(&fixture->pci, DATA),
                     500);
}
END_TEST

/* --- what drivers should not do ----------------------------------------------------------------
 */

static void send_bounded(void) {
    unsigned events = 0;
    put(TDT, given % RING_ENTRIES);
    while (pci_fixture_next_event(&fixture->pci))
        ck_assert_uint_lt(++events, 1000);
}

START_TEST(hostile_rings_are_bounded) {
    for (unsigned i = 0; i < RING_ENTRIES - 1; i++) /* no end */
        give_data(DATA, 100, 0);
    send_bounded();
    ck_assert_uint_eq(get(TDH), get(TDT));
    give_data(UINT32_MAX - 10, 1000, END | REPORT); /* beyond what there is */
    send_bounded();
    give_data(DATA, 65535, END); /* longer than any frame */
    send_bounded();
    give_context(SEGMENT | 3, 54, 0xFFFFF, 0);
    give_extended(DATA, 0xFFFFF, SEGMENT | END, 3);
    send_bounded();
    give_context(SEGMENT | 3, 255, 0xFFFFF, 1);
    give_extended(0, 0xFFFFF, SEGMENT | END, 3);
    send_bounded();
    ck_assert_uint_le(fixture->sent_count, 1024 + 1);
    give_context(3, 0, 0, 0);
    memset(pci_fixture_ram(&fixture->pci, TRANSMIT_RING + (given - 1) % RING_ENTRIES * 16), 0xFF,
           8);
    give_extended(DATA, 60, END, 3); /* offsets outside of the frame */
    send_bounded();
    given = 0;
    put(TDH, 0xFFFF);
    put(TDT, 1);
    send_bounded();
    put(TDH, 0);
    put(TDBAH, 1);
    put(TDT, 2);
    send_bounded();
    put(TDLEN, 0);
    put(TDT, 5);
    send_bounded();
    put(RDBAH, 1);
    deliver_to(card_address, 100, 0);
    put(RDBAH, 0);
    put(RDLEN, 0);
    deliver_to(card_address, 100, 0);
    put(RDLEN, 128);
    put(RDH, 0xFFFF);
    deliver_to(card_address, 100, 0);
}
END_TEST

START_TEST(dma_does_not_reach_its_own_registers) {
    store_le64(pci_fixture_ram(&fixture->pci, RECEIVE_RING), PCI_FIXTURE_MEMORY);
    deliver_to(card_address, 1500, 0);
    ck_assert_uint_eq(get(RCTL), RECEIVE | BROADCAST);
    put(TDBAL, PCI_FIXTURE_MEMORY + TDBAL);
    put(TDT, 3);
    run_all();
    ck_assert_uint_eq(get(TDLEN), RING_ENTRIES * 16);
}
END_TEST

/* With a frame on its way in each direction, and one interrupt that is delayed. */
static void change(ChipFixture *board) {
    (void)board;
    fixture->pci.irq.level = 0;
    fixture->sent_count = 0;
    memset(pci_fixture_ram(&fixture->pci, BUFFERS), 0, 4096);
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(last_sent(0)->size, 999);
    ck_assert_uint_eq(get(RDH), 1);
    ck_assert_uint_eq(get(ICR) & RXT0, RXT0);
    pci_fixture_ram(&fixture->pci, RECEIVE_RING)[12] = 0;
}

START_TEST(saved_in_mid_transfer) {
    uint8_t frame[777];
    put(RDTR, 1000);
    card_make_frame(frame, sizeof(frame), card_address, 0x1234);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    card_make_frame(pci_fixture_ram(&fixture->pci, DATA), 999, other, 0x1234);
    give_data(DATA, 999, END | REPORT);
    put(TDT, 1);
    check_devices_save_and_restore(fixture->pci.board, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, eeprom_is_read);
    tcase_add_test(tests, eeprom_is_written);
    tcase_add_test(tests, phy_negotiates);
    tcase_add_test(tests, cable_is_taken_out);
    tcase_add_test(tests, registers_hold_their_bits);
    tcase_add_test(tests, frames_are_sent);
    tcase_add_test(tests, checksums_are_filled_in);
    tcase_add_test(tests, segments_are_cut);
    tcase_add_test(tests, tags_are_inserted);
    tcase_add_test(tests, frame_checksum_is_the_known_one);
    tcase_add_test(tests, frames_are_received);
    tcase_add_test(tests, filters_let_through);
    tcase_add_test(tests, tags_are_stripped_and_filtered);
    tcase_add_test(tests, checksums_are_checked);
    tcase_add_test(tests, long_frames_take_several_buffers);
    tcase_add_test(tests, frames_wait_for_descriptors);
    tcase_add_test(tests, interrupts_are_delayed);
    tcase_add_test(tests, interrupts_are_throttled);
    tcase_add_test(tests, frames_come_back_within_the_chip);
    tcase_add_test(tests, hostile_rings_are_bounded);
    tcase_add_test(tests, dma_does_not_reach_its_own_registers);
    tcase_add_test(tests, saved_in_mid_transfer);
}

int main(void) {
    return run_suite("e1000", add);
}

/* The RTL8139C+ in both of its ways: buffers and a ring of bytes, and rings of descriptors. */
#include "big_endian.h"
#include "little_endian.h"
#include "network_card_fixture.h"
#include "rtl8139.h"
#include <string.h>

enum { BAR = 1, TSD = 0x10, TSAD = 0x20, RBSTART = 0x30, CR = 0x37, CAPR = 0x38, CBR = 0x3A };
enum { IMR = 0x3C, ISR = 0x3E, TCR = 0x40, RCR = 0x44, EEPROM = 0x50, POLL = 0xD9, CPLUS = 0xE0 };
enum { BUFFER = 0x40000, SENDS = 0x30000, RECEIVES = 0x31000, DATA = 0x60000 };

static CardFixture *fixture;

static void put(uint32_t offset, unsigned size, uint32_t value) {
    pci_fixture_write(&fixture->pci, BAR, offset, size, value);
}

static uint32_t get(uint32_t offset, unsigned size) {
    return pci_fixture_read(&fixture->pci, BAR, offset, size);
}

static void start_buffers(void) {
    put(CR, 1, 0x10);
    put(RBSTART, 4, BUFFER);
    put(IMR, 2, 0xFFFF);
    put(CR, 1, 0x0C);
    put(RCR, 4, 0x0A);
}

static void start_descriptors(uint32_t command) {
    put(CR, 1, 0x10);
    put(CPLUS, 2, 3 | command);
    put(0xE4, 4, RECEIVES);
    put(TSAD, 4, SENDS);
    for (unsigned i = 0; i < 4; i++) {
        store_le32(pci_fixture_ram(&fixture->pci, RECEIVES + 16 * i),
                   0x80000000 | 2048 | (i == 3 ? 0x40000000 : 0));
        store_le64(pci_fixture_ram(&fixture->pci, RECEIVES + 16 * i + 8), DATA + i * 2048);
        store_le32(pci_fixture_ram(&fixture->pci, SENDS + 16 * i), i == 3 ? 0x40000000 : 0);
    }
    put(IMR, 2, 0xFFFF);
    put(CR, 1, 0x0C);
    put(RCR, 4, 0x0A);
}

static void set_up(void) {
    fixture = card_fixture_create(&rtl8139_model);
    start_buffers();
}

static void tear_down(void) {
    card_fixture_destroy(fixture);
}

static void deliver(size_t size) {
    uint8_t frame[1514];
    card_make_frame(frame, size, card_address, 0x0800);
    ck_assert(network_link_deliver(fixture->link, frame, size));
    pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS);
}

/* As drivers do: a start bit, 'read' and six bits of address. */
static uint16_t read_eeprom(unsigned word) {
    unsigned command = 6u << 6 | word;
    uint16_t value = 0;
    put(EEPROM, 1, 0x80);
    put(EEPROM, 1, 0x88);
    for (int i = 8; i >= 0; i--) {
        unsigned bit = command >> i & 1 ? 2 : 0;
        put(EEPROM, 1, 0x88 | bit);
        put(EEPROM, 1, 0x8C | bit);
    }
    for (int i = 0; i < 16; i++) {
        put(EEPROM, 1, 0x88);
        put(EEPROM, 1, 0x8C);
        value = (uint16_t)(value << 1 | (get(EEPROM, 1) & 1));
    }
    put(EEPROM, 1, 0x80);
    return value;
}

START_TEST(eeprom_and_registers_hold_the_address) {
    ck_assert_uint_eq(read_eeprom(0), 0x8129);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(read_eeprom(7 + i), load_le16(card_address + 2 * i));
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(get(i, 1), card_address[i]);
    ck_assert_uint_eq(get(TCR, 4) & 0x7CC00000, 0x74800000);
}
END_TEST

START_TEST(buffers_are_sent_in_turn) {
    for (unsigned i = 0; i < 6; i++) {
        card_make_frame(pci_fixture_ram(&fixture->pci, DATA), 100 + i, card_address, 0x0800);
        put(TSAD + i % 4 * 4, 4, DATA);
        put(TSD + i % 4 * 4, 4, 100 + i);
        ck_assert_uint_eq(get(TSD + i % 4 * 4, 4) & 0x2000, 0);
        while (pci_fixture_next_event(&fixture->pci))
            ;
        ck_assert_uint_eq(get(TSD + i % 4 * 4, 4), 0xA000 | (100 + i));
        ck_assert_uint_eq(fixture->sent[i].size, 100 + i);
        ck_assert_mem_eq(fixture->sent[i].data, pci_fixture_ram(&fixture->pci, DATA), 100 + i);
    }
    ck_assert_uint_eq(get(ISR, 2), 4);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    put(ISR, 2, 4);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
}
END_TEST

/* More than the ring of 8 KB holds at once, so that frames wait and the ring goes round. */
START_TEST(the_ring_is_filled_and_emptied) {
    uint8_t frame[1514];
    uint32_t at = 0;
    card_make_frame(frame, sizeof(frame), card_address, 0x0800);
    for (unsigned i = 0; i < 20; i++)
        deliver(sizeof(frame));
    for (unsigned i = 0; i < 20; i++) {
        uint8_t stored[1522];
        ck_assert_uint_eq(get(CR, 1) & 1, 0);
        for (unsigned j = 0; j < sizeof(stored); j++)
            stored[j] = *pci_fixture_ram(&fixture->pci, BUFFER + (at + j) % 8192);
        ck_assert_uint_eq(load_le16(stored), 0x4001);
        ck_assert_uint_eq(load_le16(stored + 2), 1518);
        ck_assert_mem_eq(stored + 4, frame, sizeof(frame));
        ck_assert_uint_eq(load_le32(stored + 1518), network_frame_checksum(frame, sizeof(frame)));
        at = (at + 1522 + 3) / 4 * 4 % 8192;
        put(CAPR, 2, (at - 16) & 0xFFFF);
        pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS);
    }
    ck_assert_uint_eq(get(CR, 1) & 1, 1);
    ck_assert_uint_eq(get(CBR, 2), at);
}
END_TEST

START_TEST(descriptors_receive) {
    start_descriptors(0);
    for (unsigned i = 0; i < 6; i++)
        deliver(300);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, RECEIVES + 16 * i)),
                          0x34000000 | 304 | (i == 3 ? 0x40000000 : 0));
    store_le32(pci_fixture_ram(&fixture->pci, RECEIVES), 0x80000000 | 2048);
    put(ISR, 2, 0xFFFF);
    pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, RECEIVES)), 0x34000000 | 304);
    ck_assert_uint_eq(get(ISR, 2) & 1, 1);
}
END_TEST

static void give(unsigned number, uint32_t flags, size_t size, uint32_t tag) {
    uint8_t *entry = pci_fixture_ram(&fixture->pci, SENDS + 16 * number);
    store_le32(entry, flags | (uint32_t)size | 0xB0000000 | (number == 3 ? 0x40000000 : 0));
    store_le32(entry + 4, tag);
    store_le64(entry + 8, DATA);
    put(POLL, 1, 0x40);
    while (pci_fixture_next_event(&fixture->pci))
        ;
}

START_TEST(checksums_segments_and_tags) {
    start_descriptors(0);
    size_t head =
        card_make_ip4_frame(pci_fixture_ram(&fixture->pci, DATA), 400, card_address, true);
    give(0, 0x00050000, 400, 0);
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert(card_checksums_are_good(fixture->sent[0].data, 400));
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, SENDS)) & 0x80000000, 0);
    card_make_ip4_frame(pci_fixture_ram(&fixture->pci, DATA), 200, card_address, false);
    give(1, 0x00060000, 200, 0x00020500);
    ck_assert_uint_eq(fixture->sent[1].size, 204);
    ck_assert_mem_eq(fixture->sent[1].data + 12, "\x81\x00\x00\x05", 4);
    card_make_ip4_frame(pci_fixture_ram(&fixture->pci, DATA), head + 2500, card_address, true);
    give(2, 0x08000000 | 1000 << 16, head + 2500, 0);
    ck_assert_uint_eq(fixture->sent_count, 5);
    for (unsigned i = 0; i < 3; i++) {
        const CardFrame *part = &fixture->sent[2 + i];
        ck_assert_uint_eq(part->size, head + (i < 2 ? 1000 : 500));
        ck_assert(card_checksums_are_good(part->data, part->size));
        ck_assert_uint_eq(load_be32(part->data + 38), 0xFFFFFF00 + i * 1000);
    }
}
END_TEST

/* The driver's wishes lie where errors and collisions are told afterwards. */
START_TEST(descriptors_come_back_without_errors) {
    static const uint32_t wishes[] = {0x00070000, 0x08000000 | 0x7FF << 16, 0x08000000 | 1 << 23};
    start_descriptors(0);
    for (unsigned i = 0; i < 3; i++) {
        card_make_ip4_frame(pci_fixture_ram(&fixture->pci, DATA), 400, card_address, true);
        give(i, wishes[i], 400, 0);
        ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, SENDS + 16 * i)),
                          0x30000000 | 400);
    }
}
END_TEST

/* One interrupt tells of all that a driver hands over while the cable is busy. */
START_TEST(frames_in_a_row_share_an_interrupt) {
    start_descriptors(0);
    card_make_frame(pci_fixture_ram(&fixture->pci, DATA), 100, card_address, 0x0800);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *entry = pci_fixture_ram(&fixture->pci, SENDS + 16 * i);
        store_le64(entry + 8, DATA);
        store_le32(entry, 0xB0000000 | 100);
        put(POLL, 1, 0x40);
        pci_fixture_run(&fixture->pci, 5000);
        ck_assert_uint_eq(get(ISR, 2), 0);
    }
    pci_fixture_run(&fixture->pci, 10000);
    ck_assert_uint_eq(get(ISR, 2), 0x84);
    ck_assert_uint_eq(fixture->sent_count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, SENDS + 16 * i)),
                          0x30000000 | 100);
}
END_TEST

static void work(ChipFixture *unused) {
    (void)unused;
    put(TSAD, 4, DATA);
    put(TSD, 4, 100);
    deliver(200);
    put(EEPROM, 1, 0x88);
    put(EEPROM, 1, 0x8E);
}

START_TEST(saved_in_mid_transfer) {
    Snapshot snapshot;
    check_devices_save_and_restore(fixture->pci.board, work);
    start_buffers();
    fixture->sent_count = 0;
    put(TSAD, 4, DATA);
    put(TSD, 4, 100);
    snapshot_take(fixture->pci.board, &snapshot);
    put(CR, 1, 0x10);
    snapshot_restore(fixture->pci.board, &snapshot);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(get(TSD, 4), 0xA000 | 100);
    snapshot_free(&snapshot);
}
END_TEST

/* A ring without an end, buffers where nothing is. */
START_TEST(hostile_descriptors_are_bounded) {
    start_descriptors(0);
    for (unsigned i = 0; i < 512; i++) {
        store_le32(pci_fixture_ram(&fixture->pci, SENDS + 16 * i), 0x9000FFFF);
        store_le64(pci_fixture_ram(&fixture->pci, SENDS + 16 * i + 8), UINT64_MAX - i);
    }
    put(TSAD, 4, SENDS);
    give(0, 0, 60, 0);
    put(TSAD + 4, 4, 0xFFFFFFFF);
    put(POLL, 1, 0x40);
    pci_fixture_run(&fixture->pci, 1000000);
    put(0xE8, 4, 0xFFFFFFFF);
    ck_assert(network_link_deliver(fixture->link, pci_fixture_ram(&fixture->pci, DATA), 100));
    pci_fixture_run(&fixture->pci, 1000000);
}
END_TEST

START_TEST(any_accesses) {
    check_survives_random_accesses(fixture->pci.board, PCI_FIXTURE_PORTS, 256, 20000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, eeprom_and_registers_hold_the_address);
    tcase_add_test(tests, buffers_are_sent_in_turn);
    tcase_add_test(tests, the_ring_is_filled_and_emptied);
    tcase_add_test(tests, descriptors_receive);
    tcase_add_test(tests, checksums_segments_and_tags);
    tcase_add_test(tests, descriptors_come_back_without_errors);
    tcase_add_test(tests, frames_in_a_row_share_an_interrupt);
    tcase_add_test(tests, saved_in_mid_transfer);
    tcase_add_test(tests, hostile_descriptors_are_bounded);
    tcase_add_test(tests, any_accesses);
}

int main(void) {
    return run_suite("rtl8139", add);
}

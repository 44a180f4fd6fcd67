/* The PCnet as its drivers see it, with descriptors of all sizes and orders. */
#include "little_endian.h"
#include "network_card_fixture.h"
#include "pcnet.h"
#include <string.h>

enum { RDP = 0x10, RAP = 0x12, RESET = 0x14, BDP = 0x16 };
enum { BLOCK = 0x20000, RECEIVES = 0x21000, SENDS = 0x22000, DATA = 0x40000, RING = 4 };

static CardFixture *fixture;
static unsigned style;

static uint16_t get(unsigned port) {
    return (uint16_t)port_map_read(fixture->pci.board->context.ports,
                                   (uint16_t)(PCI_FIXTURE_PORTS + port), 2);
}

static void put(unsigned port, uint16_t value) {
    port_map_write(fixture->pci.board->context.ports, (uint16_t)(PCI_FIXTURE_PORTS + port), 2,
                   value);
}

static uint16_t csr(unsigned number) {
    put(RAP, (uint16_t)number);
    return get(RDP);
}

static void set_csr(unsigned number, uint16_t value) {
    put(RAP, (uint16_t)number);
    put(RDP, value);
}

static unsigned step(void) {
    return style == 0 ? 8 : 16;
}

static uint8_t *status_byte(uint32_t ring, unsigned number) {
    return pci_fixture_ram(&fixture->pci, ring + number * step() + (style == 0 ? 3 : 7));
}

static void describe(uint32_t ring, unsigned number, uint32_t buffer, unsigned size,
                     uint8_t status) {
    uint8_t *entry = pci_fixture_ram(&fixture->pci, ring + number * step());
    memset(entry, 0, step());
    store_le32(entry + (style == 3 ? 8 : 0), buffer);
    store_le16(entry + 4, (uint16_t) - (int)size);
    *status_byte(ring, number) = status;
}

static void start(unsigned with_style) {
    uint8_t *block = pci_fixture_ram(&fixture->pci, BLOCK);
    style = with_style;
    get(RESET);
    put(RAP, 20);
    put(BDP, (uint16_t)style);
    memset(block, 0, 28);
    memcpy(block + (style == 0 ? 2 : 4), card_address, 6);
    if (style == 0) {
        store_le32(block + 16, RECEIVES | 2u << 29);
        store_le32(block + 20, SENDS | 2u << 29);
    } else {
        block[2] = block[3] = 2 << 4;
        store_le32(block + 20, RECEIVES);
        store_le32(block + 24, SENDS);
    }
    for (unsigned i = 0; i < RING; i++) {
        describe(RECEIVES, i, DATA + i * 0x1000, 1536, 0x80);
        describe(SENDS, i, 0, 0, 0);
    }
    set_csr(1, BLOCK & 0xFFFF);
    set_csr(2, BLOCK >> 16);
    set_csr(0, 0x0001);
    ck_assert_uint_eq(csr(0) & 0x0101, 0x0101);
    set_csr(0, 0x0142);
    ck_assert_uint_eq(csr(0), 0x0073);
}

static void set_up(void) {
    fixture = card_fixture_create(&pcnet_model);
    start(2);
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

static void demand(void) {
    set_csr(0, 0x0048);
    pci_fixture_run(&fixture->pci, 10000);
}

START_TEST(identification) {
    uint16_t sum = 0;
    ck_assert_uint_eq(csr(88), 0x1003);
    ck_assert_uint_eq(csr(89), 0x0262);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t byte = port_in(fixture->pci.board, (uint16_t)(PCI_FIXTURE_PORTS + i));
        if (i < 6)
            ck_assert_uint_eq(byte, card_address[i]);
        if (i != 12 && i != 13)
            sum = (uint16_t)(sum + byte);
    }
    ck_assert_uint_eq(sum, get(12));
    put(RAP, 4);
    ck_assert_uint_eq(get(BDP) & 0x8000, 0x8000);
    network_link_set_up(fixture->link, false);
    ck_assert_uint_eq(get(BDP) & 0x8000, 0);
}
END_TEST

static const unsigned styles[] = {0, 1, 2, 3};

START_TEST(frames_go_both_ways) {
    uint8_t frame[700];
    start(styles[_i]);
    card_make_frame(frame, sizeof(frame), card_address, 0x0800);
    memcpy(pci_fixture_ram(&fixture->pci, DATA + 0x8000), frame, 300);
    memcpy(pci_fixture_ram(&fixture->pci, DATA + 0x9000), frame + 300, 400);
    for (unsigned round = 0; round < 3; round++) {
        unsigned first = round * 2 % RING;
        describe(SENDS, first + 1, DATA + 0x9000, 400, 0x81);
        describe(SENDS, first, DATA + 0x8000, 300, 0x82);
        demand();
        ck_assert_uint_eq(fixture->sent_count, round + 1);
        ck_assert_uint_eq(fixture->sent[round].size, sizeof(frame));
        ck_assert_mem_eq(fixture->sent[round].data, frame, sizeof(frame));
        ck_assert_uint_eq((*status_byte(SENDS, first) | *status_byte(SENDS, first + 1)) & 0x80, 0);
    }
    ck_assert_uint_eq(csr(0) & 0x0280, 0x0280);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    set_csr(0, 0x0240);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    deliver(500);
    card_make_frame(frame, 500, card_address, 0x0800);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, DATA), frame, 500);
    ck_assert_uint_eq(*status_byte(RECEIVES, 0) & 0x83, 0x03);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, RECEIVES + (style == 0   ? 6
                                                                           : style == 3 ? 0
                                                                                        : 8))),
                      504);
    ck_assert_uint_eq(csr(0) & 0x0400, 0x0400);
}
END_TEST

START_TEST(a_full_ring_makes_frames_wait) {
    for (unsigned i = 0; i < 6; i++)
        deliver(100);
    for (unsigned i = 0; i < RING; i++)
        ck_assert_uint_eq(*status_byte(RECEIVES, i) & 0x80, 0);
    describe(RECEIVES, 0, DATA, 1536, 0x80);
    describe(RECEIVES, 1, DATA, 1536, 0x80);
    set_csr(0, 0x0440);
    pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS);
    ck_assert_uint_eq((*status_byte(RECEIVES, 0) | *status_byte(RECEIVES, 1)) & 0x80, 0);
}
END_TEST

START_TEST(long_frames_take_several_buffers) {
    for (unsigned i = 0; i < RING; i++)
        describe(RECEIVES, i, DATA + i * 0x1000, 64, 0x80);
    deliver(150);
    ck_assert_uint_eq(*status_byte(RECEIVES, 0), 0x02);
    ck_assert_uint_eq(*status_byte(RECEIVES, 1), 0x00);
    ck_assert_uint_eq(*status_byte(RECEIVES, 2), 0x01);
}
END_TEST

/* A driver that never demands is served by the chip's own looks at the ring. */
START_TEST(the_ring_is_polled) {
    describe(SENDS, 0, DATA, 100, 0x83);
    pci_fixture_run(&fixture->pci, 4000000);
    ck_assert_uint_eq(fixture->sent_count, 1);
}
END_TEST

static void work(ChipFixture *unused) {
    (void)unused;
    describe(SENDS, 0, DATA, 100, 0x83);
    set_csr(0, 0x0048);
    deliver(100);
}

START_TEST(saved_in_mid_transfer) {
    Snapshot snapshot;
    check_devices_save_and_restore(fixture->pci.board, work);
    start(3);
    fixture->sent_count = 0;
    describe(SENDS, 0, DATA, 100, 0x83);
    set_csr(0, 0x0048);
    snapshot_take(fixture->pci.board, &snapshot);
    get(RESET);
    snapshot_restore(fixture->pci.board, &snapshot);
    pci_fixture_run(&fixture->pci, 10000);
    ck_assert_uint_eq(fixture->sent_count, 1);
    snapshot_free(&snapshot);
}
END_TEST

/* A frame without an end, as long as the ring can be, and nothing to receive into. */
START_TEST(hostile_rings_are_bounded) {
    set_csr(78, 0);
    set_csr(76, 0);
    for (unsigned i = 0; i < 4096; i++) {
        describe(SENDS, i, DATA, 4095, 0x82);
        describe(RECEIVES, i, UINT32_MAX - 3, 1, 0x80);
    }
    demand();
    for (unsigned i = 0; i < 10; i++)
        deliver(1514);
    set_csr(24, 0xFFFF);
    set_csr(25, 0xFFFF);
    set_csr(31, 0xFFFF);
    demand();
    deliver(1514);
}
END_TEST

START_TEST(any_accesses) {
    check_survives_random_accesses(fixture->pci.board, PCI_FIXTURE_PORTS, 32, 20000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, identification);
    tcase_add_loop_test(tests, frames_go_both_ways, 0, 4);
    tcase_add_test(tests, a_full_ring_makes_frames_wait);
    tcase_add_test(tests, long_frames_take_several_buffers);
    tcase_add_test(tests, the_ring_is_polled);
    tcase_add_test(tests, saved_in_mid_transfer);
    tcase_add_test(tests, hostile_rings_are_bounded);
    tcase_add_test(tests, any_accesses);
}

int main(void) {
    return run_suite("pcnet", add);
}

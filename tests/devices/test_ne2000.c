/* The NE2000 as packet drivers use it: programmed I/O, a ring of pages, and what may go wrong. */
#include "little_endian.h"
#include "ne2000.h"
#include "network_card_fixture.h"
#include <string.h>

enum { CR = 0, BNRY = 3, ISR = 7, CURR = 7, DATA = 0x10, RESET = 0x1F };
enum { FIRST_PAGE = 0x46, LAST_PAGE = 0x80, SEND_PAGE = 0x40 };

static CardFixture *fixture;
static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t other[6] = {0x52, 0x54, 0x00, 0x11, 0x22, 0x33};

static void put(unsigned port, uint8_t value) {
    port_out(fixture->pci.board, (uint16_t)(PCI_FIXTURE_PORTS + port), value);
}

static uint8_t get(unsigned port) {
    return port_in(fixture->pci.board, (uint16_t)(PCI_FIXTURE_PORTS + port));
}

static void start(void) {
    static const uint8_t registers[][2] = {
        {CR, 0x21},      {0x0E, 0x49},   {0x0A, 0},          {0x0B, 0},   {0x0C, 0x04}, {0x0D, 0},
        {1, FIRST_PAGE}, {2, LAST_PAGE}, {BNRY, FIRST_PAGE}, {ISR, 0xFF}, {0x0F, 0x7F},
    };
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        put(registers[i][0], registers[i][1]);
    put(CR, 0x61);
    for (unsigned i = 0; i < NETWORK_ADDRESS_BYTES; i++)
        put(1 + i, card_address[i]);
    put(CURR, FIRST_PAGE + 1);
    put(CR, 0x22);
}

static void set_up(void) {
    fixture = card_fixture_create(&ne2000_pci_model);
    start();
}

static void tear_down(void) {
    card_fixture_destroy(fixture);
}

static void start_dma(uint8_t command, unsigned address, unsigned bytes) {
    put(0x0A, (uint8_t)bytes);
    put(0x0B, (uint8_t)(bytes >> 8));
    put(8, (uint8_t)address);
    put(9, (uint8_t)(address >> 8));
    put(CR, command);
}

static void read_memory(unsigned address, uint8_t *bytes, unsigned size) {
    start_dma(0x0A, address, size);
    for (unsigned i = 0; i < size; i += 2)
        store_le16(bytes + i, (uint16_t)port_map_read(fixture->pci.board->context.ports,
                                                      PCI_FIXTURE_PORTS + DATA, 2));
}

static void write_memory(unsigned address, const uint8_t *bytes, unsigned size) {
    start_dma(0x12, address, size);
    for (unsigned i = 0; i < size; i += 2)
        port_map_write(fixture->pci.board->context.ports, PCI_FIXTURE_PORTS + DATA, 2,
                       load_le16(bytes + i));
}

static void send_frame(unsigned size) {
    uint8_t frame[1514];
    card_make_frame(frame, size, other, 0x0800);
    write_memory(SEND_PAGE << 8, frame, (size + 1) & ~1u);
    put(4, SEND_PAGE);
    put(5, (uint8_t)size);
    put(6, (uint8_t)(size >> 8));
    put(CR, 0x26);
}

static void deliver(unsigned size, const uint8_t *to) {
    uint8_t frame[1514];
    card_make_frame(frame, size, to, 0x0800);
    ck_assert(network_link_deliver(fixture->link, frame, size));
    pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS);
}

static uint8_t current_page(void) {
    put(CR, 0x62);
    uint8_t page = get(CURR);
    put(CR, 0x22);
    return page;
}

START_TEST(the_prom_holds_address_and_mark) {
    uint8_t prom[32];
    put(0x0E, 0x48); /* bytes: each stands twice */
    start_dma(0x0A, 0, 32);
    for (unsigned i = 0; i < 32; i++)
        prom[i] = get(DATA);
    for (unsigned i = 0; i < 6; i++)
        ck_assert(prom[2 * i] == card_address[i] && prom[2 * i + 1] == card_address[i]);
    ck_assert_uint_eq(prom[28], 0x57);
    ck_assert_uint_eq(get(ISR) & 0x40, 0x40);
}
END_TEST

/* In word mode a byte access moves a word: Linux reads the PROM so. */
START_TEST(byte_accesses_move_words_in_word_mode) {
    start_dma(0x0A, 0, 32);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(get(DATA), card_address[i]);
    ck_assert_uint_eq(get(0x0A), 'P');
}
END_TEST

START_TEST(frames_are_sent) {
    send_frame(600);
    ck_assert_uint_eq(get(CR) & 4, 4);
    ck_assert(pci_fixture_next_event(&fixture->pci));
    ck_assert_uint_eq(get(CR) & 4, 0);
    ck_assert_uint_eq(get(4), 1);
    ck_assert_uint_eq(get(ISR) & 2, 2);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    put(ISR, 0xFF);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    uint8_t frame[600];
    card_make_frame(frame, 600, other, 0x0800);
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(fixture->sent[0].size, 600);
    ck_assert_mem_eq(fixture->sent[0].data, frame, 600);
}
END_TEST

START_TEST(frames_are_received_through_the_filter) {
    uint8_t header[4], stored[200], frame[200], sum[4];
    deliver(200, other);
    ck_assert_uint_eq(current_page(), FIRST_PAGE + 1);
    deliver(200, card_address);
    ck_assert_uint_eq(get(ISR) & 1, 1);
    ck_assert_uint_eq(current_page(), FIRST_PAGE + 2);
    read_memory((FIRST_PAGE + 1) << 8, header, 4);
    ck_assert_uint_eq(header[0], 1);
    ck_assert_uint_eq(header[1], FIRST_PAGE + 2);
    ck_assert_uint_eq(load_le16(header + 2), 204);
    card_make_frame(frame, 200, card_address, 0x0800);
    read_memory(((FIRST_PAGE + 1) << 8) + 4, stored, 200);
    ck_assert_mem_eq(stored, frame, 200);
    read_memory(((FIRST_PAGE + 1) << 8) + 204, sum, 4);
    ck_assert_uint_eq(load_le32(sum), network_frame_checksum(frame, 200));
    deliver(60, everybody);
    read_memory((FIRST_PAGE + 2) << 8, header, 4);
    ck_assert_uint_eq(header[0], 0x21);
}
END_TEST

/* A driver writes CR without STA now and then: the chip runs on. */
START_TEST(a_started_chip_hears_until_it_is_stopped) {
    put(CR, 0x60);
    deliver(60, card_address);
    ck_assert_uint_eq(current_page(), FIRST_PAGE + 2);
    put(CR, 0x21);
    deliver(60, card_address);
    put(CR, 0x61);
    ck_assert_uint_eq(get(CURR), FIRST_PAGE + 2);
}
END_TEST

/* The frame that comes between a look at CURR and the acknowledgement is told of again. */
START_TEST(no_interrupt_is_lost_to_an_acknowledgement) {
    deliver(60, card_address);
    ck_assert_uint_eq(current_page(), FIRST_PAGE + 2);
    deliver(60, card_address);
    put(ISR, 1);
    ck_assert_uint_eq(get(ISR) & 1, 1);
    put(ISR, 1);
    ck_assert_uint_eq(get(ISR) & 1, 0);
}
END_TEST

/* The ring never fills up to where its pointers are equal; the rest waits for BNRY. */
START_TEST(a_full_ring_makes_frames_wait) {
    uint8_t header[4];
    unsigned page = FIRST_PAGE + 1, frames = 0;
    for (unsigned i = 0; i < 12; i++)
        deliver(1514, card_address);
    for (; page != current_page(); frames++) {
        read_memory(page << 8, header, 4);
        ck_assert_uint_eq(load_le16(header + 2), 1518);
        page = header[1];
    }
    ck_assert_uint_eq(frames, 9);
    put(BNRY, (uint8_t)(page - 1));
    pci_fixture_run(&fixture->pci, NETWORK_LATENCY_NS);
    for (; page != current_page(); frames++) {
        read_memory(page << 8, header, 4);
        ck_assert_uint_eq(load_le16(header + 2), 1518);
        page = header[1];
    }
    ck_assert_uint_eq(frames, 12);
}
END_TEST

static void work(ChipFixture *unused) {
    (void)unused;
    send_frame(300);
    deliver(100, card_address);
}

/* Saved while a frame is on its way out, the card sends it after a restore. */
START_TEST(saved_in_mid_transfer) {
    Snapshot snapshot;
    check_devices_save_and_restore(fixture->pci.board, work);
    start();
    fixture->sent_count = 0;
    send_frame(300);
    snapshot_take(fixture->pci.board, &snapshot);
    port_in(fixture->pci.board, PCI_FIXTURE_PORTS + RESET);
    snapshot_restore(fixture->pci.board, &snapshot);
    ck_assert(pci_fixture_next_event(&fixture->pci));
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(fixture->sent[0].size, 300);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(any_accesses) {
    check_survives_random_accesses(fixture->pci.board, PCI_FIXTURE_PORTS, 32, 20000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_prom_holds_address_and_mark);
    tcase_add_test(tests, byte_accesses_move_words_in_word_mode);
    tcase_add_test(tests, frames_are_sent);
    tcase_add_test(tests, frames_are_received_through_the_filter);
    tcase_add_test(tests, a_started_chip_hears_until_it_is_stopped);
    tcase_add_test(tests, no_interrupt_is_lost_to_an_acknowledgement);
    tcase_add_test(tests, a_full_ring_makes_frames_wait);
    tcase_add_test(tests, saved_in_mid_transfer);
    tcase_add_test(tests, any_accesses);
}

int main(void) {
    return run_suite("ne2000", add);
}

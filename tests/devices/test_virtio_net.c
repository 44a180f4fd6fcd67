/* A virtio network card, with honest and with hostile queues. */
#include "big_endian.h"
#include "little_endian.h"
#include "network_card_fixture.h"
#include "virtio_net.h"
#include "virtio_net_internal.h"
#include <string.h>

enum { MODERN = 4, QUEUE_SIZE = 16, QUEUES = 0x10000, QUEUE_STRIDE = 0x3000, DATA = 0x40000 };
enum { ANSWERS = 0x30000, BUFFERS = 0x60000, BUFFER_BYTES = 2048 };
enum { NEXT = 1, WRITABLE = 2 };
enum { ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000 };
enum { RUNNING = 0x0F, NEEDS_RESET = 0x40 };

static CardFixture *fixture;
static uint16_t given[3]; /* chains of each queue */
static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t group[6] = {0x01, 0x00, 0x5E, 0x01, 0x02, 0x03};
static const uint8_t other[6] = {0x52, 0x54, 0x00, 0x11, 0x22, 0x33};

#define BASIC (UINT64_C(1) << VIRTIO_NET_VERSION_1)
#define MERGE (UINT64_C(1) << VIRTIO_NET_MERGE_BUFFERS)
#define CONTROL                                                                                    \
    (UINT64_C(1) << VIRTIO_NET_CONTROL_QUEUE | UINT64_C(1) << VIRTIO_NET_CONTROL_RECEIVE |         \
     UINT64_C(1) << VIRTIO_NET_CONTROL_VLAN)

static uint32_t get(uint32_t offset, unsigned size) {
    return pci_fixture_read(&fixture->pci, MODERN, offset, size);
}

static void put(uint32_t offset, unsigned size, uint32_t value) {
    pci_fixture_write(&fixture->pci, MODERN, offset, size, value);
}

static uint32_t queue_base(unsigned queue) {
    return QUEUES + queue * QUEUE_STRIDE;
}

static void start(uint64_t features) {
    put(20, 1, 0);
    put(20, 1, 3);
    for (unsigned half = 0; half < 2; half++) {
        put(8, 4, half);
        put(12, 4, (uint32_t)(features >> 32 * half));
    }
    put(20, 1, 11);
    ck_assert_uint_eq(get(20, 1), 11);
    for (unsigned queue = 0; queue < 3; queue++) {
        put(22, 2, queue);
        put(24, 2, QUEUE_SIZE);
        put(32, 4, queue_base(queue));
        put(40, 4, queue_base(queue) + 0x1000);
        put(48, 4, queue_base(queue) + 0x2000);
        put(28, 2, 1);
        memset(pci_fixture_ram(&fixture->pci, queue_base(queue)), 0, QUEUE_STRIDE);
        given[queue] = 0;
    }
    put(20, 1, RUNNING);
}

static void set_up(void) {
    fixture = card_fixture_create(&virtio_net_model);
    start(BASIC);
}

static void tear_down(void) {
    card_fixture_destroy(fixture);
}

static void run_all(void) {
    while (pci_fixture_next_event(&fixture->pci))
        ;
}

static void describe(unsigned queue, unsigned index, uint32_t address, uint32_t size,
                     unsigned flags, unsigned next) {
    uint8_t *entry = pci_fixture_ram(&fixture->pci, queue_base(queue) + index * 16);
    store_le64(entry, address);
    store_le32(entry + 8, size);
    store_le16(entry + 12, (uint16_t)flags);
    store_le16(entry + 14, (uint16_t)next);
}

static void give(unsigned queue, unsigned head) {
    uint8_t *available = pci_fixture_ram(&fixture->pci, queue_base(queue) + 0x1000);
    store_le16(available + 4 + given[queue] % QUEUE_SIZE * 2, (uint16_t)head);
    store_le16(available + 2, ++given[queue]);
    put(NOTIFY + queue * 4, 2, queue);
}

static unsigned used_count(unsigned queue) {
    return load_le16(pci_fixture_ram(&fixture->pci, queue_base(queue) + 0x2000 + 2));
}

static uint32_t used_bytes(unsigned queue, unsigned number) {
    return load_le32(
        pci_fixture_ram(&fixture->pci, queue_base(queue) + 0x2000 + 4 + number * 8 + 4));
}

/* Buffers of so many bytes for frames that come. */
static void give_buffers(unsigned count, uint32_t bytes) {
    for (unsigned i = 0; i < count; i++) {
        describe(VIRTIO_NET_RECEIVE, i, BUFFERS + i * BUFFER_BYTES, bytes, WRITABLE, 0);
        give(VIRTIO_NET_RECEIVE, i);
    }
    run_all();
}

static void deliver_to(const uint8_t *to, size_t size, uint16_t type) {
    uint8_t frame[NETWORK_FRAME_MAX];
    card_make_frame(frame, size, to, type);
    ck_assert(network_link_deliver(fixture->link, frame, size));
    run_all();
}

START_TEST(device_tells_its_address) {
    for (unsigned i = 0; i < sizeof(card_address); i++)
        ck_assert_uint_eq(get(DEVICE + i, 1), card_address[i]);
    ck_assert_uint_eq(get(DEVICE + 6, 2), 1);
    network_link_set_up(fixture->link, false);
    ck_assert_uint_eq(get(DEVICE + 6, 2), 0);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
    ck_assert_uint_eq(get(ISR, 1), 2);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
}
END_TEST

START_TEST(frames_are_sent) {
    uint8_t *header = pci_fixture_ram(&fixture->pci, DATA);
    memset(header, 0, 12);
    card_make_frame(header + 12, 1000, other, 0x1234);
    describe(VIRTIO_NET_TRANSMIT, 0, DATA, 12, NEXT, 1);
    describe(VIRTIO_NET_TRANSMIT, 1, DATA + 12, 500, NEXT, 2);
    describe(VIRTIO_NET_TRANSMIT, 2, DATA + 512, 500, 0, 0);
    give(VIRTIO_NET_TRANSMIT, 0);
    ck_assert_uint_eq(fixture->sent_count, 0); /* it takes time */
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(fixture->sent[0].size, 1000);
    ck_assert_mem_eq(fixture->sent[0].data, header + 12, 1000);
    ck_assert_uint_eq(used_count(VIRTIO_NET_TRANSMIT), 1);
    ck_assert_uint_eq(get(ISR, 1), 1);
}
END_TEST

static void send_one(uint32_t bytes) {
    describe(VIRTIO_NET_TRANSMIT, 0, DATA, bytes, 0, 0);
    give(VIRTIO_NET_TRANSMIT, 0);
    run_all();
}

START_TEST(checksums_are_filled_in) {
    for (unsigned is_tcp = 0; is_tcp < 2; is_tcp++) {
        uint8_t *header = pci_fixture_ram(&fixture->pci, DATA), *frame = header + 12, copy[601];
        memset(header, 0, 12);
        header[0] = VIRTIO_NET_NEEDS_CHECKSUM;
        store_le16(header + 6, 34);
        store_le16(header + 8, is_tcp ? 16 : 6);
        card_make_ip4_frame(frame, sizeof(copy), other, is_tcp);
        memcpy(copy, frame, sizeof(copy));
        card_put_checksums(copy, sizeof(copy));
        memcpy(frame + 24, copy + 24, 2); /* that of IP is the driver's */
        uint32_t pseudo = 0x0A00 + 0x020F + 0x0A00 + 0x0202 + frame[23] + (sizeof(copy) - 34);
        store_be16(frame + (is_tcp ? 50 : 40), (uint16_t)pseudo);
        send_one(12 + sizeof(copy));
        ck_assert_mem_eq(fixture->sent[is_tcp].data, copy, sizeof(copy));
    }
}
END_TEST

START_TEST(segments_are_cut) {
    enum { PAYLOAD = 5000, SEGMENT = 1460, HEADERS = 54 };
    uint8_t *header = pci_fixture_ram(&fixture->pci, DATA), *frame = header + 12;
    memset(header, 0, 12);
    header[0] = VIRTIO_NET_NEEDS_CHECKSUM;
    header[1] = 1 | 0x80;
    store_le16(header + 4, SEGMENT);
    store_le16(header + 6, 34);
    store_le16(header + 8, 16);
    card_make_ip4_frame(frame, HEADERS + PAYLOAD, other, true);
    card_put_checksums(frame, HEADERS + PAYLOAD);
    send_one(12 + HEADERS + PAYLOAD);
    ck_assert_uint_eq(fixture->sent_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        const CardFrame *sent = &fixture->sent[i];
        unsigned part = i < 3 ? SEGMENT : PAYLOAD - 3 * SEGMENT;
        ck_assert_uint_eq(sent->size, HEADERS + part);
        ck_assert_mem_eq(sent->data + HEADERS, frame + HEADERS + i * SEGMENT, part);
        ck_assert_uint_eq(load_be16(sent->data + 18), 0x1234 + i);
        ck_assert_uint_eq(load_be32(sent->data + 38), 0xFFFFFF00 + i * SEGMENT);
        ck_assert_uint_eq(sent->data[47], (i == 0 ? 0x80 : 0) | 0x10 | (i == 3 ? 0x09 : 0));
        ck_assert(card_checksums_are_good(sent->data, sent->size));
    }
}
END_TEST

START_TEST(frames_are_received) {
    uint8_t frame[300];
    card_make_ip4_frame(frame, sizeof(frame), card_address, true);
    card_put_checksums(frame, sizeof(frame));
    start(BASIC | 1u << VIRTIO_NET_GUEST_CHECKSUM);
    give_buffers(4, BUFFER_BYTES);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 1);
    ck_assert_uint_eq(used_bytes(VIRTIO_NET_RECEIVE, 0), 12 + sizeof(frame));
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + 12), frame, sizeof(frame));
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, BUFFERS), VIRTIO_NET_CHECKSUM_IS_GOOD);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, BUFFERS + 10)), 1);
    ck_assert_uint_eq(get(ISR, 1), 1);
    frame[299] ^= 1;
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, BUFFERS + BUFFER_BYTES), 0);
}
END_TEST

START_TEST(frames_wait_for_buffers) {
    for (unsigned i = 0; i < 6; i++)
        deliver_to(everybody, 100 + i, 0x1234);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 0);
    give_buffers(4, BUFFER_BYTES);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 4);
    give_buffers(4, BUFFER_BYTES);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 6);
    ck_assert_uint_eq(used_bytes(VIRTIO_NET_RECEIVE, 5), 12 + 105);
}
END_TEST

START_TEST(frames_take_several_buffers) {
    uint8_t frame[1000];
    card_make_frame(frame, sizeof(frame), card_address, 0x1234);
    start(BASIC | MERGE);
    give_buffers(3, 400);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 3);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, BUFFERS + 10)), 3);
    ck_assert_uint_eq(used_bytes(VIRTIO_NET_RECEIVE, 2), 1012 - 800);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + 12), frame, 388);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + BUFFER_BYTES), frame + 388, 400);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, BUFFERS + 2 * BUFFER_BYTES), frame + 788, 212);
    give_buffers(2, 400); /* too few: it is lost, and they stay */
    deliver_to(card_address, 1000, 0x1234);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 3);
    deliver_to(card_address, 100, 0x1234);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 4);
    ck_assert_uint_eq(used_bytes(VIRTIO_NET_RECEIVE, 3), 112);
}
END_TEST

static unsigned command(unsigned kind, unsigned which, const void *data, uint32_t size) {
    uint8_t *bytes = pci_fixture_ram(&fixture->pci, DATA);
    bytes[0] = (uint8_t)kind;
    bytes[1] = (uint8_t)which;
    memcpy(bytes + 2, data, size);
    *pci_fixture_ram(&fixture->pci, ANSWERS) = 0x55;
    describe(VIRTIO_NET_CONTROL, 0, DATA, 2 + size, NEXT, 1);
    describe(VIRTIO_NET_CONTROL, 1, ANSWERS, 1, WRITABLE, 0);
    give(VIRTIO_NET_CONTROL, 0);
    run_all();
    return *pci_fixture_ram(&fixture->pci, ANSWERS);
}

static unsigned turn(unsigned which, uint8_t on) {
    return command(0, which, &on, 1);
}

static bool arrives(const uint8_t *to) {
    unsigned before = used_count(VIRTIO_NET_RECEIVE);
    give_buffers(1, BUFFER_BYTES);
    deliver_to(to, 100, 0x1234);
    if (used_count(VIRTIO_NET_RECEIVE) != before)
        return true;
    deliver_to(card_address, 100, 0x1234); /* to use the buffer */
    ck_assert_uint_ne(used_count(VIRTIO_NET_RECEIVE), before);
    return false;
}

START_TEST(filters_are_set) {
    start(BASIC | CONTROL);
    ck_assert(arrives(other));
    ck_assert_uint_eq(turn(0, 0), 0);
    ck_assert(!arrives(other));
    ck_assert(!arrives(group));
    ck_assert(arrives(everybody));
    ck_assert_uint_eq(turn(5, 1), 0);
    ck_assert(!arrives(everybody));
    ck_assert_uint_eq(turn(1, 1), 0);
    ck_assert(arrives(group));
    ck_assert_uint_eq(turn(1, 0), 0);
    ck_assert_uint_eq(turn(2, 1), 0);
    ck_assert(arrives(other));
    ck_assert_uint_eq(turn(2, 0), 0);
    uint8_t table[4 + 6 + 4 + 6] = {1};
    memcpy(table + 4, other, 6);
    table[10] = 1;
    memcpy(table + 14, group, 6);
    ck_assert_uint_eq(command(1, 0, table, sizeof(table)), 0);
    ck_assert(arrives(other));
    ck_assert(arrives(group));
    ck_assert_uint_eq(turn(6, 1), 1);
    ck_assert_uint_eq(command(9, 9, table, 4), 1);
    table[0] = 0xFF;
    ck_assert_uint_eq(command(1, 0, table, sizeof(table)), 1);
    ck_assert(arrives(other));
    uint8_t large[4 + 40 * 6 + 4] = {40};
    ck_assert_uint_eq(command(1, 0, large, sizeof(large)), 0); /* more than it can hold */
    ck_assert(arrives(other));
    ck_assert(!arrives(group));
}
END_TEST

START_TEST(tags_are_filtered) {
    uint8_t frame[100];
    start(BASIC | CONTROL);
    turn(0, 0);
    card_make_frame(frame, sizeof(frame), card_address, 0x8100);
    store_be16(frame + 14, 0x2123);
    give_buffers(4, BUFFER_BYTES);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 0);
    ck_assert_uint_eq(command(2, 0, "\x23\x01", 2), 0);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 1);
    ck_assert_uint_eq(command(2, 1, "\x23\x01", 2), 0);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    run_all();
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 1);
}
END_TEST

static void expect_reset(void) {
    run_all();
    ck_assert_uint_eq(get(20, 1) & NEEDS_RESET, NEEDS_RESET);
    start(BASIC | CONTROL | MERGE);
}

START_TEST(hostile_queues_are_bounded) {
    uint8_t *header = pci_fixture_ram(&fixture->pci, DATA);
    send_one(11); /* less than a header */
    expect_reset();
    for (unsigned kind = 0; kind < 256; kind += 5) {
        for (unsigned i = 0; i < 12; i++)
            header[i] = (uint8_t)(i % 2 == 0 ? kind : 0);
        header[1] = (uint8_t)kind;
        send_one(kind * 300 + 12);
    }
    memset(header, 0, 12);
    header[1] = 1;
    store_le16(header + 4, 1); /* segments of one byte */
    store_le16(header + 6, 34);
    card_make_ip4_frame(header + 12, 54, other, true);
    describe(VIRTIO_NET_TRANSMIT, 0, DATA, 60000, 0, 0);
    fixture->sent_count = 0;
    give(VIRTIO_NET_TRANSMIT, 0);
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 1024);
    describe(VIRTIO_NET_CONTROL, 0, DATA, 2, 0, 0); /* nowhere to answer */
    give(VIRTIO_NET_CONTROL, 0);
    expect_reset();
    describe(VIRTIO_NET_RECEIVE, 0, BUFFERS, 8, WRITABLE, 0); /* less than a header */
    give(VIRTIO_NET_RECEIVE, 0);
    deliver_to(card_address, 100, 0);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 0);
    describe(VIRTIO_NET_RECEIVE, 0, BUFFERS, 0, WRITABLE, 0);
    deliver_to(card_address, 100, 0);
    expect_reset();
    describe(VIRTIO_NET_RECEIVE, 0, PCI_FIXTURE_MEMORY + MODERN * 0x100000, 2000, WRITABLE, 0);
    give(VIRTIO_NET_RECEIVE, 0);
    deliver_to(card_address, 1000, 0);
    ck_assert_uint_eq(get(20, 1), RUNNING);
}
END_TEST

/* Old drivers: through ports, with the shorter header. */
START_TEST(old_drivers_are_served) {
    PortMap *ports = fixture->pci.board->context.ports;
    port_map_write(ports, PCI_FIXTURE_PORTS + 18, 1, 0);
    port_map_write(ports, PCI_FIXTURE_PORTS + 18, 1, 3);
    port_map_write(ports, PCI_FIXTURE_PORTS + 4, 4, 1u << VIRTIO_NET_ADDRESS);
    port_map_write(ports, PCI_FIXTURE_PORTS + 14, 2, 1);
    port_map_write(ports, PCI_FIXTURE_PORTS + 8, 4, QUEUES >> 12);
    port_map_write(ports, PCI_FIXTURE_PORTS + 18, 1, 7);
    ck_assert_uint_eq(port_map_read(ports, PCI_FIXTURE_PORTS + 20, 4), load_le32(card_address));
    uint8_t *entry = pci_fixture_ram(&fixture->pci, QUEUES),
            *available = pci_fixture_ram(&fixture->pci, QUEUES + 256 * 16);
    store_le64(entry, DATA);
    store_le32(entry + 8, 10 + 100);
    store_le16(entry + 12, 0);
    memset(available, 0, 4 + 512);
    store_le16(available + 2, 1);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, 10);
    card_make_frame(pci_fixture_ram(&fixture->pci, DATA + 10), 100, other, 0x1234);
    port_map_write(ports, PCI_FIXTURE_PORTS + 16, 2, 1);
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(fixture->sent[0].size, 100);
    port_map_write(ports, PCI_FIXTURE_PORTS + 20, 1, 0x02);
    ck_assert_uint_eq(port_map_read(ports, PCI_FIXTURE_PORTS + 20, 1), 0x02);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    fixture->pci.irq.level = 0;
    fixture->sent_count = 0;
    memset(pci_fixture_ram(&fixture->pci, queue_base(0) + 0x2000), 0, 0x1000);
    memset(pci_fixture_ram(&fixture->pci, queue_base(1) + 0x2000), 0, 0x1000);
    run_all();
    ck_assert_uint_eq(fixture->sent_count, 1);
    ck_assert_uint_eq(used_count(VIRTIO_NET_RECEIVE), 1);
    ck_assert_int_eq(fixture->pci.irq.level, 1);
}

START_TEST(saved_in_mid_transfer) {
    uint8_t frame[777];
    give_buffers(4, BUFFER_BYTES);
    card_make_frame(frame, sizeof(frame), card_address, 0x1234);
    ck_assert(network_link_deliver(fixture->link, frame, sizeof(frame)));
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, 12);
    describe(VIRTIO_NET_TRANSMIT, 0, DATA, 500, 0, 0);
    give(VIRTIO_NET_TRANSMIT, 0);
    check_devices_save_and_restore(fixture->pci.board, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, device_tells_its_address);
    tcase_add_test(tests, frames_are_sent);
    tcase_add_test(tests, checksums_are_filled_in);
    tcase_add_test(tests, segments_are_cut);
    tcase_add_test(tests, frames_are_received);
    tcase_add_test(tests, frames_wait_for_buffers);
    tcase_add_test(tests, frames_take_several_buffers);
    tcase_add_test(tests, filters_are_set);
    tcase_add_test(tests, tags_are_filtered);
    tcase_add_test(tests, hostile_queues_are_bounded);
    tcase_add_test(tests, old_drivers_are_served);
    tcase_add_test(tests, saved_in_mid_transfer);
}

int main(void) {
    return run_suite("virtio-net", add);
}

/* Packets to a CD drive, as a driver gives them by PIO. Each test program includes this once. */
#ifndef REPRISE_IDE_PACKET_FIXTURE_H
#define REPRISE_IDE_PACKET_FIXTURE_H

#include "ide_fixture.h"

/* Sends a packet, with room for 'limit' bytes in a data request. */
static inline void send_packet(const uint8_t *packet, uint16_t limit) {
    out(PORT_DEVICE, 0xA0);
    out(PORT_FEATURES, 0);
    out(PORT_MID, (uint8_t)limit);
    out(PORT_HIGH, (uint8_t)(limit >> 8));
    out(PORT_STATUS, 0xA0);
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    ck_assert_uint_eq(in(PORT_COUNT), 1); /* the drive waits for a command */
    ck_assert_int_eq(machine.irq, 0);
    write_words(packet, 12);
}

/* Takes what the drive sends, and the end of the command: the size, or -1 for an error. */
static inline int take_answer(uint8_t *data, size_t room) {
    size_t size = 0;
    for (;;) {
        uint8_t status = wait_not_busy();
        ck_assert_int_eq(machine.irq, 1);
        ck_assert_uint_eq(in(PORT_STATUS), status);
        if (!(status & 0x08)) {
            ck_assert_uint_eq(in(PORT_COUNT), 3); /* the end of the command */
            return status & 1 ? -1 : (int)size;
        }
        ck_assert_uint_eq(in(PORT_COUNT), 2);
        size_t part = in(PORT_MID) | (size_t)in(PORT_HIGH) << 8;
        ck_assert_uint_le(size + part, room);
        read_words(data + size, part);
        size += part;
    }
}

static inline int ask(const uint8_t *packet, uint8_t *data, size_t room) {
    send_packet(packet, 0x8000);
    return take_answer(data, room);
}

#define ASK(data, ...) ask((const uint8_t[12]){__VA_ARGS__}, data, sizeof(data))

/* The drive reports this sense, and then none. */
static inline void expect_sense(uint8_t key, uint8_t code, uint8_t qualifier) {
    uint8_t sense[18];
    ck_assert_int_eq(ASK(sense, 0x03, 0, 0, 0, 18), 18);
    ck_assert_uint_eq(sense[0], 0x70);
    ck_assert_uint_eq(sense[2], key);
    ck_assert_uint_eq(sense[12], code);
    ck_assert_uint_eq(sense[13], qualifier);
    ck_assert_int_eq(ASK(sense, 0x03, 0, 0, 0, 18), 18);
    ck_assert_uint_eq(sense[2], 0);
}

static inline void expect_failure(const uint8_t *packet, uint8_t key, uint8_t code,
                                  uint8_t qualifier) {
    uint8_t data[4096];
    ck_assert_int_eq(ask(packet, data, sizeof(data)), -1);
    ck_assert_uint_eq(in(PORT_FEATURES), key << 4 | 0x04);
    expect_sense(key, code, qualifier);
}

#define FAIL(key, code, qualifier, ...)                                                            \
    expect_failure((const uint8_t[12]){__VA_ARGS__}, key, code, qualifier)

#endif

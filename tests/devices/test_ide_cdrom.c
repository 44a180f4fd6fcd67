/* The CD-ROM drive, driven by packets as a driver drives it. */
#include "cd_sector.h"
#include "ide_packet_fixture.h"

#define CD_SECTORS 400

static void plug_cd(void) {
    plug(IDE_DRIVE_CDROM, make_image("a.img", CD_SECTORS * 2048, 7, true), IDE_DRIVE_NONE, NULL);
}

START_TEST(signature_and_identify) {
    plug_cd();
    ck_assert_uint_eq(in(PORT_MID), 0x14);
    ck_assert_uint_eq(in(PORT_HIGH), 0xEB);
    ck_assert_uint_eq(in(PORT_STATUS), 0);
    command(0xEC, 0xA0, 0, 0); /* IDENTIFY DEVICE is refused, with the signature */
    ck_assert_uint_eq(wait_not_busy(), 0x51);
    ck_assert_uint_eq(in(PORT_FEATURES), 0x04);
    ck_assert_uint_eq(in(PORT_MID), 0x14);
    ck_assert_uint_eq(in(PORT_HIGH), 0xEB);
    uint8_t data[512];
    command(0xA1, 0xA0, 0, 0);
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    read_words(data, 512);
    ck_assert_uint_eq(load_le16(data), 0x85C0);
    ck_assert_mem_eq(data + 54, "EQUMD DVR-MO", 12);
    out(PORT_STATUS, 0x08); /* DEVICE RESET */
    wait_not_busy();
    ck_assert_uint_eq(in(PORT_STATUS), 0);
    ck_assert_uint_eq(in(PORT_COUNT), 1);
    unplug();
}
END_TEST

START_TEST(inquiry_and_ready) {
    plug_cd();
    uint8_t data[64];
    ck_assert_int_eq(ASK(data, 0x12, 0, 0, 0, 36), 36);
    ck_assert_uint_eq(data[0], 5);
    ck_assert_uint_eq(data[1], 0x80);
    ck_assert_mem_eq(data + 8, "QEMU    QEMU DVD-ROM    ", 24);
    ck_assert_int_eq(ASK(data, 0x12, 0, 0, 0, 5), 5); /* as much as there is room for */
    ck_assert_int_eq(ASK(data, 0x12, 0, 0, 0, 0), 0);
    FAIL(5, 0x24, 0, 0x12, 1, 0, 0, 36);
    ck_assert_int_eq(ASK(data, 0x00), 0);
    ck_assert_int_eq(ASK(data, 0x25), 8);
    ck_assert_mem_eq(data, "\0\0\x01\x8F\0\0\x08\0", 8);
    FAIL(5, 0x20, 0, 0xFF);
    unplug();
}
END_TEST

static void expect_data(const uint8_t *data, uint32_t lba, uint32_t sectors) {
    for (size_t i = 0; i < sectors * 2048; i++)
        ck_assert_uint_eq(data[i], image_byte(7, lba * 2048ull + i));
}

START_TEST(reads) {
    static uint8_t data[32 * 2352];
    plug_cd();
    ck_assert_int_eq(ASK(data, 0x28, 0, 0, 0, 1, 0, 0, 0, 20), 20 * 2048);
    expect_data(data, 256, 20);
    ck_assert_int_eq(ASK(data, 0xA8, 0, 0, 0, 0, 17, 0, 0, 0, 3), 3 * 2048);
    expect_data(data, 17, 3);
    ck_assert_int_eq(ASK(data, 0x28, 0, 0, 0, 0, 5, 0, 0, 0), 0);
    /* Small data requests, one of an odd size. */
    static const uint16_t limits[] = {2048, 512, 1000, 999, 2, 0xFFFF, 0};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        int count = machine.irq_count;
        send_packet((const uint8_t[12]){0x28, 0, 0, 0, 0, 9, 0, 0, 2}, limits[i]);
        ck_assert_int_eq(take_answer(data, sizeof(data)), 4096);
        expect_data(data, 9, 2);
        if (limits[i] == 512)
            ck_assert_int_eq(machine.irq_count - count, 9);
    }
    ck_assert_int_eq(ASK(data, 0x28, 0, 0, 0, 1, 0x8F, 0, 0, 1), 2048);
    FAIL(5, 0x21, 0, 0x28, 0, 0, 0, 1, 0x8F, 0, 0, 2);
    FAIL(5, 0x21, 0, 0xA8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF);
    FAIL(5, 0x21, 0, 0x2B, 0, 0, 0, 1, 0x90);
    unplug();
}
END_TEST

START_TEST(reads_raw_sectors) {
    static uint8_t data[8 * 2352];
    plug_cd();
    ck_assert_int_eq(ASK(data, 0xBE, 0, 0, 0, 0, 200, 0, 0, 5, 0x10), 5 * 2048);
    expect_data(data, 200, 5);
    ck_assert_int_eq(ASK(data, 0xBE, 0, 0, 0, 0, 200, 0, 0, 5, 0xF8), 5 * 2352);
    for (uint32_t i = 0; i < 5; i++) {
        static const uint8_t sync[12] = {0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                         0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0};
        const uint8_t *sector = data + i * 2352;
        ck_assert_mem_eq(sector, sync, 12);
        ck_assert_uint_eq(sector[12], 0x00); /* 350 frames: 00:04.50 */
        ck_assert_uint_eq(sector[13], 0x04);
        ck_assert_uint_eq(sector[14], 0x50 + i);
        ck_assert_uint_eq(sector[15], 1);
        expect_data(sector + 16, 200 + i, 1);
    }
    uint8_t raw[2352];
    memcpy(raw, data, sizeof(raw));
    cd_sector_complete(raw, 200); /* what detects and corrects errors */
    ck_assert_mem_eq(raw, data, sizeof(raw));
    static const struct {
        uint8_t parts;
        uint16_t first, bytes;
    } forms[] = {{0x80, 0, 12},    {0x20, 12, 4},    {0x08, 2064, 288}, {0xA0, 0, 16},
                 {0x30, 12, 2052}, {0x18, 16, 2336}, {0x38, 12, 2340},  {0xB0, 0, 2064}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        ck_assert_int_eq(ASK(data, 0xBE, 0, 0, 0, 0, 200, 0, 0, 2, forms[i].parts),
                         forms[i].bytes * 2);
        ck_assert_mem_eq(data, raw + forms[i].first, forms[i].bytes);
    }
    FAIL(5, 0x24, 0, 0xBE, 0, 0, 0, 0, 200, 0, 0, 2, 0x90);    /* parts that are not together */
    FAIL(5, 0x24, 0, 0xBE, 0, 0, 0, 0, 200, 0, 0, 2, 0x12);    /* error pointers */
    FAIL(5, 0x24, 0, 0xBE, 0, 0, 0, 0, 200, 0, 0, 2, 0x10, 1); /* subchannels */
    ck_assert_int_eq(ASK(data, 0xB9, 0, 0, 0, 4, 50, 0, 4, 52, 0x10), 2 * 2048);
    expect_data(data, 200, 2);
    ck_assert_int_eq(ASK(data, 0xBE, 0, 0, 0, 0, 200, 0, 0, 5, 0x00), 0);
    FAIL(5, 0x64, 0, 0xBE, 4, 0, 0, 0, 200, 0, 0, 5, 0x10); /* audio */
    FAIL(5, 0x24, 0, 0xBE, 0, 0, 0, 0, 200, 0, 0, 5, 0x40);
    FAIL(5, 0x24, 0, 0xB9, 0, 0, 0, 4, 50, 0, 4, 49, 0x10);
    FAIL(5, 0x21, 0, 0xB9, 0, 0, 0, 0, 0, 0, 0, 10, 0x10); /* before the first sector */
    unplug();
}
END_TEST

START_TEST(table_of_contents) {
    uint8_t data[256];
    plug_cd();
    ck_assert_int_eq(ASK(data, 0x43, 0, 0, 0, 0, 0, 0, 0, 200), 20);
    static const uint8_t toc[20] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
                                    0, 0,  0, 0x14, 0xAA, 0,    0, 0, 1, 0x90};
    ck_assert_mem_eq(data, toc, 20);
    ck_assert_int_eq(ASK(data, 0x43, 2, 0, 0, 0, 0, 0xAA, 0, 200), 12);
    static const uint8_t end[12] = {0, 10, 1, 1, 0, 0x14, 0xAA, 0, 0, 0, 7, 25};
    ck_assert_mem_eq(data, end, 12);
    ck_assert_int_eq(ASK(data, 0x43, 0, 1, 0, 0, 0, 0, 0, 200), 12);
    ck_assert_uint_eq(data[2], 1);
    ck_assert_int_eq(ASK(data, 0x43, 0, 0, 0, 0, 0, 0, 0, 200, 0x40), 12); /* SFF-8020i */
    ck_assert_int_eq(ASK(data, 0x43, 0, 2, 0, 0, 0, 0, 0, 200), 48);
    ck_assert_uint_eq(data[4 + 22 + 3], 0xA2);
    ck_assert_uint_eq(data[4 + 22 + 9], 7);
    ck_assert_uint_eq(data[4 + 22 + 10], 25);
    FAIL(5, 0x24, 0, 0x43, 0, 0, 0, 0, 0, 2, 0, 200);
    FAIL(5, 0x24, 0, 0x43, 0, 5, 0, 0, 0, 0, 0, 200);
    unplug();
}
END_TEST

START_TEST(mode_pages) {
    uint8_t data[256];
    plug_cd();
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x2A, 0, 0, 0, 0, 0, 200), 28);
    ck_assert_uint_eq(data[1], 26);
    ck_assert_uint_eq(data[8], 0x2A);
    ck_assert_int_eq(data[14] & 2, 0);
    ck_assert_int_eq(ASK(data, 0x1E, 0, 0, 0, 1), 0);
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x2A, 0, 0, 0, 0, 0, 200), 28);
    ck_assert_int_eq(data[14] & 2, 2); /* the tray is locked */
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x3F, 0, 0, 0, 0, 0, 200), 8 + 8 + 8 + 16 + 20);
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x3F, 0, 0, 0, 0, 0, 10), 10);
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x41, 0, 0, 0, 0, 0, 200), 16); /* what can be changed */
    ck_assert_uint_eq(data[9], 6);
    ck_assert_uint_eq(data[11], 0xFF);
    FAIL(5, 0x24, 0, 0x5A, 0, 0xC1, 0, 0, 0, 0, 0, 200);
    FAIL(5, 0x24, 0, 0x5A, 0, 0x05, 0, 0, 0, 0, 0, 200);
    /* MODE SELECT: the drive asks for the data. */
    static const uint8_t volume[24] = {0, 0, 0, 0, 0, 0,  0, 0,    0x0E, 14,
                                       4, 0, 0, 0, 0, 75, 1, 0x40, 2,    0x20};
    send_packet((const uint8_t[12]){0x55, 0x10, 0, 0, 0, 0, 0, 0, 24}, 0x8000);
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    ck_assert_int_eq(machine.irq, 1);
    ck_assert_uint_eq(in(PORT_COUNT), 0);
    write_words(volume, 10);
    save_and_restore();
    write_words(volume + 10, 14);
    ck_assert_int_eq(take_answer(data, sizeof(data)), 0);
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x0E, 0, 0, 0, 0, 0, 200), 24);
    ck_assert_mem_eq(data + 8, volume + 8, 16);
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x8E, 0, 0, 0, 0, 0, 200), 24); /* the defaults */
    ck_assert_uint_eq(data[17], 0xFF);
    static const uint8_t unknown[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0x05, 6};
    send_packet((const uint8_t[12]){0x55, 0x10, 0, 0, 0, 0, 0, 0, 16}, 0x8000);
    wait_not_busy();
    write_words(unknown, 16);
    ck_assert_int_eq(take_answer(data, sizeof(data)), -1);
    expect_sense(5, 0x26, 0);
    ck_assert_int_eq(ASK(data, 0x5A, 0, 0x0D, 0, 0, 0, 0, 0, 200), 16);
    ck_assert_uint_eq(data[15], 75);
    ck_assert_int_eq(ASK(data, 0x1B, 0, 0, 0, 0x30), 0); /* standby */
    FAIL(5, 0x24, 0, 0x1B, 0, 0, 0, 0x90);
    unplug();
}
END_TEST

START_TEST(configuration_and_information) {
    uint8_t data[256];
    plug_cd();
    ck_assert_int_eq(ASK(data, 0x46, 0, 0, 0, 0, 0, 0, 0, 200), 8 + 12 + 12 + 8 + 8 + 12 + 8 + 4);
    ck_assert_uint_eq(data[3], 8 + 12 + 12 + 8 + 8 + 12 + 8 + 4 - 4);
    ck_assert_uint_eq(data[7], 8); /* a CD */
    ck_assert_uint_eq(data[14], 0);
    ck_assert_uint_eq(data[18], 1);
    ck_assert_int_eq(ASK(data, 0x46, 2, 0, 3, 0, 0, 0, 0, 200), 16);
    ck_assert_uint_eq(data[9], 3);
    ck_assert_int_eq(ASK(data, 0x46, 1, 0, 0x1E, 0, 0, 0, 0, 200), 16); /* not the DVD's */
    FAIL(5, 0x24, 0, 0x46, 3, 0, 0, 0, 0, 0, 0, 200);
    ck_assert_int_eq(ASK(data, 0x51, 0, 0, 0, 0, 0, 0, 0, 200), 34);
    ck_assert_uint_eq(data[2], 0x0E);
    ck_assert_int_eq(ASK(data, 0x52, 1, 0, 0, 0, 1, 0, 0, 200), 36);
    ck_assert_uint_eq(data[27], CD_SECTORS & 0xFF);
    FAIL(5, 0x24, 0, 0x52, 1, 0, 0, 0, 2, 0, 0, 200);
    ck_assert_int_eq(ASK(data, 0xBD, 0, 0, 0, 0, 0, 0, 0, 0, 200), 8);
    ck_assert_int_eq(ASK(data, 0x42, 2, 0x40, 1, 0, 0, 0, 0, 200), 16);
    ck_assert_int_eq(ASK(data, 0x42, 2, 0x00, 1, 0, 0, 0, 0, 200), 4);
    ck_assert_int_eq(ASK(data, 0xBB, 0, 0xFF, 0xFF), 0);
    unplug();
}
END_TEST

/* The media event, and whether a disc is in, by GET EVENT STATUS NOTIFICATION. */
static void expect_event(uint8_t event, uint8_t status) {
    uint8_t data[16];
    ck_assert_int_eq(ASK(data, 0x4A, 1, 0, 0, 0x10, 0, 0, 0, 16), 8);
    ck_assert_uint_eq(data[1], 6);
    ck_assert_uint_eq(data[2], 4);
    ck_assert_uint_eq(data[4], event);
    ck_assert_uint_eq(data[5], status);
}

START_TEST(media_change) {
    uint8_t data[64];
    plug_cd();
    expect_event(0, 2);
    IdeChannel *channel = piix3_ide_channel(machine.ide, 0);
    ck_assert(ide_channel_change_media(channel, 0, NULL, false, NULL));
    block_close(machine.media[0]);
    ck_assert(ide_channel_tray_is_open(channel, 0));
    expect_event(3, 1);
    expect_event(0, 1);
    FAIL(2, 0x3A, 2, 0x00);
    FAIL(2, 0x3A, 2, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
    machine.media[0] = make_image("a.img", 300 * 2048, 9, true);
    ck_assert(ide_channel_change_media(channel, 0, machine.media[0], false, NULL));
    ck_assert(!ide_channel_tray_is_open(channel, 0));
    expect_event(2, 2);
    ck_assert_int_eq(ASK(data, 0x12, 0, 0, 0, 36), 36); /* does not mind */
    FAIL(6, 0x28, 0, 0x00);
    ck_assert_int_eq(ASK(data, 0x00), 0);
    ck_assert_int_eq(ASK(data, 0x25), 8);
    ck_assert_uint_eq(data[3], 299 & 0xFF);
    /* REQUEST SENSE tells of a change, too, and then it is told. */
    ck_assert(ide_channel_change_media(channel, 0, machine.media[0], false, NULL));
    expect_sense(6, 0x28, 0);
    ck_assert_int_eq(ASK(data, 0x00), 0);
    unplug();
}
END_TEST

START_TEST(tray) {
    uint8_t data[64];
    plug_cd();
    IdeChannel *channel = piix3_ide_channel(machine.ide, 0);
    ck_assert_int_eq(ASK(data, 0x1E, 0, 0, 0, 1), 0); /* lock */
    FAIL(2, 0x53, 2, 0x1B, 0, 0, 0, 2);
    Error error = {0};
    ck_assert(ide_channel_tray_is_locked(channel, 0));
    ck_assert(!ide_channel_change_media(channel, 0, NULL, false, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "locked"));
    expect_event(1, 2); /* somebody pressed the button */
    ck_assert_int_eq(ASK(data, 0x1E, 0, 0, 0, 0), 0);
    ck_assert_int_eq(ASK(data, 0x1B, 0, 0, 0, 2), 0); /* eject */
    expect_event(3, 1);
    FAIL(2, 0x3A, 2, 0x00);
    ck_assert_int_eq(ASK(data, 0x1B, 0, 0, 0, 3), 0); /* load */
    expect_event(2, 2);
    ck_assert_int_eq(ASK(data, 0x00), 0);
    ck_assert_int_eq(ASK(data, 0x1E, 0, 0, 0, 1), 0);
    ck_assert(ide_channel_change_media(channel, 0, NULL, true, NULL));
    FAIL(2, 0x3A, 2, 0x00);
    ck_assert_int_eq(ASK(data, 0x1B, 0, 0, 0, 3), 0); /* an empty tray goes in, too */
    FAIL(2, 0x3A, 1, 0x00);
    ck_assert(!ide_channel_change_media(channel, 1, NULL, true, NULL));
    unplug();
}
END_TEST

START_TEST(disc_taken_out_while_it_is_read) {
    static uint8_t data[8192];
    plug_cd();
    send_packet((const uint8_t[12]){0x28, 0, 0, 0, 0, 0, 0, 0, 40}, 0x8000);
    wait_not_busy();
    ck_assert(ide_channel_change_media(piix3_ide_channel(machine.ide, 0), 0, NULL, true, NULL));
    read_words(data, 8192);
    ck_assert_uint_eq(wait_not_busy(), 0x51);
    expect_sense(2, 0x3A, 2);
    unplug();
}
END_TEST

START_TEST(failing_image_is_a_medium_error) {
    plug_cd();
    ck_assert_int_eq(truncate(path_of("a.img"), 10000), 0);
    FAIL(3, 0x11, 0, 0x28, 0, 0, 0, 0, 100, 0, 0, 1);
    unplug();
}
END_TEST

START_TEST(empty_drive) {
    plug(IDE_DRIVE_CDROM, NULL, IDE_DRIVE_NONE, NULL);
    uint8_t data[64];
    FAIL(2, 0x3A, 1, 0x25);
    ck_assert_int_eq(ASK(data, 0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8);
    ck_assert_uint_eq(data[7], 0);
    unplug();
}
END_TEST

START_TEST(reads_by_dma) {
    plug_cd();
    uint8_t table[16];
    store_le32(table, 0x20000);
    store_le32(table + 4, 3000);
    store_le32(table + 8, 0x30000);
    store_le32(table + 12, 0x80000000u | (10 * 2048 - 3000));
    physical_write_bytes(machine.memory, 0x1000, table, 16);
    port_map_write(machine.ports, PORT_MASTER + 4, 4, 0x1000);
    out(PORT_DEVICE, 0xA0);
    out(PORT_FEATURES, 1);
    out(PORT_STATUS, 0xA0);
    wait_not_busy();
    static const uint8_t packet[12] = {0x28, 0, 0, 0, 0, 33, 0, 0, 10};
    write_words(packet, 12);
    out(PORT_MASTER, 0x09);
    while (!machine.irq)
        ck_assert(next_event());
    ck_assert_uint_eq(in(PORT_MASTER + 2), 0x04);
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    ck_assert_uint_eq(in(PORT_COUNT), 3);
    const uint8_t *ram = physical_map_ram(machine.memory);
    for (unsigned i = 0; i < 10 * 2048; i++)
        ck_assert_uint_eq(i < 3000 ? ram[0x20000 + i] : ram[0x30000 + i - 3000],
                          image_byte(7, 33 * 2048 + i));
    unplug();
}
END_TEST

START_TEST(saves_in_the_middle_of_a_read) {
    static uint8_t data[20 * 2048];
    for (unsigned when = 0; when < 4; when++) {
        plug_cd();
        send_packet((const uint8_t[12]){0x28, 0, 0, 0, 0, 77, 0, 0, 20}, 2048);
        size_t size = 0;
        for (unsigned i = 0; i < 20; i++) {
            if (when == 0)
                save_and_restore();
            wait_not_busy();
            if (when == 1)
                save_and_restore();
            read_words(data + size, 1000);
            if (when == 2 && i % 3 == 0)
                save_and_restore();
            read_words(data + size + 1000, 1048);
            size += 2048;
        }
        if (when == 3)
            save_and_restore();
        ck_assert_int_eq(take_answer(NULL, 0), 0);
        expect_data(data, 77, 20);
        unplug();
    }
}
END_TEST

START_TEST(random_packets_are_survived) {
    static uint8_t data[65536];
    plug_cd();
    uint32_t random = 4711;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t packet[12];
        for (unsigned k = 0; k < 12; k++) {
            random = random * 1664525 + 1013904223;
            packet[k] = (random >> 28) < 8 ? 0 : (uint8_t)(random >> 20);
        }
        if (i % 2 == 0) {
            static const uint8_t codes[] = {0x00, 0x03, 0x12, 0x1B, 0x1E, 0x25, 0x28,
                                            0x2B, 0x42, 0x43, 0x46, 0x4A, 0x51, 0x52,
                                            0x55, 0x5A, 0xA8, 0xB9, 0xBB, 0xBD, 0xBE};
            packet[0] = codes[(random >> 8) % sizeof(codes)];
        }
        send_packet(packet, (uint16_t)(random >> 4));
        for (unsigned k = 0; k < 4 && (wait_not_busy() & 0x08); k++) {
            size_t part = in(PORT_MID) | (size_t)in(PORT_HIGH) << 8;
            if (in(PORT_COUNT) == 2)
                read_words(data, part);
            else
                write_words(data, part);
        }
        wait_not_busy();
        out(PORT_STATUS, 0x08);
        out(PORT_CONTROL, 0x04);
        out(PORT_CONTROL, 0x00);
        wait_not_busy();
    }
    unplug();
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, signature_and_identify);
    tcase_add_test(tests, inquiry_and_ready);
    tcase_add_test(tests, reads);
    tcase_add_test(tests, reads_raw_sectors);
    tcase_add_test(tests, table_of_contents);
    tcase_add_test(tests, mode_pages);
    tcase_add_test(tests, configuration_and_information);
    tcase_add_test(tests, media_change);
    tcase_add_test(tests, tray);
    tcase_add_test(tests, disc_taken_out_while_it_is_read);
    tcase_add_test(tests, failing_image_is_a_medium_error);
    tcase_add_test(tests, empty_drive);
    tcase_add_test(tests, reads_by_dma);
    tcase_add_test(tests, saves_in_the_middle_of_a_read);
    tcase_add_test(tests, random_packets_are_survived);
}

int main(void) {
    return run_suite("ide_cdrom", add_tests);
}

/* Hard disks by programmed I/O, driven through the ports as a driver drives them. */
#include "ide_fixture.h"

enum { LBA = 0xE0, SLAVE = 0x10 };
#define DISK_SECTORS 5000

static void plug_disk(void) {
    plug_one_disk(DISK_SECTORS);
}

/* A data request of so many sectors is there, with the given ones. */
static void expect_sectors(unsigned seed, uint64_t lba, unsigned count) {
    uint8_t data[16 * 512];
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    ck_assert_int_eq(machine.irq, 1);
    ck_assert_uint_eq(in(PORT_STATUS), 0x58);
    ck_assert_int_eq(machine.irq, 0);
    read_words(data, count * 512);
    for (unsigned i = 0; i < count * 512; i++)
        ck_assert_uint_eq(data[i], image_byte(seed, lba * 512 + i));
}

START_TEST(reads_sectors) {
    plug_disk();
    int64_t before = machine.clock.stopped_ns;
    command(0x20, LBA, 1000, 3);
    ck_assert_uint_eq(in(PORT_CONTROL), 0x80);
    ck_assert_int_eq(machine.irq, 0);
    for (unsigned i = 0; i < 3; i++)
        expect_sectors(1, 1000 + i, 1);
    ck_assert_int_gt(machine.clock.stopped_ns, before + 10000);
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    ck_assert_int_eq(machine.irq_count, 3);
    ck_assert_uint_eq(in(PORT_COUNT), 0);
    ck_assert_uint_eq(in(PORT_LOW) | in(PORT_MID) << 8, 1002);
    /* The data register is narrow and wide, too. */
    command(0x20, LBA, 7, 1);
    wait_not_busy();
    ck_assert_uint_eq(port_map_read(machine.ports, PORT_DATA, 4),
                      7u | (uint32_t)image_byte(1, 7 * 512 + 2) << 16 |
                          (uint32_t)image_byte(1, 7 * 512 + 3) << 24);
    ck_assert_uint_eq(in(PORT_DATA), image_byte(1, 7 * 512 + 4));
    unplug();
}
END_TEST

START_TEST(reads_multiple) {
    plug_disk();
    command(0xC6, LBA, 0, 8);
    expect_end(0x50, 0);
    command(0xC4, LBA, 40, 20);
    expect_sectors(1, 40, 8);
    expect_sectors(1, 48, 8);
    expect_sectors(1, 56, 4);
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    command(0xC6, LBA, 0, 3); /* not a power of two */
    expect_end(0x51, 0x04);
    command(0xC6, LBA, 0, 0);
    expect_end(0x50, 0);
    command(0xC4, LBA, 40, 20);
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(writes_sectors) {
    plug_disk();
    uint8_t data[1024], back[1024];
    for (unsigned i = 0; i < 1024; i++)
        data[i] = (uint8_t)(i * 11);
    command(0x30, LBA, 33, 2);
    ck_assert_uint_eq(in(PORT_CONTROL), 0x58); /* at once, for drivers that do not look */
    ck_assert_int_eq(machine.irq, 0);          /* none before the first block */
    write_words(data, 512);
    ck_assert_uint_eq(in(PORT_CONTROL), 0x80);
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    ck_assert_int_eq(machine.irq, 1);
    in(PORT_STATUS);
    write_words(data + 512, 512);
    expect_end(0x50, 0);
    ck_assert(block_read(machine.media[0], 33 * 512, back, 1024, NULL));
    ck_assert_mem_eq(data, back, 1024);
    /* By blocks of four, 48-bit addresses. */
    command(0xC6, LBA, 0, 4);
    expect_end(0x50, 0);
    uint8_t block[2560];
    memset(block, 0x3C, sizeof(block));
    command_48(0x39, LBA, 100, 5);
    wait_not_busy();
    write_words(block, 2048);
    wait_not_busy();
    write_words(block + 2048, 512);
    expect_end(0x50, 0);
    ck_assert(block_read(machine.media[0], 104 * 512, back, 1024, NULL));
    ck_assert_uint_eq(back[511], 0x3C);
    ck_assert_uint_eq(back[512], 105);
    command(0xE7, LBA, 0, 0);
    expect_end(0x50, 0);
    command(0xEA, LBA, 0, 0);
    expect_end(0x50, 0);
    unplug();
}
END_TEST

START_TEST(extended_addresses) {
    /* Nothing but a hole: 3 TB, so that the sector number needs more than 32 bits. */
    BlockNode *node = make_image("a.img", 512, 1, false);
    block_close(node);
    uint64_t size = 3ull << 40, last = size / 512 - 1;
    ck_assert_int_eq(truncate(path_of("a.img"), (off_t)size), 0);
    BlockOptions options = {.path = path_of("a.img")};
    plug(IDE_DRIVE_DISK, block_open(&options, NULL), IDE_DRIVE_NONE, NULL);
    uint8_t sector[512];
    memset(sector, 0x77, sizeof(sector));
    command_48(0x34, LBA, last, 1);
    wait_not_busy();
    write_words(sector, 512);
    expect_end(0x50, 0);
    out(PORT_CONTROL, 0x80); /* the high-order bytes */
    ck_assert_uint_eq(in(PORT_LOW), last >> 24 & 0xFF);
    ck_assert_uint_eq(in(PORT_MID), last >> 32 & 0xFF);
    out(PORT_CONTROL, 0x00);
    ck_assert_uint_eq(in(PORT_LOW), last & 0xFF);
    command_48(0x24, LBA, last, 1);
    wait_not_busy();
    read_words(sector, 512);
    ck_assert_uint_eq(sector[100], 0x77);
    command_48(0x24, LBA, last + 1, 1);
    expect_end(0x51, 0x10);
    command_48(0x27, LBA, 0, 0); /* READ NATIVE MAX ADDRESS EXT */
    expect_end(0x50, 0);
    out(PORT_CONTROL, 0x80);
    ck_assert_uint_eq(in(PORT_MID), last >> 32 & 0xFF);
    out(PORT_CONTROL, 0x00);
    command(0xF8, LBA, 0, 0);
    expect_end(0x50, 0);
    ck_assert_uint_eq(in(PORT_DEVICE), 0xEF);
    ck_assert_uint_eq(in(PORT_HIGH), 0xFF);
    unplug();
}
END_TEST

START_TEST(cylinders_heads_sectors) {
    plug_disk(); /* 4 cylinders of 16 heads and 63 sectors */
    uint32_t lba = (2 * 16 + 5) * 63 + 9;
    command(0x20, 0xA5, 2 << 8 | 10, 1);
    expect_sectors(1, lba, 1);
    command(0x91, 0xA3, 0, 17); /* 4 heads, 17 sectors */
    expect_end(0x50, 0);
    lba = (20 * 4 + 3) * 17 + 16;
    command(0x20, 0xA3, 20 << 8 | 17, 2);
    expect_sectors(1, lba, 1);
    expect_sectors(1, lba + 1, 1);
    ck_assert_uint_eq(in(PORT_MID), 21); /* the next cylinder's first sector */
    ck_assert_uint_eq(in(PORT_LOW), 1);
    ck_assert_uint_eq(in(PORT_DEVICE), 0xA0);
    command(0x20, 0xA3, 20 << 8 | 18, 1); /* no such sector */
    expect_end(0x51, 0x10);
    command(0x20, 0xA3, 20 << 8 | 0, 1);
    expect_end(0x51, 0x10);
    command(0x20, 0xA4, 20 << 8 | 1, 1); /* no such head */
    expect_end(0x51, 0x10);
    command(0x70, 0xA3, 20 << 8 | 1, 0);
    expect_end(0x50, 0);
    command(0x70, 0xA3, 2000 << 8 | 1, 0);
    expect_end(0x51, 0x10);
    command(0x91, 0xA3, 0, 0);
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(identify) {
    plug_disk();
    uint8_t data[512];
    command(0xEC, 0xA0, 0, 0);
    expect_sectors(0, 0, 0);
    read_words(data, 512);
    ck_assert_uint_eq(load_le16(data), 0x40);
    ck_assert_uint_eq(load_le16(data + 2), 4);
    ck_assert_uint_eq(load_le16(data + 6), 16);
    ck_assert_uint_eq(load_le16(data + 12), 63);
    ck_assert_uint_eq(load_le32(data + 120), DISK_SECTORS);
    ck_assert_uint_eq(load_le64(data + 200), DISK_SECTORS);
    ck_assert_uint_eq(load_le16(data + 98) & 0x0300, 0x0300); /* LBA, DMA */
    ck_assert_mem_eq(data + 54, "EQUMH RADDSI K", 14);
    uint8_t sum = 0;
    for (unsigned i = 0; i < 512; i++)
        sum += data[i];
    ck_assert_uint_eq(sum, 0);
    out(PORT_FEATURES, 0x03); /* multiword DMA 2 */
    command(0xEF, 0xA0, 0, 0x22);
    expect_end(0x50, 0);
    command(0xEC, 0xA0, 0, 0);
    wait_not_busy();
    read_words(data, 512);
    ck_assert_uint_eq(load_le16(data + 126), 0x0407);
    ck_assert_uint_eq(load_le16(data + 176), 0x003F);
    out(PORT_FEATURES, 0x03);
    command(0xEF, 0xA0, 0, 0x47); /* Ultra DMA 7 */
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(ends_of_the_disk) {
    plug_disk();
    command(0x20, LBA, DISK_SECTORS - 1, 2);
    expect_sectors(1, DISK_SECTORS - 1, 1);
    expect_end(0x51, 0x10);
    ck_assert_uint_eq(in(PORT_LOW) | in(PORT_MID) << 8, DISK_SECTORS);
    ck_assert_uint_eq(in(PORT_COUNT), 1);
    command(0x30, LBA, DISK_SECTORS, 1);
    expect_end(0x51, 0x10);
    uint8_t sector[512] = {0};
    command(0x30, LBA, DISK_SECTORS - 1, 2);
    wait_not_busy();
    write_words(sector, 512);
    wait_not_busy();
    write_words(sector, 512);
    expect_end(0x51, 0x10);
    ck_assert_uint_eq(block_length(machine.media[0]), DISK_SECTORS * 512);
    command(0x40, LBA, 0, 0); /* READ VERIFY of 256 sectors */
    expect_end(0x50, 0);
    command(0x40, LBA, DISK_SECTORS - 10, 11);
    expect_end(0x51, 0x10);
    unplug();
}
END_TEST

START_TEST(image_with_a_part_of_a_sector) {
    plug(IDE_DRIVE_DISK, make_image("a.img", 100 * 512 + 200, 1, false), IDE_DRIVE_NONE, NULL);
    uint8_t data[512];
    command(0x20, LBA, 100, 1);
    wait_not_busy();
    read_words(data, 512);
    for (unsigned i = 0; i < 512; i++)
        ck_assert_uint_eq(data[i], i < 200 ? image_byte(1, 100 * 512 + i) : 0);
    command(0x20, LBA, 101, 1);
    expect_end(0x51, 0x10);
    unplug();
}
END_TEST

START_TEST(two_drives_share_the_registers) {
    plug(IDE_DRIVE_DISK, make_image("a.img", DISK_SECTORS * 512, 1, false), IDE_DRIVE_DISK,
         make_image("b.img", DISK_SECTORS * 512, 99, false));
    command(0x20, LBA | SLAVE, 50, 1);
    expect_sectors(99, 50, 1);
    command(0x20, LBA, 50, 1);
    expect_sectors(1, 50, 1);
    /* The registers that are written before the drive is chosen count, too. */
    out(PORT_DEVICE, LBA);
    out(PORT_COUNT, 1);
    out(PORT_LOW, 60);
    out(PORT_MID, 0);
    out(PORT_HIGH, 0);
    out(PORT_DEVICE, LBA | SLAVE);
    out(PORT_STATUS, 0x20);
    expect_sectors(99, 60, 1);
    /* Only the selected drive drives the interrupt line. */
    command(0x20, LBA | SLAVE, 70, 1);
    wait_not_busy();
    ck_assert_int_eq(machine.irq, 1);
    out(PORT_DEVICE, LBA);
    ck_assert_int_eq(machine.irq, 0);
    out(PORT_DEVICE, LBA | SLAVE);
    ck_assert_int_eq(machine.irq, 1);
    expect_sectors(99, 70, 1);
    command(0x90, LBA | SLAVE, 0, 0); /* both answer, drive 0 is selected after */
    wait_not_busy();
    ck_assert_uint_eq(in(PORT_DEVICE), 0);
    expect_end(0x50, 0x01);
    ck_assert_uint_eq(in(PORT_COUNT), 1);
    ck_assert_uint_eq(in(PORT_LOW), 1);
    unplug();
}
END_TEST

START_TEST(absent_drives) {
    plug_disk();
    out(PORT_DEVICE, 0xB0);
    out(PORT_COUNT, 0x55);
    out(PORT_LOW, 0xAA);
    ck_assert_uint_eq(in(PORT_DEVICE), 0xB0);
    ck_assert_uint_eq(in(PORT_STATUS), 0); /* drive 0 answers for it: nothing there */
    command(0xEC, 0xB0, 0, 0);
    ck_assert_uint_eq(in(PORT_CONTROL), 0);
    ck_assert(!next_event());
    /* The secondary channel has no drive at all. */
    ck_assert_uint_eq(in(0x177), 0);
    out(0x172, 0x55);
    ck_assert_uint_eq(in(0x172), 0);
    out(0x177, 0xEC);
    ck_assert(!next_event());
    out(0x177, 0x90);
    next_event();
    ck_assert_uint_eq(in(0x177), 0);
    unplug();
}
END_TEST

START_TEST(software_reset) {
    plug_disk();
    command(0x20, LBA, 5, 10);
    wait_not_busy();
    out(PORT_CONTROL, 0x04);
    ck_assert_uint_eq(in(PORT_STATUS), 0x80);
    ck_assert_int_eq(machine.irq, 0);
    ck_assert(!next_event()); /* busy as long as it is held */
    out(PORT_CONTROL, 0x00);
    ck_assert_uint_eq(wait_not_busy(), 0x50);
    ck_assert_int_eq(machine.irq, 0);
    ck_assert_uint_eq(in(PORT_FEATURES), 0x01);
    ck_assert_uint_eq(in(PORT_COUNT), 1);
    ck_assert_uint_eq(in(PORT_LOW), 1);
    ck_assert_uint_eq(in(PORT_MID), 0);
    ck_assert_uint_eq(in(PORT_HIGH), 0);
    ck_assert_uint_eq(in(PORT_DEVICE), 0);
    unplug();
}
END_TEST

START_TEST(interrupts_can_be_masked) {
    plug_disk();
    out(PORT_CONTROL, 0x02);
    command(0x20, LBA, 5, 1);
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    ck_assert_int_eq(machine.irq, 0);
    out(PORT_CONTROL, 0x00); /* still pending */
    ck_assert_int_eq(machine.irq, 1);
    expect_sectors(1, 5, 1);
    unplug();
}
END_TEST

START_TEST(other_commands) {
    plug_disk();
    static const uint8_t accepted[] = {0x10, 0x1F, 0xE0, 0xE1, 0xE2, 0xE3, 0x94, 0x97};
    for (size_t i = 0; i < sizeof(accepted); i++) {
        command(accepted[i], 0xA0, 0, 0);
        expect_end(0x50, 0);
    }
    static const uint8_t aborted[] = {0x00, 0x08, 0xA0, 0xA1, 0xF1, 0xFF, 0x50};
    for (size_t i = 0; i < sizeof(aborted); i++) {
        command(aborted[i], 0xA0, 0, 0);
        expect_end(0x51, 0x04);
    }
    out(PORT_FEATURES, 0xDA); /* SMART RETURN STATUS */
    command(0xB0, 0xA0, 0xC24F00, 0);
    expect_end(0x50, 0);
    ck_assert_uint_eq(in(PORT_MID), 0x4F);
    ck_assert_uint_eq(in(PORT_HIGH), 0xC2);
    out(PORT_FEATURES, 0xD0);
    command(0xB0, 0xA0, 0xC24F00, 0);
    uint8_t data[512], sum = 0;
    wait_not_busy();
    read_words(data, 512);
    for (unsigned i = 0; i < 512; i++)
        sum += data[i];
    ck_assert_uint_eq(sum, 0);
    out(PORT_FEATURES, 0xDA);
    command(0xB0, 0xA0, 0, 0); /* without the key */
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(write_protected_disk) {
    plug(IDE_DRIVE_DISK, make_image("a.img", 51200, 1, true), IDE_DRIVE_NONE, NULL);
    command(0x30, LBA, 5, 1);
    expect_end(0x51, 0x04);
    command(0x20, LBA, 5, 1);
    expect_sectors(1, 5, 1);
    unplug();
}
END_TEST

START_TEST(failing_image_is_a_device_error) {
    plug_disk();
    ck_assert_int_eq(truncate(path_of("a.img"), 10000), 0);
    command(0x20, LBA, 100, 2);
    expect_end(0x51, 0x40);
    ck_assert_uint_eq(in(PORT_LOW), 100);
    command(0x20, LBA, 3, 1);
    expect_sectors(1, 3, 1);
    unplug();
}
END_TEST

START_TEST(saves_in_the_middle_of_a_read) {
    for (unsigned when = 0; when < 4; when++) {
        plug_disk();
        uint8_t data[1024];
        command(0x20, LBA, 321, 2);
        if (when == 0)
            save_and_restore(); /* busy */
        wait_not_busy();
        if (when == 1)
            save_and_restore(); /* data is there */
        read_words(data, 200);
        if (when == 2)
            save_and_restore(); /* half read */
        read_words(data + 200, 312);
        if (when == 3)
            save_and_restore(); /* between sectors */
        wait_not_busy();
        read_words(data + 512, 512);
        for (unsigned i = 0; i < 1024; i++)
            ck_assert_uint_eq(data[i], image_byte(1, 321 * 512 + i));
        ck_assert_uint_eq(in(PORT_STATUS), 0x50);
        unplug();
    }
}
END_TEST

START_TEST(saves_in_the_middle_of_a_write) {
    plug_disk();
    uint8_t data[512], back[512];
    memset(data, 0xC3, sizeof(data));
    command(0x30, LBA, 11, 1);
    wait_not_busy();
    write_words(data, 256);
    save_and_restore();
    write_words(data + 256, 256);
    save_and_restore();
    expect_end(0x50, 0);
    ck_assert(block_read(machine.media[0], 11 * 512, back, 512, NULL));
    ck_assert_mem_eq(data, back, 512);
    unplug();
}
END_TEST

START_TEST(states_are_described_without_gaps) {
    plug_disk();
    for (int i = 0; i < machine.devices.count; i++)
        ck_assert_int_eq(field_table_find_gap(machine.devices.entries[i].device_class->fields), -1);
    unplug();
}
END_TEST

/* An image of this many sectors, with one partition that ends at this head and sector. */
static IdeGeometry guess(uint64_t sectors, int end_head, int end_sector) {
    block_close(make_image("a.img", 512, 0, false));
    FILE *file = fopen(path_of("a.img"), "r+b");
    uint8_t record[512] = {0};
    if (end_head >= 0) {
        record[0x1BE + 5] = (uint8_t)end_head;
        record[0x1BE + 6] = (uint8_t)end_sector;
        store_le32(record + 0x1BE + 12, 1000);
        store_le16(record + 510, 0xAA55);
    }
    fwrite(record, 1, 512, file);
    fclose(file);
    ck_assert_int_eq(truncate(path_of("a.img"), (off_t)(sectors * 512)), 0);
    BlockOptions options = {.path = path_of("a.img")};
    BlockNode *node = block_open(&options, NULL);
    IdeGeometry geometry = ide_geometry_guess(node);
    block_close(node);
    return geometry;
}

START_TEST(geometries) {
    static const struct {
        uint64_t sectors;
        int end_head, end_sector;
        unsigned cylinders, heads, per_track, translation;
    } cases[] = {
        {20160, -1, 0, 20, 16, 63, IDE_TRANSLATION_NONE},
        {100, -1, 0, 2, 16, 63, IDE_TRANSLATION_NONE},
        {4000000, -1, 0, 3968, 16, 63, IDE_TRANSLATION_LBA},
        {1ull << 32, -1, 0, 16383, 16, 63, IDE_TRANSLATION_LBA},
        {20400, 3, 17, 300, 4, 17, IDE_TRANSLATION_NONE},
        {20160, 15, 63, 20, 16, 63, IDE_TRANSLATION_NONE},
        {4000000, 254, 63, 3968, 16, 63, IDE_TRANSLATION_LBA},
        {3000000, 63, 63, 2976, 16, 63, IDE_TRANSLATION_LBA},
        {8257536, 127, 63, 8192, 16, 63, IDE_TRANSLATION_LBA},
        {8300000, 254, 63, 8234, 16, 63, IDE_TRANSLATION_LBA},
        {8300000, 127, 63, 8234, 16, 63, IDE_TRANSLATION_LARGE},
        {20160, 0, 63, 20, 16, 63, IDE_TRANSLATION_NONE},
        {20160, 15, 0, 20, 16, 63, IDE_TRANSLATION_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        IdeGeometry geometry = guess(cases[i].sectors, cases[i].end_head, cases[i].end_sector);
        ck_assert_uint_eq(geometry.cylinders, cases[i].cylinders);
        ck_assert_uint_eq(geometry.heads, cases[i].heads);
        ck_assert_uint_eq(geometry.sectors, cases[i].per_track);
        ck_assert_msg(geometry.translation == cases[i].translation, "case %zu: translation %d", i,
                      geometry.translation);
    }
}
END_TEST

START_TEST(code_is_no_partition_table) {
    guess(20160, 8, 33);
    FILE *file = fopen(path_of("a.img"), "r+b");
    fseek(file, 0x1BE + 16, SEEK_SET);
    fputc('E', file);
    fclose(file);
    BlockOptions options = {.path = path_of("a.img")};
    BlockNode *node = block_open(&options, NULL);
    ck_assert_uint_eq(ide_geometry_guess(node).heads, 16);
    block_close(node);
}
END_TEST

START_TEST(random_port_accesses_are_survived) {
    plug(IDE_DRIVE_DISK, make_image("a.img", DISK_SECTORS * 512, 1, false), IDE_DRIVE_CDROM,
         make_image("b.img", 100 * 2048, 5, true));
    uint32_t random = 99;
    for (unsigned i = 0; i < 400000; i++) {
        random = random * 1664525 + 1013904223;
        uint16_t port = (uint16_t)(0x1F0 + (random >> 24 & 7));
        unsigned size = 1u << (random >> 20 & 3) % 3;
        if ((random >> 12 & 0x3F) == 0)
            port = PORT_CONTROL;
        else if ((random >> 12 & 0x3F) < 4)
            port = (uint16_t)(PORT_MASTER + (random >> 24 & 7));
        if (random >> 30)
            port_map_write(machine.ports, port, size, random >> 4);
        else
            port_map_read(machine.ports, port, size);
        if ((random & 0x700) == 0)
            next_event();
    }
    unplug();
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, reads_sectors);
    tcase_add_test(tests, reads_multiple);
    tcase_add_test(tests, writes_sectors);
    tcase_add_test(tests, extended_addresses);
    tcase_add_test(tests, cylinders_heads_sectors);
    tcase_add_test(tests, identify);
    tcase_add_test(tests, ends_of_the_disk);
    tcase_add_test(tests, image_with_a_part_of_a_sector);
    tcase_add_test(tests, two_drives_share_the_registers);
    tcase_add_test(tests, absent_drives);
    tcase_add_test(tests, software_reset);
    tcase_add_test(tests, interrupts_can_be_masked);
    tcase_add_test(tests, other_commands);
    tcase_add_test(tests, write_protected_disk);
    tcase_add_test(tests, failing_image_is_a_device_error);
    tcase_add_test(tests, saves_in_the_middle_of_a_read);
    tcase_add_test(tests, saves_in_the_middle_of_a_write);
    tcase_add_test(tests, states_are_described_without_gaps);
    tcase_add_test(tests, geometries);
    tcase_add_test(tests, code_is_no_partition_table);
    tcase_add_test(tests, random_port_accesses_are_survived);
}

int main(void) {
    return run_suite("ide_disk", add_tests);
}

/* Bus-master DMA of the PIIX3's IDE function, with honest and with hostile region tables. */
#include "ide_fixture.h"

enum { TABLE = 0x8000, MASTER_STATUS = PORT_MASTER + 2 };
enum { READ_DMA = 0xC8, WRITE_DMA = 0xCA, READ_DMA_EXT = 0x25, WRITE_DMA_EXT = 0x35 };
#define LBA 0xE0
#define DISK_SECTORS 70000

typedef struct Region {
    uint32_t address, control;
} Region;

#define LAST 0x80000000u

static uint8_t *ram(uint32_t address) {
    return physical_map_ram(machine.memory) + address;
}

static void plug_disk(void) {
    plug(IDE_DRIVE_DISK, make_image("a.img", 512 * 512, 3, false), IDE_DRIVE_NONE, NULL);
}

static void set_table(const Region *regions, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        physical_write(machine.memory, TABLE + i * 8, 4, regions[i].address);
        physical_write(machine.memory, TABLE + i * 8 + 4, 4, regions[i].control);
    }
    port_map_write(machine.ports, PORT_MASTER + 4, 4, TABLE);
    out(PORT_MASTER, 0);
    out(MASTER_STATUS, 0x06);
}

#define SET_TABLE(...)                                                                             \
    set_table((const Region[]){__VA_ARGS__}, sizeof((const Region[]){__VA_ARGS__}) / sizeof(Region))

static void wait_irq(void) {
    while (!machine.irq)
        ck_assert_msg(next_event(), "no interrupt");
}

static void expect_memory(uint32_t address, size_t size, uint64_t at) {
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(*ram(address + (uint32_t)i), image_byte(3, at + i));
}

START_TEST(reads_into_scattered_regions) {
    plug_disk();
    SET_TABLE({0x20000, 1000}, {0x10001, 48}, {0x40000, LAST | (20 * 512 - 1048)});
    command(READ_DMA, LBA, 100, 20);
    ck_assert_uint_eq(in(PORT_CONTROL), 0x80);
    out(PORT_MASTER, 0x09);
    ck_assert_uint_eq(in(MASTER_STATUS), 0x01);
    wait_irq();
    ck_assert_uint_eq(in(MASTER_STATUS), 0x04);
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    expect_memory(0x20000, 1000, 51200);
    expect_memory(0x10000, 48, 52200); /* addresses are even */
    expect_memory(0x40000, 20 * 512 - 1048, 52248);
    out(MASTER_STATUS, 0x04);
    ck_assert_uint_eq(in(MASTER_STATUS), 0x00);
    unplug();
}
END_TEST

START_TEST(writes_from_memory) {
    plug_disk();
    uint8_t back[5 * 512];
    for (unsigned i = 0; i < sizeof(back); i++)
        *ram(0x30000 + i) = (uint8_t)(i * 13);
    SET_TABLE({0x30000, LAST | sizeof(back)});
    out(PORT_MASTER, 0x01); /* started before the command is given */
    command(WRITE_DMA, LBA, 200, 5);
    wait_irq();
    ck_assert_uint_eq(in(MASTER_STATUS), 0x04);
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    ck_assert(block_read(machine.media[0], 200 * 512, back, sizeof(back), NULL));
    ck_assert_mem_eq(back, ram(0x30000), sizeof(back));
    unplug();
}
END_TEST

/* Many sectors pass to the image at once; still, a command that fails or waits in its middle has
 * done what it would have done sector by sector. */
START_TEST(long_read_fails_where_the_image_ends) {
    plug_disk();
    ck_assert_int_eq(truncate(path_of("a.img"), 40 * 512), 0);
    memset(ram(0x30000), 0xEE, 100 * 512);
    SET_TABLE({0x30000, LAST | (100 * 512)});
    command(READ_DMA, LBA, 0, 100);
    out(PORT_MASTER, 0x09);
    wait_irq();
    ck_assert_uint_eq(in(PORT_STATUS), 0x51);
    ck_assert_uint_eq(in(PORT_FEATURES), 0x40);
    ck_assert_uint_eq(in(PORT_LOW), 32); /* of the buffer that could not be filled */
    ck_assert_uint_eq(in(MASTER_STATUS), 0x05);
    expect_memory(0x30000, 32 * 512, 0);
    ck_assert_uint_eq(*ram(0x30000 + 32 * 512), 0xEE);
    unplug();
}
END_TEST

START_TEST(long_write_waits_in_its_middle) {
    plug_disk();
    uint8_t back[200 * 512];
    for (unsigned i = 0; i < sizeof(back); i++)
        *ram(0x30000 + i) = (uint8_t)(i * 13 + (i >> 9));
    SET_TABLE({0x30000, 50 * 512}, {0x30000 + 50 * 512, LAST | (100 * 512)});
    command(WRITE_DMA, LBA, 200, 200);
    out(PORT_MASTER, 0x01);
    while (next_event())
        ;
    ck_assert_int_eq(machine.irq, 0);
    ck_assert(block_read(machine.media[0], 200 * 512, back, 144 * 512, NULL)); /* whole buffers */
    ck_assert_mem_eq(back, ram(0x30000), 144 * 512);
    save_and_restore();
    SET_TABLE({0x30000 + 150 * 512, LAST | (50 * 512)});
    out(PORT_MASTER, 0x01);
    wait_irq();
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    ck_assert(block_read(machine.media[0], 200 * 512, back, sizeof(back), NULL));
    ck_assert_mem_eq(back, ram(0x30000), sizeof(back));
    unplug();
}
END_TEST

START_TEST(drive_waits_for_the_bus_master) {
    plug_disk();
    SET_TABLE({0x30000, LAST | 1024});
    command(READ_DMA, LBA, 1, 2);
    while (next_event())
        ;
    ck_assert_int_eq(machine.irq, 0);
    ck_assert_uint_eq(in(PORT_CONTROL), 0x58);
    save_and_restore();
    out(PORT_MASTER, 0x09);
    wait_irq();
    expect_memory(0x30000, 1024, 512);
    unplug();
}
END_TEST

START_TEST(saves_while_dma_is_under_way) {
    plug_disk();
    SET_TABLE({0x30000, LAST | 10240});
    command(READ_DMA, LBA, 7, 20);
    out(PORT_MASTER, 0x09);
    ByteBuffer saved = {0};
    device_list_save(&machine.devices, &saved);
    wait_irq();
    device_list_reset(&machine.devices);
    memset(ram(0x30000), 0, 10240);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    ck_assert(device_list_load(&machine.devices, &reader, NULL));
    machine.clock.stopped_ns = 0;
    clock_rebuild(&machine.clock);
    byte_buffer_free(&saved);
    machine.irq = 0;
    ck_assert_uint_eq(in(MASTER_STATUS), 0x01);
    wait_irq();
    ck_assert_uint_eq(in(MASTER_STATUS), 0x04);
    expect_memory(0x30000, 10240, 7 * 512);
    unplug();
}
END_TEST

START_TEST(extended_commands_and_full_regions) {
    plug(IDE_DRIVE_DISK, make_image("a.img", 512, 3, false), IDE_DRIVE_NONE, NULL);
    unplug();
    ck_assert_int_eq(truncate(path_of("a.img"), (off_t)DISK_SECTORS * 512), 0);
    BlockOptions options = {.path = path_of("a.img")};
    plug(IDE_DRIVE_DISK, block_open(&options, NULL), IDE_DRIVE_NONE, NULL);
    /* 65536 sectors into one region again and again: a region size of 0 means 64 KB. */
    static Region regions[512];
    for (unsigned i = 0; i < 512; i++)
        regions[i] = (Region){0x100000, i == 511 ? LAST : 0};
    set_table(regions, 512);
    memset(ram(0x100000), 0x99, 65536);
    command_48(WRITE_DMA_EXT, LBA, 1000, 0);
    out(PORT_MASTER, 0x01);
    wait_irq();
    ck_assert_uint_eq(in(MASTER_STATUS), 0x04);
    ck_assert_uint_eq(in(PORT_STATUS), 0x50);
    uint8_t sector[1024];
    ck_assert(block_read(machine.media[0], (1000ull + 65535) * 512, sector, 1024, NULL));
    ck_assert_uint_eq(sector[511], 0x99);
    ck_assert_uint_eq(sector[512], 0);
    memset(ram(0x100000), 0, 65536);
    out(PORT_MASTER, 0x00);
    out(MASTER_STATUS, 0x04);
    command_48(READ_DMA_EXT, LBA, 66400, 200);
    out(PORT_MASTER, 0x09);
    wait_irq();
    ck_assert_uint_eq(*ram(0x100000 + 65535), 0x99);
    unplug();
}
END_TEST

START_TEST(table_too_small_or_too_large) {
    plug_disk();
    SET_TABLE({0x30000, LAST | 512});
    command(READ_DMA, LBA, 10, 2);
    out(PORT_MASTER, 0x09);
    while (next_event())
        ;
    ck_assert_int_eq(machine.irq, 0); /* the drive still has data that nobody takes */
    ck_assert_uint_eq(in(MASTER_STATUS), 0x00);
    expect_memory(0x30000, 512, 10 * 512);
    out(PORT_CONTROL, 0x04);
    out(PORT_CONTROL, 0x00);
    ck_assert_uint_eq(wait_not_busy(), 0x50);

    SET_TABLE({0x30000, 4096}, {0x40000, LAST | 4096});
    command(READ_DMA, LBA, 10, 2);
    out(PORT_MASTER, 0x09);
    wait_irq();
    ck_assert_uint_eq(in(MASTER_STATUS), 0x05); /* interrupt, and still active */
    out(PORT_MASTER, 0x00);
    ck_assert_uint_eq(in(MASTER_STATUS), 0x04);
    unplug();
}
END_TEST

START_TEST(hostile_tables_are_bounded) {
    plug_disk();
    memset(ram(0), 0, 1u << 20);
    /* Tables of two-byte regions without an end; in nothing; in firmware; past the end of memory.
     */
    static const uint32_t tables[] = {0x0, 0xFFFFFFFC, 0x1FFFF8, 0xF0000, 0xA0000, 0xFFFF0000};
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (unsigned k = 0; k < 2; k++) {
            out(PORT_MASTER, 0);
            port_map_write(machine.ports, PORT_MASTER + 4, 4, tables[i]);
            command(k == 0 ? READ_DMA : WRITE_DMA, LBA, 0, 0);
            out(PORT_MASTER, k == 0 ? 0x09 : 0x01);
            while (next_event())
                ;
            out(PORT_CONTROL, 0x04);
            out(PORT_CONTROL, 0x00);
            wait_not_busy();
        }
    }
    for (uint32_t i = 0; i < 100000; i += 8) {
        physical_write(machine.memory, 0x100000 + i, 4, 0x30000);
        physical_write(machine.memory, 0x100000 + i + 4, 4, 2);
    }
    port_map_write(machine.ports, PORT_MASTER + 4, 4, 0x100000);
    out(PORT_MASTER, 0);
    out(MASTER_STATUS, 0x06);
    command(READ_DMA, LBA, 0, 100);
    out(PORT_MASTER, 0x09);
    while (next_event())
        ;
    ck_assert_int_eq(machine.irq, 0);
    ck_assert_uint_eq(in(MASTER_STATUS), 0x02); /* stopped after a table of 64 KB */
    unplug();
}
END_TEST

START_TEST(needs_bus_mastering_enabled) {
    plug_disk();
    pci_device_config_write(machine.function, PCI_COMMAND, 2, PCI_COMMAND_IO);
    SET_TABLE({0x30000, LAST | 512});
    memset(ram(0x30000), 0xEE, 512);
    command(READ_DMA, LBA, 10, 1);
    out(PORT_MASTER, 0x09);
    while (next_event())
        ;
    ck_assert_uint_eq(*ram(0x30000), 0xEE);
    unplug();
}
END_TEST

START_TEST(pci_function) {
    plug_disk();
    ck_assert_uint_eq(pci_device_config_read(machine.function, 0, 4), 0x70108086);
    ck_assert_uint_eq(pci_device_config_read(machine.function, 8, 4) >> 8, 0x010180);
    ck_assert_uint_eq(pci_device_config_read(machine.function, 0x20, 4), PORT_MASTER | 1);
    pci_device_config_write(machine.function, 0x40, 2, 0x8000);
    ck_assert_uint_eq(pci_device_config_read(machine.function, 0x40, 2), 0x8000);
    pci_device_config_write(machine.function, 0x20, 4, 0xFFFFFFFF);
    ck_assert_uint_eq(pci_device_config_read(machine.function, 0x20, 4), 0xFFFFFFF1);
    ck_assert_uint_eq(in(PORT_MASTER + 2), 0xFF); /* moved away */
    pci_device_config_write(machine.function, 0x20, 4, 0xD000);
    out(0xD00A, 0x60); /* the secondary channel's status: drives are capable */
    ck_assert_uint_eq(in(0xD00A), 0x60);
    ck_assert_uint_eq(in(0xD002), 0x00);
    unplug();
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, reads_into_scattered_regions);
    tcase_add_test(tests, writes_from_memory);
    tcase_add_test(tests, long_read_fails_where_the_image_ends);
    tcase_add_test(tests, long_write_waits_in_its_middle);
    tcase_add_test(tests, drive_waits_for_the_bus_master);
    tcase_add_test(tests, saves_while_dma_is_under_way);
    tcase_add_test(tests, extended_commands_and_full_regions);
    tcase_add_test(tests, table_too_small_or_too_large);
    tcase_add_test(tests, hostile_tables_are_bounded);
    tcase_add_test(tests, needs_bus_mastering_enabled);
    tcase_add_test(tests, pci_function);
}

int main(void) {
    return run_suite("piix3_ide", add_tests);
}

#include "chip_fixture.h"
#include "fw_cfg.h"
#include <string.h>

enum { SELECTOR = 0x510, DATA = 0x511, DMA = 0x514, REQUEST = 0x5000 };

static ChipFixture *fixture;
static FwCfg *fw_cfg;

static void setup(void) {
    fixture = chip_fixture_create();
    fw_cfg = fw_cfg_create(&fixture->context, NULL);
    ck_assert_ptr_nonnull(fw_cfg);
}

static void teardown(void) {
    fw_cfg_destroy(fw_cfg);
    chip_fixture_destroy(fixture);
}

static void select_item(uint16_t key) {
    port_map_write(fixture->context.ports, SELECTOR, 2, key);
}

static uint64_t read_number(unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)port_in(fixture, DATA) << (8 * i);
    return value;
}

static uint64_t read_big(unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | port_in(fixture, DATA);
    return value;
}

static void put_big(uint8_t *to, unsigned bytes, uint64_t value) {
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

/* Runs a DMA request; returns its control word afterwards. */
static uint32_t run_dma(uint32_t control, uint32_t length, uint64_t address) {
    uint8_t request[16];
    put_big(request, 4, control);
    put_big(request + 4, 4, length);
    put_big(request + 8, 8, address);
    physical_write_bytes(fixture->context.memory, REQUEST, request, sizeof request);
    port_map_write(fixture->context.ports, DMA, 4, 0);
    port_map_write(fixture->context.ports, DMA + 4, 4, __builtin_bswap32(REQUEST));
    physical_read_bytes(fixture->context.memory, REQUEST, request, 4);
    return (uint32_t)request[0] << 24 | request[1] << 16 | request[2] << 8 | request[3];
}

START_TEST(signature_and_version) {
    select_item(FW_CFG_SIGNATURE);
    ck_assert_uint_eq(read_big(4), 0x51454D55); /* "QEMU" */
    ck_assert_uint_eq(read_big(4), 0);          /* zeros past the end */
    select_item(FW_CFG_ID);
    ck_assert_uint_eq(read_number(4), 3);
    ck_assert_uint_eq(port_map_read(fixture->context.ports, DMA, 4), 0x554D4551);
    ck_assert_uint_eq(port_map_read(fixture->context.ports, DMA + 4, 4), 0x47464320);
}
END_TEST

START_TEST(numbered_items) {
    fw_cfg_set_number(fw_cfg, FW_CFG_CPU_COUNT, 4, 2);
    fw_cfg_set_number(fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1, 4);
    select_item(FW_CFG_CPU_COUNT);
    ck_assert_uint_eq(read_number(2), 4);
    select_item(FW_CFG_IRQ0_OVERRIDE);
    ck_assert_uint_eq(read_number(4), 1);
    fw_cfg_set_number(fw_cfg, FW_CFG_CPU_COUNT, 2, 2);
    select_item(FW_CFG_CPU_COUNT);
    ck_assert_uint_eq(read_number(2), 2);
    select_item(0x3FFF);
    ck_assert_uint_eq(read_number(4), 0);
    select_item(0xFFFF);
    ck_assert_uint_eq(read_number(4), 0);
}
END_TEST

START_TEST(files_are_listed) {
    ck_assert(fw_cfg_add_file(fw_cfg, "bootorder", "disk\n", 6, NULL));
    ck_assert(fw_cfg_add_file(fw_cfg, "etc/e820", "12345678901234567890", 20, NULL));
    ck_assert(fw_cfg_add_file(fw_cfg, "bootorder", "hd", 3, NULL)); /* in its place */
    select_item(FW_CFG_FILE_DIRECTORY);
    ck_assert_uint_eq(read_big(4), 2);
    ck_assert_uint_eq(read_big(4), 3);
    ck_assert_uint_eq(read_big(2), 0x20);
    ck_assert_uint_eq(read_big(2), 0);
    char name[FW_CFG_FILE_NAME_SIZE];
    for (unsigned i = 0; i < sizeof name; i++)
        name[i] = (char)port_in(fixture, DATA);
    ck_assert_str_eq(name, "bootorder");
    ck_assert_uint_eq(read_big(4), 20);
    ck_assert_uint_eq(read_big(2), 0x21);
    select_item(0x20);
    ck_assert_uint_eq(read_big(3), 'h' << 16 | 'd' << 8);
    select_item(0x21);
    ck_assert_uint_eq(read_big(3), 0x313233);
}
END_TEST

START_TEST(too_many_or_too_long_files) {
    Error error = {0};
    char name[100];
    memset(name, 'n', sizeof name);
    name[56] = 0;
    ck_assert(!fw_cfg_add_file(fw_cfg, name, "", 0, &error));
    for (int i = 0; i < FW_CFG_FILES; i++) {
        snprintf(name, sizeof name, "file%d", i);
        ck_assert(fw_cfg_add_file(fw_cfg, name, name, 3, NULL));
    }
    error.set = false;
    ck_assert(!fw_cfg_add_file(fw_cfg, "one-more", "", 0, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "one-more"));
    ck_assert(fw_cfg_add_file(fw_cfg, "file7", "new", 3, NULL));
}
END_TEST

START_TEST(dma_reads_and_skips) {
    uint8_t *ram = physical_map_ram(fixture->context.memory);
    fw_cfg_add_file(fw_cfg, "data", "0123456789", 10, NULL);
    memset(ram + 0x8000, 0xAA, 32);
    ck_assert_uint_eq(run_dma(0x20u << 16 | 0x0A, 4, 0x8000), 0); /* select and read */
    ck_assert_mem_eq(ram + 0x8000, "0123\xAA", 5);
    ck_assert_uint_eq(run_dma(0x04, 2, 0), 0);
    ck_assert_uint_eq(run_dma(0x02, 8, 0x8000), 0);
    ck_assert_mem_eq(ram + 0x8000, "6789\0\0\0\0\xAA", 9);
}
END_TEST

START_TEST(bad_dma_requests_fail) {
    ck_assert_uint_eq(run_dma(0x02, 0xFFFFFFFF, 0x8000), 1);
    ck_assert_uint_eq(run_dma(0x02, 4, 0x100000000ULL), 1);
    ck_assert_uint_eq(run_dma(0x02, 4, 0xFFFFFFFFFFFFFFFEULL), 1);
    ck_assert_uint_eq(run_dma(0x10, 4, 0x8000), 1); /* nothing can be written */
    ck_assert_uint_eq(run_dma(0x04, 0xFFFFFFFF, 0), 0);
    ck_assert_uint_eq(run_dma(0x04, 0xFFFFFFFF, 0), 0);
    ck_assert_uint_eq(run_dma(0x02, 4, 0xFFFFFFF0), 0); /* where no memory is */
    port_map_write(fixture->context.ports, DMA, 4, 0xFFFFFFFF);
    port_map_write(fixture->context.ports, DMA + 4, 4, 0xFFFFFFFF);
}
END_TEST

static void change(ChipFixture *board) {
    port_in(board, DATA);
    select_item(0x19);
    port_map_write(board->context.ports, DMA, 4, 0x12345678);
}

START_TEST(saves_and_restores) {
    select_item(FW_CFG_ID);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    fw_cfg_add_file(fw_cfg, "data", "0123456789", 10, NULL);
    check_survives_random_accesses(fixture, 0x510, 12, 20000);
}
END_TEST

START_TEST(items_are_shared_with_another_machine) {
    ChipFixture *other = chip_fixture_create();
    FwCfg *taker = fw_cfg_create(&other->context, NULL);
    fw_cfg_set_number(fw_cfg, FW_CFG_CPU_COUNT, 0x1234, 2);
    ck_assert(fw_cfg_add_file(fw_cfg, "etc/file", "abc", 3, NULL));
    FwCfgItems *items = fw_cfg_share_items(fw_cfg);
    fw_cfg_set_number(fw_cfg, FW_CFG_CPU_COUNT, 1, 2); /* not seen by others any more */
    fw_cfg_set_items(taker, items);
    fw_cfg_release_items(items);
    port_map_write(other->context.ports, SELECTOR, 2, FW_CFG_CPU_COUNT);
    ck_assert_uint_eq(port_in(other, DATA), 0x34);
    ck_assert_uint_eq(port_in(other, DATA), 0x12);
    port_map_write(other->context.ports, SELECTOR, 2, FW_CFG_FILE_FIRST);
    ck_assert_uint_eq(port_in(other, DATA), 'a');
    port_map_write(other->context.ports, SELECTOR, 2, FW_CFG_FILE_DIRECTORY);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(port_in(other, DATA), i == 3);
    fw_cfg_destroy(taker);
    chip_fixture_destroy(other);
    select_item(FW_CFG_CPU_COUNT);
    ck_assert_uint_eq(read_number(2), 1);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, signature_and_version);
    tcase_add_test(tests, numbered_items);
    tcase_add_test(tests, files_are_listed);
    tcase_add_test(tests, too_many_or_too_long_files);
    tcase_add_test(tests, dma_reads_and_skips);
    tcase_add_test(tests, bad_dma_requests_fail);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
    tcase_add_test(tests, items_are_shared_with_another_machine);
}

int main(void) {
    return run_suite("fw_cfg", add);
}

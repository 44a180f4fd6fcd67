#include "chip_fixture.h"
#include "i8237.h"
#include <string.h>

static ChipFixture *fixture;
static I8237 *dma;
static uint8_t buffer[0x20000];

enum { WRITE_SINGLE = 0x44, READ_SINGLE = 0x48, VERIFY_SINGLE = 0x40, AUTO = 0x10, DOWN = 0x20 };

static void setup(void) {
    fixture = chip_fixture_create();
    dma = i8237_create(&fixture->context, NULL);
    ck_assert_ptr_nonnull(dma);
    port_out(fixture, 0xD6, 0xC0); /* channel 4 cascades */
    port_out(fixture, 0xD4, 0x00);
}

static void teardown(void) {
    i8237_destroy(dma);
    chip_fixture_destroy(fixture);
}

static void program_channel(unsigned channel, uint8_t mode, uint8_t page, uint16_t address,
                            uint16_t count) {
    static const uint8_t pages[] = {0x87, 0x83, 0x81, 0x82, 0x8F, 0x8B, 0x89, 0x8A};
    unsigned index = channel & 3, step = channel >= 4 ? 2 : 1;
    uint16_t base = channel >= 4 ? 0xC0 : 0x00;
    port_out(fixture, (uint16_t)(base + 10 * step), (uint8_t)(4 | index));
    port_out(fixture, (uint16_t)(base + 12 * step), 0);
    port_out(fixture, (uint16_t)(base + 11 * step), (uint8_t)(mode | index));
    port_out(fixture, (uint16_t)(base + 2 * index * step), (uint8_t)address);
    port_out(fixture, (uint16_t)(base + 2 * index * step), (uint8_t)(address >> 8));
    port_out(fixture, (uint16_t)(base + (2 * index + 1) * step), (uint8_t)count);
    port_out(fixture, (uint16_t)(base + (2 * index + 1) * step), (uint8_t)(count >> 8));
    port_out(fixture, pages[channel], page);
    port_out(fixture, (uint16_t)(base + 10 * step), (uint8_t)index);
}

static unsigned current(unsigned channel, unsigned which) {
    port_out(fixture, 0x0C, 0);
    unsigned low = port_in(fixture, (uint16_t)(2 * channel + which));
    return low | (unsigned)port_in(fixture, (uint16_t)(2 * channel + which)) << 8;
}

static void fill(uint8_t first, size_t size) {
    for (size_t i = 0; i < size; i++)
        buffer[i] = (uint8_t)(first + i);
}

START_TEST(writes_memory_up_to_terminal_count) {
    bool terminal;
    program_channel(2, WRITE_SINGLE, 0x01, 0x2345, 99);
    fill(1, 200);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, 60, DMA_TO_MEMORY, &terminal), 60);
    ck_assert(!terminal);
    ck_assert_uint_eq(current(2, 0), 0x2345 + 60);
    ck_assert_uint_eq(current(2, 1), 39);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer + 60, 60, DMA_TO_MEMORY, &terminal), 40);
    ck_assert(terminal);
    ck_assert_mem_eq(physical_map_ram(fixture->context.memory) + 0x12345, buffer, 100);
    ck_assert_uint_eq(physical_map_ram(fixture->context.memory)[0x12345 + 100], 0);
    ck_assert_uint_eq(port_in(fixture, 0x08) & 0x0F, 0x04);
    ck_assert_uint_eq(port_in(fixture, 0x08) & 0x0F, 0x00);
    /* It has masked itself. */
    ck_assert(!i8237_is_ready(dma, 2));
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, 10, DMA_TO_MEMORY, &terminal), 0);
    ck_assert_uint_eq(current(2, 1), 0xFFFF);
}
END_TEST

START_TEST(reads_memory) {
    fill(7, 50);
    physical_write_bytes(fixture->context.memory, 0x54321, buffer, 50);
    program_channel(1, READ_SINGLE, 0x05, 0x4321, 49);
    uint8_t got[50];
    ck_assert_uint_eq(i8237_transfer(dma, 1, got, 50, DMA_FROM_MEMORY, NULL), 50);
    ck_assert_mem_eq(got, buffer, 50);
}
END_TEST

START_TEST(addresses_wrap_within_the_page) {
    program_channel(2, WRITE_SINGLE, 0x01, 0xFFF0, 0x1F);
    fill(0x10, 32);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, 32, DMA_TO_MEMORY, NULL), 32);
    ck_assert_mem_eq(physical_map_ram(fixture->context.memory) + 0x1FFF0, buffer, 16);
    ck_assert_mem_eq(physical_map_ram(fixture->context.memory) + 0x10000, buffer + 16, 16);
    ck_assert_uint_eq(physical_map_ram(fixture->context.memory)[0x20000], 0);
}
END_TEST

START_TEST(decrements) {
    program_channel(3, WRITE_SINGLE | DOWN, 0x00, 0x9003, 3);
    fill(1, 4);
    ck_assert_uint_eq(i8237_transfer(dma, 3, buffer, 4, DMA_TO_MEMORY, NULL), 4);
    ck_assert_mem_eq(physical_map_ram(fixture->context.memory) + 0x9000, "\4\3\2\1", 4);
}
END_TEST

START_TEST(auto_initialises) {
    bool terminal;
    program_channel(1, WRITE_SINGLE | AUTO, 0x00, 0x8000, 7);
    fill(0, 8);
    ck_assert_uint_eq(i8237_transfer(dma, 1, buffer, 20, DMA_TO_MEMORY, &terminal), 8);
    ck_assert(terminal);
    ck_assert(i8237_is_ready(dma, 1));
    ck_assert_uint_eq(current(1, 0), 0x8000);
    ck_assert_uint_eq(current(1, 1), 7);
}
END_TEST

START_TEST(verify_counts_without_touching) {
    bool terminal;
    program_channel(2, VERIFY_SINGLE, 0x00, 0x8000, 7);
    fill(1, 8);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, 8, DMA_TO_MEMORY, &terminal), 8);
    ck_assert(terminal);
    ck_assert_uint_eq(physical_map_ram(fixture->context.memory)[0x8000], 0);
    program_channel(2, WRITE_SINGLE, 0x00, 0x8000, 7); /* the wrong way round */
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, 8, DMA_FROM_MEMORY, &terminal), 8);
    ck_assert_uint_eq(buffer[0], 0);
}
END_TEST

START_TEST(word_channels) {
    program_channel(5, WRITE_SINGLE, 0x03, 0x8000, 9); /* bit 0 of the page does not count */
    fill(1, 32);
    ck_assert_uint_eq(i8237_transfer(dma, 5, buffer, 7, DMA_TO_MEMORY, NULL), 6);
    ck_assert_uint_eq(i8237_transfer(dma, 5, buffer + 6, 26, DMA_TO_MEMORY, NULL), 14);
    ck_assert_mem_eq(physical_map_ram(fixture->context.memory) + 0x30000, buffer, 20);
    ck_assert_uint_eq(physical_map_ram(fixture->context.memory)[0x30014], 0);
}
END_TEST

START_TEST(disabled_and_cascaded_channels_stand) {
    program_channel(2, WRITE_SINGLE, 0x00, 0x8000, 99);
    ck_assert(i8237_is_ready(dma, 2));
    port_out(fixture, 0x08, 0x04);
    ck_assert(!i8237_is_ready(dma, 2));
    port_out(fixture, 0x08, 0x00);
    port_out(fixture, 0xD4, 0x04); /* channel 4 masked: the first controller is cut off */
    ck_assert(!i8237_is_ready(dma, 2));
    port_out(fixture, 0xDC, 0x00);
    ck_assert(i8237_is_ready(dma, 2));
    port_out(fixture, 0x0D, 0x00);
    ck_assert(!i8237_is_ready(dma, 2));
    ck_assert_uint_eq(port_in(fixture, 0x0F) & 0x0F, 0x0F);
    ck_assert(!i8237_is_ready(dma, 4));
    ck_assert(!i8237_is_ready(dma, 99));
}
END_TEST

START_TEST(requests_show_in_the_status) {
    i8237_set_request(dma, 2, 1);
    ck_assert_uint_eq(port_in(fixture, 0x08), 0x40);
    i8237_set_request(dma, 2, 0);
    i8237_set_request(dma, 7, 1);
    ck_assert_uint_eq(port_in(fixture, 0x08), 0x00);
    ck_assert_uint_eq(port_in(fixture, 0xD0), 0x80);
}
END_TEST

START_TEST(largest_transfer) {
    program_channel(2, WRITE_SINGLE, 0x00, 0x1234, 0xFFFF);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, sizeof buffer, DMA_TO_MEMORY, NULL), 0x10000);
    program_channel(2, WRITE_SINGLE, 0xFF, 0x0000, 0xFFFF); /* where there is no memory */
    ck_assert_uint_eq(i8237_transfer(dma, 2, buffer, sizeof buffer, DMA_TO_MEMORY, NULL), 0x10000);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    i8237_transfer(dma, 2, buffer, 10, DMA_TO_MEMORY, NULL);
    port_out(fixture, 0x80, 0x77);
    port_out(fixture, 0x02, 0x77);
}

START_TEST(saves_and_restores) {
    program_channel(2, WRITE_SINGLE, 0x00, 0x8000, 99);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 200; round++) {
        check_survives_random_accesses(fixture, 0x00, 16, 50);
        check_survives_random_accesses(fixture, 0x80, 16, 20);
        check_survives_random_accesses(fixture, 0xC0, 32, 50);
        port_out(fixture, 0x0E, 0);
        port_out(fixture, 0xDC, 0);
        port_out(fixture, 0x08, 0);
        port_out(fixture, 0xD0, 0);
        i8237_transfer(dma, (unsigned)round % 8, buffer, 4096, (DmaDirection)(round & 1), NULL);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, writes_memory_up_to_terminal_count);
    tcase_add_test(tests, reads_memory);
    tcase_add_test(tests, addresses_wrap_within_the_page);
    tcase_add_test(tests, decrements);
    tcase_add_test(tests, auto_initialises);
    tcase_add_test(tests, verify_counts_without_touching);
    tcase_add_test(tests, word_channels);
    tcase_add_test(tests, disabled_and_cascaded_channels_stand);
    tcase_add_test(tests, requests_show_in_the_status);
    tcase_add_test(tests, largest_transfer);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("i8237", add);
}

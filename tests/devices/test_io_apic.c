#include "chip_fixture.h"
#include "io_apic.h"

#define BASE 0xFEC00000u

enum { ID = 0, VERSION = 1, ARBITRATION = 2, TABLE = 0x10 };

static ChipFixture *fixture;
static IoApic *apic;
static ApicMessage messages[64];
static unsigned message_count;
static bool accepts;

static bool receive(void *opaque, const ApicMessage *message) {
    (void)opaque;
    if (accepts)
        messages[message_count++ % 64] = *message;
    return accepts;
}

static void select_register(unsigned index) {
    physical_write(fixture->context.memory, BASE, 4, index);
}

static void put(unsigned index, uint32_t value) {
    select_register(index);
    physical_write(fixture->context.memory, BASE + 0x10, 4, value);
}

static uint32_t get(unsigned index) {
    select_register(index);
    return (uint32_t)physical_read(fixture->context.memory, BASE + 0x10, 4);
}

static void put_entry(unsigned pin, uint32_t high, uint32_t low) {
    put(TABLE + 2 * pin + 1, high);
    put(TABLE + 2 * pin, low);
}

static void setup(void) {
    fixture = chip_fixture_create();
    message_count = 0;
    accepts = true;
    ApicBus bus = {receive, NULL};
    apic = io_apic_create(&fixture->context, &bus, NULL);
    ck_assert_ptr_nonnull(apic);
}

static void teardown(void) {
    io_apic_destroy(apic);
    chip_fixture_destroy(fixture);
}

START_TEST(registers_keep_their_bits) {
    ck_assert_uint_eq(get(VERSION), 0x00170011);
    put(VERSION, 0xFFFFFFFF);
    ck_assert_uint_eq(get(VERSION), 0x00170011);
    put(ID, 0xFFFFFFFF);
    ck_assert_uint_eq(get(ID), 0x0F000000);
    ck_assert_uint_eq(get(ARBITRATION), 0x0F000000);
    for (unsigned pin = 0; pin < IO_APIC_PINS; pin++) {
        ck_assert_uint_eq(get(TABLE + 2 * pin), IO_APIC_MASKED);
        put_entry(pin, 0xFFFFFFFF, 0xFFFFFFFF);
        ck_assert_uint_eq(get(TABLE + 2 * pin), 0x1AFFF);
        ck_assert_uint_eq(get(TABLE + 2 * pin + 1), 0xFF000000);
    }
    ck_assert_uint_eq(get(TABLE + 2 * IO_APIC_PINS), 0);
    ck_assert_uint_eq(get(0xFF), 0);
    ck_assert_uint_eq(physical_read(fixture->context.memory, BASE, 4), 0xFF);
}
END_TEST

START_TEST(edge_becomes_one_message) {
    put_entry(4, 0x12000000, 0x0933); /* lowest priority, logical */
    io_apic_set_pin(apic, 4, 1);
    io_apic_set_pin(apic, 4, 1);
    ck_assert_uint_eq(message_count, 1);
    ck_assert_uint_eq(messages[0].vector, 0x33);
    ck_assert_uint_eq(messages[0].destination, 0x12);
    ck_assert_uint_eq(messages[0].delivery_mode, APIC_DELIVERY_LOWEST_PRIORITY);
    ck_assert(messages[0].logical);
    ck_assert(!messages[0].level);
    io_apic_set_pin(apic, 4, 0);
    io_apic_set_pin(apic, 4, 1);
    ck_assert_uint_eq(message_count, 2);
    io_apic_set_pin(apic, 4, 0);
    /* An edge at a masked pin is lost. */
    put(TABLE + 8, 0x10033);
    io_apic_set_pin(apic, 4, 1);
    put(TABLE + 8, 0x33);
    ck_assert_uint_eq(message_count, 2);
}
END_TEST

START_TEST(level_waits_for_its_end) {
    put_entry(11, 0, 0x8055);
    io_apic_set_pin(apic, 11, 1);
    ck_assert_uint_eq(message_count, 1);
    ck_assert(messages[0].level);
    ck_assert_uint_eq(get(TABLE + 22), 0xC055); /* remote IRR */
    io_apic_set_pin(apic, 11, 0);
    io_apic_set_pin(apic, 11, 1);
    ck_assert_uint_eq(message_count, 1);
    io_apic_end_of_interrupt(apic, 0x54); /* not its own */
    ck_assert_uint_eq(message_count, 1);
    io_apic_end_of_interrupt(apic, 0x55);
    ck_assert_uint_eq(message_count, 1); /* still high, but that takes its time */
    chip_fixture_run(fixture, 10000);
    ck_assert_uint_eq(message_count, 2);
    io_apic_set_pin(apic, 11, 0);
    io_apic_end_of_interrupt(apic, 0x55);
    ck_assert_uint_eq(message_count, 2);
    ck_assert_uint_eq(get(TABLE + 22), 0x8055);
    /* Unmasking a pin that is high sends. */
    put(TABLE + 22, 0x18055);
    io_apic_set_pin(apic, 11, 1);
    ck_assert_uint_eq(message_count, 2);
    put(TABLE + 22, 0x8055);
    ck_assert_uint_eq(message_count, 3);
}
END_TEST

/* An interrupt that nobody can serve yet must leave time for what it interrupts. */
START_TEST(storm_lets_the_processor_go_on) {
    put_entry(11, 0, 0x8055);
    io_apic_set_pin(apic, 11, 1);
    for (unsigned i = 1; i <= 5; i++) {
        ck_assert_uint_eq(message_count, i);
        io_apic_end_of_interrupt(apic, 0x55);
        chip_fixture_run(fixture, 1000);
        ck_assert_uint_eq(message_count, i);
        chip_fixture_run(fixture, 1001);
    }
    /* What was asserted meanwhile and is no more is forgotten; another pin does not wait. */
    io_apic_end_of_interrupt(apic, 0x55);
    io_apic_set_pin(apic, 11, 0);
    unsigned before = message_count;
    put_entry(12, 0, 0x8056);
    io_apic_set_pin(apic, 12, 1);
    ck_assert_uint_eq(message_count, before + 1);
    chip_fixture_run(fixture, 10000);
    ck_assert_uint_eq(message_count, before + 1);
}
END_TEST

START_TEST(edge_mode_clears_remote_irr) {
    put_entry(11, 0, 0x8055);
    io_apic_set_pin(apic, 11, 1);
    put(TABLE + 22, 0x10055);
    ck_assert_uint_eq(get(TABLE + 22), 0x10055);
    put(TABLE + 22, 0x8055);
    ck_assert_uint_eq(message_count, 2);
}
END_TEST

START_TEST(level_that_nobody_takes_is_kept) {
    put_entry(9, 0, 0x8066);
    accepts = false;
    io_apic_set_pin(apic, 9, 1);
    ck_assert_uint_eq(get(TABLE + 18), 0x8066);
    accepts = true;
    put(TABLE + 18, 0x8066); /* the next occasion */
    ck_assert_uint_eq(message_count, 1);
    ck_assert_uint_eq(get(TABLE + 18), 0xC066);
}
END_TEST

START_TEST(other_modes_are_edges) {
    static const unsigned modes[] = {APIC_DELIVERY_SMI, APIC_DELIVERY_NMI, APIC_DELIVERY_INIT,
                                     APIC_DELIVERY_EXTINT};
    for (unsigned i = 0; i < 4; i++) {
        put_entry(i, 0, 0x8000 | modes[i] << 8);
        io_apic_set_pin(apic, (int)i, 1);
        ck_assert_uint_eq(message_count, i + 1);
        ck_assert_uint_eq(messages[i].delivery_mode, modes[i]);
        ck_assert(!messages[i].level);
        ck_assert_uint_eq(get(TABLE + 2 * i), 0x8000 | modes[i] << 8);
    }
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    put_entry(7, 0x01000000, 0x8077);
    io_apic_set_pin(apic, 7, 1);
    put(ID, 0x05000000);
}

START_TEST(saves_and_restores) {
    io_apic_set_pin(apic, 3, 1);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    uint64_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t random = (uint32_t)(seed >> 32), value = (uint32_t)(seed >> 8);
        uint32_t address = BASE + (random & 0x10) + (random >> 8) % 64 * (random >> 15 & 1);
        accepts = random >> 5 & 1;
        if (random & 0x2000)
            physical_read(fixture->context.memory, address, 1u << (random >> 14) % 4);
        else
            physical_write(fixture->context.memory, address, 1u << (random >> 14) % 4, value);
        io_apic_set_pin(apic, (int)(random >> 16) % 32 - 4, random >> 24 & 1);
        io_apic_end_of_interrupt(apic, (uint8_t)(random >> 20));
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, registers_keep_their_bits);
    tcase_add_test(tests, edge_becomes_one_message);
    tcase_add_test(tests, level_waits_for_its_end);
    tcase_add_test(tests, storm_lets_the_processor_go_on);
    tcase_add_test(tests, edge_mode_clears_remote_irr);
    tcase_add_test(tests, level_that_nobody_takes_is_kept);
    tcase_add_test(tests, other_modes_are_edges);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("io_apic", add);
}

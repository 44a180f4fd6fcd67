#include "chip_fixture.h"
#include "hpet.h"

static ChipFixture *fixture;
static Hpet *hpet;
static Probe irq0, irq8, pin2;

enum {
    CONFIG = 0x10,
    STATUS = 0x20,
    COUNTER = 0xF0,
    TIMER0 = 0x100,
    TIMER1 = 0x120,
    TIMER2 = 0x140
};
enum { COMPARATOR = 8 };
enum {
    LEVEL = 2,
    INTERRUPTS = 4,
    PERIODIC = 8,
    SET_VALUE = 0x40,
    BITS_32 = 0x100,
    ROUTE_2 = 2 << 9
};

static void setup(void) {
    fixture = chip_fixture_create();
    irq0 = irq8 = pin2 = (Probe){0};
    HpetOptions options = {.irq0 = probe_wire(&irq0), .irq8 = probe_wire(&irq8), .route_mask = 4};
    options.routes[2] = probe_wire(&pin2);
    hpet = hpet_create(&fixture->context, &options, NULL);
    ck_assert_ptr_nonnull(hpet);
}

static void teardown(void) {
    hpet_destroy(hpet);
    chip_fixture_destroy(fixture);
}

static uint32_t get(uint32_t offset) {
    return (uint32_t)physical_read(fixture->context.memory, HPET_BASE + offset, 4);
}

static void set(uint32_t offset, uint32_t value) {
    physical_write(fixture->context.memory, HPET_BASE + offset, 4, value);
}

static void run_ticks(int64_t ticks) {
    chip_fixture_run(fixture, ticks * HPET_TICK_NS);
}

START_TEST(tells_what_it_can) {
    ck_assert_uint_eq(get(0), 0x8086A201);
    ck_assert_uint_eq(get(4), 10000000);
    ck_assert_uint_eq(get(TIMER0), 0x30);
    ck_assert_uint_eq(get(TIMER0 + 4), 4);
    set(0, 0);
    set(4, 0);
    ck_assert_uint_eq(get(0), 0x8086A201);
    set(TIMER0, 0xFFFFFFFF);
    ck_assert_uint_eq(get(TIMER0) & 0xC000, 0); /* no messages */
}
END_TEST

START_TEST(counts_while_enabled) {
    run_ticks(100);
    ck_assert_uint_eq(get(COUNTER), 0);
    set(CONFIG, 1);
    run_ticks(100);
    ck_assert_uint_eq(get(COUNTER), 100);
    set(CONFIG, 0);
    run_ticks(100);
    ck_assert_uint_eq(get(COUNTER), 100);
    set(COUNTER, 0xFFFFFFF0);
    set(COUNTER + 4, 7);
    set(CONFIG, 1);
    run_ticks(0x20);
    ck_assert_uint_eq(get(COUNTER), 0x10);
    ck_assert_uint_eq(get(COUNTER + 4), 8);
}
END_TEST

START_TEST(one_shot_fires_once_and_exactly) {
    set(TIMER0, INTERRUPTS | ROUTE_2);
    set(TIMER0 + COMPARATOR, 1000);
    set(TIMER0 + COMPARATOR + 4, 0);
    set(CONFIG, 1);
    run_ticks(999);
    ck_assert_int_eq(pin2.rises, 0);
    run_ticks(1);
    ck_assert_int_eq(pin2.rises, 1);
    ck_assert_int_eq(pin2.level, 1); /* or the interrupt controller would forget it */
    run_ticks(1000000);
    ck_assert_int_eq(pin2.rises, 1);
    ck_assert_uint_eq(get(STATUS), 0);
    ck_assert_int_eq(irq0.rises, 0);
    set(TIMER0, ROUTE_2);
    ck_assert_int_eq(pin2.level, 0);
}
END_TEST

/* Its comparator equals the counter once in 2^32 cycles, or in 2^64. */
START_TEST(a_comparator_in_the_past_waits_for_the_wrap) {
    set(CONFIG, 1);
    run_ticks(1000);
    set(TIMER0, INTERRUPTS | ROUTE_2 | BITS_32);
    set(TIMER0 + COMPARATOR, 500);
    run_ticks(0xFFFFFFFF);
    ck_assert_int_eq(pin2.rises, 1);
    set(TIMER0, INTERRUPTS | ROUTE_2);
    set(TIMER0 + COMPARATOR, 500);
    run_ticks(0x200000000);
    ck_assert_int_eq(pin2.rises, 1);
}
END_TEST

START_TEST(periodic_goes_on) {
    set(TIMER0, INTERRUPTS | ROUTE_2 | PERIODIC | SET_VALUE | BITS_32);
    set(TIMER0 + COMPARATOR, 5000); /* the first match ... */
    set(TIMER0 + COMPARATOR, 1000); /* ... and the period */
    set(CONFIG, 1);
    run_ticks(4999);
    ck_assert_int_eq(pin2.rises, 0);
    run_ticks(1);
    ck_assert_int_eq(pin2.rises, 1);
    ck_assert_uint_eq(get(TIMER0 + COMPARATOR), 6000);
    run_ticks(10000);
    ck_assert_int_eq(pin2.rises, 11);
    ck_assert_uint_eq(get(TIMER0 + COMPARATOR), 16000);
}
END_TEST

/* A guest that wants more interrupts than any processor serves does not stop the clock. */
START_TEST(absurd_periods_are_bounded) {
    for (uint32_t period = 0; period < 4; period++) {
        set(TIMER0, INTERRUPTS | ROUTE_2 | PERIODIC | SET_VALUE | BITS_32);
        set(TIMER0 + COMPARATOR, get(COUNTER) + 10);
        set(TIMER0 + COMPARATOR, period);
        set(CONFIG, 1);
        pin2.rises = 0;
        run_ticks(100000);
        ck_assert_int_le(pin2.rises, 1001);
        ck_assert_int_ge(pin2.rises, period == 0 ? 1 : 900);
    }
}
END_TEST

START_TEST(level_waits_for_status) {
    set(TIMER2, INTERRUPTS | LEVEL | ROUTE_2);
    set(TIMER2 + COMPARATOR, 10);
    set(TIMER2 + COMPARATOR + 4, 0);
    set(CONFIG, 1);
    run_ticks(20);
    ck_assert_int_eq(pin2.level, 1);
    ck_assert_uint_eq(get(STATUS), 4);
    set(STATUS, 3);
    ck_assert_int_eq(pin2.level, 1);
    set(TIMER2, LEVEL | ROUTE_2);
    ck_assert_int_eq(pin2.level, 0);
    set(TIMER2, INTERRUPTS | LEVEL | ROUTE_2);
    ck_assert_int_eq(pin2.level, 1);
    set(STATUS, 4);
    ck_assert_int_eq(pin2.level, 0);
    ck_assert_uint_eq(get(STATUS), 0);
}
END_TEST

START_TEST(legacy_replacement_takes_both_requests) {
    Wire pit = hpet_irq0_input(hpet), clock = hpet_irq8_input(hpet);
    wire_set(&pit, 1);
    wire_set(&clock, 1);
    ck_assert_int_eq(irq0.level, 1);
    ck_assert_int_eq(irq8.level, 1);
    set(TIMER0, INTERRUPTS | PERIODIC | SET_VALUE | BITS_32);
    set(TIMER0 + COMPARATOR, 1000);
    set(TIMER1, INTERRUPTS);
    set(TIMER1 + COMPARATOR, 1500);
    set(TIMER1 + COMPARATOR + 4, 0);
    set(CONFIG, 3);
    ck_assert_int_eq(irq0.level, 0);
    irq0.rises = irq8.rises = 0;
    wire_pulse(&pit);
    wire_pulse(&clock);
    ck_assert_int_eq(irq0.rises + irq8.rises, 0);
    run_ticks(3500);
    ck_assert_int_eq(irq0.rises, 3);
    ck_assert_int_eq(irq8.rises, 1);
    ck_assert_int_eq(pin2.rises, 0);
    wire_set(&pit, 1);
    set(CONFIG, 1);
    ck_assert_int_eq(irq0.level, 1);
    ck_assert_int_eq(irq8.level, 0);
}
END_TEST

START_TEST(reset_gives_the_8254_back) {
    Wire pit = hpet_irq0_input(hpet);
    set(TIMER0, INTERRUPTS | PERIODIC | SET_VALUE | BITS_32);
    set(TIMER0 + COMPARATOR, 1000);
    set(CONFIG, 3);
    run_ticks(100);
    device_list_reset(&fixture->devices);
    ck_assert_uint_eq(get(CONFIG), 0);
    ck_assert_uint_eq(get(COUNTER), 0);
    ck_assert_uint_eq(get(TIMER0 + COMPARATOR), 0xFFFFFFFF);
    irq0.rises = 0;
    run_ticks(100000);
    wire_pulse(&pit);
    ck_assert_int_eq(irq0.rises, 1);
}
END_TEST

static void start_timers(ChipFixture *unused) {
    (void)unused;
    set(TIMER0, INTERRUPTS | PERIODIC | SET_VALUE | BITS_32);
    set(TIMER0 + COMPARATOR, 1000);
    set(TIMER2, INTERRUPTS | LEVEL | ROUTE_2);
    set(TIMER2 + COMPARATOR, 300);
    set(TIMER2 + COMPARATOR + 4, 0);
    set(CONFIG, 3);
    run_ticks(12345);
}

START_TEST(saves_and_restores) {
    check_devices_save_and_restore(fixture, start_timers);
}
END_TEST

START_TEST(goes_on_after_restore) {
    Snapshot snapshot;
    start_timers(fixture);
    snapshot_take(fixture, &snapshot);
    irq0.rises = 0;
    run_ticks(10000);
    ck_assert_int_eq(irq0.rises, 10);
    set(CONFIG, 0);
    run_ticks(77);
    snapshot_restore(fixture, &snapshot);
    irq0.rises = 0;
    run_ticks(10000);
    ck_assert_int_eq(irq0.rises, 10);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(survives_random_accesses) {
    uint32_t random = 1;
    for (int i = 0; i < 30000; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t offset = random >> 16 & 0x3FF;
        unsigned size = 1u << (random >> 10 & 3);
        offset &= ~(size - 1);
        if (random & 0x100)
            physical_write(fixture->context.memory, HPET_BASE + offset, size,
                           random & 0x200 ? random : random >> 20);
        else
            physical_read(fixture->context.memory, HPET_BASE + offset, size);
        run_ticks(random >> 24 & 0x3F);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, tells_what_it_can);
    tcase_add_test(tests, counts_while_enabled);
    tcase_add_test(tests, one_shot_fires_once_and_exactly);
    tcase_add_test(tests, a_comparator_in_the_past_waits_for_the_wrap);
    tcase_add_test(tests, periodic_goes_on);
    tcase_add_test(tests, absurd_periods_are_bounded);
    tcase_add_test(tests, level_waits_for_status);
    tcase_add_test(tests, legacy_replacement_takes_both_requests);
    tcase_add_test(tests, reset_gives_the_8254_back);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, goes_on_after_restore);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("hpet", add);
}

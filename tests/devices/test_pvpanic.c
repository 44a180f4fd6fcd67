/* The panic port: what it reads as, and which writes are a panic. */
#include "chip_fixture.h"
#include "pvpanic.h"
#include "suite_run.h"

static void count(void *opaque) {
    unsigned *panics = opaque;
    (*panics)++;
}

START_TEST(reads_as_its_events_and_tells_of_a_panic) {
    Error error = {0};
    unsigned panics = 0;
    ChipFixture *fixture = chip_fixture_create();
    Pvpanic *device =
        pvpanic_create(&fixture->context, PVPANIC_PORT, PVPANIC_EVENTS, count, &panics, &error);
    ck_assert_ptr_nonnull(device);
    ck_assert_uint_eq(port_in(fixture, PVPANIC_PORT), 3);
    ck_assert_uint_eq(port_in(fixture, PVPANIC_PORT + 1), 0xFF);
    port_out(fixture, PVPANIC_PORT, PVPANIC_CRASH_LOADED);
    port_out(fixture, PVPANIC_PORT, 0xFC);
    port_out(fixture, PVPANIC_PORT, 0);
    ck_assert_uint_eq(panics, 0);
    port_out(fixture, PVPANIC_PORT, PVPANIC_PANICKED);
    ck_assert_uint_eq(panics, 1);
    port_out(fixture, PVPANIC_PORT, PVPANIC_EVENTS);
    ck_assert_uint_eq(panics, 2);
    pvpanic_destroy(device);
    chip_fixture_destroy(fixture);
}
END_TEST

START_TEST(an_event_that_is_not_announced_means_nothing) {
    Error error = {0};
    unsigned panics = 0;
    ChipFixture *fixture = chip_fixture_create();
    Pvpanic *device =
        pvpanic_create(&fixture->context, 0x600, PVPANIC_CRASH_LOADED, count, &panics, &error);
    ck_assert_uint_eq(port_in(fixture, 0x600), PVPANIC_CRASH_LOADED);
    port_out(fixture, 0x600, PVPANIC_PANICKED);
    ck_assert_uint_eq(panics, 0);
    ck_assert_ptr_null(
        pvpanic_create(&fixture->context, 0x600, PVPANIC_EVENTS, count, &panics, &error));
    ck_assert(error.set);
    pvpanic_destroy(device);
    chip_fixture_destroy(fixture);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pvpanic");
    TCase *tests = tcase_create("pvpanic");
    tcase_add_test(tests, reads_as_its_events_and_tells_of_a_panic);
    tcase_add_test(tests, an_event_that_is_not_announced_means_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#include "chip_fixture.h"
#include "mpu401.h"

enum { PORT = 0x330, STATUS = PORT + 1 };

static ChipFixture *fixture;
static Mpu401 *mpu;
static Probe irq;
static Sink sent;
static int64_t sent_ns;

static void send(void *opaque, int64_t time_ns, uint8_t byte) {
    sent_ns = time_ns;
    sink_write(opaque, byte);
}

static void setup(void) {
    fixture = chip_fixture_create();
    irq = (Probe){0};
    sent = (Sink){0};
    const Wire wire = probe_wire(&irq);
    const MidiSink sink = {send, &sent};
    mpu = mpu401_create(&fixture->context, PORT, &wire, &sink, NULL);
    ck_assert_ptr_nonnull(mpu);
}

static void teardown(void) {
    mpu401_destroy(mpu);
    chip_fixture_destroy(fixture);
}

START_TEST(is_found_and_plays) {
    ck_assert_uint_eq(port_in(fixture, STATUS), 0xBF);
    port_out(fixture, STATUS, 0xFF);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(port_in(fixture, STATUS), 0x3F);
    ck_assert_uint_eq(port_in(fixture, PORT), 0xFE);
    ck_assert_int_eq(irq.level, 0);
    ck_assert_uint_eq(port_in(fixture, STATUS), 0xBF);
    port_out(fixture, STATUS, 0xAC);
    ck_assert_uint_eq(port_in(fixture, PORT), 0xFE);
    ck_assert_uint_eq(port_in(fixture, PORT), 0x15);
    port_out(fixture, PORT, 0x90); /* not in this mode */
    ck_assert_uint_eq(sent.count, 0);
    port_out(fixture, STATUS, 0x3F);
    ck_assert_uint_eq(port_in(fixture, PORT), 0xFE);
    chip_fixture_run(fixture, 123456);
    port_out(fixture, PORT, 0x90);
    port_out(fixture, PORT, 60);
    ck_assert_uint_eq(sent.count, 2);
    ck_assert_uint_eq(sent.bytes[1], 60);
    ck_assert_int_eq(sent_ns, 123456);
    port_out(fixture, STATUS, 0xAC); /* nor this in that */
    ck_assert_uint_eq(port_in(fixture, STATUS), 0xBF);
    port_out(fixture, STATUS, 0xFF);
    ck_assert_uint_eq(port_in(fixture, STATUS), 0xBF);
    port_out(fixture, PORT, 0x90);
    ck_assert_uint_eq(sent.count, 2);
}
END_TEST

static void change(ChipFixture *board) {
    port_out(board, STATUS, 0xAD);
    port_in(board, PORT);
    port_out(board, STATUS, 0x3F);
}

START_TEST(saves_and_restores) {
    port_out(fixture, STATUS, 0xFF);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 20; round++) {
        sent.count = 0;
        check_survives_random_accesses(fixture, PORT, 2, 200);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, is_found_and_plays);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("mpu401", add);
}

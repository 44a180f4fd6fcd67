/* AC97 and ES1370, driven as their drivers do. */
#include "ac97.h"
#include "audio_fixture.h"
#include "es1370.h"
#include "little_endian.h"
#include <math.h>
#include <string.h>

enum { SLOT = 4, CODEC = 0xC000, MASTER = 0xC100, OUT_BOX = MASTER + 0x10 };
enum { LIST = 0x8000, BUFFER = 0x10000, FRAMES = 4410 };
#define TWO_PI 6.28318530717958647692
#define MS 1000000LL

static ChipFixture *fixture;
static Heard *heard;
static PciBus *bus;
static PciDevice *function;
static Ac97 *ac97;
static Es1370 *es1370;
static Probe irq;

/* 4410 frames with 44 periods, the right side half as loud. */
static void fill(void) {
    uint8_t *ram = physical_map_ram(fixture->context.memory);
    for (unsigned i = 0; i < FRAMES; i++) {
        double height = 20000 * sin(TWO_PI * i * 44 / FRAMES);
        store_le16(ram + BUFFER + 4 * i, (uint16_t)lrint(height));
        store_le16(ram + BUFFER + 4 * i + 2, (uint16_t)lrint(height / 2));
    }
}

static void setup(void) {
    fixture = chip_fixture_create();
    heard = heard_create(fixture);
    bus = pci_bus_create(&fixture->context, NULL);
    irq = (Probe){0};
    const Wire wires[PCI_PIRQS] = {probe_wire(&irq), probe_wire(&irq), probe_wire(&irq),
                                   probe_wire(&irq)};
    pci_bus_set_pirq_wires(bus, wires);
    ac97 = NULL;
    es1370 = NULL;
    fill();
}

static void map_ports(void) {
    function = pci_bus_device(bus, SLOT, 0);
    pci_device_config_write(function, PCI_BASE_ADDRESS, 4, CODEC);
    pci_device_config_write(function, PCI_BASE_ADDRESS + 4, 4, MASTER);
    pci_device_config_write(function, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

static void setup_ac97_at(AudioMixer *mixer) {
    ac97 = ac97_create(&fixture->context, bus, SLOT, mixer, NULL);
    map_ports();
}

static void setup_ac97(void) {
    setup();
    setup_ac97_at(heard->mixer);
}

static void setup_es1370_at(AudioMixer *mixer) {
    es1370 = es1370_create(&fixture->context, bus, SLOT, mixer, NULL);
    map_ports();
}

static void setup_es1370(void) {
    setup();
    setup_es1370_at(heard->mixer);
}

static void teardown(void) {
    heard_flush(heard);
    ac97_destroy(ac97);
    es1370_destroy(es1370);
    pci_bus_destroy(bus);
    heard_destroy(heard);
    chip_fixture_destroy(fixture);
}

static void put(unsigned port, unsigned size, uint32_t value) {
    port_map_write(fixture->context.ports, (uint16_t)port, size, value);
}

static uint32_t get(unsigned port, unsigned size) {
    return port_map_read(fixture->context.ports, (uint16_t)port, size);
}

static void check_tone(double frequency) {
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_frequency(heard, 4800, 43200), frequency, frequency / 1000);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, frequency, 4800, 43200), 20000 / 32768.0,
                            0.002);
    ck_assert_double_eq_tol(heard_amplitude(heard, 1, frequency, 4800, 43200), 10000 / 32768.0,
                            0.002);
    ck_assert_double_lt(heard_residue(heard, 0, frequency, 4800, 43200), 1e-3);
}

/* --- AC97 --------------------------------------------------------------------------------------
 */

/* All 32 buffers are the same; 'last' is the last that may be played. */
static void start_ac97(unsigned last) {
    uint8_t *ram = physical_map_ram(fixture->context.memory);
    for (unsigned i = 0; i < 32; i++) {
        store_le32(ram + LIST + 8 * i, BUFFER);
        store_le32(ram + LIST + 8 * i + 4, 0x80000000u | FRAMES * 2);
    }
    put(CODEC + 0x02, 2, 0x0000);
    put(CODEC + 0x18, 2, 0x0808);
    put(CODEC + 0x2A, 2, 1);
    put(CODEC + 0x2C, 2, 44100);
    put(OUT_BOX, 4, LIST);
    put(OUT_BOX + 5, 1, last);
    put(OUT_BOX + 0xB, 1, 0x1D);
}

START_TEST(ac97_plays) {
    ck_assert_uint_eq(get(MASTER + 0x30, 4) & 0x100, 0x100);
    ck_assert_uint_eq(get(CODEC + 0x7C, 2), 0x8384);
    start_ac97(31);
    for (unsigned ms = 0; ms < 1000; ms++) {
        chip_fixture_run(fixture, MS);
        if (irq.level) {
            ck_assert_uint_eq(get(MASTER + 0x30, 4) & 0x40, 0x40);
            put(OUT_BOX + 6, 2, 0x1C);
            ck_assert_int_eq(irq.level, 0);
        }
    }
    ck_assert_int_eq(irq.rises, 10); /* 100 ms each; the tenth ends now */
    check_tone(440);
}
END_TEST

/* The position is that of the moment, in samples of both sides. */
START_TEST(ac97_position) {
    start_ac97(1);
    chip_fixture_run(fixture, 33333333);
    ck_assert_uint_eq(get(OUT_BOX + 8, 2), 2 * (FRAMES - 1470 + 1));
    ck_assert_uint_eq(get(OUT_BOX + 4, 1), 0);
    ck_assert_uint_eq(get(OUT_BOX + 0xA, 1), 1);
    chip_fixture_run(fixture, 100 * MS);
    ck_assert_uint_eq(get(OUT_BOX + 4, 1), 1);
    chip_fixture_run(fixture, 100 * MS); /* the last one's end: it stops */
    ck_assert_uint_eq(get(OUT_BOX + 6, 2), 0x0F);
    chip_fixture_run(fixture, 100 * MS);
    put(OUT_BOX + 6, 2, 0x1C);
    put(OUT_BOX + 5, 1, 3); /* and goes on when there is more */
    ck_assert_uint_eq(get(OUT_BOX + 6, 2), 0x00);
    chip_fixture_run(fixture, 10 * MS);
    ck_assert_uint_eq(get(OUT_BOX + 4, 1), 2);
    put(OUT_BOX + 0xB, 1, 0);
    put(OUT_BOX + 0xB, 1, 2);
    ck_assert_uint_eq(get(OUT_BOX + 6, 2), 0x01);
    ck_assert_uint_eq(get(OUT_BOX, 4), 0);
}
END_TEST

/* A list of nothing takes time all the same, and no memory is reached without leave. */
START_TEST(ac97_empty_list) {
    start_ac97(31);
    memset(physical_map_ram(fixture->context.memory) + LIST, 0, 256);
    pci_device_config_write(function, PCI_COMMAND, 2, PCI_COMMAND_IO);
    put(OUT_BOX + 0xB, 1, 0);
    put(OUT_BOX + 0xB, 1, 0x1D);
    chip_fixture_run(fixture, 100 * MS);
    ck_assert_uint_eq(get(OUT_BOX + 6, 1) & 1, 1);
}
END_TEST

static void play_on(ChipFixture *board) {
    chip_fixture_run(board, 77 * MS);
    if (ac97 != NULL) {
        put(OUT_BOX + 6, 2, 0x1C);
        put(CODEC + 0x2C, 2, 22050);
    } else {
        put(CODEC + 0x20, 4, 0x20C);
        put(CODEC + 0x38, 4, BUFFER + 4096);
    }
    chip_fixture_run(board, 123 * MS);
}

START_TEST(ac97_saves_and_restores) {
    uint64_t hashes[2];
    for (int deaf = 0; deaf < 2; deaf++) {
        start_ac97(31);
        chip_fixture_run(fixture, 33333333);
        check_devices_save_and_restore(fixture, play_on);
        hashes[deaf] = device_list_hash(&fixture->devices);
        teardown();
        setup();
        setup_ac97_at(deaf == 0 ? NULL : heard->mixer);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

/* --- ES1370 ------------------------------------------------------------------------------------
 */

/* DAC2: 16 bits, stereo, 44100 Hz, an interrupt every 2205 frames. */
static void start_es1370(void) {
    put(CODEC + 0x10, 2, 0x0000);
    put(CODEC + 0x10, 2, 0x0100);
    put(CODEC + 0x10, 2, 0x0206);
    put(CODEC + 0x10, 2, 0x0306);
    put(CODEC + 0x0C, 4, 0xC);
    put(CODEC + 0x38, 4, BUFFER);
    put(CODEC + 0x3C, 4, FRAMES - 1);
    put(CODEC + 0x28, 4, 2204);
    put(CODEC + 0x20, 4, 0x20C);
    put(CODEC, 4, 30u << 16 | 0x20);
}

START_TEST(es1370_plays) {
    start_es1370();
    for (unsigned ms = 0; ms < 1000; ms++) {
        chip_fixture_run(fixture, MS);
        if (irq.level) {
            ck_assert_uint_eq(get(CODEC + 4, 4) & 0x80000007, 0x80000002);
            put(CODEC + 0x20, 4, 0x00C);
            put(CODEC + 0x20, 4, 0x20C);
            ck_assert_int_eq(irq.level, 0);
        }
    }
    ck_assert_int_eq(irq.rises, 20);
    check_tone(440);
    chip_fixture_run(fixture, 25 * MS); /* 1102 frames and a half */
    ck_assert_uint_eq(get(CODEC + 0x3C, 4), 1102u << 16 | (FRAMES - 1));
    ck_assert_uint_eq(get(CODEC + 0x28, 4), (2204u - 1102) << 16 | 2204);
}
END_TEST

/* DAC1: 8 bits, mono, at one of its four rates; paused, and once only. */
START_TEST(es1370_plays_dac1) {
    uint8_t *ram = physical_map_ram(fixture->context.memory);
    for (unsigned i = 0; i < 2000; i++)
        ram[BUFFER + i] = (uint8_t)lrint(128 + 100 * sin(TWO_PI * i * 40 / 2000));
    put(CODEC + 0x10, 2, 0x0000);
    put(CODEC + 0x10, 2, 0x0100);
    put(CODEC + 0x10, 2, 0x0406);
    put(CODEC + 0x10, 2, 0x0506);
    put(CODEC + 0x0C, 4, 0xC);
    put(CODEC + 0x30, 4, BUFFER);
    put(CODEC + 0x34, 4, 499);
    put(CODEC + 0x24, 4, 22049);
    put(CODEC + 0x20, 4, 0x2100);
    put(CODEC, 4, 2u << 12 | 0x40);
    chip_fixture_run(fixture, 990 * MS);
    ck_assert_int_eq(irq.rises, 0);
    put(CODEC + 0x20, 4, 0x2900);
    chip_fixture_run(fixture, 990 * MS);
    ck_assert_int_eq(irq.rises, 0);
    put(CODEC + 0x20, 4, 0x2100);
    chip_fixture_run(fixture, 990 * MS);
    ck_assert_int_eq(irq.rises, 1);
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_frequency(heard, 4800, 43200), 441, 0.44);
    ck_assert_double_lt(heard_amplitude(heard, 0, 441, 57600, 86400), 0.01);
    ck_assert_uint_eq(get(CODEC + 0x34, 4) >> 16, 22050 % 2000 / 4);
}
END_TEST

START_TEST(es1370_saves_and_restores) {
    uint64_t hashes[2];
    for (int deaf = 0; deaf < 2; deaf++) {
        start_es1370();
        chip_fixture_run(fixture, 33333333);
        check_devices_save_and_restore(fixture, play_on);
        hashes[deaf] = device_list_hash(&fixture->devices);
        teardown();
        setup();
        setup_es1370_at(deaf == 0 ? NULL : heard->mixer);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

START_TEST(survive_random_accesses) {
    for (int round = 0; round < 20; round++) {
        check_survives_random_accesses(fixture, CODEC, ac97 != NULL ? 256 : 64, 300);
        if (ac97 != NULL)
            check_survives_random_accesses(fixture, MASTER, 64, 300);
        bool was_ac97 = ac97 != NULL;
        teardown();
        if (was_ac97)
            setup_ac97();
        else
            setup_es1370();
    }
}
END_TEST

static void add_ac97(TCase *tests) {
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup_ac97, teardown);
    tcase_add_test(tests, ac97_plays);
    tcase_add_test(tests, ac97_position);
    tcase_add_test(tests, ac97_empty_list);
    tcase_add_test(tests, ac97_saves_and_restores);
    tcase_add_test(tests, survive_random_accesses);
}

static void add_es1370(TCase *tests) {
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup_es1370, teardown);
    tcase_add_test(tests, es1370_plays);
    tcase_add_test(tests, es1370_plays_dac1);
    tcase_add_test(tests, es1370_saves_and_restores);
    tcase_add_test(tests, survive_random_accesses);
}

int main(void) {
    return run_suite("ac97", add_ac97) | run_suite("es1370", add_es1370);
}

#include "audio_fixture.h"
#include "opl3.h"
#include "sb16_internal.h"
#include <math.h>
#include <stdlib.h>

enum { BASE = 0x220, BUFFER = 0x10000 };
#define TWO_PI 6.28318530717958647692
#define MS 1000000LL

static ChipFixture *fixture;
static Heard *heard;
static I8237 *dma;
static Opl3 *opl;
static Sb16 *card;
static Probe irq;
static Sink midi;
static uint16_t version = 0x405;

static void send_midi(void *opaque, int64_t time_ns, uint8_t byte) {
    (void)time_ns;
    sink_write(opaque, byte);
}

static void plug_in(AudioMixer *mixer) {
    irq = (Probe){0};
    dma = i8237_create(&fixture->context, NULL);
    const Opl3Options fm = {.id = "sb16-opl",
                            .places = {{0x388, false}, {BASE, false}, {BASE + 8, true}},
                            .place_count = 3,
                            .mixer = mixer};
    opl = opl3_create(&fixture->context, &fm, NULL);
    const Sb16Options options = {.port = BASE,
                                 .version = version,
                                 .irq = 5,
                                 .dma = 1,
                                 .dma16 = 5,
                                 .irqs = {{0}, probe_wire(&irq)},
                                 .dma_controller = dma,
                                 .mixer = mixer,
                                 .fm = opl3_voice(opl),
                                 .midi = {send_midi, &midi}};
    card = sb16_create(&fixture->context, &options, NULL);
    ck_assert_ptr_nonnull(card);
}

static void setup(void) {
    midi.count = 0;
    fixture = chip_fixture_create();
    heard = heard_create(fixture);
    plug_in(heard->mixer);
}

static void teardown(void) {
    heard_flush(heard);
    sb16_destroy(card);
    opl3_destroy(opl);
    i8237_destroy(dma);
    heard_destroy(heard);
    chip_fixture_destroy(fixture);
}

static void dsp(uint8_t value) {
    port_out(fixture, BASE + 0xC, value);
}

static void dsp_3(uint8_t command, unsigned low_first) {
    dsp(command);
    dsp((uint8_t)low_first);
    dsp((uint8_t)(low_first >> 8));
}

static uint8_t answer(void) {
    ck_assert_uint_eq(port_in(fixture, BASE + 0xE), 0xFF);
    return port_in(fixture, BASE + 0xA);
}

static void mixer(uint8_t index, uint8_t value) {
    port_out(fixture, BASE + 4, index);
    port_out(fixture, BASE + 5, value);
}

static uint8_t read_mixer(uint8_t index) {
    port_out(fixture, BASE + 4, index);
    return port_in(fixture, BASE + 5);
}

static void reset(void) {
    port_out(fixture, BASE + 6, 1);
    port_out(fixture, BASE + 6, 0);
    ck_assert_uint_eq(answer(), 0xAA);
}

/* Channel 1 by bytes, channel 5 by words; 'mode' has the direction and auto-initialisation. */
static void program_dma(unsigned channel, uint8_t mode, unsigned units) {
    bool wide = channel >= 4;
    uint16_t control = wide ? 0xC0 : 0, step = wide ? 2 : 1;
    uint16_t address = (uint16_t)(control + (channel & 3) * 2 * step);
    unsigned where = wide ? BUFFER / 2 : BUFFER;
    port_out(fixture, (uint16_t)(control + 10 * step), (uint8_t)(4 | (channel & 3)));
    port_out(fixture, (uint16_t)(control + 12 * step), 0);
    port_out(fixture, (uint16_t)(control + 11 * step), (uint8_t)(mode | (channel & 3)));
    port_out(fixture, address, (uint8_t)where);
    port_out(fixture, address, (uint8_t)(where >> 8));
    port_out(fixture, (uint16_t)(address + step), (uint8_t)(units - 1));
    port_out(fixture, (uint16_t)(address + step), (uint8_t)((units - 1) >> 8));
    port_out(fixture, wide ? 0x8B : 0x83, BUFFER >> 16);
    port_out(fixture, 0xD4, 0); /* the cascade */
    port_out(fixture, (uint16_t)(control + 10 * step), (uint8_t)(channel & 3));
}

/* 'periods' of a sine in 'frames' frames. */
static void fill_8(unsigned frames, unsigned periods) {
    for (unsigned i = 0; i < frames; i++) {
        uint8_t value = (uint8_t)lrint(128 + 100 * sin(TWO_PI * i * periods / frames));
        physical_write_bytes(fixture->context.memory, BUFFER + i, &value, 1);
    }
}

static void fill_16(unsigned frames, unsigned periods) {
    for (unsigned i = 0; i < frames; i++) {
        int value = (int)lrint(20000 * sin(TWO_PI * i * periods / frames)), half = value / 2;
        const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)half,
                                  (uint8_t)(half >> 8)};
        physical_write_bytes(fixture->context.memory, BUFFER + 4 * i, bytes, 4);
    }
}

static void run_ms(int64_t ms) {
    chip_fixture_run(fixture, ms * MS);
}

START_TEST(answers_questions) {
    reset();
    dsp(0xE1);
    ck_assert_uint_eq(answer(), 4);
    ck_assert_uint_eq(answer(), 5);
    dsp(0xE0);
    dsp(0x5A);
    ck_assert_uint_eq(answer(), 0xA5);
    dsp(0xE4);
    dsp(0x77);
    dsp(0xE8);
    ck_assert_uint_eq(answer(), 0x77);
    dsp(0xE3);
    ck_assert_uint_eq(answer(), 'C');
    reset();
    dsp(0xF2);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(read_mixer(0x82), 0x21);
    port_in(fixture, BASE + 0xE);
    ck_assert_int_eq(irq.level, 0);
    dsp(0xF3);
    ck_assert_uint_eq(read_mixer(0x82), 0x22);
    port_in(fixture, BASE + 0xF);
    ck_assert_int_eq(irq.level, 0);
    program_dma(1, 0x44, 1);
    uint8_t byte;
    dsp(0xE2);
    dsp(0x00);
    physical_read_bytes(fixture->context.memory, BUFFER, &byte, 1);
    ck_assert_uint_eq(byte, (0xAA - 106) & 0xFF);
}
END_TEST

START_TEST(mixer_keeps_volumes) {
    ck_assert_uint_eq(read_mixer(0x80), 0xF2);
    ck_assert_uint_eq(read_mixer(0x81), 0x22);
    mixer(0x22, 0x5A);
    ck_assert_uint_eq(read_mixer(0x30), 0x58);
    ck_assert_uint_eq(read_mixer(0x31), 0xA8);
    mixer(0x32, 0xF8);
    mixer(0x33, 0x10);
    ck_assert_uint_eq(read_mixer(0x04), 0xF1);
    mixer(0x00, 0);
    ck_assert_uint_eq(read_mixer(0x31), 0xF8);
    mixer(0x80, 0x04);
    dsp(0xF2);
    ck_assert_int_eq(irq.level, 0); /* it is at another line now */
}
END_TEST

/* 8 bits, block after block, by a time constant: frequency, interrupts, place in memory. */
START_TEST(plays_8_bits) {
    reset();
    fill_8(2500, 100);
    program_dma(1, 0x58, 2500);
    dsp(0x40);
    dsp(165); /* 10989.01 Hz */
    dsp_3(0x48, 1249);
    dsp(0x1C);
    for (int ms = 0; ms < 2000; ms++) {
        run_ms(1);
        if (irq.level)
            port_in(fixture, BASE + 0xE);
    }
    ck_assert_int_eq(irq.rises, (int)(2 * 10989.01 / 1250));
    /* The guest sees the position of this very moment. */
    unsigned left = port_in(fixture, 3);
    left |= (unsigned)port_in(fixture, 3) << 8;
    unsigned played = (unsigned)(2 * 1000000 / 91.0);
    ck_assert_uint_eq(2499 - left, played % 2500);
    heard_flush(heard);
    double frequency = 1e6 / 91 * 100 / 2500;
    ck_assert_double_eq_tol(heard_frequency(heard, 4800, 91200), frequency, frequency / 1000);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, frequency, 4800, 91200), 100 / 128.0, 0.01);
    ck_assert_double_lt(heard_residue(heard, 0, frequency, 4800, 91200), 0.01);
    dsp(0xDA); /* after this block it ends */
    run_ms(300);
    int rises = irq.rises;
    port_in(fixture, BASE + 0xE);
    run_ms(300);
    ck_assert_int_le(irq.rises, rises + 1);
    ck_assert_int_eq(irq.level, 0);
}
END_TEST

/* 16 bits, stereo, by rate; then the volume. */
START_TEST(plays_16_bits) {
    reset();
    fill_16(4410, 44);
    program_dma(5, 0x58, 8820);
    dsp_3(0x41, 0x44AC); /* 44100, high byte first */
    dsp(0xB6);
    dsp(0x30);
    dsp(8819 & 0xFF);
    dsp(8819 >> 8);
    run_ms(1000);
    ck_assert_uint_eq(read_mixer(0x82), 0x22);
    mixer(0x30, 0xA8); /* ten steps of 2 dB */
    run_ms(1000);
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_frequency(heard, 4800, 43200), 440, 0.44);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, 440, 4800, 43200), 20000 / 32768.0, 0.002);
    ck_assert_double_eq_tol(heard_amplitude(heard, 1, 440, 4800, 43200), 10000 / 32768.0, 0.002);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, 440, 57600, 91200), 2000 / 32768.0, 0.001);
    ck_assert_double_lt(heard_residue(heard, 0, 440, 4800, 43200), 1e-3);
}
END_TEST

/* One block, and then no more; with a pause in it. */
START_TEST(one_block_with_a_pause) {
    reset();
    fill_8(1000, 100);
    program_dma(1, 0x48, 1000);
    dsp(0x40);
    dsp(156); /* 10 kHz */
    dsp_3(0x14, 999);
    run_ms(50);
    dsp(0xD0);
    run_ms(500);
    ck_assert_int_eq(irq.rises, 0);
    dsp(0xD4);
    run_ms(49);
    ck_assert_int_eq(irq.rises, 0);
    run_ms(2);
    ck_assert_int_eq(irq.rises, 1);
    run_ms(200);
    ck_assert_int_eq(irq.rises, 1);
    heard_flush(heard);
    ck_assert_double_gt(heard_amplitude(heard, 0, 1000, 480, 1920), 0.7);
    ck_assert_double_lt(heard_amplitude(heard, 0, 1000, 4800, 14400), 0.01);
    dsp_3(0x80, 99); /* 10 ms of nothing, but of an interrupt */
    run_ms(9);
    ck_assert_int_eq(irq.rises, 1);
    port_in(fixture, BASE + 0xE);
    run_ms(2);
    ck_assert_int_eq(irq.rises, 2);
}
END_TEST

/* Memory that gives nothing while its channel is masked delays the block. */
START_TEST(waits_for_memory) {
    reset();
    fill_8(1000, 100);
    program_dma(1, 0x48, 1000);
    port_out(fixture, 0x0A, 5);
    dsp(0x40);
    dsp(156);
    dsp_3(0x14, 999);
    run_ms(1000);
    ck_assert_int_eq(irq.rises, 0);
    port_out(fixture, 0x0A, 1);
    run_ms(102);
    ck_assert_int_eq(irq.rises, 1);
}
END_TEST

static void setup_pro(void) {
    version = 0x302;
    setup();
    version = 0x405;
}

static void setup_first(void) {
    version = 0x105;
    setup();
    version = 0x405;
}

START_TEST(sends_midi) {
    reset();
    dsp(0x38);
    dsp(0x90);
    dsp(0x38);
    dsp(0x3C);
    ck_assert_uint_eq(midi.count, 2);
    dsp(0x30); /* what comes in */
    ck_assert_uint_eq(port_in(fixture, BASE + 0xE), 0x7F);
    dsp(0x34);
    dsp(0xE1); /* no question for the version */
    dsp(0x40);
    ck_assert_uint_eq(port_in(fixture, BASE + 0xE), 0x7F);
    ck_assert_uint_eq(midi.count, 4);
    ck_assert_mem_eq(midi.bytes, "\x90\x3C\xE1\x40", 4);
    reset();
    dsp(0xE1);
    ck_assert_uint_eq(answer(), 4);
    ck_assert_uint_eq(midi.count, 4);
}
END_TEST

/* At high speed a Sound Blaster Pro hears nothing but a reset; and its mixer is a small one. */
START_TEST(pro_is_deaf_at_high_speed) {
    reset();
    fill_8(1000, 100);
    program_dma(1, 0x58, 1000);
    dsp(0x40);
    dsp(206); /* 20 kHz */
    dsp_3(0x48, 499);
    dsp(0xD1);
    dsp(0x90);
    run_ms(26);
    ck_assert_int_eq(irq.rises, 1);
    port_in(fixture, BASE + 0xE);
    dsp(0xE1);
    dsp(0xD0); /* no pause */
    ck_assert_uint_eq(port_in(fixture, BASE + 0xE), 0x7F);
    run_ms(25);
    ck_assert_int_eq(irq.rises, 2);
    reset();
    run_ms(100);
    ck_assert_int_eq(irq.rises, 2);
    dsp(0xE1);
    ck_assert_uint_eq(answer(), 3);
    ck_assert_uint_eq(answer(), 2);
    mixer(0x22, 0xEE);
    ck_assert_uint_eq(read_mixer(0x22), 0xEE);
    ck_assert_uint_eq(read_mixer(0x80), 0xFF);
    mixer(0x0E, 2);
    ck_assert_uint_eq(read_mixer(0x0E), 2);
    dsp(0xB0); /* of the 16 alone: no arguments follow */
    dsp(0xE1);
    ck_assert_uint_eq(answer(), 3);
}
END_TEST

/* A DSP 1.05 has neither mixer nor auto-initialisation, and its speaker is off at first. */
START_TEST(first_version) {
    reset();
    ck_assert_uint_eq(read_mixer(0x22), 0xFF);
    fill_8(1000, 100);
    program_dma(1, 0x58, 1000);
    dsp(0x40);
    dsp(156);
    dsp(0x48);
    dsp(0x1C);
    run_ms(200);
    ck_assert_int_eq(irq.rises, 0);
    dsp_3(0x14, 999);
    run_ms(101);
    ck_assert_int_eq(irq.rises, 1);
    port_in(fixture, BASE + 0xE);
    dsp(0xD1);
    dsp_3(0x14, 999);
    run_ms(101);
    ck_assert_int_eq(irq.rises, 2);
    heard_flush(heard);
    ck_assert_double_lt(heard_amplitude(heard, 0, 1000, 9600 + 480, 9600 + 4320), 0.01);
    ck_assert_double_gt(heard_amplitude(heard, 0, 1000, 14448 + 480, 14448 + 4320), 0.7);
}
END_TEST

static const struct {
    uint8_t bits, bytes[2], count, levels[8]; /* from 128 on */
} adpcm[] = {
    /* 1 up by 1; 7 up by 7, larger steps; 1 of these up by 3; F down by 15, larger yet. */
    {4, {0x17, 0x1F}, 4, {129, 136, 139, 124}},
    /* 3 up by 3, larger; 1 up by 3; 2 bits of a third, 1, that count twice: up by 5. 7 down by 7,
     * larger; 0 up by 2, smaller; 0 up by 1. */
    {3, {0x65, 0xE0}, 6, {131, 134, 139, 132, 134, 135}},
    /* 1 up by 1, larger; 1 up by 3, larger; 3 down by 6, larger; 0 up by 4, smaller. */
    {2, {0x5C}, 4, {129, 132, 126, 130}},
};

START_TEST(decodes_adpcm) {
    Sb16Transfer transfer = {.adpcm = adpcm[_i].bits, .level = 128};
    unsigned done = 0;
    for (unsigned i = 0; done < adpcm[_i].count; i++) {
        uint8_t samples[4];
        unsigned count = sb16_adpcm_decode(&transfer, adpcm[_i].bytes[i], samples);
        for (unsigned j = 0; j < count; j++)
            ck_assert_uint_eq(samples[j], adpcm[_i].levels[done++]);
    }
}
END_TEST

/* Four bits a sample, after a byte that is the first level; every byte lasts two samples. */
START_TEST(plays_adpcm) {
    uint8_t bytes[400] = {0x40};
    for (unsigned i = 1; i < sizeof bytes; i++)
        bytes[i] = i & 1 ? 0x77 : 0xFF;
    reset();
    physical_write_bytes(fixture->context.memory, BUFFER, bytes, sizeof bytes);
    program_dma(1, 0x48, sizeof bytes);
    dsp(0x40);
    dsp(131); /* 8 kHz: 2 kHz of up, up, down, down */
    dsp_3(0x75, sizeof bytes - 1);
    run_ms(99);
    ck_assert_int_eq(irq.rises, 0);
    run_ms(2);
    ck_assert_int_eq(irq.rises, 1);
    heard_flush(heard);
    ck_assert_double_gt(heard_amplitude(heard, 0, 2000, 960, 3840), 0.1);
}
END_TEST

/* Samples by the processor, one command each. */
START_TEST(direct_samples) {
    reset();
    for (int i = 0; i < 8000; i++) {
        chip_fixture_run_to(fixture, i * NS_PER_SECOND / 8000);
        dsp(0x10);
        dsp((uint8_t)lrint(128 + 100 * sin(TWO_PI * i * 440 / 8000)));
    }
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, 440, 4800, 43200), 100 / 128.0, 0.01);
    ck_assert_double_lt(heard_amplitude(heard, 0, 445, 4800, 43200), 0.01);
}
END_TEST

static void opl_write(unsigned reg, uint8_t value) {
    uint16_t port = reg & 0x100 ? 0x38A : 0x388;
    port_out(fixture, port, (uint8_t)reg);
    port_out(fixture, (uint16_t)(port + 1), value);
}

START_TEST(opl_timers_are_exact) {
    opl_write(4, 0x60);
    opl_write(4, 0x80);
    ck_assert_uint_eq(port_in(fixture, 0x388), 0x00);
    opl_write(2, 0xFE); /* 160 us */
    opl_write(3, 0xFF); /* 320 us */
    opl_write(4, 0x03);
    chip_fixture_run(fixture, 159999);
    ck_assert_uint_eq(port_in(fixture, 0x388), 0x00);
    chip_fixture_run(fixture, 2);
    ck_assert_uint_eq(port_in(fixture, BASE + 8), 0xC0);
    chip_fixture_run(fixture, 160000);
    ck_assert_uint_eq(port_in(fixture, BASE), 0xE0);
    opl_write(4, 0x80);
    ck_assert_uint_eq(port_in(fixture, 0x388), 0x00);
    chip_fixture_run(fixture, 400000);
    ck_assert_uint_eq(port_in(fixture, 0x388), 0xE0); /* they went on */
    /* A program that waits by reading waits for a microsecond each, on any processor. */
    opl_write(4, 0x60);
    opl_write(4, 0x80);
    opl_write(2, 0xFF);
    opl_write(4, 0x21);
    int reads = 0;
    while (port_in(fixture, 0x388) == 0)
        reads++;
    ck_assert_int_ge(reads, 78);
    ck_assert_int_le(reads, 81);
}
END_TEST

static void strike(void) {
    static const uint16_t note[][2] = {{0x20, 0x21}, {0x40, 0x3F}, {0x60, 0xF0}, {0x80, 0x05},
                                       {0x23, 0x21}, {0x43, 0x00}, {0x63, 0xF0}, {0x83, 0x05},
                                       {0xC0, 0x30}, {0xA0, 0x44}, {0xB0, 0x32}};
    for (unsigned i = 0; i < sizeof note / sizeof note[0]; i++)
        opl_write(note[i][0], (uint8_t)note[i][1]);
}

/* A note of F-number 244h in block 4: 440 Hz. Saved and restored, it sounds on. */
START_TEST(opl_plays) {
    Snapshot snapshot;
    strike();
    run_ms(500);
    heard_flush(heard);
    if (heard_amplitude(heard, 0, 440, 9600, 19200) == 0)
        return; /* a build without libadplug, or a host */
    double frequency = 49716.0 * 0x244 / (1 << 16);
    ck_assert_double_eq_tol(heard_frequency(heard, 4800, 24000), frequency, frequency / 1000);
    snapshot_take(fixture, &snapshot);
    opl_write(0xB0, 0x12);
    run_ms(3000);
    snapshot_restore(fixture, &snapshot);
    run_ms(500);
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_frequency(heard, heard->count - 14400, heard->count), frequency,
                            frequency / 100);
    snapshot_free(&snapshot);
}
END_TEST

static void play_on(ChipFixture *board) {
    (void)board;
    run_ms(77);
    if (irq.level)
        port_in(fixture, BASE + 0xE);
    opl_write(0xA0, 0x55);
    run_ms(123);
}

/* In mid-block; and whether it is heard makes no difference to any state. */
START_TEST(saves_and_restores) {
    uint64_t hashes[2];
    for (int deaf = 0; deaf < 2; deaf++) {
        reset();
        fill_8(2500, 100);
        program_dma(1, 0x58, 2500);
        dsp(0x40);
        dsp(165);
        dsp_3(0x48, 999);
        dsp(0x1C);
        opl_write(2, 0x10);
        opl_write(4, 0x01);
        strike();
        chip_fixture_run(fixture, 33333333);
        check_devices_save_and_restore(fixture, play_on);
        hashes[deaf] = device_list_hash(&fixture->devices);
        teardown();
        fixture = chip_fixture_create();
        heard = heard_create(fixture);
        plug_in(deaf == 0 ? NULL : heard->mixer);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 20; round++) {
        check_survives_random_accesses(fixture, BASE, 16, 300);
        check_survives_random_accesses(fixture, 0, 16, 30);
        check_survives_random_accesses(fixture, 0x388, 4, 100);
        heard->count = 0;
        teardown();
        setup();
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, answers_questions);
    tcase_add_test(tests, mixer_keeps_volumes);
    tcase_add_test(tests, plays_8_bits);
    tcase_add_test(tests, plays_16_bits);
    tcase_add_test(tests, one_block_with_a_pause);
    tcase_add_test(tests, waits_for_memory);
    tcase_add_test(tests, sends_midi);
    tcase_add_loop_test(tests, decodes_adpcm, 0, sizeof adpcm / sizeof adpcm[0]);
    tcase_add_test(tests, plays_adpcm);
    tcase_add_test(tests, direct_samples);
    tcase_add_test(tests, opl_timers_are_exact);
    tcase_add_test(tests, opl_plays);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

static void add_pro(TCase *tests) {
    tcase_add_checked_fixture(tests, setup_pro, teardown);
    tcase_add_test(tests, pro_is_deaf_at_high_speed);
}

static void add_first(TCase *tests) {
    tcase_add_checked_fixture(tests, setup_first, teardown);
    tcase_add_test(tests, first_version);
}

int main(void) {
    int failed = run_suite("sb16", add);
    failed |= run_suite("Sound Blaster Pro", add_pro);
    return failed | run_suite("Sound Blaster 1.05", add_first);
}

/* Mixer and renderer: what a device tells is heard at the right time, pitch and loudness. */
#include "audio_fixture.h"
#include "i8254.h"
#include "pc_speaker.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.28318530717958647692
#define MS 1000000LL

static ChipFixture *fixture;
static Heard *heard;

static void setup(void) {
    fixture = chip_fixture_create();
    heard = heard_create(fixture);
}

static void teardown(void) {
    heard_destroy(heard);
    chip_fixture_destroy(fixture);
}

/* A sine of 'frequency', told at 'rate' in pieces of 'piece' frames; the right side is half as
 * loud. */
static void play_sine(AudioVoice *voice, double frequency, double rate, size_t total,
                      size_t piece) {
    double step_ns = 1e9 / rate;
    double start_ns = (double)fixture->clock.stopped_ns;
    for (size_t done = 0; done < total;) {
        int16_t frames[2000];
        size_t count = total - done < piece ? total - done : piece;
        for (size_t i = 0; i < count; i++) {
            double height = 20000 * sin(TWO_PI * frequency * (double)(done + i) / rate);
            frames[2 * i] = (int16_t)lrint(height);
            frames[2 * i + 1] = (int16_t)lrint(height / 2);
        }
        audio_voice_play(voice, start_ns + (double)done * step_ns, step_ns, frames, count);
        done += count;
        chip_fixture_run_to(fixture, (int64_t)(start_ns + (double)done * step_ns));
    }
    heard_flush(heard);
}

/* Rates below and above the sink's, near its own and odd ones; the frequency stands in the pass
 * band of both. */
static const struct {
    double rate, frequency;
} tones[] = {{4000, 440},      {8000, 1000},  {11025, 440},   {22050, 7000}, {44100, 15000},
             {47999.3, 12345}, {48000, 1000}, {49715.9, 440}, {96000, 9876}, {192000, 100}};

START_TEST(tones_are_clean_at_any_rate) {
    AudioVoice *voice = audio_voice_open(heard->mixer, NULL, NULL);
    double rate = tones[_i].rate, frequency = tones[_i].frequency;
    play_sine(voice, frequency, rate, (size_t)rate, 1 + (size_t)rate / 1000);
    int64_t from = HEARD_RATE / 10, to = HEARD_RATE * 9 / 10;
    ck_assert_double_eq_tol(heard_frequency(heard, from, to), frequency, frequency * 1e-4);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, frequency, from, to), 20000 / 32768.0, 1e-3);
    ck_assert_double_eq_tol(heard_amplitude(heard, 1, frequency, from, to), 10000 / 32768.0, 1e-3);
    /* 78 dB down: images, aliases and 16 bits together. */
    ck_assert_double_lt(heard_residue(heard, 0, frequency, from, to), 20000 / 32768.0 / 8000);
}
END_TEST

/* What lies above half the sink's rate is not folded back. */
START_TEST(nothing_is_folded_back) {
    AudioVoice *voice = audio_voice_open(heard->mixer, NULL, NULL);
    play_sine(voice, 30000, 96000, 96000, 100);
    ck_assert_double_lt(heard_residue(heard, 0, 18000, 4800, 43200), 1e-4);
}
END_TEST

/* The same sound in other pieces, and with looks in between, gives the same frames. */
START_TEST(pieces_do_not_matter) {
    static int16_t first[HEARD_RATE][AUDIO_CHANNELS];
    AudioVoice *voice = audio_voice_open(heard->mixer, NULL, NULL);
    play_sine(voice, 1234, 22050, 11025, 37);
    memcpy(first, heard->frames, sizeof first);
    int64_t count = heard->count;
    teardown();
    setup();
    voice = audio_voice_open(heard->mixer, NULL, NULL);
    play_sine(voice, 1234, 22050, 11025, 400);
    ck_assert_int_eq(heard->count, count);
    for (int64_t i = 0; i < count; i++) /* times of pieces are rounded differently */
        ck_assert_int_le(abs(heard->frames[i][0] - first[i][0]), 1);
}
END_TEST

/* A millisecond of a sine. */
static void play_part(AudioVoice *voice, double frequency, int part) {
    int16_t frames[96];
    for (int i = 0; i < 48; i++)
        frames[2 * i] = frames[2 * i + 1] =
            (int16_t)lrint(10000 * sin(TWO_PI * frequency * (part * 48 + i) / 48000));
    audio_voice_play(voice, part * 1e6, 1e9 / 48000, frames, 48);
}

START_TEST(gain_and_several_voices) {
    AudioVoice *one = audio_voice_open(heard->mixer, NULL, NULL);
    AudioVoice *other = audio_voice_open(heard->mixer, NULL, NULL);
    audio_voice_set_gain(one, 0.5f, 0);
    for (int part = 0; part < 1000; part++) {
        play_part(one, 1000, part);
        play_part(other, 3000, part);
        chip_fixture_run(fixture, MS);
    }
    for (int side = 0; side < 2; side++) {
        double loud = 10000 / 32768.0;
        ck_assert_double_eq_tol(heard_amplitude(heard, side, 1000, 4800, 43200),
                                side == 0 ? loud / 2 : 0, 1e-4);
        ck_assert_double_eq_tol(heard_amplitude(heard, side, 3000, 4800, 43200), loud, 1e-4);
    }
}
END_TEST

/* Without sound nothing is made, and no event is armed. */
START_TEST(silence_ends) {
    AudioVoice *voice = audio_voice_open(heard->mixer, NULL, NULL);
    chip_fixture_run(fixture, 100 * MS);
    ck_assert_int_eq(heard->count, 0);
    audio_voice_set_level(voice, (double)fixture->clock.stopped_ns, 1000, -1000);
    chip_fixture_run(fixture, 1000 * MS);
    ck_assert_int_eq(clock_next_due_ns(&fixture->clock), TIMER_NEVER);
    int64_t count = heard->count;
    ck_assert_int_gt(count, HEARD_RATE / 10);
    ck_assert_int_lt(count, HEARD_RATE * 6 / 10);
    chip_fixture_run(fixture, 1000 * MS);
    ck_assert_int_eq(heard->count, count);
    audio_voice_set_level(voice, (double)fixture->clock.stopped_ns, 0, 0);
    chip_fixture_run(fixture, 100 * MS);
    ck_assert_int_gt(heard->count, 2 * HEARD_RATE);
}
END_TEST

/* --- the speaker -------------------------------------------------------------------------------
 */

static I8254 *pit;
static PcSpeaker *speaker;

static void setup_speaker(void) {
    setup();
    const Wire nowhere = {NULL, NULL, 0};
    pit = i8254_create(&fixture->context, &nowhere, NULL);
    speaker = pc_speaker_create(&fixture->context, pit, heard->mixer, NULL);
}

static void teardown_speaker(void) {
    pc_speaker_destroy(speaker);
    i8254_destroy(pit);
    teardown();
}

static void program(uint8_t control, unsigned count) {
    port_out(fixture, 0x43, control);
    port_out(fixture, 0x42, (uint8_t)count);
    if ((control & 0x30) == 0x30)
        port_out(fixture, 0x42, (uint8_t)(count >> 8));
}

START_TEST(speaker_beeps) {
    program(0xB6, 1193);
    port_out(fixture, 0x61, 0x03);
    chip_fixture_run(fixture, 1000 * MS);
    program(0xB6, 2711); /* another tone */
    chip_fixture_run(fixture, 1000 * MS);
    port_out(fixture, 0x61, 0x00);
    chip_fixture_run(fixture, 1000 * MS);
    ck_assert_double_eq_tol(heard_frequency(heard, 9600, 43200), I8254_HZ / 1193.0, 0.1);
    ck_assert_double_eq_tol(heard_frequency(heard, 57600, 91200), I8254_HZ / 2711.0, 0.1);
    /* A square wave: its third harmonic is a third of it, there is no second, and nothing comes
     * back from above the band. */
    double base = heard_amplitude(heard, 0, I8254_HZ / 1193.0, 9600, 43200);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, I8254_HZ * 3 / 1193.0, 9600, 43200), base / 3,
                            base / 100);
    ck_assert_double_lt(heard_amplitude(heard, 0, I8254_HZ * 2 / 1193.0, 9600, 43200), base / 200);
    ck_assert_double_lt(heard_amplitude(heard, 0, 48000 - I8254_HZ * 101 / 2711.0, 57600, 91200),
                        base / 1000);
    ck_assert_double_lt(heard_residue(heard, 0, 1000, 2 * HEARD_RATE + 24000, heard->count), 1e-3);
}
END_TEST

/* Pulses whose length is the sample: the counter in mode 0, started anew 16000 times a second. */
START_TEST(speaker_plays_samples) {
    port_out(fixture, 0x61, 0x03);
    port_out(fixture, 0x43, 0x90);
    for (int i = 0; i < 16000; i++) {
        double height = sin(TWO_PI * 440 * i / 16000);
        chip_fixture_run_to(fixture, i * NS_PER_SECOND / 16000);
        port_out(fixture, 0x42, (uint8_t)(36 + 30 * height));
    }
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, 440, 4800, 43200),
                            10000 / 32768.0 * 30 / I8254_HZ * 16000, 5e-3);
    /* The end of a pulse moves by 25 us to either side: half of that, as an angle, is the second
     * harmonic. */
    double loudness = heard_amplitude(heard, 0, 440, 4800, 43200);
    ck_assert_double_eq_tol(heard_amplitude(heard, 0, 880, 4800, 43200),
                            loudness * TWO_PI * 440 * 30 / I8254_HZ / 2, loudness / 200);
    ck_assert_double_lt(heard_amplitude(heard, 0, 1320, 4800, 43200), loudness / 200);
}
END_TEST

/* By the data bit alone, and a tone that nobody can hear. */
START_TEST(speaker_by_its_bit) {
    for (int i = 0; i < 2000; i++) {
        chip_fixture_run_to(fixture, i * MS / 2);
        port_out(fixture, 0x61, i & 1 ? 0x02 : 0x00);
    }
    heard_flush(heard);
    ck_assert_double_eq_tol(heard_frequency(heard, 9600, 43200), 1000, 0.1);
    program(0xB6, 20);
    port_out(fixture, 0x61, 0x03);
    chip_fixture_run(fixture, 1000 * MS);
    ck_assert_double_lt(heard_residue(heard, 0, 100, 72000, heard->count), 1e-3);
}
END_TEST

/* Whether it is heard makes no difference to the guest; neither does being saved in mid-tone. */
static void beep(ChipFixture *board) {
    (void)board;
    program(0xB6, 1193);
    port_out(fixture, 0x61, 0x03);
    chip_fixture_run(fixture, 333 * MS);
    program(0xB6, 700);
    chip_fixture_run(fixture, 77 * MS);
}

START_TEST(speaker_saves_and_restores) {
    program(0xB6, 3000);
    port_out(fixture, 0x61, 0x03);
    chip_fixture_run(fixture, 100 * MS);
    check_devices_save_and_restore(fixture, beep);
    chip_fixture_run(fixture, 500 * MS);
    ck_assert_double_eq_tol(heard_frequency(heard, heard->count - 9600, heard->count),
                            I8254_HZ / 700.0, 2);
    uint64_t hash = device_list_hash(&fixture->devices);
    teardown_speaker();
    setup();
    const Wire nowhere = {NULL, NULL, 0};
    pit = i8254_create(&fixture->context, &nowhere, NULL);
    speaker = pc_speaker_create(&fixture->context, pit, NULL, NULL);
    program(0xB6, 3000);
    port_out(fixture, 0x61, 0x03);
    chip_fixture_run(fixture, 100 * MS);
    beep(fixture);
    chip_fixture_run(fixture, 500 * MS);
    ck_assert_uint_eq(device_list_hash(&fixture->devices), hash);
}
END_TEST

START_TEST(speaker_survives_random_accesses) {
    check_survives_random_accesses(fixture, 0x42, 2, 20000);
    check_survives_random_accesses(fixture, 0x61, 1, 20000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, tones_are_clean_at_any_rate, 0, sizeof tones / sizeof tones[0]);
    tcase_add_test(tests, nothing_is_folded_back);
    tcase_add_test(tests, pieces_do_not_matter);
    tcase_add_test(tests, gain_and_several_voices);
    tcase_add_test(tests, silence_ends);
}

static void add_speaker(TCase *tests) {
    tcase_add_checked_fixture(tests, setup_speaker, teardown_speaker);
    tcase_add_test(tests, speaker_beeps);
    tcase_add_test(tests, speaker_plays_samples);
    tcase_add_test(tests, speaker_by_its_bit);
    tcase_add_test(tests, speaker_saves_and_restores);
    tcase_add_test(tests, speaker_survives_random_accesses);
}

int main(void) {
    return run_suite("audio", add) | run_suite("speaker", add_speaker);
}

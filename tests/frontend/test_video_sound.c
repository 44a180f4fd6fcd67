/* The sound of a film: where what was heard is put, gaps, overlaps, and a clock that is a little
 * off. */
#include "suite_run.h"
#include "video_sound.h"

#include <check.h>
#include <string.h>

enum { RATE = 48000, ROOM = 4 * RATE };

static int16_t film[ROOM][2];
static size_t length;
static VideoSound sound;

static void take(void *opaque, const int16_t *frames, size_t count) {
    (void)opaque;
    ck_assert_uint_le(length + count, ROOM);
    memcpy(film[length], frames, count * sizeof(film[0]));
    length += count;
}

static void hear(double seconds, int16_t value, size_t count) {
    int16_t frames[4800][2];
    ck_assert_uint_le(count, 4800);
    for (size_t i = 0; i < count; i++)
        frames[i][0] = frames[i][1] = value;
    video_sound_put(&sound, seconds, frames[0], count, take, NULL);
}

static void set_up(void) {
    length = 0;
    sound = (VideoSound){.rate = RATE};
}

START_TEST(gaps_are_silent) {
    hear(0.5, 7, 480);
    ck_assert_uint_eq(length, RATE / 2 + 480);
    ck_assert_int_eq(film[RATE / 2 - 1][0], 0);
    ck_assert_int_eq(film[RATE / 2][0], 7);
    video_sound_fill(&sound, 1, take, NULL);
    ck_assert_uint_eq(length, RATE);
    ck_assert_int_eq(film[RATE - 1][1], 0);
    video_sound_fill(&sound, 0.25, take, NULL); /* it is there already */
    ck_assert_uint_eq(length, RATE);
    ck_assert_int_eq(sound.next, RATE);
}
END_TEST

START_TEST(what_was_passed_is_left_out) {
    hear(0, 1, 4800);
    hear(0.05, 2, 2400); /* all of it */
    ck_assert_uint_eq(length, 4800);
    hear(0.05, 3, 4800); /* its first half */
    ck_assert_uint_eq(length, 7200);
    ck_assert_int_eq(film[4799][0], 1);
    ck_assert_int_eq(film[4800][0], 3);
    hear(-5, 4, 4800);
    ck_assert_uint_eq(length, 7200);
}
END_TEST

/* A speaker's clock that is 0.5 % fast or slow: no gap, no overlap, never 10 ms off. */
START_TEST(another_clock_is_followed) {
    double step = 480.0 / RATE * (_i == 0 ? 1.005 : 0.995);
    for (int piece = 0; piece < 300; piece++) {
        hear(piece * step, 9, 480);
        double off = (double)length / RATE - (piece * step + 480.0 / RATE);
        ck_assert_msg(off > -0.0105 && off < 0.0105, "%g s off", off);
    }
    size_t silent = 0;
    for (size_t i = 0; i < length; i++)
        silent += film[i][0] == 0;
    ck_assert_uint_lt(silent, length / 100);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("video_sound");
    TCase *cases = tcase_create("sound");
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, gaps_are_silent);
    tcase_add_test(cases, what_was_passed_is_left_out);
    tcase_add_loop_test(cases, another_clock_is_followed, 0, 2);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

#include "audio_fixture.h"
#include "allocate.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.28318530717958647692

static void keep(void *opaque, int64_t first, const int16_t *frames, size_t count) {
    Heard *heard = opaque;
    ck_assert_int_ge(first, heard->count);
    ck_assert_int_le(first + (int64_t)count, HEARD_FRAMES);
    memcpy(heard->frames[first], frames, count * sizeof heard->frames[0]);
    heard->count = first + (int64_t)count;
}

static void render(void *opaque, ByteBuffer *events) {
    Heard *heard = opaque;
    audio_renderer_process(heard->renderer, events->data, events->size);
    events->size = 0;
}

Heard *heard_create(ChipFixture *fixture) {
    Heard *heard = allocate_zeroed(sizeof *heard);
    const AudioSink sink = {.rate = HEARD_RATE, .write = keep, .opaque = heard};
    heard->renderer = audio_renderer_create(&sink);
    heard->mixer = audio_mixer_create(&fixture->clock, render, heard);
    return heard;
}

void heard_destroy(Heard *heard) {
    audio_mixer_destroy(heard->mixer);
    audio_renderer_destroy(heard->renderer);
    free(heard);
}

void heard_flush(Heard *heard) {
    audio_mixer_flush(heard->mixer);
}

static double mean(const Heard *heard, int side, int64_t from, int64_t to) {
    double sum = 0;
    for (int64_t i = from; i < to; i++)
        sum += heard->frames[i][side];
    return sum / (double)(to - from);
}

double heard_frequency(const Heard *heard, int64_t from, int64_t to) {
    double middle = mean(heard, 0, from, to), first = -1, last = -1;
    int rises = 0;
    for (int64_t i = from; i + 1 < to; i++) {
        double a = heard->frames[i][0] - middle, b = heard->frames[i + 1][0] - middle;
        if (a >= 0 || b < 0)
            continue;
        last = (double)i + a / (a - b);
        first = rises++ == 0 ? last : first;
    }
    return rises > 1 ? (rises - 1) / (last - first) * HEARD_RATE : 0;
}

static void fit(const Heard *heard, int side, double frequency, int64_t from, int64_t to,
                double *in_phase, double *across) {
    double sine = 0, cosine = 0;
    for (int64_t i = from; i < to; i++) {
        double angle = TWO_PI * frequency * (double)i / HEARD_RATE;
        sine += heard->frames[i][side] * sin(angle);
        cosine += heard->frames[i][side] * cos(angle);
    }
    *in_phase = 2 * sine / (double)(to - from);
    *across = 2 * cosine / (double)(to - from);
}

double heard_amplitude(const Heard *heard, int side, double frequency, int64_t from, int64_t to) {
    double in_phase, across;
    fit(heard, side, frequency, from, to, &in_phase, &across);
    return hypot(in_phase, across) / 32768;
}

double heard_residue(const Heard *heard, int side, double frequency, int64_t from, int64_t to) {
    double in_phase, across, sum = 0, middle = mean(heard, side, from, to);
    fit(heard, side, frequency, from, to, &in_phase, &across);
    for (int64_t i = from; i < to; i++) {
        double angle = TWO_PI * frequency * (double)i / HEARD_RATE;
        double left = heard->frames[i][side] - middle - in_phase * sin(angle) - across * cos(angle);
        sum += left * left;
    }
    return sqrt(sum / (double)(to - from)) / 32768;
}

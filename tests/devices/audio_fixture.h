/* A mixer whose sound is kept, and what can be said of it. */
#ifndef REPRISE_AUDIO_FIXTURE_H
#define REPRISE_AUDIO_FIXTURE_H

#include "audio_mixer.h"
#include "chip_fixture.h"

enum { HEARD_RATE = 48000, HEARD_FRAMES = HEARD_RATE * 20 };

typedef struct Heard {
    int16_t frames[HEARD_FRAMES][AUDIO_CHANNELS];
    int64_t count; /* frames from time 0, gaps are silent */
    AudioRenderer *renderer;
    AudioMixer *mixer;
} Heard;

Heard *heard_create(ChipFixture *fixture);
void heard_destroy(Heard *heard);
/* What sounded until now is in 'frames'. */
void heard_flush(Heard *heard);

/* The frequency of the left side between two frames, by where it rises through its mean. */
double heard_frequency(const Heard *heard, int64_t from, int64_t to);
/* The amplitude of a sine of this frequency there: 1 is full scale. */
double heard_amplitude(const Heard *heard, int side, double frequency, int64_t from, int64_t to);
/* The root of the mean square, of what is left if that sine is taken away. */
double heard_residue(const Heard *heard, int side, double frequency, int64_t from, int64_t to);

#endif

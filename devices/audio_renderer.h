/* Makes frames at a sink's rate of what devices said their outputs did at exact guest times.
 *
 * Every sample and every change of a level becomes a band-limited impulse or step at its place
 * between the frames, so rates need not be related and may change at any time. The frames depend
 * on the events alone, never on when somebody renders: the same run sounds the same, bit for bit.
 *
 * Quality: 90 dB down beyond the band, flat to 0.74 of half the lower of both rates. */
#ifndef REPRISE_AUDIO_RENDERER_H
#define REPRISE_AUDIO_RENDERER_H

#include "audio_sink.h"
#include <stdint.h>

enum { AUDIO_VOICES = 8 };

/* Below this rate samples are held to be this many a second: their images are heard, as they were
 * from the real thing. */
#define AUDIO_SAMPLE_RATE_MIN 4000

/* A generator that runs beside the machine from what is written to it: nothing comes back. */
typedef struct AudioSynth {
    unsigned rate; /* of its own samples */
    void *(*create)(void *options);
    void (*destroy)(void *synth);
    void (*reset)(void *synth);
    void (*write)(void *synth, uint16_t address, uint8_t value);
    void (*render)(void *synth, int16_t *frames, size_t count);
    void *options;
} AudioSynth;

typedef enum AudioEventKind {
    AUDIO_SAMPLES,     /* 'count' frames follow the event, the first at 'time_ns', each 'step_ns'
                          after the one before */
    AUDIO_LEVEL,       /* 'left' and 'right' from then on */
    AUDIO_GAIN,        /* of the voice: 'gain' */
    AUDIO_SYNTH,       /* 'synth' becomes the voice's */
    AUDIO_SYNTH_RESET, /* it forgets everything */
    AUDIO_SYNTH_WRITE, /* 'address', 'value' */
    AUDIO_ADVANCE,     /* nothing earlier than 'time_ns' comes any more */
    AUDIO_IDLE,        /* nor anything before the next AUDIO_START */
    AUDIO_START,       /* time goes on from 'time_ns', earlier or later than it was */
} AudioEventKind;

typedef struct AudioEvent {
    double time_ns, step_ns;
    uint32_t kind, voice;
    union {
        uint32_t count;
        struct {
            int16_t left, right;
        };
        float gain[2];
        const AudioSynth *synth;
        struct {
            uint16_t address;
            uint8_t value;
        };
    };
} AudioEvent;

typedef struct AudioRenderer AudioRenderer;

AudioRenderer *audio_renderer_create(const AudioSink *sink);
/* NULL is allowed. */
void audio_renderer_destroy(AudioRenderer *renderer);

/* Whole events with what follows them. */
void audio_renderer_process(AudioRenderer *renderer, const uint8_t *events, size_t size);

#endif

/* Where the sound of a machine goes: the last link of the chain device, mixer, renderer, sink. */
#ifndef REPRISE_AUDIO_SINK_H
#define REPRISE_AUDIO_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUDIO_CHANNELS = 2, AUDIO_RATE_MIN = 8000, AUDIO_RATE_MAX = 192000 };

typedef struct AudioSink {
    unsigned rate; /* frames a second; 0: nobody listens */
    /* Takes frames of two signed samples each, left first. Called by whoever renders, which is a
     * thread of its own behind a machine. What lies between two calls was silent: 'first' numbers
     * frames since the machine was made. */
    void (*write)(void *opaque, int64_t first, const int16_t *frames, size_t count);
    /* By how much more frames are wanted than guest time says (0.001: one in a thousand), for a
     * sink that plays at a clock of its own. NULL: it does not. */
    double (*trim)(void *opaque);
    /* When, in guest time, the first of the frames was that the next write() brings; NULL: nobody
     * wants to know. */
    void (*tell_time)(void *opaque, double time_ns);
    void *opaque;
} AudioSink;

#endif

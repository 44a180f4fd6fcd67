/* Between a machine's sound and where it goes: somebody who records can listen too. */
#ifndef REPRISE_AUDIO_TAP_H
#define REPRISE_AUDIO_TAP_H

#include "audio_sink.h"

typedef struct AudioTap AudioTap;

/* What is heard, on the thread of whoever renders: frames of left and right, the first at that
 * guest time. */
typedef struct AudioListener {
    void (*hear)(void *opaque, double time_ns, const int16_t *frames, size_t count);
    void *opaque;
} AudioListener;

/* 'behind': where the sound goes; rate 0: nowhere, and 'rate' is for the listener alone. */
AudioTap *audio_tap_create(const AudioSink *behind, unsigned rate);
/* Nobody may write any more. NULL is allowed. */
void audio_tap_destroy(AudioTap *tap);
AudioSink audio_tap_sink(AudioTap *tap);

unsigned audio_tap_rate(const AudioTap *tap);
/* Any thread. When it returns, whoever listened before hears nothing any more; NULL: nobody does.
 */
void audio_tap_listen(AudioTap *tap, const AudioListener *listener);

#endif

#include "audio_tap.h"
#include "allocate.h"

#include <pthread.h>
#include <stdlib.h>

struct AudioTap {
    AudioSink behind;
    unsigned rate;
    double time_ns; /* the renderer's: of the next frame */
    pthread_mutex_t lock;
    AudioListener listener;
};

AudioTap *audio_tap_create(const AudioSink *behind, unsigned rate) {
    AudioTap *tap = allocate_zeroed(sizeof(*tap));
    tap->behind = *behind;
    tap->rate = behind->rate != 0 ? behind->rate : rate;
    pthread_mutex_init(&tap->lock, NULL);
    return tap;
}

void audio_tap_destroy(AudioTap *tap) {
    if (tap == NULL)
        return;
    pthread_mutex_destroy(&tap->lock);
    free(tap);
}

static void tap_tell_time(void *opaque, double time_ns) {
    AudioTap *tap = opaque;
    tap->time_ns = time_ns;
}

static void tap_write(void *opaque, int64_t first, const int16_t *frames, size_t count) {
    AudioTap *tap = opaque;
    if (tap->behind.rate != 0)
        tap->behind.write(tap->behind.opaque, first, frames, count);
    pthread_mutex_lock(&tap->lock);
    if (tap->listener.hear != NULL)
        tap->listener.hear(tap->listener.opaque, tap->time_ns, frames, count);
    pthread_mutex_unlock(&tap->lock);
}

static double tap_trim(void *opaque) {
    AudioTap *tap = opaque;
    return tap->behind.trim(tap->behind.opaque);
}

AudioSink audio_tap_sink(AudioTap *tap) {
    return (AudioSink){.rate = tap->rate,
                       .write = tap_write,
                       .trim = tap->behind.trim != NULL ? tap_trim : NULL,
                       .tell_time = tap_tell_time,
                       .opaque = tap};
}

unsigned audio_tap_rate(const AudioTap *tap) {
    return tap->rate;
}

void audio_tap_listen(AudioTap *tap, const AudioListener *listener) {
    pthread_mutex_lock(&tap->lock);
    tap->listener = listener != NULL ? *listener : (AudioListener){.hear = NULL};
    pthread_mutex_unlock(&tap->lock);
}

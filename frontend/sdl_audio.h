/* Sound through SDL. The renderer's thread fills a ring, SDL's own thread empties it, and the main
 * thread opens the device when there is something to be heard for the first time.
 *
 * Latency, from the guest's clock to SDL: at most 18 ms in mixer and renderer, about
 * SDL_AUDIO_TARGET_MS in the ring, 11 ms in SDL's own buffer. The ring takes up what a busy host is
 * late, and its filling is held by making up to 1 % more or fewer frames than guest time says. */
#ifndef REPRISE_SDL_AUDIO_H
#define REPRISE_SDL_AUDIO_H

#include "audio_sink.h"
#include "error.h"

#define SDL_AUDIO_TARGET_MS 50

typedef struct SdlAudio SdlAudio;

/* 'driver': SDL's name of the one to use; NULL: any. 'wanted' is called from another thread when
 * sdl_audio_update() has something to do. 'must': whether a device that cannot be opened is worth
 * a line on stderr. */
SdlAudio *sdl_audio_create(const char *driver, unsigned rate, bool must,
                           void (*wanted)(void *opaque), void *opaque, Error *error);
/* Nobody may write any more. NULL is allowed. */
void sdl_audio_destroy(SdlAudio *audio);
AudioSink sdl_audio_sink(SdlAudio *audio);

/* What is heard is multiplied by that, 0 to 1; 1 at first. Any thread. */
void sdl_audio_set_gain(SdlAudio *audio, float gain);

/* On the main thread, now and then. */
void sdl_audio_update(SdlAudio *audio);

#endif

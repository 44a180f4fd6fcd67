/* Takes the place of sdl_audio.c in a build without SDL. */
#include "sdl_audio.h"

SdlAudio *sdl_audio_create(const char *driver, unsigned rate, bool must,
                           void (*wanted)(void *opaque), void *opaque, Error *error) {
    (void)driver, (void)rate, (void)must, (void)wanted, (void)opaque;
    error_set(error, "this build plays no sound; '-audiodev wav' and 'none' are known");
    return NULL;
}

void sdl_audio_destroy(SdlAudio *audio) {
    (void)audio;
}

AudioSink sdl_audio_sink(SdlAudio *audio) {
    (void)audio;
    return (AudioSink){.rate = 0};
}

void sdl_audio_set_gain(SdlAudio *audio, float gain) {
    (void)audio, (void)gain;
}

void sdl_audio_update(SdlAudio *audio) {
    (void)audio;
}

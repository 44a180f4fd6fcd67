#include "sdl_audio.h"
#include "allocate.h"
#include "sdl_library.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RING = 16384, /* frames */
    DEVICE_FRAMES = 512,
    RAMP = 96, /* frames in which sound begins and ends, where there is nothing to follow */
};
/* Reached where the ring is a quarter too full or too empty. */
#define TRIM_MAX 0.01

struct SdlAudio {
    SdlLibrary sdl;
    unsigned rate;
    bool must;
    void (*wanted)(void *opaque);
    void *opaque;
    SDL_AudioDeviceID device;
    bool tried;  /* to open it */
    bool asked;  /* the renderer's own: for the device */
    double fill; /* the renderer's own: of the ring, smoothed, in frames */
    int16_t ring[RING][AUDIO_CHANNELS];
    uint32_t put, taken; /* atomic: frames so far */
    float gain;          /* atomic */
    /* SDL's thread alone. */
    bool playing;
    unsigned ramp; /* frames since it began */
    float last[AUDIO_CHANNELS];
    float gain_now;
};

static uint32_t target(const SdlAudio *audio) {
    return audio->rate * SDL_AUDIO_TARGET_MS / 1000;
}

static void sdl_write(void *opaque, int64_t first, const int16_t *frames, size_t count) {
    SdlAudio *audio = opaque;
    uint32_t put = audio->put;
    uint32_t used = put - __atomic_load_n(&audio->taken, __ATOMIC_ACQUIRE);
    (void)first; /* a gap is silence: the ring runs empty */
    for (size_t i = 0; i < count && used < RING; i++, used++, put++)
        for (int side = 0; side < AUDIO_CHANNELS; side++)
            audio->ring[put % RING][side] = frames[i * AUDIO_CHANNELS + (size_t)side];
    __atomic_store_n(&audio->put, put, __ATOMIC_RELEASE);
    if (!audio->asked) {
        audio->asked = true;
        audio->wanted(audio->opaque);
    }
}

static double sdl_trim(void *opaque) {
    SdlAudio *audio = opaque;
    double used = audio->put - __atomic_load_n(&audio->taken, __ATOMIC_ACQUIRE);
    audio->fill += (used - audio->fill) / 16;
    double error = (target(audio) - audio->fill) / target(audio) * 4 * TRIM_MAX;
    return error > TRIM_MAX ? TRIM_MAX : error < -TRIM_MAX ? -TRIM_MAX : error;
}

static void take_frame(SdlAudio *audio, uint32_t at, int16_t *out) {
    float gain = audio->ramp < RAMP ? (float)audio->ramp++ / RAMP : 1;
    for (int side = 0; side < AUDIO_CHANNELS; side++) {
        audio->last[side] = (float)audio->ring[at % RING][side] * gain;
        out[side] = (int16_t)audio->last[side];
    }
}

/* In some hundred frames, so that nothing clicks. */
static float follow_gain(SdlAudio *audio) {
    float gain;
    __atomic_load(&audio->gain, &gain, __ATOMIC_RELAXED);
    audio->gain_now += (gain - audio->gain_now) / RAMP;
    return audio->gain_now;
}

/* Nothing there: the last level fades. */
static void fade(SdlAudio *audio, int16_t *out) {
    for (int side = 0; side < AUDIO_CHANNELS; side++) {
        audio->last[side] *= 1 - 4.0f / RAMP;
        out[side] = (int16_t)audio->last[side];
    }
}

static void play(void *opaque, Uint8 *stream, int bytes) {
    SdlAudio *audio = opaque;
    int16_t(*out)[AUDIO_CHANNELS] = (void *)stream;
    uint32_t count = (uint32_t)bytes / sizeof out[0];
    uint32_t taken = audio->taken;
    uint32_t used = __atomic_load_n(&audio->put, __ATOMIC_ACQUIRE) - taken;
    if (!audio->playing && used >= target(audio)) {
        audio->playing = true;
        audio->ramp = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (audio->playing && used > 0) {
            take_frame(audio, taken++, out[i]);
            used--;
        } else {
            audio->playing = false;
            fade(audio, out[i]);
        }
        float gain = follow_gain(audio);
        for (int side = 0; side < AUDIO_CHANNELS; side++)
            out[i][side] = (int16_t)((float)out[i][side] * gain);
    }
    __atomic_store_n(&audio->taken, taken, __ATOMIC_RELEASE);
}

SdlAudio *sdl_audio_create(const char *driver, unsigned rate, bool must,
                           void (*wanted)(void *opaque), void *opaque, Error *error) {
    SdlAudio *audio = allocate_zeroed(sizeof *audio);
    if (!sdl_library_load(&audio->sdl, error)) {
        free(audio);
        return NULL;
    }
    if (driver != NULL)
        audio->sdl.SetHint(SDL_HINT_AUDIODRIVER, driver);
    audio->rate = rate;
    audio->must = must;
    audio->wanted = wanted;
    audio->opaque = opaque;
    audio->gain = 1;
    return audio;
}

void sdl_audio_set_gain(SdlAudio *audio, float gain) {
    __atomic_store(&audio->gain, &gain, __ATOMIC_RELAXED);
}

void sdl_audio_update(SdlAudio *audio) {
    if (audio->tried || __atomic_load_n(&audio->put, __ATOMIC_ACQUIRE) == 0)
        return;
    SDL_AudioSpec wanted = {.freq = (int)audio->rate,
                            .format = AUDIO_S16SYS,
                            .channels = AUDIO_CHANNELS,
                            .samples = DEVICE_FRAMES,
                            .callback = play,
                            .userdata = audio};
    SDL_AudioSpec got;
    audio->tried = true;
    if (audio->sdl.InitSubSystem(SDL_INIT_AUDIO) == 0)
        audio->device = audio->sdl.OpenAudioDevice(NULL, 0, &wanted, &got, 0);
    audio->gain_now = audio->gain;
    if (audio->device != 0)
        audio->sdl.PauseAudioDevice(audio->device, 0);
    else if (audio->must)
        fprintf(stderr, "reprise: no sound is to be heard: %s\n", audio->sdl.GetError());
}

void sdl_audio_destroy(SdlAudio *audio) {
    if (audio == NULL)
        return;
    if (audio->device != 0)
        audio->sdl.CloseAudioDevice(audio->device);
    free(audio);
}

AudioSink sdl_audio_sink(SdlAudio *audio) {
    return (AudioSink){.rate = audio->rate, .write = sdl_write, .trim = sdl_trim, .opaque = audio};
}

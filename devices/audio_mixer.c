#include "audio_mixer.h"
#include "allocate.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS 10000000LL
/* Events that make no sound by themselves wait for the next tick, but not too many of them. */
#define WAITING_BYTES_MAX (256u << 10)
/* Silence is made to its end before nothing is made any more. */
#define QUIET_NS 300000000LL

struct AudioVoice {
    AudioMixer *mixer;
    uint32_t number;
    bool (*refresh)(void *opaque, int64_t now_ns);
    void *opaque;
    size_t
        level_at; /* where the last AUDIO_LEVEL is among the events; they may be posted already */
};

struct AudioMixer {
    VirtualClock *clock;
    void (*post)(void *opaque, ByteBuffer *events);
    void *opaque;
    ByteBuffer events;
    AudioVoice voice[AUDIO_VOICES];
    uint32_t voices;
    Timer tick;
    int64_t due_ns;  /* no guest can tell when, so not State */
    int64_t told_ns; /* up to then everything was posted */
    int64_t sounded_ns;
    bool sounding;
};

static void add(AudioMixer *mixer, const AudioEvent *event) {
    byte_buffer_append(&mixer->events, event, sizeof *event);
}

static void add_time(AudioMixer *mixer, AudioEventKind kind, int64_t now_ns) {
    add(mixer, &(AudioEvent){.kind = kind, .time_ns = (double)now_ns});
}

static void tell_time(AudioMixer *mixer, AudioEventKind kind, int64_t now_ns) {
    mixer->told_ns = now_ns;
    add_time(mixer, kind, now_ns);
}

static void start(AudioMixer *mixer, int64_t now_ns) {
    mixer->sounding = true;
    mixer->sounded_ns = now_ns;
    tell_time(mixer, AUDIO_START, now_ns);
    timer_arm(&mixer->tick, (now_ns / TICK_NS + 1) * TICK_NS);
}

static void wake(AudioMixer *mixer) {
    int64_t now_ns = clock_now_ns(mixer->clock);
    mixer->sounded_ns = now_ns;
    if (!mixer->sounding)
        start(mixer, now_ns);
}

static void refresh_all(AudioMixer *mixer, int64_t now_ns) {
    for (uint32_t i = 0; i < mixer->voices; i++) {
        AudioVoice *voice = &mixer->voice[i];
        if (voice->refresh != NULL && voice->refresh(voice->opaque, now_ns))
            mixer->sounded_ns = now_ns;
    }
}

void audio_mixer_flush(AudioMixer *mixer) {
    int64_t now_ns = clock_now_ns(mixer->clock);
    if (mixer->sounding) {
        refresh_all(mixer, now_ns);
        tell_time(mixer, AUDIO_ADVANCE, now_ns);
    }
    if (mixer->events.size > 0)
        mixer->post(mixer->opaque, &mixer->events);
}

static void tick_due(void *opaque) {
    AudioMixer *mixer = opaque;
    int64_t now_ns = clock_now_ns(mixer->clock);
    if (!mixer->sounding) /* a state was restored */
        start(mixer, now_ns);
    audio_mixer_flush(mixer);
    if (now_ns - mixer->sounded_ns > QUIET_NS) {
        add_time(mixer, AUDIO_IDLE, now_ns);
        mixer->sounding = false;
        mixer->post(mixer->opaque, &mixer->events);
    } else {
        timer_arm(&mixer->tick, (now_ns / TICK_NS + 1) * TICK_NS);
    }
}

AudioMixer *audio_mixer_create(VirtualClock *clock, void (*post)(void *opaque, ByteBuffer *events),
                               void *opaque) {
    AudioMixer *mixer = allocate_zeroed(sizeof *mixer);
    mixer->clock = clock;
    mixer->post = post;
    mixer->opaque = opaque;
    timer_init(&mixer->tick, clock, "audio", &mixer->due_ns, tick_due, mixer);
    return mixer;
}

void audio_mixer_destroy(AudioMixer *mixer) {
    if (mixer == NULL)
        return;
    if (mixer->sounding)
        add_time(mixer, AUDIO_IDLE, clock_now_ns(mixer->clock));
    if (mixer->events.size > 0)
        mixer->post(mixer->opaque, &mixer->events);
    byte_buffer_free(&mixer->events);
    free(mixer);
}

AudioVoice *audio_voice_open(AudioMixer *mixer, bool (*refresh)(void *opaque, int64_t now_ns),
                             void *opaque) {
    if (mixer == NULL)
        return NULL;
    assert(mixer->voices < AUDIO_VOICES);
    AudioVoice *voice = &mixer->voice[mixer->voices];
    *voice = (AudioVoice){mixer, mixer->voices++, refresh, opaque, SIZE_MAX};
    return voice;
}

void audio_voice_wake(AudioVoice *voice) {
    if (voice != NULL)
        wake(voice->mixer);
}

void audio_voice_play(AudioVoice *voice, double time_ns, double step_ns, const int16_t *frames,
                      size_t count) {
    static const uint8_t padding[8];
    if (voice == NULL || count == 0)
        return;
    size_t bytes = count * sizeof *frames * AUDIO_CHANNELS;
    wake(voice->mixer);
    add(voice->mixer, &(AudioEvent){.kind = AUDIO_SAMPLES,
                                    .voice = voice->number,
                                    .time_ns = time_ns,
                                    .step_ns = step_ns,
                                    .count = (uint32_t)count});
    byte_buffer_append(&voice->mixer->events, frames, bytes);
    byte_buffer_append(&voice->mixer->events, padding, -bytes % 8);
}

/* A guest may move a level as often as it can: changes that no ear tells apart become one. */
#define LEVEL_SPACING_NS 2000.0

static bool joins_last_level(AudioVoice *voice, double time_ns, int16_t left, int16_t right) {
    ByteBuffer *events = &voice->mixer->events;
    AudioEvent last;
    if (voice->level_at + sizeof last != events->size)
        return false;
    memcpy(&last, events->data + voice->level_at, sizeof last);
    if (last.kind != AUDIO_LEVEL || last.voice != voice->number ||
        time_ns - last.time_ns > LEVEL_SPACING_NS || time_ns < last.time_ns)
        return false;
    last.left = left;
    last.right = right;
    memcpy(events->data + voice->level_at, &last, sizeof last);
    return true;
}

void audio_voice_set_level(AudioVoice *voice, double time_ns, int16_t left, int16_t right) {
    if (voice == NULL)
        return;
    wake(voice->mixer);
    if (joins_last_level(voice, time_ns, left, right))
        return;
    voice->level_at = voice->mixer->events.size;
    add(voice->mixer, &(AudioEvent){.kind = AUDIO_LEVEL,
                                    .voice = voice->number,
                                    .time_ns = time_ns,
                                    .left = left,
                                    .right = right});
}

/* Of what is to happen in order with other events, but makes no sound by itself. */
static void add_now(AudioVoice *voice, AudioEvent event) {
    event.voice = voice->number;
    event.time_ns = (double)clock_now_ns(voice->mixer->clock);
    add(voice->mixer, &event);
    if (voice->mixer->events.size > WAITING_BYTES_MAX)
        voice->mixer->post(voice->mixer->opaque, &voice->mixer->events);
}

void audio_voice_set_gain(AudioVoice *voice, float left, float right) {
    if (voice != NULL)
        add_now(voice, (AudioEvent){.kind = AUDIO_GAIN, .gain = {left, right}});
}

void audio_voice_set_synth(AudioVoice *voice, const AudioSynth *synth) {
    if (voice != NULL)
        add_now(voice, (AudioEvent){.kind = AUDIO_SYNTH, .synth = synth});
}

void audio_voice_reset_synth(AudioVoice *voice) {
    if (voice != NULL)
        add_now(voice, (AudioEvent){.kind = AUDIO_SYNTH_RESET});
}

void audio_voice_write_synth(AudioVoice *voice, uint16_t address, uint8_t value) {
    if (voice == NULL)
        return;
    add_now(voice, (AudioEvent){.kind = AUDIO_SYNTH_WRITE, .address = address, .value = value});
}

/* The clock has the restored time only after all devices have their states. */
void audio_voice_restored(AudioVoice *voice) {
    if (voice == NULL)
        return;
    AudioMixer *mixer = voice->mixer;
    if (mixer->sounding)
        add_time(mixer, AUDIO_IDLE, mixer->told_ns);
    mixer->sounding = false;
    mixer->due_ns = 0;
}

/* Where the devices of a machine send their sound: what one -audiodev names.
 *
 * Nothing here is State, and nothing that a guest sees depends on it. A device tells what its
 * output did and when, in guest time; the mixer collects that and hands it on every 10 ms of guest
 * time, while there is sound, to be rendered elsewhere (audio_renderer.h). */
#ifndef REPRISE_AUDIO_MIXER_H
#define REPRISE_AUDIO_MIXER_H

#include "audio_renderer.h"
#include "byte_buffer.h"
#include "clock.h"

typedef struct AudioMixer AudioMixer;
typedef struct AudioVoice AudioVoice;

/* 'post' takes events away, for a renderer: it leaves 'events' with size 0. */
AudioMixer *audio_mixer_create(VirtualClock *clock, void (*post)(void *opaque, ByteBuffer *events),
                               void *opaque);
/* Posts what is left. NULL is allowed. */
void audio_mixer_destroy(AudioMixer *mixer);
/* Everything up to now is posted. */
void audio_mixer_flush(AudioMixer *mixer);

/* A device's output. 'refresh' is called every 10 ms of guest time while anything sounds: it may
 * tell what happened up to now, must not change State, and returns whether the device is sounding
 * still; NULL: told by events alone. NULL is returned for a NULL mixer, and by all functions below
 * ignored. */
AudioVoice *audio_voice_open(AudioMixer *mixer, bool (*refresh)(void *opaque, int64_t now_ns),
                             void *opaque);

/* Frames of left and right, the first at 'time_ns', 'step_ns' apart. At most 2 ms late. */
void audio_voice_play(AudioVoice *voice, double time_ns, double step_ns, const int16_t *frames,
                      size_t count);
/* The output has this level from 'time_ns' on. */
void audio_voice_set_level(AudioVoice *voice, double time_ns, int16_t left, int16_t right);
/* From now on; 1 at first. */
void audio_voice_set_gain(AudioVoice *voice, float left, float right);
/* The description must stay. The synth is made by whoever renders. */
void audio_voice_set_synth(AudioVoice *voice, const AudioSynth *synth);
void audio_voice_reset_synth(AudioVoice *voice);
void audio_voice_write_synth(AudioVoice *voice, uint16_t address, uint8_t value);
/* A voice with a 'refresh' begins to sound. */
void audio_voice_wake(AudioVoice *voice);
/* From a device's restored(): time may have jumped. */
void audio_voice_restored(AudioVoice *voice);

#endif

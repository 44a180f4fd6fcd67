/* What all -audiodev options of a machine lead to, and its MIDI port. */
#ifndef REPRISE_AUDIO_OUTPUTS_H
#define REPRISE_AUDIO_OUTPUTS_H

#include "audio_tap.h"
#include "audio_wav.h"
#include "midi_output.h"
#include "sdl_audio.h"
#include "settings.h"

typedef struct AudioOutputs {
    AudioWav *wav[MACHINE_AUDIO_SINKS];
    SdlAudio *sdl[MACHINE_AUDIO_SINKS];
    AudioTap *tap[MACHINE_AUDIO_SINKS]; /* between the machine and these */
    MidiOutput *midi;
} AudioOutputs;

/* Opens them into the settings' machine. 'may_play': there is somebody to hear SDL; else those
 * that would play are silent. 'wanted' as in sdl_audio.h. */
bool audio_outputs_open(AudioOutputs *outputs, Settings *settings, bool may_play,
                        void (*wanted)(void *opaque), void *opaque, Error *error);
/* On the main thread, in its loop. */
void audio_outputs_update(AudioOutputs *outputs);
/* Of all that is played. Any thread. */
void audio_outputs_set_gain(const AudioOutputs *outputs, float gain);
/* For who records; NULL: there is no sound. */
AudioTap *audio_outputs_tap(const AudioOutputs *outputs);
/* After the machine is gone. */
void audio_outputs_close(AudioOutputs *outputs);

#endif

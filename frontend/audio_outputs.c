#include "audio_outputs.h"

static bool open_sdl(AudioOutputs *outputs, Settings *settings, unsigned i,
                     void (*wanted)(void *opaque), void *opaque, Error *error) {
    const AudioSpec *spec = &settings->audio[i];
    bool must = spec->driver == AUDIO_DRIVER_SDL;
    Error ignored = {.set = false};
    outputs->sdl[i] = sdl_audio_create(spec->sdl_driver, spec->rate, must, wanted, opaque,
                                       must ? error : &ignored);
    if (outputs->sdl[i] != NULL)
        settings->machine.audio[i] = sdl_audio_sink(outputs->sdl[i]);
    return outputs->sdl[i] != NULL || !must;
}

/* Where nothing is heard nothing is rendered either, unless it is for a film. */
static void add_tap(AudioOutputs *outputs, Settings *settings, unsigned i) {
    AudioSink *sink = &settings->machine.audio[i];
    if (sink->rate == 0 && settings->video_path == NULL)
        return;
    outputs->tap[i] = audio_tap_create(sink, AUDIO_DEFAULT_RATE);
    *sink = audio_tap_sink(outputs->tap[i]);
}

AudioTap *audio_outputs_tap(const AudioOutputs *outputs) {
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        if (outputs->tap[i] != NULL)
            return outputs->tap[i];
    }
    return NULL;
}

bool audio_outputs_open(AudioOutputs *outputs, Settings *settings, bool may_play,
                        void (*wanted)(void *opaque), void *opaque, Error *error) {
    if (settings->midi_path != NULL) {
        outputs->midi = midi_output_open(settings->midi_path, error);
        if (outputs->midi == NULL)
            return false;
        settings->machine.midi = midi_output_sink(outputs->midi);
    }
    bool window = settings->display != DISPLAY_NONE;
    for (unsigned i = 0; i < settings->audio_count; i++) {
        const AudioSpec *spec = &settings->audio[i];
        bool plays =
            spec->driver == AUDIO_DRIVER_SDL || (spec->driver == AUDIO_DRIVER_DEFAULT && window);
        if (spec->driver == AUDIO_DRIVER_WAV) {
            outputs->wav[i] = audio_wav_open(spec->path, spec->rate, spec->channels, error);
            if (outputs->wav[i] == NULL)
                return false;
            settings->machine.audio[i] = audio_wav_sink(outputs->wav[i]);
        } else if (plays && may_play && !open_sdl(outputs, settings, i, wanted, opaque, error)) {
            return false;
        }
        add_tap(outputs, settings, i);
    }
    return true;
}

void audio_outputs_update(AudioOutputs *outputs) {
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        if (outputs->sdl[i] != NULL)
            sdl_audio_update(outputs->sdl[i]);
    }
}

void audio_outputs_set_gain(const AudioOutputs *outputs, float gain) {
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        if (outputs->sdl[i] != NULL)
            sdl_audio_set_gain(outputs->sdl[i], gain);
    }
}

void audio_outputs_close(AudioOutputs *outputs) {
    midi_output_close(outputs->midi);
    outputs->midi = NULL;
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        audio_tap_destroy(outputs->tap[i]);
        audio_wav_close(outputs->wav[i]);
        sdl_audio_destroy(outputs->sdl[i]);
        outputs->wav[i] = NULL;
        outputs->sdl[i] = NULL;
        outputs->tap[i] = NULL;
    }
}

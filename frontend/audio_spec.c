#include "audio_spec.h"
#include "audio_sink.h"
#include "nearest_name.h"

#include <string.h>

/* The drivers of QEMU; those that play are SDL's by another name, or what it finds where there is
 * none of that name. */
static const struct {
    const char *name;
    AudioDriver driver;
    const char *sdl_driver;
} drivers[] = {{"none", AUDIO_DRIVER_NONE, NULL},    {"wav", AUDIO_DRIVER_WAV, NULL},
               {"sdl", AUDIO_DRIVER_SDL, NULL},      {"alsa", AUDIO_DRIVER_SDL, "alsa"},
               {"oss", AUDIO_DRIVER_SDL, "dsp"},     {"pa", AUDIO_DRIVER_SDL, "pulseaudio"},
               {"jack", AUDIO_DRIVER_SDL, "jack"},   {"pipewire", AUDIO_DRIVER_SDL, "pipewire"},
               {"sndio", AUDIO_DRIVER_SDL, "sndio"}, {"coreaudio", AUDIO_DRIVER_SDL, NULL},
               {"dsound", AUDIO_DRIVER_SDL, NULL},   {"spice", AUDIO_DRIVER_NONE, NULL},
               {"dbus", AUDIO_DRIVER_NONE, NULL}};

static bool find_driver(AudioSpec *spec, const char *name, Error *error) {
    NearestName nearest = {.wanted = name};
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strcmp(drivers[i].name, name) == 0) {
            spec->driver = drivers[i].driver;
            spec->sdl_driver = drivers[i].sdl_driver;
            return true;
        }
        nearest_name_consider(&nearest, drivers[i].name);
    }
    const char *best = nearest_name_get(&nearest);
    return error_set(error, "there is no audio driver '%s'; did you mean '%s'?", name,
                     best != NULL ? best : "sdl");
}

/* Of buffers and of sound that comes in: rate and sizes are our own affair, and nothing comes in.
 */
static void accept_harmless(KeyValues *values) {
    static const char *const keys[] = {"timer-period",
                                       "out.mixing-engine",
                                       "out.fixed-settings",
                                       "out.voices",
                                       "out.buffer-length",
                                       "out.buffer-count",
                                       "in.mixing-engine",
                                       "in.fixed-settings",
                                       "in.frequency",
                                       "in.channels",
                                       "in.format",
                                       "in.voices",
                                       "in.buffer-length",
                                       "in.buffer-count",
                                       "out.dev",
                                       "in.dev",
                                       "out.name",
                                       "in.name",
                                       "server",
                                       "out.latency",
                                       "in.latency",
                                       "out.stream-name",
                                       "in.stream-name",
                                       "threshold",
                                       "out.period-length",
                                       "in.period-length",
                                       "out.try-poll",
                                       "in.try-poll",
                                       "name",
                                       "out.client-name",
                                       "in.client-name"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        key_values_get(values, keys[i]);
}

bool audio_spec_from_values(AudioSpec *spec, KeyValues *values, Error *error) {
    const char *driver = key_values_get(values, "driver");
    const char *format = key_values_get(values, "out.format");
    uint64_t rate, channels;
    *spec = (AudioSpec){.id = key_values_get(values, "id")};
    if (driver == NULL)
        return error_set(error, "the driver's name is missing");
    if (!find_driver(spec, driver, error))
        return false;
    bool is_wav = spec->driver == AUDIO_DRIVER_WAV;
    if (!key_values_get_number(values, "out.frequency",
                               is_wav ? AUDIO_WAV_RATE : AUDIO_DEFAULT_RATE, &rate, error) ||
        !key_values_get_number(values, "out.channels", AUDIO_CHANNELS, &channels, error))
        return false;
    if (rate < AUDIO_RATE_MIN || rate > AUDIO_RATE_MAX)
        return error_set(error, "out.frequency is %d to %d", AUDIO_RATE_MIN, AUDIO_RATE_MAX);
    if (channels < 1 || channels > 2)
        return error_set(error, "out.channels is 1 or 2");
    if (is_wav && format != NULL && strcmp(format, "s16") != 0)
        return error_set(error, "out.format of a WAV file is s16");
    if (is_wav) {
        spec->path = key_values_get(values, "path");
        if (spec->path == NULL)
            spec->path = "reprise.wav";
    }
    spec->rate = (unsigned)rate;
    spec->channels = (unsigned)channels;
    accept_harmless(values);
    return true;
}

/* -audiodev, and the cards: one table for -device, -audio and -soundhw; the gameport, which was on
 * them. */
#include "host_string.h"
#include "key_values.h"
#include "nearest_name.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static const char *keep(Settings *settings, const char *text) {
    return settings_keep_string(settings, text);
}

static bool add_audio(Settings *settings, KeyValues *values, Error *error) {
    AudioSpec spec;
    if (settings->audio_count == MACHINE_AUDIO_SINKS)
        return error_set(error, "there are no more than %d", MACHINE_AUDIO_SINKS);
    if (!audio_spec_from_values(&spec, values, error))
        return false;
    spec.id = keep(settings, spec.id != NULL ? spec.id : "");
    spec.path = keep(settings, spec.path);
    settings->audio[settings->audio_count++] = spec;
    return true;
}

bool option_audiodev(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    if (strcmp(argument, "help") == 0) {
        puts("Known audio drivers: none wav sdl alsa oss pa jack pipewire sndio (the latter by "
             "SDL)");
        return settings->listed = true;
    }
    bool good = key_values_parse(&values, argument, "driver", error) &&
                add_audio(settings, &values, error) &&
                key_values_check_used(
                    &values, "driver id path out.frequency out.channels out.format", error);
    key_values_free(&values);
    return good;
}

/* A number that must be one of 'allowed' (0 ends them). */
static bool get_one_of(KeyValues *values, const char *key, uint64_t otherwise,
                       const uint16_t *allowed, uint64_t *result, Error *error) {
    char list[80] = "";
    if (!key_values_get_number(values, key, otherwise, result, error))
        return false;
    for (size_t i = 0, length = 0; allowed[i] != 0 || i == 0; i++) {
        if (allowed[i] == *result)
            return true;
        length += (size_t)snprintf(list + length, sizeof(list) - length,
                                   *allowed > 15 ? " 0x%x" : " %u", allowed[i]);
    }
    return error_set(error, "%s is one of%s", key, list);
}

static void plug_in(Settings *settings, KeyValues *values, SoundKind kind) {
    const char *audio = key_values_get(values, "audiodev");
    settings->machine.sound[kind].present = true;
    if (audio != NULL)
        settings->sound_audio[kind] = keep(settings, audio);
}

/* 'midi=', where the port leads. */
static void keep_midi(Settings *settings, KeyValues *values) {
    const char *path = key_values_get(values, "midi");
    if (path != NULL)
        settings->midi_path = keep(settings, path);
}

bool plug_in_sb16(Settings *settings, KeyValues *values, Error *error) {
    static const uint16_t ports[] = {0x220, 0x240, 0x260, 0x280, 0}, irqs[] = {5, 2, 7, 9, 10, 0};
    static const uint16_t dmas[] = {1, 3, 0}, dmas16[] = {5, 6, 7, 0};
    SoundConfig *sb16 = &settings->machine.sound[SOUND_SB16];
    uint64_t port, irq, dma, dma16, version;
    if (!get_one_of(values, "iobase", 0x220, ports, &port, error) ||
        !get_one_of(values, "irq", 5, irqs, &irq, error) ||
        !key_values_get_number(values, "dma", 1, &dma, error) ||
        (dma != 0 && !get_one_of(values, "dma", 1, dmas, &dma, error)) ||
        !get_one_of(values, "dma16", 5, dmas16, &dma16, error) ||
        !key_values_get_number(values, "version", 0x405, &version, error))
        return false;
    if (version < 0x100 || version > 0x4FF)
        return error_set(error, "version is that of the DSP, 0x100 to 0x4ff");
    sb16->port = (uint16_t)port;
    sb16->irq = (uint8_t)(irq == 2 ? 9 : irq); /* the bus has line 9 on the old pin 2 */
    sb16->dma = (uint8_t)dma;
    sb16->dma16 = (uint8_t)dma16;
    sb16->version = (uint16_t)version;
    keep_midi(settings, values);
    plug_in(settings, values, SOUND_SB16);
    return true;
}

bool plug_in_mpu401(Settings *settings, KeyValues *values, Error *error) {
    static const uint16_t ports[] = {0x330, 0x300, 0x320, 0x332, 0x334, 0x336, 0};
    static const uint16_t irqs[] = {9, 2, 3, 4, 5, 7, 10, 11, 0};
    SoundConfig *config = &settings->machine.sound[SOUND_MPU401];
    uint64_t port, irq;
    if (!get_one_of(values, "iobase", 0x330, ports, &port, error) ||
        !get_one_of(values, "irq", 9, irqs, &irq, error))
        return false;
    config->present = true;
    config->port = (uint16_t)port;
    config->irq = (uint8_t)(irq == 2 ? 9 : irq);
    keep_midi(settings, values);
    return true;
}

bool plug_in_gameport(Settings *settings, KeyValues *values, Error *error) {
    uint64_t count;
    if (!key_values_get_number(values, "joysticks", 1, &count, error))
        return false;
    if (count > 2)
        return error_set(error, "joysticks is 0, 1 or 2");
    settings->machine.has_gameport = true;
    settings->machine.joysticks = (unsigned)count;
    return true;
}

bool plug_in_adlib(Settings *settings, KeyValues *values, Error *error) {
    uint64_t port;
    key_values_get(values, "freq");
    if (!key_values_get_number(values, "iobase", 0x220, &port, error))
        return false;
    if (port > 0xFFF0)
        return error_set(error, "iobase is a port");
    settings->machine.sound[SOUND_ADLIB].port = (uint16_t)port;
    plug_in(settings, values, SOUND_ADLIB);
    return true;
}

static bool plug_in_pci(Settings *settings, KeyValues *values, SoundKind kind, Error *error) {
    plug_in(settings, values, kind);
    return options_read_slot(values, &settings->machine.sound[kind].slot, error);
}

bool plug_in_ac97(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_pci(settings, values, SOUND_AC97, error);
}

bool plug_in_es1370(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_pci(settings, values, SOUND_ES1370, error);
}

static bool plug_in_speaker(Settings *settings, KeyValues *values, Error *error) {
    (void)error;
    plug_in(settings, values, SOUND_SPEAKER);
    return true;
}

static const struct {
    const char *name, *keys, *help;
    bool (*plug_in)(Settings *settings, KeyValues *values, Error *error);
} models[] = {
    {"sb16", "iobase irq dma dma16 version midi id", "Sound Blaster 16", plug_in_sb16},
    {"ac97", "addr bus id", "Intel 82801AA AC97", plug_in_ac97},
    {"es1370", "addr bus id", "Ensoniq AudioPCI ES1370", plug_in_es1370},
    {"adlib", "iobase freq id", "AdLib: an OPL alone", plug_in_adlib},
    {"pcspk", "id", "the PC's speaker", plug_in_speaker},
};
#define MODELS (sizeof(models) / sizeof(models[0]))

static bool list_models(Settings *settings) {
    for (size_t i = 0; i < MODELS; i++)
        printf("%-8s %s (%s)\n", models[i].name, models[i].help, models[i].keys);
    return settings->listed = true;
}

/* '*keys': what settings it takes. */
static bool plug_in_model(Settings *settings, const char *name, KeyValues *values,
                          const char **keys, Error *error) {
    NearestName nearest = {.wanted = name};
    for (size_t i = 0; i < MODELS; i++) {
        if (strcmp(models[i].name, name) == 0) {
            *keys = models[i].keys;
            key_values_get(values, "id");
            key_values_get(values, "bus");
            return models[i].plug_in(settings, values, error);
        }
        nearest_name_consider(&nearest, models[i].name);
    }
    const char *best = nearest_name_get(&nearest);
    return error_set(error, "there is no sound card '%s'; did you mean '%s'?", name,
                     best != NULL ? best : "sb16");
}

/* "sdl,model=sb16,irq=7": an audiodev of its own for the card, as in QEMU. */
static bool add_audio_and_model(Settings *settings, KeyValues *values, Error *error) {
    const char *model = key_values_get(values, "model"), *keys = "";
    char id[16];
    snprintf(id, sizeof(id), "audio%u", settings->audio_count);
    if (model == NULL && key_values_get(values, "id") == NULL)
        return error_set(error, "model= is needed; '-audio model=help' lists what there is");
    const char *card_id = key_values_get(values, "id");
    if (!add_audio(settings, values, error))
        return false;
    AudioSpec *spec = &settings->audio[settings->audio_count - 1];
    spec->id = keep(settings, card_id != NULL ? card_id : id);
    key_values_set(values, "audiodev", spec->id);
    key_values_get(values, "audiodev");
    return (model == NULL || plug_in_model(settings, model, values, &keys, error)) &&
           key_values_check_used(values, keys, error);
}

bool option_audio(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "driver", error);
    const char *driver = key_values_get(&values, "driver");
    const char *model = key_values_get(&values, "model");
    if (good && model != NULL && (strcmp(model, "help") == 0 || strcmp(model, "?") == 0))
        good = list_models(settings);
    else if (good && model == NULL && driver != NULL && strcmp(driver, "none") == 0)
        good = add_audio(settings, &values, error);
    else
        good = good && add_audio_and_model(settings, &values, error);
    key_values_free(&values);
    return good;
}

/* "sb16,adlib", as older versions of QEMU had it. */
bool option_soundhw(Settings *settings, const char *argument, Error *error) {
    char list[80];
    if (strcmp(argument, "help") == 0 || strcmp(argument, "?") == 0)
        return list_models(settings);
    if (snprintf(list, sizeof(list), "%s",
                 strcmp(argument, "all") == 0 ? "sb16,pcspk" : argument) >= (int)sizeof(list))
        return error_set(error, "that are too many cards");
    char *rest = list;
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        KeyValues values = {.items = NULL};
        const char *keys;
        bool good = plug_in_model(settings, name, &values, &keys, error);
        key_values_free(&values);
        if (!good)
            return false;
    }
    return true;
}

/* What sound is played on or written to, as -audiodev says it. */
#ifndef REPRISE_AUDIO_SPEC_H
#define REPRISE_AUDIO_SPEC_H

#include "error.h"
#include "key_values.h"
#include <stdbool.h>

typedef enum AudioDriver {
    AUDIO_DRIVER_NONE,
    AUDIO_DRIVER_WAV,
    AUDIO_DRIVER_SDL,
    /* SDL where there is a window, and if it can be had; else nothing. */
    AUDIO_DRIVER_DEFAULT,
} AudioDriver;

#define AUDIO_DEFAULT_RATE 48000
#define AUDIO_WAV_RATE 44100

typedef struct AudioSpec {
    const char *id;
    AudioDriver driver;
    const char *sdl_driver; /* SDL's name of the one that was asked for; NULL: any */
    const char *path;       /* of a WAV file */
    unsigned rate, channels;
} AudioSpec;

/* From "wav,id=a,path=FILE,out.frequency=44100"; strings stay those of 'values'. What changes
 * nothing here is accepted. */
bool audio_spec_from_values(AudioSpec *spec, KeyValues *values, Error *error);

#endif

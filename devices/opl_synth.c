#include "opl_synth.h"
#include "allocate.h"
#include "host_library.h"

#include <adplug/nukedopl.h>
#include <stdio.h>
#include <stdlib.h>

// clang-format off
#define OPL_FUNCTIONS(X) X(Generate) X(Reset) X(WriteReg)
// clang-format on

typedef struct OplLibrary {
#define X(name) __typeof__(OPL3_##name) *name;
    OPL_FUNCTIONS(X)
#undef X
} OplLibrary;

typedef struct OplSynth {
    OplLibrary library;
    bool is_loaded, tried;
    opl3_chip chip;
} OplSynth;

static bool load(OplSynth *synth) {
    static const char *const names[] = {
#define X(name) "OPL3_" #name,
        OPL_FUNCTIONS(X)
#undef X
    };
    Error error = {.set = false};
    if (synth->tried)
        return synth->is_loaded;
    synth->tried = true;
    synth->is_loaded = host_library_load(REPRISE_ADPLUG_LIBRARY, names,
                                         sizeof(names) / sizeof(names[0]), &synth->library, &error);
    if (synth->is_loaded)
        synth->library.Reset(&synth->chip, OPL_RATE);
    else
        fprintf(stderr, "reprise: FM sound is silent: %s\n", error.message);
    return synth->is_loaded;
}

static void *opl_create(void *options) {
    (void)options;
    return allocate_zeroed(sizeof(OplSynth));
}

static void opl_reset(void *opaque) {
    OplSynth *synth = opaque;
    if (synth->is_loaded)
        synth->library.Reset(&synth->chip, OPL_RATE);
}

static void opl_write(void *opaque, uint16_t address, uint8_t value) {
    OplSynth *synth = opaque;
    if (load(synth))
        synth->library.WriteReg(&synth->chip, address, value);
}

static void opl_render(void *opaque, int16_t *frames, size_t count) {
    OplSynth *synth = opaque;
    for (size_t i = 0; i < count; i++) {
        frames[2 * i] = frames[2 * i + 1] = 0;
        if (synth->is_loaded)
            synth->library.Generate(&synth->chip, frames + 2 * i);
    }
}

const AudioSynth opl_synth = {
    .rate = OPL_RATE,
    .create = opl_create,
    .destroy = free,
    .reset = opl_reset,
    .write = opl_write,
    .render = opl_render,
};

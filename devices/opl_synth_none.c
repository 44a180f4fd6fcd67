/* Takes the place of opl_synth.c in a build without libadplug: an OPL that is silent. */
#include "allocate.h"
#include "opl_synth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *opl_create(void *options) {
    (void)options;
    fprintf(stderr, "reprise: FM sound is silent: this build is without libadplug\n");
    return allocate_zeroed(1);
}

static void opl_reset(void *opaque) {
    (void)opaque;
}

static void opl_write(void *opaque, uint16_t address, uint8_t value) {
    (void)opaque, (void)address, (void)value;
}

static void opl_render(void *opaque, int16_t *frames, size_t count) {
    (void)opaque;
    memset(frames, 0, count * 2 * sizeof *frames);
}

const AudioSynth opl_synth = {
    .rate = OPL_RATE,
    .create = opl_create,
    .destroy = free,
    .reset = opl_reset,
    .write = opl_write,
    .render = opl_render,
};

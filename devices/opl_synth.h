/* The sound of an OPL3, by the core in libadplug (Nuked OPL3), which is loaded when the first note
 * is written. Where it is missing there is none, and one line on stderr says so. */
#ifndef REPRISE_OPL_SYNTH_H
#define REPRISE_OPL_SYNTH_H

#include "audio_renderer.h"

/* The chip's own rate: 14.31818 MHz / 288. */
enum { OPL_RATE = 49716 };

extern const AudioSynth opl_synth;

#endif

/* What leaves a MIDI port: as a Standard MIDI File, with guest time, or to a device of the host
 * (ALSA's /dev/snd/midiC0D0). */
#ifndef REPRISE_MIDI_OUTPUT_H
#define REPRISE_MIDI_OUTPUT_H

#include "error.h"
#include "midi_sink.h"

typedef struct MidiOutput MidiOutput;

/* A path that is a character device gets the bytes as they come; else a file is made. */
MidiOutput *midi_output_open(const char *path, Error *error);
/* NULL is allowed. */
void midi_output_close(MidiOutput *output);
MidiSink midi_output_sink(MidiOutput *output);

#endif

/* Where the bytes of a MIDI port go. */
#ifndef REPRISE_MIDI_SINK_H
#define REPRISE_MIDI_SINK_H

#include <stdint.h>

typedef struct MidiSink {
    /* NULL: nothing is connected. Called on the machine's thread; must not wait. */
    void (*write)(void *opaque, int64_t time_ns, uint8_t byte);
    void *opaque;
} MidiSink;

#endif

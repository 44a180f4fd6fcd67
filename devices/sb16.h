/* The Sound Blaster 16: a DSP that plays by DMA, and the mixer CT1745. (Creative, "Sound Blaster
 * Series Hardware Programming Guide".) Its FM synthesizer is opl3.h, its MIDI port mpu401.h. With a
 * DSP of an older version it is that card: 1.x and 2.x have no mixer, 3.x has the Pro's CT1345.
 *
 * What is played is fetched as it is due, a millisecond's worth at once, and up to the present
 * whenever the guest looks at the DMA controller. What it would record is silence. */
#ifndef REPRISE_SB16_H
#define REPRISE_SB16_H

#include "audio_mixer.h"
#include "device_context.h"
#include "i8237.h"
#include "midi_sink.h"

enum { SB16_IRQS = 4 };

typedef struct Sb16Options {
    uint16_t port, version; /* of the DSP: 0x405 for 4.05 */
    uint8_t irq, dma, dma16;
    Wire irqs[SB16_IRQS]; /* that the mixer can choose: 9 (on the bus's pin 2), 5, 7, 10 */
    I8237 *dma_controller;
    AudioMixer *mixer; /* NULL: not heard */
    AudioVoice *fm;    /* whose volume the mixer sets too; may be NULL */
    MidiSink midi;     /* for what the DSP sends */
} Sb16Options;

typedef struct Sb16 Sb16;

Sb16 *sb16_create(const DeviceContext *context, const Sb16Options *options, Error *error);
void sb16_destroy(Sb16 *card);

/* The interrupt of the MIDI port, which comes over the card's line. */
void sb16_set_midi_irq(void *card, int line, int level);

#endif

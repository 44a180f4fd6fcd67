/* The YMF262 (OPL3), which begins as a YM3812 (OPL2) twice as wide. (YMF262 application manual.)
 *
 * Its registers and its two timers are here and exact in guest time; its sound is made beside the
 * machine by libadplug's core, if that is there, from what is written (opl_synth.h). */
#ifndef REPRISE_OPL3_H
#define REPRISE_OPL3_H

#include "audio_mixer.h"
#include "device_context.h"

typedef struct Opl3 Opl3;

enum { OPL3_PLACES = 3 };

typedef struct Opl3Options {
    const char *id;
    /* Where its four ports answer: status and index, data, and both of the second bank; those of
     * 'two_ports' have the first bank alone. */
    struct {
        uint16_t port;
        bool two_ports;
    } places[OPL3_PLACES];
    unsigned place_count;
    AudioMixer *mixer; /* NULL: not heard */
} Opl3Options;

Opl3 *opl3_create(const DeviceContext *context, const Opl3Options *options, Error *error);
void opl3_destroy(Opl3 *opl);

/* For a mixer of the card; NULL where it is not heard. */
AudioVoice *opl3_voice(Opl3 *opl);

#endif

/* Port 61h: the speaker's gates, and the bits by which software measures short times. */
#ifndef REPRISE_PC_SPEAKER_H
#define REPRISE_PC_SPEAKER_H

#include "device_context.h"
#include "i8254.h"

typedef struct PcSpeaker PcSpeaker;

/* What an audio back end needs to know of the speaker now. */
typedef struct PcSpeakerTone {
    bool driven;     /* the AND of data bit and OUT 2 reaches the speaker */
    uint32_t period; /* of the tone in cycles of I8254_HZ; 0: OUT 2 stands still */
    bool level;      /* of the speaker now */
} PcSpeakerTone;

/* Claims port 61h; drives the gate of the timer's counter 2. */
PcSpeaker *pc_speaker_create(const DeviceContext *context, I8254 *pit, Error *error);
void pc_speaker_destroy(PcSpeaker *speaker);

void pc_speaker_query(PcSpeaker *speaker, PcSpeakerTone *tone);

#endif

/* Port 61h: the speaker's gates, and the bits by which software measures short times. */
#ifndef REPRISE_PC_SPEAKER_H
#define REPRISE_PC_SPEAKER_H

#include "audio_mixer.h"
#include "device_context.h"
#include "i8254.h"

typedef struct PcSpeaker PcSpeaker;

/* Claims port 61h; drives the gate of the timer's counter 2. Heard at 'mixer'; NULL: nowhere. */
PcSpeaker *pc_speaker_create(const DeviceContext *context, I8254 *pit, AudioMixer *mixer,
                             Error *error);
void pc_speaker_destroy(PcSpeaker *speaker);

#endif

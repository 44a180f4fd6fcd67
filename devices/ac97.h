/* The audio function of the 82801AA (ICH) with an AC'97 codec at its link. (Intel 82801AA data
 * sheet 13; Audio Codec '97 specification 2.1.) What it would record is silence. */
#ifndef REPRISE_AC97_H
#define REPRISE_AC97_H

#include "audio_mixer.h"
#include "pci.h"

typedef struct Ac97 Ac97;

Ac97 *ac97_create(const DeviceContext *context, PciBus *bus, unsigned slot, AudioMixer *mixer,
                  Error *error);
void ac97_destroy(Ac97 *device);

#endif

/* The Ensoniq AudioPCI ES1370: two channels that play and one that would record (silence). (ES1370
 * specification, revision 2.) */
#ifndef REPRISE_ES1370_H
#define REPRISE_ES1370_H

#include "audio_mixer.h"
#include "pci.h"

typedef struct Es1370 Es1370;

Es1370 *es1370_create(const DeviceContext *context, PciBus *bus, unsigned slot, AudioMixer *mixer,
                      Error *error);
void es1370_destroy(Es1370 *device);

#endif

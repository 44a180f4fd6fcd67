/* The MPU-401: a MIDI port, as plain serial line ("UART mode"). Of its other, intelligent mode the
 * questions are answered that programs look for it with. (Roland, MPU-401 Technical Reference.) */
#ifndef REPRISE_MPU401_H
#define REPRISE_MPU401_H

#include "device_context.h"
#include "midi_sink.h"

typedef struct Mpu401 Mpu401;

/* Data at 'port', status and commands behind it. 'irq' is high while there is something to read. */
Mpu401 *mpu401_create(const DeviceContext *context, uint16_t port, const Wire *irq,
                      const MidiSink *sink, Error *error);
void mpu401_destroy(Mpu401 *mpu);

#endif

/* When the frames of a stream are due in guest time; part of a device's State. */
#ifndef REPRISE_AUDIO_CLOCK_H
#define REPRISE_AUDIO_CLOCK_H

#include "clock.h"
#include "field.h"

typedef struct AudioClock {
    int64_t start_ns;    /* when the first frame began */
    uint64_t done;       /* frames since then */
    uint32_t per_second; /* frames in 'divisor' seconds; neither is 0 */
    uint32_t divisor;
} AudioClock;

extern const FieldTable audio_clock_fields;

/* Frame 0 begins now. */
void audio_clock_start(AudioClock *clock, int64_t now_ns, uint32_t per_second, uint32_t divisor);

/* How many frames more are over by now; not more than a second's, which no device is late: where a
 * state from outside has it so, the stream starts anew. */
uint32_t audio_clock_due(AudioClock *clock, int64_t now_ns);

/* The first nanosecond at which so many frames more are over. */
int64_t audio_clock_when(const AudioClock *clock, uint32_t frames);

/* For audio_voice_play(): when the next frame begins, and how long one lasts. */
double audio_clock_next_ns(const AudioClock *clock);
double audio_clock_step_ns(const AudioClock *clock);

#endif

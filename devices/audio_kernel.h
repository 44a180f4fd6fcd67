/* The impulse of band-limited sound: a sinc under a Kaiser window, as a table. */
#ifndef REPRISE_AUDIO_KERNEL_H
#define REPRISE_AUDIO_KERNEL_H

#include <stddef.h>

/* Zero crossings to either side, and entries of the table for each. With these and the window's
 * shape what lies beyond the band is down by 90 dB, and reading between two entries linearly adds
 * errors 100 dB down. */
enum {
    AUDIO_KERNEL_CROSSINGS = 16,
    AUDIO_KERNEL_STEPS = 512,
    AUDIO_KERNEL_SIZE = AUDIO_KERNEL_CROSSINGS * AUDIO_KERNEL_STEPS,
};

/* The middle of the slope between pass band and stop band, as a share of half the sampling rate:
 * flat to 0.74, down by 90 dB from 1.08. */
#define AUDIO_KERNEL_CUTOFF 0.91

typedef struct AudioKernel {
    float value[AUDIO_KERNEL_SIZE + 2]; /* from the middle outwards; the last two are 0 */
} AudioKernel;

void audio_kernel_init(AudioKernel *kernel);

/* Adds an impulse of the heights 'left' and 'right' at 'position' (in frames from frames[0], which
 * need not lie there) to a ring of 'mask' + 1 frames of two values. Its band ends at 'cutoff' of
 * the ring's, 0 to 1. */
void audio_kernel_add(const AudioKernel *kernel, float (*frames)[2], size_t mask, double position,
                      double cutoff, float left, float right);

/* So many frames to either side of an impulse are touched. */
double audio_kernel_reach(double cutoff);

#endif

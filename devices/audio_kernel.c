#include "audio_kernel.h"
#include <math.h>
#include <stdint.h>

#define KAISER_BETA 9.0
#define PI 3.14159265358979323846

/* The modified Bessel function of the first kind, order 0. */
static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; term > sum * 1e-12; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

void audio_kernel_init(AudioKernel *kernel) {
    for (int i = 0; i < AUDIO_KERNEL_SIZE; i++) {
        double u = (double)i / AUDIO_KERNEL_STEPS, edge = u / AUDIO_KERNEL_CROSSINGS;
        double sinc = i == 0 ? 1 : sin(PI * u) / (PI * u);
        kernel->value[i] =
            (float)(sinc * bessel_i0(KAISER_BETA * sqrt(1 - edge * edge)) / bessel_i0(KAISER_BETA));
    }
    kernel->value[AUDIO_KERNEL_SIZE] = kernel->value[AUDIO_KERNEL_SIZE + 1] = 0;
}

double audio_kernel_reach(double cutoff) {
    return AUDIO_KERNEL_CROSSINGS / cutoff;
}

void audio_kernel_add(const AudioKernel *kernel, float (*frames)[2], size_t mask, double position,
                      double cutoff, float left, float right) {
    double reach = audio_kernel_reach(cutoff);
    int64_t first = (int64_t)ceil(position - reach), last = (int64_t)floor(position + reach);
    float pace = (float)(cutoff * AUDIO_KERNEL_STEPS);
    float start = (float)((double)first - position) * pace;
    left *= (float)cutoff;
    right *= (float)cutoff;
    for (int64_t n = first; n <= last; n++) {
        float at = fabsf(start + (float)(n - first) * pace);
        unsigned index = (unsigned)at;
        if (index >= AUDIO_KERNEL_SIZE)
            continue;
        float low = kernel->value[index], high = kernel->value[index + 1];
        float height = low + (high - low) * (at - (float)index);
        frames[(size_t)n & mask][0] += left * height;
        frames[(size_t)n & mask][1] += right * height;
    }
}

#include "code_profile.h"
#include "allocate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct CodeProfile {
    pthread_mutex_t lock;
    CodeSample *sample; /* open addressing */
    size_t places, used;
};

enum { FIRST_PLACES = 1024 }; /* always a power of two, at most half full */

CodeProfile *code_profile_create(void) {
    CodeProfile *profile = allocate_zeroed(sizeof(*profile));
    pthread_mutex_init(&profile->lock, NULL);
    profile->places = FIRST_PLACES;
    profile->sample = allocate_zeroed(profile->places * sizeof(*profile->sample));
    return profile;
}

void code_profile_destroy(CodeProfile *profile) {
    if (profile == NULL)
        return;
    pthread_mutex_destroy(&profile->lock);
    free(profile->sample);
    free(profile);
}

static CodeSample *find_place(CodeSample *samples, size_t places, uint32_t linear) {
    size_t place = (linear * 0x9E3779B1u >> 8) & (places - 1);
    while (samples[place].count != 0 && samples[place].linear != linear)
        place = (place + 1) & (places - 1);
    return &samples[place];
}

static void grow(CodeProfile *profile) {
    size_t places = profile->places * 2;
    CodeSample *samples = allocate_zeroed(places * sizeof(*samples));
    for (size_t i = 0; i < profile->places; i++)
        if (profile->sample[i].count != 0)
            *find_place(samples, places, profile->sample[i].linear) = profile->sample[i];
    free(profile->sample);
    profile->sample = samples;
    profile->places = places;
}

void code_profile_add(CodeProfile *profile, uint32_t linear) {
    pthread_mutex_lock(&profile->lock);
    CodeSample *sample = find_place(profile->sample, profile->places, linear);
    bool is_new = sample->count == 0;
    sample->linear = linear;
    sample->count++;
    profile->used += is_new;
    if (profile->used > profile->places / 2)
        grow(profile);
    pthread_mutex_unlock(&profile->lock);
}

static int compare_addresses(const void *a, const void *b) {
    uint32_t first = ((const CodeSample *)a)->linear, second = ((const CodeSample *)b)->linear;
    return first < second ? -1 : first > second;
}

CodeSample *code_profile_list(CodeProfile *profile, size_t *count) {
    pthread_mutex_lock(&profile->lock);
    CodeSample *list = allocate_zeroed((profile->used + 1) * sizeof(*list));
    *count = 0;
    for (size_t i = 0; i < profile->places; i++)
        if (profile->sample[i].count != 0)
            list[(*count)++] = profile->sample[i];
    pthread_mutex_unlock(&profile->lock);
    qsort(list, *count, sizeof(*list), compare_addresses);
    return list;
}

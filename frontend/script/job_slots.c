/* See job_slots.h. */
#include "job_slots.h"

void job_slots_init(JobSlots *slots, unsigned count) {
    pthread_mutex_init(&slots->lock, NULL);
    pthread_cond_init(&slots->given, NULL);
    slots->free = count;
}

void job_slots_destroy(JobSlots *slots) {
    pthread_mutex_destroy(&slots->lock);
    pthread_cond_destroy(&slots->given);
}

void job_slots_take(JobSlots *slots) {
    pthread_mutex_lock(&slots->lock);
    while (slots->free == 0)
        pthread_cond_wait(&slots->given, &slots->lock);
    slots->free--;
    pthread_mutex_unlock(&slots->lock);
}

void job_slots_give(JobSlots *slots) {
    pthread_mutex_lock(&slots->lock);
    slots->free++;
    pthread_cond_signal(&slots->given);
    pthread_mutex_unlock(&slots->lock);
}

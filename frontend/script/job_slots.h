/* How many threads may work at the same time: who wants to takes a slot and gives it back. A script
 * that lets cases run in threads of their own lends them its slot meanwhile. */
#ifndef REPRISE_JOB_SLOTS_H
#define REPRISE_JOB_SLOTS_H

#include <pthread.h>

typedef struct JobSlots {
    pthread_mutex_t lock;
    pthread_cond_t given;
    unsigned free;
} JobSlots;

void job_slots_init(JobSlots *slots, unsigned count);
void job_slots_destroy(JobSlots *slots);
void job_slots_take(JobSlots *slots);
void job_slots_give(JobSlots *slots);

#endif

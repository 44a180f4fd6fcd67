#include "input_door.h"

#include <time.h>

void input_door_init(InputDoor *door) {
    *door = (InputDoor){.first = 0};
    pthread_mutex_init(&door->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&door->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
}

void input_door_destroy(InputDoor *door) {
    pthread_cond_destroy(&door->arrived);
    pthread_mutex_destroy(&door->lock);
}

bool input_door_put(InputDoor *door, const InputItem *item) {
    pthread_mutex_lock(&door->lock);
    bool fits = door->count < INPUT_DOOR_ITEMS;
    if (fits) {
        door->items[(door->first + door->count) % INPUT_DOOR_ITEMS] = *item;
        __atomic_store_n(&door->count, door->count + 1, __ATOMIC_RELAXED);
        pthread_cond_signal(&door->arrived);
    }
    pthread_mutex_unlock(&door->lock);
    return fits;
}

bool input_door_take(InputDoor *door, uint64_t instruction_count, InputItem *item) {
    pthread_mutex_lock(&door->lock);
    bool found = door->count > 0;
    if (found) {
        *item = door->items[door->first];
        item->instruction_count = instruction_count;
        door->first = (door->first + 1) % INPUT_DOOR_ITEMS;
        __atomic_store_n(&door->count, door->count - 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&door->lock);
    return found;
}

bool input_door_is_waiting(InputDoor *door) {
    return __atomic_load_n(&door->count, __ATOMIC_RELAXED) > 0;
}

static struct timespec deadline_after(int64_t nanoseconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += nanoseconds / 1000000000;
    deadline.tv_nsec += nanoseconds % 1000000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

void input_door_wait(InputDoor *door, int64_t nanoseconds) {
    struct timespec deadline = deadline_after(nanoseconds < 0 ? 0 : nanoseconds);
    pthread_mutex_lock(&door->lock);
    int timed_out = 0;
    while (door->count == 0 && !door->woken && timed_out == 0) {
        if (nanoseconds < 0)
            pthread_cond_wait(&door->arrived, &door->lock);
        else
            timed_out = pthread_cond_timedwait(&door->arrived, &door->lock, &deadline);
    }
    door->woken = false;
    pthread_mutex_unlock(&door->lock);
}

void input_door_wake(InputDoor *door) {
    pthread_mutex_lock(&door->lock);
    door->woken = true;
    pthread_cond_signal(&door->arrived);
    pthread_mutex_unlock(&door->lock);
}

#define _GNU_SOURCE
#include "input_door.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void input_door_init(InputDoor *door) {
    *door = (InputDoor){.first = 0};
    pthread_mutex_init(&door->lock, NULL);
}

void input_door_destroy(InputDoor *door) {
    pthread_mutex_destroy(&door->lock);
}

/* Whoever waits goes on: it sleeps on 'arrivals', which is another number now. */
static void announce(InputDoor *door) {
    __atomic_add_fetch(&door->arrivals, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&door->waits, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &door->arrivals, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

bool input_door_put(InputDoor *door, const InputItem *item) {
    pthread_mutex_lock(&door->lock);
    bool fits = door->count < INPUT_DOOR_ITEMS;
    if (fits) {
        door->items[(door->first + door->count) % INPUT_DOOR_ITEMS] = *item;
        __atomic_store_n(&door->count, door->count + 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&door->lock);
    if (fits)
        announce(door);
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

/* One call of the kernel for each sleep: a guest that is idle does little else. */
static void sleep_until_arrival(InputDoor *door, uint32_t seen, int64_t nanoseconds) {
    struct timespec deadline;
    if (nanoseconds >= 0)
        deadline = deadline_after(nanoseconds);
    __atomic_store_n(&door->waits, true, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &door->arrivals, FUTEX_WAIT_BITSET_PRIVATE, seen,
            nanoseconds >= 0 ? &deadline : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
    __atomic_store_n(&door->waits, false, __ATOMIC_RELAXED);
}

void input_door_wait(InputDoor *door, int64_t nanoseconds) {
    uint32_t seen = __atomic_load_n(&door->arrivals, __ATOMIC_SEQ_CST);
    if (!input_door_is_waiting(door) && !__atomic_load_n(&door->woken, __ATOMIC_ACQUIRE))
        sleep_until_arrival(door, seen, nanoseconds);
    __atomic_store_n(&door->woken, false, __ATOMIC_RELAXED);
}

void input_door_wake(InputDoor *door) {
    __atomic_store_n(&door->woken, true, __ATOMIC_RELEASE);
    announce(door);
}

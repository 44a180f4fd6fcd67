#include "input_door.h"

void input_door_init(InputDoor *door) {
    *door = (InputDoor){.first = 0};
    pthread_mutex_init(&door->lock, NULL);
    host_sleeper_init(&door->sleeper);
}

void input_door_destroy(InputDoor *door) {
    host_sleeper_destroy(&door->sleeper);
    pthread_mutex_destroy(&door->lock);
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
        host_sleeper_call(&door->sleeper);
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

void input_door_wait(InputDoor *door, int64_t nanoseconds) {
    uint32_t seen = host_sleeper_calls(&door->sleeper);
    if (!input_door_is_waiting(door) && !__atomic_load_n(&door->woken, __ATOMIC_ACQUIRE))
        host_sleeper_sleep(&door->sleeper, seen, nanoseconds);
    __atomic_store_n(&door->woken, false, __ATOMIC_RELAXED);
}

void input_door_wake(InputDoor *door) {
    __atomic_store_n(&door->woken, true, __ATOMIC_RELEASE);
    host_sleeper_call(&door->sleeper);
}

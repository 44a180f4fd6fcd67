/* Plays scripted key presses in guest time: each combination is held, then let go, before the next
 * begins. */
#ifndef REPRISE_KEY_PLAYER_H
#define REPRISE_KEY_PLAYER_H

#include "clock.h"
#include "device.h"

#define KEY_PLAYER_EVENTS 512

enum { KEY_PLAYER_RELEASE, KEY_PLAYER_PRESS, KEY_PLAYER_WAIT };

typedef struct KeyPlayerState {
    struct KeyPlayerEvent {
        uint16_t kind;
        uint16_t key; /* KEYBOARD_KEY_* */
        uint32_t wait_ms;
    } events[KEY_PLAYER_EVENTS];
    uint32_t first, count;
    int64_t due_ns; /* while waiting */
} KeyPlayerState;

typedef struct KeyPlayer {
    KeyPlayerState state;
    Timer timer;
    void (*key)(void *opaque, int key, bool down);
    void *opaque;
} KeyPlayer;

void key_player_init(KeyPlayer *player, VirtualClock *clock, DeviceList *devices,
                     void (*key)(void *opaque, int key, bool down), void *opaque);

/* Queues one combination; false, and nothing queued, if there is no room for all of it. */
bool key_player_press(KeyPlayer *player, const int *keys, int count, uint32_t hold_ms);

#endif

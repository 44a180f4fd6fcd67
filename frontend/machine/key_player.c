#include "key_player.h"

/* Between two combinations: keyboards and people are not faster, and some guests lose what is. */
#define PAUSE_MS 20

static const Field key_player_event_rows[] = {
    FIELD(struct KeyPlayerEvent, U16, kind),
    FIELD(struct KeyPlayerEvent, U16, key),
    FIELD(struct KeyPlayerEvent, U32, wait_ms),
    FIELD_END,
};
static const FieldTable key_player_event_fields = {
    "key-player-event", 1, sizeof(struct KeyPlayerEvent), key_player_event_rows};

static const Field key_player_rows[] = {
    FIELD_STRUCTS(KeyPlayerState, events, &key_player_event_fields),
    FIELD(KeyPlayerState, U32, first),
    FIELD(KeyPlayerState, U32, count),
    FIELD(KeyPlayerState, U64, due_ns),
    FIELD_END,
};
static const FieldTable key_player_fields = {"key-player", 1, sizeof(KeyPlayerState),
                                             key_player_rows};

static void play(KeyPlayer *player) {
    KeyPlayerState *state = &player->state;
    while (state->count > 0 && !timer_is_armed(&player->timer)) {
        struct KeyPlayerEvent event = state->events[state->first];
        state->first = (state->first + 1) % KEY_PLAYER_EVENTS;
        state->count--;
        if (event.kind != KEY_PLAYER_WAIT)
            player->key(player->opaque, event.key, event.kind == KEY_PLAYER_PRESS);
        else
            timer_arm(&player->timer,
                      clock_now_ns(player->timer.clock) + (int64_t)event.wait_ms * 1000000);
    }
}

static void wait_is_over(void *opaque) {
    play(opaque);
}

static void key_player_restored(void *opaque) {
    KeyPlayer *player = opaque;
    player->state.first %= KEY_PLAYER_EVENTS;
    if (player->state.count > KEY_PLAYER_EVENTS)
        player->state.count = KEY_PLAYER_EVENTS;
}

static const DeviceClass key_player_class = {
    .name = "key-player",
    .fields = &key_player_fields,
    .restored = key_player_restored,
};

void key_player_init(KeyPlayer *player, VirtualClock *clock, DeviceList *devices,
                     void (*key)(void *opaque, int key, bool down), void *opaque) {
    *player = (KeyPlayer){.key = key, .opaque = opaque};
    timer_init(&player->timer, clock, "key-player", &player->state.due_ns, wait_is_over, player);
    device_list_add(devices, &key_player_class, "key-player", player, &player->state);
}

static void queue(KeyPlayerState *state, unsigned kind, int key, uint32_t wait_ms) {
    uint32_t last = (state->first + state->count++) % KEY_PLAYER_EVENTS;
    state->events[last] = (struct KeyPlayerEvent){(uint16_t)kind, (uint16_t)key, wait_ms};
}

bool key_player_press(KeyPlayer *player, const int *keys, int count, uint32_t hold_ms) {
    KeyPlayerState *state = &player->state;
    if (count <= 0 || state->count + 2u * (unsigned)count + 2 > KEY_PLAYER_EVENTS)
        return false;
    for (int i = 0; i < count; i++)
        queue(state, KEY_PLAYER_PRESS, keys[i], 0);
    queue(state, KEY_PLAYER_WAIT, 0, hold_ms);
    for (int i = count - 1; i >= 0; i--)
        queue(state, KEY_PLAYER_RELEASE, keys[i], 0);
    queue(state, KEY_PLAYER_WAIT, 0, PAUSE_MS);
    play(player);
    return true;
}

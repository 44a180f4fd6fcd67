#include "network_link.h"
#include "allocate.h"
#include "little_endian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A frame in the queue is headed by its size. */
#define HEADER_BYTES 4

typedef struct NetworkLinkState {
    int64_t due_ns;
    uint32_t first, used; /* of the queue, which is a ring */
    uint8_t up;
    uint8_t padding[7];
    uint8_t queue[NETWORK_LINK_QUEUE];
} NetworkLinkState;

static const Field field_rows[] = {
    FIELD(NetworkLinkState, U64, due_ns),
    FIELD(NetworkLinkState, U32, first),
    FIELD(NetworkLinkState, U32, used),
    FIELD(NetworkLinkState, U8, up),
    FIELD_PADDING(NetworkLinkState, padding),
    FIELD_BYTES_OF(NetworkLinkState, queue),
    FIELD_END,
};
static const FieldTable fields = {"network-link", 1, sizeof(NetworkLinkState), field_rows};

struct NetworkLink {
    NetworkLinkState state;
    VirtualClock *clock;
    Timer timer;
    NetworkCardPort card;
    NetworkBackEndPort back_end;
    NetworkObserver observers[NETWORK_OBSERVERS];
    NetworkObserver recorder;
    bool refused; /* a frame found no room */
    uint64_t frames;
    char id[48];
    uint8_t frame[NETWORK_FRAME_MAX]; /* that is handed over */
};

static void put_bytes(NetworkLinkState *state, const void *data, size_t size) {
    uint32_t at = (state->first + state->used) % NETWORK_LINK_QUEUE;
    size_t whole = NETWORK_LINK_QUEUE - at < size ? NETWORK_LINK_QUEUE - at : size;
    memcpy(state->queue + at, data, whole);
    memcpy(state->queue, (const uint8_t *)data + whole, size - whole);
    state->used += (uint32_t)size;
}

static void take_bytes(NetworkLinkState *state, void *data, size_t size) {
    uint32_t at = state->first;
    size_t whole = NETWORK_LINK_QUEUE - at < size ? NETWORK_LINK_QUEUE - at : size;
    memcpy(data, state->queue + at, whole);
    memcpy((uint8_t *)data + whole, state->queue, size - whole);
    state->first = (uint32_t)((at + size) % NETWORK_LINK_QUEUE);
    state->used -= (uint32_t)size;
}

static void clear_queue(NetworkLink *link) {
    link->state.first = link->state.used = 0;
    timer_cancel(&link->timer);
}

/* 0: a restored queue makes no sense. */
static size_t take_frame(NetworkLink *link) {
    NetworkLinkState *state = &link->state;
    uint8_t header[HEADER_BYTES];
    if (state->used < HEADER_BYTES)
        return 0;
    take_bytes(state, header, sizeof(header));
    uint32_t size = load_le32(header);
    if (size > state->used || size > NETWORK_FRAME_MAX || size < NETWORK_FRAME_MIN)
        return 0;
    take_bytes(state, link->frame, size);
    return size;
}

static void hand_over(void *opaque) {
    NetworkLink *link = opaque;
    const NetworkCardPort *card = &link->card;
    while (link->state.used > 0 && card->receive != NULL && card->can_receive(card->opaque)) {
        size_t size = take_frame(link);
        if (size == 0)
            clear_queue(link);
        else if (link->state.up)
            card->receive(card->opaque, link->frame, size);
    }
    if (link->refused && link->state.used < NETWORK_LINK_QUEUE / 2) {
        link->refused = false;
        if (link->back_end.room != NULL)
            link->back_end.room(link->back_end.opaque);
    }
}

static void arm(NetworkLink *link) {
    if (!timer_is_armed(&link->timer))
        timer_arm(&link->timer, clock_now_ns(link->clock) + NETWORK_LATENCY_NS);
}

static void show(NetworkLink *link, const uint8_t *frame, size_t size) {
    link->frames++;
    for (unsigned i = 0; i < NETWORK_OBSERVERS; i++)
        if (link->observers[i].saw != NULL)
            link->observers[i].saw(link->observers[i].opaque, frame, size,
                                   clock_now_ns(link->clock));
}

static void network_link_reset(void *opaque) {
    NetworkLink *link = opaque;
    clear_queue(link);
}

static void network_link_restored(void *opaque) {
    NetworkLink *link = opaque;
    NetworkLinkState *state = &link->state;
    if (state->first >= NETWORK_LINK_QUEUE || state->used > NETWORK_LINK_QUEUE)
        state->first = state->used = 0;
    link->refused = true; /* perhaps: asking once more does no harm */
}

static const DeviceClass network_link_class = {"network-link", &fields, network_link_reset,
                                               network_link_restored};

NetworkLink *network_link_create(const DeviceContext *context, const char *id) {
    NetworkLink *link = allocate_zeroed(sizeof(*link));
    link->clock = context->clock;
    link->state.up = true;
    snprintf(link->id, sizeof(link->id), "%s", id);
    timer_init(&link->timer, context->clock, "network", &link->state.due_ns, hand_over, link);
    device_list_add(context->devices, &network_link_class, link->id, link, &link->state);
    return link;
}

void network_link_destroy(NetworkLink *link) {
    free(link);
}

void network_link_attach_card(NetworkLink *link, const NetworkCardPort *card) {
    link->card = *card;
}

void network_link_attach_back_end(NetworkLink *link, const NetworkBackEndPort *back_end) {
    link->back_end = back_end != NULL ? *back_end : (NetworkBackEndPort){.opaque = NULL};
}

bool network_link_add_observer(NetworkLink *link, const NetworkObserver *observer) {
    for (unsigned i = 0; i < NETWORK_OBSERVERS; i++) {
        if (link->observers[i].saw == NULL) {
            link->observers[i] = *observer;
            return true;
        }
    }
    return false;
}

void network_link_remove_observer(NetworkLink *link, const void *opaque) {
    for (unsigned i = 0; i < NETWORK_OBSERVERS; i++)
        if (link->observers[i].opaque == opaque)
            link->observers[i] = (NetworkObserver){.saw = NULL};
}

void network_link_set_recorder(NetworkLink *link, const NetworkObserver *recorder) {
    link->recorder = *recorder;
}

void network_link_send(NetworkLink *link, const uint8_t *frame, size_t size) {
    if (!link->state.up || size > NETWORK_FRAME_MAX)
        return;
    show(link, frame, size);
    if (link->back_end.send != NULL)
        link->back_end.send(link->back_end.opaque, frame, size);
}

void network_link_flush(NetworkLink *link) {
    if (link->state.used > 0)
        arm(link);
}

bool network_link_deliver(NetworkLink *link, const uint8_t *frame, size_t size) {
    static const uint8_t zeros[NETWORK_FRAME_MIN];
    NetworkLinkState *state = &link->state;
    size_t padding = size < NETWORK_FRAME_MIN ? NETWORK_FRAME_MIN - size : 0;
    if (size + padding > NETWORK_FRAME_MAX || !state->up || size == 0)
        return true;
    if (state->used + HEADER_BYTES + size + padding > NETWORK_LINK_QUEUE) {
        link->refused = true;
        return false;
    }
    if (link->recorder.saw != NULL)
        link->recorder.saw(link->recorder.opaque, frame, size, clock_now_ns(link->clock));
    show(link, frame, size);
    uint8_t header[HEADER_BYTES];
    store_le32(header, (uint32_t)(size + padding));
    put_bytes(state, header, sizeof(header));
    put_bytes(state, frame, size);
    put_bytes(state, zeros, padding);
    arm(link);
    return true;
}

void network_link_set_up(NetworkLink *link, bool up) {
    if (link->state.up == up)
        return;
    link->state.up = up;
    if (link->card.link_changed != NULL)
        link->card.link_changed(link->card.opaque, up);
}

bool network_link_is_up(const NetworkLink *link) {
    return link->state.up;
}

uint64_t network_link_frames(const NetworkLink *link) {
    return link->frames;
}

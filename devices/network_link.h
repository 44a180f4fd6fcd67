/* The cable between a network card and what is at its other end: a back end (NAT, a socket, a tap)
 * or nothing.
 *
 * Everything here belongs to the machine's thread. What a card sends goes to the back end at once.
 * What a back end delivers is queued in the link's State, and comes to the card by an event of the
 * virtual clock NETWORK_LATENCY_NS later: so frames on their way are saved with the machine, and a
 * frame that enters at a given instruction reaches the guest at a given instruction. Back ends
 * deliver while events or the input door are served, or from within network_link_send(). */
#ifndef REPRISE_NETWORK_LINK_H
#define REPRISE_NETWORK_LINK_H

#include "device_context.h"

enum {
    NETWORK_ADDRESS_BYTES = 6,
    NETWORK_FRAME_MIN = 60,      /* without the check sum; shorter ones are filled up with zeros */
    NETWORK_FRAME_MAX = 16384,   /* longer ones are dropped */
    NETWORK_LINK_QUEUE = 131072, /* bytes on their way to the card */
    NETWORK_LATENCY_NS = 10000,
    NETWORK_OBSERVERS = 4,
};

typedef struct NetworkLink NetworkLink;

/* The card's end. Frames have no check sum (FCS); a chip that shows one computes it. */
typedef struct NetworkCardPort {
    /* Could take a frame of any size now; otherwise the link waits for network_link_flush(). */
    bool (*can_receive)(void *opaque);
    /* Takes a frame, or ignores it by its filter; at least NETWORK_FRAME_MIN bytes. */
    void (*receive)(void *opaque, const uint8_t *frame, size_t size);
    /* The cable was plugged in or taken out. May be NULL. */
    void (*link_changed)(void *opaque, bool up);
    void *opaque;
} NetworkCardPort;

/* The other end. */
typedef struct NetworkBackEndPort {
    void (*send)(void *opaque, const uint8_t *frame, size_t size);
    /* After network_link_deliver() refused a frame: there is room again. May be NULL. */
    void (*room)(void *opaque);
    void *opaque;
} NetworkBackEndPort;

/* Sees frames of both directions. */
typedef struct NetworkObserver {
    void (*saw)(void *opaque, const uint8_t *frame, size_t size, int64_t now_ns);
    void *opaque;
} NetworkObserver;

/* 'id' names it in the list of devices; copied. */
NetworkLink *network_link_create(const DeviceContext *context, const char *id);
void network_link_destroy(NetworkLink *link);

void network_link_attach_card(NetworkLink *link, const NetworkCardPort *card);
/* NULL takes the back end away. */
void network_link_attach_back_end(NetworkLink *link, const NetworkBackEndPort *back_end);
bool network_link_add_observer(NetworkLink *link, const NetworkObserver *observer);
void network_link_remove_observer(NetworkLink *link, const void *opaque);
/* Called with every frame from outside at the moment at which it enters, before it is queued: for
 * whoever records a run. To replay one, there is no back end, and network_link_deliver() is called
 * with what was recorded. */
void network_link_set_recorder(NetworkLink *link, const NetworkObserver *recorder);

/* The card sends. Frames of over NETWORK_FRAME_MAX bytes, and all while the cable is out, are lost.
 */
void network_link_send(NetworkLink *link, const uint8_t *frame, size_t size);
/* The card can receive again: what waits comes with the next event. */
void network_link_flush(NetworkLink *link);

/* A frame for the card. False: the queue is full, and room() will tell when it is not; a frame that
 * can never be delivered counts as taken. */
bool network_link_deliver(NetworkLink *link, const uint8_t *frame, size_t size);

/* Is the cable plugged in? ('set_link'; a card without back end has a cable all the same.) */
void network_link_set_up(NetworkLink *link, bool up);
bool network_link_is_up(const NetworkLink *link);
/* That went either way since the link was made; for lamps. */
uint64_t network_link_frames(const NetworkLink *link);

#endif

/* The queues of bytes that a PS/2 keyboard or mouse is about to send: answers to commands, which go
 * first, and events. */
#ifndef REPRISE_PS2_QUEUE_H
#define REPRISE_PS2_QUEUE_H

#include "field.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    PS2_QUEUE_SIZE = 16, /* bytes of events; one more place is for the overrun code */
    PS2_ANSWERS_SIZE = 8,
};

typedef struct Ps2Queue {
    uint8_t events[PS2_QUEUE_SIZE + 1];
    uint8_t event_count;
    uint8_t answers[PS2_ANSWERS_SIZE];
    uint8_t answer_count;
    uint8_t last_sent; /* for the Resend command */
} Ps2Queue;

extern const FieldTable ps2_queue_fields;

/* Bytes that still fit into the event queue. */
unsigned ps2_queue_room(const Ps2Queue *queue);
/* Appends a sequence whole; false if it does not fit. */
bool ps2_queue_put(Ps2Queue *queue, const uint8_t *bytes, unsigned count);
/* Marks that events were lost, in the place behind the last; nothing if it is marked already. */
void ps2_queue_put_overrun(Ps2Queue *queue, uint8_t code);
/* Appends an answer to a command; dropped if the guest collects none. */
void ps2_queue_answer(Ps2Queue *queue, uint8_t byte);
/* Forgets all that is queued. */
void ps2_queue_clear(Ps2Queue *queue);
void ps2_queue_clear_events(Ps2Queue *queue);
bool ps2_queue_is_empty(const Ps2Queue *queue);
/* Takes the next byte to send; the queue must not be empty. */
uint8_t ps2_queue_take(Ps2Queue *queue);
/* Brings the counts of a queue from outside into their bounds. */
void ps2_queue_restored(Ps2Queue *queue);

/* What the controller sees of a device on one of its two ports. */
typedef struct Ps2Port {
    void *device;                           /* NULL: nothing is plugged in */
    bool (*is_waiting)(const void *device); /* has a byte to send */
    uint8_t (*take)(void *device);          /* the byte goes over the cable */
    void (*write)(void *device, uint8_t byte);
} Ps2Port;

#endif

#include "ps2_queue.h"
#include <assert.h>
#include <string.h>

static const Field ps2_queue_state_fields[] = {
    FIELD_BYTES_OF(Ps2Queue, events),  FIELD(Ps2Queue, U8, event_count),
    FIELD_BYTES_OF(Ps2Queue, answers), FIELD(Ps2Queue, U8, answer_count),
    FIELD(Ps2Queue, U8, last_sent),    FIELD_END,
};

const FieldTable ps2_queue_fields = {"ps2-queue", 1, sizeof(Ps2Queue), ps2_queue_state_fields};

unsigned ps2_queue_room(const Ps2Queue *queue) {
    return queue->event_count >= PS2_QUEUE_SIZE ? 0 : PS2_QUEUE_SIZE - queue->event_count;
}

bool ps2_queue_put(Ps2Queue *queue, const uint8_t *bytes, unsigned count) {
    if (count > ps2_queue_room(queue))
        return false;
    memcpy(queue->events + queue->event_count, bytes, count);
    queue->event_count = (uint8_t)(queue->event_count + count);
    return true;
}

void ps2_queue_put_overrun(Ps2Queue *queue, uint8_t code) {
    if (queue->event_count > 0 && queue->events[queue->event_count - 1] == code)
        return;
    if (queue->event_count <= PS2_QUEUE_SIZE)
        queue->events[queue->event_count++] = code;
}

void ps2_queue_answer(Ps2Queue *queue, uint8_t byte) {
    if (queue->answer_count < PS2_ANSWERS_SIZE)
        queue->answers[queue->answer_count++] = byte;
}

void ps2_queue_clear_events(Ps2Queue *queue) {
    queue->event_count = 0;
}

void ps2_queue_clear(Ps2Queue *queue) {
    queue->event_count = 0;
    queue->answer_count = 0;
}

bool ps2_queue_is_empty(const Ps2Queue *queue) {
    return queue->event_count == 0 && queue->answer_count == 0;
}

static uint8_t take_first(uint8_t *bytes, uint8_t *count) {
    uint8_t first = bytes[0];
    (*count)--;
    memmove(bytes, bytes + 1, *count);
    return first;
}

uint8_t ps2_queue_take(Ps2Queue *queue) {
    assert(!ps2_queue_is_empty(queue));
    if (queue->answer_count > 0)
        queue->last_sent = take_first(queue->answers, &queue->answer_count);
    else
        queue->last_sent = take_first(queue->events, &queue->event_count);
    return queue->last_sent;
}

void ps2_queue_restored(Ps2Queue *queue) {
    if (queue->event_count > sizeof queue->events)
        queue->event_count = sizeof queue->events;
    if (queue->answer_count > sizeof queue->answers)
        queue->answer_count = sizeof queue->answers;
}

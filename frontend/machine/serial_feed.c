#include "serial_feed.h"

#include <stdlib.h>

void serial_feed_free(SerialFeed *feed) {
    free(feed->bytes);
    feed->bytes = NULL;
}

void serial_feed_add(SerialFeed *feed, const uint8_t *bytes, size_t count) {
    if (feed->uart == NULL)
        return;
    if (feed->bytes == NULL)
        feed->bytes = malloc(SERIAL_FEED_BYTES);
    for (size_t i = 0; i < count && feed->bytes != NULL && feed->count < SERIAL_FEED_BYTES; i++)
        feed->bytes[(feed->first + feed->count++) % SERIAL_FEED_BYTES] = bytes[i];
}

uint32_t serial_feed_deliver(SerialFeed *feed, uint32_t most) {
    uint32_t delivered = 0;
    while (delivered < most && feed->count > 0 && uart16550_room(feed->uart) > 0 &&
           uart16550_receive(feed->uart, &feed->bytes[feed->first], 1) == 1) {
        feed->first = (feed->first + 1) % SERIAL_FEED_BYTES;
        feed->count--;
        delivered++;
    }
    return delivered;
}

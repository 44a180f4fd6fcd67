/* What a POST card shows: the codes that firmware and test ROMs write to ports 80h and 190h to tell
 * how far they came. (Port 80h: IBM PC/AT Technical Reference, 'I/O Address Map'; 190h: the PS/2s
 * with Micro Channel.) The card only listens at port 80h, which is a page register of the DMA
 * controller; nobody else answers at 190h. As on a card, the codes stay over a reset. */
#ifndef REPRISE_POST_LOG_H
#define REPRISE_POST_LOG_H

#include "device_context.h"

enum { POST_PORT_AT = 0x80, POST_PORT_PS2 = 0x190 };

/* So many codes are kept. */
enum { POST_CODES_KEPT = 32 };

typedef struct PostCode {
    uint16_t port; /* POST_PORT_AT or POST_PORT_PS2 */
    uint8_t code;
} PostCode;

/* Is told of every code; 'write' may be NULL. */
typedef struct PostSink {
    void (*write)(void *opaque, PostCode code);
    void *opaque;
} PostSink;

typedef struct PostLog PostLog;

/* Claims port 190h. */
PostLog *post_log_create(const DeviceContext *context, const PostSink *sink, Error *error);
void post_log_destroy(PostLog *log);

/* A store to port 80h, from whoever owns that: 'log' is the PostLog. */
void post_log_write_at(void *log, uint8_t code);

/* The codes kept, the oldest first; returns how many. */
unsigned post_log_get_codes(const PostLog *log, PostCode codes[POST_CODES_KEPT]);
/* The last code of a port; false if none came. */
bool post_log_get_last(const PostLog *log, uint16_t port, uint8_t *code);
/* How many codes came at both ports together. */
uint64_t post_log_get_count(const PostLog *log);

#endif

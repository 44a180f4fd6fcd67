#include "post_log.h"
#include "allocate.h"
#include <stdlib.h>

enum { PLACE_AT, PLACE_PS2, PLACES };

typedef struct PostLogState {
    uint64_t count;                 /* of all codes ever */
    uint8_t codes[POST_CODES_KEPT]; /* a ring: code number n at n mod its size */
    uint8_t places[POST_CODES_KEPT];
    uint8_t last[PLACES];
    uint8_t seen[PLACES]; /* is there a last one? */
    uint8_t padding[4];
} PostLogState;

static const Field post_log_state_fields[] = {
    FIELD(PostLogState, U64, count),
    FIELD_ARRAY(PostLogState, U8, codes),
    FIELD_ARRAY(PostLogState, U8, places),
    FIELD_ARRAY(PostLogState, U8, last),
    FIELD_ARRAY(PostLogState, U8, seen),
    FIELD_PADDING(PostLogState, padding),
    FIELD_END,
};

static const FieldTable post_log_fields = {"post-log", 1, sizeof(PostLogState),
                                           post_log_state_fields};

static const uint16_t place_ports[PLACES] = {POST_PORT_AT, POST_PORT_PS2};

struct PostLog {
    PostLogState state;
    Trace *trace;
    PostSink sink;
};

static void post_log_add(PostLog *log, unsigned place, uint8_t code) {
    PostLogState *state = &log->state;
    unsigned slot = (unsigned)(state->count++ % POST_CODES_KEPT);
    state->codes[slot] = code;
    state->places[slot] = (uint8_t)place;
    state->last[place] = code;
    state->seen[place] = 1;
    TRACE_LINE(log->trace, TRACE_POST, "%X: %02X\n", place_ports[place], code);
    if (log->sink.write != NULL)
        log->sink.write(log->sink.opaque, (PostCode){place_ports[place], code});
}

void post_log_write_at(void *log, uint8_t code) {
    post_log_add(log, PLACE_AT, code);
}

static void post_log_write_ps2(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)offset, (void)size;
    post_log_add(opaque, PLACE_PS2, (uint8_t)value);
}

unsigned post_log_get_codes(const PostLog *log, PostCode codes[POST_CODES_KEPT]) {
    const PostLogState *state = &log->state;
    unsigned kept = state->count < POST_CODES_KEPT ? (unsigned)state->count : POST_CODES_KEPT;
    for (unsigned i = 0; i < kept; i++) {
        unsigned slot = (unsigned)((state->count - kept + i) % POST_CODES_KEPT);
        /* A snapshot may hold anything. */
        codes[i] = (PostCode){place_ports[state->places[slot] % PLACES], state->codes[slot]};
    }
    return kept;
}

bool post_log_get_last(const PostLog *log, uint16_t port, uint8_t *code) {
    for (unsigned i = 0; i < PLACES; i++)
        if (place_ports[i] == port && log->state.seen[i]) {
            *code = log->state.last[i];
            return true;
        }
    return false;
}

uint64_t post_log_get_count(const PostLog *log) {
    return log->state.count;
}

static const DeviceClass post_log_class = {"post-log", &post_log_fields, NULL, NULL};

PostLog *post_log_create(const DeviceContext *context, const PostSink *sink, Error *error) {
    PostLog *log = allocate_zeroed(sizeof *log);
    const PortRange range = {"post-log", POST_PORT_PS2, 1, PORT_8, NULL, post_log_write_ps2, log};
    if (!port_map_add(context->ports, &range, error)) {
        free(log);
        return NULL;
    }
    log->trace = context->trace;
    log->sink = *sink;
    device_list_add(context->devices, &post_log_class, "post", log, &log->state);
    return log;
}

void post_log_destroy(PostLog *log) {
    free(log);
}

/* What a script did to its machines and what it waited for, each line with guest time and
 * instruction count: the last lines of them, for the folder of a failing test. */
#ifndef REPRISE_EVENT_LOG_H
#define REPRISE_EVENT_LOG_H

#include "byte_buffer.h"
#include <stdint.h>

enum { EVENT_LOG_LINES = 1000 };

typedef struct EventLogLine {
    int64_t guest_ns; /* -1: of no machine */
    uint64_t instructions;
    uint32_t repeated; /* so often more, one after another */
    char machine[32];
    char *text;
} EventLogLine;

typedef struct EventLog {
    EventLogLine lines[EVENT_LOG_LINES]; /* a ring */
    uint32_t first, count;
    uint64_t dropped; /* lines that had no room any more */
} EventLog;

/* 'machine' may be NULL, then time and count do not matter. */
void event_log_add(EventLog *log, const char *machine, int64_t guest_ns, uint64_t instructions,
                   const char *text);
void event_log_copy(EventLog *to, const EventLog *from);
void event_log_print(const EventLog *log, ByteBuffer *output);
void event_log_clear(EventLog *log);

#endif

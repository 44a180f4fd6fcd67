/* See event_log.h. */
#include "event_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EventLogLine *line_at(EventLog *log, uint32_t index) {
    return &log->lines[(log->first + index) % EVENT_LOG_LINES];
}

/* The line after the last; the oldest gives way if there is no room. */
static EventLogLine *take_line(EventLog *log) {
    if (log->count == EVENT_LOG_LINES) {
        free(line_at(log, 0)->text);
        log->first = (log->first + 1) % EVENT_LOG_LINES;
        log->count--;
        log->dropped++;
    }
    return line_at(log, log->count++);
}

void event_log_add(EventLog *log, const char *machine, int64_t guest_ns, uint64_t instructions,
                   const char *text) {
    const char *name = machine != NULL ? machine : "";
    if (log->count > 0) {
        EventLogLine *last = line_at(log, log->count - 1);
        if (strcmp(last->text, text) == 0 && strcmp(last->machine, name) == 0) {
            last->repeated++;
            return;
        }
    }
    EventLogLine *line = take_line(log);
    *line = (EventLogLine){.guest_ns = machine != NULL ? guest_ns : -1,
                           .instructions = instructions,
                           .text = strdup(text)};
    snprintf(line->machine, sizeof(line->machine), "%s", name);
}

void event_log_copy(EventLog *to, const EventLog *from) {
    event_log_clear(to);
    to->dropped = from->dropped;
    for (uint32_t i = 0; i < from->count; i++) {
        EventLogLine *line = take_line(to);
        *line = from->lines[(from->first + i) % EVENT_LOG_LINES];
        line->text = strdup(line->text);
    }
}

void event_log_print(const EventLog *log, ByteBuffer *output) {
    byte_buffer_print(output, "# guest time (s)     instructions  machine     event\n");
    if (log->dropped > 0)
        byte_buffer_print(output, "# %llu lines before these are left out\n",
                          (unsigned long long)log->dropped);
    for (uint32_t i = 0; i < log->count; i++) {
        const EventLogLine *line = &log->lines[(log->first + i) % EVENT_LOG_LINES];
        if (line->guest_ns >= 0)
            byte_buffer_print(output, "%16.9f %18llu  %-10s  ", (double)line->guest_ns / 1e9,
                              (unsigned long long)line->instructions, line->machine);
        else
            byte_buffer_print(output, "%16s %18s  %-10s  ", "", "", "");
        byte_buffer_print(output, "%s", line->text);
        if (line->repeated > 0)
            byte_buffer_print(output, "  (and %u times more)", line->repeated);
        byte_buffer_print(output, "\n");
    }
}

void event_log_clear(EventLog *log) {
    for (uint32_t i = 0; i < log->count; i++)
        free(line_at(log, i)->text);
    log->first = log->count = 0;
    log->dropped = 0;
}

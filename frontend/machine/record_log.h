/* The log of a run: everything that the machine did not find out by itself, in the order of its run
 * loop. Bytes alone, the same on every host.
 *
 * A round of the run loop begins with the events that are due and mostly runs a slice of
 * instructions. What entered between two rounds stands between their records. Times are told as
 * differences to what the log so far and the count of instructions give. */
#ifndef REPRISE_RECORD_LOG_H
#define REPRISE_RECORD_LOG_H

#include "byte_buffer.h"
#include "machine_time.h"

typedef enum RecordKind {
    RECORD_SLICE = 1, /* time, 'instructions' */
    RECORD_EVENTS,    /* time: a round that ran no instructions */
    RECORD_IDLE,      /* time: in this round the processor then waited; events follow */
    RECORD_ACTION,    /* 'action', 'bytes': what entered */
    RECORD_CHECK,     /* 'hash' of the processors, at this count of 'instructions' */
    RECORD_END,       /* time, 'hash' of the whole state, at this count of 'instructions' */
    RECORD_FRAME,     /* 'bytes' from the network for card 'action' / 8, in the part of the round
                         'action' % 8 (RecordPart), after 'instructions' of its slice */
    RECORD_BREAK,     /* 'bytes': why nothing after this can be replayed, as text */
    RECORD_KINDS,
} RecordKind;

/* When in a round something entered. */
typedef enum RecordPart {
    PART_BETWEEN, /* before it began */
    PART_EVENTS,
    PART_SLICE,
    PART_LATE_EVENTS, /* after the slice */
    PART_IDLE_EVENTS, /* after the processor waited */
} RecordPart;

typedef struct Record {
    RecordKind kind;
    int64_t time_ns; /* added to the clock */
    bool has_pace;
    InstructionPace pace; /* from now on */
    uint64_t instructions;
    uint64_t hash;
    uint8_t action;
    const uint8_t *bytes; /* of the log */
    size_t size;
} Record;

void record_append(ByteBuffer *log, const Record *record);

/* The record at '*position', which moves behind it. False at the end, and where bytes are damaged
 * or cut off: '*position' stays then. */
bool record_read(const ByteBuffer *log, size_t *position, Record *record);

#endif

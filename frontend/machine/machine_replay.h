/* Replaying a log: the run loop takes from it what it took from the host when the log was made. */
#ifndef REPRISE_MACHINE_REPLAY_H
#define REPRISE_MACHINE_REPLAY_H

#include "error.h"
#include "machine_config.h"
#include "record_log.h"

struct Machine;

typedef enum ReplayEnd {
    REPLAY_GOES_ON,
    REPLAY_AT_END,    /* of the log */
    REPLAY_CUT_SHORT, /* the same, but the recording did not end there: its writer was killed */
    REPLAY_AT_BREAK,  /* what came next cannot be replayed: 'error' says what it was */
    REPLAY_DIVERGED,  /* the machine did something else: 'error' says where */
} ReplayEnd;

/* A place in a log, and within the slice that its record tells of. */
typedef struct ReplayPosition {
    size_t record;  /* of the slice, or of what comes next */
    uint64_t done;  /* instructions of that slice */
    uint64_t count; /* instructions of the machine */
    bool in_slice;
} ReplayPosition;

typedef struct Replay {
    const ByteBuffer *log;
    size_t next;  /* record */
    size_t slice; /* the record of the slice that runs */
    uint64_t slice_done, slice_left, slice_start;
    bool in_slice;
    bool paced; /* not faster than the guest's clock */
    int64_t paced_ns, paced_host_ns;
    ReplayEnd end;
    uint64_t actions, checks; /* so many were done, so many hashes were right */
    Error error;
    struct ReplayedCard {
        struct Machine *machine;
        unsigned index;
    } card[MACHINE_NETWORK_CARDS];
    /* Before a round; may be NULL. */
    void (*before_round)(void *opaque);
    void *opaque;
} Replay;

/* The machine is in the state in which the log begins, or at another round's beginning. */
void replay_begin(struct Machine *machine, Replay *replay, const ByteBuffer *log, size_t record);
/* The machine goes on by itself. */
void replay_end(struct Machine *machine);

ReplayPosition replay_position(const struct Machine *machine);

/* For the run loop: at most 'limit' instructions. False: the machine stopped, or the log is at its
 * end: then 'end' says how. */
bool replay_run_slice(struct Machine *machine, int64_t limit);

#endif

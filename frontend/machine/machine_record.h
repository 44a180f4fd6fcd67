/* Recording a run as it happens: what record_log.h tells, noted by the run loop. All functions
 * belong to the machine's thread and do nothing where nobody records, but those that begin it. */
#ifndef REPRISE_MACHINE_RECORD_H
#define REPRISE_MACHINE_RECORD_H

#include "machine_config.h"
#include "record_log.h"

struct Machine;

typedef struct Recorder {
    ByteBuffer log;
    MachineTimeState time; /* as a replay of the log has them here */
    InstructionPace pace;
    Record round; /* of the round that runs: its time is known, its instructions are not */
    bool in_round;
    RecordPart part;
    uint64_t slice_start; /* the count of instructions */
    ByteBuffer inner;     /* what entered before the round's own record can be written */
    struct RecordedCard {
        struct Machine *machine;
        unsigned index;
    } card[MACHINE_NETWORK_CARDS];
    bool is_broken; /* by recorder_break(): nothing more is noted, but round_done() is called */
    /* After a round, where the log is wanted elsewhere too; may be NULL. */
    void (*round_done)(void *opaque);
    void *opaque;
} Recorder;

/* From now on, between two instructions. The clock of the host, where it drives the machine, is
 * looked at between slices alone from now on. */
void recorder_begin(struct Machine *machine, Recorder *recorder);
/* The machine goes on without; the log stays. */
void recorder_end(struct Machine *machine);
/* Goes on with a log whose end was reached by a replay. */
void recorder_resume(struct Machine *machine, Recorder *recorder);

void recorder_begin_round(struct Machine *machine);
/* Instructions run from here on. */
void recorder_begin_slice(struct Machine *machine);
void recorder_note_slice(struct Machine *machine, uint64_t instructions);
/* Time passed while the processor waited; before the events. */
void recorder_note_idle(struct Machine *machine);
void recorder_end_round(struct Machine *machine);

void recorder_note_action(struct Machine *machine, uint8_t action, const void *bytes, size_t size);
void recorder_break(struct Machine *machine, const char *why);

/* Of the processors alone: quick. */
uint64_t recorder_hash_processors(const struct Machine *machine);
/* The whole state, and the end of the log. */
void recorder_note_end(struct Machine *machine);

#endif

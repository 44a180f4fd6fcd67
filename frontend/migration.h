/* A machine's move to another process, or from there: 'migrate' and '-incoming'. The bytes are
 * moved by a thread of their own (migration_sender.c, migration_receiver.c), which the guest never
 * waits for; everything here belongs to the main thread. */
#ifndef REPRISE_MIGRATION_H
#define REPRISE_MIGRATION_H

#include "error.h"
#include "event_loop.h"
#include "machine.h"

typedef struct Migration Migration;

/* What may be set at any time, under the names and with the meanings of QEMU. */
typedef struct MigrationParameters {
    int64_t max_bandwidth;  /* bytes a second while the guest runs */
    int64_t downtime_limit; /* milliseconds that the guest may stand still */
    int64_t cpu_throttle_initial, cpu_throttle_increment, max_cpu_throttle; /* percent */
    int64_t throttle_trigger_threshold; /* percent of what was sent that changed meanwhile */
    /* 0 or 1. */
    int64_t auto_converge; /* slow the guest down where that is passed */
    int64_t return_path;   /* a socket's other end answers: see migration_stream.h */
} MigrationParameters;

/* All of them: the name, where it is, and from where to where. Ends with a row without name. */
typedef struct MigrationParameterRow {
    const char *name;
    size_t offset;
    int64_t least, most;
    const char *unit; /* after a number that people read */
} MigrationParameterRow;
extern const MigrationParameterRow migration_parameter_rows[];
/* Those that are on or off, likewise. */
extern const MigrationParameterRow migration_capability_rows[];
int64_t *migration_parameter(MigrationParameters *parameters, const MigrationParameterRow *row);

typedef struct MigrationInfo {
    bool tried, incoming;
    const char *status; /* "setup", "active", "cancelling", "cancelled", "completed", "failed" */
    Error error;        /* set: why it failed */
    int64_t total_ms, downtime_ms, expected_downtime_ms, setup_ms;
    uint64_t ram_total, ram_sent, ram_left; /* bytes */
    uint64_t pages, zero_pages, rounds;
    uint64_t dirty_pages_rate; /* a second */
    uint64_t sent;             /* bytes of all kinds */
    double megabits;           /* a second */
    bool sends_disks;
    uint64_t disk_total, disk_sent, disk_left;
    unsigned throttle_percent; /* 0: none */
} MigrationInfo;

/* Who wants to know when the status changed, or another round began (status NULL). Main thread. */
typedef struct MigrationObserver {
    void (*changed)(void *opaque, const char *status, uint64_t round);
    void *opaque;
} MigrationObserver;

/* 'incoming': what -incoming said: then the machine waits for its state; or NULL. Before it starts.
 * The machine may be NULL: parameters can be set then. NULL on error. */
Migration *migration_create(Machine *machine, EventLoop *loop, const char *incoming, Error *error);
void migration_observe(Migration *migration, const MigrationObserver *observer);
/* Ends the thread. Before the machine goes. NULL is allowed. */
void migration_free(Migration *migration);
/* After each round of the event loop. An error ends the program: it waited for a state. */
bool migration_serve(Migration *migration, Error *error);

/* Begins to send: "tcp:HOST:PORT", "unix:PATH", "exec:COMMAND", "fd:NUMBER". */
typedef struct MigrationRequest {
    const char *address;
    bool disks; /* what drives hold goes along */
    int file;   /* of "fd:", where it has a name and no number; else -1 */
} MigrationRequest;
bool migration_start(Migration *migration, const MigrationRequest *request, Error *error);
/* Begins to receive, where -incoming said "defer". */
bool migration_receive(Migration *migration, const MigrationRequest *request, Error *error);
/* The machine goes on here, unless it is too late. */
void migration_cancel(Migration *migration);
bool migration_has_arrival(const Migration *migration);
/* The machine that comes is to run at once, whatever -S said. */
void migration_start_afterwards(Migration *migration);

MigrationParameters migration_parameters(Migration *migration);
void migration_set_parameters(Migration *migration, const MigrationParameters *parameters);
MigrationInfo migration_info(Migration *migration);

#endif

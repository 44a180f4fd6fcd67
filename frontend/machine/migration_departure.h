/* A machine on its way out: which pages are still to be sent, and the steps of handing it over.
 *
 * While it runs its pages are sent by another thread; PAGE_DIRTY_MIGRATION tells which of them
 * changed since they were last listed. A page that changes while it is read is sent torn, and again
 * later. */
#ifndef REPRISE_MIGRATION_DEPARTURE_H
#define REPRISE_MIGRATION_DEPARTURE_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

typedef struct MigrationDeparture MigrationDeparture;

/* 'flags' as in the header. No machine's thread is needed for either. */
MigrationDeparture *migration_departure_create(Machine *machine, uint32_t flags);
void migration_departure_free(MigrationDeparture *departure);

/* ---- On the machine's thread ---- */

/* Appends the header, and lists all pages. With MIGRATION_FLAG_DISKS also all that drives hold,
 * whose writes are noted from now on. */
bool migration_departure_begin(MigrationDeparture *departure, ByteBuffer *out, Error *error);
/* Lists what changed since. Returns how many bytes wait to be sent. */
uint64_t migration_departure_collect(MigrationDeparture *departure);
/* Stops the machine, lists what is left, and keeps the state to be sent. An error: it goes on. */
bool migration_departure_stop(MigrationDeparture *departure, Error *error);
/* The images are no longer this process's. An error: they are. */
bool migration_departure_give(MigrationDeparture *departure, Error *error);
/* It is not to go after all: takes the images back and runs, or stands, as before. */
bool migration_departure_return(MigrationDeparture *departure, Error *error);
/* It has gone. */
void migration_departure_leave(MigrationDeparture *departure);
/* Ends the notes of disk writes; in any case, at the end. */
void migration_departure_end(MigrationDeparture *departure);

/* ---- On the sender's ---- */

/* Appends some of what is listed, at most about a megabyte; false: nothing is left. */
bool migration_departure_next(MigrationDeparture *departure, ByteBuffer *out, Error *error);
/* Appends the state and the end. */
void migration_departure_finish(MigrationDeparture *departure, ByteBuffer *out);

/* What was listed and sent so far. */
typedef struct MigrationCounts {
    uint64_t pages, zero_pages; /* sent */
    uint64_t waiting_bytes;     /* of guest memory */
    uint64_t disk_bytes, disk_waiting_bytes, disk_total_bytes;
} MigrationCounts;
MigrationCounts migration_departure_counts(const MigrationDeparture *departure);

#endif

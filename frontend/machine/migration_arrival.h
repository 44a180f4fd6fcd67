/* A machine on its way in: takes a migration stream (migration_stream.h) apart, piece by piece, and
 * makes the machine of it. The bytes may be anybody's: what does not fit this machine, or no stream
 * at all, is an error, after which the machine is of no use. */
#ifndef REPRISE_MIGRATION_ARRIVAL_H
#define REPRISE_MIGRATION_ARRIVAL_H

#include "error.h"
#include "machine.h"

typedef struct MigrationArrival MigrationArrival;

typedef enum MigrationArrivalPhase {
    MIGRATION_ARRIVES,
    MIGRATION_IS_WHOLE, /* all is there, and the machine is what it was */
    MIGRATION_COMMITTED,
    MIGRATION_ABORTED,
} MigrationArrivalPhase;

MigrationArrival *migration_arrival_create(Machine *machine);
void migration_arrival_free(MigrationArrival *arrival);

/* Takes more bytes of the stream. On the machine's thread; the machine does not run. */
bool migration_arrival_take(MigrationArrival *arrival, const uint8_t *data, size_t size,
                            Error *error);

MigrationArrivalPhase migration_arrival_phase(const MigrationArrival *arrival);
/* Of the header: MIGRATION_FLAG_*. */
uint32_t migration_arrival_flags(const MigrationArrival *arrival);
/* Whether it ran when it left; once it is whole. */
bool migration_arrival_ran(const MigrationArrival *arrival);

#endif

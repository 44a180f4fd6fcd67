/* What the drives of a machine on its way out hold, where that goes along: all of it, and then what
 * was written since it was sent. */
#ifndef REPRISE_MIGRATION_DISKS_H
#define REPRISE_MIGRATION_DISKS_H

#include "migration_departure.h"

typedef struct MigrationDisks MigrationDisks;

/* Everything that may be written is listed, and writes are noted from now on. The machine's thread;
 * so are the next three. */
MigrationDisks *migration_disks_begin(Machine *machine, Error *error);
/* A new round over what is listed; how many bytes that is. */
uint64_t migration_disks_collect(MigrationDisks *disks);
/* Ends the notes. NULL is allowed. */
void migration_disks_end(MigrationDisks *disks);

/* Appends some records; false: this round is done, or an error. Reads on the machine's thread. */
bool migration_disks_next(MigrationDisks *disks, ByteBuffer *out, Error *error);
void migration_disks_count(const MigrationDisks *disks, MigrationCounts *counts);
void migration_disks_free(MigrationDisks *disks);

#endif

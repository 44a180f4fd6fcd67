/* What the drives of a machine hold, sealed, for its clones: each clone's drives start with these
 * contents, which all share; none sees what another writes. */
#ifndef REPRISE_DISK_BASE_H
#define REPRISE_DISK_BASE_H

#include "error.h"
#include "machine.h"

typedef struct DiskBase DiskBase;

/* On the machine's thread. It costs nothing, and the machine may go on. NULL where a drive writes
 * straight to its image, which two machines cannot share: one line that says snapshot=on. */
DiskBase *disk_base_create(Machine *machine, Error *error);

/* The base may go while clones live. NULL is allowed.
 *
 * A clone is made with MachineConfig.disks set to the base: its drives are filled from there, not
 * from files. Any number of threads may do so at once. */
void disk_base_free(DiskBase *base);

#endif

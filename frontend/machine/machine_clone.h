/* Clones: further machines that start as another one was at some instruction, and share its memory
 * until they change it. Each may be run by a thread of its own, of this process or of another one.
 *
 * The machine's memory is sealed: it and all clones go on with private mappings of the same files,
 * so a clone costs the pages that it writes. ROMs, kernels, the hashes of pages and what drives
 * hold are shared as well. */
#ifndef REPRISE_MACHINE_CLONE_H
#define REPRISE_MACHINE_CLONE_H

#include "error.h"
#include "machine.h"

typedef struct CloneBase CloneBase;

/* The state of the machine as it is now, with one holder. On the machine's thread, between two
 * instructions; the machine goes on. NULL where a drive writes straight to its image. */
CloneBase *clone_base_create(Machine *machine, Error *error);
/* Any thread. */
CloneBase *clone_base_hold(CloneBase *base);
/* Clones live on without it. NULL is allowed. */
void clone_base_release(CloneBase *base);

/* Makes a machine that is what the base's was: stopped before its next instruction. 'config' is of
 * the same machine, with ports' ends of its own; files that it names are not opened again. Any
 * thread. */
Machine *machine_create_clone(CloneBase *base, const MachineConfig *config, Error *error);

/* The same for another process, which inherits descriptors (they have no close-on-exec flag). */
enum { CLONE_FILES_MAXIMUM = 8 };
typedef struct CloneFiles {
    int file[CLONE_FILES_MAXIMUM]; /* states, hashes of pages, then memory, one region each */
    unsigned count;
} CloneFiles;

/* Needs the descriptors closed afterwards: clone_files_close(). On the machine's thread. */
bool machine_export_clone(Machine *machine, CloneFiles *files, Error *error);
/* In the process that has them. Images, firmware and kernel are opened as 'config' says: they must
 * not have changed. Descriptors stay open: as many clones as wanted may be made. */
Machine *machine_import_clone(const CloneFiles *files, const MachineConfig *config, Error *error);
void clone_files_close(CloneFiles *files);

#endif

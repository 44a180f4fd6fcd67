/* Snapshots of a machine in its file: savevm, loadvm, delvm and 'info snapshots'. All functions
 * belong to the machine's thread, between two instructions. */
#ifndef REPRISE_SNAPSHOT_OF_MACHINE_H
#define REPRISE_SNAPSHOT_OF_MACHINE_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

/* Saves the machine under a name (NULL or "": one made of the date), in place of a snapshot of that
 * name. The run goes on as if nothing had been saved. */
bool machine_save_snapshot(Machine *machine, const char *name, Error *error);

/* Makes the machine what it was: all of it or, on an error, none. It runs or is stopped as before;
 * one that had ended runs as it did when it was saved. */
bool machine_load_snapshot(Machine *machine, const char *name, Error *error);

bool machine_delete_snapshot(Machine *machine, const char *name, Error *error);

/* A table of all, or everything about one of them. */
bool machine_list_snapshots(Machine *machine, ByteBuffer *text, Error *error);
bool machine_describe_snapshot(Machine *machine, const char *name, ByteBuffer *text, Error *error);

/* Names and dates (of the host, since 1970) of all, oldest first; none where the file cannot be
 * read. */
void machine_visit_snapshots(Machine *machine,
                             void (*visit)(void *opaque, const char *name, int64_t date_seconds),
                             void *opaque);

/* Where they are: MachineConfig.snapshots_path, or IMAGE.snapshots beside the first hard disk's
 * image that may be written, else the first floppy's, else reprise.snapshots in the current folder.
 * To be freed. */
char *machine_snapshots_path(const Machine *machine);

#endif

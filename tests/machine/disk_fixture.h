/* Machines with disks for the tests of disk_*.c: a folder with images, and what the drives hold. */
#ifndef REPRISE_DISK_FIXTURE_H
#define REPRISE_DISK_FIXTURE_H

#include "machine.h"
#include "machine_parts.h"

#define FLOPPY_BYTES 163840u /* 160 KB */
#define DISK_BYTES 500000u

/* Makes the folder of this process; disk_fixture_clear() removes what is in it, and it. */
void disk_fixture_start(void);
void disk_fixture_clear(void);

/* The path of a file there, valid until the machine is gone (the name is one of a few literals). */
const char *disk_fixture_path(const char *name);

/* An image whose bytes depend on 'salt' and their place. */
void disk_fixture_make_image(const char *name, size_t size, unsigned salt);

/* A small machine: disk.img as first hard disk, a.img in floppy drive A, an empty B, cd.img in a CD
 * drive (made where they are missing). */
void disk_fixture_config(MachineConfig *config, bool snapshot);
Machine *disk_fixture_machine(const MachineConfig *config);

/* Puts an image into a drive, takes one out, as the monitor does. */
bool disk_fixture_change(Machine *machine, const char *id, const char *name);
void disk_fixture_eject(Machine *machine, const char *id);

/* Saves and loads a snapshot in the machine's file; both must go well. */
void disk_fixture_save(Machine *machine, const char *name);
void disk_fixture_load(Machine *machine, const char *name);

BlockNode *disk_fixture_medium(Machine *machine, const char *id);
/* 64-bit hash of all that the medium holds, and of its length; 0: no medium. */
uint64_t disk_fixture_hash(Machine *machine, const char *id);
uint64_t disk_fixture_hash_all(Machine *machine);

uint64_t disk_fixture_random(uint64_t *seed);
/* Writes somewhere on the medium, as its device would. */
void disk_fixture_write(Machine *machine, const char *id, uint64_t *seed);

#endif

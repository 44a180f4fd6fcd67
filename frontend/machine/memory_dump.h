/* Guest memory and registers as an ELF core file, for gdb, readelf and crash: 'dump-guest-memory'.
 *
 * All of RAM is in it once. Program headers tell where that lies: by physical addresses, or by the
 * linear ones that the guest's page tables give it as well. Notes: NT_PRSTATUS for each processor
 * (System V ABI; as Linux writes it), and QEMU's own with control registers and segments. */
#ifndef REPRISE_MEMORY_DUMP_H
#define REPRISE_MEMORY_DUMP_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

typedef struct MemoryDump MemoryDump;

typedef struct MemoryDumpOptions {
    bool paging;
    uint64_t begin, length; /* of physical memory; length 0: all of it */
} MemoryDumpOptions;

/* Stops the machine until memory_dump_end(); NULL on error. The machine's thread. */
MemoryDump *memory_dump_begin(Machine *machine, const MemoryDumpOptions *options, Error *error);
/* How far it is, for others to see. */
typedef struct MemoryDumpProgress {
    uint64_t done;  /* atomic: bytes */
    bool cancelled; /* atomic: somebody wants it to end */
} MemoryDumpProgress;

/* Writes all of it. Any thread. */
bool memory_dump_write(const MemoryDump *dump, int fd, MemoryDumpProgress *progress, Error *error);
uint64_t memory_dump_bytes(const MemoryDump *dump);
/* The machine runs again if it did. Its thread. */
void memory_dump_end(MemoryDump *dump);

#endif

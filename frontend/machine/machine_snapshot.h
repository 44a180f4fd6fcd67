/* The whole state of a machine as bytes: processor, TLB, every device, RAM. Media are not in it. */
#ifndef REPRISE_MACHINE_SNAPSHOT_H
#define REPRISE_MACHINE_SNAPSHOT_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

/* Appends the state to 'buffer'. The run goes on as if nothing had been saved. */
void machine_save(Machine *machine, ByteBuffer *buffer);

/* Takes over a state that a machine with the same configuration saved: all of it or, on an error
 * that is found in the bytes, none. The run state stays what it is. */
bool machine_load(Machine *machine, ByteReader *reader, Error *error);

/* 64-bit hash of processor, devices and RAM, incremental: only pages written since the last call
 * are hashed. Under icount it is the same on every host and with every backend. */
uint64_t machine_state_hash(Machine *machine);
/* The same number, all of it computed anew. */
uint64_t machine_state_hash_full(Machine *machine);

#endif

/* The state of a machine as bytes, all of it but the pages of guest memory (memory/physical_map.h)
 * and what the drives hold: processor, TLB, every device, requests that wait for the next
 * instruction boundary, bytes on their way into a serial port, and whether the guest had ended. */
#ifndef REPRISE_MACHINE_STATE_H
#define REPRISE_MACHINE_STATE_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

/* Appends the state to 'buffer'. The run goes on as if nothing had been saved. */
void machine_state_save(Machine *machine, ByteBuffer *buffer);

/* Takes over what a machine of the same configuration saved: all of it or, on any error, nothing.
 * Translations stay: who changes pages of memory reports that by itself, before or after.
 *
 * A machine that runs or is stopped stays so. One that had ended does what it did when the state
 * was saved; and where the guest had ended by then, it has ended again. */
bool machine_state_load(Machine *machine, ByteReader *reader, Error *error);

#endif

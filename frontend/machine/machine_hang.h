/* Proof that a guest hangs: that, left alone, its processor never completes another instruction
 * that matters. */
#ifndef REPRISE_MACHINE_HANG_H
#define REPRISE_MACHINE_HANG_H

#include "byte_buffer.h"
#include "machine.h"

/* True only where that is proven; 'reason' (may be NULL) then gets half a sentence: "the guest is
 * halted with interrupts off at F000:0000E05B". On the machine's thread, between slices. */
bool machine_find_hang(Machine *machine, ByteBuffer *reason);

#endif

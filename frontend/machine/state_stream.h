/* A whole machine as one run of bytes that another process takes over: its state and memory, and
 * what both must have in common. The drives' images are not in it: both processes see the same
 * files, one after the other. */
#ifndef REPRISE_STATE_STREAM_H
#define REPRISE_STATE_STREAM_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

/* What follows the guest's memory is no more than this. */
#define STATE_STREAM_BYTES_BESIDE_MEMORY (256u << 20)

/* Appends the stream, and sees that all that was written to the images is in them. An error where a
 * drive keeps writes for itself (snapshot=on). The machine must not run. Its thread. */
bool state_stream_save(Machine *machine, ByteBuffer *buffer, Error *error);

/* Takes over a stream: all of it or, on an error, none. Its thread. */
bool state_stream_load(Machine *machine, const uint8_t *bytes, size_t size, Error *error);

#endif

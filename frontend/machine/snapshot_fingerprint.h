/* What two machines must have in common for a snapshot of the one to be loaded into the other, as
 * lines "what: value". */
#ifndef REPRISE_SNAPSHOT_FINGERPRINT_H
#define REPRISE_SNAPSHOT_FINGERPRINT_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"

void snapshot_fingerprint(const Machine *machine, ByteBuffer *text);

/* An error that says what differs first, unless nothing does. */
bool snapshot_fingerprint_compare(const char *saved, const char *present, Error *error);

#endif

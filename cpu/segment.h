/* Segment registers: what cpu/helpers.h declares for everybody, and what the other files of cpu/
 * need besides. */
#ifndef REPRISE_SEGMENT_H
#define REPRISE_SEGMENT_H

#include "descriptor.h"

/* Would type and limit let an access through? */
bool segment_allows(const Segment *segment, uint32_t offset, uint32_t size, bool write);

/* Fills the register's cache from a descriptor that was checked. */
void segment_load_descriptor(Segment *segment, uint16_t selector, const Descriptor *descriptor);
/* What a null selector leaves in a data segment register: any access faults. */
void segment_load_null(Segment *segment, uint16_t selector);
/* All six in v8086 mode's form: limit FFFFh, DPL 3. */
void segment_load_v8086(Segment *segment, uint16_t selector);

#endif

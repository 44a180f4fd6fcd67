/* Guest memory in a snapshot file: a stream for each region. */
#ifndef REPRISE_SNAPSHOT_MEMORY_H
#define REPRISE_SNAPSHOT_MEMORY_H

#include "physical_map.h"
#include "snapshot_file.h"

bool snapshot_put_memory(SnapshotFile *file, uint64_t id, PhysicalMap *map, Error *error);

/* Does the snapshot hold as much memory as this map has? */
bool snapshot_check_memory(const SnapshotImage *image, const PhysicalMap *map, Error *error);

/* After that check: takes over the contents, page by page where they differ. Translated code must
 * have been flushed. */
void snapshot_load_memory(const SnapshotImage *image, PhysicalMap *map);

#endif

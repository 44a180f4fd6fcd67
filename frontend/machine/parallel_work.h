/* Work that falls into independent pieces, done on all processors of the host. */
#ifndef REPRISE_PARALLEL_WORK_H
#define REPRISE_PARALLEL_WORK_H

#include <stdint.h>

/* Calls 'run' once for each piece from 0 up, in any order, from several threads at once, the
 * caller's among them; returns when all are done. */
void parallel_work(uint32_t pieces, void (*run)(void *opaque, uint32_t piece), void *opaque);

#endif

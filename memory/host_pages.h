/* Large host memory that costs nothing until it is touched. */
#ifndef REPRISE_HOST_PAGES_H
#define REPRISE_HOST_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, aligned to the host's pages; NULL when there is none. */
void *host_pages_map(size_t size);
/* The same, in a memfd mapped shared; '*file' gets it, to be closed by the caller. */
void *host_pages_map_shared(const char *name, size_t size, int *file);
/* Puts a private, copy-on-write mapping of the file's first 'size' bytes at 'area', which lies in
 * memory of the functions above, in place of what was there. */
bool host_pages_map_copy(void *area, size_t size, int file);
/* Puts a private, copy-on-write mapping over [area, area + size) in which every 8 bytes hold
 * 'value', at the cost of one small file however large the area is. */
bool host_pages_fill(void *area, size_t size, int64_t value);
void host_pages_unmap(void *memory, size_t size);

/* Nobody can change the file any more: no shared mapping of it may be left. */
bool host_pages_seal(int file);

#endif

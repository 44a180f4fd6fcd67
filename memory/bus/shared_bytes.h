/* Bytes that nobody changes any more, shared by counting: ROMs and kernels of a machine and its
 * clones, in any number of threads. */
#ifndef REPRISE_SHARED_BYTES_H
#define REPRISE_SHARED_BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct SharedBytes {
    const uint8_t *data; /* aligned to SHARED_BYTES_ALIGNMENT */
    size_t size;
    unsigned holders; /* atomic */
} SharedBytes;

#define SHARED_BYTES_ALIGNMENT 4096

/* A copy of these bytes with one holder. */
SharedBytes *shared_bytes_create(const void *data, size_t size);
/* One holder more; returns 'bytes'. NULL is allowed in both. */
SharedBytes *shared_bytes_hold(SharedBytes *bytes);
void shared_bytes_release(SharedBytes *bytes);

#endif

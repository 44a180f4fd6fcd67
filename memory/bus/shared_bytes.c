#include "shared_bytes.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

SharedBytes *shared_bytes_create(const void *data, size_t size) {
    SharedBytes *bytes = allocate_zeroed(sizeof *bytes);
    uint8_t *copy = allocate_aligned(SHARED_BYTES_ALIGNMENT, size);
    if (size != 0)
        memcpy(copy, data, size);
    *bytes = (SharedBytes){.data = copy, .size = size, .holders = 1};
    return bytes;
}

SharedBytes *shared_bytes_hold(SharedBytes *bytes) {
    if (bytes != NULL)
        __atomic_fetch_add(&bytes->holders, 1, __ATOMIC_RELAXED);
    return bytes;
}

void shared_bytes_release(SharedBytes *bytes) {
    if (bytes == NULL || __atomic_sub_fetch(&bytes->holders, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    allocate_free_aligned((void *)bytes->data);
    free(bytes);
}

#include "host_random.h"
#include <sys/random.h>
#include <sys/types.h>

bool host_random_fill(void *bytes, size_t size) {
    return getrandom(bytes, size, GRND_NONBLOCK) == (ssize_t)size;
}

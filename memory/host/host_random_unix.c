/* getentropy(2) of macOS and the BSDs. Written from their manuals and not run yet. */
#include "host_random.h"
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

bool host_random_fill(void *bytes, size_t size) {
    return getentropy(bytes, size) == 0;
}

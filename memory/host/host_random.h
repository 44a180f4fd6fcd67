/* Random numbers of the host. */
#ifndef REPRISE_HOST_RANDOM_H
#define REPRISE_HOST_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills up to 256 bytes without waiting. False: the host has no randomness yet. */
bool host_random_fill(void *bytes, size_t size);

#endif

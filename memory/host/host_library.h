/* Libraries of the host that few runs need: loaded at their first use, since finding and binding
 * them takes longer than the rest of our start. */
#ifndef REPRISE_HOST_LIBRARY_H
#define REPRISE_HOST_LIBRARY_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

/* Fills 'functions', a structure of 'count' pointers, with the functions of these names. The
 * library stays loaded. */
bool host_library_load(const char *file, const char *const *names, size_t count, void *functions,
                       Error *error);

#endif

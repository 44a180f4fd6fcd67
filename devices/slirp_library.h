/* The functions of libslirp that the back end 'user' uses, found when the first one is made. */
#ifndef REPRISE_SLIRP_LIBRARY_H
#define REPRISE_SLIRP_LIBRARY_H

#include <libslirp.h>

// clang-format off
#define SLIRP_FUNCTIONS(X) \
    X(new) X(cleanup) X(pollfds_fill) X(pollfds_poll) X(input) X(add_hostfwd) X(remove_hostfwd) X(add_exec) \
    X(add_unix) X(connection_info) X(state_save) X(state_version) X(state_load)
// clang-format on

typedef struct SlirpLibrary {
#define X(name) __typeof__(slirp_##name) *name;
    SLIRP_FUNCTIONS(X)
#undef X
} SlirpLibrary;

#endif

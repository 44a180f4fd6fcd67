/* The functions of libnbd that disks of NBD servers use, found when the first one is opened. */
#ifndef REPRISE_NBD_LIBRARY_H
#define REPRISE_NBD_LIBRARY_H

#include <libnbd.h>

// clang-format off
#define NBD_FUNCTIONS(X) \
    X(create) X(close) X(get_error) X(set_export_name) X(aio_connect_uri) X(aio_connect_unix) X(aio_connect_tcp) \
    X(aio_is_ready) X(aio_is_dead) X(aio_is_closed) X(aio_get_fd) X(poll) X(aio_command_completed) \
    X(aio_disconnect) X(get_size) X(get_block_size) X(is_read_only) X(can_flush) X(can_trim) X(can_zero) X(aio_pread) \
    X(aio_pwrite) X(aio_flush) X(aio_trim) X(aio_zero)
// clang-format on

typedef struct NbdLibrary {
#define X(name) __typeof__(nbd_##name) *name;
    NBD_FUNCTIONS(X)
#undef X
} NbdLibrary;

#endif

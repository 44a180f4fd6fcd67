/* The export of an NBD server as a node: every request is sent and waited for, with a time-out, so
 * that a server that is gone gives errors and never a run that stands still. */
#include "block_nbd.h"
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include "host_library.h"
#include "nbd_library.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_SECONDS 10
#define REQUEST_SECONDS 30
/* Any server takes this much in one request ("Block size constraints" has 32 MB as the usual
 * maximum); zeros and trims send no data, but the server has to do them in REQUEST_SECONDS. */
#define DATA_BYTES (1u << 20)
#define RANGE_BYTES (64u << 20)
#define SECTOR_BYTES 512
#define RECONNECT_PAUSE_NS 100000000
#define UNREACHED "cannot be reached"
#define LOST "the connection to the server is lost"

typedef struct NbdDisk {
    NbdLibrary library;
    struct nbd_handle *handle;
    pthread_mutex_t lock; /* of what follows and of the connection: clones share the node */
    bool lost;            /* nothing is sent any more */
    NbdSpec spec;
    int64_t size;
    bool can_flush;
    bool can_trim;
    bool can_zero;
} NbdDisk;

/* The library's words without the name of its function. Always false. */
static bool set_library_error(const NbdDisk *disk, const char *what, Error *error) {
    const char *text = disk->library.get_error();
    if (text == NULL)
        return error_set(error, "%s", what);
    const char *colon = strncmp(text, "nbd_", 4) == 0 ? strstr(text, ": ") : NULL;
    return error_set(error, "%s: %s", what, colon != NULL ? colon + 2 : text);
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Lets the connection go on until the deadline. False: the time is over, or it is broken. */
static bool wait_for_server(NbdDisk *disk, int64_t deadline_ms, const char *broken, Error *error) {
    int64_t left = deadline_ms - now_ms();
    if (left <= 0)
        return error_set(error, "the server does not answer");
    return disk->library.poll(disk->handle, (int)left) >= 0 ||
           set_library_error(disk, broken, error);
}

/* Waits for a request that was sent. One that fails leaves the connection as it is; one without an
 * answer ends it, since the answer could come into memory that is used for something else. */
static bool finish_request(NbdDisk *disk, int64_t cookie, const char *what, Error *error) {
    int64_t deadline = now_ms() + REQUEST_SECONDS * 1000;
    int done = cookie < 0 ? -1 : 0;
    while (done == 0) {
        done = disk->library.aio_command_completed(disk->handle, (uint64_t)cookie);
        if (done == 0 && !wait_for_server(disk, deadline, LOST, error)) {
            disk->lost = true;
            return false;
        }
    }
    if (done > 0)
        return true;
    set_library_error(disk, what, error);
    disk->lost = disk->library.aio_is_dead(disk->handle) > 0 ||
                 disk->library.aio_is_closed(disk->handle) > 0;
    return false;
}

static bool start_connection(NbdDisk *disk) {
    const NbdSpec *spec = &disk->spec;
    const NbdLibrary *library = &disk->library;
    if (spec->export_name != NULL && library->set_export_name(disk->handle, spec->export_name) != 0)
        return false;
    if (spec->uri != NULL)
        return library->aio_connect_uri(disk->handle, spec->uri) == 0;
    if (spec->socket != NULL)
        return library->aio_connect_unix(disk->handle, spec->socket) == 0;
    return library->aio_connect_tcp(disk->handle, spec->host, spec->port) == 0;
}

static bool open_connection(NbdDisk *disk, int64_t deadline, Error *error) {
    disk->handle = disk->library.create();
    if (disk->handle == NULL || !start_connection(disk))
        return set_library_error(disk, UNREACHED, error);
    while (disk->library.aio_is_ready(disk->handle) <= 0) {
        if (disk->library.aio_is_dead(disk->handle) > 0 ||
            disk->library.aio_is_closed(disk->handle) > 0)
            return set_library_error(disk, UNREACHED, error);
        if (!wait_for_server(disk, deadline, UNREACHED, error))
            return false;
    }
    return true;
}

static void close_connection(NbdDisk *disk) {
    if (disk->handle != NULL)
        disk->library.close(disk->handle);
    disk->handle = NULL;
}

/* Tries to get the lost connection back, to an export of the same size, until that works or the
 * time is over; then it stays lost. */
static bool reconnect(NbdDisk *disk, int64_t deadline) {
    while (disk->lost && disk->spec.reconnect_seconds != 0 && now_ms() < deadline) {
        Error ignored = {0};
        close_connection(disk);
        disk->lost = !open_connection(disk, deadline, &ignored) ||
                     disk->library.get_size(disk->handle) != disk->size;
        if (disk->lost)
            nanosleep(&(struct timespec){.tv_nsec = RECONNECT_PAUSE_NS}, NULL);
    }
    disk->spec.reconnect_seconds = disk->lost ? 0 : disk->spec.reconnect_seconds;
    return !disk->lost;
}

typedef enum NbdRequest { NBD_READ, NBD_WRITE, NBD_FLUSH, NBD_TRIM, NBD_ZERO } NbdRequest;

static const char *const failed_words[] = {
    [NBD_READ] = "cannot be read", [NBD_WRITE] = "cannot be written", [NBD_FLUSH] = "cannot flush",
    [NBD_TRIM] = "cannot discard", [NBD_ZERO] = "cannot be written",
};

static int64_t send_request(NbdDisk *disk, NbdRequest request, uint64_t offset, void *data,
                            size_t size) {
    struct nbd_handle *handle = disk->handle;
    switch (request) {
    case NBD_READ:
        return disk->library.aio_pread(handle, data, size, offset, NBD_NULL_COMPLETION, 0);
    case NBD_WRITE:
        return disk->library.aio_pwrite(handle, data, size, offset, NBD_NULL_COMPLETION, 0);
    case NBD_FLUSH:
        return disk->library.aio_flush(handle, NBD_NULL_COMPLETION, 0);
    case NBD_TRIM:
        return disk->library.aio_trim(handle, size, offset, NBD_NULL_COMPLETION, 0);
    case NBD_ZERO:
        return disk->library.aio_zero(handle, size, offset, NBD_NULL_COMPLETION, 0);
    }
    return -1;
}

/* One that the loss of the connection took is sent again on the next connection, as QEMU does. */
static bool do_request(NbdDisk *disk, NbdRequest request, uint64_t offset, void *data, size_t size,
                       Error *error) {
    pthread_mutex_lock(&disk->lock);
    const char *failed = failed_words[request];
    int64_t deadline = 0; /* for all attempts: a server may die of the request itself */
    bool good = false;
    do {
        Error reason = {0};
        good = disk->lost ? error_set(&reason, "%s: " LOST, failed)
                          : finish_request(disk, send_request(disk, request, offset, data, size),
                                           failed, &reason);
        if (deadline == 0 && !good)
            deadline = now_ms() + disk->spec.reconnect_seconds * INT64_C(1000);
        if (!good && !(disk->lost && reconnect(disk, deadline))) {
            error_set(error, "%s", reason.message);
            break;
        }
    } while (!good);
    pthread_mutex_unlock(&disk->lock);
    return good;
}

static bool transfer(NbdDisk *disk, NbdRequest request, uint64_t offset, uint8_t *data, size_t size,
                     Error *error) {
    bool good = true;
    for (size_t done = 0; good && done < size; done += DATA_BYTES) {
        size_t part = size - done < DATA_BYTES ? size - done : DATA_BYTES;
        good = do_request(disk, request, offset + done, data + done, part, error);
    }
    return good;
}

static bool nbd_disk_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    return transfer(node->driver_state, NBD_READ, offset, data, size, error);
}

static bool nbd_disk_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                           Error *error) {
    return block_check_inside(node, offset, size, error) &&
           transfer(node->driver_state, NBD_WRITE, offset, (uint8_t *)(uintptr_t)data, size, error);
}

static bool nbd_disk_flush(BlockNode *node, Error *error) {
    NbdDisk *disk = node->driver_state;
    return !disk->can_flush || do_request(disk, NBD_FLUSH, 0, NULL, 0, error);
}

static bool write_zeros(NbdDisk *disk, uint64_t offset, uint64_t size, Error *error) {
    uint8_t *zeros = allocate_zeroed(DATA_BYTES);
    bool good = true;
    for (uint64_t done = 0; good && done < size; done += DATA_BYTES) {
        size_t part = size - done < DATA_BYTES ? (size_t)(size - done) : DATA_BYTES;
        good = do_request(disk, NBD_WRITE, offset + done, zeros, part, error);
    }
    free(zeros);
    return good;
}

/* A trim may leave anything behind; what has to be zeros is asked for as such. */
static bool nbd_disk_discard(BlockNode *node, uint64_t offset, uint64_t size, bool zeros,
                             Error *error) {
    NbdDisk *disk = node->driver_state;
    if (zeros && !disk->can_zero)
        return write_zeros(disk, offset, size, error);
    bool good = zeros || disk->can_trim;
    for (uint64_t done = 0; good && done < size; done += RANGE_BYTES) {
        size_t part = size - done < RANGE_BYTES ? (size_t)(size - done) : RANGE_BYTES;
        good = do_request(disk, zeros ? NBD_ZERO : NBD_TRIM, offset + done, NULL, part, error);
    }
    return good || (!zeros && !disk->can_trim);
}

static void free_disk(NbdDisk *disk) {
    close_connection(disk);
    nbd_spec_free(&disk->spec);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}

/* Says goodbye, but does not wait for the server. */
static void nbd_disk_close(BlockNode *node) {
    NbdDisk *disk = node->driver_state;
    if (!disk->lost)
        disk->library.aio_disconnect(disk->handle, 0);
    free_disk(disk);
}

static const BlockDriver nbd_driver = {
    .name = "raw", /* what the export holds is the disk, byte by byte */
    .read = nbd_disk_read,
    .write = nbd_disk_write,
    .flush = nbd_disk_flush,
    .discard = nbd_disk_discard,
    .resize = block_refuse_resize,
    .close = nbd_disk_close,
};

static bool load_library(NbdLibrary *library, Error *error) {
    static const char *const names[] = {
#define X(name) "nbd_" #name,
        NBD_FUNCTIONS(X)
#undef X
    };
    return host_library_load(REPRISE_NBD_LIBRARY, names, sizeof(names) / sizeof(names[0]), library,
                             error);
}

static bool connect_disk(NbdDisk *disk, Error *error) {
    return load_library(&disk->library, error) &&
           open_connection(disk, now_ms() + CONNECT_SECONDS * 1000, error);
}

static bool take_properties(NbdDisk *disk, BlockNode *node, const BlockOptions *options,
                            Error *error) {
    const NbdLibrary *library = &disk->library;
    int64_t size = library->get_size(disk->handle);
    disk->size = size;
    if (size < 0)
        return set_library_error(disk, "has no size", error);
    if (size == 0 && !options->any_content)
        return error_set(error, "is empty");
    int64_t smallest = library->get_block_size(disk->handle, LIBNBD_SIZE_MINIMUM);
    if (smallest > SECTOR_BYTES)
        return error_set(error, "has blocks of %lld bytes; disks have sectors of %d",
                         (long long)smallest, SECTOR_BYTES);
    bool wants_write = !options->read_only && !options->snapshot;
    bool only_read = library->is_read_only(disk->handle) != 0;
    if (wants_write && only_read && !options->auto_read_only)
        return error_set(error, "is write-protected by its server; add readonly=on or snapshot=on");
    node->length = (uint64_t)size;
    node->read_only = !wants_write || only_read;
    disk->can_flush = library->can_flush(disk->handle) > 0;
    disk->can_trim = library->can_trim(disk->handle) > 0;
    disk->can_zero = library->can_zero(disk->handle) > 0;
    return true;
}

static bool check_options(const BlockOptions *options, Error *error) {
    if (options->format != NULL && strcmp(options->format, "raw") != 0)
        return error_set(error, "is an export of an NBD server, which is read as raw and not as %s",
                         options->format);
    return options->internal_snapshot == NULL ||
           error_set(error, "an export of an NBD server has no snapshots");
}

BlockNode *block_nbd_open(const BlockOptions *options, Error *error) {
    NbdDisk *disk = allocate_zeroed(sizeof(*disk));
    BlockNode *node = allocate_zeroed(sizeof(*node));
    pthread_mutex_init(&disk->lock, NULL);
    bool good = check_options(options, error) &&
                nbd_spec_parse(options->path, &disk->spec, error) && connect_disk(disk, error) &&
                take_properties(disk, node, options, error);
    if (!good) {
        free_disk(disk);
        free(node);
        return NULL;
    }
    node->driver = &nbd_driver;
    node->driver_state = disk;
    node->holders = 1;
    node->path = strdup(options->path);
    node->name = strdup(options->node_name != NULL ? options->node_name : "");
    /* For those who ask for its status, which says that it is no file. */
    node->file = host_file_duplicate(disk->library.aio_get_fd(disk->handle));
    return node;
}

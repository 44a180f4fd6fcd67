/* Opening nodes by format, and the calls that devices make. */
#include "block.h"
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const BlockDriver *const drivers[] = {
    &block_raw_driver,  &block_qcow2_driver, &block_vdi_driver,   &block_vhd_driver,
    &block_vmdk_driver, &block_vhdx_driver,  &block_bochs_driver, &block_hdi_driver,
    &block_hdx_driver,  &block_cue_driver,
};

#define DRIVER_COUNT (sizeof(drivers) / sizeof(drivers[0]))
#define BACKING_DEPTH_MAXIMUM 64
#define BACKING_WORDS "its backing file "

const BlockDriver *block_driver_get(size_t index) {
    return index < DRIVER_COUNT ? drivers[index] : NULL;
}

/* Formats that would boot as garbage if they were taken for raw: better say what they are. */
typedef struct ForeignFormat {
    const char *name;
    uint32_t offset;
    uint32_t size;
    const char *magic;
    const char *unpack; /* NULL: a format of disks */
} ForeignFormat;

static const ForeignFormat foreign_formats[] = {
    {"qcow", 0, 4, "QFI\xFB", NULL}, /* of a version that its driver does not take */
    {"QED", 0, 4, "QED\0", NULL},
    {"VMDK", 0, 4, "COWD", NULL},

    {"Parallels", 0, 16, "WithoutFreeSpace", NULL},
    {"Parallels", 0, 16, "WithouFreSpacExt", NULL},

    {"gzip", 0, 2, "\x1F\x8B", "gunzip -k"},
    {"xz", 0, 6,
     "\xFD"
     "7zXZ\0",
     "xz -dk"},
    {"zip", 0, 4, "PK\x03\x04", "unzip"},
};

#define FOREIGN_COUNT (sizeof(foreign_formats) / sizeof(foreign_formats[0]))

static const ForeignFormat *find_foreign(const uint8_t *head) {
    for (size_t i = 0; i < FOREIGN_COUNT; i++) {
        const ForeignFormat *format = &foreign_formats[i];
        if (memcmp(head + format->offset, format->magic, format->size) == 0)
            return format;
    }
    return NULL;
}

static const BlockDriver *find_driver(const char *name, Error *error) {
    for (size_t i = 0; i < DRIVER_COUNT; i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    char known[128] = "";
    for (size_t i = 0; i < DRIVER_COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "", drivers[i]->name);
    }
    error_set(error, "image format '%s' is not known; known are: %s", name, known);
    return NULL;
}

static const BlockDriver *surest_driver(const uint8_t *head, uint64_t length) {
    const BlockDriver *best = NULL;
    int best_score = 0;
    for (size_t i = 0; i < DRIVER_COUNT; i++) {
        int score = drivers[i]->probe(head, length);
        if (score > best_score) {
            best = drivers[i];
            best_score = score;
        }
    }
    return best;
}

static bool read_head(BlockNode *node, uint8_t head[BLOCK_PROBE_BYTES], Error *error) {
    size_t size = node->length < BLOCK_PROBE_BYTES ? node->length : BLOCK_PROBE_BYTES;
    memset(head, 0, BLOCK_PROBE_BYTES);
    return block_file_read(node->file, 0, head, size, error);
}

static const BlockDriver *probe_driver(BlockNode *node, bool any_content, Error *error) {
    uint8_t head[BLOCK_PROBE_BYTES];
    if (!read_head(node, head, error))
        return NULL;
    const BlockDriver *best = surest_driver(head, node->length);
    if (best != &block_raw_driver)
        return best;
    const ForeignFormat *foreign = find_foreign(head);
    if (foreign != NULL) {
        error_set(error,
                  "is a %s file, not a raw image; %s: %s (or say format=raw to use it as it is)",
                  foreign->name, foreign->unpack != NULL ? "unpack it with" : "convert it with",
                  foreign->unpack != NULL ? foreign->unpack : "qemu-img convert -O raw");
        return NULL;
    }
    node->guessed = true;
    /* What lies over a backing file may well be longer. */
    return any_content || node->above != NULL || block_check_complete(node, head, error) ? best
                                                                                         : NULL;
}

/* A guest that wrote the head of another format into a raw image would, at the next start, choose
 * what files of the host are read as its backing files. */
static bool check_stays_raw(BlockNode *node, uint64_t offset, const uint8_t *data, size_t size,
                            Error *error) {
    uint8_t head[BLOCK_PROBE_BYTES];
    if (!node->guessed || offset >= sizeof(head))
        return true;
    if (!read_head(node, head, error))
        return false;
    size_t part = sizeof(head) - (size_t)offset;
    memcpy(head + offset, data, size < part ? size : part);
    const ForeignFormat *foreign = find_foreign(head);
    const BlockDriver *driver = surest_driver(head, node->length);
    bool is_foreign = foreign != NULL && foreign->unpack == NULL;
    if (driver == &block_raw_driver && !is_foreign)
        return true;
    return error_set(error,
                     "a write that makes the raw image look like %s is refused; say format=raw to "
                     "allow it",
                     driver != &block_raw_driver ? driver->name : foreign->name);
}

static bool show_snapshot(BlockNode *node, const char *name, Error *error) {
    if (node->driver->show_snapshot == NULL)
        return error_set(error, "the format %s has no snapshots in its images", node->driver->name);
    if (!node->read_only)
        return error_set(error, "a snapshot in an image is only read; add readonly=on or "
                                "snapshot=on");
    return node->driver->show_snapshot(node, name, error);
}

/* What others write is only looked at. */
static BlockOptions inactive_options(const BlockOptions *options) {
    BlockOptions quiet = *options;
    quiet.read_only = quiet.unlocked = quiet.repair = true;
    return quiet;
}

static BlockNode *open_image(const BlockNode *above, const BlockOptions *options, Error *error) {
    BlockNode *node = allocate_zeroed(sizeof(*node));
    node->file = -1;
    node->holders = 1;
    node->above = above;
    node->path = strdup(options->path);
    node->name = strdup(options->node_name != NULL ? options->node_name : "");
    bool opened = block_file_open(node, options, error);
    if (opened) {
        node->driver = options->format != NULL ? find_driver(options->format, error)
                                               : probe_driver(node, options->any_content, error);
        opened = node->driver != NULL &&
                 (node->driver->open == NULL || node->driver->open(node, options, error));
    }
    if (!opened) {
        node->driver = NULL; /* its open() has cleaned up after itself */
        block_close(node);
        return NULL;
    }
    node->above = NULL;
    if (options->internal_snapshot != NULL &&
        !show_snapshot(node, options->internal_snapshot, error)) {
        block_close(node);
        return NULL;
    }
    return node;
}

/* An image that may not be written is as it would be anyway. */
static BlockNode *open_inactive(const BlockOptions *options, Error *error) {
    bool writes = !options->read_only && !options->snapshot;
    if (writes && access(options->path, W_OK) != 0 && access(options->path, F_OK) == 0)
        writes = !options->auto_read_only; /* the error is told when it is activated */
    BlockOptions quiet = writes ? inactive_options(options) : *options;
    BlockNode *node = open_image(NULL, &quiet, error);
    if (node != NULL) {
        node->inactive = writes;
        node->auto_read_only = options->auto_read_only;
    }
    return node;
}

BlockNode *block_open(const BlockOptions *options, Error *error) {
    if (options->path == NULL || options->path[0] == '\0') {
        error_set(error, "an image needs a file name");
        return NULL;
    }
    Error reason = {0};
    bool is_folder = block_names_folder(options->path);
    BlockNode *node = is_folder                        ? block_folder_open(options, &reason)
                      : block_names_nbd(options->path) ? block_nbd_open(options, &reason)
                      : options->inactive              ? open_inactive(options, &reason)
                                                       : open_image(NULL, options, &reason);
    if (node != NULL && options->snapshot && !is_folder) {
        node = block_overlay_create(node);
        node->read_only = options->read_only;
    }
    if (node == NULL)
        error_set(error, "%s: %s", options->path, reason.message);
    return node;
}

/* The chain of images that lead to a backing file ends, and none is its own. */
static bool check_chain(const BlockNode *above, const char *path, Error *error) {
    struct stat wanted, there;
    unsigned depth = 0;
    if (stat(path, &wanted) != 0)
        return error_set(error, "cannot be opened: %s", strerror(errno));
    for (; above != NULL; above = above->above) {
        if (fstat(above->file, &there) == 0 && there.st_dev == wanted.st_dev &&
            there.st_ino == wanted.st_ino)
            return error_set(error, "lies over itself");
        if (++depth == BACKING_DEPTH_MAXIMUM)
            return error_set(error, "is at the end of too many backing files");
    }
    return true;
}

BlockNode *block_open_backing(const BlockNode *above, const BlockOptions *options, Error *error) {
    Error reason = {0};
    BlockNode *node = NULL;
    if (check_chain(above, options->path, &reason))
        node = open_image(above, options, &reason);
    if (node == NULL && strncmp(reason.message, BACKING_WORDS, strlen(BACKING_WORDS)) == 0)
        error_set(error, "%s", reason.message); /* one further down is the culprit */
    else if (node == NULL)
        error_set(error, BACKING_WORDS "%.200s: %.200s", options->path, reason.message);
    return node;
}

BlockNode *block_open_part(const BlockNode *above, const BlockOptions *options, Error *error) {
    Error reason = {0};
    BlockNode *node = NULL;
    if (check_chain(above, options->path, &reason))
        node = open_image(above, options, &reason);
    if (node == NULL)
        error_set(error, "its part %.200s: %.200s", options->path, reason.message);
    return node;
}

BlockNode *block_hold(BlockNode *node) {
    if (node != NULL)
        __atomic_add_fetch(&node->holders, 1, __ATOMIC_RELAXED);
    return node;
}

void block_close(BlockNode *node) {
    if (node == NULL || __atomic_sub_fetch(&node->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    block_history_free(node);
    while (node->guards != NULL) {
        BlockGuard *guard = node->guards;
        node->guards = guard->next;
        guard->closing(guard->opaque);
    }
    if (node->driver != NULL && node->driver->close != NULL)
        node->driver->close(node);
    if (node->file >= 0)
        close(node->file);
    block_close(node->attached);
    block_close(node->below);
    free(node->path);
    free(node->name);
    free(node);
}

/* ---- From process to process ---- */

static void swap_image(BlockNode *node, BlockNode *other) {
    BlockNode old = *node;
    node->driver = other->driver;
    node->file = other->file;
    node->driver_state = other->driver_state;
    node->read_only = other->read_only;
    other->driver = old.driver;
    other->file = old.file;
    other->driver_state = old.driver_state;
}

/* Opens the image a second time, and goes on with that under the same node. */
static bool reopen(BlockNode *node, bool inactive, Error *error) {
    BlockOptions options = {.path = node->path,
                            .format = node->driver->name,
                            .no_backing = node->attached != NULL,
                            .auto_read_only = node->auto_read_only,
                            .any_content = true};
    if (inactive)
        options = inactive_options(&options);
    BlockNode *anew = open_image(NULL, &options, error);
    bool good = anew != NULL;
    if (good && anew->length != node->length)
        good = error_set(error, "has another size than before: %llu bytes, not %llu",
                         (unsigned long long)anew->length, (unsigned long long)node->length);
    if (good && node->attached != NULL)
        anew->driver->attach_backing(anew, block_hold(node->attached));
    if (good) {
        swap_image(node, anew);
        node->inactive = inactive;
    }
    block_close(anew);
    return good || error_prefix(error, "%s: ", node->path);
}

BlockNode *block_backing(const BlockNode *node) {
    return node->driver->backing != NULL ? node->driver->backing(node) : NULL;
}

bool block_detach_backing(BlockNode *node, Error *error) {
    if (node->driver->attach_backing == NULL)
        return error_set(error, "images of the format %s do not lie over others",
                         node->driver->name);
    node->driver->attach_backing(node, NULL);
    block_close(node->attached);
    node->attached = NULL;
    return true;
}

static bool is_image(const BlockNode *node) {
    for (size_t i = 0; i < DRIVER_COUNT; i++)
        if (drivers[i] == node->driver)
            return true;
    return false;
}

/* Its own lock against writers is in the way: it is opened without one in between. */
bool block_make_writable(BlockNode *node, Error *error) {
    if (!node->read_only || !is_image(node))
        return !node->read_only || error_set(error, "%s: cannot be written", node->path);
    if (host_file_is_writable(node->file)) {
        node->read_only = false;
        return true;
    }
    bool good = reopen(node, true, error) && reopen(node, false, error);
    node->inactive = false;
    return good;
}

bool block_deactivate(BlockNode *node, Error *error) {
    if (node->inactive || !is_image(node) || !block_writes_image(node))
        return true;
    return block_flush(node, error) && reopen(node, true, error);
}

bool block_activate(BlockNode *node, Error *error) {
    return !node->inactive || reopen(node, false, error);
}

/* The node that holds the file puts the path before a message, once. */
static bool name_culprit(const BlockNode *node, Error *error) {
    return node->below != NULL ? false : error_prefix(error, "%s: ", node->path);
}

/* Clones on several threads read one node: what is counted then may be a little less. */
static void count(uint64_t *counter, uint64_t amount) {
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + amount,
                     __ATOMIC_RELAXED);
}

const BlockCounters *block_counters(const BlockNode *node) {
    return &node->counters;
}

bool block_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    size_t inside = 0;
    if (offset < node->length)
        inside = size < node->length - offset ? size : (size_t)(node->length - offset);
    if (inside < size)
        memset((uint8_t *)data + inside, 0, size - inside);
    if (inside == 0)
        return true;
    bool good = node->driver->read(node, offset, data, inside, error);
    count(&node->counters.reads, 1);
    count(good ? &node->counters.read_bytes : &node->counters.failed_reads, good ? inside : 1);
    return good || name_culprit(node, error);
}

bool block_write(BlockNode *node, uint64_t offset, const void *data, size_t size, Error *error) {
    if (node->read_only)
        return error_set(error, "%s: is write-protected", node->path);
    if (size == 0)
        return true;
    if (size > INT64_MAX || offset > INT64_MAX - size)
        return error_set(error, "%s: write past the largest file size", node->path);
    bool good = block_history_keep(node, offset, size, error) &&
                block_write_present(node, offset, data, size, error);
    count(&node->counters.writes, 1);
    count(good ? &node->counters.write_bytes : &node->counters.failed_writes, good ? size : 1);
    if (good && offset + size > node->counters.highest_write)
        node->counters.highest_write = offset + size;
    return good;
}

bool block_attach_backing(BlockNode *node, BlockNode *backing, Error *error) {
    if (node->driver->attach_backing == NULL)
        return error_set(error, "images of the format %s do not lie over others",
                         node->driver->name);
    for (const BlockNode *below = backing; below != NULL; below = below->below)
        if (below == node)
            return error_set(error, "%s: lies over itself", node->path);
    backing->read_only = true;
    node->driver->attach_backing(node, block_hold(backing));
    block_close(node->attached);
    node->attached = block_hold(backing);
    return true;
}

void block_add_guard(BlockNode *node, BlockGuard *guard) {
    guard->next = node->guards;
    node->guards = guard;
}

void block_remove_guard(BlockNode *node, BlockGuard *guard) {
    BlockGuard **place = &node->guards;
    while (*place != NULL && *place != guard)
        place = &(*place)->next;
    if (*place != NULL)
        *place = guard->next;
}

static bool ask_guards(BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    for (BlockGuard *guard = node->guards; guard != NULL; guard = guard->next)
        if (!guard->before_write(guard->opaque, offset, size, error))
            return false;
    return true;
}

bool block_write_present(BlockNode *node, uint64_t offset, const void *data, size_t size,
                         Error *error) {
    if (!ask_guards(node, offset, size, error))
        return false;
    if (!check_stays_raw(node, offset, data, size, error) ||
        !node->driver->write(node, offset, data, size, error))
        return name_culprit(node, error);
    if (offset + size > node->length)
        node->length = offset + size;
    return true;
}

static bool write_zero_bytes(BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    static const uint8_t zeros[65536];
    while (size > 0) {
        size_t part = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);
        if (!block_write(node, offset, zeros, part, error))
            return false;
        offset += part;
        size -= part;
    }
    return true;
}

static bool check_range(const BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    if (node->read_only)
        return error_set(error, "%s: is write-protected", node->path);
    return (offset <= node->length && size <= node->length - offset) ||
           error_set(error, "%s: ends before byte %llu", node->path,
                     (unsigned long long)(offset + size));
}

/* A history keeps what was there piece by piece, so that its units fit into memory. */
static bool keep_range(BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    for (uint64_t done = 0; node->history != NULL && done < size; done += 1u << 20) {
        uint64_t part = size - done < 1u << 20 ? size - done : 1u << 20;
        if (!block_history_keep(node, offset + done, (size_t)part, error))
            return false;
    }
    return ask_guards(node, offset, size, error);
}

bool block_write_zeros(BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    if (!check_range(node, offset, size, error))
        return false;
    /* The first bytes of a guessed raw image decide what it is: those are looked at. */
    if (size == 0 || node->driver->discard == NULL || node->guessed)
        return write_zero_bytes(node, offset, size, error);
    return keep_range(node, offset, size, error) &&
           (node->driver->discard(node, offset, size, true, error) || name_culprit(node, error));
}

bool block_discard(BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    if (!check_range(node, offset, size, error))
        return false;
    if (size == 0 || node->driver->discard == NULL)
        return true;
    return keep_range(node, offset, size, error) &&
           (node->driver->discard(node, offset, size, false, error) || name_culprit(node, error));
}

bool block_set_length(BlockNode *node, uint64_t length, Error *error) {
    if (length == node->length)
        return true;
    if (length < node->length && !ask_guards(node, length, node->length - length, error))
        return false;
    if (node->driver->resize != NULL && !node->driver->resize(node, length, error))
        return name_culprit(node, error);
    node->length = length;
    return true;
}

bool block_flush(BlockNode *node, Error *error) {
    count(&node->counters.flushes, 1);
    for (BlockGuard *guard = node->guards; guard != NULL; guard = guard->next)
        if (!guard->before_flush(guard->opaque, error))
            return false;
    return node->read_only || node->driver->flush(node, error) || name_culprit(node, error);
}

uint64_t block_length(const BlockNode *node) {
    return node->length;
}

bool block_is_read_only(const BlockNode *node) {
    return node->read_only && !node->inactive;
}

bool block_writes_image(const BlockNode *node) {
    return node->below == NULL && !node->read_only;
}

bool block_is_overlay(const BlockNode *node) {
    return node->below != NULL;
}

BlockNode *block_below(const BlockNode *node) {
    return node->below;
}

bool block_image_status(const BlockNode *node, uint64_t *bytes, int64_t *changed_ns, Error *error) {
    while (node->below != NULL)
        node = node->below;
    struct stat status;
    if (fstat(node->file, &status) != 0)
        return error_set(error, "%s: cannot be looked at: %s", node->path, strerror(errno));
    *bytes = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : node->length;
    *changed_ns = host_file_changed_ns(&status);
    return true;
}

const char *block_node_name(const BlockNode *node) {
    return node->name;
}

const char *block_path(const BlockNode *node) {
    return node->path;
}

const char *block_format(const BlockNode *node) {
    while (node->below != NULL)
        node = node->below;
    return node->driver->name;
}

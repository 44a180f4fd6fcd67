#include "block_job.h"
#include "allocate.h"
#include "block_image.h"
#include "disk_logs.h"
#include "machine_parts.h"

#include <stdlib.h>
#include <string.h>

#define UNIT 65536u
#define UNITS_A_STEP 16u

struct BlockJob {
    Machine *machine;
    BlockJobOptions options; /* its nodes are held */
    BlockGuard guard;
    bool guarded, target_was_read_only, succeeded;
    uint8_t *listed; /* for each unit: to be copied */
    uint64_t length, units, waiting;
    uint64_t at;   /* where the round has come */
    uint64_t done; /* atomic: bytes */
    uint64_t left; /* atomic: bytes */
    Error failure; /* of a copy before a write, which must not fail the guest */
    uint8_t buffer[UNIT];
};

static size_t unit_bytes(const BlockJob *job, uint64_t unit) {
    uint64_t left = job->length - unit * UNIT;
    return left < UNIT ? (size_t)left : UNIT;
}

static void publish(BlockJob *job) {
    __atomic_store_n(&job->left, job->waiting * UNIT, __ATOMIC_RELAXED);
}

static void list(BlockJob *job, uint64_t unit) {
    job->waiting += job->listed[unit] == 0;
    job->listed[unit] = 1;
}

/* ---- Copying ---- */

static bool is_zero(const uint8_t *bytes, size_t size) {
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Where there are zeros already none are written: the image stays small. */
static bool write_zeros(BlockJob *job, uint64_t offset, size_t size, Error *error) {
    BlockExtent extent;
    if (!block_map(job->options.target, offset, size, &extent, error))
        return false;
    return ((!extent.present || extent.zero) && extent.depth == 0 && extent.length >= size) ||
           block_write_zeros(job->options.target, offset, size, error);
}

static bool copy_unit(BlockJob *job, uint64_t unit, Error *error) {
    uint64_t offset = unit * UNIT;
    size_t size = unit_bytes(job, unit);
    BlockNode *target = job->options.target;
    if (!block_read(job->options.source, offset, job->buffer, size, error))
        return false;
    job->listed[unit] = 0;
    job->waiting--;
    bool good = target != NULL && is_zero(job->buffer, size)
                    ? write_zeros(job, offset, size, error)
                    : block_write(target != NULL ? target : job->options.source, offset,
                                  job->buffer, size, error);
    __atomic_add_fetch(&job->done, UNIT, __ATOMIC_RELAXED);
    publish(job);
    if (!good)
        list(job, unit);
    return good;
}

static bool guard_write(void *opaque, uint64_t offset, uint64_t size, Error *error) {
    BlockJob *job = opaque;
    (void)error;
    uint64_t end =
        offset > job->length || size > job->length - offset ? job->length : offset + size;
    for (uint64_t unit = offset / UNIT; unit * UNIT < end; unit++) {
        if (job->options.kind != BLOCK_JOB_BACKUP)
            list(job, unit);
        else if (job->listed[unit] && !job->failure.set)
            copy_unit(job, unit, &job->failure);
    }
    publish(job);
    return true;
}

static bool guard_flush(void *opaque, Error *error) {
    (void)opaque, (void)error;
    return true;
}

static void guard_closing(void *opaque) {
    BlockJob *job = opaque;
    job->guarded = false;
}

/* ---- What there is to copy ---- */

/* How many images lie between the two; 0: 'below' is not behind 'top'. */
static unsigned find_depth(const BlockNode *top, const BlockNode *below) {
    unsigned depth = 1;
    for (const BlockNode *at = block_backing(top); at != NULL; at = block_backing(at), depth++)
        if (at == below)
            return depth;
    return 0;
}

/* Any byte of the unit comes from the images from 'least' on and before 'most' of the chain. */
static bool comes_from(BlockJob *job, uint64_t unit, unsigned least, unsigned most, bool *result,
                       Error *error) {
    size_t size = unit_bytes(job, unit);
    *result = false;
    for (uint64_t done = 0; done < size && !*result;) {
        BlockExtent extent;
        if (!block_map(job->options.source, unit * UNIT + done, size - done, &extent, error))
            return false;
        *result = extent.present && extent.depth >= least && extent.depth < most;
        done += extent.length;
    }
    return true;
}

static bool list_all(BlockJob *job, Error *error) {
    const BlockJobOptions *options = &job->options;
    unsigned least = 0, most = UINT32_MAX;
    bool chosen = options->only_top;
    if (chosen)
        most = 1;
    if (options->kind == BLOCK_JOB_COMMIT)
        most = find_depth(options->source, options->target);
    if (options->kind == BLOCK_JOB_STREAM) {
        least = 1;
        most = options->base != NULL ? find_depth(options->source, options->base) : UINT32_MAX;
    }
    chosen = chosen || options->kind == BLOCK_JOB_COMMIT || options->kind == BLOCK_JOB_STREAM;
    if (most == 0)
        return error_set(error, "'%s' is not behind '%s'",
                         block_path(options->base != NULL ? options->base : options->target),
                         block_path(options->source));
    for (uint64_t unit = 0; unit < job->units && !options->no_copy; unit++) {
        bool wanted = true;
        if (chosen && !comes_from(job, unit, least, most, &wanted, error))
            return false;
        if (options->bitmap != NULL)
            wanted = dirty_bitmap_had(options->bitmap, unit * UNIT, unit_bytes(job, unit));
        if (wanted)
            list(job, unit);
    }
    return true;
}

static bool prepare_target(BlockJob *job, Error *error) {
    BlockNode *target = job->options.target;
    if (target == NULL)
        return !block_is_read_only(job->options.source) ||
               error_set(error, "%s: is write-protected", block_path(job->options.source));
    job->target_was_read_only = block_is_read_only(target);
    if (job->options.kind == BLOCK_JOB_COMMIT && !block_make_writable(target, error))
        return false;
    if (block_is_read_only(target))
        return error_set(error, "%s: is write-protected", block_path(target));
    if (block_length(target) < job->length)
        return block_set_length(target, job->length, error);
    return block_length(target) == job->length || job->options.kind == BLOCK_JOB_COMMIT ||
           error_set(error, "%s: holds %llu bytes, and %s %llu", block_path(target),
                     (unsigned long long)block_length(target), block_path(job->options.source),
                     (unsigned long long)job->length);
}

BlockJob *block_job_begin(Machine *machine, const BlockJobOptions *options, Error *error) {
    BlockJob *job = allocate_zeroed(sizeof(*job));
    job->machine = machine;
    job->options = *options;
    job->length = block_length(options->source);
    job->units = (job->length + UNIT - 1) / UNIT;
    job->listed = allocate_zeroed(job->units + 1);
    block_hold(options->source);
    block_hold(options->target);
    block_hold(options->base);
    block_hold(options->over);
    if (options->bitmap != NULL)
        dirty_bitmap_take(options->bitmap);
    if (options->target == options->source)
        error_set(error, "a disk is not copied to itself");
    if (error->set || !list_all(job, error) || !prepare_target(job, error)) {
        block_job_free(job);
        return NULL;
    }
    job->guard = (BlockGuard){guard_write, guard_flush, guard_closing, job, NULL};
    if (options->kind != BLOCK_JOB_STREAM && options->over == NULL) {
        block_add_guard(options->source, &job->guard);
        job->guarded = true;
    }
    publish(job);
    return job;
}

void block_job_free(BlockJob *job) {
    if (job == NULL)
        return;
    if (job->guarded)
        block_remove_guard(job->options.source, &job->guard);
    if (job->options.bitmap != NULL)
        dirty_bitmap_give_back(job->options.bitmap, !job->succeeded || job->options.keeps_marks);
    block_close(job->options.source);
    block_close(job->options.target);
    block_close(job->options.base);
    block_close(job->options.over);
    free(job->listed);
    free(job);
}

void block_job_progress(const BlockJob *job, uint64_t *done, uint64_t *total) {
    *done = __atomic_load_n(&job->done, __ATOMIC_RELAXED);
    *total = *done + __atomic_load_n(&job->left, __ATOMIC_RELAXED);
}

bool block_job_step(BlockJob *job, Error *error) {
    if (job->failure.set)
        return error_set(error, "%s", job->failure.message);
    for (unsigned copied = 0; copied < UNITS_A_STEP && job->waiting > 0;) {
        const uint8_t *next = memchr(job->listed + job->at, 1, job->units - job->at);
        if (next == NULL) {
            job->at = 0;
            continue;
        }
        job->at = (uint64_t)(next - job->listed);
        if (!copy_unit(job, job->at, error))
            return false;
        copied++;
    }
    return true;
}

/* ---- The end ---- */

bool block_job_settle(BlockJob *job, Error *error) {
    while (job->waiting > 0)
        if (!block_job_step(job, error))
            return false;
    BlockNode *target = job->options.target;
    return block_flush(target != NULL ? target : job->options.source, error);
}

/* The image behind becomes another one, in the file and here; NULL: none. */
static bool relink(BlockNode *node, BlockNode *behind, const char *name, Error *error) {
    const char *path = behind == NULL ? NULL : name != NULL ? name : block_path(behind);
    if (!block_set_backing(node, path, behind != NULL ? block_format(behind) : NULL, error))
        return false;
    return behind != NULL ? block_attach_backing(node, behind, error)
                          : block_detach_backing(node, error);
}

static bool take_place(BlockJob *job, unsigned drive, const char *name, Error *error) {
    Board *board = &job->machine->board;
    if (drive >= BOARD_DRIVES)
        return true;
    if (!disk_logs_watch(job->machine, job->options.target, error))
        return false;
    board_cover_medium(board, &board->drive[drive], job->options.target, name);
    return true;
}

bool block_job_complete(BlockJob *job, unsigned drive, const char *name, Error *error) {
    const BlockJobOptions *options = &job->options;
    if (!block_job_settle(job, error))
        return false;
    job->succeeded = true;
    if (options->kind == BLOCK_JOB_STREAM)
        return relink(options->source, options->base, options->base_name, error);
    if (options->kind == BLOCK_JOB_COMMIT && options->over != NULL)
        return relink(options->over, options->target, options->base_name, error);
    return options->kind == BLOCK_JOB_BACKUP || take_place(job, drive, name, error);
}

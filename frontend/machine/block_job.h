/* Copying disks while the guest uses them: backups, mirrors, and images of a chain that become one.
 *
 * A job copies unit by unit, some at each step, and a guard on the source tells it what the guest
 * is about to change: a backup saves the old contents first, the others copy the unit again. All on
 * the machine's thread, but for the progress. */
#ifndef REPRISE_BLOCK_JOB_H
#define REPRISE_BLOCK_JOB_H

#include "block.h"
#include "dirty_bitmap.h"
#include "machine.h"

typedef struct BlockJob BlockJob;

typedef enum BlockJobKind {
    BLOCK_JOB_BACKUP, /* the target gets what the source holds now */
    BLOCK_JOB_MIRROR, /* the target follows the source, until it takes its place */
    BLOCK_JOB_COMMIT, /* what the source's chain has above 'target', one of it, goes there, until
                         that takes the source's place, or 'over' lies on it */
    BLOCK_JOB_STREAM, /* what comes from behind the source, down to 'base', comes into it */
} BlockJobKind;

typedef struct BlockJobOptions {
    BlockJobKind kind;
    BlockNode *source, *target; /* target NULL for BLOCK_JOB_STREAM */
    BlockNode *base;            /* BLOCK_JOB_STREAM: stays behind; NULL: nothing does */
    BlockNode *over;            /* BLOCK_JOB_COMMIT: lies on the source; NULL: the drive does */
    const char *base_name;      /* as it is to stand in an image; NULL: the path */
    bool only_top;              /* BACKUP, MIRROR: no more than the source's own image has */
    bool no_copy;               /* MIRROR: only what is written from now on */
    DirtyBitmap *bitmap; /* BACKUP: no more than it has marked, which is taken away; NULL: all */
    bool keeps_marks;    /* they come back even if all went well */
} BlockJobOptions;

BlockJob *block_job_begin(Machine *machine, const BlockJobOptions *options, Error *error);
/* Copies some of what is listed; what is left is in the progress. */
bool block_job_step(BlockJob *job, Error *error);
/* Copies the rest, and does what remains to be done; 'drive' (or NULL) gets the target, by that
 * name. */
bool block_job_complete(BlockJob *job, unsigned drive, const char *name, Error *error);
/* The target holds what the source does now; nothing is changed. */
bool block_job_settle(BlockJob *job, Error *error);
void block_job_free(BlockJob *job);

/* So many bytes were copied, of so many as are known to have to be. Any thread. */
void block_job_progress(const BlockJob *job, uint64_t *done, uint64_t *total);
/* It is to become no drive's medium. */
#define BLOCK_JOB_NO_DRIVE UINT32_MAX

#endif

/* A job that copies a disk: its thread, and what main thread and that tell each other. */
#ifndef REPRISE_QMP_BLOCK_JOB_H
#define REPRISE_QMP_BLOCK_JOB_H

#include "block_job.h"
#include "qmp_server.h"

/* What the thread is asked for, and what it tells. */
typedef struct QmpBlockJob {
    QmpServer *server;
    BlockJob *work;
    char device[80]; /* what clients know the disk by */
    char source[64]; /* the node of the drive */
    char target[64]; /* the node that takes its place; "": one without a name */
    char base[64];   /* STREAM: the node that stays behind; "": none */
    BlockJobKind kind;
    unsigned drive;      /* whose disk it is */
    bool becomes_ready;  /* and then waits to be completed */
    bool removes_target; /* the target's node was made for the job */
    pthread_t thread;
    Error error; /* the thread's, until it has ended */
    bool good;   /* of the last step */
    /* Atomic: */
    int64_t speed; /* bytes a second; 0: any */
    bool paused, complete, cancelled, force;
    bool is_ready, has_ended;
    bool took_place, was_cancelled; /* once it has ended */
    uint64_t done, total;           /* then */
} QmpBlockJob;

bool qmp_block_job_start(QmpBlockJob *job, Error *error);
/* Waits for its thread, and frees what it has. */
void qmp_block_job_end(QmpBlockJob *job);

static inline bool qmp_block_job_flag(const bool *flag) {
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

#endif

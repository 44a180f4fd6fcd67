/* The thread of a job asks the machine's for one step after another, so that the guest waits no
 * longer than for one. */
#include "host_clock.h"
#include "qmp_block_job.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 10000000 /* how often it looks what it is asked for */

static bool is_set(const bool *flag) {
    return qmp_block_job_flag(flag);
}

static void sleep_a_little(void) {
    host_clock_sleep_ns(LOOK_NS);
}

static void step(void *opaque) {
    QmpBlockJob *job = opaque;
    job->good = block_job_step(job->work, &job->error);
}

static void finish(void *opaque) {
    QmpBlockJob *job = opaque;
    bool completes = !job->becomes_ready || is_set(&job->complete);
    unsigned drive = job->becomes_ready && completes ? job->drive : BLOCK_JOB_NO_DRIVE;
    job->good = completes ? block_job_complete(job->work, drive, job->target, &job->error)
                          : block_job_settle(job->work, &job->error);
    job->took_place = job->good && drive != BLOCK_JOB_NO_DRIVE;
}

static uint64_t done_bytes(const QmpBlockJob *job, uint64_t *left) {
    uint64_t done, total;
    block_job_progress(job->work, &done, &total);
    *left = total - done;
    return done;
}

/* What was copied takes as long as the client's speed says. */
static void keep_to_speed(QmpBlockJob *job, uint64_t bytes) {
    int64_t waited_ns = 0;
    for (;;) {
        int64_t speed = __atomic_load_n(&job->speed, __ATOMIC_RELAXED);
        if (speed <= 0 || is_set(&job->cancelled) ||
            (double)waited_ns * (double)speed >= (double)bytes * 1e9)
            return;
        sleep_a_little();
        waited_ns += LOOK_NS;
    }
}

/* A job that is ready ends when it is told to; a user may end it before by force. */
static bool may_finish(QmpBlockJob *job, uint64_t left) {
    if (left > 0)
        return false;
    if (!job->becomes_ready)
        return true;
    __atomic_store_n(&job->is_ready, true, __ATOMIC_RELEASE);
    event_loop_wake(&job->server->program->loop);
    return is_set(&job->complete) || is_set(&job->cancelled);
}

static bool is_given_up(const QmpBlockJob *job) {
    return is_set(&job->cancelled) && (is_set(&job->force) || !is_set(&job->is_ready));
}

static void copy(QmpBlockJob *job) {
    Machine *machine = job->server->program->machine;
    while (!is_given_up(job)) {
        uint64_t left, done = done_bytes(job, &left);
        if (is_set(&job->paused)) {
            sleep_a_little();
        } else if (may_finish(job, left)) {
            machine_call(machine, finish, job);
            return;
        } else if (left == 0) {
            sleep_a_little();
        } else {
            machine_call(machine, step, job);
            if (!job->good)
                return;
            keep_to_speed(job, done_bytes(job, &left) - done);
        }
    }
    job->was_cancelled = true;
}

static void free_work(void *opaque) {
    block_job_free(opaque);
}

static void *run(void *opaque) {
    QmpBlockJob *job = opaque;
    copy(job);
    __atomic_store_n(&job->has_ended, true, __ATOMIC_RELEASE);
    event_loop_wake(&job->server->program->loop);
    return NULL;
}

bool qmp_block_job_start(QmpBlockJob *job, Error *error) {
    int failure = pthread_create(&job->thread, NULL, run, job);
    return failure == 0 || error_set(error, "no thread: %s", strerror(failure));
}

void qmp_block_job_end(QmpBlockJob *job) {
    pthread_join(job->thread, NULL);
    machine_call(job->server->program->machine, free_work, job->work);
    job->work = NULL;
}

/* Jobs: work that clients follow by its states. What is short goes through all of them within its
 * command; what copies disks has a thread (qmp_block_job_thread.c), and is looked at here after
 * each round of the event loop. A job waits as "concluded" until somebody has looked, unless it is
 * to go by itself. */
#include "qmp_block.h"
#include "qmp_block_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static QmpJob *find_job(QmpServer *server, const char *id) {
    for (int i = 0; i < QMP_JOBS; i++)
        if (server->job[i].id != NULL && strcmp(server->job[i].id, id) == 0)
            return &server->job[i];
    return NULL;
}

static void set_status(QmpServer *server, QmpJob *job, const char *status) {
    job->status = status;
    qmp_send_event(server, "JOB_STATUS_CHANGE", qmp_pack("status:s id:s", status, job->id));
}

static bool has_status(const QmpJob *job, const char *status) {
    return strcmp(job->status, status) == 0;
}

QmpJob *qmp_job_start(QmpCall *call, const char *id, const char *type) {
    if (find_job(call->server, id) != NULL) {
        qmp_fail(call, QMP_GENERIC_ERROR, "Job ID '%.100s' already in use", id);
        return NULL;
    }
    for (int i = 0; i < QMP_JOBS; i++) {
        QmpJob *job = &call->server->job[i];
        if (job->id != NULL)
            continue;
        *job = (QmpJob){.id = strdup(id), .type = type};
        set_status(call->server, job, "created");
        set_status(call->server, job, "running");
        return job;
    }
    qmp_fail(call, QMP_GENERIC_ERROR, "too many jobs");
    return NULL;
}

void qmp_job_finish(QmpCall *call, QmpJob *job, const Error *error) {
    job->error = *error;
    set_status(call->server, job, error->set ? "aborting" : "waiting");
    if (!error->set)
        set_status(call->server, job, "pending");
    set_status(call->server, job, "concluded");
}

static void dismiss(QmpServer *server, QmpJob *job) {
    set_status(server, job, "null");
    free(job->work);
    free(job->id);
    *job = (QmpJob){.id = NULL};
}

/* ---- Jobs with a thread ---- */

static json_object *describe(const QmpJob *job, bool with_error) {
    const QmpBlockJob *work = job->work;
    uint64_t done = work->done, total = work->total;
    if (work->work != NULL)
        block_job_progress(work->work, &done, &total);
    return qmp_pack("type:s device:s len:i offset:i speed:i error:s", job->type, work->device,
                    (int64_t)total, (int64_t)done, __atomic_load_n(&work->speed, __ATOMIC_RELAXED),
                    with_error && job->error.set ? job->error.message : NULL);
}

static void conclude(QmpServer *server, QmpJob *job) {
    bool cancelled = job->work->was_cancelled;
    qmp_send_event(server, cancelled ? "BLOCK_JOB_CANCELLED" : "BLOCK_JOB_COMPLETED",
                   describe(job, !cancelled));
    set_status(server, job, "concluded");
    if (job->auto_dismiss)
        dismiss(server, job);
}

typedef struct Removal {
    QmpServer *server;
    const QmpBlockJob *job;
} Removal;

/* What the graph tells of the nodes after the job. */
static void settle_graph(void *opaque) {
    Removal *removal = opaque;
    const QmpBlockJob *job = removal->job;
    QmpNode *target = qmp_graph_find(removal->server, job->target);
    QmpNode *source = qmp_graph_find(removal->server, job->source);
    if (target != NULL && job->took_place)
        target->read_only = false;
    else if (target != NULL && job->removes_target)
        qmp_graph_remove(target);
    if (source != NULL && job->kind == BLOCK_JOB_STREAM && !job->error.set && !job->was_cancelled)
        snprintf(source->backing, sizeof(source->backing), "%s", job->base);
}

static void end_work(QmpServer *server, QmpJob *job) {
    QmpBlockJob *work = job->work;
    Removal removal = {server, work};
    block_job_progress(work->work, &work->done, &work->total);
    qmp_block_job_end(work);
    machine_call(server->program->machine, settle_graph, &removal);
    job->error = work->error;
    if (job->error.set || work->was_cancelled) {
        set_status(server, job, "aborting");
        conclude(server, job);
        return;
    }
    set_status(server, job, "waiting");
    set_status(server, job, "pending");
    if (job->auto_finalize)
        conclude(server, job);
}

void qmp_jobs_serve(QmpServer *server) {
    for (int i = 0; i < QMP_JOBS; i++) {
        QmpJob *job = &server->job[i];
        if (job->id == NULL || job->work == NULL || job->work->work == NULL)
            continue;
        if (has_status(job, "running") && qmp_block_job_flag(&job->work->is_ready)) {
            set_status(server, job, "ready");
            qmp_send_event(server, "BLOCK_JOB_READY", describe(job, false));
        }
        if (qmp_block_job_flag(&job->work->has_ended))
            end_work(server, job);
    }
}

void qmp_jobs_free(QmpServer *server) {
    for (int i = 0; i < QMP_JOBS; i++) {
        QmpJob *job = &server->job[i];
        if (job->work != NULL && job->work->work != NULL) {
            __atomic_store_n(&job->work->force, true, __ATOMIC_RELEASE);
            __atomic_store_n(&job->work->cancelled, true, __ATOMIC_RELEASE);
            qmp_block_job_end(job->work);
        }
        free(job->work);
        free(job->id);
    }
}

/* ---- Commands ---- */

static QmpJob *named_job(QmpCall *call, const char *argument) {
    QmpJob *job = find_job(call->server, qmp_get_string(call, argument));
    bool is_block = strcmp(argument, "device") == 0;
    if (job == NULL || (is_block && job->work == NULL)) {
        if (is_block)
            qmp_fail(call, "DeviceNotActive", "Block job '%.100s' not found",
                     qmp_get_string(call, argument));
        else
            qmp_fail(call, QMP_GENERIC_ERROR, "Job not found");
        return NULL;
    }
    return job;
}

static QmpJob *working_job(QmpCall *call, const char *argument, const char *what) {
    QmpJob *job = named_job(call, argument);
    if (job == NULL)
        return NULL;
    if (job->work != NULL && job->work->work != NULL && !qmp_block_job_flag(&job->work->has_ended))
        return job;
    qmp_fail(call, QMP_GENERIC_ERROR, "Job '%.60s' in state '%s' cannot accept command verb '%s'",
             job->id, job->status, what);
    return NULL;
}

static bool raise_flag(bool *flag, bool value) {
    __atomic_store_n(flag, value, __ATOMIC_RELEASE);
    return true;
}

static bool cancel(QmpCall *call, const char *argument, bool force) {
    QmpJob *job = working_job(call, argument, "cancel");
    return job != NULL && raise_flag(&job->work->force, force) &&
           raise_flag(&job->work->cancelled, true);
}

static bool pause_job(QmpCall *call, const char *argument) {
    QmpJob *job = working_job(call, argument, "pause");
    if (job != NULL && qmp_block_job_flag(&job->work->paused))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Job is already paused");
    return job != NULL && raise_flag(&job->work->paused, true);
}

static bool resume(QmpCall *call, const char *argument) {
    QmpJob *job = working_job(call, argument, "resume");
    if (job != NULL && !qmp_block_job_flag(&job->work->paused))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Can't resume a job that was not paused");
    return job != NULL && raise_flag(&job->work->paused, false);
}

static bool complete(QmpCall *call, const char *argument) {
    QmpJob *job = working_job(call, argument, "complete");
    if (job != NULL && !qmp_block_job_flag(&job->work->is_ready))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Job '%.60s' in state '%s' cannot accept command verb 'complete'", job->id,
                        job->status);
    return job != NULL && raise_flag(&job->work->complete, true);
}

static bool finalize(QmpCall *call) {
    QmpJob *job = named_job(call, "id");
    if (job != NULL && !has_status(job, "pending"))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Job '%.60s' in state '%s' cannot accept command verb 'finalize'", job->id,
                        job->status);
    if (job != NULL)
        conclude(call->server, job);
    return job != NULL;
}

bool qmp_job_dismiss(QmpCall *call) {
    QmpJob *job = named_job(call, "id");
    if (job != NULL && !has_status(job, "concluded"))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Job '%.60s' in state '%s' cannot accept command verb 'dismiss'", job->id,
                        job->status);
    if (job != NULL)
        dismiss(call->server, job);
    return job != NULL;
}

bool qmp_job_cancel(QmpCall *call) {
    return cancel(call, "id", true);
}

bool qmp_block_job_cancel(QmpCall *call) {
    return cancel(call, "device", qmp_get_bool(call, "force", false));
}

bool qmp_job_pause(QmpCall *call) {
    return pause_job(call, "id");
}

bool qmp_block_job_pause(QmpCall *call) {
    return pause_job(call, "device");
}

bool qmp_job_resume(QmpCall *call) {
    return resume(call, "id");
}

bool qmp_block_job_resume(QmpCall *call) {
    return resume(call, "device");
}

bool qmp_job_complete(QmpCall *call) {
    return complete(call, "id");
}

bool qmp_block_job_complete(QmpCall *call) {
    return complete(call, "device");
}

bool qmp_job_finalize(QmpCall *call) {
    return finalize(call);
}

bool qmp_block_job_finalize(QmpCall *call) {
    return finalize(call);
}

bool qmp_block_job_dismiss(QmpCall *call) {
    return qmp_job_dismiss(call);
}

bool qmp_block_job_set_speed(QmpCall *call) {
    QmpJob *job = working_job(call, "device", "set-speed");
    int64_t speed = qmp_get_int(call, "speed", 0);
    if (job != NULL && speed < 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'speed' expects a number of bytes");
    if (job != NULL)
        __atomic_store_n(&job->work->speed, speed, __ATOMIC_RELAXED);
    return job != NULL;
}

/* ---- Looking ---- */

static const char *shown_status(const QmpJob *job) {
    bool paused = job->work != NULL && job->work->work != NULL &&
                  qmp_block_job_flag(&job->work->paused) && has_status(job, "running");
    return paused ? "paused" : job->status;
}

bool qmp_query_jobs(QmpCall *call) {
    call->result = json_object_new_array();
    for (int i = 0; i < QMP_JOBS; i++) {
        const QmpJob *job = &call->server->job[i];
        uint64_t done = 1, total = 1;
        if (job->id == NULL)
            continue;
        if (job->work != NULL) {
            done = job->work->done;
            total = job->work->total;
        }
        if (job->work != NULL && job->work->work != NULL)
            block_job_progress(job->work->work, &done, &total);
        json_object_array_add(
            call->result,
            qmp_pack("id:s type:s status:s current-progress:i total-progress:i error:s", job->id,
                     job->type, shown_status(job), (int64_t)done, (int64_t)total,
                     job->error.set ? job->error.message : NULL));
    }
    return true;
}

static void add_block_job(QmpCall *call, const QmpJob *job) {
    json_object *one = describe(job, true);
    bool is_paused = qmp_block_job_flag(&job->work->paused);
    json_object_object_add(one, "busy", json_object_new_boolean(has_status(job, "running")));
    json_object_object_add(one, "paused", json_object_new_boolean(is_paused));
    json_object_object_add(one, "io-status", json_object_new_string("ok"));
    json_object_object_add(one, "ready", json_object_new_boolean(has_status(job, "ready")));
    json_object_object_add(one, "status", json_object_new_string(shown_status(job)));
    json_object_object_add(one, "auto-finalize", json_object_new_boolean(job->auto_finalize));
    json_object_object_add(one, "auto-dismiss", json_object_new_boolean(job->auto_dismiss));
    json_object_array_add(call->result, one);
}

bool qmp_query_block_jobs(QmpCall *call) {
    call->result = json_object_new_array();
    for (int i = 0; i < QMP_JOBS; i++)
        if (call->server->job[i].id != NULL && call->server->job[i].work != NULL)
            add_block_job(call, &call->server->job[i]);
    return true;
}

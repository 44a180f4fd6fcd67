/* Jobs: work that clients follow by its states. What there is of it is short, so a job goes through
 * all of them within its command, and waits as "concluded" until somebody has looked. */
#include "qmp_block.h"

#include <stdlib.h>
#include <string.h>

static QmpJob *find_job(QmpServer *server, const char *id) {
    for (int i = 0; i < QMP_JOBS; i++)
        if (server->job[i].id != NULL && strcmp(server->job[i].id, id) == 0)
            return &server->job[i];
    return NULL;
}

static void set_status(QmpCall *call, QmpJob *job, const char *status) {
    job->status = status;
    qmp_send_event(call->server, "JOB_STATUS_CHANGE", qmp_pack("status:s id:s", status, job->id));
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
        set_status(call, job, "created");
        set_status(call, job, "running");
        return job;
    }
    qmp_fail(call, QMP_GENERIC_ERROR, "too many jobs");
    return NULL;
}

void qmp_job_finish(QmpCall *call, QmpJob *job, const Error *error) {
    job->error = *error;
    set_status(call, job, error->set ? "aborting" : "waiting");
    if (!error->set)
        set_status(call, job, "pending");
    set_status(call, job, "concluded");
}

bool qmp_query_jobs(QmpCall *call) {
    call->result = json_object_new_array();
    for (int i = 0; i < QMP_JOBS; i++) {
        const QmpJob *job = &call->server->job[i];
        if (job->id != NULL)
            json_object_array_add(
                call->result,
                qmp_pack("id:s type:s status:s current-progress:i total-progress:i error:s",
                         job->id, job->type, job->status, (int64_t)1, (int64_t)1,
                         job->error.set ? job->error.message : NULL));
    }
    return true;
}

bool qmp_job_dismiss(QmpCall *call) {
    const char *id = qmp_get_string(call, "id");
    QmpJob *job = find_job(call->server, id);
    if (job == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Job not found");
    set_status(call, job, "null");
    free(job->id);
    *job = (QmpJob){.id = NULL};
    return true;
}

bool qmp_query_block_jobs(QmpCall *call) {
    call->result = json_object_new_array();
    return true;
}

/* Commands that begin a job that copies a disk while the guest runs. On the machine's thread. */
#include "disk_media.h"
#include "qmp_block.h"
#include "qmp_block_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a command asks for. */
typedef struct Request {
    BlockJobOptions options;
    BoardDrive *drive;
    char target[64], base[64];
    bool becomes_ready, removes_target;
} Request;

/* A disk is called by its node, its device or its -drive. */
static BoardDrive *find_named_drive(QmpCall *call, const char *name) {
    Board *board = &call->machine->board;
    for (int i = 0; i < BOARD_DRIVES; i++) {
        BoardDrive *drive = &board->drive[i];
        char device[80], node[80];
        if (!drive->present || drive->medium == NULL)
            continue;
        qmp_drive_device(board, drive, device, sizeof(device));
        qmp_drive_node_name(board, drive, node, sizeof(node));
        if (strcmp(name, node) == 0 || strcmp(name, device) == 0 || strcmp(name, drive->id) == 0 ||
            (*qmp_drive_backend(drive) != '\0' && strcmp(name, qmp_drive_backend(drive)) == 0))
            return drive;
    }
    return NULL;
}

BlockNode *qmp_find_node(QmpCall *call, const char *name) {
    BoardDrive *drive = find_named_drive(call, name);
    const QmpNode *node = drive == NULL ? qmp_graph_find(call->server, name) : NULL;
    BlockNode *found = drive != NULL ? drive->medium : node != NULL ? node->open : NULL;
    if (found == NULL)
        qmp_fail(call, QMP_GENERIC_ERROR, "Cannot find device='%.100s' nor node-name='%.100s'",
                 name, name);
    return found;
}

static BoardDrive *find_drive(QmpCall *call) {
    const char *name = qmp_get_string(call, "device");
    BoardDrive *drive = find_named_drive(call, name);
    if (drive != NULL)
        return drive;
    qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Cannot find device='%.100s' nor node-name='%.100s'", name,
             name);
    return NULL;
}

static QmpJob *find_job_of(QmpCall *call, const BoardDrive *drive) {
    for (int i = 0; i < QMP_JOBS; i++) {
        QmpJob *job = &call->server->job[i];
        if (job->id != NULL && job->work != NULL &&
            job->work->drive == (unsigned)(drive - call->machine->board.drive))
            return job;
    }
    return NULL;
}

static bool find_source(QmpCall *call, Request *request) {
    request->drive = find_drive(call);
    if (request->drive == NULL)
        return false;
    if (find_job_of(call, request->drive) != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Node '%.60s' is busy: block device is in use by "
                        "another job",
                        qmp_get_string(call, "device"));
    request->options.source = request->drive->medium;
    return true;
}

/* A node of the chain, by its name or its file; '*found' NULL where neither is given. */
static bool find_in_chain(QmpCall *call, const Request *request, const char *node_argument,
                          const char *file_argument, BlockNode **found, char name[64]) {
    const char *node_name = qmp_get_string(call, node_argument);
    const char *path = qmp_get_string(call, file_argument);
    const QmpNode *node = node_name != NULL ? qmp_graph_find(call->server, node_name) : NULL;
    *found = NULL;
    if (node_name == NULL && path == NULL)
        return true;
    if (node != NULL)
        path = node->path;
    for (BlockNode *at = request->options.source; at != NULL && path != NULL;
         at = block_backing(at))
        if ((node != NULL && node->open == at) || strcmp(block_path(at), path) == 0 ||
            disk_media_same_file(block_path(at), path))
            *found = at;
    if (*found == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "'%.200s' is not in the chain of '%.60s'",
                        node_name != NULL ? node_name : path, qmp_get_string(call, "device"));
    for (int i = 0; i < QMP_NODES; i++) {
        const QmpNode *one = &call->server->node[i];
        if (one->name[0] != '\0' && !one->is_file &&
            (one->open == *found || disk_media_same_file(one->path, block_path(*found))))
            snprintf(name, 64, "%s", one->name);
    }
    return true;
}

/* ---- Starting ---- */

static bool begin(QmpCall *call, Request *request, const char *type) {
    const char *id = qmp_get_string(call, "job-id");
    int64_t speed = qmp_get_int(call, "speed", 0);
    char device[80];
    if (speed < 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'speed' expects a number of bytes");
    qmp_drive_device(&call->machine->board, request->drive, device, sizeof(device));
    if (id == NULL)
        id =
            *qmp_drive_backend(request->drive) != '\0' ? qmp_drive_backend(request->drive) : device;
    BlockJob *work = block_job_begin(call->machine, &request->options, &call->error);
    QmpJob *job = work != NULL ? qmp_job_start(call, id, type) : NULL;
    if (job == NULL) {
        block_job_free(work);
        return false;
    }
    job->auto_dismiss = qmp_get_bool(call, "auto-dismiss", true);
    job->auto_finalize = qmp_get_bool(call, "auto-finalize", true);
    QmpBlockJob *block = job->work = calloc(1, sizeof(*block));
    if (block == NULL)
        abort();
    *block = (QmpBlockJob){.server = call->server,
                           .work = work,
                           .kind = request->options.kind,
                           .drive = (unsigned)(request->drive - call->machine->board.drive),
                           .becomes_ready = request->becomes_ready,
                           .removes_target = request->removes_target,
                           .speed = speed};
    snprintf(block->device, sizeof(block->device), "%s", id);
    snprintf(block->source, sizeof(block->source), "%s", request->drive->node_name);
    snprintf(block->target, sizeof(block->target), "%s", request->target);
    snprintf(block->base, sizeof(block->base), "%s", request->base);
    if (qmp_block_job_start(block, &call->error))
        return true;
    block_job_free(work);
    free(block);
    job->work = NULL;
    qmp_job_finish(call, job, &call->error);
    return false;
}

/* "incremental" is "bitmap" whose marks go once all is copied. */
static bool read_bitmap(QmpCall *call, Request *request, bool is_incremental) {
    const char *name = qmp_get_string(call, "bitmap"), *mode = qmp_get_string(call, "bitmap-mode");
    BlockJobOptions *options = &request->options;
    if (options->kind != BLOCK_JOB_BACKUP)
        return qmp_fail(call, QMP_GENERIC_ERROR, "a mirror copies full, top or none");
    if (name == NULL || (mode == NULL && !is_incremental))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Must provide a valid bitmap %s for '%s' sync mode",
                        name == NULL ? "name" : "mode", qmp_get_string(call, "sync"));
    if (is_incremental && mode != NULL && strcmp(mode, "on-success") != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Bitmap sync mode must be 'on-success' when using sync mode 'incremental'");
    options->bitmap = qmp_bitmap_find(call, qmp_get_string(call, "device"), name, true);
    options->keeps_marks = mode != NULL && strcmp(mode, "never") == 0;
    return options->bitmap != NULL;
}

static bool read_sync(QmpCall *call, Request *request) {
    const char *sync = qmp_get_string(call, "sync");
    bool is_incremental = strcmp(sync, "incremental") == 0;
    if (is_incremental || strcmp(sync, "bitmap") == 0)
        return read_bitmap(call, request, is_incremental);
    if (request->options.kind == BLOCK_JOB_BACKUP && qmp_get_string(call, "bitmap") != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "a bitmap goes with sync=bitmap or incremental");
    request->options.only_top = strcmp(sync, "top") == 0;
    request->options.no_copy = strcmp(sync, "none") == 0;
    return !request->options.no_copy || request->options.kind == BLOCK_JOB_MIRROR ||
           qmp_fail(call, QMP_GENERIC_ERROR, "a backup with sync=none is not available");
}

/* The target is a node that the client opened. */
static bool use_node(QmpCall *call, Request *request) {
    const char *name = qmp_get_string(call, "target");
    const QmpNode *node = qmp_graph_find(call->server, name);
    if (node == NULL || node->open == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Cannot find device='%.60s' nor node-name='%.60s'",
                        name, name);
    if (qmp_graph_drive(call, node) != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.60s' is in use", name);
    snprintf(request->target, sizeof(request->target), "%s", name);
    request->options.target = node->open;
    return true;
}

static bool create_target(QmpCall *call, const Request *request, const char *path,
                          const char *format) {
    BlockNode *behind = request->options.only_top ? block_backing(request->options.source) : NULL;
    BlockCreateRequest create = {.path = path,
                                 .length = block_length(request->options.source),
                                 .backing = behind != NULL ? block_path(behind) : NULL,
                                 .backing_format = behind != NULL ? block_format(behind) : NULL};
    if (!block_format_exists(format) || !block_format_creates(format))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Invalid image format '%.60s'", format);
    return block_create(format, &create, &call->error);
}

/* The target is a file, which is made unless the client says that it exists. */
static bool use_file(QmpCall *call, Request *request) {
    const char *path = qmp_get_string(call, "target"), *mode = qmp_get_string(call, "mode");
    const char *format = qmp_get_string(call, "format"), *name = qmp_get_string(call, "node-name");
    char made[64];
    snprintf(made, sizeof(made), "copy-%.56s", request->drive->id);
    name = name != NULL ? name : made;
    format = format != NULL ? format : block_format(request->options.source);
    if (qmp_graph_find(call->server, name) != NULL || strlen(name) >= sizeof(request->target))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Duplicate nodes with node-name='%.60s'", name);
    if ((mode == NULL || strcmp(mode, "existing") != 0) &&
        !create_target(call, request, path, format))
        return false;
    BlockOptions options = {.path = path, .format = format, .node_name = name, .any_content = true};
    BlockNode *open = disk_media_open(&call->machine->board, &options, &call->error);
    QmpNode *node = open != NULL ? qmp_graph_add(call->server, name) : NULL;
    if (node == NULL) {
        block_close(open);
        return qmp_fail(call, QMP_GENERIC_ERROR, "%s",
                        call->error.set ? call->error.message : "too many block nodes");
    }
    node->open = open;
    node->path = strdup(path);
    snprintf(node->driver, sizeof(node->driver), "%s", format);
    snprintf(request->target, sizeof(request->target), "%s", name);
    request->options.target = open;
    request->removes_target = true;
    return true;
}

static bool copy(QmpCall *call, BlockJobKind kind, bool to_file, const char *type) {
    Request request = {.options = {.kind = kind}, .becomes_ready = kind == BLOCK_JOB_MIRROR};
    if (!find_source(call, &request) || !read_sync(call, &request) ||
        !(to_file ? use_file(call, &request) : use_node(call, &request)))
        return false;
    if (begin(call, &request, type))
        return true;
    if (request.removes_target)
        qmp_graph_remove(qmp_graph_find(call->server, request.target));
    return false;
}

bool qmp_drive_backup(QmpCall *call) {
    return copy(call, BLOCK_JOB_BACKUP, true, "backup");
}

bool qmp_blockdev_backup(QmpCall *call) {
    return copy(call, BLOCK_JOB_BACKUP, false, "backup");
}

bool qmp_drive_mirror(QmpCall *call) {
    return copy(call, BLOCK_JOB_MIRROR, true, "mirror");
}

bool qmp_blockdev_mirror(QmpCall *call) {
    return copy(call, BLOCK_JOB_MIRROR, false, "mirror");
}

bool qmp_block_stream(QmpCall *call) {
    Request request = {
        .options = {.kind = BLOCK_JOB_STREAM, .base_name = qmp_get_string(call, "backing-file")}};
    return find_source(call, &request) &&
           find_in_chain(call, &request, "base-node", "base", &request.options.base,
                         request.base) &&
           begin(call, &request, "stream");
}

static BlockNode *last_of_chain(BlockNode *node) {
    while (block_backing(node) != NULL)
        node = block_backing(node);
    return node;
}

bool qmp_block_commit(QmpCall *call) {
    Request request = {.options = {.kind = BLOCK_JOB_COMMIT}};
    BlockNode *top, *active;
    char top_name[64];
    if (!find_source(call, &request) ||
        !find_in_chain(call, &request, "base-node", "base", &request.options.target,
                       request.target) ||
        !find_in_chain(call, &request, "top-node", "top", &top, top_name))
        return false;
    active = request.options.source;
    if (request.options.target == NULL)
        request.options.target = last_of_chain(active);
    if (top == NULL || top == active) {
        request.becomes_ready = true;
        return begin(call, &request, "commit");
    }
    if (block_backing(active) != top)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "'%.200s' is not the active image, nor the one behind it", block_path(top));
    request.options.source = top;
    request.options.over = active;
    return begin(call, &request, "commit");
}

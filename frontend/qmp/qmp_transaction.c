/* Several block commands at one instant of the guest, all of them or none: overlays are checked
 * first and laid last, as nothing takes them away again; what is done before is undone where
 * something fails. On the machine's thread. */
#include "qmp_block.h"
#include "qmp_block_job.h"

#include <stdlib.h>
#include <string.h>

enum { ACTIONS_MAX = 64 };

typedef enum ActionKind {
    ACTION_SNAPSHOT,      /* done last */
    ACTION_SNAPSHOT_SYNC, /* likewise */
    ACTION_BITMAP,        /* what the bitmap was is put back */
    ACTION_BITMAP_ADD,
    ACTION_BITMAP_REMOVE, /* done last: it was checked that it can be */
    ACTION_JOB,           /* cancelled */
    ACTION_ABORT,
} ActionKind;

static const struct {
    const char *name;
    ActionKind kind;
} kinds[] = {
    {"blockdev-snapshot", ACTION_SNAPSHOT},
    {"blockdev-snapshot-sync", ACTION_SNAPSHOT_SYNC},
    {"blockdev-backup", ACTION_JOB},
    {"drive-backup", ACTION_JOB},
    {"block-dirty-bitmap-add", ACTION_BITMAP_ADD},
    {"block-dirty-bitmap-remove", ACTION_BITMAP_REMOVE},
    {"block-dirty-bitmap-clear", ACTION_BITMAP},
    {"block-dirty-bitmap-enable", ACTION_BITMAP},
    {"block-dirty-bitmap-disable", ACTION_BITMAP},
    {"block-dirty-bitmap-merge", ACTION_BITMAP},
    {"abort", ACTION_ABORT},
};

typedef struct Action {
    ActionKind kind;
    QmpCall call; /* as that of the command alone */
    const QmpCommand *command;
    bool done;
    DirtyBitmap *bitmap;
    DirtyBitmapState *before;
} Action;

static bool take_failure(QmpCall *call, const Action *action) {
    call->error = action->call.error;
    call->error_class = action->call.error_class;
    return false;
}

/* As for the command alone. */
static bool read_action(QmpCall *call, json_object *object, Action *action) {
    char message[256];
    const char *type = json_object_get_string(json_object_object_get(object, "type"));
    json_object *data = json_object_object_get(object, "data");
    size_t row = 0;
    while (strcmp(kinds[row].name, type) != 0) /* types were checked */
        row++;
    *action = (Action){.kind = kinds[row].kind, .call = *call, .command = qmp_command_find(type)};
    action->call.arguments = data;
    if (!json_object_is_type(data, json_type_object))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'data' is missing");
    return action->command == NULL ||
           qmp_members_check(action->command->arguments, data, message, sizeof(message)) ||
           qmp_fail(call, QMP_GENERIC_ERROR, "%s", message);
}

/* What can be told without doing anything. */
static bool check_action(QmpCall *call, Action *actions, size_t index) {
    Action *action = &actions[index];
    if (action->kind == ACTION_BITMAP_REMOVE)
        return qmp_bitmap_find(call, qmp_get_string(&action->call, "node"),
                               qmp_get_string(&action->call, "name"), true) != NULL;
    if (action->kind != ACTION_SNAPSHOT)
        return true;
    const char *node = qmp_get_string(&action->call, "node");
    const char *overlay = qmp_get_string(&action->call, "overlay");
    for (size_t i = 0; i < index; i++)
        if (actions[i].kind == ACTION_SNAPSHOT &&
            (strcmp(qmp_get_string(&actions[i].call, "node"), node) == 0 ||
             strcmp(qmp_get_string(&actions[i].call, "overlay"), overlay) == 0))
            return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.100s' is named twice", node);
    return qmp_snapshot_check(call, node, overlay);
}

static bool comes_last(const Action *action) {
    return action->kind == ACTION_SNAPSHOT || action->kind == ACTION_SNAPSHOT_SYNC ||
           action->kind == ACTION_BITMAP_REMOVE;
}

static bool do_action(QmpCall *call, Action *action) {
    if (action->kind == ACTION_ABORT)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Transaction aborted using Abort action");
    if (action->kind == ACTION_SNAPSHOT)
        return qmp_snapshot_cover(call, qmp_get_string(&action->call, "node"),
                                  qmp_get_string(&action->call, "overlay"));
    if (action->kind == ACTION_BITMAP) {
        const char *name = qmp_get_string(&action->call, "name");
        name = name != NULL ? name : qmp_get_string(&action->call, "target");
        action->bitmap = qmp_bitmap_find(call, qmp_get_string(&action->call, "node"), name, true);
        if (action->bitmap == NULL)
            return false;
        action->before = dirty_bitmap_save(action->bitmap);
    }
    if (!action->command->run(&action->call))
        return take_failure(call, action);
    return action->done = true;
}

static void cancel_job(QmpCall *call, const Action *action) {
    const char *id = qmp_get_string(&action->call, "job-id");
    for (int i = 0; i < QMP_JOBS; i++) {
        QmpJob *job = &call->server->job[i];
        if (job->id == NULL || job->work == NULL ||
            strcmp(job->id, id != NULL ? id : qmp_get_string(&action->call, "device")) != 0)
            continue;
        __atomic_store_n(&job->work->force, true, __ATOMIC_RELEASE);
        __atomic_store_n(&job->work->cancelled, true, __ATOMIC_RELEASE);
    }
}

static void undo_action(QmpCall *call, Action *action) {
    QmpCall other = action->call;
    other.error = (Error){.set = false};
    if (!action->done)
        return;
    if (action->kind == ACTION_BITMAP)
        dirty_bitmap_restore(action->bitmap, action->before);
    if (action->kind == ACTION_BITMAP_ADD)
        qmp_bitmap_remove(&other);
    if (action->kind == ACTION_JOB)
        cancel_job(call, action);
}

static bool run(QmpCall *call, Action *actions, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!check_action(call, actions, i))
            return false;
    for (int last = 0; last < 2; last++) {
        for (size_t i = 0; i < count; i++) {
            if (comes_last(&actions[i]) != (last != 0) || do_action(call, &actions[i]))
                continue;
            for (size_t j = count; j-- > 0;)
                undo_action(call, &actions[j]);
            return false;
        }
    }
    return true;
}

bool qmp_transaction(QmpCall *call) {
    json_object *list = qmp_get(call, "actions");
    size_t count = json_object_array_length(list);
    if (count > ACTIONS_MAX)
        return qmp_fail(call, QMP_GENERIC_ERROR, "there are more than %d actions", ACTIONS_MAX);
    Action *actions = calloc(count + 1, sizeof(*actions));
    if (actions == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "no memory for the actions");
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = read_action(call, json_object_array_get_idx(list, i), &actions[i]);
    good = good && run(call, actions, count);
    for (size_t i = 0; i < count; i++)
        dirty_bitmap_state_free(actions[i].before);
    free(actions);
    return good;
}

/* Nodes that come and go while the machine runs, images that are made for them, and overlays that
 * take the place of what a drive has. */
#include "disk_media.h"
#include "host_file.h"
#include "qmp_block.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *member_string(json_object *object, const char *name) {
    json_object *value = json_object_object_get(object, name);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

BoardDrive *qmp_graph_drive(QmpCall *call, const QmpNode *node) {
    Board *board = &call->machine->board;
    for (int i = 0; i < BOARD_DRIVES; i++)
        if (board->drive[i].present && strcmp(board->drive[i].node_name, node->name) == 0)
            return &board->drive[i];
    return NULL;
}

/* Another node lies on it. */
static bool is_below_another(QmpServer *server, const QmpNode *node) {
    for (int i = 0; i < QMP_NODES; i++)
        if (server->node[i].name[0] != '\0' && (strcmp(server->node[i].child, node->name) == 0 ||
                                                strcmp(server->node[i].backing, node->name) == 0))
            return true;
    return false;
}

static bool check_name(QmpCall *call, const char *name) {
    bool good = isalpha((unsigned char)*name) && strlen(name) < sizeof(((QmpNode *)0)->name);
    for (const char *byte = name; *byte != '\0'; byte++)
        good = good && (isalnum((unsigned char)*byte) || strchr("-._", *byte) != NULL);
    if (!good)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Invalid node-name: '%.100s'", name);
    return qmp_graph_find(call->server, name) == NULL ||
           qmp_fail(call, QMP_GENERIC_ERROR, "Duplicate nodes with node-name='%.100s'", name);
}

/* The file that a format node lies on: a node by its name, or described in place. */
static const char *find_file(QmpCall *call, const char **child) {
    json_object *file = qmp_get(call, "file");
    *child = "";
    if (json_object_is_type(file, json_type_string)) {
        const QmpNode *below = qmp_graph_find(call->server, json_object_get_string(file));
        if (below != NULL && below->is_file) {
            *child = below->name;
            return below->path;
        }
        qmp_fail(call, QMP_GENERIC_ERROR, "Cannot find device='' nor node-name='%.100s'",
                 json_object_get_string(file));
        return NULL;
    }
    const char *path =
        json_object_is_type(file, json_type_object) ? member_string(file, "filename") : NULL;
    if (path == NULL)
        qmp_fail(call, QMP_GENERIC_ERROR, "A block device must be specified for \"file\"");
    return path;
}

static bool add_file(QmpCall *call, const char *name) {
    const char *path = qmp_get_string(call, "filename");
    struct stat status;
    if (path == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'filename' is missing");
    if (stat(path, &status) != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Could not open '%.200s': No such file or "
                        "directory",
                        path);
    QmpNode *node = qmp_graph_add(call->server, name);
    if (node == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "too many block nodes");
    node->path = strdup(path);
    node->is_file = true;
    node->read_only = qmp_get_bool(call, "read-only", false);
    snprintf(node->driver, sizeof(node->driver), "file");
    return true;
}

/* "backing": null leaves out what the image lies over; a name has to be that of a node. */
static bool read_backing(QmpCall *call, bool *without, const char **name) {
    json_object *backing;
    bool given = json_object_object_get_ex(call->arguments, "backing", &backing);
    *without = given && backing == NULL;
    *name = json_object_is_type(backing, json_type_string) ? json_object_get_string(backing) : "";
    return !given || backing == NULL || qmp_graph_find(call->server, *name) != NULL ||
           qmp_fail(call, QMP_GENERIC_ERROR, "Cannot find device='' nor node-name='%.100s'", *name);
}

static bool add_format(QmpCall *call, const char *driver, const char *name) {
    const char *child, *backing = "";
    bool without = false;
    const char *path = find_file(call, &child);
    if (path == NULL || !read_backing(call, &without, &backing))
        return false;
    BlockOptions options = {.path = path,
                            .format = driver,
                            .node_name = name,
                            .read_only = qmp_get_bool(call, "read-only", false),
                            .auto_read_only = qmp_get_bool(call, "auto-read-only", false),
                            .no_backing = without};
    BlockNode *open = disk_media_open(&call->machine->board, &options, &call->error);
    if (open == NULL)
        return false;
    QmpNode *node = qmp_graph_add(call->server, name);
    if (node == NULL) {
        block_close(open);
        return qmp_fail(call, QMP_GENERIC_ERROR, "too many block nodes");
    }
    node->open = open;
    node->path = strdup(path);
    node->read_only = block_is_read_only(open);
    node->covers_nothing = without;
    snprintf(node->driver, sizeof(node->driver), "%s", driver);
    snprintf(node->child, sizeof(node->child), "%s", child);
    snprintf(node->backing, sizeof(node->backing), "%s", backing);
    return true;
}

bool qmp_blockdev_add(QmpCall *call) {
    const char *driver = qmp_get_string(call, "driver");
    const char *name = qmp_get_string(call, "node-name");
    if (!check_name(call, name))
        return false;
    if (strcmp(driver, "file") == 0)
        return add_file(call, name);
    return block_format_exists(driver)
               ? add_format(call, driver, name)
               : qmp_fail(call, QMP_GENERIC_ERROR, "Unknown driver '%.60s'", driver);
}

bool qmp_blockdev_del(QmpCall *call) {
    const char *name = qmp_get_string(call, "node-name");
    QmpNode *node = qmp_graph_find(call->server, name);
    if (node == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Failed to find node with node-name='%.100s'",
                        name);
    if (qmp_graph_drive(call, node) != NULL || is_below_another(call->server, node))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node %.100s is in use", name);
    qmp_graph_remove(node);
    return true;
}

static BlockNode *find_disk(QmpCall *call) {
    const char *name = qmp_get_string(call, "node-name");
    if (name != NULL) {
        const QmpNode *node = qmp_graph_find(call->server, name);
        if (node != NULL && node->open != NULL)
            return node->open;
        qmp_fail(call, QMP_GENERIC_ERROR, "Cannot find device='' nor node-name='%.100s'", name);
        return NULL;
    }
    const BoardDrive *drive = qmp_find_drive(call);
    if (drive != NULL && drive->medium == NULL)
        qmp_fail(call, QMP_GENERIC_ERROR, "Device '%.100s' has no medium", drive->id);
    return drive != NULL ? drive->medium : NULL;
}

bool qmp_block_resize(QmpCall *call) {
    int64_t size = qmp_get_int(call, "size", 0);
    BlockNode *node = find_disk(call);
    if (node == NULL)
        return false;
    if (size < 0 || size % BLOCK_SECTOR_BYTES != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Parameter 'size' expects a multiple of 512 that is not negative");
    if (block_is_read_only(node))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node is read only");
    if (!block_can_resize(node))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Image format driver does not support resize");
    return block_set_length(node, (uint64_t)size, &call->error);
}

/* ---- blockdev-create ---- */

static bool create_file(const char *path, uint64_t size, Error *error) {
    BlockCreateRequest request = {.path = path, .length = size};
    return block_create("raw", &request, error);
}

static bool create_image(QmpCall *call, json_object *options, const char *driver, Error *error) {
    const char *file = member_string(options, "file");
    const QmpNode *node = file != NULL ? qmp_graph_find(call->server, file) : NULL;
    const char *backing = member_string(options, "backing-file");
    const char *backing_format = member_string(options, "backing-fmt");
    int64_t cluster = json_object_get_int64(json_object_object_get(options, "cluster-size"));
    char cluster_text[32];
    snprintf(cluster_text, sizeof(cluster_text), "%lld", (long long)cluster);
    BlockCreateValue value = {"cluster_size", cluster_text};
    if (node == NULL || !node->is_file)
        return error_set(error, "Cannot find device='' nor node-name='%.100s'",
                         file != NULL ? file : "");
    BlockCreateRequest request = {
        .path = node->path,
        .length = (uint64_t)json_object_get_int64(json_object_object_get(options, "size")),
        .backing = backing,
        .backing_format = backing != NULL && backing_format == NULL ? "raw" : backing_format,
        .values = &value,
        .value_count = cluster > 0 ? 1 : 0};
    return block_create(driver, &request, error);
}

/* What is wrong with the image is told by the job. */
bool qmp_blockdev_create(QmpCall *call) {
    json_object *options = qmp_get(call, "options");
    const char *driver = member_string(options, "driver");
    int64_t size = json_object_get_int64(json_object_object_get(options, "size"));
    const char *path = member_string(options, "filename");
    bool is_file = strcmp(driver, "file") == 0;
    if (size < 0 || (uint64_t)size > BLOCK_LENGTH_MAXIMUM || size % BLOCK_SECTOR_BYTES != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'size' expects whole sectors");
    if (is_file ? path == NULL : !block_format_exists(driver) || !block_format_creates(driver))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        is_file ? "Parameter 'filename' is missing"
                                : "Driver '%.60s' does not support image creation",
                        driver);
    QmpJob *job = qmp_job_start(call, qmp_get_string(call, "job-id"), "create");
    if (job == NULL)
        return false;
    Error error = {.set = false};
    if (is_file)
        create_file(path, (uint64_t)size, &error);
    else
        create_image(call, options, driver, &error);
    qmp_job_finish(call, job, &error);
    return true;
}

/* ---- Overlays ---- */

/* Everything that can be wrong, before anything is done. */
bool qmp_snapshot_check(QmpCall *call, const char *node_name, const char *overlay_name) {
    const QmpNode *node = qmp_graph_find(call->server, node_name);
    const QmpNode *overlay = qmp_graph_find(call->server, overlay_name);
    if (node == NULL || overlay == NULL || overlay->open == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Cannot find device='' nor node-name='%.100s'",
                        node == NULL ? node_name : overlay_name);
    BoardDrive *drive = qmp_graph_drive(call, node);
    if (drive == NULL || drive->medium == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.100s' is in no device", node_name);
    if (qmp_graph_drive(call, overlay) != NULL || is_below_another(call->server, overlay))
        return qmp_fail(call, QMP_GENERIC_ERROR, "The overlay is already in use");
    if (!overlay->covers_nothing)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "The overlay already has a backing image: open it with \"backing\": null");
    if (block_is_read_only(overlay->open))
        return qmp_fail(call, QMP_GENERIC_ERROR, "The overlay is read-only");
    return block_length(overlay->open) == block_length(drive->medium) ||
           qmp_fail(call, QMP_GENERIC_ERROR, "The overlay has another size than the node");
}

bool qmp_snapshot_cover(QmpCall *call, const char *node_name, const char *overlay_name) {
    QmpNode *node = qmp_graph_find(call->server, node_name);
    QmpNode *overlay = qmp_graph_find(call->server, overlay_name);
    BoardDrive *drive = qmp_graph_drive(call, node);
    if (!block_flush(drive->medium, &call->error) ||
        !block_attach_backing(overlay->open, drive->medium, &call->error))
        return false;
    node->read_only = true;
    overlay->covers_nothing = false;
    snprintf(overlay->backing, sizeof(overlay->backing), "%s", node->name);
    board_cover_medium(&call->machine->board, drive, overlay->open, overlay->name);
    return true;
}

bool qmp_blockdev_snapshot(QmpCall *call) {
    const char *node = qmp_get_string(call, "node"), *overlay = qmp_get_string(call, "overlay");
    return qmp_snapshot_check(call, node, overlay) && qmp_snapshot_cover(call, node, overlay);
}

/* The overlay is made, opened and laid over the node at one go. */
bool qmp_blockdev_snapshot_sync(QmpCall *call) {
    const char *name = qmp_get_string(call, "node-name");
    const char *path = qmp_get_string(call, "snapshot-file");
    const char *overlay_name = qmp_get_string(call, "snapshot-node-name");
    const char *format = qmp_get_string(call, "format");
    const QmpNode *node = name != NULL ? qmp_graph_find(call->server, name) : NULL;
    BoardDrive *drive = node != NULL ? qmp_graph_drive(call, node) : NULL;
    if (drive == NULL || drive->medium == NULL || overlay_name == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "'node-name' of a node in a device and 'snapshot-node-name' are needed");
    if (!check_name(call, overlay_name))
        return false;
    BlockCreateRequest request = {.path = path,
                                  .length = block_length(drive->medium),
                                  .backing = block_path(drive->medium),
                                  .backing_format = block_format(drive->medium)};
    format = format != NULL ? format : "qcow2";
    if (strcmp(format, "qcow2") != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Invalid snapshot format '%.60s'", format);
    const char *mode = qmp_get_string(call, "mode");
    if ((mode == NULL || strcmp(mode, "absolute-paths") == 0) &&
        !block_create(format, &request, &call->error))
        return false;
    BlockOptions options = {
        .path = path, .format = format, .node_name = overlay_name, .no_backing = true};
    BlockNode *open = disk_media_open(&call->machine->board, &options, &call->error);
    QmpNode *overlay = open != NULL ? qmp_graph_add(call->server, overlay_name) : NULL;
    if (overlay == NULL) {
        block_close(open);
        return qmp_fail(call, QMP_GENERIC_ERROR, "too many block nodes");
    }
    *overlay = (QmpNode){.open = open, .path = strdup(path), .covers_nothing = true};
    snprintf(overlay->name, sizeof(overlay->name), "%s", overlay_name);
    snprintf(overlay->driver, sizeof(overlay->driver), "%s", format);
    if (qmp_snapshot_check(call, name, overlay_name) &&
        qmp_snapshot_cover(call, name, overlay_name))
        return true;
    qmp_graph_remove(overlay);
    return false;
}

/* The named nodes. A node of a file is a name alone; one of a format is open, whether or not it is
 * in a drive. */
#include "host_file.h"
#include "qmp_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QmpNode *qmp_graph_find(QmpServer *server, const char *name) {
    for (int i = 0; i < QMP_NODES; i++)
        if (server->node[i].name[0] != '\0' && strcmp(server->node[i].name, name) == 0)
            return &server->node[i];
    return NULL;
}

QmpNode *qmp_graph_add(QmpServer *server, const char *name) {
    for (int i = 0; i < QMP_NODES; i++) {
        QmpNode *node = &server->node[i];
        if (node->name[0] != '\0')
            continue;
        snprintf(node->name, sizeof(node->name), "%s", name);
        return node;
    }
    return NULL;
}

void qmp_graph_remove(QmpNode *node) {
    block_close(node->open);
    free(node->path);
    *node = (QmpNode){.path = NULL};
}

static BlockNode *find_medium(const Board *board, const char *name) {
    for (int i = 0; i < BOARD_DRIVES; i++)
        if (strcmp(board->drive[i].node_name, name) == 0)
            return board->drive[i].medium;
    return NULL;
}

/* Takes over what the command line named. */
void qmp_graph_init(QmpServer *server) {
    const Settings *settings = server->program->settings;
    for (int i = 0; i < settings->image_count; i++) {
        const ImageSpec *image = &settings->image[i];
        QmpNode *node = image->is_node ? qmp_graph_add(server, image->id) : NULL;
        if (node == NULL)
            continue;
        node->path = strdup(image->file);
        node->is_file = image->is_file;
        node->read_only = image->read_only;
        snprintf(node->driver, sizeof(node->driver), "%s", image->is_file ? "file" : image->format);
        if (image->child != NULL)
            snprintf(node->child, sizeof(node->child), "%s", image->child);
        if (server->program->machine != NULL)
            node->open = block_hold(find_medium(&server->program->machine->board, image->id));
    }
}

void qmp_graph_free(QmpServer *server) {
    for (int i = 0; i < QMP_NODES; i++)
        qmp_graph_remove(&server->node[i]);
}

/* A node that is not open: what the host says of the file. */
static json_object *describe_file(const QmpNode *node) {
    struct stat status = {.st_size = 0};
    int found = stat(node->path, &status);
    json_object *image = qmp_pack("virtual-size:i filename:s format:s actual-size:i",
                                  (int64_t)(found == 0 ? status.st_size : 0), node->path,
                                  node->driver, (int64_t)(found == 0 ? status.st_blocks * 512 : 0));
    return qmp_pack(
        "iops_rd:i detect_zeroes:s image:o iops_wr:i ro:b node-name:s backing_file_depth:i drv:s "
        "iops:i bps_wr:i write_threshold:i encrypted:b bps:i bps_rd:i cache:o file:s",
        (int64_t)0, "off", image, (int64_t)0, node->read_only, node->name, (int64_t)0, node->driver,
        (int64_t)0, (int64_t)0, (int64_t)0, false, (int64_t)0, (int64_t)0,
        qmp_pack("no-flush:b direct:b writeback:b", false, false, true), node->path);
}

bool qmp_query_named_block_nodes(QmpCall *call) {
    const Board *board = &call->machine->board;
    call->result = json_object_new_array();
    for (int i = 0; i < QMP_NODES; i++) {
        const QmpNode *node = &call->server->node[i];
        if (node->name[0] == '\0')
            continue;
        json_object_array_add(call->result, node->open != NULL && !node->is_file
                                                ? qmp_block_device_info(call->server, node->open,
                                                                        node->name, node->driver)
                                                : describe_file(node));
    }
    for (int i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &board->drive[i];
        char name[80];
        if (drive->medium == NULL || qmp_graph_find(call->server, drive->node_name) != NULL)
            continue;
        qmp_drive_node_name(board, drive, name, sizeof(name));
        json_object_array_add(call->result, qmp_block_device_info(call->server, drive->medium, name,
                                                                  block_format(drive->medium)));
    }
    return true;
}

/* A file node shares the counters of the node that lies on it. */
static const BlockCounters *find_counters(QmpServer *server, const QmpNode *node) {
    if (node->open != NULL)
        return block_counters(node->open);
    for (int i = 0; i < QMP_NODES; i++)
        if (server->node[i].open != NULL && strcmp(server->node[i].child, node->name) == 0)
            return block_counters(server->node[i].open);
    return NULL;
}

void qmp_list_node_stats(QmpCall *call, json_object *(*describe)(const BlockCounters *counters)) {
    const Board *board = &call->machine->board;
    for (int i = 0; i < QMP_NODES; i++) {
        const QmpNode *node = &call->server->node[i];
        if (node->name[0] != '\0')
            json_object_array_add(
                call->result, qmp_pack("stats:o node-name:s",
                                       describe(find_counters(call->server, node)), node->name));
    }
    for (int i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &board->drive[i];
        char name[80];
        if (drive->medium == NULL || qmp_graph_find(call->server, drive->node_name) != NULL)
            continue;
        qmp_drive_node_name(board, drive, name, sizeof(name));
        json_object_array_add(
            call->result,
            qmp_pack("stats:o node-name:s", describe(block_counters(drive->medium)), name));
    }
}

/* Devices that come and go: device_add, device_del. */
#include "hot_plug.h"
#include "qmp_block.h"

#include <string.h>

/* A block node that a client made is given by what it has open. */
static bool find_medium(QmpCall *call, BlockNode **medium) {
    const char *name = qmp_get_string(call, "drive");
    const QmpNode *node = name != NULL ? qmp_graph_find(call->server, name) : NULL;
    *medium = NULL;
    if (node == NULL)
        return true;
    if (qmp_graph_drive(call, node) != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.100s' is in use", name);
    *medium = node->open;
    return node->open == NULL || hot_plug_node(call->program->settings, name, node->path,
                                               node->driver, node->read_only, &call->error);
}

bool qmp_device_add(QmpCall *call) {
    BlockNode *medium;
    return find_medium(call, &medium) &&
           hot_plug_device(call->program->settings, call->machine,
                           json_object_to_json_string(call->arguments), medium, &call->error);
}

bool qmp_device_del(QmpCall *call) {
    const char *id = qmp_get_string(call, "id");
    bool is_path = strncmp(id, "/machine/peripheral/", 20) == 0;
    return hot_unplug_device(call->program->settings, call->machine, is_path ? id + 20 : id,
                             &call->error);
}

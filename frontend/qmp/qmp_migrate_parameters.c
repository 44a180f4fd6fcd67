/* How a state goes out: what clients may set. */
#include "qmp_server.h"

bool qmp_query_migrate_capabilities(QmpCall *call) {
    call->result = json_object_new_array();
    json_object_array_add(
        call->result, qmp_pack("state:b capability:s", call->server->migration_events, "events"));
    return true;
}

bool qmp_migrate_set_capabilities(QmpCall *call) {
    json_object *list = qmp_get(call, "capabilities");
    for (size_t i = 0; i < json_object_array_length(list); i++) /* there is one that can be named */
        call->server->migration_events = json_object_get_boolean(
            json_object_object_get(json_object_array_get_idx(list, i), "state"));
    return true;
}

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

#define BANDWIDTH_DEFAULT (128 << 20)
#define DOWNTIME_MS_DEFAULT 300

/* The machine stands still while its state goes, as fast as the other end takes it: these are kept,
 * and change nothing. */
bool qmp_migrate_set_parameters(QmpCall *call) {
    QmpServer *server = call->server;
    int64_t bandwidth = qmp_get_int(call, "max-bandwidth", server->migration_bandwidth);
    int64_t downtime_ms = qmp_get_int(call, "downtime-limit", server->migration_downtime_ms);
    if (bandwidth < 0 || downtime_ms < 0 || downtime_ms > 2000000)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter '%s' is out of range",
                        bandwidth < 0 ? "max-bandwidth" : "downtime-limit");
    server->migration_bandwidth = bandwidth;
    server->migration_downtime_ms = downtime_ms;
    return true;
}

bool qmp_query_migrate_parameters(QmpCall *call) {
    const QmpServer *server = call->server;
    call->result = qmp_pack(
        "max-bandwidth:i downtime-limit:i",
        server->migration_bandwidth != 0 ? server->migration_bandwidth : BANDWIDTH_DEFAULT,
        server->migration_downtime_ms != 0 ? server->migration_downtime_ms : DOWNTIME_MS_DEFAULT);
    return true;
}

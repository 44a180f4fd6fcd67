/* 'migrate' and what belongs to it. */
#include "qmp_migrate.h"

#include <stdlib.h>
#include <string.h>

static void tell(void *opaque, const char *status, uint64_t round) {
    QmpServer *server = opaque;
    if (!server->migration_events)
        return;
    if (status != NULL)
        qmp_send_event(server, "MIGRATION", qmp_pack("status:s", status));
    else
        qmp_send_event(server, "MIGRATION_PASS", qmp_pack("pass:i", (int64_t)round));
}

void qmp_migration_observe(QmpServer *server) {
    MigrationObserver observer = {tell, server};
    migration_observe(server->program->migration, &observer);
}

/* "fd:NAME" is a descriptor that came by getfd. */
static MigrationRequest read_request(QmpCall *call) {
    MigrationRequest request = {.address = qmp_get_string(call, "uri"), .file = -1};
    if (strncmp(request.address, "fd:", 3) == 0 &&
        (request.address[3] < '0' || request.address[3] > '9'))
        request.file = qmp_take_file(call->server, request.address + 3);
    return request;
}

bool qmp_migrate(QmpCall *call) {
    MigrationRequest request = read_request(call);
    request.disks = qmp_get_bool(call, "blk", false) || qmp_get_bool(call, "inc", false);
    return migration_start(call->program->migration, &request, &call->error);
}

bool qmp_migrate_incoming(QmpCall *call) {
    MigrationRequest request = read_request(call);
    return migration_receive(call->program->migration, &request, &call->error);
}

bool qmp_migrate_cancel(QmpCall *call) {
    migration_cancel(call->program->migration);
    return true;
}

static void add_memory(QmpCall *call, const MigrationInfo *info) {
    json_object_object_add(
        call->result, "ram",
        qmp_pack("total:i transferred:i remaining:i duplicate:i skipped:i normal:i normal-bytes:i "
                 "dirty-pages-rate:i mbps:n dirty-sync-count:i page-size:i",
                 (int64_t)info->ram_total, (int64_t)info->sent, (int64_t)info->ram_left,
                 (int64_t)info->zero_pages, (int64_t)0, (int64_t)info->pages,
                 (int64_t)info->pages * PAGE_SIZE, (int64_t)info->dirty_pages_rate, info->megabits,
                 (int64_t)info->rounds, (int64_t)PAGE_SIZE));
    if (info->sends_disks)
        json_object_object_add(
            call->result, "disk",
            qmp_pack("total:i transferred:i remaining:i duplicate:i skipped:i normal:i "
                     "normal-bytes:i dirty-pages-rate:i mbps:n dirty-sync-count:i page-size:i",
                     (int64_t)info->disk_total, (int64_t)info->disk_sent, (int64_t)info->disk_left,
                     (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0, 0.0, (int64_t)0,
                     (int64_t)0));
    json_object_object_add(call->result, "setup-time", json_object_new_int64(info->setup_ms));
    if (info->throttle_percent != 0)
        json_object_object_add(call->result, "cpu-throttle-percentage",
                               json_object_new_int64(info->throttle_percent));
}

bool qmp_query_migrate(QmpCall *call) {
    MigrationInfo info = migration_info(call->program->migration);
    if (!info.tried)
        return true;
    call->result = qmp_pack("status:s total-time:i error-desc:s", info.status, info.total_ms,
                            info.error.set ? info.error.message : NULL);
    if (info.incoming)
        return true;
    add_memory(call, &info);
    bool done = strcmp(info.status, "completed") == 0;
    json_object_object_add(
        call->result, done ? "downtime" : "expected-downtime",
        json_object_new_int64(done ? info.downtime_ms : info.expected_downtime_ms));
    return true;
}

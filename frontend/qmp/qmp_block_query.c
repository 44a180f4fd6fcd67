/* Drives, their media and block nodes: what there is to know. All on the machine's thread. */
#include "qmp_block.h"

#include <stdio.h>
#include <string.h>

/* A drive without a name of its own is "/machine/unattached/device[N]" behind the processors. */
void qmp_drive_device(const Board *board, const BoardDrive *drive, char *name, size_t size) {
    if (drive->device_id[0] != '\0')
        snprintf(name, size, "%s", drive->device_id);
    else
        snprintf(name, size, "/machine/unattached/device[%u]",
                 board->machine->processor_count + (unsigned)(drive - board->drive));
}

/* What was plugged in by -blockdev has no name of a -drive; what no option named has our own. */
const char *qmp_drive_backend(const BoardDrive *drive) {
    if (drive->backend[0] != '\0')
        return drive->backend;
    return drive->device_id[0] != '\0' || drive->node_name[0] != '\0' ? "" : drive->id;
}

void qmp_drive_node_name(const Board *board, const BoardDrive *drive, char *name, size_t size) {
    if (drive->node_name[0] != '\0')
        snprintf(name, size, "%s", drive->node_name);
    else
        snprintf(name, size, "#block%03u", (unsigned)(drive - board->drive));
}

bool qmp_drive_is_removable(const BoardDrive *drive) {
    return drive->is_cd || drive->is_floppy;
}

json_object *qmp_image_info(BlockNode *node) {
    BlockInfo info;
    uint64_t allocated = 0;
    json_object *image = qmp_pack("virtual-size:i filename:s format:s", (int64_t)block_length(node),
                                  block_path(node), block_format(node));
    BlockNode *file = node;
    while (block_below(file) != NULL)
        file = block_below(file);
    if (block_allocated_bytes(file, &allocated, NULL))
        json_object_object_add(image, "actual-size", json_object_new_int64((int64_t)allocated));
    if (block_info_get(file, &info, NULL)) {
        if (info.cluster_bytes != 0)
            json_object_object_add(image, "cluster-size",
                                   json_object_new_int64(info.cluster_bytes));
        if (info.backing[0] != '\0') {
            json_object_object_add(image, "backing-filename", json_object_new_string(info.backing));
            if (info.backing_format[0] != '\0')
                json_object_object_add(image, "backing-filename-format",
                                       json_object_new_string(info.backing_format));
        }
        json_object_object_add(image, "dirty-flag", json_object_new_boolean(info.dirty));
        block_info_free(&info);
    }
    return image;
}

json_object *qmp_block_device_info(const QmpServer *server, BlockNode *node, const char *node_name,
                                   const char *driver) {
    json_object *info = qmp_pack(
        "iops_rd:i detect_zeroes:s image:o iops_wr:i ro:b node-name:s backing_file_depth:i drv:s "
        "iops:i bps_wr:i write_threshold:i encrypted:b bps:i bps_rd:i cache:o file:s",
        (int64_t)0, "off", qmp_image_info(node), (int64_t)0, block_is_read_only(node), node_name,
        (int64_t)0, driver, (int64_t)0, (int64_t)0, (int64_t)0, false, (int64_t)0, (int64_t)0,
        qmp_pack("no-flush:b direct:b writeback:b", false, false, true), block_path(node));
    json_object *bitmaps = qmp_bitmaps_describe(server, node);
    if (bitmaps != NULL)
        json_object_object_add(info, "dirty-bitmaps", bitmaps);
    return info;
}

static json_object *describe_drive(const QmpServer *server, const Board *board,
                                   const BoardDrive *drive) {
    char device[128], node[80];
    json_object *inserted = NULL;
    qmp_drive_device(board, drive, device, sizeof(device));
    qmp_drive_node_name(board, drive, node, sizeof(node));
    if (drive->medium != NULL)
        inserted = qmp_block_device_info(server, drive->medium, node, block_format(drive->medium));
    json_object *info =
        qmp_pack("io-status:s device:s locked:b removable:b inserted:o qdev:s type:s", "ok",
                 qmp_drive_backend(drive), board_tray_is_locked(board, drive),
                 qmp_drive_is_removable(drive), inserted, device, "unknown");
    if (drive->is_cd)
        json_object_object_add(info, "tray_open",
                               json_object_new_boolean(board_tray_is_open(board, drive)));
    return info;
}

bool qmp_query_block(QmpCall *call) {
    const Board *board = &call->machine->board;
    call->result = json_object_new_array();
    for (int i = 0; i < BOARD_DRIVES; i++)
        if (board->drive[i].present)
            json_object_array_add(call->result,
                                  describe_drive(call->server, board, &board->drive[i]));
    return true;
}

static json_object *describe_stats(const BlockCounters *counters) {
    BlockCounters none = {.read_bytes = 0};
    const BlockCounters *c = counters != NULL ? counters : &none;
    return qmp_pack(
        "flush_total_time_ns:i wr_highest_offset:i wr_total_time_ns:i failed_wr_operations:i "
        "failed_rd_operations:i wr_merged:i wr_bytes:i timed_stats:o failed_unmap_operations:i "
        "failed_flush_operations:i account_invalid:b rd_total_time_ns:i "
        "invalid_unmap_operations:i flush_operations:i wr_operations:i unmap_bytes:i "
        "rd_merged:i rd_bytes:i unmap_total_time_ns:i invalid_flush_operations:i "
        "account_failed:b rd_operations:i invalid_wr_operations:i invalid_rd_operations:i "
        "unmap_operations:i unmap_merged:i",
        (int64_t)0, (int64_t)c->highest_write, (int64_t)0, (int64_t)c->failed_writes,
        (int64_t)c->failed_reads, (int64_t)0, (int64_t)c->write_bytes, json_object_new_array(),
        (int64_t)0, (int64_t)0, true, (int64_t)0, (int64_t)0, (int64_t)c->flushes,
        (int64_t)c->writes, (int64_t)0, (int64_t)0, (int64_t)c->read_bytes, (int64_t)0, (int64_t)0,
        true, (int64_t)c->reads, (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0);
}

/* Clients look for the highest offset in the node below, which is where the file is. */
static json_object *describe_drive_stats(const Board *board, const BoardDrive *drive) {
    char device[128], node[80];
    const BlockCounters *counters = drive->medium != NULL ? block_counters(drive->medium) : NULL;
    qmp_drive_device(board, drive, device, sizeof(device));
    qmp_drive_node_name(board, drive, node, sizeof(node));
    json_object *parent = NULL;
    if (drive->medium != NULL)
        parent = qmp_pack("stats:o", describe_stats(counters));
    return qmp_pack("device:s parent:o stats:o qdev:s node-name:s", qmp_drive_backend(drive),
                    parent, describe_stats(counters), device, drive->medium != NULL ? node : NULL);
}

bool qmp_query_blockstats(QmpCall *call) {
    const Board *board = &call->machine->board;
    call->result = json_object_new_array();
    if (qmp_get_bool(call, "query-nodes", false)) {
        qmp_list_node_stats(call, describe_stats);
        return true;
    }
    for (int i = 0; i < BOARD_DRIVES; i++)
        if (board->drive[i].present)
            json_object_array_add(call->result, describe_drive_stats(board, &board->drive[i]));
    return true;
}

/* 'reprise image snapshot': states of the disk within an image. */
#include "allocate.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void image_print_snapshots(const BlockInfo *info) {
    if (info->snapshot_count == 0)
        return;
    printf("Snapshot list:\n%-10s%-17s%8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE",
           "VM CLOCK", "ICOUNT");
    for (size_t i = 0; i < info->snapshot_count; i++) {
        const BlockSnapshotInfo *snapshot = &info->snapshots[i];
        char size[32], date[32] = "", clock[32], count[32] = "";
        time_t seconds = snapshot->date_seconds;
        struct tm local;
        uint64_t ms = snapshot->clock_ns / 1000000;
        image_format_size(snapshot->state_bytes, size);
        if (localtime_r(&seconds, &local) != NULL)
            strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
        snprintf(clock, sizeof(clock), "%02llu:%02llu:%02llu.%03llu",
                 (unsigned long long)(ms / 3600000), (unsigned long long)(ms / 60000 % 60),
                 (unsigned long long)(ms / 1000 % 60), (unsigned long long)(ms % 1000));
        if (snapshot->has_instruction_count)
            snprintf(count, sizeof(count), "%llu", (unsigned long long)snapshot->instruction_count);
        printf("%-9s %-16s %8s%20s%13s%11s\n", snapshot->id, snapshot->name, size, date, clock,
               count);
    }
}

static bool list(BlockNode *node, Error *error) {
    BlockInfo *info = allocate_zeroed(sizeof(*info));
    bool good = block_info_get(node, info, error);
    if (good)
        image_print_snapshots(info);
    block_info_free(info);
    free(info);
    return good;
}

static bool act(const ImageArguments *arguments, BlockNode *node, Error *error) {
    if (arguments->snapshot_create != NULL)
        return block_snapshot(node, BLOCK_SNAPSHOT_CREATE, arguments->snapshot_create, error);
    if (arguments->snapshot_apply != NULL)
        return block_snapshot(node, BLOCK_SNAPSHOT_APPLY, arguments->snapshot_apply, error);
    if (arguments->snapshot_delete != NULL)
        return block_snapshot(node, BLOCK_SNAPSHOT_DELETE, arguments->snapshot_delete, error);
    return list(node, error);
}

int image_snapshot(const ImageArguments *arguments, Error *error) {
    bool changes = arguments->snapshot_create != NULL || arguments->snapshot_apply != NULL ||
                   arguments->snapshot_delete != NULL;
    BlockNode *node = image_open(arguments, arguments->files[0], arguments->format, changes, error);
    bool good =
        node != NULL && act(arguments, node, error) && (!changes || block_flush(node, error));
    block_close(node);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}

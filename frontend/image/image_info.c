/* 'reprise image info'. */
#include "allocate.h"
#include "image_json.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chain of images that comes back to itself would have no end. */
#define CHAIN_MAXIMUM 200

static void print_field(const BlockInfoField *field) {
    char name[64] = "";
    strncpy(name, field->name, sizeof(name) - 1);
    for (char *dash = strchr(name, '-'); dash != NULL; dash = strchr(dash, '-'))
        *dash = ' ';
    if (field->kind == BLOCK_INFO_TEXT)
        printf("    %s: %s\n", name, field->text);
    else if (field->kind == BLOCK_INFO_BOOL)
        printf("    %s: %s\n", name, field->number != 0 ? "true" : "false");
    else
        printf("    %s: %llu\n", name, (unsigned long long)field->number);
}

static void print_human(const BlockNode *node, const BlockInfo *info, uint64_t allocated) {
    char size[32];
    image_format_size(image_length(node), size);
    printf("image: %s\nfile format: %s\nvirtual size: %s (%llu bytes)\n", block_path(node),
           block_format(node), size, (unsigned long long)image_length(node));
    image_format_size(allocated, size);
    printf("disk size: %s\n", size);
    if (info->encrypted)
        printf("encrypted: yes\n");
    if (info->cluster_bytes != 0)
        printf("cluster_size: %u\n", info->cluster_bytes);
    if (info->dirty)
        printf("cleanly shut down: no\n");
    if (info->backing[0] != '\0')
        printf("backing file: %s\n", info->backing);
    if (info->backing_format[0] != '\0')
        printf("backing file format: %s\n", info->backing_format);
    image_print_snapshots(info);
    if (info->field_count > 0)
        printf("Format specific information:\n");
    for (unsigned i = 0; i < info->field_count; i++)
        print_field(&info->fields[i]);
}

static void json_snapshots(ImageJson *json, const BlockInfo *info) {
    image_json_begin(json, "snapshots", '[');
    for (size_t i = 0; i < info->snapshot_count; i++) {
        const BlockSnapshotInfo *snapshot = &info->snapshots[i];
        image_json_begin(json, NULL, '{');
        if (snapshot->has_instruction_count)
            image_json_number(json, "icount", snapshot->instruction_count);
        image_json_number(json, "vm-clock-nsec", snapshot->clock_ns % 1000000000);
        image_json_string(json, "name", snapshot->name);
        image_json_number(json, "date-sec", snapshot->date_seconds);
        image_json_number(json, "date-nsec", snapshot->date_nanoseconds);
        image_json_number(json, "vm-clock-sec", snapshot->clock_ns / 1000000000);
        image_json_string(json, "id", snapshot->id);
        image_json_number(json, "vm-state-size", snapshot->state_bytes);
        image_json_end(json, '}');
    }
    image_json_end(json, ']');
}

static void json_fields(ImageJson *json, const BlockNode *node, const BlockInfo *info) {
    image_json_begin(json, "format-specific", '{');
    image_json_string(json, "type", block_format(node));
    image_json_begin(json, "data", '{');
    for (unsigned i = 0; i < info->field_count; i++) {
        const BlockInfoField *field = &info->fields[i];
        if (field->kind == BLOCK_INFO_TEXT)
            image_json_string(json, field->name, field->text);
        else if (field->kind == BLOCK_INFO_BOOL)
            image_json_bool(json, field->name, field->number != 0);
        else
            image_json_number(json, field->name, field->number);
    }
    image_json_end(json, '}');
    image_json_end(json, '}');
}

static void print_json(ImageJson *json, const BlockNode *node, const BlockInfo *info,
                       uint64_t allocated) {
    image_json_begin(json, NULL, '{');
    if (info->snapshot_count > 0)
        json_snapshots(json, info);
    if (info->backing_format[0] != '\0')
        image_json_string(json, "backing-filename-format", info->backing_format);
    image_json_number(json, "virtual-size", image_length(node));
    image_json_string(json, "filename", block_path(node));
    if (info->cluster_bytes != 0)
        image_json_number(json, "cluster-size", info->cluster_bytes);
    image_json_string(json, "format", block_format(node));
    image_json_number(json, "actual-size", allocated);
    if (info->encrypted)
        image_json_bool(json, "encrypted", true);
    if (info->compressed)
        image_json_bool(json, "compressed", true);
    if (info->field_count > 0)
        json_fields(json, node, info);
    if (info->backing[0] != '\0') {
        const char *slash = strrchr(block_path(node), '/');
        int folder =
            slash != NULL && info->backing[0] != '/' ? (int)(slash - block_path(node)) + 1 : 0;
        char full[2 * BLOCK_INFO_NAME_BYTES];
        snprintf(full, sizeof(full), "%.*s%s", folder, block_path(node), info->backing);
        image_json_string(json, "full-backing-filename", full);
        image_json_string(json, "backing-filename", info->backing);
    }
    image_json_bool(json, "dirty-flag", info->dirty);
    image_json_end(json, '}');
}

/* One image; '*next' becomes the one behind it, NULL if there is none or nobody asked. */
static bool print_image(const ImageArguments *arguments, ImageJson *json, BlockNode *node,
                        BlockNode **next, Error *error) {
    BlockInfo *info = allocate_zeroed(sizeof(*info));
    uint64_t allocated = 0;
    bool good = block_info_get(node, info, error) && block_allocated_bytes(node, &allocated, error);
    *next = NULL;
    if (good && arguments->json)
        print_json(json, node, info, allocated);
    else if (good)
        print_human(node, info, allocated);
    if (good && arguments->backing_chain && info->backing[0] != '\0') {
        const char *format = info->backing_format[0] != '\0' ? info->backing_format : NULL;
        *next = image_open_backing(arguments, block_path(node), info->backing, format, error);
        good = *next != NULL;
        if (good && !arguments->json)
            printf("\n");
    }
    block_info_free(info);
    free(info);
    return good;
}

int image_info(const ImageArguments *arguments, Error *error) {
    ImageJson json = {.output = stdout};
    bool array = arguments->json && arguments->backing_chain;
    BlockNode *node = image_open(arguments, arguments->files[0], arguments->format, false, error);
    bool good = node != NULL;
    if (good && array)
        image_json_begin(&json, NULL, '[');
    for (int depth = 0; good && node != NULL; depth++) {
        BlockNode *next = NULL;
        good = depth < CHAIN_MAXIMUM ? print_image(arguments, &json, node, &next, error)
                                     : error_set(error, "%s: too many images behind one another",
                                                 arguments->files[0]);
        block_close(node);
        node = next;
    }
    block_close(node);
    if (good && array)
        image_json_end(&json, ']');
    return good ? IMAGE_DONE : IMAGE_FAILED;
}

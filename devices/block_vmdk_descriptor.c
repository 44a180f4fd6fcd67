/* The text of a VMDK image: what kind it is, and which files it is made of. The files lie beside
 * the text: an image cannot name others of the host. */
#include "allocate.h"
#include "block_vmdk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PARENT 0xFFFFFFFFu

/* The value of "KEY=VALUE" at the start of a line, without its quotation marks. */
static bool find_value(const char *text, const char *key, char *value, size_t room) {
    size_t length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\r\n \t");
        if (strncmp(line, key, length) != 0)
            continue;
        const char *start = line + length + strspn(line + length, " \t");
        if (*start != '=')
            continue;
        start += 1 + strspn(start + 1, " \t\"");
        size_t size = strcspn(start, "\"\r\n");
        if (size >= room)
            size = room - 1;
        memcpy(value, start, size);
        value[size] = '\0';
        return true;
    }
    return false;
}

static void read_geometry(const char *text, BlockGeometry *geometry) {
    char cylinders[16], heads[16], sectors[16];
    if (find_value(text, "ddb.geometry.cylinders", cylinders, sizeof(cylinders)) &&
        find_value(text, "ddb.geometry.heads", heads, sizeof(heads)) &&
        find_value(text, "ddb.geometry.sectors", sectors, sizeof(sectors)))
        *geometry = (BlockGeometry){(uint32_t)strtoul(cylinders, NULL, 10),
                                    (uint32_t)strtoul(heads, NULL, 10),
                                    (uint32_t)strtoul(sectors, NULL, 10)};
}

bool vmdk_descriptor_read_head(Vmdk *vmdk, const char *text, Error *error) {
    char value[16];
    vmdk->parent_id = NO_PARENT;
    if (find_value(text, "CID", value, sizeof(value)))
        vmdk->content_id = (uint32_t)strtoul(value, NULL, 16);
    if (find_value(text, "parentCID", value, sizeof(value)))
        vmdk->parent_id = (uint32_t)strtoul(value, NULL, 16);
    read_geometry(text, &vmdk->geometry);
    find_value(text, "createType", vmdk->create_type, sizeof(vmdk->create_type));
    return vmdk->parent_id == NO_PARENT ||
           error_set(error, "is a VMDK image that is a difference to another, which cannot be "
                            "opened");
}

/* A line that describes an extent: RW 4194304 SPARSE "disk-s001.vmdk", or with FLAT an offset. */
typedef struct ExtentLine {
    char access[16], kind[16], name[256];
    unsigned long long sectors, offset;
    bool has_offset;
} ExtentLine;

static bool parse_line(const char *line, ExtentLine *parsed) {
    int used = 0;
    *parsed = (ExtentLine){.name = ""};
    if (sscanf(line, "%15s %llu %15s%n", parsed->access, &parsed->sectors, parsed->kind, &used) < 3)
        return false;
    const char *open = line + used + strspn(line + used, " \t");
    if (*open != '"')
        return strcmp(parsed->kind, "ZERO") == 0;
    const char *close = strchr(open + 1, '"');
    if (close == NULL || (size_t)(close - open) > sizeof(parsed->name))
        return false;
    memcpy(parsed->name, open + 1, (size_t)(close - open) - 1);
    parsed->has_offset = sscanf(close + 1, "%llu", &parsed->offset) == 1;
    return true;
}

static bool is_extent_line(const char *line) {
    return strncmp(line, "RW ", 3) == 0 || strncmp(line, "RDONLY ", 7) == 0 ||
           strncmp(line, "NOACCESS ", 9) == 0;
}

static bool open_part(VmdkExtent *extent, const ExtentLine *line, BlockNode *node,
                      const BlockOptions *options, Error *error) {
    if (line->name[0] == '\0' || strchr(line->name, '/') != NULL || strcmp(line->name, "..") == 0)
        return error_set(error,
                         "has a part '%.100s', which is no file beside it; only such are opened",
                         line->name);
    const char *slash = strrchr(node->path, '/');
    int folder = slash != NULL ? (int)(slash - node->path) + 1 : 0;
    size_t room = (size_t)folder + strlen(line->name) + 1;
    char *path = allocate_zeroed(room);
    snprintf(path, room, "%.*s%s", folder, node->path, line->name);
    BlockOptions part = {.path = path,
                         .format = "raw",
                         .read_only = node->read_only,
                         .auto_read_only = options->auto_read_only,
                         .any_content = true,
                         .unlocked = options->unlocked};
    extent->part = block_open_part(node, &part, error);
    free(path);
    if (extent->part == NULL)
        return false;
    node->read_only = node->read_only || extent->part->read_only;
    extent->file = extent->part->file;
    extent->path = extent->part->path;
    extent->file_bytes = extent->part->length;
    return true;
}

static bool open_flat(VmdkExtent *extent, const ExtentLine *line, Error *error) {
    extent->kind = VMDK_FLAT;
    if (line->offset > INT64_MAX / VMDK_SECTOR_BYTES)
        return error_set(error, "has a part that begins at sector %llu", line->offset);
    extent->offset = line->offset * VMDK_SECTOR_BYTES;
    if (extent->offset > extent->file_bytes || extent->length > extent->file_bytes - extent->offset)
        return error_set(error, "has a part '%.100s' that is shorter than it says", line->name);
    return true;
}

static bool open_sparse(VmdkExtent *extent, const ExtentLine *line, Vmdk *vmdk, BlockNode *node,
                        const BlockOptions *options, Error *error) {
    extent->kind = VMDK_SPARSE;
    if (!vmdk_sparse_open(extent, node, options, false, vmdk, error))
        return error_prefix(error, "its part '%.100s' ", line->name);
    return extent->capacity >= line->sectors ||
           error_set(error, "has a part '%.100s' that is shorter than it says", line->name);
}

static bool open_extent(Vmdk *vmdk, const ExtentLine *line, BlockNode *node,
                        const BlockOptions *options, Error *error) {
    bool flat = strcmp(line->kind, "FLAT") == 0 || strcmp(line->kind, "VMFS") == 0;
    bool sparse = strcmp(line->kind, "SPARSE") == 0, zero = strcmp(line->kind, "ZERO") == 0;
    if (strcmp(line->access, "NOACCESS") == 0 || (!flat && !sparse && !zero))
        return error_set(error, "has a part of the kind %s %s, which cannot be opened",
                         line->access, line->kind);
    if (line->sectors == 0 || line->sectors > BLOCK_LENGTH_MAXIMUM / VMDK_SECTOR_BYTES / 1024)
        return error_set(error, "has a part of %llu sectors", line->sectors);
    if (vmdk->extent_count == VMDK_EXTENTS_MAXIMUM)
        return error_set(error, "has more than %u parts", VMDK_EXTENTS_MAXIMUM);
    VmdkExtent *extent = vmdk_add_extent(vmdk);
    extent->length = line->sectors * VMDK_SECTOR_BYTES;
    extent->kind = VMDK_ZERO;
    if (strcmp(line->access, "RDONLY") == 0 && !node->read_only) {
        if (!options->auto_read_only)
            return error_set(error, "has a part that is only read; add readonly=on or snapshot=on");
        node->read_only = true;
    }
    if (zero)
        return true;
    if (!open_part(extent, line, node, options, error))
        return false;
    return flat ? open_flat(extent, line, error)
                : open_sparse(extent, line, vmdk, node, options, error);
}

static bool open_extents(Vmdk *vmdk, const char *text, BlockNode *node, const BlockOptions *options,
                         Error *error) {
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        ExtentLine parsed;
        line += strspn(line, "\r\n \t");
        if (!is_extent_line(line))
            continue;
        char copy[512];
        size_t size = strcspn(line, "\r\n");
        if (size >= sizeof(copy))
            return error_set(error, "has a line that is too long");
        memcpy(copy, line, size);
        copy[size] = '\0';
        if (!parse_line(copy, &parsed))
            return error_set(error, "has a line that describes no part: %.100s", copy);
        if (!open_extent(vmdk, &parsed, node, options, error))
            return false;
    }
    return vmdk->extent_count > 0 || error_set(error, "is a VMDK image that names no files");
}

bool vmdk_descriptor_open(Vmdk *vmdk, BlockNode *node, const BlockOptions *options, Error *error) {
    if (node->length > VMDK_DESCRIPTOR_BYTES_MAXIMUM)
        return error_set(error, "is too long for the description of a VMDK image");
    char *text = allocate_zeroed((size_t)node->length + 1);
    bool good = block_file_read(node->file, 0, text, (size_t)node->length, error) &&
                vmdk_descriptor_read_head(vmdk, text, error) &&
                open_extents(vmdk, text, node, options, error);
    free(text);
    return good;
}

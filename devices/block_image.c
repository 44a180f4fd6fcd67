/* Operations on images as a whole: the way from the tools to the drivers' optional functions. */
#include "block_image.h"
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const BlockDriver *driver_of(const char *format) {
    const BlockDriver *driver;
    for (size_t i = 0; (driver = block_driver_get(i)) != NULL; i++)
        if (strcmp(driver->name, format) == 0)
            return driver;
    return NULL;
}

const char *block_format_name(size_t index) {
    const BlockDriver *driver = block_driver_get(index);
    return driver != NULL ? driver->name : NULL;
}

bool block_format_exists(const char *format) {
    return driver_of(format) != NULL;
}

bool block_format_creates(const char *format) {
    const BlockDriver *driver = driver_of(format);
    return driver != NULL && driver->create != NULL;
}

bool block_format_backs(const char *format) {
    const BlockDriver *driver = driver_of(format);
    return driver != NULL && driver->create != NULL && driver->can_back;
}

bool block_format_compresses(const char *format) {
    const BlockDriver *driver = driver_of(format);
    return driver != NULL && driver->write_compressed != NULL;
}

const BlockCreateOption *block_format_create_options(const char *format) {
    static const BlockCreateOption none[] = {{NULL, NULL, NULL}};
    const BlockDriver *driver = driver_of(format);
    return driver != NULL && driver->create_options != NULL ? driver->create_options : none;
}

const char *block_create_value(const BlockCreateRequest *request, const char *name) {
    for (size_t i = request->value_count; i > 0; i--)
        if (strcmp(request->values[i - 1].name, name) == 0)
            return request->values[i - 1].value;
    return NULL;
}

bool block_create_bool(const BlockCreateRequest *request, const char *name, bool otherwise,
                       bool *result, Error *error) {
    const char *value = block_create_value(request, name);
    *result = value == NULL ? otherwise : strcmp(value, "on") == 0;
    return value == NULL || *result || strcmp(value, "off") == 0 ||
           error_set(error, "%s is on or off, not '%s'", name, value);
}

bool block_create_size(const BlockCreateRequest *request, const char *name, uint64_t otherwise,
                       uint64_t *result, Error *error) {
    static const char suffixes[] = "KMGT";
    const char *value = block_create_value(request, name);
    *result = otherwise;
    if (value == NULL)
        return true;
    char *end = NULL;
    errno = 0;
    *result = strtoull(value, &end, 10);
    unsigned shift = 0;
    const char *suffix =
        *end != '\0' ? strchr(suffixes, *end >= 'a' && *end <= 'z' ? *end - 32 : *end) : NULL;
    if (suffix != NULL) {
        shift = 10 * (unsigned)(suffix - suffixes + 1);
        end++;
    }
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || *result > UINT64_MAX >> shift)
        return error_set(error, "%s takes a size, not '%s'", name, value);
    *result <<= shift;
    return true;
}

static bool check_values(const BlockDriver *driver, const BlockCreateRequest *request,
                         Error *error) {
    for (size_t i = 0; i < request->value_count; i++) {
        const BlockCreateOption *option = block_format_create_options(driver->name);
        while (option->name != NULL && strcmp(option->name, request->values[i].name) != 0)
            option++;
        if (option->name == NULL)
            return error_set(error, "the format %s has no option '%s'; '-o help' lists them",
                             driver->name, request->values[i].name);
    }
    return true;
}

/* An export is there already, as a block device is: it only has to be large enough. */
static bool check_export(const char *format, const BlockCreateRequest *request, Error *error) {
    if (strcmp(format, "raw") != 0)
        return error_set(error, "%s: an export of an NBD server is written as raw, not as %s",
                         request->path, format);
    BlockNode *node =
        block_open(&(BlockOptions){.path = request->path, .any_content = true}, error);
    if (node == NULL)
        return false;
    uint64_t there = block_length(node);
    block_close(node);
    return there >= request->length ||
           error_set(error, "%s: has %llu bytes, and cannot be made %llu bytes long", request->path,
                     (unsigned long long)there, (unsigned long long)request->length);
}

bool block_create(const char *format, const BlockCreateRequest *request, Error *error) {
    const BlockDriver *driver = driver_of(format);
    struct stat before;
    if (block_names_nbd(request->path))
        return check_export(format, request, error);
    bool was_there = lstat(request->path, &before) == 0;
    Error reason = {0};
    if (driver == NULL)
        error_set(&reason, "image format '%s' is not known", format);
    else if (driver->create == NULL)
        error_set(&reason, "images of the format %s cannot be made", format);
    else if (request->backing != NULL && !driver->can_back)
        error_set(&reason, "the format %s has no backing images", format);
    else if (request->length > BLOCK_LENGTH_MAXIMUM)
        error_set(&reason, "larger than the largest file");
    else if (check_values(driver, request, &reason) && driver->create(request, &reason))
        return true;
    else if (!was_there)
        unlink(request->path);
    return error_set(error, "%s: %s", request->path, reason.message);
}

bool block_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
               Error *error) {
    *extent = (BlockExtent){0};
    uint64_t inside = offset < node->length ? node->length - offset : 0;
    if (inside == 0) { /* the rest of the last sector */
        *extent = (BlockExtent){.length = length, .present = true, .zero = true};
        return true;
    }
    if (length > inside)
        length = inside;
    if (node->driver->map == NULL) {
        *extent = (BlockExtent){.length = length, .present = true, .data = true};
        return true;
    }
    return node->driver->map(node, offset, length, extent, error) ||
           error_prefix(error, "%s: ", node->path);
}

bool block_info_get(BlockNode *node, BlockInfo *info, Error *error) {
    memset(info, 0, sizeof(*info));
    return node->driver->info == NULL || node->driver->info(node, info, error) ||
           error_prefix(error, "%s: ", node->path);
}

void block_info_free(BlockInfo *info) {
    free(info->snapshots);
    info->snapshots = NULL;
    info->snapshot_count = 0;
}

static BlockInfoField *add_field(BlockInfo *info, const char *name, BlockInfoKind kind) {
    if (info->field_count == BLOCK_INFO_FIELDS)
        return NULL;
    BlockInfoField *field = &info->fields[info->field_count++];
    field->name = name;
    field->kind = kind;
    return field;
}

void block_info_add_text(BlockInfo *info, const char *name, const char *text) {
    BlockInfoField *field = add_field(info, name, BLOCK_INFO_TEXT);
    if (field != NULL)
        strncpy(field->text, text, sizeof(field->text) - 1);
}

void block_info_add_number(BlockInfo *info, const char *name, uint64_t number) {
    BlockInfoField *field = add_field(info, name, BLOCK_INFO_NUMBER);
    if (field != NULL)
        field->number = number;
}

void block_info_add_bool(BlockInfo *info, const char *name, bool value) {
    BlockInfoField *field = add_field(info, name, BLOCK_INFO_BOOL);
    if (field != NULL)
        field->number = value;
}

void block_info_add_geometry(BlockInfo *info, const BlockGeometry *geometry) {
    block_info_add_number(info, "cylinders", geometry->cylinders);
    block_info_add_number(info, "heads", geometry->heads);
    block_info_add_number(info, "sectors", geometry->sectors);
}

bool block_geometry(const BlockNode *node, BlockGeometry *geometry) {
    while (node->below != NULL)
        node = node->below;
    return node->driver->geometry != NULL && node->driver->geometry(node, geometry) &&
           geometry->cylinders > 0 && geometry->heads > 0 && geometry->sectors > 0;
}

bool block_allocated_bytes(const BlockNode *node, uint64_t *bytes, Error *error) {
    struct stat status;
    *bytes = 0;
    if (fstat(node->file, &status) != 0)
        return error_set(error, "%s: cannot be looked at: %s", node->path, strerror(errno));
    *bytes = (uint64_t)status.st_blocks * 512; /* the unit of stat(2), whatever the disk's is */
    return true;
}

bool block_snapshot(BlockNode *node, BlockSnapshotAction action, const char *name, Error *error) {
    if (node->driver->snapshot == NULL)
        return error_set(error, "%s: the format %s has no snapshots in its images", node->path,
                         node->driver->name);
    if (node->read_only)
        return error_set(error, "%s: is write-protected", node->path);
    return node->driver->snapshot(node, action, name, error) ||
           error_prefix(error, "%s: ", node->path);
}

bool block_measure(const char *format, const BlockCreateRequest *request, BlockMeasure *measure,
                   Error *error) {
    const BlockDriver *driver = driver_of(format);
    if (driver == NULL)
        return error_set(error, "image format '%s' is not known", format);
    if (driver->measure == NULL)
        return error_set(error, "the format %s cannot be measured", format);
    return check_values(driver, request, error) && driver->measure(request, measure, error);
}

bool block_set_backing(BlockNode *node, const char *name, const char *format, Error *error) {
    if (node->driver->set_backing == NULL)
        return error_set(error, "%s: the format %s has no backing images", node->path,
                         node->driver->name);
    if (node->read_only)
        return error_set(error, "%s: is write-protected", node->path);
    return node->driver->set_backing(node, name, format, error) ||
           error_prefix(error, "%s: ", node->path);
}

bool block_amend(BlockNode *node, const BlockCreateRequest *request, Error *error) {
    if (node->driver->amend == NULL)
        return error_set(error, "%s: images of the format %s cannot be amended", node->path,
                         node->driver->name);
    if (node->read_only)
        return error_set(error, "%s: is write-protected", node->path);
    return node->driver->amend(node, request, error) || error_prefix(error, "%s: ", node->path);
}

bool block_can_check(const BlockNode *node) {
    return node->driver->check != NULL;
}

bool block_check(BlockNode *node, BlockCheck *check, Error *error) {
    *check = (BlockCheck){.repair_leaks = check->repair_leaks, .repair_all = check->repair_all};
    if (node->driver->check == NULL)
        return error_set(error, "%s: the format %s has nothing that could be checked", node->path,
                         node->driver->name);
    return node->driver->check(node, check, error) || error_prefix(error, "%s: ", node->path);
}

bool block_can_resize(const BlockNode *node) {
    return node->driver->resize != NULL;
}

bool block_write_compressed(BlockNode *node, uint64_t offset, const void *data, size_t size,
                            Error *error) {
    if (node->driver->write_compressed == NULL)
        return error_set(error, "%s: the format %s does not compress", node->path,
                         node->driver->name);
    if (node->read_only)
        return error_set(error, "%s: is write-protected", node->path);
    return node->driver->write_compressed(node, offset, data, size, error) ||
           error_prefix(error, "%s: ", node->path);
}

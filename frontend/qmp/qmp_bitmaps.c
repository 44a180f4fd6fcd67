/* Dirty bitmaps: what was written of a disk since a client began to ask, for backups of no more
 * than that. On the machine's thread. They are kept with the process, not in images. */
#include "qmp_block.h"

#include <string.h>

static DirtyBitmap **find_place(QmpServer *server, const BlockNode *node, const char *name) {
    for (int i = 0; i < QMP_BITMAPS; i++) {
        DirtyBitmap *bitmap = server->bitmap[i];
        if (bitmap != NULL && dirty_bitmap_node(bitmap) == node &&
            strcmp(dirty_bitmap_name(bitmap), name) == 0)
            return &server->bitmap[i];
    }
    return NULL;
}

/* Those of nodes that are gone make room. */
static DirtyBitmap **find_free_place(QmpServer *server) {
    for (int i = 0; i < QMP_BITMAPS; i++) {
        DirtyBitmap **place = &server->bitmap[i];
        if (*place != NULL && dirty_bitmap_node(*place) == NULL && !dirty_bitmap_is_busy(*place)) {
            dirty_bitmap_free(*place);
            *place = NULL;
        }
        if (*place == NULL)
            return place;
    }
    return NULL;
}

DirtyBitmap *qmp_bitmap_find(QmpCall *call, const char *node_name, const char *name, bool idle) {
    const BlockNode *node = qmp_find_node(call, node_name);
    DirtyBitmap **place = node != NULL ? find_place(call->server, node, name) : NULL;
    if (node != NULL && place == NULL)
        qmp_fail(call, QMP_GENERIC_ERROR, "Dirty bitmap '%.100s' not found", name);
    if (place == NULL)
        return NULL;
    if (idle && dirty_bitmap_is_busy(*place)) {
        qmp_fail(call, QMP_GENERIC_ERROR,
                 "Bitmap '%.100s' is currently in use by another operation and cannot be used",
                 name);
        return NULL;
    }
    return *place;
}

static DirtyBitmap *find_named(QmpCall *call) {
    return qmp_bitmap_find(call, qmp_get_string(call, "node"), qmp_get_string(call, "name"), true);
}

bool qmp_bitmap_add(QmpCall *call) {
    const char *name = qmp_get_string(call, "name");
    int64_t granularity = qmp_get_int(call, "granularity", DIRTY_GRANULARITY);
    BlockNode *node = qmp_find_node(call, qmp_get_string(call, "node"));
    if (node == NULL)
        return false;
    if (*name == '\0')
        return qmp_fail(call, QMP_GENERIC_ERROR, "Bitmap name cannot be empty");
    if (granularity < DIRTY_GRANULARITY_MIN || granularity > DIRTY_GRANULARITY_MAX ||
        (granularity & (granularity - 1)) != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Granularity must be power of 2 and at least 512");
    if (qmp_get_bool(call, "persistent", false))
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Bitmaps are not stored in images in this version: persistent is false");
    if (find_place(call->server, node, name) != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Bitmap already exists: %.100s", name);
    DirtyBitmap **place = find_free_place(call->server);
    if (place == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "too many bitmaps");
    *place = dirty_bitmap_create(node, name, (uint32_t)granularity,
                                 !qmp_get_bool(call, "disabled", false));
    return true;
}

bool qmp_bitmap_remove(QmpCall *call) {
    DirtyBitmap *bitmap = find_named(call);
    for (int i = 0; bitmap != NULL && i < QMP_BITMAPS; i++)
        if (call->server->bitmap[i] == bitmap)
            call->server->bitmap[i] = NULL;
    dirty_bitmap_free(bitmap);
    return bitmap != NULL;
}

bool qmp_bitmap_clear(QmpCall *call) {
    DirtyBitmap *bitmap = find_named(call);
    if (bitmap != NULL)
        dirty_bitmap_clear(bitmap);
    return bitmap != NULL;
}

bool qmp_bitmap_enable(QmpCall *call) {
    DirtyBitmap *bitmap = find_named(call);
    if (bitmap != NULL)
        dirty_bitmap_record(bitmap, true);
    return bitmap != NULL;
}

bool qmp_bitmap_disable(QmpCall *call) {
    DirtyBitmap *bitmap = find_named(call);
    if (bitmap != NULL)
        dirty_bitmap_record(bitmap, false);
    return bitmap != NULL;
}

/* A name, of the same node, or node and name. */
static DirtyBitmap *find_source(QmpCall *call, json_object *source) {
    const char *node = qmp_get_string(call, "node"), *name = NULL;
    if (json_object_is_type(source, json_type_string)) {
        name = json_object_get_string(source);
    } else if (json_object_is_type(source, json_type_object)) {
        json_object *other = json_object_object_get(source, "node");
        json_object *named = json_object_object_get(source, "name");
        if (json_object_is_type(other, json_type_string))
            node = json_object_get_string(other);
        if (json_object_is_type(named, json_type_string))
            name = json_object_get_string(named);
    }
    if (name == NULL) {
        qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'bitmaps' expects names, or node and name");
        return NULL;
    }
    return qmp_bitmap_find(call, node, name, true);
}

bool qmp_bitmap_merge(QmpCall *call) {
    json_object *sources = qmp_get(call, "bitmaps");
    size_t count = json_object_array_length(sources);
    DirtyBitmap *target =
        qmp_bitmap_find(call, qmp_get_string(call, "node"), qmp_get_string(call, "target"), true);
    for (size_t i = 0; target != NULL && i < 2 * count; i++) { /* first they are checked */
        DirtyBitmap *source = find_source(call, json_object_array_get_idx(sources, i % count));
        if (source == NULL)
            return false;
        if (i >= count)
            dirty_bitmap_merge(target, source);
    }
    return target != NULL;
}

json_object *qmp_bitmaps_describe(const QmpServer *server, const BlockNode *node) {
    json_object *list = NULL;
    for (int i = 0; i < QMP_BITMAPS; i++) {
        const DirtyBitmap *bitmap = server->bitmap[i];
        if (bitmap == NULL || dirty_bitmap_node(bitmap) != node)
            continue;
        list = list != NULL ? list : json_object_new_array();
        json_object_array_add(
            list, qmp_pack("name:s count:i granularity:i recording:b busy:b persistent:b",
                           dirty_bitmap_name(bitmap), (int64_t)dirty_bitmap_bytes(bitmap),
                           (int64_t)dirty_bitmap_granularity(bitmap),
                           dirty_bitmap_is_recording(bitmap), dirty_bitmap_is_busy(bitmap), false));
    }
    return list;
}

static void free_all(void *opaque) {
    QmpServer *server = opaque;
    for (int i = 0; i < QMP_BITMAPS; i++)
        dirty_bitmap_free(server->bitmap[i]);
}

/* The guest may be writing. */
void qmp_bitmaps_free(QmpServer *server) {
    if (server->program->machine != NULL)
        machine_call(server->program->machine, free_all, server);
}

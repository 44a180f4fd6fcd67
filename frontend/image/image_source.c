#include "image_source.h"
#include "allocate.h"
#include "host_file.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool image_source_open(ImageSource *source, const ImageArguments *arguments, int count,
                       Error *error) {
    *source = (ImageSource){.salvage = arguments->salvage, .quiet = arguments->quiet};
    source->nodes = allocate_zeroed((size_t)count * sizeof(*source->nodes));
    source->starts = allocate_zeroed(((size_t)count + 1) * sizeof(*source->starts));
    for (int i = 0; i < count; i++) {
        BlockNode *node =
            image_open(arguments, arguments->files[i], arguments->format, false, error);
        if (node == NULL)
            return false;
        source->nodes[source->count++] = node;
        source->starts[i + 1] = source->starts[i] + image_length(node);
        if (source->starts[i + 1] > BLOCK_LENGTH_MAXIMUM)
            return error_set(error, "together larger than the largest image");
    }
    return true;
}

void image_source_close(ImageSource *source) {
    for (int i = 0; i < source->count; i++)
        block_close(source->nodes[i]);
    free(source->nodes);
    free(source->starts);
    *source = (ImageSource){0};
}

uint64_t image_source_length(const ImageSource *source) {
    return source->starts[source->count];
}

bool image_source_check_other(const ImageSource *source, const char *path, Error *error) {
    struct stat target, status;
    if (stat(path, &target) != 0)
        return true;
    for (int i = 0; i < source->count; i++) {
        const char *name = block_path(source->nodes[i]);
        if (stat(name, &status) == 0 && status.st_dev == target.st_dev &&
            status.st_ino == target.st_ino)
            return error_set(error, "%s: is source and target", path);
    }
    return true;
}

static int find_node(const ImageSource *source, uint64_t offset) {
    int i = 0;
    while (i + 1 < source->count && offset >= source->starts[i + 1])
        i++;
    return i;
}

bool image_source_map(ImageSource *source, uint64_t offset, uint64_t length, uint64_t *run,
                      bool *zero, Error *error) {
    int i = find_node(source, offset);
    BlockExtent extent;
    uint64_t inside = source->starts[i + 1] - offset;
    if (!block_map(source->nodes[i], offset - source->starts[i], inside < length ? inside : length,
                   &extent, error))
        return false;
    *run = extent.length;
    *zero = extent.zero;
    return true;
}

void image_source_finish(ImageSource *source) {
    if (source->bad_path != NULL && !source->quiet)
        fprintf(stderr,
                "reprise: image: warning: %s: bytes %llu to %llu cannot be read; the target has "
                "zeros there\n",
                source->bad_path, (unsigned long long)source->bad_start,
                (unsigned long long)source->bad_end - 1);
    source->bad_path = NULL;
}

static void note_unreadable(ImageSource *source, int node, uint64_t offset, size_t size) {
    const char *path = block_path(source->nodes[node]);
    if (source->bad_path != path || source->bad_end != offset) {
        image_source_finish(source);
        source->bad_path = path;
        source->bad_start = offset;
    }
    source->bad_end = offset + size;
    source->unreadable_bytes += size;
}

/* Halves what cannot be read until only the sectors are left that really cannot. */
static void read_salvaging(ImageSource *source, int node, uint64_t offset, uint8_t *data,
                           size_t size) {
    if (block_read(source->nodes[node], offset, data, size, NULL))
        return;
    if (size <= BLOCK_SECTOR_BYTES) {
        memset(data, 0, size);
        note_unreadable(source, node, offset, size);
        return;
    }
    size_t half = (size_t)image_round_up(size / 2);
    read_salvaging(source, node, offset, data, half);
    read_salvaging(source, node, offset + half, data + half, size - half);
}

bool image_source_read(ImageSource *source, uint64_t offset, uint8_t *data, size_t size,
                       Error *error) {
    while (size > 0) {
        int i = find_node(source, offset);
        uint64_t inside = source->starts[i + 1] - offset;
        size_t part = inside < size ? (size_t)inside : size;
        if (source->salvage)
            read_salvaging(source, i, offset - source->starts[i], data, part);
        else if (!block_read(source->nodes[i], offset - source->starts[i], data, part, error))
            return false;
        offset += part;
        data += part;
        size -= part;
    }
    return true;
}

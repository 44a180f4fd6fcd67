/* 'reprise image commit': what an image keeps as differences goes to the one behind it. */
#include "allocate.h"
#include "host_file.h"
#include "image_progress.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (1u << 20)
#define CHAIN_MAXIMUM 64

typedef struct Commit {
    const ImageArguments *arguments;
    BlockNode *nodes[CHAIN_MAXIMUM]; /* alone, from the image on to the last one above the base */
    int count;
    BlockNode *base;
    uint8_t *buffer;
    ImageProgress progress;
} Commit;

static bool is_same_file(const char *path, const char *other) {
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Whether this one is what was asked for: by its name in the image, or as a file. */
static bool is_base(const ImageArguments *arguments, const char *name, const char *path) {
    return arguments->backing == NULL || strcmp(arguments->backing, name) == 0 ||
           is_same_file(arguments->backing, path);
}

/* The image behind the last of the chain joins it, or is the base. */
static bool open_next(Commit *commit, const BlockInfo *info, Error *error) {
    const BlockNode *above = commit->nodes[commit->count - 1];
    if (info->backing[0] == '\0')
        return error_set(error, "%s: %s", block_path(commit->nodes[0]),
                         commit->count == 1 ? "has no image behind it to commit to"
                                            : "the image of -b is not behind it");
    const char *format = info->backing_format[0] != '\0' ? info->backing_format : NULL;
    char *path = image_backing_path(block_path(above), info->backing);
    if (is_base(commit->arguments, info->backing, path))
        commit->base = image_open(commit->arguments, path, format, true, error);
    else if (commit->count == CHAIN_MAXIMUM)
        error_set(error, "%s: too many images behind one another", path);
    else
        commit->nodes[commit->count] =
            image_open_alone(commit->arguments, path, format, false, error);
    bool good = commit->base != NULL ||
                (commit->count < CHAIN_MAXIMUM && commit->nodes[commit->count] != NULL);
    if (good && commit->base == NULL)
        commit->count++;
    free(path);
    return good;
}

static bool open_chain(Commit *commit, Error *error) {
    const ImageArguments *arguments = commit->arguments;
    commit->nodes[0] =
        image_open_alone(arguments, arguments->files[0], arguments->format, true, error);
    if (commit->nodes[0] == NULL)
        return false;
    commit->count = 1;
    BlockInfo *info = allocate_zeroed(sizeof(*info));
    bool good = true;
    while (good && commit->base == NULL) {
        BlockNode *node = commit->nodes[commit->count - 1];
        good =
            block_format_backs(block_format(node)) ||
            (commit->count > 1 ? error_set(error, "%s: the image of -b is not behind it",
                                           block_path(commit->nodes[0]))
                               : error_set(error, "%s: images of the format %s cannot be committed",
                                           block_path(node), block_format(node)));
        good = good && block_info_get(node, info, error) && open_next(commit, info, error);
        block_info_free(info);
    }
    free(info);
    return good;
}

/* Which image of the chain has the range, and so hides what is behind; -1: none. */
static int find_owner(const Commit *commit, uint64_t offset, uint64_t length, BlockExtent *extent,
                      uint64_t *run, Error *error) {
    *run = length;
    for (int i = 0; i < commit->count; i++) {
        if (offset >= image_length(commit->nodes[i])) {
            *extent = (BlockExtent){.present = true, .zero = true};
            return i; /* what an image is too short for are zeros */
        }
        if (!block_map(commit->nodes[i], offset, *run, extent, error))
            return -2;
        *run = extent->length;
        if (extent->present)
            return i;
    }
    return -1;
}

static bool copy_run(Commit *commit, int owner, const BlockExtent *extent, uint64_t offset,
                     uint64_t length, Error *error) {
    if (extent->zero)
        return block_write_zeros(commit->base, offset, length, error);
    for (uint64_t done = 0; done < length; done += BUFFER_BYTES) {
        size_t part = length - done < BUFFER_BYTES ? (size_t)(length - done) : BUFFER_BYTES;
        if (!block_read(commit->nodes[owner], offset + done, commit->buffer, part, error) ||
            !block_write(commit->base, offset + done, commit->buffer, part, error))
            return false;
    }
    return true;
}

static bool copy(Commit *commit, Error *error) {
    uint64_t end = image_length(commit->nodes[0]), run;
    if (block_length(commit->base) < end) {
        if (!block_can_resize(commit->base))
            return error_set(error, "%s: is too short for what is to be written to it",
                             block_path(commit->base));
        if (!block_set_length(commit->base, end, error))
            return false;
    }
    for (uint64_t offset = 0; offset < end; offset += run) {
        BlockExtent extent;
        int owner = find_owner(commit, offset, end - offset, &extent, &run, error);
        if (owner == -2 || (owner >= 0 && !copy_run(commit, owner, &extent, offset, run, error)))
            return false;
        image_progress_show(&commit->progress, offset + run);
    }
    return block_flush(commit->base, error);
}

/* What is in the base need not be in the image. */
static bool empty_image(const Commit *commit, Error *error) {
    BlockNode *image = commit->nodes[0];
    return block_discard(image, 0, block_length(image), error) && block_flush(image, error);
}

int image_commit(const ImageArguments *arguments, Error *error) {
    Commit commit = {.arguments = arguments};
    bool good = open_chain(&commit, error);
    if (good) {
        commit.buffer = allocate_zeroed(BUFFER_BYTES);
        image_progress_begin(&commit.progress, arguments->progress && !arguments->quiet,
                             image_length(commit.nodes[0]));
        good = copy(&commit, error);
        image_progress_end(&commit.progress);
    }
    bool keeps = arguments->keep_overlay || arguments->backing != NULL;
    good = good && (keeps || empty_image(&commit, error));
    block_close(commit.base);
    for (int i = 0; i < commit.count; i++)
        block_close(commit.nodes[i]);
    free(commit.buffer);
    if (good && !arguments->quiet)
        printf("Image committed.\n");
    return good ? IMAGE_DONE : IMAGE_FAILED;
}

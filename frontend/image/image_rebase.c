/* 'reprise image rebase': an image keeps its differences to another image from now on, or to none;
 * what it holds stays the same, unless that is not asked for. */
#include "allocate.h"
#include "image_progress.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (1u << 20)

typedef struct Rebase {
    BlockNode *image, *behind; /* the new one; NULL: none */
    uint64_t unit_bytes;
    uint8_t *now, *then;
    ImageProgress progress;
} Rebase;

/* Where the new image has something else, the old contents become the image's own. */
static bool take_over(Rebase *rebase, uint64_t offset, size_t size, Error *error) {
    if (!block_read(rebase->image, offset, rebase->now, size, error))
        return false;
    memset(rebase->then, 0, size);
    if (rebase->behind != NULL && !block_read(rebase->behind, offset, rebase->then, size, error))
        return false;
    for (size_t at = 0; at < size;) {
        size_t part = (size_t)(rebase->unit_bytes - (offset + at) % rebase->unit_bytes);
        part = part < size - at ? part : size - at;
        if (memcmp(rebase->now + at, rebase->then + at, part) != 0 &&
            !block_write(rebase->image, offset + at, rebase->now + at, part, error))
            return false;
        at += part;
    }
    return true;
}

static bool compare_all(Rebase *rebase, Error *error) {
    uint64_t end = image_length(rebase->image);
    for (uint64_t offset = 0; offset < end;) {
        BlockExtent extent;
        if (!block_map(rebase->image, offset, end - offset, &extent, error))
            return false;
        bool own = extent.present && extent.depth == 0;
        uint64_t run = extent.length;
        if (!own && run > BUFFER_BYTES)
            run = BUFFER_BYTES - offset % BUFFER_BYTES;
        if (!own && !take_over(rebase, offset, (size_t)run, error))
            return false;
        offset += run;
        image_progress_show(&rebase->progress, offset);
    }
    return true;
}

static bool find_unit(Rebase *rebase, Error *error) {
    BlockInfo *info = allocate_zeroed(sizeof(*info));
    bool good = block_info_get(rebase->image, info, error);
    rebase->unit_bytes = info->cluster_bytes != 0 ? info->cluster_bytes : 65536;
    block_info_free(info);
    free(info);
    return good;
}

static bool keep_contents(Rebase *rebase, const ImageArguments *arguments, const char *backing,
                          Error *error) {
    if (backing != NULL) {
        rebase->behind = image_open_backing(arguments, arguments->files[0], backing,
                                            arguments->second_format, error);
        if (rebase->behind == NULL)
            return false;
    }
    rebase->now = allocate_zeroed(BUFFER_BYTES);
    rebase->then = allocate_zeroed(BUFFER_BYTES);
    image_progress_begin(&rebase->progress, arguments->progress && !arguments->quiet,
                         image_length(rebase->image));
    bool good =
        find_unit(rebase, error) && compare_all(rebase, error) && block_flush(rebase->image, error);
    image_progress_end(&rebase->progress);
    block_close(rebase->behind);
    free(rebase->now);
    free(rebase->then);
    return good;
}

static bool check_arguments(const ImageArguments *arguments, Error *error) {
    if (arguments->backing == NULL)
        return error_set(error, "which image is to be behind it? -b FILE, or -b \"\" for none");
    if (arguments->backing[0] != '\0' && arguments->second_format == NULL)
        return error_set(error, "a backing image needs its format: -F FORMAT");
    return arguments->second_format == NULL || block_format_exists(arguments->second_format) ||
           error_set(error, "unknown format '%s'; 'reprise image --help' lists them",
                     arguments->second_format);
}

int image_rebase(const ImageArguments *arguments, Error *error) {
    Rebase rebase = {0};
    if (!check_arguments(arguments, error))
        return IMAGE_FAILED;
    const char *backing = arguments->backing[0] != '\0' ? arguments->backing : NULL;
    const char *path = arguments->files[0];
    rebase.image = arguments->unchecked_backing
                       ? image_open_alone(arguments, path, arguments->format, true, error)
                       : image_open(arguments, path, arguments->format, true, error);
    if (rebase.image == NULL)
        return IMAGE_FAILED;
    bool good = block_format_backs(block_format(rebase.image)) ||
                error_set(error, "%s: the format %s has no backing images", path,
                          block_format(rebase.image));
    good = good &&
           (arguments->unchecked_backing || keep_contents(&rebase, arguments, backing, error)) &&
           block_set_backing(rebase.image, backing,
                             backing != NULL ? arguments->second_format : NULL, error) &&
           block_flush(rebase.image, error);
    block_close(rebase.image);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}

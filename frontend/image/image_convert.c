/* 'reprise image convert'. What is zero in the source is not written to a target that reads as
 * zeros anyway; what a backing image of the target has already is not written either. */
#include "allocate.h"
#include "host_file.h"
#include "image_progress.h"
#include "image_source.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (2u << 20)

typedef struct Conversion {
    ImageSource source;
    BlockNode *target;
    uint64_t sparse_bytes;
    bool target_is_zero;   /* what is not written reads as zeros */
    bool target_is_backed; /* what is not written reads as the backing image */
    bool compress;
    size_t piece_bytes; /* how much is read and written at once */
    uint8_t *buffer, *present;
    ImageProgress progress;
} Conversion;

/* Splits a piece into runs of units that are all zero and units that are not, and writes these. */
static bool write_sparse(Conversion *conversion, uint64_t offset, size_t size, Error *error) {
    const uint8_t *data = conversion->buffer;
    size_t unit = (size_t)conversion->sparse_bytes, start = 0;
    for (size_t here = 0; here < size;) {
        /* Units are counted from the start of the medium, so that they lie as its clusters do. */
        size_t part = unit - (size_t)((offset + here) % unit);
        if (part > size - here)
            part = size - here;
        bool zero = image_is_zero(data + here, part);
        if (zero && start < here &&
            !block_write(conversion->target, offset + start, data + start, here - start, error))
            return false;
        here += part;
        if (zero)
            start = here;
    }
    return start >= size ||
           block_write(conversion->target, offset + start, data + start, size - start, error);
}

/* Only the sectors that differ from what the target reads as already. */
static bool write_differences(Conversion *conversion, uint64_t offset, size_t size, Error *error) {
    const uint8_t *data = conversion->buffer;
    if (!block_read(conversion->target, offset, conversion->present, size, error))
        return false;
    size_t start = 0;
    for (size_t here = 0; here < size;) {
        size_t part = size - here < BLOCK_SECTOR_BYTES ? size - here : BLOCK_SECTOR_BYTES;
        bool same = memcmp(data + here, conversion->present + here, part) == 0;
        if (same && start < here &&
            !block_write(conversion->target, offset + start, data + start, here - start, error))
            return false;
        here += part;
        if (same)
            start = here;
    }
    return start >= size ||
           block_write(conversion->target, offset + start, data + start, size - start, error);
}

static bool write_piece(Conversion *conversion, uint64_t offset, size_t size, Error *error) {
    bool may_skip = conversion->target_is_zero && conversion->sparse_bytes > 0;
    if (conversion->target_is_backed)
        return write_differences(conversion, offset, size, error);
    if (conversion->compress)
        return (may_skip && image_is_zero(conversion->buffer, size)) ||
               block_write_compressed(conversion->target, offset, conversion->buffer, size, error);
    if (may_skip)
        return write_sparse(conversion, offset, size, error);
    return block_write(conversion->target, offset, conversion->buffer, size, error);
}

/* The zeros that need not even be read, in whole pieces where the target wants those. */
static bool skip_zeros(Conversion *conversion, uint64_t *offset, Error *error) {
    uint64_t end = image_source_length(&conversion->source), run;
    bool zero = conversion->target_is_zero && conversion->sparse_bytes > 0;
    uint64_t here = *offset;
    while (zero && here < end) {
        if (!image_source_map(&conversion->source, here, end - here, &run, &zero, error))
            return false;
        if (zero)
            here += run;
    }
    if (conversion->compress && here < end)
        here -= here % conversion->piece_bytes;
    *offset = here > *offset ? here : *offset;
    return true;
}

static bool copy(Conversion *conversion, Error *error) {
    uint64_t end = image_source_length(&conversion->source), offset = 0;
    while (offset < end) {
        if (!skip_zeros(conversion, &offset, error))
            return false;
        uint64_t left = end - offset;
        size_t size = conversion->piece_bytes - (size_t)(offset % conversion->piece_bytes);
        if (size > left)
            size = (size_t)left;
        if (size > 0 &&
            (!image_source_read(&conversion->source, offset, conversion->buffer, size, error) ||
             !write_piece(conversion, offset, size, error)))
            return false;
        offset += size;
        image_progress_show(&conversion->progress, offset);
    }
    image_source_finish(&conversion->source);
    return block_flush(conversion->target, error);
}

static const char *target_path(const ImageArguments *arguments) {
    return arguments->files[arguments->file_count - 1];
}

/* One disk that becomes another keeps a geometry of its own. */
static bool create_target(const ImageArguments *arguments, const ImageSource *source,
                          const char *format, Error *error) {
    BlockCreateRequest request = {
        .path = target_path(arguments),
        .length = image_source_length(source),
        .backing = arguments->backing,
        .backing_format = arguments->second_format,
        .values = arguments->values,
        .value_count = arguments->value_count,
    };
    if (source->count != 1 || !block_geometry(source->nodes[0], &request.geometry))
        request.geometry = (BlockGeometry){0};
    return block_create(format, &request, error);
}

/* The target's piece is a whole cluster where it is compressed. */
static bool choose_piece(Conversion *conversion, Error *error) {
    conversion->piece_bytes = BUFFER_BYTES;
    BlockInfo *info = allocate_zeroed(sizeof(*info));
    bool good = block_info_get(conversion->target, info, error);
    conversion->compress = conversion->compress || info->compressed;
    if (conversion->compress && info->cluster_bytes > 0)
        conversion->piece_bytes = info->cluster_bytes;
    block_info_free(info);
    free(info);
    if (!good)
        return false;
    conversion->buffer = allocate_zeroed(conversion->piece_bytes);
    conversion->present = allocate_zeroed(conversion->piece_bytes);
    return true;
}

static bool open_target(Conversion *conversion, const ImageArguments *arguments, const char *format,
                        Error *error) {
    const char *path = target_path(arguments);
    ImageArguments exclusive = *arguments;
    struct stat status;
    exclusive.force_share = false;
    conversion->target = image_open(&exclusive, path, format, true, error);
    if (conversion->target == NULL)
        return false;
    if (block_length(conversion->target) < image_source_length(&conversion->source))
        return error_set(error, "%s: is smaller than what is to be written to it", path);
    bool fresh = !arguments->keep_target && stat(path, &status) == 0 && S_ISREG(status.st_mode);
    conversion->target_is_backed = fresh && arguments->backing != NULL;
    conversion->target_is_zero =
        !conversion->target_is_backed && (fresh || arguments->target_is_zero);
    conversion->sparse_bytes = arguments->sparse_bytes;
    conversion->compress = arguments->compress;
    return choose_piece(conversion, error);
}

static bool convert(Conversion *conversion, const ImageArguments *arguments, const char *format,
                    Error *error) {
    if (!image_source_open(&conversion->source, arguments, arguments->file_count - 1, error) ||
        !image_source_check_other(&conversion->source, target_path(arguments), error))
        return false;
    uint64_t length = image_source_length(&conversion->source);
    struct stat before;
    bool was_there = lstat(target_path(arguments), &before) == 0;
    if (!arguments->keep_target && !create_target(arguments, &conversion->source, format, error))
        return false;
    image_progress_begin(&conversion->progress, arguments->progress && !arguments->quiet, length);
    bool good = open_target(conversion, arguments, format, error) && copy(conversion, error);
    image_progress_end(&conversion->progress);
    block_close(conversion->target);
    /* Half a target must not be taken for a whole one, and needs room on a disk that may be full.
     */
    if (!good && !was_there && !arguments->keep_target)
        unlink(target_path(arguments));
    free(conversion->buffer);
    free(conversion->present);
    return good;
}

static bool check_arguments(const ImageArguments *arguments, const char **format, Error *error) {
    bool known =
        arguments->keep_target && *format != NULL
            ? block_format_exists(*format) || error_set(error, "unknown format '%s'", *format)
            : image_check_format(format, error);
    if (!known)
        return false;
    if (arguments->compress && !block_format_compresses(*format))
        return error_set(error, "the format %s does not compress", *format);
    if (arguments->compress && arguments->backing != NULL)
        return error_set(error, "-c and -B do not go together");
    if (arguments->keep_target && arguments->backing != NULL)
        return error_set(error, "-n and -B do not go together");
    if (arguments->target_is_zero && !arguments->keep_target)
        return error_set(error, "--target-is-zero needs -n");
    return image_check_backing(arguments, *format, error);
}

int image_convert(const ImageArguments *arguments, Error *error) {
    Conversion conversion = {0};
    const char *format = arguments->output_format;
    bool good = check_arguments(arguments, &format, error) &&
                convert(&conversion, arguments, format, error);
    if (good && conversion.source.unreadable_bytes > 0 && !arguments->quiet)
        fprintf(stderr, "reprise: image: warning: %llu bytes could not be read\n",
                (unsigned long long)conversion.source.unreadable_bytes);
    image_source_close(&conversion.source);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}

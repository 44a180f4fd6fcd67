/* 'reprise image compare'. */
#include "allocate.h"
#include "image_progress.h"
#include "image_verbs.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (1u << 20)

typedef struct Comparison {
    BlockNode *nodes[2];
    uint8_t *buffers[2];
    bool strict, quiet;
    ImageProgress progress;
} Comparison;

/* The first sector that differs; 'size' if none does. */
static size_t find_difference(const uint8_t *a, const uint8_t *b, size_t size) {
    for (size_t offset = 0; offset < size; offset += BLOCK_SECTOR_BYTES) {
        size_t part = size - offset < BLOCK_SECTOR_BYTES ? size - offset : BLOCK_SECTOR_BYTES;
        if (memcmp(a + offset, b + offset, part) != 0)
            return offset;
    }
    return size;
}

/* Says what differs, unless only the exit status is wanted. */
__attribute__((format(printf, 2, 3))) static int differ(Comparison *comparison, const char *format,
                                                        ...) {
    va_list words;
    image_progress_end(&comparison->progress);
    va_start(words, format);
    if (!comparison->quiet)
        vprintf(format, words);
    va_end(words);
    return IMAGE_DIFFERENT;
}

static int compare_piece(Comparison *comparison, uint64_t offset, size_t size, Error *error) {
    for (int i = 0; i < 2; i++)
        if (!block_read(comparison->nodes[i], offset, comparison->buffers[i], size, error))
            return IMAGE_COMPARE_READ_FAILED;
    size_t same = find_difference(comparison->buffers[0], comparison->buffers[1], size);
    if (same == size)
        return IMAGE_DONE;
    return differ(comparison, "Content mismatch at offset %llu!\n",
                  (unsigned long long)(offset + same));
}

static int compare_range(Comparison *comparison, uint64_t end, uint64_t common, Error *error) {
    uint64_t offset = 0;
    while (offset < end) {
        BlockExtent extents[2];
        uint64_t length = end - offset;
        for (int i = 0; i < 2; i++) {
            if (!block_map(comparison->nodes[i], offset, length, &extents[i], error))
                return IMAGE_COMPARE_READ_FAILED;
            if (extents[i].length < length)
                length = extents[i].length;
        }
        if (comparison->strict && offset < common &&
            (extents[0].zero != extents[1].zero || extents[0].data != extents[1].data))
            return differ(comparison, "Strict mode: Offset %llu block status mismatch!\n",
                          (unsigned long long)offset);
        if (!extents[0].zero || !extents[1].zero) {
            if (length > BUFFER_BYTES)
                length = BUFFER_BYTES;
            int status = compare_piece(comparison, offset, (size_t)length, error);
            if (status != IMAGE_DONE)
                return status;
        }
        offset += length;
        image_progress_show(&comparison->progress, offset);
    }
    image_progress_end(&comparison->progress);
    return IMAGE_DONE;
}

static int compare(Comparison *comparison, Error *error) {
    uint64_t lengths[2] = {image_length(comparison->nodes[0]), image_length(comparison->nodes[1])};
    uint64_t common = lengths[0] < lengths[1] ? lengths[0] : lengths[1];
    uint64_t end = lengths[0] > lengths[1] ? lengths[0] : lengths[1];
    if (common != end && comparison->strict)
        return differ(comparison, "Strict mode: Image size mismatch!\n");
    if (common != end && !comparison->quiet)
        printf("Warning: Image size mismatch!\n");
    int status = compare_range(comparison, end, common, error);
    if (status == IMAGE_DONE && !comparison->quiet)
        printf("Images are identical.\n");
    return status;
}

int image_compare(const ImageArguments *arguments, Error *error) {
    Comparison comparison = {.strict = arguments->strict, .quiet = arguments->quiet};
    int status = IMAGE_COMPARE_FAILED;
    comparison.nodes[0] =
        image_open(arguments, arguments->files[0], arguments->format, false, error);
    if (comparison.nodes[0] != NULL)
        comparison.nodes[1] =
            image_open(arguments, arguments->files[1], arguments->second_format, false, error);
    if (comparison.nodes[1] != NULL) {
        uint64_t a = image_length(comparison.nodes[0]), b = image_length(comparison.nodes[1]);
        image_progress_begin(&comparison.progress, arguments->progress && !arguments->quiet,
                             a > b ? a : b);
        for (int i = 0; i < 2; i++)
            comparison.buffers[i] = allocate_zeroed(BUFFER_BYTES);
        status = compare(&comparison, error);
    }
    for (int i = 0; i < 2; i++) {
        free(comparison.buffers[i]);
        block_close(comparison.nodes[i]);
    }
    return status;
}

/* 'reprise image dd': a part of an image into a new one. */
#include "allocate.h"
#include "host_file.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (1u << 20)
#define BLOCK_BYTES_MAXIMUM ((uint64_t)INT32_MAX)

typedef struct Dd {
    const char *input, *output;
    uint64_t block_bytes, count, skip;
    bool has_count;
} Dd;

static bool take_size(const char *text, uint64_t *size, Error *error) {
    return image_options_parse_size(text, size, error);
}

static bool take_word(Dd *dd, const char *word, Error *error) {
    if (strncmp(word, "if=", 3) == 0)
        dd->input = word + 3;
    else if (strncmp(word, "of=", 3) == 0)
        dd->output = word + 3;
    else if (strncmp(word, "bs=", 3) == 0)
        return take_size(word + 3, &dd->block_bytes, error) &&
               ((dd->block_bytes >= 1 && dd->block_bytes <= BLOCK_BYTES_MAXIMUM) ||
                error_set(error, "bs= takes 1 to %llu", (unsigned long long)BLOCK_BYTES_MAXIMUM));
    else if (strncmp(word, "count=", 6) == 0)
        return dd->has_count = true, take_size(word + 6, &dd->count, error);
    else if (strncmp(word, "skip=", 5) == 0)
        return take_size(word + 5, &dd->skip, error);
    else
        return error_set(error, "'%s' is none of if=, of=, bs=, count= and skip=", word);
    return true;
}

static uint64_t multiply(uint64_t a, uint64_t b) {
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static bool copy(BlockNode *source, BlockNode *target, uint64_t start, uint64_t length,
                 Error *error) {
    uint8_t *buffer = allocate_zeroed(BUFFER_BYTES);
    bool good = true;
    for (uint64_t done = 0; good && done < length; done += BUFFER_BYTES) {
        size_t part = length - done < BUFFER_BYTES ? (size_t)(length - done) : BUFFER_BYTES;
        good = block_read(source, start + done, buffer, part, error) &&
               (image_is_zero(buffer, part) || block_write(target, done, buffer, part, error));
    }
    free(buffer);
    return good && block_flush(target, error);
}

static bool is_same_file(const char *path, const char *other) {
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static bool run(const ImageArguments *arguments, const Dd *dd, const char *format,
                BlockNode *source, Error *error) {
    struct stat before;
    uint64_t end = image_length(source), start = multiply(dd->skip, dd->block_bytes);
    if (dd->has_count && multiply(dd->count, dd->block_bytes) < end)
        end = multiply(dd->count, dd->block_bytes);
    /* The count is from the image's start, as qemu-img has it; and what is skipped is taken off. */
    uint64_t length = start < end ? end - start : 0;
    BlockCreateRequest request = {.path = dd->output, .length = image_round_up(length)};
    bool was_there = lstat(dd->output, &before) == 0;
    if (!block_create(format, &request, error))
        return false;
    BlockNode *target = image_open(arguments, dd->output, format, true, error);
    bool good = target != NULL && copy(source, target, start, length, error);
    block_close(target);
    if (!good && !was_there)
        unlink(dd->output);
    return good;
}

int image_dd(const ImageArguments *arguments, Error *error) {
    Dd dd = {.block_bytes = BLOCK_SECTOR_BYTES};
    const char *format = arguments->output_format;
    bool good = true;
    for (int i = 0; good && i < arguments->file_count; i++)
        good = take_word(&dd, arguments->files[i], error);
    if (good && (dd.input == NULL || dd.output == NULL))
        good = error_set(error, "if=FILE and of=FILE are needed");
    if (!good || !image_check_format(&format, error))
        return IMAGE_FAILED;
    if (is_same_file(dd.input, dd.output)) {
        error_set(error, "%s: is source and target", dd.output);
        return IMAGE_FAILED;
    }
    BlockNode *source = image_open(arguments, dd.input, arguments->format, false, error);
    good = source != NULL && run(arguments, &dd, format, source, error);
    block_close(source);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}

/* 'reprise image resize'. */
#include "image_verbs.h"
#include <stdio.h>

static bool find_new_length(const char *text, uint64_t old, uint64_t *length, Error *error) {
    char sign = text[0];
    uint64_t bytes;
    if (!image_options_parse_size(sign == '+' || sign == '-' ? text + 1 : text, &bytes, error))
        return false;
    if (sign == '-' && bytes >= old)
        return error_set(error, "there are only %llu bytes", (unsigned long long)old);
    *length = sign == '+' ? old + bytes : sign == '-' ? old - bytes : bytes;
    if (*length == 0)
        return error_set(error, "the new size must be positive");
    if (*length > BLOCK_LENGTH_MAXIMUM)
        return error_set(error, "larger than the largest image, %llu bytes",
                         (unsigned long long)BLOCK_LENGTH_MAXIMUM);
    *length = image_round_up(*length);
    return true;
}

static bool resize(const ImageArguments *arguments, BlockNode *node, Error *error) {
    uint64_t old = image_length(node), length = old;
    const char *path = arguments->files[0];
    if (!block_can_resize(node))
        return error_set(error, "%s: images of the format %s cannot be resized", path,
                         block_format(node));
    if (!find_new_length(arguments->files[1], old, &length, error))
        return error_prefix(error, "%s: ", path);
    if (length < old && !arguments->shrink)
        return error_set(error,
                         "%s: would become smaller, and lose what is beyond its new end: if "
                         "nothing there is needed, add --shrink",
                         path);
    return block_set_length(node, length, error) && block_flush(node, error);
}

int image_resize(const ImageArguments *arguments, Error *error) {
    BlockNode *node = image_open(arguments, arguments->files[0], arguments->format, true, error);
    if (node == NULL)
        return IMAGE_FAILED;
    bool resized = resize(arguments, node, error);
    block_close(node);
    if (resized && !arguments->quiet)
        printf("Image resized.\n");
    return resized ? IMAGE_DONE : IMAGE_FAILED;
}
